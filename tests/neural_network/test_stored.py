"""Samples read when a batch needs them: the same whoever reads, and by whoever is asked."""

import multiprocessing
import pickle
import random

import numpy as np
import pandas as pd
import pytest
import torch
from skorch.helper import SliceDataset
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from skrecall.neural_network._data import _ArrayDataset, _SlicedBatches
from skrecall.neural_network._stored import (
    BaseSource,
    _DatasetSamples,
    _StoredDataset,
    as_source,
    join_samples,
)

X = np.random.default_rng(0).integers(256, size=(9, 2, 3, 4), dtype=np.uint8)


def readers():
    """Return the processes that DataLoaders have; loky's, which may wait, are no daemons."""
    return [process for process in multiprocessing.active_children() if process.daemon]


class Items(Dataset):
    """A list, as a Dataset."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        return self.items[k]


class Noise(Items):
    """Every item is drawn anew, in all ways there are."""

    def __getitem__(self, k):
        return torch.tensor([torch.rand(()).item(), np.random.rand(), random.random()])  # noqa: NPY002


def tuples(X):
    return Items([(image, "unused") for image in X])


SOURCES = {
    "tensors": lambda: Items(list(torch.from_numpy(X))),
    "arrays": lambda: Items(list(X)),
    "tuples": lambda: tuples(X),
    "TensorDataset": lambda: TensorDataset(torch.from_numpy(X), torch.zeros(9)),
    "SliceDataset": lambda: SliceDataset(tuples(X)),
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("n_workers", [0, 2])
@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_those_of_the_array(make, n_workers, shuffle):
    source = as_source(make(), None)
    assert len(source) == 9
    assert (source.sample_shape, source.dtype) == ((2, 3, 4), np.uint8)
    y, weight = np.arange(9), np.arange(9) / 2
    stored = _StoredDataset(source, y, n_workers=n_workers, sample_weight=weight)
    in_memory = _ArrayDataset(X, y, sample_weight=weight)
    for _ in range(2):  # passes
        seen = []
        for dataset in (stored, in_memory):
            torch.manual_seed(0)
            seen.append(list(_SlicedBatches(dataset, 4, shuffle)))
        assert len(seen[0]) == len(seen[1])
        for (inputs, target), (expected, expected_target) in zip(*seen, strict=True):
            assert torch.equal(target, expected_target)
            assert inputs.keys() == expected.keys()
            for name, values in inputs.items():
                assert values.dtype == expected[name].dtype
                assert torch.equal(values, expected[name])
    stored.close()
    assert not readers()


def test_indexing_reads_nothing():
    source = as_source(tuples(X), None)
    source.dataset.items = None
    part = source[np.array([4, 2, 7])][1:]
    assert (len(part), part.numbers.tolist()) == (2, [2, 7])
    assert len(source) == 9
    assert as_source(part, None) is part


def test_one_item_and_some():
    stored = _StoredDataset(as_source(tuples(X), None)[3:])
    assert torch.equal(stored[2][0]["X"], torch.from_numpy(X[5]))
    assert torch.equal(stored[1:3][0]["X"], torch.from_numpy(X[4:6]))


def test_what_is_no_uint8_image_becomes_float32():
    for given, image_shape, expected in [
        (X.astype(np.float64), None, ((2, 3, 4), np.float32)),
        (X[:, 0].astype(np.int64), None, ((1, 3, 4), np.float32)),
        (X.reshape(9, -1), None, ((24,), np.float32)),  # a table
        (X.reshape(9, -1), (2, 3, 4), ((2, 3, 4), np.uint8)),
    ]:
        source = as_source(Items(list(given)), image_shape)
        assert (source.sample_shape, source.dtype) == expected
        batch = source.read(torch.tensor([1, 0]))
        assert batch.numpy().dtype == source.dtype
        np.testing.assert_array_equal(batch.reshape(2, -1), given[[1, 0]].reshape(2, -1))


def test_getitems_is_used_where_there_is_one():
    class Many(Items):
        def __getitems__(self, numbers):
            return [(self.items[k],) for k in numbers]

        def __getitem__(self, k):
            assert k == 0  # the first item tells the shape
            return self.items[k]

    batch = as_source(Many(list(X)), None).read(torch.tensor([5, 1]))
    np.testing.assert_array_equal(batch, X[[5, 1]])


@pytest.mark.parametrize("passes", [1, 2])
def test_draws_do_not_depend_on_who_reads(passes):
    def read(n_workers, seed=0):
        stored = _StoredDataset(_DatasetSamples(Noise([0] * 6), None), n_workers=n_workers)
        stored.seed = seed
        batches = [b["X"] for _ in range(passes) for b, _ in _SlicedBatches(stored, 2)]
        stored.close()
        return torch.cat(batches)

    expected = read(0)
    assert len(expected.unique()) == expected.numel()
    assert torch.equal(read(1), expected)
    assert torch.equal(read(2), expected)
    assert not torch.equal(read(0, seed=1), expected)


def test_without_a_seed_every_pass_draws_alike():
    stored = _StoredDataset(_DatasetSamples(Noise([0] * 6), None))
    first, second = (torch.cat([b["X"] for b, _ in _SlicedBatches(stored, 2)]) for _ in range(2))
    assert torch.equal(first, second)


def test_joined_samples():
    images = X.astype(np.float32)
    source = as_source(Items(list(images)), None)
    assert isinstance(join_samples(images, images), np.ndarray)
    both = np.concatenate([images, images])
    for first, second in [(source, images), (images, source), (source, source)]:
        joined = join_samples(first, second)
        assert (joined.sample_shape, joined.dtype, len(joined)) == ((2, 3, 4), np.float32, 18)
        rows = torch.tensor([17, 0, 8, 9])
        np.testing.assert_array_equal(joined.read(rows), both[rows])


def test_global_states_are_left_alone():
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    stored = _StoredDataset(_DatasetSamples(Noise([0] * 6), None), n_workers=1)
    list(_SlicedBatches(stored, 2))
    stored.close()
    list(_SlicedBatches(_StoredDataset(_DatasetSamples(Noise([0] * 6), None)), 2))
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert random.getstate() == states[2]


def test_a_worker_process_starts_no_other(monkeypatch):
    assert _StoredDataset(as_source(tuples(X), None), n_workers=2).n_workers == 2
    monkeypatch.setattr(multiprocessing, "parent_process", multiprocessing.current_process)
    assert _StoredDataset(as_source(tuples(X), None), n_workers=2).n_workers == 0


class Broken(Items):
    def __getitem__(self, k):
        if k == 5:
            raise self.items[k]
        return self.items[k]


@pytest.mark.parametrize("n_workers", [0, 1])
def test_complaints_come_from_workers_as_they_are(n_workers):
    items = [*X[:5], X[5, :, :2]]
    stored = _StoredDataset(as_source(Items(items), None), n_workers=n_workers)
    with pytest.raises(ValueError, match=r"^Sample 5 of X has shape \(2, 2, 4\) and type torch.u"):
        list(_SlicedBatches(stored, 2))
    stored.close()
    broken = Broken([*X[:5], KeyError("no key")])
    stored = _StoredDataset(as_source(broken, None), n_workers=n_workers)
    with pytest.raises((KeyError, RuntimeError), match="no key"):
        list(_SlicedBatches(stored, 2))
    stored.close()
    assert not readers()


def test_a_pass_that_is_left_ends_with_close():
    stored = _StoredDataset(as_source(tuples(X), None), n_workers=2)
    batches = iter(_SlicedBatches(stored, 2))
    next(batches)
    assert len(readers()) == 2
    stored.close()
    assert not readers()


def test_pickled_without_workers():
    stored = _StoredDataset(as_source(tuples(X), None), n_workers=1)
    list(_SlicedBatches(stored, 4))
    copy = pickle.loads(pickle.dumps(stored))
    assert torch.equal(copy[:2][0]["X"], stored[:2][0]["X"])
    stored.close()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Items([]), "X is a Items with 0 samples"),
        (Items(["text"]), "Item 0 of X is str and holds str: a Dataset must give a sample"),
        (Items([{"image": X[0]}]), "Item 0 of X is dict"),
        (Items([3.0]), "Item 0 of X is float"),
        (Items([torch.zeros(2, 3, dtype=torch.complex64)]), "Complex data not supported"),
        (SliceDataset(Items(list(torch.from_numpy(X)))), r"gives bare samples.*return \(sample,\)"),
    ],
)
def test_wrong_datasets_get_a_sentence(dataset, message):
    with pytest.raises(ValueError, match=message):
        as_source(dataset, None)


def test_a_stream_has_no_rows():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(X)

    with pytest.raises(ValueError, match="Stream, whose items have no numbers: pass a Da"):
        as_source(Stream(), None)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite(value):
    items = [np.zeros((2, 2)), np.full((2, 2), value)]
    with pytest.raises(ValueError, match="Sample 1 of X holds NaN, infinity or a value too large"):
        as_source(Items(items), None).read(torch.tensor([0, 1]))


@pytest.mark.parametrize("given", [X, list(X), pd.DataFrame(X.reshape(9, -1)), None])
def test_what_is_in_memory_has_no_source(given):
    assert as_source(given, None) is None


def test_a_source_says_how_it_reads():
    with pytest.raises(TypeError, match="abstract"):
        BaseSource(3, (1,), np.float32)
