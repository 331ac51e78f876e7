"""Coefficients are scikit-learn's, label by label, whatever the samples, weights and containers."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skrecall.multilabel import MultilabelLogisticRegression, _joint_lbfgs

X, Y = make_multilabel_classification(200, 8, n_classes=5, n_labels=2, random_state=0)
RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.1, 3, size=Y.shape)


def reference(X, Y, weights=None, **params):
    """Return coefficients of scikit-learn's solver with a Hessian, solved to the end."""
    params = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 500, **params}
    weights = [None] * Y.shape[1] if weights is None else weights.T
    models = [LogisticRegression(**params).fit(X, y, w) for y, w in zip(Y.T, weights, strict=True)]
    return np.vstack([m.coef_ for m in models]), np.ravel([m.intercept_ for m in models])


def tight(**params):
    return MultilabelLogisticRegression(**{"tol": 1e-8, **params})


def assert_equals_reference(model, expected, atol=1e-5):
    assert_allclose(model.coef_, expected[0], atol=atol)
    assert_allclose(model.intercept_, expected[1], atol=atol)


@pytest.mark.parametrize("params", [{}, {"C": 0.01}, {"C": 50.0}, {"fit_intercept": False}])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_equals_scikit_learn(params, container):
    model = tight(**params).fit(container(X), Y)
    assert_equals_reference(model, reference(X, Y, **params))
    assert model.n_iter_.shape == (5,)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_the_default_tolerance_is_in_standard_errors(C, scale):
    coef, intercept = reference(X * scale, Y, C=C)
    model = MultilabelLogisticRegression(C).fit(X * scale, Y)
    for k in range(Y.shape[1]):
        rows = np.column_stack([X * scale, np.ones(len(X))])
        p = 1 / (1 + np.exp(-rows @ np.append(coef[k], intercept[k])))
        penalty = np.diag(np.append(np.full(8, 1 / C), 0))
        hessian = rows.T * (p * (1 - p)) @ rows + penalty
        error = np.append(model.coef_[k] - coef[k], model.intercept_[k] - intercept[k])
        assert np.sqrt(error @ hessian @ error) < 2e-3
    assert np.abs(model.coef_ - coef).max() < 1e-3 * np.sqrt(C)


def test_float32_follows_the_samples():
    model = MultilabelLogisticRegression().fit(X.astype(np.float32), Y)
    assert model.coef_.dtype == np.float32
    assert model.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_equals_reference(model, reference(X, Y), atol=1e-3)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 1: 4.0}])
@pytest.mark.parametrize("weights", [None, WEIGHT[:, :1], WEIGHT])
def test_weights_are_scikit_learns(class_weight, weights):
    all_weights = None if weights is None else np.broadcast_to(weights, Y.shape)
    expected = reference(X, Y, all_weights, class_weight=class_weight)
    given = weights[:, 0] if weights is not None and weights.shape[1] == 1 else weights
    model = tight(class_weight=class_weight).fit(X, csr_array(Y), sample_weight=given)
    assert_equals_reference(model, expected)


def test_class_weights_are_of_the_classes_of_a_flat_target():
    words = np.array(["ham", "spam"])[Y[:, 0]]
    weight = {"ham": 1.0, "spam": 3.0}
    model = tight(class_weight=weight).fit(X, words)
    assert_equals_reference(model, reference(X, Y[:, :1], class_weight={0: 1.0, 1: 3.0}))
    with pytest.raises(ValueError, match=r"keys \['spam', 'egg'\], and the classes .*'ham'"):
        tight(class_weight={"spam": 2.0, "egg": 1.0}).fit(X, words)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_unknown_labels_are_left_out(container):
    unknown = RNG.uniform(size=Y.shape) < 0.3
    model = tight().fit(X, container(np.where(unknown, -1, Y)))
    for k in range(Y.shape[1]):
        known = ~unknown[:, k]
        coef, intercept = reference(X[known], Y[known][:, [k]])
        assert_allclose(model.coef_[[k]], coef, atol=1e-5)
        assert_allclose(model.intercept_[[k]], intercept, atol=1e-5)


def test_rare_and_separable_labels_end_by_the_penalty():
    rare = np.zeros((len(X), 3), dtype=int)
    rare[[3, 50], 0] = 1
    rare[7, 1] = 1
    rare[:, 2] = X[:, 0] > np.median(X[:, 0])
    for C in (1.0, 1000.0):
        model = tight(C=C).fit(X, rare)
        assert_equals_reference(model, reference(X, rare, C=C), atol=1e-4)


@pytest.mark.parametrize("n_features", [300, 30])
def test_features_of_any_scale_and_number(n_features):
    mixed = RNG.normal(size=(60, n_features)) * np.logspace(-2, 2, n_features) + 100
    labels = (mixed[:, -3:] > 100).astype(int)
    assert_equals_reference(tight().fit(mixed, labels), reference(mixed, labels))


def test_too_many_axes_are_not_turned(monkeypatch):
    turned = tight().fit(X, Y)
    monkeypatch.setattr(_joint_lbfgs, "MAX_AXES", 4)
    plain = tight().fit(X, Y)
    assert_allclose(plain.coef_, turned.coef_, atol=1e-7)
    assert (plain.coef_ != turned.coef_).any()


