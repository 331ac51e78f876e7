import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, issparse

from skrecall.multilabel._features import append_features

X = np.array([[1.0, 2.0], [3.0, 4.0]])
Z = np.array([[0, 1], [1, 0]], dtype=np.int8)


def test_columns_are_appended_in_the_container_of_the_samples():
    expected = np.hstack([X, Z])
    assert_array_equal(append_features(X, Z, ["a", "b"]), expected)
    assert append_features(X.astype(np.float32), Z, ["a", "b"]).dtype == np.float32
    sparse = append_features(csr_array(X), Z, ["a", "b"])
    assert issparse(sparse)
    assert_array_equal(sparse.toarray(), expected)
    frame = append_features(pd.DataFrame(X, columns=["u", "v"], index=[7, 9]), Z, ["a", "b"])
    assert_array_equal(frame.columns, ["u", "v", "a", "b"])
    assert_array_equal(frame.index, [7, 9])
    assert_array_equal(frame, expected)


def test_images_take_no_labels():
    with pytest.raises(
        ValueError, match=r"X has shape \(2, 3, 4\): labels can be appended to rows"
    ):
        append_features(np.zeros((2, 3, 4)), Z, ["a", "b"])
