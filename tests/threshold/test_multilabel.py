"""MultilabelThresholdClassifier: what it decides, from which scores, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrecall.metrics._objectives import evaluate_objective
from skrecall.model_selection import DecisionGridSearchCV, MultilabelStratifiedKFold
from skrecall.multilabel import BinaryRelevance
from skrecall.threshold import (
    MultilabelThresholdClassifier,
    OptimalThresholdClassifier,
    cardinality_threshold,
    independent_f_maximizer,
    mcut,
    micro_f_thresholds,
    optimal_label_thresholds,
    pcut,
    rcut,
    samples_f_thresholds,
)
from skrecall.threshold._label_promises import joint_ranks

X, Y = make_multilabel_classification(240, 8, n_classes=4, n_labels=2, random_state=1)
LOGISTIC = LogisticRegression(max_iter=1000)
MODEL = MultiOutputClassifier(LOGISTIC)


class Scores(ClassifierMixin, BaseEstimator):
    """Answers with its features; counts its fits."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        self.classes_ = [np.array([0, 1])] * np.shape(y)[1]
        self.weight_ = sample_weight
        return self

    def decision_function(self, X):
        return np.asarray(X)


def scored(n=400, n_labels=4, seed=0):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, n_labels)) < np.linspace(0.2, 0.5, n_labels)).astype(int)
    return 1.5 * Y + rng.normal(size=Y.shape), Y


def prefit(y_score, Y):
    return MultilabelThresholdClassifier(Scores().fit(y_score, Y), calibration="prefit")


@pytest.mark.parametrize(
    ("objective", "constraint"),
    [("f1", None), ("g_mean", None), ("precision", ("recall", 0.7)), ("mcc", ("precision", 0.5))],
)
def test_macro_equals_one_classifier_per_label(objective, constraint):
    folds = list(KFold(4).split(X))
    clf = MultilabelThresholdClassifier(MODEL, objective, constraint=constraint, cv=folds).fit(X, Y)
    for k in range(4):
        one = OptimalThresholdClassifier(LOGISTIC, objective, constraint=constraint, cv=folds)
        one.fit(X, Y[:, k])
        assert_allclose(clf.thresholds_[k], one.threshold_, rtol=1e-6)
        assert_array_equal(clf.predict(X)[:, k], one.predict(X))


def test_folds_are_stratified_by_labels_by_default():
    explicit = MultilabelThresholdClassifier(
        MODEL, cv=list(MultilabelStratifiedKFold(5).split(X, Y))
    )
    assert_array_equal(
        MultilabelThresholdClassifier(MODEL).fit(X, Y).thresholds_, explicit.fit(X, Y).thresholds_
    )


def test_averages_and_rules_are_those_of_the_functions():
    y_score, Y = scored()
    clf = prefit(y_score, Y).fit(y_score, Y)
    assert_array_equal(clf.thresholds_, optimal_label_thresholds(Y, y_score))
    new, _ = scored(30, seed=1)
    prevalence = Y.mean(axis=0)
    k = round(Y.sum(axis=1).mean())
    single = cardinality_threshold(y_score, Y.sum(axis=1).mean())
    for settings, expected in [
        ({"average": "micro"}, micro_f_thresholds(Y, y_score)[0] <= new),
        ({"average": "samples"}, samples_f_thresholds(Y, y_score)[0] <= new),
        ({"rule": "rcut"}, rcut(new, k)),
        ({"rule": "rcut", "n_labels_per_sample": 3}, rcut(new, 3)),
        ({"rule": "pcut"}, pcut(new, prevalence)),
        ({"rule": "mcut"}, mcut(new)),
        ({"rule": "cardinality"}, new >= single),
    ]:
        decided = clf.set_params(**{"rule": "optimum", "average": "macro", **settings})
        assert_array_equal(decided.refit_decision().predict(new), expected, err_msg=str(settings))
        has_thresholds = settings.get("rule", "cardinality") == "cardinality"
        assert (decided.thresholds_ is not None) == has_thresholds


