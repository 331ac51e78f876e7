"""Scorers of this package by name, beside scikit-learn's own.

scikit-learn's ``scoring=`` takes its own names and any scorer object. `get_scorer` returns such
objects, so that they work there too.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import sklearn.metrics
from imblearn.metrics import geometric_mean_score
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.metrics import balanced_accuracy_score, fbeta_score

from skrecall.utils._sklearn import _check_response_method, _get_response_values, _Scorer

from ._curve_metrics import (
    optimal_score,
    partial_roc_auc,
    precision_at_recall,
    recall_at_alert_budget,
    recall_at_k,
    recall_at_precision,
    sensitivity_at_specificity,
)
from ._example_metrics import example_fbeta, example_jaccard, example_precision, example_recall
from ._label_areas import masked_average_precision_score, masked_roc_auc_score
from ._label_metrics import expected_cost, true_negative_rate
from ._label_ranking import is_error, one_error
from ._masked_metrics import (
    masked_fbeta_score,
    masked_hamming_loss,
    masked_precision_score,
    masked_recall_score,
    multilabel_g_mean,
)
from ._objectives import MONOTONE_OBJECTIVES, OBJECTIVES
from ._propensity import propensity_scored_ndcg_at_k, propensity_scored_precision_at_k
from ._retrieval import label_ndcg_at_k, label_precision_at_k, label_recall_at_k

RANKING = ("decision_function", "predict_proba")
ACROSS_LABELS = ("predict_proba", "decision_function")  # probabilities of labels can be compared
DECISION = ("predict",)


@dataclass(frozen=True)
class _Metric:
    """A metric function and how a scorer calls it."""

    function: Callable[..., float]
    response: tuple[str, ...] = RANKING
    sign: int = 1
    fixed: Mapping[str, Any] = field(default_factory=dict)
    # parameters of the objective, which travel together as objective_params
    objective: str | None = None

    def _parameters(self) -> dict[str, inspect.Parameter]:
        """What a user may set."""
        found = dict(inspect.signature(self.function).parameters)
        if self.objective is not None:
            of_objective = inspect.signature(OBJECTIVES[self.objective]).parameters
            found |= {k: v for k, v in of_objective.items() if k != "curve"}
        hidden = {"y_true", "y_pred", "y_score", "sample_weight", "objective", "objective_params"}
        return {k: v for k, v in found.items() if k not in hidden | set(self.fixed)}

    def _keywords(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What the function is called with."""
        if self.objective is None:
            return {**self.fixed, **params}
        own = {k: v for k, v in params.items() if k in ("constraint", "pos_label")}
        rest = {k: v for k, v in params.items() if k not in own}
        return {"objective": self.objective, "objective_params": rest, **own}


