"""Members of a multi-label ensemble: each votes on the labels it could learn, and on no other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skrecall.threshold._label_evidence import is_ours
from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._indicator import Indicator, constant_labels
from skrecall.utils._label_votes import label_votes, learnt_labels

from ._binary_relevance import BinaryRelevance


def check_voting(voting: str, estimator: BaseEstimator) -> None:
    """Refuse to average probabilities of an estimator that has none.

    Parameters
    ----------
    voting : {"labels", "proba"}
        What is averaged.
    estimator : estimator
        Unfitted.

    Raises
    ------
    ValueError
        If it has no `predict_proba`, and that is asked for.
    """
    if voting == "proba" and not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"voting='proba' averages probabilities, and {type(estimator).__name__} has no "
            "predict_proba: set voting='labels', or wrap it in CalibratedClassifierCV."
        )


def check_row_weights(sample_weight: ArrayLike | None) -> None:
    """Refuse weights of single labels, where members do not see all labels.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Raises
    ------
    ValueError
        If they have more than one dimension.
    """
    shape = () if sample_weight is None else np.asarray(sample_weight).shape
    if len(shape) > 1:
        raise ValueError(
            f"sample_weight has shape {shape}: give one weight per sample. "
            "skrecall.multilabel.BinaryRelevance takes one per label of each."
        )


def as_multilabel(estimator: BaseEstimator) -> BaseEstimator:
    """Return a multi-label classifier: a binary one in `BinaryRelevance`.

    Parameters
    ----------
    estimator : estimator
        Unfitted.

    Returns
    -------
    estimator : estimator
        The same, if its tags say that it takes several labels, or it has no tags of classifiers,
        as those of scikit-multilearn.
    """
    tags = get_tags(estimator)
    if tags.classifier_tags is None:
        return estimator
    several = tags.classifier_tags.multi_label or tags.target_tags.multi_output
    return estimator if several else BinaryRelevance(estimator)


@dataclass(eq=False)
class Member:
    """A classifier of several labels, fitted on those of them that vary in its rows.

    Attributes
    ----------
    estimator : estimator or None
        Fitted; None if no label varies.
    constant : ndarray of shape (n_labels,)
        The value of each label that it was not fitted on, NaN for the others.
    """

    estimator: Any
    constant: NDArray[np.float64]

    @property
    def learnt(self) -> NDArray[np.bool_]:
        """Which labels it was fitted on, a vector of booleans."""
        return np.isnan(self.constant)

    def proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each label it was fitted on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_learnt)
            P(label = 1).
        """
        labels = learnt_labels(self.constant)
        classes = getattr(self.estimator, "classes_", None)
        votes = label_votes(self.estimator.predict_proba(X), classes, len(labels))
        return votes[:, : self.learnt.sum()]

    def predicted(self, X: Any) -> NDArray[np.int8]:
        """Return the labels that it predicts, of those it was fitted on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        Y_pred : ndarray of shape (n_samples, n_learnt), dtype int8
            An indicator.
        """
        Y_pred = self.estimator.predict(X)
        Y_pred = Y_pred.toarray() if issparse(Y_pred) else np.asarray(Y_pred)
        return Y_pred.reshape(len(Y_pred), -1)[:, : self.learnt.sum()].astype(np.int8)


def fit_member(
    estimator: BaseEstimator, X: Any, Y: Indicator, params: dict[str, Any], random_state: Any
) -> Member:
    """Fit a clone on the labels that vary.

    Parameters
    ----------
    estimator : estimator
        Cloned; a binary one is fitted per label.
    X : array-like of shape (n_samples, ...)
        Samples.
    Y : ndarray or sparse of shape (n_samples, n_labels)
        Indicator without unknown labels.
    params : dict
        Parameters of its `fit`.
    random_state : int, RandomState instance or None
        Seeds the clone; None leaves it.

    Returns
    -------
    member : Member
        The fitted clone.
    """
    constant = constant_labels(Y)
    if not np.isnan(constant).any():
        return Member(None, constant)
    labels = learnt_labels(constant)
    Y = Y if np.array_equal(labels, np.arange(Y.shape[1])) else Y[:, labels]
    clone = clone_with_seed(as_multilabel(estimator), random_state)
    if issparse(Y) and not is_ours(clone):
        Y = Y.toarray()  # few others take sparse labels
    return Member(clone.fit(X, Y, **params), constant)


def mean_vote(
    total: NDArray[np.float64], n_voters: NDArray[np.intp], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of the members' votes, for each label over those that could learn it.

    Parameters
    ----------
    total : ndarray of shape (n_samples, n_labels)
        Sum of votes; changed in place.
    n_voters : ndarray of shape (n_labels,) or (n_samples, n_labels)
        Number of members that voted.
    share : ndarray of shape (n_labels,)
        The answer where none did: the share of positives in the training rows.

    Returns
    -------
    mean : ndarray of shape (n_samples, n_labels)
        Between 0 and 1.
    """
    total /= np.maximum(n_voters, 1)
    np.copyto(total, share, where=n_voters == 0)
    return np.clip(total, 0, 1, out=total)


def labels_without_vote(
    n_voters: NDArray[np.intp], varying: NDArray[np.intp], label_names: NDArray | None
) -> list[Any]:
    """Return the names of labels that no member could learn.

    Parameters
    ----------
    n_voters : ndarray of shape (n_varying_labels,)
        Number of members that could.
    varying : ndarray of shape (n_varying_labels,)
        Indices of the labels among all.
    label_names : ndarray of shape (n_labels,) or None
        What to call the labels; None for their indices.

    Returns
    -------
    names : list
        Names, or indices.
    """
    lost = varying[n_voters == 0]
    return lost.tolist() if label_names is None else label_names[lost].tolist()
