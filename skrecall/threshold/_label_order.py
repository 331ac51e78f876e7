"""One label for each sample when several classes carry a promise: earlier classes take first."""

import numpy as np
from numpy.typing import NDArray

from skrecall.metrics._operating_curve import curve_from_positive

from ._evidence import Evidence
from ._promise import LAST_DIGITS, RecallPromise, plain_label


def label_threshold(y_score_pos: NDArray[np.float64], rank: int) -> float:
    """Return a threshold just below a rank that depends on the positives of one class alone.

    The promise of the next class counts what this one takes. For that to be exact, with independent
    rows, the threshold must not depend on the scores of the next class, as the midpoint to the next
    lower score of any class or a best precision would.

    Parameters
    ----------
    y_score_pos : ndarray of shape (n_positives,)
        Scores of the positives; minus infinity for those an earlier class took.
    rank : int
        Rank of the threshold among them, from the lowest.

    Returns
    -------
    threshold : float
        Midway to the next lower of these scores; minus infinity if the rank is among those taken:
        the promise cannot be kept.
    """
    at_rank = np.sort(y_score_pos)[rank - 1]
    if np.isneginf(at_rank):
        return -np.inf
    left = y_score_pos[np.isfinite(y_score_pos)]
    curve = curve_from_positive(np.ones(len(left), dtype=bool), left)
    return curve.threshold_below(curve.index_at(at_rank), min_gap=LAST_DIGITS)


def label_thresholds(
    evidence: Evidence, promises: list[RecallPromise], group_promise: str | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the thresholds of labels that are given in order, and what earlier classes take.

    Parameters
    ----------
    evidence : Evidence
        Held-out rows.
    promises : list of RecallPromise
        Class by class, and stratum by stratum within a class.
    group_promise : {"any", "row"} or None
        How rows of a group count.

    Returns
    -------
    thresholds : ndarray of shape (n_strata, n_labels)
        Minus infinity where a promise cannot be kept.
    n_taken : ndarray of shape (n_strata, n_labels)
        Positives of the class, or positive groups, that earlier classes take whole.
    """
    shape = len(evidence.strata), len(evidence.labels)
    thresholds, n_taken = np.empty(shape), np.empty(shape, dtype=np.int64)
    taken = np.zeros(len(evidence.y), dtype=bool)
    for j in range(shape[1]):
        left = np.where(taken, -np.inf, evidence.y_score[:, j])
        for i, stratum in enumerate(evidence.strata):
            positive, unit_score = evidence.units(j, stratum, group_promise, left)
            n_taken[i, j] = np.isneginf(unit_score[positive]).sum()
            rank = promises[j * shape[0] + i].rank
            thresholds[i, j] = label_threshold(unit_score[positive], rank)
            taken |= evidence.rows(stratum) & (left >= thresholds[i, j])
    return thresholds, n_taken


def refuse_overlap(
    thresholds: NDArray[np.float64], n_taken: NDArray[np.int64], promises: list[RecallPromise]
) -> None:
    """Raise if one label cannot carry all promises.

    Parameters
    ----------
    thresholds, n_taken : ndarray of shape (n_strata, n_labels)
        See `label_thresholds`.
    promises : list of RecallPromise
        Class by class, and stratum by stratum within a class.

    Raises
    ------
    ValueError
        If a threshold is minus infinity.
    """
    lost = np.flatnonzero(np.isneginf(thresholds).T)
    if len(lost):
        promise = promises[lost[0]]
        where = "" if promise.stratum is None else f" in stratum {plain_label(promise.stratum)!r}"
        raise ValueError(
            f"One label cannot carry all promises: earlier classes of pos_label take "
            f"{n_taken.T.flat[lost[0]]} of {promise.n_positives} held-out {promise.unit}s of class "
            f"{plain_label(promise.pos_label)!r}{where}, and its recall >= "
            f"{promise.target_recall:.6g} can spare {promise.rank - 1}. Use predict_flags, put "
            "this class earlier, or lower the target."
        )
