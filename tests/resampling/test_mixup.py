import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_matrix, csr_array, csr_matrix, issparse
from scipy.stats import beta, chisquare, kstest
from sklearn.neighbors import NearestNeighbors

from skrecall.resampling import ArraySampler, MixupOverSampler
from skrecall.resampling._mixup import beta_above


def make_table(n_classes=2, n_samples=90):
    rng = np.random.RandomState(0)
    y = np.repeat(np.arange(n_classes), [n_samples - 12 * (n_classes - 1)] + [12] * (n_classes - 1))
    y = rng.permutation(y)
    return rng.normal(size=(n_samples, 4)) + y[:, np.newaxis], y


def plain_mixture(X, y, parents, weights):
    """Rows and labels of given parents and weights, from the definition."""
    rows = [
        [w * a + (1 - w) * b for a, b in zip(X[first], X[second], strict=True)]
        for (first, second), w in zip(parents.tolist(), weights.tolist(), strict=True)
    ]
    return np.array(rows), np.array([y[first] for first, _ in parents.tolist()])


@pytest.mark.parametrize("container", [np.asarray, csr_matrix, csr_array, csc_matrix])
@pytest.mark.parametrize("partner", ["class", "any", "neighbors"])
@pytest.mark.parametrize(("n_classes", "strategy"), [(2, "auto"), (2, 0.5), (3, {1: 30, 2: 12})])
def test_rows_are_mixtures_of_their_parents(container, partner, n_classes, strategy):
    X, y = make_table(n_classes)
    sampler = MixupOverSampler(sampling_strategy=strategy, partner=partner, random_state=0)
    X_new, y_new = sampler.fit_resample(container(X), y)
    assert type(X_new) is type(container(X))
    parents, weights = sampler.parent_indices_, sampler.mixing_weights_
    expected, y_expected = plain_mixture(X, y, parents, weights)
    assert_allclose(X_new.toarray() if issparse(X_new) else X_new, expected, atol=1e-12)
    assert_array_equal(y_new, y_expected)
    n = len(y)
    assert_array_equal(parents[:n], np.column_stack([np.arange(n)] * 2))
    assert_array_equal(weights[:n], 1)
    assert np.all(parents[n:, 0] != parents[n:, 1])
    if partner != "any":
        assert_array_equal(y[parents[:, 0]], y[parents[:, 1]])
    expected_counts = np.bincount(y)
    for label, added in sampler.sampling_strategy_.items():
        expected_counts[label] += added
    assert_array_equal(np.bincount(y_new), expected_counts)
    assert not hasattr(sampler, "sample_indices_")


def test_first_rows_and_partners_are_drawn_evenly():
    X, y = make_table()
    sampler = MixupOverSampler(sampling_strategy={1: 20012}, random_state=0)
    for partner, n_pairs in [("class", 12 * 11), ("any", 12 * 89)]:
        sampler.set_params(partner=partner).fit_resample(X, y)
        pairs = sampler.parent_indices_[90:]
        counts = np.unique(pairs[:, 0] * 90 + pairs[:, 1], return_counts=True)[1]
        assert len(counts) == n_pairs
        assert chisquare(counts).pvalue > 1e-3


def test_partners_are_the_nearest_rows_of_the_class():
    X, y = make_table()
    rows = np.flatnonzero(y == 1)
    far = np.linalg.norm(X[rows][:, np.newaxis] - X[rows], axis=2)
    near = {i: set(rows[np.argsort(far[place])[1:4]]) for place, i in enumerate(rows)}
    for search in (None, NearestNeighbors(algorithm="kd_tree", n_neighbors=7)):
        sampler = MixupOverSampler(
            sampling_strategy={1: 2000},
            partner="neighbors",
            n_neighbors=3,
            neighbors=search,
            random_state=0,
        )
        sampler.fit_resample(X, y)
        pairs = sampler.parent_indices_[90:]
        for i in rows:
            assert set(pairs[pairs[:, 0] == i, 1]) == near[i]


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_weights_are_beta_and_the_rare_row_has_its_share(alpha):
    X, y = make_table()
    sampler = MixupOverSampler(sampling_strategy={1: 5000}, alpha=alpha, random_state=0)
    sampler.fit_resample(X, y)
    assert kstest(sampler.mixing_weights_[90:], beta(alpha, alpha).cdf).pvalue > 1e-3
    sampler.set_params(partner="any").fit_resample(X, y)
    weights = sampler.mixing_weights_[90:]
    assert weights.min() >= 0.5
    # At one half, the condition is the same as taking the greater of two shares.
    greater = np.random.RandomState(1).beta(alpha, alpha, size=5000)
    assert kstest(weights, np.maximum(greater, 1 - greater)).pvalue > 1e-3
    weights = beta_above(5000, alpha, 0.8, np.random.RandomState(0))
    condition = beta(alpha, alpha)
    assert weights.min() >= 0.8
    assert kstest(weights, lambda w: 1 - condition.sf(w) / condition.sf(0.8)).pvalue > 1e-3


