"""Several labels per row as what a net learns: an indicator whose unknown labels are NaN.

`LabelTargets` answers what `ClassTargets` does of one label per row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from torch import Tensor

from skrecall.label_space import label_adjacency
from skrecall.model_selection import MultilabelStratifiedShuffleSplit
from skrecall.utils._indicator import (
    UNKNOWN,
    IndicatorContainer,
    check_multilabel_target,
    constant_labels,
    warn_of_constant_labels,
)
from skrecall.utils._multilabel_target import CONSTANT_SCORE
from skrecall.utils._sklearn import _check_sample_weight

from ._net import NONLINEARITIES, _Net


class _LabelNet(_Net):
    """A net whose outputs are labels; losses that know no unknown label are masked here."""

    def predict(self, X: Any) -> NDArray[np.int8]:
        """Return the labels of probability one half or more.

        Parameters
        ----------
        X : _ArrayDataset
            The samples.

        Returns
        -------
        Y_pred : ndarray of shape (n_samples, n_labels)
            An indicator.
        """
        return (self.predict_proba(X) >= 0.5).astype(np.int8)

    def get_loss(
        self,
        y_pred: Tensor,
        y_true: Tensor,
        X: Mapping[str, Tensor] | None = None,
        training: bool = False,
    ) -> Tensor:
        """Return the mean of weight times loss over the known labels of a batch.

        Parameters
        ----------
        y_pred : Tensor of shape (n_samples, n_labels)
            Raw scores.
        y_true : Tensor of shape (n_samples, n_labels)
            Indicator, NaN where a label is unknown.
        X : mapping of str to Tensor
            The inputs of the batch, which carry its weights.
        training : bool, default=False
            Unused.

        Returns
        -------
        loss : Tensor of shape ()
            The loss to descend.

        Raises
        ------
        ValueError
            If a label is unknown, or has one value, and a loss of another package is reduced
            already.
        """
        if "sample_weight" in self._loss_inputs or (known := ~y_true.isnan()).all():
            return super().get_loss(y_pred, y_true, X, training)
        X = X or {}
        known = known.to(self.device)
        losses = self.criterion_(
            y_pred, y_true.nan_to_num().to(self.device), **self._taken(X, self._loss_inputs)
        )
        if losses.shape != y_pred.shape:
            raise ValueError(
                f"{type(self.criterion_).__name__} returned shape {tuple(losses.shape)} for "
                f"{tuple(y_pred.shape)} labels, of which {int((~known).sum())} are unknown or have "
                "one value: these are left out of one loss per label. Give the loss a `reduction` "
                "attribute that may be 'none', or take one of skrecall.nn.LOSSES."
            )
        losses = losses.where(known, 0)
        if "sample_weight" in X:
            losses = losses * X["sample_weight"].to(self.device)[:, None]
        return losses.sum() / known.sum().clamp(min=1)


@dataclass(frozen=True, eq=False)
class LabelTargets:
    """Labels of which a row has any number: a net learns those that vary, and has a logit for all.

    Attributes
    ----------
    container : IndicatorContainer
        What predictions are given back in.
    constant : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, which no net learns; else NaN.
    """

    container: IndicatorContainer
    constant: NDArray[np.float64]

    nonlinearity = "sigmoid"
    missing = np.nan
    net_class: ClassVar[type[_Net]] = _LabelNet

    @classmethod
    def learn(cls, X: Any, y: ArrayLike, *, stacklevel: int = 6) -> Self:
        """Return the kind of target that all training rows show.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            The samples.
        y : array-like of shape (n_samples, n_labels) or (n_samples,), DataFrame or sparse
            Indicator, unknown labels -1 or NaN; one dimension of two classes is one label.
        stacklevel : int, default=6
            Of the warning about labels that have one value.

        Returns
        -------
        targets : LabelTargets
            The new kind.
        """
        Y, container = check_multilabel_target(y, unknown=True)
        check_consistent_length(X, Y)
        constant = constant_labels(Y)
        warn_of_constant_labels(constant, Y, container.label_names, stacklevel=stacklevel + 1)
        return cls(container, constant)

    @classmethod
    def of_chunk(cls, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Return the kind of target that a first chunk shows, in which no label is constant yet.

        Parameters
        ----------
        y : array-like of shape (n_samples, n_labels) or (n_samples,), DataFrame or sparse
            Indicator; one dimension of two classes is one label.
        classes : array-like of shape (2,), default=None
            The classes of a target of one dimension.

        Returns
        -------
        targets : LabelTargets
            The new kind.
        """
        Y, container = check_multilabel_target(y, unknown=True, allow_signs=True, classes=classes)
        return cls(container, np.full(Y.shape[1], np.nan))

    @property
    def n_outputs(self) -> int:
        """Number of logits that a net needs."""
        return len(self.constant)

    @property
    def classes(self) -> NDArray[Any]:
        """``[0, 1]`` per label, or the classes of a target of one dimension."""
        if self.container.classes is None:
            return np.tile([0, 1], (self.n_outputs, 1))
        return np.unique(self.container.classes)

    def describe(self, estimator: BaseEstimator) -> None:
        """Set what an estimator tells of its labels.

        Parameters
        ----------
        estimator : estimator
            Gets ``classes_``, ``constant_`` and, if columns have names, ``label_names_``.
        """
        estimator.classes_, estimator.constant_ = self.classes, self.constant
        if hasattr(estimator, "label_names_"):
            del estimator.label_names_
        if self.container.label_names is not None:
            estimator.label_names_ = self.container.label_names

    def encode(self, X: Any, y: ArrayLike) -> NDArray[np.float32]:
        """Return what the net learns.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            The samples.
        y : array-like of shape (n_samples, n_labels) or (n_samples,), DataFrame or sparse
            Indicator.

        Returns
        -------
        targets : ndarray of shape (n_samples, n_labels)
            Indicator, NaN where a label is unknown or constant.

        Raises
        ------
        ValueError
            If there are other labels than before, or one that was constant no longer is.
        """
        Y, container = check_multilabel_target(
            y, unknown=True, allow_signs=True, classes=self.container.classes
        )
        check_consistent_length(X, Y)
        self._check_labels(Y, container)
        constant = np.flatnonzero(~np.isnan(self.constant))
        changed = constant[
            ((Y[:, constant] != self.constant[constant]) & (Y[:, constant] != UNKNOWN)).any(axis=0)
        ]
        if len(changed):
            raise ValueError(
                f"Labels {changed.tolist()} had one value when training began, and vary now: they "
                "were not learnt, so that training has to begin anew."
            )
        targets = Y.astype(np.float32)
        targets[Y == UNKNOWN] = np.nan
        targets[:, constant] = np.nan
        return targets

    def _check_labels(self, Y: NDArray[Any], container: IndicatorContainer) -> None:
        """Refuse other labels than training began with, or the same in another order."""
        if Y.shape[1] != self.n_outputs:
            raise ValueError(
                f"Y has {Y.shape[1]} labels, and training began with {self.n_outputs}: fit anew "
                "for others."
            )
        before, now = self.container.label_names, container.label_names
        if before is not None and now is not None and not np.array_equal(before, now):
            raise ValueError(
                f"Y has columns {now.tolist()[:5]}, and training began with {before.tolist()[:5]}: "
                "pass the same in the same order."
            )

    def labels(self, targets: NDArray[np.float32]) -> NDArray[Any]:
        """Return targets as metrics take them.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_labels)
            What `encode` returned.

        Returns
        -------
        Y : ndarray of shape (n_samples, n_labels) or (n_samples,)
            Indicator, -1 where a label is unknown; or classes of one dimension.
        """
        Y = np.where(np.isnan(targets), UNKNOWN, targets)
        Y = np.where(np.isnan(self.constant), Y, self.constant).astype(np.int64)
        return Y if self.container.classes is None else self.container.classes[Y[:, 0]]

    def check_fit(self, targets: NDArray[np.float32], weight: NDArray[np.float64] | None) -> None:
        """Refuse weights that leave no row.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_labels)
            What `encode` returned.
        weight : ndarray of shape (n_samples,) or None
            Weights of the rows.

        Raises
        ------
        ValueError
            If all are zero.
        """
        if weight is not None and not weight.any():
            raise ValueError(
                f"All {len(weight)} sample weights are zero: at least one row needs a weight."
            )

    def row_weights(
        self,
        targets: NDArray[np.float32],
        sample_weight: ArrayLike | None,
        class_weight: object = None,
    ) -> NDArray[np.float64] | None:
        """Return the weights of the rows, or None if all weigh alike.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_labels)
            What `encode` returned.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows.
        class_weight : object, default=None
            Must be None.

        Returns
        -------
        weight : ndarray of shape (n_samples,) or None
            One weight per row.

        Raises
        ------
        ValueError
            If classes have weights: a row has several labels.
        """
        if class_weight is not None:
            raise ValueError(
                f"class_weight={class_weight!r} weighs rows by their one class, and these have "
                "several labels: weigh labels in the loss, for example with "
                "loss_params={'pos_weight': 'inverse'}."
            )
        if sample_weight is None:
            return None
        return _check_sample_weight(
            sample_weight, targets, dtype=np.float64, ensure_non_negative=True
        )

    def counts(self, targets: NDArray[np.float32]) -> dict[str, Any]:
        """Return what losses ask to be told of the training rows.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_labels)
            What `encode` returned.

        Returns
        -------
        counts : dict of str to object
            ``label_counts``, as many positives as there would be were all labels known, as are of
            those that are, and ``n_samples``.
        """
        known = ~np.isnan(targets)
        share = np.sum(targets, axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
        share = np.where(np.isnan(self.constant), share, self.constant)
        return {"label_counts": (share * len(targets)).tolist(), "n_samples": len(targets)}

    def adjacency(self, targets: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the adjacency of the label graph of the training rows.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_labels)
            What `encode` returned.

        Returns
        -------
        adjacency : ndarray of shape (n_labels, n_labels)
            As `label_adjacency` has it; an unknown label counts as not carried.
        """
        return label_adjacency(np.nan_to_num(targets).astype(np.int8))

    def holdout(
        self, targets: NDArray[np.float32], fraction: float, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows to train on and those held out, the same share of every label in both.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_labels)
            What `encode` returned.
        fraction : float
            Share of rows to hold out.
        seed : int
            Seed of the split.

        Returns
        -------
        train, held_out : ndarray of int
            Row numbers.

        Raises
        ------
        ValueError
            If one of the sides would have no row.
        """
        Y = np.nan_to_num(targets).astype(np.int8)
        split = MultilabelStratifiedShuffleSplit(1, test_size=fraction, random_state=seed)
        try:
            ((train, held_out),) = split.split(Y, Y)
        except ValueError as error:
            raise ValueError(
                f"early_stopping holds out {fraction} of {len(Y)} rows (validation_fraction), "
                f"which cannot be: {error} Or pass early_stopping=False."
            ) from error
        return train, held_out

    def proba(self, logits: Tensor) -> NDArray[np.float64]:
        """Return the probability of each label.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_labels)
            Raw scores.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_labels)
            P(label = 1); of a target of one dimension, that of both classes.
        """
        proba = NONLINEARITIES[self.nonlinearity](logits).numpy()
        proba = np.where(np.isnan(self.constant), proba, self.constant)
        if self.container.classes is None:
            return proba
        return np.hstack([1 - proba, proba])[:, -len(self.classes) :]

    def scores(self, logits: Tensor) -> NDArray[np.float64]:
        """Return the decision function.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_labels)
            Raw scores.

        Returns
        -------
        y_score : ndarray of shape (n_samples, n_labels) or (n_samples,)
            The logits; of a label that was constant the largest float32, with its sign.
        """
        of_constant = np.where(self.constant == 1, CONSTANT_SCORE, -CONSTANT_SCORE)
        scores = np.where(np.isnan(self.constant), logits.double().numpy(), of_constant)
        return scores if self.container.classes is None else scores[:, 0]

    def decode(self, logits: Tensor, X: Any = None) -> Any:
        """Return the labels of probability one half or more.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_labels)
            Raw scores.
        X : array-like of shape (n_samples, ...), default=None
            The samples; a DataFrame lends its index to another.

        Returns
        -------
        Y_pred : ndarray, DataFrame or sparse of shape (n_samples, n_labels), or (n_samples,)
            An indicator in the container that `encode` was given.
        """
        proba = NONLINEARITIES[self.nonlinearity](logits).numpy()
        Y = np.where(np.isnan(self.constant), proba, self.constant) >= 0.5
        return self.container.restore(Y.astype(np.int8), X)

    def accuracy(
        self, proba: NDArray[np.float64], y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the share of samples whose known labels are all predicted.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_labels)
            What `proba` returned.
        y : array-like of shape (n_samples, n_labels) or (n_samples,), DataFrame or sparse
            Indicator; samples without a known label are left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        accuracy : float
            Where all labels are known, the subset accuracy.

        Raises
        ------
        ValueError
            If no label is known, or there are other labels than in training.
        """
        Y, container = check_multilabel_target(
            y, unknown=True, allow_signs=True, classes=self.container.classes
        )
        self._check_labels(Y, container)
        counted = (Y != UNKNOWN).any(axis=1)
        if not counted.any():
            raise ValueError(
                f"No label of the {len(Y)} samples is known: there is nothing to score."
            )
        right = (((proba[:, -Y.shape[1] :] >= 0.5) == Y) | (Y == UNKNOWN)).all(axis=1)
        weight = _check_sample_weight(sample_weight, Y)
        return float(np.average(right[counted], weights=weight[counted]))
