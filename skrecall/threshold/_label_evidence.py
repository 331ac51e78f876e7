"""Scores of several labels for rows that the model did not see, of any multi-label estimator."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._fitting import fit_on_rows
from skrecall.utils._indicator import UNKNOWN, constant_labels
from skrecall.utils._label_votes import label_votes, learnt_labels
from skrecall.utils._multilabel_target import CONSTANT_SCORE, BaseMultilabelClassifier
from skrecall.utils._row_metadata import refuse_params_of_scores
from skrecall.utils._sklearn import _check_response_method, _num_samples, _safe_indexing

from ._calibration import RESPONSE_METHODS, Split


@dataclass(frozen=True, eq=False)
class LabelEvidence:
    """Held-out rows, of the labels that vary in training.

    Attributes
    ----------
    Y : ndarray of shape (n_rows, n_labels), dtype int8
        Indicator; -1 where a label is unknown.
    y_score : ndarray of shape (n_rows, n_labels)
        Scores.
    names : ndarray of shape (n_labels,)
        Names of the labels, or their indices.
    weight : ndarray of shape (n_rows,) or None
        Sample weights.
    is_empirical : bool
        Whether the scores are out-of-fold, which carry no proof.
    has_groups : bool
        Whether rows come in groups.
    held_out_share : float
        Share of all rows that these are.
    seed : int
        Puts the rows in order where an order is needed.
    """

    Y: NDArray[np.int8]
    y_score: NDArray
    names: NDArray
    weight: NDArray[np.float64] | None
    is_empirical: bool
    has_groups: bool
    held_out_share: float
    seed: int

    @property
    def n_positives(self) -> NDArray[np.int64]:
        """Number of positives of each label, a vector."""
        return np.count_nonzero(self.Y == 1, axis=0)

    @property
    def prevalence(self) -> NDArray[np.float64]:
        """Share of the rows that carry each label, of those where it is known, a vector."""
        return self.n_positives / np.maximum(np.count_nonzero(self.Y != UNKNOWN, axis=0), 1)

    def known(self, label: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which rows carry a label, and their scores, where it is known.

        Parameters
        ----------
        label : int
            Index of the column.

        Returns
        -------
        positive : ndarray of shape (n_known,), dtype bool
            True labels.
        y_score : ndarray of shape (n_known,)
            Their scores.
        """
        rows = self.Y[:, label] != UNKNOWN
        return self.Y[rows, label] == 1, self.y_score[rows, label].astype(np.float64)


def shown(labels: Sequence[str]) -> str:
    """Return labels for a message: the first ten, and how many more there are.

    Parameters
    ----------
    labels : sequence of str
        One text per label.

    Returns
    -------
    text : str
        Such as "a, b, c".
    """
    more = len(labels) - 10
    return ", ".join(labels[:10]) + (f" and {more} more" if more > 0 else "")


def named(labels: NDArray) -> str:
    """Return names of labels for a message, as `shown`, in brackets.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Names.

    Returns
    -------
    text : str
        Such as "['a', 'b']".
    """
    return f"[{shown([repr(name) for name in labels.tolist()])}]"


@dataclass(eq=False)
class FittedLabels:
    """A multi-label estimator, and the labels that it was fitted on.

    Attributes
    ----------
    estimator : estimator or None
        Fitted; None if no label varies in its rows.
    constant : ndarray of shape (n_labels,)
        The value of each label that it was not fitted on, NaN for the others.
    labels : ndarray of int
        Label of each column that it answers with.
    """

    estimator: BaseEstimator | None
    constant: NDArray[np.float64]
    labels: NDArray[np.intp]

    def scores(self, X: Any, response_method: str) -> NDArray:
        """Return the score of each label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        response_method : str
            A key of `RESPONSE_METHODS`.

        Returns
        -------
        y_score : ndarray of shape (n_samples, n_labels)
            Probabilities, or values of the decision function.

        Raises
        ------
        ValueError
            If the answer has another shape, or is not finite.
        """
        if self.estimator is None:
            return np.tile(self.constant, (_num_samples(X), 1))
        method = _check_response_method(self.estimator, RESPONSE_METHODS[response_method])
        of_constant = self.constant
        if method.__name__ == "predict_proba":
            classes = getattr(self.estimator, "classes_", None)
            answer = label_votes(method(X), classes, len(self.labels))
        else:
            answer = _decisions(method(X), len(self.labels))
            of_constant = np.where(of_constant == 1, CONSTANT_SCORE, -CONSTANT_SCORE)
        if not np.isfinite(answer).all():
            raise ValueError(
                f"{type(self.estimator).__name__} gave {np.sum(~np.isfinite(answer))} scores that "
                f"are NaN or infinite in {len(answer)} samples: no threshold can be put on them."
            )
        if np.array_equal(self.labels, np.arange(len(self.constant))):
            return answer
        scores = np.tile(of_constant.astype(answer.dtype), (len(answer), 1))
        scores[:, self.labels] = answer
        return scores


