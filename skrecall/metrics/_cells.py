"""Counts of the known cells of an indicator, per label or per sample, dense or sparse.

A cell is one label of one sample. All measures of multi-label decisions are ratios of these counts.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.utils import check_consistent_length

from skrecall.utils._blocks import row_blocks
from skrecall.utils._checks import check_weights
from skrecall.utils._indicator import UNKNOWN, Indicator, check_indicator

Average = Literal["macro", "macro_positive", "micro"] | None
AVERAGES = ("macro", "macro_positive", "micro")


@dataclass(frozen=True, eq=False)
class CellCounts:
    """Cells by truth and decision; sums of weights where samples are weighted.

    Attributes
    ----------
    tp, fp, fn, tn : ndarray of shape (n_labels,) or (n_samples,)
        True and false positives, false and true negatives among the known cells.
    """

    tp: NDArray
    fp: NDArray
    fn: NDArray
    tn: NDArray

    @property
    def n_positives(self) -> NDArray:  # numpydoc ignore=RT01
        """Cells whose label is 1."""
        return self.tp + self.fn

    @property
    def n_known(self) -> NDArray:  # numpydoc ignore=RT01
        """Cells whose label is known."""
        return self.tp + self.fp + self.fn + self.tn

    def pooled(self) -> "CellCounts":
        """Return the counts of all cells together.

        Returns
        -------
        counts : CellCounts
            Of shape (1,).
        """
        return CellCounts(*(part.sum(keepdims=True) for part in self._parts()))

    def subset(self, chosen: NDArray) -> "CellCounts":
        """Return the counts of some labels or samples.

        Parameters
        ----------
        chosen : ndarray
            Mask or indices.

        Returns
        -------
        counts : CellCounts
            Of those.
        """
        return CellCounts(*(part[chosen] for part in self._parts()))

    def _parts(self) -> tuple[NDArray, ...]:
        return self.tp, self.fp, self.fn, self.tn


def check_cells(
    y_true: Any, y_pred: Any, sample_weight: ArrayLike | None = None, *, unknown: bool = True
) -> tuple[Indicator, Indicator, NDArray[np.float64] | None]:
    """Return labels and decisions as indicators of one kind, and the weights of the samples.

    Parameters
    ----------
    y_true, y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicators; NaN or -1 in `y_true` where a label is unknown.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples. Samples of weight 0 are left out of what is returned.
    unknown : bool, default=True
        Whether labels may be unknown.

    Returns
    -------
    Y, P : ndarray or csc_array of shape (n_samples, n_labels), dtype int8
        Both sparse if one of them came so.
    weight : ndarray of shape (n_samples,) or None
        Positive weights.

    Raises
    ------
    ValueError
        If one is no indicator, shapes or column names differ, or all weights are 0.
    """
    Y, container = check_indicator(y_true, unknown=unknown, accept_sparse=True, name="y_true")
    P, of_predictions = check_indicator(y_pred, accept_sparse=True, name="y_pred")
    _check_shapes(Y, P, "y_pred")
    _check_names(container.label_names, of_predictions.label_names, "y_pred")
    if issparse(Y) != issparse(P):
        Y, P = csc_array(Y), csc_array(P)
    weight, weighted = check_row_weights(sample_weight, Y)
    if weighted is not None:
        Y, P = _rows_of(Y, weighted), _rows_of(P, weighted)
    return Y, P, weight


def check_label_scores(
    y_true: Any,
    y_score: Any,
    sample_weight: ArrayLike | None = None,
    *,
    unknown: bool = True,
    accept_sparse: bool = False,
) -> tuple[Indicator, Any, NDArray[np.float64] | None]:
    """Return labels, scores and weights for measures that rank; no copy of scores of type float.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown.
    y_score : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Scores; greater means more likely.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples. Samples of weight 0 are left out of what is returned.
    unknown : bool, default=True
        Whether labels may be unknown.
    accept_sparse : bool, default=False
        Whether scores may be sparse.

    Returns
    -------
    Y : ndarray or csr_array of shape (n_samples, n_labels), dtype int8
        Labels.
    S : ndarray or csr_array of shape (n_samples, n_labels)
        Scores.
    weight : ndarray of shape (n_samples,) or None
        Positive weights.

    Raises
    ------
    ValueError
        If `y_true` is no indicator, shapes or column names differ, a score is NaN or infinite, or
        all weights are 0.
    """
    Y, container = check_indicator(y_true, unknown=unknown, accept_sparse=True, name="y_true")
    names = None
    S: Any
    values: Any
    if issparse(y_score):
        if not accept_sparse:
            raise ValueError(
                "y_score is sparse, which is read by the measures at k alone: pass an array here."
            )
        S = csr_array(y_score)
        S.sum_duplicates()
        values = S.data
    else:
        if isinstance(y_score, pd.DataFrame):
            names = np.asarray(y_score.columns, dtype=object)
        S = values = np.asarray(y_score)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"y_score holds {values.dtype}, and scores are numbers.")
    if values.dtype.kind != "f":  # the negative of an unsigned number is none
        S = S.astype(np.result_type(values.dtype, np.float32))
        values = S.data if issparse(S) else S
    _check_shapes(Y, S, "y_score")
    _check_names(container.label_names, names, "y_score")
    # the sum is finite almost always, and needs no copy
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(values.sum(dtype=np.float64)) or np.isfinite(values).all()
    if not finite:
        raise ValueError("y_score contains NaN or infinity: a score is a finite number.")
    weight, weighted = check_row_weights(sample_weight, Y)
    if issparse(Y):
        Y = csr_array(Y)
    if weighted is not None:
        Y, S = Y[weighted], S[weighted]
    return Y, S, weight


def check_row_weights(
    sample_weight: ArrayLike | None, Y: Indicator
) -> tuple[NDArray[np.float64] | None, NDArray[np.intp] | None]:
    """Return positive weights, and the rows they belong to where some had weight 0.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Non-negative weights.
    Y : ndarray or sparse of shape (n_samples, n_labels)
        The samples they belong to.

    Returns
    -------
    weight : ndarray or None
        Weights greater than 0.
    rows : ndarray or None
        Their rows; None for all.

    Raises
    ------
    ValueError
        If all weights are 0.
    """
    weight = check_weights(sample_weight, Y)
    if weight is None:
        return None, None
    rows = np.flatnonzero(weight)
    if len(rows) == 0:
        raise ValueError(f"sample_weight is 0 for all {len(weight)} samples: nothing is counted.")
    if len(rows) == len(weight):
        return weight, None
    return weight[rows], rows


def count_cells(
    Y: Indicator, P: Indicator, *, axis: Literal[0, 1], weight: NDArray[np.float64] | None = None
) -> CellCounts:
    """Count known cells by truth and decision.

    Parameters
    ----------
    Y, P : ndarray or csc_array of shape (n_samples, n_labels)
        Labels and decisions, as `check_cells` returns them.
    axis : {0, 1}
        0 counts per label, 1 per sample.
    weight : ndarray of shape (n_samples,), default=None
        Positive weights of the samples, with `axis` 0.

    Returns
    -------
    counts : CellCounts
        Integers without weights.
    """
    totals = _sparse_totals if issparse(Y) else _dense_totals
    counts = _four(*totals(Y, P, axis, None))
    if weight is None:
        return CellCounts(*counts)
    # differences of sums of weights are not exactly 0 where nothing is counted
    weighted = _four(*totals(Y, P, axis, weight))
    return CellCounts(*(np.where(n > 0, w, 0.0) for n, w in zip(counts, weighted, strict=True)))


def _four(
    tp: NDArray, positives: NDArray, flagged: NDArray, known: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    return tp, flagged - tp, positives - tp, known - positives - flagged + tp


def _dense_totals(
    Y: NDArray[np.int8],
    P: NDArray[np.int8],
    axis: Literal[0, 1],
    weight: NDArray[np.float64] | None,
) -> NDArray:
    """Return true positives, positives, flagged and known cells, of shape (4, n)."""
    totals: NDArray = np.zeros(
        (4, Y.shape[1 - axis]), dtype=np.int64 if weight is None else np.float64
    )
    for rows in row_blocks(*Y.shape):
        known, positive = Y[rows] != UNKNOWN, Y[rows] == 1
        flagged = known & (P[rows] == 1)
        masks = positive & flagged, positive, flagged, known
        if axis == 1:
            totals[:, rows] = [np.count_nonzero(mask, axis=1) for mask in masks]
        elif weight is None:
            totals += [np.count_nonzero(mask, axis=0) for mask in masks]
        else:
            totals += [weight[rows] @ mask for mask in masks]
    return totals


def _sparse_totals(
    Y: csc_array, P: csc_array, axis: Literal[0, 1], weight: NDArray[np.float64] | None
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return true positives, positives, flagged and known cells: products of what is stored."""
    ones = np.ones(Y.shape[axis], dtype=np.int64) if weight is None else weight

    def total(M: csc_array) -> NDArray:
        return ones @ M if axis == 0 else M @ ones

    positive, unknown = _where_equal(Y, 1), _where_equal(Y, UNKNOWN)
    return (
        total(positive.multiply(P)),
        total(positive),
        total(P) - total(unknown.multiply(P)),
        ones.sum() - total(unknown),
    )


