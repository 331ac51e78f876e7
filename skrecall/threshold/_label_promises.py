"""Recall promised about several labels: jointly over labels, and micro-averaged.

Jointly: label j, flagged from its k_j-th smallest held-out positive score up, misses the target
with a probability v_j(k_j) that depends on the number of its positives alone (`_bounds`), so that
the ranks can be chosen before the scores are looked at, such that these probabilities sum to at
most delta. That is never worse than delta / L for each of L labels, whose rounding it spends.

Micro-averaged: labels of one sample are not independent, so that each sample is one bounded loss,
and bets are placed against the mean of these losses being too great [1]_.

References
----------
.. [1] I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
   Journal of the Royal Statistical Society B 86(1), 2024.
"""

import heapq
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom
from sklearn.utils import check_random_state

from ._bounds import _population_ranks, best_target, positives_needed
from ._label_evidence import LabelEvidence, shown
from ._promise import LAST_DIGITS, RecallPromise, _PromiseTerms, promise_at_rank

_ROUNDING = 1e-12  # relative, as in `_bounds`
_LARGEST_STAKE = 0.75  # share of the wealth that one sample may lose at most
_FIRST_BETS = 32  # samples before the bets are sized by what was seen


def joint_ranks(
    n_positives: NDArray[np.int64], target_recall: float, delta: float
) -> NDArray[np.int64]:
    """Return ranks whose violation probabilities sum to at most `delta`, for all labels together.

    Every label starts with its rank at delta / n_labels. What rounding leaves over goes first to
    labels that have no rank, and then, step by step, to the label where one rank more costs least
    for what it gains: the expected recall that is given up to save alerts, 1 / (n_positives + 1) a
    rank. The mean of that over labels is what these steps make great.

    Parameters
    ----------
    n_positives : ndarray of shape (n_labels,), dtype int
        Held-out positives of each label.
    target_recall : float in (0, 1)
        Recall to keep in every label.
    delta : float in (0, 1)
        Allowed probability that some label misses it.

    Returns
    -------
    ranks : ndarray of shape (n_labels,), dtype int
        From 1; 0 where nothing can be promised.
    """
    alpha = 1 - target_recall
    ranks = _ranks(n_positives, target_recall, delta / max(len(n_positives), 1))
    left = delta * (1 + _ROUNDING) - violation_of_labels(ranks, n_positives, target_recall).sum()

    def next_step(label: int) -> tuple[bool, float, float, int]:
        cost = float(binom.pmf(ranks[label], n_positives[label], alpha))
        return bool(ranks[label]), cost * (n_positives[label] + 1), cost, label

    steps = [next_step(label) for label in np.flatnonzero(n_positives).tolist()]
    heapq.heapify(steps)
    while steps:
        _, _, cost, label = heapq.heappop(steps)
        if cost > left:
            continue  # a further rank of this label costs more still
        left -= cost
        ranks[label] += 1
        if ranks[label] < n_positives[label]:
            heapq.heappush(steps, next_step(label))
    return ranks


def violation_of_labels(
    ranks: NDArray[np.int64], n_positives: NDArray[np.int64], target_recall: float
) -> NDArray[np.float64]:
    """Return the probability that each label misses the target.

    Parameters
    ----------
    ranks, n_positives : ndarray of shape (n_labels,), dtype int
        Rank of the threshold among the held-out positive scores, and their number.
    target_recall : float in (0, 1)
        Recall to keep.

    Returns
    -------
    probability : ndarray of shape (n_labels,)
        0 where the rank is 0, as nothing is promised there.
    """
    return binom.cdf(ranks - 1, n_positives, 1 - target_recall)


