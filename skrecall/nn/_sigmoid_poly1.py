"""Poly-1 of independent labels: a changed first coefficient of cross entropy or focal loss."""

import torch
from torch import Tensor

from ._cross_entropy import check_gamma
from ._loss import MISSING_LABEL, SigmoidLoss, in_float32
from ._sigmoid_focal import balance, check_alpha, log_miss_probability, sigmoid_focal_loss


def sigmoid_poly1_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    epsilon: float = 1.0,
    gamma: float = 0.0,
    alpha: float | None = None,
) -> Tensor:
    """Return ``a_t (-(1 - p_t)**gamma log p_t + epsilon (1 - p_t)**(gamma + 1))`` of every label.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels, of which
        ``p_t = p t + (1 - p) (1 - t)`` and the cross entropy is in place of ``-log p_t``.
    epsilon : float, default=1.0
        What is added to the coefficient of ``(1 - p_t)**(gamma + 1)``, which is 1 in binary cross
        entropy and focal loss; 0 changes nothing.
    gamma : float, default=0.0
        Of the focal loss: 0 gives binary cross entropy.
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
    .. [1] Z. Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss
       Functions", ICLR 2022.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import sigmoid_poly1_loss
    >>> sigmoid_poly1_loss(torch.tensor([[-2.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([[3.0077, 0.2461]])
    """
    logits = in_float32(logits)
    targets = targets.to(logits)
    focal = sigmoid_focal_loss(logits, targets, gamma=gamma, alpha=alpha)
    log_miss = log_miss_probability(logits, targets)
    return focal + epsilon * balance(targets, alpha) * torch.exp((gamma + 1) * log_miss)


class SigmoidPoly1Loss(SigmoidLoss):
    """Poly-1 loss of logits of independent labels.

    Parameters
    ----------
    epsilon : float, default=1.0
        What is added to the first polynomial coefficient: above 0 lifts the gradient of labels that
        are predicted well already, below 0 lowers it; 0 changes nothing.
    gamma : float, default=0.0
        Of the focal loss: 0 gives binary cross entropy.
    alpha : float, default=None
        Weight of a positive; that of a negative is ``1 - alpha``. None leaves both alone.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    Raises
    ------
    ValueError
        If `epsilon` is below -1, `gamma` is negative, or `alpha` is outside [0, 1].

    References
    ----------
    .. [1] Z. Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss
       Functions", ICLR 2022.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SigmoidPoly1Loss
    >>> SigmoidPoly1Loss(epsilon=2.0)(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor(1.6931)
    """

    def __init__(
        self,
        *,
        epsilon: float = 1.0,
        gamma: float = 0.0,
        alpha: float | None = None,
        ignore_index: int = MISSING_LABEL,
        reduction: str = "mean",
    ) -> None:
        check_gamma(gamma)
        check_alpha(alpha)
        if epsilon < -1:
            raise ValueError(
                f"epsilon={epsilon} would reward a lower probability of the truth where it is near "
                "1: pass -1 or more."
            )
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.epsilon = epsilon
        self.gamma = gamma
        self.alpha = alpha

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return sigmoid_poly1_loss(
            logits, targets, epsilon=self.epsilon, gamma=self.gamma, alpha=self.alpha
        )