def test_best_score():
    y_score, Y = scored()
    beta = {"objective": "f_beta", "objective_params": {"beta": 2}}
    clf = prefit(y_score, Y).set_params(average="micro", **beta).fit(y_score, Y)
    thresholds, value = micro_f_thresholds(Y, y_score, beta=2)
    assert_array_equal(clf.thresholds_, thresholds)
    assert clf.best_score_ == value
    clf.set_params(average="samples").refit_decision()
    assert clf.best_score_ == samples_f_thresholds(Y, y_score, beta=2)[1]
    clf.set_params(rule="mcut").refit_decision()
    assert np.isnan(clf.best_score_)


@pytest.mark.parametrize("inner", [MODEL, BinaryRelevance(LOGISTIC), RandomForestClassifier(9)])
def test_gfm_takes_probabilities_of_any_shape(inner):
    clf = MultilabelThresholdClassifier(inner, rule="gfm", cv=2, random_state=0).fit(X, Y)
    assert_array_equal(clf.predict(X), independent_f_maximizer(clf.predict_proba(X))[0])
    with pytest.raises(ValueError, match="rule='gfm' needs probabilities"):
        MultilabelThresholdClassifier(ClassifierChain(RidgeClassifier()), rule="gfm", cv=2).fit(
            X, Y
        )


def test_floor_and_shrinkage():
    y_score, Y = scored()
    clf = prefit(y_score, Y).set_params(floor=0.6).fit(y_score, Y)
    assert_array_equal(clf.thresholds_, optimal_label_thresholds(Y, y_score, floor=0.6))
    plain = optimal_label_thresholds(Y, y_score)
    n = Y.sum(axis=0)
    common = np.sum(n * plain) / n.sum()
    clf.set_params(floor=None, shrinkage=25.0).refit_decision()
    assert_allclose(clf.thresholds_, (n * plain + 25 * common) / (n + 25))
    clf.set_params(shrinkage=1e12).refit_decision()
    assert_allclose(clf.thresholds_, common)


@pytest.mark.parametrize(
    "params",
    [
        {"floor": 0.6},
        {"floor": 0.6, "objective": lambda curve: evaluate_objective(curve, "f1")},
        {"floor": None, "shrinkage": 200.0},
        {"floor": None, "constraint": ("precision", 0.8), "on_insufficient": "flag_all"},
        {"floor": 0.6, "constraint": ("precision", 0.8), "on_insufficient": "optimum"},
    ],
)
@pytest.mark.filterwarnings("ignore:Labels .* reach less", "ignore:No threshold meets")
def test_best_score_is_that_of_the_decisions(params):
    y_score, Y = scored(seed=3)
    y_score[:, 0] *= -1  # of which no threshold makes a precision of 0.8
    clf = prefit(y_score, Y).set_params(**params).fit(y_score, Y)
    assert clf.best_score_ == pytest.approx(f1_score(Y, clf.predict(y_score), average="macro"))


def test_labels_that_a_promise_flags_everywhere_are_named_once():
    y_score, Y = scored()
    y_score[:, :2] = 0
    clf = prefit(y_score, Y).set_params(target_recall=0.7)
    with pytest.warns(
        UserWarning, match=r"recall >= 0.7 of labels \[0, 1\] flag all of 400"
    ) as seen:
        clf.fit(y_score, Y)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="flag all of 400") as seen:
        clf.refit_decision()
    assert seen[0].filename == __file__


def test_weights_count_in_the_optimum_and_reach_the_fit():
    y_score, Y = scored()
    weight = np.random.default_rng(1).integers(1, 4, size=len(Y))
    clf = MultilabelThresholdClassifier(Scores(), cv=3).fit(y_score, Y, sample_weight=weight)
    assert_array_equal(clf.estimator_.weight_, weight)
    expected = optimal_label_thresholds(Y, y_score, sample_weight=weight)
    assert_array_equal(clf.thresholds_, expected)
    clf = MultilabelThresholdClassifier(BinaryRelevance(LOGISTIC), cv=3)
    per_label = clf.fit(y_score, Y, sample_weight=np.full(Y.shape, 2.0)).thresholds_
    assert_array_equal(
        clf.fit(y_score, Y, sample_weight=np.full(len(Y), 2.0)).thresholds_, per_label
    )


