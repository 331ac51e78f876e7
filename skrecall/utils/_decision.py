"""The protocol of parameters that act after `fit`: thresholds, targets, voting weights.

An estimator names them in ``_decision_params`` and, in ``_refit_decision``, decides again from what
``fit`` stored, without touching the estimator inside. A search then fits once per setting of the
other parameters. Estimators of scikit-learn that read such a parameter at predict time need nothing
stored; they are registered here.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._sklearn import _fit_context

# Read by predict itself, so that set_params is all there is to deciding again.
_READ_AT_PREDICT: dict[type, tuple[str, ...]] = {
    FixedThresholdClassifier: ("threshold", "pos_label", "response_method"),
    VotingClassifier: ("weights", "voting", "flatten_transform"),
}


class DecisionMixin:
    """Parameters that act after `fit`, and the promise not to change them in silence.

    A subclass sets ``_decision_params``, implements ``_refit_decision``, calls ``_decide`` as the
    last step of `fit` and ``_check_decision`` at the start of every predict, and hands the X of
    predict to the estimator inside as it is, so that a search can recognise it.
    """

    _decision_params: tuple[str, ...] = ()
    _decided_with: dict[str, Any] | None

    def _refit_decision(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} must implement _refit_decision.")

    def _decide(self) -> Self:
        self._decided_with = None  # stays so if deciding fails: all is fitted but the decision
        self._refit_decision()
        self._decided_with = {name: getattr(self, name) for name in self._decision_params}
        return self

    @_fit_context(prefer_skip_nested_validation=False)  # warnings count stack levels as from fit
    def refit_decision(self) -> Self:
        """Decide again, with the present parameters, from what `fit` stored.

        Returns
        -------
        self : object
            The same estimator; the estimator inside is not refitted.
        """
        check_is_fitted(self)
        return self._decide()

    def _check_decision(self) -> None:
        check_is_fitted(self)
        if self._decided_with is None:
            raise ValueError(
                f"{type(self).__name__} could not decide with its last parameters: set others and "
                "call refit_decision() to decide from the stored scores, or fit again."
            )
        for name, used in self._decided_with.items():
            value = getattr(self, name)
            if not _same(value, used):
                raise ValueError(
                    f"{name} was set to {value!r} after {type(self).__name__} decided with "
                    f"{used!r}: call refit_decision() to decide again from the stored scores, "
                    "or fit again."
                )


def _same(a: Any, b: Any) -> bool:
    if a is b or type(a) is not type(b):
        return a is b
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(np.all(a == b))


def decision_params(estimator: BaseEstimator) -> tuple[str, ...]:
    """Return the names of an estimator's own parameters that act after `fit`.

    Parameters
    ----------
    estimator : estimator
        Any estimator, fitted or not.

    Returns
    -------
    names : tuple of str
        Empty if it declares none.
    """
    declared = getattr(estimator, "_decision_params", None)
    if declared is not None:
        return tuple(declared)
    return next(
        (names for cls, names in _READ_AT_PREDICT.items() if isinstance(estimator, cls)), ()
    )


def refit_decision(estimator: BaseEstimator) -> None:
    """Let a fitted estimator act on decision parameters that were just set.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator with decision parameters.

    Raises
    ------
    ValueError
        If it cannot decide with them; what `fit` would raise.
    """
    estimator._validate_params()
    if isinstance(estimator, VotingClassifier):
        _check_voting_weights(estimator)
    if hasattr(estimator, "_refit_decision"):
        estimator._decide()


def _check_voting_weights(voting: VotingClassifier) -> None:
    """Refuse in `fit`'s place: at predict, a wrong number would fail as a score, not as a fit."""
    if voting.weights is not None and len(voting.weights) != len(voting.estimators):
        raise ValueError(
            f"VotingClassifier has {len(voting.estimators)} estimators but {len(voting.weights)} "
            "weights: give one weight per estimator."
        )