def test_blocks_and_threads_change_nothing(monkeypatch):
    whole = tight().fit(X, Y)
    monkeypatch.setattr(MultilabelLogisticRegression, "_labels_at_once", 2)
    one, two = (tight(n_jobs=n).fit(X, Y) for n in (1, 2))
    assert_array_equal(one.coef_, two.coef_)
    assert_allclose(one.coef_, whole.coef_, atol=1e-7)
    assert_allclose(one.predict_proba(X), whole.predict_proba(X), atol=1e-7)
    sparse = tight().fit(X, csc_array(Y))
    assert_array_equal(sparse.predict(X).toarray(), whole.predict(X))


def test_constant_labels_have_no_coefficients():
    constant = Y.copy()
    constant[:, 1], constant[:, 3] = 1, 0
    with pytest.warns(UserWarning, match=r"Labels \[1, 3\] have one value each"):
        model = tight().fit(X, constant)
    expected = reference(X, Y[:, [0, 2, 4]])
    assert_allclose(model.coef_[[0, 2, 4]], expected[0], atol=1e-5)
    assert_array_equal(model.coef_[[1, 3]], 0)
    assert_array_equal(np.sign(model.intercept_[[1, 3]]), [1, -1])
    assert_array_equal(model.n_iter_[[1, 3]], 0)
    assert_array_equal(
        model.decision_function(X)[:, [1, 3]], np.tile(model.intercept_[[1, 3]], (200, 1))
    )
    per_label = np.where(constant == Y, WEIGHT, 1.0)
    with pytest.warns(UserWarning, match=r"Labels \[1, 3\]"):
        weighted = tight().fit(X, constant, sample_weight=per_label)
    kept = reference(X, Y[:, [0, 2, 4]], WEIGHT[:, [0, 2, 4]])
    assert_allclose(weighted.coef_[[0, 2, 4]], kept[0], atol=1e-5)


def test_responses_agree():
    model = tight().fit(X, Y)
    decision = X @ model.coef_.T + model.intercept_
    assert_allclose(model.decision_function(X), decision, rtol=1e-10)
    assert_allclose(model.predict_proba(X), 1 / (1 + np.exp(-decision)), rtol=1e-10)
    assert_array_equal(model.predict(X), decision > 0)


def test_many_sparse_features():
    wide = csr_array(RNG.uniform(size=(80, 3000)) * (RNG.uniform(size=(80, 3000)) < 0.01))
    labels = np.stack([wide[:, [k]].toarray()[:, 0] > 0 for k in np.argsort(-wide.sum(0))[:4]], 1)
    model = tight().fit(wide, csr_array(labels.astype(int)))
    expected = reference(wide, labels.astype(int), solver="lbfgs", tol=1e-9, max_iter=5000)
    assert_equals_reference(model, expected)
    assert model.predict(wide[:3]).shape == (3, 4)


def test_labels_that_did_not_converge_are_named():
    names = [f"tag {k}" for k in range(5)]
    with pytest.warns(ConvergenceWarning, match=r"5 of 5 labels did not reach tol=1e-08 in 1 step"):
        MultilabelLogisticRegression(tol=1e-8, max_iter=1).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match=r"'tag 0', 'tag 1'.*Raise max_iter or tol"):
        MultilabelLogisticRegression(tol=1e-8, max_iter=1).fit(X, pd.DataFrame(Y, columns=names))


def test_balanced_weights_of_a_class_without_weight_are_those_of_the_other():
    weight = np.where(Y == 1, 0.0, WEIGHT)
    weight[:, 1:] = WEIGHT[:, 1:]
    balanced = tight(class_weight="balanced").fit(X, Y, sample_weight=weight)
    assert balanced.predict_proba(X)[:, 0].max() < 0.1
    others = reference(X, Y[:, 1:], WEIGHT[:, 1:], class_weight="balanced")
    assert_allclose(balanced.coef_[1:], others[0], atol=1e-5)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_labels_without_weight_are_named(class_weight):
    weight = WEIGHT.copy()
    weight[:, 3] = 0
    with pytest.raises(ValueError, match=r"Labels \[3\] have no sample .* weight is above 0"):
        tight(class_weight=class_weight).fit(X, Y, sample_weight=weight)
    unknown = Y.copy()
    unknown[WEIGHT[:, 2] > 1, 2] = -1
    with pytest.raises(ValueError, match=r"Labels \[2\] have no sample whose label is known"):
        tight(class_weight=class_weight).fit(X, unknown, sample_weight=WEIGHT * (WEIGHT > 1))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones((200, 3)), r"shape \(200, 3\) for 200 samples and 5 labels"),
        (np.ones(7), r"sample_weight.shape == \(7,\)"),
        (-np.ones((200, 5)), "Negative values in data passed to .*sample_weight"),
        (np.full((200, 5), np.nan), "sample_weight contains NaN"),
    ],
)
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        MultilabelLogisticRegression().fit(X, Y, sample_weight=weight)


def test_a_refused_fit_keeps_the_one_before():
    model = tight().fit(X, Y)
    before = model.coef_
    with pytest.raises(ValueError, match="class_weight has the keys"):
        model.set_params(class_weight={2: 1.0}).fit(X, Y)
    assert model.coef_ is before
