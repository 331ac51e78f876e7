"""Rows of any container: taken out, put together, and told apart."""

from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse, vstack
from sklearn.utils import indexable

from ._sklearn import _safe_indexing


def take_rows(X: Any, rows: NDArray[np.intp]) -> Any:
    """Return rows of samples, labels or metadata in their container.

    Parameters
    ----------
    X : array-like, DataFrame, Series or sparse of shape (n_samples, ...), or list of arrays
        What to take from.
    rows : ndarray of shape (n_rows,)
        Indices of rows.

    Returns
    -------
    X : list, ndarray, DataFrame, Series or sparse of shape (n_rows, ...)
        The rows as they are; those of pandas are counted anew.
    """
    taken = _safe_indexing(indexable(X)[0], rows)
    if issparse(X):
        return type(X)(taken)
    return taken.reset_index(drop=True) if hasattr(taken, "reset_index") else taken


def concatenate_rows(parts: list[Any]) -> Any:
    """Return the rows of several containers of one kind in one, in order.

    Parameters
    ----------
    parts : list of array-like, DataFrame, Series or sparse of shape (n_rows, ...)
        One at least; the first says which kind.

    Returns
    -------
    X : list, ndarray, DataFrame, Series or sparse of shape (n_rows, ...)
        All rows; those of pandas are counted anew.
    """
    first = parts[0]
    if issparse(first):
        return type(first)(vstack(parts, format="csr"))
    if hasattr(first, "iloc"):
        return pd.concat(parts, ignore_index=True)
    if isinstance(first, list):
        return [row for part in parts for row in part]
    return np.concatenate(parts)


def holds_arrays(X: Any) -> bool:
    """Return whether each row is an array of its own, whose shape may be another one.

    Parameters
    ----------
    X : object
        Samples in any container.

    Returns
    -------
    holds : bool
        True for a list, a tuple or an array of objects, if its first row is an array, or lists in a
        list.
    """
    is_array = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if not (is_array or isinstance(X, list | tuple)) or len(X) == 0:
        return False
    return isinstance(X[0], np.ndarray) or np.ndim(X[0]) > 1


def row_keys(X: Any) -> NDArray:
    """Return one key per row, equal for equal rows.

    Parameters
    ----------
    X : array-like, DataFrame or sparse of shape (n_samples, ...), or list of arrays
        Samples. Arrays of a list, or of an array of objects, may differ in shape, as clips do.

    Returns
    -------
    keys : ndarray of shape (n_samples,)
        Of a type that can be sorted; the same for two containers of one kind.
    """
    if issparse(X):
        X = csr_array(X)
        X.sum_duplicates()
        directions = np.random.RandomState(0).standard_normal((X.shape[1], 2))
        projected = X.astype(np.float64) @ directions
        return np.ascontiguousarray(projected).view(np.complex128).ravel()
    if hasattr(X, "columns"):
        X = pd.DataFrame(X).copy(deep=False)
        for column, dtype in enumerate(X.dtypes):
            if dtype.kind == "f":  # -0.0 may have another hash than 0.0
                X.isetitem(column, (X.iloc[:, column] + 0.0).array)
        return pd.util.hash_pandas_object(X, index=False).to_numpy()
    if holds_arrays(X):
        return np.frombuffer(b"".join(_digest(np.asarray(row)) for row in X), dtype="V16")
    X = np.asarray(X)
    X = X.reshape(len(X), -1)
    if X.dtype.kind not in "biuf":
        return row_keys(pd.DataFrame(X).astype(str))
    X = np.ascontiguousarray(X, dtype=np.float64) + 0.0  # -0.0 has other bytes
    return X.view(np.dtype((np.void, X.dtype.itemsize * X.shape[1]))).ravel()


def _digest(row: NDArray) -> bytes:
    """Return 16 bytes that are those of rows of equal shape, kind and values only."""
    if row.dtype.kind in "biuf":
        row = np.asarray(row, dtype=np.float64) + 0.0
    elif row.dtype.kind == "O":
        row = row.astype(str)
    head = f"{row.shape} {row.dtype}".encode()
    return blake2b(head + row.tobytes(), digest_size=16).digest()
