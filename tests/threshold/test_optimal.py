import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    fbeta_score,
    make_scorer,
    matthews_corrcoef,
    precision_score,
    recall_score,
)
from sklearn.model_selection import (
    GroupKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from skrecall.threshold import OptimalThresholdClassifier

PRECISION = {"zero_division": 0}


class Passthrough(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose score is its only feature."""

    def __init__(self, classes=(0, 1)):
        self.classes = classes

    @property
    def classes_(self):
        return np.asarray(self.classes)

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        X = np.asarray(X)
        return np.column_stack([1 - X[:, 0], X[:, 0]]) if X.shape[1] == 1 else X

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def scored(n=150, *, prevalence=0.2, decimals=2, seed=0):
    """Return scores, with ties, and labels."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(int)
    y_score = np.round(1 / (1 + np.exp(1.5 - rng.normal(size=n) - 1.5 * y)), decimals)
    return y_score, y


def scored_classes(n=120, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.choice(n_classes, size=n, p=np.array([0.7, 0.2, 0.1]))
    logits = rng.normal(size=(n, n_classes)) + np.eye(n_classes)[y] + np.log([0.7, 0.2, 0.1])
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), y


def prefit(y_score, y, objective="f1", *, classes=(0, 1), sample_weight=None, **params):
    X = y_score.reshape(len(y), -1)
    clf = OptimalThresholdClassifier(Passthrough(classes), objective, cv="prefit", **params)
    clf.fit(X, y) if sample_weight is None else clf.fit(X, y, sample_weight=sample_weight)
    return clf, X


def g_mean(y_true, y_pred):
    return np.sqrt(recall_score(y_true, y_pred) * recall_score(y_true, y_pred, pos_label=0))


def expected_cost(y_true, y_pred):
    return -np.mean(np.where(y_true == 1, 10.0 * (y_pred == 0), 2.0 * (y_pred == 1)))


OBJECTIVES = [
    ("f1", None, f1_score),
    ("f_beta", {"beta": 2}, lambda y, p: fbeta_score(y, p, beta=2)),
    ("g_mean", None, g_mean),
    ("mcc", None, matthews_corrcoef),
    ("balanced_accuracy", None, balanced_accuracy_score),
    ("youden", None, lambda y, p: 2 * balanced_accuracy_score(y, p) - 1),
    ("accuracy", None, accuracy_score),
    ("cost", {"cost_fn": 10, "cost_fp": 2}, expected_cost),
    ("cost", {"cost_matrix": [[0, 2], [10, 0]]}, expected_cost),
]


def loop(y_score, y, metric, allowed=lambda y, p: True):
    """Return the best value of a metric over every threshold, one at a time."""
    decisions = [(y_score >= t).astype(int) for t in [*np.unique(y_score), np.inf]]
    return max(metric(y, p) for p in decisions if allowed(y, p))


@pytest.mark.parametrize(("objective", "params", "metric"), OBJECTIVES)
@pytest.mark.parametrize("seed", range(3))
def test_optimum_is_that_of_a_loop_over_all_thresholds(objective, params, metric, seed):
    y_score, y = scored(seed=seed)
    clf, X = prefit(y_score, y, objective, objective_params=params)
    best = loop(y_score, y, metric)
    assert clf.best_score_ == pytest.approx(best, abs=1e-12)
    assert metric(y, clf.predict(X)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(
    ("objective", "constraint", "metric", "allowed"),
    [
        (
            "precision",
            ("recall", 0.9),
            lambda y, p: precision_score(y, p, zero_division=0),
            lambda y, p: recall_score(y, p) >= 0.9,
        ),
        (
            "recall",
            ("precision", 0.4),
            recall_score,
            lambda y, p: p.any() and precision_score(y, p) >= 0.4,
        ),
        ("recall", ("alerts_per_1000", 100), recall_score, lambda y, p: p.mean() <= 0.1),
        (
            "recall",
            ("specificity", 0.8),
            recall_score,
            lambda y, p: recall_score(y, p, pos_label=0) >= 0.8,
        ),
        (
            "specificity",
            ("recall", 0.9),
            lambda y, p: recall_score(y, p, pos_label=0),
            lambda y, p: recall_score(y, p) >= 0.9,
        ),
    ],
)
def test_constrained_optimum_is_that_of_a_loop(objective, constraint, metric, allowed):
    y_score, y = scored()
    clf, X = prefit(y_score, y, objective, constraint=constraint)
    assert clf.best_score_ == pytest.approx(loop(y_score, y, metric, allowed))
    assert allowed(y, clf.predict(X))


def test_a_callable_objective_sees_the_curve():
    y_score, y = scored()
    clf, X = prefit(y_score, y, lambda curve: -np.abs(curve.alerts - 20.0))
    counts = [np.sum(y_score >= t) for t in np.unique(y_score)]
    assert np.sum(clf.predict(X)) == min(counts, key=lambda count: abs(count - 20))


@pytest.mark.parametrize(
    ("objective", "params", "metric"), [case for case in OBJECTIVES if case[0] != "g_mean"]
)
def test_never_below_tuned_threshold_and_equal_on_a_grid_of_all_scores(objective, params, metric):
    y_score, y = scored(400, prevalence=0.1, decimals=6)
    clf, X = prefit(y_score, y, objective, objective_params=params)
    tuned = {
        name: TunedThresholdClassifierCV(
            Passthrough(),
            scoring=make_scorer(metric),
            cv="prefit",
            refit=False,
            thresholds=thresholds,
        ).fit(X, y)
        for name, thresholds in [("grid", 100), ("all", np.unique(y_score))]
    }
    assert clf.best_score_ >= metric(y, tuned["grid"].predict(X)) - 1e-12
    assert clf.best_score_ == pytest.approx(metric(y, tuned["all"].predict(X)), abs=1e-12)


def test_optimum_of_calibrated_probabilities_is_the_known_rule():
    # Elkan 2001: cost_fp / (cost_fp + cost_fn); Lipton et al. 2014: half the best F1.
    rng = np.random.default_rng(0)
    probability = rng.beta(0.5, 3, size=400_000)
    y = (rng.random(len(probability)) < probability).astype(int)
    clf, _ = prefit(probability, y, "cost", objective_params={"cost_fn": 9, "cost_fp": 1})
    assert clf.threshold_ == pytest.approx(0.1, abs=0.02)
    clf, _ = prefit(probability, y, "f1")
    assert clf.threshold_ == pytest.approx(clf.best_score_ / 2, abs=0.02)


def test_cost_at_another_prevalence_reweighs_the_classes():
    y_score, y = scored(300)
    clf, X = prefit(
        y_score, y, "cost", objective_params={"cost_fn": 5, "cost_fp": 1, "prevalence": 0.01}
    )

    def cost_at(y, p):
        return -(0.01 * 5 * (1 - recall_score(y, p)) + 0.99 * (1 - recall_score(y, p, pos_label=0)))

    assert clf.best_score_ == pytest.approx(loop(y_score, y, cost_at))
    assert cost_at(y, clf.predict(X)) == pytest.approx(clf.best_score_)


def test_threshold_lies_between_scores():
    y_score, y = scored()
    clf, X = prefit(y_score, y)
    assert clf.threshold_ not in y_score
    assert_array_equal(clf.predict(X - 1e-9), clf.predict(X + 1e-9))


def test_pos_label_flags_the_other_class():
    y_score, y = scored()
    names = np.array(["fraud", "honest"])
    flagged, X = prefit(1 - y_score, names[1 - y], classes=names, pos_label="fraud")
    plain, _ = prefit(y_score, y)
    assert_array_equal(flagged.predict(X) == "fraud", plain.predict(1 - X) == 1)
    assert flagged.pos_label_ == "fraud"
    assert flagged.operating_curve_.pos_label == "fraud"
    costs, _ = prefit(
        1 - y_score,
        names[1 - y],
        "cost",
        classes=names,
        pos_label="fraud",
        objective_params={"cost_matrix": [[0, 10], [2, 0]]},
    )
    assert costs.best_score_ == pytest.approx(loop(y_score, y, expected_cost))


@pytest.fixture(scope="module")
def table():
    return make_classification(600, 8, n_informative=4, weights=[0.85], flip_y=0.05, random_state=0)


def test_pooled_optimum_is_that_of_cross_val_predict(table):
    X, y = table
    cv = StratifiedKFold(4, shuffle=True, random_state=1)
    clf = OptimalThresholdClassifier(LogisticRegression(), "mcc", cv=cv).fit(X, y)
    y_score = cross_val_predict(LogisticRegression(), X, y, cv=cv, method="predict_proba")[:, 1]
    assert clf.best_score_ == pytest.approx(loop(y_score, y, matthews_corrcoef))
    assert_array_equal(clf.estimator_.coef_, LogisticRegression().fit(X, y).coef_)
    by_hand = [prefit(y_score[rows], y[rows], "mcc")[0].threshold_ for _, rows in cv.split(X, y)]
    assert_allclose(clf.fold_thresholds_, by_hand)
    assert clf.threshold_std_ == pytest.approx(np.std(by_hand))


def test_mean_over_folds_is_that_of_a_loop_without_interpolation(table):
    X, y = table
    cv = StratifiedKFold(3)
    clf = OptimalThresholdClassifier(LogisticRegression(), "f1", cv=cv, aggregate="mean").fit(X, y)
    y_score = cross_val_predict(LogisticRegression(), X, y, cv=cv, method="predict_proba")[:, 1]
    folds = [rows for _, rows in cv.split(X, y)]

    def f1(r, t):
        flagged = y_score[r] >= t
        return 2 * np.sum(flagged & (y[r] == 1)) / (np.sum(flagged) + np.sum(y[r]))

    means = [np.mean([f1(r, t) for r in folds]) for t in np.unique(y_score)]
    assert clf.best_score_ == pytest.approx(max(means))
    at_threshold = np.mean([f1_score(y[r], y_score[r] >= clf.threshold_) for r in folds])
    assert at_threshold == pytest.approx(max(means))


def test_one_split_is_refitted_or_kept(table):
    X, y = table
    kept = OptimalThresholdClassifier(LogisticRegression(), cv=0.5, refit=False, random_state=3)
    refitted = OptimalThresholdClassifier(LogisticRegression(), cv=0.5, random_state=3)
    assert kept.fit(X, y).threshold_ == refitted.fit(X, y).threshold_
    assert not np.allclose(kept.estimator_.coef_, refitted.estimator_.coef_)
    assert_array_equal(refitted.estimator_.coef_, LogisticRegression().fit(X, y).coef_)
    assert np.isnan(kept.threshold_std_)


@pytest.mark.parametrize("cv", [None, "prefit"])
def test_frozen_estimator_is_used_as_it_is(table, cv):
    X, y = table
    model = LogisticRegression().fit(X[:300], y[:300])
    frozen = OptimalThresholdClassifier(FrozenEstimator(model), cv=cv).fit(X[300:], y[300:])
    bare = OptimalThresholdClassifier(model, cv="prefit").fit(X[300:], y[300:])
    assert bare.estimator_ is model
    assert frozen.threshold_ == bare.threshold_


def test_decision_function_and_sparse_or_named_rows(table):
    X, y = table
    clf = OptimalThresholdClassifier(LinearSVC(random_state=0), "balanced_accuracy").fit(X, y)
    y_score = cross_val_predict(LinearSVC(random_state=0), X, y, method="decision_function")
    assert clf.best_score_ == pytest.approx(loop(y_score, y, balanced_accuracy_score))
    frame = pd.DataFrame(X).rename(columns=str)
    named = OptimalThresholdClassifier(LogisticRegression()).fit(frame, pd.Series(y))
    assert named.feature_names_in_.tolist() == list(frame.columns)


def test_sample_weight_counts_in_the_curve_like_repeated_rows():
    y_score, y = scored()
    weight = np.random.default_rng(0).integers(0, 4, size=len(y))

    class Weighted(Passthrough):
        def fit(self, X, y, sample_weight=None):
            return self

    rows = np.repeat(np.arange(len(y)), weight)
    repeated, _ = prefit(y_score[rows], y[rows], "f1")
    weighted = OptimalThresholdClassifier(Weighted(), cv="prefit")
    weighted.fit(y_score[:, None], y, sample_weight=weight)
    assert weighted.best_score_ == pytest.approx(repeated.best_score_)
    assert_array_equal(weighted.predict(y_score[rows, None]), repeated.predict(y_score[rows, None]))


def test_sample_weight_goes_to_the_inner_fit(table):
    X, y = table
    weight = np.random.default_rng(0).random(len(y))
    clf = OptimalThresholdClassifier(LogisticRegression()).fit(X, y, sample_weight=weight)
    by_hand = LogisticRegression().fit(X, y, sample_weight=weight)
    assert_array_equal(clf.estimator_.coef_, by_hand.coef_)


def test_metadata_is_routed_to_estimator_and_splitter(table):
    X, y = table
    weight = np.random.default_rng(0).random(len(y))
    groups = np.arange(len(y)) % 7
    plain = OptimalThresholdClassifier(LogisticRegression(), cv=GroupKFold(7))
    plain.fit(X, y, sample_weight=weight, groups=groups)
    with config_context(enable_metadata_routing=True):
        asking = LogisticRegression().set_fit_request(sample_weight=True)
        routed = OptimalThresholdClassifier(asking, cv=GroupKFold(7))
        routed.fit(X, y, sample_weight=weight, groups=groups)
        with pytest.raises(ValueError, match="sample_weight"):
            OptimalThresholdClassifier(LogisticRegression()).fit(X, y, sample_weight=weight)
    assert routed.threshold_ == plain.threshold_
    assert_array_equal(routed.estimator_.coef_, plain.estimator_.coef_)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_n_jobs_changes_nothing(table, n_jobs):
    X, y = table
    clf = OptimalThresholdClassifier(SVC(), response_method="decision_function", n_jobs=n_jobs).fit(
        X, y
    )
    y_score = cross_val_predict(SVC(), X, y, method="decision_function")
    assert clf.best_score_ == pytest.approx(loop(y_score, y, f1_score))


def test_redecision_equals_a_new_fit_without_refitting(table):
    X, y = table
    clf = OptimalThresholdClassifier(LogisticRegression(), "f1").fit(X, y)
    inner = clf.estimator_
    params = {"objective": "precision", "constraint": ("recall", 0.95)}
    clf.set_params(**params)
    with pytest.raises(ValueError, match="refit_decision"):
        clf.predict(X)
    clf.refit_decision()
    fresh = OptimalThresholdClassifier(LogisticRegression(), **params).fit(X, y)
    assert clf.estimator_ is inner
    assert clf.threshold_ == fresh.threshold_
    clf.set_params(objective="cost", constraint=None)
    for matrix in ([[0, 1], [3, 0]], np.array([[0.0, 1], [9, 0]])):
        clf.set_params(objective_params={"cost_matrix": matrix})
        with pytest.raises(ValueError, match="refit_decision"):
            clf.predict(X)
        clf.refit_decision().predict(X)


def test_each_class_against_the_rest_has_its_own_exact_optimum():
    probability, y = scored_classes()
    clf, X = prefit(probability, y, "f1", classes=(0, 1, 2), multiclass="ovr")
    by_hand = [prefit(probability[:, k], (y == k).astype(int))[0] for k in range(3)]
    assert_array_equal(clf.thresholds_, [binary.threshold_ for binary in by_hand])
    assert clf.best_score_ == pytest.approx(np.mean([binary.best_score_ for binary in by_hand]))
    flags = clf.predict_flags(X)
    for k, binary in enumerate(by_hand):
        assert_array_equal(flags[:, k], binary.predict(probability[:, [k]]) == 1)
    assert_array_equal(clf.predict(X), np.argmax(probability - clf.thresholds_, axis=1))


def test_every_class_keeps_the_constraint():
    probability, y = scored_classes(300)
    clf, X = prefit(
        probability,
        y,
        "precision",
        classes=(0, 1, 2),
        multiclass="ovr",
        constraint=("recall", 0.9),
    )
    flags = clf.predict_flags(X)
    assert all(recall_score(y == k, flags[:, k]) >= 0.9 for k in range(3))


def macro_f1(y, decided):
    return f1_score(y, decided, average="macro", zero_division=0)


def macro_mcc(y, decided):
    return np.mean([matthews_corrcoef(y == k, decided == k) for k in range(3)])


def macro_recall(y, decided):
    return recall_score(y, decided, average="macro")


@pytest.mark.parametrize(
    ("objective", "metric"), [("f1", macro_f1), ("mcc", macro_mcc), ("recall", macro_recall)]
)
@pytest.mark.parametrize("seed", range(2))
def test_argmax_offsets_are_optimal_in_each_coordinate(objective, metric, seed):
    probability, y = scored_classes(80, seed=seed)
    clf, X = prefit(probability, y, objective, classes=(0, 1, 2))
    best = metric(y, clf.predict(X))
    assert clf.best_score_ == pytest.approx(best)
    assert best > metric(y, probability.argmax(axis=1))
    for k in range(3):
        relative = probability - clf.thresholds_
        gaps = probability[:, k] - np.delete(relative, k, axis=1).max(axis=1)
        for offset in np.unique(gaps):
            offsets = clf.thresholds_.copy()
            offsets[k] = offset - 1e-9
            assert metric(y, np.argmax(probability - offsets, axis=1)) <= best + 1e-12


def test_argmax_averages_over_folds():
    probability, y = scored_classes(300)
    X = np.column_stack([probability, np.zeros(len(y))])

    class Softmax(Passthrough):
        def predict_proba(self, X):
            return np.asarray(X)[:, :3]

    cv = StratifiedKFold(3)
    clf = OptimalThresholdClassifier(Softmax((0, 1, 2)), "f1", cv=cv, aggregate="mean").fit(X, y)
    decided = np.argmax(probability - clf.thresholds_, axis=1)
    means = np.mean([macro_f1(y[rows], decided[rows]) for _, rows in cv.split(X, y)])
    assert clf.best_score_ == pytest.approx(means)
    assert clf.fold_thresholds_.shape == (3, 3)
    assert clf.threshold_std_.shape == (3,)


def test_sample_weight_counts_in_the_argmax_rule():
    probability, y = scored_classes()
    weight = np.random.default_rng(0).integers(1, 4, size=len(y))
    rows = np.repeat(np.arange(len(y)), weight)

    class Weighted(Passthrough):
        def fit(self, X, y, sample_weight=None):
            return self

    clf = OptimalThresholdClassifier(Weighted((0, 1, 2)), cv="prefit")
    clf.fit(probability, y, sample_weight=weight)
    repeated, _ = prefit(probability[rows], y[rows], "f1", classes=(0, 1, 2))
    assert clf.best_score_ == pytest.approx(repeated.best_score_)


def test_cost_matrix_of_many_classes_takes_the_least_expected_cost():
    probability, y = scored_classes()
    costs = np.array([[0, 1, 2.0], [5, 0, 1], [20, 4, 0]])
    clf, X = prefit(
        probability, y, "cost", classes=(0, 1, 2), objective_params={"cost_matrix": costs}
    )
    by_hand = [
        min(range(3), key=lambda j: sum(row[i] * costs[i, j] for i in range(3)))
        for row in probability
    ]
    assert_array_equal(clf.predict(X), by_hand)
    paid = np.sum(confusion_matrix(y, by_hand) * costs) / len(y)
    assert clf.best_score_ == pytest.approx(-paid)
    assert clf.thresholds_ is None


SCORES, LABELS = scored()
PROBABILITY, CODES = scored_classes()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"objective": "recall"}, "greatest where everything is flagged.*add a constraint"),
        ({"objective": "recall", "constraint": ("recall", 0.9)}, "everything is flagged"),
        ({"objective": "specificity"}, "greatest where nothing is flagged"),
        ({"objective": "lift"}, "'objective' parameter .* must be a str among"),
        ({"objective_params": {"gamma": 2}}, "gamma was given"),
        ({"constraint": ("lift", 2)}, "constraint=.* is not understood"),
        ({"constraint": ("recall", "0.9")}, "constraint=.* is not understood"),
        ({"constraint": ("precision", 1.01)}, "precision"),
        ({"pos_label": 7}, r"pos_label=7 is not a label of y, which holds \[0, 1\]"),
        (
            {"objective": "cost", "objective_params": {"cost_matrix": np.eye(3)}},
            r"shape \(3, 3\): \(2, 2\) finite costs are needed",
        ),
        (
            {
                "objective": "cost",
                "objective_params": {"cost_matrix": 1 - np.eye(2), "cost_fn": 9, "prevalence": 0.1},
            },
            "holds cost_fn beside the cost_matrix of 2 classes",
        ),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        prefit(SCORES, LABELS, **{"objective": "f1", **params})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"constraint": ("recall", 0.9)}, "thresholds of 3 classes together"),
        ({"pos_label": 1}, "y holds 3 classes, each of which gets a threshold"),
        (
            {"objective": "cost", "objective_params": {"cost_matrix": np.eye(2)}},
            r"shape \(2, 2\): \(3, 3\) finite costs are needed",
        ),
        ({"objective": "recall", "multiclass": "ovr"}, "everything is flagged"),
        (
            {
                "objective": "cost",
                "objective_params": {"cost_matrix": 1 - np.eye(3), "prevalence": 0.1},
            },
            "holds prevalence beside the cost_matrix of 3 classes",
        ),
        (
            {
                "objective": "cost",
                "objective_params": {"cost_matrix": 1 - np.eye(3)},
                "constraint": ("recall", 0.9),
                "multiclass": "ovr",
            },
            "a cost matrix of 3 classes sets none",
        ),
    ],
)
def test_bad_settings_of_many_classes_are_refused_with_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        prefit(PROBABILITY, CODES, **{"objective": "f1", **params}, classes=(0, 1, 2))


