"""Shapes of samples, tensors that share memory, and batches that cover every row once."""

import numpy as np
import pytest
import torch

from skrecall.neural_network._data import (
    _ArrayDataset,
    _SlicedBatches,
    as_tensor,
    check_channels_first,
    check_pixel_kind,
    n_dimensions,
    sample_shape,
    stack_images,
)


def test_lists_of_images_are_stacked_and_tables_left_alone():
    images = [np.full((3, 2), k) for k in range(4)]
    assert stack_images(images).shape == (4, 3, 2)
    assert stack_images([image.tolist() for image in images]).shape == (4, 3, 2)
    table = [[1.0, 2.0], [3.0, 4.0]]
    assert stack_images(table) is table
    array = np.zeros((4, 3, 2))
    assert stack_images(array) is array


def test_images_of_two_shapes_are_refused():
    with pytest.raises(
        ValueError, match=r"images of 2 different shapes, such as \(2, 2\) and \(3, 2\): resize"
    ):
        stack_images([np.zeros((2, 2)), np.zeros((3, 2)), np.zeros((2, 2))])


def test_items_of_a_dataset_get_a_sentence():
    with pytest.raises(ValueError, match=r"list of tuples of 2 parts.* skorch.helper.SliceDataset"):
        stack_images([(torch.zeros(3, 2), 1), (torch.zeros(3, 2), 0)])


@pytest.mark.parametrize(
    ("X", "expected"), [([[1, 2]], 2), ([1, 2], 1), (np.zeros((1, 2, 3)), 3), (5, 0)]
)
def test_number_of_dimensions(X, expected):
    assert n_dimensions(X) == expected


@pytest.mark.parametrize(
    ("X_shape", "image_shape", "expected"),
    [
        ((10, 7), None, (7,)),
        ((10, 12), (3, 2, 2), (3, 2, 2)),
        ((10, 4, 5), None, (1, 4, 5)),
        ((10, 4, 5), (1, 4, 5), (1, 4, 5)),
        ((10, 3, 4, 5), None, (3, 4, 5)),
    ],
)
def test_sample_shape(X_shape, image_shape, expected):
    assert sample_shape(X_shape, image_shape) == expected


@pytest.mark.parametrize(
    ("X_shape", "image_shape", "message"),
    [
        ((10, 65), (1, 8, 8), r"rows of 65 values, and images of shape \(1, 8, 8\) have 64"),
        ((10, 8, 8), (3, 8, 8), r"images of shape \(1, 8, 8\), and .*= \(3, 8, 8\) is expected"),
        ((10, 8, 9, 3), (3, 8, 9), r"move the channels first with np.moveaxis\(X, -1, 1\)"),
        ((10, 2, 3, 8, 8), None, r"X has shape \(10, 2, 3, 8, 8\): pass images"),
        ((10, 0, 8), None, r"images of shape \(1, 0, 8\), that is without a pixel"),
    ],
)
def test_wrong_shapes_get_a_sentence(X_shape, image_shape, message):
    with pytest.raises(ValueError, match=message):
        sample_shape(X_shape, image_shape)


@pytest.mark.parametrize(
    "shape", [(28, 28, 1), (28, 28, 3), (28, 28, 4), (5, 5, 4), (5, 2, 1), (224, 32, 3)]
)
def test_channels_last_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"move the channels first with np.moveaxis\(X, -1, 1\)"
    ) as error:
        check_channels_first(shape)
    assert f"if these are images of {shape[0]} channels, set image_shape={shape}." in str(error)


@pytest.mark.parametrize(
    "shape",
    [
        (3, 28, 28),
        (1, 28, 3),  # narrow images of few channels
        (4, 28, 3),
        (28, 3, 3),  # feature maps: many channels, small squares
        (28, 1, 1),
        (28, 28, 2),
        (28, 28, 5),
        (28,),
    ],
)
def test_what_may_be_channels_first_passes(shape):
    check_channels_first(shape)


@pytest.mark.parametrize(
    ("dtype", "fitted_dtype", "message"),
    [
        (np.uint8, np.float32, r"X holds uint8 images.* by X.astype\(np.float32\) / 255 if that"),
        (np.float32, np.uint8, r"X holds images that are not uint8.* convert X to uint8 pixels"),
    ],
)
def test_pixels_scaled_in_one_call_only_are_refused(dtype, fitted_dtype, message):
    with pytest.raises(ValueError, match=message):
        check_pixel_kind(dtype, fitted_dtype)
    check_pixel_kind(dtype, dtype)


def test_tensors_share_memory_unless_it_is_read_only():
    array = np.arange(6.0).reshape(2, 3)
    assert as_tensor(array).data_ptr() == array.ctypes.data
    array.flags.writeable = False
    tensor = as_tensor(array)
    assert tensor.data_ptr() != array.ctypes.data
    assert torch.equal(tensor, torch.arange(6.0, dtype=torch.float64).reshape(2, 3))
    assert torch.equal(as_tensor(array[::-1]), tensor.flip(0))


def dataset(n_samples, weighted=False):
    X = np.arange(n_samples, dtype=np.float32)[:, None]
    weight = np.arange(n_samples) / 2 if weighted else None
    return _ArrayDataset(X, np.arange(n_samples), sample_weight=weight)


@pytest.mark.parametrize("n_samples", [1, 2, 7, 8, 9, 12, 13])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_row_is_in_one_batch_with_its_target_and_weight(n_samples, shuffle, weighted):
    torch.manual_seed(0)
    batches = _SlicedBatches(dataset(n_samples, weighted), 4, shuffle)
    seen = []
    for inputs, y in batches:
        assert torch.equal(inputs["X"][:, 0], y.float())
        assert ("sample_weight" in inputs) == weighted
        if weighted:
            assert torch.equal(inputs["sample_weight"], y.float() / 2)
        seen += y.tolist()
    assert len(list(batches)) == len(batches)
    assert sorted(seen) == list(range(n_samples))
    if not shuffle:
        assert seen == list(range(n_samples))


def test_every_pass_has_its_own_order():
    batches = _SlicedBatches(dataset(50), 50, shuffle=True)
    torch.manual_seed(0)
    (_, first), (_, second) = (next(iter(batches)) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("n_samples", "shuffle", "expected"),
    [
        (9, True, [4, 5]),
        (9, False, [4, 4, 1]),
        (10, True, [4, 4, 2]),
        (1, True, [1]),
        (5, True, [5]),
    ],
)
def test_no_batch_of_one_row_in_training(n_samples, shuffle, expected):
    assert [len(y) for _, y in _SlicedBatches(dataset(n_samples), 4, shuffle)] == expected


def test_batches_of_a_sampler():
    sampler = [torch.tensor([3, 3, 0]), torch.tensor([1])]
    batches = _SlicedBatches(dataset(5), 2, shuffle=True, batch_sampler=sampler)
    assert len(batches) == 2
    assert [y.tolist() for _, y in batches] == [[3, 3, 0], [1]]


def test_without_targets_there_are_zeros():
    inputs, y = _ArrayDataset(np.ones((3, 2), dtype=np.float32))[:]
    assert torch.equal(y, torch.zeros(3, dtype=torch.int64))
    assert inputs.keys() == {"X"}
