import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array, csc_matrix, csr_array

from skrecall.utils._rows import concatenate_rows, row_keys, take_rows

ROWS = np.array([2, 0, 2])
X = np.array([[1.0, 0], [0, 2], [3, 4]])


@pytest.mark.parametrize("container", [np.asarray, csr_array, csc_matrix, coo_array])
def test_rows_come_in_their_container(container):
    taken = take_rows(container(X), ROWS)
    assert type(taken) is type(container(X))
    taken = taken if isinstance(taken, np.ndarray) else taken.toarray()
    assert_array_equal(taken, X[ROWS])


def test_rows_of_pandas_are_counted_anew_and_lists_stay_lists():
    frame = pd.DataFrame(X, columns=["a", "b"], index=[7, 8, 9])
    pd.testing.assert_frame_equal(take_rows(frame, ROWS), pd.DataFrame(X[ROWS], columns=["a", "b"]))
    series = pd.Series(["x", "y", "z"], index=[7, 8, 9], name="word")
    pd.testing.assert_series_equal(take_rows(series, ROWS), pd.Series(["z", "x", "z"], name="word"))
    assert take_rows([[1, "a"], [2], []], ROWS) == [[], [1, "a"], []]


@pytest.mark.parametrize("container", [np.asarray, csr_array, csc_matrix, pd.DataFrame, list])
def test_rows_are_put_together_in_their_container(container):
    parts = [container(part) for part in (X[:1], X[1:], X[:0])]
    whole = concatenate_rows(parts)
    assert type(whole) is type(parts[0])
    assert_array_equal(whole.toarray() if hasattr(whole, "toarray") else whole, X)


def test_rows_of_pandas_that_are_put_together_are_counted_anew():
    series = pd.Series(["x", "y"], index=[7, 8], name="word")
    pd.testing.assert_series_equal(
        concatenate_rows([series, series[:1]]), pd.Series(["x", "y", "x"], name="word")
    )


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_equal_rows_have_equal_keys(container):
    rows = np.array([[1.0, -0.0], [1, 0.0], [0, 1], [1, 0], [0, 2]])
    _, inverse = np.unique(row_keys(container(rows)), return_inverse=True)
    assert inverse[0] == inverse[1] == inverse[3]
    assert len(set(inverse.tolist())) == 3


def test_keys_of_texts():
    _, inverse = np.unique(
        row_keys(np.array([["a", "b"], ["ab", ""], ["a", "b"]])), return_inverse=True
    )
    assert inverse[0] == inverse[2] != inverse[1]


def clips_of_different_lengths():
    rng = np.random.default_rng(0)
    clips = [rng.integers(0, 255, size=(n, 2, 3)).astype(np.uint8) for n in (4, 1, 3, 4)]
    return [*clips, clips[1].astype(float), clips[2].reshape(3, 3, 2), clips[0].copy()]


def as_objects(rows):
    X = np.empty(len(rows), dtype=object)
    X[:] = rows
    return X


@pytest.mark.parametrize("container", [list, tuple, as_objects])
def test_keys_of_rows_of_different_shapes(container):
    X = container(clips_of_different_lengths())
    keys = row_keys(X)
    assert np.unique(keys, return_inverse=True)[1].shape == (7,)
    assert keys[0] == keys[6]
    assert keys[1] == keys[4]
    assert len(np.unique(keys)) == 5  # of the same values in another shape, too
    of_one_shape = row_keys(container([X[0], X[3]]))
    assert_array_equal(np.isin(of_one_shape, keys[1:]), [True, True])
    assert_array_equal(np.isin(of_one_shape, keys[1:6]), [False, True])


def test_keys_of_signals_and_of_words_of_different_lengths():
    signals = [np.array([1.0, -0.0]), np.array([1]), np.array([1, 0]), np.array([1.0, 0.0, 0.0])]
    keys = row_keys(signals)
    assert keys[0] == keys[2]
    assert len(np.unique(keys)) == 3
    words = [np.array(row, dtype=object) for row in (["a", "b"], ["ab"], ["a", "b"])]
    assert len(np.unique(row_keys(words))) == 2


@pytest.mark.parametrize("container", [list, as_objects])
def test_rows_of_different_shapes_are_taken_and_put_together(container):
    clips = clips_of_different_lengths()
    X = container(clips)
    whole = concatenate_rows([take_rows(X, np.array([2, 0])), take_rows(X, np.array([1]))])
    assert type(whole) is type(X)
    for row, expected in zip(whole, [2, 0, 1], strict=True):
        assert_array_equal(row, clips[expected])
