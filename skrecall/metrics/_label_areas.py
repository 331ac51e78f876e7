"""Areas under the curves of each label and of all cells, in which unknown labels are not counted.

Only the scores of the positives are sorted; those of the negatives are read once, block by block.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, issparse

from skrecall.utils._blocks import row_blocks
from skrecall.utils._checks import check_option
from skrecall.utils._indicator import Indicator

from ._cells import check_label_scores, dense_rows, mean_of_rows

Block = tuple[NDArray, NDArray[np.float64] | None]  # scores and weights
AreaAverage = Literal["macro", "micro"] | None


def ranking_areas(
    pos_score: NDArray, pos_weight: NDArray[np.float64] | None, negatives: Iterable[Block]
) -> tuple[float, float]:
    """Return the area under the ROC curve and the average precision.

    Parameters
    ----------
    pos_score : ndarray of shape (n_positives,)
        Scores of the positives.
    pos_weight : ndarray of shape (n_positives,) or None
        Their weights.
    negatives : iterable of tuple of (ndarray, ndarray or None)
        Scores of the negatives and their weights, in blocks.

    Returns
    -------
    roc_auc, average_precision : float
        NaN without a positive, and the first without a negative.
    """
    if len(pos_score) == 0:
        return float("nan"), float("nan")
    levels, at_level = np.unique(pos_score, return_inverse=True)
    at_score = np.bincount(at_level, weights=pos_weight)
    upto = np.concatenate([[0], np.cumsum(at_score)])  # positives in the lowest 0, 1, ... levels
    n_upto = np.zeros(len(levels) + 1)  # negatives that reach 0, 1, ... levels
    n_above = np.zeros(len(levels) + 1)  # negatives that exceed 0, 1, ... levels
    for score, weight in negatives:
        if weight is None:
            score = np.sort(score)  # neighbours are then found beside each other, and fast
        else:
            order = np.argsort(score)
            score, weight = score[order], weight[order]
        reached = np.searchsorted(levels, score, side="right")
        ties = levels[np.maximum(reached - 1, 0)] == score
        n_upto += np.bincount(reached, weights=weight, minlength=len(n_upto))
        n_above += np.bincount(reached - ties, weights=weight, minlength=len(n_above))
    n_positives, n_negatives = upto[-1], n_upto.sum()
    roc_auc = float("nan")
    if n_negatives > 0:
        roc_auc = float(1 - (n_upto + n_above) @ upto / (2 * n_positives * n_negatives))
    tp = n_positives - upto[:-1]
    fp = n_negatives - np.cumsum(n_upto)[:-1]
    return roc_auc, float(at_score @ (tp / (tp + fp)) / n_positives)


def label_areas(
    Y: Indicator, S: NDArray, weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both areas of every label.

    Parameters
    ----------
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Labels; -1 where unknown.
    S : ndarray of shape (n_samples, n_labels)
        Finite scores.
    weight : ndarray of shape (n_samples,) or None
        Positive weights of the samples.

    Returns
    -------
    roc_auc, average_precision : ndarray of shape (n_labels,)
        NaN where there is none.
    """
    areas = np.empty((2, S.shape[1]))
    columns = csc_array(Y) if issparse(Y) else Y
    for labels in row_blocks(S.shape[1], S.shape[0], n_cells=2**22):
        y_block = np.ascontiguousarray(dense_columns(columns, labels).T)
        s_block = np.ascontiguousarray(S[:, labels].T)
        for label, (y, s) in enumerate(zip(y_block, s_block, strict=True), labels.start):
            pos, neg = y == 1, y == 0
            w_pos, w_neg = (None, None) if weight is None else (weight[pos], weight[neg])
            areas[:, label] = ranking_areas(s[pos], w_pos, [(s[neg], w_neg)])
    return areas[0], areas[1]


def dense_columns(Y: Indicator, labels: slice) -> NDArray[np.int8]:
    """Return some columns of an indicator as an array.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    labels : slice
        Which labels.

    Returns
    -------
    Y : ndarray of shape (n_samples, n_chosen)
        Those labels.
    """
    return Y[:, labels].toarray() if issparse(Y) else Y[:, labels]


