"""One threshold per label against plain loops over all midpoints, label by label."""

import warnings
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score, fbeta_score, matthews_corrcoef, precision_score, recall_score

from skrecall.metrics._objectives import OBJECTIVES, best_index
from skrecall.threshold import (
    OptimalThresholdClassifier,
    _label_optimum,
    micro_f_thresholds,
    optimal_label_thresholds,
)
from skrecall.threshold._label_optimum import hull_vertices, label_curve, label_optima

STOPPED = ("recall", "specificity")  # by a constraint alone
OBJECTIVE_AND_CONSTRAINT = [(name, None) for name in OBJECTIVES if name not in STOPPED] + [
    ("recall", ("precision", 0.2)),
    ("recall", ("specificity", 0.8)),
    ("recall", ("alerts_per_1000", 300)),
    ("specificity", ("recall", 0.8)),
    ("precision", ("recall", 0.5)),
    ("f1", ("alerts_per_1000", 150)),
    ("mcc", ("precision", 0.3)),
]


def scores(n=60, n_labels=7, seed=0, decimals=1):
    """Tied scores, better for some labels than for others; rare and frequent labels."""
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, n_labels)) < np.linspace(0.05, 0.7, n_labels)).astype(int)
    Y[0], Y[1] = 1, 0
    noise = rng.normal(size=(n, n_labels))
    return Y, np.round(Y * np.linspace(2, 0, n_labels) + noise, decimals)


