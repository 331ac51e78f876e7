"""Samplers for tables, on images and other arrays of more than two dimensions."""

import math
from typing import Any, Self

import numpy as np
from imblearn.base import BaseSampler
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skrecall.utils._sklearn import HasMethods, _fit_context, _routing_enabled

from ._mixed_features import round_to
from ._origins import fit_resample_with_origins


def looks_at_values(sampler: Any) -> bool:
    """Return whether a sampler computes with the features, not only with the labels.

    Parameters
    ----------
    sampler : sampler object
        Any.

    Returns
    -------
    looks : bool
        False for samplers that draw rows at random.
    """
    if isinstance(sampler, RandomOverSampler):
        return sampler.shrinkage is not None
    return not isinstance(sampler, RandomUnderSampler)


def _restore(X: NDArray, dtype: np.dtype, shape: tuple[int, ...]) -> NDArray:
    """Return flat rows in the type and shape of the array they came from."""
    if X.dtype != dtype:
        X = round_to(X, dtype)
    return X.reshape(len(X), *shape)


class ArraySampler(MetaEstimatorMixin, BaseSampler):
    """Let any sampler of imbalanced-learn resample images.

    Arrays of three or more dimensions, such as images of shape (n_samples, n_channels, height,
    width), are flattened, resampled and given their shape and type back, so that SMOTE and a
    convolutional network fit into one pipeline. Input of two dimensions goes to the sampler as it
    is.

    Integer arrays are handed over as floats and synthetic rows are rounded and clipped to the range
    of their type: interpolating between uint8 images as they are wraps around at 0 and 255.
    Samplers that draw rows at random, without looking at them, get no such copy.

    `HardNegativeUnderSampler` and `NoisySampleFilter` leave samples to the classifier inside, and
    take images as they are. They need no `ArraySampler`, in which a network would get flat rows.
    Nor does a sampler that learns from images, as
    :class:`~skrecall.neural_network.GANOverSampler` does: it gets them as they are in here, too.

    Parameters
    ----------
    sampler : sampler object
        Any sampler with imbalanced-learn's `fit_resample`.

    Attributes
    ----------
    sampler_ : sampler object
        The fitted sampler.
    sampling_strategy_ : dict
        As stored by the sampler: how many rows to draw of each class.
    sample_indices_ : ndarray of shape (n_new_samples,)
        Indices of the rows selected; only if the sampler stores them.
    parent_indices_ : ndarray of shape (n_new_samples, 2)
        Indices of the two rows that each new row lies between, the same twice for copied rows; only
        if the sampler makes rows of two others, as SMOTE does.
    n_features_in_ : int
        Number of features, all dimensions of a sample counted.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.
    sample_shape_ : tuple of int
        Shape of one sample.

    Notes
    -----
    Put the sampler inside the estimator that promises a recall, never before it: copies of one
    positive on both sides of the calibration split void the promise.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from skrecall.datasets import make_rare_digits
    >>> from skrecall.resampling import ArraySampler
    >>> digits = make_rare_digits(200, prevalence=0.1, random_state=0)
    >>> images, target = ArraySampler(SMOTE(random_state=0)).fit_resample(
    ...     digits.images, digits.target
    ... )
    >>> images.shape, images.dtype, target.sum()
    ((360, 1, 16, 16), dtype('uint8'), np.int64(180))
    """

    _parameter_constraints: dict = {"sampler": [HasMethods(["fit_resample"])]}

    _origins: NDArray[np.intp] | None

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Check the input and count the classes; `fit_resample` is what resamples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), DataFrame or sparse matrix
            Samples.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Metadata for the `fit` of the sampler.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        params = self._params_for("fit", params)
        self.sampler_ = clone(self.sampler)
        X, _, self.sample_shape_ = self._flatten(X)
        self._origins = None  # of an earlier fit_resample
        self.sampler_.fit(X, y, **params)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X: ArrayLike, y: ArrayLike, **params: Any) -> tuple:
        """Resample the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), DataFrame or sparse matrix
            Samples, such as images of shape (n_samples, n_channels, height, width).
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Metadata for the `fit_resample` of the sampler.

        Returns
        -------
        X_resampled : ndarray of shape (n_samples_new, ...)
            Samples of the same shape and type; the container of `X` if that has two dimensions.
        y_resampled : array-like of shape (n_samples_new,)
            Their labels, in the container of `y`.
        """
        return self._fit_resample(X, y, **self._params_for("fit_resample", params))

    def _fit_resample(self, X: Any, y: ArrayLike, **params: Any) -> tuple:
        self.sampler_ = clone(self.sampler)
        X, dtype, self.sample_shape_ = self._flatten(X)
        X_new, y_new, self._origins = fit_resample_with_origins(self.sampler_, X, y, params)
        if dtype is not None:
            X_new = _restore(X_new, dtype, self.sample_shape_)
        return X_new, y_new

    def _flatten(self, X: Any) -> tuple[Any, np.dtype | None, tuple[int, ...]]:
        """Return rows for the sampler, the type to give back or None, and the shape of a sample."""
        shape = X.shape if hasattr(X, "shape") else np.shape(X)
        if len(shape) <= 2 or getattr(self.sampler_, "_learns_from_images", False):
            return X, None, tuple(shape[1:])
        X = np.asarray(X)
        flat = X.reshape(len(X), math.prod(X.shape[1:]))
        if X.dtype.kind in "iubf" and looks_at_values(self.sampler_):
            flat = flat.astype(np.result_type(X.dtype, np.float32), copy=False)
        return flat, X.dtype, X.shape[1:]

    def _params_for(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if _routing_enabled():
            return process_routing(self, method, **params).sampler[method]
        return params

    @property
    def sampling_strategy_(self) -> dict[Any, int]:
        """How many rows to draw of each class, as stored by the sampler."""
        return self.sampler_.sampling_strategy_

    @property
    def sample_indices_(self) -> NDArray[np.intp]:
        """Indices of the rows selected; only if the sampler stores them."""
        return self.sampler_.sample_indices_

    @property
    def parent_indices_(self) -> NDArray[np.intp]:
        """Indices of the two rows that each new row lies between; only if it is made of two."""
        if self._origins is None or self._origins.ndim == 1:
            raise AttributeError(f"{type(self.sampler_).__name__} made no rows of two others.")
        return self._origins

    @property
    def n_features_in_(self) -> int:
        """Number of features, all dimensions of a sample counted."""
        return self.sampler_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features of a DataFrame."""
        return self.sampler_.feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Route metadata to the sampler.

        Returns
        -------
        routing : MetadataRouter
            Of `fit` and `fit_resample`.
        """
        mapping = MethodMapping()
        for method in ("fit", "fit_resample"):
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(sampler=self.sampler, method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.sampler)
        for name in ("sparse", "categorical", "string", "positive_only", "allow_nan"):
            setattr(tags.input_tags, name, getattr(inner.input_tags, name))
        tags.input_tags.three_d_array = True
        if hasattr(inner, "sampler_tags"):  # a pipeline of samplers has none
            tags.sampler_tags = inner.sampler_tags
        return tags
