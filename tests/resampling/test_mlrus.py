import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.label_space import imbalance_ratio_per_label, mean_imbalance_ratio
from skrecall.resampling import MLRUS
from tests.resampling.checks import make_rare_labels
from tests.resampling.test_mlros import make_rare_labels as make_halving_labels


def removed_one_by_one(Y, n_most, seed, protect):
    """The turns of the definition; each bag is put into a random order once, and drawn from it."""
    rng = np.random.RandomState(seed)
    counts, mean = Y.sum(axis=0), mean_imbalance_ratio(Y)
    greatest = counts.max()
    protected = Y[:, greatest / np.maximum(counts, 1) > mean].any(axis=1) & protect
    fewer = np.arange(1, greatest + 1)
    goal = fewer[greatest / fewer >= mean].max()
    active = [j for j in range(Y.shape[1]) if counts[j] > goal]
    bags = {j: rng.permutation(np.flatnonzero((Y[:, j] == 1) & ~protected)) for j in active}
    removed = []
    while active and len(removed) < n_most:
        for j in list(active):
            rest = [row for row in bags[j] if row not in removed]
            if not rest or counts[j] - Y[removed, j].sum() <= goal:
                active.remove(j)
            elif len(removed) < n_most:
                removed.append(rest[0])
    return removed


@pytest.mark.filterwarnings("ignore:MLRUS removed all positives:UserWarning")
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ratio", [0.05, 0.25, 0.9])
@pytest.mark.parametrize("protect", [True, False])
def test_turns_one_row_at_a_time(seed, ratio, protect):
    X, Y = make_halving_labels(seed=seed)
    removed = removed_one_by_one(Y, round(ratio * len(Y)), seed, protect)
    for container in (np.asarray, csr_array):
        sampler = MLRUS(ratio=ratio, protect_minority=protect, random_state=seed)
        sampler.fit_resample(X, container(Y))
        assert_array_equal(sampler.sample_indices_, np.setdiff1d(np.arange(len(Y)), removed))


def test_rows_with_rare_labels_stay():
    X, Y = make_rare_labels()
    rare = imbalance_ratio_per_label(Y) > mean_imbalance_ratio(Y)
    sampler = MLRUS(ratio=None, random_state=0)
    _, Y_new = sampler.fit_resample(X, Y)
    assert_array_equal(Y_new[:, rare].sum(axis=0), Y[:, rare].sum(axis=0))
    assert set(sampler.sampling_strategy_) == {0, 1, 2}
    _, Y_new = MLRUS(ratio=None, protect_minority=False, random_state=0).fit_resample(X, Y)
    greatest = Y.sum(axis=0).max()
    assert np.all(greatest / Y_new.sum(axis=0) >= mean_imbalance_ratio(Y))


def test_rows_are_drawn_evenly():
    Y = np.zeros((24, 2), dtype=int)
    Y[:20, 0], Y[20:, 1] = 1, 1
    n_kept = np.zeros(24)
    for seed in range(500):
        sampler = MLRUS(sampling_strategy={0: 10}, ratio=None, random_state=seed)
        sampler.fit_resample(np.zeros((24, 1)), Y)
        n_kept[sampler.sample_indices_] += 1
    assert_array_equal(n_kept[20:], 500)
    assert np.abs(n_kept[:20] - 250).max() < 5 * np.sqrt(500 / 4)


def test_positives_that_could_not_be_removed_are_counted():
    X, Y = make_rare_labels()
    frame = pd.DataFrame(Y, columns=list("abcde"))
    strategy = {"a": 5}
    with pytest.warns(UserWarning, match=r"stopped at ratio=0\.05 .*: 1 label has more .*'a'"):
        MLRUS(sampling_strategy=strategy, ratio=0.05, random_state=0).fit_resample(X, frame)
    with pytest.warns(UserWarning, match=r"keeps rows with labels rarer .* protect_minority=False"):
        MLRUS(sampling_strategy=strategy, ratio=None, random_state=0).fit_resample(X, frame)


def test_rare_labels_everywhere_leave_nothing_to_remove():
    Y = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 1], [1, 0, 1], [1, 1, 0], [1, 1, 1]])
    Y[:, 2] = 1 - Y[:, 1]
    Y[0] = 1
    with pytest.warns(UserWarning, match="carry a label rarer than the mean too.*REMEDIAL"):
        MLRUS(random_state=0).fit_resample(np.zeros((7, 1)), Y)
