"""Samples that are read when a batch needs them, by worker processes where asked for.

A source stands for samples that do not fit in memory: the items of a torch Dataset, or image
files. It has a length, the shape and type of a sample, and is indexed without being read.
"""

import multiprocessing
import random
import traceback
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, Self

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from skorch.helper import SliceDataset
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from ._data import Batch, _ArrayDataset, as_tensor, sample_shape
from ._files import (
    check_file_shape,
    check_paths,
    holds_paths,
    read_image,
    refuse_text_elsewhere,
)
from ._runtime import _TURNS, seeded


class BaseSource(ABC):
    """Samples by number, some or all of those there are.

    Parameters
    ----------
    n_samples : int
        How many there are.
    shape : tuple of int
        Shape of one sample: ``(n_channels, height, width)`` or ``(n_features,)``.
    dtype : {numpy.uint8, numpy.float32}
        Type of the samples.
    """

    def __init__(self, n_samples: int, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.numbers = np.arange(n_samples)
        self.sample_shape = shape
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Self:
        part = object.__new__(type(self))
        part.__dict__.update(self.__dict__, numbers=self.numbers[rows])
        return part

    @abstractmethod
    def _read(self, numbers: list[int]) -> list[Tensor]:
        """Return samples of the right shape and type."""

    def read(self, rows: Tensor) -> Tensor:
        """Return some samples as a batch.

        Parameters
        ----------
        rows : Tensor of int of shape (n_rows,)
            Which ones.

        Returns
        -------
        batch : Tensor of shape (n_rows, ...)
            The samples.
        """
        return torch.stack(self._read(self.numbers[rows.numpy()].tolist()))


class _ImageFiles(BaseSource):
    """Image files, decoded and resized.

    Parameters
    ----------
    paths : ndarray of str of shape (n_samples,)
        Where they are.
    image_shape : tuple of int
        ``(n_channels, height, width)`` to read them in.
    """

    def __init__(self, paths: NDArray[np.object_], image_shape: tuple[int, ...]) -> None:
        super().__init__(len(paths), image_shape, np.uint8)
        self.paths = paths

    def _read(self, numbers: list[int]) -> list[Tensor]:
        return [torch.tensor(read_image(path, self.sample_shape)) for path in self.paths[numbers]]


class _DatasetSamples(BaseSource):
    """The samples of a torch Dataset, whose first item tells their shape and type.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset or skorch.helper.SliceDataset
        Its items are samples, or tuples that begin with one.
    image_shape : sequence of int or None
        As in `sample_shape`.
    shape_of : callable, default=sample_shape
        From the shape of all items, and `image_shape`, to that of a sample.
    """

    def __init__(
        self,
        dataset: Any,
        image_shape: Sequence[int] | None,
        shape_of: Callable[..., tuple[int, ...]] = sample_shape,
    ) -> None:
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
            raise ValueError(
                f"X is a {type(dataset).__name__}, whose items have no numbers: pass a Dataset "
                "with __len__ and __getitem__, or call partial_fit with a chunk at a time."
            )
        if len(dataset) == 0:
            raise ValueError(f"X is a {type(dataset).__name__} with 0 samples: 1 is needed.")
        with seeded_reading(0):
            first = sample_of(dataset[0], 0)
            if isinstance(dataset, SliceDataset):
                refuse_bare_samples(dataset)
        shape = shape_of((len(dataset), *first.shape), image_shape)
        is_uint8 = first.dtype == torch.uint8 and len(shape) > 1
        super().__init__(len(dataset), shape, np.uint8 if is_uint8 else np.float32)
        self.dataset = dataset
        self.item_shape, self.item_dtype = first.shape, first.dtype

    def _read(self, numbers: list[int]) -> list[Tensor]:
        if hasattr(self.dataset, "__getitems__"):
            items = self.dataset.__getitems__(numbers)
        else:
            items = [self.dataset[k] for k in numbers]
        samples = map(sample_of, items, numbers)
        return [self._convert(*pair) for pair in zip(samples, numbers, strict=True)]

    def _convert(self, sample: Tensor, number: int) -> Tensor:
        if (sample.shape, sample.dtype) != (self.item_shape, self.item_dtype):
            raise ValueError(
                f"Sample {number} of X has shape {tuple(sample.shape)} and type {sample.dtype}, "
                f"and sample 0 has {tuple(self.item_shape)} and {self.item_dtype}: resize and "
                "convert them in the Dataset."
            )
        if self.dtype != np.uint8:
            sample = sample.to(torch.float32)
            if not sample.isfinite().all():
                raise ValueError(
                    f"Sample {number} of X holds NaN, infinity or a value too large for float32: "
                    "leave it out of the Dataset, or mend it there."
                )
        return sample.reshape(self.sample_shape)


class _JoinedSamples(BaseSource):
    """Two lots of samples, of one shape and type, one after the other.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples, ...) or BaseSource
        The lots.
    """

    def __init__(self, first: NDArray[Any] | BaseSource, second: NDArray[Any] | BaseSource) -> None:
        shape = first.sample_shape if isinstance(first, BaseSource) else first.shape[1:]
        super().__init__(len(first) + len(second), shape, first.dtype)
        self.lots = (first, second)

    def _read(self, numbers: list[int]) -> list[Tensor]:
        n_first = len(self.lots[0])
        return [_read_one(self.lots[k >= n_first], k - n_first * (k >= n_first)) for k in numbers]


def _read_one(lot: NDArray[Any] | BaseSource, row: int) -> Tensor:
    return lot.read(torch.tensor([row]))[0] if isinstance(lot, BaseSource) else as_tensor(lot[row])


def join_samples(
    first: NDArray[Any] | BaseSource, second: NDArray[Any] | BaseSource
) -> NDArray[Any] | BaseSource:
    """Return two lots of samples as one: an array, unless one of them is not in memory.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples, ...) or BaseSource
        Samples of one shape and type.

    Returns
    -------
    samples : ndarray of shape (n_samples, ...) or BaseSource
        All of them.
    """
    if isinstance(first, BaseSource) or isinstance(second, BaseSource):
        return _JoinedSamples(first, second)
    return np.concatenate([first, second])


def sample_of(item: Any, number: int) -> Tensor:
    """Return the sample that an item of a Dataset is, or begins with.

    Parameters
    ----------
    item : object
        What the Dataset gave.
    number : int
        Its number.

    Returns
    -------
    sample : Tensor
        The sample.

    Raises
    ------
    ValueError
        If it cannot be made a tensor.
    """
    sample = item[0] if isinstance(item, tuple | list) and len(item) else item
    if not isinstance(sample, Tensor):
        array = np.asarray(sample)
        if array.dtype.kind not in "biuf" or array.ndim == 0:
            raise ValueError(
                f"Item {number} of X is {type(item).__name__} and holds {type(sample).__name__}: "
                "a Dataset must give a sample, as tensor or array of numbers, or a tuple that "
                "begins with one."
            )
        sample = as_tensor(array)
    if sample.is_complex():
        raise ValueError(f"Sample {number} of X is complex: Complex data not supported.")
    return sample


def refuse_bare_samples(dataset: SliceDataset) -> None:
    """Refuse a SliceDataset that would take the first channel for the sample.

    Parameters
    ----------
    dataset : skorch.helper.SliceDataset
        A Dataset, wrapped.

    Raises
    ------
    ValueError
        If the items of the Dataset are no tuples.
    """
    inner = dataset.dataset
    if not isinstance(inner[dataset.indices_[0]], tuple | list):
        raise ValueError(
            f"SliceDataset takes the first entry of an item, and {type(inner).__name__} gives bare "
            "samples, of which that is the first channel or feature: return (sample,) there."
        )


def as_source(
    X: Any,
    image_shape: Sequence[int] | None,
    shape_of: Callable[..., tuple[int, ...]] = sample_shape,
) -> BaseSource | None:
    """Return samples that are to be read batch by batch, or None if they are in memory.

    Parameters
    ----------
    X : object
        What the user passed.
    image_shape : sequence of int or None
        ``(n_channels, height, width)``, if known.
    shape_of : callable, default=sample_shape
        From the shape of all items, and `image_shape`, to that of a sample.

    Returns
    -------
    source : BaseSource or None
        Of a torch Dataset, or of a data frame with one column of paths.
    """
    if X is None or isinstance(X, BaseSource):
        return X
    if isinstance(X, Dataset | SliceDataset):
        return _DatasetSamples(X, image_shape, shape_of)
    if holds_paths(X):
        shape = check_file_shape(image_shape, str(X.iloc[0, 0]))
        return _ImageFiles(check_paths(X), shape)
    refuse_text_elsewhere(X)
    return None


@contextmanager
def seeded_reading(seed: int) -> Iterator[None]:
    """Seed what a Dataset may draw from, on the CPU, for the block, and put it back.

    Parameters
    ----------
    seed : int
        The seed.

    Yields
    ------
    None
        Nothing.
    """
    with seeded(seed, torch.device("cpu")):
        states = random.getstate(), np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


class _StoredDataset(_ArrayDataset):
    """Samples read batch by batch; what comes with them is in memory, as tensors.

    What a Dataset draws depends on ``seed`` and the number of the batch alone, not on who reads it.

    Parameters
    ----------
    X : BaseSource
        The samples.
    y : ndarray of shape (n_samples, ...), default=None
        The targets; None, for prediction, puts zeros there.
    n_workers : int, default=0
        Processes that read ahead until `close`; with 0 the caller reads.
    **inputs : ndarray of shape (n_samples, ...) or None
        As of `_ArrayDataset`.
    """

    def __init__(
        self,
        X: BaseSource,
        y: NDArray[Any] | None = None,
        *,
        n_workers: int = 0,
        **inputs: NDArray[Any] | None,
    ) -> None:
        super().__init__(np.arange(len(X)), y, **inputs)  # numbers stand for samples until read
        self.source = X
        # A worker process of a parallel search starts none of its own.
        self.n_workers = 0 if multiprocessing.parent_process() is not None else n_workers
        self._n_read = 0
        self._jobs: list[tuple[int, slice | Tensor]] = []
        self._loader: DataLoader | None = None
        self._reading: Iterator[Batch | _Complaint] = iter(())

    def __getitem__(self, index: int | slice | Tensor) -> Batch:
        inputs, y = super().__getitem__(index)
        rows = inputs["X"]
        X = self.source.read(rows.reshape(-1))
        return {**inputs, "X": X.reshape(*rows.shape, *self.source.sample_shape)}, y

    def read(self, job: tuple[int, slice | Tensor]) -> Batch:
        """Return a batch.

        Parameters
        ----------
        job : tuple of (int, slice or Tensor)
            Number of the batch among all so far, and its rows.

        Returns
        -------
        batch : tuple of (dict, Tensor)
            Inputs and targets.
        """
        number, rows = job
        (seed,) = np.random.SeedSequence((self.seed or 0, number)).generate_state(1).tolist()
        with seeded_reading(seed):
            return self[rows]

    def batches(self, rows: Iterable[slice | Tensor]) -> Iterator[Batch]:
        """Yield the batches of a pass.

        Parameters
        ----------
        rows : iterable of slice or Tensor
            The row numbers of each batch.

        Yields
        ------
        batch : tuple of (dict, Tensor)
            Inputs and targets.
        """
        jobs = enumerate(rows, 0 if self.seed is None else self._n_read)
        if self.n_workers == 0:
            for job in jobs:
                self._n_read += 1
                yield self.read(job)
            return
        self._jobs[:] = jobs
        self._n_read += len(self._jobs)
        self._start()
        while (batch := next(self._reading, None)) is not None:
            if isinstance(batch, _Complaint):
                batch.utter()
            yield batch

    def _start(self) -> None:
        """Let the workers read what is in ``_jobs``."""
        if self._loader is None:
            self._loader = DataLoader(
                _ReadInWorkers(self),
                batch_size=None,
                sampler=self._jobs,
                collate_fn=_as_it_is,
                num_workers=self.n_workers,
                persistent_workers=True,
                generator=torch.Generator(),  # torch's own is the net's
            )
        # A forked worker inherits the lock, so that it must be free, or held by this thread.
        with _TURNS, warnings.catch_warnings():
            # Forked, a worker reads on one thread.
            warnings.filterwarnings("ignore", ".*use of fork\\(\\)", DeprecationWarning)
            self._reading = iter(self._loader)

    def close(self) -> None:
        """End the worker processes."""
        self._reading, self._loader = iter(()), None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loader": None, "_reading": iter(())}


def _as_it_is(batch: Any) -> Any:
    return batch


class _Complaint:
    """An error of a worker process, as text: not every error can be pickled.

    Parameters
    ----------
    error : Exception
        The error.
    """

    def __init__(self, error: Exception) -> None:
        self.sentence = str(error) if isinstance(error, ValueError) else None
        self.trace = "".join(traceback.format_exception(error))

    def utter(self) -> NoReturn:
        """Raise it in this process.

        Raises
        ------
        ValueError
            What was a ValueError, word for word.
        RuntimeError
            What was another, with its traceback.
        """
        if self.sentence is not None:
            raise ValueError(self.sentence)
        raise RuntimeError(f"A worker process that reads X failed:\n{self.trace}")


class _ReadInWorkers(Dataset):
    """What a worker process holds: a stored dataset whose complaints come back as they are.

    Parameters
    ----------
    dataset : _StoredDataset
        What to read.
    """

    def __init__(self, dataset: _StoredDataset) -> None:
        self.dataset = dataset

    def __getitem__(self, job: tuple[int, slice | Tensor]) -> Batch | _Complaint:
        try:
            return self.dataset.read(job)
        except Exception as error:  # noqa: BLE001
            return _Complaint(error)