@pytest.mark.parametrize(("alpha", "least"), [(100.0, 0.9), (300.0, 0.8), (20.0, 0.99)])
def test_weights_far_in_the_tail_are_no_copies(alpha, least):
    """Given w > c, w is below c + s with the probability 1 - sf(c + s) / sf(c)."""
    condition = beta(alpha, alpha)
    assert condition.sf(least) < 1e-15
    weights = beta_above(5000, alpha, least, np.random.RandomState(0))
    assert weights.min() >= least
    assert kstest(weights, lambda w: 1 - condition.sf(w) / condition.sf(least)).pvalue > 1e-3


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_the_greatest_integers_stay_great(dtype, container):
    _, y = make_table()
    greatest = container(np.full((90, 2), np.iinfo(dtype).max))
    X_new, _ = MixupOverSampler(random_state=0).fit_resample(greatest, y)
    assert X_new.dtype == dtype
    assert_allclose(X_new.astype(float).min(), float(np.iinfo(dtype).max))


def test_rows_of_a_frame_come_back_as_they_were():
    X, y = make_table()
    numbers = np.arange(90) + 2**60  # a float has no such numbers
    frame = pd.DataFrame({"x": X[:, 0], "n": numbers}, index=numbers[::-1])
    expected = frame.reset_index(drop=True)
    frame_new, _ = MixupOverSampler(random_state=0).fit_resample(frame, y)
    pd.testing.assert_frame_equal(frame_new.iloc[:90], expected)
    with pytest.warns(UserWarning, match="added no row"):
        frame_new, _ = MixupOverSampler().fit_resample(frame, np.arange(90) % 2)
    pd.testing.assert_frame_equal(frame_new, expected)


def test_integers_are_rounded():
    X, y = make_table()
    whole = np.rint(X * 10).astype(np.int32)
    sampler = MixupOverSampler(random_state=0)
    X_new, _ = sampler.fit_resample(whole, y)
    assert X_new.dtype == np.int32
    expected, _ = plain_mixture(whole, y, sampler.parent_indices_, sampler.mixing_weights_)
    assert_array_equal(X_new, np.rint(expected))
    sparse_new, _ = sampler.fit_resample(csr_array(whole), y)
    assert sparse_new.dtype == np.int32
    assert_array_equal(sparse_new.toarray(), X_new)

    frame = pd.DataFrame({"x": X[:, 0], "n": whole[:, 1], "b": X[:, 2] > 0})
    frame_new, _ = sampler.fit_resample(frame, y)
    assert frame_new.dtypes.tolist() == frame.dtypes.tolist()
    expected, _ = plain_mixture(
        frame.astype(float).to_numpy(), y, sampler.parent_indices_, sampler.mixing_weights_
    )
    assert_array_equal(frame_new["n"], np.rint(expected[:, 1]))
    assert_array_equal(frame_new["b"], np.rint(expected[:, 2]) == 1)
    assert_allclose(frame_new["x"], expected[:, 0])
    sparse_frame = pd.DataFrame(
        {
            "x": pd.arrays.SparseArray(X[:, 0], fill_value=0.0),
            "n": pd.arrays.SparseArray(whole[:, 1], fill_value=0),
        }
    )
    sparse_new, _ = sampler.fit_resample(sparse_frame, y)
    assert_array_equal(sparse_new["n"].to_numpy(), frame_new["n"])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(2, 4, 3), (7, 3)])
def test_images_and_sequences(dtype, shape):
    rng = np.random.RandomState(0)
    X = rng.randint(0, 256, size=(60, *shape)).astype(dtype)
    y = (np.arange(60) % 5 == 0).astype(int)
    sampler = ArraySampler(MixupOverSampler(partner="any", random_state=0))
    X_new, _ = sampler.fit_resample(X, y)
    assert X_new.shape == (96, *shape)
    assert X_new.dtype == dtype
    expected, _ = plain_mixture(
        X.reshape(60, -1), y, sampler.parent_indices_, sampler.sampler_.mixing_weights_
    )
    tolerance = 0.5001 if dtype == np.uint8 else 1e-3
    assert_allclose(X_new.reshape(96, -1), expected, atol=tolerance)


def test_bad_input_is_refused_by_name():
    X, y = make_table()
    one = (np.arange(90) == 3).astype(int)
    sampler = MixupOverSampler()
    with pytest.raises(ValueError, match=r"class 1 has 1 row, and partner='class' mixes two of th"):
        sampler.fit_resample(X, one)
    assert len(MixupOverSampler(partner="any").fit_resample(X, one)[1]) == 178
    with pytest.raises(ValueError, match=r"n_neighbors=12 .* 11 other rows in class 1: set n_n"):
        MixupOverSampler(partner="neighbors", n_neighbors=12).fit_resample(X, y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        sampler.fit_resample(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        sampler.fit_resample(X, X[:, 0])
    with pytest.raises(ValueError, match="y contains NaN: 1 of 90 labels are missing"):
        sampler.fit_resample(X, np.where(one, np.nan, y))
    with pytest.raises(ValueError, match=r"MixupOverSampler computes .* 1 of 2 .*: \['colour'\]"):
        sampler.fit_resample(pd.DataFrame({"colour": ["red", "blue"] * 45, "x": X[:, 0]}), y)
    with pytest.warns(UserWarning, match=r"added no row to 90: .* \{0: 45, 1: 45\}") as caught:
        sampler.fit_resample(X, np.arange(90) % 2)
    assert caught[0].filename == __file__
