"""How well folds represent every label and every pair of labels.

References
----------
.. [1] K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data",
   ECML PKDD 2011.
.. [2] P. Szymanski, T. Kajdanowicz, "A network perspective on stratification of multi-label data",
   First international workshop on learning with imbalanced domains, PMLR 74, 2017.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from ._iterative_stratification import label_pairs, positives


def fold_quality(
    y: Any, folds: Iterable[Any], *, desired_sizes: ArrayLike | None = None
) -> pd.Series:
    """Return how far folds are from having their share of rows, labels and pairs of labels.

    Parameters
    ----------
    y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; one dimension of two classes is one label. Unknown labels count as not carried.
    folds : iterable of array-like of int, or of (train, test) tuples
        Row indices of each fold, or what a splitter yields: the test rows are the fold.
    desired_sizes : array-like of shape (n_folds,), default=None
        Number of rows that each fold should have; None means the same for all.

    Returns
    -------
    quality : Series
        Six numbers; the less, the better. "LD", labels' distribution: the distance between the
        ratio of rows with and without the label in the fold and that in all rows, mean over labels
        and folds [1]_. "LPD": the same for pairs of labels [2]_. "ED", examples' distribution:
        mean distance between the sizes of the folds and those desired. "FZ": number of folds that
        lack some label. "FLZ" and "FLPZ": number of labels, or of pairs, missing in a fold, summed
        over folds.

    Raises
    ------
    ValueError
        If there is no fold, one is empty, or one is no list of indices.

    Notes
    -----
    Pairs are those of two different labels that occur together. Labels and pairs that no row or
    every row carries are left out of the distributions, and those of no row are not missing
    anywhere. A fold in which all rows carry a label counts as having one that does not, as the
    ratio would be infinite. FLZ cannot be 0 where a label has fewer positives than there are folds.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data",
       ECML PKDD 2011.
    .. [2] P. Szymanski, T. Kajdanowicz, "A network perspective on stratification of multi-label
       data", First international workshop on learning with imbalanced domains, PMLR 74, 2017.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.model_selection import KFold
    >>> from skrecall.model_selection import MultilabelStratifiedKFold, fold_quality
    >>> X, Y = make_multilabel_classification(300, n_classes=5, n_labels=2, random_state=0)
    >>> plain, stratified = (
    ...     fold_quality(Y, cv(10).split(X, Y)) for cv in (KFold, MultilabelStratifiedKFold)
    ... )
    >>> bool(stratified["LD"] < plain["LD"] / 2)
    True
    """
    Y = positives(y)[0]
    rows = [rows_of_fold(fold) for fold in folds]
    sizes = np.array([len(fold) for fold in rows])
    if len(rows) == 0 or sizes.min() == 0:
        raise ValueError(
            f"The folds have {sizes.tolist()} rows: pass at least one fold, and none empty."
        )
    desired = np.mean(sizes) if desired_sizes is None else np.asarray(desired_sizes)
    where = (np.repeat(np.arange(len(rows)), sizes), np.concatenate(rows))
    in_fold = csr_array((np.ones(sizes.sum(), dtype=np.int64), where), (len(rows), Y.shape[0]))
    of_labels, missing = _counts(Y, in_fold)
    of_pairs, missing_pairs = _counts(label_pairs(Y, with_itself=False), in_fold)
    return pd.Series(
        {
            "LD": _distribution(*of_labels, sizes, Y.shape[0]),
            "LPD": _distribution(*of_pairs, sizes, Y.shape[0]),
            "ED": np.abs(sizes - desired).mean(),
            "FZ": np.count_nonzero(missing.any(axis=1)),
            "FLZ": np.count_nonzero(missing),
            "FLPZ": np.count_nonzero(missing_pairs),
        },
        dtype=np.float64,
    )


def rows_of_fold(fold: Any) -> NDArray[np.intp]:
    """Return the rows of a fold.

    Parameters
    ----------
    fold : array-like of int, or tuple of (train, test)
        Rows, or what a splitter yields: the test rows are the fold.

    Returns
    -------
    rows : ndarray of shape (n_rows,)
        Row indices.

    Raises
    ------
    ValueError
        If it holds anything but whole numbers.
    """
    is_split = isinstance(fold, tuple) and len(fold) == 2 and np.ndim(fold[1]) == 1
    rows = np.asarray(fold[1] if is_split else fold)
    if rows.size and rows.dtype.kind not in "iu":
        raise ValueError(
            f"A fold holds values of type {rows.dtype}: pass the indices of its rows, of a mask "
            "those that np.flatnonzero returns."
        )
    return rows.astype(np.intp)


def _counts(
    Y: csr_array, in_fold: csr_array
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]:
    """Count the rows of each column in each fold and in all, and tell where there are none."""
    in_all = np.asarray(Y.sum(axis=0, dtype=np.int64))
    counts = (in_fold @ Y).toarray()
    return (counts, in_all), (counts == 0) & (in_all > 0)


def _distribution(
    counts: NDArray[np.int64], in_all: NDArray[np.int64], sizes: NDArray[np.int64], n_samples: int
) -> float:
    """Return the mean distance of ratios; 0 where no column varies."""
    varies = (in_all > 0) & (in_all < n_samples)
    if not varies.any():
        return 0.0
    counts, in_all = counts[:, varies], in_all[varies]
    ratio = counts / np.maximum(sizes[:, np.newaxis] - counts, 1)
    return float(np.abs(ratio - in_all / (n_samples - in_all)).mean())
