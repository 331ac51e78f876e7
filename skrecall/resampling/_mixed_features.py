"""Numeric and categorical columns in one table: distances between rows, and rows between two.

Two different categories are as far apart as the median standard deviation of the numeric columns,
as in SMOTE-NC [1]_: a one-hot column of half that square each.

References
----------
.. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic minority
   over-sampling technique", Journal of Artificial Intelligence Research 16, 2002, section 6.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, hstack, issparse, vstack
from sklearn.utils import check_array
from sklearn.utils.sparsefuncs import mean_variance_axis

from skrecall.utils._blocks import row_blocks
from skrecall.utils._sklearn import Interval, StrOptions, _get_column_indices, _safe_indexing

from ._multilabel import BaseMultilabelSampler
from ._neighbors import NEIGHBORS_CONSTRAINT


def round_to(values: NDArray, dtype: np.dtype) -> NDArray:
    """Return real numbers in a type, rounded and clipped to its range if that holds integers.

    Parameters
    ----------
    values : ndarray
        Real numbers.
    dtype : dtype
        Of a float, integer or bool.

    Returns
    -------
    values : ndarray
        Of that type; ``True`` above one half.
    """
    if dtype.kind not in "iub":
        return values.astype(dtype, copy=False)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    largest = values.dtype.type(high)
    if int(largest) > high:  # a float has no 2**63 - 1, and 2**63 is beyond int64
        largest = np.nextafter(largest, values.dtype.type(low))
    return np.rint(np.clip(values, low, largest)).astype(dtype)


def most_frequent_neighbor(codes: NDArray, neighbors: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return, for each row and column, a neighbour whose category most of them share.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_columns)
        Categories as integers.
    neighbors : ndarray of shape (n_queries, n_neighbors)
        Indices of rows of `codes`, nearest first.

    Returns
    -------
    sources : ndarray of shape (n_queries, n_columns)
        Indices of rows of `codes`; of several categories as frequent, that of the nearest.
    """
    sources = np.empty((len(neighbors), codes.shape[1]), dtype=np.intp)
    for rows in row_blocks(len(neighbors), neighbors.shape[1] ** 2):
        near = neighbors[rows]
        for j, column in enumerate(codes.T):
            found = column[near]
            votes = (found[:, :, np.newaxis] == found[:, np.newaxis]).sum(axis=2)
            sources[rows, j] = near[np.arange(len(near)), votes.argmax(axis=1)]
    return sources


