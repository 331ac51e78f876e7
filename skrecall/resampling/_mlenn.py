"""Under-sampling of rows whose neighbours have other labels.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "MLeNN: a first approach to heuristic
   multilabel undersampling", IDEAL 2014.
"""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import Interval, StrOptions

from ._label_strategy import chosen_labels, minority_labels
from ._mixed_features import BaseMultilabelNeighborSampler, MixedFeatures
from ._multilabel import LabelChoice, rows_with_any
from ._neighbors import find_neighbors


def adjusted_hamming_distances(
    Y: Indicator, rows: NDArray[np.intp], neighbors: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return how far the labels of rows differ from those of their neighbours [1]_.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    rows : ndarray of shape (n_rows,)
        Indices of rows.
    neighbors : ndarray of shape (n_rows, n_neighbors)
        Indices of their neighbours.

    Returns
    -------
    distances : ndarray of shape (n_rows, n_neighbors)
        Labels that one of the two carries alone, over the sum of the labels that both carry: 0 for
        equal labels, none included, and 1 for labels of which none is shared.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "MLeNN: a first approach to
       heuristic multilabel undersampling", IDEAL 2014.
    """
    labels = csr_array(Y) if issparse(Y) else Y
    n_labels = np.diff(labels.indptr) if issparse(Y) else np.count_nonzero(Y, axis=1)
    total = n_labels[rows][:, np.newaxis] + n_labels[neighbors]
    common = np.empty(neighbors.shape, dtype=np.intp)
    for block in row_blocks(len(rows), Y.shape[1]):
        own = labels[rows[block]]
        for j, near in enumerate(neighbors[block].T):
            both = own.multiply(labels[near]) if issparse(Y) else own & labels[near]
            common[block, j] = both.sum(axis=1, dtype=np.intp)
    return np.divide(total - 2 * common, total, out=np.zeros(total.shape), where=total > 0)


class BaseMultilabelCleaner(BaseMultilabelNeighborSampler):
    """A sampler that removes rows whose labels are far from those of their neighbours."""

    _parameter_constraints: dict = {
        **BaseMultilabelNeighborSampler._parameter_constraints,
        "sampling_strategy": [
            StrOptions({"auto", "majority", "minority", "not majority", "not minority", "all"}),
            "array-like",
            callable,
        ],
    }
    _parameter_constraints.pop("random_state")

    _sampling_type = "clean-sampling"

    threshold_: float

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        counts = count_values(Y, 1)
        self._is_removed = chosen_labels(
            self.sampling_strategy, Y, ~minority_labels(counts), self._container.label_names
        )
        return {self._label(j): int(counts[j]) for j in np.flatnonzero(self._is_removed)}

    def _remove_far(
        self, X: MixedFeatures, Y: Indicator, n_neighbors: int, threshold: float
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        """Remove rows that half of their neighbours or more are farther from than a threshold."""
        candidates = np.flatnonzero(~rows_with_any(Y, ~self._is_removed))
        self._n_candidates = len(candidates)
        rows = np.arange(Y.shape[0])
        if len(candidates):
            _, neighbors = find_neighbors(
                X.matrix, n_neighbors, rows=candidates, neighbors=self.neighbors, n_jobs=self.n_jobs
            )
            is_far = adjusted_hamming_distances(Y, candidates, neighbors) > threshold
            rows = np.delete(rows, candidates[2 * is_far.sum(axis=1) >= n_neighbors])
        if len(rows) == 0:
            raise ValueError(
                f"Each of the {Y.shape[0]} rows differs from its neighbours by more than "
                f"{threshold}, and all would be removed: raise threshold, or separate rare labels "
                "from frequent ones by REMEDIAL before."
            )
        return X.take(rows), Y[rows], np.column_stack([rows, rows])

    def _why_unchanged(self, Y: Indicator) -> str:
        n_samples = Y.shape[0]
        if self._n_candidates == 0:
            return (
                "each carries a label that sampling_strategy protects, as 'auto' does those rarer "
                "than the mean. Separate rare labels from frequent ones by REMEDIAL before, or "
                "name more labels."
            )
        return (
            f"of {n_samples}, {self._n_candidates} carry no protected label, and none of these "
            f"differs from half of its neighbours by more than {self.threshold_}. Lower threshold."
        )


class MLeNN(BaseMultilabelCleaner):
    """Remove rows whose neighbours have other labels, if these are not rare (MLeNN) [1]_.

    A row goes if its labels differ from those of half of its nearest neighbours or more by a
    distance above `threshold`. Rows with a label rarer than the mean stay. All rows are judged
    before the first is removed.

    Parameters
    ----------
    sampling_strategy : str, array-like or callable, default="auto"
        Which labels are under-sampled: a row that carries any other is protected, and one without
        labels is not. "auto": those whose imbalance ratio is not above the mean. "not minority":
        all but the rarest; "majority", "minority", "not majority" and "all" as in imbalanced-learn.
        Or a list of labels, or a callable that takes `y` as an int8 array, sparse if `y` is, and
        returns one.
    threshold : float, default=0.75
        Distance of labels above which a neighbour counts as different: labels carried by one of
        the two alone, over the sum of the labels of both. Two rows without labels have 0.
    n_neighbors : int, default=3
        Number of nearest neighbours, among all rows.
    categorical_features : "auto", array-like or None, default=None
        Names, indices or mask of columns of `X` that hold categories; "auto" for those of a
        DataFrame that are no numbers, or bool. Two different categories are as far apart as the
        median standard deviation of the numeric columns.
    neighbors : KNeighborsMixin object, default=None
        The search, cloned and fitted; None takes :class:`~sklearn.neighbors.NearestNeighbors`.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.

    Attributes
    ----------
    sampling_strategy_ : dict
        Positives of each label that is under-sampled.
    threshold_ : float
        The threshold.
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
    MLTL : Asks the nearest neighbour alone.

    Notes
    -----
    Distances are those of the features as they are: scale them in a step before. A row is not its
    own neighbour, while its duplicates are.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "MLeNN: a first approach to
       heuristic multilabel undersampling", IDEAL 2014.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.resampling import MLeNN
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> sampler = MLeNN(threshold=0.5)
    >>> X_new, Y_new = sampler.fit_resample(X, Y)
    >>> len(X_new) < len(X), (X_new == X[sampler.sample_indices_]).all()
    (True, np.True_)
    """

    _parameter_constraints: dict = {
        **BaseMultilabelCleaner._parameter_constraints,
        "threshold": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        sampling_strategy: LabelChoice = "auto",
        threshold: float = 0.75,
        n_neighbors: int = 3,
        categorical_features: str | Sequence | ArrayLike | None = None,
        neighbors: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.threshold = threshold
        self.n_neighbors = n_neighbors
        self.categorical_features = categorical_features
        self.neighbors = neighbors
        self.n_jobs = n_jobs

    def _fit_resample(
        self, X: MixedFeatures, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        self.threshold_ = float(self.threshold)
        return self._remove_far(X, Y, self.n_neighbors, self.threshold_)
