"""Ask for labels, fit, ask again: a loop over any estimator."""

import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse, vstack
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, indexable

from skrecall.utils._checks import (
    check_count,
    check_labels,
    check_option,
    check_scores,
    check_share,
)
from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._indicator import check_indicator, constant_labels, count_values
from skrecall.utils._label_votes import label_votes
from skrecall.utils._sklearn import _num_samples, _safe_indexing

from ._diversity import k_center_greedy, select_batch
from ._multilabel_queries import multilabel_uncertainty
from ._recall_gain import expected_recall_gain
from ._uncertainty import entropy_uncertainty, least_confidence, margin_uncertainty

_OF_CLASSES: dict[str, Callable[[ArrayLike], NDArray[np.float64]]] = {
    "least_confidence": least_confidence,
    "margin": margin_uncertainty,
    "entropy": entropy_uncertainty,
}
_WITHOUT_MODEL = ("random", "k_center")
_QUERIES = (*_WITHOUT_MODEL, *_OF_CLASSES, "recall_gain")


@dataclass(frozen=True, eq=False)
class ActiveLearningRound:
    """What is known in a round of `active_learning_loop`, before the next labels are asked for.

    Attributes
    ----------
    number : int
        Number of the round, from 0.
    estimator : estimator or None
        A clone, fitted on the labelled rows; None where they hold one class only.
    labelled : ndarray of shape (n_labelled,)
        Indices of the labelled rows, in the order in which they were asked for.
    y_labelled : ndarray, Series, DataFrame or sparse of shape (n_labelled, ...)
        Their labels.
    n_positives : int or ndarray of shape (n_labels,)
        Labelled positives; with several labels, of each; None where it is not said, by `pos_label`
        or by two classes, which label is positive.
    queried : ndarray of shape (n_queries,)
        Indices of the rows to be labelled next, the first to ask for first; empty in the last
        round.
    query : str
        What chose them: the name of the query, or of the function; "none" in the last round.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.active_learning import ActiveLearningRound
    >>> state = ActiveLearningRound(
    ...     0, None, np.array([4]), np.array([0]), 0, np.array([7, 2]), "k_center"
    ... )
    >>> state.queried.tolist()
    [7, 2]
    """

    number: int
    estimator: Any
    labelled: NDArray[np.intp]
    y_labelled: Any
    n_positives: Any
    queried: NDArray[np.intp]
    query: str


