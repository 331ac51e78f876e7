import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from skrecall.active_learning import k_center_greedy, select_batch


def k_centers_by_a_plain_loop(X, n_queries, X_labelled):
    """Return the rows farthest from all picked so far, by the matrix of all distances."""
    centers, picks = list(X_labelled), []
    if not centers:
        picks.append(int(np.argmin([np.linalg.norm(row - X.mean(axis=0)) for row in X])))
        centers.append(X[picks[0]])
    while len(picks) < n_queries:
        nearest = [
            -1 if i in picks else min(np.linalg.norm(row - c) for c in centers)
            for i, row in enumerate(X)
        ]
        picks.append(int(np.argmax(nearest)))
        centers.append(X[picks[-1]])
    return picks


@pytest.mark.parametrize("n_labelled", [0, 1, 6])
@pytest.mark.parametrize("container", [np.asarray, csr_array, np.ndarray.tolist])
def test_k_centers_are_those_of_a_plain_loop(n_labelled, container):
    rng = np.random.RandomState(0)
    X, X_labelled = rng.standard_normal((40, 3)), rng.standard_normal((n_labelled, 3))
    picks = k_center_greedy(
        container(X), 12, X_labelled=container(X_labelled) if n_labelled else None
    )
    assert_array_equal(picks, k_centers_by_a_plain_loop(X, 12, X_labelled))


def test_the_radius_is_at_most_twice_the_best():
    """Gonzalez's bound, against clusters whose best radius is known to be at most 1."""
    rng = np.random.RandomState(0)
    centers = 100 * rng.standard_normal((8, 2))
    angle, radius = rng.uniform(0, 2 * np.pi, 400), rng.uniform(0, 1, 400)
    X = np.repeat(centers, 50, axis=0) + radius[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    picks = k_center_greedy(X, 8)
    assert cdist(X, X[picks]).min(axis=1).max() <= 2
    assert_array_equal(np.sort(picks // 50), np.arange(8))


def test_images_and_copies():
    rng = np.random.RandomState(0)
    images = rng.uniform(size=(20, 1, 4, 4))
    assert_array_equal(k_center_greedy(images, 5), k_center_greedy(images.reshape(20, 16), 5))
    assert sorted(k_center_greedy(np.ones((6, 2)), 6).tolist()) == list(range(6))


@pytest.mark.parametrize("n_labelled", [0, 6])
def test_values_far_from_the_origin_keep_their_distances(n_labelled):
    """Inner products of values near 1e8 have no digit left for distances near 1."""
    X = np.random.RandomState(0).standard_normal((40, 3)).round(3)
    X_labelled = X[:n_labelled] if n_labelled else None
    moved = None if X_labelled is None else X_labelled + 1e8
    assert_array_equal(
        k_center_greedy(X + 1e8, 20, X_labelled=moved),
        k_center_greedy(X, 20, X_labelled=X_labelled),
    )


def test_memory_is_that_of_one_distance_per_row():
    X = np.random.RandomState(0).standard_normal((20_000, 5))
    tracemalloc.start()
    k_center_greedy(X, 20, X_labelled=X[:200])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.4 * len(X) * 200 * 8  # the matrix of the distances to the labelled rows


def test_the_highest_scores_and_ties_by_chance():
    score = np.r_[np.zeros(50), 1.0, 2.0]
    assert_array_equal(select_batch(score, 2), [51, 50])
    picks = [select_batch(score, 3, random_state=seed)[2] for seed in range(20)]
    assert len(set(picks)) > 10
    assert_array_equal(
        select_batch(score, 5, random_state=0), select_batch(score, 5, random_state=0)
    )


def test_k_center_picks_among_the_highest_scores():
    rng = np.random.RandomState(0)
    X, score = rng.standard_normal((100, 2)), rng.permutation(100).astype(float)
    kept = np.argsort(-score)[:20]
    for X_labelled in (None, X[:3]):
        picks = select_batch(
            score, 5, method="k_center", X=X, X_labelled=X_labelled, oversampling=4
        )
        assert_array_equal(picks, kept[k_center_greedy(X[kept], 5, X_labelled=X_labelled)])


@pytest.mark.parametrize("n_labelled", [0, 30])
def test_ranked_batches_are_those_of_a_plain_loop(n_labelled):
    rng = np.random.RandomState(0)
    X, X_labelled = rng.standard_normal((30, 2)), rng.standard_normal((n_labelled, 2))
    score = rng.uniform(size=30)
    centers, picks = list(X_labelled), []
    for n_picked in range(20):
        weight, values = (30 - n_picked) / (30 + n_labelled), []
        for i in range(30):
            nearest = min((np.linalg.norm(X[i] - c) for c in centers), default=None)
            similarity = 0 if nearest is None else 1 / (1 + nearest)
            value = weight * (1 - similarity) + (1 - weight) * score[i]
            values.append(-1 if i in picks else score[i] if nearest is None else value)
        picks.append(int(np.argmax(values)))
        centers.append(X[picks[-1]])
    actual = select_batch(
        score, 20, method="ranked", X=X, X_labelled=X_labelled if n_labelled else None
    )
    assert_array_equal(actual, picks)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_queries": 0}, "n_queries=0 must be a whole number, 1 or more"),
        ({"n_queries": 9}, "n_queries=9 of 4 rows cannot be picked: lower it"),
        ({"method": "best"}, "method='best' must be one of 'top', 'k_center', 'ranked'"),
        ({"method": "k_center"}, "method='k_center' measures distances: pass the rows as X"),
        ({"method": "ranked", "X": np.ones((3, 1))}, "X has 3 rows and score 4"),
        (
            {"method": "ranked", "X": np.ones((4, 1)), "score": [0, 1, 2, 3]},
            "it goes from 0 to 3: scale it to 0 to 1",
        ),
        (
            {"method": "k_center", "X": np.ones((4, 1)), "X_labelled": np.ones((2, 2))},
            "X_labelled has 2 features and X 1",
        ),
        ({"score": [0, np.nan, 0, 0]}, "score contains NaN"),
    ],
)
def test_bad_input_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        select_batch(**{"score": [0.1, 0.2, 0.3, 0.4], "n_queries": 2, **kwargs})


def test_more_centers_than_rows_are_refused():
    with pytest.raises(ValueError, match="n_queries=3 of 2 rows"):
        k_center_greedy([[0.0], [1.0]], 3)
    with pytest.raises(ValueError, match="X contains NaN"):
        k_center_greedy([[0.0], [np.nan]], 1)
