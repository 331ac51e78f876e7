"""Metadata with one entry per row, and the sentences for where it would be lost."""

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import process_routing

from ._sklearn import _num_samples, _routing_enabled

USE_OURS = (
    "Make the steps a skrecall.resampling.MetadataPipeline, which resamples metadata with the rows."
)


def is_per_row(value: Any, n_rows: int) -> bool:
    """Return whether a fit parameter has one entry per row.

    Parameters
    ----------
    value : object
        The parameter.
    n_rows : int
        Number of rows.

    Returns
    -------
    per_row : bool
        True for any container of `n_rows` entries, as in scikit-learn's own searches.
    """
    if isinstance(value, str | bytes | Mapping):
        return False
    shape = getattr(value, "shape", None)
    if shape is not None:
        return len(shape) > 0 and shape[0] == n_rows
    return hasattr(value, "__len__") and len(value) == n_rows


def _argument_names(estimator: Any, method: str) -> set[str]:
    """Return the names of the arguments of a method, none of one that it does not have."""
    function = getattr(estimator, method, None)
    try:
        return set() if function is None else set(inspect.signature(function).parameters)
    except ValueError:  # a compiled method that does not tell
        return set()


def refuse_params_of_scores(estimator: Any, X: Any, params: Mapping[str, Any]) -> None:
    """Refuse fit parameters that describe rows and that rows are to be scored with, too.

    Parameters
    ----------
    estimator : estimator
        It and those inside it are asked for what `predict_proba` and `decision_function` take.
    X : array-like of shape (n_samples, ...)
        The samples it is fitted on.
    params : dict
        Its fit parameters.

    Raises
    ------
    ValueError
        If one has an entry per row and the name of such an argument, as lengths of padded clips.
    """
    n_rows = _num_samples(X) if params else 0
    per_row = [name for name, value in params.items() if is_per_row(value, n_rows)]
    if not per_row:
        return
    parts = [estimator, *estimator.get_params(deep=True).values()]
    for part in parts:
        if isinstance(part, type):
            continue
        for method in ("predict_proba", "decision_function"):
            taken = _argument_names(part, method)
            bad = next((name for name in per_row if name.rpartition("__")[2] in taken), None)
            if bad is not None:
                argument = bad.rpartition("__")[2]
                raise ValueError(
                    f"{bad} has one entry for each of the {n_rows} rows, and the {method} of "
                    f"{type(part).__name__} takes {argument} as well: here rows are scored from X "
                    f"alone, which would be wrong without {argument}. Put it into X: of clips, "
                    "pass a list of clips, each of its own length."
                )


def refuse_row_metadata(sampler: BaseEstimator, params: Mapping[str, Any]) -> None:
    """Refuse metadata given to a sampler that would not hand it back.

    Parameters
    ----------
    sampler : sampler object
        The one that was called.
    params : dict
        What its `fit_resample` was given besides `X` and `y`.

    Raises
    ------
    TypeError
        If there is any.
    """
    given = {name: value for name, value in params.items() if value is not None}
    if given:
        names = " and ".join(given)
        raise TypeError(
            f"{type(sampler).__name__}.fit_resample returns samples and labels, and {names} would "
            "be left behind: make the sampler a step of skrecall.resampling.MetadataPipeline and "
            f"pass {names} to the pipeline's fit."
        )


def _position_of_sampler(estimator: Any) -> int | None:
    """Return the position of the first sampler in a pipeline that resamples no metadata."""
    steps = getattr(estimator, "steps", None)
    if not isinstance(steps, list) or getattr(estimator, "_resamples_metadata", False):
        return None
    return next(
        (k for k, (_, step) in enumerate(steps[:-1]) if hasattr(step, "fit_resample")), None
    )


def _destinations(pipeline: Any, params: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the step that each fit parameter goes to, its name there and its value."""
    if _routing_enabled():
        routed = process_routing(pipeline, "fit", **params)
        for name, _ in pipeline.steps:
            for passed in (routed.get(name) or {}).values():
                for key, value in passed.items():
                    yield name, key, value
    else:
        for key, value in params.items():
            name, _, parameter = key.partition("__")
            yield name, parameter, value


@contextmanager
def metadata_survives(estimator: Any, X: Any, params: Mapping[str, Any]) -> Iterator[None]:
    """Say what is wrong where metadata per row does not follow the rows through a sampler.

    Parameters
    ----------
    estimator : estimator
        Fitted inside the context.
    X : array-like of shape (n_samples, ...)
        The samples it is fitted on.
    params : dict
        Its fit parameters.

    Raises
    ------
    ValueError
        Before anything is fitted, if the estimator is a pipeline and a step behind its sampler
        would be given one entry for each of the rows before it. An error of a fit in which such a
        pipeline lies deeper gets a note.
    """
    n_rows = _num_samples(X) if params else 0
    per_row = any(is_per_row(value, n_rows) for value in params.values())
    position = _position_of_sampler(estimator) if per_row else None
    if position is not None:
        names = [name for name, _ in estimator.steps]
        for name, key, value in _destinations(estimator, params):
            if name in names[position + 1 :] and is_per_row(value, n_rows):
                raise ValueError(
                    f"{key} has one entry for each of the {n_rows} rows, and step "
                    f"{names[position]!r} of the {type(estimator).__name__} changes the rows "
                    f"before {key} reaches step {name!r}. {USE_OURS}"
                )
    try:
        yield
    except ValueError as error:
        if per_row and re.search("inconsistent|shape|length", str(error)):
            for name, inner in estimator.get_params().items():
                if _position_of_sampler(inner) is not None:
                    error.add_note(
                        f"{name!r} is a {type(inner).__name__} with a sampler, which changes the "
                        f"rows and not their metadata. {USE_OURS}"
                    )
        raise
