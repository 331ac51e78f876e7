"""How much the members of a committee disagree about each row.

References
----------
.. [1] I. Dagan, S. P. Engelson, "Committee-based sampling for training probabilistic classifiers",
   ICML 1995.
.. [2] A. McCallum, K. Nigam, "Employing EM and pool-based active learning for text classification",
   ICML 1998.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr
from sklearn.utils import check_array

from skrecall.utils._checks import check_labels

from ._uncertainty import check_proba


def vote_entropy(votes: ArrayLike) -> NDArray[np.float64]:
    """Return the entropy of the votes of a committee on each row [1]_.

    Parameters
    ----------
    votes : array-like of shape (n_members, n_samples)
        The class that each member predicts: numbers or strings.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        Entropy in nats of the shares of the classes among the votes: 0 where all agree, at most the
        logarithm of the number of members or of classes.

    Raises
    ------
    ValueError
        If the votes have another shape, or some are missing or no labels.

    References
    ----------
    .. [1] I. Dagan, S. P. Engelson, "Committee-based sampling for training probabilistic
       classifiers", ICML 1995.

    Examples
    --------
    >>> from skrecall.active_learning import vote_entropy
    >>> vote_entropy([["a", "a"], ["a", "b"]]).round(3)
    array([0.   , 0.693])
    """
    votes = check_array(votes, dtype=None, ensure_all_finite=False, input_name="votes")
    check_labels(votes.ravel(), name="votes")
    classes, of_vote = np.unique(votes, return_inverse=True)
    of_vote = of_vote.reshape(votes.shape)
    score = np.zeros(votes.shape[1])
    for k in range(len(classes)):
        score += entr(np.mean(of_vote == k, axis=0))
    return score


def consensus_kl_divergence(proba: ArrayLike) -> NDArray[np.float64]:
    """Return the mean Kullback-Leibler divergence of the members from their consensus [1]_.

    Parameters
    ----------
    proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of each member.

    Returns
    -------
    score : ndarray of shape (n_samples,)
        In nats: 0 where all members say the same, however uncertain each is; at most
        ``log(n_members)``.

    Raises
    ------
    ValueError
        If the array has another shape, or holds no probabilities.

    References
    ----------
    .. [1] A. McCallum, K. Nigam, "Employing EM and pool-based active learning for text
       classification", ICML 1998.

    Examples
    --------
    >>> from skrecall.active_learning import consensus_kl_divergence
    >>> agree, differ = [0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]]
    >>> consensus_kl_divergence([[agree, differ[0]], [agree, differ[1]]]).round(3)
    array([0.   , 0.693])
    """
    shape = np.shape(proba)
    if len(shape) != 3 or 0 in shape:
        raise ValueError(
            f"proba has shape {shape}: stack the predict_proba of the members to (n_members, "
            "n_samples, n_classes), for example with numpy.stack."
        )
    members = [check_proba(member, of_classes=True) for member in np.asarray(proba)]
    consensus = np.mean(members, axis=0)
    return np.mean([rel_entr(member, consensus).sum(axis=1) for member in members], axis=0)
