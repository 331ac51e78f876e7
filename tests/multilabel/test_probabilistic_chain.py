import itertools

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.multilabel import ClassifierChain, ProbabilisticClassifierChain, _probabilistic_chain

ORDER = [2, 0, 3, 1]


@pytest.fixture(scope="module")
def data():
    X, Y = make_multilabel_classification(200, 6, n_classes=4, n_labels=2, random_state=3)
    return X / 10, Y


@pytest.fixture(scope="module")
def fitted(data):
    return ProbabilisticClassifierChain(LogisticRegression(), order=ORDER).fit(*data)


def decide(fitted, **params):
    return fitted.set_params(**params).refit_decision()


def joint_by_enumeration(fitted, x):
    """Return every label set, by label, with its probability: one row and one set at a time."""
    joint = {}
    for y in itertools.product([0, 1], repeat=4):
        chance, seen = 1.0, []
        for link, label in zip(fitted.estimators_, fitted.order_, strict=True):
            p = link.predict_proba([[*x, *seen]])[0, 1]
            chance *= p if y[label] else 1 - p
            seen.append(y[label])
        joint[y] = chance
    assert sum(joint.values()) == pytest.approx(1)
    return joint


def f_beta(y_true, y_pred, beta):
    hits = sum(a * b for a, b in zip(y_true, y_pred, strict=True))
    n_labels = beta**2 * sum(y_true) + sum(y_pred)
    return (1 + beta**2) * hits / n_labels if n_labels else 1.0


def test_exact_equals_enumeration_in_another_order(data, fitted):
    X, _ = data
    X = X[:12]
    joints = [joint_by_enumeration(fitted, x) for x in X]
    decide(fitted, inference="exact", optimal_for="subset_accuracy")
    marginals = [sum(p * np.array(y) for y, p in joint.items()) for joint in joints]
    assert_allclose(fitted.predict_proba(X), marginals)
    assert_array_equal(fitted.predict(X), [max(joint, key=joint.get) for joint in joints])
    decide(fitted, optimal_for="hamming")
    assert_array_equal(fitted.predict(X), np.array(marginals) >= 0.5)
    for beta in (0.5, 1, 3):
        decide(fitted, optimal_for="f_beta", beta=beta)
        for predicted, joint in zip(fitted.predict(X), joints, strict=True):
            worth = {
                h: sum(p * f_beta(y, h, beta) for y, p in joint.items())
                for h in itertools.product([0, 1], repeat=4)
            }
            assert worth[tuple(predicted)] == pytest.approx(max(worth.values()))


def test_links_are_those_of_a_chain_on_true_labels(data, fitted):
    X, Y = data
    chain = ClassifierChain(LogisticRegression(), order=ORDER).fit(X, Y)
    for ours, theirs in zip(fitted.estimators_, chain.estimators_, strict=True):
        assert_allclose(ours.coef_, theirs.coef_)
    decide(fitted, inference="greedy", optimal_for="f_beta")
    assert_array_equal(fitted.predict(X), chain.predict(X))
    assert_allclose(fitted.predict_proba(X), chain.predict_proba(X))
    decide(fitted, inference="beam", beam_width=1, optimal_for="subset_accuracy")
    assert_array_equal(fitted.predict(X), chain.predict(X))


@pytest.mark.parametrize("optimal_for", ["subset_accuracy", "hamming", "f_beta"])
def test_a_full_beam_and_many_draws_are_exact(data, fitted, optimal_for):
    X, _ = data
    decide(fitted, inference="exact", optimal_for=optimal_for)
    expected, proba = fitted.predict(X), fitted.predict_proba(X)
    decide(fitted, inference="beam", beam_width=8)
    assert_array_equal(fitted.predict(X), expected)
    assert_allclose(fitted.predict_proba(X), proba)
    decide(fitted, inference="monte_carlo", n_samples=4000)
    assert np.mean(fitted.predict(X) != expected) < 0.02
    assert_allclose(fitted.predict_proba(X), proba, atol=4 * np.sqrt(0.25 / 4000))


def test_probabilities_are_of_the_label_not_of_the_value_chosen(data):
    X, Y = data
    Y = Y.copy()
    Y[:, 1] = np.arange(len(Y)) % 25 == 0
    for inference in ("exact", "beam", "monte_carlo", "greedy"):
        rare = ProbabilisticClassifierChain(LogisticRegression(), inference=inference)
        assert rare.fit(X, Y).predict_proba(X)[:, 1].mean() == pytest.approx(0.04, abs=0.01)