@dataclass(frozen=True, eq=False)
class MixedFeatures:
    """Samples for a sampler that looks for neighbours and makes rows between two.

    Attributes
    ----------
    X : ndarray, DataFrame or sparse of shape (n_samples, n_features)
        Samples as they were given.
    table : ndarray, DataFrame or csr_array of shape (n_samples, n_features)
        The same; a frame if columns may differ in type.
    numeric, categorical : ndarray of shape (n_numeric,) and (n_categorical,)
        Indices of the columns.
    codes : ndarray of shape (n_samples, n_categorical)
        Categories as integers; a missing one is a category of its own.
    category_distance : float
        Between two rows that differ in one category alone.
    matrix : ndarray or csr_array of shape (n_samples, n_encoded)
        Floats whose Euclidean distances are those of the samples: the numeric columns, not copied
        where `X` holds no others, then the scaled one-hot columns.
    """

    X: Any
    table: Any
    numeric: NDArray[np.intp]
    categorical: NDArray[np.intp]
    codes: NDArray[np.int32]
    category_distance: float
    matrix: Any

    def __len__(self) -> int:
        return self.table.shape[0]

    def take(self, rows: NDArray[np.intp]) -> Any:
        """Return rows of the samples in their container.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,)
            Indices of rows.

        Returns
        -------
        X : ndarray, DataFrame or sparse of shape (n_rows, n_features)
            The rows as they are.
        """
        if issparse(self.X):
            return type(self.X)(self.table[rows])
        return _safe_indexing(self.X, rows)

    def append_between(
        self,
        first: NDArray[np.intp],
        second: NDArray[np.intp],
        sources: NDArray[np.intp],
        rng: np.random.RandomState,
        *,
        one_step: bool,
    ) -> tuple[Any, NDArray[np.float64]]:
        """Return the samples and new ones between two of them each, in the container of the first.

        Parameters
        ----------
        first, second : ndarray of shape (n_new,)
            Rows that each new one lies between.
        sources : ndarray of shape (n_new, n_categorical)
            Rows whose categories it has, by categorical column.
        rng : RandomState
            Draws how far each number is moved from the first row to the second, where both differ.
        one_step : bool
            Whether all numbers of a row are moved by the same share.

        Returns
        -------
        X : ndarray, DataFrame or sparse of shape (n_samples + n_new, n_features)
            Numbers in the types of the columns, rounded in those of integers and bool.
        position : ndarray of shape (n_new,)
            Distance to the first row as a share of the sum of both; one half if both are 0.
        """
        squares = np.zeros((2, len(first)))
        for parents, square in zip((first, second), squares, strict=True):
            differ = self.codes[parents] != self.codes[sources, np.arange(sources.shape[1])]
            square += differ.sum(axis=1) * self.category_distance**2
        steps = self._steps(first, second, squares, rng, one_step=one_step)
        X = self._append(steps, sources)
        near, far = np.sqrt(squares)
        total = near + far
        return X, np.divide(near, total, out=np.full(len(first), 0.5), where=total > 0)

    def _steps(
        self,
        first: NDArray[np.intp],
        second: NDArray[np.intp],
        squares: NDArray,
        rng: np.random.RandomState,
        *,
        one_step: bool,
    ) -> Iterator[tuple[slice, Any]]:
        """Yield blocks of new numbers, and add to the squared distances from both parents."""
        for rows in row_blocks(len(first), len(self.numeric), n_cells=2**16):  # ten at once
            start, end = (self.matrix[row[rows]][:, : len(self.numeric)] for row in (first, second))
            if issparse(start):
                change = csr_array(end - start)
                change.eliminate_zeros()
                change.sort_indices()
                size, n_cells = change.data, np.diff(change.indptr)
            else:
                change = end - start
                varies = change != 0
                size, n_cells = change[varies], np.count_nonzero(varies, axis=1)
            if one_step:
                share = np.repeat(rng.uniform(size=len(n_cells)), n_cells)
            else:
                share = rng.uniform(size=len(size))
            owner = np.repeat(np.arange(len(n_cells)), n_cells)
            for square, part in zip(squares, (share, 1 - share), strict=True):
                square[rows] += np.bincount(owner, (part * size) ** 2, minlength=len(n_cells))
            moved = (share * size).astype(size.dtype, copy=False)
            if issparse(start):
                change.data = moved
            else:
                change[varies] = moved
            yield rows, start + change

    def _append(self, steps: Iterator[tuple[slice, Any]], sources: NDArray[np.intp]) -> Any:
        if issparse(self.table):
            return self._append_sparse(steps, sources)
        if isinstance(self.table, pd.DataFrame):
            return self._append_frame(steps, sources)
        n_samples, n_features = self.table.shape
        X = np.empty((n_samples + len(sources), n_features), dtype=self.table.dtype)
        X[:n_samples] = self.table
        new = X[n_samples:]
        for rows, values in steps:
            values = values.toarray() if issparse(values) else values
            new[rows, self.numeric] = round_to(values, X.dtype)
        for j, column in enumerate(self.categorical):
            new[:, column] = self.table[sources[:, j], column]
        return X

    def _append_sparse(self, steps: Iterator[tuple[slice, Any]], sources: NDArray[np.intp]) -> Any:
        table = self.table
        blocks = []
        for _, values in steps:
            values.data = round_to(values.data, table.dtype)
            values.eliminate_zeros()
            blocks.append(values)
        new = vstack(blocks, format="csr") if blocks else table[:0]
        if len(self.categorical):
            cells = [
                csr_array(_column(table, column)[sources[:, [j]]])
                for j, column in enumerate(self.categorical)
            ]
            order = np.argsort(np.concatenate([self.numeric, self.categorical]))
            new = hstack([new[:, : len(self.numeric)], *cells], format="csr")[:, order]
        return type(self.X)(vstack([table, new], format="csr", dtype=table.dtype))

    def _append_frame(self, steps: Iterator[tuple[slice, Any]], sources: NDArray[np.intp]) -> Any:
        table = self.table
        numbers = np.empty((len(sources), len(self.numeric)), dtype=self.matrix.dtype)
        for rows, values in steps:
            numbers[rows] = values.toarray() if issparse(values) else values
        columns: list[Any] = [None] * table.shape[1]
        for j, column in enumerate(self.numeric):
            dtype = table.dtypes.iloc[column]
            inner = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
            rounded = round_to(numbers[:, j], np.dtype(inner))
            columns[column] = pd.Series(rounded).astype(dtype)
        for j, column in enumerate(self.categorical):
            columns[column] = table.iloc[sources[:, j], column].reset_index(drop=True)
        new = pd.concat(columns, axis=1)
        new.columns = table.columns
        if not isinstance(self.X, pd.DataFrame):
            return np.concatenate([self.X, new.to_numpy(dtype=object).astype(self.X.dtype)])
        return pd.concat([table, new], ignore_index=True)


