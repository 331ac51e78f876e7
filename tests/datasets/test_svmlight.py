import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import dump_svmlight_file, make_multilabel_classification

from skrecall.datasets import load_svmlight_multilabel


def test_reads_what_scikit_learn_writes(tmp_path):
    X, Y = make_multilabel_classification(30, n_classes=4, allow_unlabeled=True, random_state=0)
    path = tmp_path / "x.svm"
    dump_svmlight_file(X, Y, str(path), multilabel=True, zero_based=True)
    dataset = load_svmlight_multilabel(path, n_labels=4, n_features=20, zero_based=True)
    assert isinstance(dataset.data, csr_array)
    assert isinstance(dataset.target, csr_array)
    assert_array_equal(dataset.data.toarray(), X)
    assert_array_equal(dataset.target.toarray(), Y)
    assert dataset.label_names == ["0", "1", "2", "3"]
    A, B = load_svmlight_multilabel(path, return_X_y=True)
    assert_array_equal(A.toarray(), X)
    assert_array_equal(B.toarray(), Y)


def test_labels_that_occur_or_that_are_announced(tmp_path):
    path = tmp_path / "x.svm"
    path.write_text("7,3,7 1:1\n3 2:1\n")
    dataset = load_svmlight_multilabel(path, label_names=["three", "seven"])
    assert_array_equal(dataset.target.toarray(), [[1, 1], [1, 0]])
    assert dataset.label_names == ["three", "seven"]
    assert load_svmlight_multilabel(path, n_labels=9).target.shape == (2, 9)
    with pytest.raises(ValueError, match=r"Sample 0 of x.svm has label 7, and n_labels=7 allows 0"):
        load_svmlight_multilabel(path, n_labels=7)
    with pytest.raises(ValueError, match="1 label_names are given for 2 labels"):
        load_svmlight_multilabel(path, label_names=["three"])
    assert dataset.target.dtype == np.int8