def pooled_areas(
    Y: Indicator, S: NDArray, weight: NDArray[np.float64] | None
) -> tuple[float, float]:
    """Return both areas of all known cells together.

    Parameters
    ----------
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Labels; -1 where unknown.
    S : ndarray of shape (n_samples, n_labels)
        Finite scores.
    weight : ndarray of shape (n_samples,) or None
        Positive weights of the samples.

    Returns
    -------
    roc_auc, average_precision : float
        NaN where there is none.
    """

    def blocks(value: int) -> Iterator[Block]:
        for rows in row_blocks(*S.shape):
            found = dense_rows(Y, rows) == value
            w = None if weight is None else np.repeat(weight[rows], found.sum(axis=1))
            yield S[rows][found], w

    positives = list(blocks(1))
    pos_weight = (
        None if weight is None else np.concatenate([w for _, w in positives if w is not None])
    )
    return ranking_areas(np.concatenate([s for s, _ in positives]), pos_weight, blocks(0))


def _area(
    y_true: Any,
    y_score: Any,
    average: AreaAverage,
    sample_weight: ArrayLike | None,
    *,
    which: Literal[0, 1],
) -> Any:
    Y, S, weight = check_label_scores(y_true, y_score, sample_weight)
    if average is not None:
        check_option(average, ("macro", "micro"), name="average")
    if average == "micro":
        value = pooled_areas(Y, S, weight)[which]
    else:
        values = label_areas(Y, S, weight)[which]
        if average is None:
            return values
        value = mean_of_rows(values, None)
    if np.isnan(value):
        missing = "both a known positive and a known negative" if which == 0 else "a known positive"
        raise ValueError(f"None of the {S.shape[1]} labels has {missing}: there is no area.")
    return value


def masked_roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    average: AreaAverage = "macro",
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return the area under the ROC curve over labels, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_score : array-like or DataFrame of shape (n_samples, n_labels)
        Scores; greater means more likely.
    average : {"macro", "micro"} or None, default="macro"
        "macro": the mean over the labels that have a known positive and a known negative; "micro":
        of all cells together, which compares the scores of different labels; None: one value per
        label, NaN where there is none.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    roc_auc : float or ndarray of shape (n_labels,)
        Ties count one half; scikit-learn's ``roc_auc_score`` with all labels known.

    Raises
    ------
    ValueError
        If no label has both, `y_true` is no indicator, shapes differ, or a score is NaN or
        infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import masked_roc_auc_score
    >>> Y = [[1, 0], [0, 1], [np.nan, 0], [1, 0]]
    >>> masked_roc_auc_score(Y, [[.9, .2], [.5, .4], [.8, .6], [.4, .1]], average=None)
    array([0.5       , 0.66666667])
    """
    return _area(y_true, y_score, average, sample_weight, which=0)


def masked_average_precision_score(
    y_true: Any,
    y_score: Any,
    *,
    average: AreaAverage = "macro",
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return the average precision over labels, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_score : array-like or DataFrame of shape (n_samples, n_labels)
        Scores; greater means more likely.
    average : {"macro", "micro"} or None, default="macro"
        "macro": the mean over the labels that have a known positive (scikit-learn counts 0 for the
        others); "micro": of all cells together, which compares the scores of different labels;
        None: one value per label, NaN where there is none.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    average_precision : float or ndarray of shape (n_labels,)
        Mean precision over the positives, each at its own score; no interpolation.

    Raises
    ------
    ValueError
        If no label has a positive, `y_true` is no indicator, shapes differ, or a score is NaN or
        infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import masked_average_precision_score
    >>> Y = [[1, 0], [0, 1], [np.nan, 0], [1, 0]]
    >>> masked_average_precision_score(Y, [[.9, .2], [.5, .4], [.8, .6], [.4, .1]])
    0.666...
    """
    return _area(y_true, y_score, average, sample_weight, which=1)
