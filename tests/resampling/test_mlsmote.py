from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn.neighbors import NearestNeighbors

from skrecall.label_space import mean_imbalance_ratio
from skrecall.resampling import MLSMOTE, ArraySampler
from skrecall.resampling._mlsmote import rows_in_turns, vote_labels


def make_rare_labels(n_samples=120, n_labels=5, n_features=4, seed=0):
    rng = np.random.RandomState(seed)
    Y = (rng.uniform(size=(n_samples, n_labels)) < 0.5 / 2.0 ** np.arange(n_labels)).astype(int)
    return rng.normal(size=(n_samples, n_features)), Y


def one_row_at_a_time(X, Y, *, labels="ranking", k=5, categorical=(), one_step=False, seed=0):
    """The algorithm of the paper, one label, row and feature at a time."""
    rng = np.random.RandomState(seed)
    counts = Y.sum(axis=0)
    mean = mean_imbalance_ratio(Y)
    numeric = [f for f in range(X.shape[1]) if f not in categorical]
    spread = np.median([np.std(X[:, f].astype(float)) for f in numeric])

    def distance(i, j):
        square = sum((X[i, f] - X[j, f]) ** 2 for f in numeric)
        return np.sqrt(square + spread**2 * sum(X[i, f] != X[j, f] for f in categorical))

    plans = []
    for j in range(Y.shape[1]):
        bag = [i for i in range(len(Y)) if Y[i, j]]
        if len(bag) < 2 or counts.max() / counts[j] <= mean:
            continue
        size = min(k, len(bag) - 1)
        picks = rng.randint(size, size=len(bag))
        for i, pick in zip(bag, picks, strict=True):
            near = sorted((other for other in bag if other != i), key=lambda o, i=i: distance(i, o))
            plans.append((i, near[:size], near[pick]))
    rows, targets, parents = [], [], []
    for i, near, ref in plans:
        row = list(X[i])
        step = rng.uniform() if one_step else None
        for f in numeric:
            if X[i, f] != X[ref, f]:
                share = rng.uniform() if step is None else step
                row[f] = X[i, f] + share * (X[ref, f] - X[i, f])
        for f in categorical:
            votes = Counter(X[other, f] for other in near)
            row[f] = max((X[other, f] for other in near), key=lambda value: votes[value])
        members = Y[[i, *near]].sum(axis=0)
        has = {
            "ranking": members > (len(near) + 1) / 2,
            "union": members > 0,
            "intersection": members == len(near) + 1,
        }[labels]
        rows.append(row)
        targets.append(has.astype(int))
        parents.append((i, ref))
    return np.array(rows, dtype=X.dtype), np.array(targets), np.array(parents)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("labels", ["ranking", "union", "intersection"])
@pytest.mark.parametrize("one_step", [False, True])
def test_one_row_at_a_time(seed, labels, one_step):
    X, Y = make_rare_labels(seed=seed)
    params = {"labels": labels, "interpolation": "row" if one_step else "feature"}
    rows, targets, parents = one_row_at_a_time(X, Y, labels=labels, one_step=one_step, seed=seed)
    for x_container, y_container in [(np.asarray, np.asarray), (csr_array, csr_matrix)]:
        sampler = MLSMOTE(random_state=seed, **params)
        X_new, Y_new = sampler.fit_resample(x_container(X), y_container(Y))
        if x_container is csr_array:
            X_new, Y_new = X_new.toarray(), Y_new.toarray()
        assert_array_equal(X_new[: len(X)], X)
        assert_array_equal(Y_new[: len(X)], Y)
        assert_array_equal(sampler.parent_indices_[: len(X)], np.tile(np.arange(120)[:, None], 2))
        assert_array_equal(sampler.parent_indices_[len(X) :], parents)
        assert_allclose(X_new[len(X) :], rows)
        assert_array_equal(Y_new[len(X) :], targets)


