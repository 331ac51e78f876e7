"""Multi-label targets in any container: an indicator inside, the user's container outside."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import type_of_target

from ._checks import check_training_labels

UNKNOWN = -1  # the value of an unknown label inside; NaN or -1 outside
LEARN_FROM_KNOWN = (
    " BinaryRelevance and MultilabelLogisticRegression of skrecall.multilabel learn from the "
    "labels that are known."
)

_BLOCK = 2**16  # values checked at once

Indicator: TypeAlias = Any  # an int8 ndarray or csc_array of shape (n_samples, n_labels)


@dataclass(frozen=True, eq=False)
class IndicatorContainer:
    """What an indicator came in, to give predictions back in it.

    Attributes
    ----------
    kind : type
        The class of the container.
    label_names : ndarray of shape (n_labels,) or None
        Column names of a DataFrame.
    dtype : dtype
        What predictions are cast to: that of the container where it is integer or boolean.
    classes : ndarray of shape (2,) or None
        The two values of a target of one dimension; None for an indicator.
    """

    kind: Any
    label_names: NDArray[np.object_] | None
    dtype: np.dtype
    classes: NDArray | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether it is a sparse array or matrix."""
        return not issubclass(self.kind, np.ndarray | pd.DataFrame)

    def restore(self, Y: Any, X: Any) -> Any:
        """Return an indicator in the container.

        Parameters
        ----------
        Y : ndarray or csc_array of shape (n_samples, n_labels)
            Indicator.
        X : array-like of shape (n_samples, ...)
            The samples it belongs to; a DataFrame lends its index to another.

        Returns
        -------
        Y : ndarray, DataFrame or sparse of shape (n_samples, n_labels), or ndarray (n_samples,)
            The same indicator.
        """
        if issparse(Y) and not self.is_sparse:
            Y = Y.toarray()
        if self.classes is not None:
            return self.classes[Y[:, 0].astype(np.intp)]
        Y = Y.astype(self.dtype, copy=False)
        if issubclass(self.kind, pd.DataFrame):
            index = X.index if isinstance(X, pd.DataFrame) else None
            return pd.DataFrame(Y, index=index, columns=self.label_names)
        return Y if self.kind is np.ndarray else self.kind(Y)


def is_indicator(y: ArrayLike) -> bool:
    """Return whether a target is a multi-label indicator.

    Parameters
    ----------
    y : array-like or sparse
        Any target.

    Returns
    -------
    is_indicator : bool
        False for labels of one column.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.
    """
    assert_all_finite(y, input_name="y")
    return type_of_target(y, input_name="y") == "multilabel-indicator"


def check_indicator(
    Y: Any,
    *,
    unknown: bool = False,
    accept_sparse: bool = False,
    allow_signs: bool = False,
    if_unknown: str = "",
    name: str = "Y",
) -> tuple[Indicator, IndicatorContainer]:
    """Return an indicator as an array, and what it came in.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        1 where a sample carries the label of the column, else 0.
    unknown : bool, default=False
        Whether -1 and NaN are allowed: the label of that sample is not known.
    accept_sparse : bool, default=False
        Whether a sparse `Y` stays sparse.
    allow_signs : bool, default=False
        Whether 1 and -1 may occur without a 0: in a batch, or where unknown counts as not carried.
    if_unknown : str, default=""
        What the message about NaN ends with.
    name : str, default="Y"
        What the message calls it.

    Returns
    -------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        1 where a sample carries a label, -1 where that is unknown, else 0.
    container : IndicatorContainer
        What to give predictions back in.

    Raises
    ------
    ValueError
        If it has not two dimensions, no label, or a value that is neither 0 nor 1 (nor unknown);
        or if several rows hold 1 and -1 and no 0, unless `allow_signs`: these are hardly unknown.
    """
    refuse_label_lists(Y, name)
    names: NDArray[np.object_] | None = None
    array: Any
    if issparse(Y):
        kind, array = type(Y), csc_array(Y)
        array.sum_duplicates()
        values = array.data
    elif isinstance(Y, pd.DataFrame):
        kind, names = pd.DataFrame, np.asarray(Y.columns, dtype=object)
        values = array = _frame_values(Y)
    else:
        kind = np.ndarray
        values = array = np.asarray(Y)
        if array.dtype == object and array.ndim == 2:  # such as the values of a mixed frame
            values = array = _frame_values(pd.DataFrame(array))
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: an indicator has one row per sample and one column "
            "per label."
        )
    dtype = array.dtype if array.dtype.kind in "iub" else np.dtype(np.int64)
    container = IndicatorContainer(kind, names, dtype)
    n_rows, n_labels = array.shape
    if unknown and not allow_signs and n_rows > 1 and values.size == n_rows * n_labels:
        _refuse_signs(values, name)
    values = _as_int8(values, unknown=unknown, if_unknown=if_unknown, name=name)
    if not issparse(array):
        return values, container
    array = csc_array((values, array.indices, array.indptr), shape=array.shape)
    array.eliminate_zeros()
    return (array if accept_sparse else array.toarray()), container


