"""What samplers of several labels share: containers, checks, and where each new row comes from."""

import warnings
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self, TypeAlias

import numpy as np
from imblearn.base import BaseSampler
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import validate_data

from skrecall.utils._indicator import Indicator, check_indicator, count_values, refuse_label_lists
from skrecall.utils._row_metadata import refuse_row_metadata
from skrecall.utils._rows import take_rows
from skrecall.utils._sklearn import Interval, RealNotInt, StrOptions, _fit_context

from ._label_strategy import counted

Strategy: TypeAlias = str | float | dict | Callable
LabelChoice: TypeAlias = str | ArrayLike | Callable  # of a sampler that has no counts to reach

UNKNOWN_LABELS = " Resample the rows whose labels are known."


class BaseMultilabelSampler(BaseSampler):
    """A sampler of samples with several labels.

    A child returns new rows and, for each, the two input rows it was made from; of a copied row,
    both are the same.
    """

    _parameter_constraints: dict = {
        "sampling_strategy": [
            StrOptions({"auto", "majority", "minority", "not majority", "not minority", "all"}),
            Interval(RealNotInt, 0, 1, closed="right"),
            dict,
            callable,
        ],
        "random_state": ["random_state"],
    }

    _selects_rows = True  # every new row is a copy of an input row, possibly of other labels
    _looks_at_features = True

    sampling_strategy: Strategy | LabelChoice
    random_state: Any = None
    label_names_: NDArray[np.object_]

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: Any) -> Self:
        """Check the input; `fit_resample` is what resamples.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.

        Returns
        -------
        self : object
            The same sampler.
        """
        X, Y = self._check_X_Y(X, y)
        self.sampling_strategy_ = self._resolve_strategy(Y)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X: ArrayLike, y: Any, **params: Any) -> tuple[Any, Any]:
        """Resample samples and their labels.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        **params : dict
            Refused: metadata of rows belongs to `MetadataPipeline`.

        Returns
        -------
        X_resampled : array-like, DataFrame or sparse of shape (n_samples_new, n_features)
            Samples, in the container of `X`; the index of a DataFrame is new.
        y_resampled : array-like, DataFrame or sparse of shape (n_samples_new, n_labels)
            Their labels, in the container of `y`.

        Raises
        ------
        ValueError
            If `y` is no indicator, or there is nothing that can be resampled.
        TypeError
            If metadata is given, which would be left behind.
        """
        refuse_row_metadata(self, params)
        as_list = isinstance(X, list), isinstance(y, list)
        X, Y = self._check_X_Y(X, y)
        self.sampling_strategy_ = self._resolve_strategy(Y)
        rng = check_random_state(self.random_state)
        X_new, Y_new, parents = self._fit_resample(X, Y, rng)
        if self._selects_rows:
            self.sample_indices_ = parents[:, 0].copy()
        else:
            self.parent_indices_ = parents
        if np.array_equal(parents[:, 0], np.arange(Y.shape[0])):
            warnings.warn(
                f"{type(self).__name__} left the {Y.shape[0]} rows as they are: "
                f"{self._why_unchanged(Y)}",
                stacklevel=3,
            )
        self._warn_of_lost_labels(Y, Y_new)
        if hasattr(X_new, "reset_index"):
            X_new = X_new.reset_index(drop=True)
        elif as_list[0] and isinstance(X_new, np.ndarray):
            X_new = X_new.tolist()
        Y_new = self._container.restore(Y_new, X_new)
        return X_new, Y_new.tolist() if as_list[1] else Y_new

    @abstractmethod
    def _fit_resample(
        self, X: Any, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        """Return the new samples, their labels, and the two rows that each comes from."""

    @abstractmethod
    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        """Return what to do with each label that is resampled, as `sampling_strategy_`."""

    def _why_unchanged(self, Y: Indicator) -> str:
        counts = count_values(Y, 1)
        if len(np.unique(counts[counts > 0])) == 1:
            return (
                f"the labels that occur have {counts.max()} positives each, so none is rarer or "
                "more frequent than the mean. Give the positives wanted of each in a dict as "
                "sampling_strategy."
            )
        return f"sampling_strategy={self.sampling_strategy!r} asks for no change."

    def _warn_of_lost_labels(self, Y: Indicator, Y_new: Indicator) -> None:
        lost = np.flatnonzero((count_values(Y, 1) > 0) & (count_values(Y_new, 1) == 0))
        if len(lost):
            warnings.warn(
                f"{type(self).__name__} removed all positives of "
                f"{counted(len(lost), 'label', 'labels')}, {[self._label(j) for j in lost[:5]]}, "
                "which cannot be learnt. Choose another sampling_strategy.",
                stacklevel=4,
            )

    def _check_X_Y(self, X: Any, y: Any) -> tuple[Any, Indicator]:
        """Return samples and indicator as arrays, frames or sparse, and keep what `y` came in."""
        for name, value in (("X", X), ("y", y)):
            if value is None:
                raise ValueError(f"{name} is None: {type(self).__name__} needs samples and labels.")
        refuse_label_lists(y, "y")
        if np.ndim(y) == 1 and not hasattr(y, "indptr"):
            raise ValueError(
                f"y has shape {np.shape(y)}, and {type(self).__name__} resamples several labels: "
                "pass an indicator of shape (n_samples, n_labels), or use a sampler of "
                "imbalanced-learn for one label."
            )
        Y, self._container = check_indicator(
            y, accept_sparse=True, if_unknown=UNKNOWN_LABELS, name="y"
        )
        if hasattr(self, "label_names_"):
            del self.label_names_
        if self._container.label_names is not None:
            self.label_names_ = self._container.label_names
        X = self._check_X(X)
        check_consistent_length(X, Y)
        if Y.shape[0] == 0:
            raise ValueError(f"y has shape {Y.shape}: there is no row to resample.")
        if not count_values(Y, 1).any():
            raise ValueError(
                f"None of the {Y.shape[1]} labels has a positive in {Y.shape[0]} rows: there is "
                "nothing to resample by."
            )
        return X, Y

    def _check_X(self, X: Any) -> Any:
        """Return samples; where they are only selected, their values are nobody's business."""
        validate_data(self, X, skip_check_array=True)
        return X

    def _label(self, column: int | np.integer) -> Any:
        """Return what a label is called by the user: its name, or its index."""
        names = self._container.label_names
        return int(column) if names is None else names[column]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags.sampler_tags.sample_indices = self._selects_rows
        tags.input_tags.sparse = True
        for name in ("allow_nan", "categorical", "string", "three_d_array"):
            setattr(tags.input_tags, name, not self._looks_at_features)
        return tags


class BaseLabelRowSampler(BaseMultilabelSampler):
    """A sampler that copies or removes rows as they are, without looking at their features."""

    _looks_at_features = False

    def _fit_resample(
        self, X: Any, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        rows = self._sample_indices(X, Y, rng)
        return take_rows(X, rows), Y[rows], np.column_stack([rows, rows])

    @abstractmethod
    def _sample_indices(self, X: Any, Y: Indicator, rng: np.random.RandomState) -> NDArray[np.intp]:
        """Return the input row of each output row."""


def rows_with_any(Y: Indicator, is_chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows carry one of some labels.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    is_chosen : ndarray of shape (n_labels,), dtype bool
        The labels.

    Returns
    -------
    carries : ndarray of shape (n_samples,), dtype bool
        True for a row with one of them or more.
    """
    chosen = Y[:, np.flatnonzero(is_chosen)]
    if issparse(chosen):
        return np.bincount(chosen.indices, minlength=Y.shape[0]) > 0
    return chosen.any(axis=1)


def warn_of_targets(sampler: Any, Y: Indicator, targets: NDArray[np.intp]) -> None:
    """Name the labels that were to have more positives than the limit of rows allowed.

    Parameters
    ----------
    sampler : BaseMultilabelSampler
        With a `ratio`.
    Y : ndarray or csc_array of shape (n_samples_new, n_labels)
        What it made.
    targets : ndarray of shape (n_labels,)
        Positives that each label was to have.
    """
    counts = count_values(Y, 1)
    short = np.flatnonzero(counts < targets)
    if len(short):
        found = {sampler._label(j): int(counts[j]) for j in short[:5]}
        asked = {sampler._label(j): int(targets[j]) for j in short[:5]}
        warnings.warn(
            f"{type(sampler).__name__} stopped at ratio={sampler.ratio} of the rows: "
            f"{counted(len(short), 'label has', 'labels have')} fewer positives than asked for, "
            f"{found} of {asked}. Raise ratio, or set it to None.",
            stacklevel=6,
        )
