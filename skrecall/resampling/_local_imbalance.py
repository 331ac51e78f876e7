"""How hard a row is for its labels: the neighbours that do not share the rarer value.

All functions speak of the rarer value of each label, which is 1 for one that at most half of the
rows carry, else 0; what is rare is sparse.

References
----------
.. [1] B. Liu, K. Blekas, G. Tsoumakas, "Multi-label sampling based on local label imbalance",
   Pattern Recognition 122, 2022.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator, count_labels, count_values


def rarer_values(Y: Indicator) -> tuple[csr_array, NDArray[np.bool_]]:
    """Return where each label has the value that is rarer for it.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    is_rare : csr_array of shape (n_samples, n_labels), dtype int8
        1 where a label has its rarer value.
    is_swapped : ndarray of shape (n_labels,), dtype bool
        Labels whose rarer value is 0.
    """
    is_swapped = 2 * count_values(Y, 1) > Y.shape[0]
    is_rare = csr_array(swap_values(csc_array(Y), is_swapped), dtype=np.int8)
    is_rare.sort_indices()
    return is_rare, is_swapped


def swap_values(Y: csc_array, labels: NDArray[np.bool_]) -> csc_array:
    """Return an indicator in which 0 and 1 are swapped for some labels.

    Parameters
    ----------
    Y : csc_array of shape (n_samples, n_labels)
        Indicator.
    labels : ndarray of shape (n_labels,), dtype bool
        Labels to swap the values of.

    Returns
    -------
    Y : csc_array of shape (n_samples, n_labels)
        The same where no label is to be swapped.
    """
    if not labels.any():
        return Y
    swapped = csc_array(1 - Y[:, labels].toarray())
    order = np.argsort(np.append(np.flatnonzero(~labels), np.flatnonzero(labels)))
    return hstack([Y[:, ~labels], swapped], format="csc")[:, order]


def count_at(
    neighbors: NDArray[np.intp], marked: csr_array, cells: csr_array
) -> NDArray[np.integer]:
    """Count, for stored cells, how many neighbours of the row are marked in the column.

    Parameters
    ----------
    neighbors : ndarray of shape (n_rows, n_neighbors)
        Indices of rows of `marked`.
    marked : csr_array of shape (n_samples, n_labels)
        Ones.
    cells : csr_array of shape (n_rows, n_labels)
        Ones, with sorted indices.

    Returns
    -------
    counts : ndarray of shape (n_cells,)
        In the order of ``cells.data``.
    """
    above = neighbors.shape[1] + 1  # more than any count, so that it tells the cells from others
    dtype = np.min_scalar_type(-2 * above)
    marked, cells = marked.astype(dtype), cells.astype(dtype)
    counts = np.empty(cells.nnz, dtype=dtype)
    for rows in row_blocks(len(neighbors), cells.shape[1]):
        block = csr_array(count_labels(neighbors[rows], marked) + above * cells[rows])
        block.sort_indices()
        found = block.data[block.data >= above] - above
        counts[cells.indptr[rows.start] : cells.indptr[rows.stop]] = found
    return counts


def local_imbalance(neighbors: NDArray[np.intp], is_rare: csr_array) -> NDArray[np.float64]:
    """Return the share of neighbours that have the other value, for each rarer value.

    Parameters
    ----------
    neighbors : ndarray of shape (n_samples, n_neighbors)
        Indices of the nearest rows.
    is_rare : csr_array of shape (n_samples, n_labels)
        See `rarer_values`.

    Returns
    -------
    share : ndarray of shape (n_cells,)
        In the order of ``is_rare.data``; 1 for an outlier.
    """
    n_neighbors = neighbors.shape[1]
    return (n_neighbors - count_at(neighbors, is_rare, is_rare)) / n_neighbors


def label_weights(share: NDArray[np.float64], is_rare: csr_array) -> csr_array:
    """Return the local imbalance as weights that sum to 1 for each label; outliers have none.

    Parameters
    ----------
    share : ndarray of shape (n_cells,)
        See `local_imbalance`.
    is_rare : csr_array of shape (n_samples, n_labels)
        See `rarer_values`.

    Returns
    -------
    weights : csr_array of shape (n_samples, n_labels)
        The cells of `is_rare`; a label all of whose rows are outliers, or among their like, has
        zeros alone.
    """
    weights = np.where(share < 1, share, 0.0)
    total = np.bincount(is_rare.indices, weights, minlength=is_rare.shape[1])
    total[total == 0] = 1
    weights /= total[is_rare.indices]
    return csr_array((weights, is_rare.indices, is_rare.indptr), shape=is_rare.shape)
