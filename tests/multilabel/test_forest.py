import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import recall_score

from skrecall.multilabel import MultilabelForestClassifier
from skrecall.multilabel._forest import rarest_label_weights


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(200, n_features=8, n_classes=4, random_state=0)


def columns(proba):
    return np.column_stack([p[:, 1] for p in proba])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, RandomForestClassifier),
        ({"bootstrap": False}, RandomForestClassifier),
        ({"max_samples": 0.5, "max_depth": 4, "min_samples_leaf": 3}, RandomForestClassifier),
        ({"max_samples": 60, "max_features": 0.5, "criterion": "entropy"}, RandomForestClassifier),
        ({"bootstrap": False, "splitter": "random"}, ExtraTreesClassifier),
        ({"min_samples_split": 0.1, "max_leaf_nodes": 9}, RandomForestClassifier),
    ],
)
def test_equals_scikit_learn_s_forests(data, ours, theirs):
    """The same seeds and draws: the trees are the same ones."""
    X, Y = data
    params = {key: value for key, value in ours.items() if key != "splitter"}
    expected = theirs(10, random_state=3, **params).fit(X, Y)
    forest = MultilabelForestClassifier(10, random_state=3, **ours).fit(X, Y)
    assert_allclose(forest.predict_proba(X), columns(expected.predict_proba(X)))
    assert_allclose(forest.feature_importances_, expected.feature_importances_)
    assert_array_equal(forest.predict(X), forest.predict_proba(X) >= 0.5)


def test_sparse_features_and_weights_as_scikit_learn_s(data):
    X, Y = data
    weight = np.random.default_rng(0).random(len(X))
    forest = MultilabelForestClassifier(5, bootstrap=False, random_state=0)
    expected = RandomForestClassifier(5, bootstrap=False, random_state=0).fit(X, Y, weight)
    assert_allclose(
        forest.fit(X, Y, sample_weight=weight).predict_proba(X), columns(expected.predict_proba(X))
    )
    assert_array_equal(
        forest.fit(csr_array(X), Y).predict_proba(csr_array(X)), forest.fit(X, Y).predict_proba(X)
    )


def test_one_label(data):
    X, Y = data
    expected = RandomForestClassifier(5, random_state=0).fit(X, Y[:, 0]).predict_proba(X)
    forest = MultilabelForestClassifier(5, random_state=0)
    assert_allclose(forest.fit(X, Y[:, [0]]).predict_proba(X)[:, 0], expected[:, 1])
    assert_allclose(forest.fit(X, Y[:, 0]).predict_proba(X), expected)


def test_rarest_label_weights_by_hand():
    Y = np.array([[1, 0], [1, 0], [1, 1], [0, 0], [0, 0], [1, 0]], dtype=np.int8)
    # Label 0 has 4 rows, label 1 one of them; 2 rows have none.
    weights = np.sqrt([1 / 4, 1 / 4, 1, 1 / 2, 1 / 2, 1 / 4])
    assert_allclose(rarest_label_weights(Y), weights / weights.sum())
    assert_allclose(rarest_label_weights(Y[:, :0]), 1 / 6)


def test_a_balanced_bootstrap_draws_rare_labels_and_finds_more_of_them():
    rng = np.random.default_rng(0)
    Y = (rng.random((1500, 3)) < [0.5, 0.3, 0.03]).astype(int)
    X = Y + rng.normal(scale=0.7, size=Y.shape)
    recall = {}
    for bootstrap in (True, "balanced"):
        forest = MultilabelForestClassifier(
            30, bootstrap=bootstrap, min_samples_leaf=5, random_state=0
        ).fit(X[:1000], Y[:1000])
        recall[bootstrap] = recall_score(Y[1000:], forest.predict(X[1000:]), average=None)
    assert recall["balanced"][2] > recall[True][2] + 0.2
    forest = MultilabelForestClassifier(50, bootstrap="balanced", random_state=0, max_depth=1)
    forest.fit(X, Y)
    root = np.mean([tree.tree_.value[0][:, 1] for tree in forest.estimators_], axis=0)
    assert_allclose(root, rarest_label_weights(Y) @ Y, atol=0.01)  # shares among the drawn rows


def test_out_of_bag_probabilities_are_those_of_trees_that_did_not_see_the_row(data):
    X, Y = data
    Y = np.c_[Y, np.zeros(len(Y), dtype=int)]
    expected = RandomForestClassifier(60, oob_score=True, random_state=0).fit(X, Y[:, :4])
    with pytest.warns(UserWarning, match=r"Labels \[4\] have one value"):
        forest = MultilabelForestClassifier(60, oob_proba=True, random_state=0).fit(X, Y)
    by_label = expected.oob_decision_function_  # (n_samples, 2, n_labels)
    assert_allclose(forest.oob_proba_[:, :4], by_label[:, 1])
    assert_array_equal(forest.oob_proba_[:, 4], 0)
    one = MultilabelForestClassifier(1, oob_proba=True, random_state=0).fit(X, Y[:, :4])
    assert 0.55 < np.isnan(one.oob_proba_).all(axis=1).mean() < 0.71  # 1 - 1/e of the rows seen


@pytest.mark.parametrize("setting", [{"oob_proba": True}, {"max_samples": 10}])
def test_without_bootstrap_every_tree_sees_all_rows(data, setting):
    with pytest.raises(ValueError, match="needs rows that a tree does not see: set bootstrap"):
        MultilabelForestClassifier(bootstrap=False, **setting).fit(*data)


def test_blocks_of_rows_change_nothing(data, monkeypatch):
    X, Y = data
    forest = MultilabelForestClassifier(5, random_state=0, n_jobs=2).fit(X, Y)
    expected = forest.predict_proba(X)
    monkeypatch.setattr("skrecall.multilabel._forest._ROWS", 7)
    assert_array_equal(forest.predict_proba(X), expected)
