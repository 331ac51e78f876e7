import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import entropy

from skrecall.active_learning import entropy_uncertainty, least_confidence, margin_uncertainty

SCORES = [least_confidence, margin_uncertainty, entropy_uncertainty]


def random_proba(n_samples=50, n_classes=4, seed=0):
    return np.random.RandomState(seed).dirichlet(np.full(n_classes, 0.5), size=n_samples)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_scores_are_those_of_a_plain_loop(n_classes):
    proba = random_proba(n_classes=n_classes)
    least, margin, nats = [], [], []
    for row in proba.tolist():
        first, second = sorted(row)[::-1][:2]
        least.append(1 - first)
        margin.append(1 - (first - second))
        nats.append(-sum(p * math.log(p) for p in row if p > 0))
    assert_allclose(least_confidence(proba), least)
    assert_allclose(margin_uncertainty(proba), margin)
    assert_allclose(entropy_uncertainty(proba), nats)
    assert_allclose(entropy_uncertainty(proba), entropy(proba, axis=1))


@pytest.mark.parametrize("score", SCORES)
def test_the_uniform_row_is_the_most_uncertain_and_the_certain_row_scores_0(score):
    rows = np.vstack([np.eye(4), np.full(4, 0.25), random_proba()])
    assert_allclose(score(rows)[:4], 0, atol=1e-12)
    assert np.argmax(score(rows)) == 4


def test_with_two_classes_all_three_ask_for_the_same_rows():
    proba = random_proba(n_classes=2)
    orders = [np.argsort(-score(proba), kind="stable") for score in SCORES]
    assert_array_equal(orders[0], orders[1])
    assert_array_equal(orders[0], orders[2])


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("proba", "message"),
    [
        ([[0.5, 1.5]], r"proba holds values from 0.5 to 1.5, and probabilities are between 0 and"),
        ([[-2.0, 3.0]], "pass what predict_proba returns"),
        ([[0.5, np.nan]], "proba contains NaN"),
        ([[0.5], [0.5]], r"The rows of proba sum to 0.5 to 0.5, and those of classes to 1: pass"),
        ([[0.5, 0.5], [0.9, 0.6]], "sum to 1 to 1.5.*of several labels, take multilabel_unc"),
        ([0.5, 0.5], "Expected 2D array"),
    ],
)
def test_what_is_no_probability_is_refused(score, proba, message):
    with pytest.raises(ValueError, match=message):
        score(proba)
