"""What the weighted means of probabilities share: members, held-out votes, the mean itself.

A subclass has the parameters `estimators`, `objective`, `objective_params`, `constraint`,
`pos_label`, `cv`, `n_jobs`, `random_state` and `verbose`, and finds `weights_` in
`_refit_decision`.
"""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch, check_random_state, column_or_1d, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skrecall.threshold._optimum import check_objective
from skrecall.utils._checks import check_weights
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._indicator import (
    IndicatorContainer,
    check_indicator,
    constant_labels,
    is_indicator,
    warn_of_constant_labels,
)
from skrecall.utils._sklearn import (
    _BaseHeterogeneousEnsemble,
    _fit_context,
    _raise_for_params,
    _routing_enabled,
)

from ._votes import fit_member, held_out_splits, held_out_votes, member_votes, named_members
from ._weights import vote_objective


class BaseVotingClassifier(DecisionMixin, ClassifierMixin, _BaseHeterogeneousEnsemble):
    """A weighted mean of the probabilities of named members, for one label or several."""

    label_names_: NDArray[np.object_]
    weights_: NDArray[np.float64]
    _held_out: Any  # Bunch of votes, y and weight of the held-out rows, or None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Fit the members, and choose their weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the members take them.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, or an indicator: array, DataFrame or sparse.
        **params : dict
            `sample_weight` goes to every member and weights the objective; `groups` goes to the
            splitter. Routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            If a member has no `predict_proba`, a fold holds out what it fits on, weights do not
            fit the members, or no weights meet the constraint.
        """
        names, members = named_members(self)
        X, y = indexable(X, y)
        y, classes, container = self._check_target(y, members)
        weight = check_weights(params.get("sample_weight"), y)
        routed = self._route(names, params)
        rng = None if self.random_state is None else check_random_state(self.random_state)
        members = [
            m if isinstance(m, FrozenEstimator) else clone_with_seed(m, rng) for m in members
        ]
        fitted = self._parallel()(
            delayed(fit_member)(member, X, y, None, routed[name].fit)
            for name, member in zip(names, members, strict=True)
        )
        held_out = None
        if self.cv is not None or self._chooses_weights():
            columns = classes if container is None else None
            held_out = self._hold_out(names, members, X, y, weight, routed, columns)
        self.estimators_, self._constants = map(list, zip(*fitted, strict=True))
        self.named_estimators_ = Bunch(
            **(dict(self.estimators) | dict(zip(names, self.estimators_, strict=True)))
        )
        self._kept = np.array([member != "drop" for _, member in self.estimators])
        self._names, self._held_out = names, held_out
        self.classes_, self._container = classes, container
        if hasattr(self, "label_names_"):
            del self.label_names_
        if container is not None and container.label_names is not None:
            self.label_names_ = container.label_names
        return self._decide()

    def _check_target(
        self, y: Any, members: list[BaseEstimator]
    ) -> tuple[NDArray, Any, IndicatorContainer | None]:
        """Return the target as an array, the classes, and the container of several labels."""
        frozen = [member for member in members if isinstance(member, FrozenEstimator)]
        for member in frozen:
            check_is_fitted(member)
        if isinstance(y, np.ndarray | pd.DataFrame) and y.ndim == 2:
            _refuse_unknown(y, type(self).__name__)
        if is_indicator(y):
            y, container = check_indicator(y)
            if len(frozen) < len(members):
                constant = constant_labels(y)
                warn_of_constant_labels(constant, y, container.label_names, stacklevel=5)
            return y, np.tile([0, 1], (y.shape[1], 1)), container
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        classes = np.unique(y)
        for member in frozen:
            if np.isin(member.classes_, classes).sum() == 0:
                raise ValueError(
                    f"A fitted member knows the classes {np.asarray(member.classes_).tolist()}, "
                    f"but y holds {classes.tolist()}: none is common to both."
                )
        return y, np.unique(np.concatenate([classes, *(m.classes_ for m in frozen)])), None

    def _route(self, names: list[str], params: dict[str, Any]) -> Bunch:
        if _routing_enabled():
            return process_routing(self, "fit", **params)
        _raise_for_params(params, self, "fit", allow=["sample_weight", "groups"])
        given = {name: value for name, value in params.items() if value is not None}
        split_params = {"groups": given.pop("groups")} if "groups" in given else {}
        return Bunch(**{name: Bunch(fit=given) for name in names}, cv=Bunch(split=split_params))

    def _chooses_weights(self) -> bool:
        """Return whether the present parameters need held-out votes."""
        raise NotImplementedError(f"{type(self).__name__} must implement _chooses_weights.")

    def _parallel(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))

    def _column_classes(self) -> NDArray | None:
        return self.classes_ if self._container is None else None

    def _hold_out(
        self,
        names: list[str],
        members: list[BaseEstimator],
        X: Any,
        y: NDArray,
        weight: NDArray[np.float64] | None,
        routed: Bunch,
        classes: NDArray | None,
    ) -> Bunch:
        """Return the votes of all members on rows that none of them was fitted on."""
        splits = held_out_splits(self.cv, members, X, y, routed.cv.split)
        jobs = [
            delayed(held_out_votes)(name, member, X, y, split, classes, routed[name].fit)
            for name, member in zip(names, members, strict=True)
            for split in splits
        ]
        votes = self._parallel()(jobs)
        of_member = [
            np.concatenate(votes[start : start + len(splits)])
            for start in range(0, len(votes), len(splits))
        ]
        rows = np.concatenate([held_out for _, held_out in splits])
        return Bunch(
            votes=np.stack(of_member), y=y[rows], weight=None if weight is None else weight[rows]
        )

    def _vote_objective(self) -> Callable[[NDArray], float]:
        """Return the function that values a mean of held-out votes; NaN is none."""
        check_objective(self.objective, self.constraint)
        y, classes = self._held_out.y, self._column_classes()
        pos_label = self.pos_label
        if classes is None and pos_label is not None:
            raise ValueError(
                f"pos_label={pos_label!r} names one of several classes, and y holds several "
                "labels, which all count: leave it None."
            )
        if classes is not None:
            if len(classes) == 1:
                raise ValueError(
                    f"y holds one class only, {classes[0]!r}, in {len(y)} rows: weights cannot be "
                    "chosen."
                )
            if pos_label is None and len(classes) == 2:
                pos_label = classes[1]
            elif pos_label is not None and pos_label not in classes:
                raise ValueError(
                    f"pos_label={pos_label!r} is not a label of y, which holds {classes.tolist()}."
                )
        return vote_objective(
            y,
            classes,
            objective=self.objective,
            params=self.objective_params,
            constraint=self.constraint,
            pos_label=pos_label,
            weight=self._held_out.weight,
        )

    def _check_value(self, value: float) -> None:
        """Raise where the best value found is none."""
        if not np.isfinite(value):
            failing = (
                f"make {self.objective!r} a finite number"
                if self.constraint is None
                else f"meet constraint={self.constraint}"
            )
            raise ValueError(
                f"No weights of {len(self.estimators_)} members {failing} on "
                f"{len(self._held_out.y)} held-out rows: loosen what is asked, or improve the "
                "members."
            )

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the weighted mean of the members' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Probability of each class; with several labels, P(label = 1) of each.
        """
        self._check_decision()
        classes, n_labels = self._column_classes(), len(self.classes_)
        votes = [
            weight * member_votes(name, member, X, classes, n_labels, constant)
            for name, member, constant, weight in zip(
                self._names, self.estimators_, self._constants, self.weights_, strict=True
            )
            if weight > 0
        ]
        return np.sum(votes, axis=0)

    def predict(self, X: ArrayLike) -> Any:
        """Return the class of greatest mean probability, or the labels of one half or more.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,), or an indicator of shape (n_samples, n_labels)
            An indicator comes in the container that `fit` was given. Members that are evenly split
            over a label predict it, as everywhere in `skrecall.multilabel`.
        """
        proba = self.predict_proba(X)
        if self._container is None:
            return self.classes_[np.argmax(proba, axis=1)]
        return self._container.restore(proba >= 0.5, X)

    @property
    def n_features_in_(self) -> int:
        """Number of features, if the first member counts them."""
        return self.estimators_[0].n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of features, if the first member keeps them."""
        return self.estimators_[0].feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to each member, and to the splitter.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        router = MetadataRouter(owner=self)
        for name, member in self.estimators:
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(**{name: member}, method_mapping=mapping)
        return router.add(
            cv=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [get_tags(member) for _, member in self.estimators if member != "drop"]
        several = all(m.classifier_tags and m.classifier_tags.multi_label for m in members)
        tags.classifier_tags.multi_label = several
        tags.target_tags.multi_output = several
        return tags


def _refuse_unknown(Y: Any, ensemble: str) -> None:
    """Raise where labels are NaN, which the votes are not made for."""
    n_unknown = int(np.sum(np.asarray(pd.isna(Y))))
    if n_unknown:
        raise ValueError(
            f"y contains NaN: {n_unknown} of {Y.size} labels are unknown, which {ensemble} does "
            "not support, even where its members do. Leave out these rows."
        )
