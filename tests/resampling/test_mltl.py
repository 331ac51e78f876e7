import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.label_space import imbalance_ratio_per_label, mean_imbalance_ratio
from skrecall.resampling import MLTL, MLeNN
from skrecall.resampling._mltl import tomek_threshold
from tests.resampling.checks import make_rare_labels
from tests.resampling.test_mlenn import kept_row_by_row


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_rows_far_from_their_nearest_neighbour_go(threshold, container):
    X, Y = make_rare_labels()
    protected = imbalance_ratio_per_label(Y) > mean_imbalance_ratio(Y)
    sampler = MLTL(threshold=threshold)
    sampler.fit_resample(X, container(Y))
    expected = kept_row_by_row(X, Y, threshold, 1, protected)
    assert_array_equal(sampler.sample_indices_, expected)
    same = MLeNN(threshold=threshold, n_neighbors=1)
    same.fit_resample(X, Y)
    assert_array_equal(sampler.sample_indices_, same.sample_indices_)


def test_cleaning_protects_no_row():
    X, Y = make_rare_labels()
    sampler = MLTL(sampling_strategy="all", threshold=0.5)
    sampler.fit_resample(X, Y)
    assert_array_equal(sampler.sample_indices_, kept_row_by_row(X, Y, 0.5, 1, []))


@pytest.mark.parametrize(
    ("counts", "threshold"),
    [
        ([100, 50, 25], 0.5),  # MeanIR 2.3: 1 / sqrt is 0.65
        ([100, 20, 10], 0.3),  # MeanIR 5.3: 0.43
        ([100, 4, 4], 0.15),  # MeanIR 17: 0.24
    ],
)
def test_the_threshold_falls_with_the_balance_of_labels(counts, threshold):
    apart = np.zeros((sum(counts), 3), dtype=int)
    apart[np.arange(sum(counts)), np.repeat([0, 1, 2], counts)] = 1
    assert tomek_threshold(apart) == threshold
    X = np.random.RandomState(0).normal(size=(len(apart), 2))
    sampler = MLTL()
    sampler.fit_resample(X, apart)
    assert sampler.threshold_ == threshold


def test_labels_that_meet_raise_the_threshold():
    Y = np.zeros((100, 11), dtype=int)
    Y[:, 0], Y[np.arange(100), 1 + np.arange(100) % 10] = 1, 1
    assert mean_imbalance_ratio(Y) > 4
    assert tomek_threshold(Y) == 0.5
