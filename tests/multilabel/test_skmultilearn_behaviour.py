"""What users of scikit-multilearn rely on, asked of ours: needs nothing of theirs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_matrix, csr_array, csr_matrix, lil_matrix
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import SVC

from skrecall.model_selection import (
    MultilabelStratifiedKFold,
    fold_quality,
    multilabel_train_test_split,
)
from skrecall.multilabel import (
    MLARAM,
    MLTSVM,
    BinaryRelevance,
    BRkNN,
    ClassifierChain,
    LabelEmbeddingClassifier,
    LabelPowerset,
    LabelSpacePartitionClassifier,
    MLkNN,
    RAkELDisjoint,
    RAkELOverlapping,
)


def transformations(base):
    return [
        BinaryRelevance(base),
        ClassifierChain(base),
        LabelPowerset(base),
        RAkELDisjoint(base, labelset_size=2, random_state=0),
        RAkELOverlapping(base, labelset_size=2, random_state=0),
        LabelSpacePartitionClassifier(LabelPowerset(base), [[0, 1], [2, 3]]),
        LabelSpacePartitionClassifier(LabelPowerset(base), [[0, 1, 2], [2, 3]]),
    ]


ADAPTED = [
    MLkNN(5),
    BRkNN(5, extension="a"),
    BRkNN(5, extension="b"),
    MLTSVM(),
    MLARAM(),
    LabelEmbeddingClassifier(Ridge()),
]
OF_SVC, OF_BAYES = transformations(SVC(kernel="linear")), transformations(GaussianNB())


def name(value):
    inner = getattr(value, "estimator", None)
    return type(value).__name__ + ("" if inner is None else f"({type(inner).__name__})")


@pytest.fixture(scope="module")
def data():
    X, Y = make_multilabel_classification(
        120, 8, n_classes=4, n_labels=2, allow_unlabeled=False, random_state=1
    )
    return X, Y


@pytest.mark.parametrize("model", OF_SVC + OF_BAYES + ADAPTED, ids=name)
def test_round_trip_of_dense_and_sparse_targets(data, model):
    X, Y = data
    expected = clone(model).fit(X, Y).predict(X)
    assert expected.shape == Y.shape
    assert (expected == Y).mean() > 0.6
    for container in (lil_matrix, csr_matrix, csc_matrix, csr_array):
        predicted = clone(model).fit(X, container(Y)).predict(X)
        assert type(predicted) is container
        assert_array_equal(predicted.toarray(), expected)


@pytest.mark.parametrize("model", OF_SVC, ids=name)
def test_sparse_features_where_the_base_takes_them(data, model):
    X, Y = data
    fitted = clone(model).fit(csr_matrix(X), lil_matrix(Y))
    predicted = fitted.predict(csr_matrix(X)).toarray()
    # libsvm's sparse solver differs from the dense one in the last digits
    assert (predicted == clone(model).fit(X, Y).predict(X)).mean() > 0.97


@pytest.mark.parametrize("model", OF_SVC + OF_BAYES + ADAPTED, ids=name)
def test_clone_is_unfitted_with_the_same_parameters(data, model):
    fitted = clone(model).fit(*data)
    copy = clone(fitted)
    assert not [key for key in vars(copy) if key.endswith("_") and not key.startswith("_")]
    assert str(copy.get_params()) == str(model.get_params())


@pytest.mark.parametrize("model", OF_SVC + OF_BAYES + ADAPTED, ids=name)
def test_cross_val_score(data, model):
    X, Y = data
    scores = cross_val_score(model, X, Y, cv=MultilabelStratifiedKFold(3), scoring="f1_micro")
    assert scores.shape == (3,)
    assert scores.min() > 0.3


@pytest.mark.parametrize("model", [*OF_BAYES, *ADAPTED[:3]], ids=name)
def test_probabilities_have_a_column_per_label_and_are_probabilities(data, model):
    X, Y = data
    proba = clone(model).fit(X, Y).predict_proba(X)
    assert isinstance(proba, np.ndarray)
    assert proba.shape == Y.shape
    assert proba.min() >= 0
    assert proba.max() <= 1


def test_binary_relevance_and_powerset_by_hand(data):
    X, Y = data
    proba = BinaryRelevance(GaussianNB()).fit(X, Y).predict_proba(X)
    for label in range(4):
        assert_allclose(proba[:, label], GaussianNB().fit(X, Y[:, label]).predict_proba(X)[:, 1])
    code = Y @ [1, 2, 4, 8]
    by_set = GaussianNB().fit(X, code)
    digits = (by_set.classes_[:, None] >> np.arange(4)) & 1
    powerset = LabelPowerset(GaussianNB()).fit(X, Y)
    assert_allclose(powerset.predict_proba(X), by_set.predict_proba(X) @ digits, atol=1e-9)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_a_chain_follows_its_order_and_answers_in_the_order_of_the_labels(data, order):
    X, Y = data
    chain = ClassifierChain(GaussianNB(), order=order).fit(X, Y)
    train, test = X, X
    expected = np.empty_like(Y)
    for label in order:
        model = GaussianNB().fit(train, Y[:, label])
        expected[:, label] = model.predict(test)
        train = np.c_[train, Y[:, label]]
        test = np.c_[test, expected[:, label]]
    assert_array_equal(chain.predict(X), expected)


def test_ignore_first_neighbours_are_left_out_by_a_search_of_one_s_own(data):
    """In training a row is never its own neighbour, so that nothing is to be ignored."""
    X, Y = data
    model = MLkNN(3).fit(X, Y)
    nearest = NearestNeighbors(n_neighbors=3).fit(X).kneighbors(return_distance=False)
    counts = Y[nearest].sum(axis=1)
    n_both = np.array([[((counts == c) & (Y == 1)).sum(axis=0)] for c in range(4)])[:, 0]
    n_any = np.array([[(counts == c).sum(axis=0)] for c in range(4)])[:, 0]
    prior = (1 + Y.sum(axis=0)) / (2 + len(Y))
    yes = prior * (1 + n_both) / (4 + n_both.sum(axis=0))
    no = (1 - prior) * (1 + n_any - n_both) / (4 + (n_any - n_both).sum(axis=0))
    assert_allclose(model.posterior_, (yes / (yes + no)).T)


@pytest.mark.parametrize("order", [1, 2])
def test_stratified_folds_are_seeded_disjoint_and_better_than_blocks(data, order):
    X, Y = data
    Y = Y[np.argsort(Y[:, 0], kind="stable")]
    splitter = MultilabelStratifiedKFold(4, order=order, shuffle=True, random_state=0)
    folds = [test for _, test in splitter.split(X, Y)]
    assert_array_equal(np.sort(np.concatenate(folds)), np.arange(len(Y)))
    for test, again in zip(folds, [test for _, test in splitter.split(X, Y)], strict=True):
        assert_array_equal(test, again)
    quality = fold_quality(Y, folds)
    assert quality["LD"] < fold_quality(Y, np.array_split(np.arange(len(Y)), 4))["LD"] / 3


def test_stratification_measures_by_hand():
    """Two folds of three rows; label 1 is nowhere in the second."""
    Y = np.array([[1, 1], [1, 0], [0, 1], [1, 0], [0, 0], [0, 0]])
    quality = fold_quality(Y, [[0, 1, 2], [3, 4, 5]])
    # Of label 0: odds 2 / 1 and 1 / 2, overall 3 / 3; of label 1: 2 / 1 and 0 / 3, overall 2 / 4.
    assert_allclose(quality["LD"], ((1 + 0.5) / 2 + (1.5 + 0.5) / 2) / 2)
    assert quality["ED"] == 0
    assert quality["FZ"] == 1
    assert quality["FLZ"] == 1


def test_train_test_split_shares_out_positives_and_keeps_containers(data):
    X, Y = data
    X_train, X_test, Y_train, Y_test = multilabel_train_test_split(
        X, csr_matrix(Y), test_size=0.25, random_state=0
    )
    assert len(X_train) + len(X_test) == 120
    assert 24 <= len(X_test) <= 36  # rows are dealt by labels, so that the size is near, not exact
    assert isinstance(Y_test, csr_matrix)
    # The positives of each label are shared out in proportion.
    assert np.abs(np.asarray(Y_test.sum(axis=0)).ravel() - 0.25 * Y.sum(axis=0)).max() <= 1
    assert_array_equal(Y_test.sum() + Y_train.sum(), Y.sum())
