"""Label sets as classes: those that occur, those that are pruned, and the way back to labels.

References
----------
.. [1] J. Read, B. Pfahringer, G. Holmes, "Multi-label classification using ensembles of pruned
   sets", ICDM 2008.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier

from skrecall.label_space._label_sets import group_rows
from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import _check_method_params, _num_samples, _safe_indexing
from skrecall.utils._threads import one_blas_thread

BLOCK_SIZE = 2**24  # entries of a dense block


def prune_label_sets(
    sets: Indicator, count: NDArray[np.intp], *, min_count: int, n_subsets: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which frequent label sets stand for each label set.

    Parameters
    ----------
    sets : ndarray or sparse of shape (n_sets, n_labels)
        The label sets.
    count : ndarray of shape (n_sets,)
        Number of rows that carry each.
    min_count : int
        A set is frequent if so many rows carry it.
    n_subsets : int
        An infrequent set is replaced by so many of its frequent subsets at most: the largest
        first, of one size the most frequent first. The empty set stands for no other.

    Returns
    -------
    replaced, by : ndarray of shape (n_pairs,)
        Indices of sets, `replaced` increasing. A frequent set is replaced by itself.
    """
    frequent, rare = np.flatnonzero(count >= min_count), np.flatnonzero(count < min_count)
    pairs = [np.column_stack([frequent, frequent])]
    if n_subsets and len(rare) and len(frequent):
        members = csr_array(sets).astype(np.int32)
        size = np.asarray(members.sum(axis=1)).ravel()
        frequent = frequent[size[frequent] > 0]
        frequent = frequent[np.lexsort((frequent, -count[frequent], -size[frequent]))]
        for rows in row_blocks(len(rare), len(frequent), n_cells=BLOCK_SIZE):
            block = rare[rows]
            shared = (members[block] @ members[frequent].T).toarray()
            inside = shared == size[frequent]
            inside &= np.cumsum(inside, axis=1) <= n_subsets
            row, column = np.nonzero(inside)
            pairs.append(np.column_stack([block[row], frequent[column]]))
    replaced, by = np.concatenate(pairs).T
    order = np.argsort(replaced, kind="stable")
    return replaced[order], by[order]


def rows_of_sets(
    code: NDArray[np.intp], replaced: NDArray[np.intp], by: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the training rows, one for each set that stands for the set of a sample.

    Parameters
    ----------
    code : ndarray of shape (n_samples,)
        Label set of each sample.
    replaced, by : ndarray of shape (n_pairs,)
        See `prune_label_sets`.

    Returns
    -------
    rows : ndarray of shape (n_rows,)
        Increasing indices of samples.
    kept : ndarray of shape (n_rows,)
        The set that each is trained as.
    """
    start = np.searchsorted(replaced, code)
    n_copies = np.searchsorted(replaced, code, side="right") - start
    rows = np.repeat(np.arange(len(code)), n_copies)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(n_copies) - n_copies, n_copies)
    return rows, by[np.repeat(start, n_copies) + nth]


@dataclass(eq=False)
class LabelSetModel:
    """A multi-class classifier of label sets.

    Attributes
    ----------
    estimator : estimator
        Fitted; its classes are indices of sets.
    sets : ndarray or csr_array of shape (n_sets, n_labels), dtype int8
        The label sets that are classes.
    count : ndarray of shape (n_sets,)
        Number of training samples that carry each, before pruning.
    """

    estimator: BaseEstimator
    sets: Indicator
    count: NDArray[np.intp]

    def marginals(self, X: Any) -> NDArray[np.float64]:
        """Return P(label = 1), the sum of the probabilities of the sets with the label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_labels)
            Probabilities.
        """
        with one_blas_thread():
            proba = np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        sets = self.sets[np.asarray(self.estimator.classes_)]
        return np.clip(proba @ sets.astype(np.float64), 0, 1)

    def most_probable(self, X: Any) -> Indicator:
        """Return the label set that the classifier predicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        Y : ndarray or csr_array of shape (n_samples, n_labels), dtype int8
            Label sets.
        """
        with one_blas_thread():
            return self.sets[np.asarray(self.estimator.predict(X))]

    def varying(self) -> NDArray[np.bool_]:
        """Return which labels are in some of the sets and not in all.

        Returns
        -------
        varying : ndarray of shape (n_labels,), dtype bool
            What the classifier can tell something about.
        """
        n_sets_with = np.asarray(self.sets.sum(axis=0, dtype=np.intp)).ravel()
        return (n_sets_with > 0) & (n_sets_with < self.sets.shape[0])


def fit_label_sets(
    estimator: BaseEstimator,
    X: Any,
    Y: Indicator,
    params: dict[str, Any],
    *,
    min_count: int = 0,
    n_subsets: int = 0,
) -> LabelSetModel:
    """Fit a multi-class classifier on the label sets of the samples.

    Parameters
    ----------
    estimator : estimator
        Fitted in place, unless one set is left: then that is predicted always.
    X : array-like of shape (n_samples, ...)
        Samples.
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    params : dict
        Parameters of `fit`; those with one entry per sample follow the rows.
    min_count, n_subsets : int, default=0
        See `prune_label_sets`.

    Returns
    -------
    model : LabelSetModel
        The fitted one.

    Raises
    ------
    ValueError
        If no label set is frequent.
    """
    first, code, count = group_rows(Y)
    sets = (csr_array(Y) if issparse(Y) else Y)[first]
    frequent = count >= min_count
    if not frequent.any():
        raise ValueError(
            f"None of the {len(count)} label sets of {_num_samples(X)} rows occurs "
            f"min_count={min_count} times, the most frequent {count.max()} times: no row is left "
            f"to learn from. Set min_count to {count.max()} or less."
        )
    rows = None
    if not frequent.all():
        replaced, by = prune_label_sets(sets, count, min_count=min_count, n_subsets=n_subsets)
        rows, kept = rows_of_sets(code, replaced, by)
        code = (np.cumsum(frequent) - 1)[kept]
        sets, count = sets[frequent], count[frequent]
    if rows is not None:
        params = _check_method_params(X, params, indices=rows)
        X = _safe_indexing(X, rows)
    if len(count) == 1:
        estimator, params = DummyClassifier(strategy="most_frequent"), {}
    with warnings.catch_warnings(), one_blas_thread():
        # scikit-learn takes that for a regression; here rare sets are classes all the same
        warnings.filterwarnings("ignore", message="The number of unique classes is greater")
        estimator.fit(X, code, **params)
    return LabelSetModel(estimator, sets, count)


def as_dense_or_csc(Y: Indicator, *, sparse: bool) -> Indicator:
    """Return predicted labels in the form that the base restores to the container.

    Parameters
    ----------
    Y : ndarray or sparse of shape (n_samples, n_labels)
        Labels.
    sparse : bool
        Whether the container is sparse.

    Returns
    -------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        The same.
    """
    if sparse:
        return csc_array(Y).astype(np.int8)
    return (Y.toarray() if issparse(Y) else Y).astype(np.int8, copy=False)
