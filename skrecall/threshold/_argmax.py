"""Offsets of the argmax rule: one label per sample, chosen for a macro-averaged objective.

Class k is decided where ``y_score[:, k] - offsets[k]`` is greatest. With the other offsets held,
class k takes a sample from its strongest rival exactly when the offset falls to the gap between the
two, so that the objective is a step function of the offset with steps at the gaps, and one sort
gives its exact maximum; gaps that differ by rounding count as tied. Coordinate ascent repeats that
over the classes until none improves.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skrecall.metrics._operating_curve import OperatingCurve

CurveValue = Callable[[OperatingCurve], NDArray[np.float64]]

_TOLERANCE = 1e-12  # rises of the objective, and relative gaps, below this are rounding


def argmax_decisions(
    y_score: NDArray[np.float64], offsets: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the class of greatest score relative to its offset.

    Parameters
    ----------
    y_score : ndarray of shape (n_samples, n_classes)
        Scores.
    offsets : ndarray of shape (n_classes,)
        Subtracted from them.

    Returns
    -------
    decided : ndarray of shape (n_samples,)
        Class indices.
    """
    return np.argmax(y_score - offsets, axis=1)


def macro_value(
    decided: NDArray[np.int64],
    code: NDArray[np.int64],
    weights: NDArray[np.float64],
    n_classes: int,
    value_of: CurveValue,
) -> float:
    """Return the mean over classes, and over weightings, of a one-vs-rest objective.

    Parameters
    ----------
    decided, code : ndarray of shape (n_samples,)
        Class indices decided and true.
    weights : ndarray of shape (n_weightings, n_samples)
        Sample weights; one row per fold, zero outside it, averages over folds.
    n_classes : int
        Number of classes.
    value_of : callable
        The objective of a curve, of shape (n_thresholds,).

    Returns
    -------
    value : float
        The mean.
    """
    total = 0.0
    for weight in weights:
        confusion = np.bincount(
            code * n_classes + decided, weights=weight, minlength=n_classes**2
        ).reshape(n_classes, n_classes)
        tp = np.diag(confusion)
        fp = confusion.sum(axis=0) - tp
        positives = confusion.sum(axis=1)
        for k in range(n_classes):
            point = _curve(np.zeros(1), tp[k : k + 1], fp[k : k + 1], positives, k)
            total += value_of(point)[0]
    return float(total / (len(weights) * n_classes))


def best_offsets(
    y_score: NDArray[np.float64],
    code: NDArray[np.int64],
    weights: NDArray[np.float64],
    value_of: CurveValue,
    *,
    starts: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], float]:
    """Return offsets that no change of a single one improves.

    Parameters
    ----------
    y_score : ndarray of shape (n_samples, n_classes)
        Scores.
    code : ndarray of shape (n_samples,)
        True class indices.
    weights : ndarray of shape (n_weightings, n_samples)
        See `macro_value`.
    value_of : callable
        See `macro_value`.
    starts : list of ndarray of shape (n_classes,)
        Finite offsets to begin with; the best end is returned.

    Returns
    -------
    offsets : ndarray of shape (n_classes,)
        Of mean zero: a common shift decides nothing.
    value : float
        The objective they reach; never below that of any start.
    """
    ends = [_ascend(y_score, code, weights, value_of, start) for start in starts]
    offsets, value = max(ends, key=lambda end: end[1])
    return offsets, value


def _ascend(
    y_score: NDArray[np.float64],
    code: NDArray[np.int64],
    weights: NDArray[np.float64],
    value_of: CurveValue,
    offsets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    n_classes = y_score.shape[1]

    def value_at(offsets: NDArray[np.float64]) -> float:
        decided = argmax_decisions(y_score, offsets)
        return macro_value(decided, code, weights, n_classes, value_of)

    offsets = offsets - offsets.mean()
    value = value_at(offsets)
    unimproved = 0
    k = 0
    while unimproved < n_classes:
        trial = offsets.copy()
        trial[k] = _best_offset(y_score, code, weights, value_of, offsets, k)
        trial -= trial.mean()
        reached = value_at(trial)
        if reached > value + _TOLERANCE:
            offsets, value, unimproved = trial, reached, 0
        unimproved += 1
        k = (k + 1) % n_classes
    return offsets, value


def _best_offset(
    y_score: NDArray[np.float64],
    code: NDArray[np.int64],
    weights: NDArray[np.float64],
    value_of: CurveValue,
    offsets: NDArray[np.float64],
    k: int,
) -> float:
    """Return the exact optimum of one offset, the others held."""
    rivals = y_score - offsets
    rivals[:, k] = -np.inf
    rival = np.argmax(rivals, axis=1)
    gap = y_score[:, k] - rivals[np.arange(len(rival)), rival]
    order = np.argsort(-gap)
    gap = gap[order]
    rounding = _TOLERANCE * np.abs(rivals[np.isfinite(rivals)]).max()  # of differences of scores
    last = np.append(np.flatnonzero(gap[:-1] - gap[1:] > rounding), len(gap) - 1)
    steps = np.concatenate([[np.inf], gap[last]])

    value = np.zeros(len(steps))
    for weight in weights:
        value += _value_along(
            code[order], rival[order], weight[order], last, steps, value_of, k, y_score.shape[1]
        )
    best = int(np.argmax(np.where(np.isnan(value), -np.inf, value)))
    margin = 1e-6 * (max(gap[0] - gap[-1], abs(gap[0]), abs(gap[-1])) or 1.0)
    if best == 0:
        return float(gap[0] + margin)
    if best == len(last):
        return float(gap[-1] - margin)
    row = last[best - 1]
    return float(gap[row + 1] + (gap[row] - gap[row + 1]) / 2)


def _value_along(
    code: NDArray[np.int64],
    rival: NDArray[np.int64],
    weight: NDArray[np.float64],
    last: NDArray[np.int64],
    steps: NDArray[np.float64],
    value_of: CurveValue,
    k: int,
    n_classes: int,
) -> NDArray[np.float64]:
    """Return the sum over classes of the objective at every step; rows come in order of the gap."""

    def taken(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.append(0.0, np.cumsum(np.where(mask, weight, 0.0))[last])

    positives = np.bincount(code, weights=weight, minlength=n_classes)
    value = np.zeros(len(steps))
    for c in range(n_classes):
        if c == k:
            tp, fp = taken(code == k), taken(code != k)
        else:
            lost_tp = taken((rival == c) & (code == c))
            lost_fp = taken((rival == c) & (code != c))
            tp, fp = lost_tp[-1] - lost_tp, lost_fp[-1] - lost_fp
        value += value_of(_curve(steps, tp, fp, positives, c))
    return value


def _curve(
    steps: NDArray,
    tp: NDArray,
    fp: NDArray,
    positives: NDArray,
    k: int,
) -> OperatingCurve:
    total = positives.sum()
    tp = np.clip(tp, 0, positives[k])  # differences of weight sums round
    fp = np.clip(fp, 0, total - positives[k])
    return OperatingCurve(steps, tp, fp, positives[k], total - positives[k], k)
