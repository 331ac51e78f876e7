"""What every classifier shares that decides on the scores of another one."""

from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skrecall.utils._decision import DecisionMixin
from skrecall.utils._sklearn import _estimator_has, _routing_enabled


class BaseWrappingClassifier(DecisionMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Names, tags and routing of the estimator inside.

    A subclass sets ``estimator_`` and ``classes_`` in `fit` and implements `predict`.
    """

    @property
    def n_features_in_(self) -> int:
        """Number of features that the estimator inside was fitted on."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray:
        """Names of the features that the estimator inside was fitted on."""
        return self.estimator_.feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata this estimator asks for, and what it hands to the one inside.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _is_prefit(self) -> bool:
        return isinstance(self.estimator, FrozenEstimator)

    def _route_fit_params(self, params: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of the inner `fit`; `own` are those this estimator consumes."""
        if not _routing_enabled():
            return params
        own = {name: value for name, value in own.items() if value is not None}
        routed: Bunch = process_routing(self, "fit", **params, **own)
        return routed.estimator.fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags.multi_class = (
            inner.classifier_tags is None or inner.classifier_tags.multi_class
        )
        return tags


class BaseDecisionClassifier(BaseWrappingClassifier):
    """Scores of `estimator_`, decisions of the subclass."""

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Return the class probabilities of the estimator inside.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: ArrayLike) -> NDArray:
        """Return the decision function of the estimator inside.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Its scores; the decisions of `predict` need not change at 0.
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)
