"""Which labels occur together: counts, shares, lift, and the graph that a network takes.

Dense in, dense out; sparse in, sparse out, which keeps the pairs that occur and no others.

References
----------
.. [1] Z.-M. Chen, X.-S. Wei, P. Wang, Y. Guo, "Multi-label image recognition with graph
   convolutional networks", CVPR 2019.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, issparse

from skrecall.utils._blocks import row_blocks
from skrecall.utils._checks import check_share
from skrecall.utils._indicator import check_indicator

LabelPairs: TypeAlias = Any  # an ndarray or csr_array of shape (n_labels, n_labels)

BLOCK_ROWS = 8192  # rows of a dense indicator that are cast to floats at once


def label_cooccurrence(Y: Any) -> LabelPairs:
    """Count the rows in which two labels occur together.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    counts : ndarray or csr_array of shape (n_labels, n_labels), dtype int64
        Symmetric; the diagonal counts the rows of each label.

    Examples
    --------
    >>> from skrecall.label_space import label_cooccurrence
    >>> label_cooccurrence([[1, 1, 0], [0, 1, 0], [1, 1, 1]])
    array([[2, 2, 1],
           [2, 3, 1],
           [1, 1, 1]])
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    if issparse(Y):
        Y = csr_array(Y, dtype=np.int64)
        return csr_array(Y.T @ Y)
    counts = np.zeros((Y.shape[1], Y.shape[1]), dtype=np.int64)
    for rows in row_blocks(len(Y), 1, n_cells=BLOCK_ROWS):  # float32 counts those of a block
        block = Y[rows].astype(np.float32)
        counts += (block.T @ block).astype(np.int64)
    return counts


def label_conditional_probability(Y: Any) -> LabelPairs:
    """Return the share of the rows of one label that carry another.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    proba : ndarray or csr_array of shape (n_labels, n_labels)
        Row i, column j: the estimate of P(j | i). The row of a label without positives is 0.

    Examples
    --------
    >>> from skrecall.label_space import label_conditional_probability
    >>> label_conditional_probability([[1, 1, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]])
    array([[1. , 1. , 0. ],
           [0.5, 1. , 0. ],
           [0. , 0. , 0. ]])
    """
    return _divided(label_cooccurrence(Y), lambda both, n_i, n_j: n_i)


def label_lift(Y: Any) -> LabelPairs:
    """Return how many times more often two labels occur together than if they were independent.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    lift : ndarray or csr_array of shape (n_labels, n_labels)
        1 for independence, 0 for labels that never meet, those without positives included.

    Examples
    --------
    >>> from skrecall.label_space import label_lift
    >>> label_lift([[1, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]])
    array([[2., 2., 0.],
           [2., 2., 0.],
           [0., 0., 4.]])
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    n_samples = Y.shape[0]
    return _divided(label_cooccurrence(Y), lambda both, n_i, n_j: n_i * n_j / n_samples)


def label_jaccard(Y: Any) -> LabelPairs:
    """Return the share of the rows with either of two labels that have both.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    similarity : ndarray or csr_array of shape (n_labels, n_labels)
        Symmetric; 1 on the diagonal of labels with positives, 0 for labels that never meet.

    Examples
    --------
    >>> from skrecall.label_space import label_jaccard
    >>> label_jaccard([[1, 1, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]])
    array([[1. , 0.5, 0. ],
           [0.5, 1. , 0. ],
           [0. , 0. , 0. ]])
    """
    return _divided(label_cooccurrence(Y), lambda both, n_i, n_j: n_i + n_j - both)


def label_adjacency(Y: Any, *, threshold: float = 0.4, neighbour_share: float = 0.2) -> LabelPairs:
    """Return the normalised adjacency of the label graph, as graph convolutions take it [1]_.

    Label j is a neighbour of label i where P(j | i) reaches the threshold. A row gives
    `neighbour_share` to its neighbours in equal parts and the rest to the label itself, and the
    array is then divided by the square roots of the sums of row i and of row j.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    threshold : float, default=0.4
        Share of the rows of a label that must carry another to make that a neighbour.
    neighbour_share : float, default=0.2
        Weight of all neighbours of a label together, between 0 and 1, 1 excluded.

    Returns
    -------
    adjacency : ndarray or csr_array of shape (n_labels, n_labels)
        Not symmetric, as P(j | i) is not. 1 on the diagonal of a label without neighbours.

    Notes
    -----
    The paper's "re-weighted" matrix, with rows throughout; its published code sums over columns
    in one place.

    References
    ----------
    .. [1] Z.-M. Chen, X.-S. Wei, P. Wang, Y. Guo, "Multi-label image recognition with graph
       convolutional networks", CVPR 2019.

    Examples
    --------
    >>> from skrecall.label_space import label_adjacency
    >>> label_adjacency([[1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]).round(3)
    array([[0.8  , 0.224, 0.   ],
           [0.   , 1.   , 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    threshold = check_share(threshold, name="threshold", closed="right")
    share = check_share(neighbour_share, name="neighbour_share", closed="left")
    proba = label_conditional_probability(Y)
    neighbours = csr_array(proba >= threshold, dtype=np.float64)
    neighbours = neighbours - diags_array(neighbours.diagonal())
    n_neighbours = neighbours.sum(axis=1)
    weight = share / np.maximum(n_neighbours, 1)
    degree = np.where(n_neighbours > 0, 1.0, 1 - share)
    scale = diags_array(1 / np.sqrt(degree))
    adjacency = diags_array(weight) @ neighbours + diags_array(np.full(len(weight), 1 - share))
    adjacency = csr_array(scale @ adjacency @ scale)
    adjacency.eliminate_zeros()
    return adjacency if issparse(proba) else adjacency.toarray()


def _divided(counts: LabelPairs, divisor: Callable[..., NDArray]) -> LabelPairs:
    """Divide counts of pairs by a function of themselves and of both labels' counts; 0/0 is 0."""
    n = counts.diagonal()
    if issparse(counts):
        rows = np.repeat(np.arange(len(n)), np.diff(counts.indptr))
        data = counts.data / divisor(counts.data, n[rows], n[counts.indices])
        return csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
    divided = np.zeros(counts.shape)
    divisors = np.broadcast_to(divisor(counts, n[:, np.newaxis], n), counts.shape)
    return np.divide(counts, divisors, out=divided, where=counts > 0)
