"""From labels and weights to class numbers, one weight per row, and rows held out.

`ClassTargets` is one kind of target: what an estimator asks of it, another kind answers as well.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
    compute_class_weight,
)
from sklearn.utils.multiclass import check_classification_targets
from torch import Tensor

from skrecall.nn import class_weights
from skrecall.nn._loss import IGNORED
from skrecall.utils._sklearn import _check_partial_fit_first_call, _check_sample_weight

from ._net import NONLINEARITIES, _ClassifierNet, _Net

CLASS_WEIGHT_SCHEMES = ("sqrt", "effective")


def check_labels(X: Any, y: ArrayLike, *, warn: bool = True) -> NDArray[Any]:
    """Return labels of classes, one per sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        The samples.
    y : array-like of shape (n_samples,)
        Labels of any kind.
    warn : bool, default=True
        Whether to warn of a column.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    ValueError
        If they are continuous, not finite, not one per sample, or not one-dimensional.
    """
    y = column_or_1d(y, warn=warn)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    check_consistent_length(X, y)
    return y


def encode_labels(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the numbers of the labels among the sorted classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.

    Returns
    -------
    codes : ndarray of shape (n_samples,)
        Class numbers.

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    known = np.isin(y, classes)
    if not known.all():
        raise ValueError(
            f"y holds labels that are none of the {len(classes)} classes of the first call, for "
            f"example {y[~known].tolist()[0]!r}: name all labels there, or fit anew."
        )
    return np.searchsorted(classes, y)


def row_weights(
    codes: NDArray[np.intp],
    classes: NDArray[Any],
    class_weight: dict[Any, float] | str | None,
    sample_weight: ArrayLike | None,
) -> NDArray[np.float64] | None:
    """Return the products of sample and class weights, or None if all rows weigh alike.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Class numbers.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.
    class_weight : dict, "balanced", "sqrt", "effective" or None
        Weights of the classes by label, or how they follow from the counts.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    weight : ndarray of shape (n_samples,) or None
        One weight per row.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or they are not one per row.
    """
    if sample_weight is None and class_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, codes, dtype=np.float64, ensure_non_negative=True)
    if class_weight in CLASS_WEIGHT_SCHEMES:
        counts = np.bincount(codes, minlength=len(classes)).tolist()
        return weight * class_weights(counts, class_weight).double().numpy()[codes]
    return weight * compute_class_weight(class_weight, classes=classes, y=classes[codes])[codes]


def check_weights_keep_classes(weight: NDArray[np.float64], codes: NDArray[np.intp]) -> None:
    """Refuse weights that leave fewer than two classes.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)
        Weights of the rows.
    codes : ndarray of shape (n_samples,)
        Class numbers.

    Raises
    ------
    ValueError
        If the weights are zero but for one class, or for all.
    """
    weight_of_class = np.bincount(codes, weights=weight)
    kept = np.count_nonzero(weight_of_class)
    if kept < 2:
        raise ValueError(
            f"The weights leave {kept} of {np.count_nonzero(np.bincount(codes))} classes: samples "
            "of one class more, at least, need a weight above zero."
        )


def stratified_holdout(
    codes: NDArray[np.intp], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on and those held out, every class on both sides.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Class numbers.
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
        If a class cannot be on both sides.
    """
    n_samples, counts = len(codes), np.bincount(codes)
    n_classes, rarest = np.count_nonzero(counts), counts[counts > 0].min()
    n_held_out = math.ceil(fraction * n_samples)
    if rarest < 2 or min(n_held_out, n_samples - n_held_out) < n_classes:
        raise ValueError(
            f"early_stopping holds out {n_held_out} of {n_samples} rows "
            f"(validation_fraction={fraction}) and needs a row of each of the {n_classes} classes "
            f"on both sides; the rarest class has {rarest}. Add rows, change "
            "validation_fraction, or pass early_stopping=False."
        )
    train, held_out = train_test_split(
        np.arange(n_samples), test_size=n_held_out, stratify=codes, random_state=seed
    )
    return train, held_out