def as_mixed_features(X: Any, categorical_features: Any = None) -> MixedFeatures:
    """Return samples with what their distances need.

    Parameters
    ----------
    X : ndarray, DataFrame or sparse of shape (n_samples, n_features)
        Samples.
    categorical_features : "auto", array-like or None
        Names, indices or mask of categorical columns; "auto" for those of a DataFrame that are no
        numbers, or bool.

    Returns
    -------
    features : MixedFeatures
        The samples.

    Raises
    ------
    ValueError
        If a column that is not said to be categorical holds no numbers, NaN or infinity.
    """
    table = _as_table(X)
    categorical = _find_categorical(X, table, categorical_features)
    numeric = np.setdiff1d(np.arange(table.shape[1]), categorical)
    numbers = _numbers(table, numeric)
    _check_finite(X, numbers, numeric)
    codes = np.empty((table.shape[0], len(categorical)), dtype=np.int32)
    if len(categorical) == 0:
        return MixedFeatures(X, table, numeric, categorical, codes, 0.0, numbers)
    for j, column in enumerate(categorical):
        codes[:, j] = pd.factorize(_column(table, column), use_na_sentinel=False)[0]
    spread = _standard_deviations(numbers)
    spread = spread[spread > 0]
    distance = float(np.median(spread)) if len(spread) else 1.0
    matrix = _with_one_hot(numbers, codes, distance / np.sqrt(2))
    return MixedFeatures(X, table, numeric, categorical, codes, distance, matrix)


def _as_table(X: Any) -> Any:
    """Return a frame if columns may differ in type, else an array of numbers."""
    if isinstance(X, pd.DataFrame):
        return X
    if issparse(X):
        return csr_array(check_array(X, accept_sparse=True, ensure_all_finite=False))
    if X.dtype.kind in "OUS":
        return pd.DataFrame(X).infer_objects()
    return check_array(X, dtype=None, ensure_all_finite=False)


def _find_categorical(X: Any, table: Any, categorical_features: Any) -> NDArray[np.intp]:
    if isinstance(categorical_features, str):
        if not isinstance(X, pd.DataFrame):
            raise ValueError(
                "categorical_features='auto' reads the types of the columns of a DataFrame, and X "
                f"is of type {type(X).__name__}: give the indices of the columns."
            )
        return np.flatnonzero([not _is_number(t) or _is_bool(t) for t in table.dtypes])
    given = [] if categorical_features is None else np.asarray(categorical_features).tolist()
    categorical = np.unique(np.asarray(_get_column_indices(X, given), dtype=np.intp))
    if isinstance(table, pd.DataFrame):
        is_text = np.array([not _is_number(dtype) for dtype in table.dtypes], dtype=bool)
        is_text[categorical] = False
        if is_text.any():
            names, kinds = table.columns[is_text], sorted(set(table.dtypes[is_text].map(str)))
            auto = ", or set it to 'auto'" if isinstance(X, pd.DataFrame) else ""
            raise ValueError(
                f"{len(names)} column{'s' * (len(names) > 1)} of X "
                f"hold{'s' * (len(names) == 1)} no numbers, {names[:5].tolist()}"
                f"{'...' * (len(names) > 5)} of type {', '.join(kinds)}, and distances and values "
                f"between two rows need some: name the columns in categorical_features{auto}."
            )
    return categorical


