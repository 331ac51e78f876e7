"""Over-sampling by rows made where the values of labels meet.

References
----------
.. [1] B. Liu, G. Tsoumakas, "Synthetic oversampling of multi-label data based on local label
   distribution", ECML PKDD 2019.
.. [2] B. Liu, K. Blekas, G. Tsoumakas, "Multi-label sampling based on local label imbalance",
   Pattern Recognition 122, 2022.
"""

import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array, vstack

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import Interval, StrOptions

from ._label_strategy import counted, target_counts
from ._local_imbalance import count_at, label_weights, local_imbalance, rarer_values, swap_values
from ._mixed_features import BaseMultilabelNeighborSampler, MixedFeatures
from ._multilabel import Strategy
from ._neighbors import find_neighbors

SAFE, BORDERLINE, RARE, OUTLIER = 1, 2, 3, 4
# Up to which position between its row and another a new row keeps a value, by type of the value.
_REACH = np.array([np.nan, 0.5, 0.75, np.inf, -np.inf])


def value_types(
    share: NDArray[np.float64], neighbors: NDArray[np.intp], is_rare: csr_array
) -> csr_array:
    """Return how safe each rarer value is among the neighbours of its row.

    Below a local imbalance of 0.3 it is safe, below 0.7 borderline, below 1 rare, else an outlier.
    A rare one with a safe or borderline neighbour of the same label is borderline, and so on until
    nothing changes.

    Parameters
    ----------
    share : ndarray of shape (n_cells,)
        Local imbalance of the cells of `is_rare`.
    neighbors : ndarray of shape (n_samples, n_neighbors)
        Indices of the nearest rows.
    is_rare : csr_array of shape (n_samples, n_labels)
        1 where a label has its rarer value.

    Returns
    -------
    types : csr_array of shape (n_samples, n_labels), dtype int8
        1 safe, 2 borderline, 3 rare, 4 outlier.
    """
    types = 1 + np.digitize(share, [0.3, 0.7, 1.0]).astype(np.int8)
    owner = np.repeat(np.arange(is_rare.shape[0]), np.diff(is_rare.indptr))
    reached = types <= BORDERLINE
    while reached.any() and (rare := np.flatnonzero(types == RARE)).size:
        rows = np.unique(owner[rare])
        cells, marked = _only(is_rare, types == RARE)[rows], _only(is_rare, reached)
        found = rare[count_at(neighbors[rows], marked, cells) > 0]
        reached = np.zeros(len(types), dtype=bool)
        reached[found] = True
        types[found] = BORDERLINE
    return csr_array((types, is_rare.indices, is_rare.indptr), shape=is_rare.shape)


def _only(cells: csr_array, kept: NDArray[np.bool_]) -> csr_array:
    """Return the stored cells that are kept."""
    n_kept = np.append(0, np.cumsum(kept))
    return csr_array(
        (cells.data[kept], cells.indices[kept], n_kept[cells.indptr]), shape=cells.shape
    )


def values_between(
    types: csr_array,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    position: NDArray[np.float64],
) -> csr_array:
    """Return where rows between two have the rarer value of a label.

    Parameters
    ----------
    types : csr_array of shape (n_samples, n_labels)
        See `value_types`.
    first, second : ndarray of shape (n_new,)
        Rows that each new one lies between.
    position : ndarray of shape (n_new,)
        0 at the first, 1 at the second.

    Returns
    -------
    is_rare : csr_array of shape (n_new, n_labels), dtype int8
        1 where both have it, or where one has it and its type reaches as far as the new row.
    """
    blocks = [csr_array((0, types.shape[1]), dtype=np.int8)]
    for rows in row_blocks(len(first), types.shape[1]):
        both = csr_array(types[first[rows]] + 8 * types[second[rows]])
        near, far = both.data % 8, both.data // 8
        at = np.repeat(position[rows], np.diff(both.indptr))
        only_near, only_far = at <= _REACH[near], 1 - at <= _REACH[far]
        has = np.where(far == 0, only_near, np.where(near == 0, only_far, True))
        blocks.append(_only(csr_array(both.astype(bool), dtype=np.int8), has))
    return vstack(blocks, format="csr")