@dataclass(frozen=True, eq=False)
class ClassTargets:
    """Labels of which a row has one: their numbers are what a net learns.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        All labels, sorted.
    """

    classes: NDArray[Any]

    nonlinearity: ClassVar[str] = "softmax"
    missing: ClassVar[int] = IGNORED
    net_class: ClassVar[type[_Net]] = _ClassifierNet

    @classmethod
    def learn(cls, X: NDArray[Any], y: ArrayLike) -> Self:
        """Return the kind of target whose classes are the labels found.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
            The samples.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        targets : ClassTargets
            The new kind.
        """
        return cls(np.unique(check_labels(X, y, warn=False)))

    @classmethod
    def of_chunk(cls, estimator: BaseEstimator, classes: ArrayLike | None) -> Self:
        """Return the kind of target of a chunk, after the first call that of the first call.

        Parameters
        ----------
        estimator : estimator
            Which is fitted chunk by chunk; gets ``classes_``.
        classes : array-like of shape (n_classes,) or None
            All labels there will be; None after the first call.

        Returns
        -------
        targets : ClassTargets
            The kind.

        Raises
        ------
        ValueError
            If the first call names no two classes, or a later one names others.
        """
        _check_partial_fit_first_call(estimator, classes)
        classes = estimator.classes_
        if len(classes) < 2:
            raise ValueError(
                f"classes holds one class only, {classes.tolist()}: name all there will be."
            )
        return cls(classes)

    @property
    def n_outputs(self) -> int:
        """Number of logits that a net needs."""
        return len(self.classes)

    def encode(self, X: NDArray[Any], y: ArrayLike) -> NDArray[np.intp]:
        """Return what the net learns: class numbers.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
            The samples.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        codes : ndarray of shape (n_samples,)
            Class numbers.
        """
        return encode_labels(check_labels(X, y), self.classes)

    def labels(self, codes: NDArray[np.intp]) -> NDArray[Any]:
        """Return the labels of class numbers.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Class numbers.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        return self.classes[codes]

    def check_fit(self, codes: NDArray[np.intp], weight: NDArray[np.float64] | None) -> None:
        """Refuse targets from which a fit that sees them all can learn nothing.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Class numbers.
        weight : ndarray of shape (n_samples,) or None
            Weights of the rows.

        Raises
        ------
        ValueError
            If there is one class only, or the weights leave one.
        """
        found = np.unique(codes)
        if len(found) == 1:
            raise ValueError(
                f"y holds one class only, {self.classes[found].tolist()[0]!r}, in {len(codes)} "
                "samples: a classifier needs samples of two classes at least."
            )
        if weight is not None:
            check_weights_keep_classes(weight, codes)

    def row_weights(
        self,
        codes: NDArray[np.intp],
        sample_weight: ArrayLike | None,
        class_weight: dict[Any, float] | str | None = None,
    ) -> NDArray[np.float64] | None:
        """Return the products of sample and class weights, or None if all rows weigh alike.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Class numbers.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows.
        class_weight : dict, "balanced", "sqrt", "effective" or None
            Weights of the classes by label, or how they follow from the counts.

        Returns
        -------
        weight : ndarray of shape (n_samples,) or None
            One weight per row.
        """
        return row_weights(codes, self.classes, class_weight, sample_weight)

    def counts(self, codes: NDArray[np.intp]) -> dict[str, Any]:
        """Return what losses ask to be told of the training rows.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Class numbers.

        Returns
        -------
        counts : dict of str to object
            By the name of the argument of a loss.
        """
        return {"class_counts": np.bincount(codes, minlength=self.n_outputs).tolist()}

    def adjacency(self, codes: NDArray[np.intp]) -> NoReturn:
        """Refuse a head that joins labels.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Class numbers.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "head='label_graph' joins labels that occur together, and a row has one class: choose "
            "another head, or pass an indicator to MultilabelCNNClassifier."
        )

    def holdout(
        self, codes: NDArray[np.intp], fraction: float, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows to train on and those held out, every class on both sides.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Class numbers.
        fraction : float
            Share of rows to hold out.
        seed : int
            Seed of the split.

        Returns
        -------
        train, held_out : ndarray of int
            Row numbers.
        """
        return stratified_holdout(codes, fraction, seed)

    def scores(self, logits: Tensor) -> NDArray[np.float64]:
        """Return the decision function: log-odds of the second of two classes, or the logits.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes)
            Raw scores.

        Returns
        -------
        y_score : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The scores.
        """
        scores = logits.double().numpy()
        return scores[:, 1] - scores[:, 0] if len(self.classes) == 2 else scores

    def proba(self, logits: Tensor) -> NDArray[np.float64]:
        """Return the probabilities of the classes.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes)
            Raw scores.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns in the order of the classes.
        """
        return NONLINEARITIES[self.nonlinearity](logits).numpy()

    def decode(self, logits: Tensor) -> NDArray[Any]:
        """Return the likeliest labels.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes)
            Raw scores.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels.
        """
        return self.labels(logits.argmax(dim=1).numpy())
