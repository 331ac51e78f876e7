"""Losses of labels that are known in part: what to make of those that nobody annotated.

The asymmetric loss with a third exponent for labels that are unknown, and the choice of those of
them that are taken for negatives [1]_.

References
----------
.. [1] E. Ben-Baruch et al., "Multi-Label Classification With Partial Annotations Using Class-Aware
   Selective Loss", CVPR 2022.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ._asymmetric import check_asymmetry, focused_negatives, focused_positives
from ._binary_cross_entropy import per_label
from ._loss import MISSING_LABEL, SigmoidLoss, check_indicator_targets, check_option, in_float32

MODES = ("ignore", "normalized", "negative", "selective")


def likely_unknown(logits: Tensor, unknown: Tensor, n_per_row: int) -> Tensor:
    """Return the unknown labels of a batch that the network takes for true before all others.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    unknown : Tensor of bool of the same shape
        Which labels are unknown.
    n_per_row : int
        How many to return, times the number of rows: over the whole batch, wherever they are.

    Returns
    -------
    likely : Tensor of bool of the same shape
        Those with the largest logits; of equal ones the first.
    """
    scores = logits.detach().where(unknown, -torch.inf).flatten()
    first = scores.argsort(descending=True, stable=True)[: n_per_row * len(logits)]
    likely = torch.zeros_like(scores, dtype=torch.bool).index_fill(0, first, True)
    return likely.reshape(logits.shape) & unknown


def partial_label_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mode: str = "selective",
    gamma_positive: float = 0.0,
    gamma_negative: float = 1.0,
    gamma_unknown: float = 2.0,
    clip: float = 0.0,
    n_likely: int = 5,
    label_prior: Tensor | None = None,
    prior_threshold: float = 0.05,
    ignore_index: int = MISSING_LABEL,
) -> Tensor:
    """Return the loss of every label, those that are unknown included.

    Known labels cost what they do in `asymmetric_loss`; what an unknown one costs is up to `mode`.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels.
    mode : {"ignore", "normalized", "negative", "selective"}, default="selective"
        Unknown labels cost nothing ("ignore"); so too, and the loss of a known one is multiplied by
        ``1 + 1 / (1 + k)`` in a row with k known labels ("normalized"); they are negatives with an
        exponent of their own ("negative"); or they are, but for those that may well be positives
        ("selective"): the most likely ones and labels with a high prior.
    gamma_positive : float, default=0.0
        How much less a positive counts the better it is predicted.
    gamma_negative : float, default=1.0
        How much less a negative counts the better it is predicted.
    gamma_unknown : float, default=2.0
        The same of an unknown label that is taken for a negative.
    clip : float, default=0.0
        Probability up to which a negative costs nothing.
    n_likely : int, default=5
        Of "selective": how many unknown labels cost nothing because they are the most likely of
        their batch, times its number of rows.
    label_prior : Tensor of shape (n_labels,), default=None
        Of "selective": how frequent each label is thought to be, unknown ones included.
    prior_threshold : float, default=0.05
        Of "selective": an unknown label with a higher prior costs nothing.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.

    Returns
    -------
    losses : Tensor of shape (n_samples, n_labels, ...)
        One loss per label, in float32 or the logits' higher precision.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or the mode is unknown.

    References
    ----------
    .. [1] E. Ben-Baruch et al., "Multi-Label Classification With Partial Annotations Using
       Class-Aware Selective Loss", CVPR 2022.
    .. [2] T. Durand, N. Mehrasa, G. Mori, "Learning a Deep ConvNet for Multi-Label Classification
       With Partial Labels", CVPR 2019 (the mode "normalized").

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import partial_label_loss
    >>> logits, targets = torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([[1.0, -1.0, -1.0]])
    >>> partial_label_loss(logits, targets, mode="negative")
    tensor([[0.6931, 1.6501, 0.7019]])
    >>> partial_label_loss(logits, targets, n_likely=1)
    tensor([[0.6931, 0.0000, 0.7019]])
    """
    check_option("mode", mode, MODES)
    check_indicator_targets(logits, targets)
    logits = in_float32(logits)
    targets = targets.to(logits)
    unknown = (targets == ignore_index) | targets.isnan()
    targets = targets.where(~unknown, 0)
    exponents = torch.where(unknown, gamma_unknown, gamma_negative).to(logits)
    positives = focused_positives(logits, gamma_positive)
    negatives = focused_negatives(logits, exponents, clip)
    losses = targets * positives + (1 - targets) * negatives
    if mode == "negative":
        return losses
    if mode == "selective":
        left_out = likely_unknown(logits, unknown, n_likely)
        if label_prior is not None:
            prior = per_label("label_prior", label_prior, logits)
            left_out = left_out | (unknown & (prior > prior_threshold))
        return losses.where(~left_out, 0)
    if mode == "normalized":
        losses = losses * (1 + 1 / (1 + (~unknown).sum(dim=1, keepdim=True)))
    return losses.where(~unknown, 0)


class PartialLabelLoss(SigmoidLoss):
    """Loss of logits of labels of which some are unknown: class-aware selective loss and others.

    Parameters
    ----------
    mode : {"ignore", "normalized", "negative", "selective"}, default="selective"
        Unknown labels cost nothing ("ignore"); so too, and the loss of a known one is multiplied by
        ``1 + 1 / (1 + k)`` in a row with k known labels ("normalized"); they are negatives with an
        exponent of their own ("negative"); or they are, but for those that may well be positives
        ("selective"): the most likely ones and labels with a high prior.
    gamma_positive : float, default=0.0
        How much less a positive counts the better it is predicted.
    gamma_negative : float, default=1.0
        How much less a negative counts the better it is predicted.
    gamma_unknown : float, default=2.0
        The same of an unknown label that is taken for a negative.
    clip : float in [0, 1), default=0.0
        Probability up to which a negative costs nothing.
    n_likely : int, default=5
        Of "selective": how many unknown labels cost nothing because they are the most likely of
        their batch, times its number of rows. Where rows have no more unknown labels than that,
        nothing is left of them, as in "ignore".
    label_prior : Tensor of shape (n_labels,) or sequence of float, default=None
        Of "selective": how frequent each label is thought to be. Counts of partial annotations are
        no such thing; the authors train with "ignore" first and take the means of what that
        predicts.
    prior_threshold : float, default=0.05
        Of "selective": an unknown label with a higher prior costs nothing.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one. The mean is over known labels in the modes "ignore"
        and "normalized", and over all in the others, those that cost nothing included.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    .. [1] E. Ben-Baruch et al., "Multi-Label Classification With Partial Annotations Using
       Class-Aware Selective Loss", CVPR 2022.
    .. [2] T. Durand, N. Mehrasa, G. Mori, "Learning a Deep ConvNet for Multi-Label Classification
       With Partial Labels", CVPR 2019 (the mode "normalized").

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import PartialLabelLoss
    >>> loss = PartialLabelLoss(mode="negative", gamma_unknown=0.0)
    >>> loss(torch.zeros(1, 2), torch.tensor([[1.0, float("nan")]]))
    tensor(0.6931)
    """

    def __init__(
        self,
        *,
        mode: str = "selective",
        gamma_positive: float = 0.0,
        gamma_negative: float = 1.0,
        gamma_unknown: float = 2.0,
        clip: float = 0.0,
        n_likely: int = 5,
        label_prior: Tensor | Sequence[float] | None = None,
        prior_threshold: float = 0.05,
        ignore_index: int = MISSING_LABEL,
        reduction: str = "mean",
    ) -> None:
        check_option("mode", mode, MODES)
        check_asymmetry(
            clip,
            gamma_positive=gamma_positive,
            gamma_negative=gamma_negative,
            gamma_unknown=gamma_unknown,
        )
        if n_likely < 0:
            raise ValueError(f"n_likely={n_likely} is negative: pass 0 or more.")
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        if label_prior is not None:
            label_prior = check_prior(label_prior)
        self.register_buffer("label_prior", label_prior)
        self.mode = mode
        self.gamma_positive = gamma_positive
        self.gamma_negative = gamma_negative
        self.gamma_unknown = gamma_unknown
        self.clip = clip
        self.n_likely = n_likely
        self.prior_threshold = prior_threshold

    def valid(self, targets: Tensor) -> Tensor:
        """Return which targets count: the known ones, or all where unknown ones are negatives.

        Parameters
        ----------
        targets : Tensor of shape (n_samples, n_labels, ...)
            The indicator.

        Returns
        -------
        valid : Tensor of bool of shape (n_samples, n_labels, ...)
            Of the shape of `targets`.
        """
        if self.mode in ("negative", "selective"):
            return torch.ones_like(targets, dtype=torch.bool)
        return super().valid(targets)

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the reduced loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_labels, ...)
            Raw scores of the labels.
        targets : Tensor of shape (n_samples, n_labels, ...)
            1 where a label is true, 0 where it is not, between them for soft labels.
        sample_weight : Tensor of shape (n_samples,), default=None
            What the losses of each sample are multiplied by.

        Returns
        -------
        loss : Tensor of shape () or (n_samples, n_labels, ...)
            The mean or sum; with ``reduction="none"`` one loss per label.
        """
        losses = partial_label_loss(
            logits,
            targets,
            mode=self.mode,
            gamma_positive=self.gamma_positive,
            gamma_negative=self.gamma_negative,
            gamma_unknown=self.gamma_unknown,
            clip=self.clip,
            n_likely=self.n_likely,
            label_prior=self.label_prior,
            prior_threshold=self.prior_threshold,
            ignore_index=self.ignore_index,
        )
        return self._reduce(losses, self._total(targets, self.valid(targets)), sample_weight)


def check_prior(label_prior: Tensor | Sequence[float]) -> Tensor:
    """Return how frequent labels are thought to be as a tensor, if those are shares.

    Parameters
    ----------
    label_prior : Tensor of shape (n_labels,) or sequence of float
        One share of rows per label.

    Returns
    -------
    prior : Tensor of shape (n_labels,)
        In float32.

    Raises
    ------
    ValueError
        If one is outside [0, 1].
    """
    prior = torch.as_tensor(label_prior, dtype=torch.float32)
    if not ((prior >= 0) & (prior <= 1)).all():
        raise ValueError(
            f"label_prior reaches from {prior.min():.3g} to {prior.max():.3g}: pass one share of "
            "rows per label, 0 to 1."
        )
    return prior
