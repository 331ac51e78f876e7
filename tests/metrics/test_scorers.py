import pickle

import numpy as np
import pytest
import sklearn.metrics
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skrecall import metrics
from skrecall.metrics import get_scorer, get_scorer_names, optimal_score

COSTS = [[0, 1], [20, 0]]

# every name of ours: parameters, the function it stands for, whether it looks at decisions
SCORERS = {
    "recall_at_precision": ({"min_precision": 0.6}, metrics.recall_at_precision, False),
    "precision_at_recall": ({"min_recall": 0.9}, metrics.precision_at_recall, False),
    "sensitivity_at_specificity": (
        {"min_specificity": 0.9},
        metrics.sensitivity_at_specificity,
        False,
    ),
    "recall_at_alert_budget": ({"alerts_per_1000": 150}, metrics.recall_at_alert_budget, False),
    "recall_at_k": ({"k": 20}, metrics.recall_at_k, False),
    "partial_roc_auc": ({"min_recall": 0.8}, metrics.partial_roc_auc, False),
    "f2": ({}, lambda *a, **k: sklearn.metrics.fbeta_score(*a, beta=2, **k), True),
    "f_beta": ({"beta": 0.5}, sklearn.metrics.fbeta_score, True),
    "g_mean": (
        {},
        lambda t, p, **k: np.sqrt(
            sklearn.metrics.recall_score(t, p, **k)
            * sklearn.metrics.recall_score(t, p, pos_label=0, **k)
        ),
        True,
    ),
    "specificity": (
        {},
        lambda *a, **k: sklearn.metrics.recall_score(*a, pos_label=0, **k),
        True,
    ),
    "youden": (
        {},
        lambda *a, **k: 2 * sklearn.metrics.balanced_accuracy_score(*a, **k) - 1,
        True,
    ),
    "neg_expected_cost": (
        {"cost_matrix": COSTS},
        lambda *a, **k: -metrics.expected_cost(*a, **k),
        True,
    ),
    **{
        f"max_{name}": (
            {},
            lambda *a, name=name, **k: optimal_score(*a, objective=name, **k),
            False,
        )
        for name in ("accuracy", "balanced_accuracy", "f1", "g_mean", "mcc", "youden")
    },
    "max_f_beta": (
        {"beta": 3, "constraint": ("precision", 0.2)},
        lambda *a, beta, **k: optimal_score(
            *a, objective="f_beta", objective_params={"beta": beta}, **k
        ),
        False,
    ),
    "neg_min_cost": (
        {"cost_fn": 20.0, "prevalence": 0.01},
        lambda *a, cost_fn, prevalence, **k: optimal_score(
            *a,
            objective="cost",
            objective_params={"cost_fn": cost_fn, "prevalence": prevalence},
            **k,
        ),
        False,
    ),
}


@pytest.fixture(scope="module")
def table():
    X, y = make_classification(400, weights=[0.85], flip_y=0.1, random_state=0)
    return X, y, np.random.default_rng(0).integers(1, 4, len(y))


def test_every_name_of_ours_is_tested_and_none_is_scikit_learn_s():
    ours = set(get_scorer_names()) - set(sklearn.metrics.get_scorer_names())
    assert ours == set(SCORERS)
    assert set(get_scorer_names()) > set(sklearn.metrics.get_scorer_names())


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("model", [LogisticRegression(), GaussianNB(), LinearSVC()], ids=repr)
def test_scorer_is_its_function_of_the_response(name, model, table):
    X, y, weight = table
    model = clone(model).fit(X[:200], y[:200])
    params, function, of_decisions = SCORERS[name]
    if of_decisions:
        response = model.predict(X)
    elif hasattr(model, "decision_function"):
        response = model.decision_function(X)
    else:
        response = model.predict_proba(X)[:, 1]
    scorer = get_scorer(name, **params)
    assert_allclose(scorer(model, X, y), function(y, response, **params))
    assert_allclose(
        scorer(model, X, y, sample_weight=weight),
        function(y, response, sample_weight=weight, **params),
    )


