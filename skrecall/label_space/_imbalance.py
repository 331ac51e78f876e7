"""How uneven the labels are, and whether rare ones occur with frequent ones.

A label without positives has no imbalance ratio: it is NaN and left out of the means.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in multilabel
   classification: measures and random resampling algorithms", Neurocomputing 163, 2015.
.. [2] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Dealing with difficult minority labels
   in imbalanced multilabel data sets", Neurocomputing 326-327, 2019.
.. [3] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "On the impact of dataset complexity
   and sampling strategy in multilabel classifiers performance", HAIS 2016.
"""

import math
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrecall.utils._checks import check_count, check_option
from skrecall.utils._indicator import check_indicator, count_values

from ._label_sets import check_has_rows, group_rows


def imbalance_ratio_per_label(Y: Any) -> NDArray[np.float64]:
    """Return how many times more often the most frequent label occurs than each (IRLbl) [1]_.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    imbalance_ratio : ndarray of shape (n_labels,)
        1 or more; NaN for a label without positives.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in
       multilabel classification: measures and random resampling algorithms", Neurocomputing 163,
       2015.

    Examples
    --------
    >>> from skrecall.label_space import imbalance_ratio_per_label
    >>> imbalance_ratio_per_label([[1, 1, 0], [1, 0, 0]])
    array([ 1.,  2., nan])
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    return imbalance_of_counts(count_values(Y, 1))


def mean_imbalance_ratio(Y: Any) -> float:
    """Return the mean imbalance ratio of the labels that occur (MeanIR) [1]_.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    mean : float
        1 for labels that are equally frequent; NaN if none occurs.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in
       multilabel classification: measures and random resampling algorithms", Neurocomputing 163,
       2015.

    Examples
    --------
    >>> from skrecall.label_space import mean_imbalance_ratio
    >>> mean_imbalance_ratio([[1, 1, 0], [1, 0, 0]])
    1.5
    """
    ratio = imbalance_ratio_per_label(Y)
    ratio = ratio[~np.isnan(ratio)]
    return float(ratio.mean()) if len(ratio) else math.nan


def imbalance_ratio_cv(Y: Any) -> float:
    """Return the coefficient of variation of the labels' imbalance ratios (CVIR) [1]_.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    variation : float
        Standard deviation over the labels that occur, with one degree of freedom less, divided by
        their mean; NaN if fewer than two occur.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Addressing imbalance in
       multilabel classification: measures and random resampling algorithms", Neurocomputing 163,
       2015.

    Examples
    --------
    >>> from skrecall.label_space import imbalance_ratio_cv
    >>> round(imbalance_ratio_cv([[1, 1, 0], [1, 0, 0]]), 4)
    0.4714
    """
    ratio = imbalance_ratio_per_label(Y)
    ratio = ratio[~np.isnan(ratio)]
    return float(ratio.std(ddof=1) / ratio.mean()) if len(ratio) > 1 else math.nan


def scumble(
    Y: Any, *, per: Literal["data", "sample", "label"] = "data"
) -> float | NDArray[np.float64]:
    """Return how far rare and frequent labels occur in the same rows (SCUMBLE) [1]_.

    That of a row is one less the geometric mean of its labels' imbalance ratios over their
    arithmetic mean: 0 for labels that are equally frequent, near 1 for a very rare one beside very
    frequent ones. Over-sampling a row of the second kind repeats the frequent labels too.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    per : {"data", "sample", "label"}, default="data"
        "sample": of each row, 0 where it has no label. "label": the mean over the rows of each
        label. "data": the mean over all rows, those without labels included.

    Returns
    -------
    scumble : float or ndarray of shape (n_samples,) or (n_labels,)
        Between 0 and 1; NaN for a label without positives.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "Dealing with difficult minority
       labels in imbalanced multilabel data sets", Neurocomputing 326-327, 2019.

    Examples
    --------
    >>> from skrecall.label_space import scumble
    >>> Y = [[1, 1], [1, 0], [1, 0], [1, 0]]
    >>> scumble(Y, per="sample").round(3), round(scumble(Y), 3)
    (array([0.2, 0. , 0. , 0. ]), 0.05)
    """
    check_option(per, ("data", "sample", "label"), name="per")
    Y, _ = check_indicator(Y, accept_sparse=True)
    counts = count_values(Y, 1)
    of_rows = _scumble_of_rows(csr_array(Y), imbalance_of_counts(counts))
    if per == "sample":
        return of_rows
    if per == "label":
        total = np.asarray(Y.T @ of_rows)
        return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    check_has_rows(Y)
    return float(of_rows.mean())


def theoretical_complexity_score(Y: Any, n_features: int) -> float:
    """Return the theoretical complexity score of a data set (TCS) [1]_.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    n_features : int
        Number of features, before any encoding.

    Returns
    -------
    score : float
        Natural logarithm of features times labels times distinct sets of labels.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "On the impact of dataset
       complexity and sampling strategy in multilabel classifiers performance", HAIS 2016.

    Examples
    --------
    >>> from skrecall.label_space import theoretical_complexity_score
    >>> round(theoretical_complexity_score([[1, 0], [0, 1], [1, 1]], n_features=10), 3)
    4.094
    """
    check_count(n_features, name="n_features")
    Y, _ = check_indicator(Y, accept_sparse=True)
    check_has_rows(Y)
    return math.log(n_features * Y.shape[1] * len(group_rows(Y)[0]))


def label_report(Y: Any) -> pd.DataFrame:
    """Return the counts and the imbalance of every label.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    report : DataFrame of shape (n_labels, 4)
        Columns "count", "share", "imbalance_ratio" and "scumble"; one row per label, named as the
        columns of a DataFrame `Y`.

    Examples
    --------
    >>> from skrecall.label_space import label_report
    >>> label_report([[1, 1], [1, 0], [1, 0], [1, 0]])
           count  share  imbalance_ratio  scumble
    label
    0          4   1.00              1.0     0.05
    1          1   0.25              4.0     0.20
    """
    Y, container = check_indicator(Y, accept_sparse=True)
    check_has_rows(Y)
    counts = count_values(Y, 1)
    names = np.arange(Y.shape[1]) if container.label_names is None else container.label_names
    return pd.DataFrame(
        {
            "count": counts,
            "share": counts / Y.shape[0],
            "imbalance_ratio": imbalance_of_counts(counts),
            "scumble": scumble(Y, per="label"),
        },
        index=pd.Index(names, name="label"),
    )


def label_space_summary(Y: Any, n_features: int | None = None) -> pd.Series:
    """Return the usual measures of a multi-label target.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    n_features : int, default=None
        Number of features, before any encoding; None leaves the complexity score out.

    Returns
    -------
    summary : Series
        Samples, labels, labels without positives, cardinality, density, distinct label sets, those
        of one row, mean and variation of the imbalance ratios, SCUMBLE, and the complexity score.

    Examples
    --------
    >>> from skrecall.label_space import label_space_summary
    >>> label_space_summary([[1, 1], [1, 0], [1, 0], [1, 0]], n_features=3).round(3)
    n_samples                       4.000
    n_labels                        2.000
    n_labels_without_positives      0.000
    cardinality                     1.250
    density                         0.625
    n_label_sets                    2.000
    n_single_label_sets             1.000
    mean_imbalance_ratio            2.500
    imbalance_ratio_cv              0.849
    scumble                         0.050
    theoretical_complexity_score    2.485
    dtype: float64
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    check_has_rows(Y)
    n_samples, n_labels = Y.shape
    counts = count_values(Y, 1)
    of_sets = group_rows(Y)[2]
    summary = {
        "n_samples": n_samples,
        "n_labels": n_labels,
        "n_labels_without_positives": np.sum(counts == 0),
        "cardinality": counts.sum() / n_samples,
        "density": counts.sum() / n_samples / n_labels,
        "n_label_sets": len(of_sets),
        "n_single_label_sets": np.sum(of_sets == 1),
        "mean_imbalance_ratio": mean_imbalance_ratio(Y),
        "imbalance_ratio_cv": imbalance_ratio_cv(Y),
        "scumble": scumble(Y),
    }
    if n_features is not None:
        summary["theoretical_complexity_score"] = theoretical_complexity_score(Y, n_features)
    return pd.Series(summary, dtype=np.float64)


def imbalance_of_counts(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the imbalance ratio of labels from their counts.

    Parameters
    ----------
    counts : ndarray of shape (n_labels,)
        Positives of each label.

    Returns
    -------
    imbalance_ratio : ndarray of shape (n_labels,)
        1 or more; NaN for a label without positives.
    """
    return np.where(counts > 0, counts.max(initial=0) / np.maximum(counts, 1), np.nan)


def _scumble_of_rows(Y: csr_array, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return SCUMBLE per row; the geometric mean is one of logarithms, which cannot overflow."""
    ratio = np.nan_to_num(ratio, nan=1.0)
    cardinality = np.maximum(np.diff(Y.indptr), 1)
    geometric = np.exp(Y @ np.log(ratio) / cardinality)
    arithmetic = np.maximum(Y @ ratio / cardinality, geometric)  # 0 for a row without labels
    return 1 - geometric / arithmetic
