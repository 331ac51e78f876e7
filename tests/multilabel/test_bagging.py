import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import (
    BinaryRelevance,
    ClassifierChain,
    LabelPowerset,
    MultilabelBaggingClassifier,
    MultilabelForestClassifier,
)
from skrecall.multilabel._bagging import balanced_weights


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(150, n_features=8, n_classes=4, random_state=0)


def test_one_bag_of_all_rows_is_the_classifier_itself(data):
    X, Y = data
    for inner in (BinaryRelevance(GaussianNB()), LabelPowerset(GaussianNB())):
        bag = MultilabelBaggingClassifier(inner, n_estimators=1, bootstrap=False, random_state=0)
        assert_allclose(bag.fit(X, Y).predict_proba(X), inner.fit(X, Y).predict_proba(X))


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize("voting", ["proba", "labels"])
def test_the_mean_of_bags_equals_a_plain_loop(data, voting, container):
    X, Y = data
    model = MultilabelBaggingClassifier(
        GaussianNB(), n_estimators=4, max_features=0.5, voting=voting, random_state=0
    )
    fitted = model.fit(X, container(Y))
    expected = np.zeros(Y.shape)
    for bag in fitted.bags_:
        assert len(bag.rows) == 150
        assert len(bag.features) == 4
        alone = BinaryRelevance(GaussianNB()).fit(X[bag.rows][:, bag.features], Y[bag.rows])
        answer = alone.predict_proba if voting == "proba" else alone.predict
        expected += answer(X[:, bag.features]) / 4
    assert_allclose(fitted.predict_proba(X), expected, atol=1e-12)
    predicted = fitted.predict(X)
    assert issparse(predicted) == (container is csr_array)
    assert_array_equal(predicted.toarray() if issparse(predicted) else predicted, expected >= 0.5)


def test_a_label_lost_from_a_bag_is_not_voted_down(data):
    X, Y = data
    Y = np.c_[Y, np.arange(len(Y)) < 2]
    fitted = MultilabelBaggingClassifier(GaussianNB(), n_estimators=8, random_state=0).fit(X, Y)
    knows = np.array([Y[bag.rows, 4].any() for bag in fitted.bags_])
    assert 0 < knows.sum() < 8
    assert_array_equal(fitted.n_voters_, [8, 8, 8, 8, knows.sum()])
    alone = [
        GaussianNB().fit(X[bag.rows], Y[bag.rows, 4]).predict_proba(X)[:, 1]
        for bag, k in zip(fitted.bags_, knows, strict=True)
        if k
    ]
    assert_allclose(fitted.predict_proba(X)[:, 4], np.mean(alone, axis=0))


def test_a_label_that_all_bags_lost_is_named(data):
    X, Y = data
    Y = pd.DataFrame(np.c_[Y, np.arange(len(Y)) < 1], columns=list("abcde"))
    model = MultilabelBaggingClassifier(
        GaussianNB(), n_estimators=2, max_samples=20, random_state=0
    )
    with pytest.warns(UserWarning, match=r"Labels \['e'\] have one value each in all 2 bags"):
        fitted = model.fit(X, Y)
    assert_allclose(fitted.predict_proba(X)[:, 4], 1 / 150)


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_balanced_draws_equal_a_plain_loop(data, container):
    _, Y = data
    expected = np.zeros(len(Y))
    for label in range(4):
        for value in (0, 1):
            rows = np.flatnonzero(Y[:, label] == value)
            for row in rows:
                expected[row] += 1 / 4 / 2 / len(rows)
    assert_allclose(balanced_weights(container(Y.astype(np.int8))), expected)
    assert_allclose(expected.sum(), 1)


def test_balanced_bags_hold_the_rare_label(data):
    X, Y = data
    Y = np.c_[Y, np.arange(len(Y)) < 1]
    fitted = MultilabelBaggingClassifier(
        GaussianNB(), sampler="balanced", n_estimators=10, random_state=0
    ).fit(X, csr_array(Y))
    n_positives = [np.count_nonzero(bag.rows == 0) for bag in fitted.bags_]
    assert np.mean(n_positives) > 0.7 * 150 / 10  # its own draws: 1 / (2 * 5) of 150 rows
    assert fitted.n_voters_[4] == 10


class TwiceTheFirst(BaseEstimator):
    """A sampler of several labels that returns the first rows twice."""

    def __init__(self, n_rows=10, random_state=None):
        self.n_rows = n_rows
        self.random_state = random_state

    def fit_resample(self, X, Y):
        assert isinstance(self.random_state, int)
        rows = np.tile(np.arange(self.n_rows), 2)
        return X[rows], Y[rows]