@pytest.mark.parametrize("name", SCORERS)
def test_labels_may_be_names(name, table):
    X, y, _ = table
    names = np.array(["ham", "spam"])[y]
    params = SCORERS[name][0]
    scorer = get_scorer(name, **params)
    expected = scorer(LogisticRegression().fit(X, y), X, y)
    assert_allclose(scorer(LogisticRegression().fit(X, names), X, names), expected)


@pytest.mark.parametrize("name", ["recall_at_precision", "f2", "specificity", "max_mcc"])
@pytest.mark.parametrize("model", [LogisticRegression(), GaussianNB()], ids=repr)
def test_pos_label_may_be_the_first_class(name, model, table):
    X, y, _ = table
    params = SCORERS[name][0]
    mirrored = get_scorer(name, **params)(clone(model).fit(X, 1 - y), X, 1 - y)
    assert_allclose(get_scorer(name, pos_label=0, **params)(clone(model).fit(X, y), X, y), mirrored)


@pytest.mark.parametrize("name", ["precision_at_recall", "partial_roc_auc", "max_f1"])
def test_pos_label_names_one_of_several_classes(name):
    X, y = make_classification(
        300, n_classes=3, n_informative=4, weights=[0.1, 0.3], random_state=0
    )
    names = np.array(["cyst", "healthy", "tumour"])[y]
    model = LogisticRegression().fit(X, names)
    params, function, _ = SCORERS[name]
    for k, label in enumerate(model.classes_):
        scorer = get_scorer(name, pos_label=label, **params)
        expected = function(names == label, model.decision_function(X)[:, k], **params)
        assert_allclose(scorer(model, X, names), expected)
    with pytest.raises(ValueError, match=r"shape \(300, 3\): pass one score per sample"):
        get_scorer(name, **params)(model, X, names)


def test_cross_validate_takes_all_of_them_at_once(table):
    X, y, _ = table
    scoring = {name: get_scorer(name, **params) for name, (params, *_) in SCORERS.items()}
    together = cross_validate(GaussianNB(), X, y, scoring=scoring, cv=3, error_score="raise")
    for name, scorer in scoring.items():
        alone = cross_val_score(GaussianNB(), X, y, scoring=scorer, cv=3, error_score="raise")
        assert_array_equal(together[f"test_{name}"], alone)


def test_scorers_of_both_classes_do_not_share_responses(table):
    X, y, _ = table
    scoring = {
        "roc_auc": "roc_auc",
        "first": get_scorer("max_f1", pos_label=0),
        "second": get_scorer("max_f1"),
    }
    for names in (list(scoring), list(scoring)[::-1]):
        found = cross_validate(LogisticRegression(), X, y, scoring={n: scoring[n] for n in names})
        assert np.all(found["test_first"] > 0.9)  # the frequent class, whose prevalence is 0.8
        assert np.all(found["test_second"] < 0.9)
        assert np.all(found["test_roc_auc"] > 0.5)


def test_grid_search_maximises_it(table):
    X, y, _ = table
    scorer = get_scorer("recall_at_precision", min_precision=0.5)
    model = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    grid = {"logisticregression__C": [1e-4, 1e-2, 1.0]}
    cv = StratifiedKFold(3)
    search = GridSearchCV(model, grid, scoring=scorer, cv=cv).fit(X, y)
    by_hand = []
    for C in grid["logisticregression__C"]:
        model.set_params(logisticregression__C=C)
        folds = [
            metrics.recall_at_precision(
                y[test], model.fit(X[train], y[train]).decision_function(X[test]), min_precision=0.5
            )
            for train, test in cv.split(X, y)
        ]
        by_hand.append(np.mean(folds))
    assert_allclose(search.cv_results_["mean_test_score"], by_hand)
    assert search.best_index_ == np.argmax(by_hand)
    assert search.score(X, y) == scorer(search, X, y)