def test_unknown_labels_are_left_out_where_the_estimator_takes_them():
    unknown = np.random.default_rng(0).random(Y.shape) < 0.2
    Y_nan = np.where(unknown, np.nan, Y)
    folds = list(KFold(3).split(X))
    clf = MultilabelThresholdClassifier(BinaryRelevance(LOGISTIC), cv=folds).fit(X, Y_nan)
    for k in range(4):
        known = np.flatnonzero(~unknown[:, k])
        own = [(np.intersect1d(a, known), np.intersect1d(b, known)) for a, b in folds]
        position = np.cumsum(~unknown[:, k]) - 1
        own = [(position[a], position[b]) for a, b in own]
        one = OptimalThresholdClassifier(LOGISTIC, cv=own).fit(X[known], Y[known, k])
        assert_allclose(clf.thresholds_[k], one.threshold_, rtol=1e-6)
        assert clf.label_table_.n_known[k] == len(known)
    with pytest.raises(ValueError, match="Y contains NaN"):
        MultilabelThresholdClassifier(MODEL).fit(X, Y_nan)
    frozen = MultilabelThresholdClassifier(FrozenEstimator(MODEL.fit(X, Y)))
    assert frozen.fit(X, Y_nan).estimator_ is frozen.estimator


@pytest.mark.filterwarnings("ignore:The best threshold of labels:UserWarning")
def test_a_fold_without_a_label_does_not_crash():
    Y_rare = Y.copy()
    Y_rare[80:, 3] = 0
    folds = list(KFold(3).split(X))
    for inner in (MODEL, BinaryRelevance(LOGISTIC), ClassifierChain(LOGISTIC, order=[3, 2, 1, 0])):
        clf = MultilabelThresholdClassifier(clone(inner), cv=folds)
        if isinstance(inner, ClassifierChain):
            with pytest.raises(ValueError, match="order"):  # it names a label that is not there
                clf.fit(X, Y_rare)
        else:
            assert clf.fit(X, Y_rare).predict(X).shape == Y.shape


def test_a_label_with_fewer_positives_than_folds_needs_no_warning():
    Y_rare = Y.copy()
    Y_rare[:, 3] = np.arange(len(Y)) % 60 == 5
    clf = MultilabelThresholdClassifier(MODEL, floor=0.01).fit(X, Y_rare)
    assert clf.label_table_.n_positives[3] == 4


def test_a_label_that_is_flagged_everywhere_is_named():
    Y_rare = Y.copy()
    Y_rare[:, 3] = np.arange(len(Y)) == 5  # the fold that holds it out has never seen the label
    clf = MultilabelThresholdClassifier(MODEL, floor=None)
    with pytest.warns(
        UserWarning, match=r"best threshold of labels \[3\] flags all of 240 held-out"
    ):
        clf.fit(X, Y_rare)
    assert clf.predict(X)[:, 3].all()
    with pytest.warns(UserWarning, match=r"Labels \[3\] reach less than floor=0.1 at their best"):
        clf.set_params(floor="auto").fit(X, Y_rare)
    assert clf.predict(X)[:, 3].mean() < 0.05
    clf.set_params(objective="balanced_accuracy").fit(X, Y_rare)  # no floor of another unit


