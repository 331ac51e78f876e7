"""Poly-1: cross entropy or focal loss whose first polynomial coefficient is changed."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ._cross_entropy import (
    check_gamma,
    log_probabilities,
    log_probability_of_others,
    negative_log_likelihood,
)
from ._loss import IGNORED, SoftmaxLoss


def poly1_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    epsilon: float = 1.0,
    gamma: float = 0.0,
    weight: Tensor | None = None,
    ignore_index: int = IGNORED,
) -> Tensor:
    """Return ``w[y] (-(1 - p[y])**gamma log p[y] + epsilon (1 - p[y])**(gamma + 1))``.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    epsilon : float, default=1.0
        What is added to the coefficient of ``(1 - p[y])**(gamma + 1)``, which is 1 in cross entropy
        and focal loss; 0 changes nothing.
    gamma : float, default=0.0
        Of the focal loss: 0 gives cross entropy.
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
    .. [1] Z. Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss
       Functions", ICLR 2022.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import poly1_loss
    >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
    >>> poly1_loss(logits, torch.tensor([0, 2]))
    tensor([0.3261, 1.7653])
    """
    log_p = log_probabilities(logits, targets, weight)
    nll = negative_log_likelihood(log_p, targets, None, ignore_index)
    valid = targets != ignore_index
    log_p_others = log_probability_of_others(log_p, targets, ignore_index)
    losses = torch.exp(gamma * log_p_others) * nll
    losses = losses + epsilon * torch.exp((gamma + 1) * log_p_others)
    if weight is not None:
        losses = losses * weight.to(log_p)[targets.where(valid, 0).long()]
    return losses.where(valid, 0)


class Poly1Loss(SoftmaxLoss):
    """Poly-1 loss of logits over a softmax, weighted by class.

    Class weights multiply both terms.

    Parameters
    ----------
    epsilon : float, default=1.0
        What is added to the first polynomial coefficient: above 0 lifts the gradient of targets
        that are predicted well already, below 0 lowers it; 0 changes nothing.
    gamma : float, default=0.0
        Of the focal loss: 0 gives cross entropy.
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
        If `epsilon` is below -1, `gamma` is negative, or `weight` is a scheme and there are no
        `class_counts`.

    References
    ----------
    .. [1] Z. Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss
       Functions", ICLR 2022.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import Poly1Loss
    >>> Poly1Loss(epsilon=2.0)(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(1.6931)
    """

    def __init__(
        self,
        *,
        epsilon: float = 1.0,
        gamma: float = 0.0,
        weight: str | Tensor | Sequence[float] | None = None,
        class_counts: Tensor | Sequence[float] | None = None,
        beta: float = 0.999,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        check_gamma(gamma)
        if epsilon < -1:
            raise ValueError(
                f"epsilon={epsilon} would reward a lower probability of the truth where it is near "
                "1: pass -1 or more."
            )
        super().__init__(
            weight=weight,
            class_counts=class_counts,
            beta=beta,
            mean_over=mean_over,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        self.epsilon = epsilon
        self.gamma = gamma

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return poly1_loss(
            logits,
            targets,
            epsilon=self.epsilon,
            gamma=self.gamma,
            weight=self.weight,
            ignore_index=self.ignore_index,
        )
