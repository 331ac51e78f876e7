"""Under-sampling of rows with frequent labels.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in multilabel
   classification: measures and random resampling algorithms", Neurocomputing 163, 2015.
"""

import warnings
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import Interval

from ._label_strategy import counted, minority_labels, target_counts
from ._multilabel import BaseLabelRowSampler, Strategy, rows_with_any


def rows_to_remove(
    Y: Indicator,
    targets: NDArray[np.intp],
    protected: NDArray[np.bool_],
    n_most: int,
    rng: np.random.RandomState,
) -> NDArray[np.intp]:
    """Return rows without which labels are at their targets, label after label in turns.

    In each turn every label that has too many positives loses one of its rows, drawn at random from
    those that are left, and all labels of the row count.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    targets : ndarray of shape (n_labels,)
        Positives that each label is to have.
    protected : ndarray of shape (n_samples,), dtype bool
        Rows that stay.
    n_most : int
        Number of rows to stop at.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (n_removed,)
        Indices of the rows, in the order they were drawn; none twice.
    """
    counts = count_values(Y, 1)
    columns, labels_of = csc_array(Y), csr_array(Y)
    active = np.flatnonzero(counts > targets).tolist()
    bags = {j: columns.indices[columns.indptr[j] : columns.indptr[j + 1]] for j in active}
    queues = {j: iter(rng.permutation(bag[~protected[bag]])) for j, bag in bags.items()}
    is_removed = np.zeros(Y.shape[0], dtype=bool)
    removed: list[int] = []
    while active and len(removed) < n_most:
        for j in active[: n_most - len(removed)]:
            row = next((row for row in queues[j] if not is_removed[row]), None)
            if row is None:
                counts[j] = targets[j]  # all that may go are gone
            elif counts[j] > targets[j]:
                is_removed[row] = True
                removed.append(row)
                counts[labels_of.indices[labels_of.indptr[row] : labels_of.indptr[row + 1]]] -= 1
        active = [j for j in active if counts[j] > targets[j]]
    return np.array(removed, dtype=np.intp)


class MLRUS(BaseLabelRowSampler):
    """Remove rows at random until labels that are more frequent than the mean no longer are [1]_.

    Each turn removes one random row of every label that still has too many, with all its labels.
    Rows that carry a label rarer than the mean stay, as in the paper.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which labels to under-sample, and down to how many positives. "auto": those whose imbalance
        ratio is below the mean, until it is not. "majority": the most frequent, as "not minority",
        "not majority" and "all", down to the rarest. A float: all labels, down to the positives of
        the rarest divided by it. A dict: positives wanted, by label. A callable takes `y` as an
        int8 array, sparse if `y` is, and returns such a dict.
    ratio : float or None, default=0.25
        Rows to remove at most, as a share of the rows; None sets no limit.
    protect_minority : bool, default=True
        Whether rows that carry a label rarer than the mean stay, whatever else they carry.
    random_state : int, RandomState instance or None, default=None
        Draws the rows, without replacement.

    Attributes
    ----------
    sampling_strategy_ : dict
        Positives to remove, by label.
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
    LPRUS : Removes rows of frequent label sets.
    MLeNN : Removes rows whose neighbours have other labels.

    Notes
    -----
    No row of a label is drawn once it has its target, but it may lose more with rows of others.
    Rarer and more frequent than the mean are by the first counts, as in the paper. All labels that
    are not rarer than the mean lose positives in turns, the least frequent of them too, down to few
    where the mean is high: the mean imbalance can rise. Name labels in a dict then.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in multilabel
       classification: measures and random resampling algorithms", Neurocomputing 163, 2015.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import mean_imbalance_ratio
    >>> from skrecall.resampling import MLRUS
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> X_new, Y_new = MLRUS(random_state=0).fit_resample(X, Y)
    >>> len(X), len(X_new), mean_imbalance_ratio(Y_new) < mean_imbalance_ratio(Y)
    (500, 375, True)
    """

    _parameter_constraints: dict = {
        **BaseLabelRowSampler._parameter_constraints,
        "ratio": [Interval(Real, 0, 1, closed="neither"), None],
        "protect_minority": ["boolean"],
    }

    _sampling_type = "under-sampling"

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        ratio: float | None = 0.25,
        protect_minority: bool = True,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.ratio = ratio
        self.protect_minority = protect_minority
        self.random_state = random_state

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        counts = count_values(Y, 1)
        self._targets = target_counts(
            self.sampling_strategy, Y, "under-sampling", self._container.label_names
        )
        removed = counts - self._targets
        return {self._label(j): int(removed[j]) for j in np.flatnonzero(removed)}

    def _sample_indices(self, X: Any, Y: Indicator, rng: np.random.RandomState) -> NDArray[np.intp]:
        n_samples = Y.shape[0]
        protected = np.zeros(n_samples, dtype=bool)
        if self.protect_minority:
            protected = rows_with_any(Y, minority_labels(count_values(Y, 1)))
        n_most = n_samples if self.ratio is None else max(1, round(self.ratio * n_samples))
        removed = rows_to_remove(Y, self._targets, protected, n_most, rng)
        rows = np.delete(np.arange(n_samples), removed)
        if self.sampling_strategy != "auto":
            self._warn_of_targets(count_values(Y[rows], 1), len(removed) >= n_most)
        return rows

    def _warn_of_targets(self, counts: NDArray[np.intp], by_ratio: bool) -> None:
        """Name the labels that were to have fewer positives."""
        left = np.flatnonzero(counts > self._targets)
        if len(left):
            found = {self._label(j): int(counts[j]) for j in left[:5]}
            asked = {self._label(j): int(self._targets[j]) for j in left[:5]}
            reason = (
                f"stopped at ratio={self.ratio} of the rows"
                if by_ratio
                else "keeps rows with labels rarer than the mean"
            )
            advice = "Raise ratio" if by_ratio else "Set protect_minority=False"
            warnings.warn(
                f"MLRUS {reason}: {counted(len(left), 'label has', 'labels have')} more positives "
                f"than asked for, {found} of {asked}. {advice}.",
                stacklevel=6,
            )

    def _why_unchanged(self, Y: Indicator) -> str:
        if not self.sampling_strategy_ or not self.protect_minority:
            return super()._why_unchanged(Y)
        return (
            f"all rows of labels {list(self.sampling_strategy_)[:5]} carry a label rarer than the "
            "mean too. Set protect_minority=False, or separate rare labels from frequent ones by "
            "REMEDIAL before."
        )