def test_bad_data_are_refused_with_a_sentence(table):
    X, y = table
    clf = OptimalThresholdClassifier(LogisticRegression())
    with pytest.raises(ValueError, match="y holds one class only, 0, in 600 samples"):
        clf.fit(X, np.zeros(600, dtype=int))
    with pytest.raises(ValueError, match="y holds continuous values, for example"):
        clf.fit(X, X[:, 0])
    with pytest.raises(ValueError, match="y contains NaN: 1 of 4 labels are missing"):
        clf.fit(X[:4], np.array(["a", "b", None, "a"], dtype=object))
    with pytest.raises(
        ValueError, match=r"1 of 2 classes, \[0\], and y holds \{1: \d+\} of the others"
    ):
        clf.set_params(cv=[(np.flatnonzero(y == 0), np.flatnonzero(y == 1))]).fit(X, y)
    with pytest.raises(ValueError, match="refit=False keeps the estimator of a single split"):
        clf.set_params(cv=3, refit=False).fit(X, y)
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match=r"was fitted on classes \[0, 1\], but y holds"):
        OptimalThresholdClassifier(model, cv="prefit").fit(X, y + 1)
    every, negative = np.arange(600), np.flatnonzero(y == 0)
    clf = OptimalThresholdClassifier(LogisticRegression(), cv=[(every, negative)])
    with pytest.raises(ValueError, match="count 0 of class 1 and"):
        clf.fit(X, y)
    uneven = [(every, negative[:100]), (every, np.r_[negative[100:], np.flatnonzero(y)])]
    clf = OptimalThresholdClassifier(LogisticRegression(), cv=uneven, aggregate="mean")
    with pytest.raises(ValueError, match="Fold 1 of 2, which aggregate='mean' averages"):
        clf.fit(X, y)
    with pytest.raises(ValueError, match="no predict_proba"):
        OptimalThresholdClassifier(LinearSVC(), response_method="predict_proba").fit(X, y)
    with pytest.raises(ValueError, match="needs probabilities"):
        OptimalThresholdClassifier(
            LinearSVC(), "cost", objective_params={"cost_matrix": np.eye(3)}
        ).fit(X, np.arange(600) % 3)


