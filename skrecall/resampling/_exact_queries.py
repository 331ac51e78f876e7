"""Queries of some rows that answer as a query of all rows does, ties and rounding included.

scikit-learn finds Euclidean neighbours by brute force as ``|x|^2 - 2 x.y + |y|^2``, in blocks of
rows. Two distances nearer to each other than the rounding of that sum may come in either order, and
which one comes first may depend on the block a row stands in. Here such rows are found by a bound
on the rounding, and asked again in the block that they have in a query of all rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.neighbors import NearestNeighbors

from skrecall.utils._sklearn import _openmp_effective_n_threads

MAX_MAGNITUDE = 1e100  # of features: the square of a sum of them is finite
MAX_EXACT = 2.0**53  # integers below it, and their sums, are floats without rounding


def is_exact(X: NDArray) -> bool:
    """Return whether squared distances between rows are computed without any rounding.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite samples.

    Returns
    -------
    exact : bool
        Whether all values are integers, and small enough.
    """
    largest = max(abs(float(X.max())), abs(float(X.min())))
    if 4 * X.shape[1] * largest**2 >= MAX_EXACT:
        return False
    return X.dtype.kind in "iu" or bool((np.rint(X) == X).all())


def is_euclidean_search(nn: Any, X: Any) -> bool:
    """Return whether the rounding of a search is known.

    Parameters
    ----------
    nn : estimator
        Fitted on `X`.
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    known : bool
        True for scikit-learn's own `NearestNeighbors`, Euclidean, of a dense array of float32 or
        float64, or of integers that are small enough, below 1e100.
    """
    if type(nn) is not NearestNeighbors or nn.effective_metric_ != "euclidean" or issparse(X):
        return False
    if X.dtype.kind in "iu":
        return is_exact(X)
    return (
        X.dtype in (np.float32, np.float64)
        and get_config()["enable_cython_pairwise_dist"]
        and max(abs(float(X.max())), abs(float(X.min()))) < MAX_MAGNITUDE
    )


def is_brute_force(nn: NearestNeighbors) -> bool:
    """Return whether a fitted search computes all distances, and has no tree.

    Parameters
    ----------
    nn : NearestNeighbors
        Fitted.

    Returns
    -------
    brute : bool
        What it chose by itself, or was told.
    """
    return nn._fit_method == "brute"


def rounding_width(X: NDArray, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far apart two squared distances must be for their order to be beyond rounding.

    Both have been computed twice as ``|x|^2 - 2 x.y + |y|^2`` in float64, here and there. The bound
    is four times that of one of them, ``(n_features + 3) * eps / 2 * (|x| + |y|)^2``, and some
    more; a sample y with ``|y| > 2 * (|x| + distance)`` is too far away to be confused.

    Parameters
    ----------
    X : ndarray of shape (n_queries, n_features)
        Samples that are asked for.
    distance : ndarray of shape (n_queries,)
        The largest distance of interest.

    Returns
    -------
    width : ndarray of shape (n_queries,)
        In the unit of a squared distance.
    """
    norm = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    reach = 3 * norm + 2 * distance
    n_terms = 4 * (X.shape[1] + 8)
    return n_terms * (np.finfo(np.float64).eps * reach**2 + np.finfo(np.float64).tiny)


def neighbors_as_of_all(
    nn: NearestNeighbors, X: NDArray, rows: NDArray[np.intp], labels: NDArray, *, exact: bool
) -> NDArray[np.intp]:
    """Return ``nn.kneighbors(X)`` of some rows, each but for swaps between equal labels.

    Parameters
    ----------
    nn : NearestNeighbors
        For which `is_euclidean_search` is true.
    X : ndarray of shape (n_queries, n_features)
        All samples of the query, each of them one that `nn` was fitted on.
    rows : ndarray of shape (n_rows,)
        Those that are wanted, in increasing order.
    labels : ndarray of shape (n_samples,)
        Of the samples that `nn` was fitted on. Neighbours are those of ``nn.kneighbors(X)``, or
        others of the same labels: the first has the label it has there, and so has the set of the
        rest.
    exact : bool
        What `is_exact` says of the samples that `nn` was fitted on.

    Returns
    -------
    indices : ndarray of shape (n_rows, nn.n_neighbors)
        Neighbours, by distance.
    """
    if len(rows) == 0:
        return np.empty((0, nn.n_neighbors), dtype=np.intp)
    if not is_brute_force(nn):  # each row walks the tree by itself
        return nn.kneighbors(X[rows], return_distance=False)
    if exact:
        return _query_in_place(nn, X, rows, block=1)
    n_seen = min(nn.n_neighbors + 1, nn.n_samples_fit_)
    distance, indices = nn.kneighbors(X[rows], n_neighbors=n_seen)
    width = rounding_width(X[rows], distance[:, -1])
    tied = np.diff(distance**2, axis=1) <= width[:, None]
    tied_with_first = np.logical_and.accumulate(tied, axis=1)
    other = labels[indices[:, 1:]] != labels[indices[:, :1]]
    open_ = (tied_with_first & other).any(axis=1)
    if n_seen > nn.n_neighbors:
        open_ |= tied[:, -1]
    indices = indices[:, : nn.n_neighbors]
    if open_.any():
        block = get_config()["pairwise_dist_chunk_size"]
        indices[open_] = _query_in_place(nn, X, rows[open_], block=block)
    return indices


def _query_in_place(
    nn: NearestNeighbors, X: NDArray, rows: NDArray[np.intp], *, block: int
) -> NDArray[np.intp]:
    """Return ``nn.kneighbors(X)[rows]``, from whole blocks and no fewer rows than it needs.

    scikit-learn splits few queries by another rule than many: a query of all rows that counts as
    many is answered from many.
    """
    n_rows_many = 4 * get_config()["pairwise_dist_chunk_size"] * _openmp_effective_n_threads()
    asked = np.zeros(-(-len(X) // block), dtype=bool)
    asked[rows // block] = True
    if len(X) > n_rows_many:
        missing = n_rows_many // block + 2 - np.count_nonzero(asked)
        asked[np.flatnonzero(~asked)[: max(0, missing)]] = True
    asked_rows = np.flatnonzero(np.repeat(asked, block)[: len(X)])
    indices = nn.kneighbors(X[asked_rows], return_distance=False)
    return indices[np.searchsorted(asked_rows, rows)]
