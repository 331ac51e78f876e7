"""Measures of how each sample ranks its labels; unknown labels are not ranked.

References
----------
.. [1] K. Crammer, Y. Singer, "A family of additive online algorithms for category ranking", Journal
   of Machine Learning Research 3, 2003.
.. [2] R. E. Schapire, Y. Singer, "BoosTexter: a boosting-based system for text categorization",
   Machine Learning 39, 2000.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import UNKNOWN, Indicator

from ._cells import check_label_scores, dense_rows, mean_of_rows


def warn_of_hard_scores(S: Any, *, stacklevel: int = 3) -> None:
    """Warn if scores are decisions, whose ranks are ties.

    Parameters
    ----------
    S : ndarray of shape (n_samples, n_labels)
        Scores.
    stacklevel : int, default=3
        Of the warning.
    """
    for rows in row_blocks(*S.shape):
        if not np.all((S[rows] == 0) | (S[rows] == 1)):
            return
    warnings.warn(
        "y_score holds 0 and 1 alone: these look like decisions, which leave the order of labels "
        "to ties, so that a ranking measure says little. Pass predict_proba(X) or "
        "decision_function(X).",
        stacklevel=stacklevel,
    )


def rank_rows(Y: Indicator, S: NDArray) -> dict[str, NDArray[np.float64]]:
    """Return the ranking measures of each sample, in one sort of its labels.

    Parameters
    ----------
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Labels; -1 where unknown.
    S : ndarray of shape (n_samples, n_labels)
        Finite scores.

    Returns
    -------
    measures : dict of ndarray of shape (n_samples,)
        "one_error" (NaN without a label), "is_error", "coverage" (0-based; 0 without a label),
        "ranking_loss" (0 without a pair), "label_ranking_average_precision" (1 without a pair).
        All are NaN for a sample without a known label. Ties count against the ranking.
    """
    parts = []
    for rows in row_blocks(*S.shape):
        y, s = dense_rows(Y, rows), S[rows]
        parts.append(_rank_block(y, np.where(y == UNKNOWN, -np.inf, s)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rank_block(y: NDArray[np.int8], s: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    order = np.argsort(-s, axis=1)
    s_sorted = np.take_along_axis(s, order, axis=1)
    positive = np.take_along_axis(y, order, axis=1) == 1
    # every label takes the rank of the last one of its score
    columns = np.arange(s.shape[1])
    is_last = np.ones(s.shape, dtype=bool)
    is_last[:, :-1] = s_sorted[:, 1:] != s_sorted[:, :-1]
    last = np.where(is_last, columns, s.shape[1])
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    n_above = last + 1  # labels of its score or a higher one
    n_pos_above = np.take_along_axis(np.cumsum(positive, axis=1), last, axis=1)
    n_pos = positive.sum(axis=1)
    n_known = (y != UNKNOWN).sum(axis=1)
    n_pairs = n_pos * (n_known - n_pos)
    wrong_pairs = np.where(positive, n_above - n_pos_above, 0).sum(axis=1)
    precision = np.where(positive, n_pos_above / n_above, 0).sum(axis=1) / np.maximum(n_pos, 1)
    measures = {
        "one_error": _top_is_wrong(y, s),
        "is_error": (wrong_pairs > 0).astype(np.float64),
        "coverage": np.where(positive, last, 0).max(axis=1).astype(np.float64),
        "ranking_loss": wrong_pairs / np.maximum(n_pairs, 1),
        "label_ranking_average_precision": np.where(n_pairs > 0, precision, 1.0),
    }
    return {name: np.where(n_known > 0, value, np.nan) for name, value in measures.items()}


def _top_is_wrong(y: NDArray[np.int8], s: NDArray[np.float64]) -> NDArray[np.float64]:
    top = np.take_along_axis(y, s.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    return np.where((y == 1).any(axis=1), top != 1, np.nan)


def one_error(y_true: Any, y_score: Any, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the share of samples whose label of highest score is wrong [1]_.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown, which is not ranked.
    y_score : array-like or DataFrame of shape (n_samples, n_labels)
        Scores; greater means more likely. Of equal ones the first label counts.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    error : float
        In [0, 1], less is better; over the samples that have a label.

    Raises
    ------
    ValueError
        If no sample has a label, `y_true` is no indicator, shapes differ, or a score is NaN or
        infinite.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    References
    ----------
    .. [1] R. E. Schapire, Y. Singer, "BoosTexter: a boosting-based system for text categorization",
       Machine Learning 39, 2000.

    Examples
    --------
    >>> from skrecall.metrics import one_error
    >>> one_error([[1, 0, 1], [0, 1, 0], [0, 0, 0]], [[.9, .2, .4], [.8, .6, .1], [.2, .1, .3]])
    0.5
    """
    Y, S, weight = check_label_scores(y_true, y_score, sample_weight)
    warn_of_hard_scores(S)
    values = np.empty(len(S))
    for rows in row_blocks(*S.shape):
        y = dense_rows(Y, rows)
        values[rows] = _top_is_wrong(y, np.where(y == UNKNOWN, -np.inf, S[rows]))
    error = mean_of_rows(values, weight)
    if np.isnan(error):
        raise ValueError(
            f"None of the {len(S)} samples has a label: one-error counts those that have one."
        )
    return error


def is_error(y_true: Any, y_score: Any, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the share of samples that do not rank all their labels above all others [1]_.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown, which is not ranked.
    y_score : array-like or DataFrame of shape (n_samples, n_labels)
        Scores; greater means more likely. A label that ties with a wrong one is an error.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    error : float
        In [0, 1], less is better: the share of samples whose ranking loss is above 0. Samples with
        no label, or all, count as right.

    Raises
    ------
    ValueError
        If no label is known, `y_true` is no indicator, shapes differ, or a score is NaN or
        infinite.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    References
    ----------
    .. [1] K. Crammer, Y. Singer, "A family of additive online algorithms for category ranking",
       Journal of Machine Learning Research 3, 2003.

    Examples
    --------
    >>> from skrecall.metrics import is_error
    >>> is_error([[1, 0, 1], [0, 1, 0]], [[.9, .2, .4], [.8, .6, .1]])
    0.5
    """
    Y, S, weight = check_label_scores(y_true, y_score, sample_weight)
    warn_of_hard_scores(S)
    values = np.empty(len(S))
    for rows in row_blocks(*S.shape):
        y, s = dense_rows(Y, rows), S[rows]
        least = np.where(y == 1, s, np.inf).min(axis=1)
        most = np.where(y == 0, s, -np.inf).max(axis=1)
        values[rows] = np.where((y == UNKNOWN).all(axis=1), np.nan, least <= most)
    error = mean_of_rows(values, weight)
    if np.isnan(error):
        raise ValueError("No label of y_true is known: there is nothing to rank.")
    return error
