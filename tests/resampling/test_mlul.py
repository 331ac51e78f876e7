import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array
from sklearn.neighbors import NearestNeighbors

from skrecall.resampling import MLUL, ArraySampler
from skrecall.resampling._local_imbalance import label_weights, local_imbalance, rarer_values
from skrecall.resampling._mlul import first_rows, first_with_excess, random_order, row_influence
from tests.resampling.test_local_imbalance import make_neighbors, plain_weights
from tests.resampling.test_mlsol import make_overlapping_labels


def plain_importance(Y, neighbors):
    """The sum w + u of the paper, less its minimum, one pair of rows and label at a time."""
    weights = plain_weights(Y, neighbors)
    reverse = [[r for r in range(len(Y)) if i in neighbors[r]] for i in range(len(Y))]
    value = weights.sum(axis=1)
    for i, rows in enumerate(reverse):
        for r in rows:
            for j in range(Y.shape[1]):
                sign = 1 if Y[i, j] == Y[r, j] else -1
                value[i] += sign * weights[r, j] / len(rows)
    return value - min(value.min(), 0)


@pytest.mark.parametrize("n_neighbors", [1, 5])
@pytest.mark.parametrize("seed", range(4))
def test_importance_as_the_paper_says(n_neighbors, seed):
    _, Y = make_overlapping_labels(seed=seed)
    neighbors = make_neighbors(len(Y), n_neighbors, seed)
    is_rare, _ = rarer_values(Y)
    weights = label_weights(local_imbalance(neighbors, is_rare), is_rare)
    value = weights.sum(axis=1) + row_influence(weights, is_rare, neighbors)
    assert_allclose(value - min(value.min(), 0), plain_importance(Y, neighbors), atol=1e-12)


def test_order_is_that_of_draws_without_replacement():
    weight = np.array([4.0, 0, 2, 1, 1, 0])
    rng = np.random.RandomState(0)
    n_draws = 20000
    orders = np.array([random_order(weight, rng) for _ in range(n_draws)])
    assert_array_equal(np.sort(orders[:, 4:], axis=1), np.tile([1, 5], (n_draws, 1)))
    assert abs((orders[:, 4] == 1).mean() - 0.5) < 4 * np.sqrt(0.25 / n_draws)
    first = np.bincount(orders[:, 0], minlength=6) / n_draws
    assert_allclose(first, weight / weight.sum(), atol=4 * np.sqrt(0.25 / n_draws))
    after = orders[orders[:, 0] == 0]
    second = np.bincount(after[:, 1], minlength=6) / len(after)
    assert_allclose(second, [0, 0, 0.5, 0.25, 0.25, 0], atol=4 * np.sqrt(0.25 / len(after)))


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_rows_are_kept_by_their_importance(container):
    X, Y = make_overlapping_labels()
    near = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(return_distance=False)
    weight = plain_importance(Y, near)
    sampler = MLUL(ratio=0.5, random_state=0)
    X_new, Y_new = sampler.fit_resample(X, container(Y))
    kept = sampler.sample_indices_
    assert len(kept) == 60
    assert np.all(np.diff(kept) > 0)
    assert_array_equal(X_new, X[kept])
    assert_array_equal(Y_new.toarray() if container is csr_array else Y_new, Y[kept])
    # All labels have many rows here: the first drawn by weight are kept, as by the definition.
    expected = random_order(weight, np.random.RandomState(0))[:60]
    assert_array_equal(kept, np.sort(expected))


def one_row_at_a_time(Y, targets, order, n_most):
    counts, removed = Y.sum(axis=0), []
    for i in order:
        if len(removed) < n_most and np.any(Y[i] * (counts > targets)):
            removed.append(i)
            counts = counts - Y[i]
    return removed


@pytest.mark.parametrize("n_most", [1, 7, 40, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_rows_with_excess_one_at_a_time(n_most, seed):
    _, Y = make_overlapping_labels(seed=seed)
    rng = np.random.RandomState(seed)
    targets = np.minimum(Y.sum(axis=0), rng.randint(0, 80, size=5))
    order = rng.permutation(len(Y))
    removed = first_with_excess(csr_array(Y.astype(np.int8)), targets, order, n_most)
    assert_array_equal(removed, one_row_at_a_time(Y, targets, order, n_most))


def test_first_row_of_each_label():
    Y = csc_array(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.int8))
    order = np.array([2, 1, 0])
    assert_array_equal(first_rows(Y, np.ones(3, dtype=bool), order), [1, 2])
    assert len(first_rows(Y, np.zeros(3, dtype=bool), order)) == 0


def test_no_label_loses_its_last_row():
    for seed in range(20):
        X, Y = make_overlapping_labels(seed=seed)
        Y[:, 4] = 0
        Y[seed, 4] = 1
        _, Y_new = MLUL(ratio=0.9, random_state=seed).fit_resample(X, Y)
        assert len(Y_new) == 12
        assert np.all(Y_new.sum(axis=0) > 0)


def test_strategies_say_down_to_how_many_positives():
    X, Y = make_overlapping_labels(300)
    counts = Y.sum(axis=0)
    for strategy, goals in [
        ({0: 100, 1: 120}, np.array([100, 120, *counts[2:]])),
        (0.5, np.minimum(counts, int(counts.min() / 0.5))),
        ("majority", np.where(counts == counts.max(), counts.min(), counts)),
    ]:
        sampler = MLUL(sampling_strategy=strategy, ratio=0.99, random_state=0)
        _, Y_new = sampler.fit_resample(X, Y)
        assert np.all(Y_new.sum(axis=0) <= goals)
        removed = counts - goals
        assert sampler.sampling_strategy_ == {j: removed[j] for j in np.flatnonzero(removed)}
        gone = np.delete(np.arange(300), sampler.sample_indices_)
        assert Y[gone][:, removed > 0].any(axis=1).all()
    with pytest.warns(UserWarning, match=r"stopped at ratio=0\.1 .*1 label has more .* Raise"):
        MLUL(sampling_strategy={0: 9}, ratio=0.1, random_state=0).fit_resample(X, Y)


def test_categorical_columns_and_images():
    X, Y = make_overlapping_labels()
    frame = pd.DataFrame(X, columns=list("abcd")).assign(word=np.where(X[:, 0] > 0, "up", "down"))
    with pytest.raises(ValueError, match=r"1 column of X holds no numbers, \['word'\]"):
        MLUL().fit_resample(frame, Y)
    sampler = MLUL(categorical_features="auto", random_state=0)
    X_new, _ = sampler.fit_resample(frame, Y)
    pd.testing.assert_frame_equal(X_new, frame.iloc[sampler.sample_indices_].reset_index(drop=True))
    images = X.reshape(120, 1, 2, 2)
    X_new, Y_new = ArraySampler(MLUL(random_state=0)).fit_resample(images, Y)
    assert X_new.shape == (90, 1, 2, 2)
    assert Y_new.shape == (90, 5)


def test_nothing_to_choose_by_is_said():
    Y = np.repeat(np.eye(2, dtype=int), 10, axis=0)
    X = 100.0 * Y + np.random.RandomState(0).normal(size=(20, 2))
    with pytest.warns(UserWarning, match=r"20 rows as they are: .* its 5 neighbours lack, so"):
        MLUL().fit_resample(X, Y)
