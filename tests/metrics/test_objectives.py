from functools import partial

import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    fbeta_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from skrecall.metrics import operating_curve
from skrecall.metrics._objectives import (
    CONSTRAINTS,
    MONOTONE_OBJECTIVES,
    OBJECTIVES,
    best_index,
    evaluate_constraint,
    evaluate_objective,
)


def loop_cost(y_true, y_pred, *, sample_weight, costs=((0.0, 1.0), (1.0, 0.0)), prevalence=None):
    """Minus the mean cost, sample by sample."""
    weight = np.array(sample_weight)
    if prevalence is not None:
        share = {1: prevalence, 0: 1 - prevalence}
        weight = np.array(
            [w * share[y] / weight[y_true == y].sum() for w, y in zip(weight, y_true, strict=True)]
        )
    each = [costs[t][p] for t, p in zip(y_true, y_pred, strict=True)]
    return -np.average(each, weights=weight)


# name, parameters, the same thing of decisions
ORACLES = [
    ("accuracy", {}, accuracy_score),
    ("balanced_accuracy", {}, balanced_accuracy_score),
    ("cost", {}, loop_cost),
    (
        "cost",
        {"cost_fp": 2.0, "cost_fn": 30.0, "cost_tp": 1.5, "cost_tn": 0.5},
        partial(loop_cost, costs=((0.5, 2.0), (30.0, 1.5))),
    ),
    (
        "cost",
        {"cost_fn": 9.0, "prevalence": 0.01},
        partial(loop_cost, costs=((0.0, 1.0), (9.0, 0.0)), prevalence=0.01),
    ),
    ("f1", {}, partial(fbeta_score, beta=1)),
    ("f_beta", {"beta": 2.0}, partial(fbeta_score, beta=2)),
    ("f_beta", {"beta": 0.5}, partial(fbeta_score, beta=0.5)),
    ("g_mean", {}, geometric_mean_score),
    ("mcc", {}, matthews_corrcoef),
    ("precision", {}, partial(precision_score, zero_division=0)),
    ("recall", {}, recall_score),
    ("specificity", {}, partial(recall_score, pos_label=0)),
    ("youden", {}, partial(balanced_accuracy_score, adjusted=True)),
]


def draw(seed=0, n=40):
    rng = np.random.default_rng(seed)
    y_true = rng.permutation(np.arange(n) % 5 == 0).astype(int)
    return y_true, np.round(rng.normal(size=n) + y_true, 1), rng.integers(1, 4, n).astype(float)


def test_every_objective_has_an_oracle():
    assert {name for name, *_ in ORACLES} == set(OBJECTIVES)


@pytest.mark.parametrize(("name", "params", "oracle"), ORACLES)
@pytest.mark.parametrize("weighted", [False, True])
def test_objective_is_that_of_the_decisions(name, params, oracle, weighted):
    y_true, y_score, weight = draw()
    weight = weight if weighted else np.ones(len(y_true))
    curve = operating_curve(y_true, y_score, sample_weight=weight)
    expected = [
        oracle(y_true, (y_score >= threshold).astype(int), sample_weight=weight)
        for threshold in curve.thresholds
    ]
    assert_allclose(evaluate_objective(curve, name, params), expected, atol=1e-12)


@pytest.mark.parametrize("objective", sorted(set(OBJECTIVES) - set(MONOTONE_OBJECTIVES)))
@pytest.mark.parametrize("constraint", [None, ("recall", 0.7), ("alerts_per_1000", 200)])
@pytest.mark.parametrize("seed", range(4))
def test_best_index_is_that_of_a_plain_loop(objective, constraint, seed):
    y_true, y_score, _ = draw(seed)
    curve = operating_curve(y_true, y_score)
    value = evaluate_objective(curve, objective)
    best = None
    for i in range(len(curve)):
        if constraint == ("recall", 0.7) and curve.tp[i] / y_true.sum() < 0.7:
            continue
        if constraint == ("alerts_per_1000", 200) and curve.alerts[i] > 0.2 * len(y_true):
            continue
        if best is None or value[i] > value[best]:
            best = i
    assert best_index(curve, objective, constraint=constraint) == best


def test_monotone_objectives_rise_or_fall_along_the_curve():
    curve = operating_curve(*draw()[:2])
    assert np.all(np.diff(evaluate_objective(curve, "recall")) >= 0)
    assert np.all(np.diff(evaluate_objective(curve, "specificity")) <= 0)
    assert set(MONOTONE_OBJECTIVES) == {"recall", "specificity"}


