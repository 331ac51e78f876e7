"""The text format of the extreme classification repository.

References
----------
.. [1] K. Bhatia, K. Dahiya, H. Jain, P. Kar, A. Mittal, Y. Prabhu, M. Varma, "The extreme
   classification repository: multi-label datasets and code", 2016.
"""

import codecs
import gzip
import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils import Bunch

from skrecall.utils._sklearn import validate_params

_BLOCK = 1 << 26  # bytes of text parsed at once
_SEPARATORS = bytes.maketrans(b",:\r\n", b"    ")


@validate_params(
    {"path": [str, Path], "return_X_y": ["boolean"]}, prefer_skip_nested_validation=True
)
def load_extreme_classification(
    path: str | Path, *, return_X_y: bool = False
) -> Bunch | tuple[Any, Any]:
    """Load a file of the extreme classification repository [1]_.

    The first line has the numbers of samples, features and labels; each line after it is one
    sample, ``label,label feature:value feature:value``, all counted from 0.

    Parameters
    ----------
    path : str or Path
        The file; decompressed on the fly where it ends in ``.gz``.
    return_X_y : bool, default=False
        Whether to return `data` and `target` alone.

    Returns
    -------
    dataset : Bunch
        With attributes

        data : csr_array of shape (n_samples, n_features)
            Features, float64.
        target : csr_array of shape (n_samples, n_labels)
            Indicator, int8.

    Raises
    ------
    ValueError
        If the file is not in the format; the sentence has the number of the line.

    Notes
    -----
    Both arrays stay sparse, with 32-bit indices: 100 million values take 1.2 GB.

    References
    ----------
    .. [1] K. Bhatia, K. Dahiya, H. Jain, P. Kar, A. Mittal, Y. Prabhu, M. Varma, "The extreme
       classification repository: multi-label datasets and code", 2016.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skrecall.datasets import load_extreme_classification
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "train.txt"
    ...     _ = path.write_text("2 4 3\\n0,2 1:0.5 3:2\\n1 0:1\\n")
    ...     tags = load_extreme_classification(path)
    >>> tags.target.toarray()
    array([[1, 0, 1],
           [0, 1, 0]], dtype=int8)
    """
    path = Path(path)
    file: Any
    with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
        n_samples, n_features, n_labels = _header(file, path)
        blocks, n_read = [], 0
        while lines := file.readlines(_BLOCK):
            # an empty line is a sample of nothing, but for those after the last sample
            while lines and n_read + len(lines) > n_samples and not lines[-1].strip():
                lines.pop()
            if lines:
                blocks.append(_parse_block(lines, n_read + 2, n_features, n_labels, path))
                n_read += len(lines)
    if n_read != n_samples:
        raise ValueError(
            f"{path.name} announces {n_samples} samples in its first line, and has {n_read}: it is "
            "cut off, or not in the format."
        )
    columns = [np.concatenate(parts) for parts in zip(*blocks, strict=True)] if blocks else None
    if columns is None:
        raise ValueError(f"{path.name} has no sample.")
    labels, n_labels_of_row, features, values, n_features_of_row = columns
    X = csr_array((values, features, _indptr(n_features_of_row)), shape=(n_samples, n_features))
    ones = np.ones(len(labels), dtype=np.int8)
    Y = csr_array((ones, labels, _indptr(n_labels_of_row)), shape=(n_samples, n_labels))
    X.sum_duplicates()
    Y.sum_duplicates()
    Y.data[:] = 1  # a label that is listed twice
    return (X, Y) if return_X_y else Bunch(data=X, target=Y)


def _header(file: IO[bytes], path: Path) -> tuple[int, int, int]:
    line = file.readline().removeprefix(codecs.BOM_UTF8).split()
    try:
        n_samples, n_features, n_labels = map(int, line)
    except ValueError:
        raise ValueError(
            f"{path.name}, line 1: {b' '.join(line)[:60].decode(errors='replace')!r} is not the "
            "numbers of samples, features and labels."
        ) from None
    return n_samples, n_features, n_labels


def _indptr(counts: NDArray[np.intp]) -> NDArray[np.integer]:
    indptr = np.append(0, np.cumsum(counts))
    return indptr.astype(np.int64 if indptr[-1] >= 2**31 else np.int32)


def _parse_block(
    lines: list[bytes], first_line: int, n_features: int, n_labels: int, path: Path
) -> tuple[NDArray, ...]:
    """Return labels, their count per row, features, values and their count per row."""
    heads = [line.partition(b" ")[0].strip() for line in lines]
    has_labels = [bool(head) and b":" not in head for head in heads]
    label_count = np.array(
        [head.count(b",") + 1 if has else 0 for head, has in zip(heads, has_labels, strict=True)]
    )
    feature_count = np.array([line.count(b":") for line in lines])
    numbers = _numbers(b"".join(lines))
    width = label_count + 2 * feature_count
    if numbers is None or len(numbers) != width.sum():
        bad = next(k for k, line in enumerate(lines) if _is_bad(line, int(width[k])))
        raise _bad_row(lines[bad], first_line + bad, path)
    is_label = np.repeat(
        np.tile([True, False], len(lines)), np.stack([label_count, 2 * feature_count], 1).ravel()
    )
    labels, pairs = numbers[is_label], numbers[~is_label].reshape(-1, 2)
    for found, count, limit, what in (
        (labels, label_count, n_labels, "label"),
        (pairs[:, 0], feature_count, n_features, "feature"),
    ):
        outside = np.flatnonzero((found < 0) | (found >= limit) | (found % 1 != 0))
        if len(outside):
            row = np.searchsorted(np.cumsum(count), outside[0], side="right")
            raise ValueError(
                f"{path.name}, line {first_line + row}: {what} {found[outside[0]]:g} is not one of "
                f"0 to {limit - 1}, of which the first line tells."
            )
    as_index = [labels.astype(np.int32), pairs[:, 0].astype(np.int32)]
    return as_index[0], label_count, as_index[1], pairs[:, 1].copy(), feature_count


def _numbers(text: bytes) -> NDArray[np.float64] | None:
    """Return all numbers of a text in which nothing else is left; None where something is."""
    text = text.translate(_SEPARATORS).strip()
    if not text:
        return np.empty(0)
    with warnings.catch_warnings(action="error"):
        try:
            return np.fromstring(text.decode(errors="replace"), sep=" ")
        except (DeprecationWarning, ValueError):
            return None


def _is_bad(line: bytes, width: int) -> bool:
    numbers = _numbers(line)
    return numbers is None or len(numbers) != width


def _bad_row(line: bytes, number: int, path: Path) -> ValueError:
    return ValueError(
        f"{path.name}, line {number}: {line[:60].decode(errors='replace').rstrip()!r} is not "
        "'label,label feature:value feature:value'."
    )
