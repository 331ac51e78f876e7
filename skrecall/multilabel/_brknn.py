"""Binary relevance k nearest neighbours: the share of the neighbours with a label.

References
----------
.. [1] E. Spyromitros, G. Tsoumakas, I. Vlahavas, "An empirical study of lazy multilabel
   classification algorithms", SETN 2008.
"""

from collections.abc import Callable
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from sklearn.base import BaseEstimator

from skrecall.utils._decision import DecisionMixin
from skrecall.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context, _num_samples

from ._neighbors import BaseNeighborLabels


def at_least_one(counts: NDArray[np.integer], n_neighbors: int) -> NDArray[np.bool_]:
    """Mark the labels of half the neighbours or more; where there is none, the most frequent one.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_labels)
        Numbers of neighbours with the label.
    n_neighbors : int
        Number of neighbours.

    Returns
    -------
    predicted : ndarray of shape (n_rows, n_labels)
        The first of several labels that are equally frequent.
    """
    predicted = majority(counts, n_neighbors)
    empty = np.flatnonzero(~predicted.any(axis=1))
    predicted[empty, counts[empty].argmax(axis=1)] = True
    return predicted


def as_many_as_neighbors(counts: NDArray[np.integer], n_neighbors: int) -> NDArray[np.bool_]:
    """Mark as many labels as the neighbours carry on average, the most frequent ones.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_labels)
        Numbers of neighbours with the label.
    n_neighbors : int
        Number of neighbours.

    Returns
    -------
    predicted : ndarray of shape (n_rows, n_labels)
        An average that ends in one half is rounded up; the first ones of several labels that are
        equally frequent.
    """
    n_predicted = np.floor(counts.sum(axis=1, dtype=np.int64) / n_neighbors + 0.5)
    order = np.argsort(-counts.astype(np.int64), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(counts.shape[1])[np.newaxis], axis=1)
    return rank < n_predicted[:, np.newaxis]


def majority(counts: NDArray[np.integer], n_neighbors: int) -> NDArray[np.bool_]:
    """Mark the labels of half the neighbours or more.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_labels)
        Numbers of neighbours with the label.
    n_neighbors : int
        Number of neighbours.

    Returns
    -------
    predicted : ndarray of shape (n_rows, n_labels)
        True where the label is predicted.
    """
    return counts >= n_neighbors / 2


class BRkNN(DecisionMixin, BaseNeighborLabels):
    """Binary relevance k nearest neighbours: one search for all labels [1]_.

    The probability of a label is the share of the nearest neighbours that carry it. The result is
    that of a nearest-neighbour classifier per label, for the cost of one.

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of neighbours; all rows where there are fewer.
    extension : {"a", "b"} or None, default=None
        None predicts the labels of half the neighbours or more. "a" does so, and predicts the most
        frequent label where that leaves none. "b" predicts as many labels as the neighbours carry
        on average, the most frequent ones; an average that ends in one half is rounded up. The
        first of several equally frequent labels is chosen in both. A single label is predicted as
        if this were None.
    metric : str or callable, default="euclidean"
        Distance of scikit-learn's neighbour search. Features are not scaled.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        How scikit-learn searches.
    n_jobs : int, default=None
        Number of threads of the search.
    neighbors : estimator, default=None
        A neighbour search with `fit` and `kneighbors` like `sklearn.neighbors.NearestNeighbors`,
        to use instead of that; `metric`, `algorithm` and `n_jobs` are then its own.

    Attributes
    ----------
    neighbors_ : estimator
        The fitted neighbour search.
    n_neighbors_ : int
        Number of neighbours that are counted.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, else NaN.
    classes_ : ndarray of shape (n_labels, 2) or (2,)
        ``[0, 1]`` per label; the two classes of a target of one dimension.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    MLkNN : Learns what a number of neighbours with the label means.
    sklearn.neighbors.KNeighborsClassifier : Weights neighbours by distance, and gives the
        probabilities of several labels as a list.

    Notes
    -----
    scikit-multilearn's ``BRkNNaClassifier`` is ``extension=None`` here, where exactly one half is
    a no; its ``BRkNNbClassifier`` rounds to even.

    References
    ----------
    .. [1] E. Spyromitros, G. Tsoumakas, I. Vlahavas, "An empirical study of lazy multilabel
       classification algorithms", SETN 2008.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.multilabel import BRkNN
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> plain = BRkNN(n_neighbors=5).fit(X, Y)
    >>> never_empty = BRkNN(n_neighbors=5, extension="a").fit(X, Y)
    >>> print(plain.predict(X).any(axis=1).all(), never_empty.predict(X).any(axis=1).all())
    False True
    """

    _decision_params = ("extension",)

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "extension": [StrOptions({"a", "b"}), None],
        "metric": [str, callable],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "n_jobs": [Integral, None],
        "neighbors": [HasMethods(["fit", "kneighbors"]), None],
    }

    def __init__(
        self,
        n_neighbors: int = 10,
        *,
        extension: Literal["a", "b"] | None = None,
        metric: str | Callable = "euclidean",
        algorithm: str = "auto",
        n_jobs: int | None = None,
        neighbors: BaseEstimator | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.extension = extension
        self.metric = metric
        self.algorithm = algorithm
        self.n_jobs = n_jobs
        self.neighbors = neighbors

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Index the samples, and keep their labels.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        self._fit_search(X, Y, min(self.n_neighbors, _num_samples(X)))
        return self._decide()

    def _refit_decision(self) -> None:
        if self.extension == "b":
            self._rule = as_many_as_neighbors
        elif self.extension == "a" and self._may_be_empty():
            self._rule = at_least_one
        else:
            self._rule = majority

    def _may_be_empty(self) -> bool:
        """Return whether a row may go without a label, of which there are several."""
        return len(self.constant_) > 1 and not (self.constant_ == 1).any()

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._from_counts(X, lambda counts: counts / self.n_neighbors_, np.float64)

    def _predict_labels(self, X: Any) -> NDArray[np.int8] | csc_array:
        self._check_decision()
        return self._labels_from_counts(X, lambda counts: self._rule(counts, self.n_neighbors_))
