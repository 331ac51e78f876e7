import pickle
from functools import partial

import numpy as np
import pytest
import sklearn.metrics
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skrecall import metrics
from skrecall.metrics import get_scorer, get_scorer_names, optimal_score
from skrecall.multilabel import BinaryRelevance

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

# every name for multi-label targets: parameters, the function it stands for, of decisions or scores
MULTILABEL_SCORERS = {
    **{
        f"{name}_{average}_known": ({}, partial(function, average=average), of_decisions)
        for average in ("macro", "micro")
        for name, function, of_decisions in [
            ("precision", metrics.masked_precision_score, True),
            ("recall", metrics.masked_recall_score, True),
            ("f1", metrics.masked_fbeta_score, True),
            ("f2", partial(metrics.masked_fbeta_score, beta=2), True),
            ("g_mean", metrics.multilabel_g_mean, True),
            ("roc_auc", metrics.masked_roc_auc_score, False),
            ("average_precision", metrics.masked_average_precision_score, False),
        ]
    },
    "neg_hamming_loss_known": ({}, lambda *a, **k: -metrics.masked_hamming_loss(*a, **k), True),
    "neg_one_error": ({}, lambda *a, **k: -metrics.one_error(*a, **k), False),
    "neg_is_error": ({}, lambda *a, **k: -metrics.is_error(*a, **k), False),
    "example_precision": ({}, metrics.example_precision, True),
    "example_recall": ({"empty": 0.5}, metrics.example_recall, True),
    "example_f1": ({}, metrics.example_fbeta, True),
    "example_f_beta": ({"beta": 2.0}, metrics.example_fbeta, True),
    "example_jaccard": ({}, metrics.example_jaccard, True),
}
# these take no unknown labels
RETRIEVAL_SCORERS = {
    "label_precision_at_k": ({"k": 2}, metrics.label_precision_at_k, False),
    "label_recall_at_k": ({"k": 2}, metrics.label_recall_at_k, False),
    "label_ndcg_at_k": ({"k": 2}, metrics.label_ndcg_at_k, False),
    **{
        f"propensity_scored_{name}_at_k": (
            {"k": 2, "propensity": [0.2, 0.4, 0.5, 1.0]},
            getattr(metrics, f"propensity_scored_{name}_at_k"),
            False,
        )
        for name in ("precision", "ndcg")
    },
}


@pytest.fixture(scope="module")
def table():
    X, y = make_classification(400, weights=[0.85], flip_y=0.1, random_state=0)
    return X, y, np.random.default_rng(0).integers(1, 4, len(y))


def test_every_name_of_ours_is_tested_and_none_is_scikit_learn_s():
    ours = set(get_scorer_names()) - set(sklearn.metrics.get_scorer_names())
    assert ours == {*SCORERS, *MULTILABEL_SCORERS, *RETRIEVAL_SCORERS}
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


@pytest.fixture(scope="module")
def tags():
    X, Y = make_multilabel_classification(150, n_features=8, n_classes=4, random_state=0)
    unknown = np.random.default_rng(0).random(Y.shape) < 0.2
    return X, Y, np.where(unknown, np.nan, Y), np.random.default_rng(1).integers(0, 3, 150)


@pytest.mark.parametrize("name", [*MULTILABEL_SCORERS, *RETRIEVAL_SCORERS])
@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize(
    "model",
    [
        BinaryRelevance(GaussianNB()),
        BinaryRelevance(LinearSVC()),
        MultiOutputClassifier(LogisticRegression()),
    ],
    ids=repr,
)
def test_multilabel_scorer_is_its_function_of_the_response(name, n_labels, model, tags):
    X, Y, _, weight = tags
    Y = Y[:, :n_labels]
    params, function, of_decisions = {**MULTILABEL_SCORERS, **RETRIEVAL_SCORERS}[name]
    if "propensity" in params:
        params = {**params, "propensity": params["propensity"][:n_labels]}
    model = clone(model).fit(X, Y)
    if of_decisions:
        response = model.predict(X)
    elif hasattr(model, "predict_proba"):
        response = model.predict_proba(X)
        if isinstance(response, list):
            response = np.column_stack([proba[:, 1] for proba in response])
    else:
        response = model.decision_function(X)
    scorer = get_scorer(name, **params)
    assert_allclose(scorer(model, X, Y), function(Y, response, **params))
    assert_allclose(
        scorer(model, X, Y, sample_weight=weight),
        function(Y, response, sample_weight=weight, **params),
    )


@pytest.mark.parametrize("n_labels", [1, 2, 4])
@pytest.mark.parametrize("unknown", [np.nan, -1])
def test_a_search_works_with_unknown_labels(n_labels, unknown, tags):
    X, _, Y, _ = tags
    Y = np.where(np.isnan(Y[:, :n_labels]), unknown, Y[:, :n_labels])
    grid, cv = {"estimator__C": [1e-3, 1.0]}, KFold(3)
    model = BinaryRelevance(LogisticRegression())
    scoring = {name: get_scorer(name, **MULTILABEL_SCORERS[name][0]) for name in MULTILABEL_SCORERS}
    search = GridSearchCV(
        model, grid, scoring=scoring, refit="recall_macro_known", cv=cv, error_score="raise"
    ).fit(X, Y)
    for k, C in enumerate(grid["estimator__C"]):
        folds = []
        for train, test in cv.split(X):
            fitted = clone(model).set_params(estimator__C=C).fit(X[train], Y[train])
            responses = fitted.predict_proba(X[test]), fitted.predict(X[test])
            folds.append(
                {
                    name: function(Y[test], responses[of_decisions], **params)
                    for name, (params, function, of_decisions) in MULTILABEL_SCORERS.items()
                }
            )
        for name in MULTILABEL_SCORERS:
            expected = np.mean([fold[name] for fold in folds])
            assert_allclose(search.cv_results_[f"mean_test_{name}"][k], expected)
    recall = search.cv_results_["mean_test_recall_macro_known"]
    assert search.best_index_ == np.argmax(recall)
    assert np.ptp(recall) > 0
    if unknown == -1 and n_labels > 1:
        cv = 3  # scikit-learn chooses a splitter for -1, not for NaN
    alone = GridSearchCV(model, grid, scoring=scoring["recall_macro_known"], cv=cv).fit(X, Y)
    assert_array_equal(alone.cv_results_["mean_test_score"], recall)


def test_with_all_labels_known_they_are_scikit_learn_s(tags):
    X, Y, _, _ = tags
    model = BinaryRelevance(LogisticRegression()).fit(X, Y)
    for name in ("precision_macro", "recall_micro", "f1_macro"):
        expected = sklearn.metrics.get_scorer(name)(model, X, Y)
        assert_allclose(get_scorer(f"{name}_known")(model, X, Y), expected)
