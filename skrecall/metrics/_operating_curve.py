"""The exact operating curve: every distinct score a threshold, weighted counts, one sort.

All thresholds, metrics and displays of skrecall read this curve, so that they cannot disagree.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from skrecall.utils._checks import check_binary_target, check_scores, check_weights


def _ratio(numerator: NDArray, denominator: NDArray | float) -> NDArray[np.float64]:
    """Divide; 0 / 0 is NaN, without a warning."""
    with np.errstate(invalid="ignore"):
        return np.true_divide(numerator, denominator)


@dataclass(frozen=True, eq=False)
class OperatingCurve:
    """Counts of correct and false alerts at every attainable threshold.

    A sample is flagged when ``y_score >= threshold``. The first threshold is infinity, where
    nothing is flagged; the last flags everything. Counts are integers without sample weights, else
    sums of weights. A ratio of zero by zero is NaN.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Infinity, then every distinct score, decreasing.
    tp, fp : ndarray of shape (n_thresholds,)
        Flagged positives and flagged negatives.
    n_positives, n_negatives : float
        Total weight of the two classes.
    pos_label : object
        The label counted as positive.

    Examples
    --------
    >>> from skrecall.metrics import operating_curve
    >>> curve = operating_curve([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.recall
    array([0. , 0.5, 1. , 1. , 1. ])
    """

    thresholds: NDArray[np.float64]
    tp: NDArray
    fp: NDArray
    n_positives: float
    n_negatives: float
    pos_label: Any

    def __len__(self) -> int:
        return len(self.thresholds)

    @property
    def fn(self) -> NDArray:  # numpydoc ignore=RT01
        """Missed positives, of shape (n_thresholds,)."""
        return self.n_positives - self.tp

    @property
    def tn(self) -> NDArray:  # numpydoc ignore=RT01
        """Correctly silent negatives, of shape (n_thresholds,)."""
        return self.n_negatives - self.fp

    @property
    def alerts(self) -> NDArray:  # numpydoc ignore=RT01
        """Flagged samples, of shape (n_thresholds,)."""
        return self.tp + self.fp

    @property
    def recall(self) -> NDArray[np.float64]:  # numpydoc ignore=RT01
        """Share of the positives that is flagged (sensitivity), of shape (n_thresholds,)."""
        return _ratio(self.tp, self.n_positives)

    @property
    def precision(self) -> NDArray[np.float64]:  # numpydoc ignore=RT01
        """Share of the flagged that is positive, of shape (n_thresholds,)."""
        return _ratio(self.tp, self.alerts)

    @property
    def specificity(self) -> NDArray[np.float64]:  # numpydoc ignore=RT01
        """Share of the negatives that is left alone, of shape (n_thresholds,)."""
        return _ratio(self.tn, self.n_negatives)

    @property
    def false_positive_rate(self) -> NDArray[np.float64]:  # numpydoc ignore=RT01
        """Share of the negatives that is flagged, of shape (n_thresholds,)."""
        return _ratio(self.fp, self.n_negatives)

    @property
    def alerts_per_1000(self) -> NDArray[np.float64]:  # numpydoc ignore=RT01
        """Flagged samples in 1000, of shape (n_thresholds,)."""
        return _ratio(1000 * self.alerts, self.n_positives + self.n_negatives)

    def index_at(self, threshold: float) -> int:
        """Return the point of the curve that a threshold reaches.

        Parameters
        ----------
        threshold : float
            Any threshold, a score of the curve or not.

        Returns
        -------
        index : int
            Largest index whose threshold is at least `threshold`.
        """
        return int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1

    def threshold_below(self, index: int, *, min_gap: float = 0.0) -> float:
        """Return a threshold strictly inside the gap under a point of the curve.

        It takes the same decisions on the samples of the curve as ``thresholds[index]``, unless
        `min_gap` is given.

        Parameters
        ----------
        index : int
            A point of the curve.
        min_gap : float, default=0.0
            Gaps no wider than this share of the score are passed over downwards, so that scores
            which differ in their last digits only, as between single-row and batch prediction, stay
            on one side.

        Returns
        -------
        threshold : float
            The midpoint between this distinct score and the next lower one; below the lowest score,
            half the gap above it.
        """
        upper = float(self.thresholds[index])
        if math.isinf(upper):
            return upper
        below = self.thresholds[index:]
        with np.errstate(over="ignore"):  # an infinite gap is wide
            is_wide = below[:-1] - below[1:] > min_gap * np.abs(below[:-1])
        index += int(np.argmax(is_wide)) if is_wide.any() else len(is_wide)
        upper = float(self.thresholds[index])
        if index + 1 < len(self):
            lower = float(self.thresholds[index + 1])
        elif index > 1:
            lower = 2 * upper - float(self.thresholds[index - 1])
        else:
            lower = upper - max(abs(upper), 1.0) * 1e-6
        middle = lower / 2 + upper / 2
        return middle if lower < middle < upper else upper

    def frame(self) -> pd.DataFrame:
        """Return the curve as a table.

        Returns
        -------
        frame : DataFrame
            One row per threshold: counts, recall, precision, specificity, alerts per 1000.
        """
        return pd.DataFrame(
            {
                "threshold": self.thresholds,
                "tp": self.tp,
                "fp": self.fp,
                "fn": self.fn,
                "tn": self.tn,
                "recall": self.recall,
                "precision": self.precision,
                "specificity": self.specificity,
                "alerts_per_1000": self.alerts_per_1000,
            }
        )


def operating_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> OperatingCurve:
    """Compute the exact operating curve of a score.

    Every distinct score is a threshold: one sort, O(n log n), no grid.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, of two classes; or of more, when `pos_label` names the one to find.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two sorted labels.

    Returns
    -------
    curve : OperatingCurve
        Thresholds, counts and the rates derived from them.

    Raises
    ------
    ValueError
        If `y_true` holds one class or looks like scores, a score is NaN or infinite, or all samples
        of a class have weight zero.

    Examples
    --------
    >>> from skrecall.metrics import operating_curve
    >>> curve = operating_curve([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.thresholds
    array([ inf, 0.8 , 0.4 , 0.35, 0.1 ])
    >>> curve.tp, curve.fp
    (array([0, 1, 2, 2, 2]), array([0, 0, 0, 1, 2]))
    """
    y_score = check_scores(y_score)
    check_consistent_length(y_true, y_score)
    positive, pos_label = check_binary_target(y_true, pos_label=pos_label)
    weight = check_weights(sample_weight, y_score)
    curve = curve_from_positive(positive, y_score, weight=weight, pos_label=pos_label)
    if not (curve.n_positives > 0 and curve.n_negatives > 0):
        raise ValueError(
            f"sample_weight gives the positives a total weight of {curve.n_positives:g} and the "
            f"negatives {curve.n_negatives:g}: both must be positive."
        )
    return curve


def curve_from_positive(
    positive: NDArray[np.bool_],
    y_score: NDArray[np.float64],
    *,
    weight: NDArray[np.float64] | None = None,
    pos_label: Any = True,
) -> OperatingCurve:
    """Compute the curve of checked arrays; `operating_curve` is this after its checks.

    Parameters
    ----------
    positive : ndarray of shape (n_samples,), dtype bool
        True for positive samples.
    y_score : ndarray of shape (n_samples,)
        Finite scores.
    weight : ndarray of shape (n_samples,), default=None
        Non-negative weights.
    pos_label : object, default=True
        The label to record as positive.

    Returns
    -------
    curve : OperatingCurve
        Thresholds and counts; of no samples, the point where nothing is flagged alone.
    """
    order = np.argsort(-y_score)
    y_score, positive = y_score[order], positive[order]
    is_end = np.append(y_score[1:] != y_score[:-1], np.ones(len(y_score[:1]), dtype=bool))
    block_end = np.flatnonzero(is_end)
    if weight is None:
        tp = np.cumsum(positive)[block_end]
        fp = block_end + 1 - tp
    else:
        weight = weight[order]
        tp = np.cumsum(np.where(positive, weight, 0.0))[block_end]
        fp = np.cumsum(np.where(positive, 0.0, weight))[block_end]
    tp, fp = np.concatenate([[0], tp]), np.concatenate([[0], fp])
    return OperatingCurve(
        thresholds=np.concatenate([[np.inf], y_score[block_end]]),
        tp=tp,
        fp=fp,
        n_positives=tp[-1].item(),
        n_negatives=fp[-1].item(),
        pos_label=pos_label,
    )
