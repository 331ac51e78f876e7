"""Logistic regression on the labels of nearest neighbours.

References
----------
.. [1] W. Cheng, E. Hüllermeier, "Combining instance-based learning and logistic regression for
   multilabel classification", Machine Learning 76(2-3), 2009.
"""

from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skrecall.utils._indicator import count_labels
from skrecall.utils._label_features import append_features, label_features
from skrecall.utils._multilabel_target import BaseMultilabelClassifier
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _num_samples,
    _routing_enabled,
)

from ._binary_relevance import BinaryRelevance
from ._logistic import MultilabelLogisticRegression
from ._neighbors import BaseNeighborLabels


class InstanceBasedLogisticRegression(MetaEstimatorMixin, BaseNeighborLabels):
    """Logistic regression per label on how many neighbours carry each of the labels [1]_.

    The features are the shares of the nearest neighbours with each label, so that a label learns
    from the neighbours' other labels too: IBLR-ML. With `add_features` the samples' own features
    are appended: IBLR-ML+. A training row is left out of its own neighbours.

    Parameters
    ----------
    estimator : estimator, default=None
        A binary classifier, a clone of which is fitted per label, or a multi-label classifier of
        this folder. None for ``MultilabelLogisticRegression(C=100)``: of ten neighbours, that
        penalises shares as ``C=1`` penalises the counts of the paper, which has no penalty.
    n_neighbors : int, default=10
        Number of neighbours; all other rows where there are fewer.
    add_features : bool, default=False
        Whether the features of the samples are learnt from as well. Scale them first.
    metric : str or callable, default="euclidean"
        Distance of scikit-learn's neighbour search. Features are not scaled.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        How scikit-learn searches.
    n_jobs : int, default=None
        Number of threads of the search, and number of labels to fit at once.
    neighbors : estimator, default=None
        A neighbour search with `fit` and `kneighbors` like `sklearn.neighbors.NearestNeighbors`,
        to use instead of that; `metric` and `algorithm` are then its own. ``kneighbors(None)``
        must leave each row out of its own neighbours by its index.

    Attributes
    ----------
    estimator_ : estimator
        The fitted multi-label classifier of the shares. Its labels are those that vary.
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
    MLkNN : Each label on its own.
    StackedBinaryRelevance : Predictions of all labels as features, from any classifier.

    Notes
    -----
    Where `y` is sparse, so are the shares that the inner classifier learns from, unless they are
    appended to dense samples.

    References
    ----------
    .. [1] W. Cheng, E. Hüllermeier, "Combining instance-based learning and logistic regression for
       multilabel classification", Machine Learning 76(2-3), 2009.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.multilabel import InstanceBasedLogisticRegression
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = InstanceBasedLogisticRegression(n_neighbors=5).fit(X, Y)
    >>> model.predict_proba(X).shape
    (200, 4)
    >>> model.estimator_.coef_.shape  # of each label, one per label of the neighbours
    (4, 4)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "add_features": ["boolean"],
        "metric": [str, callable],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "n_jobs": [Integral, None],
        "neighbors": [HasMethods(["fit", "kneighbors"]), None],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        n_neighbors: int = 10,
        add_features: bool = False,
        metric: str | Callable = "euclidean",
        algorithm: str = "auto",
        n_jobs: int | None = None,
        neighbors: BaseEstimator | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_neighbors = n_neighbors
        self.add_features = add_features
        self.metric = metric
        self.algorithm = algorithm
        self.n_jobs = n_jobs
        self.neighbors = neighbors

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Count the labels of each row's neighbours, and fit the classifier of the counts.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        **params : dict
            Parameters of the inner `fit`, such as `sample_weight`, which does not weight
            neighbours; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        if _routing_enabled():
            params = process_routing(self, "fit", **params).estimator.fit
        self._fit_search(X, Y, min(self.n_neighbors, _num_samples(X) - 1))
        self.estimator_ = self._learner()
        if Y.shape[1] > 0:
            self.estimator_.fit(self._features(X, self._find(None)), Y, **params)
        return self

    def _learner(self) -> BaseEstimator:
        """Return the multi-label classifier of the shares, not fitted yet."""
        if self.estimator is None:
            return MultilabelLogisticRegression(C=100, n_jobs=self.n_jobs)
        if isinstance(self.estimator, BaseMultilabelClassifier):
            return clone(self.estimator)
        return BinaryRelevance(clone(self.estimator), n_jobs=self.n_jobs)

    def _features(self, X: Any, neighbors: NDArray[np.integer]) -> Any:
        """Return the shares of the neighbours with each label, appended to the samples if asked."""
        share = count_labels(neighbors, self._Y) / self.n_neighbors_
        if not self.add_features:
            return share
        if issparse(share) and not issparse(X):
            share = share.toarray()
        names = label_features(self._container, self._varying)
        return append_features(X, share, [f"neighbors with {name}" for name in names])

    def _offers(self, name: str) -> bool:
        return super()._offers(name) and hasattr(self._learner(), name)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self.estimator_.predict_proba(self._features(X, self._find(X)))

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        return self.estimator_.decision_function(self._features(X, self._find(X)))

    def _predict_labels(self, X: Any) -> NDArray[np.int8] | csc_array:
        return self.estimator_.predict(self._features(X, self._find(X)))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to the classifier inside.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        return MetadataRouter(owner=self).add(
            estimator=self._learner() if self.estimator is None else self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )
