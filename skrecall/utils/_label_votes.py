"""The probabilities of any classifier of several labels, in one shape.

Classifiers answer `predict_proba` for several labels in four ways: one array per label, one array
of three dimensions, one column per label, or that sparse. This is the place that knows them.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse


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
    proba : list of ndarray, ndarray or sparse
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
        votes = proba.toarray() if issparse(proba) else np.asarray(proba)
        if votes.ndim == 3 and votes.shape[2] == 2:
            votes = votes[:, :, 1]
    if votes.ndim != 2 or votes.shape[1] != n_labels:
        raise ValueError(
            f"predict_proba returned shape {votes.shape} for {n_labels} labels: an array of shape "
            f"(n_samples, {n_labels}), (n_samples, {n_labels}, 2), or a list of {n_labels} arrays "
            "is needed."
        )
    return votes


def learnt_labels(constant: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the labels to fit on; a single one twice, which keeps the target an indicator.

    Parameters
    ----------
    constant : ndarray of shape (n_labels,)
        The value of each label that has one, NaN for the others.

    Returns
    -------
    labels : ndarray of int
        Indices.
    """
    labels = np.flatnonzero(np.isnan(constant))
    return np.repeat(labels, 2) if len(labels) == 1 else labels
