import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csc_array, csr_array

from skrecall.label_space import imbalance_ratio_per_label, mean_imbalance_ratio, scumble
from skrecall.resampling import REMEDIAL
from skrecall.resampling._remedial import decouple
from tests.resampling.test_mlros import make_rare_labels


def split_row_by_row(Y, is_rare):
    """The definition, with SCUMBLE by products and sums."""
    counts = Y.sum(axis=0)
    measure = []
    for row in Y:
        ratios = [counts.max() / counts[j] for j in np.flatnonzero(row)]
        if ratios:
            geometric = np.prod(ratios) ** (1 / len(ratios))
            measure.append(1 - geometric / np.mean(ratios))
        else:
            measure.append(0.0)
    rows, labels = list(range(len(Y))), Y.copy()
    for i in range(len(Y)):
        if measure[i] > np.mean(measure) + 1e-12:
            rows.append(i)
            labels = np.vstack([labels, np.where(is_rare, Y[i], 0)])
            labels[i] = np.where(is_rare, 0, Y[i])
    return rows, labels


@pytest.mark.parametrize("seed", range(10))
def test_rows_are_split_by_definition(seed):
    X, Y = make_rare_labels(seed=seed)
    is_rare = np.nan_to_num(imbalance_ratio_per_label(Y)) > mean_imbalance_ratio(Y)
    rows, labels = split_row_by_row(Y, is_rare)
    assert len(rows) > len(Y)
    for container in (np.asarray, csr_array, pd.DataFrame):
        sampler = REMEDIAL()
        X_new, Y_new = sampler.fit_resample(X, container(Y))
        assert_array_equal(sampler.sample_indices_, rows)
        assert_array_equal(X_new, X[rows])
        assert_array_equal(Y_new.toarray() if container is csr_array else Y_new, labels)


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_no_label_gains_or_loses_and_the_measure_falls(container):
    _, Y = make_rare_labels(n_samples=500)
    _, Y_new = decouple(container(Y.astype(np.int8)), np.arange(6) > 2)
    assert Y_new.dtype == np.int8
    assert_array_equal(Y_new.sum(axis=0), Y.sum(axis=0))
    assert scumble(Y_new) < scumble(Y)


def test_strategies_choose_the_labels_that_move():
    X, Y = make_rare_labels()
    n_samples = len(Y)
    for strategy, moved in [
        ("minority", [5]),
        ("not majority", [1, 2, 3, 4, 5]),
        ([2, 4], [2, 4]),
        (lambda Y: [1], [1]),
    ]:
        sampler = REMEDIAL(sampling_strategy=strategy)
        _, Y_new = sampler.fit_resample(X, Y)
        assert_array_equal(np.flatnonzero(Y_new[n_samples:].any(axis=0)), moved)
        assert sampler.sampling_strategy_ == {j: Y[:, j].sum() for j in moved}
    with pytest.raises(ValueError, match=r"names labels \[9\]"):
        REMEDIAL(sampling_strategy=[9]).fit_resample(X, Y)


def test_rows_of_one_measure_are_not_split_by_its_rounding():
    Y = np.zeros((70, 11), dtype=int)
    Y[:, 0] = 1
    Y[np.arange(70), 1 + np.arange(70) % 10] = 1
    assert scumble(Y) > 0.1
    with pytest.warns(UserWarning, match="left the 70 rows as they are: no row has labels"):
        REMEDIAL().fit_resample(np.zeros((70, 1)), Y)


def test_no_row_is_split_for_labels_that_do_not_occur():
    X, Y = make_rare_labels()
    none = Y.shape[1]
    Y = np.insert(Y, none, 0, axis=1)
    for strategy in ([], [none], np.array([none]), lambda Y: []):
        with pytest.warns(
            UserWarning, match=r"rows as they are: .* names no label with a positive"
        ):
            _, Y_new = REMEDIAL(sampling_strategy=strategy).fit_resample(X, Y)
        assert_array_equal(Y_new, Y)
