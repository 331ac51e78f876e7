"""From what users hold to batches: shapes of samples, tensors, and batches sliced from them.

A batch is ``({"X": ..., "sample_weight": ...}, y)``: the inputs by name, of which all but ``X`` are
left out where there are none, and the targets.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

Batch: TypeAlias = tuple[dict[str, Tensor], Tensor]


def n_dimensions(X: Any) -> int:
    """Return the number of dimensions of any container, without what numpy would dispatch to it.

    Parameters
    ----------
    X : array-like
        An array, data frame, sparse matrix, nested list, or what converts to an array.

    Returns
    -------
    n_dimensions : int
        2 for a table.
    """
    return X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim


def stack_images(X: Any) -> Any:
    """Return a list of images as one array; anything else as it is.

    Parameters
    ----------
    X : array-like, or sequence of array-likes
        What the user passed.

    Returns
    -------
    X : array-like
        An array if it was a sequence of images.

    Raises
    ------
    ValueError
        If the images have different shapes, or are among what else the items of a Dataset hold.
    """
    if not isinstance(X, list | tuple) or not X:
        return X
    if isinstance(X[0], tuple) and len({np.shape(part) for part in X[0]}) > 1:
        raise ValueError(
            f"X is a list of tuples of {len(X[0])} parts, such as scikit-learn makes of a torch "
            "Dataset when it splits rows, which reads them all: pass "
            "skorch.helper.SliceDataset(dataset), which is split without being read."
        )
    if n_dimensions(X[0]) < 2:
        return X
    shapes = {np.shape(image) for image in X}
    if len(shapes) > 1:
        raise ValueError(
            f"X holds images of {len(shapes)} different shapes, such as "
            f"{' and '.join(map(str, sorted(shapes)[:2]))}: resize or crop them to one shape."
        )
    return np.stack([np.asarray(image) for image in X])


def flat_shape(
    n_values: int, stated: Sequence[int] | None, *, thing: str = "image"
) -> tuple[int, ...]:
    """Return the shape of a sample that is a flat row.

    Parameters
    ----------
    n_values : int
        Values in a row.
    stated : sequence of int or None
        What rows are read as; None for rows of a table.
    thing : str, default="image"
        What messages call it.

    Returns
    -------
    shape : tuple of int
        As stated, or ``(n_features,)``.

    Raises
    ------
    ValueError
        If rows have other values than stated.
    """
    if stated is None:
        return (n_values,)
    if n_values != math.prod(stated):
        raise ValueError(
            f"X has rows of {n_values} values, and {thing}s of shape {tuple(stated)} have "
            f"{math.prod(stated)}: pass one flattened {thing} per row."
        )
    return tuple(stated)


def sample_shape(
    X_shape: Sequence[int], image_shape: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Return the shape of one sample: (n_features,) of a table, (c, h, w) of images.

    Parameters
    ----------
    X_shape : sequence of int
        Shape of the array: (n, n_features), (n, h, w) or (n, c, h, w).
    image_shape : sequence of int or None
        ``(n_channels, height, width)`` that the images have, or that flat rows are read as.

    Returns
    -------
    shape : tuple of int
        The shape of one sample.

    Raises
    ------
    ValueError
        If the array has another number of dimensions, or other images than stated.
    """
    found = tuple(X_shape[1:])
    if len(found) == 1:
        return flat_shape(found[0], image_shape)
    if len(found) not in (2, 3):
        raise ValueError(
            f"X has shape {tuple(X_shape)}: pass images (n, channels, height, width) or "
            "(n, height, width), flat rows with image_shape, or a table (n, n_features)."
        )
    found = (1, *found) if len(found) == 2 else found
    if 0 in found:
        raise ValueError(f"X holds images of shape {found}, that is without a pixel.")
    if image_shape is not None and found != tuple(image_shape):
        channels_last = (found[2], *found[:2]) == tuple(image_shape)
        raise ValueError(
            f"X holds images of shape {found}, and (channels, height, width) = "
            f"{tuple(image_shape)} is expected: "
            + (
                "move the channels first with np.moveaxis(X, -1, 1)."
                if channels_last
                else "convert the images, or fit again on such images."
            )
        )
    return found


def check_channels_first(shape: Sequence[int]) -> None:
    """Refuse what is plainly an image, or a clip, with its channels last.

    That is: 1, 3 or 4 along the last axis, more along the two before it, and more than 4 along the
    axis of the channels.

    Parameters
    ----------
    shape : sequence of int
        What is read as (n_channels, height, width), as that after (n_frames,), or as (n_features,),
        which always passes.

    Raises
    ------
    ValueError
        If the channels are last.
    """
    if len(shape) < 3:
        return
    image = tuple(shape[-3:])
    if image[2] in (1, 3, 4) and image[0] > 4 and image[1] > image[2]:
        things, axis, name = (
            ("images", 1, "image_shape") if len(shape) == 3 else ("frames", 2, "clip_shape")
        )
        raise ValueError(
            f"X holds {things} of shape {image}, and (channels, height, width) is expected: move "
            f"the channels first with np.moveaxis(X, -1, {axis}), or, if these are {things} of "
            f"{image[0]} channels, set {name}={tuple(shape)}."
        )


