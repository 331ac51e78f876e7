"""One number from an operating curve: recall under a bound, areas, and maxima over all thresholds.

No value is interpolated between thresholds, except along the segments of the ROC curve whose area
is asked for: an operating point that no threshold reaches is not reported. Samples of equal score
are flagged together or not at all.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skrecall.utils._checks import check_share

from ._objectives import (
    MONOTONE_OBJECTIVES,
    OBJECTIVES,
    Objective,
    best_index,
    evaluate_constraint,
    evaluate_objective,
)
from ._operating_curve import OperatingCurve, operating_curve


def greatest(value: NDArray[np.float64], allowed: NDArray[np.bool_]) -> float:
    """Return the greatest value where allowed; 0 where nothing is.

    Parameters
    ----------
    value : ndarray of shape (n_thresholds,)
        Values in [0, 1] or NaN.
    allowed : ndarray of shape (n_thresholds,), dtype bool
        Which of them count.

    Returns
    -------
    greatest : float
        The greatest value.
    """
    return float(np.nanmax(value, where=allowed, initial=0.0))


def roc_area(
    false_positive_rate: NDArray[np.float64],
    recall: NDArray[np.float64],
    *,
    max_fpr: float,
    min_recall: float,
) -> float:
    """Return the area under a ROC curve, left of `max_fpr` and above `min_recall`.

    Parameters
    ----------
    false_positive_rate, recall : ndarray of shape (n_thresholds,)
        The points of the curve, both rising.
    max_fpr, min_recall : float in [0, 1]
        The two bounds.

    Returns
    -------
    area : float
        The exact area under the polygon, at most ``max_fpr * (1 - min_recall)``.
    """
    width, rise = np.diff(false_positive_rate), np.diff(recall)
    sloped = width > 0  # vertical segments have no area
    left, width = false_positive_rate[:-1][sloped], width[sloped]
    start, rise = recall[:-1][sloped], rise[sloped]
    share = np.clip((max_fpr - left) / width, 0.0, 1.0)
    width, end = width * share, start + rise * share
    above_start, above_end = np.maximum(start - min_recall, 0), np.maximum(end - min_recall, 0)
    # a segment that rises through min_recall is above it for this share of its width
    risen = end - start
    crossing = (above_start == 0) & (risen > 0)
    above = np.divide(above_end, risen, out=np.ones_like(risen), where=crossing)
    return float(np.sum(width * above * (above_start + above_end) / 2))


def recall_at_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_precision: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the greatest recall of all thresholds whose precision reaches a bound.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    min_precision : float in [0, 1]
        The precision to reach.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    recall : float
        0 if no threshold reaches the precision.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, or a score is NaN or infinite.

    Examples
    --------
    >>> from skrecall.metrics import recall_at_precision
    >>> recall_at_precision([0, 1, 0, 1, 1], [.1, .4, .5, .8, .9], min_precision=0.75)
    1.0
    >>> recall_at_precision([0, 1, 0, 1, 1], [.1, .4, .5, .8, .9], min_precision=0.9)
    0.666...
    """
    min_precision = check_share(min_precision, name="min_precision")
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    return greatest(curve.recall, evaluate_constraint(curve, ("precision", min_precision)))