def micro_recall_score(
    positive: NDArray[np.bool_],
    y_score: NDArray,
    target_recall: float,
    delta: float,
    rng: np.random.RandomState,
) -> float | None:
    """Return the highest score from which on flagging keeps micro-averaged recall, by betting.

    A sample with c positive labels, m of which score below t, has the loss m - (1 - target) c; the
    micro recall of t is at least the target where the mean loss is not positive. A gambler who bets
    against a positive mean, by stakes that depend on earlier samples only, makes more than 1 /
    `delta` with probability `delta` at most [1]_. The stakes are the same for all t, so that wealth
    falls with t: all t that the gambler gets rich from hold together, and a bisection finds the
    highest.

    Parameters
    ----------
    positive : ndarray of shape (n_samples, n_labels), dtype bool
        True labels.
    y_score : ndarray of shape (n_samples, n_labels)
        Their scores, comparable between labels.
    target_recall : float in (0, 1)
        Recall to keep.
    delta : float in (0, 1)
        Allowed probability of missing it.
    rng : RandomState
        Puts the samples in order.

    Returns
    -------
    score : float or None
        A score of a positive label; None if the lowest one carries no promise.
    """
    order = rng.permutation(np.flatnonzero(positive.any(axis=1)))
    row, label = np.nonzero(positive[order])
    score: NDArray[np.float64] = y_score[order][row, label].astype(np.float64)
    n_rows, alpha = len(order), 1 - target_recall
    allowed = (alpha * np.bincount(row, minlength=n_rows)).astype(np.float64)
    stakes = _stakes(row, score, allowed, alpha, delta, n_labels=positive.shape[1])

    def is_kept(t: float) -> bool:
        loss = np.bincount(row, weights=score < t, minlength=n_rows) - allowed
        return np.cumsum(np.log1p(-stakes * loss)).max(initial=0.0) >= -math.log(delta)

    candidates = np.unique(score)
    low, high = -1, len(candidates) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_kept(candidates[middle]) else (low, middle - 1)
    return None if low < 0 else float(candidates[low])


def _stakes(
    row: NDArray[np.intp],
    score: NDArray[np.float64],
    allowed: NDArray[np.float64],
    alpha: float,
    delta: float,
    *,
    n_labels: int,
) -> NDArray[np.float64]:
    """Return what is bet on each sample, sized by the losses seen before it.

    They are sized for the threshold that would just keep the target on the samples before, anew
    each time that twice as many have been seen.
    """
    n_rows = len(allowed)
    largest = _LARGEST_STAKE / ((1 - alpha) * n_labels)
    variance = alpha * (1 - alpha)
    stakes = np.empty(n_rows)
    start, end = 0, _FIRST_BETS
    while start < n_rows:
        if start:
            seen = slice(0, np.searchsorted(row, start))
            below = score[seen] < np.quantile(score[seen], alpha)
            loss = np.bincount(row[seen], weights=below, minlength=start) - allowed[:start]
            variance = max(float(loss.var()), alpha * (1 - alpha) / start)
        stakes[start:end] = min(math.sqrt(-2 * math.log(delta) / (n_rows * variance)), largest)
        start, end = end, 2 * end
    return stakes


# What is promised, the threshold of each label (NaN without promise), and who lacks what.
_Promised = tuple[list[RecallPromise], NDArray[np.float64], str]


def promises_of_labels(
    evidence: LabelEvidence,
    *,
    target_recall: float,
    confidence: float,
    is_joint: bool,
    promises_best: bool,
) -> _Promised:
    """Promise the recall of every label that has positives enough.

    Parameters
    ----------
    evidence : LabelEvidence
        Held-out rows.
    target_recall, confidence : float in (0, 1)
        Recall to keep, and the probability of keeping it.
    is_joint : bool
        Whether that probability is of all labels at once, or of each.
    promises_best : bool
        Whether labels with too few positives are promised what these can carry.

    Returns
    -------
    promises : list of RecallPromise
        One per label promised.
    thresholds : ndarray of shape (n_labels,)
        NaN for the others.
    message : str
        Names the labels with too few positives; empty if there are none.
    """
    n_positives, n_labels = evidence.n_positives, len(evidence.names)
    delta = 1 - confidence
    share = delta / n_labels if is_joint else delta
    ranks = _ranks(n_positives, target_recall, share)
    too_few = ranks == 0
    if is_joint and not promises_best:
        ranks = joint_ranks(n_positives, target_recall, delta)
        too_few = ranks == 0
    elif is_joint:  # each of the others takes up its share for the recall that it can carry
        kept = np.flatnonzero(~too_few)
        ranks[kept] = joint_ranks(n_positives[kept], target_recall, share * len(kept))
    carried = np.full(n_labels, target_recall)
    if promises_best:
        best = np.flatnonzero(too_few & (n_positives > 0))
        ranks[best] = 1
        carried[best] = [best_target(int(n), share) for n in n_positives[best]]
    terms = _terms(evidence, target_recall, confidence, int(np.sum(ranks > 0)) if is_joint else 1)
    thresholds, promises = np.full(n_labels, np.nan), []
    for k in np.flatnonzero(ranks).tolist():
        positive, y_score = evidence.known(k)
        promise, _ = promise_at_rank(
            positive,
            y_score,
            terms,
            int(ranks[k]),
            float(carried[k]),
            pos_label=evidence.names[k],
            stratum=None,
            is_empirical=evidence.is_empirical,
        )
        thresholds[k] = promise.threshold
        flagged = y_score >= promise.threshold
        promises.append(
            replace(
                promise,
                lower_bound=promise.target_recall
                if is_joint and not evidence.is_empirical
                else promise.lower_bound,
                precision=float(np.mean(positive[flagged])),
                alerts_per_1000=float(1000 * np.mean(flagged)),
            )
        )
    if not too_few.any():
        return promises, thresholds, ""
    needed = positives_needed(target_recall, confidence, n_comparisons=n_labels if is_joint else 1)
    found = dict(zip(evidence.names[too_few].tolist(), n_positives[too_few].tolist(), strict=True))
    together = f" in all {n_labels} labels together" if is_joint else ""
    at_most = "at most " if is_joint else ""  # joint ranks are never below those of equal shares
    message = (
        f"Cannot promise recall >= {target_recall} with confidence {confidence}{together} for "
        f"{len(found)} of {n_labels} labels, which need {at_most}{needed} held-out positives each "
        f"and have {shown([f'{name!r}: {n}' for name, n in found.items()])}."
    )
    return promises, thresholds, message


