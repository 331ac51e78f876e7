import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.utils._bags import Bag, columns, draw_features, n_to_draw


@pytest.mark.parametrize(
    ("value", "expected"), [(7, 7), (1, 1), (1.0, 10), (0.5, 5), (0.01, 1), (np.int64(3), 3)]
)
def test_a_number_or_a_share(value, expected):
    assert n_to_draw(value, 10) == expected


def test_features_are_drawn_without_replacement_and_sorted():
    X, rng = np.zeros((5, 8)), np.random.RandomState(0)
    assert draw_features(X, 1.0, rng) is None
    drawn = np.concatenate([draw_features(X, 3, rng) for _ in range(400)]).reshape(400, 3)
    assert (np.diff(drawn, axis=1) > 0).all()
    counts = np.bincount(drawn.ravel(), minlength=8)
    assert np.abs(counts - 150).max() < 4 * np.sqrt(150)  # each in 3 of 8 draws
    assert len(draw_features(X.tolist(), 0.5, rng)) == 4
    with pytest.raises(ValueError, match="max_features=9, and X has 8 features"):
        draw_features(X, 9, rng)
    with pytest.raises(ValueError, match=r"draws columns, and X has shape \(5, 2, 4\)"):
        draw_features(X.reshape(5, 2, 4), 0.5, rng)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array, np.ndarray.tolist])
def test_a_bag_takes_its_columns_of_any_container(container):
    X = np.arange(12.0).reshape(3, 4)
    taken = Bag("model", np.arange(3), np.array([1, 3])).samples(container(X))
    assert_array_equal(taken.toarray() if container is csr_array else taken, X[:, [1, 3]])
    assert columns(X, None) is X