@pytest.mark.parametrize("target_recall", [None, 0.5])
def test_a_label_of_tied_scores_below_the_floor_is_not_predicted(target_recall):
    y_score, Y = scored()
    y_score[:, 1], Y[:, 1] = 0, np.arange(400) == 7
    clf = prefit(y_score, Y).set_params(target_recall=target_recall, on_insufficient="optimum")
    expected = "reach less than floor" if target_recall is None else "Cannot promise"
    with pytest.warns(UserWarning, match=expected) as seen:
        clf.fit(y_score, Y)
    assert len(seen) == 1  # and none that it is flagged everywhere
    assert clf.thresholds_[1] == np.inf
    assert clf.label_table_.alerts_per_1000[1] == 0


def test_messages_count_the_labels_that_they_do_not_name():
    y_score, Y = scored(n_labels=25)
    y_score[:, 5:], Y[:, 5:] = 0, np.arange(400)[:, np.newaxis] == 7
    clf = prefit(y_score, Y)
    with pytest.warns(UserWarning, match=r"13, 14 and 10 more\] reach less than floor=0.1"):
        clf.fit(y_score, Y)
    clf.set_params(target_recall=0.5)
    with pytest.raises(
        ValueError, match=r"20 of 25 labels, which need at most 8 .* 14: 1 and 10 more"
    ):
        clf.refit_decision()


def test_containers_names_and_constant_labels():
    Y_frame = pd.DataFrame(Y, columns=list("abcd"))
    Y_frame["b"] = 1
    with pytest.warns(UserWarning, match=r"Labels \['b'\] have one value each in the 240"):
        clf = MultilabelThresholdClassifier(MODEL, cv=3).fit(X, Y_frame)
    assert clf.label_table_.index.tolist() == ["a", "c", "d"]
    assert_array_equal(np.isnan(clf.thresholds_), [False, True, False, False])
    assert (clf.predict(X)["b"] == 1).all()
    assert isinstance(
        MultilabelThresholdClassifier(MODEL, cv=3).fit(X, csr_array(Y)).predict(X), csr_array
    )
    with pytest.warns(UserWarning, match="one value each"):
        clf = MultilabelThresholdClassifier(MODEL).fit(X, np.tile([0, 1], (240, 1)))
    assert_array_equal(clf.predict(X[:2]), [[0, 1], [0, 1]])
    assert clf.label_table_.n_positives.tolist() == [0]


def test_a_label_of_one_value_among_the_held_out_rows():
    y_score, Y = scored(60)
    Y[30:, 0], Y[30:, 1] = 0, 1
    split = [(np.arange(30), np.arange(30, 60))]
    with pytest.warns(UserWarning, match=r"Labels \[0, 1\] have one value each in the 30 held-out"):
        clf = MultilabelThresholdClassifier(Scores(), calibration="holdout", cv=split).fit(
            y_score, Y
        )
    assert_array_equal(clf.thresholds_[:2], [np.inf, -np.inf])


def test_holdout_fits_on_one_part_and_decides_on_the_other():
    Scores.n_fits = 0
    y_score, Y = scored()
    clf = MultilabelThresholdClassifier(
        Scores(), calibration="holdout", calibration_size=0.25, random_state=0
    ).fit(y_score, Y)
    rows = clf.calibration_rows_
    assert Scores.n_fits == 1
    assert abs(len(rows) - 100) <= 1
    assert abs(Y[rows, 0].sum() - Y[:, 0].sum() / 4) <= 1  # the rarest label
    assert_allclose(Y[rows].mean(axis=0), Y.mean(axis=0), atol=0.05)
    assert_array_equal(clf.thresholds_, optimal_label_thresholds(Y[rows], y_score[rows]))
    clf.set_params(cv=ShuffleSplit(3, test_size=0.3, random_state=0)).fit(y_score, Y)
    last = list(ShuffleSplit(3, test_size=0.3, random_state=0).split(y_score))[-1][1]
    assert_array_equal(clf.calibration_rows_, last)


