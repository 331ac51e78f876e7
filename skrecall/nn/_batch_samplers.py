"""Samplers of batches in which rare classes, or rows with rare labels, come more often.

They yield the row numbers of every batch of an epoch, which has as many rows as there are targets,
and draw from torch's default generator.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Sampler

from ._loss import MISSING_LABEL


class BaseBatchSampler(Sampler[Tensor]):
    """Base of the batch samplers: a subclass draws the rows of an epoch in ``_draw``.

    Parameters
    ----------
    n_samples : int
        Rows in an epoch.
    batch_size : int
        Rows in a batch. A last batch of one row joins the one before it: batch normalisation cannot
        learn from one row.
    """

    def __init__(self, n_samples: int, batch_size: int) -> None:
        if batch_size < 1 or not n_samples:
            raise ValueError(
                f"batch_size={batch_size} and {n_samples} targets: pass a batch size of 1 or more, "
                "and one target at least."
            )
        self.n_samples = n_samples
        self.batch_size = batch_size

    def _draw(self) -> Tensor:
        """Return row numbers (n_samples,) in the order of the batches."""
        raise NotImplementedError(f"{type(self).__name__} must implement _draw.")

    def __len__(self) -> int:
        lone = self.n_samples > self.batch_size > 1 and self.n_samples % self.batch_size == 1
        return math.ceil(self.n_samples / self.batch_size) - lone

    def __iter__(self) -> Iterator[Tensor]:
        rows, last = self._draw(), (len(self) - 1) * self.batch_size
        if last:
            yield from rows[:last].split(self.batch_size)
        yield rows[last:]


def rows_by_class(targets: Any) -> list[Tensor]:
    """Return the row numbers of every class that has some.

    Parameters
    ----------
    targets : array-like of int of shape (n_samples,)
        Class numbers.

    Returns
    -------
    rows : list of Tensor
        Row numbers, one tensor per class.

    Raises
    ------
    ValueError
        If the targets are not one class number per row.
    """
    targets = torch.as_tensor(targets)
    if targets.ndim != 1 or targets.is_floating_point() or (targets < 0).any():
        raise ValueError(
            f"targets have shape {tuple(targets.shape)} and dtype {targets.dtype}: pass one class "
            "number per row, none of them negative. An indicator of labels takes "
            "RepeatFactorBatchSampler."
        )
    counts = targets.unique(return_counts=True)[1]
    return list(targets.argsort(stable=True).split(counts.tolist()))


def shuffled_passes(rows: Tensor, n: int) -> Tensor:
    """Return `n` of some rows; none comes again before all have come as often.

    Parameters
    ----------
    rows : Tensor of shape (n_rows,)
        Row numbers.
    n : int
        How many to draw.

    Returns
    -------
    drawn : Tensor of shape (n,)
        Row numbers.
    """
    n_passes = math.ceil(n / len(rows))
    return rows[torch.rand(n_passes, len(rows)).argsort(dim=1).flatten()[:n]]


def draw_rows(classes: Tensor, rows: list[Tensor]) -> Tensor:
    """Return one row of each class in a sequence of classes.

    Parameters
    ----------
    classes : Tensor of shape (n,)
        Places in `rows`.
    rows : list of Tensor
        Row numbers of the classes.

    Returns
    -------
    drawn : Tensor of shape (n,)
        Row numbers; the rows of a class come in shuffled passes.
    """
    counts = classes.bincount(minlength=len(rows)).tolist()
    drawn = torch.empty_like(classes)
    drawn[classes.argsort(stable=True)] = torch.cat(
        [shuffled_passes(own, n) for own, n in zip(rows, counts, strict=True)]
    )
    return drawn


class BalancedBatchSampler(BaseBatchSampler):
    """Batches of P classes with K samples each.

    Where P does not divide the batch, some classes have one sample more. The rows of a class come
    in shuffled passes: none comes again before the others of its class; the classes come so too.
    With it goes no other correction for frequency: neither class weights nor logit
    adjustment.

    Parameters
    ----------
    targets : array-like of int of shape (n_samples,)
        Class numbers.
    batch_size : int
        Rows in a batch, P times K.
    classes_per_batch : int, default=None
        P; None takes every class, or as many as a batch has rows.

    Raises
    ------
    ValueError
        If the targets are no class numbers, or there are fewer classes, or rows in a batch, than
        `classes_per_batch`.

    References
    ----------
    .. [1] A. Hermans, L. Beyer, B. Leibe, "In Defense of the Triplet Loss for Person
       Re-Identification", arXiv:1703.07737, 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import BalancedBatchSampler
    >>> y = torch.tensor([0] * 90 + [1] * 10)
    >>> [y[rows].bincount().tolist() for rows in BalancedBatchSampler(y, 40)]
    [[20, 20], [20, 20], [10, 10]]
    """

    power = 1.0  # as of InverseFrequencyBatchSampler

    def __init__(
        self, targets: Any, batch_size: int, *, classes_per_batch: int | None = None
    ) -> None:
        self.rows = rows_by_class(targets)
        super().__init__(sum(map(len, self.rows)), batch_size)
        most = min(len(self.rows), batch_size)
        if classes_per_batch is None:
            classes_per_batch = most
        if not 1 <= classes_per_batch <= most:
            raise ValueError(
                f"classes_per_batch={classes_per_batch}, with {len(self.rows)} classes and batches "
                f"of {batch_size}: pass between 1 and {most}."
            )
        self.classes_per_batch = classes_per_batch

    def _draw(self) -> Tensor:
        # The classes come in shuffled passes; what is left of one is too little for a batch.
        n_classes, per_batch = len(self.rows), self.classes_per_batch
        n_batches, per_pass = math.ceil(self.n_samples / self.batch_size), n_classes // per_batch
        order = torch.rand(math.ceil(n_batches / per_pass), n_classes).argsort(dim=1)
        of_batch = order[:, : per_pass * per_batch].reshape(-1, per_batch)[:n_batches]
        place = torch.arange(self.batch_size) % per_batch
        return draw_rows(of_batch[:, place].flatten()[: self.n_samples], self.rows)


class InverseFrequencyBatchSampler(BaseBatchSampler):
    """Batches in which a row of class y comes with a probability proportional to ``n[y]**-power``.

    The rows of a class come in shuffled passes: none comes again before the others of its class.

    Parameters
    ----------
    targets : array-like of int of shape (n_samples,)
        Class numbers.
    batch_size : int
        Rows in a batch.
    power : float, default=0.5
        0 leaves the classes as frequent as they are, 1 makes them equally frequent.

    Raises
    ------
    ValueError
        If the targets are no class numbers, or `power` is negative.

    References
    ----------
    .. [1] D. Mahajan et al., "Exploring the Limits of Weakly Supervised Pretraining", ECCV 2018.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import InverseFrequencyBatchSampler
    >>> y = torch.tensor([0] * 9900 + [1] * 100)
    >>> sampler = InverseFrequencyBatchSampler(y, 100, power=1.0)
    >>> rows = torch.cat(list(sampler))
    >>> bool(0.45 < y[rows].float().mean() < 0.55)
    True
    """

    def __init__(self, targets: Any, batch_size: int, *, power: float = 0.5) -> None:
        if power < 0:
            raise ValueError(
                f"power={power} would draw frequent classes more often still: pass 0 or more."
            )
        self.rows = rows_by_class(targets)
        super().__init__(sum(map(len, self.rows)), batch_size)
        self.power = power

    def _draw(self) -> Tensor:
        counts = torch.tensor([len(own) for own in self.rows], dtype=torch.float64)
        share = counts ** (1 - self.power)
        classes = torch.multinomial(share, self.n_samples, replacement=True)
        return draw_rows(classes, self.rows)


def repeat_factors(targets: Any, *, threshold: float = 0.1) -> Tensor:
    """Return how often every row should come: as often as its rarest label asks for.

    A label that a share f of the rows have asks for ``max(1, sqrt(threshold / f))``; a row without
    labels comes once.

    Parameters
    ----------
    targets : array-like of shape (n_samples, n_labels)
        Indicator; an unknown label, -1 or NaN, counts as absent.
    threshold : float, default=0.1
        Labels of a smaller share are repeated.

    Returns
    -------
    factors : Tensor of shape (n_samples,)
        1 or more.

    Raises
    ------
    ValueError
        If the targets are no indicator, or `threshold` is outside (0, 1].

    References
    ----------
    .. [1] A. Gupta, P. Dollar, R. Girshick, "LVIS: A Dataset for Large Vocabulary Instance
       Segmentation", CVPR 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import repeat_factors
    >>> Y = torch.zeros(1000, 2)
    >>> Y[:500, 0], Y[:10, 1] = 1, 1
    >>> repeat_factors(Y, threshold=0.1)[[0, 100, 900]]
    tensor([3.1623, 1.0000, 1.0000])
    """
    targets = torch.as_tensor(targets)
    positive = targets == 1
    valid = positive | (targets == 0) | (targets == MISSING_LABEL) | targets.isnan()
    if targets.ndim != 2 or not valid.all():
        raise ValueError(
            f"targets have shape {tuple(targets.shape)}: pass an indicator (n_samples, n_labels) "
            f"of 0 and 1, unknown labels {MISSING_LABEL} or NaN."
        )
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold={threshold} is no share of the rows: pass one in (0, 1].")
    share = positive.sum(dim=0) / len(positive)
    # A label that no row has asks for an infinite factor, of no row.
    factors = (threshold / share).sqrt().clamp(min=1)
    return torch.where(positive, factors, 1).amax(dim=1)


class RepeatFactorBatchSampler(BaseBatchSampler):
    """Batches in which rows with rare labels come more often, by their repeat factors.

    Every row is repeated by its factor, the fraction at random; the epoch is as many of these
    repeats, shuffled, as there are rows.

    Parameters
    ----------
    targets : array-like of shape (n_samples, n_labels)
        Indicator; an unknown label, -1 or NaN, counts as absent.
    batch_size : int
        Rows in a batch.
    threshold : float, default=0.1
        Labels of a smaller share of the rows are repeated. For LVIS, with its 1203 labels, it was
        0.001.

    Raises
    ------
    ValueError
        If the targets are no indicator, or `threshold` is outside (0, 1].

    References
    ----------
    .. [1] A. Gupta, P. Dollar, R. Girshick, "LVIS: A Dataset for Large Vocabulary Instance
       Segmentation", CVPR 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import RepeatFactorBatchSampler
    >>> Y = torch.zeros(1000, 2)
    >>> Y[:500, 0], Y[:10, 1] = 1, 1
    >>> rows = torch.cat(list(RepeatFactorBatchSampler(Y, 64)))
    >>> len(rows), bool(Y[rows, 1].sum() > 20)
    (1000, True)
    """

    def __init__(self, targets: Any, batch_size: int, *, threshold: float = 0.1) -> None:
        self.factors = repeat_factors(targets, threshold=threshold)
        super().__init__(len(self.factors), batch_size)
        self.threshold = threshold

    def _draw(self) -> Tensor:
        whole = self.factors.floor()
        extra = torch.rand(self.n_samples) < self.factors - whole
        rows = torch.arange(self.n_samples).repeat_interleave(whole.long() + extra)
        return rows[torch.randperm(len(rows))[: self.n_samples]]


BATCH_SAMPLERS: dict[str, type[BaseBatchSampler]] = {
    "balanced": BalancedBatchSampler,
    "inverse_frequency": InverseFrequencyBatchSampler,
    "repeat_factor": RepeatFactorBatchSampler,
}
