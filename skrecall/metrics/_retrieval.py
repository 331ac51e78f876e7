"""Measures of the k labels of highest score, as in retrieval and extreme classification."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator

from ._cells import check_label_scores, mean_of_rows
from ._label_ranking import warn_of_hard_scores

MISSING = -1  # instead of a label where fewer than k are scored


def top_labels(S: Any, k: int) -> NDArray[np.intp]:
    """Return the `k` labels of highest score of each sample, best first.

    Parameters
    ----------
    S : ndarray or csr_array of shape (n_samples, n_labels)
        Scores. Of equal ones the first label is better; what a sparse array does not store is not
        scored.
    k : int
        At most the number of labels.

    Returns
    -------
    labels : ndarray of shape (n_samples, k)
        Indices of labels; -1 where fewer than `k` are scored.
    """
    top = np.full((S.shape[0], k), MISSING, dtype=np.intp)
    if issparse(S):
        row = np.repeat(np.arange(S.shape[0]), np.diff(S.indptr))
        order = np.lexsort((S.indices, -S.data, row))
        rank = np.arange(len(row)) - S.indptr[row]
        chosen = rank < k
        top[row[chosen], rank[chosen]] = S.indices[order[chosen]]
        return top
    for rows in row_blocks(*S.shape):
        top[rows] = _top_of_block(S[rows], k)
    return top


def _top_of_block(s: NDArray, k: int) -> NDArray[np.intp]:
    labels = np.sort(np.argpartition(s, -k, axis=1)[:, -k:], axis=1)
    least = np.take_along_axis(s, labels, axis=1).min(axis=1)
    tied = np.count_nonzero(s >= least[:, np.newaxis], axis=1) > k
    if tied.any():  # the k-th place is shared: the first labels get it
        labels[tied] = np.sort(np.argsort(-s[tied], axis=1, kind="stable")[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(s, labels, axis=1), axis=1, kind="stable")
    return np.take_along_axis(labels, order, axis=1)


def relevant(Y: Indicator, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of some labels of each sample are 1.

    Parameters
    ----------
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Indicator.
    labels : ndarray of shape (n_samples, k)
        Indices of labels, -1 for none.

    Returns
    -------
    hits : ndarray of shape (n_samples, k), dtype bool
        True where the sample carries the label.
    """
    at = np.maximum(labels, 0)
    if issparse(Y):
        found = csr_array(Y[np.arange(Y.shape[0])[:, np.newaxis], at]).toarray()
    else:
        found = np.take_along_axis(Y, at, axis=1)
    return (found == 1) & (labels != MISSING)


def top_hits(
    y_true: Any, y_score: Any, k: int, sample_weight: ArrayLike | None
) -> tuple[
    Indicator, NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp], NDArray[np.float64] | None
]:
    """Return what the measures at `k` count.

    Parameters
    ----------
    y_true, y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator and scores.
    k : int
        How many labels to look at.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Indicator.
    top : ndarray of shape (n_samples, k)
        Labels of highest score.
    hits : ndarray of shape (n_samples, k), dtype bool
        Which of those are right.
    n_labels : ndarray of shape (n_samples,)
        Labels of each sample.
    weight : ndarray of shape (n_samples,) or None
        Positive weights.

    Raises
    ------
    ValueError
        If `k` is no number of labels, `y_true` no indicator, or shapes differ.
    """
    Y, S, weight = check_label_scores(
        y_true, y_score, sample_weight, unknown=False, accept_sparse=True
    )
    if not (isinstance(k, Integral) and 1 <= k <= Y.shape[1]):
        raise ValueError(
            f"k={k!r} must be an integer from 1 to {Y.shape[1]}, the number of labels."
        )
    if not issparse(S):
        warn_of_hard_scores(S, stacklevel=4)
    top = top_labels(S, int(k))
    return Y, top, relevant(Y, top), _labels_per_row(Y), weight


def _labels_per_row(Y: Indicator) -> NDArray[np.intp]:
    return np.diff(Y.indptr) if issparse(Y) else np.count_nonzero(Y, axis=1)


def discounts(k: int) -> NDArray[np.float64]:
    """Return the gain of each of the first `k` places.

    Parameters
    ----------
    k : int
        Number of places.

    Returns
    -------
    discount : ndarray of shape (k,)
        1 / log2(r + 1) in place r.
    """
    return 1 / np.log2(np.arange(k) + 2)


def label_precision_at_k(
    y_true: Any, y_score: Any, *, k: int, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean share of right ones among a sample's `k` labels of highest score.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely. Of equal ones the first label is taken. What a sparse
        array does not store is never among the best, even where that leaves fewer than `k`.
    k : int
        How many labels to look at.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    precision : float
        In [0, 1]; a sample with fewer than `k` labels cannot reach 1, and one without labels
        counts 0.

    Raises
    ------
    ValueError
        If `k` is no number of labels, `y_true` no indicator, or shapes differ.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    Examples
    --------
    >>> from skrecall.metrics import label_precision_at_k
    >>> label_precision_at_k([[1, 0, 1], [0, 1, 0]], [[.9, .2, .4], [.8, .6, .1]], k=2)
    0.75
    """
    _, _, hits, _, weight = top_hits(y_true, y_score, k, sample_weight)
    return mean_of_rows(hits.mean(axis=1), weight)


def label_recall_at_k(
    y_true: Any, y_score: Any, *, k: int, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean share of a sample's labels that are among its `k` of highest score.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely. Of equal ones the first label is taken. What a sparse
        array does not store is never among the best, even where that leaves fewer than `k`.
    k : int
        How many labels to look at.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    recall : float
        In [0, 1], over the samples that have a label; NaN if none has.

    Raises
    ------
    ValueError
        If `k` is no number of labels, `y_true` no indicator, or shapes differ.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    See Also
    --------
    recall_at_k : Of one label: recall among the `k` samples of highest score.

    Examples
    --------
    >>> from skrecall.metrics import label_recall_at_k
    >>> label_recall_at_k([[1, 0, 1], [0, 1, 0]], [[.9, .2, .4], [.8, .6, .1]], k=1)
    0.25
    """
    _, _, hits, n_labels, weight = top_hits(y_true, y_score, k, sample_weight)
    recall = hits.sum(axis=1) / np.maximum(n_labels, 1)
    return mean_of_rows(np.where(n_labels > 0, recall, np.nan), weight)


def label_ndcg_at_k(
    y_true: Any, y_score: Any, *, k: int, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean normalised discounted cumulative gain of `k` labels per sample.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely. Of equal ones the first label is taken, where
        scikit-learn's ``ndcg_score`` averages over their orders. What a sparse array does not store
        is never among the best, even where that leaves fewer than `k`.
    k : int
        How many labels to look at.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    ndcg : float
        In [0, 1], over the samples that have a label; NaN if none has. A right label in place r
        gains 1 / log2(r + 1), and the sum is divided by the greatest that the sample allows.

    Raises
    ------
    ValueError
        If `k` is no number of labels, `y_true` no indicator, or shapes differ.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    Examples
    --------
    >>> from skrecall.metrics import label_ndcg_at_k
    >>> label_ndcg_at_k([[1, 0, 1], [0, 1, 0]], [[.9, .2, .4], [.8, .6, .1]], k=2)
    0.815...
    """
    _, _, hits, n_labels, weight = top_hits(y_true, y_score, k, sample_weight)
    gain, best = hits @ discounts(k), np.cumsum(discounts(k))
    ndcg = gain / best[np.clip(n_labels, 1, k) - 1]
    return mean_of_rows(np.where(n_labels > 0, ndcg, np.nan), weight)
