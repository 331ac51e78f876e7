"""Where the scores come from that a threshold is chosen on: rows the model did not see.

A hold-out is split off once and never trained on; out-of-fold scores are pooled over folds; a
fitted estimator scores what it is given.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._checks import check_class_scores
from skrecall.utils._fitting import fit_on_rows
from skrecall.utils._row_metadata import refuse_params_of_scores
from skrecall.utils._rows import row_keys
from skrecall.utils._sklearn import (
    _check_response_method,
    _num_samples,
    _safe_indexing,
)

# Rows to fit on, None if the estimator is fitted already, and rows to hold out.
Split = tuple[NDArray | None, NDArray]

IF_SEVERAL_LABELS = "MultilabelThresholdClassifier puts a threshold on each."

RESPONSE_METHODS = {
    "auto": ["predict_proba", "decision_function"],
    "predict_proba": "predict_proba",
    "decision_function": "decision_function",
}


def check_has_scores(estimator: BaseEstimator, response_method: str) -> None:
    """Refuse an estimator that has no scores to put a threshold on.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    response_method : str
        A key of `RESPONSE_METHODS`.

    Raises
    ------
    ValueError
        If it has none of the methods asked for.
    """
    methods = np.atleast_1d(RESPONSE_METHODS[response_method])
    if not any(hasattr(estimator, method) for method in methods):
        raise ValueError(
            f"{type(estimator).__name__} has no {' and no '.join(methods)}: a threshold needs "
            "scores. Use an estimator that has one, or wrap it in CalibratedClassifierCV."
        )


def fit_and_score_held_out(
    estimator: BaseEstimator,
    X: Any,
    y: NDArray,
    splits: Sequence[Split],
    *,
    labels: Sequence | NDArray,
    response_method: str,
    fit_params: dict[str, Any],
    n_jobs: int | None = None,
) -> tuple[BaseEstimator, NDArray[np.float64]]:
    """Fit an estimator and score the rows of each split that were held out.

    Parameters
    ----------
    estimator : estimator
        Fitted in place, unless the only split has no rows to fit on: then it is fitted already.
    X : array-like of shape (n_samples, ...)
        All samples.
    y : ndarray of shape (n_samples,)
        All labels.
    splits : list of (fit_rows, held_out_rows)
        One: the estimator is fitted on its rows and never again. Several: clones are, and the
        estimator on all rows.
    labels : sequence of length n_labels
        Classes to score.
    response_method : str
        A key of `RESPONSE_METHODS`.
    fit_params : dict
        Parameters of `fit`.
    n_jobs : int, default=None
        Number of splits to fit at once.

    Returns
    -------
    estimator : estimator
        The fitted one.
    y_score : ndarray of shape (n_held_out, n_labels)
        In the order of the splits.

    Raises
    ------
    ValueError
        If scores of rows need a parameter of `fit`, as those of padded clips need lengths.
    """
    refuse_params_of_scores(estimator, X, fit_params)
    if len(splits) == 1:
        ((fit_rows, held_out_rows),) = splits
        if fit_rows is not None:
            fit_on_rows(estimator, X, y, fit_rows, fit_params)
        X_held_out = _safe_indexing(X, held_out_rows)
        return estimator, class_scores(estimator, X_held_out, labels, response_method)
    y_score = Parallel(n_jobs=n_jobs)(
        delayed(_fold_scores)(
            clone(estimator), X, y, fit_rows, held_out_rows, labels, response_method, fit_params
        )
        for fit_rows, held_out_rows in splits
    )
    return fit_on_rows(estimator, X, y, None, fit_params), np.concatenate(y_score)


def _fold_scores(
    estimator: BaseEstimator,
    X: Any,
    y: NDArray,
    fit_rows: NDArray,
    held_out_rows: NDArray,
    labels: Sequence | NDArray,
    response_method: str,
    fit_params: dict[str, Any],
) -> NDArray[np.float64]:
    fit_on_rows(estimator, X, y, fit_rows, fit_params)
    return class_scores(estimator, _safe_indexing(X, held_out_rows), labels, response_method)


def class_scores(
    estimator: BaseEstimator, X: Any, labels: Sequence | NDArray, response_method: str
) -> NDArray[np.float64]:
    """Return the score of each named class.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier.
    X : array-like of shape (n_samples, ...)
        Samples.
    labels : sequence of length n_labels
        Classes to score.
    response_method : {"auto", "predict_proba", "decision_function"}
        Where scores come from; "auto" takes probabilities where there are some.

    Returns
    -------
    y_score : ndarray of shape (n_samples, n_labels)
        A probability, or a value of the decision function; greater means more likely.

    Raises
    ------
    ValueError
        If the estimator does not know a class, or its scores are not finite or not one per class.
    """
    classes = np.asarray(estimator.classes_)
    unknown = [label for label in labels if label not in classes]
    if unknown:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on classes {classes.tolist()} and cannot score "
            f"{unknown}: the rows it was fitted on held none of them."
        )
    respond = _check_response_method(estimator, RESPONSE_METHODS[response_method])
    y_score = check_class_scores(
        np.asarray(respond(X), dtype=np.float64),
        estimator=estimator,
        method=respond.__name__,
        n_classes=len(classes),
    )
    y_score = y_score[:, [classes.tolist().index(label) for label in labels]]
    if not np.isfinite(y_score).all():
        raise ValueError(
            f"{type(estimator).__name__} gave {np.sum(~np.isfinite(y_score))} scores that are NaN "
            f"or infinite in {len(y_score)} samples: no threshold can be put on them."
        )
    return y_score


def holdout_split(
    code: NDArray, size: float, *, groups: NDArray | None, rng: np.random.RandomState
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows, or whole groups, in two, stratified by a code.

    Units are put in random order within each code and every (1 / size)-th is held out, from a
    random start, so that each code is represented in proportion, however few its units.

    Parameters
    ----------
    code : ndarray of shape (n_samples,), dtype int
        What to stratify by; the code of a group is the rarest among its rows.
    size : float in (0, 1)
        Share of the units to hold out.
    groups : ndarray of shape (n_samples,) or None
        Rows of one group stay together.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    fit_rows, held_out_rows : ndarray of int
        Increasing row indices.
    """
    if groups is None:
        unit, unit_code = np.arange(len(code)), code
    else:
        frequency = np.bincount(code)[code]
        rarest_first = np.lexsort((code, frequency))
        _, first, unit = np.unique(groups[rarest_first], return_index=True, return_inverse=True)
        unit_code = code[rarest_first][first]
        unit = unit[np.argsort(rarest_first)]
    order = rng.permutation(len(unit_code))
    order = order[np.argsort(unit_code[order], kind="stable")]
    steps = np.floor(np.arange(len(order) + 1) * size + rng.uniform())
    held_out = np.zeros(len(order), dtype=bool)
    held_out[order] = np.diff(steps) > 0
    return np.flatnonzero(~held_out[unit]), np.flatnonzero(held_out[unit])


