"""A cascade from cheap to costly stages that keeps an end-to-end recall on unseen data.

The thresholds of all stages move together along one budget (`_cascade`), fixed on rows that the
promise does not use. A held-out positive then has one number, the budget at which the first stage
loses it, and the order statistic of `skrecall.threshold` is exact for it: neither the target nor
the confidence is divided among the stages, however their errors depend on each other.
"""

from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, check_cv
from sklearn.utils import check_random_state, column_or_1d, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skrecall.threshold._bounds import allowed_misses, threshold_rank
from skrecall.threshold._calibration import (
    check_has_scores,
    check_no_shared_positives,
    check_split,
    class_scores,
    fit_and_score_held_out,
    holdout_split,
    row_indices,
)
from skrecall.threshold._evidence import Evidence
from skrecall.threshold._promise import _PromiseTerms, make_promise, plain_label
from skrecall.threshold._recall import RecallThresholdClassifier, labels_to_find
from skrecall.utils._checks import check_training_labels
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed, fit_on_rows
from skrecall.utils._sklearn import (
    Interval,
    StrOptions,
    _BaseComposition,
    _check_method_params,
    _fit_context,
    _num_samples,
    _routing_enabled,
    _safe_indexing,
)

from ._cascade import ScoreLevels, cheapest_shares, running_levels, score_levels, stage_shares


