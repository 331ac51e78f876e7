import importlib.util
import inspect
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.multioutput
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_multilabel_classification
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import ClassifierChain

EXCLUDED = {
    "test_base_estimator_deprecation": "a parameter that scikit-learn 1.9 removed",
}


def scikit_learn_tests_of_chains():
    """Return scikit-learn's own tests that name its ClassifierChain, with ours in its place."""
    name = "sklearn.tests.test_multioutput"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setattr(sklearn.multioutput, "ClassifierChain", ClassifierChain)
        patch.setitem(vars(pytest.mark), "thread_unsafe", lambda test: test)
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    marks = "ClassifierChain", "test_base_chain"
    no_label = pytest.mark.filterwarnings("ignore:Jaccard is ill-defined")
    return {
        name: no_label(test)
        for name, test in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_")
        and name not in EXCLUDED
        and any(
            mark in inspect.getsource(test) or mark in repr(getattr(test, "pytestmark", ""))
            for mark in marks
        )
    }


SCIKIT_LEARN_TESTS = scikit_learn_tests_of_chains()
globals().update(SCIKIT_LEARN_TESTS)  # collected by pytest like our own, with their parameters


def test_scikit_learn_tests_were_found():
    assert len(SCIKIT_LEARN_TESTS) >= 12
    test = SCIKIT_LEARN_TESTS["test_classifier_chain_verbose"]
    assert test.__globals__["ClassifierChain"] is ClassifierChain


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(300, n_features=8, n_classes=4, random_state=0)


@pytest.mark.parametrize("chain_method", ["predict", "predict_proba", "decision_function"])
@pytest.mark.parametrize("cv", [None, 3])
def test_equals_scikit_learn(data, cv, chain_method):
    X, Y = data
    params = {"order": "random", "cv": cv, "chain_method": chain_method, "random_state": 1}
    ours = ClassifierChain(LogisticRegression(), **params).fit(X, Y)
    theirs = sklearn.multioutput.ClassifierChain(LogisticRegression(), **params).fit(X, Y)
    assert_array_equal(ours.order_, theirs.order_)
    for response in ("predict", "predict_proba", "decision_function"):
        assert_allclose(getattr(ours, response)(X), getattr(theirs, response)(X), atol=1e-6)


def test_an_order_of_all_labels_holds_for_those_that_vary(data):
    X, Y = data
    constant = np.zeros(len(X), dtype=int)
    wide = np.column_stack([Y[:, 0], constant, Y[:, 1], Y[:, 2], constant + 1, Y[:, 3]])
    with pytest.warns(UserWarning, match=r"Labels \[1, 4\] have one value"):
        fitted = ClassifierChain(LogisticRegression(), order=[4, 5, 0, 1, 3, 2]).fit(X, wide)
    narrow = ClassifierChain(LogisticRegression(), order=[3, 0, 2, 1]).fit(X, Y)
    assert_array_equal(fitted.order_, [5, 0, 3, 2])
    assert_array_equal(fitted.predict(X)[:, [0, 2, 3, 5]], narrow.predict(X))
    assert_allclose(fitted.predict_proba(X)[:, [0, 2, 3, 5]], narrow.predict_proba(X))
    assert_array_equal(fitted.predict(X)[:, [1, 4]], wide[:, [1, 4]])
    assert_array_equal(fitted.predict_log_proba(X)[:3, 1], [-np.inf] * 3)


def test_a_label_of_one_positive_is_chained_out_of_fold(data):
    X, Y = data
    Y = Y.copy()
    Y[:, 1] = np.arange(len(Y)) == 7
    fitted = ClassifierChain(LogisticRegression(), cv=5, chain_method="decision_function")
    assert np.isfinite(fitted.fit(X, Y).decision_function(X)).all()


def test_missing_values_and_samplers_reach_the_estimator_inside(data):
    X, Y = data
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    inner = make_pipeline(
        SimpleImputer(), RandomOverSampler(random_state=0), LogisticRegression(max_iter=500)
    )
    fitted = ClassifierChain(inner).fit(X, Y)
    expected = inner.fit(np.column_stack([X, Y[:, 0]]), Y[:, 1])
    assert_allclose(fitted.estimators_[1][-1].coef_, expected[-1].coef_)
    search = GridSearchCV(ClassifierChain(inner), {"cv": [None, 2]}, cv=2)
    assert np.isfinite(search.fit(X, Y).cv_results_["mean_test_score"]).all()


