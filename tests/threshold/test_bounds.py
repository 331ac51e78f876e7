import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import beta, binom

from skrecall.threshold import positives_needed
from skrecall.threshold._bounds import (
    allowed_misses,
    best_target,
    recall_lower_bound,
    threshold_rank,
    violation_probability,
)

CASES = [
    (m, r, d) for m in (1, 7, 30, 200, 1511) for r in (0.5, 0.8, 0.9, 0.99) for d in (0.05, 0.3)
]


@pytest.mark.parametrize(("n_positives", "target", "delta"), CASES)
def test_rank_is_the_last_that_keeps_the_promise(n_positives, target, delta):
    rank = threshold_rank(n_positives, target, delta)
    assert rank == 0 or binom.cdf(rank - 1, n_positives, 1 - target) <= delta
    assert rank == n_positives or binom.cdf(rank, n_positives, 1 - target) > delta


@pytest.mark.parametrize(("n_positives", "target", "delta"), CASES)
def test_rank_is_that_of_the_clopper_pearson_bound(n_positives, target, delta):
    ranks = np.arange(1, n_positives + 1)
    keeps = beta.ppf(delta, n_positives - ranks + 1, ranks) >= target
    assert threshold_rank(n_positives, target, delta) == keeps.sum()


@pytest.mark.parametrize(
    ("n_positives", "rank"), [(30, 1), (60, 3), (100, 6), (200, 15), (500, 41), (1000, 88)]
)
def test_published_ranks_at_recall_90_confidence_90(n_positives, rank):
    assert threshold_rank(n_positives, 0.9, 1 - 0.9) == rank


def test_exact_half():
    """P(Bin(1, .5) <= 0) is .5 exactly, which rounding must not turn down."""
    assert threshold_rank(1, 0.5, 0.5) == 1
    assert positives_needed(0.5, 0.5) == 1


@pytest.mark.parametrize(
    ("n", "target", "misses"), [(100, 0.9, 10), (20, 0.95, 1), (1000, 0.999, 1), (5, 0.9, 0)]
)
def test_allowed_misses_read_the_target_as_a_decimal(n, target, misses):
    assert allowed_misses(n, target) == misses


def exact_batch_violation(rank, m, n, misses):
    """Of n + m exchangeable positives, m held out: count the orders where too many are missed."""
    kept = sum(
        Fraction(
            math.comb(x + rank - 1, x) * math.comb(n - x + m - rank, n - x), math.comb(n + m, n)
        )
        for x in range(misses + 1)
    )
    return 1 - kept


@pytest.mark.parametrize(("m", "n", "target"), [(30, 10, 0.9), (60, 60, 0.8), (200, 50, 0.95)])
def test_next_batch_counts_orders(m, n, target):
    misses = allowed_misses(n, target)
    for rank in (1, 3, m // 4):
        exact = float(exact_batch_violation(rank, m, n, misses))
        got = violation_probability(rank, m, target, next_batch=n)
        assert got == pytest.approx(exact, abs=1e-10)
    rank = threshold_rank(m, target, 0.1, next_batch=n)
    assert exact_batch_violation(rank, m, n, misses) <= Fraction(1, 10)
    assert exact_batch_violation(rank + 1, m, n, misses) > Fraction(1, 10)


def test_lower_bound_solves_the_tail_probability():
    bound = recall_lower_bound(15, 200, 0.1)
    assert binom.cdf(14, 200, 1 - bound) == pytest.approx(0.1)


@pytest.mark.parametrize("n_positives", [1, 5, 44])
def test_best_target_is_just_feasible(n_positives):
    best = best_target(n_positives, 0.1)
    assert best == pytest.approx(0.1 ** (1 / n_positives))
    assert threshold_rank(n_positives, best * (1 - 1e-9), 0.1) == 1
    assert threshold_rank(n_positives, best + 1e-6, 0.1) == 0


@pytest.mark.parametrize(("m", "n"), [(30, 50), (22, 7), (9, 13), (60, 99)])
def test_best_target_of_a_batch_is_just_feasible(m, n):
    best = best_target(m, 0.1, next_batch=n)
    misses = round(n * (1 - best))
    assert exact_batch_violation(1, m, n, misses) <= Fraction(1, 10)
    assert exact_batch_violation(1, m, n, misses - 1) > Fraction(1, 10)
    assert threshold_rank(m, best, 0.1, next_batch=n) >= 1


@pytest.mark.parametrize(
    ("target", "needed"),
    [
        (0.8, [8, 11, 14, 21]),
        (0.9, [16, 22, 29, 44]),
        (0.95, [32, 45, 59, 90]),
        (0.99, [161, 230, 299, 459]),
    ],
)
def test_positives_needed_table(target, needed):
    assert [positives_needed(target, confidence) for confidence in (0.8, 0.9, 0.95, 0.99)] == needed


@pytest.mark.parametrize(
    ("target", "excess"), [(0.8, 0.05), (0.9, 0.02), (0.95, 0.02), (0.99, 0.01)]
)
def test_max_excess_holds_from_the_number_on_and_not_before(target, excess):
    needed = positives_needed(target, 0.9, max_excess=excess)

    def excess_of(m):
        rank = max(
            (k for k in range(1, m + 1) if binom.cdf(k - 1, m, 1 - target) <= 0.1), default=0
        )
        return 1 - rank / (m + 1) - target if rank else 1.0

    assert excess_of(needed - 1) > excess
    assert all(excess_of(m) <= excess + 1e-12 for m in range(needed, needed + 60))


def test_comparisons_share_the_confidence():
    assert positives_needed(0.9, 0.9, n_comparisons=20) == positives_needed(0.9, 1 - 0.1 / 20)


def test_a_batch_that_allows_no_miss():
    """P(any of 5 missed) is 5 / (m + 5) at the lowest score: 45 positives for 10 %."""
    assert positives_needed(0.9, 0.9, next_batch=5) == 45


@pytest.mark.parametrize("bad", [{"target_recall": 1.0}, {"target_recall": 0}, {"confidence": 1.0}])
def test_impossible_terms_are_refused(bad):
    (name,) = bad
    with pytest.raises(ValueError, match=f"'{name}' parameter .* must be a float in the range"):
        positives_needed(**{"target_recall": 0.9, **bad})


def test_excess_and_batch_do_not_mix():
    with pytest.raises(ValueError, match="pass one"):
        positives_needed(0.9, next_batch=10, max_excess=0.05)
