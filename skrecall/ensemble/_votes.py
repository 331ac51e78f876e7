"""The probabilities of any member of an ensemble, in one shape and one order of classes.

Classifiers answer `predict_proba` for several labels in three ways: one array per label, one array
of three dimensions, or one column per label. This is the place that knows them.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator

from skrecall.threshold._calibration import fit_on_rows
from skrecall.utils._indicator import constant_labels
from skrecall.utils._sklearn import _safe_indexing


def check_votes(name: str, member: Any) -> None:
    """Refuse a member without probabilities.

    Parameters
    ----------
    name : str
        Its name in the ensemble.
    member : estimator
        Fitted or not.

    Raises
    ------
    ValueError
        If it has no `predict_proba`.
    """
    if not hasattr(member, "predict_proba"):
        raise ValueError(
            f"Member {name!r} ({type(member).__name__}) has no predict_proba, and a soft vote "
            "averages probabilities: wrap it in CalibratedClassifierCV, or drop it."
        )


def class_votes(proba: ArrayLike, member_classes: ArrayLike, classes: NDArray) -> NDArray:
    """Return the probabilities of a member in the classes of the ensemble.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_member_classes)
        What its `predict_proba` returned.
    member_classes : array-like of shape (n_member_classes,)
        Classes of its columns, in any order.
    classes : ndarray of shape (n_classes,)
        Classes of the ensemble, sorted.

    Returns
    -------
    votes : ndarray of shape (n_samples, n_classes)
        0 for a class that the member has never seen.

    Raises
    ------
    ValueError
        If there is not one column per class.
    """
    proba, member_classes = np.asarray(proba), np.asarray(member_classes)
    if len(member_classes) == 1:  # some then answer with one column, others with two
        proba = np.ones((len(proba), 1))
    if proba.ndim != 2 or proba.shape[1] != len(member_classes):
        raise ValueError(
            f"predict_proba returned shape {proba.shape} for {len(member_classes)} classes: one "
            "column per class is needed."
        )
    votes = np.zeros((len(proba), len(classes)), dtype=np.result_type(proba, np.float32))
    votes[:, np.searchsorted(classes, member_classes)] = proba
    return votes


def label_votes(proba: Any, member_classes: Any, n_labels: int) -> NDArray:
    """Return P(label = 1) of a multi-label member as one array.

    Parameters
    ----------
    proba : list of ndarray or ndarray
        What its `predict_proba` returned: an array (n_samples, n_values) per label, one array
        (n_samples, n_labels, 2), or (n_samples, n_labels) for the value 1.
    member_classes : list of ndarray or ndarray
        Its `classes_`; the values of each label, where it answers with a list.
    n_labels : int
        Number of labels of the ensemble.

    Returns
    -------
    votes : ndarray of shape (n_samples, n_labels)
        Probabilities.

    Raises
    ------
    ValueError
        If the answer has another shape.
    """
    if isinstance(proba, list):
        columns = [
            class_votes(p, values, np.array([0, 1]))[:, 1]
            for p, values in zip(proba, member_classes, strict=True)
        ]
        votes = np.column_stack(columns)
    else:
        votes = np.asarray(proba)
        if votes.ndim == 3 and votes.shape[2] == 2:
            votes = votes[:, :, 1]
    if votes.ndim != 2 or votes.shape[1] != n_labels:
        raise ValueError(
            f"predict_proba returned shape {votes.shape} for {n_labels} labels: an array of shape "
            f"(n_samples, {n_labels}), (n_samples, {n_labels}, 2), or a list of {n_labels} arrays "
            "is needed."
        )
    return votes


def fit_member(
    member: BaseEstimator, X: Any, y: NDArray, rows: NDArray | None, params: dict[str, Any]
) -> tuple[BaseEstimator, NDArray[np.float64] | None]:
    """Fit a clone of a member, of several labels on those that vary.

    Parameters
    ----------
    member : estimator
        Cloned; a frozen one is left as it is.
    X : array-like of shape (n_samples, ...)
        All samples.
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        All labels.
    rows : ndarray of shape (n_rows,) or None
        Indices of the rows to fit on; None for all.
    params : dict
        Parameters of its `fit`.

    Returns
    -------
    member : estimator
        Fitted.
    constant : ndarray of shape (n_labels,) or None
        The value of labels it was not fitted on, NaN for the others; None with one label.

    Raises
    ------
    ValueError
        If no label varies.
    """
    if isinstance(member, FrozenEstimator):
        return member, None
    if y.ndim == 1:
        return fit_on_rows(clone(member), X, y, rows, params), None
    constant = constant_labels(y if rows is None else y[rows])
    learnt = _learnt_labels(constant)
    if len(learnt) == 0:
        n_rows = len(y) if rows is None else len(rows)
        raise ValueError(
            f"None of the {len(constant)} labels has both values in the {n_rows} training rows: "
            "there is nothing to learn. Add rows, or use other folds."
        )
    return fit_on_rows(clone(member), X, y[:, learnt], rows, params), constant


def _learnt_labels(constant: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the labels to fit on; a single one twice, which keeps the target an indicator."""
    learnt = np.flatnonzero(np.isnan(constant))
    return np.repeat(learnt, 2) if len(learnt) == 1 else learnt