def precision_at_recall(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_recall: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the greatest precision of all thresholds whose recall reaches a bound.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    min_recall : float in [0, 1]
        The recall to reach; 1 asks for every positive.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    precision : float
        At least the prevalence, which flagging everything attains.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, or a score is NaN or infinite.

    Examples
    --------
    >>> from skrecall.metrics import precision_at_recall
    >>> precision_at_recall([0, 1, 0, 1, 1], [.1, .4, .5, .8, .9], min_recall=1.0)
    0.75
    """
    min_recall = check_share(min_recall, name="min_recall")
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    return greatest(curve.precision, evaluate_constraint(curve, ("recall", min_recall)))


def sensitivity_at_specificity(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_specificity: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the greatest recall of all thresholds whose specificity reaches a bound.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    min_specificity : float in [0, 1]
        The share of the negatives to leave alone.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    sensitivity : float
        Recall under its clinical name.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, or a score is NaN or infinite.

    Examples
    --------
    >>> from skrecall.metrics import sensitivity_at_specificity
    >>> sensitivity_at_specificity(
    ...     [0, 1, 0, 1, 1], [.1, .4, .5, .8, .9], min_specificity=0.5
    ... )
    1.0
    """
    min_specificity = check_share(min_specificity, name="min_specificity")
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    return greatest(curve.recall, evaluate_constraint(curve, ("specificity", min_specificity)))


def recall_at_alert_budget(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    alerts_per_1000: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the recall that a budget of alerts in 1000 samples buys.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    alerts_per_1000 : float in [0, 1000]
        How many of 1000 samples may be flagged, right or wrong.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once. The budget is then a share of the
        total weight.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    recall : float
        At the lowest threshold within the budget. Samples of equal score that would exceed it
        together are all left out.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, or a score is NaN or infinite.

    Examples
    --------
    >>> from skrecall.metrics import recall_at_alert_budget
    >>> recall_at_alert_budget([0, 1, 0, 1], [.1, .4, .5, .8], alerts_per_1000=250)
    0.5
    """
    if not (isinstance(alerts_per_1000, Real) and 0 <= alerts_per_1000 <= 1000):
        raise ValueError(f"alerts_per_1000={alerts_per_1000!r} must be a number in [0, 1000].")
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    return greatest(curve.recall, evaluate_constraint(curve, ("alerts_per_1000", alerts_per_1000)))


def recall_at_k(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    k: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the recall among the `k` samples of highest score.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    k : int or float
        How many samples may be flagged; more than there are flags all.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once. A weight of 2 is two samples, here
        and in `k`.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    recall : float
        Of the whole blocks of equal scores among the first `k`: a block that straddles the cut is
        left out, so that the order of the rows decides nothing.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, or a score is NaN or infinite.

    Examples
    --------
    >>> from skrecall.metrics import recall_at_k
    >>> recall_at_k([0, 1, 0, 1], [.1, .4, .5, .8], k=3)
    1.0
    >>> recall_at_k([0, 1, 0, 1], [.1, .5, .5, .8], k=2)
    0.5
    """
    if not (isinstance(k, Real) and k > 0):
        raise ValueError(f"k={k!r} must be a positive number of samples.")
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    return greatest(curve.recall, curve.alerts <= k)


def partial_roc_auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    max_fpr: float = 1.0,
    min_recall: float = 0.0,
    standardize: bool = True,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the area under the part of the ROC curve that one would operate at.

    The part lies left of `max_fpr` (few false alarms), above `min_recall` (few misses), or both.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    max_fpr : float in (0, 1], default=1.0
        Greatest false positive rate; alone, the partial area of scikit-learn's ``roc_auc_score``.
    min_recall : float in [0, 1), default=0.0
        Least recall; alone, the partial area for highly sensitive tests.
    standardize : bool, default=True
        Whether to map the area as McClish did, so that 0.5 is chance and 1 is perfect whatever the
        bounds; else the area itself, between 0 and ``max_fpr * (1 - min_recall)``.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    area : float
        The area, standardised or not.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, or a score is NaN or infinite.

    References
    ----------
    .. [1] D. K. McClish, "Analyzing a portion of the ROC curve", Medical Decision Making, 1989.
    .. [2] Y. Jiang, C. E. Metz, R. M. Nishikawa, "A receiver operating characteristic partial area
       index for highly sensitive diagnostic tests", Radiology, 1996.
    .. [3] H. Yang, K. Lu, X. Lyu, F. Hu, "Two-way partial AUC and its properties", Statistical
       Methods in Medical Research, 2019.

    Examples
    --------
    >>> from skrecall.metrics import partial_roc_auc
    >>> partial_roc_auc([0, 1, 0, 1], [.1, .4, .5, .8], min_recall=0.5)
    0.666...
    >>> partial_roc_auc([0, 1, 0, 1], [.1, .4, .5, .8], min_recall=0.5, standardize=False)
    0.25
    """
    max_fpr = check_share(max_fpr, name="max_fpr", closed="right")
    min_recall = check_share(min_recall, name="min_recall", closed="left")
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    area = roc_area(curve.false_positive_rate, curve.recall, max_fpr=max_fpr, min_recall=min_recall)
    if not standardize:
        return area
    chance = max(max_fpr - min_recall, 0.0) ** 2 / 2
    perfect = max_fpr * (1 - min_recall)
    return (1 + (area - chance) / (perfect - chance)) / 2


def _optimum(
    curve: OperatingCurve,
    objective: str | Objective,
    constraint: tuple[str, float] | None,
    objective_params: Mapping[str, Any] | None,
) -> int:
    if constraint is None and objective in MONOTONE_OBJECTIVES:
        raise ValueError(
            f"{objective} alone is best where everything or nothing is flagged: add a constraint, "
            "or choose another objective."
        )
    return best_index(curve, objective, params=objective_params, constraint=constraint)


def optimal_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    objective: str | Objective = "f1",
    constraint: tuple[str, float] | None = None,
    objective_params: Mapping[str, Any] | None = None,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the greatest value of an objective over all thresholds.

    It says how well the best threshold does on these very samples. To compare scores that is fair
    play; as the estimate of a threshold that was chosen here it is optimistic.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    objective : str or callable, default="f1"
        "accuracy", "balanced_accuracy", "cost" (minus the expected cost), "f1", "f_beta", "g_mean",
        "mcc", "precision" or "youden"; or a function of the `OperatingCurve` that returns an array
        of shape (n_thresholds,), greater being better.
    constraint : tuple of (str, float), default=None
        A bound that the threshold must keep: ``("recall", 0.95)``, ``("precision", 0.5)`` and
        ``("specificity", 0.9)`` from below, ``("alerts_per_1000", 20)`` from above.
    objective_params : dict, default=None
        Keyword arguments of the objective, such as ``{"beta": 2}`` or ``{"cost_fn": 50}``.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    value : float
        The objective at the best threshold.

    Raises
    ------
    ValueError
        If the objective or constraint is unknown, or no threshold meets the constraint.

    See Also
    --------
    optimal_threshold : The threshold itself.

    Examples
    --------
    >>> from skrecall.metrics import optimal_score
    >>> optimal_score([0, 1, 0, 1], [.1, .4, .5, .8], objective="f1")
    0.8
    """
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    best = _optimum(curve, objective, constraint, objective_params)
    return float(evaluate_objective(curve, objective, objective_params)[best])


def optimal_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    objective: str | Objective = "f1",
    constraint: tuple[str, float] | None = None,
    objective_params: Mapping[str, Any] | None = None,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the threshold where an objective is greatest, of all that there are.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    objective : str or callable, default="f1"
        See `optimal_score`.
    constraint : tuple of (str, float), default=None
        See `optimal_score`.
    objective_params : dict, default=None
        Keyword arguments of the objective.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    threshold : float
        Flag a sample when ``y_score >= threshold``. It lies inside the gap under the lowest flagged
        score; of equally good thresholds it is the one with the fewest alerts.

    Raises
    ------
    ValueError
        If the objective or constraint is unknown, or no threshold meets the constraint.

    See Also
    --------
    optimal_score : The objective there.

    Examples
    --------
    >>> from skrecall.metrics import optimal_threshold
    >>> optimal_threshold([0, 1, 0, 1], [.1, .4, .5, .8], objective="f1")
    0.25
    """
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    return curve.threshold_below(_optimum(curve, objective, constraint, objective_params))


def threshold_table(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    objectives: Sequence[str] | Mapping[str, Mapping[str, Any]] | None = None,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> pd.DataFrame:
    """Return all objectives at all thresholds, in one pass.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    objectives : list of str or dict, default=None
        Names of objectives, or a dict from name to keyword arguments; None means all of them.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    table : DataFrame
        One row per threshold, from infinity downwards: the columns of `OperatingCurve.frame`, then
        one column per objective.

    Raises
    ------
    ValueError
        If an objective is unknown.

    Examples
    --------
    >>> from skrecall.metrics import threshold_table
    >>> table = threshold_table([0, 1, 0, 1], [.1, .4, .5, .8], objectives=["f1", "mcc"])
    >>> table.loc[table["f1"].idxmax(), ["threshold", "recall", "precision"]].to_list()
    [0.4, 1.0, 0.666...]
    """
    curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
    table = curve.frame()
    if objectives is None:
        objectives = [name for name in OBJECTIVES if name not in table]
    params = objectives if isinstance(objectives, Mapping) else {key: {} for key in objectives}
    for name, keywords in params.items():
        table[name] = evaluate_objective(curve, name, keywords)
    return table