def _deciding_part(estimator: BaseEstimator, name: str, *, fitted: bool) -> Any:
    """Return the part under a name if its decisions act after the fit of the whole, else None.

    The decisions of any other part are made while the whole is fitted: its successors in a
    pipeline, or a calibration, learn from them.
    """
    if isinstance(estimator, Pipeline):
        last_name, last = estimator.steps[-1]
        return last if name == last_name else None
    if isinstance(estimator, VotingClassifier):
        parts = getattr(estimator, "named_estimators_", {}) if fitted else estimator.estimators
        return dict(parts).get(name)
    if isinstance(estimator, FixedThresholdClassifier) and name == "estimator":
        return getattr(estimator, "estimator_", None) if fitted else estimator.estimator
    return None


def decision_path(
    estimator: BaseEstimator, name: str, *, fitted: bool = False
) -> list[BaseEstimator] | None:
    """Return the estimators from the outermost one to the owner of a decision parameter.

    Parameters
    ----------
    estimator : estimator
        The outermost one, such as a pipeline.
    name : str
        Name of a parameter of it, such as ``"clf__threshold"``.
    fitted : bool, default=False
        Whether to walk over what `fit` made of the parts, not over the parameters.

    Returns
    -------
    path : list of estimator or None
        None if there is no such fitted part, or if the parameter does not act after the fit of
        the outermost estimator.
    """
    *parts, own_name = name.split("__")
    path = [estimator]
    for part in parts:
        path.append(_deciding_part(path[-1], part, fitted=fitted))
        if path[-1] is None:
            return None
    return path if own_name in decision_params(path[-1]) else None


def decide(estimator: BaseEstimator, settings: Mapping[str, Any]) -> None:
    """Set decision parameters of a fitted estimator and of its fitted parts, and decide again.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator.
    settings : mapping of str to object
        Values of the parameters; the names may be nested.

    Raises
    ------
    ValueError
        If an estimator cannot decide with its values.
    """
    estimator.set_params(**{name: clone(v, safe=False) for name, v in settings.items()})
    owners: list[BaseEstimator] = []
    for name, value in settings.items():
        owner = decision_path(estimator, name, fitted=True)[-1]  # type: ignore[index]
        owner.set_params(**{name.rpartition("__")[-1]: clone(value, safe=False)})
        if not any(owner is known for known in owners):
            owners.append(owner)
    for owner in owners:
        refit_decision(owner)


def lacks_decision_only(estimator: BaseEstimator, names: Collection[str]) -> bool:
    """Return whether a failed `fit` left nothing undone but the decisions.

    Parameters
    ----------
    estimator : estimator
        An estimator whose `fit` raised.
    names : collection of str
        Its decision parameters; the names may be nested.

    Returns
    -------
    lacks_decision_only : bool
        True if `decide` with other values can complete the fit.
    """
    paths = [decision_path(estimator, name, fitted=True) for name in names]
    return all(
        path is not None and getattr(path[-1], "_decided_with", ...) is None for path in paths
    )


def explain_undeclared(estimator: BaseEstimator, name: str) -> str:
    """Return one sentence on why a parameter is no decision parameter, and which ones are.

    Parameters
    ----------
    estimator : estimator
        The outermost one.
    name : str
        Name of a parameter of it that `decision_path` does not lead to.

    Returns
    -------
    reason : str
        To be shown to the user.
    """
    prefix, _, own_name = name.rpartition("__")
    owner = estimator.get_params(deep=True)[prefix] if prefix else estimator
    declared = decision_params(owner)
    if own_name in declared:
        return (
            f"{name!r} acts after the fit of {type(owner).__name__}, but what holds that estimator "
            f"in this {type(estimator).__name__} is fitted on its decisions: search over it with "
            "GridSearchCV."
        )
    return (
        f"{name!r} is not a decision parameter: {type(owner).__name__} declares "
        f"{', '.join(declared) if declared else 'none'}."
    )


def iter_estimators(estimator: BaseEstimator) -> Iterator[tuple[str, BaseEstimator]]:
    """Yield an estimator and all estimators among its parameters, with their prefixes.

    Parameters
    ----------
    estimator : estimator
        The outermost one.

    Yields
    ------
    prefix : str
        ``""`` for the outermost one, else ``"step__"`` or ``"step__estimator__"``.
    estimator : estimator
        The estimator at this prefix.
    """
    yield "", estimator
    for name, value in estimator.get_params(deep=True).items():
        if hasattr(value, "get_params") and not isinstance(value, type):
            yield f"{name}__", value
