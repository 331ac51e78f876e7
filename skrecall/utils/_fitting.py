"""Clones that are seeded, and fits on some of the rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from ._row_metadata import metadata_survives
from ._sklearn import _check_method_params, _safe_indexing
from ._threads import one_blas_thread

MAX_SEED = np.iinfo(np.int32).max


def clone_with_seed(estimator: BaseEstimator, random_state: Any) -> BaseEstimator:
    """Clone an estimator and seed what it leaves unseeded.

    Parameters
    ----------
    estimator : estimator
        To be cloned.
    random_state : int, RandomState instance or None
        None leaves the clone as it is.

    Returns
    -------
    estimator : estimator
        A clone in which every parameter ``random_state`` that was None is an integer.
    """
    estimator = clone(estimator)
    if random_state is None:
        return estimator
    rng = check_random_state(random_state)
    seeds = {
        name: rng.randint(MAX_SEED)
        for name, value in sorted(estimator.get_params(deep=True).items())
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    estimator.set_params(**seeds)  # which returns None where it is frozen
    return estimator


def fit_on_rows(
    estimator: BaseEstimator, X: Any, y: NDArray, rows: NDArray | None, params: dict[str, Any]
) -> BaseEstimator:
    """Fit an estimator on some rows, and on their share of the fit parameters.

    Parameters
    ----------
    estimator : estimator
        Fitted in place.
    X : array-like of shape (n_samples, ...)
        All samples.
    y : ndarray of shape (n_samples,)
        All labels.
    rows : ndarray of shape (n_rows,) or None
        Indices of the rows to fit on; None for all.
    params : dict
        Fit parameters; those with one entry per sample are indexed like `X`.

    Returns
    -------
    estimator : estimator
        The same, fitted.

    Raises
    ------
    ValueError
        If the estimator is a pipeline whose sampler would not resample the fit parameters.
    """
    if rows is not None:
        params = _check_method_params(X, params, indices=rows)
        X, y = _safe_indexing(X, rows), _safe_indexing(y, rows)
    with metadata_survives(estimator, X, params):
        return estimator.fit(X, y, **params)


def fit_in_one_thread(
    estimator: BaseEstimator, X: Any, y: NDArray, params: dict[str, Any]
) -> BaseEstimator:
    """Fit one of many estimators: the others have the rest of the BLAS threads.

    Parameters
    ----------
    estimator : estimator
        Fitted in place.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples,)
        Labels.
    params : dict
        Fit parameters.

    Returns
    -------
    estimator : estimator
        The same, fitted.
    """
    with one_blas_thread():
        return estimator.fit(X, y, **params)