@pytest.mark.parametrize("n_neighbors", [2, 4, 100])
@pytest.mark.parametrize("seed", range(3))
def test_categories_one_row_at_a_time(n_neighbors, seed):
    X, Y = make_rare_labels(seed=seed)
    rng = np.random.RandomState(seed)
    X[:, 1], X[:, 3] = rng.randint(3, size=len(X)), rng.randint(2, size=len(X))
    rows, targets, parents = one_row_at_a_time(X, Y, k=n_neighbors, categorical=(1, 3), seed=seed)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["b"] = pd.Categorical(frame["b"].map({0: "red", 1: "green", 2: "blue"}))
    frame["d"] = frame["d"].astype(bool)
    for samples, categorical in [(X, [1, 3]), (csr_array(X), [3, 1]), (frame, "auto")]:
        sampler = MLSMOTE(
            n_neighbors=n_neighbors, categorical_features=categorical, random_state=seed
        )
        X_new, Y_new = sampler.fit_resample(samples, Y)
        if samples is frame:
            assert_array_equal(X_new.dtypes, frame.dtypes)
            X_new = X_new.assign(b=X_new["b"].map({"red": 0, "green": 1, "blue": 2}).astype(float))
            X_new = X_new.to_numpy(dtype=float)
        elif samples is not X:
            X_new = X_new.toarray()
        assert_array_equal(sampler.parent_indices_[len(X) :], parents)
        assert_array_equal(Y_new[len(X) :], targets)
        assert_allclose(X_new[len(X) :], rows)


def test_one_row_for_each_row_of_each_rare_label():
    for seed in range(5):
        X, Y = make_rare_labels(seed=seed)
        counts = Y.sum(axis=0)
        is_rare = (counts.max() / counts > mean_imbalance_ratio(Y)) & (counts >= 2)
        sampler = MLSMOTE(random_state=0)
        X_new, Y_new = sampler.fit_resample(X, Y)
        assert len(X_new) - len(X) == counts[is_rare].sum()
        assert sampler.sampling_strategy_ == {j: counts[j] for j in np.flatnonzero(is_rare)}
        assert np.all(Y_new[:, is_rare].sum(axis=0) >= 2 * counts[is_rare])


def test_neighbours_are_drawn_evenly():
    rng = np.random.RandomState(0)
    X, Y = rng.normal(size=(40, 2)), np.zeros((40, 2), dtype=int)
    Y[:, 0], Y[:8, 1] = 1, 1
    n_draws = 1500
    sampler = MLSMOTE(sampling_strategy={1: 8 + 8 * n_draws}, n_neighbors=4, random_state=0)
    sampler.fit_resample(X, Y)
    drawn = np.zeros((8, 40))
    np.add.at(drawn, tuple(sampler.parent_indices_[40:].T), 1)
    near = NearestNeighbors(n_neighbors=4).fit(X[:8]).kneighbors(return_distance=False)
    for i in range(8):
        assert drawn[i].sum() == drawn[i, near[i]].sum() == n_draws
        assert np.abs(drawn[i, near[i]] - n_draws / 4).max() < 4.5 * np.sqrt(n_draws * 3 / 16)


def test_places_between_parents_are_uniform():
    X, Y = make_rare_labels(400, seed=2)
    for interpolation in ("feature", "row"):
        sampler = MLSMOTE(interpolation=interpolation, random_state=0)
        X_new, _ = sampler.fit_resample(X, Y)
        first, second = X[sampler.parent_indices_[400:].T]
        share = (X_new[400:] - first) / (second - first)
        assert np.all((share >= -1e-9) & (share <= 1 + 1e-9))
        assert abs(share.mean() - 0.5) < 4 / np.sqrt(12 * len(share))
        assert np.allclose(share, share[:, :1], atol=1e-6) == (interpolation == "row")


def test_strategies_say_how_many_rows():
    X, Y = make_rare_labels()
    counts = Y.sum(axis=0)
    for strategy, goals in [
        ("minority", np.where(counts == counts.min(), counts.max(), counts)),
        (0.5, np.maximum(counts, np.ceil(0.5 * counts.max()))),
        ({4: 40}, np.where(np.arange(5) == 4, 40, counts)),
        (lambda Y: {3: int(Y[:, 3].sum()) + 3}, counts + 3 * (np.arange(5) == 3)),
    ]:
        sampler = MLSMOTE(sampling_strategy=strategy, random_state=0)
        _, Y_new = sampler.fit_resample(X, Y)
        missing = goals - counts
        assert sampler.sampling_strategy_ == {j: missing[j] for j in np.flatnonzero(missing)}
        assert len(Y_new) - len(Y) == missing.sum()
        assert np.all(Y_new.sum(axis=0) >= goals)
        starts = sampler.parent_indices_[len(Y) :, 0]
        label = np.flatnonzero(missing)[0]
        used = np.bincount(starts[: int(missing[label])], minlength=len(Y))[Y[:, label] == 1]
        assert used.max() - used.min() <= 1


