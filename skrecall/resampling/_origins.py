"""Which rows of the input each row of a resampled set comes from.

Samplers that select rows say so in `sample_indices_`, and those of this package that make rows in
`parent_indices_`. Imbalanced-learn's SMOTE and ADASYN say nothing: what they draw is listened to
while they draw it, which changes no row and no random number. A subclass of these with methods of
its own has to say it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
from imblearn import FunctionSampler
from imblearn.base import BaseSampler
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import ADASYN, SMOTE, SMOTEN, SVMSMOTE, BorderlineSMOTE, KMeansSMOTE
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import ClusterCentroids
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_random_state

from skrecall.utils._sklearn import (
    CREATE_NEIGHBORS,
    FIND_DANGER,
    FIT_CHECKED,
    MAKE_ROWS,
    _num_samples,
    _safe_indexing,
)

Origins = NDArray[np.intp]  # (n_new,): the row that was copied; (n_new, 2): the two parents


@contextmanager
def _overheard(owner: Any, **hooks: Callable) -> Iterator[None]:
    """Let hooks see the calls of methods of one object; each is given the method first."""
    for name, hook in hooks.items():
        setattr(owner, name, partial(hook, getattr(owner, name)))
    try:
        yield
    finally:
        for name in hooks:
            delattr(owner, name)


def _same_rows(A: Any, B: Any) -> bool:
    if A.shape != B.shape:
        return False
    return (A != B).nnz == 0 if sparse.issparse(A) else np.array_equal(A, B, equal_nan=True)


def _resamples_as(sampler: Any, classes: Any) -> bool:
    """Return whether a sampler is of imbalanced-learn's classes, with no methods besides.

    A subclass with methods of its own may return other rows than those it is heard to make.
    """
    own = takewhile(
        lambda cls: cls.__module__.partition(".")[0] != "imblearn", type(sampler).__mro__
    )
    return isinstance(sampler, classes) and not any(
        callable(value) for cls in own for name, value in vars(cls).items() if name != "__init__"
    )


class _SmoteParents:
    """Collects the pairs of rows that a SMOTE interpolates between."""

    def __init__(self, sampler: BaseSampler) -> None:
        self.sampler = sampler
        self.pairs: list[Origins] = []

    def hooks(self) -> dict[str, Callable]:
        """Return what listens to the methods of the sampler."""
        hooks: dict[str, Callable] = {FIT_CHECKED: self.fit, MAKE_ROWS: self.make_rows}
        if isinstance(self.sampler, SVMSMOTE):
            hooks[FIND_DANGER] = self.find_danger
        return hooks

    def fit(self, method: Callable, X: Any, y: NDArray, **params: Any) -> tuple:
        self.X, self.y = X, y
        resampled = method(X, y, **params)
        self.n_new = len(resampled[1])
        return resampled

    def find_danger(
        self, method: Callable, neighbors: Any, samples: Any, label: Any, y: NDArray, kind: str
    ) -> NDArray[np.bool_]:
        mask = method(neighbors, samples, label, y, kind=kind)
        if kind == "noise":
            support = self.sampler.svm_estimator_.support_
            self.kept = support[y[support] == label][~mask]
        else:  # rows are made from those in danger first, then from the safe ones
            self.waiting = [rows for rows in (self.kept[mask], self.kept[~mask]) if len(rows)]
        return mask

    def make_rows(
        self,
        method: Callable,
        X: Any,
        others: Any,
        neighbors: NDArray,
        rows: NDArray,
        cols: NDArray,
        steps: NDArray,
        label: Any = None,
        y: Any = None,
    ) -> Any:
        first = self._rows_of(X, label)
        if isinstance(self.sampler, KMeansSMOTE):
            second = first
        else:  # the second kind of BorderlineSMOTE has neighbours of all classes
            second = np.flatnonzero(self.y == label) if y is None else np.arange(len(self.y))
        if (len(first), len(second)) == (X.shape[0], others.shape[0]):
            self.pairs.append(np.column_stack([first[rows], second[neighbors[rows, cols]]]))
        return method(X, others, neighbors, rows, cols, steps, label, y)

    def _rows_of(self, X: Any, label: Any) -> NDArray[np.intp]:
        """Return which input rows the rows that new ones are made from are."""
        if isinstance(self.sampler, SVMSMOTE):
            return self.waiting.pop(0)
        if isinstance(self.sampler, BorderlineSMOTE):
            return self.sampler.in_danger_indices[label]
        rows = np.flatnonzero(self.y == label)
        if isinstance(self.sampler, KMeansSMOTE):
            clusters = self.sampler.kmeans_estimator_.labels_[rows]
            for cluster in np.unique(clusters):  # equal rows share a cluster: one fits at most
                members = rows[clusters == cluster]
                if _same_rows(_safe_indexing(self.X, members), X):
                    return members
        return rows

    def origins(self) -> Origins | None:
        """Return the parents of all rows of the output, the copied ones first."""
        copied = np.arange(len(self.y))
        parents = np.concatenate([np.column_stack([copied, copied]), *self.pairs])
        return parents if len(parents) == self.n_new else None


class _ListeningRandomState(np.random.RandomState):
    """The same random numbers; remembers what `choice` returned."""

    def __init__(self, random_state: np.random.RandomState) -> None:
        super().__init__()
        self.set_state(random_state.get_state())
        self.chosen: list[NDArray] = []

    def choice(self, *args: Any, **params: Any) -> Any:
        self.chosen.append(super().choice(*args, **params))
        return self.chosen[-1]


class _AdasynParents:
    """Collects the pairs of rows that ADASYN interpolates between."""

    def __init__(self, sampler: ADASYN, stack: ExitStack) -> None:
        self.sampler, self.stack = sampler, stack
        self.neighbors: list[NDArray] = []

    def hooks(self) -> dict[str, Callable]:
        """Return what listens to the methods of the sampler."""
        return {FIT_CHECKED: self.fit, CREATE_NEIGHBORS: self.create_neighbors}

    def fit(self, method: Callable, X: Any, y: NDArray, **params: Any) -> tuple:
        self.y = y
        given = self.sampler.random_state
        rng = check_random_state(given)
        self.sampler.random_state = listening = _ListeningRandomState(rng)
        try:
            resampled = method(X, y, **params)
        finally:
            self.sampler.random_state = given
            rng.set_state(listening.get_state())
        self.chosen, self.n_new = listening.chosen, len(resampled[1])
        return resampled

    def create_neighbors(self, method: Callable) -> None:
        method()
        self.stack.enter_context(_overheard(self.sampler.nn_, kneighbors=self.find_neighbors))

    def find_neighbors(self, method: Callable, *args: Any, **params: Any) -> NDArray:
        self.neighbors.append(method(*args, **params))
        return self.neighbors[-1]

    def origins(self) -> Origins | None:
        """Return the parents of all rows of the output, the copied ones first."""
        copied = np.arange(len(self.y))
        parents = [np.column_stack([copied, copied])]
        made = [item for item in self.sampler.sampling_strategy_.items() if item[1]]
        among_all, among_own = self.neighbors[::2], self.neighbors[1::2]
        for (label, n_asked), near, own, cols in zip(
            made, among_all, among_own, self.chosen, strict=True
        ):
            members = np.flatnonzero(self.y == label)
            foreign = np.mean(self.y[near[:, 1:]] != label, axis=1)
            n_made = np.rint(foreign / foreign.sum() * n_asked).astype(int)
            rows = np.repeat(np.arange(len(members)), n_made)
            if len(rows) != len(cols):
                return None
            parents.append(np.column_stack([members[rows], members[own[rows, cols + 1]]]))
        return np.concatenate(parents) if sum(map(len, parents)) == self.n_new else None


def _told(sampler: Any, n_new: int) -> Origins | None:
    """Return the origins that a sampler says itself, if it does."""
    for name in ("sample_indices_", "parent_indices_"):
        told = getattr(sampler, name, None)
        if told is not None and len(told) == n_new:
            return np.asarray(told)
    return None


def fit_resample_with_origins(
    sampler: Any, X: Any, y: Any, params: Mapping[str, Any]
) -> tuple[Any, Any, Origins | None]:
    """Resample, and find out which rows of the input each new row comes from.

    Parameters
    ----------
    sampler : sampler object
        Fitted in place, to the same rows as by its own `fit_resample`.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels.
    params : dict
        Metadata for its `fit_resample`.

    Returns
    -------
    X_resampled : array-like of shape (n_samples_new, ...)
        Samples.
    y_resampled : array-like of shape (n_samples_new,) or (n_samples_new, n_labels)
        Their labels.
    origins : ndarray of shape (n_samples_new,) or (n_samples_new, 2) or None
        The row each is a copy of, or the two it lies between, the same twice for copied rows;
        None if that cannot be known.
    """
    with ExitStack() as stack:
        heard: _SmoteParents | _AdasynParents | None = None
        cleaner = None
        if _resamples_as(sampler, SMOTE | BorderlineSMOTE | SVMSMOTE | KMeansSMOTE):
            heard = _SmoteParents(sampler)
            stack.enter_context(_overheard(sampler, **heard.hooks()))
        elif _resamples_as(sampler, ADASYN):
            heard = _AdasynParents(sampler, stack)
            stack.enter_context(_overheard(sampler, **heard.hooks()))
        elif _resamples_as(sampler, SMOTEENN | SMOTETomek):
            cleaner = "enn_" if isinstance(sampler, SMOTEENN) else "tomek_"

            def create(method: Callable) -> None:
                nonlocal heard
                method()
                if _resamples_as(sampler.smote_, SMOTE):
                    heard = _SmoteParents(sampler.smote_)
                    stack.enter_context(_overheard(sampler.smote_, **heard.hooks()))

            stack.enter_context(_overheard(sampler, **{CREATE_NEIGHBORS: create}))
        X_new, y_new, *told = sampler.fit_resample(X, y, **params)
    if told:  # the rows that the function of a FunctionSampler returned as a third
        return X_new, y_new, np.asarray(told[0])
    if heard is None:
        return X_new, y_new, _told(sampler, _num_samples(y_new))
    origins = heard.origins()
    if cleaner is not None and origins is not None:
        origins = origins[getattr(sampler, cleaner).sample_indices_]
    return X_new, y_new, origins


def why_unknown(sampler: Any) -> str:
    """Return why the origins of a sampler's rows are not known, and what to do.

    Parameters
    ----------
    sampler : sampler object
        One for which `fit_resample_with_origins` returned None.

    Returns
    -------
    sentence : str
        To follow the name of the step.
    """
    sampler = getattr(sampler, "sampler_", sampler)  # of an ArraySampler
    if isinstance(getattr(sampler, "smote_", sampler), SMOTEN):
        return "makes a row of the most frequent values of many: use SMOTENC or RandomOverSampler."
    if isinstance(sampler, ClusterCentroids):
        return "replaces rows by the centre of many: use a sampler that selects rows."
    if isinstance(sampler, FunctionSampler):
        return (
            "runs a function that does not tell which rows it returns: let it return X, y and "
            "their indices."
        )
    if isinstance(sampler, Pipeline):
        return "chains several samplers: make each a step of its own."
    return (
        "sets neither sample_indices_, the rows it selected, nor parent_indices_, two rows for "
        "each that it made: use a sampler that does."
    )
