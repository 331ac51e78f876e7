import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.cluster import DBSCAN, KMeans

from skrecall.resampling import ClusterUnderSampler
from skrecall.resampling._cluster import allocate


def make_table(n_classes=2):
    """Three blobs of 60, 30 and 10 rows of class 0, and 20 rows of each other class."""
    rng = np.random.RandomState(0)
    centres = np.repeat([[0, 0], [8, 0], [0, 8]], [60, 30, 10], axis=0)
    X = np.concatenate([centres, np.tile([[8, 1], [1, 8]], (10 * (n_classes - 1), 1))])
    y = np.repeat(np.arange(n_classes), [100] + [20] * (n_classes - 1))
    order = rng.permutation(len(y))
    return (X + rng.normal(size=X.shape))[order], y[order]


def largest_remainder(n, weights):
    ideal = [n * w / sum(weights) for w in weights]
    shares = [int(x) for x in ideal]
    order = sorted(range(len(weights)), key=lambda i: (shares[i] - ideal[i], i))
    for i in order[: n - sum(shares)]:
        shares[i] += 1
    return shares


def test_numbers_of_the_paper():
    """Tables 1 and 2 of Yen and Lee: 1000 majority rows, 100 minority rows, three clusters."""
    majority, minority = np.array([500, 300, 200]), np.array([10, 50, 40])
    assert_array_equal(allocate(100, majority / minority, majority), [82, 10, 8])


def test_shares_without_a_full_part_are_by_largest_remainder():
    rng = np.random.RandomState(0)
    for _ in range(200):
        weights = rng.uniform(0.1, 5, size=rng.randint(1, 9))
        n = rng.randint(0, 60)
        actual = allocate(n, weights, np.full(len(weights), 1000))
        assert_array_equal(actual, largest_remainder(n, weights))


def test_what_full_parts_cannot_take_goes_to_the_others_by_weight():
    rng = np.random.RandomState(1)
    for _ in range(200):
        capacities = rng.randint(0, 20, size=rng.randint(1, 9))
        weights = rng.uniform(0.1, 5, size=len(capacities)) * (capacities > 0)
        n = rng.randint(0, capacities.sum() + 1)
        shares = allocate(n, weights, capacities)
        assert shares.sum() == n
        assert (shares <= capacities).all()
        assert (shares >= 0).all()
        # One level per unit of weight, as found by bisection, fills the parts.
        low, high = 0.0, 1e6
        for _ in range(100):
            level = (low + high) / 2
            filled = np.minimum(level * weights, capacities)
            low, high = (level, high) if filled.sum() < n else (low, level)
        assert np.all(np.abs(shares - filled) < 1 + 1e-6)


def expected_counts(X, y, label, n, labels, allocation, protected):
    """Rows of each cluster to keep, by plain loops; no cluster of these data is full by "sbc"."""
    clusters = sorted(set(labels.tolist()))
    size = [
        sum(1 for c, k in zip(labels, y, strict=True) if c == i and k == label) for i in clusters
    ]
    if allocation == "proportional":
        return largest_remainder(n, size)
    if allocation == "equal":
        return allocate(n, np.ones(len(size)), np.array(size)).tolist()
    other = [
        sum(1 for c, k in zip(labels, y, strict=True) if c == i and k in protected)
        for i in clusters
    ]
    return allocate(
        n, np.array([a / max(1, b) for a, b in zip(size, other, strict=True)]), np.array(size)
    ).tolist()


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize("allocation", ["proportional", "equal", "sbc"])
@pytest.mark.parametrize(
    ("n_classes", "strategy"), [(2, "auto"), (2, {0: 50}), (3, {0: 40, 1: 12}), (2, {0: 20, 1: 10})]
)
def test_as_the_definition_says(container, allocation, n_classes, strategy):
    X, y = make_table(n_classes)
    clusterer = KMeans(3, random_state=0, n_init=3)
    sampler = ClusterUnderSampler(
        clusterer, sampling_strategy=strategy, allocation=allocation, random_state=0
    )
    X_new, _ = sampler.fit_resample(container(X), y)
    kept = sampler.sample_indices_
    assert_array_equal(X_new.toarray() if container is csr_array else X_new, X[kept])
    reduced = sampler.sampling_strategy_
    protected = [label for label in range(n_classes) if label not in reduced]
    for label, n in reduced.items():
        rows = np.flatnonzero(y == label)
        if allocation == "sbc":
            labels = KMeans(3, random_state=0, n_init=3).fit_predict(container(X))
            rivals = protected or [k for k in range(n_classes) if k != label]
            counts = expected_counts(X, y, label, n, labels, allocation, rivals)
            clusters = labels[rows]
        else:
            clusters = KMeans(3, random_state=0, n_init=3).fit_predict(container(X[rows]))
            counts = expected_counts(X, y[rows], label, n, clusters, allocation, protected)
        assert_array_equal(sampler.cluster_labels_[label], clusters)
        found = [int(np.isin(rows[clusters == k], kept).sum()) for k in range(3)]
        assert found == counts
    for label in protected:
        assert np.isin(np.flatnonzero(y == label), kept).all()


def test_every_row_of_a_cluster_is_as_likely():
    X, y = make_table()
    counts = np.zeros(len(y))
    for seed in range(400):
        sampler = ClusterUnderSampler(
            KMeans(3, random_state=0, n_init=1), allocation="equal", random_state=seed
        )
        sampler.fit_resample(X, y)
        counts[sampler.sample_indices_] += 1
    for k in range(3):
        rows = np.flatnonzero(y == 0)[sampler.cluster_labels_[0] == k]
        share = counts[rows].mean() / 400
        assert_allclose(counts[rows] / 400, share, atol=4.5 * np.sqrt(share * (1 - share) / 400))


def test_any_clusterer_and_noise_is_a_cluster():
    X, y = make_table()
    clusterer = DBSCAN(eps=0.5, min_samples=4)
    sampler = ClusterUnderSampler(clusterer, random_state=0)
    sampler.fit_resample(X, y)
    labels = DBSCAN(eps=0.5, min_samples=4).fit_predict(X[y == 0])
    assert_array_equal(sampler.cluster_labels_[0], labels)
    noise = np.flatnonzero(y == 0)[labels == -1]
    assert len(noise) > 10
    assert np.isin(noise, sampler.sample_indices_).sum() in (
        int(len(noise) * 20 / 100),
        int(len(noise) * 20 / 100) + 1,
    )
    assert not hasattr(clusterer, "labels_")


def test_default_clusters_are_at_most_the_rows():
    X, y = make_table()
    sampler = ClusterUnderSampler(random_state=0)
    sampler.fit_resample(X, y)
    assert len(set(sampler.cluster_labels_[0].tolist())) == 8
    few = np.append(np.flatnonzero(y == 0)[:4], np.flatnonzero(y == 1)[:1])
    _, y_new = sampler.fit_resample(X[few], y[few])
    assert_array_equal(np.bincount(y_new), [1, 1])
    with pytest.raises(ValueError, match=r"n_samples=4 should be >= n_clusters=5"):
        ClusterUnderSampler(KMeans(5)).fit_resample(X[few], y[few])
    with pytest.raises(ValueError, match="'n_clusters' parameter of KMeans must be"):
        ClusterUnderSampler(KMeans(0)).fit_resample(X, y)
