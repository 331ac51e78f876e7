"""Labels as features: what chains and stacks append to the samples."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, issparse

from ._indicator import IndicatorContainer


def label_features(container: IndicatorContainer, labels: NDArray[np.intp]) -> list[str]:
    """Return what labels are called as features, such as ``"label 0"``.

    Parameters
    ----------
    container : IndicatorContainer
        The container of the indicator; a DataFrame has names.
    labels : ndarray of shape (n_columns,)
        Indices of the labels.

    Returns
    -------
    names : list of str
        Names of the columns.
    """
    names = container.label_names
    return [f"label {label if names is None else names[label]}" for label in labels.tolist()]


def append_features(X: Any, Z: NDArray, names: list[str]) -> Any:
    """Return samples with further columns, in their own container.

    Parameters
    ----------
    X : array-like, DataFrame or sparse of shape (n_samples, n_features)
        Samples.
    Z : ndarray of shape (n_samples, n_columns)
        What to append.
    names : list of str
        Names of the columns; a DataFrame takes them if its own columns have names, not numbers.

    Returns
    -------
    X : ndarray, DataFrame or sparse of shape (n_samples, n_features + n_columns)
        A copy; beside texts in an ndarray, numbers stay numbers, as objects.

    Raises
    ------
    ValueError
        If the samples are not rows of a table.
    """
    if isinstance(X, pd.DataFrame):
        numbered = not all(isinstance(name, str) for name in X.columns)
        Z = pd.DataFrame(Z, index=X.index, columns=names)
        return pd.concat([X, Z], axis=1, ignore_index=numbered)
    if issparse(X):
        return hstack([X, csr_array(Z)], format="csr", dtype=np.result_type(X.dtype, np.float32))
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"X has shape {X.shape}: labels can be appended to rows of a table only. For images "
            "and sequences use BinaryRelevance, or a step that turns them into features."
        )
    dtype = object if X.dtype.kind in "US" else np.result_type(X, np.float32)  # 1 is no "1.0"
    return np.hstack([X, Z.astype(dtype, copy=False)])
