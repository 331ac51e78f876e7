"""What every multi-label meta-estimator shares beside the base: tags, responses and routing.

The base of all multi-label classifiers is in `utils`, where the threshold folder reaches it too.
"""

from typing import Any

from sklearn.base import MetaEstimatorMixin, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skrecall.utils._multilabel_target import CONSTANT_SCORE, BaseMultilabelClassifier, offers
from skrecall.utils._sklearn import _routing_enabled

__all__ = ["CONSTANT_SCORE", "BaseLabelMetaEstimator", "BaseMultilabelClassifier", "offers"]


class BaseLabelMetaEstimator(MetaEstimatorMixin, BaseMultilabelClassifier):
    """A multi-label classifier made of clones of `estimator`: its tags, responses and routing."""

    _accept_regressor = False  # whether the estimator inside may be one

    estimator: Any

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        if reset and not self._accept_regressor and is_regressor(self.estimator):
            raise ValueError(
                f"{type(self).__name__} needs a classifier, and {type(self.estimator).__name__} is "
                "a regressor, whose numbers are no labels: pass a classifier in its place."
            )
        return super()._check_X(X, reset=reset)

    def _offers(self, name: str) -> bool:
        return super()._offers(name) and hasattr(self.estimator, name)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to the estimator inside.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        return MetadataRouter(owner=self).add(
            estimator=self.estimator,
            method_mapping=MethodMapping()
            .add(caller="fit", callee="fit")
            .add(caller="partial_fit", callee="partial_fit"),
        )

    def _route_params(
        self, params: dict[str, Any], sample_weight: Any = None, *, method: str = "fit"
    ) -> dict[str, Any]:
        """Return the parameters of the inner `fit`, the weights among them where given."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if not _routing_enabled():
            return params
        return process_routing(self, method, **params).estimator[method]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
