"""Objectives and constraints along an operating curve: named vector expressions, greater is better.

One registry serves the thresholds that maximise them, the scorers that report them and the searches
that compare them.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrecall.utils._checks import check_share

from ._operating_curve import OperatingCurve

Objective = Callable[..., NDArray[np.float64]]


def _f_beta(curve: OperatingCurve, *, beta: float = 1.0) -> NDArray[np.float64]:
    """Return F-beta, with recall `beta` times as important as precision."""
    if not beta > 0:
        raise ValueError(f"beta={beta} must be positive: recall is beta times as important.")
    b2 = beta**2
    return (1 + b2) * curve.tp / (b2 * curve.n_positives + curve.alerts)


def _g_mean(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return the geometric mean of recall and specificity."""
    return np.sqrt(curve.recall * curve.specificity)


def _balanced_accuracy(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return the mean of recall and specificity."""
    return (curve.recall + curve.specificity) / 2


def _youden(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return Youden's J, recall plus specificity minus one."""
    return curve.recall + curve.specificity - 1


def _mcc(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return Matthews' correlation coefficient; 0 where all samples are decided alike."""
    tp, fp, fn, tn = (
        np.asarray(c, dtype=np.float64) for c in (curve.tp, curve.fp, curve.fn, curve.tn)
    )
    alerts, silent = tp + fp, fn + tn
    scale = np.sqrt(alerts) * np.sqrt(silent) * np.sqrt(curve.n_positives * curve.n_negatives)
    return np.divide(tp * tn - fp * fn, scale, out=np.zeros_like(scale), where=scale > 0)


def _accuracy(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return the share of samples decided correctly."""
    return (curve.tp + curve.tn) / (curve.n_positives + curve.n_negatives)


def _precision(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return precision; 0 where nothing is flagged."""
    return np.nan_to_num(curve.precision, nan=0.0)


def _recall(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return recall."""
    return curve.recall


def _specificity(curve: OperatingCurve) -> NDArray[np.float64]:
    """Return specificity."""
    return curve.specificity


def _cost(
    curve: OperatingCurve,
    *,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    cost_tp: float = 0.0,
    cost_tn: float = 0.0,
    prevalence: float | None = None,
) -> NDArray[np.float64]:
    """Return minus the expected cost per sample, at the prevalence found or the one given."""
    if prevalence is not None:
        prevalence = check_share(prevalence, name="prevalence")
    else:
        prevalence = curve.n_positives / (curve.n_positives + curve.n_negatives)
    of_positive = cost_tp * curve.recall + cost_fn * (1 - curve.recall)
    of_negative = cost_tn * curve.specificity + cost_fp * curve.false_positive_rate
    return -(prevalence * of_positive + (1 - prevalence) * of_negative)


OBJECTIVES: dict[str, Objective] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "cost": _cost,
    "f1": _f_beta,
    "f_beta": _f_beta,
    "g_mean": _g_mean,
    "mcc": _mcc,
    "precision": _precision,
    "recall": _recall,
    "specificity": _specificity,
    "youden": _youden,
}

# Rising along the curve, so that alone they are won by flagging everything, or nothing.
MONOTONE_OBJECTIVES = ("recall", "specificity")

CONSTRAINTS: dict[str, Callable[[OperatingCurve, float], NDArray[np.bool_]]] = {
    "recall": lambda curve, least: curve.recall >= least,
    "precision": lambda curve, least: curve.precision >= least,
    "specificity": lambda curve, least: curve.specificity >= least,
    "alerts_per_1000": lambda curve, most: curve.alerts_per_1000 <= most,
}


def evaluate_objective(
    curve: OperatingCurve, objective: str | Objective, params: Mapping[str, Any] | None = None
) -> NDArray[np.float64]:
    """Evaluate an objective at every point of a curve.

    Parameters
    ----------
    curve : OperatingCurve
        The curve.
    objective : str or callable
        A name of `OBJECTIVES`, or a function of the curve that returns an array of shape
        (n_thresholds,), greater being better.
    params : mapping, default=None
        Keyword arguments of the objective, such as ``{"beta": 2}``.

    Returns
    -------
    value : ndarray of shape (n_thresholds,)
        The objective.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown, or a callable returns another shape.
    """
    if isinstance(objective, str):
        if objective not in OBJECTIVES:
            raise ValueError(
                f"Unknown objective {objective!r}: choose one of {', '.join(sorted(OBJECTIVES))}, "
                "or pass a function of the operating curve."
            )
        function = OBJECTIVES[objective]
    else:
        function = objective
    params = dict(params or {})
    accepted = list(signature(function).parameters.values())[1:]
    names = [p.name for p in accepted]
    if not all(p in names for p in params) and all(p.kind != p.VAR_KEYWORD for p in accepted):
        raise ValueError(
            f"Objective {objective!r} takes {', '.join(names) or 'no parameters'}, but "
            f"{', '.join(params)} was given."
        )
    value = np.asarray(function(curve, **params), dtype=np.float64)
    if value.shape != curve.tp.shape:
        raise ValueError(
            f"The objective returned an array of shape {value.shape}, not {curve.tp.shape}: one "
            "value per threshold of the curve is needed."
        )
    return value


def evaluate_constraint(
    curve: OperatingCurve, constraint: tuple[str, float] | None
) -> NDArray[np.bool_]:
    """Evaluate which points of a curve meet a constraint.

    Parameters
    ----------
    curve : OperatingCurve
        The curve.
    constraint : tuple of (str, float) or None
        ``("recall", 0.95)``, ``("precision", 0.5)`` and ``("specificity", 0.9)`` bound from below,
        ``("alerts_per_1000", 20)`` from above.

    Returns
    -------
    allowed : ndarray of shape (n_thresholds,), dtype bool
        True where the constraint holds.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if constraint is None:
        return np.ones(curve.tp.shape, dtype=bool)
    name, bound = constraint
    if name not in CONSTRAINTS:
        raise ValueError(
            f"Unknown constraint {name!r}: choose one of {', '.join(sorted(CONSTRAINTS))}."
        )
    return CONSTRAINTS[name](curve, bound)


def best_index(
    curve: OperatingCurve,
    objective: str | Objective,
    *,
    params: Mapping[str, Any] | None = None,
    constraint: tuple[str, float] | None = None,
) -> int:
    """Return the point of a curve where an objective is greatest.

    Parameters
    ----------
    curve : OperatingCurve
        The curve.
    objective : str or callable
        See `evaluate_objective`.
    params : mapping, default=None
        Keyword arguments of the objective.
    constraint : tuple of (str, float), default=None
        See `evaluate_constraint`.

    Returns
    -------
    index : int
        Of equal values, the one with the fewest alerts.

    Raises
    ------
    ValueError
        If no threshold meets the constraint, or the objective is NaN at all that do.
    """
    value = evaluate_objective(curve, objective, params)
    allowed = evaluate_constraint(curve, constraint)
    if constraint is not None and not allowed.any():
        name, bound = constraint
        raise ValueError(
            f"No threshold meets the constraint {name} {bound}: loosen it, or improve the scores."
        )
    candidate = allowed & ~np.isnan(value)
    if not candidate.any():
        raise ValueError(f"Objective {objective!r} is NaN at every threshold that is allowed.")
    return int(np.argmax(np.where(candidate, value, -np.inf)))
