"""Multi-label targets in any container: an indicator array inside, the user's container outside."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import type_of_target


@dataclass(frozen=True, eq=False)
class IndicatorContainer:
    """What an indicator came in, to give predictions back in it.

    Attributes
    ----------
    kind : type
        The class of the container.
    label_names : ndarray of shape (n_labels,) or None
        Column names of a DataFrame.
    """

    kind: Any
    label_names: NDArray[np.object_] | None

    def restore(self, Y: NDArray, X: Any) -> Any:
        """Return an indicator array in the container.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_labels)
            Indicator.
        X : array-like of shape (n_samples, ...)
            The samples it belongs to; a DataFrame lends its index to another.

        Returns
        -------
        Y : ndarray, DataFrame or sparse of shape (n_samples, n_labels)
            The same indicator.
        """
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


def check_indicator(Y: Any) -> tuple[NDArray[np.int64], IndicatorContainer]:
    """Return an indicator as an array, and what it came in.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        A target for which `is_indicator` is true.

    Returns
    -------
    Y : ndarray of shape (n_samples, n_labels), dtype int64
        1 where a sample carries a label.
    container : IndicatorContainer
        What to give predictions back in.

    Raises
    ------
    ValueError
        If a value is neither 0 nor 1.
    """
    if issparse(Y):
        kind, names, array = type(Y), None, Y.toarray()
    elif isinstance(Y, pd.DataFrame):
        kind, names, array = pd.DataFrame, np.asarray(Y.columns, dtype=object), Y.to_numpy()
    else:
        kind, names, array = np.ndarray, None, np.asarray(Y)
    strange = ~np.isin(array, [0, 1])
    if strange.any():
        raise ValueError(
            f"Y holds {np.unique(array[strange])[:3].tolist()}: an indicator is 1 where a sample "
            "carries the label of the column, else 0."
        )
    return array.astype(np.int64), IndicatorContainer(kind, names)


def constant_labels(Y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the value of each label that has only one, NaN for the others.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    value : ndarray of shape (n_labels,)
        0.0, 1.0 or NaN.
    """
    return np.where(Y.min(axis=0) == Y.max(axis=0), Y[0], np.nan)
