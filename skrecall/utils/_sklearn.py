"""The one door to private helpers of scikit-learn and imbalanced-learn: a rename is mended here."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

from imblearn.pipeline import _fit_transform_one
from sklearn.base import BaseEstimator, _fit_context
from sklearn.ensemble._base import _BaseHeterogeneousEnsemble, _set_random_states
from sklearn.metrics._scorer import _MultimetricScorer, _Scorer
from sklearn.model_selection._split import _validate_shuffle_split
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.neighbors._base import KNeighborsMixin
from sklearn.utils import _safe_indexing
from sklearn.utils._indexing import _get_column_indices
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    validate_params,
)
from sklearn.utils._response import _get_response_values
from sklearn.utils._user_interface import _print_elapsed_time
from sklearn.utils.metadata_routing import _raise_for_params
from sklearn.utils.metaestimators import _BaseComposition, _safe_split
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import (
    _check_method_params,
    _check_response_method,
    _check_sample_weight,
    _estimator_has,
    _num_samples,
)

__all__ = [
    "CREATE_NEIGHBORS",
    "FIND_DANGER",
    "FIT_CHECKED",
    "MAKE_ROWS",
    "CallbackContext",
    "HasMethods",
    "Interval",
    "KNeighborsMixin",
    "RealNotInt",
    "StrOptions",
    "_BaseComposition",
    "_BaseHeterogeneousEnsemble",
    "_MultimetricScorer",
    "_Scorer",
    "_check_method_params",
    "_check_partial_fit_first_call",
    "_check_response_method",
    "_check_sample_weight",
    "_estimator_has",
    "_fit_context",
    "_fit_transform_one",
    "_get_column_indices",
    "_get_response_values",
    "_insert_error_scores",
    "_num_samples",
    "_openmp_effective_n_threads",
    "_print_elapsed_time",
    "_raise_for_params",
    "_routing_enabled",
    "_safe_indexing",
    "_safe_split",
    "_score",
    "_set_random_states",
    "_validate_shuffle_split",
    "_warn_or_raise_about_fit_failures",
    "callback_context",
    "validate_params",
]

# Methods of imbalanced-learn's samplers that make rows, listened to where a row's parents matter.
CREATE_NEIGHBORS = "_validate_estimator"
FIT_CHECKED = "_fit_resample"
FIND_DANGER = "_in_danger_noise"
MAKE_ROWS = "_generate_samples"


class CallbackContext:
    """The context of a fit's callbacks in a scikit-learn that has none: nothing is called."""

    def subcontext(self, **_: Any) -> Self:
        return self

    def call_on_fit_task_begin(self, **_: Any) -> Self:
        return self

    def call_on_fit_task_end(self, **_: Any) -> bool:
        return False

    def propagate_callback_context(self, sub_estimator: BaseEstimator) -> AbstractContextManager:
        return nullcontext(sub_estimator)


def callback_context(estimator: BaseEstimator, *, max_subtasks: int) -> CallbackContext:
    """Return the root context of the callbacks of a fit.

    Parameters
    ----------
    estimator : estimator
        The one that is being fitted.
    max_subtasks : int
        Number of tasks that its fit consists of.

    Returns
    -------
    context : CallbackContext
        That of scikit-learn since 1.9, where estimators have callbacks.
    """
    if not hasattr(estimator, "_init_callback_context"):
        return CallbackContext()
    return estimator._init_callback_context(max_subtasks=max_subtasks)
