import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csc_matrix, csr_array, issparse

from skrecall.utils._indicator import (
    check_indicator,
    check_multilabel_target,
    constant_labels,
    count_labels,
    is_indicator,
)

Y = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 1]])


@pytest.mark.parametrize(
    "container",
    [np.asarray, np.ndarray.tolist, csr_array, csc_matrix, lambda Y: pd.DataFrame(Y == 1)],
)
def test_round_trip_through_the_container(container):
    given = container(Y)
    assert is_indicator(given)
    array, kept = check_indicator(given)
    assert_array_equal(array, Y)
    assert array.dtype == np.int8
    restored = kept.restore(array, None)
    assert type(restored) is (np.ndarray if isinstance(given, list) else type(given))
    dense = restored.toarray() if hasattr(restored, "toarray") else np.asarray(restored)
    assert_array_equal(dense, Y)


def test_frames_keep_column_names_and_take_the_index_of_the_samples():
    X = pd.DataFrame({"x": [1, 2, 3]}, index=[5, 6, 7])
    _, kept = check_indicator(pd.DataFrame(Y, columns=["a", "b", "c"]))
    restored = kept.restore(Y, X)
    assert_array_equal(restored.columns, ["a", "b", "c"])
    assert_array_equal(restored.index, [5, 6, 7])


@pytest.mark.parametrize("y", [[0, 1, 1], ["a", "b"], [[0], [1]], [[0, 2], [1, 1]]])
def test_labels_of_one_column_or_more_values_are_no_indicator(y):
    assert not is_indicator(np.array(y))


def test_values_that_are_no_labels_are_refused():
    with pytest.raises(ValueError, match=r"Y holds \[-1\]: an indicator is 1"):
        check_indicator(np.array([[0, -1], [1, 0]]))
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="Input y contains"):
            is_indicator(np.array([[0, value], [1, 0]]))


def _as_objects(rows):
    column = np.empty(len(rows), dtype=object)
    column[:] = rows
    return column


@pytest.mark.parametrize("container", [list, tuple, pd.Series, _as_objects])
@pytest.mark.parametrize("rows", [[["a", "b"], ["c"]], [["a", "b"], ["b", "c"]], [{0}, {1}]])
def test_lists_of_labels_are_sent_to_the_binarizer(container, rows):
    for check in (check_indicator, check_multilabel_target):
        with pytest.raises(ValueError, match=r"for each sample.*MultiLabelBinarizer"):
            check(container(rows))


def test_who_learns_from_unknown_labels_is_told_to_those_who_learn():
    Z = np.where(Y == 0, np.nan, Y)
    with pytest.raises(ValueError, match=r"contains NaN: 4 of 9 .* is not supported here\.$"):
        check_indicator(Z)
    with pytest.raises(
        ValueError, match=r"not supported here\. BinaryRelevance and Multilabel.* of"
    ):
        check_multilabel_target(Z)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(2, np.int8), (256, np.int64), (255, np.uint8), (0.5, float), (-np.inf, float)],
)
def test_a_value_that_is_no_label_is_found_wherever_it_is(value, dtype):
    large = np.ones((5000, 30), dtype=dtype)
    large[4000, 7] = value
    for unknown in (False, True):
        with pytest.raises(ValueError, match=rf"Y holds \[{value}\]: an indicator is 1"):
            check_indicator(large, unknown=unknown)


@pytest.mark.parametrize(
    "container",
    [np.asarray, np.ndarray.tolist, csr_array, pd.DataFrame, lambda S: np.where(S < 0, -1.0, S)],
)
def test_signs_are_not_taken_as_unknown_labels(container):
    signs = container(2 * Y - 1)
    with pytest.raises(ValueError, match=r"Y holds 1 and -1 and no 0: .* Pass \(Y == 1\) if -1"):
        check_indicator(signs, unknown=True)
    with pytest.raises(ValueError, match=r"holds 1 and -1 and no 0"):
        check_multilabel_target(signs, unknown=True)
    array, _ = check_indicator(signs, unknown=True, allow_signs=True)
    assert_array_equal(array, 2 * Y - 1)


@pytest.mark.parametrize(
    "labels",
    [
        [[1, -1, 1]],
        [[1, -1], [0, 1]],
        [[1, 1], [1, 1]],
        [[-1, -1], [-1, -1]],
        [[1, np.nan], [np.nan, 1]],
    ],
)
def test_unknown_labels_beside_a_zero_or_in_one_row_or_as_nan_stay_allowed(labels):
    array, _ = check_indicator(labels, unknown=True)
    assert_array_equal(array, np.where(np.isnan(labels), -1, labels))


def test_a_missing_zero_of_a_sparse_indicator_is_one():
    array, _ = check_indicator(csr_array([[1, -1], [0, 1]]), unknown=True)
    assert_array_equal(array, [[1, -1], [0, 1]])


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float64])
def test_a_check_takes_hardly_more_memory_than_its_result(dtype):
    large = np.asfortranarray(
        np.random.default_rng(0).integers(2, size=(4000, 1000), dtype=np.int8)
    )
    large = large.astype(dtype)
    given = large.copy()
    tracemalloc.start()
    array, _ = check_indicator(large, unknown=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * array.nbytes
    assert_array_equal(array, given)
    assert_array_equal(large, given)


def test_constant_labels():
    assert_array_equal(constant_labels(Y), [0, np.nan, 1])


@pytest.mark.parametrize("n_neighbors", [3, 200])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_count_labels_equals_a_sum_per_row(n_neighbors, container):
    rng = np.random.default_rng(0)
    Y = rng.integers(0, 2, (50, 7)).astype(np.min_scalar_type(-n_neighbors - 1))
    neighbors = rng.integers(0, 50, (30, n_neighbors))
    counts = count_labels(neighbors, container(Y))
    assert issparse(counts) == issparse(container(Y))
    expected = [Y[row].sum(axis=0) for row in neighbors]
    assert_array_equal(counts.toarray() if issparse(counts) else counts, expected)
