import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import lil_array
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier

from skrecall.utils._label_votes import class_votes, label_votes, learnt_labels


def test_classes_in_another_order_and_missing_ones():
    proba = np.array([[0.7, 0.3], [0.1, 0.9]])
    votes = class_votes(proba, ["d", "b"], np.array(["a", "b", "c", "d"]))
    assert_array_equal(votes, [[0, 0.3, 0, 0.7], [0, 0.9, 0, 0.1]])


def test_a_list_three_dimensions_and_one_column_per_label_are_the_same_votes():
    X, Y = make_multilabel_classification(80, n_classes=3, random_state=0)
    logistic = LogisticRegression(max_iter=1000)
    as_list = MultiOutputClassifier(logistic).fit(X, Y)
    as_columns = OneVsRestClassifier(logistic).fit(X, Y)
    expected = np.column_stack([logistic.fit(X, y).predict_proba(X)[:, 1] for y in Y.T])
    three_d = np.stack(as_list.predict_proba(X), axis=1)
    for proba, classes in [
        (as_list.predict_proba(X), as_list.classes_),
        (as_columns.predict_proba(X), as_columns.classes_),
        (three_d, as_list.classes_),
        (lil_array(as_columns.predict_proba(X)), None),
    ]:
        assert_allclose(label_votes(proba, classes, 3), expected)


def test_a_label_that_a_member_saw_with_one_value_only():
    X, Y = make_multilabel_classification(80, n_classes=3, random_state=0)
    Y[:, 1] = 1
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    votes = label_votes(forest.predict_proba(X), forest.classes_, 3)
    assert_array_equal(votes[:, 1], 1)
    assert_array_equal(votes[:, 2], forest.predict_proba(X)[2][:, 1])


def test_a_single_label_is_learnt_twice():
    assert_array_equal(learnt_labels(np.array([0, np.nan, 1, np.nan])), [1, 3])
    assert_array_equal(learnt_labels(np.array([0, np.nan, 1])), [1, 1])


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(4, 2\) for 3 labels"):
        label_votes(np.ones((4, 2)), None, 3)
    with pytest.raises(ValueError, match=r"shape \(4, 2\) for 3 classes"):
        class_votes(np.ones((4, 2)), [0, 1, 2], np.arange(3))
