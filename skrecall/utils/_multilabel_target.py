"""What every multi-label classifier shares: targets, constant labels, containers, tags.

A subclass learns from an int8 indicator in which every label varies, and answers for those labels
alone; this base puts the constant ones back and returns the container that `fit` was given.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, hstack, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._features import check_features
from ._indicator import (
    Indicator,
    IndicatorContainer,
    check_multilabel_target,
    constant_labels,
    warn_of_constant_labels,
)
from ._sklearn import _num_samples

CONSTANT_SCORE = float(np.finfo(np.float32).max)  # decision function of a constant label, signed


def offers(name: str) -> Callable[[Any], bool]:
    """Return a check for `available_if`: the subclass says whether it has a response.

    Parameters
    ----------
    name : str
        Name of the method.

    Returns
    -------
    check : callable
        True or an AttributeError.
    """

    def check(self: Any) -> bool:
        return self._offers(name)

    return check


class BaseMultilabelClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of several labels per sample.

    A subclass's `fit` calls `_check_fit`, learns from what it returns unless that has no column,
    and implements `_label_proba(X)`, `_label_decision(X)` or both, for the labels that vary, in
    their order; `_predict_labels(X)` where a label is not predicted by a probability of one half
    or more, or a decision above 0. `_offers` tells which of the responses there are.
    """

    _accept_sparse_target = False  # whether `_check_fit` may return a csc_array
    _accept_unknown = False  # whether labels may be NaN or -1

    classes_: list[NDArray] | NDArray
    constant_: NDArray[np.float64]
    label_names_: NDArray[np.object_]
    _container: IndicatorContainer
    _label_proba: Callable[[Any], NDArray[np.float64]]
    _label_decision: Callable[[Any], NDArray[np.float64]]

    def _check_fit(self, X: Any, y: Any) -> tuple[Any, Indicator]:
        """Check samples and target, keep what `predict` needs, and return the labels that vary."""
        (X,) = indexable(X)
        X = self._check_X(X, reset=True)
        Y, self._container = check_multilabel_target(
            y, unknown=self._accept_unknown, accept_sparse=self._accept_sparse_target
        )
        check_consistent_length(X, Y)
        self._keep_label_names(Y.shape[1])
        self.constant_ = constant_labels(Y)
        names = self._container.label_names
        warn_of_constant_labels(self.constant_, Y, names, stacklevel=5)
        varying = self._varying
        return X, Y if len(varying) == Y.shape[1] else Y[:, varying]

    def _check_partial_fit(
        self, X: Any, y: Any, classes: ArrayLike | None
    ) -> tuple[Any, Indicator]:
        """Check a batch; all labels are learnt, as a later batch may hold what this one lacks."""
        first = not hasattr(self, "constant_")
        (X,) = indexable(X)
        X = self._check_X(X, reset=first)
        if not first and self._container.classes is not None:
            classes = self.classes_
        Y, container = check_multilabel_target(
            y,
            unknown=self._accept_unknown,
            accept_sparse=self._accept_sparse_target,
            allow_signs=True,
            classes=classes,
        )
        check_consistent_length(X, Y)
        if first:
            self._container = container
            self._keep_label_names(Y.shape[1])
        elif Y.shape[1] != len(self.constant_):
            raise ValueError(
                f"Y has {Y.shape[1]} labels, and the first batch had {len(self.constant_)}."
            )
        self.constant_ = np.full(Y.shape[1], np.nan)
        return X, Y

    def _keep_label_names(self, n_labels: int) -> None:
        container = self._container
        if container.classes is None:
            self.classes_ = np.tile([0, 1], (n_labels, 1))
        else:
            self.classes_ = np.unique(container.classes)
        if hasattr(self, "label_names_"):
            del self.label_names_
        if container.label_names is not None:
            self.label_names_ = container.label_names

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        """Check names and number of features only; override it where X must be an array."""
        check_features(self, X, reset=reset)
        return X

    @property
    def _varying(self) -> NDArray[np.intp]:
        """Indices of the labels that have both values in the training rows."""
        return np.flatnonzero(np.isnan(self.constant_))

    def _offers(self, name: str) -> bool:
        hook = {"predict_proba": "_label_proba", "decision_function": "_label_decision"}[name]
        return hasattr(self, hook)

    def _responses(self, response: Callable[[Any], NDArray], X: Any, of_constant: NDArray) -> Any:
        """Return a response for all labels, that of constant ones filled in."""
        varying = self._varying
        if len(varying) == 0:
            return np.tile(of_constant, (_num_samples(X), 1))
        answer = response(X)
        if len(varying) == len(of_constant):
            return answer
        if issparse(answer):
            return _with_constant_columns(csc_array(answer), varying, of_constant)
        full = np.tile(of_constant.astype(answer.dtype), (answer.shape[0], 1))
        full[:, varying] = answer
        return full

    @available_if(offers("predict_proba"))
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_labels)
            P(label = 1); after a fit on labels of one dimension, that of both classes.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        proba = self._responses(self._label_proba, X, np.nan_to_num(self.constant_))
        if self._container.classes is None:
            return proba
        return np.hstack([1 - proba, proba])[:, -len(self.classes_) :]

    @available_if(offers("decision_function"))
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the score of each label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_labels)
            Greater means more likely; a label that was constant in training has the largest
            float32, with its sign. One dimension after a fit on labels of one dimension.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        of_constant = np.where(self.constant_ == 1, CONSTANT_SCORE, -CONSTANT_SCORE)
        scores = self._responses(self._label_decision, X, of_constant)
        return scores if self._container.classes is None else scores[:, 0]

    def predict(self, X: ArrayLike) -> Any:
        """Return the labels of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        Y_pred : ndarray, DataFrame or sparse of shape (n_samples, n_labels), or (n_samples,)
            An indicator in the container that `fit` was given.
        """
        check_is_fitted(self)
        checked = self._check_X(X, reset=False)
        of_constant = np.nan_to_num(self.constant_).astype(np.int8)
        Y = self._responses(self._predict_labels, checked, of_constant)
        return self._container.restore(Y, X)

    def _predict_labels(self, X: Any) -> NDArray[np.int8] | csc_array:
        """Return the labels that vary; those of probability one half or more by default."""
        if self._offers("predict_proba"):
            return (self._label_proba(X) >= 0.5).astype(np.int8)
        return (self._label_decision(X) > 0).astype(np.int8)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        tags.target_tags.multi_output = True
        return tags


def _with_constant_columns(
    Y: csc_array, varying: NDArray[np.intp], of_constant: NDArray
) -> csc_array:
    """Return a sparse response with the columns of constant labels put in."""
    constant = np.setdiff1d(np.arange(len(of_constant)), varying)
    of_constant = csc_array(np.tile(of_constant[constant].astype(Y.dtype), (Y.shape[0], 1)))
    order = np.argsort(np.concatenate([varying, constant]))
    return hstack([Y, of_constant], format="csc")[:, order]