_METRICS: dict[str, _Metric] = {
    "recall_at_precision": _Metric(recall_at_precision),
    "precision_at_recall": _Metric(precision_at_recall),
    "sensitivity_at_specificity": _Metric(sensitivity_at_specificity),
    "recall_at_alert_budget": _Metric(recall_at_alert_budget),
    "recall_at_k": _Metric(recall_at_k),
    "partial_roc_auc": _Metric(partial_roc_auc),
    "f2": _Metric(fbeta_score, DECISION, fixed={"beta": 2.0}),
    "f_beta": _Metric(fbeta_score, DECISION),
    "g_mean": _Metric(geometric_mean_score, DECISION),
    "specificity": _Metric(true_negative_rate, DECISION),
    "youden": _Metric(balanced_accuracy_score, DECISION, fixed={"adjusted": True}),
    "neg_expected_cost": _Metric(expected_cost, DECISION, sign=-1),
    "neg_min_cost": _Metric(optimal_score, objective="cost"),
    **{
        f"max_{name}": _Metric(optimal_score, objective=name)
        for name in OBJECTIVES
        if name not in (*MONOTONE_OBJECTIVES, "cost", "precision")
    },
}
# of multi-label targets; those of sums of cells end in "_known", as they leave unknown labels out
_METRICS |= {
    "neg_hamming_loss_known": _Metric(masked_hamming_loss, DECISION, sign=-1),
    "neg_one_error": _Metric(one_error, ACROSS_LABELS, sign=-1),
    "neg_is_error": _Metric(is_error, ACROSS_LABELS, sign=-1),
    "example_precision": _Metric(example_precision, DECISION),
    "example_recall": _Metric(example_recall, DECISION),
    "example_f1": _Metric(example_fbeta, DECISION, fixed={"beta": 1.0}),
    "example_f_beta": _Metric(example_fbeta, DECISION),
    "example_jaccard": _Metric(example_jaccard, DECISION),
    "label_precision_at_k": _Metric(label_precision_at_k, ACROSS_LABELS),
    "label_recall_at_k": _Metric(label_recall_at_k, ACROSS_LABELS),
    "label_ndcg_at_k": _Metric(label_ndcg_at_k, ACROSS_LABELS),
    "propensity_scored_precision_at_k": _Metric(propensity_scored_precision_at_k, ACROSS_LABELS),
    "propensity_scored_ndcg_at_k": _Metric(propensity_scored_ndcg_at_k, ACROSS_LABELS),
}
for _average in ("macro", "micro"):
    _fixed = {"average": _average}
    _METRICS |= {
        f"precision_{_average}_known": _Metric(masked_precision_score, DECISION, fixed=_fixed),
        f"recall_{_average}_known": _Metric(masked_recall_score, DECISION, fixed=_fixed),
        f"f1_{_average}_known": _Metric(
            masked_fbeta_score, DECISION, fixed={"beta": 1.0, **_fixed}
        ),
        f"f2_{_average}_known": _Metric(
            masked_fbeta_score, DECISION, fixed={"beta": 2.0, **_fixed}
        ),
        f"g_mean_{_average}_known": _Metric(multilabel_g_mean, DECISION, fixed=_fixed),
        f"roc_auc_{_average}_known": _Metric(masked_roc_auc_score, ACROSS_LABELS, fixed=_fixed),
        f"average_precision_{_average}_known": _Metric(
            masked_average_precision_score, ACROSS_LABELS, fixed=_fixed
        ),
    }


class _RecallScorer(_Scorer):
    """A scorer that knows its name and which column is the positive class.

    `pos_label=None` means the second class of the estimator, whatever the labels of the samples
    scored; a `pos_label` of more than two classes scores its column.
    """

    def __init__(self, name: str, params: Mapping[str, Any]) -> None:
        metric = _METRICS[name]
        super().__init__(
            metric.function, metric.sign, metric._keywords(params), response_method=metric.response
        )
        self._name = name
        self._params = dict(params)

    def __repr__(self) -> str:
        params = "".join(f", {key}={value!r}" for key, value in self._params.items())
        return f"get_scorer({self._name!r}{params})"

    def _score(
        self,
        method_caller: Callable,
        estimator: BaseEstimator,
        X: ArrayLike,
        y_true: ArrayLike,
        **kwargs: Any,
    ) -> float:
        self._warn_overlap("A parameter of the scorer was passed as metadata too.", kwargs)
        keywords = {**self._kwargs, **kwargs}
        accepted = inspect.signature(self._score_func).parameters
        classes = list(getattr(estimator, "classes_", ()))
        if "pos_label" in accepted and keywords.get("pos_label") is None and len(classes) == 2:
            keywords["pos_label"] = classes[1]
        if "cost_matrix" in accepted and keywords.get("labels") is None and classes:
            keywords["labels"] = classes
        pos_label = keywords.get("pos_label")
        method = _check_response_method(estimator, self._response_method).__name__
        if method == "predict" or pos_label is None or pos_label == classes[-1]:
            response = method_caller(estimator, method, X, pos_label=pos_label)
        else:  # the cache that several scorers share forgets for which class it was filled
            response, _ = _get_response_values(
                estimator, X, response_method=method, pos_label=pos_label
            )
        of_each_class = pos_label is not None and np.shape(response)[1:] == (len(classes),)
        if of_each_class and pos_label in classes:
            response = response[:, classes.index(pos_label)]
        return self._sign * self._score_func(y_true, response, **keywords)