def _numbers(table: Any, numeric: NDArray[np.intp]) -> Any:
    """Return the numeric columns as floats; float32 stays."""
    if isinstance(table, pd.DataFrame):
        kinds = table.dtypes.iloc[numeric]
        single = len(kinds) > 0 and all(kind == np.float32 for kind in kinds)
        dtype = np.float32 if single else np.float64
        return table.iloc[:, numeric].to_numpy(dtype=dtype, na_value=np.nan)
    numbers = table[:, numeric] if len(numeric) < table.shape[1] else table
    return numbers.astype(np.result_type(numbers.dtype, np.float32), copy=False)


def _check_finite(X: Any, numbers: Any, numeric: NDArray[np.intp]) -> None:
    data = numbers.data if issparse(numbers) else numbers
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(data.sum()) or (is_finite := np.isfinite(data)).all():
            return
    found = "NaN" if np.isnan(data).any() else "infinity"
    columns = numbers.indices[~is_finite] if issparse(numbers) else np.nonzero(~is_finite)[1]
    columns = numeric[np.unique(columns)]
    names: Any = X.columns[columns] if isinstance(X, pd.DataFrame) else columns
    raise ValueError(
        f"Input X contains {found}: {np.sum(~is_finite)} values in {len(names)} columns, "
        f"{names[:5].tolist()}{'...' * (len(names) > 5)}. Distances between rows need numbers: "
        "impute them in a step before, such as sklearn.impute.SimpleImputer."
    )


def _column(table: Any, column: int) -> Any:
    if isinstance(table, pd.DataFrame):
        return table.iloc[:, column]
    return table[:, [column]].toarray()[:, 0] if issparse(table) else table[:, column]


def _with_one_hot(numbers: Any, codes: NDArray[np.int32], value: float) -> Any:
    """Return numbers and the one-hot columns of categories; sparse where these are many."""
    n_samples, n_categorical = codes.shape
    n_values = codes.max(axis=0, initial=-1).astype(np.intp) + 1
    cells = codes + np.append(0, np.cumsum(n_values)[:-1])
    one_hot = csr_array(
        (
            np.full(cells.size, value, dtype=numbers.dtype),
            cells.ravel(),
            np.arange(n_samples + 1) * n_categorical,
        ),
        shape=(n_samples, n_values.sum()),
    )
    if issparse(numbers) or n_values.sum() > 2 * (numbers.shape[1] + n_categorical):
        return csr_array(hstack([csr_array(numbers), one_hot], format="csr"))
    return np.hstack([numbers, one_hot.toarray()])


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype)


def _is_bool(dtype: Any) -> bool:
    return pd.api.types.is_bool_dtype(dtype)


def _standard_deviations(numbers: Any) -> NDArray[np.float64]:
    """Return that of each column, without a copy of all."""
    if issparse(numbers):
        return np.sqrt(mean_variance_axis(numbers, axis=0)[1])
    return np.array([column.std(dtype=np.float64) for column in numbers.T])


class BaseMultilabelNeighborSampler(BaseMultilabelSampler):
    """A sampler of samples with several labels that looks for neighbours; see `MixedFeatures`.

    Its `_fit_resample` gets a `MixedFeatures` for `X`.
    """

    _parameter_constraints: dict = {
        **BaseMultilabelSampler._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "categorical_features": ["array-like", StrOptions({"auto"}), None],
        "neighbors": NEIGHBORS_CONSTRAINT,
        "n_jobs": [Integral, None],
    }

    n_neighbors: int
    categorical_features: str | Sequence | ArrayLike | None
    neighbors: Any
    n_jobs: int | None

    def _check_X(self, X: Any) -> MixedFeatures:
        if isinstance(X, list | tuple):
            array = np.asarray(X)  # of text alone if some of it is
            X = np.asarray(X, dtype=object) if array.dtype.kind in "US" else array
        n_dimensions = X.ndim if hasattr(X, "ndim") else np.ndim(X)
        if n_dimensions > 2:
            raise ValueError(
                f"X has shape {X.shape}, and {type(self).__name__} looks for neighbours among rows "
                f"of two dimensions: use ArraySampler({type(self).__name__}(...)), which keeps the "
                "shape of images."
            )
        if n_dimensions < 2:
            raise ValueError(
                f"Expected 2D array, got X of shape {np.shape(X)}: {type(self).__name__} looks for "
                "neighbours among rows of numbers. Reshape one feature by X.reshape(-1, 1), and "
                "turn text into features in a step before, such as TfidfVectorizer of "
                "sklearn.feature_extraction.text."
            )
        return as_mixed_features(super()._check_X(X), self.categorical_features)
