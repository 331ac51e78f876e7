"""Seesaw loss: what rare classes suffer from targets of frequent ones is turned down."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._cross_entropy import negative_log_likelihood
from ._loss import IGNORED, SoftmaxLoss, check_class_targets, check_per_class, in_float32

LEAST_PROBABILITY = 0.01  # of the target, in the compensation: it grows no further below


def seesaw_loss(
    logits: Tensor,
    targets: Tensor,
    counts: Tensor,
    *,
    p: float = 0.8,
    q: float = 2.0,
    weight: Tensor | None = None,
    ignore_index: int = IGNORED,
) -> Tensor:
    """Return the cross entropy in which the other classes' exponentials are re-weighted.

    A target of class y multiplies the exponential of class j by ``min(1, n[j] / n[y])**p``, so
    that a rarer class is pushed down less (mitigation), and by ``max(1, p[j] / p[y])**q``, so that
    a class held for likelier than y is pushed down more (compensation). The gradient takes both
    factors as constants.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    counts : Tensor of shape (n_classes,)
        Targets of every class seen so far; 0 is read as 1.
    p : float, default=0.8
        Strength of the mitigation.
    q : float, default=2.0
        Strength of the compensation.
    weight : Tensor of shape (n_classes,), default=None
        Weights of the classes; None weighs all alike.
    ignore_index : int, default=-100
        The target that marks a missing label; its loss and gradient are 0.

    Returns
    -------
    losses : Tensor of shape (n_samples, ...)
        One loss per target, in float32 or the logits' higher precision.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or the targets are not class numbers.

    References
    ----------
    .. [1] J. Wang et al., "Seesaw Loss for Long-Tailed Instance Segmentation", CVPR 2021.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import seesaw_loss
    >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
    >>> seesaw_loss(logits, torch.tensor([0, 2]), torch.tensor([5000, 500, 50]))
    tensor([0.0224, 1.0986])
    """
    check_class_targets(logits, targets, weight)
    check_per_class(logits, counts, "counts")
    logits = in_float32(logits)
    index = targets.where(targets != ignore_index, 0).long().unsqueeze(1)
    log_n = counts.clamp(min=1).to(logits).log()
    mitigation = log_n.reshape(-1, *[1] * (logits.ndim - 2)) - log_n[index]
    log_p = torch.log_softmax(logits.detach(), dim=1)
    compensation = log_p - log_p.gather(1, index).clamp(min=math.log(LEAST_PROBABILITY))
    # Of the target's own class both are 0.
    shift = p * mitigation.clamp(max=0) + q * compensation.clamp(min=0)
    log_p = torch.log_softmax(logits + shift, dim=1)
    return negative_log_likelihood(log_p, targets, weight, ignore_index)


class SeesawLoss(SoftmaxLoss):
    """Seesaw loss of logits, which counts the targets it is trained on.

    The counts are of this module: they grow with every batch in training mode, stand still in
    evaluation mode, and begin at 0 in a new module.

    Parameters
    ----------
    p : float, default=0.8
        Strength of the mitigation, which spares rarer classes; 0 switches it off.
    q : float, default=2.0
        Strength of the compensation, where another class is held for likelier than the target's; 0
        switches it off.
    weight : {"inverse", "sqrt", "effective"} or sequence of float, default=None
        Weights of the classes, or the scheme of `class_weights` that finds them from
        `class_counts`; None weighs all alike.
    class_counts : sequence of float of shape (n_classes,), default=None
        Number of training rows of every class, for `weight` alone.
    beta : float, default=0.999
        Of the scheme "effective".
    mean_over : {"targets", "weights"}, default="targets"
        What the mean divides by: the number of targets, or the sum of their weights.
    ignore_index : int, default=-100
        The target that marks a missing label.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"softmax"``, over axis 1.
    running_counts : Tensor of shape (n_classes,)
        Targets of every class seen in training mode; empty before the first.

    Raises
    ------
    ValueError
        If `p` or `q` is negative, or `weight` is a scheme and there are no `class_counts`.

    References
    ----------
    .. [1] J. Wang et al., "Seesaw Loss for Long-Tailed Instance Segmentation", CVPR 2021.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SeesawLoss
    >>> loss = SeesawLoss()
    >>> loss(torch.zeros(3, 2), torch.tensor([0, 0, 1]))
    tensor(0.5336)
    >>> loss.running_counts
    tensor([2, 1])
    """

    running_counts: Tensor

    def __init__(
        self,
        *,
        p: float = 0.8,
        q: float = 2.0,
        weight: str | Tensor | Sequence[float] | None = None,
        class_counts: Tensor | Sequence[float] | None = None,
        beta: float = 0.999,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        if p < 0 or q < 0:
            raise ValueError(
                f"p={p} and q={q} would favour frequent classes and mistakes: pass 0 or more."
            )
        super().__init__(
            weight=weight,
            class_counts=class_counts,
            beta=beta,
            mean_over=mean_over,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        self.p = p
        self.q = q
        self.register_buffer("running_counts", torch.zeros(0, dtype=torch.long))

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Count the targets, in training mode, and return the reduced loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes, ...)
            Raw scores of the classes.
        targets : Tensor of shape (n_samples, ...)
            Class numbers.
        sample_weight : Tensor of shape (n_samples,), default=None
            What the losses of each sample are multiplied by; it does not enter the counts.

        Returns
        -------
        loss : Tensor of shape () or (n_samples, ...)
            The mean or sum; with ``reduction="none"`` one loss per target, 0 where it is missing.
        """
        if not len(self.running_counts):
            self.running_counts = self.running_counts.new_zeros(logits.shape[1])
        if self.training:
            check_class_targets(logits, targets)
            valid = self.valid(targets)
            seen = targets.where(valid, 0).long().flatten()
            self.running_counts.scatter_add_(0, seen, valid.long().flatten())
        return super().forward(logits, targets, sample_weight)

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return seesaw_loss(
            logits,
            targets,
            self.running_counts,
            p=self.p,
            q=self.q,
            weight=self.weight,
            ignore_index=self.ignore_index,
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The counts have no length before the first batch.
        stored = state_dict.get(f"{prefix}running_counts", self.running_counts)
        self.running_counts = self.running_counts.new_zeros(stored.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)