def active_learning_loop(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: Any,
    *,
    query: str | Callable[[Any, Any], ArrayLike] = "entropy",
    initial: int | ArrayLike = 10,
    batch_size: int = 10,
    n_rounds: int | None = None,
    selection: Literal["top", "k_center", "ranked"] = "top",
    embedding: ArrayLike | None = None,
    cold_start: Literal["k_center", "random"] = "k_center",
    pos_label: Any = None,
    confidence: float = 0.9,
    random_state: int | np.random.RandomState | None = None,
) -> Iterator[ActiveLearningRound]:
    """Fit an estimator again and again on rows that it chose to have labelled.

    Each round yields the estimator that the labels so far make, and the rows it asks for; their
    labels are taken from `y` when the next round is asked for, so that leaving the loop costs
    nothing. A promise of recall, or any estimate, needs other rows, drawn at random: see Notes.

    Parameters
    ----------
    estimator : estimator
        A classifier of one label or several; a clone is fitted in each round.
    X : array-like, DataFrame or sparse of shape (n_samples, ...)
        The pool: tables, images, anything that can be indexed by rows.
    y : array-like, DataFrame or sparse of shape (n_samples,) or (n_samples, n_labels), or callable
        All labels, of which only those asked for are looked at; or a function that is given an
        array of row indices and returns their labels.
    query : str or callable, default="entropy"
        Which rows to ask for. "least_confidence", "margin", "entropy": those the estimator is
        uncertain about, by `multilabel_uncertainty` with several labels. "recall_gain":
        `expected_recall_gain`, the most probable positives. "k_center": `k_center_greedy`, without
        the estimator. "random". A function is given the fitted estimator and the rows of `X`
        without a label, and returns one score for each, greater being asked first: a committee, for
        example.
    initial : int or array-like of shape (n_initial,), default=10
        Rows whose labels are asked for first: indices, or how many to draw at random.
    batch_size : int, default=10
        Number of labels to ask for in each round.
    n_rounds : int, default=None
        Number of times to ask after the initial rows; None goes on until all rows are labelled.
    selection : {"top", "k_center", "ranked"}, default="top"
        How scores become a batch: see `select_batch`. For "ranked", scores are scaled to 0 to 1.
    embedding : array-like of shape (n_samples, n_components), default=None
        What distances are measured on; None for `X`.
    cold_start : {"k_center", "random"}, default="k_center"
        The query while the labels hold one class only, and nothing can be fitted, as is common
        where positives are rare, and of "recall_gain" while no positive is known; `query` of the
        state says so.
    pos_label : int, float, bool or str, default=None
        The label to count, and to find by "recall_gain", in a target of one dimension; None means
        the greater of two classes, and 1 while one class has been seen that is 0, 1 or -1.
    confidence : float in (0, 1), default=0.9
        Of "recall_gain".
    random_state : int, RandomState instance or None, default=None
        Draws initial and random rows, breaks ties, and seeds every `random_state` of the clones
        that is None.

    Returns
    -------
    rounds : iterator of ActiveLearningRound
        A generator; each round comes before the labels of its `queried` rows are asked for.

    Raises
    ------
    ValueError
        If there are fewer rows than initial ones, these repeat, a query is unknown or lacks
        probabilities, or labels are missing or come in another number or kind than asked for.

    Notes
    -----
    The rows chosen are no random sample: they are those that the model was uncertain about, or held
    for positive. Train on them, but calibrate, promise and measure on rows drawn at random, whose
    labels are then not for this loop.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.active_learning import active_learning_loop
    >>> from skrecall.datasets import make_imbalanced_classification
    >>> data = make_imbalanced_classification(1000, prevalence=0.05, random_state=0)
    >>> loop = active_learning_loop(
    ...     LogisticRegression(), data.X, data.y, query="recall_gain", n_rounds=5, random_state=0
    ... )
    >>> for state in loop:
    ...     found = len(state.labelled), int(state.n_positives)
    >>> found[0]
    60
    """
    n_samples = _check_pool(X, y, embedding)
    if not callable(query):
        check_option(query, _QUERIES, name="query")
        if query not in _WITHOUT_MODEL and not hasattr(estimator, "predict_proba"):
            raise ValueError(
                f"query={query!r} needs predict_proba, and {type(estimator).__name__} has none: "
                "wrap it in CalibratedClassifierCV, or pass a function of its decision_function."
            )
    check_option(cold_start, _WITHOUT_MODEL, name="cold_start")
    check_count(batch_size, name="batch_size")
    if n_rounds is not None:
        check_count(n_rounds, name="n_rounds", least=0)
    check_option(selection, ("top", "k_center", "ranked"), name="selection")
    check_share(confidence, name="confidence", closed="neither")
    rng = check_random_state(random_state)
    (X,) = indexable(X)
    labelled = _initial_rows(initial, n_samples, rng)

    def learn(labelled: NDArray, y_labelled: Any) -> Any:
        fitted = clone_with_seed(estimator, rng)
        try:
            return fitted.fit(_safe_indexing(X, labelled), y_labelled)
        except Exception as error:
            error.add_note(
                f"{type(estimator).__name__} could not be fitted on the {len(labelled)} rows "
                "labelled so far. If it needs more rows of each class or label, give them as "
                "initial, or take an estimator that learns from few."
            )
            raise

    def choose(query: Any, fitted: Any, pool: NDArray, labelled: NDArray, target: _Target) -> Any:
        points = X if embedding is None else embedding
        n_queries = min(batch_size, len(pool))
        if query == "random":
            return rng.permutation(pool)[:n_queries]
        rows = {}
        if query == "k_center" or selection != "top":
            rows = {
                "X": _safe_indexing(points, pool),
                "X_labelled": _safe_indexing(points, labelled),
            }
        if query != "k_center":
            score = _scores(query, fitted, _safe_indexing(X, pool), target, confidence)
            if selection == "ranked":
                score = _scaled(score)
        try:
            if query == "k_center":
                return pool[k_center_greedy(n_queries=n_queries, **rows)]
            return pool[select_batch(score, n_queries, method=selection, random_state=rng, **rows)]
        except ValueError as error:
            if rows:
                error.add_note(
                    "Rows that lie far apart are asked for, by distances: pass finite numbers as "
                    "embedding, or choose selection='top' and cold_start='random'."
                )
            raise

    def rounds(labelled: NDArray[np.intp]) -> Iterator[ActiveLearningRound]:
        y_labelled, number = _ask(y, labelled), 0
        while True:
            target = _Target(y_labelled, pos_label)
            fitted = learn(labelled, y_labelled) if target.varies else None
            pool = np.setdiff1d(np.arange(n_samples), labelled)
            queried, used = pool[:0], "none"
            if len(pool) and number != n_rounds:
                lacks_positives = query == "recall_gain" and np.sum(target.n_positives) == 0
                used_query = cold_start if fitted is None or lacks_positives else query
                queried = choose(used_query, fitted, pool, labelled, target)
                used = used_query if isinstance(used_query, str) else _name_of(used_query)
            yield ActiveLearningRound(
                number, fitted, labelled, y_labelled, target.n_positives, queried, used
            )
            if len(queried) == 0:
                return
            y_labelled = _append(y_labelled, _ask(y, queried))
            labelled = np.append(labelled, queried)
            number += 1

    return rounds(labelled)


