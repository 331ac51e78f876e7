"""Focal loss of independent labels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ._binary_cross_entropy import weighted_binary_cross_entropy
from ._cross_entropy import check_gamma
from ._loss import MISSING_LABEL, SigmoidLoss, in_float32


def log_miss_probability(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ``log(1 - p_t)``, the log-probability that the prediction gives to the other answer.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels, in float32 at least.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels, of which
        ``p_t = p t + (1 - p) (1 - t)``.

    Returns
    -------
    log_miss : Tensor of shape (n_samples, n_labels, ...)
        Finite, gradient included, where the logits are.
    """
    return torch.logaddexp(
        F.logsigmoid(logits) + torch.log(1 - targets), F.logsigmoid(-logits) + torch.log(targets)
    )


def balance(targets: Tensor, alpha: float | None) -> Tensor | float:
    """Return what the losses are multiplied by to balance positives and negatives.

    Parameters
    ----------
    targets : Tensor of shape (n_samples, n_labels, ...)
        The indicator.
    alpha : float or None
        Weight of a positive; that of a negative is ``1 - alpha``. None leaves both alone.

    Returns
    -------
    weight : Tensor of shape (n_samples, n_labels, ...) or float
        The weights, or 1.
    """
    return 1.0 if alpha is None else alpha * targets + (1 - alpha) * (1 - targets)


def sigmoid_focal_loss(
    logits: Tensor, targets: Tensor, *, gamma: float = 2.0, alpha: float | None = None
) -> Tensor:
    """Return the focal loss of every label, ``-a_t (1 - p_t)**gamma log p_t``.

    The power is taken as ``exp(gamma log(1 - p_t))``: finite, gradient included, for every `gamma`
    at saturated logits.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels, of which
        ``p_t = p t + (1 - p) (1 - t)`` and the cross entropy is in place of ``-log p_t``.
    gamma : float, default=2.0
        How much less a label counts the better it is predicted; 0 gives binary cross entropy.
    alpha : float, default=None
        Weight of a positive; that of a negative is ``1 - alpha``. None leaves both alone.

    Returns
    -------
    losses : Tensor of shape (n_samples, n_labels, ...)
        One loss per label, in float32 or the logits' higher precision.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal Loss for Dense Object
       Detection", ICCV 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import sigmoid_focal_loss
    >>> sigmoid_focal_loss(torch.tensor([[-2.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([[1.6501, 0.0018]])
    """
    logits = in_float32(logits)
    targets = targets.to(logits)
    cross_entropy = weighted_binary_cross_entropy(logits, targets)
    log_miss = log_miss_probability(logits, targets)
    return balance(targets, alpha) * torch.exp(gamma * log_miss) * cross_entropy


class SigmoidFocalLoss(SigmoidLoss):
    """Focal loss of logits of independent labels.

    Parameters
    ----------
    gamma : float, default=2.0
        How much less a label counts the better it is predicted; 0 gives binary cross entropy.
    alpha : float, default=None
        Weight of a positive; that of a negative is ``1 - alpha``. None leaves both alone. The .25
        of the paper (and torchvision) makes a positive count a third of a negative, as negatives
        are quiet under `gamma`; where recall is the aim pass .5 or more.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one; the paper divides the sum by the number of positives.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    Raises
    ------
    ValueError
        If `gamma` is negative, or `alpha` is outside [0, 1].

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal Loss for Dense Object
       Detection", ICCV 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SigmoidFocalLoss
    >>> SigmoidFocalLoss(gamma=1.0)(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor(0.3466)
    """

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        alpha: float | None = None,
        ignore_index: int = MISSING_LABEL,
        reduction: str = "mean",
    ) -> None:
        check_gamma(gamma)
        check_alpha(alpha)
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.gamma = gamma
        self.alpha = alpha

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return sigmoid_focal_loss(logits, targets, gamma=self.gamma, alpha=self.alpha)


def check_alpha(alpha: float | None) -> None:
    """Refuse a weight of positives that is no share.

    Parameters
    ----------
    alpha : float or None
        Weight of a positive.

    Raises
    ------
    ValueError
        If it is outside [0, 1].
    """
    if alpha is not None and not 0 <= alpha <= 1:
        raise ValueError(
            f"alpha={alpha} is no share: pass 0 to 1, .5 or more to favour positives, or None."
        )
