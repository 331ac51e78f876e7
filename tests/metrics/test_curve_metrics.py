import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    matthews_corrcoef,
    roc_auc_score,
)

from skrecall.metrics import (
    operating_curve,
    optimal_score,
    optimal_threshold,
    partial_roc_auc,
    precision_at_recall,
    recall_at_alert_budget,
    recall_at_k,
    recall_at_precision,
    sensitivity_at_specificity,
    threshold_table,
)

CURVE_METRICS = [
    (recall_at_precision, {"min_precision": 0.4}),
    (precision_at_recall, {"min_recall": 0.7}),
    (sensitivity_at_specificity, {"min_specificity": 0.8}),
    (recall_at_alert_budget, {"alerts_per_1000": 150}),
    (recall_at_k, {"k": 12}),
    (partial_roc_auc, {"max_fpr": 0.3}),
    (partial_roc_auc, {"min_recall": 0.8}),
    (optimal_score, {"objective": "mcc"}),
    (optimal_score, {"objective": "f_beta", "objective_params": {"beta": 2}}),
    (optimal_threshold, {"objective": "g_mean"}),
]


def draw(seed, n=80, n_levels=None):
    rng = np.random.default_rng(seed)
    y_true = rng.permutation(np.arange(n) % 5 == 0).astype(int)
    y_score = rng.normal(size=n) + 1.2 * y_true
    if n_levels is not None:
        y_score = np.round(y_score * n_levels) / n_levels
    return y_true, y_score, rng.integers(1, 5, n)


def loop_points(y_true, y_score, weight):
    """Yield recall, precision, specificity, flagged share and number, one threshold at a time."""
    for threshold in [np.inf, *sorted(set(y_score), reverse=True)]:
        flagged, positive = y_score >= threshold, y_true == 1
        tp, alerts = weight[flagged & positive].sum(), weight[flagged].sum()
        tn = weight[~flagged & ~positive].sum()
        precision = tp / alerts if alerts else 0.0
        yield (
            tp / weight[positive].sum(),
            precision,
            tn / weight[~positive].sum(),
            alerts / weight.sum(),
            alerts,
        )


