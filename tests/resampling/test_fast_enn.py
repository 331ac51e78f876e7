import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN
from imblearn.under_sampling import EditedNearestNeighbours
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from skrecall.resampling import FastEditedNearestNeighbours
from skrecall.resampling._fast_enn import leaves, surely_among_own
from tests.resampling.peers import KINDS, imbalanced_learn_tests, make_data

IMBALANCED_LEARN_TESTS = imbalanced_learn_tests(
    "test_edited_nearest_neighbours", FastEditedNearestNeighbours
)
globals().update(IMBALANCED_LEARN_TESTS)


def test_imbalanced_learn_tests_were_found():
    assert len(IMBALANCED_LEARN_TESTS) >= 5


def assert_same(X, y, **params):
    ours, theirs = FastEditedNearestNeighbours(**params), EditedNearestNeighbours(**params)
    X_ours, y_ours = ours.fit_resample(X, y)
    X_theirs, y_theirs = theirs.fit_resample(X, y)
    assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
    assert type(X_ours) is type(X_theirs)
    if isinstance(X, csr_array):
        X_ours, X_theirs = X_ours.toarray(), X_theirs.toarray()
    assert_array_equal(X_ours, X_theirs)
    assert_array_equal(y_ours, y_theirs)
    return len(y) - len(y_ours)


@pytest.mark.parametrize("kind_sel", ["all", "mode"])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_removes_the_rows_that_imbalanced_learn_removes(kind, n_classes, kind_sel):
    X, y = make_data(kind, n_classes=n_classes)
    assert assert_same(X, y, kind_sel=kind_sel) > 0 or kind == "constant"


@pytest.mark.parametrize("kind", ["continuous", "tenths", "duplicates", "over-sampled"])
def test_of_more_rows_than_are_few(kind):
    """Beyond 1024 rows a thread, scikit-learn splits its work in another way."""
    X, y = make_data(kind, n_samples=2600)
    with threadpool_limits(1, user_api="openmp"):
        assert assert_same(X, y) > 0


@pytest.mark.parametrize("kind_sel", ["all", "mode"])
@pytest.mark.parametrize("n_neighbors", [1, 2, 4, 5, 30])
def test_numbers_of_neighbors(n_neighbors, kind_sel):
    for n_classes in (2, 3):
        X, y = make_data("tenths", n_samples=400, n_classes=n_classes)
        assert_same(X, y, n_neighbors=n_neighbors, kind_sel=kind_sel)


@pytest.mark.parametrize(
    "nn",
    [
        NearestNeighbors(n_neighbors=4),
        NearestNeighbors(n_neighbors=4, algorithm="ball_tree"),
        NearestNeighbors(n_neighbors=4, metric="manhattan"),
        NearestNeighbors(n_neighbors=1),
    ],
    ids=repr,
)
def test_neighbors_objects(nn):
    X, y = make_data("continuous")
    assert (assert_same(X, y, n_neighbors=nn, n_jobs=2) > 0) == (nn.n_neighbors > 1)


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
    assert assert_same(X[:, :8], y) > 0


def test_more_neighbors_than_rows_are_refused_as_by_imbalanced_learn():
    X, y = make_data("continuous", n_samples=30)
    with pytest.raises(ValueError, match="Expected n_neighbors <= n_samples_fit"):
        FastEditedNearestNeighbours(n_neighbors=30).fit_resample(X, y)


@pytest.mark.parametrize(("n_neighbors", "n_others"), [(4, 0), (4, 1), (6, 2)])
def test_what_is_sure_is_true_and_most_is_sure(n_neighbors, n_others):
    X, y = make_data("continuous", n_samples=4000)
    own = np.flatnonzero(y == 1)
    sure = surely_among_own(X[own], X[y == 0], n_neighbors=n_neighbors, n_others=n_others)
    nearest = NearestNeighbors(n_neighbors=n_neighbors).fit(X).kneighbors(X[own])[1]
    true = (y[nearest] == 0).sum(axis=1) <= n_others
    assert true[sure].all()
    assert sure.sum() > 0.8 * true.sum()


def test_leaves_are_a_partition_of_small_parts():
    X, _ = make_data("duplicates", n_samples=1000)
    for rows in (X, np.zeros_like(X), 1e99 * X, X.astype(np.float32)):
        parts = leaves(rows, 100, np.random.default_rng(0))
        assert max(len(part) for part in parts) <= 100
        assert_array_equal(np.sort(np.concatenate(parts)), np.arange(1000))


def test_goes_into_smoteenn():
    X, y = make_data("continuous")
    expected = SMOTEENN(random_state=0).fit_resample(X, y)
    enn = FastEditedNearestNeighbours(sampling_strategy="all")
    actual = SMOTEENN(enn=enn, random_state=0).fit_resample(X, y)
    assert_array_equal(actual[0], expected[0])
    assert_array_equal(actual[1], expected[1])
