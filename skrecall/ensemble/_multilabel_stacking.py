"""A second level of classifiers that learns, label by label, how far to trust which member.

References
----------
.. [1] D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
.. [2] K. M. Ting, I. H. Witten, "Issues in stacked generalization", JAIR 10, 1999.
"""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import BaseCrossValidator
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils import Bunch, check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._fitting import clone_with_seed, fit_in_one_thread
from skrecall.utils._indicator import constant_labels, label_column
from skrecall.utils._label_features import append_features, label_features
from skrecall.utils._label_votes import class_votes
from skrecall.utils._multilabel_target import BaseMultilabelClassifier
from skrecall.utils._sklearn import (
    HasMethods,
    StrOptions,
    _BaseHeterogeneousEnsemble,
    _fit_context,
    _raise_for_params,
    _routing_enabled,
)

from ._votes import fit_member, held_out_splits, held_out_votes, member_votes, named_members


class MultilabelStackingClassifier(BaseMultilabelClassifier, _BaseHeterogeneousEnsemble):
    """Fit a second level on what several multi-label classifiers say of rows they did not see.

    A soft vote has one weight per member; here every label has its own, so that a member that is
    good at rare labels only is trusted with these [1]_ [2]_.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The first level: multi-label classifiers with `predict_proba`. A binary one is fitted per
        label, in scikit-learn's `MultiOutputClassifier`. Clones are fitted; a `FrozenEstimator`
        stays as it is. "drop" leaves a member out.
    final_estimator : estimator, default=None
        The second level: a classifier with `predict_proba`, of which each label gets a clone; None
        for `LogisticRegression`. One that takes several labels, by its tags, is fitted once on all
        labels where it sees all.
    meta_features : {"label", "all"}, default="label"
        What the second level of a label sees: the members' probabilities of that label, or of all
        labels, from which it learns how labels depend on each other, at the price of as many more
        columns.
    passthrough : bool, default=False
        Whether the second level sees the samples' features too.
    cv : int, splitter, iterable, "prefit" or None, default=None
        How rows are held out whose probabilities the second level learns from; a number of folds is
        stratified by every label, and None means 5. "prefit": the first level is fitted already,
        and the data given to `fit` must be new to it; the same holds for frozen members in any
        case.
    n_jobs : int, default=None
        Number of fits to run at once.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clones that is None; None leaves them.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    estimators_ : list of estimator
        The first level, fitted on all rows.
    named_estimators_ : Bunch
        The same by name; "drop" for those dropped.
    final_estimators_ : list of estimator
        The second level, one per label that varies; a single one where it was fitted on all labels.
    constant_ : ndarray of shape (n_labels,)
        The value of each label that has only one in the training rows, or NaN.
    classes_ : ndarray of shape (n_labels, 2) or (2,)
        ``[0, 1]`` per label; the two classes of a target of one dimension.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    SoftVotingClassifier : One weight per member, for all labels.
    sklearn.ensemble.StackingClassifier : One label.

    Notes
    -----
    A label that has one value in the rows of a fold is predicted as that value there: the second
    level then takes the members for wrong on the very rows that hold the other value. Stratified
    folds avoid that from two positives on; with only a few more, a label has little to learn
    weights from, and a soft vote is the safer choice.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
    .. [2] K. M. Ting, I. H. Witten, "Issues in stacked generalization", JAIR 10, 1999.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skrecall.ensemble import MultilabelStackingClassifier
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> stack = MultilabelStackingClassifier(
    ...     [("linear", LogisticRegression(max_iter=1000)), ("knn", KNeighborsClassifier())]
    ... ).fit(X, Y)
    >>> stack.predict_proba(X).shape, len(stack.final_estimators_)
    ((200, 4), 4)
    """

    _parameter_constraints: dict = {
        "estimators": [list],
        "final_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "meta_features": [StrOptions({"all", "label"})],
        "passthrough": ["boolean"],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimators: list[tuple[str, Any]],
        final_estimator: BaseEstimator | None = None,
        *,
        meta_features: Literal["label", "all"] = "label",
        passthrough: bool = False,
        cv: int | BaseCrossValidator | Iterable | Literal["prefit"] | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(estimators=estimators)
        self.final_estimator = final_estimator
        self.meta_features = meta_features
        self.passthrough = passthrough
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _final(self) -> Any:
        """The estimator of the second level, unfitted."""
        return LogisticRegression() if self.final_estimator is None else self.final_estimator

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Fit the first level, and the second on its probabilities of rows it did not see.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the members take them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        **params : dict
            `sample_weight` goes to every fit of both levels; `groups` goes to the splitter. Routed
            where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If a member has no `predict_proba`, a fold holds out what it fits on, or `cv` does not
            hold each row out once.
        """
        names, members = named_members(self)
        X, Y_varying = self._check_fit(X, y)
        varying = self._varying
        routed = self._route(names, params)
        self._names, self._constants = names, [None] * len(names)
        self.estimators_ = members
        self.final_estimators_: list[BaseEstimator] = []
        self._final_constant: NDArray[np.float64] | None = None
        if len(varying):
            Y = np.tile(np.nan_to_num(self.constant_).astype(np.int8), (len(Y_varying), 1))
            Y[:, varying] = Y_varying
            rng = None if self.random_state is None else check_random_state(self.random_state)
            members = [_seeded(_as_multilabel(member), rng) for member in members]
            fitted = self._parallel()(
                delayed(fit_member)(member, X, Y, None, routed[name].fit)
                for name, member in zip(names, members, strict=True)
            )
            Z = self._hold_out(members, X, Y, routed)[:, :, varying]
            self.estimators_, self._constants = map(list, zip(*fitted, strict=True))
            self._fit_final(X, Y_varying, Z, routed.final_estimator.fit, rng)
        self.named_estimators_ = Bunch(
            **(dict(self.estimators) | dict(zip(names, self.estimators_, strict=True)))
        )
        return self

    def _hold_out(
        self, members: list[BaseEstimator], X: Any, Y: NDArray[np.int8], routed: Bunch
    ) -> NDArray[np.float64]:
        """Return the votes of all members on all rows, each by a clone that did not see the row."""
        splits = held_out_splits(self.cv, members, X, Y[:, self._varying], routed.cv.split)
        rows = np.concatenate([held_out for _, held_out in splits])
        times = np.bincount(rows, minlength=len(Y))
        if (times != 1).any():
            raise ValueError(
                f"The folds of cv hold {np.sum(times == 0)} of {len(Y)} rows out never and "
                f"{np.sum(times > 1)} more than once: the second level needs one vote of every "
                "row. Use a splitter that makes a partition, such as MultilabelStratifiedKFold."
            )
        votes = self._parallel()(
            delayed(_fold_votes)(name, member, X, Y, split, routed[name].fit)
            for name, member in zip(self._names, members, strict=True)
            for split in splits
        )
        of_member = [
            np.concatenate(votes[start : start + len(splits)])
            for start in range(0, len(votes), len(splits))
        ]
        return np.stack(of_member)[:, np.argsort(rows)]

    def _fit_final(
        self,
        X: Any,
        Y: NDArray[np.int8],
        Z: NDArray[np.float64],
        params: dict[str, Any],
        rng: np.random.RandomState | None,
    ) -> None:
        if self._is_joint():
            final, self._final_constant = fit_member(
                _seeded(self._final, rng), self._seen(X, Z, None), Y, None, params
            )
            self.final_estimators_ = [final]
            return
        self.final_estimators_ = self._parallel()(
            delayed(fit_in_one_thread)(
                _seeded(self._final, rng), self._seen(X, Z, label), label_column(Y, label), params
            )
            for label in range(Y.shape[1])
        )

    def _is_joint(self) -> bool:
        """Return whether one estimator of the second level learns all labels."""
        return self.meta_features == "all" and _takes_several_labels(self._final)

    def _seen(self, X: Any, Z: NDArray[np.float64], label: int | None) -> Any:
        """Return what the second level sees: votes (n_members, n_samples, n_labels) as columns."""
        labels = np.array([label]) if self.meta_features == "label" else np.arange(Z.shape[2])
        columns = Z[:, :, labels].transpose(1, 0, 2).reshape(Z.shape[1], -1)
        if not self.passthrough:
            return columns
        features = label_features(self._container, self._varying[labels])
        return append_features(X, columns, [f"{n}: {f}" for n in self._names for f in features])

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        varying, n_labels = self._varying, len(self.constant_)
        Z = np.stack(
            [
                member_votes(name, member, X, None, n_labels, constant)[:, varying]
                for name, member, constant in zip(
                    self._names, self.estimators_, self._constants, strict=True
                )
            ]
        )
        if self._is_joint():
            return member_votes(
                "final_estimator",
                self.final_estimators_[0],
                self._seen(X, Z, None),
                None,
                len(varying),
                self._final_constant,
            )
        proba = [
            class_votes(
                final.predict_proba(self._seen(X, Z, label)), final.classes_, np.array([0, 1])
            )[:, 1]
            for label, final in enumerate(self.final_estimators_)
        ]
        return np.column_stack(proba)

    def _parallel(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))

    def _route(self, names: list[str], params: dict[str, Any]) -> Bunch:
        if _routing_enabled():
            return process_routing(self, "fit", **params)
        _raise_for_params(params, self, "fit", allow=["sample_weight", "groups"])
        given = {name: value for name, value in params.items() if value is not None}
        split_params = {"groups": given.pop("groups")} if "groups" in given else {}
        return Bunch(
            **{name: Bunch(fit=given) for name in (*names, "final_estimator")},
            cv=Bunch(split=split_params),
        )

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to each member, to the second level and to the splitter.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        router = MetadataRouter(owner=self)
        for name, member in [*self.estimators, ("final_estimator", self._final)]:
            mapping = MethodMapping().add(caller="fit", callee="fit")
            part = member if name == "final_estimator" else _as_multilabel(member)
            router.add(**{name: part}, method_mapping=mapping)
        return router.add(
            cv=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
        )


def _takes_several_labels(estimator: BaseEstimator) -> bool:
    """Return what the tags say; True without tags of classifiers, as in scikit-multilearn."""
    tags = get_tags(estimator)
    several = tags.classifier_tags is None or tags.classifier_tags.multi_label
    return bool(several or tags.target_tags.multi_output)


def _as_multilabel(member: Any) -> Any:
    """Return a member that takes several labels: a binary one per label."""
    if member == "drop" or isinstance(member, FrozenEstimator) or _takes_several_labels(member):
        return member
    return MultiOutputClassifier(member)


def _seeded(estimator: BaseEstimator, rng: np.random.RandomState | None) -> BaseEstimator:
    return estimator if isinstance(estimator, FrozenEstimator) else clone_with_seed(estimator, rng)


def _fold_votes(
    name: str,
    member: BaseEstimator,
    X: Any,
    Y: NDArray[np.int8],
    split: tuple[NDArray | None, NDArray],
    params: dict[str, Any],
) -> NDArray[np.float64]:
    """Return the votes on the held-out rows; where no label varies in the others, their values."""
    fit_rows, held_out = split
    if fit_rows is not None and not isinstance(member, FrozenEstimator):
        constant = constant_labels(Y[fit_rows])
        if not np.isnan(constant).any():
            return np.tile(constant, (len(held_out), 1))
    return held_out_votes(name, member, X, Y, split, None, params)