class Scores(ClassifierMixin, BaseEstimator):
    """Answers with its only feature."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]


@pytest.mark.parametrize("container", [np.asarray, np.float32, csc_array])
@pytest.mark.parametrize(("objective", "constraint"), OBJECTIVE_AND_CONSTRAINT)
def test_equals_the_classifier_of_one_label(objective, constraint, container):
    Y, score = scores()
    decided = optimal_label_thresholds(Y, container(score), objective, constraint=constraint)
    for k in range(Y.shape[1]):
        column = (np.float32(score) if container is np.float32 else score)[:, [k]].astype(float)
        one = OptimalThresholdClassifier(
            Scores().fit(column, Y[:, k]), objective, constraint=constraint, cv="prefit"
        )
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            assert decided[k] == one.fit(column, Y[:, k]).threshold_


def midpoints(score):
    unique = np.unique(score)
    return [-np.inf, *((unique[1:] + unique[:-1]) / 2), np.inf]


@pytest.mark.parametrize(
    ("objective", "params", "metric"),
    [
        ("f1", None, lambda y, h: f1_score(y, h)),
        ("f_beta", {"beta": 2}, lambda y, h: fbeta_score(y, h, beta=2)),
        ("mcc", None, matthews_corrcoef),
        ("g_mean", None, lambda y, h: np.sqrt(recall_score(y, h) * recall_score(1 - y, 1 - h))),
        ("cost", {"cost_fn": 7}, lambda y, h: -np.mean(7 * (y > h) + (y < h))),
        ("precision", None, lambda y, h: precision_score(y, h, zero_division=0)),
    ],
)
def test_equals_a_loop_over_all_midpoints(objective, params, metric):
    Y, score = scores(seed=1)
    decided = optimal_label_thresholds(Y, score, objective, objective_params=params)
    for k in range(Y.shape[1]):
        value = [metric(Y[:, k], (score[:, k] >= t).astype(int)) for t in midpoints(score[:, k])]
        reached = metric(Y[:, k], (score[:, k] >= decided[k]).astype(int))
        assert_allclose(reached, max(value), rtol=1e-12)


def test_a_constraint_holds_in_every_label():
    Y, score = scores(seed=2)
    flags = score >= optimal_label_thresholds(Y, score, "precision", constraint=("recall", 0.9))
    for k in range(Y.shape[1]):
        allowed = [
            precision_score(Y[:, k], score[:, k] >= t, zero_division=0)
            for t in midpoints(score[:, k])
            if recall_score(Y[:, k], score[:, k] >= t) >= 0.9
        ]
        assert recall_score(Y[:, k], flags[:, k]) >= 0.9
        assert_allclose(precision_score(Y[:, k], flags[:, k]), max(allowed))


def test_names_and_functions_agree_in_every_container():
    Y, score = scores(seed=3)
    score[score < 0] = 0  # one large block of ties
    weight = np.random.default_rng(0).integers(1, 4, size=len(Y))
    expected = optimal_label_thresholds(Y, score, sample_weight=weight)
    for objective, y, s in product(
        ["f1", OBJECTIVES["f1"]], [Y, csr_array(Y)], [score, csc_array(score)]
    ):
        assert_array_equal(
            optimal_label_thresholds(y, s, objective, sample_weight=weight), expected
        )
    rows = np.repeat(np.arange(len(Y)), weight)
    assert_array_equal(optimal_label_thresholds(Y[rows], score[rows]), expected)
    assert csc_array(score).nnz < score.size


def test_stored_zeros_of_a_sparse_score_are_zeros():
    Y, score = scores(seed=3)
    score = np.maximum(np.round(10 * score), 0)
    stored = csc_array(score + 1)
    stored.data -= 1
    assert_array_equal(optimal_label_thresholds(Y, stored), optimal_label_thresholds(Y, score))


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_unknown_labels_are_left_out(container):
    Y, score = scores(seed=4)
    unknown = np.random.default_rng(1).random(Y.shape) < 0.3
    decided = optimal_label_thresholds(np.where(unknown, -1, Y), container(score))
    assert_array_equal(
        decided, optimal_label_thresholds(np.where(unknown, np.nan, Y), container(score))
    )
    for k in range(Y.shape[1]):
        rows = ~unknown[:, k]
        assert decided[k] == optimal_label_thresholds(Y[rows][:, [k]], score[rows][:, [k]])[0]


def test_a_label_that_is_known_nowhere_is_never_predicted():
    Y, score = scores(40, 3, seed=4)
    unknown = np.where(np.arange(3) == 1, np.nan, Y)
    for decide in (
        optimal_label_thresholds,
        lambda Y, score: optimal_label_thresholds(Y, score, lambda curve: curve.recall - 0.5),
        lambda Y, score: micro_f_thresholds(Y, score)[0],
    ):
        decided = decide(unknown, score)
        assert_array_equal(decided[[0, 2]], decide(Y[:, [0, 2]], score[:, [0, 2]]))
        assert decided[1] == np.inf


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_labels_of_one_value(container):
    score = container(np.array([[0.3, 0.1, 0.0], [0.2, 0.4, 0.0], [0.1, 0.5, 0.0]]))
    Y = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0]])
    assert_allclose(
        optimal_label_thresholds(Y, score, "accuracy"), [np.inf, -np.inf, np.inf], rtol=0
    )
    assert_allclose(optimal_label_thresholds(Y, score), [np.inf, -np.inf, -5e-7], rtol=0)


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_floor_takes_the_highest_score(container):
    Y, score = scores(seed=5, decimals=3)
    best = label_optima(Y, container(score), "f1")
    floor = float(np.median(best.values))
    decided = optimal_label_thresholds(Y, container(score), floor=floor)
    kept = best.values >= floor
    assert 0 < kept.sum() < len(kept)
    assert_array_equal(decided[kept], best.thresholds[kept])
    highest = score.max(axis=0)
    assert (decided[~kept] < highest[~kept]).all()
    assert_array_equal((score >= decided)[:, ~kept], (score == highest)[:, ~kept])


@pytest.mark.parametrize("container", [np.asarray, csc_array])
@pytest.mark.parametrize("objective", ["f1", "precision"])
@pytest.mark.parametrize("weight", [None, np.full(40, 0.5)])
def test_floor_predicts_nothing_where_rows_share_the_highest_score(container, objective, weight):
    Y = np.zeros((40, 3), dtype=int)
    Y[0] = 1
    score = np.zeros((40, 3))
    score[1:31, 1] = 1
    score[1, 2] = 1
    best = label_optima(Y, container(score), objective, floor=0.1, weight=weight)
    assert_allclose(best.thresholds, [np.inf, np.inf, 0.5])
    assert (best.values < 0.1).all()
    if objective == "f1":  # of flagging all
        assert_allclose(best.values, 2 / 41)


def test_blocks_change_nothing(monkeypatch):
    Y, score = scores(seed=6)
    expected = optimal_label_thresholds(Y, score, "mcc")
    monkeypatch.setattr(_label_optimum, "BLOCK", 2 * len(Y))
    assert_array_equal(optimal_label_thresholds(Y, score, "mcc"), expected)


def all_micro_f(Y, score, beta):
    """Micro F-beta of every combination of thresholds."""
    points = [
        [
            (np.sum(Y[:, k] & (score[:, k] >= t)), np.sum(score[:, k] >= t))
            for t in midpoints(score[:, k])
        ]
        for k in range(Y.shape[1])
    ]
    b2 = beta**2
    return [
        (1 + b2)
        * sum(tp for tp, _ in combination)
        / (b2 * Y.sum() + sum(a for _, a in combination))
        for combination in product(*points)
    ]


@pytest.mark.parametrize("beta", [0.5, 1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_micro_f_equals_all_combinations_of_thresholds(seed, beta):
    Y, score = scores(14, 3, seed=seed)
    thresholds, value = micro_f_thresholds(Y, score, beta=beta)
    assert_allclose(value, max(all_micro_f(Y, score, beta)), rtol=1e-12)
    assert_allclose(
        fbeta_score(Y, score >= thresholds, beta=beta, average="micro"), value, rtol=1e-12
    )
    assert_array_equal(micro_f_thresholds(Y, csc_array(score), beta=beta)[0], thresholds)


def test_micro_f_counts_weights_and_leaves_out_what_is_unknown():
    Y, score = scores(40, 4, seed=5)
    weight = np.random.default_rng(0).integers(1, 4, size=len(Y))
    rows = np.repeat(np.arange(len(Y)), weight)
    thresholds, value = micro_f_thresholds(Y, score, sample_weight=weight)
    expected, expected_value = micro_f_thresholds(Y[rows], score[rows])
    assert_array_equal(thresholds, expected)
    assert_allclose(value, expected_value)
    half = np.where(np.arange(len(Y))[:, np.newaxis] % 2, -1, Y)
    expected, expected_value = micro_f_thresholds(Y[::2], score[::2])
    assert_array_equal(micro_f_thresholds(half, score)[0], expected)


def test_micro_f_without_positives():
    thresholds, value = micro_f_thresholds(np.zeros((3, 2)), np.eye(3)[:, :2])
    assert_array_equal(thresholds, np.inf)
    assert value == 0


def test_the_hull_holds_the_best_point_for_every_price_of_an_alert():
    Y, score = scores(80, 3, seed=7)
    for k in range(3):
        curve = label_curve(Y.astype(np.int8), score, k)
        vertices = hull_vertices(curve)
        assert len(vertices) < len(curve)
        for price in np.linspace(0.001, 1.001, 300):
            gain = curve.tp - price * curve.alerts
            assert_allclose(gain[vertices].max(), gain.max(), atol=1e-12)
        assert best_index(curve, "f1") in vertices


def test_what_cannot_be_used_is_refused():
    Y, score = scores()
    with pytest.raises(ValueError, match=r"y_score has shape \(60, 6\) and Y_true \(60, 7\)"):
        optimal_label_thresholds(Y, score[:, :6])
    with pytest.raises(ValueError, match="recall alone is greatest where everything is flagged"):
        optimal_label_thresholds(Y, score, "recall")
    with pytest.raises(ValueError, match="Unknown objective 'f3'"):
        optimal_label_thresholds(Y, score, "f3")
    score[:, 2] = 0
    with pytest.raises(ValueError, match=r"meets constraint=\('precision', 0.9\) for \d of 7.*2"):
        optimal_label_thresholds(Y, score, "recall", constraint=("precision", 0.9))