def check_pixel_kind(dtype: DTypeLike, fitted_dtype: DTypeLike) -> None:
    """Refuse images that are scaled where those of the fit were not, or the other way round.

    Parameters
    ----------
    dtype, fitted_dtype : dtype
        Of the images now, and of those fitted on: uint8, which is scaled by 1/255, or another,
        which is not.

    Raises
    ------
    ValueError
        If one is uint8 and the other is not.
    """
    now, then = (np.dtype(kind) == np.uint8 for kind in (dtype, fitted_dtype))
    if now and not then:
        raise ValueError(
            "X holds uint8 images, which are scaled by 1/255, and the fit saw numbers of another "
            "type, which are taken as they are: convert X to what was fitted on, by "
            "X.astype(np.float32) / 255 if that was scaled to [0, 1], by X.astype(np.float32) if "
            "not."
        )
    if then and not now:
        raise ValueError(
            "X holds images that are not uint8, and the fit saw uint8 images, which are scaled by "
            "1/255: convert X to uint8 pixels of 0 to 255, or fit again on "
            "X.astype(np.float32) / 255, which equals that scaling."
        )


def as_tensor(array: NDArray[Any]) -> Tensor:
    """Return an array as a tensor that shares its memory where torch can.

    Parameters
    ----------
    array : ndarray
        Any array; one that joblib mapped read-only is copied, as torch takes no such memory.

    Returns
    -------
    tensor : Tensor
        The same values.
    """
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


class _ArrayDataset(Dataset):
    """Samples, targets and more per row as tensors; an index may be a number, a slice or many.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        The samples.
    y : ndarray of shape (n_samples, ...), default=None
        The targets; None, for prediction, puts zeros there.
    **inputs : ndarray of shape (n_samples, ...) or None
        What else comes with every row, such as ``sample_weight``. None is left out; float64 becomes
        float32.

    Attributes
    ----------
    inputs : dict of str to Tensor
        ``X`` and the others.
    seed : int or None
        Of what is drawn while samples are read, if anything is; None draws alike in every pass.
    """

    seed: int | None = None

    def __init__(
        self,
        X: NDArray[Any],
        y: NDArray[Any] | None = None,
        **inputs: NDArray[Any] | None,
    ) -> None:
        self.inputs = {"X": as_tensor(X)}
        for name, values in inputs.items():
            if values is not None:
                single = values.dtype == np.float64
                self.inputs[name] = as_tensor(values.astype(np.float32) if single else values)
        self.y = torch.zeros(len(X), dtype=torch.int64) if y is None else as_tensor(y)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int | slice | Tensor) -> Batch:
        return {name: values[index] for name, values in self.inputs.items()}, self.y[index]

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
        return map(self.__getitem__, rows)

    def close(self) -> None:
        """Do nothing; a dataset that reads in worker processes ends them."""


class _SlicedBatches:
    """Batches of a dataset's rows, several times faster than one item at a time.

    In a shuffled pass a last batch of one row joins the one before it: batch normalisation cannot
    learn from one row.

    Parameters
    ----------
    dataset : _ArrayDataset
        The samples.
    batch_size : int
        Rows in a batch.
    shuffle : bool, default=False
        Whether every pass has its own order, drawn from torch's generator.
    batch_sampler : iterable of Tensor, default=None
        Gives the row numbers of each batch in place of the two above.
    """

    def __init__(
        self,
        dataset: _ArrayDataset,
        batch_size: int,
        shuffle: bool = False,
        batch_sampler: Sampler[Tensor] | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.batch_sampler = batch_sampler

    def _starts(self) -> list[int]:
        n_samples = len(self.dataset)
        starts = list(range(0, n_samples, self.batch_size))
        if self.shuffle and len(starts) > 1 and starts[-1] == n_samples - 1:
            starts.pop()
        return starts

    def __len__(self) -> int:
        return len(self._starts() if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Batch]:
        return self.dataset.batches(
            self._rows() if self.batch_sampler is None else self.batch_sampler
        )

    def _rows(self) -> Iterator[slice | Tensor]:
        starts = self._starts()
        stops = [*starts[1:], len(self.dataset)]
        order = torch.randperm(len(self.dataset)) if self.shuffle else None
        for start, stop in zip(starts, stops, strict=True):
            rows = slice(start, stop)
            yield rows if order is None else order[rows]
