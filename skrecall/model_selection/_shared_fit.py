"""One fit for all candidates of a search that differ in decision parameters only."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from traceback import format_exc
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from skrecall.utils._decision import decide, decision_path, lacks_decision_only
from skrecall.utils._responses import remembered_responses
from skrecall.utils._row_metadata import metadata_survives
from skrecall.utils._sklearn import (
    CallbackContext,
    _check_method_params,
    _MultimetricScorer,
    _num_samples,
    _safe_split,
    _score,
)


def _with_params(estimator: BaseEstimator, params: Mapping[str, Any]) -> BaseEstimator:
    return clone(estimator).set_params(**{k: clone(v, safe=False) for k, v in params.items()})


def _weights_of(fit_params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what scikit-learn's searches tell callbacks of the metadata."""
    weights = fit_params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}


def _describe_scores(result: Mapping[str, Any]) -> str:
    scores = {part: result.get(f"{part}_scores") for part in ("train", "test")}
    scores = {part: score for part, score in scores.items() if score is not None}
    if isinstance(scores["test"], dict):
        return "".join(
            f" {name}: ({', '.join(f'{part}={score[name]:.3f}' for part, score in scores.items())})"
            for name in sorted(scores["test"])
        )
    if "train" in scores:
        return f" score=(train={scores['train']:.3f}, test={scores['test']:.3f})"
    return f" score={scores['test']:.3f}"


@dataclass(frozen=True)
class _Group:
    """Candidates, by row of `cv_results_`, that differ in the values of `decisions` only."""

    decisions: tuple[str, ...]
    candidates: dict[int, dict[str, Any]]


class _SharedFit:
    """A model that is fitted for the first candidate of a group and only decides for the others."""

    def __init__(
        self, estimator: BaseEstimator, decisions: Sequence[str], fit: Callable, stack: ExitStack
    ) -> None:
        self.estimator, self.decisions, self.fit, self.stack = estimator, decisions, fit, stack
        self.model: BaseEstimator | None = None
        self.fit_time = self.fitted_at = 0.0

    def decided_with(self, params: Mapping[str, Any]) -> BaseEstimator:
        if self.model is not None:
            decide(self.model, {name: params[name] for name in self.decisions})
            return self.model
        model, start = _with_params(self.estimator, params), time.perf_counter()
        try:
            self.fit(model)
        except Exception:
            if lacks_decision_only(model, self.decisions):
                self._keep(model)
            raise
        else:
            self._keep(model)
        finally:
            self.fitted_at = time.perf_counter()
            self.fit_time = self.fitted_at - start
        return model

    def _keep(self, model: BaseEstimator) -> None:
        paths = [decision_path(model, name, fitted=True) or [] for name in self.decisions]
        deciding = [model, *(estimator for path in paths for estimator in path)]
        self.stack.enter_context(remembered_responses(model, deciding))
        self.model = model


def _evaluate_group(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    *,
    group: _Group,
    train: ArrayLike,
    test: ArrayLike,
    fold: str,
    scorer: Any,
    fit_params: Mapping[str, Any],
    score_params: Mapping[str, Any],
    return_train_score: bool,
    error_score: float | str,
    verbose: int,
    caller: BaseEstimator,
    context: CallbackContext,
) -> list[dict[str, Any]]:
    """Fit on one fold, and return the results of all candidates as scikit-learn formats them."""
    first = _with_params(estimator, next(iter(group.candidates.values())))
    X_train, y_train = _safe_split(first, X, y, train)
    X_test, y_test = _safe_split(first, X, y, test, train)
    fit_params = _check_method_params(X, params=fit_params, indices=train)
    to_score = [("test_scores", X_test, y_test, test)]
    if return_train_score:
        to_score.append(("train_scores", X_train, y_train, train))
    event = {"estimator": caller, "X": X_train, "y": y_train, "metadata": _weights_of(fit_params)}

    def fit(model: BaseEstimator) -> None:
        with (
            metadata_survives(model, X_train, fit_params),
            context.propagate_callback_context(model),
        ):
            context.call_on_fit_task_begin(**event)
            model.fit(X_train, *(() if y_train is None else (y_train,)), **fit_params)

    results = []
    with ExitStack() as stack:
        stack.callback(context.call_on_fit_task_end, **event)
        shared = _SharedFit(estimator, group.decisions, fit, stack)
        for params in group.candidates.values():
            result = {"fit_error": None, "n_test_samples": _num_samples(X_test), "score_time": 0.0}
            start = time.perf_counter()
            try:
                model = shared.decided_with(params)
            except Exception:
                if error_score == "raise":
                    raise
                result["fit_error"] = format_exc()
                multimetric = isinstance(scorer, _MultimetricScorer)
                for key, *_ in to_score:
                    result[key] = (
                        dict.fromkeys(scorer._scorers, error_score) if multimetric else error_score
                    )
            else:
                for key, X_part, y_part, rows in to_score:
                    metadata = _check_method_params(X, params=score_params, indices=rows)
                    result[key] = _score(model, X_part, y_part, scorer, metadata, error_score)
                    if key == "test_scores":
                        result["score_time"] = time.perf_counter() - max(start, shared.fitted_at)
            result["fit_time"] = shared.fit_time
            results.append(result)
            if verbose > 1:
                values = ", ".join(f"{name}={value}" for name, value in params.items())
                scores = _describe_scores(result) if verbose > 2 else ""
                seconds = time.perf_counter() - start
                print(f"[CV {fold}] END {values};{scores} total time={seconds:6.1f}s")
    return results