def member_votes(
    name: str,
    member: BaseEstimator,
    X: Any,
    classes: NDArray | None,
    n_labels: int,
    constant: NDArray[np.float64] | None,
) -> NDArray:
    """Return the probabilities of a fitted member.

    Parameters
    ----------
    name : str
        Its name in the ensemble.
    member : estimator
        Fitted.
    X : array-like of shape (n_samples, ...)
        Samples.
    classes : ndarray of shape (n_classes,) or None
        Classes of the ensemble; None with several labels.
    n_labels : int
        Number of labels, with several.
    constant : ndarray of shape (n_labels,) or None
        See `fit_member`.

    Returns
    -------
    votes : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
        Finite probabilities.

    Raises
    ------
    ValueError
        If they are not finite, or have the wrong shape.
    """
    proba = member.predict_proba(X)
    try:
        if classes is not None:
            votes = class_votes(proba, member.classes_, classes)
        else:
            learnt = np.arange(n_labels) if constant is None else _learnt_labels(constant)
            of_learnt = label_votes(proba, getattr(member, "classes_", None), len(learnt))
            votes = np.tile(
                np.zeros(n_labels) if constant is None else constant, (len(of_learnt), 1)
            )
            votes[:, learnt] = of_learnt
    except ValueError as error:
        raise ValueError(f"Member {name!r}: {error}") from error
    if not np.isfinite(votes).all():
        raise ValueError(
            f"Member {name!r} returned {np.sum(~np.isfinite(votes))} probabilities that are NaN or "
            f"infinite in {len(votes)} samples: it cannot vote."
        )
    return votes


def held_out_votes(
    name: str,
    member: BaseEstimator,
    X: Any,
    y: NDArray,
    split: tuple[NDArray | None, NDArray],
    classes: NDArray | None,
    params: dict[str, Any],
) -> NDArray:
    """Return the probabilities of a member on rows that it was not fitted on.

    Parameters
    ----------
    name : str
        Its name in the ensemble.
    member : estimator
        Cloned and fitted, unless frozen.
    X : array-like of shape (n_samples, ...)
        All samples.
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        All labels.
    split : tuple of (fit_rows, held_out_rows)
        Indices of rows.
    classes : ndarray of shape (n_classes,) or None
        Classes of the ensemble; None with several labels.
    params : dict
        Parameters of its `fit`.

    Returns
    -------
    votes : ndarray of shape (n_held_out, n_classes) or (n_held_out, n_labels)
        See `member_votes`.
    """
    fit_rows, held_out_rows = split
    fitted, constant = fit_member(member, X, y, fit_rows, params)
    X_held_out = _safe_indexing(X, held_out_rows)
    n_labels = 1 if classes is not None else y.shape[1]
    return member_votes(name, fitted, X_held_out, classes, n_labels, constant)
