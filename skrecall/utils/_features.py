"""Names and number of the features, where the samples themselves are checked further inside."""

import math
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ._rows import holds_arrays


def check_features(estimator: BaseEstimator, X: Any, *, reset: bool) -> None:
    """Keep, or compare, the names and the number of features.

    Parameters
    ----------
    estimator : estimator
        Keeps ``n_features_in_`` and ``feature_names_in_``; of samples of more than one dimension,
        such as images, the number of all their values; none of a list of them, as of clips, whose
        shapes may differ.
    X : array-like of shape (n_samples, ...)
        Samples.
    reset : bool
        Whether to keep them, in `fit`, or to compare.

    Raises
    ------
    ValueError
        If they are not those of `fit`, or `X` has one dimension.
    """
    if holds_arrays(X) and np.ndim(X[0]) > 1:
        if reset:
            for name in ("n_features_in_", "feature_names_in_"):  # of an earlier fit
                vars(estimator).pop(name, None)
        return
    if not reset and hasattr(estimator, "n_features_in_") and _is_vector(X):
        raise ValueError(
            "Expected samples of two dimensions, got one. Reshape your data: X.reshape(1, -1) "
            "for one sample, X.reshape(-1, 1) for one feature."
        )
    if isinstance(X, np.ndarray) and X.ndim > 2:
        X = X.reshape(len(X), math.prod(X.shape[1:]))
    validate_data(estimator, X=X, skip_check_array=True, reset=reset)


def _is_vector(X: Any) -> bool:
    return not hasattr(X, "columns") and not issparse(X) and np.asarray(X).ndim == 1
