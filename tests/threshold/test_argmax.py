import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import f1_score

from skrecall.metrics._objectives import evaluate_objective
from skrecall.threshold._argmax import argmax_decisions, best_offsets, macro_value


def f1(curve):
    return evaluate_objective(curve, "f1")


def g_mean(curve):
    return evaluate_objective(curve, "g_mean")


def scores(n=40, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    code = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, size=n - n_classes)])
    return np.round(rng.normal(size=(n, n_classes)) + np.eye(n_classes)[code], 1), code


def test_macro_value_is_the_mean_over_classes_and_weightings():
    y_score, code = scores()
    decided = argmax_decisions(y_score, np.array([0.1, -0.2, 0.3]))
    halves = np.array([np.arange(40) < 20, np.arange(40) >= 20]).astype(float)
    by_hand = [
        f1_score(code[half > 0], decided[half > 0], average="macro", labels=range(3))
        for half in halves
    ]
    assert macro_value(decided, code, np.ones((1, 40)), 3, f1) == pytest.approx(
        f1_score(code, decided, average="macro")
    )
    assert macro_value(decided, code, halves, 3, f1) == pytest.approx(np.mean(by_hand))


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_reach_the_global_optimum_in_one_coordinate(seed):
    y_score, code = scores(n_classes=2, seed=seed)
    gap = np.round(y_score[:, 1] - y_score[:, 0], 1)
    best = max(f1_score(code, gap >= cut, average="macro") for cut in [*np.unique(gap), np.inf])
    offsets, value = best_offsets(y_score, code, np.ones((1, 40)), f1, starts=[np.zeros(2)])
    assert value == pytest.approx(best)
    assert offsets.sum() == pytest.approx(0)


@pytest.mark.parametrize("seed", range(3))
def test_close_to_a_fine_grid_and_never_below_a_start(seed):
    y_score, code = scores(seed=seed)
    starts = [np.zeros(3), np.array([0.5, -0.5, 0.0])]
    offsets, value = best_offsets(y_score, code, np.ones((1, 40)), f1, starts=starts)

    def macro_f1(offsets):
        return f1_score(code, argmax_decisions(y_score, offsets), average="macro")

    assert value == pytest.approx(macro_f1(offsets))
    assert all(value >= macro_f1(start) for start in starts)
    grid = [
        macro_f1(np.array([0, a, b])) for a, b in itertools.product(np.arange(-2, 2, 0.1), repeat=2)
    ]
    assert value >= max(grid) - 0.05  # a local optimum, in each coordinate exact


def test_a_class_that_is_best_never_decided_gets_a_finite_offset():
    y_score = np.column_stack([np.zeros(30), np.tile([-1.0, 1.0], 15), np.full(30, 2.0)])
    code = np.tile([0, 1], 15)
    code[0] = 2
    offsets, value = best_offsets(
        y_score, code, np.ones((1, 30)), lambda c: -np.asarray(c.fp), starts=[np.zeros(3)]
    )
    assert np.isfinite(offsets).all()
    assert value == pytest.approx(-1 / 3)  # the one sample of class 2 is decided as another


def test_fractional_weights_do_not_round_below_zero():
    y_score, code = scores(200)
    weight = np.random.default_rng(0).random((1, 200))
    _, value = best_offsets(y_score, code, weight, g_mean, starts=[np.zeros(3)])
    _, scaled = best_offsets(y_score, code, 1e-3 * weight, g_mean, starts=[np.zeros(3)])
    assert_allclose(value, scaled)
