"""The probabilities of any member of an ensemble, in one shape and one order of classes."""

from copy import copy
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import BaseCrossValidator, check_cv

from skrecall.model_selection import MultilabelStratifiedKFold
from skrecall.utils._fitting import fit_on_rows
from skrecall.utils._indicator import constant_labels
from skrecall.utils._label_votes import class_votes, label_votes, learnt_labels
from skrecall.utils._sklearn import _safe_indexing


def named_members(ensemble: Any) -> tuple[list[str], list[BaseEstimator]]:
    """Return the names and the members of an ensemble that are not dropped.

    Parameters
    ----------
    ensemble : estimator
        With parameters `estimators` and `cv`, a heterogeneous ensemble of scikit-learn's kind.

    Returns
    -------
    names : list of str
        In the order of `estimators`.
    members : list of estimator
        The same; frozen, where `cv` says that they are fitted.

    Raises
    ------
    ValueError
        If scikit-learn refuses names or members, or a member has no `predict_proba`.
    """
    with_tags = copy(ensemble)
    with_tags.estimators = [_with_tag(item) for item in ensemble.estimators]
    with_tags._validate_estimators()
    kept = [(name, member) for name, member in ensemble.estimators if member != "drop"]
    for name, member in kept:
        if not hasattr(member, "predict_proba"):
            raise ValueError(
                f"Member {name!r} ({type(member).__name__}) has no predict_proba, and "
                "probabilities are what it is asked for: wrap it in CalibratedClassifierCV, or "
                "drop it."
            )
    is_prefit = isinstance(ensemble.cv, str) and ensemble.cv == "prefit"
    return (
        [name for name, _ in kept],
        [FrozenEstimator(member) if is_prefit else member for _, member in kept],
    )


def _with_tag(item: Any) -> Any:
    """Return a named member; for a classifier of scikit-multilearn, one that bears the tag.

    Its classes inherit from BaseEstimator first, whose tags then hide those of a classifier.
    """
    if not isinstance(item, tuple | list) or len(item) != 2:
        return item
    hidden = isinstance(item[1], ClassifierMixin) and not is_classifier(item[1])
    return (item[0], DummyClassifier()) if hidden else item


def stratified_cv(cv: Any, y: NDArray) -> BaseCrossValidator:
    """Return a splitter that is stratified where only a number of folds is asked for.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None means 5 folds.
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Labels; an indicator is stratified by each label.

    Returns
    -------
    cv : splitter
        With a method `split`.
    """
    if y.ndim == 2 and (cv is None or isinstance(cv, Integral)):
        return MultilabelStratifiedKFold(5 if cv is None else int(cv))
    return check_cv(cv, y, classifier=True)


def held_out_splits(
    cv: Any, members: list[BaseEstimator], X: Any, y: NDArray, params: dict[str, Any]
) -> list[tuple[NDArray | None, NDArray]]:
    """Return the rows to fit on and to hold out; frozen members hold all rows out at once.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        See `stratified_cv`.
    members : list of estimator
        The members.
    X : array-like of shape (n_samples, ...)
        All samples.
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        All labels.
    params : dict
        Parameters of `split`.

    Returns
    -------
    splits : list of (fit_rows, held_out_rows)
        Indices; None to fit on, where all members are fitted.

    Raises
    ------
    ValueError
        If a fold holds out rows that it fits on, or fits on one class of several.
    """
    if all(isinstance(member, FrozenEstimator) for member in members):
        return [(None, np.arange(len(y)))]
    splits = list(stratified_cv(cv, y).split(X, y, **params))
    if y.ndim == 1:
        _refuse_single_class(y, [fit_rows for fit_rows, _ in splits])
    n_seen = sum(int(np.isin(held_out, fit_rows).sum()) for fit_rows, held_out in splits)
    if n_seen:
        raise ValueError(
            f"The folds of cv hold out {n_seen} rows that they fit on, so that members would be "
            "judged by what they have seen: give disjoint row indices."
        )
    return splits


def _refuse_single_class(y: NDArray, folds: list[NDArray]) -> None:
    classes, counts = np.unique(y, return_counts=True)
    n_bad = sum(len(np.unique(y[rows])) == 1 for rows in folds)
    if len(classes) > 1 and n_bad:
        rarest = np.argmin(counts)
        raise ValueError(
            f"{n_bad} of {len(folds)} folds leave rows of one class to fit on: of class "
            f"{classes.tolist()[rarest]!r} there {'are' if counts[rarest] > 1 else 'is'} "
            f"{counts[rarest]} in {len(y)} rows. Add rows of it, or pass other folds in cv."
        )


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
    learnt = learnt_labels(constant)
    if len(learnt) == 0:
        n_rows = len(y) if rows is None else len(rows)
        raise ValueError(
            f"None of the {len(constant)} labels has both values in the {n_rows} training rows: "
            "there is nothing to learn. Add rows, or use other folds."
        )
    return fit_on_rows(clone(member), X, y[:, learnt], rows, params), constant


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
            learnt = np.arange(n_labels) if constant is None else learnt_labels(constant)
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
