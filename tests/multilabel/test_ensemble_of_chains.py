import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multioutput import ClassifierChain as TheirChain
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import (
    ClassifierChain,
    EnsembleOfClassifierChains,
    ProbabilisticClassifierChain,
)


@pytest.fixture(scope="module")
def data():
    X, Y = make_multilabel_classification(300, 8, n_classes=4, n_labels=2, random_state=0)
    return X / 10, Y


def test_is_the_mean_of_chains_on_all_rows(data):
    X, Y = data
    fitted = EnsembleOfClassifierChains(
        LogisticRegression(), n_estimators=5, bootstrap=False, random_state=0
    ).fit(X, Y)
    orders = [member.estimator.order_ for member in fitted.members_]
    assert len({tuple(order) for order in orders}) > 1
    chains = [ClassifierChain(LogisticRegression(), order=order).fit(X, Y) for order in orders]
    mean = np.mean([chain.predict_proba(X) for chain in chains], axis=0)
    assert_allclose(fitted.predict_proba(X), mean)
    assert_array_equal(fitted.predict(X), mean >= 0.5)
    fitted.set_params(voting="labels", threshold=0.3).refit_decision()
    share = np.mean([chain.predict(X) for chain in chains], axis=0)
    assert_allclose(fitted.predict_proba(X), share)
    assert_array_equal(fitted.predict(X), share >= 0.3)


def test_votes_need_no_probabilities(data):
    X, Y = data
    voting = EnsembleOfClassifierChains(
        RidgeClassifier(), voting="labels", n_estimators=4, max_samples=0.2, random_state=0
    )
    share = voting.fit(X, Y).predict_proba(X)
    assert set(np.unique(share)) == {0, 0.25, 0.5, 0.75, 1}
    assert_array_equal(voting.predict(X), share >= 0.5)
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_proba: set voting"):
        EnsembleOfClassifierChains(RidgeClassifier()).fit(X, Y)
    assert not hasattr(EnsembleOfClassifierChains(RidgeClassifier()), "predict_proba")


