"""The one door to scikit-learn's private helpers: an upstream rename is one line to mend here."""

from sklearn.base import _fit_context
from sklearn.ensemble._base import _set_random_states
from sklearn.metrics._scorer import _Scorer
from sklearn.model_selection._validation import (
    _aggregate_score_dicts,
    _fit_and_score,
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import _safe_indexing
from sklearn.utils._metadata_requests import RequestMethod, _routing_enabled
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_params,
)
from sklearn.utils._response import _get_response_values
from sklearn.utils.metadata_routing import _raise_for_params
from sklearn.utils.validation import (
    _check_method_params,
    _check_pos_label_consistency,
    _check_response_method,
    _check_sample_weight,
    _estimator_has,
    _num_samples,
)

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "RequestMethod",
    "StrOptions",
    "_Scorer",
    "_aggregate_score_dicts",
    "_check_method_params",
    "_check_pos_label_consistency",
    "_check_response_method",
    "_check_sample_weight",
    "_estimator_has",
    "_fit_and_score",
    "_fit_context",
    "_get_response_values",
    "_insert_error_scores",
    "_num_samples",
    "_raise_for_params",
    "_routing_enabled",
    "_safe_indexing",
    "_score",
    "_set_random_states",
    "_warn_or_raise_about_fit_failures",
    "validate_params",
]