def test_cost_is_least_at_the_bayes_threshold():
    """With calibrated scores, flag where p >= c_fp / (c_fp + c_fn) (Elkan, 2001)."""
    score = np.repeat(np.arange(1, 20) / 20, 200)
    y_true = np.tile(np.arange(200), 19) < 200 * score - 1e-9  # exactly score of 200 are positive
    curve = operating_curve(y_true, score)
    best = best_index(curve, "cost", params={"cost_fp": 1.0, "cost_fn": 3.5})
    assert_allclose(curve.thresholds[best], 0.25)  # the first at or above 1 / 4.5


@pytest.mark.parametrize(
    ("name", "bound", "keeps"),
    [
        ("recall", 0.5, lambda tp, alerts, tn: tp / 8 >= 0.5),
        ("precision", 0.5, lambda tp, alerts, tn: alerts > 0 and tp / alerts >= 0.5),
        ("specificity", 0.75, lambda tp, alerts, tn: tn / 32 >= 0.75),
        ("alerts_per_1000", 100, lambda tp, alerts, tn: alerts <= 4),
    ],
)
def test_constraints_are_those_of_a_plain_loop(name, bound, keeps):
    curve = operating_curve(*draw()[:2])
    expected = [keeps(*c) for c in zip(curve.tp, curve.alerts, curve.tn, strict=True)]
    assert_array_equal(evaluate_constraint(curve, (name, bound)), expected)
    assert 0 < sum(expected) < len(expected)
    assert name in CONSTRAINTS


@pytest.mark.parametrize("n", range(1, 60))
def test_a_bound_that_is_met_exactly_is_met(n):
    y_true, y_score = np.repeat([1, 0], 60), -np.arange(120.0)
    curve = operating_curve(y_true, y_score)
    assert np.argmax(evaluate_constraint(curve, ("recall", n / 60))) == n
    within = evaluate_constraint(curve, ("alerts_per_1000", 1000 * n / 120))
    assert np.flatnonzero(within)[-1] == n


def test_no_constraint_allows_all():
    curve = operating_curve(*draw()[:2])
    assert evaluate_constraint(curve, None).all()


def test_of_equal_values_the_fewest_alerts_win():
    curve = operating_curve([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6])
    # recall + specificity - 1 is 0.5 after the first and after the third alert
    assert best_index(curve, "youden") == 1


def test_objective_may_be_a_function():
    y_true, y_score, _ = draw()
    curve = operating_curve(y_true, y_score)

    def lift(curve, power=1.0):
        return np.nan_to_num(curve.precision) ** power

    assert best_index(curve, lift) == best_index(curve, "precision")
    assert_allclose(
        evaluate_objective(curve, lift, {"power": 2}), evaluate_objective(curve, "precision") ** 2
    )


def test_nan_of_an_objective_never_wins():
    curve = operating_curve(*draw()[:2])
    assert best_index(curve, lambda curve: curve.precision) == best_index(curve, "precision")
    with pytest.raises(ValueError, match="NaN at every threshold"):
        best_index(curve, lambda curve: np.full(len(curve), np.nan))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: evaluate_objective(c, "f3"), "Unknown objective 'f3': choose one of accuracy"),
        (lambda c: evaluate_objective(c, "g_mean", {"beta": 2}), "takes no parameters, but beta"),
        (
            lambda c: evaluate_objective(c, "cost", {"cost": 2}),
            "takes cost_fp, cost_fn, cost_tp, cost_tn, prevalence, but cost was given",
        ),
        (lambda c: evaluate_objective(c, "f_beta", {"beta": 0}), "beta=0 must be positive"),
        (
            lambda c: evaluate_objective(c, "cost", {"prevalence": 5}),
            r"prevalence=5 is not a share: give a number in \[0, 1\]",
        ),
        (lambda c: evaluate_objective(c, lambda c: 1.0), r"shape \(\), not"),
        (lambda c: evaluate_constraint(c, ("cost", 1)), "Unknown constraint 'cost': choose one of"),
        (
            lambda c: best_index(c, "f1", constraint=("precision", 1.1)),
            "No threshold meets the constraint precision 1.1",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(operating_curve(*draw()[:2]))
