import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from skrecall.resampling._exact_queries import (
    is_brute_force,
    is_euclidean_search,
    is_exact,
    neighbors_as_of_all,
    rounding_width,
)


def make_rows(kind, n_samples, n_features, seed=0):
    """Return rows with many equal distances, which rounding may or may not break."""
    rng = np.random.default_rng(seed)
    if kind == "integers":
        return rng.integers(0, 3, (n_samples, n_features)).astype(float)
    if kind == "tenths":
        return 0.1 * rng.integers(0, 3, (n_samples, n_features))
    if kind == "duplicates":
        distinct = rng.standard_normal((n_samples // 3, n_features))
        return distinct[rng.integers(0, len(distinct), n_samples)]
    return rng.standard_normal((n_samples, n_features)) + 1e6  # "far" from the origin


@pytest.mark.parametrize("kind", ["integers", "tenths", "duplicates", "far"])
@pytest.mark.parametrize("n_samples", [50, 3000])  # few queries, and what scikit-learn calls many
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_some_rows_are_answered_as_in_a_query_of_all(kind, n_samples, algorithm):
    X = make_rows(kind, n_samples, 20)
    nn = NearestNeighbors(n_neighbors=4, algorithm=algorithm).fit(X)
    rows = np.arange(0, n_samples, 7)
    expected = nn.kneighbors(X, return_distance=False)[rows]
    exact = is_exact(X)
    assert exact == (kind == "integers")
    ids = np.arange(n_samples)
    found = neighbors_as_of_all(nn, X, rows, ids, exact=exact)
    assert_array_equal(np.sort(found[:, 1:]), np.sort(expected[:, 1:]))
    assert_array_equal(found[:, 0], expected[:, 0])
    labels = np.random.default_rng(1).integers(0, 3, n_samples)
    found = neighbors_as_of_all(nn, X, rows, labels, exact=exact)
    assert_array_equal(np.sort(labels[found[:, 1:]]), np.sort(labels[expected[:, 1:]]))


def test_no_row_and_all_rows():
    X = make_rows("tenths", 5, 20)
    nn = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(X)
    none = neighbors_as_of_all(nn, X, np.arange(0), np.arange(5), exact=False)
    assert none.shape == (0, 5)
    found = neighbors_as_of_all(nn, X, np.arange(5), np.arange(5), exact=False)
    assert_array_equal(np.sort(found), np.tile(np.arange(5), (5, 1)))


def test_the_rounding_of_a_squared_distance_is_within_the_width():
    """Against the difference of integers scaled to be inexact, by exact arithmetic of fractions."""
    from fractions import Fraction

    rng = np.random.default_rng(0)
    for offset in (0.0, 1e3, 1e7):
        X = rng.standard_normal((60, 30)) + offset
        gram = (X**2).sum(axis=1)[:, None] - 2 * X @ X.T + (X**2).sum(axis=1)
        exact_rows = [[Fraction(value) for value in row] for row in X[:4].tolist()]
        true = np.array(
            [
                [float(sum((a - b) ** 2 for a, b in zip(x, y, strict=True))) for y in exact_rows]
                for x in exact_rows
            ]
        )
        width = rounding_width(X[:4], np.sqrt(true.max(axis=1)))
        assert (np.abs(gram[:4, :4] - true) < width[:, None] / 4).all()
        assert (width < 1e-11 * (30 * offset**2 + 500) * 30).all()


def test_exact_arithmetic_is_recognised():
    assert is_exact(np.array([[1, 200]], dtype=np.uint8))
    assert is_exact(np.array([[-3.0, 2.0]], dtype=np.float32))
    assert not is_exact(np.array([[0.5, 2.0]]))
    assert not is_exact(np.array([[2.0**30, 2.0]]))
    assert not is_exact(np.array([[-(2**62), 2]]))


def test_searches_of_known_rounding():
    X = make_rows("tenths", 40, 20)

    def known(nn, X=X):
        return is_euclidean_search(nn.fit(X), X)

    assert known(NearestNeighbors())
    assert known(NearestNeighbors(metric="euclidean"))
    assert known(NearestNeighbors(), X.astype(np.float32))
    assert known(NearestNeighbors(), np.rint(10 * X).astype(int))
    assert not known(NearestNeighbors(), (2**40 * X).astype(int))
    assert not known(NearestNeighbors(), 1e120 * X)
    assert not known(NearestNeighbors(), X.astype(np.float16))
    assert not known(NearestNeighbors(), csr_array(X))
    assert not known(NearestNeighbors(metric="manhattan"))
    labelled = KNeighborsClassifier().fit(X, np.arange(40) % 2)
    assert not is_euclidean_search(labelled, X)
    with config_context(enable_cython_pairwise_dist=False):
        assert not known(NearestNeighbors())
    assert is_brute_force(NearestNeighbors().fit(X))
    assert not is_brute_force(NearestNeighbors().fit(X[:, :3]))
