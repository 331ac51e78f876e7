import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from skrecall.multilabel import (
    BinaryRelevance,
    InstanceBasedLogisticRegression,
    MultilabelLogisticRegression,
)


@pytest.fixture
def data():
    X, Y = make_multilabel_classification(150, 6, n_classes=4, random_state=0)
    X = X + np.random.default_rng(0).random(X.shape)  # no equal distances
    return X[:100], Y[:100], X[100:], Y[100:]


def shares_of(X, Y, x, k, without=None):
    """Return the share of each label in the k nearest rows, in plain loops."""
    order = np.argsort(((X - x) ** 2).sum(axis=1))
    rows = [i for i in order if i != without][:k]
    return [sum(Y[i, label] for i in rows) / k for label in range(Y.shape[1])]


@pytest.mark.parametrize("add_features", [False, True])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_equals_a_regression_on_shares_counted_in_loops(data, add_features, container):
    X, Y, X_new, _ = data
    k = 4
    S = np.array([shares_of(X, Y, x, k, without=i) for i, x in enumerate(X)])
    S_new = np.array([shares_of(X, Y, x, k) for x in X_new])
    if add_features:
        S, S_new = np.hstack([X, S]), np.hstack([X_new, S_new])
    logistic = LogisticRegression(C=2, tol=1e-8, max_iter=2000)
    fitted = InstanceBasedLogisticRegression(logistic, n_neighbors=k, add_features=add_features)
    proba = fitted.fit(X, container(Y)).predict_proba(X_new)
    for label in range(Y.shape[1]):
        expected = logistic.fit(S, Y[:, label]).predict_proba(S_new)[:, 1]
        assert_allclose(proba[:, label], expected, atol=1e-5)


def test_default_is_a_weak_penalty_on_shares(data):
    X, Y, X_new, _ = data
    logistic = LogisticRegression(C=100, tol=1e-8, max_iter=5000)
    given = InstanceBasedLogisticRegression(logistic).fit(X, Y)
    default = InstanceBasedLogisticRegression().fit(X, Y)
    assert default.estimator_.C == 100
    assert_allclose(default.predict_proba(X_new), given.predict_proba(X_new), atol=1e-3)


def test_counts_at_unit_penalty_are_shares_at_the_square_of_k(data):
    """Why the default is C=100 of ten neighbours."""
    X, Y, X_new, _ = data
    shares = InstanceBasedLogisticRegression(LogisticRegression(C=100, tol=1e-8, max_iter=5000))
    shares.fit(X, Y)
    S, S_new = (
        np.array([shares_of(X, Y, x, 10, without=i) for i, x in enumerate(X)]),
        np.array([shares_of(X, Y, x, 10) for x in X_new]),
    )
    counts = BinaryRelevance(LogisticRegression(tol=1e-8, max_iter=5000)).fit(10 * S, Y)
    expected = counts.predict_proba(10 * S_new)
    assert_allclose(shares.predict_proba(X_new), expected, atol=1e-3)


def test_a_multilabel_estimator_is_fitted_as_it_is(data):
    X, Y, X_new, _ = data
    inner = BinaryRelevance(LogisticRegression(C=3))
    fitted = InstanceBasedLogisticRegression(inner).fit(X, Y)
    assert isinstance(fitted.estimator_.estimators_[0], LogisticRegression)
    assert fitted.estimator_ is not inner
    wrapped = InstanceBasedLogisticRegression(LogisticRegression(C=3)).fit(X, Y)
    assert_array_equal(fitted.predict_proba(X_new), wrapped.predict_proba(X_new))


def test_sparse_labels_give_sparse_shares(data):
    X, Y, X_new, _ = data
    fitted = InstanceBasedLogisticRegression().fit(X, csr_array(Y))
    assert isinstance(fitted._features(X_new, fitted._find(X_new)), csr_array)
    dense = InstanceBasedLogisticRegression().fit(X, Y)
    assert_allclose(fitted.predict_proba(X_new), dense.predict_proba(X_new), atol=1e-3)


def test_responses_are_those_of_the_estimator(data):
    X, Y, X_new, _ = data
    ridge = InstanceBasedLogisticRegression(RidgeClassifier())
    assert not hasattr(ridge, "predict_proba")
    fitted = ridge.fit(X, Y)
    assert_array_equal(fitted.predict(X_new), fitted.decision_function(X_new) > 0)
    assert hasattr(InstanceBasedLogisticRegression(), "predict_proba")


def test_weights_reach_the_inner_fit(data):
    X, Y, X_new, _ = data
    weight = np.linspace(0.1, 3, len(X))
    unweighted = InstanceBasedLogisticRegression().fit(X, Y).predict_proba(X_new)
    weighted = InstanceBasedLogisticRegression().fit(X, Y, sample_weight=weight)
    assert np.abs(weighted.predict_proba(X_new) - unweighted).max() > 0.01
    with sklearn.config_context(enable_metadata_routing=True):
        logistic = MultilabelLogisticRegression(C=100).set_fit_request(sample_weight=True)
        routed = InstanceBasedLogisticRegression(logistic).fit(X, Y, sample_weight=weight)
        assert_array_equal(routed.predict_proba(X_new), weighted.predict_proba(X_new))
        with pytest.raises(TypeError, match="unexpected argument"):
            InstanceBasedLogisticRegression(logistic).fit(X, Y, weights=weight)
