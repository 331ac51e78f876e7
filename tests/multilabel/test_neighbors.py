import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors
from sklearn.utils import get_tags

from skrecall.multilabel import MLkNN, _neighbors
from tests.checks import make_labels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_more_neighbors_than_a_byte_holds():
    X = np.zeros((400, 1))
    Y = np.tile([1, 0], (400, 1)) ^ (np.arange(400) == 7)[:, None]
    fitted = MLkNN(200).fit(X, Y)
    assert fitted.posterior_.shape == (2, 201)
    assert_array_equal(fitted.predict(X[:3]), [[1, 0]] * 3)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_blocks_do_not_change_the_answer(monkeypatch, container):
    X, Y = make_labels()
    whole = MLkNN(5).fit(X, container(Y))
    monkeypatch.setattr(_neighbors, "_BLOCK_SIZE", 28)
    blocks = MLkNN(5).fit(X, container(Y))
    assert_array_equal(blocks.posterior_, whole.posterior_)
    assert_array_equal(blocks.predict_proba(X), whole.predict_proba(X))
    difference = blocks.predict(X) - whole.predict(X)
    assert not np.any(difference.toarray() if issparse(difference) else difference)


def test_a_given_search_is_cloned_and_used():
    X, Y = make_labels()
    search = NearestNeighbors(metric="cosine")
    expected = MLkNN(5, metric="cosine").fit(X, Y).predict_proba(X)
    fitted = MLkNN(5, neighbors=search).fit(X, Y)
    assert_array_equal(fitted.predict_proba(X), expected)
    assert fitted.neighbors_ is not search
    assert not hasattr(search, "n_features_in_")
    assert (expected != MLkNN(5).fit(X, Y).predict_proba(X)).any()
    transformer = KNeighborsTransformer(metric="cosine")
    assert_array_equal(MLkNN(5, neighbors=transformer).fit(X, Y).predict_proba(X), expected)


def test_tags_are_those_of_the_search():
    assert get_tags(MLkNN()).input_tags.sparse
    assert get_tags(MLkNN(metric="precomputed")).input_tags.pairwise
    assert get_tags(MLkNN(neighbors=NearestNeighbors(metric="nan_euclidean"))).input_tags.allow_nan


def test_missing_values_pass_where_the_metric_knows_them():
    X, Y = make_labels()
    X[::7, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        MLkNN(5).fit(X, Y)
    assert MLkNN(5, metric="nan_euclidean").fit(X, Y).predict(X).shape == Y.shape


def test_sparse_samples_give_the_same_answer(rng):
    X, Y = make_labels()
    X = X * rng.random(X.shape)  # no equal distances
    expected = MLkNN(5, algorithm="brute").fit(X, Y).predict_proba(X)
    assert_array_equal(MLkNN(5).fit(csr_array(X), Y).predict_proba(csr_array(X)), expected)


def test_given_distances_are_those_of_the_samples(rng):
    X, Y = make_labels()
    X = X * rng.random(X.shape)
    expected = MLkNN(5).fit(X, Y).predict_proba(X[:30])
    fitted = MLkNN(5, metric="precomputed").fit(pairwise_distances(X), Y)
    assert_allclose(fitted.predict_proba(pairwise_distances(X[:30], X)), expected)
