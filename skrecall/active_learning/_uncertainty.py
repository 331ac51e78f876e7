"""How uncertain a classifier is about each row, from its probabilities.

References
----------
.. [1] B. Settles, "Active learning literature survey", University of Wisconsin, Computer Sciences
   Technical Report 1648, 2009.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr
from sklearn.utils import check_array

_ROUNDING = 0.02  # of three probabilities given to two places, and of half floats


def check_proba(proba: ArrayLike, *, of_classes: bool = False) -> NDArray[np.float64]:
    """Return probabilities as a float64 array.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_columns)
        Numbers between 0 and 1.
    of_classes : bool, default=False
        Whether the columns exclude each other, so that each row sums to one.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_columns)
        The same.

    Raises
    ------
    ValueError
        If one is not finite or no probability, or rows of classes do not sum to one.
    """
    proba = check_array(proba, dtype=np.float64, input_name="proba")
    if proba.min() < -1e-9 or proba.max() > 1 + 1e-6:
        raise ValueError(
            f"proba holds values from {proba.min():.4g} to {proba.max():.4g}, and probabilities "
            "are between 0 and 1: pass what predict_proba returns."
        )
    total = proba.sum(axis=1)
    if of_classes and (np.abs(total - 1) > _ROUNDING).any():
        raise ValueError(
            f"The rows of proba sum to {total.min():.4g} to {total.max():.4g}, and those of "
            "classes to 1: pass one column for each class, as predict_proba returns; of several "
            "labels, take multilabel_uncertainty."
        )
    return np.clip(proba, 0, 1)


def least_confidence(proba: ArrayLike) -> NDArray[np.float64]:
    """Return how far the most probable class of each row is from certain [1]_.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probability of each class.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        ``1 - max(proba)``; greater means less certain, at most ``1 - 1 / n_classes``.

    Raises
    ------
    ValueError
        If these are no probabilities.

    References
    ----------
    .. [1] B. Settles, "Active learning literature survey", University of Wisconsin, Computer
       Sciences Technical Report 1648, 2009.

    Examples
    --------
    >>> from skrecall.active_learning import least_confidence
    >>> least_confidence([[0.5, 0.5], [0.25, 0.75]])
    array([0.5 , 0.25])
    """
    return 1 - check_proba(proba, of_classes=True).max(axis=1)


def margin_uncertainty(proba: ArrayLike) -> NDArray[np.float64]:
    """Return how near the two most probable classes of each row are to each other [1]_.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probability of each class.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        One minus the margin between the two; greater means less certain, at most 1.

    Raises
    ------
    ValueError
        If these are no probabilities.

    References
    ----------
    .. [1] T. Scheffer, C. Decomain, S. Wrobel, "Active hidden Markov models for information
       extraction", IDA 2001.

    Examples
    --------
    >>> from skrecall.active_learning import margin_uncertainty
    >>> margin_uncertainty([[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]])
    array([1.  , 0.75])
    """
    proba = check_proba(proba, of_classes=True)
    largest = np.partition(proba, proba.shape[1] - 2, axis=1)[:, -2:]
    return 1 - (largest[:, 1] - largest[:, 0])


def entropy_uncertainty(proba: ArrayLike) -> NDArray[np.float64]:
    """Return the entropy of the class probabilities of each row [1]_.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probability of each class.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        In nats; greater means less certain, at most ``log(n_classes)``.

    Raises
    ------
    ValueError
        If these are no probabilities.

    References
    ----------
    .. [1] B. Settles, "Active learning literature survey", University of Wisconsin, Computer
       Sciences Technical Report 1648, 2009.

    Examples
    --------
    >>> from skrecall.active_learning import entropy_uncertainty
    >>> entropy_uncertainty([[0.5, 0.5], [0.0, 1.0]]).round(3)
    array([0.693, 0.   ])
    """
    return entr(check_proba(proba, of_classes=True)).sum(axis=1)