def get_scorer_names() -> list[str]:
    """Return the names that `get_scorer` knows: those of this package and scikit-learn's.

    Returns
    -------
    names : list of str
        Sorted.

    Examples
    --------
    >>> from skrecall.metrics import get_scorer_names
    >>> [name for name in get_scorer_names() if name.startswith("recall_at")]
    ['recall_at_alert_budget', 'recall_at_k', 'recall_at_precision']
    """
    return sorted({*_METRICS, *sklearn.metrics.get_scorer_names()})


def get_scorer(scoring: str | Callable | None, **params: Any) -> Callable | None:
    """Return a scorer by name, for any ``scoring=`` of scikit-learn or of this package.

    Parameters
    ----------
    scoring : str, callable or None
        A name of `get_scorer_names`. A callable is returned as it is, and so is None.
    **params : dict
        Parameters of the metric, such as ``min_precision=0.5`` or ``pos_label="fraud"``; only our
        names take any.

    Returns
    -------
    scorer : callable or None
        To be called as ``scorer(estimator, X, y, sample_weight=None)``; greater is better.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown, or one that the metric needs is missing.

    Notes
    -----
    The names that start with ``max_`` (and "neg_min_cost") take the best threshold on the samples
    scored: they compare scores. Those of decisions ("f2", "f_beta", "g_mean", "specificity",
    "youden", "neg_expected_cost") look at `predict`.

    For multi-label targets there are those that start with ``example_``, ``label_`` and
    ``propensity_scored_``, "neg_one_error" and "neg_is_error", and those that end in ``_known``:
    these are scikit-learn's of the same name (and "g_mean", "f2"), with labels that are NaN or -1
    in `y` left out. "macro" is over all labels, one without positives counting 0; set
    ``zero_division=np.nan`` to leave it out. Scores of several labels are compared as
    probabilities where there are some.

    With NaN in `y`, give a search a splitter as ``cv``, such as `MultilabelStratifiedKFold`:
    scikit-learn reads the type of `y` to choose one from a number, and refuses NaN (-1 it takes).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from skrecall.metrics import get_scorer
    >>> X, y = make_classification(500, weights=[0.9], random_state=0)
    >>> scorer = get_scorer("recall_at_precision", min_precision=0.5)
    >>> cross_val_score(LogisticRegression(), X, y, scoring=scorer).shape
    (5,)
    """
    if not isinstance(scoring, str):
        if params:
            raise ValueError(f"{scoring!r} takes no parameters here: set them when it is made.")
        if scoring is None or callable(scoring):
            return scoring
        raise ValueError(f"scoring={scoring!r} must be a name, a callable or None.")
    if scoring not in _METRICS:
        if scoring not in sklearn.metrics.get_scorer_names():
            close = get_close_matches(scoring, get_scorer_names(), n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
            raise ValueError(
                f"Unknown scorer {scoring!r}. {hint}get_scorer_names() lists all of them."
            )
        if params:
            raise ValueError(
                f"scikit-learn's scorer {scoring!r} takes no parameters by name: build it with "
                "sklearn.metrics.make_scorer."
            )
        return sklearn.metrics.get_scorer(scoring)
    accepted = _METRICS[scoring]._parameters()
    if unknown := [name for name in params if name not in accepted]:
        raise ValueError(
            f"Scorer {scoring!r} takes {', '.join(accepted)}, but {', '.join(unknown)} was given."
        )
    needed = [name for name, p in accepted.items() if p.default is p.empty and name not in params]
    if needed:
        example = ", ".join(f"{name}=..." for name in needed)
        raise ValueError(
            f"Scorer {scoring!r} needs {' and '.join(needed)}: get_scorer({scoring!r}, {example})."
        )
    return _RecallScorer(scoring, params)
