"""Classifier chains of random orders, each on rows of its own, and their mean vote.

References
----------
.. [1] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
   classification", Machine Learning 85(3), 2011.
"""

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from skrecall.threshold._label_rules import cardinality_threshold
from skrecall.utils._bags import n_to_draw
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    _check_method_params,
    _fit_context,
    _num_samples,
    _safe_indexing,
)

from ._base import BaseLabelMetaEstimator
from ._classifier_chain import ClassifierChain
from ._members import (
    Member,
    check_row_weights,
    check_voting,
    fit_member,
    labels_without_vote,
    mean_vote,
)


class EnsembleOfClassifierChains(DecisionMixin, BaseLabelMetaEstimator):
    """Average classifier chains of random orders, each fitted on rows of its own [1]_.

    No order of a chain is right for all labels, and an early mistake is handed on; the mean over
    orders forgives both.

    Parameters
    ----------
    estimator : estimator
        A binary classifier, or a chain: `ClassifierChain` or `ProbabilisticClassifierChain` with
        the parameters wanted, whose `order` and `random_state` are replaced.
    n_estimators : int, default=10
        Number of chains.
    max_samples : int or float, default=1.0
        Rows to draw for each chain: a number, or a share of the rows.
    bootstrap : bool, default=True
        Whether rows are drawn with replacement. If False, a chain sees a subsample, or all rows
        where `max_samples` is all of them: then the chains differ in their orders only.
    voting : {"proba", "labels"}, default="proba"
        What is averaged: the probabilities of the chains, or the labels that they predict.
    threshold : float or "cardinality", default=0.5
        A label is predicted if its mean vote is at least this. "cardinality": the threshold at
        which the training rows get as many labels, on average, as they have, by votes of chains
        that were not fitted on the row [1]_.
    n_jobs : int, default=None
        Number of chains to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws rows and orders, and seeds every `random_state` inside that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    members_ : list of Member
        The fitted chains, each as `estimator`.
    n_voters_ : ndarray of shape (n_varying_labels,)
        Number of chains that could learn each label that is not constant.
    threshold_ : float
        The threshold that `predict` uses.
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
    MultilabelBaggingClassifier : Bags of any multi-label classifier, resampled if wanted.
    ClassifierChain : One chain.

    Notes
    -----
    A label that has one value in the rows of a chain is not learnt there, and the other chains
    answer for it; a label that all chains lost has the share of its positives in the training rows
    as its vote, with a warning.

    `predict_proba` is the mean vote: with ``voting="labels"`` the share of the chains, which needs
    no probabilities. `threshold` and `voting` act after `fit`: after `set_params`, call
    `refit_decision`; "cardinality" must have been asked for in `fit`.

    References
    ----------
    .. [1] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
       classification", Machine Learning 85(3), 2011.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import EnsembleOfClassifierChains
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = LogisticRegression(max_iter=1000)
    >>> chains = EnsembleOfClassifierChains(model, threshold="cardinality", random_state=0)
    >>> Y_pred = chains.fit(X, Y).predict(X)
    >>> bool(abs(Y_pred.sum() - Y.sum()) < 0.1 * Y.sum())
    True
    """

    _accept_sparse_target = True
    _decision_params = ("threshold", "voting")

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "bootstrap": ["boolean"],
        "voting": [StrOptions({"labels", "proba"})],
        "threshold": [Interval(Real, 0, 1, closed="neither"), StrOptions({"cardinality"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        n_estimators: int = 10,
        max_samples: int | float = 1.0,
        bootstrap: bool = True,
        voting: Literal["proba", "labels"] = "proba",
        threshold: float | str = 0.5,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.bootstrap = bootstrap
        self.voting = voting
        self.threshold = threshold
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Draw rows and orders, and fit the chains.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, for the inner `fit`.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled, and
            refused by `ClassifierChain` where it is not.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            If there are not that many rows to draw, there are no probabilities to average, or no
            row that a chain was not fitted on while a threshold is to be chosen on such.
        """
        X, Y = self._check_fit(X, y)
        check_row_weights(sample_weight)
        check_voting(self.voting, self.estimator)
        params = self._route_params(params, sample_weight)
        rng = check_random_state(self.random_state)
        n_samples, n_labels = Y.shape
        draws = [
            (self._draw_rows(n_samples, rng), rng.randint(MAX_SEED))
            for _ in range(self.n_estimators if n_labels else 0)
        ]
        chain = _as_chain(self.estimator)
        self.members_ = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(_fit_chain)(chain, X, Y, rows, params, seed) for rows, seed in draws
        )
        self._share = count_values(Y, 1) / n_samples
        self.n_voters_ = sum(
            (member.learnt for member in self.members_), np.zeros(n_labels, dtype=np.intp)
        )
        self._warn_of_lost_labels()
        self._cardinality_thresholds: dict[str, float] = {}
        if self.threshold == "cardinality":
            chosen = self._choose_threshold(X, Y, [rows for rows, _ in draws]) if n_labels else 0.5
            self._cardinality_thresholds[self.voting] = chosen
        return self._decide()

    def _draw_rows(self, n_samples: int, rng: np.random.RandomState) -> NDArray[np.intp]:
        n_drawn = n_to_draw(self.max_samples, n_samples)
        if n_drawn > n_samples and not self.bootstrap:
            raise ValueError(
                f"max_samples={self.max_samples} of {n_samples} rows cannot be drawn without "
                "replacement: lower it, or set bootstrap=True."
            )
        return rng.choice(n_samples, n_drawn, replace=self.bootstrap)

    def _warn_of_lost_labels(self) -> None:
        lost = labels_without_vote(self.n_voters_, self._varying, self._container.label_names)
        if lost:
            warnings.warn(
                f"Labels {lost} have one value each in the rows of all {self.n_estimators} chains: "
                "their vote is the share of their positives in the training rows. Fit more chains, "
                "or set bootstrap=False and max_samples=1.0.",
                stacklevel=4,
            )

    def _choose_threshold(self, X: Any, Y: Indicator, drawn: list[NDArray[np.intp]]) -> float:
        """Return the threshold that gives rows as many labels as they have, by unseen votes."""
        total = np.zeros(Y.shape)
        n_voters = np.zeros(Y.shape, dtype=np.intp)
        for member, rows in zip(self.members_, drawn, strict=True):
            unseen = np.setdiff1d(np.arange(len(total)), rows)
            if len(unseen) and member.learnt.any():
                cells = np.ix_(unseen, np.flatnonzero(member.learnt))
                total[cells] += self._ask(member)(_safe_indexing(X, unseen))
                n_voters[cells] += 1
        voted = np.flatnonzero(n_voters.any(axis=1))
        if len(voted) == 0:
            raise ValueError(
                "threshold='cardinality' is chosen by votes of chains that were not fitted on the "
                f"row, and all {len(drawn)} chains were fitted on all {len(total)} rows: set "
                "bootstrap=True or lower max_samples, or give a number."
            )
        vote = mean_vote(total, n_voters, self._share)[voted]
        return cardinality_threshold(vote, Y[voted].sum() / len(voted))

    def _refit_decision(self) -> None:
        check_voting(self.voting, self.estimator)
        if not isinstance(self.threshold, str):
            self.threshold_ = float(self.threshold)
        elif self.voting in self._cardinality_thresholds:
            self.threshold_ = self._cardinality_thresholds[self.voting]
        else:
            raise ValueError(
                f"threshold='cardinality' with voting={self.voting!r} was not asked for in fit, "
                "which keeps no votes: fit again with both."
            )

    def _offers(self, name: str) -> bool:
        return name == "predict_proba" and (
            self.voting == "labels" or hasattr(self.estimator, "predict_proba")
        )

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        self._check_decision()
        (X,) = indexable(X)
        total = np.zeros((_num_samples(X), len(self._share)))
        for member in self.members_:
            if member.learnt.any():
                total[:, member.learnt] += self._ask(member)(X)
        return mean_vote(total, self.n_voters_, self._share)

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        return (self._label_proba(X) >= self.threshold_).astype(np.int8)

    def _ask(self, member: Member) -> Callable[[Any], NDArray]:
        return member.proba if self.voting == "proba" else member.predicted


def _as_chain(estimator: BaseEstimator) -> BaseEstimator:
    """Return a chain of random order that its clones will be seeded with."""
    if "order" not in estimator.get_params(deep=False):
        return ClassifierChain(estimator, order="random")
    return clone(estimator).set_params(order="random", random_state=None)


def _fit_chain(
    chain: BaseEstimator,
    X: Any,
    Y: Indicator,
    rows: NDArray[np.intp],
    params: dict[str, Any],
    seed: int,
) -> Member:
    """Fit a chain on the rows drawn for it."""
    params = _check_method_params(X, params, indices=rows)
    X, Y = _safe_indexing(X, rows), _safe_indexing(Y, rows)
    return fit_member(chain, X, Y, params, np.random.RandomState(seed))
