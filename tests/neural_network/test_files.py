"""Image files become the pixels that Pillow sees, and what cannot be read is named."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skrecall.neural_network import CNNClassifier
from skrecall.neural_network._files import (
    check_file_shape,
    check_paths,
    holds_paths,
    read_image,
    refuse_text_elsewhere,
)

Image = pytest.importorskip("PIL.Image")


def save(folder, pixels, name="image.png", **params):
    path = folder / name
    Image.fromarray(pixels).save(path, **params)
    return str(path)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(256, size=(5, 4, 3), dtype=np.uint8)


def test_pixels_are_those_of_the_file(tmp_path, pixels):
    path = save(tmp_path, pixels)
    assert_array_equal(read_image(path, (3, 5, 4)), np.moveaxis(pixels, -1, 0))
    grey = pixels[..., 0]
    path = save(tmp_path, grey)
    assert_array_equal(read_image(path, (1, 5, 4)), grey[np.newaxis])
    assert_array_equal(read_image(path, (3, 5, 4)), np.stack([grey] * 3))


def test_channels_are_those_asked_for(tmp_path, pixels):
    path = save(tmp_path, pixels)
    luma = pixels @ [0.299, 0.587, 0.114]  # of ITU-R 601
    assert np.abs(read_image(path, (1, 5, 4))[0] - luma).max() < 1
    assert_array_equal(read_image(path, (4, 5, 4))[3], 255)
    assert_array_equal(read_image(path, (2, 5, 4))[1], 255)


def test_other_sizes_are_resized(tmp_path):
    stripes = np.tile(np.array([0, 200], dtype=np.uint8), (16, 8))
    path = save(tmp_path, stripes)
    small = read_image(path, (1, 4, 4))
    assert small.shape == (1, 4, 4)
    assert np.abs(small.astype(int) - 100).max() <= 15  # without antialiasing it is 0 or 200
    assert read_image(path, (1, 20, 30)).shape == (1, 20, 30)


def test_16_bits_keep_their_upper_8(tmp_path):
    values = np.array([[0, 255, 256, 65535]], dtype=np.uint16)
    path = save(tmp_path, values)
    assert_array_equal(read_image(path, (1, 1, 4)), [[[0, 0, 1, 255]]])
    assert_array_equal(read_image(path, (3, 1, 4))[2], [[0, 0, 1, 255]])


def test_a_photo_is_turned_upright(tmp_path, pixels):
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by 90 degrees, clockwise
    path = save(tmp_path, pixels, exif=turned)
    assert_array_equal(read_image(path, (3, 4, 5)), np.moveaxis(np.rot90(pixels, -1), -1, 0))


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_broken_file_is_named(tmp_path, pixels, content):
    path = save(tmp_path, pixels)
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ValueError, match=r"image file '.*image.png' cannot be read: .* drop its r"):
        read_image(path, (3, 5, 4))


def test_a_missing_file_is_named():
    with pytest.raises(ValueError, match=r"The image file 'nowhere.png' cannot be read"):
        read_image("nowhere.png", (3, 5, 4))


def test_pixels_of_32_bits_are_refused(tmp_path):
    path = save(tmp_path, np.ones((2, 2), dtype=np.float32), "image.tiff")
    with pytest.raises(ValueError, match=r"'.*image.tiff' has pixels of 32 bits: save it with 8"):
        read_image(path, (1, 2, 2))


def test_what_holds_paths():
    assert holds_paths(pd.DataFrame({"path": ["a.png"]}))
    assert holds_paths(pd.DataFrame({"path": [Path("a.png")]}))
    assert not holds_paths(pd.DataFrame({"path": ["a.png"], "other": [1]}))
    assert not holds_paths(pd.DataFrame({"path": [1.0]}))
    assert not holds_paths(pd.DataFrame({"path": []}))
    assert not holds_paths(np.array([["a.png"]]))


def test_paths_are_checked_before_anything_is_read(tmp_path, pixels):
    path = save(tmp_path, pixels)
    assert check_paths(pd.DataFrame({"path": [path, Path(path)]})).tolist() == [path, path]
    with pytest.raises(FileNotFoundError, match=r"2 of 3 image files do not exist, .* 'a.png'"):
        check_paths(pd.DataFrame({"path": [path, "a.png", "b.png"]}))
    with pytest.raises(ValueError, match=r"1 of 2 values in column 'path' are no path .* row 1"):
        check_paths(pd.DataFrame({"path": [path, None]}))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["a.png", "b.png"], r"X is a list of text, such as 'a.png': .* df\[\['path'\]\], or"),
        (pd.Series([Path("a.png")]), "X is a Series of text, such as 'a.png'"),
        (np.array(["a.png"]), "X is a ndarray of text"),
        (
            pd.DataFrame({"age": [1.0], "photo": ["a.png"]}),
            r"Column 'photo' of X .* one of 2: .* pass df\[\['photo'\]\] alone, and image_shape",
        ),
    ],
)
def test_paths_elsewhere_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        refuse_text_elsewhere(X)
    with pytest.raises(ValueError, match=message):
        CNNClassifier(image_shape=(1, 4, 4)).fit(X, [0] * len(X))


@pytest.mark.parametrize(
    "X",
    [
        [],
        [[1.0]],
        np.zeros((2, 2)),
        np.array([["a"]]),
        pd.Series([1.0]),
        pd.Series([], dtype=object),
        pd.DataFrame({"a": ["1.5"], "b": ["2"]}),
        pd.DataFrame({"a": [], "b": []}),
        pd.DataFrame({"a": ["a.png"]}),
    ],
)
def test_what_holds_no_paths_elsewhere(X):
    refuse_text_elsewhere(X)


def test_a_shape_is_needed():
    assert check_file_shape([3, 8, 8], "a.png") == (3, 8, 8)
    with pytest.raises(ValueError, match=r"one column of text, such as 'a.png': set image_shape="):
        check_file_shape(None, "a.png")
    with pytest.raises(ValueError, match=r"has 5 channels, and image files are read as 1 \(grey\)"):
        check_file_shape((5, 8, 8), "a.png")


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"Reading image files needs PIL.*skrecall\[vision\]"):
        read_image("a.png", (3, 5, 4))
