"""How many labels there are, how often they occur, and in which sets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from skrecall.utils._indicator import Indicator, check_indicator, count_values


def label_counts(Y: Any) -> NDArray[np.intp]:
    """Count the rows of each label.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    counts : ndarray of shape (n_labels,)
        Number of rows that carry the label.

    Examples
    --------
    >>> from skrecall.label_space import label_counts
    >>> label_counts([[1, 1, 0], [0, 1, 0]])
    array([1, 2, 0])
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    return count_values(Y, 1)


def label_cardinality(Y: Any) -> float:
    """Return the mean number of labels per row.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    cardinality : float
        Between 0 and the number of labels.

    Examples
    --------
    >>> from skrecall.label_space import label_cardinality
    >>> label_cardinality([[1, 1, 0], [0, 1, 0]])
    1.5
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    check_has_rows(Y)
    return float(count_values(Y, 1).sum() / Y.shape[0])


def label_density(Y: Any) -> float:
    """Return the mean share of the labels that a row carries.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    density : float
        Cardinality divided by the number of labels.

    Examples
    --------
    >>> from skrecall.label_space import label_density
    >>> label_density([[1, 1, 0], [0, 1, 0]])
    0.5
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    return label_cardinality(Y) / Y.shape[1]


def label_sets(Y: Any) -> tuple[Any, NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct sets of labels, the set of each row, and how often each occurs.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    sets : ndarray or csr_array of shape (n_sets, n_labels), dtype int8
        Indicator of the sets, the most frequent first, and of those the first in `Y`.
    inverse : ndarray of shape (n_samples,)
        Index of the set of each row.
    counts : ndarray of shape (n_sets,)
        Number of rows with each set.

    Examples
    --------
    >>> from skrecall.label_space import label_sets
    >>> label_sets([[1, 1, 0], [0, 1, 0], [0, 1, 0]])
    (array([[0, 1, 0],
           [1, 1, 0]], dtype=int8), array([1, 0, 0]), array([2, 1]))
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    first, inverse, counts = group_rows(Y)
    return (csr_array(Y) if issparse(Y) else Y)[first], inverse, counts


def group_rows(Y: Indicator) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Group the rows of an indicator by their labels, exactly and in memory of its ones.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    first : ndarray of shape (n_sets,)
        First row of each group; the largest group first, and of those that with the first row.
    inverse : ndarray of shape (n_samples,)
        Group of each row.
    counts : ndarray of shape (n_sets,)
        Number of rows of each group.
    """
    rows = csr_array(Y)
    rows.sort_indices()
    cardinality = np.diff(rows.indptr)
    inverse = np.empty(len(cardinality), dtype=np.intp)
    firsts, n_sets = [], 0
    for size in np.unique(cardinality):  # rows of one cardinality are keys of one length
        members = np.flatnonzero(cardinality == size)
        labels = rows.indices[rows.indptr[members][:, np.newaxis] + np.arange(size)]
        _, first, inverse_here = _unique_rows(labels)
        firsts.append(members[first])
        inverse[members] = n_sets + inverse_here
        n_sets += len(first)
    first = np.concatenate(firsts) if firsts else np.array([], dtype=np.intp)
    counts = np.bincount(inverse, minlength=n_sets)
    order = np.lexsort((first, -counts))
    rank = np.empty(n_sets, dtype=np.intp)
    rank[order] = np.arange(n_sets)
    return first[order], rank[inverse], counts[order]


def _unique_rows(labels: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    if labels.shape[1] == 0:
        return labels, np.array([0]), np.zeros(len(labels), dtype=np.intp)
    labels = np.ascontiguousarray(labels)
    keys = labels.view(np.dtype((np.void, labels.dtype.itemsize * labels.shape[1]))).ravel()
    return np.unique(keys, return_index=True, return_inverse=True)


def check_has_rows(Y: Indicator) -> None:
    """Refuse an indicator without rows, of which no mean can be taken.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.

    Raises
    ------
    ValueError
        If it has none.
    """
    if Y.shape[0] == 0:
        raise ValueError(f"Y has shape {Y.shape}: there is no row to count labels of.")
