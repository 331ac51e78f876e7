"""Measures of the label set of each sample, averaged over samples.

References
----------
.. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Mining multi-label data", Data Mining and Knowledge
   Discovery Handbook, 2nd ed., Springer, 2010.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._cells import CellCounts, check_beta, check_cells, count_cells, mean_of_rows
from ._masked_metrics import label_measure

ExampleMeasure = Literal["precision", "recall", "f_beta", "jaccard"]


def example_values(
    counts: CellCounts, measure: ExampleMeasure, *, beta: float = 1.0, empty: float = 1.0
) -> NDArray[np.float64]:
    """Return a measure of each sample from its counts.

    Parameters
    ----------
    counts : CellCounts
        Per sample.
    measure : {"precision", "recall", "f_beta", "jaccard"}
        Which one.
    beta : float, default=1.0
        Weight of recall in "f_beta".
    empty : float, default=1.0
        The value of a sample that has no label and is given none.

    Returns
    -------
    values : ndarray of shape (n_samples,)
        NaN for a sample whose labels are all unknown. Where only one of the two sets is empty, 0.
    """
    values = label_measure(counts, measure, beta=beta)
    values = np.where(counts.tp + counts.fp + counts.fn == 0, empty, values)
    return np.where(counts.n_known == 0, np.nan, values)


def _score(
    y_true: Any,
    y_pred: Any,
    measure: ExampleMeasure,
    sample_weight: ArrayLike | None,
    *,
    beta: float = 1.0,
    empty: float = 1.0,
) -> float:
    Y, P, weight = check_cells(y_true, y_pred, sample_weight)
    counts = count_cells(Y, P, axis=1)
    return mean_of_rows(example_values(counts, measure, beta=beta, empty=empty), weight)


def example_precision(
    y_true: Any, y_pred: Any, *, empty: float = 1.0, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean share of a sample's predicted labels that are right.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown, which is not counted.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    empty : float, default=1.0
        The value of a sample that has no label and is given none, as in Mulan and MEKA; NaN leaves
        such samples out. A sample that has labels and is given none counts 0.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    precision : float
        NaN if no sample counts.

    Raises
    ------
    ValueError
        If one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> from skrecall.metrics import example_precision
    >>> example_precision([[1, 0, 1], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]])
    0.75
    """
    return _score(y_true, y_pred, "precision", sample_weight, empty=empty)


def example_recall(
    y_true: Any, y_pred: Any, *, empty: float = 1.0, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean share of a sample's labels that are found.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown, which is not counted.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    empty : float, default=1.0
        The value of a sample that has no label and is given none, as in Mulan and MEKA; NaN leaves
        such samples out. A sample that has no label and is given some counts 0.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    recall : float
        NaN if no sample counts.

    Raises
    ------
    ValueError
        If one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> from skrecall.metrics import example_recall
    >>> example_recall([[1, 0, 1], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]], empty=0.0)
    0.25
    """
    return _score(y_true, y_pred, "recall", sample_weight, empty=empty)


def example_fbeta(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float = 1.0,
    empty: float = 1.0,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean F-beta of the samples' label sets.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown, which is not counted.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    beta : float, default=1.0
        Weight of recall: 2 counts it as four times precision.
    empty : float, default=1.0
        The value of a sample that has no label and is given none, as in Mulan and MEKA;
        scikit-learn's default is 0, its ``zero_division``. NaN leaves such samples out.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    f_beta : float
        NaN if no sample counts.

    Raises
    ------
    ValueError
        If `beta` is negative, one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> from skrecall.metrics import example_fbeta
    >>> example_fbeta([[1, 0, 1], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]])
    0.75
    """
    check_beta(beta)
    return _score(y_true, y_pred, "f_beta", sample_weight, beta=beta, empty=empty)


def example_jaccard(
    y_true: Any, y_pred: Any, *, empty: float = 1.0, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean Jaccard index of the samples' label sets, "accuracy" in Mulan and MEKA.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown, which is not counted.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    empty : float, default=1.0
        The value of a sample that has no label and is given none, as in Mulan and MEKA;
        scikit-learn's default is 0, its ``zero_division``. NaN leaves such samples out.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    jaccard : float
        Size of the intersection over that of the union; NaN if no sample counts.

    Raises
    ------
    ValueError
        If one argument is no indicator, or shapes differ.

    Examples
    --------
    >>> from skrecall.metrics import example_jaccard
    >>> example_jaccard([[1, 0, 1], [0, 1, 0]], [[1, 1, 0], [0, 1, 0]])
    0.666...
    """
    return _score(y_true, y_pred, "jaccard", sample_weight, empty=empty)
