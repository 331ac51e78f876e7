"""The exact optimum over all thresholds, cross-validated.

Every distinct score is a threshold of the operating curve, so that an objective is one vector
expression and its maximum is exact: no grid, no interpolation. Out-of-fold scores are pooled in one
curve, or the step functions of the folds are averaged where any of them steps.
"""

from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, StratifiedShuffleSplit, check_cv
from sklearn.utils import Bunch, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skrecall.metrics._objectives import OBJECTIVES, evaluate_objective
from skrecall.metrics._operating_curve import OperatingCurve
from skrecall.utils._checks import check_training_labels, check_weights
from skrecall.utils._fitting import clone_with_seed, fit_on_rows
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    _fit_context,
    _routing_enabled,
)

from ._argmax import argmax_decisions, best_offsets
from ._base import BaseDecisionClassifier
from ._calibration import (
    IF_SEVERAL_LABELS,
    RESPONSE_METHODS,
    check_has_scores,
    class_scores,
    fit_and_score_held_out,
    row_indices,
)
from ._optimum import (
    HeldOut,
    Optimum,
    best_threshold,
    check_cost_matrix,
    check_cost_terms,
    check_objective,
    std_over_folds,
)
from ._promise import plain_label


class OptimalThresholdClassifier(BaseDecisionClassifier):
    """Classifier that decides at the exact optimum of an objective, over all thresholds.

    Two classes: a sample is flagged when its score is at least `threshold_`. More classes: the
    class of greatest score relative to `thresholds_` is decided.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba` or `decision_function`: the whole Pipeline, samplers
        included. A FrozenEstimator is used as it is, like any with ``cv="prefit"``.
    objective : str or callable, default="f1"
        What is maximised: "accuracy", "balanced_accuracy", "cost" (minus the expected cost), "f1",
        "f_beta", "g_mean", "mcc", "precision", "recall", "specificity" or "youden"; or a function
        of a :class:`~skrecall.metrics.OperatingCurve` that returns one value per threshold.
    objective_params : dict, default=None
        Keyword arguments of the objective: ``{"beta": 2}`` of "f_beta"; ``{"cost_fn": 10}``, also
        ``cost_fp``, ``cost_tp``, ``cost_tn`` and ``prevalence``, of "cost"; or ``{"cost_matrix":
        C}`` with ``C[i, j]`` the cost of deciding ``classes_[j]`` where ``classes_[i]`` is true.
        With more than two classes a cost matrix needs no threshold: the class of least expected
        cost under `predict_proba` is decided, which takes calibrated probabilities.
    constraint : tuple of (str, float), default=None
        What is kept meanwhile, on the pooled scores: ``("recall", 0.95)``, ``("precision", 0.5)``
        or ``("specificity", 0.9)`` at least, ``("alerts_per_1000", 20)`` at most. It is empirical,
        no promise: see :class:`RecallThresholdClassifier`.
    multiclass : {"argmax", "ovr"}, default="argmax"
        With more than two classes. "argmax" maximises the mean over classes of the one-vs-rest
        objective of the one label that `predict` returns, by coordinate ascent over the
        thresholds: exact in each coordinate, a local optimum over all. "ovr" finds the exact
        optimum of every class against the rest, under the constraint; it is what `predict_flags`
        returns, where a sample may be flagged for several classes, or for none.
    aggregate : {"pool", "mean"}, default="pool"
        How folds meet: one curve of all out-of-fold scores, or the mean of the objective over the
        folds' own step functions. Pooled is the default because a fold holds few of a rare class:
        the mean of F1 over such folds is noisy, and biased. It takes scores that mean the same in
        every fold, as probabilities do; "mean" does not, and needs every class in every fold.
    pos_label : int, float, bool or str, default=None
        The class to flag, of two; None means ``classes_[1]``.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    cv : int, float, splitter, iterable or "prefit", default=None
        None: 5 stratified folds. A float: one stratified split that holds out this share. "prefit":
        the data given to `fit` only choose the threshold, and must be others than those the
        estimator was fitted on.
    refit : bool, default=True
        Fit the estimator again on all rows. False keeps the one that chose the threshold, and takes
        a single split. Of no effect on a fitted estimator.
    n_jobs : int, default=None
        Folds at a time.
    random_state : int, RandomState instance or None, default=None
        Seeds the split of a float `cv`, and what the estimator leaves unseeded.

    Attributes
    ----------
    threshold_ : float
        Two classes: flagged when ``score >= threshold_``; a midpoint between two scores, infinite
        where it is best to flag nothing.
    thresholds_ : ndarray of shape (n_classes,) or None
        More classes. None where a cost matrix decides.
    best_score_ : float
        The objective at the optimum, on the rows the thresholds were chosen on.
    fold_thresholds_ : ndarray of shape (n_folds,) or (n_folds, n_classes), or None
        The optimum of each fold by itself; NaN where it has none.
    threshold_std_ : float, ndarray of shape (n_classes,), or None
        Their standard deviation; NaN with one fold, and where a fold has no finite threshold.
    operating_curve_ : OperatingCurve
        Two classes: the curve of all out-of-fold scores.
    operating_curves_ : list of OperatingCurve
        More classes: one per class, against the rest.
    estimator_ : estimator
        The fitted estimator.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    pos_label_ : object
        Two classes: the class that is flagged.
    n_features_in_ : int
        Number of features seen by the estimator inside.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where it saw some.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.
    .. [2] Z. C. Lipton, C. Elkan, B. Narayanaswamy, "Optimal thresholding of classifiers to
       maximize F1 measure", ECML PKDD, 2014.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.threshold import OptimalThresholdClassifier
    >>> X, y = make_classification(n_samples=1000, weights=[0.9], random_state=0)
    >>> clf = OptimalThresholdClassifier(
    ...     LogisticRegression(), "precision", constraint=("recall", 0.9)
    ... ).fit(X, y)
    >>> curve = clf.operating_curve_
    >>> chosen = curve.index_at(clf.threshold_)
    >>> print(f"recall {curve.recall[chosen]:.3f}, precision {curve.precision[chosen]:.3f}")
    recall 0.902, precision 0.773
    """

    thresholds_: NDArray[np.float64] | None
    fold_thresholds_: NDArray[np.float64] | None
    threshold_std_: float | NDArray[np.float64] | None

    _decision_params = ("objective", "objective_params", "constraint", "multiclass", "aggregate")

    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "predict_proba"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "objective": [StrOptions(set(OBJECTIVES)), callable],
        "objective_params": [dict, None],
        "constraint": [tuple, None],
        "multiclass": [StrOptions({"argmax", "ovr"})],
        "aggregate": [StrOptions({"pool", "mean"})],
        "pos_label": [Real, str, "boolean", None],
        "response_method": [StrOptions(set(RESPONSE_METHODS))],
        "cv": [
            "cv_object",
            StrOptions({"prefit"}),
            Interval(RealNotInt, 0.0, 1.0, closed="neither"),
        ],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        objective: str | Callable[..., NDArray] = "f1",
        *,
        objective_params: dict[str, Any] | None = None,
        constraint: tuple[str, float] | None = None,
        multiclass: Literal["argmax", "ovr"] = "argmax",
        aggregate: Literal["pool", "mean"] = "pool",
        pos_label: Any = None,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        cv: int | float | BaseCrossValidator | Iterable | Literal["prefit"] | None = None,
        refit: bool = True,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.objective = objective
        self.objective_params = objective_params
        self.constraint = constraint
        self.multiclass = multiclass
        self.aggregate = aggregate
        self.pos_label = pos_label
        self.response_method = response_method
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Fit the estimator, and choose the thresholds on scores of rows it did not see.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Parameters of the estimator's `fit`. `sample_weight` also counts in the curve, and
            `groups` goes to the splitter; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If `y` holds one class, no threshold meets the constraint, or the objective is recall or
            specificity with no constraint to stop it.

        Warns
        -----
        UserWarning
            If the best threshold flags all, or none, of the held-out rows.
        """
        check_has_scores(self.estimator, self.response_method)
        X, y = indexable(X, y)
        y = check_training_labels(y, if_several=IF_SEVERAL_LABELS)
        weight = check_weights(params.get("sample_weight"), y)
        routed = self._route(params)
        labels = self._labels(y)
        self._check_objective(len(labels))
        binary = len(labels) == 2
        pos_label = self._positive_label(labels)
        splits = self._splits(X, y, routed.splitter.split)
        prefit = self._is_prefit()
        estimator, y_score = fit_and_score_held_out(
            self.estimator if prefit else clone_with_seed(self.estimator, self.random_state),
            X,
            y,
            splits,
            labels=[pos_label] if binary else labels,
            response_method=self.response_method,
            fit_params=routed.estimator.fit,
            n_jobs=self.n_jobs,
        )
        if self.refit and len(splits) == 1 and not prefit:
            fit_on_rows(estimator, X, y, None, routed.estimator.fit)
        self.estimator_ = estimator
        self.classes_ = labels
        if binary:
            self.pos_label_ = pos_label
        self._read_scores = self.response_method
        rows = splits[0][1] if len(splits) == 1 else np.concatenate([held for _, held in splits])
        fold = np.repeat(np.arange(len(splits)), [len(y[held]) for _, held in splits])
        self._held_out = HeldOut(
            y_score=y_score[:, 0] if binary else y_score,
            code=y[rows] == pos_label if binary else np.searchsorted(labels, y[rows]),
            weight=None if weight is None else weight[rows],
            fold=fold,
        )
        return self._decide()

    def _is_prefit(self) -> bool:
        return super()._is_prefit() or (isinstance(self.cv, str) and self.cv == "prefit")

    def _route(self, params: dict[str, Any]) -> Bunch:
        if _routing_enabled():
            return process_routing(self, "fit", **params)
        fit_params = {name: value for name, value in params.items() if value is not None}
        groups = fit_params.pop("groups", None)
        split_params = {} if groups is None else {"groups": groups}
        return Bunch(estimator=Bunch(fit=fit_params), splitter=Bunch(split=split_params))

    def _labels(self, y: NDArray) -> NDArray:
        """Return the classes, each of which `y` must hold."""
        labels = present = np.unique(y)
        if len(present) == 1:
            raise ValueError(
                f"y holds one class only, {plain_label(present[0])!r}, in {len(y)} samples: a "
                "threshold needs samples on both sides."
            )
        if self._is_prefit():
            check_is_fitted(self.estimator, "classes_")
            labels = np.asarray(self.estimator.classes_)
            if not np.array_equal(present, labels):
                raise ValueError(
                    f"The estimator was fitted on classes {labels.tolist()}, but y holds "
                    f"{present.tolist()}: choose thresholds on samples of just those classes."
                )
        return labels

    def _positive_label(self, labels: NDArray) -> Any:
        """Return the class to flag, of two; None of more."""
        if self.pos_label is None:
            return labels[1] if len(labels) == 2 else None
        if len(labels) > 2:
            raise ValueError(
                f"pos_label={self.pos_label!r} was given, but y holds {len(labels)} classes, each "
                "of which gets a threshold: leave pos_label=None."
            )
        if self.pos_label not in labels:
            raise ValueError(
                f"pos_label={self.pos_label!r} is not a label of y, which holds {labels.tolist()}."
            )
        return self.pos_label

    def _splits(self, X: Any, y: NDArray, split_params: dict[str, Any]) -> list[tuple[Any, Any]]:
        if self._is_prefit():
            return [(None, slice(None))]
        if isinstance(self.cv, Real) and not isinstance(self.cv, Integral):
            cv = StratifiedShuffleSplit(1, test_size=self.cv, random_state=self.random_state)
        else:
            cv = check_cv(self.cv, y, classifier=True)
        splits = [row_indices(split) for split in cv.split(X, y, **split_params)]
        if not self.refit and len(splits) > 1:
            raise ValueError(
                f"refit=False keeps the estimator of a single split, but cv yields {len(splits)}: "
                "pass refit=True, or one split, such as cv=0.25."
            )
        classes, counts = np.unique(y, return_counts=True)
        for k, (fit_rows, _) in enumerate(splits):
            is_seen = np.isin(classes, y[fit_rows])
            if not is_seen.all():
                lost = dict(zip(classes[~is_seen].tolist(), counts[~is_seen].tolist(), strict=True))
                raise ValueError(
                    f"Split {k + 1} of {len(splits)} trains on {is_seen.sum()} of {len(classes)} "
                    f"classes, {classes[is_seen].tolist()}, and y holds {lost} of the others: "
                    "use a stratified splitter, or fewer folds, or add samples."
                )
        return splits

    def _check_objective(self, n_classes: int) -> None:
        if self._has_cost_matrix():
            check_cost_terms(self.objective_params or {}, self.constraint, n_classes)
        if n_classes == 2 or self.multiclass == "ovr":
            check_objective(self.objective, self.constraint)
        elif self.constraint is not None:
            raise ValueError(
                f"constraint={self.constraint!r} is kept for one class at a time, but "
                f"multiclass='argmax' chooses the thresholds of {n_classes} classes together: pass "
                "multiclass='ovr', or constraint=None."
            )

    def _refit_decision(self) -> None:
        self._check_objective(len(self.classes_))
        if len(self.classes_) == 2:
            self._decide_binary()
            return
        self.operating_curves_ = [
            self._held_out.against_rest(k).curve(label) for k, label in enumerate(self.classes_)
        ]
        if self._has_cost_matrix():
            self._decide_by_cost()
        elif self.multiclass == "ovr":
            self._decide_one_vs_rest()
        else:
            self._decide_argmax()

    def _has_cost_matrix(self) -> bool:
        return self.objective == "cost" and "cost_matrix" in (self.objective_params or {})

    def _value_of(self, curve: OperatingCurve) -> NDArray[np.float64]:
        params = dict(self.objective_params or {})
        if self._has_cost_matrix():
            costs = check_cost_matrix(params.pop("cost_matrix"), 2)
            if curve.pos_label == self.classes_[0]:
                costs = costs[::-1, ::-1]
            names = ["cost_tn", "cost_fp", "cost_fn", "cost_tp"]
            params |= dict(zip(names, costs.flat, strict=True))
        return evaluate_objective(curve, self.objective, params)

    def _optimum(self, held_out: HeldOut, label: Any) -> Optimum:
        return best_threshold(
            held_out,
            self._value_of,
            constraint=self.constraint,
            aggregate=self.aggregate,
            pos_label=label,
        )

    def _decide_binary(self) -> None:
        best = self._optimum(self._held_out, self.pos_label_)
        self.operating_curve_ = best.curve
        self.threshold_ = best.threshold
        self.best_score_ = best.value
        self.fold_thresholds_ = best.fold_thresholds
        self.threshold_std_ = float(std_over_folds(best.fold_thresholds))

    def _decide_one_vs_rest(self) -> None:
        best = [
            self._optimum(self._held_out.against_rest(k), label)
            for k, label in enumerate(self.classes_)
        ]
        self.thresholds_ = np.array([optimum.threshold for optimum in best])
        self.best_score_ = float(np.mean([optimum.value for optimum in best]))
        own = np.column_stack([optimum.fold_thresholds for optimum in best])
        self.fold_thresholds_, self.threshold_std_ = own, std_over_folds(own)

    def _decide_argmax(self) -> None:
        folds = self._held_out.folds()
        for rows in folds if self.aggregate == "mean" else [self._held_out]:
            held = self._class_weights(rows)
            if not np.all(held > 0):
                raise ValueError(
                    f"Rows that aggregate={self.aggregate!r} decides on hold a weight of "
                    f"{held.tolist()} for classes {self.classes_.tolist()}, and need some of each: "
                    "pass aggregate='pool', or use a stratified splitter."
                )
        self.thresholds_, self.best_score_ = self._ascend(self._held_out, self.aggregate)
        own = [self.thresholds_] if len(folds) == 1 else [self._ascend(fold)[0] for fold in folds]
        self.fold_thresholds_, self.threshold_std_ = np.array(own), std_over_folds(np.array(own))

    def _class_weights(self, held_out: HeldOut) -> NDArray[np.float64]:
        n_classes = len(self.classes_)
        return np.bincount(held_out.code, weights=held_out.weight, minlength=n_classes).astype(
            float
        )

    def _ascend(
        self, held_out: HeldOut, aggregate: str = "pool"
    ) -> tuple[NDArray[np.float64], float]:
        n_classes = len(self.classes_)
        if not np.all(self._class_weights(held_out) > 0):
            return np.full(n_classes, np.nan), np.nan
        weight = np.ones(len(held_out.code)) if held_out.weight is None else held_out.weight
        folds = np.unique(held_out.fold)[:, None] == held_out.fold
        curves = [held_out.against_rest(k).curve(label) for k, label in enumerate(self.classes_)]
        one_vs_rest = []
        for curve in curves:
            value = np.nan_to_num(self._value_of(curve), nan=-np.inf)
            one_vs_rest.append(curve.threshold_below(1 + int(np.argmax(value[1:]))))
        return best_offsets(
            held_out.y_score,
            held_out.code,
            weight * folds if aggregate == "mean" else weight[None, :],
            self._value_of,
            starts=[np.zeros(n_classes), np.array(one_vs_rest)],
        )

    def _decide_by_cost(self) -> None:
        """Decide the class of least expected cost; nothing is chosen on the held-out scores."""
        held_out = self._held_out
        if not hasattr(self.estimator_, "predict_proba") or (
            self._read_scores == "decision_function"
        ):
            raise ValueError(
                f"A cost matrix of {len(self.classes_)} classes needs probabilities: use an "
                "estimator that has predict_proba, with response_method='auto'."
            )
        params = self.objective_params or {}
        self._costs = check_cost_matrix(params["cost_matrix"], len(self.classes_))
        self.thresholds_ = self.fold_thresholds_ = self.threshold_std_ = None
        paid = self._costs[held_out.code, self._decided(held_out.y_score)]
        self.best_score_ = -float(np.average(paid, weights=held_out.weight))

    def _decided(self, y_score: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return class indices, of scores as they are held out."""
        if len(self.classes_) == 2:
            flagged = y_score >= self.threshold_
            return (flagged if self.pos_label_ == self.classes_[1] else ~flagged).astype(np.int64)
        if self.thresholds_ is None:
            return np.argmin(y_score @ self._costs, axis=1)
        return argmax_decisions(y_score, self.thresholds_)

    def _scores(self, X: ArrayLike) -> NDArray[np.float64]:
        if len(self.classes_) == 2:
            return class_scores(self.estimator_, X, [self.pos_label_], self._read_scores)[:, 0]
        return class_scores(self.estimator_, X, self.classes_, self._read_scores)

    def predict(self, X: ArrayLike) -> NDArray:
        """Decide one label per sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Two classes: `pos_label_` where the score is at least `threshold_`. More: the class of
            greatest score minus threshold, or of least expected cost.
        """
        self._check_decision()
        return self.classes_[self._decided(self._scores(X))]

    @available_if(lambda self: self.multiclass == "ovr")
    def predict_flags(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Flag every class whose score reaches its own threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        flags : ndarray of shape (n_samples, n_classes)
            True where ``score >= thresholds_``; a sample may have several, or none. With two
            classes one column, that of `pos_label_`.

        Raises
        ------
        ValueError
            If a cost matrix decides, without thresholds.
        """
        self._check_decision()
        if len(self.classes_) == 2:
            return (self._scores(X) >= self.threshold_)[:, None]
        if self.thresholds_ is None:
            raise ValueError(
                "The cost matrix decides for the class of least expected cost and sets no "
                "thresholds to flag by: use predict."
            )
        return self._scores(X) >= self.thresholds_

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to the estimator inside, and to the splitter.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="split")
        return super().get_metadata_routing().add(splitter=self.cv, method_mapping=mapping)