def test_a_fold_of_one_class_is_named_and_becomes_error_score(table):
    X, y, _ = table
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    fold = np.arange(len(y)) % 2
    fold[:50] = 2  # negatives only
    scorer = get_scorer("max_f1")
    with pytest.raises(ValueError, match="y_true holds one class only, 0, in 50 samples"):
        scorer(LogisticRegression().fit(X, y), X[:50], y[:50])
    search = GridSearchCV(
        LogisticRegression(), {"C": [1.0]}, scoring=scorer, cv=PredefinedSplit(fold), error_score=-1
    )
    with pytest.warns(UserWarning, match="Scoring failed") as caught:
        search.fit(X, y)
    assert not any(issubclass(w.category, FitFailedWarning) for w in caught)
    assert search.cv_results_["split2_test_score"][0] == -1
    assert search.cv_results_["split0_test_score"][0] > 0


@pytest.mark.parametrize("name", SCORERS)
def test_pickled_scorer_is_the_same(name, table):
    X, y, _ = table
    scorer = get_scorer(name, **SCORERS[name][0])
    model = LogisticRegression().fit(X, y)
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy(model, X, y) == scorer(model, X, y)
    assert repr(copy) == repr(scorer)
    rebuilt = eval(repr(scorer), {"get_scorer": get_scorer})
    assert rebuilt(model, X, y) == scorer(model, X, y)


@pytest.mark.parametrize("name", ["recall_at_k", "f2", "neg_min_cost"])
def test_sample_weight_is_routed_where_requested(name, table):
    X, y, weight = table
    params = SCORERS[name][0]
    cv = StratifiedKFold(2)
    with config_context(enable_metadata_routing=True):
        asked = get_scorer(name, **params).set_score_request(sample_weight=True)
        model = LinearDiscriminantAnalysis()
        routed = cross_val_score(
            model, X, y, scoring=asked, cv=cv, params={"sample_weight": weight}
        )
    by_hand = [
        get_scorer(name, **params)(
            model.fit(X[train], y[train]), X[test], y[test], sample_weight=weight[test]
        )
        for train, test in cv.split(X, y)
    ]
    assert_allclose(routed, by_hand)
    unweighted = cross_val_score(model, X, y, scoring=get_scorer(name, **params), cv=cv)
    assert np.any(routed != unweighted)


def test_scikit_learn_s_names_and_callables_pass_through(table):
    X, y, _ = table
    model = LogisticRegression().fit(X, y)
    for name in ("roc_auc", "average_precision", "recall", "neg_brier_score"):
        expected = sklearn.metrics.get_scorer(name)(model, X, y)
        assert get_scorer(name)(model, X, y) == expected
    scorer = make_scorer(roc_auc_score)
    assert get_scorer(scorer) is scorer
    assert get_scorer(None) is None
    assert get_scorer("roc_auc") is not get_scorer("roc_auc")


def test_a_scorer_does_not_change_with_another_of_its_name():
    first = get_scorer("recall_at_k", k=3)
    get_scorer("recall_at_k", k=9)
    assert repr(first) == "get_scorer('recall_at_k', k=3)"


@pytest.mark.parametrize(
    ("scoring", "params", "message"),
    [
        ("recall_at_precison", {}, "Did you mean 'recall_at_precision'"),
        ("zzz", {}, r"Unknown scorer 'zzz'. get_scorer_names\(\) lists all"),
        ("recall_at_precision", {}, r"needs min_precision: get_scorer\('recall_at_precision', min"),
        ("recall_at_k", {"n": 3}, "takes k, pos_label, but n was given"),
        ("f2", {"beta": 1}, "but beta was given"),
        ("max_g_mean", {"beta": 1}, "takes constraint, pos_label, but beta was given"),
        ("recall", {"pos_label": 0}, "scikit-learn's scorer 'recall' takes no parameters by name"),
        (make_scorer(roc_auc_score), {"k": 1}, "takes no parameters here"),
        (3, {}, "scoring=3 must be a name, a callable or None"),
    ],
)
def test_bad_names_and_parameters_are_named(scoring, params, message):
    with pytest.raises(ValueError, match=message):
        get_scorer(scoring, **params)
