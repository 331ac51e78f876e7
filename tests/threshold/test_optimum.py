import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrecall.metrics import operating_curve
from skrecall.metrics._objectives import evaluate_objective
from skrecall.threshold._optimum import (
    HeldOut,
    best_threshold,
    check_cost_matrix,
    check_objective,
    mean_step_function,
    std_over_folds,
)


def youden(curve):
    return evaluate_objective(curve, "youden")


def held_out(n=60, n_folds=3, seed=0):
    rng = np.random.default_rng(seed)
    code = np.arange(n) % 3 == 0
    y_score = np.round(rng.normal(size=n) + code, 1)
    return HeldOut(y_score, code, None, np.repeat(np.arange(n_folds), n // n_folds))


def test_mean_of_step_functions_is_that_of_a_loop_over_thresholds_and_folds():
    rows = held_out()
    curves = [fold.curve(True) for fold in rows.folds()]
    pooled = rows.curve(True)

    def at(fold, threshold):
        flagged = fold.y_score >= threshold
        return flagged[fold.code].mean() - flagged[~fold.code].mean()

    by_hand = [np.mean([at(fold, t) for fold in rows.folds()]) for t in pooled.thresholds]
    assert_allclose(mean_step_function(pooled, curves, youden), by_hand, atol=1e-15)


def test_one_fold_is_pooled_and_averaged_alike():
    rows = held_out(n_folds=1)
    found = [
        best_threshold(rows, youden, constraint=None, aggregate=aggregate, pos_label=True)
        for aggregate in ("pool", "mean")
    ]
    assert found[0].threshold == found[1].threshold == found[0].fold_thresholds[0]
    assert found[0].value == pytest.approx(found[1].value)


def test_folds_without_a_threshold_of_their_own_are_nan():
    rows = held_out()
    code = rows.code.copy()
    code[:20] = False  # fold 0 has no positive
    lacking = HeldOut(rows.y_score, code, None, rows.fold)
    best = best_threshold(lacking, youden, constraint=None, aggregate="pool", pos_label=True)
    assert_array_equal(np.isnan(best.fold_thresholds), [True, False, False])
    y_score = np.array([5.0, 4, 3, 2, 1, 6])
    code = np.array([True, True, False, False, True, False])
    fold = np.array([0, 0, 0, 1, 1, 1])
    best = best_threshold(
        HeldOut(y_score, code, None, fold),
        youden,
        constraint=("precision", 0.6),
        aggregate="pool",
        pos_label=True,
    )
    assert_array_equal(np.isnan(best.fold_thresholds), [False, True])


def test_weights_count_in_every_curve():
    rows = held_out()
    weight = np.arange(60.0) % 4
    weighted = HeldOut(rows.y_score, rows.code, weight, rows.fold)
    expected = operating_curve(rows.code, rows.y_score, sample_weight=weight)
    assert_array_equal(weighted.curve(True).tp, expected.tp)
    assert sum(fold.weight.sum() for fold in weighted.folds()) == weight.sum()


def test_std_over_folds():
    assert std_over_folds(np.array([0.1, 0.3])) == pytest.approx(0.1)
    assert np.isnan(std_over_folds(np.array([0.1, np.inf])))
    assert np.isnan(std_over_folds(np.array([0.1])))
    assert_allclose(std_over_folds(np.array([[0.0, 1], [2, 1]])), [1, 0])
    assert np.isnan(std_over_folds(np.array([[0.0, 1]]))).all()


@pytest.mark.parametrize("objective", ["f1", "precision", abs])
def test_objectives_that_need_no_constraint_are_let_through(objective):
    check_objective(objective, None)
    check_objective(objective, ("recall", 0.9))


@pytest.mark.parametrize(
    ("objective", "constraint"),
    [
        ("recall", None),
        ("recall", ("recall", 0.5)),
        ("specificity", ("specificity", 0.5)),
        ("specificity", ("alerts_per_1000", 5)),
    ],
)
def test_monotone_objectives_need_a_constraint_that_stops_them(objective, constraint):
    with pytest.raises(ValueError, match=f"{objective} alone is greatest where"):
        check_objective(objective, constraint)


@pytest.mark.parametrize("costs", [np.eye(3), [[0, np.inf], [1, 0]], [0, 1, 1, 0]])
def test_cost_matrix_is_square_and_finite(costs):
    with pytest.raises(ValueError, match=r"\(2, 2\) finite costs are needed"):
        check_cost_matrix(costs, 2)
