"""A grid search that fits once for all values of the parameters that act after fitting.

Candidates that differ in decision parameters only share one fit per fold. For each of them the
fitted estimator decides again and is scored, while everything inside it remembers its responses.
"""

import time
from collections.abc import Callable, Collection, Mapping
from copy import copy
from itertools import product
from numbers import Number
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed

from skrecall.metrics import get_scorer
from skrecall.utils._decision import (
    decision_params,
    decision_path,
    explain_undeclared,
    iter_estimators,
)
from skrecall.utils._sklearn import (
    CallbackContext,
    _check_method_params,
    _fit_context,
    _insert_error_scores,
    _MultimetricScorer,
    _warn_or_raise_about_fit_failures,
    callback_context,
)

from ._shared_fit import _evaluate_group, _Group, _weights_of, _with_params


def _resolve_scoring(scoring: Any) -> Any:
    """Replace names by scorers; what is no name is left for scikit-learn to judge."""
    if isinstance(scoring, str):
        return get_scorer(scoring)
    if isinstance(scoring, Mapping):
        return {k: get_scorer(v) if isinstance(v, str) else v for k, v in scoring.items()}
    if isinstance(scoring, list | tuple) and all(isinstance(name, str) for name in scoring):
        scorers = {name: get_scorer(name) for name in scoring}
        return scorers if len(scorers) == len(scoring) > 0 else scoring
    return scoring


