"""Metrics of decisions that neither scikit-learn nor imbalanced-learn has."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.utils import check_array
from sklearn.utils.multiclass import unique_labels

from skrecall.utils._checks import check_labels


def true_negative_rate(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the share of the negatives that a decision leaves alone (specificity).

    imbalanced-learn's ``specificity_score`` is the same without weights, and wrong with them (as of
    0.14.2 it is negative for some).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_pred : array-like of shape (n_samples,)
        Decisions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.
    pos_label : int, float, bool or str, default=None
        The positive label, all others being negative; None means the second of the two labels that
        occur.

    Returns
    -------
    rate : float
        In [0, 1].

    Raises
    ------
    ValueError
        If `y_true` holds no negative, or scores stand where labels belong.

    Examples
    --------
    >>> from skrecall.metrics import true_negative_rate
    >>> true_negative_rate([0, 0, 0, 0, 1], [0, 0, 1, 0, 1])
    0.75
    """
    y_true, y_pred = check_labels(y_true), check_labels(y_pred, name="y_pred")
    classes = unique_labels(y_true, y_pred)
    if pos_label is None:
        if len(classes) != 2:
            raise ValueError(
                f"y_true and y_pred hold {len(classes)} classes, {classes[:5].tolist()}: name the "
                "positive one with pos_label."
            )
        pos_label = classes.tolist()[1]
    negative = y_true != pos_label
    if not np.any(negative):
        raise ValueError(
            f"y_true holds no negative (label other than {pos_label!r}) in {len(y_true)} samples: "
            "specificity has no value."
        )
    return float(recall_score(negative, y_pred != pos_label, sample_weight=sample_weight))


def expected_cost(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    cost_matrix: ArrayLike,
    labels: ArrayLike | None = None,
    prevalence: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean cost of a decision.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_pred : array-like of shape (n_samples,)
        Decisions.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Cost of deciding column j where row i is true; in the binary case
        ``[[cost_tn, cost_fp], [cost_fn, cost_tp]]``.
    labels : array-like of shape (n_classes,), default=None
        The classes in the order of `cost_matrix`; None means those that occur, sorted.
    prevalence : array-like of shape (n_classes,), default=None
        Shares of the classes where the decisions will be taken; None means the shares found.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    cost : float
        Less is better.

    Raises
    ------
    ValueError
        If the shapes of `cost_matrix`, `labels` and `prevalence` disagree, `prevalence` does not
        sum to one, or it names a class without samples.

    Examples
    --------
    >>> from skrecall.metrics import expected_cost
    >>> expected_cost([0, 0, 0, 1], [0, 1, 0, 0], cost_matrix=[[0, 1], [50, 0]])
    12.75
    """
    y_true, y_pred = check_labels(y_true), check_labels(y_pred, name="y_pred")
    classes: Any = unique_labels(y_true, y_pred) if labels is None else np.asarray(labels)
    cost = check_array(cost_matrix, dtype=np.float64, input_name="cost_matrix")
    if cost.shape != (len(classes), len(classes)):
        raise ValueError(
            f"cost_matrix has shape {cost.shape}, but there are {len(classes)} classes, "
            f"{classes.tolist()}: give one row and one column per class, or name the classes "
            "with labels."
        )
    counts = confusion_matrix(y_true, y_pred, labels=classes, sample_weight=sample_weight)
    total = counts.sum(axis=1)
    if prevalence is None:
        return float((cost * counts).sum() / total.sum())
    share = check_array(prevalence, dtype=np.float64, ensure_2d=False, input_name="prevalence")
    if share.shape != (len(classes),) or np.any(share < 0) or not np.isclose(share.sum(), 1):
        raise ValueError(
            f"prevalence {share.tolist()} must be {len(classes)} shares that sum to 1."
        )
    if np.any((total == 0) & (share > 0)):
        raise ValueError(
            f"prevalence gives {classes[(total == 0) & (share > 0)].tolist()} a share, but y_true "
            "holds no such sample: its cost is unknown."
        )
    rate = counts / np.where(total > 0, total, 1)[:, None]
    return float(share @ (cost * rate).sum(axis=1))
