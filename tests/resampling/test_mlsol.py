import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_matrix, csr_array
from sklearn.neighbors import NearestNeighbors

from skrecall.resampling import MLSOL, ArraySampler
from skrecall.resampling._local_imbalance import local_imbalance, rarer_values
from skrecall.resampling._mlsol import value_types
from tests.resampling.test_local_imbalance import (
    make_neighbors,
    plain_shares,
    plain_weights,
)


def make_overlapping_labels(n_samples=120, n_labels=5, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_samples, 4))
    score = X @ rng.normal(size=(4, n_labels)) + rng.normal(size=(n_samples, n_labels))
    return X, (score > np.linspace(-2, 4, n_labels)).astype(int)


def plain_types(share, neighbors):
    """SAFE 1, BORDERLINE 2, RARE 3, OUTLIER 4, and 0 for the more frequent value."""
    types = np.zeros(share.shape, dtype=int)
    for cell in zip(*np.nonzero(~np.isnan(share)), strict=True):
        value = share[cell]
        types[cell] = 1 if value < 0.3 else 2 if value < 0.7 else 3 if value < 1 else 4
    changed = True
    while changed:
        changed = False
        for i, j in zip(*np.nonzero(types == 3), strict=True):
            if any(types[k, j] in (1, 2) for k in neighbors[i]):
                types[i, j] = 2
                changed = True
    return types


def labels_of_new_rows(Y, types, parents, position):
    """The assignment of the paper, one row and label at a time."""
    made = []
    for (i, k), at in zip(parents, position, strict=True):
        row = []
        for j in range(Y.shape[1]):
            if Y[i, j] == Y[k, j]:
                row.append(Y[i, j])
                continue
            # One of the two has the rarer value: how far it reaches depends on its type there.
            (own, other, far) = (i, k, at) if types[i, j] else (k, i, 1 - at)
            reach = {1: 0.5, 2: 0.75, 3: 1.0 + 1e-9, 4: -1e-9}[types[own, j]]
            row.append(Y[own, j] if far <= reach else Y[other, j])
        made.append(row)
    return np.array(made)


@pytest.mark.parametrize("n_neighbors", [3, 5, 10])
@pytest.mark.parametrize("seed", range(4))
def test_types_as_the_paper_says(n_neighbors, seed):
    _, Y = make_overlapping_labels(seed=seed)
    neighbors = make_neighbors(len(Y), n_neighbors, seed)
    is_rare, _ = rarer_values(Y)
    types = value_types(local_imbalance(neighbors, is_rare), neighbors, is_rare)
    expected = plain_types(plain_shares(Y, neighbors), neighbors)
    assert_array_equal(types.toarray(), expected)


def test_a_chain_of_rare_values_is_borderline_by_the_types_of_neighbours():
    n = 6  # row i has the row before it as a neighbour, and the last rows without the label
    Y = np.zeros((40, 1), dtype=np.int8)
    Y[:n] = 1
    others = np.arange(n, 40)
    neighbors = np.tile(others[:4], (40, 1))
    neighbors[0, :3] = [1, 2, 3]  # safe: C = 1/4
    for i in range(1, n):
        neighbors[i, 0] = i - 1  # C = 3/4
    is_rare, _ = rarer_values(Y)
    types = value_types(local_imbalance(neighbors, is_rare), neighbors, is_rare)
    assert_array_equal(types.toarray()[:n, 0], [1, 2, 2, 2, 2, 2])
    neighbors[0, :3] = others[:3]  # an outlier now: its followers stay rare
    types = value_types(local_imbalance(neighbors, is_rare), neighbors, is_rare)
    assert_array_equal(types.toarray()[:n, 0], [4, 3, 3, 3, 3, 3])


@pytest.mark.parametrize("interpolation", ["feature", "row"])
@pytest.mark.parametrize("seed", range(4))
def test_new_rows_have_the_labels_of_the_definition(seed, interpolation):
    X, Y = make_overlapping_labels(seed=seed)
    n_samples = len(X)
    near = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(return_distance=False)
    types = plain_types(plain_shares(Y, near), near)
    assert {0, 1, 2, 4} <= set(np.unique(types))
    expected = None
    for x_container, y_container in [(np.asarray, np.asarray), (csr_array, csc_matrix)]:
        sampler = MLSOL(ratio=3.0, interpolation=interpolation, random_state=seed)
        X_new, Y_new = sampler.fit_resample(x_container(X), y_container(Y))
        if expected is not None:
            X_new, Y_new = X_new.toarray(), Y_new.toarray()
        assert len(X_new) == 4 * n_samples
        assert_array_equal(X_new[:n_samples], X)
        assert_array_equal(Y_new[:n_samples], Y)
        parents = sampler.parent_indices_[n_samples:]
        made = X_new[n_samples:]
        assert all(k in near[i] for i, k in parents)
        first, second = X[parents[:, 0]], X[parents[:, 1]]
        assert np.all(made >= np.minimum(first, second) - 1e-12)
        assert np.all(made <= np.maximum(first, second) + 1e-12)
        to_first = np.linalg.norm(made - first, axis=1)
        position = to_first / (to_first + np.linalg.norm(made - second, axis=1))
        assert_array_equal(Y_new[n_samples:], labels_of_new_rows(Y, types, parents, position))
        if expected is not None:
            assert_allclose(X_new, expected[0])
            assert_array_equal(Y_new, expected[1])
        expected = X_new, Y_new


