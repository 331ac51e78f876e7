"""Image files as samples: a data frame with one column of paths."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrecall.utils._optional import import_optional

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by number of channels


def holds_paths(X: Any) -> bool:
    """Return whether a container is a data frame of one column that holds text or paths.

    Parameters
    ----------
    X : object
        What the user passed.

    Returns
    -------
    holds_paths : bool
        True if its first value is a str or path.
    """
    if not isinstance(X, pd.DataFrame) or X.shape[1] != 1 or len(X) == 0:
        return False
    return isinstance(X.iloc[0, 0], str | os.PathLike)


def refuse_text_elsewhere(X: Any) -> None:
    """Refuse text that may be paths in anything but a data frame of one column.

    Parameters
    ----------
    X : object
        What the user passed.

    Raises
    ------
    ValueError
        If it is a Series, list or array of one dimension that begins with text or a path, or a data
        frame of several columns with such a first row.
    """
    if isinstance(X, pd.DataFrame):
        first = X.iloc[0].tolist() if len(X) > 0 and X.shape[1] > 1 else []
        number = next((k for k, value in enumerate(first) if _is_text(value)), None)
        if number is not None:
            name = X.columns[number]
            raise ValueError(
                f"Column {name!r} of X holds text, such as {str(first[number])!r}, and is one of "
                f"{X.shape[1]}: to read it as paths of image files pass df[[{name!r}]] alone, and "
                "image_shape; for a table encode text as numbers."
            )
        return
    if isinstance(X, np.ndarray | pd.Series):
        example = np.asarray(X).flat[0] if X.ndim == 1 and len(X) > 0 else None
    else:
        example = X[0] if isinstance(X, list | tuple) and X else None
    if _is_text(example):
        raise ValueError(
            f"X is a {type(X).__name__} of text, such as {str(example)!r}: paths of image files "
            "are read from a data frame of one column, so pass df[['path']], or "
            "pd.DataFrame({'path': X}), and image_shape."
        )


def _is_text(value: Any) -> bool:
    """Return whether a value is a path, or a str that is no number."""
    if not isinstance(value, str):
        return isinstance(value, os.PathLike)
    try:
        float(value)
    except ValueError:
        return True
    return False


def check_paths(X: pd.DataFrame) -> NDArray[np.object_]:
    """Return the paths of image files, and see that the files are there.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, 1)
        Paths, as str or path-like.

    Returns
    -------
    paths : ndarray of str of shape (n_samples,)
        The paths.

    Raises
    ------
    ValueError
        If a value is no path.
    FileNotFoundError
        If there is no file at a path.
    """
    column = X.iloc[:, 0].tolist()
    strange = [k for k, path in enumerate(column) if not isinstance(path, str | os.PathLike)]
    if strange:
        raise ValueError(
            f"{len(strange)} of {len(column)} values in column {X.columns[0]!r} are no path of an "
            f"image file, for example {column[strange[0]]!r} in row {strange[0]}: drop these rows."
        )
    paths = [os.fspath(path) for path in column]
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(paths)} image files do not exist, for example "
            f"{missing[0]!r}: paths are read from the working directory unless they are absolute."
        )
    return np.array(paths, dtype=object)


def check_file_shape(image_shape: Sequence[int] | None, example: str) -> tuple[int, ...]:
    """Return the shape that image files are read in.

    Parameters
    ----------
    image_shape : sequence of int or None
        ``(n_channels, height, width)``.
    example : str
        A path to name.

    Returns
    -------
    image_shape : tuple of int
        The same.

    Raises
    ------
    ValueError
        If it is not given, or with a number of channels that no file is decoded into.
    """
    if image_shape is None:
        raise ValueError(
            f"X is one column of text, such as {example!r}: set image_shape=(n_channels, height, "
            "width) to read it as paths of image files, each of which is resized to that."
        )
    if image_shape[0] not in MODES:
        raise ValueError(
            f"image_shape={tuple(image_shape)} has {image_shape[0]} channels, and image files are "
            "read as 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha)."
        )
    return tuple(image_shape)


def read_image(path: str, image_shape: Sequence[int]) -> NDArray[np.uint8]:
    """Return an image file as pixels: upright, in as many channels as asked for, and resized.

    Parameters
    ----------
    path : str
        Where the file is.
    image_shape : sequence of int
        ``(n_channels, height, width)`` to return; what has another height or width is resized,
        with antialiasing.

    Returns
    -------
    image : ndarray of uint8 of shape `image_shape`
        The pixels; those of 16 bits are cut to their upper 8.

    Raises
    ------
    ValueError
        If the file cannot be read, or has pixels of 32 bits; the message names it.
    """
    pillow = import_optional("PIL.Image", purpose="Reading image files")
    turn_upright = import_optional("PIL.ImageOps", purpose="Reading image files").exif_transpose
    n_channels, height, width = image_shape
    try:
        with pillow.open(path) as file:
            image = turn_upright(file)
            image.load()
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise ValueError(
            f"The image file {path!r} cannot be read: {error}. Repair it, or drop its row."
        ) from error
    if image.mode.startswith("I;16"):
        image = pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in {"I", "F"}:
        raise ValueError(
            f"The image file {path!r} has pixels of 32 bits: save it with 8 or 16, or pass a "
            "torch Dataset that scales them."
        )
    image = image.convert(MODES[n_channels])
    if image.size != (width, height):
        image = image.resize((width, height), pillow.Resampling.BILINEAR)
    return np.asarray(image).reshape(height, width, n_channels).transpose(2, 0, 1)
