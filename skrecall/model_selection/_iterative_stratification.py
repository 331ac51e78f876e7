"""Iterative stratification: rows of several labels into folds, the rarest label first.

The rows of one label go to the folds one by one, each to the fold that lacks the label most. Which
fold that is depends on how many rows each fold has got so far, never on the other labels of a row,
so that all rows of a label are dealt in one sort, which gives what the loop over rows gives.

References
----------
.. [1] K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data",
   ECML PKDD 2011.
.. [2] P. Szymanski, T. Kajdanowicz, "A network perspective on stratification of multi-label data",
   First international workshop on learning with imbalanced domains, PMLR 74, 2017.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from skrecall.utils._indicator import Indicator, check_multilabel_target

UNASSIGNED = -1


def positives(y: Any) -> tuple[csr_array, NDArray | None]:
    """Return which labels rows are known to carry, and their names.

    Parameters
    ----------
    y : array-like, DataFrame or sparse of shape (n_samples,) or (n_samples, n_labels)
        Indicator; one dimension of two classes is one label. Labels may be unknown.

    Returns
    -------
    Y : csr_array of shape (n_samples, n_labels), dtype int8
        1 where a row carries a label, which leaves out the unknown ones.
    label_names : ndarray of shape (n_labels,) or None
        Column names of a DataFrame.
    """
    Y, container = check_multilabel_target(y, unknown=True, accept_sparse=True, allow_signs=True)
    Y = csr_array(Y)
    Y.data = (Y.data == 1).astype(np.int8)
    Y.eliminate_zeros()
    return Y, container.label_names


def stratified_folds(
    Y: Indicator, weights: NDArray[np.int64], order: int, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Return a fold for each row such that every fold has its share of every label.

    While a label has rows without a fold, those of the label with the fewest are dealt in their
    order: each goes to the fold that desires the label most, of these to the one that desires rows
    most, of these to one at random. Rows without labels are dealt last, to the fold that desires
    rows most. A fold desires its share of the rows of a label, less those it has.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    weights : ndarray of shape (n_folds,)
        Sizes that the folds should have, up to a factor.
    order : {1, 2}
        1 for labels [1]_, 2 for pairs of labels, those of a label with itself included [2]_.
    rng : RandomState
        Breaks ties: by one random order of the labels, and one of the folds for every label.

    Returns
    -------
    fold : ndarray of shape (n_samples,)
        Fold of each row.
    """
    rows = csr_array(Y) if order == 1 else label_pairs(Y)
    n_samples, n_labels = rows.shape
    by_priority = rng.permutation(n_labels)[rows.indices]
    rows = csr_array((rows.data, by_priority, rows.indptr), shape=rows.shape)
    columns = csc_array(rows)
    total = weights.sum()
    counts = np.diff(columns.indptr)
    unassigned = _RarestFirst(counts)
    label_sizes = np.zeros((n_labels, len(weights)), dtype=np.int32)
    sizes = np.zeros(len(weights), dtype=np.int64)
    fold = np.full(n_samples, UNASSIGNED, dtype=np.intp)
    while (rarest := unassigned.rarest()) is not None:
        column = columns.indices[columns.indptr[rarest] : columns.indptr[rarest + 1]]
        mine = column[fold[column] == UNASSIGNED]
        desire = weights * counts[rarest] - total * label_sizes[rarest]
        dealt = deal(desire, weights * n_samples - total * sizes, total, len(mine), rng)
        fold[mine] = dealt
        sizes += np.bincount(dealt, minlength=len(weights))
        n_each = rows.indptr[mine + 1] - rows.indptr[mine]
        shift = np.repeat(rows.indptr[mine] - np.cumsum(n_each) + n_each, n_each)
        labels = rows.indices[shift + np.arange(len(shift))]
        np.add.at(label_sizes.ravel(), labels * len(weights) + np.repeat(dealt, n_each), 1)
        unassigned.remove(labels)
    rest = np.flatnonzero(fold == UNASSIGNED)
    desire = weights * n_samples - total * sizes
    fold[rest] = deal(desire, desire, total, len(rest), rng)
    return fold


