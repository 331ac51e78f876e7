import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from skrecall.ensemble._votes import fit_member, member_votes


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


def test_nothing_to_learn_is_refused():
    X, Y = np.zeros((4, 2)), np.ones((4, 3), dtype=int)
    with pytest.raises(ValueError, match="None of the 3 labels has both values in the 4 training"):
        fit_member(RandomForestClassifier(), X, Y, None, {})