def test_a_sampler_changes_each_bag(data):
    X, Y = data
    sampler = TwiceTheFirst(60)
    model = MultilabelBaggingClassifier(
        GaussianNB(), sampler=sampler, n_estimators=2, random_state=0
    )
    fitted = model.fit(X, Y)
    expected = np.zeros(Y.shape)
    for bag in fitted.bags_:
        rows = np.tile(bag.rows[:60], 2)
        expected += BinaryRelevance(GaussianNB()).fit(X[rows], Y[rows]).predict_proba(X) / 2
    assert_allclose(fitted.predict_proba(X), expected)
    assert sampler.random_state is None
    with pytest.raises(ValueError, match=r"fit was given \['sample_weight'\], and TwiceTheFirst"):
        model.fit(X, Y, sample_weight=np.ones(150))


def test_out_of_bag_probabilities_equal_a_plain_loop(data):
    X, Y = data
    Y = np.c_[Y, np.ones(len(Y), dtype=int)]
    model = MultilabelBaggingClassifier(
        GaussianNB(),
        n_estimators=3,
        max_samples=0.8,
        bootstrap=False,
        oob_proba=True,
        random_state=0,
    )
    with pytest.warns(UserWarning, match=r"Labels \[4\] have one value"):
        fitted = model.fit(X, Y)
    assert fitted.oob_proba_.shape == Y.shape
    for row in range(len(X)):
        members = [bag.member.estimator for bag in fitted.bags_ if row not in bag.rows]
        expected = [e.predict_proba(X[[row]])[0] for e in members]
        expected = np.mean(expected, axis=0) if members else np.full(4, np.nan)
        assert_allclose(fitted.oob_proba_[row, :4], expected)
    assert np.isnan(fitted.oob_proba_[:, 0]).any()
    assert_array_equal(fitted.oob_proba_[:, 4], 1)


def test_weights_follow_the_rows_of_a_bag(data):
    X, Y = data
    weight = np.random.default_rng(0).uniform(0.2, 3, len(X))
    fitted = MultilabelBaggingClassifier(GaussianNB(), n_estimators=2, random_state=0).fit(
        X, Y, sample_weight=weight
    )
    rows = fitted.bags_[1].rows
    alone = GaussianNB().fit(X[rows], Y[rows, 2], sample_weight=weight[rows])
    assert_allclose(fitted.bags_[1].member.estimator.estimators_[2].theta_, alone.theta_)


@pytest.mark.parametrize(
    "estimator",
    [
        ClassifierChain(DecisionTreeClassifier(), order="random"),
        KNeighborsClassifier(5),
        RandomForestClassifier(5),
        RidgeClassifier(),
    ],
)
def test_any_classifier_inside(data, estimator):
    X, Y = data
    voting = "proba" if hasattr(estimator, "predict_proba") else "labels"
    model = MultilabelBaggingClassifier(
        estimator, n_estimators=4, voting=voting, sampler="balanced", random_state=0
    )
    fitted, again = model.fit(X, Y), clone(model)
    always = np.maximum(Y.mean(axis=0), 1 - Y.mean(axis=0)).mean()  # the more frequent value
    assert (fitted.predict(X) == Y).mean() > always + 0.05
    assert_array_equal(again.fit(X, Y).predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize(
    "model",
    [MultilabelBaggingClassifier(GaussianNB(), n_estimators=2), MultilabelForestClassifier(2)],
)
def test_out_of_bag_probabilities_are_those_of_the_last_fit(data, model):
    X, Y = data
    model = clone(model).set_params(oob_proba=True, random_state=0).fit(X, Y)
    assert model.oob_proba_.shape == Y.shape
    assert not hasattr(model.set_params(oob_proba=False).fit(X, Y), "oob_proba_")


def test_features_of_lists_are_drawn_as_those_of_arrays(data):
    X, Y = data
    model = MultilabelBaggingClassifier(GaussianNB(), max_features=0.5, random_state=0)
    expected = clone(model).fit(X, Y).predict_proba(X)
    assert_array_equal(model.fit(X.tolist(), Y.tolist()).predict_proba(X.tolist()), expected)


def test_what_cannot_be_drawn_or_averaged_is_refused(data):
    X, Y = data
    with pytest.raises(ValueError, match="max_samples=200 of 150 rows cannot be drawn without"):
        MultilabelBaggingClassifier(GaussianNB(), max_samples=200, bootstrap=False).fit(X, Y)
    with pytest.raises(ValueError, match="max_features=9, and X has 8 features"):
        MultilabelBaggingClassifier(GaussianNB(), max_features=9).fit(X, Y)
    with pytest.raises(ValueError, match=r"draws columns, and X has shape \(150, 2, 4\)"):
        MultilabelBaggingClassifier(GaussianNB(), max_features=0.5).fit(X.reshape(150, 2, 4), Y)
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_proba"):
        MultilabelBaggingClassifier(RidgeClassifier()).fit(X, Y)
    with pytest.raises(ValueError, match=r"sample_weight has shape \(150, 4\)"):
        MultilabelBaggingClassifier(GaussianNB()).fit(X, Y, sample_weight=np.ones(Y.shape))
