"""The exact optimum of an objective over one threshold per label: scores in, thresholds out.

A mean over labels (macro) separates: each label has its own optimum (SCut [1]_), found for a block
of labels in one sort. Micro-averaged F does not separate, but of all thresholds only the vertices
of each label's convex hull can be best, in one order for all labels: that of the precision between
two vertices, which is where Dinkelbach's iterations [2]_ would end. F averaged over samples has no
such order: see `samples_f_thresholds`.

References
----------
.. [1] Y. Yang, "A study of thresholding strategies for text categorization", SIGIR, 2001.
.. [2] W. Dinkelbach, "On nonlinear fractional programming", Management Science 13(7), 1967.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, issparse
from sklearn.isotonic import isotonic_regression
from sklearn.utils import check_array

from skrecall.metrics._label_curves import curve_of_known
from skrecall.metrics._objectives import (
    best_index,
    evaluate_constraint,
    evaluate_objective,
)
from skrecall.metrics._operating_curve import OperatingCurve, curve_from_positive
from skrecall.utils._blocks import row_blocks
from skrecall.utils._checks import check_weights
from skrecall.utils._indicator import UNKNOWN, Indicator, check_indicator, label_column
from skrecall.utils._sklearn import Interval, validate_params

from ._gfm import BLOCK
from ._label_evidence import named
from ._optimum import check_objective


@dataclass(frozen=True, eq=False)
class LabelOptima:
    """Where an objective is greatest, label by label.

    Attributes
    ----------
    thresholds : ndarray of shape (n_labels,)
        Between two scores. Infinite for a label without positives, minus infinity for one without
        negatives, NaN where no threshold meets the constraint.
    values : ndarray of shape (n_labels,)
        The greatest value of the objective, also where it is below `floor` and not taken; NaN for
        these labels.
    """

    thresholds: NDArray[np.float64]
    values: NDArray[np.float64]


def check_label_scores(
    Y_true: Any, y_score: Any, sample_weight: ArrayLike | None = None
) -> tuple[Indicator, Any, NDArray[np.float64] | None]:
    """Return an indicator and the scores of its labels, checked.

    Parameters
    ----------
    Y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_score : array-like or sparse of shape (n_samples, n_labels)
        Scores.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        The indicator.
    y_score : ndarray or csc_array of shape (n_samples, n_labels)
        The scores, in single or double precision as they came.
    sample_weight : ndarray of shape (n_samples,) or None
        The weights.

    Raises
    ------
    ValueError
        If the shapes differ, or a score is not finite.
    """
    Y, _ = check_indicator(Y_true, unknown=True, accept_sparse=True, name="Y_true")
    y_score = check_array(
        y_score, accept_sparse="csc", dtype=[np.float64, np.float32], input_name="y_score"
    )
    if y_score.shape != Y.shape:
        raise ValueError(
            f"y_score has shape {y_score.shape} and Y_true {Y.shape}: one score per sample and "
            "label is needed."
        )
    if issparse(y_score):
        y_score = csc_array(y_score)
        y_score.sum_duplicates()
    return Y, y_score, check_weights(sample_weight, np.empty(Y.shape[0]))


@validate_params(
    {
        "Y_true": ["array-like", "sparse matrix"],
        "y_score": ["array-like", "sparse matrix"],
        "objective": [str, callable],
        "objective_params": [dict, None],
        "constraint": [tuple, None],
        "floor": [Real, None],
        "sample_weight": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def optimal_label_thresholds(
    Y_true: Any,
    y_score: Any,
    objective: str | Callable[..., NDArray] = "f1",
    *,
    objective_params: dict[str, Any] | None = None,
    constraint: tuple[str, float] | None = None,
    floor: float | None = None,
    sample_weight: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the threshold of each label at which an objective is greatest, exactly (SCut [1]_).

    All midpoints between the scores of a label compete, in O(n log n) for a label; the mean of the
    objective over labels is then at its maximum too.

    Parameters
    ----------
    Y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; a label of a sample that is NaN or -1 is left out.
    y_score : array-like or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely. What a sparse one does not store is a score of 0.
    objective : str or callable, default="f1"
        As in :class:`OptimalThresholdClassifier`. A name is evaluated for many labels at once, a
        function label by label.
    objective_params : dict, default=None
        Its keyword arguments.
    constraint : tuple of (str, float), default=None
        What every label keeps meanwhile, such as ``("recall", 0.9)``.
    floor : float, default=None
        A label whose objective stays below gets its highest score as threshold, the floor of Yang
        and of Fan and Lin [2]_: few positives can otherwise win by flagging nearly all. Where
        several samples share that score, infinity: they may be nearly all, too.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    thresholds : ndarray of shape (n_labels,)
        Predict a label where its score is at least this. Midway between two scores; of equal
        optima, the one with the fewest alerts. Infinite for a label without positives, minus
        infinity for one without negatives.

    Raises
    ------
    ValueError
        If no threshold of a label meets the constraint.

    References
    ----------
    .. [1] Y. Yang, "A study of thresholding strategies for text categorization", SIGIR, 2001.
    .. [2] R.-E. Fan, C.-J. Lin, "A study on threshold selection for multi-label classification",
       National Taiwan University, 2007.

    Examples
    --------
    >>> from skrecall.threshold import optimal_label_thresholds
    >>> Y = [[1, 0], [1, 0], [0, 1], [0, 0]]
    >>> y_score = [[0.9, 0.1], [0.4, 0.2], [0.2, 0.3], [0.1, 0.2]]
    >>> optimal_label_thresholds(Y, y_score)
    array([0.3 , 0.25])
    """
    Y, y_score, weight = check_label_scores(Y_true, y_score, sample_weight)
    check_objective(objective, constraint)
    best = label_optima(
        Y,
        y_score,
        objective,
        params=objective_params,
        constraint=constraint,
        floor=floor,
        weight=weight,
    )
    failing = np.flatnonzero(np.isnan(best.thresholds))
    if len(failing):
        raise ValueError(
            f"No threshold meets constraint={constraint} for {len(failing)} of {Y.shape[1]} "
            f"labels, {named(failing)}: loosen it, or improve their scores."
        )
    return best.thresholds


