import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier

from skrecall.ensemble._votes import class_votes, fit_member, label_votes, member_votes


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
    ]:
        assert_allclose(label_votes(proba, classes, 3), expected)


def test_a_label_that_a_member_saw_with_one_value_only():
    X, Y = make_multilabel_classification(80, n_classes=3, random_state=0)
    Y[:, 1] = 1
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    votes = label_votes(forest.predict_proba(X), forest.classes_, 3)
    assert_array_equal(votes[:, 1], 1)
    assert_array_equal(votes[:, 2], forest.predict_proba(X)[2][:, 1])


@pytest.mark.parametrize("varying", [[0, 2], [1]])
def test_members_are_fitted_on_labels_that_vary(varying):
    X, Y = make_multilabel_classification(80, n_classes=3, random_state=0)
    value = np.array([0, 1, 0])
    Y = np.where(np.isin(np.arange(3), varying), Y, value)
    logistic = LogisticRegression(max_iter=1000)
    member, constant = fit_member(MultiOutputClassifier(logistic), X, Y, None, {})
    votes = member_votes("linear", member, X, None, 3, constant)
    for j in range(3):
        expected = logistic.fit(X, Y[:, j]).predict_proba(X)[:, 1] if j in varying else value[j]
        assert_allclose(votes[:, j], expected)


def test_nothing_to_learn_and_wrong_shapes_are_refused():
    X, Y = np.zeros((4, 2)), np.ones((4, 3), dtype=int)
    with pytest.raises(ValueError, match="None of the 3 labels has both values in the 4 training"):
        fit_member(RandomForestClassifier(), X, Y, None, {})
    with pytest.raises(ValueError, match=r"shape \(4, 2\) for 3 labels"):
        label_votes(np.ones((4, 2)), None, 3)
    with pytest.raises(ValueError, match=r"shape \(4, 2\) for 3 classes"):
        class_votes(np.ones((4, 2)), [0, 1, 2], np.arange(3))
