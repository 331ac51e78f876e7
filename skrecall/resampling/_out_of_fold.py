"""Scores of rows by models that were not fitted on them: what tells hard rows and wrong labels."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_outlier_detector, is_regressor
from sklearn.model_selection import StratifiedKFold, check_cv, cross_val_predict

from skrecall.utils._checks import check_class_scores
from skrecall.utils._fitting import MAX_SEED, clone_with_seed


def class_folds(cv: Any, y: NDArray, rng: np.random.RandomState) -> Any:
    """Return a splitter; a number of folds becomes shuffled folds, stratified by class.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None means 5 folds.
    y : ndarray of shape (n_samples,)
        Labels.
    rng : RandomState
        Seeds the shuffle.

    Returns
    -------
    cv : splitter
        Every row is held out once, if its own splits do that.

    Raises
    ------
    ValueError
        If a class has fewer rows than there are folds.
    """
    cv = 5 if cv is None else cv
    if not isinstance(cv, Integral):
        return check_cv(cv, y, classifier=True)
    labels, counts = np.unique(y, return_counts=True)
    rarest = counts.argmin()
    if counts[rarest] < cv:
        raise ValueError(
            f"cv={cv} folds need {cv} rows of every class, and class {labels.tolist()[rarest]!r} "
            f"has {counts[rarest]}: "
            + (
                f"set cv to {counts[rarest]} at most, or add rows."
                if counts[rarest] > 1
                else "a class of one row cannot be scored by models that did not see it; add rows."
            )
        )
    return StratifiedKFold(cv, shuffle=True, random_state=rng.randint(MAX_SEED))


def out_of_fold(
    estimator: BaseEstimator,
    X: Any,
    y: NDArray,
    *,
    cv: Any,
    method: str,
    n_jobs: int | None,
    rng: np.random.RandomState,
) -> NDArray:
    """Return the answers of models to the rows that they were not fitted on.

    Parameters
    ----------
    estimator : estimator
        Cloned and seeded for each fold.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples,)
        Labels.
    cv : splitter
        From `class_folds`.
    method : {"predict", "predict_proba", "decision_function"}
        What to ask for.
    n_jobs : int or None
        Folds to fit at once.
    rng : RandomState
        Seeds the estimator.

    Returns
    -------
    answers : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Labels, or scores of the classes in sorted order, of both in a binary problem.

    Raises
    ------
    ValueError
        If the estimator is no classifier, has no such method, or its scores are not finite or not
        one per class.
    """
    name = type(estimator).__name__
    if is_regressor(estimator) or is_outlier_detector(estimator):
        kind = "a regressor" if is_regressor(estimator) else "an outlier detector"
        raise ValueError(f"{name} is {kind}, which predicts no labels: pass a classifier.")
    if not hasattr(estimator, method):
        raise ValueError(
            f"{name} has no {method}: use a classifier that has one, or wrap it in "
            "CalibratedClassifierCV."
        )
    answers = cross_val_predict(
        clone_with_seed(estimator, rng), X, y, cv=cv, method=method, n_jobs=n_jobs
    )
    if method == "predict":
        return answers
    answers = check_class_scores(
        answers, estimator=estimator, method=method, n_classes=len(np.unique(y))
    )
    if not np.isfinite(answers).all():
        raise ValueError(
            f"{name} gave {np.sum(~np.isfinite(answers))} scores that are NaN or infinite in "
            f"{len(answers)} samples: rows cannot be ordered by them."
        )
    return answers
