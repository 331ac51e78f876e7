import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTETomek
from imblearn.under_sampling import TomekLinks
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from skrecall.resampling import FastTomekLinks
from skrecall.resampling._fast_tomek import tomek_links
from tests.resampling.peers import KINDS, imbalanced_learn_tests, make_data

IMBALANCED_LEARN_TESTS = imbalanced_learn_tests("test_tomek_links", FastTomekLinks)
globals().update(IMBALANCED_LEARN_TESTS)


def test_imbalanced_learn_tests_were_found():
    assert len(IMBALANCED_LEARN_TESTS) >= 3


def assert_same(X, y, **params):
    ours, theirs = FastTomekLinks(**params), TomekLinks(**params)
    X_ours, y_ours = ours.fit_resample(X, y)
    X_theirs, y_theirs = theirs.fit_resample(X, y)
    assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
    assert type(X_ours) is type(X_theirs)
    if isinstance(X, csr_array):
        X_ours, X_theirs = X_ours.toarray(), X_theirs.toarray()
    assert_array_equal(X_ours, X_theirs)
    assert_array_equal(y_ours, y_theirs)
    return len(y) - len(y_ours)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n_features", [10, 20])  # a tree, and brute force
@pytest.mark.parametrize("kind", KINDS)
def test_removes_the_rows_that_imbalanced_learn_removes(kind, n_features, n_classes):
    X, y = make_data(kind, n_features=n_features, n_classes=n_classes)
    n_removed = assert_same(X, y)
    assert n_removed > 0 or kind in ("constant", "duplicates", "over-sampled")


@pytest.mark.parametrize("kind", ["continuous", "tenths", "duplicates"])
def test_of_more_rows_than_are_few(kind):
    """Beyond 1024 rows a thread, scikit-learn splits its work in another way."""
    X, y = make_data(kind, n_samples=2600)
    with threadpool_limits(1, user_api="openmp"):
        assert assert_same(X, y) > 0


@pytest.mark.parametrize(
    "strategy", ["auto", "all", "majority", "not minority", "not majority", [0], [1, 2], []]
)
def test_strategies(strategy):
    X, y = make_data("tenths", n_classes=3)
    removed = assert_same(X, y, sampling_strategy=strategy)
    assert (removed == 0) == (strategy == [])


def test_containers():
    X, y = make_data("continuous")
    frame = pd.DataFrame(X, columns=[f"feature {j}" for j in range(X.shape[1])])
    names = np.array(["rare", "common"])[y]
    assert assert_same(frame, pd.Series(names, name="label")) > 0
    assert assert_same(np.asfortranarray(X), y) > 0
    assert assert_same(csr_array(X), y) > 0
    assert assert_same(X.astype(np.float16), y) > 0


def test_links_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 3)), rng.integers(0, 3, 200)
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)[:, 0]
    expected = [nearest[nearest[i]] == i and y[i] != y[nearest[i]] for i in range(200)]
    asked = []

    def nearest_of(rows):
        asked.extend(rows)
        return nearest[rows]

    assert_array_equal(tomek_links(nearest_of, y), expected)
    assert len(asked) == len(set(asked)) < 200


def test_one_class_has_no_links():
    assert not tomek_links(lambda rows: rows, np.zeros(5)).any()


def test_goes_into_smotetomek():
    X, y = make_data("continuous")
    expected = SMOTETomek(random_state=0).fit_resample(X, y)
    actual = SMOTETomek(tomek=FastTomekLinks(sampling_strategy="all"), random_state=0).fit_resample(
        X, y
    )
    assert_array_equal(actual[0], expected[0])
    assert_array_equal(actual[1], expected[1])


@pytest.mark.parametrize("metric", ["manhattan", "cosine"])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_any_search_for_neighbours(metric, container):
    X, y = make_data("continuous", n_features=10, n_classes=3)
    far = pairwise_distances(X, metric=metric)
    np.fill_diagonal(far, np.inf)
    nearest = far.argmin(axis=1)
    in_link = [nearest[nearest[i]] == i and y[nearest[i]] != y[i] for i in range(len(y))]
    assert 0 < np.sum(in_link) < len(y)
    search = NearestNeighbors(metric=metric)
    sampler = FastTomekLinks(sampling_strategy="all", neighbors=search)
    sampler.fit_resample(container(X), y)
    assert_array_equal(sampler.sample_indices_, np.flatnonzero(~np.array(in_link)))
