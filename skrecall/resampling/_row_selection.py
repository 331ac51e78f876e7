"""What samplers that select rows of a binary or multiclass set share: containers, checks, tags."""

import warnings
from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from imblearn.base import BaseSampler
from imblearn.utils import check_sampling_strategy, check_target_type
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array, check_consistent_length, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skrecall.utils._features import check_features
from skrecall.utils._row_metadata import refuse_row_metadata
from skrecall.utils._rows import take_rows
from skrecall.utils._sklearn import _fit_context

# What `infer_dtype` calls columns of Python objects that become floats.
_NUMBERS = {"integer", "floating", "mixed-integer-float", "boolean", "complex", "decimal", "empty"}


def refuse_images(X: Any, name: str) -> None:
    """Refuse samples of more than one dimension where a sampler takes tables.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Samples.
    name : str
        What the message calls the sampler.

    Raises
    ------
    ValueError
        If there are more dimensions than two.
    """
    if getattr(X, "ndim", 2) > 2:
        raise ValueError(
            f"X has shape {X.shape}, and {name} takes rows of two dimensions: use "
            f"ArraySampler({name}(...)), which keeps the shape of images."
        )


def check_number_columns(X: Any, name: str) -> None:
    """Refuse what is no table of numbers where a sampler computes with the features.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples.
    name : str
        What the message calls the sampler.

    Raises
    ------
    ValueError
        If they are images, or some columns are no numbers, with their names; categories that are
        coded as numbers in an array pass, as nothing tells them from numbers.
    """
    refuse_images(X, name)
    if isinstance(X, pd.DataFrame):
        columns = [j for j, kind in enumerate(X.dtypes) if not pd.api.types.is_numeric_dtype(kind)]
        bad = [X.columns[j] for j in columns if _kind(X.iloc[:, j]) not in _NUMBERS]
    elif isinstance(X, np.ndarray) and X.dtype.kind == "O" and X.ndim == 2:
        bad = [j for j in range(X.shape[1]) if pd.api.types.infer_dtype(X[:, j]) == "string"]
    else:
        return
    if bad:
        raise ValueError(
            f"{name} computes with the features, and {len(bad)} of {X.shape[1]} columns hold no "
            f"numbers: {bad[:5]}. Encode text and categories before it, in the same Pipeline, for "
            "example by OneHotEncoder inside a ColumnTransformer."
        )


def _kind(column: pd.Series) -> str:
    return pd.api.types.infer_dtype(column) if column.dtype == object else str(column.dtype)


def check_target(y: Any) -> None:
    """Refuse labels that are missing or continuous.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_classes)
        Labels, or an indicator of classes.

    Raises
    ------
    ValueError
        If some are NaN, or they are no labels.
    """
    if y is not None and not issparse(y):
        n_missing = int(np.sum(np.asarray(pd.isna(y))))
        if n_missing:
            raise ValueError(
                f"y contains NaN: {n_missing} of {np.size(y)} labels are missing. Leave out the "
                "samples whose label is unknown."
            )
    check_classification_targets(y)


def shown(label: Any) -> str:
    """Return a label as messages show it, without the type of NumPy's scalars.

    Parameters
    ----------
    label : object
        A class.

    Returns
    -------
    text : str
        Such as "class 1" or "class 'tumour'".
    """
    return f"class {np.array([label]).tolist()[0]!r}"


def class_rows(y: NDArray, label: Any) -> NDArray[np.intp]:
    """Return the indices of the rows of a class.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    label : object
        One of them.

    Returns
    -------
    rows : ndarray of int
        Increasing.
    """
    return np.flatnonzero(y == label)


def warn_of_no_new_row(sampler: Any, y: NDArray) -> None:
    """Say that an over-sampler added nothing, and what it was asked for.

    Parameters
    ----------
    sampler : BaseOverSampler
        The one that was fitted.
    y : ndarray of shape (n_samples,)
        Labels.
    """
    warnings.warn(
        f"{type(sampler).__name__} added no row to {len(y)}: "
        f"sampling_strategy={sampler.sampling_strategy!r} asks for "
        f"{_counts(sampler.sampling_strategy_)} more, and the classes have {_class_counts(y)}.",
        stacklevel=7,
    )