class MLSOL(BaseMultilabelNeighborSampler):
    """Make new rows where the values of a label meet [1]_ [2]_.

    A row is the more often the start of a new one, the more of its neighbours have the other value
    of its rare labels; where all have, the value is an outlier and counts nothing. The second
    parent is one of these neighbours at random. Of a label that both have, or lack, the new row
    has that value. Of another it has the rarer value up to half the way from the row that has it,
    if this value is safe there, up to three quarters if it is at the border, always if it is rare
    and never if it is an outlier.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which labels the new rows are made for. "auto": all, with the same number of rows on
        average, as in the papers. Otherwise up to how many positives, as in `MLROS`: as many rows
        start at rows of a label as it lacks, most of which have the label.
    ratio : float, default=0.3
        Rows to add with "auto", as a share of the rows.
    n_neighbors : int, default=5
        Neighbours of a row among all.
    interpolation : {"feature", "row"}, default="feature"
        Whether each number of a new row has its own random place between those of its parents, as
        in the papers, or all the same one, as in SMOTE.
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
        Draws the parents and the places between them.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to make, by label; empty with "auto", where all labels share them.
    parent_indices_ : ndarray of shape (n_samples_new, 2)
        Rows of the input that each new row lies between; first all, each twice.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    MLSMOTE : Makes new rows between rows that share a rare label.
    MLUL : Removes rows by the same measure.

    Notes
    -----
    Of a label that more than half of the rows carry, the rarer value is 0, and rows without it are
    where new ones start. Distances are Euclidean on the features as they are, also those that say
    how far a new row is from its parents, whatever `neighbors` measures: scale the features in a
    step before. The category of a new row is that of either parent, at random. Of a rare value, the
    types of the neighbours decide whether it is at the border; the authors' program looks at the
    type of the row itself there, and so never finds one by a borderline neighbour.

    References
    ----------
    .. [1] B. Liu, G. Tsoumakas, "Synthetic oversampling of multi-label data based on local label
       distribution", ECML PKDD 2019.
    .. [2] B. Liu, K. Blekas, G. Tsoumakas, "Multi-label sampling based on local label imbalance",
       Pattern Recognition 122, 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import mean_imbalance_ratio
    >>> from skrecall.resampling import MLSOL
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> X_new, Y_new = MLSOL(random_state=0).fit_resample(X, Y)
    >>> len(X), len(X_new), mean_imbalance_ratio(Y_new) < mean_imbalance_ratio(Y)
    (500, 650, True)
    """

    _parameter_constraints: dict = {
        **BaseMultilabelNeighborSampler._parameter_constraints,
        "ratio": [Interval(Real, 0, None, closed="neither")],
        "interpolation": [StrOptions({"feature", "row"})],
    }

    _sampling_type = "over-sampling"
    _selects_rows = False

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        ratio: float = 0.3,
        n_neighbors: int = 5,
        interpolation: Literal["feature", "row"] = "feature",
        categorical_features: str | Sequence | ArrayLike | None = None,
        neighbors: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.ratio = ratio
        self.n_neighbors = n_neighbors
        self.interpolation = interpolation
        self.categorical_features = categorical_features
        self.neighbors = neighbors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        self._missing = np.zeros(Y.shape[1], dtype=np.intp)
        if not self._is_auto():
            names = self._container.label_names
            targets = target_counts(self.sampling_strategy, Y, "over-sampling", names)
            self._missing = targets - count_values(Y, 1)
        return {self._label(j): int(self._missing[j]) for j in np.flatnonzero(self._missing)}

    def _is_auto(self) -> bool:
        return isinstance(self.sampling_strategy, str) and self.sampling_strategy == "auto"

    def _why_unchanged(self, Y: Indicator) -> str:
        if not self._is_auto() and not self._missing.any():
            return super()._why_unchanged(Y)
        if not self._is_auto():
            return f"none of labels {list(self.sampling_strategy_)[:5]} has rows to start at."
        return (
            "no row has a rarer value of a label that some, but not all, of its "
            f"{self.n_neighbors} neighbours lack. Raise n_neighbors."
        )

    def _fit_resample(
        self, X: MixedFeatures, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        near = find_neighbors(
            X.matrix, self.n_neighbors, neighbors=self.neighbors, n_jobs=self.n_jobs
        )[1]
        is_rare, is_swapped = rarer_values(Y)
        share = local_imbalance(near, is_rare)
        first = self._draw_starts(label_weights(share, is_rare), is_swapped, rng)
        types = value_types(share, near, is_rare)
        del share  # as large as the labels, and the new samples come now
        second = near[first, rng.randint(near.shape[1], size=len(first))]
        shape = len(first), X.codes.shape[1]
        sources = np.where(
            rng.uniform(size=shape) < 0.5, first[:, np.newaxis], second[:, np.newaxis]
        )
        X_new, position = X.append_between(
            first, second, sources, rng, one_step=self.interpolation == "row"
        )
        made = values_between(types, first, second, position)
        Y_new = swap_values(csc_array(vstack([is_rare, made])), is_swapped)
        copies = np.arange(len(X))
        return X_new, Y_new, np.column_stack([np.append(copies, side) for side in (first, second)])

    def _draw_starts(
        self, weights: csr_array, is_swapped: NDArray[np.bool_], rng: np.random.RandomState
    ) -> NDArray[np.intp]:
        """Return the row that each new one starts from."""
        n_samples = weights.shape[0]
        if self._is_auto():
            of_rows = weights.sum(axis=1)
            if not of_rows.any():
                return np.array([], dtype=np.intp)
            n_new = max(1, round(self.ratio * n_samples))
            return rng.choice(n_samples, size=n_new, p=of_rows / of_rows.sum())
        columns = csc_array(weights)
        starts, left_out = [np.array([], dtype=np.intp)], []
        for label in np.flatnonzero(self._missing):
            cells = slice(columns.indptr[label], columns.indptr[label + 1])
            of_label = columns.data[cells]
            if is_swapped[label] or not of_label.any():
                left_out.append(self._label(label))
                continue
            shares = of_label / of_label.sum()
            starts.append(rng.choice(columns.indices[cells], size=self._missing[label], p=shares))
        if left_out:
            warnings.warn(
                f"MLSOL made no row for {counted(len(left_out), 'label', 'labels')}, {left_out[:5]}"
                f"{'...' * (len(left_out) > 5)}: more than half of the rows carry them, or none of "
                f"their rows has some but not all of {self.n_neighbors} neighbours without the "
                "label. Use MLROS or MLSMOTE for these.",
                stacklevel=5,
            )
        return np.concatenate(starts)
