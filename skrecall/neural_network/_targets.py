"""From labels and weights to class numbers, one weight per row, and rows held out."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
    compute_class_weight,
)
from sklearn.utils.multiclass import check_classification_targets

from skrecall.utils._sklearn import _check_sample_weight


def check_labels(X: NDArray[Any], y: ArrayLike) -> NDArray[Any]:
    """Return labels of classes, one per sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        The samples.
    y : array-like of shape (n_samples,)
        Labels of any kind.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    ValueError
        If they are continuous, not finite, not one per sample, or not one-dimensional.
    """
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    check_consistent_length(X, y)
    return y


def encode_labels(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the numbers of the labels among the sorted classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.

    Returns
    -------
    codes : ndarray of shape (n_samples,)
        Class numbers.

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    known = np.isin(y, classes)
    if not known.all():
        raise ValueError(
            f"y holds labels that are none of the {len(classes)} classes of the first call, for "
            f"example {y[~known].tolist()[0]!r}: name all labels there, or fit anew."
        )
    return np.searchsorted(classes, y)


def row_weights(
    y: NDArray[Any],
    codes: NDArray[np.intp],
    classes: NDArray[Any],
    class_weight: dict[Any, float] | str | None,
    sample_weight: ArrayLike | None,
) -> NDArray[np.float64] | None:
    """Return the products of sample and class weights, or None if all rows weigh alike.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    codes : ndarray of shape (n_samples,)
        Their class numbers.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.
    class_weight : dict, "balanced" or None
        Weights of the classes by label.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    weight : ndarray of shape (n_samples,) or None
        One weight per row.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or they are not one per row.
    """
    if sample_weight is None and class_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, codes, dtype=np.float64, ensure_non_negative=True)
    return weight * compute_class_weight(class_weight, classes=classes, y=y)[codes]


def check_weights_keep_classes(weight: NDArray[np.float64], codes: NDArray[np.intp]) -> None:
    """Refuse weights that leave fewer than two classes.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)
        Weights of the rows.
    codes : ndarray of shape (n_samples,)
        Class numbers.

    Raises
    ------
    ValueError
        If the weights are zero but for one class, or for all.
    """
    weight_of_class = np.bincount(codes, weights=weight)
    kept = np.count_nonzero(weight_of_class)
    if kept < 2:
        raise ValueError(
            f"The weights leave {kept} of {np.count_nonzero(np.bincount(codes))} classes: samples "
            "of one class more, at least, need a weight above zero."
        )


def stratified_holdout(
    codes: NDArray[np.intp], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on and those held out, every class on both sides.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Class numbers.
    fraction : float
        Share of rows to hold out.
    seed : int
        Seed of the split.

    Returns
    -------
    train, held_out : ndarray of int
        Row numbers.

    Raises
    ------
    ValueError
        If a class cannot be on both sides.
    """
    n_samples, counts = len(codes), np.bincount(codes)
    n_classes, rarest = np.count_nonzero(counts), counts[counts > 0].min()
    n_held_out = math.ceil(fraction * n_samples)
    if rarest < 2 or min(n_held_out, n_samples - n_held_out) < n_classes:
        raise ValueError(
            f"early_stopping holds out {n_held_out} of {n_samples} rows "
            f"(validation_fraction={fraction}) and needs a row of each of the {n_classes} classes "
            f"on both sides; the rarest class has {rarest}. Add rows, change "
            "validation_fraction, or pass early_stopping=False."
        )
    train, held_out = train_test_split(
        np.arange(n_samples), test_size=n_held_out, stratify=codes, random_state=seed
    )
    return train, held_out
