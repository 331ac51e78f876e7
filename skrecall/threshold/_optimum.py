"""The exact optimum of an objective on held-out scores: arrays in, thresholds out."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrecall.metrics._objectives import (
    CONSTRAINTS,
    best_index,
    evaluate_constraint,
)
from skrecall.metrics._operating_curve import OperatingCurve, curve_from_positive

from ._promise import plain_label

CurveValue = Callable[[OperatingCurve], NDArray[np.float64]]

# A monotone objective has an optimum inside only where one of these stops it.
_STOPPED_BY = {
    "recall": ("precision", "specificity", "alerts_per_1000"),
    "specificity": ("recall", "precision"),
}


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of rows the model did not see, as a threshold is chosen on them.

    Attributes
    ----------
    y_score : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Scores of the class to flag, or of every class.
    code : ndarray of shape (n_rows,)
        True for the class to flag, or the index of the true class.
    weight : ndarray of shape (n_rows,) or None
        Sample weights.
    fold : ndarray of shape (n_rows,), dtype int
        The fold that held a row out.
    """

    y_score: NDArray[np.float64]
    code: NDArray
    weight: NDArray[np.float64] | None
    fold: NDArray[np.int64]

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    def folds(self) -> list["HeldOut"]:
        """Return the rows of each fold; with one fold, itself."""
        if self.n_folds == 1:
            return [self]
        return [self._take(self.fold == k) for k in range(self.n_folds)]

    def _take(self, rows: NDArray[np.bool_]) -> "HeldOut":
        weight = None if self.weight is None else self.weight[rows]
        return HeldOut(self.y_score[rows], self.code[rows], weight, self.fold[rows])

    def against_rest(self, k: int) -> "HeldOut":
        """Return the same rows with one class to flag.

        Parameters
        ----------
        k : int
            Index of the class.

        Returns
        -------
        held_out : HeldOut
            Scores of that class, and True where it is the true one.
        """
        return HeldOut(self.y_score[:, k], self.code == k, self.weight, self.fold)

    def curve(self, pos_label: Any) -> OperatingCurve:
        """Return the operating curve of the class to flag.

        Parameters
        ----------
        pos_label : object
            The label to record as positive.

        Returns
        -------
        curve : OperatingCurve
            Of all rows.
        """
        return curve_from_positive(self.code, self.y_score, weight=self.weight, pos_label=pos_label)


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where an objective is greatest.

    Attributes
    ----------
    curve : OperatingCurve
        The curve of all rows.
    threshold : float
        The optimum, between two scores.
    value : float
        The objective there.
    fold_thresholds : ndarray of shape (n_folds,)
        The optimum of each fold by itself; NaN where it has none.
    """

    curve: OperatingCurve
    threshold: float
    value: float
    fold_thresholds: NDArray[np.float64]


def check_objective(objective: str | Callable, constraint: tuple[str, float] | None) -> None:
    """Refuse an objective that flagging everything, or nothing, would win.

    Parameters
    ----------
    objective : str or callable
        What is maximised.
    constraint : tuple of (str, float) or None
        What is kept meanwhile.

    Raises
    ------
    ValueError
        If the constraint is not understood, or does not stop a monotone objective.
    """
    if constraint is not None and not (
        len(constraint) == 2 and constraint[0] in CONSTRAINTS and isinstance(constraint[1], Real)
    ):
        raise ValueError(
            f"constraint={constraint!r} is not understood: pass a name and a bound, such as "
            f"('recall', 0.95); the names are {', '.join(sorted(CONSTRAINTS))}."
        )
    if isinstance(objective, str) and objective in _STOPPED_BY:
        stops = _STOPPED_BY[objective]
        if constraint is None or constraint[0] not in stops:
            extreme = "everything" if objective == "recall" else "nothing"
            raise ValueError(
                f"{objective} alone is greatest where {extreme} is flagged, whatever the scores: "
                f"add a constraint on {', '.join(stops[:-1])} or {stops[-1]}, such as "
                f"constraint=({stops[0]!r}, 0.5), or choose another objective."
            )


def check_cost_terms(
    params: Mapping[str, Any], constraint: tuple[str, float] | None, n_classes: int
) -> None:
    """Refuse what a cost matrix would leave without effect.

    Parameters
    ----------
    params : mapping
        Of the objective "cost", ``"cost_matrix"`` among them.
    constraint : tuple of (str, float) or None
        What is to be kept.
    n_classes : int
        Number of classes.

    Raises
    ------
    ValueError
        If there are other costs, or more than two classes with a prevalence or a constraint.
    """
    other = sorted(params.keys() - {"cost_matrix", "prevalence" if n_classes == 2 else None})
    if other:
        raise ValueError(
            f"objective_params holds {', '.join(other)} beside the cost_matrix of {n_classes} "
            "classes, which says all costs by itself: leave one of the two out."
        )
    if n_classes > 2 and constraint is not None:
        raise ValueError(
            f"constraint={constraint!r} bounds a threshold, and a cost matrix of {n_classes} "
            "classes sets none: leave one of the two out."
        )


def check_cost_matrix(cost_matrix: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Return a checked cost matrix.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes)
        Cost of deciding class j (column) where class i (row) is true.
    n_classes : int
        Number of classes.

    Returns
    -------
    cost_matrix : ndarray of shape (n_classes, n_classes)
        The same costs.

    Raises
    ------
    ValueError
        If its shape is another, or a cost is not finite.
    """
    costs = np.asarray(cost_matrix, dtype=np.float64)
    if costs.shape != (n_classes, n_classes) or not np.isfinite(costs).all():
        raise ValueError(
            f"cost_matrix has shape {costs.shape}: {(n_classes, n_classes)} finite costs are "
            "needed, one row per true class and one column per decided class, in the order of "
            "classes_."
        )
    return costs


