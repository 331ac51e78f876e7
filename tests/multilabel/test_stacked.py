import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import StackedBinaryRelevance
from skrecall.multilabel._stacked import phi_coefficient


@pytest.fixture(scope="module")
def data():
    X, Y = make_multilabel_classification(240, 6, n_classes=4, n_labels=2, random_state=3)
    return X / 10, Y


def first_level(X, Y, ask="predict_proba"):
    responses = [getattr(LogisticRegression().fit(X, y), ask)(X) for y in Y.T]
    return np.column_stack([r[:, 1] if r.ndim == 2 else r for r in responses])


def test_phi_is_the_correlation(data):
    _, Y = data
    assert_allclose(phi_coefficient(Y.astype(np.int8)), np.corrcoef(Y.T))


@pytest.mark.parametrize("cv", [None, 4])
@pytest.mark.parametrize("passthrough", [True, False])
@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_2br_is_a_plain_loop(data, cv, passthrough, method):
    X, Y = data
    fitted = StackedBinaryRelevance(
        LogisticRegression(), cv=cv, passthrough=passthrough, stack_method=method
    ).fit(X, Y)
    held_out = [
        cross_val_predict(LogisticRegression(), X, y, cv=cv, method=method) if cv else None
        for y in Y.T
    ]
    Z_test = first_level(X, Y, method)
    Z = np.column_stack([z[:, 1] if z.ndim == 2 else z for z in held_out]) if cv else Z_test
    if passthrough:
        Z, Z_test = np.hstack([X, Z]), np.hstack([X, Z_test])
    expected = [LogisticRegression().fit(Z, y).predict_proba(Z_test)[:, 1] for y in Y.T]
    assert_allclose(fitted.predict_proba(X), np.column_stack(expected))
    assert_array_equal(fitted.predict(X), np.column_stack(expected) > 0.5)


@pytest.mark.parametrize("stack_method", ["auto", "predict_proba"])
def test_dbr_learns_from_true_labels_and_sees_predictions(data, stack_method):
    X, Y = data
    fitted = StackedBinaryRelevance(
        LogisticRegression(), method="dbr", stack_method=stack_method
    ).fit(X, Y)
    Z = first_level(X, Y, "predict" if stack_method == "auto" else "predict_proba")
    for label in range(4):
        others = np.arange(4) != label
        second = LogisticRegression().fit(np.hstack([X, Y[:, others]]), Y[:, label])
        expected = second.predict_proba(np.hstack([X, Z[:, others]]))[:, 1]
        assert_allclose(fitted.predict_proba(X)[:, label], expected)


def test_br_plus_updates_the_least_confident_label_first(data):
    X, Y = data
    fitted = StackedBinaryRelevance(LogisticRegression(), method="br+").fit(X, Y)
    proba, labels = first_level(X, Y), first_level(X, Y, "predict")
    seconds = [
        LogisticRegression().fit(np.hstack([X, np.delete(Y, label, axis=1)]), Y[:, label])
        for label in range(4)
    ]
    actual = fitted.predict_proba(X)
    changed = 0
    for row in range(80):
        now = labels[row].copy()
        for label in np.argsort(np.abs(proba[row] - 0.5)):
            features = [np.hstack([X[row], np.delete(now, label)])]
            assert actual[row, label] == pytest.approx(seconds[label].predict_proba(features)[0, 1])
            now[label] = seconds[label].predict(features)[0]
        assert_array_equal(fitted.predict(X[[row]])[0], now)
        changed += (now != labels[row]).any()
    assert changed > 10
    no_update = StackedBinaryRelevance(LogisticRegression(), method="dbr").fit(X, Y)
    assert (no_update.predict_proba(X) != actual).any()


def test_correlations_prune(data):
    X, Y = data
    phi = np.abs(phi_coefficient(Y))
    min_phi = np.sort(phi[np.triu_indices(4, 1)])[3]
    assert 0 < np.sum(phi < min_phi) < 12
    fitted = StackedBinaryRelevance(LogisticRegression(), min_phi=min_phi).fit(X, Y)
    assert_array_equal(fitted.seen_, phi >= min_phi)
    n_seen = [second.n_features_in_ - 6 for second in fitted.estimators_]
    assert n_seen == (phi >= min_phi).sum(axis=1).tolist()
    fitted = StackedBinaryRelevance(LogisticRegression(), method="dbr", min_phi=1.0).fit(X, Y)
    alone = first_level(X, Y)
    assert_allclose(fitted.predict_proba(X), alone)
    with pytest.raises(ValueError, match=r"\['label 0', .*would see nothing: min_phi=1.0 leaves"):
        fitted.set_params(passthrough=False).fit(X, Y)


def test_the_final_estimator_answers(data):
    X, Y = data
    fitted = StackedBinaryRelevance(LinearSVC(), DecisionTreeClassifier(max_depth=2)).fit(X, Y)
    assert fitted.stack_method_ == "decision_function"
    assert {type(second) for second in fitted.estimators_} == {DecisionTreeClassifier}
    assert fitted.predict_proba(X).shape == Y.shape
    assert not hasattr(fitted, "decision_function")


def test_scores_cannot_stand_for_true_labels(data):
    for method in ("dbr", "br+"):
        model = StackedBinaryRelevance(
            RidgeClassifier(), method=method, stack_method="decision_function"
        )
        with pytest.raises(ValueError, match="could not read scores in their place: set stack_met"):
            model.fit(*data)
    with pytest.raises(AttributeError, match="predict_proba"):
        model.set_params(stack_method="predict_proba").fit(*data)


def test_rare_labels_frames_and_sparse_samples(data):
    X, Y = data
    Y = Y.copy()
    Y[:, 2] = np.arange(len(Y)) == 5  # in one fold only
    dense = StackedBinaryRelevance(LogisticRegression(), cv=3).fit(X, Y)
    sparse = StackedBinaryRelevance(LogisticRegression(), cv=3).fit(csr_array(X), csr_array(Y))
    assert_allclose(sparse.predict_proba(csr_array(X)), dense.predict_proba(X), atol=1e-6)
    frame = pd.DataFrame(X, columns=list("uvwxyz"))
    named = StackedBinaryRelevance(LogisticRegression(), method="dbr")
    named.fit(frame, pd.DataFrame(Y, columns=list("abcd")))
    names = named.estimators_[1].feature_names_in_.tolist()
    assert names == [*"uvwxyz", "label a", "label c", "label d"]


def test_samplers_seeds_and_weights(data):
    X, Y = data
    inner = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    fitted = StackedBinaryRelevance(inner, method="dbr").fit(X, Y)
    expected = inner.fit(np.hstack([X, Y[:, 1:]]), Y[:, 0])
    assert_allclose(fitted.estimators_[0][-1].coef_, expected[-1].coef_)
    fitted = StackedBinaryRelevance(SGDClassifier(), random_state=0).fit(X, Y)
    seeds = [e.random_state for e in fitted.first_estimators_ + fitted.estimators_]
    assert len(set(seeds)) == 8
    weight = np.random.default_rng(0).integers(1, 4, len(X)).astype(float)
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        fitted = StackedBinaryRelevance(inner).fit(X, Y, sample_weight=weight)
    expected = LogisticRegression().fit(X, Y[:, 0], sample_weight=weight)
    assert_allclose(fitted.first_estimators_[0].coef_, expected.coef_)


def test_weights_of_labels_are_refused(data):
    X, Y = data
    with pytest.raises(ValueError, match="give one weight per sample"):
        StackedBinaryRelevance(LogisticRegression()).fit(X, Y, sample_weight=np.ones(Y.shape))