class _Target:
    """What the labels so far say: positives, and whether anything can be learnt from them."""

    def __init__(self, y: Any, pos_label: Any) -> None:
        self.several = issparse(y) or np.ndim(y) == 2
        if self.several:
            if pos_label is not None:
                raise ValueError(
                    f"pos_label={pos_label!r} names a class of a target of one dimension, and y "
                    f"has shape {y.shape}: leave it None."
                )
            Y, _ = check_indicator(y, accept_sparse=True, name="y")
            self.n_positives: Any = count_values(Y, 1)
            self.varies = bool(np.isnan(constant_labels(Y)).any())
            return
        classes, counts = np.unique(check_labels(y, name="y"), return_counts=True)
        self.varies = len(classes) > 1
        if pos_label is None and len(classes) == 2:
            pos_label = classes[1]
        elif pos_label is None and classes.tolist() in ([-1], [0], [1]):
            pos_label = 1
        self.classes, self.pos_label = classes, pos_label
        self.n_positives = None
        if pos_label is not None:
            self.n_positives = sum(
                n
                for label, n in zip(classes.tolist(), counts.tolist(), strict=True)
                if label == pos_label
            )


def _check_pool(X: Any, y: Any, embedding: Any) -> int:
    n_samples = _num_samples(X)
    given = {} if callable(y) else {"y": y}
    for name, value in (given if embedding is None else given | {"embedding": embedding}).items():
        if _num_samples(value) != n_samples:
            raise ValueError(
                f"X has {n_samples} rows and {name} {_num_samples(value)}: one for each row."
            )
    return n_samples


def _initial_rows(initial: Any, n_samples: int, rng: np.random.RandomState) -> NDArray[np.intp]:
    """Return the rows whose labels are asked for first."""
    if np.ndim(initial) == 0:
        n_initial = check_count(initial, name="initial")
        if n_initial > n_samples:
            raise ValueError(f"initial={n_initial} of {n_samples} rows cannot be drawn: lower it.")
        return rng.permutation(n_samples)[:n_initial]
    rows = np.asarray(initial)
    is_index = rows.dtype.kind in "iu" and rows.ndim == 1 and len(rows) > 0
    if (
        not is_index
        or rows.min() < 0
        or rows.max() >= n_samples
        or len(np.unique(rows)) < len(rows)
    ):
        raise ValueError(
            f"initial={reprlib.repr(initial)} must be a number of rows, or different row indices "
            f"from 0 to {n_samples - 1}."
        )
    return rows.astype(np.intp)


def _ask(y: Any, rows: NDArray[np.intp]) -> Any:
    """Return the labels of rows, in their container."""
    if not callable(y):
        return _safe_indexing(np.asarray(y) if isinstance(y, list | tuple) else y, rows)
    labels = y(rows)
    if not (issparse(labels) or hasattr(labels, "iloc")):
        labels = np.atleast_1d(labels)
    if _num_samples(labels) != len(rows):
        raise ValueError(
            f"y was asked for {len(rows)} labels and returned {_num_samples(labels)}: it must "
            "return one for each index it is given, in their order."
        )
    return labels


def _append(y: Any, more: Any) -> Any:
    """Return labels and further ones in their container."""
    first, second = _kind_of(y), _kind_of(more)
    if first != second:
        raise ValueError(
            f"y returned labels of {first}, then of {second}: it must always return the same kind."
        )
    if hasattr(y, "iloc"):
        return pd.concat([y, more])
    return vstack([y, more], format="csr") if issparse(y) else np.concatenate([y, more])


def _kind_of(y: Any) -> str:
    if hasattr(y, "columns"):
        return f"a {type(y).__name__} with columns {reprlib.repr(y.columns.tolist())}"
    words = "numbers" if y.dtype.kind in "biuf" else "words"
    return f"{type(y).__name__}, {words if y.ndim == 1 else f'{y.shape[1]} columns'}"


def _scores(
    query: Any, fitted: Any, X_pool: Any, target: _Target, confidence: float
) -> NDArray[np.float64]:
    """Return what the label of each row of the pool is worth."""
    n_pool = _num_samples(X_pool)
    if callable(query):
        score = check_scores(query(fitted, X_pool), name=f"The answer of {_name_of(query)}")
        if len(score) != n_pool:
            raise ValueError(
                f"{_name_of(query)} returned {len(score)} scores for {n_pool} rows: one each is "
                "needed."
            )
        return score
    proba = fitted.predict_proba(X_pool)
    if target.several:
        n_labels = len(target.n_positives)
        proba = label_votes(proba, getattr(fitted, "classes_", None), n_labels)
        if query == "recall_gain":
            return expected_recall_gain(proba, target.n_positives, confidence=confidence)
        return multilabel_uncertainty(proba, measure=query)
    if query == "recall_gain":
        if target.pos_label is None:
            raise ValueError(
                f"y holds {len(target.classes)} classes, {target.classes[:5].tolist()}: name the "
                "one to find with pos_label."
            )
        of_positive = proba[:, np.flatnonzero(fitted.classes_ == target.pos_label)].sum(axis=1)
        return expected_recall_gain(of_positive, target.n_positives, confidence=confidence)
    return _OF_CLASSES[query](proba)


def _scaled(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores between 0 and 1, for a sum with another share; all 0 if they are equal."""
    extent = np.ptp(score)
    return (score - score.min()) / (extent if extent > 0 else 1)


def _name_of(function: Callable) -> str:
    return getattr(function, "__name__", type(function).__name__)
