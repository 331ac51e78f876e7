"""The weights of a vote that are best for an objective, searched on held-out probabilities.

Candidates are the uniform weights, every single member, and a lattice over the simplex, in steps of
0.05 or as fine as 300 points allow. From the best of them, weight moves between two members at a
time, in steps that halve down to 0.001, as long as the objective rises. No randomness; never worse
than uniform weights on the rows searched; of equal candidates, the one nearest to uniform wins.
"""

import math
from collections.abc import Callable, Mapping
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from skrecall.metrics import get_scorer
from skrecall.metrics._objectives import (
    OBJECTIVES,
    evaluate_constraint,
    evaluate_objective,
)
from skrecall.metrics._operating_curve import OperatingCurve, curve_from_positive

_MAX_LATTICE = 300
_FINEST_LATTICE = 20
_SMALLEST_STEP = 1e-3


def simplex_lattice(n_members: int, max_points: int) -> NDArray[np.float64]:
    """Return evenly spaced weights: all multiples of 1 / q that sum to one, q at most 20.

    Parameters
    ----------
    n_members : int
        Number of weights.
    max_points : int
        How many points there may be, which makes q smaller; single members are always among them.

    Returns
    -------
    weights : ndarray of shape (n_points, n_members)
        Each row sums to one.
    """
    if n_members == 1:
        return np.ones((1, 1))
    q = 1
    while q < _FINEST_LATTICE and math.comb(q + n_members, n_members - 1) <= max_points:
        q += 1
    bars = np.array(list(combinations(range(q + n_members - 1), n_members - 1)))
    edges = np.pad(bars, [(0, 0), (1, 1)], constant_values=((0, 0), (-1, q + n_members - 1)))
    return (np.diff(edges, axis=1) - 1) / q


def best_weights(
    votes: NDArray, value_of: Callable[[NDArray], float]
) -> tuple[NDArray[np.float64], float]:
    """Return the weights under which the mean of votes is best.

    Parameters
    ----------
    votes : ndarray of shape (n_members, n_samples, n_columns)
        Probabilities of each member.
    value_of : callable
        The objective of a weighted mean of shape (n_samples, n_columns); greater is better, and
        minus infinity, or NaN, is not allowed.

    Returns
    -------
    weights : ndarray of shape (n_members,)
        Non-negative, summing to one.
    value : float
        The objective there, at least that of uniform weights.
    """
    n_members = len(votes)
    uniform = np.full(n_members, 1 / n_members)
    candidates = np.vstack([uniform, simplex_lattice(n_members, _MAX_LATTICE)])
    from_uniform = np.abs(candidates - uniform).sum(axis=1)
    candidates = candidates[np.argsort(from_uniform, kind="stable")]

    def value_at(weights: NDArray[np.float64]) -> float:
        # rounded, as sums of equal votes differ in the last place, by weights and processor
        value = value_of(np.round(np.tensordot(weights, votes, axes=1), 12))
        return -np.inf if np.isnan(value) else value

    values = np.array([value_at(weights) for weights in candidates])
    weights, value = candidates[np.argmax(values)], values.max()
    step = 0.25
    while n_members > 1 and step >= _SMALLEST_STEP:
        rose = False
        for giver, taker in permutations(range(n_members), 2):
            moved = min(step, weights[giver])
            if moved == 0:
                continue
            tried = weights.copy()
            tried[giver] -= moved
            tried[taker] += moved
            if (risen := value_at(tried)) > value:
                weights, value, rose = tried, risen, True
        if not rose:
            step /= 2
    return weights, float(value)


class _Mean(ClassifierMixin, BaseEstimator):
    """What a scorer sees: a classifier whose X is already the mean of the votes."""

    def __init__(self, classes: Any) -> None:
        self.classes_ = classes

    def predict_proba(self, X: NDArray) -> NDArray:
        return X

    def predict(self, X: NDArray) -> NDArray:
        if isinstance(self.classes_, list):
            return (X >= 0.5).astype(np.int64)
        return self.classes_[np.argmax(X, axis=1)]


