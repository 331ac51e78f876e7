import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import BinaryRelevance, CalibratedLabelRanking


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(150, n_classes=4, random_state=1)


def ranking_by_loop(estimator, X, Y, X_test, *, proba, weight=None):
    """Return the votes of each label and of the virtual one, sample by sample and pair by pair."""
    n_labels = Y.shape[1]
    votes = np.zeros((len(X_test), n_labels + 1))  # the virtual label is the last
    with_virtual = np.c_[Y, np.zeros(len(Y))]
    for i in range(n_labels):
        for j in range(i + 1, n_labels + 1):
            if j == n_labels:
                rows, first = np.ones(len(Y), dtype=bool), Y[:, i]
            else:
                rows, first = Y[:, i] != Y[:, j], with_virtual[:, i]
            model = estimator.fit(X[rows], first[rows], None if weight is None else weight[rows])
            p = model.predict(X_test)
            if proba and len(model.classes_) == 2:
                p = model.predict_proba(X_test)[:, 1]
            for row in range(len(X_test)):
                votes[row, i] += p[row]
                votes[row, j] += 1 - p[row]
    return votes


@pytest.mark.parametrize("voting", ["labels", "proba"])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_votes_equal_a_plain_loop(data, voting, container):
    X, Y = data
    model = CalibratedLabelRanking(GaussianNB(), voting=voting).fit(X[:100], container(Y[:100]))
    votes = ranking_by_loop(GaussianNB(), X[:100], Y[:100], X[100:], proba=voting == "proba")
    expected = (votes[:, :4] - votes[:, [4]]) / 4
    assert_allclose(model.decision_function(X[100:]), expected, atol=1e-12)
    predicted = model.predict(X[100:])
    predicted = predicted.toarray() if container is csr_array else predicted
    assert_array_equal(predicted, votes[:, :4] >= votes[:, [4]])
    assert (expected == 0).any() == (voting == "labels")  # ties
    assert (predicted != BinaryRelevance(GaussianNB()).fit(X[:100], Y[:100]).predict(X[100:])).any()


def test_weights_follow_the_rows_of_a_pair(data):
    X, Y = data
    weight = np.random.default_rng(0).uniform(0.2, 3, len(X))
    model = CalibratedLabelRanking(GaussianNB(), voting="proba").fit(X, Y, sample_weight=weight)
    votes = ranking_by_loop(GaussianNB(), X, Y, X, proba=True, weight=weight)
    assert_allclose(model.decision_function(X), (votes[:, :4] - votes[:, [4]]) / 4, atol=1e-12)


def test_pairs_that_need_no_classifier():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 2))
    a, c = (X[:, 0] > 0.3).astype(int), (X[:, 1] > 0).astype(int)
    b = a.copy()  # always with a
    d = a * c  # never without a, nor b, nor c
    model = CalibratedLabelRanking(DecisionTreeClassifier(random_state=0)).fit(
        X, np.column_stack([a, b, c, d])
    )
    pairs = model.pair_estimators_
    assert pairs[0][0] == 0.5  # a and b share the vote
    assert pairs[0][2] == pairs[1][1] == pairs[2][0] == 1.0  # d loses to what it never is without
    assert [len(p) for p in pairs] == [3, 2, 1, 0]
    assert_array_equal(model.predict(X), np.column_stack([a, b, c, d]))
    scores = model.decision_function(X)
    assert_array_equal(scores[:, 0], scores[:, 1])
    assert scores.min() >= -1
    assert scores.max() <= 1


def test_one_label_is_its_classifier(data):
    X, Y = data
    alone = LogisticRegression(max_iter=1000).fit(X, Y[:, 0])
    model = CalibratedLabelRanking(LogisticRegression(max_iter=1000)).fit(X, Y[:, [0]])
    assert_array_equal(model.predict(X)[:, 0], alone.predict(X))


def test_voting_is_decided_again_without_a_fit(data):
    X, Y = data
    hard = CalibratedLabelRanking(GaussianNB()).fit(X, Y)
    soft = CalibratedLabelRanking(GaussianNB(), voting="proba").fit(X, Y)
    hard.set_params(voting="proba")
    with pytest.raises(ValueError, match="call refit_decision"):
        hard.predict(X)
    assert_array_equal(hard.refit_decision().decision_function(X), soft.decision_function(X))


def test_what_it_offers_and_seeds(data):
    X, Y = data
    model = make_pipeline(SMOTE(k_neighbors=2), RidgeClassifier())
    fitted = CalibratedLabelRanking(model, random_state=0).fit(X, Y)
    assert not hasattr(fitted, "predict_proba")
    seeds = {e[0].random_state for e in fitted.virtual_estimators_}
    assert len(seeds) == 4
    with pytest.raises(ValueError, match="has no predict_proba: set voting='labels'"):
        CalibratedLabelRanking(RidgeClassifier(), voting="proba").fit(X, Y)
