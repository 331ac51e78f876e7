"""Measures of decisions per label, in which an unknown label of a sample is not counted.

With all labels known they are scikit-learn's, and read sparse indicators without making them dense.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrecall.utils._checks import check_option

from ._cells import (
    AVERAGES,
    Average,
    CellCounts,
    check_beta,
    check_cells,
    count_cells,
    mean_of_rows,
)

Measure = Literal["precision", "recall", "f_beta", "g_mean", "jaccard", "specificity"]


def label_measure(
    counts: CellCounts, measure: Measure, *, beta: float = 1.0, zero_division: float = 0.0
) -> NDArray[np.float64]:
    """Return a measure of each label, or sample, from its counts.

    Parameters
    ----------
    counts : CellCounts
        Per label, or per sample.
    measure : {"precision", "recall", "f_beta", "g_mean", "jaccard", "specificity"}
        Which one.
    beta : float, default=1.0
        Weight of recall in "f_beta".
    zero_division : float, default=0.0
        What 0 / 0 is, NaN included.

    Returns
    -------
    values : ndarray of shape (n_labels,) or (n_samples,)
        One per count.
    """
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    if measure == "precision":
        return _ratio(tp, tp + fp, zero_division)
    if measure == "recall":
        return _ratio(tp, tp + fn, zero_division)
    if measure == "specificity":
        return _ratio(tn, tn + fp, zero_division)
    if measure == "jaccard":
        return _ratio(tp, tp + fp + fn, zero_division)
    if measure == "g_mean":
        return np.sqrt(_ratio(tp, tp + fn, zero_division) * _ratio(tn, tn + fp, zero_division))
    return _ratio((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp, zero_division)


def _ratio(numerator: NDArray, denominator: NDArray, zero_division: float) -> NDArray[np.float64]:
    there = denominator > 0
    return np.where(there, numerator / np.where(there, denominator, 1), zero_division)


def average_measure(
    counts: CellCounts,
    measure: Measure,
    average: Average,
    *,
    beta: float = 1.0,
    zero_division: float = 0.0,
) -> Any:
    """Return a measure of all labels: its mean, that of the pooled counts, or one per label.

    Parameters
    ----------
    counts : CellCounts
        Per label.
    measure : {"precision", "recall", "f_beta", "g_mean", "specificity"}
        Which one.
    average : {"macro", "macro_positive", "micro"} or None
        As in `masked_recall_score`.
    beta, zero_division : float
        As in `label_measure`.

    Returns
    -------
    value : float or ndarray of shape (n_labels,)
        NaN where there is nothing to average.
    """
    if average is not None:
        check_option(average, AVERAGES, name="average")
    if average == "micro":
        counts = counts.pooled()
    elif average == "macro_positive":
        counts = counts.subset(counts.n_positives > 0)
    values = label_measure(counts, measure, beta=beta, zero_division=zero_division)
    return values if average is None else mean_of_rows(values, None)


def _label_counts(y_true: Any, y_pred: Any, sample_weight: ArrayLike | None) -> CellCounts:
    Y, P, weight = check_cells(y_true, y_pred, sample_weight)
    return count_cells(Y, P, axis=0, weight=weight)


def masked_hamming_loss(
    y_true: Any, y_pred: Any, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the share of the known labels of all samples that are predicted wrong.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    loss : float
        In [0, 1], less is better; scikit-learn's ``hamming_loss`` with all labels known.

    Raises
    ------
    ValueError
        If no label is known, one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import masked_hamming_loss
    >>> masked_hamming_loss([[1, 0, np.nan], [0, 1, 1]], [[1, 1, 1], [0, 1, 1]])
    0.2
    """
    counts = _label_counts(y_true, y_pred, sample_weight).pooled()
    if counts.n_known[0] == 0:
        raise ValueError("No label of y_true is known: there is nothing to count.")
    return float((counts.fp[0] + counts.fn[0]) / counts.n_known[0])


