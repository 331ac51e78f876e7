"""Over-sampling by copies of rows with rare labels.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in multilabel
   classification: measures and random resampling algorithms", Neurocomputing 163, 2015.
"""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import Interval

from ._label_strategy import target_counts
from ._multilabel import BaseLabelRowSampler, Strategy, warn_of_targets


def rows_to_copy(
    Y: Indicator, targets: NDArray[np.intp], n_most: float, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Return rows whose copies bring labels to their targets, label after label in turns.

    In each turn every label that is still short gets a copy of one of its rows, drawn at random,
    and all labels of the copies count.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    targets : ndarray of shape (n_labels,)
        Positives that each label is to have.
    n_most : float
        Number of copies to stop at.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (n_copies,)
        Indices of the rows, in the order they were drawn.
    """
    counts = count_values(Y, 1)
    columns, rows_of = csc_array(Y), csr_array(Y)
    copies: list[NDArray[np.intp]] = []
    n_copies = 0
    while n_copies < n_most and len(short := np.flatnonzero(counts < targets)):
        short = short[: int(min(len(short), np.ceil(n_most - n_copies)))]
        size = columns.indptr[short + 1] - columns.indptr[short]
        drawn = columns.indices[columns.indptr[short] + rng.randint(size)]
        counts = counts + rows_of[drawn].sum(axis=0)
        copies.append(drawn)
        n_copies += len(drawn)
    return np.concatenate(copies) if copies else np.array([], dtype=np.intp)


class MLROS(BaseLabelRowSampler):
    """Copy rows at random until labels that are rarer than the mean no longer are [1]_.

    Each turn copies one random row of every label that is still short, with all its labels, so
    frequent labels of these rows grow too: see `skrecall.label_space.scumble` for how often rare
    labels come with frequent ones, and `REMEDIAL` for a remedy.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which labels to over-sample, and up to how many positives. "auto": those whose imbalance
        ratio is above the mean, until it is not. "minority": the rarest, as "not minority", "not
        majority" and "all", up to the most frequent. A float: all labels that have less than this
        share of the positives of the most frequent, up to it. A dict: positives wanted, by label. A
        callable takes `y` as an int8 array, sparse if `y` is, and returns such a dict.
    ratio : float or None, default=0.25
        Rows to add at most, as a share of the rows; None sets no limit.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Positives to add, by label.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Row of the input that each new row is: first all, then the copies.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    LPROS : Copies rows of rare label sets.
    MLSMOTE : Makes new rows between rows of rare labels.

    Notes
    -----
    A label is left out for the rest once it has its target at the end of a turn. Its imbalance is
    that of the first counts, as in the paper: the mean is not computed anew.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in multilabel
       classification: measures and random resampling algorithms", Neurocomputing 163, 2015.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import mean_imbalance_ratio
    >>> from skrecall.resampling import MLROS
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> X_new, Y_new = MLROS(random_state=0).fit_resample(X, Y)
    >>> len(X), len(X_new), mean_imbalance_ratio(Y_new) < mean_imbalance_ratio(Y)
    (500, 579, True)
    """

    _parameter_constraints: dict = {
        **BaseLabelRowSampler._parameter_constraints,
        "ratio": [Interval(Real, 0, None, closed="neither"), None],
    }

    _sampling_type = "over-sampling"

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        ratio: float | None = 0.25,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.ratio = ratio
        self.random_state = random_state

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        counts = count_values(Y, 1)
        self._targets = target_counts(
            self.sampling_strategy, Y, "over-sampling", self._container.label_names
        )
        added = self._targets - counts
        return {self._label(j): int(added[j]) for j in np.flatnonzero(added)}

    def _sample_indices(self, X: Any, Y: Indicator, rng: np.random.RandomState) -> NDArray[np.intp]:
        n_samples = Y.shape[0]
        n_most = np.inf if self.ratio is None else max(1, round(self.ratio * n_samples))
        copies = rows_to_copy(Y, self._targets, n_most, rng)
        rows = np.append(np.arange(n_samples), copies)
        if self.sampling_strategy != "auto":
            warn_of_targets(self, Y[rows], self._targets)
        return rows
