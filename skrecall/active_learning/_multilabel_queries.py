"""How much a row with several labels is worth asking for, from one probability per label.

References
----------
.. [1] K. Brinker, "On active learning in multi-label classification", in From Data and Information
   Analysis to Knowledge Engineering, Springer, 2006.
.. [2] X. Li, Y. Guo, "Active learning with multi-label SVM classification", IJCAI 2013.
"""

from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from skrecall.utils._checks import check_option

from ._uncertainty import check_proba

_MEASURES = ("least_confidence", "margin", "entropy")
_AGGREGATES: dict[str, Any] = {"mean": np.mean, "max": np.max, "min": np.min}


def multilabel_uncertainty(
    proba: ArrayLike,
    *,
    measure: Literal["least_confidence", "margin", "entropy"] = "entropy",
    aggregate: Literal["mean", "max", "min"] = "mean",
) -> NDArray[np.float64]:
    """Return how uncertain the labels of each row are.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_labels)
        P(label = 1).
    measure : {"least_confidence", "margin", "entropy"}, default="entropy"
        What is said of each label: `least_confidence`, `margin_uncertainty` or
        `entropy_uncertainty` of its two values.
    aggregate : {"mean", "max", "min"}, default="mean"
        How the labels of a row are taken together. "max" asks for the rows that hold the most
        uncertain single label [1]_, "mean" for those that teach something about many, "min" for
        those whose every label is uncertain.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        Greater means less certain.

    Raises
    ------
    ValueError
        If these are no probabilities, or an option is unknown.

    References
    ----------
    .. [1] K. Brinker, "On active learning in multi-label classification", in From Data and
       Information Analysis to Knowledge Engineering, Springer, 2006.

    Examples
    --------
    >>> from skrecall.active_learning import multilabel_uncertainty
    >>> proba = [[0.5, 0.0], [0.75, 0.25]]
    >>> multilabel_uncertainty(proba, measure="least_confidence")
    array([0.25, 0.25])
    >>> multilabel_uncertainty(proba, measure="least_confidence", aggregate="max")
    array([0.5 , 0.25])
    """
    proba = check_proba(proba)
    check_option(measure, _MEASURES, name="measure")
    check_option(aggregate, tuple(_AGGREGATES), name="aggregate")
    if measure == "entropy":
        of_label = entr(proba) + entr(1 - proba)
    else:
        of_label = np.minimum(proba, 1 - proba) * (2 if measure == "margin" else 1)
    return _AGGREGATES[aggregate](of_label, axis=1)


def label_cardinality_inconsistency(
    proba: ArrayLike, label_cardinality: float
) -> NDArray[np.float64]:
    """Return how far the number of labels predicted for each row is from the usual one [1]_.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_labels)
        P(label = 1); labels of one half or more are predicted.
    label_cardinality : float
        Mean number of labels of the rows that are labelled.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        Absolute difference; greater means less plausible.

    Raises
    ------
    ValueError
        If these are no probabilities, or the cardinality is negative.

    References
    ----------
    .. [1] X. Li, Y. Guo, "Active learning with multi-label SVM classification", IJCAI 2013.

    Examples
    --------
    >>> from skrecall.active_learning import label_cardinality_inconsistency
    >>> label_cardinality_inconsistency([[0.9, 0.8, 0.7], [0.9, 0.1, 0.1]], 1.5)
    array([1.5, 0.5])
    """
    if not (isinstance(label_cardinality, Real) and 0 <= label_cardinality < np.inf):
        raise ValueError(
            f"label_cardinality={label_cardinality!r} must be a mean number of labels, 0 or more: "
            "Y.sum(axis=1).mean() of the labelled rows."
        )
    return np.abs(np.sum(check_proba(proba) >= 0.5, axis=1) - label_cardinality)
