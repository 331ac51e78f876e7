import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, issparse

from skrecall.utils._indicator import check_indicator
from skrecall.utils._label_features import append_features, label_features

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


def test_numbers_stay_numbers_beside_texts():
    texts = np.array([["a"], ["b"]])
    for labels in (Z, Z.astype(np.float64)):  # 0 and 1 in fit are the 0.0 and 1.0 of predict
        assert append_features(texts, labels, ["u", "v"]).tolist() == [["a", 0, 1], ["b", 1, 0]]


def test_images_take_no_labels():
    with pytest.raises(
        ValueError, match=r"X has shape \(2, 3, 4\): labels can be appended to rows"
    ):
        append_features(np.zeros((2, 3, 4)), Z, ["a", "b"])


def test_sparse_counts_do_not_round_what_is_appended():
    counts = append_features(csr_array(X.astype(int)), Z / 4, ["a", "b"])
    assert_array_equal(counts.toarray(), np.hstack([X, Z / 4]))


def test_a_frame_with_numbers_for_names_goes_on_counting():
    frame = append_features(pd.DataFrame(X), Z, ["a", "b"])
    assert_array_equal(frame.columns, [0, 1, 2, 3])


def test_names_of_labels_as_features():
    _, plain = check_indicator(Z)
    _, named = check_indicator(pd.DataFrame(Z, columns=["cat", 7]))
    assert label_features(plain, np.array([1, 0])) == ["label 1", "label 0"]
    assert label_features(named, np.array([1, 0])) == ["label 7", "label cat"]