def refuse_label_lists(Y: Any, name: str) -> None:
    """Refuse a list or set of its labels for each sample, as in scikit-learn long ago.

    Parameters
    ----------
    Y : object
        Any target.
    name : str
        What the message calls it.

    Raises
    ------
    ValueError
        If it holds lists, tuples or sets of several lengths, sets at all, or of words.
    """
    is_column = isinstance(Y, pd.Series | np.ndarray) and Y.ndim == 1 and Y.dtype == object
    if not is_column and not isinstance(Y, list | tuple):
        return
    rows = [row for row in Y if isinstance(row, list | tuple | set | frozenset)]
    is_table = not is_column and len({len(row) for row in rows}) <= 1
    if rows and not (is_table and isinstance(rows[0], list | tuple) and _holds_no_word(rows[0])):
        raise ValueError(
            f"{name} holds a list or set of labels for each sample, such as {rows[0]!r}: an "
            "indicator has one column per label. Use "
            "sklearn.preprocessing.MultiLabelBinarizer().fit_transform to convert it."
        )


def _holds_no_word(row: Sequence) -> bool:
    return not any(isinstance(value, str) for value in row)


def _frame_values(Y: pd.DataFrame) -> NDArray:
    values = Y.to_numpy()
    if values.dtype != object:
        return values
    try:
        return Y.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return values


def _refuse_signs(values: NDArray, name: str) -> None:
    """Raise where all labels are 1, -1 or NaN, and the first two occur."""
    if values.dtype.kind not in "if" or not values.all():  # all is fast, as a 0 comes soon
        return
    if (values == 1).any() and (values == UNKNOWN).any():
        raise ValueError(
            f"{name} holds 1 and -1 and no 0: -1 means unknown here. Pass ({name} == 1) if -1 "
            "means that the sample does not carry the label, or NaN in the place of -1 if it is "
            "unknown."
        )


def _as_int8(values: NDArray, *, unknown: bool, if_unknown: str, name: str) -> NDArray[np.int8]:
    """Return labels as int8, unknown ones as -1; in blocks, which take the memory of none."""
    if values.dtype.kind == "b":
        return values.astype(np.int8)
    if values.dtype.kind not in "iuf":
        raise _no_indicator(values, values, unknown=unknown, if_unknown=if_unknown, name=name)
    labels, least = np.empty_like(values, dtype=np.int8), UNKNOWN if unknown else 0
    n_rows = max(1, _BLOCK * len(values) // max(1, values.size))
    for start in range(0, len(values), n_rows):
        block = given = values[start : start + n_rows]
        if unknown and values.dtype.kind == "f":
            given = np.where(np.isnan(block), UNKNOWN, block)
        with np.errstate(invalid="ignore"):  # what is no int8 differs from its cast
            cast = given.astype(np.int8)
        if not np.array_equal(cast, given) or cast.min() < least or cast.max() > 1:
            raise _no_indicator(values, given, unknown=unknown, if_unknown=if_unknown, name=name)
        labels[start : start + n_rows] = cast
    return labels


def _no_indicator(
    values: NDArray, block: NDArray, *, unknown: bool, if_unknown: str, name: str
) -> ValueError:
    """Return what to raise about values of which a block holds some that are no labels."""
    if not unknown and values.dtype.kind == "f" and np.isnan(values).any():
        return ValueError(
            f"{name} contains NaN: {np.isnan(values).sum()} of {values.size} labels are unknown, "
            f"which is not supported here.{if_unknown}"
        )
    allowed = [0, 1, UNKNOWN] if unknown else [0, 1]
    strange = [v for v in dict.fromkeys(block.ravel().tolist()) if v not in allowed]
    more = ", or -1 or NaN where that is unknown" if unknown else ""
    return ValueError(
        f"{name} holds {strange[:3]}: an indicator is 1 where a sample carries the label of the "
        f"column, else 0{more}."
    )


def check_multilabel_target(
    y: Any,
    *,
    unknown: bool = False,
    accept_sparse: bool = False,
    allow_signs: bool = False,
    classes: ArrayLike | None = None,
) -> tuple[Indicator, IndicatorContainer]:
    """Return the target of a multi-label classifier as an indicator, and what it came in.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels), DataFrame or sparse
        An indicator; one dimension of two classes is one label, the second class being 1.
    unknown, accept_sparse, allow_signs : bool, default=False
        As in `check_indicator`.
    classes : array-like of shape (2,), default=None
        The classes of a target of one dimension; None for those that occur.

    Returns
    -------
    Y : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        The indicator.
    container : IndicatorContainer
        What to give predictions back in.

    Raises
    ------
    ValueError
        If it is missing, of one dimension with more than two classes, or no indicator.
    """
    if y is None:
        raise ValueError(
            "Learning labels, or splitting by them, requires y to be passed, but the target y is "
            "None."
        )
    refuse_label_lists(y, "y")
    if issparse(y) or isinstance(y, pd.DataFrame) or np.asarray(y).ndim > 1:
        return check_indicator(
            y,
            unknown=unknown,
            accept_sparse=accept_sparse,
            allow_signs=allow_signs,
            if_unknown=LEARN_FROM_KNOWN,
        )
    y = check_training_labels(y)
    classes = np.unique(y if classes is None else np.asarray(classes))
    if len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass: it "
            f"holds {len(classes)} classes, {classes[:5].tolist()}. A target of one dimension is "
            "one label; pass several as an indicator of shape (n_samples, n_labels), 1 where a "
            "sample carries the label."
        )
    strange = np.setdiff1d(y, classes)
    if len(strange):
        raise ValueError(
            f"y holds {strange[:3].tolist()}, and the classes are {classes.tolist()}: pass both as "
            "classes in the first call of partial_fit."
        )
    if len(classes) == 1:  # 0 and 1 keep their meaning where they are all there is
        classes = np.repeat(classes, 2)
        positive = np.full(len(y), classes.dtype.kind in "biuf" and bool(classes[0] == 1))
    else:
        positive = y == classes[1]
    container = IndicatorContainer(np.ndarray, None, np.dtype(np.int64), classes)
    return positive.astype(np.int8)[:, np.newaxis], container


