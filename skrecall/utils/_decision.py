"""The protocol of parameters that act after `fit`: thresholds, targets, voting weights.

An estimator names them in ``_decision_params`` and, in ``_refit_decision``, decides again from what
``fit`` stored, without touching the estimator inside. A search then fits once per setting of the
other parameters. Estimators of scikit-learn that read such a parameter at predict time need nothing
stored; they are registered here.
"""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils.validation import check_is_fitted

# Read by predict itself, so that set_params is all there is to deciding again.
_READ_AT_PREDICT: dict[type, tuple[str, ...]] = {
    FixedThresholdClassifier: ("threshold", "pos_label"),
    VotingClassifier: ("weights", "voting"),
}


class DecisionMixin:
    """Parameters that act after `fit`, and the promise not to change them in silence.

    A subclass sets ``_decision_params``, implements ``_refit_decision`` and calls ``_decide`` at
    the end of `fit` and ``_check_decision`` at the start of every predict.
    """

    _decision_params: tuple[str, ...] = ()

    def _refit_decision(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} must implement _refit_decision.")

    def _decide(self) -> Self:
        self._refit_decision()
        self._decided_with = {name: getattr(self, name) for name in self._decision_params}
        return self

    def refit_decision(self) -> Self:
        """Decide again, with the present parameters, from what `fit` stored.

        Returns
        -------
        self : object
            The same estimator; the estimator inside is not refitted.
        """
        check_is_fitted(self)
        self._validate_params()  # type: ignore[attr-defined]
        return self._decide()

    def _check_decision(self) -> None:
        check_is_fitted(self)
        for name, used in self._decided_with.items():
            value = getattr(self, name)
            if not _same(value, used):
                raise ValueError(
                    f"{name} was set to {value!r} after {type(self).__name__} decided with "
                    f"{used!r}: call refit_decision() to decide again from the stored scores, "
                    "or fit again."
                )


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and bool(np.all(np.asarray(a == b))))


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
    """
    estimator._validate_params()
    if hasattr(estimator, "_refit_decision"):
        estimator._decide()


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