@pytest.mark.parametrize("max_samples", [1.0, 0.5, 40])
def test_rows_of_bags(data, max_samples):
    X, Y = data
    counted = []

    class Counted(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            counted.append((len(y), len(np.unique(X[:, :8], axis=0))))
            return super().fit(X, y, sample_weight)

    n_rows = {1.0: 300, 0.5: 150, 40: 40}[max_samples]
    model = EnsembleOfClassifierChains(Counted(), n_estimators=2, max_samples=max_samples)
    model.fit(X, Y)
    assert {drawn for drawn, _ in counted} == {n_rows}
    assert min(unique for _, unique in counted) < n_rows
    counted.clear()
    model.set_params(bootstrap=False).fit(X, Y)
    assert counted == [(n_rows, n_rows)] * 8
    with pytest.raises(ValueError, match="max_samples=301 of 300 rows cannot be drawn without"):
        model.set_params(max_samples=301).fit(X, Y)


def test_a_label_that_bags_lose_is_answered_for_by_the_others(data):
    X, Y = data
    Y = Y.copy()
    Y[:, 1] = X[:, 0] >= np.sort(X[:, 0])[-2]  # two positives
    fitted = EnsembleOfClassifierChains(
        DecisionTreeClassifier(), n_estimators=20, max_samples=0.5, random_state=0
    ).fit(X, Y)
    assert 0 < fitted.n_voters_[1] < 20
    voters = [member for member in fitted.members_ if member.learnt[1]]
    column = [member.learnt[:1].sum() for member in voters]
    votes = [
        member.estimator.predict_proba(X)[:, k] for member, k in zip(voters, column, strict=True)
    ]
    assert_allclose(fitted.predict_proba(X)[:, 1], np.mean(votes, axis=0))
    assert fitted.predict(X)[Y[:, 1] == 1, 1].any()
    with pytest.warns(UserWarning, match=r"Labels \[1\] have one value each in the rows of all 2"):
        lost = EnsembleOfClassifierChains(
            LogisticRegression(), n_estimators=2, max_samples=5, random_state=1
        ).fit(X, pd.DataFrame({"a": Y[:, 0], 1: Y[:, 1]}))
    assert_allclose(lost.predict_proba(X)[:, 1], 2 / 300)


def test_threshold_of_the_cardinality_is_chosen_on_unseen_rows(data):
    X, Y = data
    train, test = np.arange(200), np.arange(200, 300)
    trees = DecisionTreeClassifier(min_samples_leaf=2)  # too sure of rows that they have seen
    fitted = EnsembleOfClassifierChains(
        trees, n_estimators=20, threshold="cardinality", random_state=0
    ).fit(X[train], csr_array(Y[train]))
    given = EnsembleOfClassifierChains(trees, n_estimators=20, random_state=0)
    given.fit(X[train], Y[train])
    assert_allclose(fitted.predict_proba(X), given.predict_proba(X))
    assert_array_equal(fitted.predict(X).toarray(), fitted.predict_proba(X) >= fitted.threshold_)
    # by plain loop: votes of chains whose bag lacks the row; bags are drawn in the same order
    rng = np.random.RandomState(0)
    draws = [(rng.choice(200, 200), rng.randint(np.iinfo(np.int32).max)) for _ in range(20)]
    answers = np.array([member.estimator.predict_proba(X[train]) for member in given.members_])
    vote = np.full((200, 4), np.nan)
    for row in train:
        unseen = [k for k, (rows, _) in enumerate(draws) if row not in rows]
        if unseen:
            vote[row] = answers[unseen, row].mean(axis=0)
    vote = vote[~np.isnan(vote[:, 0])]
    assert (vote >= fitted.threshold_).sum() / len(vote) == pytest.approx(
        Y[train].sum() / 200, abs=0.02
    )
    predicted = fitted.predict(X[test]).sum() / 100
    assert predicted == pytest.approx(Y[test].sum() / 100, rel=0.15)


def test_a_threshold_of_the_cardinality_must_be_asked_for(data):
    X, Y = data
    fitted = EnsembleOfClassifierChains(LogisticRegression(), n_estimators=2).fit(X, Y)
    with pytest.raises(ValueError, match="was not asked for in fit, which keeps no votes"):
        fitted.set_params(threshold="cardinality").refit_decision()
    with pytest.raises(ValueError, match="all 2 chains were fitted on all 300 rows: set bootstrap"):
        fitted.set_params(bootstrap=False).fit(X, Y)
    with pytest.warns(UserWarning, match="one value each"):
        constant = fitted.set_params(bootstrap=True).fit(X, np.ones_like(Y))
    assert_array_equal(constant.predict(X), np.ones_like(Y))


@pytest.mark.parametrize(
    "chain",
    [
        ClassifierChain(LogisticRegression(), cv=3, chain_method="predict_proba"),
        ProbabilisticClassifierChain(LogisticRegression(), optimal_for="f_beta", random_state=7),
        TheirChain(LogisticRegression()),
    ],
    ids=lambda chain: type(chain).__name__,
)
def test_any_chain_is_a_member(data, chain):
    X, Y = data
    fitted = EnsembleOfClassifierChains(chain, n_estimators=4, random_state=0).fit(X, Y)
    members = [member.estimator for member in fitted.members_]
    assert len({tuple(member.order_) for member in members}) > 1
    assert {type(member) for member in members} == {type(chain)}
    mean = np.mean([member.predict_proba(X) for member in members], axis=0)
    assert_allclose(fitted.predict_proba(X), mean)
    assert chain.order is None


def test_a_sampler_inside_and_weights_that_are_routed(data):
    X, Y = data
    sampled = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    fitted = EnsembleOfClassifierChains(sampled, n_estimators=2, random_state=0).fit(X, Y)
    assert fitted.predict(X).sum() > 0
    weight = np.random.default_rng(0).integers(1, 4, len(X)).astype(float)
    everything = {"n_estimators": 2, "bootstrap": False, "max_samples": 1.0, "random_state": 0}
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        scaled = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), inner)
        fitted = EnsembleOfClassifierChains(scaled, **everything).fit(X, Y, sample_weight=weight)
        first = ClassifierChain(scaled, order=fitted.members_[0].estimator.order_)
        expected = first.fit(X, Y, sample_weight=weight)
    assert_allclose(fitted.members_[0].estimator.predict_proba(X), expected.predict_proba(X))
    with pytest.raises(ValueError, match="give one weight per sample"):
        fitted.fit(X, Y, sample_weight=np.ones(Y.shape))