def label_optima(
    Y: Indicator,
    y_score: Any,
    objective: str | Callable[..., NDArray],
    *,
    params: Mapping[str, Any] | None = None,
    constraint: tuple[str, float] | None = None,
    floor: float | None = None,
    weight: NDArray[np.float64] | None = None,
) -> LabelOptima:
    """Return the optimum of each label; `optimal_label_thresholds` is this after its checks.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        Indicator; -1 where a label is unknown.
    y_score : ndarray or csc_array of shape (n_samples, n_labels)
        Scores.
    objective : str or callable
        What is maximised.
    params : mapping, default=None
        Its keyword arguments.
    constraint : tuple of (str, float), default=None
        What is kept meanwhile.
    floor : float, default=None
        Least value that a threshold is taken for.
    weight : ndarray of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    optima : LabelOptima
        Thresholds and values.
    """
    n_labels = Y.shape[1]
    best = LabelOptima(np.full(n_labels, np.nan), np.full(n_labels, np.nan))
    of_block = callable(objective) or issparse(y_score)
    find = _optima_by_label if of_block else _optima_by_block
    for labels in row_blocks(n_labels, Y.shape[0], n_cells=BLOCK):
        best.thresholds[labels], best.values[labels] = find(
            Y[:, labels], y_score[:, labels], objective, params, constraint, floor, weight
        )
    return best


def label_curve(
    Y: Indicator, y_score: Any, label: int, weight: NDArray[np.float64] | None = None
) -> OperatingCurve:
    """Return the operating curve of a label, of the rows where it is known.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        Indicator.
    y_score : ndarray or csc_array of shape (n_samples, n_labels)
        Scores; those that a sparse one does not store are one block of ties at 0.
    label : int
        Index of the column.
    weight : ndarray of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    curve : OperatingCurve
        Its positive label is the index.
    """
    y = label_column(Y, label)
    if not issparse(y_score):
        return curve_of_known(y, y_score[:, label], weight, pos_label=label)
    one = np.ones(len(y)) if weight is None else weight
    stored = slice(y_score.indptr[label], y_score.indptr[label + 1])
    rows = y_score.indices[stored]
    rest = one * (y != UNKNOWN)
    rest[rows] = 0
    at_zero = np.array([rest[y == 1].sum(), rest[y == 0].sum()])  # positives, negatives
    kept = at_zero > 0
    seen = y[rows] != UNKNOWN
    return curve_from_positive(
        np.concatenate([y[rows][seen] == 1, np.array([True, False])[kept]]),
        np.concatenate([y_score.data[stored][seen], np.zeros(np.count_nonzero(kept))]),
        weight=np.concatenate([one[rows][seen], at_zero[kept]]),
        pos_label=label,
    )