def count_values(Y: Indicator, value: int) -> NDArray[np.intp]:
    """Count how often a value other than 0 occurs in each column of an indicator.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    value : {1, -1}
        What to count.

    Returns
    -------
    n_values : ndarray of shape (n_labels,)
        Number of rows with the value.
    """
    if not issparse(Y):
        return np.count_nonzero(value == Y, axis=0)
    return np.diff(np.append(0, np.cumsum(Y.data == value))[Y.indptr])


def count_labels(neighbors: NDArray[np.integer], Y: Indicator) -> Any:
    """Count how many neighbours of each row carry each label.

    Parameters
    ----------
    neighbors : ndarray of shape (n_queries, n_neighbors)
        Indices of rows of `Y`.
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Indicator, of an integer type that holds n_neighbors.

    Returns
    -------
    counts : ndarray or csr_array of shape (n_queries, n_labels)
        Sparse where `Y` is, of its type.
    """
    n_queries, n_neighbors = neighbors.shape
    ones = np.ones(neighbors.size, dtype=Y.dtype)
    row_ends = np.arange(n_queries + 1) * n_neighbors
    chosen = csr_array((ones, neighbors.ravel(), row_ends), shape=(n_queries, Y.shape[0]))
    return chosen @ Y


def constant_labels(Y: Indicator) -> NDArray[np.float64]:
    """Return the value of each label that has only one, NaN for the others.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator; unknown labels are left out.

    Returns
    -------
    value : ndarray of shape (n_labels,)
        0.0, 1.0 or NaN; 0.0 for a label that is nowhere known.
    """
    n_positives, n_unknown = count_values(Y, 1), count_values(Y, UNKNOWN)
    n_known = Y.shape[0] - n_unknown
    return np.where(n_positives == 0, 0.0, np.where(n_positives == n_known, 1.0, np.nan))


def warn_of_constant_labels(
    value: NDArray[np.float64], Y: Indicator, label_names: NDArray | None, *, stacklevel: int = 3
) -> None:
    """Name the labels that have one value or no known one in the training rows, if there are some.

    Parameters
    ----------
    value : ndarray of shape (n_labels,)
        See `constant_labels`.
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator of the training rows.
    label_names : ndarray of shape (n_labels,) or None
        What to call the labels; None for their indices.
    stacklevel : int, default=3
        Of the warning.
    """
    constant = np.flatnonzero(~np.isnan(value))
    if len(constant):
        names = constant if label_names is None else label_names[constant]
        found = value[constant].astype(int).astype(object)
        found[count_values(Y, UNKNOWN)[constant] == Y.shape[0]] = "unknown"
        some = "unknown" in found
        warnings.warn(
            f"Labels {names.tolist()} have one value each{', or no known value,' if some else ''} "
            f"in the {Y.shape[0]} training rows, {found.tolist()}, and are predicted as that "
            f"value{', or as 0 where it is unknown' if some else ''}.",
            stacklevel=stacklevel,
        )


def label_column(Y: Indicator, label: int) -> NDArray[np.int64]:
    """Return one label of an indicator as a dense vector.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    label : int
        Index of the column.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype int64
        The column.
    """
    if not issparse(Y):
        return Y[:, label].astype(np.int64)
    column = np.zeros(Y.shape[0], dtype=np.int64)
    stored = slice(Y.indptr[label], Y.indptr[label + 1])
    column[Y.indices[stored]] = Y.data[stored]
    return column
