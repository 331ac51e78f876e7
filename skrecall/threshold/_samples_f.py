"""Thresholds, one per label, for F averaged over samples."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skrecall.utils._indicator import UNKNOWN
from skrecall.utils._sklearn import Interval, validate_params

from ._label_optimum import check_label_scores, label_optima

MAX_SWEEPS = 20  # over the labels; a handful is usual
_LEAST_GAIN = 1e-12  # of the mean F: more than rounding gives


@validate_params(
    {
        "Y_true": ["array-like", "sparse matrix"],
        "y_score": ["array-like", "sparse matrix"],
        "beta": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def samples_f_thresholds(
    Y_true: Any, y_score: Any, *, beta: float = 1.0
) -> tuple[NDArray[np.float64], float]:
    """Return thresholds, one per label, of great F-beta averaged over samples.

    Parameters
    ----------
    Y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; a label of a sample that is NaN or -1 is left out.
    y_score : array-like or sparse of shape (n_samples, n_labels)
        Scores; a sparse one is made dense.
    beta : float, default=1.0
        Recall counts `beta` times as much as precision.

    Returns
    -------
    thresholds : ndarray of shape (n_labels,)
        Predict a label where its score is at least this.
    samples_f : float
        The mean over samples. One without labels counts 1 if none is predicted, else 0.

    See Also
    --------
    independent_f_maximizer : The best set for each sample, from its probabilities: no thresholds.

    Notes
    -----
    What a label adds to the F of a sample depends on the other labels predicted for it, so the mean
    does not separate, and the best thresholds of all labels together are not found in general. What
    is exact: the best single threshold for all labels, and the best threshold of each label given
    the others. The better of that single one and the optima of F label by label is where an ascent
    over the labels starts; it ends where no single label can improve the mean.

    Examples
    --------
    >>> from skrecall.threshold import samples_f_thresholds
    >>> Y = [[1, 0], [1, 0], [0, 1], [0, 0]]
    >>> y_score = [[0.9, 0.1], [0.4, 0.2], [0.2, 0.3], [0.1, 0.2]]
    >>> samples_f_thresholds(Y, y_score)
    (array([0.25, 0.25]), 1.0)
    """
    Y, y_score, _ = check_label_scores(Y_true, y_score)
    Y = Y.toarray() if issparse(Y) else Y
    y_score = y_score.toarray() if issparse(y_score) else y_score
    single = np.full(Y.shape[1], _best_single_threshold(Y, y_score, beta))
    own = label_optima(Y, y_score, "f_beta", params={"beta": beta}).thresholds
    starts = [_Ascent(Y, y_score, start, beta) for start in (single, own)]
    best = max(starts, key=lambda ascent: ascent.value())
    for _ in range(MAX_SWEEPS):
        if not best.sweep():
            break
    return best.thresholds, best.value()


class _Ascent:
    """Thresholds, and the hits and alerts of every sample under them."""

    def __init__(self, Y: NDArray, y_score: NDArray, start: NDArray, beta: float) -> None:
        self.Y, self.y_score, self.beta = Y, y_score, beta
        self.thresholds = start.copy()
        flags = (start <= y_score) & (Y != UNKNOWN)
        self.hits = np.count_nonzero(flags & (Y == 1), axis=1)
        self.alerts = np.count_nonzero(flags, axis=1)
        self.size = np.count_nonzero(Y == 1, axis=1)

    def value(self) -> float:
        return float(np.mean(_f_of_sample(self.hits, self.alerts, self.size, self.beta)))

    def sweep(self) -> bool:
        """Give every label in turn its best threshold; return whether one changed."""
        changed = [self._move(k) for k in range(len(self.thresholds))]
        return any(changed)

    def _move(self, label: int) -> bool:
        rows = np.flatnonzero(self.Y[:, label] != UNKNOWN)
        score = self.y_score[rows, label].astype(np.float64)
        positive = self.Y[rows, label] == 1
        flagged = score >= self.thresholds[label]
        hits = self.hits[rows] - (flagged & positive)
        alerts, size = self.alerts[rows] - flagged, self.size[rows]
        gain = _f_of_sample(hits + positive, alerts + 1, size, self.beta)
        gain -= _f_of_sample(hits, alerts, size, self.beta)
        best, threshold = _best_cut(score, gain)
        if best - gain[flagged].sum() <= _LEAST_GAIN * len(self.Y):
            return False
        self.thresholds[label] = threshold
        flagged = score >= threshold
        self.hits[rows], self.alerts[rows] = hits + (flagged & positive), alerts + flagged
        return True


def _f_of_sample(hits: NDArray, alerts: NDArray, size: NDArray, beta: float) -> NDArray[np.float64]:
    """Return F-beta of each sample, 1 where it has no label and gets none."""
    total = beta**2 * size + alerts
    return np.divide((1 + beta**2) * hits, total, out=np.ones(total.shape), where=total > 0)


def _best_cut(score: NDArray[np.float64], gain: NDArray[np.float64]) -> tuple[float, float]:
    """Return the greatest sum of gains from a score up, and the threshold there."""
    if len(score) == 0:
        return 0.0, np.inf
    order = np.argsort(-score)
    score = score[order]
    is_end = np.append(score[1:] != score[:-1], [True])
    total, ends = np.cumsum(gain[order])[is_end], score[is_end]
    best = int(np.argmax(total))
    if total[best] <= 0:
        return 0.0, np.inf
    upper = ends[best]
    if best + 1 < len(ends):
        lower = ends[best + 1]
    else:
        lower = 2 * upper - ends[best - 1] if best else upper - max(abs(upper), 1.0) * 1e-6
    middle = lower / 2 + upper / 2
    return float(total[best]), float(middle if lower < middle < upper else upper)


def _best_single_threshold(Y: NDArray, y_score: NDArray, beta: float) -> float:
    """Return the threshold for all labels of greatest mean F, exactly."""
    known = Y != UNKNOWN
    score = np.where(known, y_score, -np.inf)
    order = np.argsort(-score, axis=1)
    score = np.take_along_axis(score, order, axis=1).astype(np.float64)
    hits = np.cumsum(np.take_along_axis(Y == 1, order, axis=1), axis=1)
    alerts, size = np.arange(1, Y.shape[1] + 1), hits[:, -1:]
    value = _f_of_sample(hits, alerts, size, beta)
    gain = np.diff(value, axis=1, prepend=(size == 0).astype(np.float64))
    seen = np.isfinite(score)
    return _best_cut(score[seen], gain[seen])[1]