def test_labels_are_columns_that_the_estimator_inside_does_not_know(data):
    X, Y = data
    X = pd.DataFrame(X, columns=list("stuvwxyz"))
    scale = make_column_transformer((StandardScaler(), ["s", "t"]), remainder="passthrough")
    scale.set_output(transform="pandas")
    fitted = ClassifierChain(make_pipeline(scale, LogisticRegression(max_iter=500)))
    fitted.fit(X, pd.DataFrame(Y, columns=["a", "b", "c", 4]))
    last = fitted.estimators_[3]
    assert last.feature_names_in_[8:].tolist() == ["label a", "label b", "label c"]
    assert last[-1].coef_.shape == (1, 11)
    X.columns = range(8)
    assert ClassifierChain(LogisticRegression()).fit(X, Y).predict(X).shape == Y.shape


def test_sparse_samples_keep_probabilities_of_labels(data):
    X, Y = data
    params = {"cv": 3, "chain_method": "predict_proba"}
    dense = ClassifierChain(LogisticRegression(), **params).fit(X, Y)
    counts = csr_array(X.astype(int))  # a chain of ints must not round them
    sparse = ClassifierChain(LogisticRegression(), **params).fit(counts, csr_array(Y))
    # as near as the two solves of scikit-learn come to the optimum
    assert_allclose(sparse.predict_proba(counts), dense.predict_proba(X), atol=1e-5)


def test_weights_count_in_every_fit(data):
    X, Y = data
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    folds = [(np.arange(150), np.arange(150, 300)), (np.arange(150, 300), np.arange(150))]
    fitted = ClassifierChain(RidgeClassifier(), cv=folds, chain_method="decision_function")
    fitted.fit(X, Y, sample_weight=weight)
    rows = np.repeat(np.arange(len(X)), weight)
    half = np.sum(rows < 150)
    folds = [
        (np.arange(half), np.arange(half, len(rows))),
        (np.arange(half, len(rows)), np.arange(half)),
    ]
    expected = fitted.__class__(RidgeClassifier(), cv=folds, chain_method="decision_function")
    expected.fit(X[rows], Y[rows])
    assert_allclose(fitted.decision_function(X), expected.decision_function(X))


def test_weights_are_routed(data):
    X, Y = data
    weight = np.random.default_rng(0).integers(1, 3, len(X)).astype(float)
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight="importance")
        fitted = ClassifierChain(inner).fit(X, Y, importance=weight)
    expected = LogisticRegression().fit(X, Y[:, 0], sample_weight=weight)
    assert_allclose(fitted.estimators_[0].coef_, expected.coef_)


def test_random_state_seeds_the_links(data):
    X, Y = data
    fitted = ClassifierChain(SGDClassifier(), random_state=0).fit(X, Y)
    assert len({link.random_state for link in fitted.estimators_}) == 4
    fitted = ClassifierChain(DecisionTreeClassifier()).fit(X, Y)
    assert {link.random_state for link in fitted.estimators_} == {None}


@pytest.mark.parametrize("scoring", ["f1_macro", "roc_auc", "accuracy"])
def test_scorers_work(data, scoring):
    X, Y = data
    chain = ClassifierChain(LogisticRegression(), cv=2)
    assert cross_val_score(chain, X, Y, scoring=scoring, cv=2).min() > 0.3


def test_more_classes_have_no_probability():
    X = np.arange(30.0)[:, np.newaxis]
    Y = pd.DataFrame({"a": np.arange(30) // 10, "b": np.arange(30) % 2})
    fitted = ClassifierChain(DecisionTreeClassifier()).fit(X, Y)
    pd.testing.assert_frame_equal(fitted.predict(X), Y)
    with pytest.raises(ValueError, match="fitted on 3 classes, and predict_proba gives one column"):
        fitted.predict_proba(X)


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1, 2, 2], [[0, 1], [2, 3]]])
def test_an_order_that_is_no_permutation_is_refused(data, order):
    with pytest.raises(ValueError, match="is an invalid order of 4 labels: name each of their"):
        ClassifierChain(LogisticRegression(), order=order).fit(*data)


def test_weights_of_labels_are_refused(data):
    X, Y = data
    with pytest.raises(ValueError, match="give one weight per sample"):
        ClassifierChain(LogisticRegression()).fit(X, Y, sample_weight=np.ones(Y.shape))