def label_value(
    Y: Indicator,
    y_score: Any,
    label: int,
    threshold: float,
    objective: str | Callable[..., NDArray],
    *,
    params: Mapping[str, Any] | None = None,
    weight: NDArray[np.float64] | None = None,
) -> float:
    """Return the objective of a label at a threshold.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        Indicator.
    y_score : ndarray or csc_array of shape (n_samples, n_labels)
        Scores.
    label : int
        Index of the column.
    threshold : float
        Any.
    objective : str or callable
        What is evaluated.
    params : mapping, default=None
        Its keyword arguments.
    weight : ndarray of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    value : float
        NaN for a label without positives, or without negatives.
    """
    curve = label_curve(Y, y_score, label, weight)
    if not (curve.n_positives > 0 and curve.n_negatives > 0):
        return np.nan
    return float(evaluate_objective(curve, objective, params)[curve.index_at(threshold)])


def _optima_by_label(
    Y: Indicator,
    y_score: Any,
    objective: str | Callable[..., NDArray],
    params: Mapping[str, Any] | None,
    constraint: tuple[str, float] | None,
    floor: float | None,
    weight: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    thresholds, values = np.full(Y.shape[1], np.nan), np.full(Y.shape[1], np.nan)
    for k in range(Y.shape[1]):
        curve = label_curve(Y, y_score, k, weight)
        if not (curve.n_positives > 0 and curve.n_negatives > 0):
            thresholds[k] = -np.inf if curve.n_positives > 0 else np.inf
            continue
        value = evaluate_objective(curve, objective, params)
        if not (evaluate_constraint(curve, constraint) & ~np.isnan(value)).any():
            continue
        index = best_index(curve, lambda _, value=value: value, constraint=constraint)
        values[k] = value[index]
        if floor is not None and value[index] < floor:
            n_highest = label_curve(Y, y_score, k).alerts[1]
            index = 1 if n_highest == 1 else 0
        thresholds[k] = curve.threshold_below(index)
    return thresholds, values


def _optima_by_block(
    Y: Indicator,
    y_score: NDArray,
    objective: str | Callable[..., NDArray],
    params: Mapping[str, Any] | None,
    constraint: tuple[str, float] | None,
    floor: float | None,
    weight: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the optima of some labels, whose curves are the rows of one array."""
    Y = (Y.toarray() if issparse(Y) else Y).T
    known = Y != UNKNOWN
    score = np.ascontiguousarray(np.where(known, y_score.T, -np.inf))  # the unknown come last
    order = np.argsort(-score, axis=1)
    score = np.take_along_axis(score, order, axis=1)
    one = np.ones((), dtype=np.int64) if weight is None else weight[order]
    positive = np.take_along_axis(Y == 1, order, axis=1)
    negative = np.take_along_axis(Y == 0, order, axis=1)
    tp, fp = (_cumulated(mask * one) for mask in (positive, negative))
    is_end = np.column_stack([np.ones(len(score), dtype=bool), np.isfinite(score)])
    is_end[:, 1:-1] &= score[:, 1:] != score[:, :-1]
    curves = OperatingCurve(
        thresholds=np.column_stack([np.full(len(score), np.inf), score]),
        tp=tp,
        fp=fp,
        n_positives=tp[:, -1:],  # type: ignore[arg-type]  # one per row, for vector expressions
        n_negatives=fp[:, -1:],  # type: ignore[arg-type]
        pos_label=1,
    )
    with np.errstate(invalid="ignore", divide="ignore"):  # labels of one value are set below
        value = evaluate_objective(curves, objective, params)
        allowed = is_end & evaluate_constraint(curves, constraint) & ~np.isnan(value)
    index = np.argmax(np.where(allowed, value, -np.inf), axis=1)
    values = value[np.arange(len(index)), index]
    if floor is not None:
        n_highest = 1 + np.argmax(is_end[:, 1:], axis=1)
        index = np.where(values < floor, n_highest == 1, index)
    thresholds = _thresholds_below(curves.thresholds, index)
    failing = ~allowed.any(axis=1)
    thresholds[failing], values[failing] = np.nan, np.nan
    for total, constant in ((fp[:, -1], -np.inf), (tp[:, -1], np.inf)):
        thresholds[total == 0], values[total == 0] = constant, np.nan
    return thresholds, values


def _cumulated(counts: NDArray) -> NDArray:
    """Return cumulative sums along rows, from 0."""
    total = np.zeros((len(counts), counts.shape[1] + 1), dtype=counts.dtype)
    np.cumsum(counts, axis=1, out=total[:, 1:])
    return total


def _thresholds_below(
    thresholds: NDArray[np.float64], index: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return `OperatingCurve.threshold_below` of one point of each row, the last of its ties."""
    row = np.arange(len(index))
    upper = thresholds[row, index]
    below = np.full(len(row), -np.inf)
    inside = index + 1 < thresholds.shape[1]
    below[inside] = thresholds[row[inside], index[inside] + 1]
    for k in np.flatnonzero(np.isneginf(below) & np.isfinite(upper)):  # the lowest score
        above = np.count_nonzero(thresholds[k] > upper[k]) - 1
        gap = thresholds[k, above] - upper[k] if above else max(abs(upper[k]), 1.0) * 1e-6
        below[k] = upper[k] - gap
    with np.errstate(invalid="ignore"):
        middle = below / 2 + upper / 2
    return np.where((below < middle) & (middle < upper), middle, upper)


@validate_params(
    {
        "Y_true": ["array-like", "sparse matrix"],
        "y_score": ["array-like", "sparse matrix"],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "sample_weight": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def micro_f_thresholds(
    Y_true: Any, y_score: Any, *, beta: float = 1.0, sample_weight: ArrayLike | None = None
) -> tuple[NDArray[np.float64], float]:
    """Return the thresholds, one per label, of greatest micro-averaged F-beta, exactly.

    Parameters
    ----------
    Y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; a label of a sample that is NaN or -1 is left out.
    y_score : array-like or sparse of shape (n_samples, n_labels)
        Scores; those of different labels are never compared with each other.
    beta : float, default=1.0
        Recall counts `beta` times as much as precision.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    thresholds : ndarray of shape (n_labels,)
        Predict a label where its score is at least this.
    micro_f : float
        The optimum; 0 if no label has a positive.

    Notes
    -----
    Where F is at its maximum, F*, every label flags as long as the next alerts are right more often
    than F* / (1 + beta^2), so that its threshold is a vertex of the convex hull of its (alerts,
    hits), and the segments between vertices of all labels can be taken in one order, of falling
    precision. The best of these prefixes is the maximum over all combinations of thresholds.

    References
    ----------
    .. [1] Z. C. Lipton, C. Elkan, B. Narayanaswamy, "Optimal thresholding of classifiers to
       maximize F1 measure", ECML PKDD, 2014.

    Examples
    --------
    >>> from skrecall.threshold import micro_f_thresholds
    >>> Y = [[1, 0], [1, 0], [0, 1], [0, 0]]
    >>> y_score = [[0.9, 0.4], [0.4, 0.3], [0.2, 0.3], [0.1, 0.2]]
    >>> thresholds, micro_f = micro_f_thresholds(Y, y_score)
    >>> thresholds, round(micro_f, 3)
    (array([0.3, inf]), 0.8)
    """
    Y, y_score, weight = check_label_scores(Y_true, y_score, sample_weight)
    n_labels, b2 = Y.shape[1], beta**2
    hulls, n_positives = [], 0.0
    for k in range(n_labels):
        curve = label_curve(Y, y_score, k, weight)
        hulls.append(hull_vertices(curve) if curve.n_positives else np.array([0]))
        hulls[-1] = np.column_stack([hulls[-1], curve.tp[hulls[-1]], curve.alerts[hulls[-1]]])
        n_positives += curve.n_positives
    label = np.repeat(np.arange(n_labels), [len(hull) - 1 for hull in hulls])
    steps = np.concatenate([np.diff(hull[:, 1:], axis=0) for hull in hulls])
    slope = steps[:, 0] / steps[:, 1]
    order = np.lexsort((np.arange(len(slope)), -slope))
    tp, alerts = np.cumsum(steps[order], axis=0).T
    value = (1 + b2) * tp / (b2 * n_positives + alerts) if len(order) else np.zeros(1)
    best = int(np.argmax(value))
    taken = np.bincount(label[order[: best + 1]], minlength=n_labels)
    thresholds = np.full(n_labels, np.inf)
    for k in np.flatnonzero(taken).tolist():
        curve = label_curve(Y, y_score, k, weight)
        thresholds[k] = curve.threshold_below(int(hulls[k][taken[k], 0]))
    return thresholds, float(value[best])


def hull_vertices(curve: OperatingCurve) -> NDArray[np.intp]:
    """Return the vertices of the upper convex hull of the hits as a function of the alerts.

    Parameters
    ----------
    curve : OperatingCurve
        With at least one positive.

    Returns
    -------
    index : ndarray of int
        Points of the curve, from 0 to where all positives are flagged.
    """
    # a vertex ends a block with hits in it: pool adjacent violators of the others
    index = np.append(0, np.flatnonzero(np.diff(curve.tp) > 0) + 1)
    hits, alerts = np.diff(curve.tp[index]), np.diff(curve.alerts[index])
    precision = isotonic_regression(hits / alerts, sample_weight=alerts, increasing=False)
    is_vertex = np.append(np.diff(precision) != 0, [True])
    return np.append(0, index[1:][is_vertex])