@pytest.mark.parametrize("size", [0.2, 0.5])
def test_every_row_has_the_same_chance_to_be_held_out(size):
    # an odd number of rows, of which those of the rarest labels would go to the larger side
    Y = np.zeros((61, 13), dtype=int)
    Y[:40, 0] = 1
    Y[np.arange(20), 1 + np.arange(20) % 12] = 1
    clf = MultilabelThresholdClassifier(Scores(), calibration_size=size)
    n_draws, held_out = 300, np.zeros(len(Y))
    rng = np.random.RandomState(0)
    for _ in range(n_draws):
        held_out[clf._holdout(None, Y, None, rng)[1]] += 1
    sd = np.sqrt(size * (1 - size) / n_draws)
    assert_allclose(held_out / n_draws, size, atol=4.5 * sd)
    assert_allclose(held_out[:20].mean() / n_draws, size, atol=1.5 * sd)


def test_groups_stay_together_and_carry_no_promise():
    groups = np.repeat(np.arange(60), 4)
    clf = MultilabelThresholdClassifier(MODEL, cv=3).fit(X, Y, groups=groups)
    folds = list(GroupKFold(3).split(X, Y, groups))
    explicit = MultilabelThresholdClassifier(MODEL, cv=folds).fit(X, Y)
    assert_array_equal(clf.thresholds_, explicit.thresholds_)
    half = MultilabelThresholdClassifier(MODEL, calibration="holdout", random_state=0)
    rows = half.fit(X, Y, groups=groups).calibration_rows_
    assert_array_equal(np.unique(np.bincount(groups[rows], minlength=60)), [0, 4])
    with pytest.raises(ValueError, match="takes rows that are exchangeable, and fit got groups"):
        half.set_params(target_recall=0.5).fit(X, Y, groups=groups)


def test_a_joint_promise_in_the_table():
    y_score, Y = scored()
    clf = prefit(y_score, Y).set_params(target_recall=0.9).fit(y_score, Y)
    ranks = joint_ranks(Y.sum(axis=0), 0.9, 1 - 0.9)
    assert [promise.rank for promise in clf.promises_] == ranks.tolist()
    table = clf.label_table_
    flagged = clf.predict(y_score) == 1
    for k in range(4):
        highest = np.sort(y_score[Y[:, k] == 1, k])[ranks[k] - 1]
        assert clf.thresholds_[k] < highest
        assert table.promised[k]
        assert_allclose(table.recall[k], flagged[Y[:, k] == 1, k].mean())
        assert_allclose(table.precision[k], Y[flagged[:, k], k].mean())
        assert_allclose(table.alerts_per_1000[k], 1000 * flagged[:, k].mean())
    assert "4 promises at once" in str(clf.promises_[0])
    clf.set_params(promise="each").refit_decision()
    assert (clf.label_table_.threshold >= table.threshold).all()
    clf.set_params(promise="micro").refit_decision()
    assert len(clf.promises_) == 1
    assert len(np.unique(clf.thresholds_)) == 1
    assert np.sum((clf.predict(y_score) == 1) & (Y == 1)) / Y.sum() >= 0.9


def test_out_of_fold_scores_carry_no_promise():
    clf = MultilabelThresholdClassifier(
        MODEL, target_recall=0.5, confidence=0.5, calibration="out_of_fold"
    ).fit(X, Y)
    assert not clf.label_table_.promised.any()
    assert (clf.label_table_.target_recall == 0.5).all()
    assert all(str(promise).startswith("Empirical") for promise in clf.promises_)


def test_duplicates_are_refused_by_a_promise_that_comes_after_the_fit():
    twice, Y_twice = np.vstack([X, X]), np.vstack([Y, Y])
    clf = MultilabelThresholdClassifier(MODEL, calibration="holdout", random_state=0)
    clf.fit(twice, Y_twice)
    clf.set_params(target_recall=0.5)
    with pytest.raises(ValueError, match="held-out positives are identical to positives"):
        clf.refit_decision()
    clf.set_params(on_duplicates="ignore").fit(twice, Y_twice)
    assert clf.label_table_.promised.all()