class DecisionGridSearchCV(GridSearchCV):
    """Grid search that does not retrain for parameters that act after fitting.

    Thresholds, recall targets and voting weights only decide what to make of scores that are there
    already. Candidates that differ in nothing else share one fit per fold, and the responses of
    everything inside are computed once. For seeded estimators the outcome is that of
    :class:`~sklearn.model_selection.GridSearchCV`: same rows and order of `cv_results_`, same
    `best_*`, in everything but the times.

    Parameters
    ----------
    estimator : estimator
        Holds the owner of a decision parameter: itself, the last step of a pipeline, a member of
        a VotingClassifier, or the classifier in a FixedThresholdClassifier.
    param_grid : dict or list of dict
        Names of parameters, nested ones like ``"clf__threshold"``, and the values to try.
    decision_params : array-like of str, default=None
        Names in `param_grid` that act after fitting. None means all that the estimators declare.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several, as in GridSearchCV; the names of :func:`skrecall.metrics.get_scorer`
        are known too.
    n_jobs : int, default=None
        Number of fits to run at once, one per fold and setting of the other parameters.
    refit : bool, str or callable, default=True
        Whether, or by which metric or rule, to fit the best candidate on all samples: one ordinary
        fit with `best_params_`.
    cv : int, splitter or iterable, default=None
        How to split; None means 5 folds.
    verbose : int, default=0
        1 prints the number of fits, 2 a line per candidate and fold, 3 its scores too.
    pre_dispatch : int or str, default="2*n_jobs"
        Number of tasks that joblib prepares ahead.
    error_score : "raise" or float, default=nan
        Score of a candidate whose fit, decision or scoring fails.
    return_train_score : bool, default=False
        Whether to score the training rows too.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in GridSearchCV. `fit_time` is that of the one fit, repeated in each row that shares it;
        `score_time` is the row's own decision and scoring, and the first row of a fit also pays
        for the responses that the others reuse.
    best_estimator_ : estimator
        Fitted on all samples; as the following, only where `refit` or one metric allows it.
    best_score_ : float
        Mean score of the best candidate over the folds.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its row in `cv_results_`.
    scorer_ : callable or dict of callable
        What scored.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds of the final fit.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X has any.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Fits every candidate.
    skrecall.threshold.OptimalThresholdClassifier : Exact optimum over all thresholds.

    Notes
    -----
    An estimator declares its decision parameters by the protocol of `skrecall.utils._decision`;
    scikit-learn's FixedThresholdClassifier (`threshold`, `pos_label`, `response_method`) and
    VotingClassifier (`weights`, `voting`, `flatten_transform`) are known. Without a `random_state`
    the rows of one fit share its luck, where GridSearchCV would draw anew for each.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from imblearn.pipeline import Pipeline
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import FixedThresholdClassifier
    >>> from skrecall.model_selection import DecisionGridSearchCV
    >>> X, y = make_classification(500, weights=[0.9], random_state=0)
    >>> pipe = Pipeline(
    ...     [
    ...         ("sample", SMOTE(random_state=0)),
    ...         ("clf", FixedThresholdClassifier(LogisticRegression())),
    ...     ]
    ... )
    >>> grid = {"sample": [SMOTE(random_state=0), "passthrough"], "clf__threshold": [0.2, 0.4, 0.6]}
    >>> search = DecisionGridSearchCV(pipe, grid, scoring="f2").fit(X, y)  # 10 fits and one
    >>> search.best_params_
    {'clf__threshold': 0.2, 'sample': 'passthrough'}
    """

    _parameter_constraints: ClassVar[dict] = {
        **GridSearchCV._parameter_constraints,
        "scoring": [str, callable, list, tuple, dict, None],
        "decision_params": ["array-like", None],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        decision_params: Collection[str] | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.decision_params = decision_params

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit once per fold and setting of the other parameters, then decide and score.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, in any form that the estimator takes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        **params : dict
            Metadata for the estimator's `fit`, the scorers and the splitter, as in GridSearchCV.

        Returns
        -------
        self : object
            Fitted search.

        Raises
        ------
        ValueError
            If `param_grid` names no decision parameter, or `decision_params` one that is none.
        """
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        candidates = list(ParameterGrid(self.param_grid))
        groups = self._group(candidates)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = n_splits = cv.get_n_splits(X, y, **routed.splitter.split)
        splits = list(cv.split(X, y, **routed.splitter.split))
        if len(splits) != n_splits or n_splits == 0:
            raise ValueError(
                f"The splitter promised {n_splits} folds and gave {len(splits)}: at least one is "
                "needed, and cv.split must agree with cv.get_n_splits."
            )
        event = {"estimator": self, "X": X, "y": y, "metadata": _weights_of(params)}
        context = callback_context(self, max_subtasks=1 + (self.refit is not False))
        context.call_on_fit_task_begin(**event)

        out = self._evaluate(X, y, groups, splits, scorers, routed, context)
        results = self._format_results(candidates, n_splits, out)
        scores = out[0]["test_scores"]
        self.multimetric_ = isinstance(scores, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(scores)
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            self.best_params_ = results["params"][self.best_index_]
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        if self.refit:
            task = context.subcontext(task_name="refit-with-best-params")
            self.best_estimator_ = _with_params(self.estimator, self.best_params_)
            start = time.time()
            with task.propagate_callback_context(self.best_estimator_):
                task.call_on_fit_task_begin(**event)
                self.best_estimator_.fit(X, *(() if y is None else (y,)), **routed.estimator.fit)
            self.refit_time_ = time.time() - start
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
            task.call_on_fit_task_end(**event)
        self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers
        self.cv_results_ = results
        context.call_on_fit_task_end(**event)
        return self

    def _evaluate(
        self,
        X: Any,
        y: Any,
        groups: list[_Group],
        splits: list[tuple[ArrayLike, ArrayLike]],
        scorers: Callable,
        routed: Any,
        context: CallbackContext,
    ) -> list[dict[str, Any]]:
        """Return one result per candidate and fold, fold by fold within each candidate."""
        n_splits, n_tasks = len(splits), len(groups) * len(splits)
        n_candidates = sum(len(group.candidates) for group in groups)
        if self.verbose > 0:
            print(
                f"Fitting {n_splits} folds for each of {len(groups)} settings, {n_tasks} fits for "
                f"{n_candidates} candidates"
            )
        context = context.subcontext(
            task_name="search", max_subtasks=n_tasks, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=self)
        tasks = [
            (group, i, context.subcontext(task_name="candidate-split-evaluation", task_id=task_id))
            for task_id, (group, i) in enumerate(product(groups, range(n_splits)))
        ]
        evaluated = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch)(
            delayed(_evaluate_group)(
                clone(self.estimator),
                X,
                y,
                group=group,
                train=splits[i][0],
                test=splits[i][1],
                fold=f"{i + 1}/{n_splits}",
                scorer=scorers,
                fit_params=routed.estimator.fit,
                score_params=routed.scorer.score,
                return_train_score=self.return_train_score,
                error_score=self.error_score,
                verbose=self.verbose,
                caller=self,
                context=task,
            )
            for group, i, task in tasks
        )
        context.call_on_fit_task_end(estimator=self)
        by_position = {
            row * n_splits + i: result
            for (group, i, _), results in zip(tasks, evaluated, strict=True)
            for row, result in zip(group.candidates, results, strict=True)
        }
        out = [by_position[position] for position in range(n_candidates * n_splits)]
        _warn_or_raise_about_fit_failures(out, self.error_score)
        if callable(self.scoring):  # only now is it known whether it returns a dict
            _insert_error_scores(out, self.error_score)
        return out

    def _group(self, candidates: list[dict[str, Any]]) -> list[_Group]:
        """Share out the candidates, so that those of a group differ in decisions only."""
        self._check_decision_params()
        decisions_by_structure: dict[tuple, tuple[str, ...]] = {}
        groups: dict[tuple, _Group] = {}
        for row, params in enumerate(candidates):
            # a number cannot replace an estimator, and so leaves every owner what it is
            structure = tuple(
                (name, None if isinstance(value, Number) else id(value))
                for name, value in params.items()
            )
            if structure not in decisions_by_structure:
                decisions_by_structure[structure] = self._decisions_among(params)
            decisions = decisions_by_structure[structure]
            # values that are one object are equal; equal ones in two grids are fitted twice
            others = tuple((k, id(v)) for k, v in params.items() if k not in decisions)
            groups.setdefault((decisions, others), _Group(decisions, {})).candidates[row] = params
        if not any(decisions_by_structure.values()):
            declared = [
                prefix + name
                for prefix, owner in iter_estimators(self.estimator)
                for name in decision_params(owner)
                if decision_path(self.estimator, prefix + name)
            ]
            names = sorted({name for params in candidates for name in params})
            advice = (
                "put one of them into the grid"
                if declared
                else "wrap it in what has some, such as RecallThresholdClassifier"
            )
            raise ValueError(
                f"param_grid names no parameter that acts after fitting, only "
                f"{', '.join(names) or 'none at all'}. "
                f"{type(self.estimator).__name__} has "
                f"{', '.join(declared) or 'none'}: {advice}, or use GridSearchCV."
            )
        return list(groups.values())

    def _check_decision_params(self) -> None:
        if self.decision_params is None:
            return
        grids = [self.param_grid] if isinstance(self.param_grid, Mapping) else self.param_grid
        in_grid = sorted({name for grid in grids for name in grid})
        if absent := [name for name in self.decision_params if name not in in_grid]:
            raise ValueError(
                f"decision_params holds {', '.join(map(repr, absent))}, but param_grid has only "
                f"{', '.join(in_grid)}: add values to try, or leave the name out."
            )

    def _decisions_among(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names that act after the fit of this candidate; one may swap in an owner."""
        estimator = _with_params(self.estimator, params)
        if self.decision_params is None:
            return tuple(name for name in params if decision_path(estimator, name))
        decisions = tuple(name for name in params if name in set(self.decision_params))
        for name in decisions:
            if not decision_path(estimator, name):
                raise ValueError(explain_undeclared(estimator, name))
        return decisions

    def _get_scorers(self) -> tuple[Any, Any]:
        """Let scikit-learn check the scorers behind the names, ours included."""
        named = copy(self)
        named.scoring = _resolve_scoring(self.scoring)
        return super(DecisionGridSearchCV, named)._get_scorers()
