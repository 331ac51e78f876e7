import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.label_space import imbalance_ratio_per_label, mean_imbalance_ratio
from skrecall.resampling import MLROS
from skrecall.resampling._mlros import rows_to_copy


def make_rare_labels(n_samples=300, n_labels=6, seed=0):
    rng = np.random.RandomState(seed)
    Y = (rng.uniform(size=(n_samples, n_labels)) < 0.4 / 2.0 ** np.arange(n_labels)).astype(int)
    return rng.normal(size=(n_samples, 3)), Y


def copies_one_by_one(Y, n_most, seed):
    """The turns of the definition, one label and one copy at a time."""
    rng = np.random.RandomState(seed)
    counts = Y.sum(axis=0)
    greatest, mean = counts.max(), mean_imbalance_ratio(Y)
    bags = [np.flatnonzero(Y[:, j]) for j in range(Y.shape[1])]
    active = [j for j in range(Y.shape[1]) if counts[j] and greatest / counts[j] > mean]
    rows = []
    while active and len(rows) < n_most:
        turn = active[: n_most - len(rows)]
        picks = rng.randint([len(bags[j]) for j in turn])
        for j, pick in zip(turn, picks, strict=True):
            rows.append(bags[j][pick])
            counts = counts + Y[rows[-1]]
        active = [j for j in active if greatest / counts[j] > mean]
    return rows


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("ratio", [0.05, 0.25, 5.0])
def test_turns_one_copy_at_a_time(seed, ratio):
    X, Y = make_rare_labels(seed=seed)
    sampler = MLROS(ratio=ratio, random_state=seed).fit(X, Y)
    expected = copies_one_by_one(Y, round(ratio * len(Y)), seed)
    X_new, Y_new = sampler.fit_resample(X, Y)
    assert_array_equal(sampler.sample_indices_, np.append(np.arange(len(Y)), expected))
    assert_array_equal(X_new, X[sampler.sample_indices_])
    assert_array_equal(Y_new, Y[sampler.sample_indices_])
    for container in (csr_array, pd.DataFrame):
        other = MLROS(ratio=ratio, random_state=seed)
        other.fit_resample(X, container(Y))
        assert_array_equal(other.sample_indices_, sampler.sample_indices_)


def test_without_a_limit_no_label_is_left_below_the_mean():
    X, Y = make_rare_labels()
    ratio, mean = imbalance_ratio_per_label(Y), mean_imbalance_ratio(Y)
    assert (ratio > mean).any()
    _, Y_new = MLROS(ratio=None, random_state=0).fit_resample(X, Y)
    greatest = Y.sum(axis=0).max()
    assert np.all(greatest / Y_new.sum(axis=0) <= mean)


def test_rows_are_drawn_evenly_from_those_of_a_label():
    Y = np.zeros((12, 2), dtype=np.int8)
    Y[:, 0], Y[3:7, 1] = 1, 1
    drawn = [rows_to_copy(Y, np.array([12, 5]), 9, np.random.RandomState(s)) for s in range(2000)]
    counts = np.bincount(np.concatenate(drawn), minlength=12)
    assert counts[:3].sum() + counts[7:].sum() == 0
    assert np.abs(counts[3:7] - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)


def test_strategies_say_how_many_positives():
    X, Y = make_rare_labels()
    counts = Y.sum(axis=0)
    for strategy, goals in [
        ("not majority", np.full(6, counts.max())),
        ("minority", np.where(counts == counts.min(), counts.max(), counts)),
        (0.5, np.maximum(counts, np.ceil(0.5 * counts.max()))),
        ({5: 40}, np.where(np.arange(6) == 5, 40, counts)),
        (lambda Y: {4: int(Y[:, 4].sum()) + 3}, counts + 3 * (np.arange(6) == 4)),
    ]:
        sampler = MLROS(sampling_strategy=strategy, ratio=None, random_state=0)
        _, Y_new = sampler.fit_resample(X, Y)
        assert np.all(Y_new.sum(axis=0) >= goals)
        added = goals - counts
        assert sampler.sampling_strategy_ == {j: added[j] for j in np.flatnonzero(added)}


def test_a_target_out_of_reach_is_named():
    X, Y = make_rare_labels()
    with pytest.warns(UserWarning, match=r"stopped at ratio=0\.01 .*: 1 label has fewer .*5: "):
        MLROS(sampling_strategy={5: 100}, ratio=0.01, random_state=0).fit_resample(X, Y)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({9: 30}, r"names labels \[9\], and y has \[0, 1, 2, 3, 4, 5\]"),
        ({0: 1}, "asks for 1 positives of label 0, which has .* at least as many"),
        ({3: 9}, "asks for 9 positives of label 3, which has none"),
    ],
)
def test_what_cannot_be_asked_for(strategy, message):
    X, Y = make_rare_labels()
    Y[:, 3] = 0
    with pytest.raises(ValueError, match=message):
        MLROS(sampling_strategy=strategy).fit_resample(X, Y)