def test_parameters_that_no_f_takes():
    clf = MultilabelThresholdClassifier(MODEL, average="micro", objective_params={"bata": 2})
    with pytest.raises(ValueError, match=r"takes beta in objective_params, and got \['bata'\]"):
        clf.fit(X, Y)


def test_auto_holds_out_for_a_promise():
    clf = MultilabelThresholdClassifier(MODEL, target_recall=0.5, confidence=0.5, random_state=0)
    assert abs(len(clf.fit(X, Y).calibration_rows_) - 120) <= 4
    assert clf.label_table_.promised.all()


def test_too_few_positives_get_what_the_user_says():
    y_score, Y = scored()
    Y[5:, 1] = 0
    Y[:5, 1] = 1
    clf = prefit(y_score, Y).set_params(target_recall=0.9, promise="each")
    with pytest.raises(ValueError, match=r"for 1 of 4 labels, which need 22 .* have 1: 5\. Add"):
        clf.fit(y_score, Y)
    given = {}
    for choice in ("best", "optimum", "flag_all"):
        with pytest.warns(UserWarning, match="for 1 of 4 labels"):
            given[choice] = (
                clone(clf)
                .set_params(on_insufficient=choice, estimator=clf.estimator)
                .fit(y_score, Y)
            )
    assert given["flag_all"].thresholds_[1] == -np.inf
    assert given["optimum"].thresholds_[1] == optimal_label_thresholds(Y, y_score)[1]
    assert (y_score[:5, 1] >= given["best"].thresholds_[1]).all()
    assert_array_equal(given["best"].label_table_.promised, True)
    for choice in ("optimum", "flag_all"):
        assert_array_equal(given[choice].label_table_.promised, [True, False, True, True])


def test_a_promise_names_labels_without_any_positive():
    y_score, Y = scored()
    Y[:, 1] = 0
    Y_frame = pd.DataFrame(Y, columns=list("abcd"))
    clf = prefit(y_score, Y).set_params(target_recall=0.8)
    message = r"Labels \['b'\] have no positive in the rows given to fit"
    with (
        pytest.warns(UserWarning, match=r"\['b'\] have one value each"),
        pytest.raises(ValueError, match=message),
    ):
        clf.fit(y_score, Y_frame)
    for choice in ("best", "optimum", "flag_all"):
        clf.set_params(on_insufficient=choice)
        with pytest.warns(UserWarning, match=message) as seen:
            clf.refit_decision()
        assert [warning.filename for warning in seen] == [__file__]
        table = clf.label_table_
        assert table.index.tolist() == list("abcd")
        assert table.n_positives.tolist() == Y.sum(axis=0).tolist()
        assert table.promised.tolist() == [True, False, True, True]
        assert not clf.predict(y_score)["b"].any()
    clf.set_params(promise="micro", on_insufficient="raise").refit_decision()
    assert len(clf.promises_) == 1
    clf.set_params(promise="joint")
    with (
        pytest.warns(UserWarning, match="have one value each"),
        pytest.raises(ValueError, match=r"Labels \[0, 1, 2, 3\] have no positive"),
    ):
        clf.fit(y_score, np.zeros_like(Y))


def test_a_constraint_that_a_label_cannot_meet():
    y_score, Y = scored()
    y_score[:, 2] = 0.0
    clf = prefit(y_score, Y).set_params(constraint=("precision", 0.8))
    with pytest.raises(
        ValueError, match=r"constraint=\('precision', 0.8\) for 1 of 4 labels, \[2\]"
    ):
        clf.fit(y_score, Y)
    clf.set_params(on_insufficient="flag_all")
    with pytest.warns(UserWarning, match=r"labels, \[2\]: they are always predicted"):
        assert clf.fit(y_score, Y).thresholds_[2] == -np.inf


