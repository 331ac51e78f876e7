"""Labels as features: what chains and stacks append to the samples."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, issparse


def append_features(X: Any, Z: NDArray, names: list[str]) -> Any:
    """Return samples with further columns, in their own container.

    Parameters
    ----------
    X : array-like, DataFrame or sparse of shape (n_samples, n_features)
        Samples.
    Z : ndarray of shape (n_samples, n_columns)
        What to append.
    names : list of str
        Names of the columns; a DataFrame takes them.

    Returns
    -------
    X : ndarray, DataFrame or sparse of shape (n_samples, n_features + n_columns)
        A copy.

    Raises
    ------
    ValueError
        If the samples are not rows of a table.
    """
    if isinstance(X, pd.DataFrame):
        return pd.concat([X, pd.DataFrame(Z, index=X.index, columns=names)], axis=1)
    if issparse(X):
        return hstack([X, csr_array(Z)], format="csr", dtype=X.dtype)
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"X has shape {X.shape}: labels can be appended to rows of a table only. For images "
            "and sequences use BinaryRelevance, or a step that turns them into features."
        )
    return np.hstack([X, Z.astype(np.result_type(X, np.float32), copy=False)])
