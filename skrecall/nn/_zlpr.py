"""ZLPR: the true labels of a row are ranked above zero, and the others below."""

import torch
from torch import Tensor

from ._loss import MISSING_LABEL, SigmoidLoss, check_indicator_targets, in_float32


def log_one_plus_sum(scores: Tensor) -> Tensor:
    """Return ``log(1 + sum exp(scores))`` over axis 1.

    Parameters
    ----------
    scores : Tensor of shape (n_samples, n_labels, ...)
        Exponents; one of minus infinity adds nothing.

    Returns
    -------
    sums : Tensor of shape (n_samples, ...)
        Finite, gradient included, where no score is plus infinity or NaN.
    """
    zero = torch.zeros_like(scores[:, :1])
    return torch.cat([zero, scores], dim=1).logsumexp(dim=1)


def zlpr_loss(logits: Tensor, targets: Tensor, *, ignore_index: int = MISSING_LABEL) -> Tensor:
    """Return the ZLPR loss of every row.

    It is ``log(1 + sum_pos exp(-z)) + log(1 + sum_neg exp(z))`` over the true and the other labels
    of the row: a smooth maximum of how far any of them is on the wrong side of 0. A soft label
    ``t`` enters the two sums with the shares ``t`` and ``1 - t``, an unknown one enters none.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.

    Returns
    -------
    losses : Tensor of shape (n_samples, ...)
        One loss per row, in float32 or the logits' higher precision; 0 if all of it is unknown.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    .. [1] J. Su, M. Zhu, A. Murtadha, S. Pan, B. Wen, Y. Liu, "ZLPR: A Novel Loss for Multi-label
       Classification", 2022, arXiv:2208.02955.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import zlpr_loss
    >>> zlpr_loss(torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([[1.0, 0.0, 0.0]]))
    tensor([0.9889])
    """
    check_indicator_targets(logits, targets)
    logits = in_float32(logits)
    targets = targets.to(logits)
    known = (targets != ignore_index) & ~targets.isnan()
    nowhere = logits.new_tensor(-torch.inf)
    positives = torch.where(known, targets, 0).log() - logits
    negatives = torch.where(known, 1 - targets, 0).log() + logits
    return log_one_plus_sum(torch.where(known, positives, nowhere)) + log_one_plus_sum(
        torch.where(known, negatives, nowhere)
    )


class ZLPRLoss(SigmoidLoss):
    """Zero-bounded log-sum-exp and pairwise rank-based loss (ZLPR) of logits of labels.

    The labels of a row depend on each other: the mean is over rows with any known label, sums are
    over rows, and ``reduction="none"`` gives one loss per row. Labels are predicted where the logit
    is above 0, which is a threshold of .5 for the sigmoid. Of one label it is binary cross entropy;
    of several, probabilities come out somewhat nearer to .5 than they are.

    Parameters
    ----------
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    References
    ----------
    .. [1] J. Su, M. Zhu, A. Murtadha, S. Pan, B. Wen, Y. Liu, "ZLPR: A Novel Loss for Multi-label
       Classification", 2022, arXiv:2208.02955.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import ZLPRLoss
    >>> targets = torch.tensor([[1.0, 0.0, float("nan")], [0.0, 0.0, 0.0]])
    >>> ZLPRLoss(reduction="none")(torch.zeros(2, 3), targets)
    tensor([1.3863, 1.3863])
    """

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
        loss : Tensor of shape () or (n_samples, ...)
            The mean or sum; with ``reduction="none"`` one loss per row, 0 where all is unknown.
        """
        losses = zlpr_loss(logits, targets, ignore_index=self.ignore_index)
        return self._reduce(losses, self.valid(targets).any(dim=1).sum(), sample_weight)
