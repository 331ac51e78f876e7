"""Losses of class scores: cross entropy and softmax focal loss, weighted by class.

A function of logits and targets gives one loss per target and holds the maths; a module holds the
class weights as a buffer and adds the reduction. All take raw logits, class axis 1, work in float32
or better under mixed precision, leave out targets equal to `ignore_index`, and stay finite, value
and gradient, at saturated logits. A loss names in `predict_nonlinearity` what turns its logits into
probabilities.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORED = -100  # torch's own default


def _log_probabilities(logits: Tensor, targets: Tensor, weight: Tensor | None) -> Tensor:
    """Return log-probabilities in float32 at least, if the shapes belong together."""
    if logits.ndim < 2 or targets.shape != logits.shape[:1] + logits.shape[2:]:
        expected = tuple(logits.shape[:1] + logits.shape[2:])
        raise ValueError(
            f"targets have shape {tuple(targets.shape)} and logits {tuple(logits.shape)}: pass one "
            f"class number per target, shape {expected}, and logits with the classes on axis 1."
        )
    if targets.is_floating_point() or targets.dtype == torch.bool:
        raise ValueError(
            f"targets have dtype {targets.dtype}: pass class numbers, such as targets.long()."
        )
    if weight is not None and len(weight) != logits.shape[1]:
        raise ValueError(
            f"weight holds {len(weight)} values and the logits {logits.shape[1]} classes: pass one "
            "weight per class."
        )
    half = logits.dtype in (torch.float16, torch.bfloat16)
    return torch.log_softmax(logits.float() if half else logits, dim=1)


def _negative_log_likelihood(
    log_p: Tensor, targets: Tensor, weight: Tensor | None, ignore_index: int
) -> Tensor:
    return F.nll_loss(
        log_p,
        targets.long(),
        weight=None if weight is None else weight.to(log_p),
        ignore_index=ignore_index,
        reduction="none",
    )


def weighted_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    weight: Tensor | None = None,
    ignore_index: int = IGNORED,
) -> Tensor:
    """Return the cross entropy of every target, ``-w[y] log p[y]``.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
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

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import weighted_cross_entropy
    >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
    >>> weighted_cross_entropy(logits, torch.tensor([0, 2]))
    tensor([0.1698, 1.0986])
    """
    log_p = _log_probabilities(logits, targets, weight)
    return _negative_log_likelihood(log_p, targets, weight, ignore_index)


def softmax_focal_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma: float = 2.0,
    weight: Tensor | None = None,
    ignore_index: int = IGNORED,
) -> Tensor:
    """Return the focal loss of every target, ``-w[y] (1 - p[y])**gamma log p[y]``.

    The power is taken as ``exp(gamma log(1 - p[y]))``, with ``log(1 - p[y])`` the log-sum-exp over
    the other classes: finite, gradient included, for every `gamma` at saturated logits.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    gamma : float, default=2.0
        How much less a target counts the better it is predicted; 0 gives cross entropy.
    weight : Tensor of shape (n_classes,), default=None
        Weights of the classes; None weighs all alike. They do not enter ``p[y]``.
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
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal Loss for Dense Object
       Detection", ICCV 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import softmax_focal_loss
    >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
    >>> softmax_focal_loss(logits, torch.tensor([0, 2]))
    tensor([0.0041, 0.4883])
    """
    log_p = _log_probabilities(logits, targets, weight)
    losses = _negative_log_likelihood(log_p, targets, weight, ignore_index)
    index = targets.where(targets != ignore_index, 0).long().unsqueeze(1)
    log_p_others = log_p.scatter(1, index, -torch.inf).logsumexp(dim=1)
    return losses * torch.exp(gamma * log_p_others)


class _ClassLoss(nn.Module):
    """Class weights as a buffer, and the reduction of one loss per target."""

    predict_nonlinearity = "softmax"

    def __init__(
        self,
        *,
        weight: Tensor | list[float] | None = None,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("mean_over", mean_over, ("targets", "weights")),
            ("reduction", reduction, ("none", "mean", "sum")),
        ):
            if value not in known:
                raise ValueError(
                    f"{name}={value!r} is unknown: choose {', '.join(map(repr, known))}."
                )
        if weight is not None:
            weight = torch.as_tensor(weight, dtype=torch.float32)
        self.register_buffer("weight", weight)
        self.mean_over = mean_over
        self.ignore_index = ignore_index
        self.reduction = reduction

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must implement _losses.")

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the reduced loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes, ...)
            Raw scores of the classes.
        targets : Tensor of shape (n_samples, ...)
            Class numbers.

        Returns
        -------
        loss : Tensor of shape () or (n_samples, ...)
            The mean or sum; with ``reduction="none"`` one loss per target.
        """
        losses = self._losses(logits, targets)
        if self.reduction == "none":
            return losses
        if self.reduction == "sum":
            return losses.sum()
        valid = targets != self.ignore_index
        if self.mean_over == "weights" and self.weight is not None:
            total = self.weight.to(losses)[targets.where(valid, 0).long()][valid].sum()
        else:
            total = valid.sum()
        # Without a valid target the sum is 0 already, and stays attached to the logits.
        return losses.sum() / total.where(total > 0, 1)