def last_split(
    cv: Any, X: Any, y: NDArray, groups: NDArray | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the last split of a splitter: the most recent one where it walks through time.

    Parameters
    ----------
    cv : splitter or iterable
        With a method `split`, or yielding pairs of index arrays.
    X, y : array-like of shape (n_samples, ...)
        What to split.
    groups : ndarray of shape (n_samples,) or None
        Handed to the splitter.

    Returns
    -------
    fit_rows, held_out_rows : ndarray of int
        Row indices.
    """
    splits = list(cv.split(X, y, groups) if hasattr(cv, "split") else cv)
    if not splits:
        raise ValueError(f"cv={cv!r} yields no split: one is needed to hold out positives.")
    return row_indices(splits[-1])


def row_indices(split: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a split as row indices.

    Parameters
    ----------
    split : pair of array-like
        Row indices, or masks of all rows.

    Returns
    -------
    fit_rows, held_out_rows : ndarray of int
        Row indices.
    """
    sides = [np.asarray(side) for side in split]
    fit_rows, held_out_rows = (
        np.flatnonzero(side) if side.dtype == bool else side for side in sides
    )
    return fit_rows, held_out_rows


def count_shared_rows(A: Any, B: Any) -> int:
    """Count the rows of `A` that are also rows of `B`.

    Parameters
    ----------
    A, B : array-like, DataFrame or sparse of shape (n_samples, ...)
        Samples of the same kind.

    Returns
    -------
    n_shared : int
        Number of rows of `A` with an identical row in `B`.
    """
    if not (_num_samples(A) and _num_samples(B)):
        return 0
    return int(np.isin(row_keys(A), row_keys(B)).sum())


def check_split(
    fit_rows: NDArray, held_out_rows: NDArray, y: NDArray, labels: NDArray, groups: NDArray | None
) -> None:
    """Refuse a split whose held-out rows are not new to the model, or that teaches it nothing.

    Parameters
    ----------
    fit_rows, held_out_rows : ndarray of int
        The two halves.
    y : ndarray of shape (n_samples,)
        All labels.
    labels : ndarray of shape (n_labels,)
        Classes to find.
    groups : ndarray of shape (n_samples,) or None
        Rows of one group belong on one side.

    Raises
    ------
    ValueError
        If no row is held out, one is held out twice or on both sides, a group is on both sides, or
        the rows to fit on hold none of a class.
    """
    if not len(held_out_rows):
        raise ValueError(
            f"The split of {len(fit_rows)} rows holds out none: raise the share to hold out, or "
            "use another split."
        )
    if len(np.unique(held_out_rows)) < len(held_out_rows):
        raise ValueError(
            f"The split holds out {len(held_out_rows)} rows, of which only "
            f"{len(np.unique(held_out_rows))} are different: a positive counted twice is no two."
        )
    both = np.intersect1d(fit_rows, held_out_rows)
    if len(both):
        raise ValueError(
            f"{len(both)} rows are on both sides of the split: hold out rows that the model is not "
            "fitted on."
        )
    if groups is not None:
        both = np.intersect1d(groups[fit_rows], groups[held_out_rows])
        if len(both):
            raise ValueError(
                f"{len(both)} groups are on both sides of the split, {both[:3].tolist()} among "
                "them: use a splitter that keeps groups whole, such as GroupShuffleSplit, or leave "
                "cv=None."
            )
    missing = np.setdiff1d(labels, y[fit_rows])
    rows = np.flatnonzero(np.isin(y, missing[:1]))
    if len(rows) and len(rows if groups is None else np.unique(groups[rows])) == 1:
        units = "sample" if len(rows) == 1 else "group"
        raise ValueError(
            f"y holds 1 {units} of class {missing.tolist()[0]!r} in all, which cannot be fitted on "
            "and held out: two are the least, and a promise needs more on the side that is held "
            "out, see positives_needed."
        )
    if len(missing):
        raise ValueError(
            f"The {len(fit_rows)} rows to fit on hold no sample of class {missing.tolist()}, of "
            f"{np.isin(y, missing).sum()} in all: hold out fewer rows, or use another split."
        )


def check_no_shared_positives(
    X: ArrayLike,
    positive: NDArray[np.bool_],
    fit_rows: NDArray,
    held_out_rows: NDArray,
    *,
    takes_groups: bool = True,
) -> None:
    """Refuse positives that are in both halves: the model has seen what it is judged on.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        All samples.
    positive : ndarray of shape (n_samples,), dtype bool
        Which of them are positive.
    fit_rows, held_out_rows : ndarray of int
        The two halves.
    takes_groups : bool, default=True
        Whether a promise of the caller takes groups, which the error then advises.

    Raises
    ------
    ValueError
        If a held-out positive is identical to a fitted one.
    """
    fit_rows, held_out_rows = (rows[positive[rows]] for rows in (fit_rows, held_out_rows))
    shared = count_shared_rows(_safe_indexing(X, held_out_rows), _safe_indexing(X, fit_rows))
    if shared:
        raise ValueError(
            f"{shared} of {len(held_out_rows)} held-out positives are identical to positives the "
            "model was fitted on, so their scores say nothing about unseen positives. Either an "
            "over-sampler runs before this classifier: put it inside, as a step of the Pipeline "
            "that this classifier wraps. Or the data hold duplicate rows: drop them"
            f"{', pass their source as groups,' if takes_groups else ''} or, where independent "
            "cases do coincide, pass on_duplicates='ignore'."
        )
