"""How much recall a number of held-out positives can promise: statistics only, no data.

The recall lost below the k-th smallest score of m exchangeable positives is Beta(k, m - k + 1)
distributed [1]_, so flagging everything from that score up misses the target with probability
P(Bin(m, 1 - target) <= k - 1), exactly for continuous scores and at most that for tied ones. The
same rule, classes swapped, is the Neyman-Pearson umbrella algorithm [2]_.

References
----------
.. [1] H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., Wiley, 2003, ch. 2.
.. [2] X. Tong, Y. Feng, J. J. Li, "Neyman-Pearson classification algorithms and NP receiver
   operating characteristics", Science Advances 4(2), 2018.
"""

import math
from fractions import Fraction
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, betabinom, binom, norm

from skrecall.utils._sklearn import Interval, validate_params

_ROUNDING = 1e-12  # relative: (1 - 0.9) is below 0.1 by 3e-16, and must not cost a positive


def allowed_misses(n_positives: int, target_recall: float) -> int:
    """Return how many of `n_positives` may be missed at a recall of at least the target.

    Parameters
    ----------
    n_positives : int
        Number of positives.
    target_recall : float in (0, 1)
        The target, read as the decimal number it prints as: 10 of 100 may be missed at 0.9.

    Returns
    -------
    misses : int
        The largest number of misses.
    """
    return math.floor(n_positives * (1 - Fraction(repr(float(target_recall)))))


def violation_probability(
    rank: int, n_positives: int, target_recall: float, *, next_batch: int | None = None
) -> float:
    """Return the probability that flagging from the `rank`-th smallest score up misses the target.

    Parameters
    ----------
    rank : int
        Rank of the threshold among the held-out positive scores, from 1.
    n_positives : int
        Number of held-out positives.
    target_recall : float in (0, 1)
        Recall to keep.
    next_batch : int, default=None
        Number of positives in the batch that the promise is about; None for the population.

    Returns
    -------
    probability : float
        Over draws of the held-out positives, and of the batch.
    """
    if next_batch is None:
        return float(binom.cdf(rank - 1, n_positives, 1 - target_recall))
    misses = allowed_misses(next_batch, target_recall)
    within = np.arange(misses + 1)
    kept = betabinom.pmf(within, next_batch, rank, n_positives - rank + 1).sum()
    return float(max(0.0, 1 - kept))


def threshold_rank(
    n_positives: int, target_recall: float, delta: float, *, next_batch: int | None = None
) -> int:
    """Return the largest rank whose violation probability is at most `delta`.

    Parameters
    ----------
    n_positives : int
        Number of held-out positives.
    target_recall : float in (0, 1)
        Recall to keep.
    delta : float in (0, 1)
        Allowed violation probability.
    next_batch : int, default=None
        See `violation_probability`.

    Returns
    -------
    rank : int
        From 1; 0 if no threshold can carry the promise.
    """
    if next_batch is None:
        return int(_population_ranks(np.array([n_positives]), target_recall, delta)[0])
    bound = delta * (1 + _ROUNDING)
    low, high = 0, n_positives
    while low < high:
        rank = (low + high + 1) // 2
        violation = violation_probability(rank, n_positives, target_recall, next_batch=next_batch)
        low, high = (rank, high) if violation <= bound else (low, rank - 1)
    return low


def _population_ranks(
    n_positives: NDArray[np.int64], target_recall: float, delta: float
) -> NDArray[np.int64]:
    """Return the rank of `threshold_rank`, for many numbers of positives at once."""
    rank = binom.ppf(delta, n_positives, 1 - target_recall).astype(np.int64) + 1
    violation = binom.cdf(rank - 1, n_positives, 1 - target_recall)
    return rank - (violation > delta * (1 + _ROUNDING))


def recall_lower_bound(rank: int, n_positives: int, delta: float) -> float:
    """Return the recall that the `rank`-th smallest score keeps with confidence ``1 - delta``.

    Parameters
    ----------
    rank : int
        Rank of the threshold among the held-out positive scores, from 1.
    n_positives : int
        Number of held-out positives.
    delta : float in (0, 1)
        Allowed violation probability.

    Returns
    -------
    bound : float
        Clopper and Pearson's lower bound.
    """
    return float(beta.ppf(delta, n_positives - rank + 1, rank))


