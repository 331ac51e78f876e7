"""F averaged over samples, against loops over thresholds."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array
from sklearn.metrics import fbeta_score

from skrecall.threshold import optimal_label_thresholds, samples_f_thresholds
from skrecall.threshold._samples_f import _best_single_threshold
from tests.threshold.test_label_optimum import midpoints, scores


def samples_f(Y, flags, beta=1.0):
    hits, total = np.sum(Y & flags, axis=1), beta**2 * Y.sum(axis=1) + flags.sum(axis=1)
    return np.mean(
        [1.0 if t == 0 else (1 + beta**2) * h / t for h, t in zip(hits, total, strict=True)]
    )


def test_the_loop_is_scikit_learn_s_measure():
    Y, score = scores(40, 5)
    expected = fbeta_score(Y, score > 1, beta=2, average="samples", zero_division=1)
    assert_allclose(samples_f(Y, score > 1, 2), expected)


@pytest.mark.parametrize("beta", [0.5, 1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_no_other_threshold_of_one_label_is_better(seed, beta):
    Y, score = scores(40, 5, seed=seed)
    thresholds, value = samples_f_thresholds(Y, score, beta=beta)
    assert_allclose(samples_f(Y, thresholds <= score, beta), value)
    for k in range(5):
        for t in midpoints(score[:, k]):
            other = np.where(np.arange(5) == k, t, thresholds)
            assert samples_f(Y, other <= score, beta) <= value + 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_the_single_threshold_is_the_best_of_all(seed):
    Y, score = scores(40, 5, seed=seed)
    single = _best_single_threshold(Y, score, 1.0)
    best = max(samples_f(Y, score >= t) for t in midpoints(score))
    assert_allclose(samples_f(Y, score >= single), best)
    assert samples_f_thresholds(Y, score)[1] >= best
    own = optimal_label_thresholds(Y, score)
    assert samples_f_thresholds(Y, score)[1] >= samples_f(Y, own <= score)


def test_close_to_the_best_of_all_combinations():
    """It is no exact optimum; here it is within one percent of it."""
    ratio = []
    for seed in range(5):
        Y, score = scores(12, 3, seed=seed)
        best = max(
            samples_f(Y, np.array(t) <= score) for t in product(*(midpoints(s) for s in score.T))
        )
        ratio.append(samples_f_thresholds(Y, score)[1] / best)
    assert np.max(ratio) <= 1 + 1e-12
    assert np.mean(ratio) > 0.99


def test_containers_and_unknown_labels():
    Y, score = scores(40, 5, seed=3)
    expected = samples_f_thresholds(Y, score)
    actual = samples_f_thresholds(csr_array(Y), csc_array(score))
    assert_array_equal(actual[0], expected[0])
    unknown = np.random.default_rng(0).random(Y.shape) < 0.3
    thresholds, value = samples_f_thresholds(np.where(unknown, np.nan, Y), score)
    flags = (thresholds <= score) & ~unknown
    assert_allclose(samples_f(np.where(unknown, 0, Y), flags), value)


def test_a_label_that_is_known_nowhere_adds_nothing():
    Y, score = scores(40, 3, seed=3)
    thresholds, value = samples_f_thresholds(np.where(np.arange(3) == 1, np.nan, Y), score)
    expected, expected_value = samples_f_thresholds(Y[:, [0, 2]], score[:, [0, 2]])
    assert_array_equal(thresholds[[0, 2]], expected)
    assert value == pytest.approx(expected_value)


def test_a_label_that_never_helps_is_never_predicted():
    Y = np.array([[1, 0], [1, 0], [0, 0], [0, 0]])
    score = np.array([[4.0, 1.0], [3.0, 2.0], [2.0, 3.0], [1.0, 4.0]])
    assert_array_equal(samples_f_thresholds(Y, score)[0], [2.5, np.inf])
