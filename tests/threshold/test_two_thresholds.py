import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from skrecall.metrics import operating_curve
from skrecall.threshold._two_thresholds import (
    certified_thresholds,
    empirical_index,
    precision_lower_bound,
    recall_index,
)


def scored(n=400, seed=0):
    """Return labels, and scores with ties."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    return y, np.round(rng.normal(size=n) + 2 * y, 1)


def clopper_pearson(tp, alerts, confidence):
    test = binomtest(int(tp), int(alerts), alternative="greater")
    return test.proportion_ci(confidence, "exact").low


def test_lower_bound_is_clopper_and_pearsons():
    tp, alerts = np.array([0, 1, 9, 50]), np.array([0, 1, 10, 50])
    expected = [0.0, *(clopper_pearson(tp[i], alerts[i], 0.9) for i in range(1, 4))]
    assert_allclose(precision_lower_bound(tp, alerts, 0.1), expected)


@pytest.mark.parametrize("highest", [-0.5, 0.3, 1.0])
def test_as_many_negatives_are_cleared_as_the_promise_allows_with_the_fewest_positives(highest):
    y, y_score = scored()
    curve = operating_curve(y, y_score)
    cleared = np.sum(y_score[y == 0] < highest)
    equal = [t for t in np.unique(y_score) if t <= highest]
    lowest = min(t for t in equal if np.sum(y_score[y == 0] < t) == cleared)
    assert curve.thresholds[recall_index(curve, highest)] == lowest


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_most_alerts_of_a_precision(target):
    y, y_score = scored()
    curve = operating_curve(y, y_score)
    reaching = [t for t in np.unique(y_score) if y[y_score >= t].mean() >= target]
    assert curve.thresholds[empirical_index(curve, len(curve) - 1, target)] == min(reaching)


@pytest.mark.parametrize("target", [0.5, 0.8])
def test_thresholds_are_certified_in_order_until_the_first_that_fails(target):
    (y1, score1), (y2, score2) = scored(seed=1), scored(seed=2)
    chosen_on, tested_on = operating_curve(y1, score1), operating_curve(y2, score2)
    thresholds, bounds = certified_thresholds(chosen_on, tested_on, target, 0.1)
    assert np.all(np.diff(thresholds) < 0)
    for threshold, bound in zip(thresholds, bounds, strict=True):
        flagged = score2 >= threshold
        assert bound == pytest.approx(clopper_pearson(y2[flagged].sum(), flagged.sum(), 0.9))
        assert bound >= target
    below = np.unique(score1)[np.unique(score1) < thresholds[-1]][-1]
    next_lower = np.unique(score1)[np.unique(score1) < below][-1]
    flagged = score2 >= (below + next_lower) / 2
    assert clopper_pearson(y2[flagged].sum(), flagged.sum(), 0.9) < target
