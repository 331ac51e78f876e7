"""Asymmetric loss: negatives are quietened more than positives, and the easiest left out."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ._loss import MISSING_LABEL, SigmoidLoss, check_indicator_targets, in_float32

TINY = 1e-30  # a power of less is 0 in float32, and its gradient no longer infinite


def focused_positives(logits: Tensor, gamma: float) -> Tensor:
    """Return ``-(1 - p)**gamma log p`` of every logit.

    Parameters
    ----------
    logits : Tensor
        Raw scores in float32 at least.
    gamma : float
        How much less a positive counts the better it is predicted.

    Returns
    -------
    losses : Tensor
        Of the shape of the logits; the gradient is finite wherever they are.
    """
    return -F.logsigmoid(logits) * torch.exp(gamma * F.logsigmoid(-logits))


def focused_negatives(logits: Tensor, gamma: float | Tensor, clip: float) -> Tensor:
    """Return ``-pm**gamma log(1 - pm)`` of every logit, with ``pm = max(p - clip, 0)``.

    Parameters
    ----------
    logits : Tensor
        Raw scores in float32 at least.
    gamma : float or Tensor
        How much less a negative counts the better it is predicted, one for all or one per logit.
    clip : float
        Probability up to which a negative costs nothing.

    Returns
    -------
    losses : Tensor
        Of the shape of the logits; the gradient is finite wherever they are.
    """
    shifted = (torch.sigmoid(logits) - clip).clamp(min=0)
    # 1 - pm is sigmoid(-z) + clip, up to 1: a sum does not cancel where p is near 1.
    log_clip = logits.new_tensor(math.log(clip) if clip > 0 else -math.inf)
    log_right = torch.logaddexp(F.logsigmoid(-logits), log_clip).clamp(max=0)
    return -log_right * torch.exp(gamma * shifted.clamp(min=TINY).log())


def asymmetric_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 4.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
) -> Tensor:
    """Return the asymmetric loss of every label.

    It is ``-(1 - p)**gamma_positive log p`` of a positive, and of a negative
    ``-pm**gamma_negative log(1 - pm)`` with ``pm = max(p - clip, 0)``. No logarithm is clamped: a
    positive at a logit of -200 costs 200 and keeps its gradient.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels.
    gamma_negative : float, default=4.0
        How much less a negative counts the better it is predicted.
    gamma_positive : float, default=1.0
        How much less a positive counts the better it is predicted.
    clip : float, default=0.05
        Probability up to which a negative costs nothing.

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
    .. [1] T. Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import asymmetric_loss
    >>> asymmetric_loss(torch.tensor([[2.0, 0.5, -3.0]]), torch.tensor([[1.0, 0.0, 0.0]]))
    tensor([[0.0151, 0.0913, 0.0000]])
    """
    check_indicator_targets(logits, targets)
    logits = in_float32(logits)
    targets = targets.to(logits)
    positives = focused_positives(logits, gamma_positive)
    negatives = focused_negatives(logits, gamma_negative, clip)
    return targets * positives + (1 - targets) * negatives


class AsymmetricLoss(SigmoidLoss):
    """Asymmetric loss (ASL) of logits of independent labels.

    Parameters
    ----------
    gamma_negative : float, default=4.0
        How much less a negative counts the better it is predicted.
    gamma_positive : float, default=1.0
        How much less a positive counts the better it is predicted; 0 where positives are so rare
        that all of them should count in full.
    clip : float in [0, 1), default=0.05
        Probability up to which a negative costs nothing.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one. The authors sum over rows and labels: learning rates
        of theirs belong to "sum".

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    Raises
    ------
    ValueError
        If an exponent is negative, or `clip` is outside [0, 1).

    References
    ----------
    .. [1] T. Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import AsymmetricLoss
    >>> AsymmetricLoss(gamma_positive=0.0)(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor(0.3588)
    """

    def __init__(
        self,
        *,
        gamma_negative: float = 4.0,
        gamma_positive: float = 1.0,
        clip: float = 0.05,
        ignore_index: int = MISSING_LABEL,
        reduction: str = "mean",
    ) -> None:
        check_asymmetry(clip, gamma_negative=gamma_negative, gamma_positive=gamma_positive)
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.gamma_negative = gamma_negative
        self.gamma_positive = gamma_positive
        self.clip = clip

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return asymmetric_loss(
            logits,
            targets,
            gamma_negative=self.gamma_negative,
            gamma_positive=self.gamma_positive,
            clip=self.clip,
        )


def check_asymmetry(clip: float, **gammas: float) -> None:
    """Refuse exponents below zero, and a clip that leaves no negative.

    Parameters
    ----------
    clip : float
        Probability up to which a negative costs nothing.
    **gammas : float
        The exponents, by name.

    Raises
    ------
    ValueError
        If one is out of range.
    """
    for name, gamma in gammas.items():
        if gamma < 0:
            raise ValueError(f"{name}={gamma} would weigh easy targets most: pass 0 or more.")
    if not 0 <= clip < 1:
        raise ValueError(f"clip={clip} is out of range: pass 0 <= clip < 1, such as .05.")