def test_a_search_fits_once_for_all_decisions():
    Scores.n_fits = 0
    y_score, Y = scored(120)
    search = DecisionGridSearchCV(
        MultilabelThresholdClassifier(Scores(), cv=2),
        {"rule": ["optimum", "cardinality", "mcut"], "average": ["macro", "micro", "samples"]},
        cv=KFold(2),
        scoring="f1_micro",
    ).fit(y_score, Y)
    assert Scores.n_fits == 3 * (2 + 1)  # two folds and the refit, each with two folds inside
    assert len(search.cv_results_["params"]) == 9
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"average": "micro", "objective": "mcc"},
            "average='micro' maximises F, and objective='mcc'",
        ),
        ({"rule": "gfm", "constraint": ("recall", 0.5)}, "is kept label by label, and rule='gfm'"),
        ({"rule": "mcut", "target_recall": 0.9}, "and rule='mcut' decides in another way"),
        (
            {"target_recall": 0.9, "promise": "micro", "on_insufficient": "best"},
            "promise='micro' can carry depends",
        ),
        ({"objective": "recall"}, "recall alone is greatest where everything is flagged"),
        ({"cv": [(np.arange(100), np.arange(100, 240))]}, "pools folds, and cv yields 1"),
        ({"cv": [(np.arange(240), np.arange(9))] * 2}, "9 rows are on both sides of the split"),
    ],
)
def test_parameters_that_do_not_go_together(settings, message):
    with pytest.raises(ValueError, match=message):
        MultilabelThresholdClassifier(MODEL).set_params(**settings).fit(X, Y)


@pytest.mark.parametrize("inner", [LOGISTIC, make_pipeline(StandardScaler(), LOGISTIC)])
@pytest.mark.parametrize("y", [Y, Y[:, 0]])
def test_an_estimator_of_one_label_is_sent_into_binary_relevance(inner, y):
    advice = "LogisticRegression could not be fitted .* put it into skrecall.*BinaryRelevance.* 1d"
    with pytest.raises(ValueError, match=advice):
        MultilabelThresholdClassifier(inner).fit(X, y)
    assert MultilabelThresholdClassifier(BinaryRelevance(inner)).fit(X, y).predict(X).shape == (
        y.shape
    )


def test_weights_and_groups_are_routed():
    y_score, Y = scored()
    weight, groups = np.linspace(1, 2, len(Y)), np.arange(len(Y)) // 4
    with config_context(enable_metadata_routing=True):
        inner = Scores().set_fit_request(sample_weight=True)
        clf = MultilabelThresholdClassifier(inner, cv=2).set_fit_request(groups=True)
        clf.fit(y_score, Y, sample_weight=weight, groups=groups)
        with pytest.raises(TypeError, match="unexpected argument"):
            clf.fit(y_score, Y, strange=weight)
    assert_array_equal(clf.estimator_.weight_, weight)


def test_copies_on_both_sides_void_a_promise():
    twice = np.repeat(np.arange(len(X)), 2)
    clf = MultilabelThresholdClassifier(MODEL, target_recall=0.5, confidence=0.5, random_state=0)
    with pytest.raises(
        ValueError,
        match=r"held-out positives are identical to positives the .*: drop them or, where",
    ):  # groups, which another promise takes, are refused here
        clf.fit(X[twice], Y[twice])
    clf.set_params(on_duplicates="ignore").fit(X[twice], Y[twice])


def test_a_joint_promise_is_kept_by_the_classifier():
    """Share of 200 calibration sets on which some label of four misses .8: at most delta = .2."""
    rng = np.random.default_rng(0)
    population, Y_population = scored(10_000, seed=1)
    missed = 0
    for seed in range(200):
        y_score, Y = scored(200, seed=rng.integers(2**31))
        clf = prefit(y_score, Y).set_params(target_recall=0.8, confidence=0.8, random_state=seed)
        found = clf.fit(y_score, Y).predict(population) == 1
        recall = np.sum(found & (Y_population == 1), axis=0) / Y_population.sum(axis=0)
        missed += (recall < 0.8).any()
    assert missed / 200 <= 0.2 + 3 * (0.2 * 0.8 / 200) ** 0.5
    assert missed > 0
