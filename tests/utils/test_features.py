import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from skrecall.utils._features import check_features


def test_names_and_numbers_are_kept_and_compared():
    X = pd.DataFrame(np.zeros((3, 2)), columns=["age", "dose"])
    estimator = BaseEstimator()
    check_features(estimator, X, reset=True)
    assert estimator.n_features_in_ == 2
    assert estimator.feature_names_in_.tolist() == ["age", "dose"]
    with pytest.raises(ValueError, match="feature names"):
        check_features(estimator, X[["dose", "age"]], reset=False)
    check_features(estimator, csr_array(np.zeros((3, 4))), reset=True)
    assert not hasattr(estimator, "feature_names_in_")
    with pytest.raises(ValueError, match="expecting 4 features"):
        check_features(estimator, np.zeros((3, 5)), reset=False)
    with pytest.raises(ValueError, match="Reshape your data"):
        check_features(estimator, np.zeros(4), reset=False)


def test_all_values_of_an_image_are_features():
    images = np.zeros((5, 2, 3, 4))
    for X in (images, np.moveaxis(images, 1, 3), images[:0]):
        estimator = BaseEstimator()
        check_features(estimator, X, reset=True)
        assert estimator.n_features_in_ == 24
    with pytest.raises(ValueError, match="expecting 24 features"):
        check_features(estimator, images[:, :1], reset=False)


def test_arrays_of_different_shapes_have_no_number_of_features():
    estimator = BaseEstimator()
    check_features(estimator, np.zeros((3, 4)), reset=True)
    clips = [np.zeros((5, 2, 2)), np.zeros((3, 2, 2))]
    check_features(estimator, clips, reset=True)
    assert not hasattr(estimator, "n_features_in_")
    check_features(estimator, clips[1:], reset=False)
    check_features(estimator, np.zeros((3, 4)), reset=True)
    check_features(estimator, clips, reset=False)
