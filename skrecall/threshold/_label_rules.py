"""Rules that turn the scores of a sample's labels into a label set, without an objective.

They come from text categorisation [1]_ [2]_: RCut and MCut look at one sample at a time, PCut and
the matching of the cardinality at all of them.

References
----------
.. [1] Y. Yang, "A study of thresholding strategies for text categorization", SIGIR, 2001.
.. [2] C. Largeron, C. Moulin, M. Gery, "MCut: a thresholding strategy for multi-label
   classification", IDA, 2012.
"""

import math
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from skrecall.utils._sklearn import Interval, validate_params

_ROUNDING = 1e-9  # 0.07 * 100 is above 7 by 1e-15, and must not cost an alert


def _check_scores(y_score: ArrayLike) -> NDArray:
    return check_array(y_score, dtype=[np.float64, np.float32], input_name="y_score")


@validate_params(
    {"y_score": ["array-like"], "k": [Interval(Integral, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def rcut(y_score: ArrayLike, k: int) -> NDArray[np.int8]:
    """Give every sample its `k` labels of greatest score (RCut [1]_).

    Parameters
    ----------
    y_score : array-like of shape (n_samples, n_labels)
        Scores, comparable between labels.
    k : int
        Number of labels of a sample.

    Returns
    -------
    Y_pred : ndarray of shape (n_samples, n_labels), dtype int8
        Indicator; of tied labels the first ones. All labels, where there are no more than `k`.

    References
    ----------
    .. [1] Y. Yang, "A study of thresholding strategies for text categorization", SIGIR, 2001.

    Examples
    --------
    >>> from skrecall.threshold import rcut
    >>> rcut([[0.1, 0.7, 0.3], [0.9, 0.2, 0.1]], 2)
    array([[0, 1, 1],
           [1, 1, 0]], dtype=int8)
    """
    y_score = _check_scores(y_score)
    best = np.argsort(-y_score, axis=1, kind="stable")[:, :k]
    Y_pred = np.zeros(y_score.shape, dtype=np.int8)
    np.put_along_axis(Y_pred, best, 1, axis=1)
    return Y_pred


@validate_params(
    {"y_score": ["array-like"], "ratio": ["array-like", Interval(Real, 0, 1, closed="both")]},
    prefer_skip_nested_validation=True,
)
def pcut(y_score: ArrayLike, ratio: ArrayLike) -> NDArray[np.int8]:
    """Give every label its share of the samples, those of greatest score (PCut [1]_).

    It is transductive: whether a sample gets a label depends on the other samples it comes with, so
    that samples must come as a batch like the one that the ratio is known of.

    Parameters
    ----------
    y_score : array-like of shape (n_samples, n_labels)
        Scores.
    ratio : float or array-like of shape (n_labels,)
        Share of the samples that carry each label, in [0, 1], such as that in training. It is
        rounded up to whole samples.

    Returns
    -------
    Y_pred : ndarray of shape (n_samples, n_labels), dtype int8
        Indicator; of tied samples the first ones.

    Raises
    ------
    ValueError
        If there is not one ratio in [0, 1] per label.

    References
    ----------
    .. [1] Y. Yang, "A study of thresholding strategies for text categorization", SIGIR, 2001.

    Examples
    --------
    >>> from skrecall.threshold import pcut
    >>> pcut([[0.1, 0.7], [0.9, 0.2], [0.3, 0.1], [0.2, 0.6]], [0.25, 0.5])
    array([[0, 1],
           [1, 0],
           [0, 0],
           [0, 1]], dtype=int8)
    """
    y_score = _check_scores(y_score)
    n_samples, n_labels = y_score.shape
    ratio = np.asarray(ratio, dtype=np.float64)
    if ratio.shape not in {(), (n_labels,)} or not np.all((ratio >= 0) & (ratio <= 1)):
        raise ValueError(
            f"ratio has shape {ratio.shape} and reaches from {ratio.min():g} to {ratio.max():g}: "
            f"one share in [0, 1] for all labels, or one for each of {n_labels}, is needed."
        )
    size = np.ceil(ratio * n_samples - _ROUNDING).astype(np.int64)
    Y_pred = np.zeros((n_labels, n_samples), dtype=np.int8)
    order = np.argsort(-y_score.T, axis=1, kind="stable")
    is_best = np.arange(n_samples) < np.broadcast_to(size, n_labels)[:, np.newaxis]
    np.put_along_axis(Y_pred, order, is_best.astype(np.int8), axis=1)
    return np.ascontiguousarray(Y_pred.T)


@validate_params({"y_score": ["array-like"]}, prefer_skip_nested_validation=True)
def mcut(y_score: ArrayLike) -> NDArray[np.int8]:
    """Cut the scores of every sample in their widest gap (MCut [1]_).

    Parameters
    ----------
    y_score : array-like of shape (n_samples, n_labels)
        Scores, comparable between labels.

    Returns
    -------
    Y_pred : ndarray of shape (n_samples, n_labels), dtype int8
        Indicator of the labels above the middle of the gap, of equal gaps the highest. Every sample
        gets a label; all of them where there is no gap, and where there is one label.

    References
    ----------
    .. [1] C. Largeron, C. Moulin, M. Gery, "MCut: a thresholding strategy for multi-label
       classification", IDA, 2012.

    Examples
    --------
    >>> from skrecall.threshold import mcut
    >>> mcut([[0.1, 0.7, 0.6], [0.9, 0.2, 0.1]])
    array([[0, 1, 1],
           [1, 0, 0]], dtype=int8)
    """
    y_score = _check_scores(y_score)
    if y_score.shape[1] == 1:
        return np.ones(y_score.shape, dtype=np.int8)
    ascending = np.sort(y_score, axis=1)
    gap = np.diff(ascending, axis=1)[:, ::-1]
    n_kept = 1 + np.argmax(gap, axis=1)
    n_kept[gap.max(axis=1) == 0] = y_score.shape[1]
    lowest_kept = np.take_along_axis(ascending, -n_kept[:, np.newaxis], axis=1)
    return (y_score >= lowest_kept).astype(np.int8)


@validate_params(
    {"y_score": ["array-like"], "cardinality": [Interval(Real, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def cardinality_threshold(y_score: ArrayLike, cardinality: float) -> float:
    """Return the threshold for all labels whose mean number of labels is nearest to a given one.

    Parameters
    ----------
    y_score : array-like of shape (n_samples, n_labels)
        Scores, comparable between labels.
    cardinality : float
        Mean number of labels of a sample, such as that in training.

    Returns
    -------
    threshold : float
        Predict a label where its score is at least this; midway between two scores, infinite where
        it is nearest to predict none. Of two that are equally near, the higher one.

    References
    ----------
    .. [1] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
       classification", Machine Learning 85(3), 2011.

    Examples
    --------
    >>> from skrecall.threshold import cardinality_threshold
    >>> cardinality_threshold([[0.1, 0.75, 0.3], [0.9, 0.25, 0.1]], 1.5)
    0.275
    """
    y_score = _check_scores(y_score)
    wanted = cardinality * len(y_score)
    rank = min(max(math.ceil(wanted), 1), y_score.size)
    tied = np.partition(y_score, y_score.size - rank, axis=None)[y_score.size - rank]
    n_above, n_from = np.count_nonzero(y_score > tied), np.count_nonzero(y_score >= tied)
    if abs(n_above - wanted) <= abs(n_from - wanted):
        upper, lower = np.min(y_score, where=y_score > tied, initial=np.inf), tied
    else:
        upper, lower = tied, np.max(y_score, where=y_score < tied, initial=-np.inf)
    if np.isinf(upper):
        return math.inf
    if np.isinf(lower):
        lower = upper - max(abs(float(upper)), 1.0) * 1e-6
    middle = float(lower) / 2 + float(upper) / 2
    return middle if lower < middle < upper else float(upper)