@pytest.mark.parametrize("n_levels", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bound", [0.0, 0.1, 0.35, 0.8, 1.0])
def test_values_under_a_bound_are_those_of_a_plain_loop(bound, seed, weighted, n_levels):
    y_true, y_score, weight = draw(seed, n_levels=n_levels)
    weight = weight if weighted else np.ones(len(y_true))
    points = list(loop_points(y_true, y_score, weight))
    scored = {"sample_weight": weight}
    assert recall_at_precision(y_true, y_score, min_precision=bound, **scored) == max(
        (r for r, p, *_ in points if p >= bound), default=0.0
    )
    assert precision_at_recall(y_true, y_score, min_recall=bound, **scored) == max(
        p for r, p, *_ in points if r >= bound
    )
    assert sensitivity_at_specificity(y_true, y_score, min_specificity=bound, **scored) == max(
        r for r, _, s, *_ in points if s >= bound
    )
    assert recall_at_alert_budget(y_true, y_score, alerts_per_1000=1000 * bound, **scored) == max(
        r for r, *_, share, _ in points if share <= bound
    )
    k = 1 + bound * len(y_true)
    assert recall_at_k(y_true, y_score, k=k, **scored) == max(
        r for r, *_, alerts in points if alerts <= k
    )


def test_recall_at_k_is_a_sort_without_ties():
    y_true, y_score, _ = draw(0)
    order = np.argsort(-y_score)
    for k in range(1, len(y_true) + 1):
        assert recall_at_k(y_true, y_score, k=k) == y_true[order[:k]].sum() / y_true.sum()
    assert recall_at_k(y_true, y_score, k=10**9) == 1


def test_a_tie_that_straddles_the_cut_is_left_out():
    y_true, y_score = [1, 1, 0, 1, 0], [0.9, 0.5, 0.5, 0.5, 0.1]
    assert [recall_at_k(y_true, y_score, k=k) for k in (1, 2, 3, 4)] == [1 / 3, 1 / 3, 1 / 3, 1]
    assert recall_at_alert_budget(y_true, y_score, alerts_per_1000=799) == 1 / 3
    assert recall_at_alert_budget(y_true, y_score, alerts_per_1000=800) == 1


def test_a_perfect_score_attains_everything():
    y_true = np.repeat([0, 1], [90, 10])
    assert recall_at_precision(y_true, y_true, min_precision=1) == 1
    assert precision_at_recall(y_true, y_true, min_recall=1) == 1
    assert sensitivity_at_specificity(y_true, y_true, min_specificity=1) == 1
    assert recall_at_alert_budget(y_true, y_true, alerts_per_1000=100) == 1
    assert partial_roc_auc(y_true, y_true, max_fpr=0.1, min_recall=0.9) == 1


def test_what_no_threshold_reaches_is_zero():
    assert recall_at_precision([0, 1, 0], [0.9, 0.5, 0.1], min_precision=0.6) == 0
    assert sensitivity_at_specificity([0, 1, 0], [0.9, 0.5, 0.1], min_specificity=1) == 0
    assert precision_at_recall([0, 1, 0], [0.9, 0.5, 0.1], min_recall=1) == 0.5


@pytest.mark.parametrize("n_levels", [None, 1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bound", [0.01, 0.2, 0.5, 0.95, 1.0])
def test_partial_area_is_scikit_learn_s(bound, weighted, n_levels):
    y_true, y_score, weight = draw(1, n_levels=n_levels)
    weight = weight if weighted else None
    scored = {"sample_weight": weight}
    assert_allclose(
        partial_roc_auc(y_true, y_score, max_fpr=bound, **scored),
        roc_auc_score(y_true, y_score, max_fpr=bound, **scored),
    )
    # high recall of one class is few false alarms about the other
    assert_allclose(
        partial_roc_auc(y_true, y_score, min_recall=1 - bound, **scored),
        roc_auc_score(1 - y_true, -y_score, max_fpr=bound, **scored),
    )


@pytest.mark.parametrize(("max_fpr", "min_recall"), [(0.4, 0.3), (0.2, 0.6), (1.0, 0.5), (0.6, 0)])
@pytest.mark.parametrize("n_levels", [None, 1])
def test_two_way_area_is_that_of_a_fine_grid(max_fpr, min_recall, n_levels):
    y_true, y_score, _ = draw(2, n_levels=n_levels)
    curve = operating_curve(y_true, y_score)
    area = partial_roc_auc(
        y_true, y_score, max_fpr=max_fpr, min_recall=min_recall, standardize=False
    )
    n_cells = 200_000
    fpr = (np.arange(n_cells) + 0.5) / n_cells * max_fpr
    # at a vertical segment np.interp may take either end; the grid avoids them all but never
    recall = np.interp(fpr, curve.false_positive_rate, curve.recall)
    expected = np.maximum(recall - min_recall, 0).mean() * max_fpr
    assert_allclose(area, expected, atol=2e-5)
    assert 0 < area < max_fpr * (1 - min_recall)


@pytest.mark.parametrize(
    "bounds", [{}, {"max_fpr": 0.1}, {"min_recall": 0.9}, {"max_fpr": 0.6, "min_recall": 0.2}]
)
def test_chance_is_one_half_whatever_the_bounds(bounds):
    assert_allclose(partial_roc_auc([0, 1, 0, 1, 1], [0.0] * 5, **bounds), 0.5)
    assert_allclose(partial_roc_auc([0, 1] * 50, np.arange(100) // 2, **bounds), 0.5)


ORACLES = {
    "f1": f1_score,
    "mcc": matthews_corrcoef,
    "balanced_accuracy": balanced_accuracy_score,
}


@pytest.mark.parametrize("objective", ORACLES)
@pytest.mark.parametrize("n_levels", [None, 2])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_that_of_a_plain_loop_and_its_threshold_attains_it(
    seed, n_levels, objective
):
    y_true, y_score, weight = draw(seed, n_levels=n_levels)
    oracle = ORACLES[objective]
    expected = max(
        oracle(y_true, y_score >= threshold, sample_weight=weight)
        for threshold in [*set(y_score), np.inf]
    )
    scored = {"objective": objective, "sample_weight": weight}
    assert_allclose(optimal_score(y_true, y_score, **scored), expected)
    threshold = optimal_threshold(y_true, y_score, **scored)
    assert threshold not in y_score
    assert_allclose(oracle(y_true, y_score >= threshold, sample_weight=weight), expected)


def test_the_optimum_of_labels_that_are_names():
    y_true, y_score, _ = draw(4)
    names = np.where(y_true == 1, "fraud", "ham")
    threshold = optimal_threshold(
        names,
        y_score,
        objective="f_beta",
        objective_params={"beta": 3},
        constraint=("precision", 0.3),
        pos_label="fraud",
    )
    decided = np.where(y_score >= threshold, "fraud", "ham")
    value = fbeta_score(names, decided, beta=3, pos_label="fraud")
    best = max(
        fbeta_score(y_true, y_score >= t, beta=3)
        for t in y_score
        if y_true[y_score >= t].mean() >= 0.3
    )
    assert_allclose(value, best)


def test_precision_under_a_recall_constraint_is_precision_at_recall():
    y_true, y_score, _ = draw(5)
    value = optimal_score(y_true, y_score, objective="precision", constraint=("recall", 0.8))
    assert value == precision_at_recall(y_true, y_score, min_recall=0.8)


@pytest.mark.parametrize(("metric", "params"), CURVE_METRICS)
def test_integer_weights_repeat_samples(metric, params):
    y_true, y_score, times = draw(6, n_levels=3)
    weighted = metric(y_true, y_score, sample_weight=times, **params)
    repeated = metric(np.repeat(y_true, times), np.repeat(y_score, times), **params)
    assert_allclose(weighted, repeated)


@pytest.mark.parametrize(("metric", "params"), CURVE_METRICS)
def test_only_the_order_of_scores_and_the_role_of_labels_matter(metric, params):
    y_true, y_score, _ = draw(7, n_levels=5)
    expected = metric(y_true, y_score, **params)
    names = pd.Series(np.where(y_true == 1, "a tumour", "healthy"))
    assert metric(names, pd.Series(y_score), pos_label="a tumour", **params) == expected
    if metric is not optimal_threshold:
        assert_allclose(metric(y_true, np.exp(y_score), **params), expected)


@pytest.mark.parametrize(("metric", "params"), CURVE_METRICS)
@pytest.mark.parametrize(
    ("y_true", "y_score", "message"),
    [
        ([1, 1], [0.1, 0.2], "one class only"),
        ([0.3, 0.6], [0, 1], "look like scores where labels belong"),
        ([0, 1], [0.1, np.nan], "NaN"),
        ([0, 1], [0.1, np.inf], "infinity"),
    ],
)
def test_bad_input_is_named(metric, params, y_true, y_score, message):
    with pytest.raises(ValueError, match=message):
        metric(y_true, y_score, **params)


@pytest.mark.parametrize(
    ("metric", "params", "message"),
    [
        (recall_at_precision, {"min_precision": 95}, "min_precision=95 is not a share"),
        (precision_at_recall, {"min_recall": -0.1}, "min_recall=-0.1 is not a share"),
        (sensitivity_at_specificity, {"min_specificity": "high"}, "'high' is not a share"),
        (recall_at_alert_budget, {"alerts_per_1000": 1001}, r"must be a number in \[0, 1000\]"),
        (recall_at_k, {"k": 0}, "k=0 must be a positive number"),
        (partial_roc_auc, {"max_fpr": 0}, r"max_fpr=0 is not a share: give a number in \(0, 1\]"),
        (partial_roc_auc, {"min_recall": 1.0}, r"give a number in \[0, 1\)"),
        (optimal_score, {"objective": "recall"}, "recall alone is best where everything"),
        (optimal_threshold, {"objective": "nonsense"}, "Unknown objective 'nonsense'"),
    ],
)
def test_bad_bounds_are_named(metric, params, message):
    with pytest.raises(ValueError, match=message):
        metric([0, 1], [0.1, 0.2], **params)


def test_threshold_table_has_every_objective_at_every_threshold():
    y_true, y_score, weight = draw(8, n_levels=4)
    table = threshold_table(
        y_true, y_score, objectives={"f_beta": {"beta": 2}, "mcc": {}}, sample_weight=weight
    )
    assert_array_equal(table["threshold"], [np.inf, *sorted(set(y_score), reverse=True)])
    for row in table.itertuples():
        decided = (y_score >= row.threshold).astype(int)
        assert_allclose(row.f_beta, fbeta_score(y_true, decided, beta=2, sample_weight=weight))
        assert_allclose(
            row.mcc, matthews_corrcoef(y_true, decided, sample_weight=weight), atol=1e-12
        )


def test_threshold_table_takes_all_objectives_or_some():
    y_true, y_score, _ = draw(9)
    every = threshold_table(y_true, y_score)
    assert {"f1", "g_mean", "mcc", "youden", "cost", "balanced_accuracy"} <= set(every)
    assert every.columns.is_unique
    some = threshold_table(y_true, y_score, objectives=["youden"])
    assert_array_equal(some["youden"], every["youden"])
    assert "f1" not in some
    with pytest.raises(ValueError, match="Unknown objective 'f3'"):
        threshold_table(y_true, y_score, objectives=["f3"])