def masked_precision_score(
    y_true: Any,
    y_pred: Any,
    *,
    average: Average = "macro",
    zero_division: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return precision over labels, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    average : {"macro", "macro_positive", "micro"} or None, default="macro"
        "macro": the mean over all labels; "macro_positive": over labels with a known positive;
        "micro": of all cells together; None: one value per label.
    zero_division : float, default=0.0
        The value of a label that is never predicted; NaN leaves it out of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    precision : float or ndarray of shape (n_labels,)
        In [0, 1]; scikit-learn's ``precision_score`` with all labels known.

    Raises
    ------
    ValueError
        If one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import masked_precision_score
    >>> masked_precision_score([[1, 0], [0, np.nan], [0, 1]], [[1, 1], [1, 1], [0, 1]])
    0.5
    """
    counts = _label_counts(y_true, y_pred, sample_weight)
    return average_measure(counts, "precision", average, zero_division=zero_division)


def masked_recall_score(
    y_true: Any,
    y_pred: Any,
    *,
    average: Average = "macro",
    zero_division: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return recall over labels, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    average : {"macro", "macro_positive", "micro"} or None, default="macro"
        "macro": the mean over all labels; "macro_positive": over labels with a known positive;
        "micro": of all cells together; None: one value per label.
    zero_division : float, default=0.0
        The value of a label without a known positive; NaN leaves it out of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    recall : float or ndarray of shape (n_labels,)
        In [0, 1]; scikit-learn's ``recall_score`` with all labels known.

    Raises
    ------
    ValueError
        If one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import masked_recall_score
    >>> masked_recall_score([[1, 1], [1, np.nan], [0, 1]], [[1, 1], [0, 0], [0, 1]])
    0.75
    """
    counts = _label_counts(y_true, y_pred, sample_weight)
    return average_measure(counts, "recall", average, zero_division=zero_division)


def masked_fbeta_score(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float = 1.0,
    average: Average = "macro",
    zero_division: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return F-beta over labels, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    beta : float, default=1.0
        Weight of recall: 2 counts it as four times precision.
    average : {"macro", "macro_positive", "micro"} or None, default="macro"
        "macro": the mean over all labels; "macro_positive": over labels with a known positive;
        "micro": of all cells together; None: one value per label.
    zero_division : float, default=0.0
        The value of a label that has no known positive and is never predicted; NaN leaves it out
        of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    f_beta : float or ndarray of shape (n_labels,)
        In [0, 1]; scikit-learn's ``fbeta_score`` with all labels known.

    Raises
    ------
    ValueError
        If `beta` is negative, one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import masked_fbeta_score
    >>> masked_fbeta_score([[1, 1], [0, np.nan], [0, 1]], [[1, 1], [0, 0], [0, 1]])
    1.0
    """
    check_beta(beta)
    counts = _label_counts(y_true, y_pred, sample_weight)
    return average_measure(counts, "f_beta", average, beta=beta, zero_division=zero_division)


def multilabel_g_mean(
    y_true: Any,
    y_pred: Any,
    *,
    average: Average = "macro",
    zero_division: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return the geometric mean of recall and specificity over labels, unknown ones not counted.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    average : {"macro", "macro_positive", "micro"} or None, default="macro"
        "macro": the mean over all labels; "macro_positive": over labels with a known positive;
        "micro": of all cells together; None: one value per label.
    zero_division : float, default=0.0
        The recall of a label without a known positive, and the specificity of one without a known
        negative; NaN leaves the label out of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    g_mean : float or ndarray of shape (n_labels,)
        In [0, 1]; 0 for a label that is never or always predicted.

    Raises
    ------
    ValueError
        If one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> from skrecall.metrics import multilabel_g_mean
    >>> multilabel_g_mean([[1, 0], [0, 1], [0, 0]], [[1, 0], [0, 0], [0, 0]])
    0.5
    """
    counts = _label_counts(y_true, y_pred, sample_weight)
    return average_measure(counts, "g_mean", average, zero_division=zero_division)
