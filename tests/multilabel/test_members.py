import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import (
    HOMER,
    BinaryRelevance,
    CalibratedLabelRanking,
    LabelPowerset,
    MultilabelBaggingClassifier,
    RAkELOverlapping,
)
from skrecall.multilabel._members import (
    as_multilabel,
    check_row_weights,
    check_voting,
    fit_member,
    labels_without_vote,
    mean_vote,
)


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(150, n_classes=4, random_state=0)


def test_binary_classifiers_are_fitted_per_label():
    for binary in (LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())):
        wrapped = as_multilabel(binary)
        assert isinstance(wrapped, BinaryRelevance)
        assert wrapped.estimator is binary
    for several in (
        KNeighborsClassifier(),
        MultiOutputClassifier(LogisticRegression()),
        BinaryRelevance(LogisticRegression()),
        make_pipeline(StandardScaler(), BinaryRelevance(LogisticRegression())),
    ):
        assert as_multilabel(several) is several


def test_classifiers_of_scikit_multilearn_are_taken_as_they_are(data):
    problem_transform = pytest.importorskip("skmultilearn.problem_transform")
    X, Y = data
    theirs = problem_transform.BinaryRelevance(LogisticRegression(max_iter=1000))
    assert as_multilabel(theirs) is theirs
    member = fit_member(theirs, X, csc_array(Y), {}, None)
    ours = BinaryRelevance(LogisticRegression(max_iter=1000)).fit(X, Y)
    assert_allclose(member.proba(X), ours.predict_proba(X))
    assert_array_equal(member.predicted(X), ours.predict(X))


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(max_iter=1000), MultiOutputClassifier(LogisticRegression(max_iter=1000))],
)
@pytest.mark.parametrize("varying", [[0, 1, 2, 3], [1, 3], [2]])
@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_members_learn_the_labels_that_vary(data, estimator, varying, container):
    X, Y = data
    value = np.array([0, 1, 0, 1])
    Y = np.where(np.isin(np.arange(4), varying), Y, value)
    member = fit_member(estimator, X, container(Y), {}, None)
    assert_array_equal(member.learnt, np.isin(np.arange(4), varying))
    assert_array_equal(member.constant[~member.learnt], value[~member.learnt])
    expected = [LogisticRegression(max_iter=1000).fit(X, Y[:, j]) for j in varying]
    proba = np.column_stack([e.predict_proba(X)[:, 1] for e in expected])
    assert_allclose(member.proba(X), proba)
    assert_array_equal(member.predicted(X), np.column_stack([e.predict(X) for e in expected]))


def test_nothing_varies_and_seeds(data):
    X, Y = data
    assert fit_member(RidgeClassifier(), X, np.ones_like(Y), {}, 0).estimator is None
    member = fit_member(DecisionTreeClassifier(), X, Y, {}, 0)
    assert isinstance(member.estimator.random_state, int)


def test_mean_over_those_that_voted():
    total = np.array([[0.6, 0.0, 3.0], [1.0, 0.0, 0.0]])
    mean = mean_vote(total, np.array([2, 0, 3]), np.array([0.5, 0.25, 0.5]))
    assert_allclose(mean, [[0.3, 0.25, 1.0], [0.5, 0.25, 0.0]])
    total, n_voters = np.array([[1.0, 0.0]]), np.array([[2, 0]])
    assert_allclose(mean_vote(total, n_voters, np.array([0.1, np.nan])), [[0.5, np.nan]])


def test_lost_labels_are_named():
    n_voters, varying = np.array([0, 2, 0]), np.array([0, 2, 3])
    assert labels_without_vote(n_voters, varying, None) == [0, 3]
    assert labels_without_vote(n_voters, varying, np.array(list("abcd"), dtype=object)) == [
        "a",
        "d",
    ]


def test_what_members_cannot_do_is_refused():
    check_row_weights([1, 2])
    check_voting("labels", RidgeClassifier())
    with pytest.raises(ValueError, match=r"sample_weight has shape \(2, 3\): give one weight per"):
        check_row_weights(np.ones((2, 3)))
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_proba: set voting='lab"):
        check_voting("proba", RidgeClassifier())


@pytest.mark.parametrize(
    "model",
    [
        CalibratedLabelRanking(GaussianNB(), voting="proba"),
        HOMER(GaussianNB(), n_parts=2, random_state=0),
        LabelPowerset(GaussianNB()),
        MultilabelBaggingClassifier(GaussianNB(), n_estimators=2, random_state=0),
        RAkELOverlapping(GaussianNB(), random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_weights_are_routed_into_a_pipeline(data, model):
    X, Y = data
    weight = np.random.default_rng(0).uniform(0.2, 3, len(X))
    expected = clone(model).fit(X, Y, sample_weight=weight)
    assert (expected.predict(X) != clone(model).fit(X, Y).predict(X)).any()
    with config_context(enable_metadata_routing=True):
        inner = GaussianNB().set_fit_request(sample_weight=True)
        routed = clone(model).set_params(estimator=make_pipeline(FunctionTransformer(), inner))
        assert_array_equal(routed.fit(X, Y, sample_weight=weight).predict(X), expected.predict(X))
        with pytest.raises(TypeError, match="strange"):
            routed.fit(X, Y, strange=weight)