def _where_equal(Y: csc_array, value: int) -> csc_array:
    found = csc_array(((value == Y.data).astype(np.int8), Y.indices, Y.indptr), shape=Y.shape)
    if not found.data.all():
        found = found.copy()
        found.eliminate_zeros()
    return found


def _rows_of(Y: Indicator, rows: NDArray[np.intp]) -> Indicator:
    return csc_array(csr_array(Y)[rows]) if issparse(Y) else Y[rows]


def dense_rows(Y: Indicator, rows: slice) -> NDArray[np.int8]:
    """Return some rows of an indicator as an array.

    Parameters
    ----------
    Y : ndarray or csr_array of shape (n_samples, n_labels)
        Indicator.
    rows : slice
        Which rows.

    Returns
    -------
    Y : ndarray of shape (n_rows, n_labels)
        Those rows.
    """
    return Y[rows].toarray() if issparse(Y) else Y[rows]


def mean_of_rows(values: NDArray[np.float64], weight: NDArray[np.float64] | None) -> float:
    """Return the weighted mean of the rows that have a value.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        NaN leaves a row out.
    weight : ndarray of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    mean : float
        NaN if no row has a value.
    """
    there = ~np.isnan(values)
    if not there.any():
        return float("nan")
    return float(np.average(values[there], weights=None if weight is None else weight[there]))


def check_beta(beta: float) -> None:
    """Refuse a weight of recall that is none.

    Parameters
    ----------
    beta : float
        Of the F score.

    Raises
    ------
    ValueError
        If it is negative or NaN.
    """
    if not beta >= 0:
        raise ValueError(f"beta={beta!r} must be 0 or more: recall is beta times as important.")


def _check_shapes(Y: Indicator, other: Any, name: str) -> None:
    if Y.shape[0] == 0:
        raise ValueError("y_true holds 0 samples: there is nothing to count.")
    if other.ndim == 2:
        check_consistent_length(Y, other)
    if Y.shape != other.shape:
        raise ValueError(
            f"{name} has shape {other.shape} and y_true {Y.shape}: both have one row per sample "
            "and one column per label."
        )


def _check_names(names: NDArray | None, other: NDArray | None, name: str) -> None:
    if names is None or other is None or np.array_equal(names, other):
        return
    at = int(np.flatnonzero(names != other)[0])
    raise ValueError(
        f"The columns of y_true and {name} differ: column {at} is {names[at]!r} in y_true and "
        f"{other[at]!r} in {name}. Bring them into one order."
    )