def test_rows_in_turns():
    rng = np.random.RandomState(0)
    rows = np.array([3, 5, 8])
    assert_array_equal(rows_in_turns(rows, 6, rng), [3, 5, 8, 3, 5, 8])
    drawn = rows_in_turns(rows, 5, rng)
    assert_array_equal(drawn[:3], rows)
    assert len(set(drawn[3:])) == 2


def test_votes_of_many_members():
    rng = np.random.RandomState(0)
    Y = (rng.uniform(size=(300, 3)) < [0.2, 0.5, 0.9]).astype(np.int8)
    members = rng.randint(300, size=(20, 201))
    for labels, test in [("ranking", lambda c: c > 100.5), ("intersection", lambda c: c == 201)]:
        made = vote_labels(csr_array(Y), members, labels).toarray()
        assert_array_equal(made, test(Y[members].astype(int).sum(axis=1)))


def test_one_rare_label_is_smote_within_it():
    """The rows of the label lie where imbalanced-learn's SMOTE may put them."""
    rng = np.random.RandomState(0)
    X, Y = rng.normal(size=(200, 3)), np.zeros((200, 2), dtype=int)
    Y[:, 0], Y[:20, 1] = 1, 1
    X_new, Y_new = MLSMOTE(interpolation="row", random_state=0).fit_resample(X, Y)
    smote = SMOTE(sampling_strategy={1: 40}, random_state=0).fit_resample(X, Y[:, 1])
    assert len(X_new) == len(smote[0])
    assert_array_equal(Y_new[200:], 1)


def test_labels_of_one_row_are_named():
    X, Y = make_rare_labels()
    Y[:, 4] = 0
    Y[5, 4] = 1
    labels = pd.DataFrame(Y, columns=["a", "b", "c", "d", "rare"])
    with pytest.warns(UserWarning, match=r"1 label has one row, \['rare'\], and MLSMOTE"):
        _, Y_new = MLSMOTE(sampling_strategy="not majority").fit_resample(X, labels)
    assert Y_new["rare"].sum() >= 1
    assert Y_new["d"].sum() >= Y[:, 0].sum()
    Y[:, :4] = 1
    with (
        pytest.warns(UserWarning, match=r"1 label has one row, \[4\].*Use MLROS"),
        pytest.warns(UserWarning, match="left the 120 rows as they are: no label that is rarer"),
    ):
        X_new, _ = MLSMOTE().fit_resample(X, Y)
    assert_array_equal(X_new, X)


def test_any_search_and_any_number_of_jobs():
    X, Y = make_rare_labels()
    expected = MLSMOTE(random_state=0).fit_resample(X, Y)
    for params in ({"neighbors": NearestNeighbors(algorithm="brute")}, {"n_jobs": 2}):
        for actual, array in zip(
            MLSMOTE(random_state=0, **params).fit_resample(X, Y), expected, strict=True
        ):
            assert_allclose(actual, array)


def test_images_through_array_sampler():
    X, Y = make_rare_labels(n_features=48)
    images = (X * 30 + 128).clip(0, 255).astype(np.uint8).reshape(120, 3, 4, 4)
    with pytest.raises(ValueError, match=r"X has shape \(120, 3, 4, 4\), .*ArraySampler\(MLSMOTE"):
        MLSMOTE().fit_resample(images, Y)
    sampler = ArraySampler(MLSMOTE(random_state=0))
    X_new, Y_new = sampler.fit_resample(images, pd.DataFrame(Y))
    assert X_new.dtype == np.uint8
    assert X_new.shape == (len(Y_new), 3, 4, 4)
    assert isinstance(Y_new, pd.DataFrame)
    parents = sampler.parent_indices_
    first, second = images[parents[:, 0]], images[parents[:, 1]]
    assert np.all((X_new >= np.minimum(first, second)) & (X_new <= np.maximum(first, second)))


def test_what_cannot_be_computed_with():
    X, Y = make_rare_labels()
    with pytest.raises(ValueError, match=r"1 column of X holds no numbers, \['word'\]"):
        MLSMOTE().fit_resample(pd.DataFrame(X, columns=list("abcd")).assign(word="a"), Y)
    with pytest.raises(ValueError, match=r"Expected 2D array, got X of shape \(120,\)"):
        MLSMOTE().fit_resample(X[:, 0], Y)
