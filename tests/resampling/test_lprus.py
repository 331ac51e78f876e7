import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.resampling import LPRUS
from tests.resampling.checks import make_rare_labels
from tests.resampling.test_lpros import sets_of


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ratio", [0.02, 0.25, None])
def test_bags_above_the_mean_shrink_alike_and_none_below_it(seed, ratio):
    X, Y = make_rare_labels()
    before, mean = sets_of(Y), len(Y) / len(sets_of(Y))
    sampler = LPRUS(ratio=ratio, random_state=seed)
    X_new, Y_new = sampler.fit_resample(X, csr_array(Y))
    after = sets_of(Y_new.toarray())
    room = {key: n - int(np.ceil(mean)) for key, n in before.items() if n > np.ceil(mean)}
    assert sampler.sampling_strategy_ == room
    n_most = np.inf if ratio is None else round(ratio * len(Y))
    assert len(X_new) == len(Y) - min(sum(room.values()), n_most)
    removed = {key: before[key] - after[key] for key in before}
    for key, n in removed.items():
        assert 0 <= n <= room.get(key, 0)
    partly = [n for key, n in removed.items() if n < room.get(key, 0)]
    if partly:
        assert max(removed.values()) <= min(partly) + 1
    rows = sampler.sample_indices_
    assert np.all(np.diff(rows) > 0)
    assert_array_equal(X_new, X[rows])
    assert_array_equal(Y_new.toarray(), Y[rows])


def test_rows_of_a_bag_are_removed_evenly():
    Y = np.repeat([[1, 0], [0, 1]], [16, 4], axis=0)
    n_kept = np.zeros(20)
    for seed in range(500):
        sampler = LPRUS(ratio=None, random_state=seed)
        sampler.fit_resample(np.zeros((20, 1)), Y)
        n_kept[sampler.sample_indices_] += 1
    assert_array_equal(n_kept[16:], 500)
    assert np.abs(n_kept[:16] - 500 * 10 / 16).max() < 5 * np.sqrt(500 * (10 / 16) * (6 / 16))


def test_strategies_name_label_sets():
    X, Y = make_rare_labels()
    before = sets_of(Y)
    rarest = min(before.values())
    for strategy, wanted in [
        ("all", dict.fromkeys(before, rarest)),
        (0.2, {key: min(n, int(rarest / 0.2)) for key, n in before.items()}),
        ({(): 2, (0,): 5}, before | {(): 2, (0,): 5}),
    ]:
        sampler = LPRUS(sampling_strategy=strategy, ratio=None, random_state=0)
        assert sets_of(sampler.fit_resample(X, Y)[1]) == wanted
    with pytest.raises(ValueError, match=r"asks for 999 rows of label set .* at most as many"):
        LPRUS(sampling_strategy={(): 999}).fit_resample(X, Y)