def _class_counts(y: NDArray) -> dict[Any, int]:
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def _counts(strategy: dict[Any, int]) -> dict[Any, int]:
    """Return counts with plain keys, as NumPy's scalars print their type."""
    labels = np.array(list(strategy)).tolist()
    return {label: int(n) for label, n in zip(labels, strategy.values(), strict=True)}


class BaseRowSelector(BaseSampler):
    """A sampler that returns some of its rows, in their order; a child says which.

    It comes before one of imbalanced-learn's bases among the bases of a child, which counts the
    classes.
    """

    _computes_with_features = True  # False: an estimator inside takes the samples as they came

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Check the input and count the classes; `fit_resample` is what resamples.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        self : object
            The same sampler.
        """
        _, labels, _ = self._check_X_y(X, y)
        self.sampling_strategy_ = self._count_to_keep(labels)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X: ArrayLike, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        """Select rows.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Refused: metadata of rows belongs to `MetadataPipeline`.

        Returns
        -------
        X_resampled : array-like, DataFrame or sparse of shape (n_samples_new, n_features)
            Rows of `X` in their order, in its container; the index of a DataFrame is new.
        y_resampled : array-like of shape (n_samples_new,)
            Their labels, in the container of `y`.

        Raises
        ------
        TypeError
            If metadata is given, which would be left behind.
        """
        refuse_row_metadata(self, params)
        checked, labels, _ = self._check_X_y(X, y)
        self.sampling_strategy_ = self._count_to_keep(labels)
        kept = self._fit_resample(checked, labels)
        self.sample_indices_ = np.flatnonzero(kept)
        if kept.all():
            warnings.warn(
                f"{type(self).__name__} removed none of the {len(kept)} rows: "
                f"{self._why_unchanged(labels)}",
                stacklevel=3,
            )
        if issparse(X):
            X = checked
        return take_rows(X, self.sample_indices_), take_rows(y, self.sample_indices_)

    @abstractmethod
    def _fit_resample(self, X: Any, y: NDArray) -> NDArray[np.bool_]:
        """Return which rows stay."""

    def _count_to_keep(self, y: NDArray) -> dict[Any, int]:
        return check_sampling_strategy(self.sampling_strategy, y, self._sampling_type)

    def _why_unchanged(self, y: NDArray) -> str:
        return (
            f"sampling_strategy={self.sampling_strategy!r} asks to keep "
            f"{_counts(self.sampling_strategy_)} rows, and the classes have {_class_counts(y)}."
        )

    def _check_X_y(self, X: Any, y: Any) -> tuple[Any, NDArray, bool]:
        check_target(y)
        labels, is_indicator = check_target_type(y, indicate_one_vs_all=True)
        assert_all_finite(labels, input_name="y")
        if self._computes_with_features:
            check_number_columns(X, type(self).__name__)
            X = validate_data(self, X, accept_sparse=["csr", "csc"])
        elif isinstance(X, pd.DataFrame) or _are_texts(X):
            validate_data(self, X, skip_check_array=True)
        else:
            X = check_array(
                X,
                accept_sparse=["csr", "csc"],
                dtype=None,
                allow_nd=True,
                ensure_all_finite=False,
                estimator=self,
                input_name="X",
            )
            check_features(self, X, reset=True)
        check_consistent_length(X, labels)
        return X, labels, is_indicator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.sampler_tags.sample_indices = True
        return tags


def take_input_tags(tags: Any, estimators: list) -> None:
    """Let a sampler take the samples that all estimators inside take, of any shape.

    Parameters
    ----------
    tags : Tags
        Of the sampler, changed in place.
    estimators : list of estimator
        Those inside.
    """
    inner = [get_tags(estimator).input_tags for estimator in estimators]
    for name in ("sparse", "categorical", "string", "allow_nan"):
        setattr(tags.input_tags, name, all(getattr(one, name) for one in inner))
    tags.input_tags.positive_only = any(one.positive_only for one in inner)
    tags.input_tags.three_d_array = True


def _are_texts(X: Any) -> bool:
    is_vector = isinstance(X, list) or getattr(X, "ndim", 0) == 1
    return is_vector and pd.api.types.infer_dtype(X) == "string"
