import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestNeighbors,
)

from skrecall.resampling._neighbors import find_neighbors


def plain_distances(X, k, rows, among):
    """Distances to the k nearest other rows, from the definition."""
    answer = []
    for i in rows:
        far = [np.sqrt(np.sum((X[i] - X[j]) ** 2)) for j in among if j != i]
        answer.append(sorted(far)[:k])
    return np.array(answer)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize("rows", [None, np.array([7, 3, 3, 0])])
@pytest.mark.parametrize("among", [None, np.array([9, 3, 5, 0, 8]), np.array([11, 12, 13])])
@pytest.mark.parametrize("neighbors", [None, NearestNeighbors(algorithm="kd_tree", n_neighbors=1)])
def test_as_the_definition_says(container, rows, among, neighbors):
    if container is csr_array:
        neighbors = None
    X = np.random.RandomState(0).normal(size=(20, 3))
    distances, indices = find_neighbors(
        container(X), 2, rows=rows, among=among, neighbors=neighbors
    )
    rows = np.arange(20) if rows is None else rows
    expected = plain_distances(X, 2, rows, np.arange(20) if among is None else among)
    assert_allclose(distances, expected)
    assert_allclose(np.linalg.norm(X[rows][:, np.newaxis] - X[indices], axis=2), expected)
    assert (indices != rows[:, np.newaxis]).all()
    assert among is None or np.isin(indices, among).all()


def test_all_rows_as_scikit_learn_finds_them():
    X = np.random.RandomState(1).normal(size=(60, 4))
    distances, indices = find_neighbors(X, 5)
    expected = NearestNeighbors(n_neighbors=5).fit(X).kneighbors()
    assert_allclose(distances, expected[0])
    assert_array_equal(indices, expected[1])


@pytest.mark.parametrize("among", [None, np.arange(2, 9)])
def test_a_row_is_not_its_own_neighbour_among_duplicates(among):
    X = np.zeros((10, 2))
    distances, indices = find_neighbors(X, 3, among=among, rows=among)
    rows = np.arange(10) if among is None else among
    assert (indices != rows[:, np.newaxis]).all()
    assert all(len(set(row)) == 3 for row in indices.tolist())
    assert_array_equal(distances, 0)


class Shortsighted(BaseEstimator):
    """A search that never finds the row itself, as an approximate one may."""

    def fit(self, X, y=None):
        self.X_ = X
        return self

    def kneighbors(self, X, n_neighbors):
        return NearestNeighbors().fit(self.X_).kneighbors(X + 0.0, n_neighbors + 1)[0][:, 1:], (
            NearestNeighbors().fit(self.X_).kneighbors(X, n_neighbors + 1)[1][:, 1:]
        )


def test_the_farthest_is_left_out_where_a_search_lacks_the_row():
    X = np.random.RandomState(2).normal(size=(30, 3))
    for actual, expected in zip(
        find_neighbors(X, 4, neighbors=Shortsighted()), find_neighbors(X, 4), strict=True
    ):
        assert_allclose(actual, expected)


@pytest.mark.parametrize(
    "search",
    [
        KNeighborsClassifier(n_neighbors=2),
        KNeighborsRegressor(n_neighbors=2),
        KNeighborsTransformer(n_neighbors=2),
        LocalOutlierFactor(n_neighbors=2),
        NearestNeighbors(n_neighbors=2),
    ],
    ids=lambda search: type(search).__name__,
)
def test_whatever_else_the_search_is_for(search):
    X = np.random.RandomState(4).normal(size=(30, 3))
    assert_array_equal(find_neighbors(X, 4, neighbors=search)[1], find_neighbors(X, 4)[1])


def test_the_search_is_cloned_and_keeps_its_metric():
    X = np.random.RandomState(3).normal(size=(30, 3))
    search = KNeighborsTransformer(metric="manhattan")
    distances, indices = find_neighbors(X, 2, neighbors=search)
    assert not hasattr(search, "n_features_in_")
    assert_allclose(np.abs(X[:, np.newaxis] - X[indices]).sum(axis=2), distances)


def test_too_few_rows_are_counted():
    X = np.zeros((6, 2))
    with pytest.raises(ValueError, match=r"n_neighbors=6 .* 5 other rows in the samples: set n"):
        find_neighbors(X, 6)
    find_neighbors(X, 5)
    with pytest.raises(ValueError, match=r"there are 0 other rows in class 1: add rows"):
        find_neighbors(X, 1, rows=[2], among=[2], among_name="class 1")
    assert find_neighbors(X, 1, rows=[3], among=[2])[1] == 2


def test_distances_between_all_sparse_rows_are_never_held_at_once():
    rng = np.random.RandomState(0)
    X = csr_array(rng.normal(size=(3000, 40)) * (rng.uniform(size=(3000, 40)) < 0.02))
    tracemalloc.start()
    try:
        _, indices = find_neighbors(X, 3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert indices.shape == (3000, 3)
    assert peak < 0.8 * 8 * 3000**2