def _decisions(answer: Any, n_labels: int) -> NDArray:
    answer = np.asarray(answer)
    answer = answer[:, np.newaxis] if answer.ndim == 1 else answer
    if answer.shape[1:] != (n_labels,):
        raise ValueError(
            f"decision_function returned shape {answer.shape} for {n_labels} labels: one score per "
            "sample and label is needed."
        )
    return answer


def fit_labels(
    estimator: BaseEstimator, X: Any, Y: NDArray[np.int8], rows: NDArray | None, params: dict
) -> FittedLabels:
    """Fit a multi-label estimator on some rows, on the labels that vary there.

    Parameters
    ----------
    estimator : estimator
        Fitted in place.
    X : array-like of shape (n_samples, ...)
        All samples.
    Y : ndarray of shape (n_samples, n_labels), dtype int8
        All labels.
    rows : ndarray of shape (n_rows,) or None
        Indices of the rows to fit on; None for all.
    params : dict
        Parameters of its `fit`.

    Returns
    -------
    fitted : FittedLabels
        Ours are fitted on all labels, as they know what to do with constant ones.

    Raises
    ------
    ValueError
        If the estimator fails, with an advice where it takes one label only.
    """
    constant = constant_labels(Y if rows is None else Y[rows])
    if not np.isnan(constant).any():
        return FittedLabels(None, constant, np.arange(0))
    if is_ours(estimator):
        constant, labels = np.full(Y.shape[1], np.nan), np.arange(Y.shape[1])
    else:
        labels = learnt_labels(constant)
    Y = Y if np.array_equal(labels, np.arange(Y.shape[1])) else Y[:, labels]
    with warnings.catch_warnings():  # the labels that are constant in all rows are named once
        warnings.filterwarnings("ignore", message="Labels .* have one value each")
        try:
            fitted = fit_on_rows(estimator, X, Y, rows, params)
        except ValueError as error:
            tags = get_tags(estimator)
            if tags.target_tags.multi_output or tags.classifier_tags.multi_label:
                raise
            raise ValueError(
                f"{type(last_step(estimator)).__name__} could not be fitted on an indicator, and "
                "its tags say that it takes one label only: put it into "
                f"skrecall.multilabel.BinaryRelevance. It said: {error}"
            ) from error
    return FittedLabels(fitted, constant, labels)


def is_ours(estimator: BaseEstimator) -> bool:
    """Return whether an estimator is one of ours, which take any indicator, in a Pipeline or not.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_ours : bool
        True if constant labels, and one label alone, may be given to it.
    """
    return isinstance(last_step(estimator), BaseMultilabelClassifier)


def last_step(estimator: Any) -> Any:
    """Return what a Pipeline, or a frozen estimator, ends in.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    estimator : estimator
        Its last step, or itself.
    """
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def fit_and_score_labels(
    estimator: BaseEstimator,
    X: Any,
    Y: NDArray[np.int8],
    splits: Sequence[Split],
    *,
    response_method: str,
    fit_params: dict[str, Any],
    n_jobs: int | None = None,
) -> tuple[FittedLabels, NDArray]:
    """Fit an estimator, and score the rows of each split that were held out.

    Parameters
    ----------
    estimator : estimator
        Fitted in place, unless the only split has no rows to fit on: then it is fitted already.
    X : array-like of shape (n_samples, ...)
        All samples.
    Y : ndarray of shape (n_samples, n_labels), dtype int8
        All labels.
    splits : list of (fit_rows, held_out_rows)
        One: the estimator is fitted on its rows and never again. Several: clones are, and the
        estimator on all rows.
    response_method : str
        A key of `RESPONSE_METHODS`.
    fit_params : dict
        Parameters of `fit`.
    n_jobs : int, default=None
        Number of splits to fit at once.

    Returns
    -------
    fitted : FittedLabels
        The fitted estimator.
    y_score : ndarray of shape (n_held_out, n_labels)
        In the order of the splits.

    Raises
    ------
    ValueError
        If scores of rows need a parameter of `fit`, as those of padded clips need lengths.
    """
    refuse_params_of_scores(estimator, X, fit_params)
    if len(splits) == 1:
        ((fit_rows, held_out_rows),) = splits
        if fit_rows is None:
            all_labels = np.arange(Y.shape[1])
            fitted = FittedLabels(estimator, np.full(Y.shape[1], np.nan), all_labels)
        else:
            fitted = fit_labels(estimator, X, Y, fit_rows, fit_params)
        return fitted, fitted.scores(_safe_indexing(X, held_out_rows), response_method)
    y_score = Parallel(n_jobs=n_jobs)(
        delayed(_fold_scores)(clone(estimator), X, Y, split, response_method, fit_params)
        for split in splits
    )
    return fit_labels(estimator, X, Y, None, fit_params), np.concatenate(y_score)


def _fold_scores(
    estimator: BaseEstimator,
    X: Any,
    Y: NDArray[np.int8],
    split: Split,
    response_method: str,
    fit_params: dict[str, Any],
) -> NDArray:
    fit_rows, held_out_rows = split
    fitted = fit_labels(estimator, X, Y, fit_rows, fit_params)
    return fitted.scores(_safe_indexing(X, held_out_rows), response_method)
