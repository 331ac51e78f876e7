"""Under-sampling that keeps rows by what they do to the labels around them.

References
----------
.. [1] B. Liu, K. Blekas, G. Tsoumakas, "Multi-label sampling based on local label imbalance",
   Pattern Recognition 122, 2022.
"""

import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import Interval

from ._label_strategy import counted, target_counts
from ._local_imbalance import label_weights, local_imbalance, rarer_values
from ._mixed_features import BaseMultilabelNeighborSampler, MixedFeatures
from ._multilabel import Strategy
from ._neighbors import find_neighbors


def row_influence(
    weights: csr_array, is_rare: csr_array, neighbors: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return what each row does, on average, to the rows that it is a neighbour of.

    Parameters
    ----------
    weights : csr_array of shape (n_samples, n_labels)
        Local imbalance of the rarer values; the sum of each label is 1.
    is_rare : csr_array of shape (n_samples, n_labels)
        1 where a label has its rarer value.
    neighbors : ndarray of shape (n_samples, n_neighbors)
        Indices of the nearest rows.

    Returns
    -------
    influence : ndarray of shape (n_samples,)
        Mean over the rows it is a neighbour of: the weights of their labels that it shares the
        value of, less the weights of the others. 0 if it is no one's neighbour.
    """
    n_samples, n_neighbors = neighbors.shape
    of_rows = weights.sum(axis=1)
    total, n_reverse = np.zeros(n_samples), np.bincount(neighbors.ravel(), minlength=n_samples)
    for rows in row_blocks(n_samples, n_neighbors * weights.shape[1]):
        owner = np.repeat(np.arange(rows.start, rows.stop), n_neighbors)
        other = neighbors[rows].ravel()
        shared = np.asarray(weights[owner].multiply(is_rare[other]).sum(axis=1)).ravel()
        total += np.bincount(other, 2 * shared - of_rows[owner], minlength=n_samples)
    return total / np.maximum(n_reverse, 1)


def random_order(weight: NDArray[np.float64], rng: np.random.RandomState) -> NDArray[np.intp]:
    """Return rows in the order in which they are drawn by weight, without replacement.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Not negative; rows of weight 0 come last, in random order.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    order : ndarray of shape (n_rows,)
        Indices of rows.

    Notes
    -----
    The first of exponential times with these rates is a row with a probability proportional to its
    rate, and so on among those left.
    """
    waiting, tie = rng.exponential(size=len(weight)), rng.permutation(len(weight))
    time = np.divide(waiting, weight, out=np.full(len(weight), np.inf), where=weight > 0)
    return np.lexsort([tie, time])


def first_rows(
    Y: csc_array, labels: NDArray[np.bool_], order: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the first row of each label in an order.

    Parameters
    ----------
    Y : csc_array of shape (n_samples, n_labels)
        Indicator.
    labels : ndarray of shape (n_labels,), dtype bool
        Labels that count.
    order : ndarray of shape (n_samples,)
        Indices of the rows.

    Returns
    -------
    rows : ndarray of shape (n_rows,)
        One per label that has one.
    """
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    starts = Y.indptr[:-1][labels & (np.diff(Y.indptr) > 0)]
    if len(starts) == 0:
        return order[:0]
    of_cells = place[Y.indices]
    ends = Y.indptr[1:][labels & (np.diff(Y.indptr) > 0)]
    return order[[of_cells[start:end].min() for start, end in zip(starts, ends, strict=True)]]


def first_with_excess(
    Y: csr_array, targets: NDArray[np.intp], order: NDArray[np.intp], n_most: int
) -> NDArray[np.intp]:
    """Return the rows that go when each is removed that has a label with too many positives left.

    Parameters
    ----------
    Y : csr_array of shape (n_samples, n_labels)
        Indicator.
    targets : ndarray of shape (n_labels,)
        Positives that each label is to keep.
    order : ndarray of shape (n_samples,)
        Indices of the rows, in the order in which they are looked at.
    n_most : int
        Number of rows to stop at.

    Returns
    -------
    removed : ndarray of shape (n_removed,)
        Indices of rows, in the same order.
    """
    counts = Y.sum(axis=0, dtype=np.intp)
    removed = [order[:0]]
    while n_most > 0:
        excess = counts > targets
        order = order[Y[order] @ excess.astype(np.intp) > 0]
        if len(order) == 0:
            break
        # All go as far as the one by which the first of the labels has its target.
        ahead = csc_array(Y[order[:n_most]][:, excess])
        surplus = (counts - targets)[excess]
        enough = np.diff(ahead.indptr) >= surplus
        last = ahead.indices[(ahead.indptr[:-1] + surplus - 1)[enough]]
        stop = last.min(initial=ahead.shape[0] - 1) + 1
        removed.append(order[:stop])
        counts = counts - Y[order[:stop]].sum(axis=0, dtype=np.intp)
        order, n_most = order[stop:], n_most - stop
    return np.concatenate(removed)


class MLUL(BaseMultilabelNeighborSampler):
    """Remove rows at random, rather those that disturb the labels around them (MLUL) [1]_.

    A row is kept for two reasons. It is hard itself: some neighbours have the other value of its
    rare labels. And it does good as a neighbour: rows that have it as a neighbour share the values
    of their rare labels with it. Each counts by the local imbalance of these values, in weights
    that sum to 1 for each label; neighbours with other values count against a row. Rows to keep
    are drawn by the sum of both, less the smallest sum if that is negative. No label loses its last
    row.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which rows may go. "auto": all, until `ratio` of them are removed, as in the paper.
        Otherwise down to how many positives which labels are brought, as in `MLRUS`: rows go in
        the order in which they would be lost, if they carry a label that still has too many.
    ratio : float, default=0.25
        Rows to remove as a share of the rows: with "auto", else at most.
    n_neighbors : int, default=5
        Neighbours of a row among all.
    categorical_features : "auto", array-like of str, int or bool, or None, default=None
        Names, indices or a mask of the categorical columns of `X`; "auto" for all columns of a
        DataFrame that are no numbers, or bool; None for none. Two different categories are as far
        apart as the median standard deviation of the numeric columns, as in SMOTE-NC, of all rows.
    neighbors : KNeighborsMixin object, default=None
        The search for neighbours, cloned and fitted on all rows. None takes
        :class:`~sklearn.neighbors.NearestNeighbors`.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that are kept.

    Attributes
    ----------
    sampling_strategy_ : dict
        Positives to remove, by label; empty with "auto", where rows go whatever their labels.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Rows of the input that are kept, in their order.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    MLRUS : Removes rows of frequent labels at random.
    MLSOL : Makes new rows by the same measure.

    Notes
    -----
    The paper lets a label lose all its rows; here the row of each that would be lost last is kept.
    Of a label that more than half of the rows carry, the rarer value is 0. An outlier, all of whose
    neighbours have the other value, has no weight, but does good to a row that shares its value,
    as in the R package mldr.resampling; the authors' program counts it as a disturbance.
    Distances are Euclidean on the features as they are: scale them in a step before.

    References
    ----------
    .. [1] B. Liu, K. Blekas, G. Tsoumakas, "Multi-label sampling based on local label imbalance",
       Pattern Recognition 122, 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.resampling import MLUL
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> X_new, Y_new = MLUL(random_state=0).fit_resample(X, Y)
    >>> len(X), len(X_new)
    (500, 375)
    """

    _parameter_constraints: dict = {
        **BaseMultilabelNeighborSampler._parameter_constraints,
        "ratio": [Interval(Real, 0, 1, closed="neither")],
    }

    _sampling_type = "under-sampling"

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        ratio: float = 0.25,
        n_neighbors: int = 5,
        categorical_features: str | Sequence | ArrayLike | None = None,
        neighbors: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.ratio = ratio
        self.n_neighbors = n_neighbors
        self.categorical_features = categorical_features
        self.neighbors = neighbors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _is_auto(self) -> bool:
        return isinstance(self.sampling_strategy, str) and self.sampling_strategy == "auto"

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        counts = self._targets = count_values(Y, 1)
        if not self._is_auto():
            names = self._container.label_names
            self._targets = target_counts(self.sampling_strategy, Y, "under-sampling", names)
        removed = counts - self._targets
        return {self._label(j): int(removed[j]) for j in np.flatnonzero(removed)}

    def _why_unchanged(self, Y: Indicator) -> str:
        if not self._is_auto() and not self.sampling_strategy_:
            return super()._why_unchanged(Y)
        return (
            "no row has a rarer value of a label that some, but not all, of its "
            f"{self.n_neighbors} neighbours lack, so that none is worth more than another. Raise "
            "n_neighbors."
        )

    def _fit_resample(
        self, X: MixedFeatures, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        n_samples = len(X)
        near = find_neighbors(
            X.matrix, self.n_neighbors, neighbors=self.neighbors, n_jobs=self.n_jobs
        )[1]
        is_rare, _ = rarer_values(Y)
        weights = label_weights(local_imbalance(near, is_rare), is_rare)
        rows = np.arange(n_samples)
        if weights.data.any():
            importance = weights.sum(axis=1) + row_influence(weights, is_rare, near)
            order = random_order(importance - min(importance.min(), 0.0), rng)
            kept = first_rows(csc_array(Y), self._targets > 0, order)
            order = order[~np.isin(order, kept)][::-1]
            n_most = max(1, round(self.ratio * n_samples))
            if self._is_auto():
                rows = np.delete(rows, order[:n_most])
            else:
                gone = first_with_excess(csr_array(Y), self._targets, order, n_most)
                rows = np.delete(rows, gone)
                self._warn_of_targets(count_values(Y[rows], 1))
        return X.take(rows), Y[rows], np.column_stack([rows, rows])

    def _warn_of_targets(self, counts: NDArray[np.intp]) -> None:
        """Name the labels that were to lose more positives."""
        left = np.flatnonzero(counts > self._targets)
        if len(left):
            found = {self._label(j): int(counts[j]) for j in left[:5]}
            asked = {self._label(j): int(self._targets[j]) for j in left[:5]}
            warnings.warn(
                f"MLUL stopped at ratio={self.ratio} of the rows: "
                f"{counted(len(left), 'label has', 'labels have')} more positives than asked for, "
                f"{found} of {asked}. Raise ratio.",
                stacklevel=5,
            )