class RecallCascadeClassifier(DecisionMixin, ClassifierMixin, MetaEstimatorMixin, _BaseComposition):
    """Cascade of classifiers, cheap ones first, that keeps an end-to-end recall on unseen data.

    Every row goes to the first stage. What scores too low there is negative and leaves; only the
    rest reaches the next, costlier stage [2]_, and what passes the last one is flagged. At least
    `target_recall` of all positives pass *all* stages, with probability `confidence` over draws of
    the held-out positives. The bound is exact for continuous scores, and on the safe side for tied
    ones, whatever the stages are and however their errors depend on each other.

    The rows are dealt out to three parts. The stages are fitted on the first. The second, *tuning*
    part turns the scores of each stage into levels, the share of positives lost up to a score, and
    so fixes how the thresholds of all stages fall together as one number, the budget, falls. On the
    third part that number is chosen: a positive survives as long as the budget is at most the
    minimum over the stages of its level over the stage's share, and the order statistic of these
    minima carries the promise [1]_. Nothing is divided among the stages but the budget, so that
    positives which several stages would lose are counted once. As all thresholds are fixed in the
    same event, each stage on its own keeps the target too; see `stage_promises_`.

    **Wrap whole Pipelines**, samplers included: an over-sampler before the cascade voids the
    promise. Exact copies are refused; of rows between positives,
    :func:`~skrecall.model_selection.check_leakage` finds those of continuous features. A stage can
    look at columns of its own through a ColumnTransformer at its front. What is assumed of future
    positives is what :class:`~skrecall.threshold.RecallThresholdClassifier` assumes.

    Parameters
    ----------
    stages : list of (str, estimator) tuples
        Classifiers with `predict_proba` or `decision_function`, from cheap to costly. Clones are
        fitted; a `FrozenEstimator` stays as it is, and must have seen none of the rows.
    target_recall : float in (0, 1), default=0.95
        Recall to keep, from the first stage to the last.
    confidence : float in (0, 1), default=0.9
        Probability, over draws of the held-out positives, of keeping it.
    budget : {"equal", "cost"} or array-like of shape (n_stages,), default="equal"
        Share of the lost positives that each stage may cause. "cost" finds the shares under which
        stages and alerts together cost least on the tuning rows; it needs `stage_costs` and
        `alert_cost`. A stage without a share is skipped: it scores no row.
    stage_costs : array-like of shape (n_stages,), default=None
        Cost of scoring one row, for each stage, in any unit. None counts no costs.
    alert_cost : float, default=None
        Cost of one flagged row, such as a person's look at it, in the same unit. Where it is no
        more than that of the last stage, this stage cannot pay, and "cost" skips it.
    train_recall : float in (0, 1), default=None
        None fits every stage on all training rows. A number fits a stage on those that pass all
        stages before it, when each of these keeps this share of its training positives, by scores
        out of fold.
    cv : int, splitter or iterable, default=None
        The folds of `train_recall`; None means 5, stratified, with groups kept whole.
    pos_label : int, float, bool or str, default=None
        The class to find; None means ``classes_[1]`` of two. Where there are more classes, name it:
        the others are negative.
    calibration_size : float in (0, 1), default=0.5
        Share of the rows, or groups, that the promise is made on, stratified by class.
    tuning_size : float in (0, 1), default=0.3
        Share of the other rows, or groups, that no stage is fitted on and that shape the levels: a
        positive at least, and all of them where every stage is frozen. Few of them make the cascade
        costlier and leave the promise as it is.
    group_promise : {"any", "row"}, default="any"
        What is promised when `fit` gets groups. "any": of the positive groups (patients), the
        target share has a flagged row. "row": of random positive rows, one a group, the target
        share is flagged.
    n_comparisons : int, default=1
        Number of models or settings of which the best is picked on the same held-out positives,
        also by their alerts or costs there: each budget that is tried counts. The search of "cost"
        does not, as it does not look at them.
    next_batch : int, default=None
        Promise the recall of the next so many positives in place of the population's.
    on_insufficient : {"raise", "best"}, default="raise"
        With too few positives, raise, or warn and promise the best recall that they can carry with
        the same confidence. Either says how many are missing.
    on_duplicates : {"raise", "ignore"}, default="raise"
        What positives lead to that are identical to held-out ones.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    n_jobs : int, default=None
        Number of stages, or with `train_recall` of folds, to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds the splits, the choice of rows within groups, and what the stages leave unseeded.

    Attributes
    ----------
    stages_ : list of estimators
        The fitted stages.
    named_stages_ : dict of str to estimator
        The same by name.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    pos_label_ : object
        The class to find.
    promise_ : RecallPromise
        The end-to-end promise, about the budget as a score; print it to read it.
    stage_promises_ : dict of str to RecallPromise
        What follows from it for the stages up to each one, in the unit of the stage's scores. All
        hold in the same event as `promise_`, which implies them.
    threshold_ : float
        The budget: a row is flagged if its score, the minimum of level over share, is at least
        this. It is the sum of what the stages may lose, one by one, on the tuning positives; above
        ``1 - target_recall`` where they lose the same ones.
    thresholds_ : dict of str to float
        Threshold of each stage on its own scores; minus infinity where it lets every row pass.
    budget_ : ndarray of shape (n_stages,)
        Shares of the budget, summing to one.
    stage_table_ : DataFrame
        One row a stage, measured on the held-out rows: its share of the budget, its threshold, the
        shares of rows that are scored by it and that leave at it, the share of negatives that left
        so far, the recall so far, and the cost for 1000 rows that enter the cascade.
    cost_per_1000_ : float
        Cost of all stages for 1000 rows, alerts not counted; NaN without `stage_costs`.
    relative_cost_ : float
        The same, in terms of what the last stage alone would cost on all rows.
    recall_lower_bound_ : float
        Lower confidence bound of the recall at the highest budget that keeps the promise.
    n_calibration_positives_ : int
        Held-out positives, or positive groups.
    operating_curve_ : OperatingCurve
        Of the scores of the held-out rows, or groups.
    calibration_rows_, tuning_rows_ : ndarray of int
        Indices of the rows of these two parts.
    n_features_in_ : int
        Number of features, if the first stage counts them.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, if the first stage keeps them.

    Raises
    ------
    ValueError
        If positives are too few or in several parts, or scores, shares or costs are not usable.

    See Also
    --------
    skrecall.threshold.RecallThresholdClassifier : One stage.
    skrecall.threshold.positives_needed : How many held-out positives a promise needs.

    Notes
    -----
    `fit` lets every stage score all tuning and held-out rows, so that `refit_decision` can apply a
    new target, confidence, budget or cost to what is stored; where the outcome decides between
    several, `n_comparisons` has to say how many. `predict` does not: later stages only
    get the rows still in play. There is no `predict_proba`, as no stage has a probability for every
    row. `sample_weight` goes to the stages; promise and costs count rows.

    References
    ----------
    .. [1] H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., Wiley, 2003, ch. 2.
    .. [2] P. Viola, M. J. Jones, "Robust real-time face detection", International Journal of
       Computer Vision 57(2), 2004.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.datasets import make_imbalanced_classification
    >>> from skrecall.ensemble import RecallCascadeClassifier
    >>> data = make_imbalanced_classification(4000, prevalence=0.1, separation=3, random_state=0)
    >>> cascade = RecallCascadeClassifier(
    ...     [("linear", LogisticRegression()), ("forest", RandomForestClassifier(20))],
    ...     target_recall=0.9,
    ...     stage_costs=[1, 50],
    ...     random_state=0,
    ... ).fit(data.X, data.y)
    >>> print(cascade.promise_)
    Promised: recall of class 1 >= 0.9 on unseen data, confidence 0.9, from ... held-out
    positives: flag when the score is at least 0.0...
    >>> bool(cascade.stage_table_.loc["linear", "negatives_gone"] > 0.7)
    True
    """

    _parameter_constraints: dict = {
        "stages": [list],
        **{
            name: RecallThresholdClassifier._parameter_constraints[name]
            for name in (
                "target_recall",
                "confidence",
                "calibration_size",
                "cv",
                "group_promise",
                "n_comparisons",
                "next_batch",
                "on_insufficient",
                "on_duplicates",
                "response_method",
                "n_jobs",
                "random_state",
            )
        },
        "budget": [StrOptions({"equal", "cost"}), "array-like"],
        "stage_costs": ["array-like", None],
        "alert_cost": [Interval(Real, 0, None, closed="left"), None],
        "train_recall": [Interval(Real, 0, 1, closed="neither"), None],
        "pos_label": [Real, str, "boolean", None],
        "tuning_size": [Interval(Real, 0, 1, closed="neither")],
    }
    _decision_params = (
        "target_recall",
        "confidence",
        "budget",
        "stage_costs",
        "alert_cost",
        "group_promise",
        "n_comparisons",
        "next_batch",
        "on_insufficient",
    )

    def __init__(
        self,
        stages: list[tuple[str, Any]],
        *,
        target_recall: float = 0.95,
        confidence: float = 0.9,
        budget: Literal["equal", "cost"] | ArrayLike = "equal",
        stage_costs: ArrayLike | None = None,
        alert_cost: float | None = None,
        train_recall: float | None = None,
        cv: int | BaseCrossValidator | Iterable | None = None,
        pos_label: Any = None,
        calibration_size: float = 0.5,
        tuning_size: float = 0.3,
        group_promise: Literal["any", "row"] = "any",
        n_comparisons: int = 1,
        next_batch: int | None = None,
        on_insufficient: Literal["raise", "best"] = "raise",
        on_duplicates: Literal["raise", "ignore"] = "raise",
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.stages = stages
        self.target_recall = target_recall
        self.confidence = confidence
        self.budget = budget
        self.stage_costs = stage_costs
        self.alert_cost = alert_cost
        self.train_recall = train_recall
        self.cv = cv
        self.pos_label = pos_label
        self.calibration_size = calibration_size
        self.tuning_size = tuning_size
        self.group_promise = group_promise
        self.n_comparisons = n_comparisons
        self.next_batch = next_batch
        self.on_insufficient = on_insufficient
        self.on_duplicates = on_duplicates
        self.response_method = response_method
        self.n_jobs = n_jobs
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those of the stages included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the stages, by name, and their parameters.

        Returns
        -------
        params : dict
            Values by name.
        """
        return self._get_params("stages", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, of the stages too.

        Parameters
        ----------
        **params : dict
            Values by name, such as ``linear__C``; the name of a stage replaces it.

        Returns
        -------
        self : object
            The same estimator.
        """
        return self._set_params("stages", **params)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the stages, and put their thresholds on rows that they have not seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, in any form that the stages take.
        y : array-like of shape (n_samples,)
            Class labels.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group, such as the scans of one patient, stay in one part and count as one;
            see `group_promise`.
        **params : dict
            Handed to the `fit` of every stage, such as `sample_weight`; routed where metadata
            routing is enabled.

        Returns
        -------
        self : object
            The fitted cascade.
        """
        X, y, groups = indexable(X, y, groups)
        y = check_training_labels(y)
        groups = None if groups is None else column_or_1d(groups)
        names, stages = self._checked_stages()
        self._costs_and_shares(len(stages))  # a wrong one is refused before stages are fitted
        classes, counts = np.unique(y, return_counts=True)
        self._refuse_unnamed(classes)
        label = labels_to_find(classes, counts, self.pos_label)[0]
        fit_params = self._route(names, params, groups)
        rng = check_random_state(self.random_state)
        train, tuning, held_out = self._parts(X, y, label, stages, groups, rng)
        evidence = Evidence(
            labels=np.array([label]),
            strata=np.array([None]),
            y=y[held_out],
            y_score=np.zeros((len(held_out), 1)),
            groups=None if groups is None else groups[held_out],
            stratum=None,
            seed=rng.randint(MAX_SEED),
            is_empirical=False,
            held_out_share=len(held_out) / len(y),
        )
        if self.on_insufficient == "raise":  # before stages are fitted, which may take hours
            n_positives = self._count_positives(evidence)
            self._terms(evidence).rank(n_positives, pos_label=label, stratum=None)
        seed = None if self.random_state is None else rng
        stages = [s if isinstance(s, FrozenEstimator) else clone_with_seed(s, seed) for s in stages]
        if len(train):
            stages = self._fit_stages(names, stages, X, y, label, train, groups, fit_params)

        y_tuning = y[tuning] == label
        tuning_scores, scores = (
            np.column_stack(
                [
                    class_scores(stage, _safe_indexing(X, rows), [label], self.response_method)
                    for stage in stages
                ]
            )
            for rows in (tuning, held_out)
        )
        self._levels = [score_levels(column, y_tuning) for column in tuning_scores.T]
        self._tuning = _levels_of(self._levels, tuning_scores), y_tuning
        self._held_out = _levels_of(self._levels, scores)
        self._evidence = evidence
        self._names, self.stages_ = names, stages
        self.named_stages_ = dict(zip(names, stages, strict=True))
        self.classes_ = np.unique(np.concatenate([classes, *(s.classes_ for s in stages)]))
        self.pos_label_ = label
        self.tuning_rows_, self.calibration_rows_ = tuning, held_out
        self._read_scores = self.response_method
        return self._decide()

    def _checked_stages(self) -> tuple[list[str], list[BaseEstimator]]:
        if not self.stages or not all(
            isinstance(item, tuple | list) and len(item) == 2 for item in self.stages
        ):
            raise ValueError(
                f"stages={self.stages!r} must be a list of (name, estimator) pairs, one at least."
            )
        names, stages = map(list, zip(*self.stages, strict=True))
        self._validate_names(names)
        for name, stage in zip(names, stages, strict=True):
            if not hasattr(stage, "fit"):
                raise ValueError(f"Stage {name!r} is no estimator, but {stage!r}.")
            check_has_scores(stage, self.response_method)
            if isinstance(stage, FrozenEstimator):
                check_is_fitted(stage)
        return names, stages

    def _refuse_unnamed(self, classes: NDArray) -> None:
        if self.pos_label is None and len(classes) > 2:
            raise ValueError(
                f"y holds {len(classes)} classes, {classes[:5].tolist()}: name the one to find "
                "with pos_label; the others are then negative. Only binary classification is "
                "supported without it. Unknown label type: multiclass"
            )

    def _route(
        self, names: list[str], params: dict[str, Any], groups: NDArray | None
    ) -> dict[str, dict[str, Any]]:
        """Return the parameters of the `fit` of each stage."""
        if not _routing_enabled():
            return dict.fromkeys(names, params)
        own = {} if groups is None else {"groups": groups}
        routed = process_routing(self, "fit", **params, **own)
        return {name: routed[name].fit for name in names}

    def _parts(
        self,
        X: Any,
        y: NDArray,
        label: Any,
        stages: list[BaseEstimator],
        groups: NDArray | None,
        rng: np.random.RandomState,
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return the rows to fit on, those that shape the levels, and those of the promise."""
        code = np.unique(y, return_inverse=True)[1]
        rest, held_out = holdout_split(code, self.calibration_size, groups=groups, rng=rng)
        check_split(rest, held_out, y, np.array([label]), groups)
        if self.on_duplicates == "raise":
            check_no_shared_positives(X, y == label, rest, held_out)
        train, tuning = rest[:0], rest
        if not all(isinstance(stage, FrozenEstimator) for stage in stages):
            positives = rest[y[rest] == label]
            n_positives = len(positives if groups is None else np.unique(groups[positives]))
            size = max(self.tuning_size, 1 / max(n_positives, 2))  # one of them at least
            groups_rest = None if groups is None else groups[rest]
            split = holdout_split(code[rest], size, groups=groups_rest, rng=rng)
            train, tuning = (rest[rows] for rows in split)
            check_split(train, tuning, y, np.array([label]), groups)
        for name, rows in [("tuning", tuning), ("calibration", held_out)]:
            if label not in y[rows]:
                raise ValueError(
                    f"The {len(rows)} {name} rows hold no sample of class {plain_label(label)!r}, "
                    f"of which there are {np.sum(y == label)} in all: add positives, or raise "
                    f"{name}_size."
                )
        return train, tuning, held_out

    def _fit_stages(
        self,
        names: list[str],
        stages: list[BaseEstimator],
        X: Any,
        y: NDArray,
        label: Any,
        train: NDArray,
        groups: NDArray | None,
        fit_params: dict[str, dict[str, Any]],
    ) -> list[BaseEstimator]:
        train_recall = self.train_recall
        if train_recall is None:
            return Parallel(n_jobs=self.n_jobs)(
                delayed(fit_on_rows)(stage, X, y, train, fit_params[name])
                for name, stage in zip(names, stages, strict=True)
            )
        for name, stage in zip(names[:-1], stages[:-1], strict=True):
            train = self._fit_and_sift(
                train_recall, name, stage, X, y, label, train, groups, fit_params[name]
            )
        fit_on_rows(stages[-1], X, y, train, fit_params[names[-1]])
        return stages

    def _fit_and_sift(
        self,
        train_recall: float,
        name: str,
        stage: BaseEstimator,
        X: Any,
        y: NDArray,
        label: Any,
        train: NDArray,
        groups: NDArray | None,
        params: dict[str, Any],
    ) -> NDArray:
        """Fit a stage on its training rows, and return those that pass it out of fold."""
        params = _check_method_params(X, params, indices=train)
        X, y = _safe_indexing(X, train), y[train]
        groups = None if groups is None else groups[train]
        cv = 5 if self.cv is None else self.cv
        if groups is not None and isinstance(cv, Integral):
            cv = StratifiedGroupKFold(cv)
        splits = [
            row_indices(split) for split in check_cv(cv, y, classifier=True).split(X, y, groups)
        ]
        scored = np.concatenate([rows for _, rows in splits])
        if not np.array_equal(np.sort(scored), np.arange(len(y))):
            raise ValueError(
                f"cv={self.cv!r} scores {len(np.unique(scored))} of {len(y)} training rows, or "
                "some of them twice: train_recall needs folds that score each once."
            )
        _, y_score = fit_and_score_held_out(
            stage,
            X,
            y,
            splits,
            labels=[label],
            response_method=self.response_method,
            fit_params=params,
            n_jobs=self.n_jobs,
        )
        positive = np.sort(y_score[y[scored] == label, 0])
        lost = allowed_misses(len(positive), train_recall)
        passed = np.sort(scored[y_score[:, 0] >= positive[lost]])
        if np.all(y[passed] == label):
            raise ValueError(
                f"No negative of {len(y)} training rows passes stage {name!r}: the stages after it "
                "have nothing to learn. Leave them out, raise train_recall, or pass "
                "train_recall=None."
            )
        return train[passed]

    def _terms(self, evidence: Evidence) -> _PromiseTerms:
        return _PromiseTerms(
            target_recall=self.target_recall,
            confidence=self.confidence,
            n_promises=self.n_comparisons,
            next_batch=self.next_batch,
            group_promise=None if evidence.groups is None else self.group_promise,
            on_insufficient=self.on_insufficient,
            held_out_share=evidence.held_out_share,
        )

    def _count_positives(self, evidence: Evidence) -> int:
        positive, _ = evidence.units(0, None, self._terms(evidence).group_promise)
        return int(positive.sum())

    def _refit_decision(self) -> None:
        costs, shares = self._costs_and_shares(len(self.stages_))
        if shares is None:
            shares = self._cheapest_shares(costs, self.alert_cost)
        running = running_levels(self._held_out, shares)
        evidence = replace(self._evidence, y_score=running[:, -1:])
        terms = self._terms(evidence)
        promise, curve = make_promise(
            *evidence.units(0, None, terms.group_promise),
            terms,
            pos_label=self.pos_label_,
            stratum=None,
            is_empirical=False,
        )
        precision, alerts = evidence.price(0, None, promise.threshold)
        self.promise_ = replace(promise, precision=precision, alerts_per_1000=alerts)
        self.threshold_ = promise.threshold
        self.recall_lower_bound_ = promise.lower_bound
        self.n_calibration_positives_ = promise.n_positives
        self.operating_curve_ = curve
        self.budget_ = shares
        self._describe_stages(running, costs)

    def _costs_and_shares(
        self, n_stages: int
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Return the cost of a row at each stage and the shares of the budget.

        The costs are None where they are not counted, the shares where they are to be searched.
        """
        costs = None
        if self.stage_costs is not None:
            costs = _stage_numbers(self.stage_costs, n_stages, name="stage_costs")
        if not isinstance(self.budget, str):
            shares = _stage_numbers(self.budget, n_stages, name="budget")
            return costs, shares / shares.sum()
        if self.budget == "equal":
            return costs, np.full(n_stages, 1 / n_stages)
        if costs is None or self.alert_cost is None:
            raise ValueError(
                "budget='cost' weighs what a row costs at each stage and what an alert costs: pass "
                f"stage_costs and alert_cost, in one unit; they are {self.stage_costs!r} and "
                f"{self.alert_cost!r}."
            )
        return costs, None

    def _cheapest_shares(self, costs: Any, alert_cost: Any) -> NDArray[np.float64]:
        terms, n_positives = self._terms(self._evidence), self._count_positives(self._evidence)
        rank = threshold_rank(
            n_positives, terms.target_recall, terms.delta, next_batch=terms.next_batch
        )
        levels, positive = self._tuning
        return cheapest_shares(
            levels,
            positive,
            loss=max(rank, 1) / (n_positives + 1),  # the mean loss of the order statistic
            stage_costs=costs,
            alert_cost=alert_cost,
        )

    def _describe_stages(
        self, running: NDArray[np.float64], costs: NDArray[np.float64] | None
    ) -> None:
        """Store thresholds, promises and the table of the stages."""
        highest, shares = self.promise_.highest_threshold, self.budget_
        positive = self._evidence.y == self.pos_label_
        self.thresholds_ = self._thresholds(self.threshold_)
        self.stage_promises_ = {}
        for s, (name, highest_threshold) in enumerate(self._thresholds(highest).items()):
            passed = running[:, s] >= self.threshold_
            self.stage_promises_[name] = replace(
                self.promise_,
                highest_threshold=highest_threshold,
                threshold=self.thresholds_[name],
                precision=float(np.mean(positive[passed])),
                alerts_per_1000=float(1000 * np.mean(passed)),
            )
        scored, passed = stage_shares(running, self.threshold_, shares)
        self.stage_table_ = pd.DataFrame(
            {
                "budget": shares,
                "threshold": list(self.thresholds_.values()),
                "scored": scored,
                "leaving": np.append(1.0, passed[:-1]) - passed,
                "negatives_gone": 1 - stage_shares(running[~positive], self.threshold_, shares)[1],
                "recall": stage_shares(running[positive], self.threshold_, shares)[1],
                "cost_per_1000": np.nan if costs is None else 1000 * scored * costs,
            },
            index=pd.Index(self._names, name="stage"),
        )
        self.cost_per_1000_ = float(self.stage_table_["cost_per_1000"].sum(skipna=False))
        last = np.nan if costs is None or costs[-1] == 0 else 1000 * costs[-1]
        self.relative_cost_ = float(self.cost_per_1000_ / last)

    def _thresholds(self, budget: float) -> dict[str, float]:
        return {
            name: levels.threshold(budget * share)
            for name, levels, share in zip(self._names, self._levels, self.budget_, strict=True)
        }

    def _run(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray]:
        """Send rows through the stages, each as far as it gets.

        Returns the budget at which a row is lost by the stages that scored it, how many stages it
        passes, and the best-scored other class where it was scored last.
        """
        self._check_decision()
        n_samples = _num_samples(X)
        level = np.full(n_samples, np.inf)
        n_passed = np.zeros(n_samples, dtype=np.int64)
        other = np.full(n_samples, self.classes_[0], dtype=self.classes_.dtype)
        rows = np.arange(n_samples)
        for stage, levels, share in zip(self.stages_, self._levels, self.budget_, strict=True):
            if share > 0:
                # the X given, as it is, while no row has left: a search recognises it
                X_stage = X if len(rows) == n_samples else _safe_indexing(*indexable(X), rows)
                classes = np.asarray(stage.classes_)
                y_score = class_scores(stage, X_stage, classes, self._read_scores)
                is_positive = classes == self.pos_label_
                reached = levels(y_score[:, is_positive][:, 0]) / share
                level[rows] = np.minimum(level[rows], reached)
                other[rows] = classes[~is_positive][np.argmax(y_score[:, ~is_positive], axis=1)]
                rows = rows[level[rows] >= self.threshold_]
            n_passed[rows] += 1
            if len(rows) == 0:
                break
        return level, n_passed, other

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict one class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            `pos_label_` for what passes all stages; for any other row, the best-scored other class
            at the stage where it left.
        """
        _, n_passed, y_pred = self._run(X)
        y_pred[n_passed == len(self.stages_)] = self.pos_label_
        return y_pred

    def predict_stage(self, X: ArrayLike) -> NDArray[np.int64]:
        """Say at which stage each sample leaves.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        stage : ndarray of shape (n_samples,)
            Index of the stage; the number of stages where a sample passes them all and is flagged.
        """
        return self._run(X)[1]

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how far each sample is above or below the budget.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The minimum of level over share, less `threshold_`: at least 0 where `predict` flags.
            For a row that left early, over the stages that scored it, and negative. With two
            classes of which the first is `pos_label_`, the signs are turned round, as
            scikit-learn's are.
        """
        margin = self._run(X)[0] - self.threshold_
        first_of_two = len(self.classes_) == 2 and self.pos_label_ == self.classes_[0]
        return -margin if first_of_two else margin

    @property
    def n_features_in_(self) -> int:
        """Number of features, if the first stage counts them."""
        return self.stages_[0].n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of features, if the first stage keeps them."""
        return self.stages_[0].feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata this estimator asks for, and what it hands to each stage.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        for name, stage in self.stages:
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(**{name: stage}, method_mapping=mapping)
        return router

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = [get_tags(stage).input_tags for _, stage in self.stages]
        tags.input_tags.sparse = all(stage.sparse for stage in inner)
        tags.input_tags.allow_nan = all(stage.allow_nan for stage in inner)
        tags.input_tags.three_d_array = all(stage.three_d_array for stage in inner)
        tags.classifier_tags.multi_class = self.pos_label is not None
        return tags


def _levels_of(levels: list[ScoreLevels], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([of(column) for of, column in zip(levels, scores.T, strict=True)])


def _stage_numbers(values: ArrayLike, n_stages: int, *, name: str) -> NDArray[np.float64]:
    """Return finite numbers, one a stage, none negative and not all zero."""
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iuf" or numbers.shape != (n_stages,):
        raise ValueError(
            f"{name}={numbers.tolist()!r} must hold {n_stages} numbers, one for each stage."
        )
    if not np.isfinite(numbers).all() or (numbers < 0).any() or not numbers.any():
        raise ValueError(
            f"{name}={numbers.tolist()} must be finite and not negative, and one of them positive."
        )
    return numbers.astype(np.float64)
