"""Measures at k in which rare labels count more, for data that lack true labels.

References
----------
.. [1] H. Jain, Y. Prabhu, M. Varma, "Extreme multi-label loss functions for recommendation,
   tagging, ranking and other missing label applications", KDD 2016.
"""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.utils import check_array

from skrecall.utils._indicator import Indicator, check_indicator, count_values

from ._cells import mean_of_rows
from ._retrieval import MISSING, discounts, top_hits, top_labels


def label_propensity(Y: Any, *, a: float = 0.55, b: float = 1.5) -> NDArray[np.float64]:
    """Return the modelled chance that a label, where it is true, was recorded [1]_.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator of the training samples.
    a : float, default=0.55
        Exponent of the model; 0.5 was fitted to Wikipedia's data, 0.6 to Amazon's.
    b : float, default=1.5
        Offset of the counts; 0.4 was fitted to Wikipedia's data, 2.6 to Amazon's.

    Returns
    -------
    propensity : ndarray of shape (n_labels,)
        ``1 / (1 + c * (count + b) ** -a)`` with ``c = (log(n_samples) - 1) * (b + 1) ** a``: rare
        labels are missed most often.

    Raises
    ------
    ValueError
        If there are fewer than three samples, `b` is not positive, or `Y` is no indicator.

    Notes
    -----
    It is a model of how labels go missing in two collections, not a measurement of yours.

    References
    ----------
    .. [1] H. Jain, Y. Prabhu, M. Varma, "Extreme multi-label loss functions for recommendation,
       tagging, ranking and other missing label applications", KDD 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import label_propensity
    >>> Y = np.arange(1000)[:, None] < [1, 10, 500]
    >>> label_propensity(Y).round(2)
    array([0.14, 0.28, 0.76])
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    if Y.shape[0] < 3:
        raise ValueError(
            f"Y has {Y.shape[0]} samples: the model takes log(n_samples) - 1, which needs three or "
            "more."
        )
    if not (isinstance(b, Real) and b > 0):
        raise ValueError(f"b={b!r} must be a positive number.")
    c = (np.log(Y.shape[0]) - 1) * (b + 1) ** a
    return 1 / (1 + c * (count_values(Y, 1) + b) ** -a)


def _propensity_scored(
    y_true: Any,
    y_score: Any,
    k: int,
    propensity: ArrayLike,
    normalize: bool,
    sample_weight: ArrayLike | None,
    *,
    discounted: bool,
) -> float:
    Y, top, hits, n_labels, weight = top_hits(y_true, y_score, k, sample_weight)
    propensity = check_array(propensity, ensure_2d=False, dtype=np.float64, input_name="propensity")
    if propensity.shape != (Y.shape[1],) or not np.all((propensity > 0) & (propensity <= 1)):
        raise ValueError(
            f"propensity has shape {propensity.shape}: give one number in (0, 1] per label, of "
            f"which there are {Y.shape[1]}, such as label_propensity(Y_train)."
        )
    gain = 1 / propensity
    place, norm = np.ones(k), np.full(len(top), float(k))
    if discounted:
        place = discounts(k)
        norm = np.cumsum(place)[np.clip(n_labels, 1, k) - 1]
    value = mean_of_rows((hits * gain[top]) @ place / norm, weight)
    if not normalize:
        return value
    best = mean_of_rows(_greatest_gains(Y, gain, k) @ place / norm, weight)
    return value / best if best > 0 else float("nan")


def _greatest_gains(Y: Indicator, gain: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the `k` greatest gains of each sample's own labels, 0 where there are fewer."""
    Y = csr_array(Y)
    own = csr_array((gain[Y.indices], Y.indices, Y.indptr), shape=Y.shape)
    top = top_labels(own, k)
    return np.where(top == MISSING, 0.0, gain[top])


def propensity_scored_precision_at_k(
    y_true: Any,
    y_score: Any,
    *,
    k: int,
    propensity: ArrayLike,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return precision at `k` in which a right label counts one over its propensity [1]_.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely. Of equal ones the first label is taken. What a sparse
        array does not store is never among the best, even where that leaves fewer than `k`.
    k : int
        How many labels to look at.
    propensity : array-like of shape (n_labels,)
        Chance that a true label was recorded, such as `label_propensity` of the training labels.
    normalize : bool, default=True
        Whether to divide by the value of the best ranking of the same samples, as published
        results are; without it the value may exceed 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    precision : float
        In [0, 1] if normalised; NaN if then no sample has a label.

    Raises
    ------
    ValueError
        If `k` is no number of labels, `propensity` not one per label, `y_true` no indicator, or
        shapes differ.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    References
    ----------
    .. [1] H. Jain, Y. Prabhu, M. Varma, "Extreme multi-label loss functions for recommendation,
       tagging, ranking and other missing label applications", KDD 2016.

    Examples
    --------
    >>> from skrecall.metrics import propensity_scored_precision_at_k
    >>> Y, scores = [[1, 0, 1], [0, 1, 0]], [[.9, .2, .4], [.8, .6, .1]]
    >>> propensity_scored_precision_at_k(Y, scores, k=1, propensity=[1, 0.5, 0.5])
    0.25
    """
    return _propensity_scored(
        y_true, y_score, k, propensity, normalize, sample_weight, discounted=False
    )


def propensity_scored_ndcg_at_k(
    y_true: Any,
    y_score: Any,
    *,
    k: int,
    propensity: ArrayLike,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return nDCG at `k` in which a right label gains one over its propensity [1]_.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely. Of equal ones the first label is taken. What a sparse
        array does not store is never among the best, even where that leaves fewer than `k`.
    k : int
        How many labels to look at.
    propensity : array-like of shape (n_labels,)
        Chance that a true label was recorded, such as `label_propensity` of the training labels.
    normalize : bool, default=True
        Whether to divide by the value of the best ranking of the same samples, as published
        results are; without it the value may exceed 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    ndcg : float
        In [0, 1] if normalised; NaN if then no sample has a label.

    Raises
    ------
    ValueError
        If `k` is no number of labels, `propensity` not one per label, `y_true` no indicator, or
        shapes differ.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    Notes
    -----
    The gain of a sample is divided by the sum of as many discounts as it has labels, `k` at most,
    as in `label_ndcg_at_k`. The formula of [1]_ takes `k` of them for every sample: values agree
    where all samples have `k` labels or more.

    References
    ----------
    .. [1] H. Jain, Y. Prabhu, M. Varma, "Extreme multi-label loss functions for recommendation,
       tagging, ranking and other missing label applications", KDD 2016.

    Examples
    --------
    >>> from skrecall.metrics import propensity_scored_ndcg_at_k
    >>> Y, scores = [[1, 0, 1], [0, 1, 0]], [[.9, .2, .4], [.8, .6, .1]]
    >>> propensity_scored_ndcg_at_k(Y, scores, k=1, propensity=[1, 0.5, 0.5])
    0.25
    """
    return _propensity_scored(
        y_true, y_score, k, propensity, normalize, sample_weight, discounted=True
    )
