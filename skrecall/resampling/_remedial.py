"""Rows in which rare labels meet frequent ones are split in two.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Dealing with difficult minority labels
   in imbalanced multilabel data sets", Neurocomputing 326-327, 2019.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, issparse, vstack

from skrecall.label_space import scumble
from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._rows import take_rows
from skrecall.utils._sklearn import StrOptions

from ._label_strategy import chosen_labels, minority_labels
from ._multilabel import BaseMultilabelSampler, LabelChoice


def decouple(Y: Indicator, is_rare: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Indicator]:
    """Move the rare labels of rows with an unusual SCUMBLE to copies of these rows.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    is_rare : ndarray of shape (n_labels,), dtype bool
        The labels that are moved.

    Returns
    -------
    rows : ndarray of shape (n_samples_new,)
        Row of `Y` that each new row is: first all, then the copies.
    Y_new : ndarray or csc_array of shape (n_samples_new, n_labels)
        Their labels.
    """
    of_rows = np.asarray(scumble(Y, per="sample"))
    split = np.flatnonzero(of_rows > of_rows.mean() + 1e-12)  # more than the mean's rounding
    if not is_rare.any():  # copies would have no label
        split = split[:0]
    rows = np.append(np.arange(Y.shape[0]), split)
    if issparse(Y):
        kept = csr_array(Y)
        copies = kept[split].multiply(is_rare)
        is_split = np.zeros(Y.shape[0], dtype=bool)
        is_split[split] = True
        moved = is_rare[kept.indices] & np.repeat(is_split, np.diff(kept.indptr))
        kept.data = np.where(moved, 0, kept.data)
        Y_new = csc_array(vstack([kept, copies]), dtype=np.int8)
        Y_new.eliminate_zeros()
        return rows, Y_new
    Y_new = Y[rows]
    Y_new[split] *= ~is_rare
    Y_new[Y.shape[0] :] *= is_rare
    return rows, Y_new


class BaseDecouplingSampler(BaseMultilabelSampler):
    """A sampler that splits rows in which rare labels meet frequent ones."""

    _parameter_constraints: dict = {
        "sampling_strategy": [
            StrOptions({"auto", "majority", "minority", "not majority", "not minority", "all"}),
            "array-like",
            callable,
        ],
    }

    _looks_at_features = False
    _sampling_type = "over-sampling"

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        counts = count_values(Y, 1)
        self._is_rare = chosen_labels(
            self.sampling_strategy, Y, minority_labels(counts), self._container.label_names
        )
        return {self._label(j): int(counts[j]) for j in np.flatnonzero(self._is_rare)}

    def _why_unchanged(self, Y: Indicator) -> str:
        if not (self._is_rare.any() or isinstance(self.sampling_strategy, str)):
            return f"sampling_strategy={self.sampling_strategy!r} names no label with a positive."
        return (
            "no row has labels that differ more in frequency than those of others do, as SCUMBLE "
            "measures it, so there is nothing to separate."
        )


class REMEDIAL(BaseDecouplingSampler):
    """Split rows in which rare labels meet frequent ones, so that both can be learnt [1]_.

    Every row whose SCUMBLE is above the mean keeps its frequent labels, and a copy of it, appended
    at the end, gets the rare ones. No label gains or loses a positive. After it samplers that copy
    or remove rows change rare labels without frequent ones: see `REMEDIALHwR`.

    Parameters
    ----------
    sampling_strategy : str, array-like or callable, default="auto"
        Which labels go to the copies. "auto": those whose imbalance ratio is above the mean.
        "minority": the rarest; "majority", "not minority", "not majority" and "all" as in
        imbalanced-learn. Or a list of labels, or a callable that takes `y` as an int8 array, sparse
        if `y` is, and returns one.

    Attributes
    ----------
    sampling_strategy_ : dict
        Positives of each label that goes to the copies.
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
    REMEDIALHwR : Resamples after it.
    skrecall.label_space.scumble : How far rare and frequent labels occur in the same rows.

    Notes
    -----
    A row with an unusual SCUMBLE whose labels are all frequent, or all rare, is split too, as in
    the paper: one of the two rows then has no label. The same features now carry two sets of
    labels, which a nearest-neighbour method does not take well.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Dealing with difficult minority
       labels in imbalanced multilabel data sets", Neurocomputing 326-327, 2019.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import scumble
    >>> from skrecall.resampling import REMEDIAL
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> X_new, Y_new = REMEDIAL().fit_resample(X, Y)
    >>> len(X_new), (Y_new.sum(axis=0) == Y.sum(axis=0)).all(), scumble(Y_new) < scumble(Y)
    (659, np.True_, True)
    """

    def __init__(
        self,
        *,
        sampling_strategy: LabelChoice = "auto",
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)

    def _fit_resample(
        self, X: Any, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        rows, Y_new = decouple(Y, self._is_rare)
        return take_rows(X, rows), Y_new, np.column_stack([rows, rows])