def best_target(n_positives: int, delta: float, *, next_batch: int | None = None) -> float:
    """Return the highest recall that `n_positives` can promise, from their lowest score up.

    Parameters
    ----------
    n_positives : int
        Number of held-out positives, at least 1.
    delta : float in (0, 1)
        Allowed violation probability.
    next_batch : int, default=None
        See `violation_probability`.

    Returns
    -------
    target_recall : float
        In [0, 1); 0 if nothing can be promised.
    """
    if next_batch is None:
        return recall_lower_bound(1, n_positives, delta)
    kept = betabinom.cdf(np.arange(next_batch + 1), next_batch, 1, n_positives)
    misses = int(np.argmax(kept >= 1 - delta * (1 + _ROUNDING)))
    target = 1 - misses / next_batch
    while allowed_misses(next_batch, target) < misses:  # 1 - 1/7 prints as more than 6/7
        target = float(np.nextafter(target, 0))
    return target


@validate_params(
    {
        "target_recall": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "n_comparisons": [Interval(Integral, 1, None, closed="left")],
        "next_batch": [Interval(Integral, 1, None, closed="left"), None],
        "max_excess": [Interval(Real, 0.001, 1, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def positives_needed(
    target_recall: float,
    confidence: float = 0.9,
    *,
    n_comparisons: int = 1,
    next_batch: int | None = None,
    max_excess: float | None = None,
) -> int:
    """Return how many held-out positives a recall promise needs, before any data exist.

    Parameters
    ----------
    target_recall : float in (0, 1)
        Recall to keep.
    confidence : float in (0, 1), default=0.9
        Probability, over draws of the held-out positives, of keeping it.
    n_comparisons : int, default=1
        Promises that must hold at once: models compared on the same positives, strata, classes.
    next_batch : int, default=None
        Number of positives in the batch that the promise is about; None for the population.
    max_excess : float in [0.001, 1), default=None
        If given, ask also that the expected recall exceeds the target by no more than this, with
        that many positives or more. Few positives can promise much only by flagging nearly
        everything; this is what keeps a promise affordable.

    Returns
    -------
    n_positives : int
        Held-out positives; the model needs its own besides.

    Raises
    ------
    ValueError
        If both `next_batch` and `max_excess` are given.

    Examples
    --------
    >>> from skrecall.threshold import positives_needed
    >>> positives_needed(0.95, 0.9)
    45
    >>> positives_needed(0.95, 0.9, max_excess=0.02)
    234
    """
    delta = (1 - confidence) / n_comparisons
    if max_excess is None:
        return _first_feasible(target_recall, delta, next_batch)
    if next_batch is not None:
        raise ValueError(
            "max_excess is about the recall in the population, next_batch about a batch: pass one."
        )
    return _first_affordable(target_recall, delta, max_excess)


def _first_feasible(target_recall: float, delta: float, next_batch: int | None) -> int:
    low, high = 0, 1
    while threshold_rank(high, target_recall, delta, next_batch=next_batch) == 0:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        feasible = threshold_rank(middle, target_recall, delta, next_batch=next_batch) > 0
        low, high = (low, middle) if feasible else (middle, high)
    return high


def _first_affordable(target_recall: float, delta: float, max_excess: float) -> int:
    """Return the number from which on the expected recall exceeds the target by little.

    The excess falls in a saw-tooth: each new rank lowers it, each positive up to the next raises it
    again, so that the first number that will do is followed by some that will not.
    """
    spread = norm.isf(delta) ** 2 * target_recall * (1 - target_recall)
    n_checked = max(4096, round(4 * spread / max_excess**2))
    first = 1 if n_checked <= 2**16 else n_checked // 16
    n = np.arange(first, n_checked + 1)
    rank = _population_ranks(n, target_recall, delta)
    excess = 1 - rank / (n + 1) - target_recall
    failing = np.flatnonzero((rank == 0) | (excess > max_excess * (1 + _ROUNDING)))
    return int(n[failing[-1]]) + 1 if len(failing) else 1