class _RarestFirst:
    """Counts of labels that only fall, and the smallest of those above 0 at any time.

    The labels are in blocks, and of each block the smallest count is kept: what changes, of one
    label or of thousands, costs the blocks it is in, and not all labels.

    Parameters
    ----------
    counts : ndarray of shape (n_labels,)
        Number of rows of each label.
    """

    def __init__(self, counts: NDArray) -> None:
        self._none = np.iinfo(np.int32).max
        n_blocks = math.isqrt(len(counts)) + 1
        self._counts = np.full((n_blocks, n_blocks + 1), self._none, dtype=np.int32)
        self._counts.ravel()[: len(counts)] = np.where(counts > 0, counts, self._none)
        self._smallest = self._counts.min(axis=1)

    def rarest(self) -> int | None:
        """Return the first label of smallest count, or None if no count is above 0.

        Returns
        -------
        label : int or None
            Index of the label.
        """
        block = int(self._smallest.argmin())
        if self._smallest[block] == self._none:
            return None
        return block * self._counts.shape[1] + int(self._counts[block].argmin())

    def remove(self, labels: NDArray[np.integer]) -> None:
        """Lower the count of each label by the number of times that it is given.

        Parameters
        ----------
        labels : ndarray of int
            Indices, with repetitions.
        """
        counts = self._counts.ravel()
        np.subtract.at(counts, labels, 1)
        counts[labels[counts[labels] == 0]] = self._none
        changed = np.zeros(len(self._counts), dtype=bool)
        changed[labels // self._counts.shape[1]] = True
        self._smallest[changed] = self._counts[changed].min(axis=1)


def deal(
    desire: NDArray[np.int64],
    desire_rows: NDArray[np.int64],
    total: int,
    n_rows: int,
    rng: np.random.RandomState,
) -> NDArray[np.intp]:
    """Return the folds that rows go to, one after the other, by the greatest desire.

    Each row lowers both desires of its fold by `total`. The desires sum to `n_rows` times that, so
    a fold is chosen only while its desire is positive.

    Parameters
    ----------
    desire, desire_rows : ndarray of shape (n_folds,)
        Of the label, and of rows, which breaks ties; in units of a row divided by `total`.
    total : int
        What one row is worth.
    n_rows : int
        Number of rows to deal.
    rng : RandomState
        Source of the order of folds that breaks the remaining ties.

    Returns
    -------
    folds : ndarray of shape (n_rows,)
        Fold of each row.
    """
    n_wanted = np.maximum(-(-desire // total), 0)
    priority = rng.permutation(len(desire))
    fold = np.repeat(np.arange(len(desire)), n_wanted)
    lowered = total * (np.arange(len(fold)) - np.repeat(np.cumsum(n_wanted) - n_wanted, n_wanted))
    keys = (priority[fold], lowered - desire_rows[fold], lowered - desire[fold])
    return fold[np.lexsort(keys)[:n_rows]]


def label_pairs(Y: Indicator, *, with_itself: bool = True) -> csr_array:
    """Return the indicator of the pairs of labels that occur.

    Parameters
    ----------
    Y : ndarray or sparse array of shape (n_samples, n_labels)
        Indicator.
    with_itself : bool, default=True
        Whether a label with itself is a pair.

    Returns
    -------
    pairs : csr_array of shape (n_samples, n_pairs)
        Indicator of the pairs, ordered by first and second label.
    """
    Y = csr_array(Y)
    Y.sort_indices()
    n_samples, n_labels = Y.shape
    cardinality = np.diff(Y.indptr).astype(np.int64)
    n_pairs = cardinality * (cardinality + (1 if with_itself else -1)) // 2
    indptr = np.append(0, np.cumsum(n_pairs, dtype=np.int64))
    codes = np.empty(indptr[-1], dtype=np.int64)
    for size in np.unique(cardinality[cardinality > 0]):
        members = np.flatnonzero(cardinality == size)
        labels = Y.indices[Y.indptr[members][:, np.newaxis] + np.arange(size)].astype(np.int64)
        first, second = np.triu_indices(size, k=0 if with_itself else 1)
        into = indptr[members][:, np.newaxis] + np.arange(len(first))
        codes[into] = labels[:, first] * n_labels + labels[:, second]
    indices, pairs = pd.factorize(codes, sort=True)
    ones = np.ones(len(codes), dtype=np.int8)
    return csr_array((ones, indices, indptr), shape=(n_samples, len(pairs)))
