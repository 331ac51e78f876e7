import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors

from skrecall.resampling import DensityUnderSampler
from skrecall.resampling._density import weighted_sample


def make_table(n_samples=120, n_classes=2):
    rng = np.random.RandomState(0)
    y = np.minimum(np.arange(n_samples) % 5, n_classes - 1)
    y = y.max() - y
    return rng.standard_t(3, size=(n_samples, 3)), y


def plain_distances(X, y, k, reduced):
    """Distance of each row of a class that loses some to the k-th nearest other row of it."""
    answer = np.full(len(y), np.nan)
    for i in range(len(y)):
        if reduced.get(y[i], len(y)) < np.sum(y == y[i]):
            far = [
                np.sqrt(((X[i] - X[j]) ** 2).sum())
                for j in range(len(y))
                if y[j] == y[i] and j != i
            ]
            answer[i] = sorted(far)[k - 1]
    return answer


def plain_sparsest(X, y, k, reduced, skip=0.0):
    distance = plain_distances(X, y, k, reduced)
    kept = [i for i in range(len(y)) if y[i] not in reduced]
    for label, n in reduced.items():
        rows = np.flatnonzero(y == label).tolist()
        n_skipped = 0
        if n < len(rows):
            rows.sort(key=lambda i: (-distance[i], i))
            n_skipped = round(skip * len(rows))
        kept += rows[n_skipped : n_skipped + n]
    return sorted(kept)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize("skip", [0.0, 0.1])
@pytest.mark.parametrize(
    ("n_classes", "strategy", "k"),
    [(2, "auto", 5), (2, {0: 30}, 1), (3, "auto", 3), (3, {0: 10, 1: 20, 2: 7}, 2)],
)
def test_the_sparsest_rows_stay(container, skip, n_classes, strategy, k):
    X, y = make_table(n_classes=n_classes)
    X[::4] = X[1::4]  # duplicates
    sampler = DensityUnderSampler(
        sampling_strategy=strategy, n_neighbors=k, selection="sparsest", skip_sparsest=skip
    )
    X_new, y_new = sampler.fit_resample(container(X), y)
    expected = plain_sparsest(X, y, k, sampler.sampling_strategy_, skip)
    assert_array_equal(sampler.sample_indices_, expected)
    assert_array_equal(X_new.toarray() if container is csr_array else X_new, X[expected])
    assert_array_equal(y_new, y[expected])
    assert_allclose(
        sampler.neighbor_distance_,
        plain_distances(X, y, k, sampler.sampling_strategy_),
        atol=1e-7,  # of duplicates, by the identity |a|^2 - 2ab + |b|^2
    )


def test_rows_are_drawn_one_after_the_other_by_weight():
    weights = np.array([4.0, 3.0, 2.0, 1.0])
    share = weights / weights.sum()
    drawn_first_or_second = [
        share[i] + sum(share[j] * share[i] / (1 - share[j]) for j in range(4) if j != i)
        for i in range(4)
    ]
    rng = np.random.RandomState(0)
    n_draws = 20000
    counts = np.zeros(4)
    for _ in range(n_draws):
        counts[weighted_sample(np.log(weights), 2, rng)] += 1
    assert_allclose(counts / n_draws, drawn_first_or_second, atol=4 * 0.5 / np.sqrt(n_draws))


def test_rows_of_weight_zero_come_last_and_at_random():
    log_weights = np.array([-np.inf, 0.0, -np.inf, 1.0, -np.inf])
    rng = np.random.RandomState(0)
    counts = np.zeros(5)
    for _ in range(900):
        rows = weighted_sample(log_weights, 3, rng)
        assert {1, 3} < set(rows.tolist())
        counts[rows] += 1
    assert_allclose(counts[[0, 2, 4]], 300, atol=4 * np.sqrt(200))


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_exponent_sets_how_much_dense_regions_are_thinned(exponent):
    """Two intervals hold 10 and 1 rows per unit; with exponent e, they keep 10 : 10 ** e."""
    rng = np.random.RandomState(0)
    X = np.append(rng.uniform(0, 200, 2000), rng.uniform(1000, 1200, 200))[:, np.newaxis]
    X, y = np.append(X, [[5000.0]] * 10, axis=0), np.repeat([0, 1], [2200, 10])
    n_kept = 0
    for seed in range(30):
        sampler = DensityUnderSampler(
            sampling_strategy={0: 110},
            n_neighbors=20,
            exponent=exponent,
            random_state=seed,
        )
        X_new, _ = sampler.fit_resample(X, y)
        n_kept += int(np.sum(X_new[:, 0] < 500))
    expected = 10 / (10 + 10**exponent)  # share of the dense interval
    assert_allclose(n_kept / (30 * 110), expected, atol=0.05)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_powers_of_many_dimensions_are_no_overflow(scale):
    """At such an exponent the sparsest of rows whose distances differ is always drawn first."""
    X = np.append(np.cumsum(np.arange(1.0, 41)), [0.0])[:, np.newaxis] * scale
    y = np.append(np.zeros(40, dtype=int), [1])
    sampler = DensityUnderSampler(n_neighbors=1, exponent=1000.0, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.sample_indices_.tolist() == [39, 40]


def test_a_class_that_loses_no_rows_needs_no_neighbours():
    X, _ = make_table()
    y = (np.arange(120) < 3).astype(int)
    sampler = DensityUnderSampler(sampling_strategy="all", random_state=0)
    _, y_new = sampler.fit_resample(X, y)
    assert_array_equal(np.bincount(y_new), [3, 3])
    assert_array_equal(np.isnan(sampler.neighbor_distance_), y == 1)


def test_any_search_of_neighbours():
    X, y = make_table()
    sampler = DensityUnderSampler(selection="sparsest", n_neighbors=3)
    sampler.fit_resample(X, y)
    expected = sampler.sample_indices_
    for search in (NearestNeighbors(algorithm="ball_tree", n_neighbors=9), KNeighborsTransformer()):
        sampler.set_params(neighbors=search).fit_resample(X, y)
        assert_array_equal(sampler.sample_indices_, expected)
    sampler.set_params(neighbors=NearestNeighbors(metric="chebyshev")).fit_resample(X, y)
    rows = np.flatnonzero(y == 0)
    far = np.abs(X[rows][:, np.newaxis] - X[rows]).max(axis=2)
    assert_allclose(sampler.neighbor_distance_[rows], np.sort(far, axis=1)[:, 3])
    sampler.set_params(neighbors__metric="manhattan").fit_resample(X, y)
    with pytest.raises(ValueError, match="'neighbors' parameter of DensityUnderSampler must be"):
        sampler.set_params(neighbors=3).fit_resample(X, y)


def test_bad_input_is_refused_by_name():
    X, y = make_table()
    sampler = DensityUnderSampler(n_neighbors=95)
    DensityUnderSampler(n_neighbors=95).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"n_neighbors=96 .* 95 other rows in class 0"):
        sampler.set_params(n_neighbors=96).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"skip_sparsest=0.9 leaves 10 of the 96 rows of class 0"):
        sampler.set_params(n_neighbors=5, skip_sparsest=0.9).fit_resample(X, y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        sampler.fit_resample(np.where(X > 2, np.nan, X), y)
    _, y_new = DensityUnderSampler().fit_resample(X, np.arange(120) == 3)  # one row is enough
    assert_array_equal(np.bincount(y_new), [1, 1])