@pytest.mark.parametrize("inference", ["exact", "beam", "monte_carlo", "greedy"])
def test_constant_labels_in_any_place_of_the_order(data, fitted, inference):
    X, Y = data
    zeros, ones = np.zeros((len(X), 1), dtype=int), np.ones((len(X), 1), dtype=int)
    wide = np.hstack([zeros, Y[:, :2], ones, Y[:, 2:]])
    order = [3, 4, 1, 0, 5, 2]
    model = ProbabilisticClassifierChain(LogisticRegression(), order=order, inference=inference)
    with pytest.warns(UserWarning, match=r"Labels \[0, 3\] have one value"):
        padded = model.fit(X, wide)
    assert_array_equal(padded.order_, [4, 1, 5, 2])
    decide(fitted, inference=inference, optimal_for="subset_accuracy")
    if inference != "monte_carlo":
        assert_allclose(padded.predict_proba(X)[:, [1, 2, 4, 5]], fitted.predict_proba(X))
        assert_array_equal(padded.predict(X)[:, [1, 2, 4, 5]], fitted.predict(X))
    assert_array_equal(padded.predict(X)[:, [0, 3]], np.hstack([zeros, ones]))


def test_a_label_that_is_always_there_counts_in_f(data, fitted):
    X, Y = data
    ones = np.ones((len(X), 1), dtype=int)
    padded = ProbabilisticClassifierChain(
        LogisticRegression(), order=[*ORDER, 4], optimal_for="f_beta", beta=2
    )
    with pytest.warns(UserWarning, match=r"Labels \[4\]"):
        padded.fit(X, np.hstack([Y, ones]))
    for x, predicted in zip(X[:10], padded.predict(X[:10]), strict=True):
        joint = joint_by_enumeration(fitted, x)
        worth = {
            (*h, 1): sum(p * f_beta((*y, 1), (*h, 1), 2) for y, p in joint.items())
            for h in itertools.product([0, 1], repeat=4)
        }
        assert worth[tuple(predicted)] == pytest.approx(max(worth.values()))


def test_exact_refuses_many_labels_before_it_fits():
    X, Y = make_multilabel_classification(60, n_classes=16, n_labels=8, random_state=0)
    model = ProbabilisticClassifierChain(GaussianNB())
    with pytest.raises(ValueError, match=r"2\^16 label sets for each sample: it is for 15 labels"):
        model.fit(X, Y)
    fitted = model.set_params(inference="beam").fit(X, Y)
    with pytest.raises(ValueError, match="Use inference='beam' for subset accuracy"):
        fitted.set_params(inference="exact").refit_decision()
    with pytest.raises(ValueError, match="could not decide with its last parameters"):
        fitted.predict(X)


@pytest.mark.parametrize("inference", ["exact", "beam", "monte_carlo", "greedy"])
@pytest.mark.parametrize("optimal_for", ["subset_accuracy", "f_beta"])
def test_blocks_of_rows_change_nothing(data, monkeypatch, inference, optimal_for):
    X, Y = data[0][:40], data[1][:40]
    frame = pd.DataFrame(X, columns=list("uvwxyz"), index=np.repeat(np.arange(20), 2))
    model = ProbabilisticClassifierChain(
        LogisticRegression(),
        inference=inference,
        optimal_for=optimal_for,
        n_samples=20,
        random_state=0,
    )
    in_one = model.fit(X, Y).predict(X)
    monkeypatch.setattr(_probabilistic_chain, "BLOCK", 1000)
    assert_array_equal(model.predict(X), in_one)
    assert_array_equal(model.fit(frame, Y).predict(frame), in_one)
    assert_array_equal(model.fit(csr_array(X), Y).predict(csr_array(X)), in_one)


def test_a_sampler_inside_sees_one_label_at_a_time(data):
    X, Y = data
    inner = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    fitted = ProbabilisticClassifierChain(inner).fit(X, Y)
    expected = inner.fit(np.column_stack([X, Y[:, :2]]), Y[:, 2])
    assert_allclose(fitted.estimators_[2][-1].coef_, expected[-1].coef_)


def test_a_search_over_decisions_fits_once_per_fold(data):
    X, Y = data
    counted = []

    class Counted(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            counted.append(len(y))
            return super().fit(X, y, sample_weight)

    grid = {
        "optimal_for": ["hamming", "subset_accuracy", "f_beta"],
        "inference": ["exact", "beam", "monte_carlo"],
        "beta": [1, 2],
    }
    search = DecisionGridSearchCV(
        ProbabilisticClassifierChain(Counted(), random_state=0),
        grid,
        cv=2,
        scoring="f1_macro",
        refit=False,
    ).fit(X, Y)
    assert len(counted) == 2 * 4
    assert len(set(np.round(search.cv_results_["mean_test_score"], 6))) > 3


def test_no_rows_to_predict_are_refused_as_such(data, fitted):
    X, _ = data
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        fitted.predict(X[:0])


def test_weights_count(data):
    X, Y = data
    weight = np.random.default_rng(0).integers(1, 3, len(X))
    fitted = ProbabilisticClassifierChain(LogisticRegression()).fit(X, Y, sample_weight=weight)
    expected = LogisticRegression().fit(X, Y[:, 0], sample_weight=weight)
    assert_allclose(fitted.estimators_[0].coef_, expected.coef_)


def test_weights_of_labels_are_refused(data):
    X, Y = data
    with pytest.raises(ValueError, match="give one weight per sample"):
        ProbabilisticClassifierChain(LogisticRegression()).fit(X, Y, sample_weight=np.ones(Y.shape))
