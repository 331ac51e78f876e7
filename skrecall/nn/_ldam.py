"""LDAM: cross entropy of scaled cosines, with a margin that grows as classes get rarer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ._class_weights import present_counts
from ._cross_entropy import weighted_cross_entropy
from ._loss import IGNORED, SoftmaxLoss, check_class_targets, check_per_class, in_float32


def ldam_margins(counts: Tensor | Sequence[float], *, max_margin: float = 0.5) -> Tensor:
    """Return the margin of every class, proportional to ``n**(-1/4)``.

    A class without rows gets the margin of the rarest class that has some.

    Parameters
    ----------
    counts : Tensor or sequence of shape (n_classes,)
        Number of rows of every class.
    max_margin : float, default=0.5
        Margin of the rarest class, in cosines.

    Returns
    -------
    margins : Tensor of shape (n_classes,)
        In float32, on the CPU.

    Raises
    ------
    ValueError
        If `counts` are no counts.

    Examples
    --------
    >>> from skrecall.nn import ldam_margins
    >>> ldam_margins([5000, 500, 50])
    tensor([0.1581, 0.2812, 0.5000])
    """
    margins = present_counts(counts) ** -0.25
    return (margins * (max_margin / margins.max())).float()


def ldam_loss(
    cosines: Tensor,
    targets: Tensor,
    margins: Tensor,
    *,
    scale: float = 30.0,
    weight: Tensor | None = None,
    ignore_index: int = IGNORED,
) -> Tensor:
    """Return the cross entropy of ``scale * cosines``, after the target's margin is taken off.

    Parameters
    ----------
    cosines : Tensor of shape (n_samples, n_classes, ...)
        Cosines between a sample's features and the vectors of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    margins : Tensor of shape (n_classes,)
        What is taken off the cosine of the target's class.
    scale : float, default=30.0
        What cosines are multiplied by to become logits.
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
    .. [1] K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma, "Learning Imbalanced Datasets with
       Label-Distribution-Aware Margin Loss", NeurIPS 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import ldam_loss, ldam_margins
    >>> cosines = torch.tensor([[0.6, 0.2, -0.1], [0.1, 0.3, 0.25]])
    >>> ldam_loss(cosines, torch.tensor([0, 2]), ldam_margins([5000, 500, 50]), scale=10.0)
    tensor([0.0893, 5.6305])
    """
    check_class_targets(cosines, targets, weight)
    check_per_class(cosines, margins, "margins")
    cosines = in_float32(cosines)
    index = targets.where(targets != ignore_index, 0).long().unsqueeze(1)
    classes = torch.arange(len(margins), device=cosines.device)
    is_target = index == classes.reshape(-1, *[1] * (cosines.ndim - 2))
    logits = scale * (cosines - margins.to(cosines)[index] * is_target)
    return weighted_cross_entropy(logits, targets, weight=weight, ignore_index=ignore_index)


class LDAMLoss(SoftmaxLoss):
    """Label-distribution-aware margin loss of cosines.

    The network must end in cosines, as the head "cosine" does: a margin means nothing to logits of
    free length. The loss scales them itself, for predictions too. It needs more epochs than cross
    entropy, and class weights that act in the last of them only (deferred re-weighting).

    Parameters
    ----------
    class_counts : sequence of float of shape (n_classes,), default=None
        Number of training rows of every class; the loss cannot do without.
    max_margin : float, default=0.5
        Margin of the rarest class, in cosines; 0 gives cross entropy.
    scale : float, default=30.0
        What cosines are multiplied by to become logits.
    weight : {"inverse", "sqrt", "effective"} or sequence of float, default=None
        Weights of the classes, or the scheme of `class_weights` that finds them from
        `class_counts`; None weighs all alike.
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
    predict_scale : float
        `scale`; the margins are for training alone.
    takes_cosines : bool
        True.

    Raises
    ------
    ValueError
        If there are no `class_counts`, `max_margin` is negative or `scale` is not positive.

    References
    ----------
    .. [1] K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma, "Learning Imbalanced Datasets with
       Label-Distribution-Aware Margin Loss", NeurIPS 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import LDAMLoss
    >>> cosines = torch.tensor([[0.6, 0.2, -0.1], [0.1, 0.3, 0.25]])
    >>> LDAMLoss(class_counts=[5000, 500, 50])(cosines, torch.tensor([0, 2]))
    tensor(8.2516)
    """

    takes_cosines = True

    def __init__(
        self,
        *,
        class_counts: Tensor | Sequence[float] | None = None,
        max_margin: float = 0.5,
        scale: float = 30.0,
        weight: str | Tensor | Sequence[float] | None = None,
        beta: float = 0.999,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        if max_margin < 0 or scale <= 0:
            raise ValueError(
                f"max_margin={max_margin} and scale={scale}: pass a margin of 0 or more, such as "
                "0.5, and a scale above 0, such as 30."
            )
        super().__init__(
            weight=weight,
            class_counts=class_counts,
            beta=beta,
            mean_over=mean_over,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        counts = self._counts(type(self).__name__)
        self.register_buffer("margins", ldam_margins(counts, max_margin=max_margin))
        self.max_margin = max_margin
        self.scale = self.predict_scale = scale

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return ldam_loss(
            logits,
            targets,
            self.margins,
            scale=self.scale,
            weight=self.weight,
            ignore_index=self.ignore_index,
        )