def test_neighbours_with_tied_scores_and_a_constant_score():
    X, y = make_classification(200, weights=[0.8], random_state=0)
    clf = OptimalThresholdClassifier(KNeighborsClassifier(), "f1").fit(X, y)
    y_score = cross_val_predict(KNeighborsClassifier(), X, y, method="predict_proba")[:, 1]
    assert clf.best_score_ == pytest.approx(loop(y_score, y, f1_score))
    with pytest.warns(UserWarning, match="class 1 flags all of 200 held-out rows"):
        constant, rows = prefit(np.full(200, 0.3), y, "f1")
    assert constant.best_score_ == pytest.approx(f1_score(y, np.ones(200, dtype=int)))
    assert_array_equal(constant.predict(rows), np.ones(200))


def test_a_fit_that_fails_leaves_the_one_before_or_none(table):
    X, y = table

    class Failing(LogisticRegression):
        def fit(self, X, y):
            raise RuntimeError("interrupted")

    clf = OptimalThresholdClassifier(Failing())
    with pytest.raises(RuntimeError, match="interrupted"):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)
    clf.set_params(estimator=LogisticRegression()).fit(X, y)
    expected = clf.predict(X)
    with pytest.raises(RuntimeError, match="interrupted"):
        clf.set_params(estimator=Failing(), pos_label=0).fit(X, y)
    assert_array_equal(clf.predict(X), expected)
    assert clf.pos_label_ == 1


def test_an_optimum_that_flags_nothing_is_said_aloud():
    y_score, y = scored()
    with pytest.warns(UserWarning, match="class 1 flags none of 150 held-out rows"):
        clf, X = prefit(-y_score, y, "accuracy")
    assert clf.threshold_ == np.inf
    assert not clf.predict(X).any()
