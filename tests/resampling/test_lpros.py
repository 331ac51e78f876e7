from collections import Counter

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.resampling import LPROS
from tests.resampling.checks import make_rare_labels


def sets_of(Y):
    return Counter(tuple(np.flatnonzero(row).tolist()) for row in np.asarray(Y))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ratio", [0.02, 0.25, None])
def test_bags_below_the_mean_grow_alike_and_none_beyond_it(seed, ratio):
    X, Y = make_rare_labels()
    before, mean = sets_of(Y), len(Y) / len(sets_of(Y))
    sampler = LPROS(ratio=ratio, random_state=seed)
    X_new, Y_new = sampler.fit_resample(X, Y)
    after = sets_of(Y_new)
    room = {key: int(mean) - n for key, n in before.items() if n < int(mean)}
    assert sampler.sampling_strategy_ == room
    n_most = np.inf if ratio is None else round(ratio * len(Y))
    assert len(Y_new) == len(Y) + min(sum(room.values()), n_most)
    added = {key: after[key] - before[key] for key in before}
    for key, n in added.items():
        assert 0 <= n <= room.get(key, 0)
    partly = [n for key, n in added.items() if n < room.get(key, 0)]
    if partly:
        assert max(added.values()) <= min(partly) + 1
    rows = sampler.sample_indices_
    assert_array_equal(rows[: len(Y)], np.arange(len(Y)))
    assert_array_equal(X_new, X[rows])
    assert_array_equal(Y_new, Y[rows])


def test_rows_of_a_bag_are_drawn_evenly():
    Y = np.repeat([[1, 0], [0, 1]], [16, 4], axis=0)
    X = np.zeros((20, 1))
    drawn = []
    for seed in range(500):
        sampler = LPROS(ratio=None, random_state=seed)
        sampler.fit_resample(X, Y)
        drawn.append(sampler.sample_indices_[20:])
    counts = np.bincount(np.concatenate(drawn), minlength=20)
    assert counts[:16].sum() == 0
    assert np.abs(counts[16:] - 750).max() < 5 * np.sqrt(3000 * 0.25 * 0.75)


def test_strategies_name_label_sets():
    X, Y = make_rare_labels()
    before = sets_of(Y)
    greatest = max(before.values())
    names = list("abcde")
    for strategy, wanted in [
        ("not majority", dict.fromkeys(before, greatest)),
        (0.5, {key: max(n, int(np.ceil(greatest / 2))) for key, n in before.items()}),
        ({(2, 0): 50, (): 40}, before | {(0, 2): 50, (): 40}),
        (lambda Y: {(1,): 60}, before | {(1,): 60}),
    ]:
        for container in (np.asarray, csr_array):
            sampler = LPROS(sampling_strategy=strategy, ratio=None, random_state=0)
            _, Y_new = sampler.fit_resample(X, container(Y))
            found = sets_of(Y_new.toarray() if container is csr_array else Y_new)
            assert found == {key: max(n, before[key]) for key, n in wanted.items()}
    sampler = LPROS(sampling_strategy={("c", "a"): 50}, ratio=None, random_state=0)
    _, Y_new = sampler.fit_resample(X, pd.DataFrame(Y, columns=names))
    assert sampler.sampling_strategy_ == {("a", "c"): 50 - before[0, 2]}
    assert sets_of(Y_new)[0, 2] == 50


def test_rows_that_ratio_does_not_allow_are_counted():
    X, Y = make_rare_labels()
    with pytest.warns(UserWarning, match=r"stopped at ratio=0\.05 .* of \d+ rows, and 8 were"):
        LPROS(sampling_strategy="not majority", ratio=0.05, random_state=0).fit_resample(X, Y)


def test_sets_of_one_row_each_leave_nothing_to_add():
    Y = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 0]])
    with pytest.warns(UserWarning, match=r"its 4 label sets have 1\.25 rows .* smallest has 1"):
        LPROS().fit_resample(np.zeros((5, 1)), Y)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({1: 30}, r"has the key 1, and label sets are resampled here: .* such as \(1,\)"),
        ({(3, 2, 1, 0): 30}, r"names label sets \[\(0, 1, 2, 3\)\], and y has \[\("),
        ({(0, 7): 30}, r"names labels \[7\], and y has \[0, 1, 2, 3, 4\]"),
        ({(0, 1): 30, (1, 0): 40}, r"the label set \(0, 1\) twice, for 30 and for 40 rows"),
        ({(0,): 1}, r"asks for 1 rows of label set .* give at least as many"),
    ],
)
def test_what_cannot_be_asked_for(strategy, message):
    X, Y = make_rare_labels()
    with pytest.raises(ValueError, match=message):
        LPROS(sampling_strategy=strategy).fit_resample(X, Y)