class WeightedCrossEntropyLoss(_ClassLoss):
    """Cross entropy of logits, weighted by class.

    Parameters
    ----------
    weight : Tensor of shape (n_classes,) or list of float, default=None
        Weights of the classes; None weighs all alike.
    mean_over : {"targets", "weights"}, default="targets"
        What the mean divides by: the number of targets, or the sum of their weights as torch does.
        The second cancels the weights in a batch that holds one class.
    ignore_index : int, default=-100
        The target that marks a missing label.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"softmax"``, over axis 1.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import WeightedCrossEntropyLoss
    >>> loss = WeightedCrossEntropyLoss(weight=[1.0, 10.0])
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(3.8123)
    """

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return weighted_cross_entropy(
            logits, targets, weight=self.weight, ignore_index=self.ignore_index
        )


class SoftmaxFocalLoss(_ClassLoss):
    """Focal loss of logits over a softmax, weighted by class.

    Parameters
    ----------
    gamma : float, default=2.0
        How much less a target counts the better it is predicted; 0 gives cross entropy.
    weight : Tensor of shape (n_classes,) or list of float, default=None
        Weights of the classes; None weighs all alike.
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

    Raises
    ------
    ValueError
        If `gamma` is negative.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SoftmaxFocalLoss
    >>> SoftmaxFocalLoss(gamma=1.0)(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(0.3466)
    """

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        weight: Tensor | list[float] | None = None,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        if gamma < 0:
            raise ValueError(
                f"gamma={gamma} would weigh easy targets most: pass 0 (cross entropy) or more."
            )
        super().__init__(
            weight=weight, mean_over=mean_over, ignore_index=ignore_index, reduction=reduction
        )
        self.gamma = gamma

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return softmax_focal_loss(
            logits, targets, gamma=self.gamma, weight=self.weight, ignore_index=self.ignore_index
        )


LOSSES: dict[str, Callable[..., nn.Module]] = {
    "cross_entropy": WeightedCrossEntropyLoss,
    "focal": SoftmaxFocalLoss,
}


def get_loss(name: str, **params: object) -> nn.Module:
    """Return a loss by the name users type.

    Parameters
    ----------
    name : str
        A key of ``skrecall.nn.LOSSES``.
    **params : object
        Arguments of the loss.

    Returns
    -------
    loss : torch.nn.Module
        The loss module.

    Raises
    ------
    ValueError
        If no loss has that name, or the loss has no such argument.

    Examples
    --------
    >>> from skrecall.nn import get_loss
    >>> get_loss("focal", gamma=1.0).gamma
    1.0
    """
    if name not in LOSSES:
        raise ValueError(f"loss={name!r} is unknown: choose {', '.join(map(repr, LOSSES))}.")
    try:
        return LOSSES[name](**params)
    except TypeError as error:
        raise ValueError(f"loss={name!r} does not take {params}: {error}.") from error
