import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array
from sklearn.neighbors import KNeighborsTransformer

from skrecall.label_space import imbalance_ratio_per_label, mean_imbalance_ratio
from skrecall.resampling import MLeNN
from skrecall.resampling._mlenn import adjusted_hamming_distances
from tests.resampling.checks import make_rare_labels


def label_distance(first, second):
    total = first.sum() + second.sum()
    return np.sum(first != second) / total if total else 0.0


def kept_row_by_row(X, Y, threshold, n_neighbors, protected):
    kept = []
    for i in range(len(X)):
        distance = np.sqrt(((X - X[i]) ** 2).sum(axis=1))
        distance[i] = np.inf
        near = np.argsort(distance)[:n_neighbors]
        n_far = sum(label_distance(Y[i], Y[j]) > threshold for j in near)
        if Y[i, protected].any() or n_far < n_neighbors / 2:
            kept.append(i)
    return kept


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_distances_pair_by_pair(container):
    rng = np.random.RandomState(0)
    Y = (rng.uniform(size=(300, 7)) < 0.2).astype(np.int8)
    rows, neighbors = rng.permutation(300)[:200], rng.randint(300, size=(200, 4))
    expected = [
        [label_distance(Y[i], Y[j]) for j in near] for i, near in zip(rows, neighbors, strict=True)
    ]
    assert_allclose(adjusted_hamming_distances(container(Y), rows, neighbors), expected)


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_labels_of_many_columns_are_compared_in_blocks(container):
    rng = np.random.RandomState(0)
    Y = (rng.uniform(size=(40, 20_000)) < 0.5).astype(np.int8)
    neighbors = rng.randint(40, size=(40, 2))
    found = adjusted_hamming_distances(container(Y), np.arange(40), neighbors)
    assert_allclose(found[7, 1], label_distance(Y[7].astype(int), Y[neighbors[7, 1]].astype(int)))
    assert_allclose(
        found[39, 0], label_distance(Y[39].astype(int), Y[neighbors[39, 0]].astype(int))
    )


def test_no_labels_are_as_far_from_none_as_equal_ones():
    Y = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [0, 1]])
    neighbors = np.array([[1, 2], [0, 2], [3, 4], [2, 4], [0, 2]])
    expected = [[0, 1], [0, 1], [0, 1], [0, 1], [1, 1]]
    assert_array_equal(adjusted_hamming_distances(Y, np.arange(5), neighbors), expected)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("threshold", "n_neighbors"), [(0.75, 3), (0.5, 2), (0.2, 5)])
def test_rows_are_judged_one_by_one_and_removed_at_the_end(seed, threshold, n_neighbors):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(150, 3))
    Y = (rng.uniform(size=(150, 4)) < [0.5, 0.4, 0.3, 0.04]).astype(int)
    protected = imbalance_ratio_per_label(Y) > mean_imbalance_ratio(Y)
    expected = kept_row_by_row(X, Y, threshold, n_neighbors, protected)
    assert len(expected) < 150
    for container in (np.asarray, csr_array, pd.DataFrame):
        sampler = MLeNN(threshold=threshold, n_neighbors=n_neighbors)
        X_new, Y_new = sampler.fit_resample(X, container(Y))
        assert_array_equal(sampler.sample_indices_, expected)
        assert_array_equal(X_new, X[expected])
        assert_array_equal(Y_new.toarray() if container is csr_array else Y_new, Y[expected])


def test_strategies_say_whose_rows_may_go():
    X, Y = make_rare_labels()
    for strategy, removable in [
        ("all", range(5)),
        ("not minority", range(4)),
        ("majority", [0]),
        ([0, 2], [0, 2]),
    ]:
        protected = np.setdiff1d(np.arange(5), list(removable))
        sampler = MLeNN(sampling_strategy=strategy, threshold=0.5)
        sampler.fit_resample(X, Y)
        expected = kept_row_by_row(X, Y, 0.5, 3, protected)
        assert_array_equal(sampler.sample_indices_, expected)
        assert sampler.sampling_strategy_ == {j: Y[:, j].sum() for j in removable}


def test_categories_count_as_features():
    """Words that say which labels a row has are its neighbours' too."""
    Y = np.eye(3, dtype=int)[np.repeat([0, 1, 2], [30, 20, 10])]
    noise = np.random.RandomState(0).normal(size=(60, 1))
    assert len(MLeNN().fit_resample(noise, Y)[0]) < 60
    frame = pd.DataFrame({"one": np.ones(60), "word": np.array(list("xyz"))[Y.argmax(axis=1)]})
    with pytest.raises(ValueError, match="word"):
        MLeNN().fit_resample(frame, Y)
    with pytest.warns(UserWarning, match="none of these differs from half of its neighbours"):
        MLeNN(categorical_features="auto").fit_resample(frame, Y)


def test_any_search_of_scikit_learns():
    X, Y = make_rare_labels()
    sampler = MLeNN(threshold=0.5, neighbors=KNeighborsTransformer(metric="manhattan"))
    sampler.fit_resample(X, Y)
    by_default = MLeNN(threshold=0.5)
    by_default.fit_resample(X, Y)
    assert not np.array_equal(sampler.sample_indices_, by_default.sample_indices_)


def test_all_rows_protected_is_said():
    Y = np.zeros((20, 3), dtype=int)
    Y[:, 0], Y[10:, 1], Y[:10, 2] = 1, 1, 1
    with pytest.warns(UserWarning, match="each carries a label that sampling_strategy protects"):
        MLeNN().fit_resample(np.arange(20.0)[:, np.newaxis], Y)


def test_a_set_of_which_nothing_would_be_left_is_refused():
    Y = np.tile(np.eye(2, dtype=int), (10, 1))
    X = np.repeat(np.arange(10.0), 2)[:, np.newaxis]
    with pytest.raises(ValueError, match=r"Each of the 20 rows differs .* 0\.75.*raise threshold"):
        MLeNN(n_neighbors=1).fit_resample(X, Y)
