"""From what users hold to clips: one padded array (n, t, c, h, w), and the length of each clip.

Padding is 0 and lies at the ends. Lengths are None where every clip fills the array.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._data import flat_shape

CLIPS_WANTED = (
    "pass clips (n, n_frames, channels, height, width) or (n, n_frames, height, width), a list of "
    "clips of different lengths, flat rows with clip_shape, or a table (n, n_features)."
)


def is_list_of_clips(X: Any) -> bool:
    """Return whether something holds one array per clip, so that their lengths may differ.

    Parameters
    ----------
    X : object
        What the user passed.

    Returns
    -------
    is_list : bool
        True for a list, a tuple or an object array of arrays of more than one dimension.
    """
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and np.ndim(X[0]) > 1
    return isinstance(X, list | tuple) and len(X) > 0 and np.ndim(X[0]) > 1


def is_bare_clip(X_shape: Sequence[int], fitted_shape: Sequence[int]) -> bool:
    """Return whether an array could be one of the clips fitted on, without an axis for samples.

    Parameters
    ----------
    X_shape : sequence of int
        Shape of an array.
    fitted_shape : sequence of int
        Shape of a sample of the fit.

    Returns
    -------
    is_bare : bool
        Whether it is (n_frames, c, h, w) of frames like those. After a fit on clips of a single
        grey frame such an array holds more of these.
    """
    return (
        len(X_shape) == len(fitted_shape) == 4
        and tuple(X_shape[1:]) == tuple(fitted_shape[1:])
        and tuple(fitted_shape[:2]) != (1, 1)
    )


def pad_clips(clips: Sequence[ArrayLike]) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Return clips as one array that is padded by zeros, and their lengths.

    Parameters
    ----------
    clips : sequence of array-like of shape (n_frames, c, h, w) or (n_frames, h, w)
        The clips.

    Returns
    -------
    X : ndarray of shape (n_samples, n_frames, c, h, w)
        Of type uint8 if all clips are, else float32.
    lengths : ndarray of shape (n_samples,) or None
        Number of frames of each clip; None if all are equal.

    Raises
    ------
    ValueError
        If a clip has no frame or another number of dimensions, the frames have different shapes, or
        some clips are uint8 and others are not.
    """
    arrays = [np.asarray(clip) for clip in clips]
    wrong = next((a.shape for a in arrays if a.ndim not in (3, 4) or len(a) == 0), None)
    if wrong is not None:
        raise ValueError(
            f"X holds a clip of shape {wrong}: every clip needs a frame at least, and the shape "
            "(n_frames, channels, height, width) or (n_frames, height, width)."
        )
    arrays = [a[:, None] if a.ndim == 3 else a for a in arrays]
    shapes = {a.shape[1:] for a in arrays}
    if len(shapes) > 1:
        raise ValueError(
            f"X holds frames of {len(shapes)} different shapes, such as "
            f"{' and '.join(map(str, sorted(shapes)[:2]))}: resize or crop them to one shape."
        )
    n_uint8 = sum(a.dtype == np.uint8 for a in arrays)
    if 0 < n_uint8 < len(arrays):
        raise ValueError(
            f"{n_uint8} of {len(arrays)} clips are uint8, which is scaled by 1/255, and the others "
            "are taken as they are: convert all to one of the two."
        )
    lengths = np.array([len(a) for a in arrays])
    dtype = np.uint8 if n_uint8 else np.float32
    X = np.zeros((len(arrays), lengths.max(), *shapes.pop()), dtype=dtype)
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite later
        for padded, array in zip(X, arrays, strict=True):
            padded[: len(array)] = array
    return X, lengths if lengths.min() < lengths.max() else None


def check_lengths(lengths: ArrayLike, *, n_samples: int, n_frames: int) -> NDArray[np.int64] | None:
    """Return the lengths of clips that lie in one array.

    Parameters
    ----------
    lengths : array-like of shape (n_samples,)
        Number of frames of each clip.
    n_samples, n_frames : int
        Number of clips, and of frames that the array has for each.

    Returns
    -------
    lengths : ndarray of shape (n_samples,) or None
        The same; None if all frames of all clips exist.

    Raises
    ------
    ValueError
        If they are not one whole number from 1 to `n_frames` per clip.
    """
    found = np.asarray(lengths)
    if found.shape != (n_samples,):
        raise ValueError(
            f"lengths has shape {found.shape}, and there are {n_samples} clips: pass one number of "
            "frames per clip."
        )
    whole = found.astype(np.int64) if found.dtype.kind in "iuf" else None
    if whole is None or not np.array_equal(whole, found):
        raise ValueError(
            f"lengths holds {found[:3].tolist()}...: pass whole numbers, the frames of each clip."
        )
    if whole.min() < 1 or whole.max() > n_frames:
        raise ValueError(
            f"lengths lie between {whole.min()} and {whole.max()}, and the clips have {n_frames} "
            f"frames: pass between 1 and {n_frames} for every clip."
        )
    return None if whole.min() == n_frames else whole


def clear_padding(X: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[Any]:
    """Return clips whose padding is 0, the same array if it is so already.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, ...)
        Clips; what lies beyond their lengths may be anything, NaN too.
    lengths : ndarray of shape (n_samples,)
        Number of frames of each clip.

    Returns
    -------
    X : ndarray of shape (n_samples, n_frames, ...)
        The clips.
    """
    padding = np.arange(X.shape[1]) >= lengths[:, None]
    if not X[padding].any():  # NaN is true
        return X
    X = X.copy()
    X[padding] = 0
    return X


def clip_shape_of(
    X_shape: Sequence[int], clip_shape: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Return the shape of one sample: (n_features,) of a table, (t, c, h, w) of clips.

    Parameters
    ----------
    X_shape : sequence of int
        Shape of the array: (n, n_features), (n, t, h, w) or (n, t, c, h, w).
    clip_shape : sequence of int or None
        ``(n_frames, n_channels, height, width)`` that flat rows are read as; clips have its frames,
        and may have another number of them.

    Returns
    -------
    shape : tuple of int
        The shape of one sample.

    Raises
    ------
    ValueError
        If the array has another number of dimensions, or other frames than stated.
    """
    found = tuple(X_shape[1:])
    if len(found) == 1:
        return flat_shape(found[0], clip_shape, thing="clip")
    if len(found) not in (3, 4):
        raise ValueError(f"X has shape {tuple(X_shape)}: {CLIPS_WANTED}")
    found = (found[0], 1, *found[1:]) if len(found) == 3 else found
    if 0 in found:
        raise ValueError(f"X holds clips of shape {found}, that is without a frame or a pixel.")
    if clip_shape is not None and found[1:] != tuple(clip_shape[1:]):
        channels_last = (found[3], *found[1:3]) == tuple(clip_shape[1:])
        raise ValueError(
            f"X holds frames of shape {found[1:]}, and (channels, height, width) = "
            f"{tuple(clip_shape[1:])} is expected: "
            + (
                "move the channels before them with np.moveaxis(X, -1, 2)."
                if channels_last
                else "convert the clips, or fit again on such clips."
            )
        )
    return found