def promise_of_micro_recall(
    evidence: LabelEvidence,
    *,
    target_recall: float,
    confidence: float,
    is_joint: bool,
    promises_best: bool,
) -> _Promised:
    """Promise micro-averaged recall, by one threshold for all labels.

    Parameters
    ----------
    evidence : LabelEvidence
        Held-out rows.
    target_recall, confidence : float in (0, 1)
        Recall to keep, and the probability of keeping it.
    is_joint, promises_best : bool
        Of no effect: there is one promise.

    Returns
    -------
    promises : list of RecallPromise
        One, or none.
    thresholds : ndarray of shape (n_labels,)
        All the same; NaN without promise.
    message : str
        Empty with a promise.
    """
    positive, y_score = evidence.Y == 1, evidence.y_score
    score = micro_recall_score(
        positive, y_score, target_recall, 1 - confidence, check_random_state(evidence.seed)
    )
    n_labels = len(evidence.names)
    if score is None:
        message = (
            f"Cannot promise micro-averaged recall >= {target_recall} with confidence "
            f"{confidence} from {positive.sum()} positives in {positive.any(axis=1).sum()} of "
            f"{len(positive)} held-out rows: the lowest of their scores carries no promise."
        )
        return [], np.full(n_labels, np.nan), message
    known = y_score[evidence.Y >= 0]
    lower = np.max(known, where=known < score - LAST_DIGITS * abs(score), initial=-np.inf)
    threshold = score - max(abs(score), 1.0) * 1e-6 if np.isinf(lower) else (lower + score) / 2
    flagged = known >= threshold
    promise = RecallPromise(
        pos_label="any label (micro-averaged)",
        stratum=None,
        target_recall=target_recall,
        confidence=confidence,
        n_promises=1,
        n_positives=int(positive.sum()),
        unit="positive",
        group_promise=None,
        next_batch=None,
        rank=int(np.sum(y_score[positive] < score)) + 1,
        highest_threshold=score,
        threshold=float(threshold),
        lower_bound=np.nan if evidence.is_empirical else target_recall,
        is_empirical=evidence.is_empirical,
        precision=float(np.sum(y_score[positive] >= threshold) / flagged.sum()),
        alerts_per_1000=float(1000 * flagged.sum() / len(positive)),
    )
    return [promise], np.full(n_labels, threshold), ""


def _ranks(n_positives: NDArray[np.int64], target_recall: float, delta: float) -> NDArray[np.int64]:
    """Return the rank of each label by itself; 0 where nothing can be promised."""
    ranks = np.zeros(len(n_positives), dtype=np.int64)
    some = n_positives > 0
    ranks[some] = _population_ranks(n_positives[some], target_recall, delta)
    return ranks


def _terms(
    evidence: LabelEvidence, target_recall: float, confidence: float, n_promises: int
) -> _PromiseTerms:
    return _PromiseTerms(
        target_recall=target_recall,
        confidence=confidence,
        n_promises=n_promises,
        next_batch=None,
        group_promise=None,
        on_insufficient="raise",
        held_out_share=evidence.held_out_share,
    )
