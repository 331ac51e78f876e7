"""Checks of inputs: every message says what was found and what to do next."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ._sklearn import Interval, _check_sample_weight


def check_scores(y_score: ArrayLike, *, name: str = "y_score") -> NDArray[np.float64]:
    """Return scores as a finite float64 vector.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Scores; greater means more likely positive.
    name : str
        What the message calls them.

    Returns
    -------
    y_score : ndarray of shape (n_samples,)
        The same scores.

    Raises
    ------
    ValueError
        If there are none, there are several per sample, or some are NaN or infinite.
    """
    y_score = np.asarray(y_score)
    if y_score.ndim > 1 and y_score.shape[1] > 1:
        raise ValueError(
            f"{name} has shape {y_score.shape}: pass one score per sample, such as "
            "predict_proba(X)[:, 1]."
        )
    y_score = column_or_1d(y_score, dtype=np.float64)
    return check_array(y_score, ensure_2d=False, input_name=name)


def check_labels(y: ArrayLike, *, name: str = "y_true") -> NDArray:
    """Return class labels as a vector.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.
    name : str
        What the message calls them.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The same labels.

    Raises
    ------
    ValueError
        If there are none, some are missing or infinite, they are of several types, or they are
        continuous as scores are.
    """
    y = column_or_1d(y)
    if len(y) == 0:
        raise ValueError(f"{name} holds 0 samples: there is nothing to count.")
    missing = pd.isna(y)
    if missing.any():
        raise ValueError(
            f"{name} contains NaN: {missing.sum()} of {len(y)} labels are missing. Leave out the "
            "samples whose label is unknown."
        )
    if y.dtype.kind == "f":
        if np.isinf(y).any():
            raise ValueError(f"{name} contains infinity, which is no label.")
        if np.any(y != np.trunc(y)):
            raise ValueError(
                f"{name} holds continuous values, for example {y[:3].tolist()}: these look like "
                "scores where labels belong. Pass the labels first, then the scores; decisions are "
                "scores that a threshold was applied to."
            )
    elif y.dtype.kind == "O" and pd.api.types.infer_dtype(y).startswith("mixed"):
        raise ValueError(f"{name} mixes strings and other labels: use one type.")
    return y


def check_training_labels(
    y: ArrayLike, *, if_several: str = "BinaryRelevance fits it once for each."
) -> NDArray:
    """Return the class labels that a classifier is fitted on as a vector.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
        Labels; one column is taken for a vector, with scikit-learn's warning.
    if_several : str, default="BinaryRelevance fits it once for each."
        What the message says to do with several labels.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The same labels.

    Raises
    ------
    ValueError
        If there are several columns, or `check_labels` or scikit-learn refuses them.
    """
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"y should be a 1d array, one class per sample, and has shape {shape}. If its columns "
            f"are labels: {if_several}"
        )
    y = check_labels(column_or_1d(y, warn=True), name="y")
    check_classification_targets(y)
    return y


def check_binary_target(
    y_true: ArrayLike, *, pos_label: Any = None, name: str = "y_true"
) -> tuple[NDArray[np.bool_], Any]:
    """Return which samples are positive, and the label that makes them so.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels of two classes.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the sorted two.
    name : str
        What the message calls them.

    Returns
    -------
    positive : ndarray of shape (n_samples,), dtype bool
        True where the label is `pos_label`.
    pos_label : object
        The positive label.

    Raises
    ------
    ValueError
        If the labels are scores, hold one class, more than two, or no `pos_label`.
    """
    y_true = check_labels(y_true, name=name)
    classes = np.unique(y_true)
    if len(classes) == 1:
        raise ValueError(
            f"{name} holds one class only, {classes.tolist()[0]!r}, in {len(y_true)} samples: "
            "recall and false alarms need samples of both classes."
        )
    if pos_label is None:
        if len(classes) > 2:
            raise ValueError(
                f"{name} holds {len(classes)} classes, {classes[:5].tolist()}...: name the one to "
                "find with pos_label; all others then count as negative."
            )
        pos_label = classes.tolist()[1]
    elif pos_label not in classes:
        raise ValueError(
            f"pos_label={pos_label!r} is not a label of {name}, which holds {classes.tolist()}."
        )
    return y_true == pos_label, pos_label


def check_class_scores(y_score: NDArray, *, estimator: Any, method: str, n_classes: int) -> NDArray:
    """Return scores of all classes, those of both in a binary problem.

    Parameters
    ----------
    y_score : ndarray of shape (n_samples,) or (n_samples, n_columns)
        What a classifier answers.
    estimator : classifier
        What gave them.
    method : str
        Which of its methods.
    n_classes : int
        How many it was fitted on.

    Returns
    -------
    y_score : ndarray of shape (n_samples, n_classes)
        One score per class.

    Raises
    ------
    ValueError
        If they are no scores of classes, as those of pairs of classes.
    """
    if y_score.ndim == 1:
        y_score = np.column_stack([-y_score, y_score])
    shape = getattr(estimator, "decision_function_shape", None)
    of_pairs = shape == "ovo" and n_classes > 2 and method == "decision_function"
    if y_score.shape[1] != n_classes or of_pairs:
        raise ValueError(
            f"{type(estimator).__name__} gave {y_score.shape[1]} scores per sample for "
            f"{n_classes} classes that are not one per class: use decision_function_shape='ovr'."
        )
    return y_score


def check_weights(
    sample_weight: ArrayLike | None, y_score: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return non-negative float64 weights, one per score, or None.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.
    y_score : ndarray of shape (n_samples,)
        The scores they belong to.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,) or None
        The same weights.
    """
    if sample_weight is None:
        return None
    check_consistent_length(y_score, sample_weight)
    return _check_sample_weight(sample_weight, y_score, dtype=np.float64, ensure_non_negative=True)


def check_share(
    value: float, *, name: str, closed: Literal["both", "left", "right", "neither"] = "both"
) -> float:
    """Return a number between 0 and 1.

    Parameters
    ----------
    value : float
        The number.
    name : str
        What the message calls it.
    closed : {"both", "left", "right", "neither"}, default="both"
        Which of 0 and 1 are allowed.

    Returns
    -------
    value : float
        The same number.

    Raises
    ------
    ValueError
        If it is not a real number of the interval.
    """
    if (
        isinstance(value, Real)
        and not isinstance(value, bool)
        and value in Interval(Real, 0, 1, closed=closed)
    ):
        return float(value)
    low = "[" if closed in ("both", "left") else "("
    high = "]" if closed in ("both", "right") else ")"
    raise ValueError(f"{name}={value!r} is not a share: give a number in {low}0, 1{high}.")


def check_count(value: int, *, name: str, least: int = 1) -> int:
    """Return a whole number that is large enough.

    Parameters
    ----------
    value : int
        The number.
    name : str
        What the message calls it.
    least : int, default=1
        The smallest that is allowed.

    Returns
    -------
    value : int
        The same number.

    Raises
    ------
    ValueError
        If it is no integer or smaller.
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise ValueError(f"{name}={value!r} must be a whole number, {least} or more.")


def check_option(value: str, options: Sequence[str], *, name: str) -> str:
    """Return a string that is one of the options.

    Parameters
    ----------
    value : str
        The string.
    options : sequence of str
        What it may be.
    name : str
        What the message calls it.

    Returns
    -------
    value : str
        The same string.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if value not in options:
        raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, options))}.")
    return value
