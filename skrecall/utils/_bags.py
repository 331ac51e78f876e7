"""Bags: the rows and columns that a member of an ensemble is fitted on."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import indexable

from ._sklearn import _safe_indexing


@dataclass(eq=False)
class Bag:
    """One member of an ensemble, and what it was fitted on.

    Attributes
    ----------
    member : object
        The fitted classifier.
    rows : ndarray of int
        Indices of the rows that were drawn.
    features : ndarray of int or None
        Indices of its features; None for all.
    """

    member: Any
    rows: NDArray[np.intp]
    features: NDArray[np.intp] | None

    def samples(self, X: Any) -> Any:
        """Return the columns of samples that the member takes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        X : array-like of shape (n_samples, n_columns)
            The same, where it takes all features.
        """
        return columns(X, self.features)


def n_to_draw(value: int | float, n: int) -> int:
    """Return a number of rows or features, from a number or a share of them.

    Parameters
    ----------
    value : int or float
        A number, or a share of `n`.
    n : int
        How many there are.

    Returns
    -------
    n_drawn : int
        One at least.
    """
    return int(value) if isinstance(value, Integral) else max(1, round(float(value) * n))


def draw_features(
    X: Any, max_features: int | float, rng: np.random.RandomState
) -> NDArray[np.intp] | None:
    """Draw features without replacement.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples; of more dimensions where all features are taken.
    max_features : int or float
        A number, or a share of the features.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    features : ndarray of int or None
        Sorted indices; None for all.

    Raises
    ------
    ValueError
        If there are fewer features, or no columns to draw.
    """
    if not isinstance(max_features, Integral) and max_features == 1:
        return None
    if len(getattr(X, "shape", ())) != 2:
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(
            f"max_features={max_features} draws columns, and X has shape {X.shape}: leave "
            "max_features=1.0."
        )
    n_features = X.shape[1]
    n_drawn = n_to_draw(max_features, n_features)
    if n_drawn > n_features:
        raise ValueError(f"max_features={max_features}, and X has {n_features} features: lower it.")
    return np.sort(rng.permutation(n_features)[:n_drawn])


def columns(X: Any, features: NDArray[np.intp] | None) -> Any:
    """Return some columns of samples, all of them if None.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples.
    features : ndarray of int or None
        Indices of the columns.

    Returns
    -------
    X : array-like of shape (n_samples, n_columns)
        In the same container; an array for a list.
    """
    if features is None:
        return X
    (X,) = indexable(X)
    return _safe_indexing(np.asarray(X) if isinstance(X, list) else X, features, axis=1)
