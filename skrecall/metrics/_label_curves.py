"""The exact operating curve of every label, or of all cells together."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, issparse

from skrecall.utils._checks import check_option
from skrecall.utils._indicator import UNKNOWN, label_column

from ._cells import check_label_scores, dense_rows
from ._operating_curve import OperatingCurve, curve_from_positive


def label_operating_curves(
    y_true: Any,
    y_score: Any,
    *,
    average: Literal["micro"] | None = None,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Compute the exact operating curve of every label, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_score : array-like or DataFrame of shape (n_samples, n_labels)
        Scores; greater means more likely.
    average : {"micro"} or None, default=None
        None: one curve per label; "micro": that of all cells together under one threshold, which
        compares the scores of different labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    curves : list of OperatingCurve or OperatingCurve
        In the order of the labels. The recall of a label without a known positive is NaN.

    Raises
    ------
    ValueError
        If `y_true` is no indicator, shapes differ, or a score is NaN or infinite.

    See Also
    --------
    operating_curve : Of one label.

    Examples
    --------
    >>> from skrecall.metrics import label_operating_curves
    >>> Y, scores = [[1, 0], [0, 1], [1, 1]], [[.9, .1], [.6, .4], [.5, .8]]
    >>> [curve.recall.tolist() for curve in label_operating_curves(Y, scores)]
    [[0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0]]
    >>> label_operating_curves(Y, scores, average="micro").n_positives
    4
    """
    Y, S, weight = check_label_scores(y_true, y_score, sample_weight)
    if average is not None:
        check_option(average, ("micro",), name="average")
        y = dense_rows(Y, slice(None)).ravel()
        w = None if weight is None else np.repeat(weight, S.shape[1])
        return curve_of_known(y, S.ravel(), w)
    columns = csc_array(Y) if issparse(Y) else Y
    return [
        curve_of_known(label_column(columns, label), S[:, label], weight)
        for label in range(S.shape[1])
    ]


def curve_of_known(
    y: NDArray, y_score: NDArray, weight: NDArray[np.float64] | None, *, pos_label: int = 1
) -> OperatingCurve:
    """Return the operating curve of the rows whose label is known.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1, 0 or unknown.
    y_score : ndarray of shape (n_samples,)
        Scores.
    weight : ndarray of shape (n_samples,) or None
        Weights of the samples.
    pos_label : int, default=1
        What the curve calls its positives.

    Returns
    -------
    curve : OperatingCurve
        With no point of a threshold where no label is known.
    """
    known = y != UNKNOWN
    return curve_from_positive(
        y[known] == 1,
        y_score[known].astype(np.float64),
        weight=None if weight is None else weight[known],
        pos_label=pos_label,
    )