def mean_step_function(
    pooled: OperatingCurve, fold_curves: list[OperatingCurve], value_of: CurveValue
) -> NDArray[np.float64]:
    """Average an objective over folds at every threshold of any of them, without interpolation.

    Parameters
    ----------
    pooled : OperatingCurve
        The curve of all folds, whose thresholds are the union of theirs.
    fold_curves : list of OperatingCurve
        One per fold.
    value_of : callable
        The objective of a curve.

    Returns
    -------
    value : ndarray of shape (n_thresholds,)
        The mean at every threshold of `pooled`.
    """
    total = np.zeros(len(pooled))
    for curve in fold_curves:
        reached = np.searchsorted(-curve.thresholds, -pooled.thresholds, side="right") - 1
        total += value_of(curve)[reached]
    return total / len(fold_curves)


def best_threshold(
    held_out: HeldOut,
    value_of: CurveValue,
    *,
    constraint: tuple[str, float] | None,
    aggregate: Literal["pool", "mean"],
    pos_label: Any,
) -> Optimum:
    """Return the exact optimum over all thresholds.

    Parameters
    ----------
    held_out : HeldOut
        Scores of one class.
    value_of : callable
        The objective of a curve.
    constraint : tuple of (str, float) or None
        Kept on the curve of all rows.
    aggregate : {"pool", "mean"}
        One curve of all rows, or the mean of the objective over folds.
    pos_label : object
        The class to flag.

    Returns
    -------
    optimum : Optimum
        Of equal values, the one with the fewest alerts.

    Raises
    ------
    ValueError
        If the rows, or those of a fold to average over, lack a class, or no threshold meets the
        constraint.

    Warns
    -----
    UserWarning
        If the optimum flags all rows, or none.
    """
    curve = held_out.curve(pos_label)
    _check_both(curve, "The held-out rows")
    folds = [curve] if held_out.n_folds == 1 else [f.curve(pos_label) for f in held_out.folds()]
    if aggregate == "mean":
        for k, fold in enumerate(folds):
            _check_both(fold, f"Fold {k + 1} of {len(folds)}, which aggregate='mean' averages,")
        value = mean_step_function(curve, folds, value_of)
    else:
        value = value_of(curve)
    index = best_index(curve, lambda _: value, constraint=constraint)
    if index in (0, len(curve) - 1):
        warnings.warn(
            f"The best threshold for class {plain_label(pos_label)!r} flags "
            f"{'all' if index else 'none'} of {len(held_out.code)} held-out rows, so the scores "
            "decide nothing. Use a model that ranks better, or another objective or constraint.",
            stacklevel=2,
        )
    threshold = curve.threshold_below(index)
    own = (
        [threshold]
        if len(folds) == 1
        else [_fold_threshold(fold, value_of, constraint) for fold in folds]
    )
    return Optimum(curve, threshold, float(value[index]), np.array(own))


def _check_both(curve: OperatingCurve, rows: str) -> None:
    if not (curve.n_positives > 0 and curve.n_negatives > 0):
        raise ValueError(
            f"{rows} count {curve.n_positives:g} of class {plain_label(curve.pos_label)!r} and "
            f"{curve.n_negatives:g} of the rest, with sample_weight where given: a threshold needs "
            "some of both."
        )


def _fold_threshold(
    curve: OperatingCurve, value_of: CurveValue, constraint: tuple[str, float] | None
) -> float:
    if not (curve.n_positives > 0 and curve.n_negatives > 0):
        return np.nan
    value = value_of(curve)
    if not (evaluate_constraint(curve, constraint) & ~np.isnan(value)).any():
        return np.nan
    return curve.threshold_below(best_index(curve, lambda _: value, constraint=constraint))


def std_over_folds(fold_thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of the folds' thresholds.

    Parameters
    ----------
    fold_thresholds : ndarray of shape (n_folds,) or (n_folds, n_classes)
        One row per fold.

    Returns
    -------
    std : ndarray of shape () or (n_classes,)
        NaN with one fold, and where a fold has no finite threshold.
    """
    if len(fold_thresholds) == 1:
        return np.full(fold_thresholds.shape[1:], np.nan)
    return np.std(np.where(np.isfinite(fold_thresholds), fold_thresholds, np.nan), axis=0)
