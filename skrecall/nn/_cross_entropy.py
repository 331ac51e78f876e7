"""Cross entropy and softmax focal loss of class scores, weighted by class."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ._loss import IGNORED, SoftmaxLoss, check_class_targets, in_float32


def log_probabilities(logits: Tensor, targets: Tensor, weight: Tensor | None) -> Tensor:
    """Return log-probabilities of the classes, if the shapes belong together.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    weight : Tensor of shape (n_classes,) or None
        Weights of the classes.

    Returns
    -------
    log_p : Tensor of shape (n_samples, n_classes, ...)
        In float32 at least.
    """
    check_class_targets(logits, targets, weight)
    return torch.log_softmax(in_float32(logits), dim=1)


def negative_log_likelihood(
    log_p: Tensor, targets: Tensor, weight: Tensor | None, ignore_index: int
) -> Tensor:
    """Return ``-w[y] log p[y]`` of every target.

    Parameters
    ----------
    log_p : Tensor of shape (n_samples, n_classes, ...)
        Log-probabilities of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    weight : Tensor of shape (n_classes,) or None
        Weights of the classes.
    ignore_index : int
        The target that marks a missing label; its loss is 0.

    Returns
    -------
    losses : Tensor of shape (n_samples, ...)
        One loss per target.
    """
    return F.nll_loss(
        log_p,
        targets.long(),
        weight=None if weight is None else weight.to(log_p),
        ignore_index=ignore_index,
        reduction="none",
    )


def log_probability_of_others(log_p: Tensor, targets: Tensor, ignore_index: int) -> Tensor:
    """Return ``log(1 - p[y])`` of every target, finite at saturated logits.

    Parameters
    ----------
    log_p : Tensor of shape (n_samples, n_classes, ...)
        Log-probabilities of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    ignore_index : int
        The target that marks a missing label; what is returned for it means nothing.

    Returns
    -------
    log_p_others : Tensor of shape (n_samples, ...)
        The log-sum-exp over the classes other than the target's.
    """
    index = targets.where(targets != ignore_index, 0).long().unsqueeze(1)
    return log_p.scatter(1, index, -torch.inf).logsumexp(dim=1)


def check_gamma(gamma: float) -> None:
    """Refuse a focal exponent below zero.

    Parameters
    ----------
    gamma : float
        How much less a target counts the better it is predicted.

    Raises
    ------
    ValueError
        If it is negative.
    """
    if gamma < 0:
        raise ValueError(
            f"gamma={gamma} would weigh easy targets most: pass 0 (cross entropy) or more."
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
    check_class_targets(logits, targets, weight)
    logits = in_float32(logits)
    return F.cross_entropy(
        logits,
        targets.long(),
        weight=None if weight is None else weight.to(logits),
        ignore_index=ignore_index,
        reduction="none",
    )


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
    log_p = log_probabilities(logits, targets, weight)
    losses = negative_log_likelihood(log_p, targets, weight, ignore_index)
    return losses * torch.exp(gamma * log_probability_of_others(log_p, targets, ignore_index))


class WeightedCrossEntropyLoss(SoftmaxLoss):
    """Cross entropy of logits, weighted by class.

    Parameters
    ----------
    weight : {"inverse", "sqrt", "effective"} or sequence of float, default=None
        Weights of the classes, or the scheme of `class_weights` that finds them from
        `class_counts`; None weighs all alike.
    class_counts : sequence of float of shape (n_classes,), default=None
        Number of training rows of every class.
    beta : float, default=0.999
        Of the scheme "effective".
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

    def prior_factor(self) -> Tensor | float:
        """Return the weights of the classes, as the loss is proper but for them.

        Returns
        -------
        factor : Tensor of shape (n_classes,) or float
            1 without weights.
        """
        return 1.0 if self.weight is None else self.weight


class SoftmaxFocalLoss(SoftmaxLoss):
    """Focal loss of logits over a softmax, weighted by class.

    Parameters
    ----------
    gamma : float, default=2.0
        How much less a target counts the better it is predicted; 0 gives cross entropy.
    weight : {"inverse", "sqrt", "effective"} or sequence of float, default=None
        Weights of the classes, or the scheme of `class_weights` that finds them from
        `class_counts`; None weighs all alike.
    class_counts : sequence of float of shape (n_classes,), default=None
        Number of training rows of every class.
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

    Raises
    ------
    ValueError
        If `gamma` is negative, or `weight` is a scheme and there are no `class_counts`.

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
        weight: str | Tensor | Sequence[float] | None = None,
        class_counts: Tensor | Sequence[float] | None = None,
        beta: float = 0.999,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        check_gamma(gamma)
        super().__init__(
            weight=weight,
            class_counts=class_counts,
            beta=beta,
            mean_over=mean_over,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        self.gamma = gamma

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return softmax_focal_loss(
            logits, targets, gamma=self.gamma, weight=self.weight, ignore_index=self.ignore_index
        )
