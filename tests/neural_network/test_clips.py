"""Clips of any container become one padded array and lengths, or a sentence says why not."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrecall.neural_network._clips import (
    check_lengths,
    clear_padding,
    clip_shape_of,
    is_bare_clip,
    is_list_of_clips,
    pad_clips,
)


def ragged(dtype=np.float64, frame=(2, 3, 4)):
    rng = np.random.default_rng(0)
    return [rng.integers(1, 200, size=(t, *frame)).astype(dtype) for t in (2, 5, 1)]


def as_object_array(clips):
    array = np.empty(len(clips), dtype=object)
    array[:] = clips
    return array


@pytest.mark.parametrize("container", [list, tuple, as_object_array])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_clips_are_padded_at_their_ends(container, dtype):
    clips = container(ragged(dtype))
    assert is_list_of_clips(clips)
    X, lengths = pad_clips(clips)
    assert X.shape == (3, 5, 2, 3, 4)
    assert X.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
    assert_array_equal(lengths, [2, 5, 1])
    for padded, clip in zip(X, clips, strict=True):
        assert_array_equal(padded[: len(clip)], clip)
        assert not padded[len(clip) :].any()


@pytest.mark.parametrize(
    ("shape", "fitted", "expected"),
    [
        ((7, 1, 6, 5), (9, 1, 6, 5), True),
        ((7, 3, 6, 5), (9, 3, 6, 5), True),
        ((7, 1, 6, 5), (1, 1, 6, 5), False),
        ((7, 4, 6, 5), (9, 1, 6, 5), False),
        ((7, 9, 1, 6, 5), (9, 1, 6, 5), False),
        ((7, 5), (5,), False),
        ((), (9, 1, 6, 5), False),
    ],
)
def test_what_may_be_one_clip(shape, fitted, expected):
    assert is_bare_clip(shape, fitted) is expected


def test_clips_of_one_length_need_no_lengths():
    clips = [np.ones((4, 6, 5)), np.zeros((4, 6, 5))]
    X, lengths = pad_clips(clips)
    assert lengths is None
    assert_array_equal(X, np.stack(clips)[:, :, None])


@pytest.mark.parametrize(
    "X",
    [np.zeros((3, 4)), [[1.0, 2.0]], [], np.zeros((2, 3, 1, 4, 4)), np.array(["a"], dtype=object)],
    ids=["table", "rows", "empty", "clips", "words"],
)
def test_other_containers_are_no_lists_of_clips(X):
    assert not is_list_of_clips(X)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([np.ones((3, 4))], r"a clip of shape \(3, 4\)"),
        ([np.ones((3, 4, 4)), np.ones((0, 4, 4))], r"a clip of shape \(0, 4, 4\)"),
        (
            [np.ones((3, 4, 4)), np.ones((3, 5, 4))],
            r"frames of 2 different shapes, such as \(1, 4, 4\) and \(1, 5, 4\): resize",
        ),
        (
            [np.ones((3, 4, 4)), np.ones((3, 4, 4), dtype=np.uint8)],
            "1 of 2 clips are uint8, which is scaled",
        ),
    ],
    ids=["image", "empty", "shapes", "dtypes"],
)
def test_bad_clips_are_refused(clips, message):
    with pytest.raises(ValueError, match=message):
        pad_clips(clips)


def test_lengths_are_checked():
    assert_array_equal(check_lengths([1, 3.0], n_samples=2, n_frames=3), [1, 3])
    assert check_lengths([3, 3], n_samples=2, n_frames=3) is None


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 2, 3], r"lengths has shape \(3,\), and there are 2 clips"),
        ([[1, 2]], r"lengths has shape \(1, 2\)"),
        ([1, 2.5], r"lengths holds \[1.0, 2.5\]"),
        (["1", "2"], "pass whole numbers"),
        ([0, 2], "lengths lie between 0 and 2, and the clips have 3 frames: pass between 1 and 3"),
        ([1, 4], "lengths lie between 1 and 4"),
    ],
    ids=str,
)
def test_bad_lengths_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        check_lengths(lengths, n_samples=2, n_frames=3)


def test_padding_is_cleared_without_touching_what_was_given():
    X = np.ones((2, 3, 1, 2, 2))
    X[0, 1:] = np.nan
    given = X.copy()
    cleared = clear_padding(X, np.array([1, 3]))
    assert_array_equal(X, given)
    assert_array_equal(cleared.sum(axis=(2, 3, 4)), [[4, 0, 0], [4, 4, 4]])
    assert clear_padding(cleared, np.array([1, 3])) is cleared


@pytest.mark.parametrize(
    ("X_shape", "clip_shape", "expected"),
    [
        ((9, 7), None, (7,)),
        ((9, 24), (3, 2, 2, 2), (3, 2, 2, 2)),
        ((9, 3, 5, 6), None, (3, 1, 5, 6)),
        ((9, 3, 2, 5, 6), None, (3, 2, 5, 6)),
        ((9, 8, 2, 5, 6), (3, 2, 5, 6), (8, 2, 5, 6)),
    ],
)
def test_shape_of_a_sample(X_shape, clip_shape, expected):
    assert clip_shape_of(X_shape, clip_shape) == expected


@pytest.mark.parametrize(
    ("X_shape", "clip_shape", "message"),
    [
        ((9, 7), (3, 2, 2, 2), "rows of 7 values, and clips of shape .* have 24"),
        ((9, 4, 4), None, r"X has shape \(9, 4, 4\): pass clips"),
        ((9, 1, 1, 1, 4, 4), None, "pass clips"),
        ((9, 3, 0, 4), None, "without a frame or a pixel"),
        ((9, 3, 5, 6, 2), (3, 2, 5, 6), r"np.moveaxis\(X, -1, 2\)"),
        ((9, 3, 1, 5, 6), (3, 2, 5, 6), "convert the clips, or fit again"),
    ],
)
def test_bad_shapes_are_refused(X_shape, clip_shape, message):
    with pytest.raises(ValueError, match=message):
        clip_shape_of(X_shape, clip_shape)
