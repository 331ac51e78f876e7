"""Distribution-balanced loss of long-tailed labels that occur together.

Rows drawn for the sake of one label bring others with them; the weights undo that [1]_. Negatives
of rare labels, of which there are so many, are held back by a bias and a scale of their logits.

References
----------
.. [1] T. Wu, Q. Huang, Z. Liu, Y. Wang, D. Lin, "Distribution-Balanced Loss for Multi-Label
   Classification in Long-Tailed Datasets", ECCV 2020.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ._asymmetric import focused_positives
from ._binary_cross_entropy import check_counts, per_label
from ._loss import MISSING_LABEL, SigmoidLoss, check_indicator_targets, in_float32


def rebalancing_weights(
    targets: Tensor, label_counts: Tensor, *, alpha: float, beta: float, mu: float
) -> Tensor:
    """Return smoothed weights ``alpha + sigmoid(beta (r - mu))`` of every label of every row.

    ``r = (1 / n_k) / sum_j(t_j / n_j)`` is how often a row would be drawn for label ``k`` against
    how often for any of its labels, if every label were drawn as often as the others. A row without
    positives is drawn for none: its ``r`` is 1, which leaves it as it is, where the formula would
    give infinity.

    Parameters
    ----------
    targets : Tensor of shape (n_samples, n_labels, ...)
        The indicator, 0 where a label is unknown.
    label_counts : Tensor that broadcasts along axis 1 of targets
        Positives of each label in the training samples, at least 1.
    alpha, beta, mu : float
        Least weight, slope and centre of the smoothing.

    Returns
    -------
    weights : Tensor of shape (n_samples, n_labels, ...)
        Between `alpha` and ``1 + alpha``.
    """
    for_any = (targets / label_counts).sum(dim=1, keepdim=True)
    drawn = for_any > 0
    r = (1 / (label_counts * for_any.where(drawn, 1))).where(drawn, 1)
    return alpha + torch.sigmoid(beta * (r - mu))


def distribution_balanced_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    label_counts: Tensor,
    n_samples: int | Tensor,
    alpha: float = 0.1,
    beta: float = 10.0,
    mu: float = 0.2,
    negative_scale: float = 2.0,
    bias_scale: float = 0.05,
    gamma: float = 2.0,
    scale: float = 2.0,
) -> Tensor:
    """Return the distribution-balanced loss of every label.

    With the bias ``v = -bias_scale / negative_scale log(N / n - 1)`` and the rebalancing weight
    ``w``, a positive costs ``w softplus(-(z + v))`` and a negative ``w softplus(l (z + v)) / l``,
    ``l`` being `negative_scale`; both are times `scale` and times the focal factor of those same
    logits, ``(1 - p_t)**gamma``. Predict with ``sigmoid(z)``, without the bias.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not or where it is unknown, between them for soft
        labels.
    label_counts : Tensor of shape (n_labels,)
        Positives of each label in the training samples. A label without any counts as one with one.
    n_samples : int or Tensor of shape () or (n_labels,)
        Number of training samples, or of those in which the label is known.
    alpha : float, default=0.1
        Least rebalancing weight; the largest is ``1 + alpha``.
    beta : float, default=10.0
        Slope of the weight's smoothing; 0 weighs all by ``alpha + 0.5``.
    mu : float, default=0.2
        Centre of the smoothing. A row without positives is not rebalanced: it weighs ``alpha +
        sigmoid(beta (1 - mu))``.
    negative_scale : float, default=2.0
        Above 1, negatives that are predicted well count less; 1 turns it off.
    bias_scale : float, default=0.05
        Strength of the bias; 0 turns it off.
    gamma : float, default=2.0
        Of the focal factor; 0 turns it off.
    scale : float, default=2.0
        What all losses are multiplied by.

    Returns
    -------
    losses : Tensor of shape (n_samples, n_labels, ...)
        One loss per label, in float32 or the logits' higher precision.

    Raises
    ------
    ValueError
        If the shapes do not belong together.

    References
    ----------
    .. [1] T. Wu, Q. Huang, Z. Liu, Y. Wang, D. Lin, "Distribution-Balanced Loss for Multi-Label
       Classification in Long-Tailed Datasets", ECCV 2020.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import distribution_balanced_loss
    >>> targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> distribution_balanced_loss(
    ...     torch.zeros(2, 2), targets, label_counts=torch.tensor([90, 10]), n_samples=100
    ... )
    tensor([[0.3464, 0.1571],
            [0.0816, 0.4185]])
    """
    check_indicator_targets(logits, targets)
    logits = in_float32(logits)
    targets = targets.to(logits)
    counts = per_label("label_counts", label_counts, logits).clamp(min=1)
    weights = rebalancing_weights(targets, counts, alpha=alpha, beta=beta, mu=mu)
    n_known = per_label("n_samples", torch.as_tensor(n_samples), logits)
    odds_against = (n_known - counts).clamp(min=1) / counts
    logits = logits - bias_scale / negative_scale * odds_against.log()
    positives = focused_positives(logits, gamma)
    negatives = focused_positives(-negative_scale * logits, gamma) / negative_scale
    return scale * weights * (targets * positives + (1 - targets) * negatives)


class DistributionBalancedLoss(SigmoidLoss):
    """Distribution-balanced loss of logits of labels that are long-tailed and occur together.

    The defaults are those of the authors on COCO. ``alpha=0.5, beta=0, negative_scale=1,
    bias_scale=0, gamma=0, scale=1`` gives binary cross entropy.

    Parameters
    ----------
    label_counts : Tensor of shape (n_labels,) or sequence of float, default=None
        Positives of each label in the training samples. A label without any counts as one with one.
        The loss needs them; an estimator that gets it by name counts them itself.
    n_samples : int, default=None
        Number of training samples, needed as well.
    alpha : float, default=0.1
        Least rebalancing weight; the largest is ``1 + alpha``.
    beta : float, default=10.0
        Slope of the weight's smoothing; 0 weighs all by ``alpha + 0.5``.
    mu : float, default=0.2
        Centre of the smoothing. A row without positives is not rebalanced: it weighs ``alpha +
        sigmoid(beta (1 - mu))``.
    negative_scale : float, default=2.0
        Above 1, negatives that are predicted well count less; 1 turns it off.
    bias_scale : float, default=0.05
        Strength of the bias that holds back negatives of rare labels; 0 turns it off.
    gamma : float, default=2.0
        Of the focal factor; 0 turns it off.
    scale : float, default=2.0
        What all losses are multiplied by.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well. It counts as absent in the
        rebalancing weights of its row.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit; the bias belongs to the training alone.

    Raises
    ------
    ValueError
        If counts are missing or go above the number of samples, or a parameter is out of range.

    References
    ----------
    .. [1] T. Wu, Q. Huang, Z. Liu, Y. Wang, D. Lin, "Distribution-Balanced Loss for Multi-Label
       Classification in Long-Tailed Datasets", ECCV 2020.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import DistributionBalancedLoss
    >>> loss = DistributionBalancedLoss(label_counts=[90, 10], n_samples=100)
    >>> loss(torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor(0.2509)
    """

    def __init__(
        self,
        *,
        label_counts: Tensor | Sequence[float] | None = None,
        n_samples: int | None = None,
        alpha: float = 0.1,
        beta: float = 10.0,
        mu: float = 0.2,
        negative_scale: float = 2.0,
        bias_scale: float = 0.05,
        gamma: float = 2.0,
        scale: float = 2.0,
        ignore_index: int = MISSING_LABEL,
        reduction: str = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        counts, n = check_counts(
            "The rebalancing of DistributionBalancedLoss", label_counts, n_samples
        )
        for name, value in (("gamma", gamma), ("alpha", alpha), ("beta", beta)):
            if value < 0:
                raise ValueError(f"{name}={value} is negative: pass 0 or more.")
        for name, value in (("negative_scale", negative_scale), ("scale", scale)):
            if not value > 0:
                raise ValueError(f"{name}={value} is not above 0: pass 1 to leave it out.")
        self.register_buffer("label_counts", counts.float())
        self.register_buffer("n_samples", n.float())
        self.alpha = alpha
        self.beta = beta
        self.mu = mu
        self.negative_scale = negative_scale
        self.bias_scale = bias_scale
        self.gamma = gamma
        self.scale = scale

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return distribution_balanced_loss(
            logits,
            targets,
            label_counts=self.label_counts,
            n_samples=self.n_samples,
            alpha=self.alpha,
            beta=self.beta,
            mu=self.mu,
            negative_scale=self.negative_scale,
            bias_scale=self.bias_scale,
            gamma=self.gamma,
            scale=self.scale,
        )
