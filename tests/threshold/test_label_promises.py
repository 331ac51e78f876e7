"""Promises about several labels: the ranks by enumeration, the confidence by simulation."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr
from scipy.stats import binom

from skrecall.threshold._bounds import best_target, recall_lower_bound, threshold_rank
from skrecall.threshold._label_evidence import LabelEvidence
from skrecall.threshold._label_promises import (
    joint_ranks,
    micro_recall_score,
    promise_of_micro_recall,
    promises_of_labels,
    violation_of_labels,
)

COUNTS = np.array([5, 30, 45, 60, 100, 300])


def violations(ranks, counts, target):
    return [
        binom.cdf(k - 1, n, 1 - target) if k else 0.0 for k, n in zip(ranks, counts, strict=True)
    ]


@pytest.mark.parametrize(("target", "delta"), [(0.9, 0.1), (0.8, 0.2), (0.95, 0.05), (0.5, 0.5)])
def test_joint_ranks_spend_delta_and_are_never_worse_than_equal_shares(target, delta):
    ranks = joint_ranks(COUNTS, target, delta)
    assert sum(violations(ranks, COUNTS, target)) <= delta * (1 + 1e-9)
    assert_allclose(violation_of_labels(ranks, COUNTS, target), violations(ranks, COUNTS, target))
    equal = [threshold_rank(int(n), target, delta / len(COUNTS)) for n in COUNTS]
    assert (ranks >= equal).all()
    assert (ranks > equal).any()
    for k in range(len(COUNTS)):  # nothing is left that another rank could be bought with
        more = ranks + (np.arange(len(COUNTS)) == k)
        if more[k] <= COUNTS[k]:
            assert sum(violations(more, COUNTS, target)) > delta


def test_joint_ranks_give_up_nearly_as_much_recall_as_any():
    counts, target, delta = np.array([25, 40, 90]), 0.8, 0.2
    equal = [threshold_rank(int(n), target, delta / 3) for n in counts]
    best = max(
        np.sum(np.array(ranks) / (counts + 1))
        for ranks in product(*(range(k, k + 12) for k in equal))
        if sum(violations(ranks, counts, target)) <= delta
    )
    assert np.sum(joint_ranks(counts, target, delta) / (counts + 1)) >= best - 1 / (
        counts.min() + 1
    )
    assert np.sum(equal / (counts + 1)) < best


def test_one_label_and_no_positives():
    for n in (21, 22, 100):
        assert joint_ranks(np.array([n]), 0.9, 0.1)[0] == threshold_rank(n, 0.9, 0.1)
    assert_array_equal(joint_ranks(np.array([0, 0]), 0.9, 0.1), 0)
    # what a label without positives cannot use, the other one can
    assert joint_ranks(np.array([0, 100]), 0.9, 0.1)[1] == threshold_rank(100, 0.9, 0.1)


def evidence_of(Y, y_score, **changes):
    values = {
        "Y": np.asarray(Y, dtype=np.int8),
        "y_score": y_score,
        "names": np.arange(Y.shape[1]),
        "weight": None,
        "is_empirical": False,
        "has_groups": False,
        "held_out_share": 0.5,
        "seed": 0,
    }
    return LabelEvidence(**{**values, **changes})


def draw(rng, counts=(60, 45, 100), n_negatives=80):
    """Positive scores are uniform, so that the recall at t is 1 - t; labels share a latent."""
    n = max(counts) + n_negatives
    latent = rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, len(counts)))
    uniform = ndtr(latent / 1.25**0.5)
    Y = np.arange(n)[:, np.newaxis] < np.array(counts)
    return Y, np.where(Y, uniform, uniform - 0.4)


def promised_recalls(rng, n_reps, *, is_joint):
    recalls = []
    for _ in range(n_reps):
        promises, thresholds, message = promises_of_labels(
            evidence_of(*draw(rng)),
            target_recall=0.85,
            confidence=0.8,
            is_joint=is_joint,
            promises_best=False,
        )
        assert not message
        assert [promise.threshold for promise in promises] == thresholds.tolist()
        recalls.append([1 - promise.highest_threshold for promise in promises])
    return np.array(recalls)


def test_the_joint_promise_is_kept_by_all_labels_at_once():
    """Rate of draws in which some label misses: at most delta = .2, with 3 sigma of 600 draws.

    Independent labels would miss it in 1 - prod(1 - v_j) of the draws, these dependent ones less
    often; each by itself in v_j, the joint sum of which is nearly all of delta.
    """
    n_reps = 600
    recalls = promised_recalls(np.random.default_rng(0), n_reps, is_joint=True)
    violated = recalls < 0.85
    assert violated.any(axis=1).mean() <= 0.2 + 3 * (0.2 * 0.8 / n_reps) ** 0.5
    counts = np.array([60, 45, 100])
    expected = np.array(violations(joint_ranks(counts, 0.85, 0.2), counts, 0.85))
    assert_allclose(violated.mean(axis=0), expected, atol=4 * (0.1 * 0.9 / n_reps) ** 0.5)
    assert 0.17 < expected.sum() <= 0.2


def test_the_promise_of_each_label_is_about_that_label():
    """Each label misses with its exact probability; some label does far more often."""
    n_reps = 600
    violated = promised_recalls(np.random.default_rng(1), n_reps, is_joint=False) < 0.85
    exact = [violations([threshold_rank(n, 0.85, 0.2)], [n], 0.85)[0] for n in (60, 45, 100)]
    assert_allclose(violated.mean(axis=0), exact, atol=4 * (0.16 / n_reps) ** 0.5)
    assert violated.any(axis=1).mean() > 0.2


def test_labels_with_too_few_positives_are_named():
    Y, y_score = draw(np.random.default_rng(2), counts=(60, 3, 0, 100))
    evidence = evidence_of(Y, y_score, names=np.array(["a", "b", "c", "d"]))
    terms = {"target_recall": 0.9, "confidence": 0.9}
    promises, thresholds, message = promises_of_labels(
        evidence, **terms, is_joint=False, promises_best=False
    )
    assert [promise.pos_label for promise in promises] == ["a", "d"]
    assert_array_equal(np.isnan(thresholds), [False, True, True, False])
    assert "for 2 of 4 labels, which need 22 held-out positives each and have 'b': 3, 'c': 0" in (
        message
    )
    assert promises[0].lower_bound == recall_lower_bound(promises[0].rank, 60, 1 - 0.9)
    promises, thresholds, message = promises_of_labels(
        evidence, **terms, is_joint=True, promises_best=True
    )
    assert [promise.pos_label for promise in promises] == ["a", "b", "d"]
    assert promises[1].target_recall == best_target(3, (1 - 0.9) / 4)
    assert promises[1].lower_bound == promises[1].target_recall
    assert "in all 4 labels together for 2 of 4 labels, which need at most 36 held-out" in message
    of_others = violations([p.rank for p in promises if p.pos_label != "b"], [60, 100], 0.9)
    assert sum(of_others) + 0.1 / 4 <= 0.1
    empirical, _, _ = promises_of_labels(
        evidence_of(Y, y_score, is_empirical=True), **terms, is_joint=True, promises_best=False
    )
    assert all(np.isnan(promise.lower_bound) for promise in empirical)


def test_unknown_labels_count_for_nothing():
    Y, y_score = draw(np.random.default_rng(3), counts=(60, 50))
    kept = promises_of_labels(
        evidence_of(Y[:, :1], y_score[:, :1]),
        target_recall=0.8,
        confidence=0.8,
        is_joint=False,
        promises_best=False,
    )
    extended = np.vstack([Y[:, :1], np.full((20, 1), -1)])
    scores = np.vstack([y_score[:, :1], np.full((20, 1), 0.01)])
    actual = promises_of_labels(
        evidence_of(extended, scores),
        target_recall=0.8,
        confidence=0.8,
        is_joint=False,
        promises_best=False,
    )
    assert actual[0] == kept[0]


def draw_rows(rng, n, n_labels=5):
    """Labels and scores that share latents within a row, so that pairs are not independent."""
    latent = rng.normal(size=(n, 1))
    Y = rng.random((n, n_labels)) < ndtr(1.5 * latent + np.linspace(-2, 0, n_labels))
    y_score = 1.5 * Y + 1.2 * rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=(n, n_labels))
    return Y, y_score


def test_micro_recall_is_kept_by_betting():
    """Target .9, delta .1, 400 draws of 300 rows: violations within 3 sigma, recall near .9."""
    rng = np.random.default_rng(0)
    Y, y_score = draw_rows(rng, 300_000)
    population = np.sort(y_score[Y])
    recalls = []
    for seed in range(400):
        Y, y_score = draw_rows(rng, 300)
        score = micro_recall_score(Y, y_score, 0.9, 0.1, np.random.RandomState(seed))
        recalls.append(1 - np.searchsorted(population, score) / len(population))
    assert np.mean(np.array(recalls) < 0.9) <= 0.1 + 3 * (0.1 * 0.9 / 400) ** 0.5
    assert 0.9 < np.mean(recalls) < 0.95


def test_pairs_as_if_independent_would_break_the_promise():
    """The order statistic of all positive pairs misses more often than delta on these rows."""
    rng = np.random.default_rng(1)
    Y, y_score = draw_rows(rng, 300_000)
    population = np.sort(y_score[Y])
    recalls = []
    for _ in range(400):
        Y, y_score = draw_rows(rng, 300)
        score = np.sort(y_score[Y])
        rank = threshold_rank(len(score), 0.9, 0.1)
        recalls.append(1 - np.searchsorted(population, score[rank - 1]) / len(population))
    assert np.mean(np.array(recalls) < 0.9) > 0.1 + 3 * (0.1 * 0.9 / 400) ** 0.5


def wealth(Y, y_score, threshold, target, delta, rng):
    """Bet in a plain loop over rows, with stakes of the same rule; return the greatest wealth."""
    rows = rng.permutation(np.flatnonzero(Y.any(axis=1)))
    alpha, n, n_labels = 1 - target, len(rows), Y.shape[1]
    most = 0.75 / (target * n_labels)
    stake = min((-2 * np.log(delta) / (n * alpha * (1 - alpha))) ** 0.5, most)
    money = greatest = 1.0
    for i, row in enumerate(rows):
        if i >= 32 and (i & (i - 1)) == 0:
            seen = [(y_score[r][Y[r]], Y[r].sum()) for r in rows[:i]]
            reference = np.quantile(np.concatenate([s for s, _ in seen]), alpha)
            losses = [np.sum(s < reference) - alpha * c for s, c in seen]
            variance = max(np.var(losses), alpha * (1 - alpha) / i)
            stake = min((-2 * np.log(delta) / (n * variance)) ** 0.5, most)
        loss = np.sum(y_score[row][Y[row]] < threshold) - alpha * Y[row].sum()
        money *= 1 - stake * loss
        greatest = max(greatest, money)
    return greatest


def test_the_bisection_finds_the_last_threshold_that_pays():
    Y, y_score = draw_rows(np.random.default_rng(4), 150, n_labels=3)
    y_score = np.round(y_score, 1)
    found = micro_recall_score(Y, y_score, 0.8, 0.2, np.random.RandomState(5))
    candidates = np.unique(y_score[Y])
    pays = [
        wealth(Y, y_score, t, 0.8, 0.2, np.random.RandomState(5)) >= 1 / 0.2 for t in candidates
    ]
    assert pays == sorted(pays, reverse=True), "wealth falls with the threshold"
    assert found == candidates[np.flatnonzero(pays)[-1]]


def test_the_micro_promise_says_what_it_is_about():
    Y, y_score = draw_rows(np.random.default_rng(6), 400)
    terms = {"confidence": 0.9, "is_joint": False, "promises_best": False}
    (promise,), thresholds, message = promise_of_micro_recall(
        evidence_of(Y, y_score), target_recall=0.9, **terms
    )
    assert message == ""
    assert_array_equal(thresholds, promise.threshold)
    flagged = y_score >= promise.threshold
    assert_allclose(promise.precision, np.sum(Y & flagged) / flagged.sum())
    assert_allclose(np.sum(Y & flagged), Y.sum() - promise.rank + 1)
    assert_array_equal(flagged, y_score >= promise.highest_threshold)
    assert str(promise).startswith("Promised: recall of class 'any label (micro-averaged)' >= 0.9")
    none, thresholds, message = promise_of_micro_recall(
        evidence_of(Y[:15], y_score[:15]), target_recall=0.99, **terms
    )
    assert none == []
    assert np.isnan(thresholds).all()
    assert message.startswith("Cannot promise micro-averaged recall >= 0.99 with confidence 0.9")