def vote_objective(
    y: NDArray,
    classes: NDArray | None,
    *,
    objective: str | Callable,
    params: Mapping[str, Any] | None = None,
    constraint: tuple[str, float] | None = None,
    pos_label: Any = None,
    weight: NDArray[np.float64] | None = None,
) -> Callable[[NDArray], float]:
    """Return the function that values a mean of votes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        True labels.
    classes : ndarray of shape (n_classes,) or None
        Columns of the votes; None with several labels.
    objective : str or callable
        A name of `OBJECTIVES`, taken at its best threshold, and averaged over classes or labels
        where there are several; else the name of a scorer, or a scorer.
    params : mapping, default=None
        Parameters of the objective.
    constraint : tuple of (str, float), default=None
        What the threshold must keep.
    pos_label : object, default=None
        The positive one of two classes.
    weight : ndarray of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    value_of : callable
        Of an array of the shape (n_samples, n_columns); greater is better.

    Raises
    ------
    ValueError
        If the name is unknown, a constraint is given with a scorer, one class with a scorer of
        more than two, or no label varies.
    """
    has_threshold = isinstance(objective, str) and objective in OBJECTIVES
    if constraint is not None and not has_threshold:
        raise ValueError(
            f"constraint={constraint!r} bounds the threshold of an objective, and the scorer "
            f"{objective!r} chooses none: use one of {', '.join(sorted(OBJECTIVES))}, or no "
            "constraint."
        )
    if has_threshold or (objective == "average_precision" and not params):
        positives = _positives(y, classes, pos_label)
        if not positives:
            raise ValueError(
                f"The {len(y)} rows that weights are chosen on hold no class with and without it: "
                f"{objective!r} cannot be measured. Add rows, or use other folds."
            )

        def of_curve(curve: OperatingCurve) -> float:
            if not has_threshold:
                return np.sum(np.diff(curve.recall) * evaluate_objective(curve, "precision")[1:])
            value = evaluate_objective(curve, objective, params)
            return np.max(value, where=evaluate_constraint(curve, constraint), initial=-np.inf)

        return lambda proba: float(
            np.mean(
                [
                    of_curve(curve_from_positive(rows, proba[:, column], weight=weight))
                    for column, rows in positives.items()
                ]
            )
        )
    scorer: Any = get_scorer(objective, **(params or {}))
    if pos_label is not None and classes is not None and len(classes) > 2:
        raise ValueError(
            f"pos_label={pos_label!r} names one of {len(classes)} classes, and the scorer "
            f"{objective!r} measures all: leave it None, or use one of "
            f"{', '.join(sorted(OBJECTIVES))}."
        )
    metadata = {} if weight is None else {"sample_weight": weight}
    if classes is None:
        mean = _Mean([np.array([0, 1])] * y.shape[1])
        return lambda proba: scorer(mean, proba, y, **metadata)
    if isinstance(objective, str) and len(classes) == 2:
        # scorers of scikit-learn by name take 1 for the positive label
        column = classes.tolist().index(pos_label)
        mean, positive = _Mean(np.array([0, 1])), (y == pos_label).astype(np.int64)
        order = [1 - column, column]
        return lambda proba: scorer(mean, proba[:, order], positive, **metadata)
    mean = _Mean(classes)
    return lambda proba: scorer(mean, proba, y, **metadata)


def _positives(y: NDArray, classes: NDArray | None, pos_label: Any) -> dict[int, NDArray[np.bool_]]:
    """Return which rows are positive for each column that has both."""
    if classes is None:
        positives = dict(enumerate((y == 1).T))
    else:
        positives = {
            k: y == label
            for k, label in enumerate(classes)
            if pos_label is None or label == pos_label
        }
    return {k: rows for k, rows in positives.items() if rows.any() and not rows.all()}


def check_given_weights(weights: ArrayLike, n_members: int) -> NDArray[np.float64]:
    """Return given weights, one per member.

    Parameters
    ----------
    weights : array-like of shape (n_members,)
        Non-negative numbers, not all zero.
    n_members : int
        Number of members.

    Returns
    -------
    weights : ndarray of shape (n_members,)
        The same.

    Raises
    ------
    ValueError
        If there are more or fewer, or they cannot weight a mean.
    """
    weights = np.asarray(weights)
    if weights.dtype.kind not in "iufb" or weights.shape != (n_members,):
        raise ValueError(
            f"weights={weights.tolist()!r} must be None, 'optimize' or {n_members} numbers, one "
            "per member."
        )
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"weights={weights.tolist()} must be finite and not negative.")
    return weights
