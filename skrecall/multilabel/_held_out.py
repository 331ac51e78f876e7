"""Responses of rows that the model did not see, as features of the next one."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._fitting import clone_with_seed, fit_on_rows
from skrecall.utils._sklearn import _get_response_values, _safe_indexing
from skrecall.utils._threads import one_blas_thread

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def label_folds(cv: BaseCrossValidator, X: Any, y: NDArray[np.int64]) -> list[Fold]:
    """Return folds of the rows that hold each row out once.

    Parameters
    ----------
    cv : splitter
        From `check_cv`.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples,)
        One label; it may be rarer than there are folds.

    Returns
    -------
    folds : list of (fit_rows, held_out_rows)
        Row indices.

    Raises
    ------
    ValueError
        If a row is held out twice or never.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        folds = list(cv.split(X, y))
    held_out = np.concatenate([held_out for _, held_out in folds])
    times = np.bincount(held_out, minlength=len(y))
    if (times != 1).any():
        raise ValueError(
            f"cv={cv} holds {np.sum(times == 0)} of {len(y)} rows out never and "
            f"{np.sum(times > 1)} more than once: every row needs one prediction of a model that "
            "was not fitted on it. Use a splitter that makes a partition, such as KFold."
        )
    return folds


def held_out_responses(
    estimator: BaseEstimator,
    X: Any,
    y: NDArray[np.int64],
    folds: Sequence[Fold],
    *,
    method: str,
    params: dict[str, Any],
    rng: np.random.RandomState | None,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """Return the responses of each fold to clones that were fitted on the other ones.

    Parameters
    ----------
    estimator : estimator
        A classifier.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples,)
        Labels.
    folds : list of (fit_rows, held_out_rows)
        See `label_folds`.
    method : str
        Name of the response.
    params : dict
        Parameters of `fit`; those with one entry per sample are indexed like `X`.
    rng : RandomState or None
        Seeds the clones; None leaves them.
    n_jobs : int, default=None
        Number of folds to fit at once.

    Returns
    -------
    response : ndarray of shape (n_samples,)
        That of the greater class. Where a fold leaves rows of one class to fit on, there is nothing
        to fit: its rows get the lowest or the highest response of the other folds.
    """
    answers = Parallel(n_jobs=n_jobs)(
        delayed(_held_out_answer)(
            clone_with_seed(estimator, rng), X, y, fit_rows, held_out, method, params
        )
        for fit_rows, held_out in folds
    )
    known = [answer for answer in answers if answer is not None]
    low, high = (np.min(np.hstack(known)), np.max(np.hstack(known))) if known else (0.0, 1.0)
    response = np.empty(len(y))
    for (fit_rows, held_out), answer in zip(folds, answers, strict=True):
        if answer is None:
            answer = high if y[fit_rows[0]] == y.max() else low
        response[held_out] = answer
    return response


def _held_out_answer(
    estimator: BaseEstimator,
    X: Any,
    y: NDArray[np.int64],
    fit_rows: NDArray[np.intp],
    held_out: NDArray[np.intp],
    method: str,
    params: dict[str, Any],
) -> NDArray[np.float64] | None:
    """Return the responses of the held-out rows; None if the others are of one class."""
    if len(np.unique(y[fit_rows])) == 1:
        return None
    with one_blas_thread():
        fit_on_rows(estimator, X, y, fit_rows, params)
    return positive_response(estimator, _safe_indexing(X, held_out), method)


def positive_response(estimator: BaseEstimator, X: Any, method: str) -> NDArray[np.float64]:
    """Return the response of a fitted classifier of two classes, that of the greater one.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier; with `predict`, of any number of classes.
    X : array-like of shape (n_samples, ...)
        Samples.
    method : str
        Name of the response.

    Returns
    -------
    response : ndarray of shape (n_samples,)
        Predicted class, probability or score.

    Raises
    ------
    ValueError
        If there is one response per class.
    """
    with one_blas_thread():
        response = np.asarray(_get_response_values(estimator, X, method)[0], dtype=np.float64)
    if response.ndim > 1:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on {response.shape[1]} classes, and {method} "
            "gives one column for each: only 'predict' works with more than two classes."
        )
    return response
