"""Bags of any multi-label classifier.

References
----------
.. [1] L. Breiman, "Bagging predictors", Machine Learning 24(2), 1996.
.. [2] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
   classification", Machine Learning 85(3), 2011.
"""

import warnings
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._bags import Bag, columns, draw_features, n_to_draw
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed
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
from ._members import (
    check_row_weights,
    check_voting,
    fit_member,
    labels_without_vote,
    mean_vote,
)


def balanced_weights(Y: Indicator) -> NDArray[np.float64]:
    """Return the probability of each row when labels and their values are drawn evenly.

    A draw picks a label, each with equal probability, then one of its two values, then a row with
    that value.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator in which every label varies.

    Returns
    -------
    probability : ndarray of shape (n_samples,)
        Sums to one.
    """
    n_samples, n_labels = Y.shape
    n_positives = count_values(Y, 1)
    of_positive, of_negative = 1 / n_positives, 1 / (n_samples - n_positives)
    weight = Y @ (of_positive - of_negative) + of_negative.sum()
    return weight / (2 * n_labels)


class MultilabelBaggingClassifier(DecisionMixin, BaseLabelMetaEstimator):
    """Fit clones of any multi-label classifier on bags of rows, and average them [1]_.

    Over `BinaryRelevance` it is the ensemble of binary relevance, EBR [2]_. A bag may be drawn such
    that rare labels are in it, or be resampled by any sampler of several labels.

    Parameters
    ----------
    estimator : estimator
        Any multi-label classifier; a binary one is fitted per label, in `BinaryRelevance`.
    n_estimators : int, default=10
        Number of bags.
    max_samples : int or float, default=1.0
        Rows to draw for each: a number, or a share of the rows.
    max_features : int or float, default=1.0
        Features to draw for each, without replacement: a number, or a share.
    bootstrap : bool, default=True
        Whether rows are drawn with replacement.
    sampler : "balanced", sampler or None, default=None
        None draws all rows with the same probability. "balanced": each draw picks a label, all
        alike, then one of its two values, each with probability one half, then a row with that
        value; so a label is expected in at least 1 / (2 n_labels) of the draws, however rare it is.
        Any object with ``fit_resample(X, Y)`` is cloned and applied to each bag, which is drawn
        evenly.
    voting : {"proba", "labels"}, default="proba"
        What the members are asked for: the probabilities of labels, or the labels. `predict_proba`
        is the mean of their answers, and a label is predicted where that is one half or more.
    oob_proba : bool, default=False
        Whether to keep `predict_proba` of the training rows by the members whose bag lacks the row.
    n_jobs : int, default=None
        Number of bags to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws the bags, and seeds every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    bags_ : list of Bag
        The fitted members, with `member.estimator`, `rows` (before a sampler) and `features` of
        each.
    n_voters_ : ndarray of shape (n_varying_labels,)
        Number of members that could learn each label that is not constant.
    oob_proba_ : ndarray of shape (n_samples, n_labels)
        Probabilities of the training rows, NaN where no voter was left; if `oob_proba`.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, or NaN.
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
    EnsembleOfPrunedSets : Subsamples of pruned sets.
    sklearn.ensemble.BaggingClassifier : Takes one label.

    Notes
    -----
    A label that has one value in a bag is not learnt there, and that member has no vote on it: it
    would vote for that value whatever the sample. A label that all bags lost has the share of its
    positives in the training rows as its probability, with a warning. Probabilities learnt on bags
    that are balanced or resampled are those of the bags: choose thresholds on them, or
    calibrate, before they are read as frequencies.

    References
    ----------
    .. [1] L. Breiman, "Bagging predictors", Machine Learning 24(2), 1996.
    .. [2] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
       classification", Machine Learning 85(3), 2011.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.multilabel import BinaryRelevance, MultilabelBaggingClassifier
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> trees = BinaryRelevance(DecisionTreeClassifier(min_samples_leaf=5))
    >>> model = MultilabelBaggingClassifier(trees, sampler="balanced", random_state=0)
    >>> model.fit(X, Y).predict_proba(X).shape
    (200, 4)
    """

    oob_proba_: NDArray[np.float64]

    _accept_sparse_target = True
    _decision_params = ("voting",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "bootstrap": ["boolean"],
        "sampler": [StrOptions({"balanced"}), HasMethods("fit_resample"), None],
        "voting": [StrOptions({"labels", "proba"})],
        "oob_proba": ["boolean"],
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
        max_features: int | float = 1.0,
        bootstrap: bool = True,
        sampler: Any = None,
        voting: Literal["proba", "labels"] = "proba",
        oob_proba: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.sampler = sampler
        self.voting = voting
        self.oob_proba = oob_proba
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _offers(self, name: str) -> bool:
        if name == "predict_proba" and self.voting == "labels":
            return True
        return super()._offers(name)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Draw the bags and fit a clone on each.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, for the inner `fit`.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If more rows or features are to be drawn than there are, the estimator lacks the
            probabilities to average, or a sampler is given fit parameters.
        """
        X, Y = self._check_fit(X, y)
        check_row_weights(sample_weight)
        params = self._route_params(params, sample_weight)
        check_voting(self.voting, self.estimator)
        is_balanced = isinstance(self.sampler, str)
        sampler = None if is_balanced else self.sampler
        if sampler is not None and params:
            raise ValueError(
                f"fit was given {sorted(params)}, and {type(sampler).__name__} makes rows that "
                "have none: leave the sampler or these out."
            )
        n_samples, n_labels = Y.shape
        self.bags_: list[Bag] = []
        self.n_voters_ = np.zeros(n_labels, dtype=np.intp)
        self._share = count_values(Y, 1) / n_samples
        if n_labels:
            rng = check_random_state(self.random_state)
            weight = balanced_weights(Y) if is_balanced else None
            n_drawn = n_to_draw(self.max_samples, n_samples)
            if n_drawn > n_samples and not self.bootstrap:
                raise ValueError(
                    f"max_samples={self.max_samples} of {n_samples} rows cannot be drawn without "
                    "replacement: lower it, or set bootstrap=True."
                )
            draws = [
                (
                    rng.choice(n_samples, n_drawn, replace=self.bootstrap, p=weight),
                    draw_features(X, self.max_features, rng),
                    rng.randint(MAX_SEED),
                )
                for _ in range(self.n_estimators)
            ]
            self.bags_ = self._parallel()(
                delayed(_fit_bag)(self.estimator, sampler, X, Y, rows, features, params, seed)
                for rows, features, seed in draws
            )
            self.n_voters_ = np.sum([bag.member.learnt for bag in self.bags_], axis=0)
            self._warn_of_lost_labels()
        if hasattr(self, "oob_proba_"):
            del self.oob_proba_
        if self.oob_proba:
            of_constant = np.nan_to_num(self.constant_)
            self.oob_proba_ = self._responses(self._out_of_bag, X, of_constant)
        return self._decide()

    def _warn_of_lost_labels(self) -> None:
        lost = labels_without_vote(self.n_voters_, self._varying, self._container.label_names)
        if lost:
            warnings.warn(
                f"Labels {lost} have one value each in all {len(self.bags_)} bags: they have the "
                "share of their positives in the training rows as probability. Draw more bags, or "
                "set sampler='balanced'.",
                stacklevel=4,
            )

    def _parallel(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))

    def _refit_decision(self) -> None:
        check_voting(self.voting, self.estimator)

    def _out_of_bag(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the training rows by members that did not see them."""
        total = np.zeros((_num_samples(X), len(self._share)))
        n_voters = np.zeros(total.shape, dtype=np.intp)
        for bag in self.bags_:
            unseen = np.setdiff1d(np.arange(len(total)), bag.rows)
            labels = np.flatnonzero(bag.member.learnt)
            if len(unseen) and len(labels):
                vote = self._vote(bag, _safe_indexing(X, unseen))
                total[np.ix_(unseen, labels)] += vote
                n_voters[np.ix_(unseen, labels)] += 1
        return mean_vote(total, n_voters, np.full(total.shape[1], np.nan))

    def _vote(self, bag: Bag, X: Any) -> NDArray:
        X = bag.samples(X)
        return bag.member.proba(X) if self.voting == "proba" else bag.member.predicted(X)

    def _predict_labels(self, X: Any) -> Indicator:
        return (self._label_proba(X) >= 0.5).astype(np.int8)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        self._check_decision()
        total = np.zeros((_num_samples(X), len(self._share)))
        for bag in self.bags_:
            if bag.member.estimator is not None:
                total[:, bag.member.learnt] += self._vote(bag, X)
        return mean_vote(total, self.n_voters_, self._share)


def _fit_bag(
    estimator: BaseEstimator,
    sampler: Any,
    X: Any,
    Y: Indicator,
    rows: NDArray[np.intp],
    features: NDArray[np.intp] | None,
    params: dict[str, Any],
    seed: int,
) -> Bag:
    """Fit a member on its bag, which a sampler may change."""
    rng = np.random.RandomState(seed)
    params = _check_method_params(X, params, indices=rows)
    X, Y = columns(_safe_indexing(X, rows), features), _safe_indexing(Y, rows)
    if sampler is not None:
        X, Y = clone_with_seed(sampler, rng).fit_resample(X, Y)
    return Bag(fit_member(estimator, X, Y, params, rng), rows, features)