def test_starts_are_drawn_by_weight_and_neighbours_evenly():
    X, Y = make_overlapping_labels()
    n_new = 60000
    sampler = MLSOL(ratio=n_new / len(X), random_state=0)
    sampler.fit_resample(X, Y)
    starts, others = sampler.parent_indices_[len(X) :].T
    near = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(return_distance=False)
    weight = plain_weights(Y, near).sum(axis=1)
    p = weight / weight.sum()
    drawn = np.bincount(starts, minlength=len(X))
    assert np.all(drawn[p == 0] == 0)
    assert np.abs(drawn - n_new * p).max() < 4.5 * np.sqrt(n_new * p.max())
    place = (near[starts] == others[:, np.newaxis]).argmax(axis=1)
    assert np.abs(np.bincount(place) - n_new / 5).max() < 4.5 * np.sqrt(n_new * 0.16)


def test_categories_are_those_of_either_parent():
    X, Y = make_overlapping_labels(300)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["c"] = np.where(X[:, 2] > 0, "up", "down").astype(object)
    frame["d"] = pd.Categorical(np.random.RandomState(0).randint(4, size=300))
    sampler = MLSOL(ratio=5.0, categorical_features=["c", "d"], random_state=0)
    X_new, Y_new = sampler.fit_resample(frame, Y)
    assert_array_equal(X_new.dtypes, frame.dtypes)
    parents = sampler.parent_indices_[300:]
    spread = np.median(frame[["a", "b"]].std(ddof=0))
    squares = np.zeros((2, len(parents)))
    for name in frame:
        new = X_new[name].to_numpy()[300:]
        ends = frame[name].to_numpy()[parents.T]
        if name in "ab":
            squares += (new - ends) ** 2
            continue
        assert np.all((new == ends[0]) | (new == ends[1]))
        differ = ends[0] != ends[1]
        assert abs((new == ends[0])[differ].mean() - 0.5) < 4 * np.sqrt(0.25 / differ.sum())
        squares += spread**2 * (new != ends)
    position = np.sqrt(squares[0]) / np.sqrt(squares).sum(axis=0)
    codes = np.column_stack([pd.factorize(frame[name])[0] for name in "cd"])
    one_hot = [spread / np.sqrt(2) * np.eye(10)[column] for column in codes.T]
    matrix = np.hstack([frame[["a", "b"]].to_numpy(), *one_hot])
    near = NearestNeighbors(n_neighbors=5).fit(matrix).kneighbors(return_distance=False)
    types = plain_types(plain_shares(Y, near), near)
    clear = np.abs(position[:, np.newaxis] - [0.25, 0.5, 0.75]).min(axis=1) > 1e-9
    expected = labels_of_new_rows(Y, types, parents, position)
    assert clear.mean() > 0.9
    assert_array_equal(Y_new[300:][clear], expected[clear])


def test_strategies_say_how_many_rows_start_at_a_label():
    X, Y = make_overlapping_labels(300)
    counts = Y.sum(axis=0)
    sampler = MLSOL(sampling_strategy={3: int(counts[3]) + 40}, random_state=0)
    _, Y_new = sampler.fit_resample(X, Y)
    assert sampler.sampling_strategy_ == {3: 40}
    assert len(Y_new) == 340
    assert Y[sampler.parent_indices_[300:, 0], 3].all()
    assert Y_new[300:, 3].mean() > 0.5
    assert MLSOL().fit(X, Y).sampling_strategy_ == {}


def test_labels_that_no_row_is_made_for_are_named():
    X, Y = make_overlapping_labels(300)
    Y[:, 4] = 0
    Y[7, 4] = 1
    names = list("abcde")
    with pytest.warns(UserWarning, match=r"MLSOL made no row for 2 labels, \['b', 'e'\]: more"):
        MLSOL(sampling_strategy="not majority", random_state=0).fit_resample(
            X, pd.DataFrame(Y, columns=names)
        )
    apart = np.repeat(np.eye(2, dtype=int), 10, axis=0)
    far = 100.0 * apart + np.random.RandomState(0).normal(size=(20, 2))
    with pytest.warns(UserWarning, match=r"20 rows as they are: no row has a rarer .* its 5 neigh"):
        MLSOL().fit_resample(far, apart)


def test_too_many_neighbours_and_images():
    X, Y = make_overlapping_labels(20)
    with pytest.raises(ValueError, match=r"n_neighbors=20 neighbours .* 19 other rows in"):
        MLSOL(n_neighbors=20).fit_resample(X, Y)
    X, Y = make_overlapping_labels()
    images = X.reshape(120, 1, 2, 2).astype(np.float32)
    X_new, Y_new = ArraySampler(MLSOL(random_state=0)).fit_resample(images, Y)
    assert X_new.shape == (156, 1, 2, 2)
    assert X_new.dtype == np.float32
    assert Y_new.shape == (156, 5)
