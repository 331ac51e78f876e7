"""Responses of a fitted estimator's parts, remembered while only its decisions change."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

RESPONSE_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)
N_REMEMBERED = 4  # training and test rows, and two more for a scorer with rows of its own


class _Remembered:
    """A response method that runs once per X; it takes the method's place on its estimator.

    An X is recognised by identity and kept, so that no other object can be taken for it.
    """

    def __init__(self, estimator: BaseEstimator, name: str) -> None:
        self.estimator = estimator
        self.__name__ = name
        self._known: tuple[tuple[Any, Any], ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        method = getattr(type(self.estimator), self.__name__)
        if kwargs or len(args) != 1:
            return method(self.estimator, *args, **kwargs)
        known = self._known
        hit = next((pair for pair in known if pair[0] is args[0]), None)
        if hit is None:
            hit = args[0], method(self.estimator, args[0])
        # one assignment, so that threads which share a frozen estimator cannot tear it
        self._known = (hit, *(pair for pair in known if pair is not hit))[:N_REMEMBERED]
        # the output of transform is the next step's X and must stay the same object
        return hit[1] if self.__name__ == "transform" else deepcopy(hit[1])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": ()}


def _held_estimators(value: Any) -> Iterator[BaseEstimator]:
    """Yield the estimators that a value is or contains."""
    if isinstance(value, FrozenEstimator):
        yield from _held_estimators(value.estimator)
    elif hasattr(value, "get_params") and not isinstance(value, type):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _held_estimators(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _held_estimators(item)


def _parts_inside(estimator: BaseEstimator, opened: Collection[int]) -> dict[int, BaseEstimator]:
    """Return the outermost parts of an estimator that are not themselves opened, by identity."""
    parts: dict[int, BaseEstimator] = {}
    for part in _held_estimators(list(vars(estimator).values())):
        if id(part) in opened:
            parts |= _parts_inside(part, opened)
        elif hasattr(part, "__dict__"):
            parts[id(part)] = part
    return parts


@contextmanager
def remembered_responses(
    estimator: BaseEstimator, deciding: Collection[BaseEstimator]
) -> Iterator[None]:
    """Run the responses of everything inside the deciding estimators once per X.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator, such as a pipeline.
    deciding : collection of estimator
        Itself and its parts whose own responses change with a decision. The parts that they hold,
        pipeline steps included, remember theirs: those must not change within the context.
    """
    shadowed = [
        (part, name)
        for part in _parts_inside(estimator, {id(part) for part in deciding}).values()
        for name in RESPONSE_METHODS
        if hasattr(type(part), name) and hasattr(part, name)
    ]
    for part, name in shadowed:
        vars(part)[name] = _Remembered(part, name)
    try:
        yield
    finally:
        for part, name in shadowed:
            vars(part).pop(name, None)
