"""Labels embedded in a space in which a regression is easier, or its distances are the costs.

References
----------
.. [1] K.-H. Huang, H.-T. Lin, "Cost-sensitive label embedding for multi-label classification",
   Machine Learning 106(9-10), 2017.
.. [2] F. Tai, H.-T. Lin, "Multilabel classification with principal label space transformation",
   Neural Computation 24(9), 2012.
.. [3] Y.-N. Chen, H.-T. Lin, "Feature-aware label space dimension reduction for multi-label
   classification", NeurIPS 2012.
"""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_array, gen_batches

from skrecall.utils._fitting import clone_with_seed, fit_on_rows
from skrecall.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

from ._base import BaseLabelMetaEstimator
from ._clems import embed_label_sets, pairwise_costs

_ROWS = 1024  # decoded at once: distances are n_rows x n_label_sets


class LabelEmbeddingClassifier(BaseLabelMetaEstimator):
    """Regress an embedding of the labels on the features, and decode what is predicted.

    "clems" embeds the label sets of the training rows such that the distance of a true and a
    predicted set is the root of the cost of that mistake, and predicts the nearest set [1]_: the
    model is cost-sensitive, and predicts only sets it has seen. "pca" [2]_ and "cca" [3]_ compress
    many labels into few linear combinations, of the greatest variance and of the greatest variance
    that a linear model of the features explains; a label is predicted where its reconstruction
    exceeds one half.

    Parameters
    ----------
    estimator : estimator
        A regressor of several outputs, such as RandomForestRegressor; others go inside
        `sklearn.multioutput.MultiOutputRegressor`.
    embedding : {"clems", "pca", "cca"}, default="clems"
        How labels are embedded. "cca" needs an `X` of finite numbers, whatever the estimator takes.
    n_components : int, default=None
        Dimension of the embedding; None, and whatever is more, for the number of labels that vary.
    cost : {"fbeta", "jaccard", "hamming"} or callable, default="fbeta"
        Of "clems": one minus the F or the Jaccard score of a row, or the share of wrong labels. A
        callable takes two indicators, (n_true, n_labels) and (n_pred, n_labels) of the labels that
        vary, and returns the costs (n_true, n_pred), at least 0, and 0 for equal rows.
    beta : float, default=1.0
        Of the F score: above 1, a missed label costs more than a false one.
    max_iter : int, default=300
        Of "clems": greatest number of steps of the scaling.
    tol : float, default=1e-6
        Of "clems": the steps end when the stress falls by less than this share of itself.
    alpha : float, default=1.0
        Of "cca": ridge penalty of the linear model that tells what features explain.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clone that is None; None leaves them.

    Attributes
    ----------
    estimator_ : estimator
        The fitted regressor; None if no label varies in the training rows.
    label_sets_ : ndarray of shape (n_sets, n_varying)
        Of "clems": the distinct label sets, of the labels that vary.
    embedding_ : ndarray of shape (n_sets, n_components)
        Of "clems": their points as predictions, the nearest of which is predicted.
    stress_ : float
        Of "clems": mean squared error of the distances.
    n_iter_ : int
        Number of steps of the scaling; 1 for "pca" and "cca", which need none.
    components_ : ndarray of shape (n_components, n_varying)
        Of "pca" and "cca": the combinations of labels, of length one, the most telling first.
    mean_ : ndarray of shape (n_varying,)
        Of "pca" and "cca": shares of the labels.
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
    LabelPowerset : Label sets as classes, without costs.
    ProbabilisticClassifierChain : Predicts what is optimal for a measure, by probabilities.

    Notes
    -----
    There are no probabilities: neither a distance nor a reconstruction is one. The decision
    function is, for "clems", how much nearer the nearest set with the label is than the nearest
    without; for the others, the reconstruction less one half.

    "clems" keeps matrices of n_sets x n_sets, and a step costs n_sets^2 x n_components. The scaling
    starts from classical scaling of the costs, so that it needs no seed.

    References
    ----------
    .. [1] K.-H. Huang, H.-T. Lin, "Cost-sensitive label embedding for multi-label classification",
       Machine Learning 106(9-10), 2017.
    .. [2] F. Tai, H.-T. Lin, "Multilabel classification with principal label space
       transformation", Neural Computation 24(9), 2012.
    .. [3] Y.-N. Chen, H.-T. Lin, "Feature-aware label space dimension reduction for multi-label
       classification", NeurIPS 2012.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skrecall.multilabel import LabelEmbeddingClassifier
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = LabelEmbeddingClassifier(RandomForestRegressor(20), beta=2.0, random_state=0)
    >>> model.fit(X, Y).predict(X).shape
    (200, 4)
    """

    _accept_regressor = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "embedding": [StrOptions({"clems", "pca", "cca"})],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "cost": [StrOptions({"fbeta", "jaccard", "hamming"}), callable],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        embedding: str = "clems",
        n_components: int | None = None,
        cost: str | Callable = "fbeta",
        beta: float = 1.0,
        max_iter: int = 300,
        tol: float = 1e-6,
        alpha: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.embedding = embedding
        self.n_components = n_components
        self.cost = cost
        self.beta = beta
        self.max_iter = max_iter
        self.tol = tol
        self.alpha = alpha
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Embed the labels and fit the regressor.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, as the regressor takes them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, for the regressor alone.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If a cost is negative or not one per pair, or "cca" is given an `X` that is no table of
            finite numbers.
        """
        X, Y = self._check_fit(X, y)
        params = self._route_params(params, sample_weight)
        self.estimator_: Any = None
        self.n_iter_ = 1
        if Y.shape[1] == 0:
            return self
        n_components = min(self.n_components or Y.shape[1], Y.shape[1])
        self._decodes_nearest = self.embedding == "clems"
        if self._decodes_nearest:
            target = self._embed_sets(Y, n_components)
        else:
            target = self._compress(X, Y, n_components)
        if target.shape[1] == 1:
            target = target[:, 0]
        estimator = clone_with_seed(self.estimator, self.random_state)
        self.estimator_ = fit_on_rows(estimator, X, target, None, params)
        return self

    def _embed_sets(self, Y: NDArray[np.int8], n_components: int) -> NDArray[np.float64]:
        """Embed the distinct label sets and return the point of each row, as a truth."""
        self.label_sets_, of_row, counts = np.unique(
            Y, axis=0, return_inverse=True, return_counts=True
        )
        truths, self.embedding_, self.stress_, self.n_iter_ = embed_label_sets(
            self._costs(self.label_sets_),
            counts,
            n_components=n_components,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        return truths[of_row.ravel()]

    def _costs(self, label_sets: NDArray[np.int8]) -> NDArray[np.float64]:
        if not callable(self.cost):
            return pairwise_costs(label_sets, label_sets, cost=self.cost, beta=self.beta)
        costs = np.asarray(self.cost(label_sets, label_sets), dtype=np.float64)
        if costs.shape != 2 * (len(label_sets),):
            raise ValueError(
                f"cost returned shape {costs.shape} for {len(label_sets)} true and as many "
                "predicted label sets: it must return one value per pair, (n_true, n_pred)."
            )
        if not (costs >= 0).all() or np.diag(costs).any():
            raise ValueError(
                f"cost returned {np.nanmin(costs):g} for the lowest cost and "
                f"{np.abs(np.diag(costs)).max():g} for predicting the truth: costs are at least 0, "
                "and 0 for the truth."
            )
        return costs

    def _compress(self, X: Any, Y: NDArray[np.int8], n_components: int) -> NDArray[np.float64]:
        """Choose the components and return the labels of each row in their terms."""
        self.mean_ = Y.mean(axis=0)
        centred = Y - self.mean_
        explained = centred
        if self.embedding == "cca":
            explained = self._explained_by(X, centred)
        products = centred.T @ explained
        _, vectors = np.linalg.eigh((products + products.T) / 2)
        leading = vectors[:, ::-1][:, :n_components].T
        self.components_ = np.ascontiguousarray(leading)  # as it is once unpickled, to the digit
        return centred @ self.components_.T

    def _explained_by(self, X: Any, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what a linear model of the features explains of the labels."""
        try:
            X = check_array(X, accept_sparse=True, input_name="X")
        except ValueError as error:
            raise ValueError(
                "embedding='cca' fits a linear model of X itself, beside the estimator: turn X "
                "into finite numbers in a Pipeline before this classifier, or take "
                f"embedding='pca', which does not look at X. {error}"
            ) from error
        return Ridge(alpha=self.alpha).fit(X, centred).predict(X).reshape(centred.shape)

    def _offers(self, name: str) -> bool:
        return name == "decision_function"

    def _predicted_points(self, X: Any) -> NDArray[np.float64]:
        predicted = np.asarray(self.estimator_.predict(X), dtype=np.float64)
        return predicted.reshape(len(predicted), -1)

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        points = self._predicted_points(X)
        if not self._decodes_nearest:
            return points @ self.components_ + self.mean_ - 0.5
        blocks = gen_batches(len(points), _ROWS)
        return np.concatenate([self._margins(points[rows]) for rows in blocks])

    def _margins(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how much nearer the nearest set with each label is than that without."""
        distance = cdist(points, self.embedding_)
        margins = np.empty((len(points), self.label_sets_.shape[1]))
        for label, carried in enumerate(self.label_sets_.T == 1):
            nearest_without = distance[:, ~carried].min(axis=1)
            margins[:, label] = nearest_without - distance[:, carried].min(axis=1)
        return margins

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        if not self._decodes_nearest:
            return super()._predict_labels(X)
        nearest = pairwise_distances_argmin(self._predicted_points(X), self.embedding_)
        return self.label_sets_[nearest]
