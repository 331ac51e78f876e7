import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from skrecall.multilabel import BinaryRelevance
from skrecall.multilabel._base import CONSTANT_SCORE


def test_a_constant_label_has_the_largest_float32_as_score():
    X, Y = np.arange(6.0)[:, None], np.array([[0, 0, 1]] * 3 + [[1, 0, 1]] * 3)
    with pytest.warns(
        UserWarning, match=r"Labels \[1, 2\] have one value each in the 6 .* \[0, 1\]"
    ):
        fitted = BinaryRelevance(LogisticRegression()).fit(X, Y)
    scores = fitted.decision_function(X)
    assert_array_equal(scores[:, 1:], [[-CONSTANT_SCORE, CONSTANT_SCORE]] * 6)
    assert np.isfinite(scores[:, 2] - scores[:, 1]).all()


def test_samples_of_one_dimension_are_refused_after_a_fit_on_a_table():
    X = np.arange(12.0).reshape(6, 2)
    fitted = BinaryRelevance(LogisticRegression()).fit(X, np.array([[0, 1], [1, 0]] * 3))
    with pytest.raises(ValueError, match="Reshape your data"):
        fitted.predict(X[0])


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_all_labels_constant(container):
    X = np.arange(6.0)[:, None]
    with pytest.warns(UserWarning, match="one value each"):
        fitted = BinaryRelevance(LogisticRegression()).fit(X, container(np.tile([0, 1], (6, 1))))
    assert_array_equal(fitted.predict_proba(X[:2]), [[0, 1], [0, 1]])
    assert type(fitted.predict(X)) is type(container(np.eye(2)))
