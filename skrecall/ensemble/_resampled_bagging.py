"""Bags of any classifier, each resampled.

References
----------
.. [1] L. Breiman, "Bagging predictors", Machine Learning 24(2), 1996.
.. [2] S. Wang, X. Yao, "Diversity analysis on imbalanced data sets by using ensemble models", IEEE
   Symposium on Computational Intelligence and Data Mining, 2009.
"""

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skrecall.resampling._array import looks_at_values
from skrecall.utils._bags import Bag, columns, draw_features, n_to_draw
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed, fit_on_rows
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

from ._resampled import BaseResampledEnsemble, resample, sampler_for


def draw_rows(
    rows_of_class: list[NDArray[np.intp]],
    *,
    max_samples: int | float,
    replace: bool,
    rng: np.random.RandomState,
) -> NDArray[np.intp]:
    """Draw the same share of the rows of each class, one row at least.

    Parameters
    ----------
    rows_of_class : list of ndarray of int
        The rows of each class; a class without any is left out.
    max_samples : int or float
        How many rows to draw in all, or a share of them.
    replace : bool
        Whether a row may be drawn again.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of int
        Sorted.

    Raises
    ------
    ValueError
        If there are fewer rows to draw without replacement.
    """
    n_rows = sum(map(len, rows_of_class))
    share = max_samples / n_rows if isinstance(max_samples, Integral) else float(max_samples)
    if share > 1 and not replace:
        raise ValueError(
            f"max_samples={max_samples} of {n_rows} rows cannot be drawn without replacement: "
            "lower it, or set bootstrap=True."
        )
    drawn = [
        rng.choice(rows, n_to_draw(share, len(rows)), replace=replace)
        for rows in rows_of_class
        if len(rows)
    ]
    return np.sort(np.concatenate(drawn))


class ResampledBaggingClassifier(DecisionMixin, BaseResampledEnsemble):
    """Fit clones of any classifier on bags of rows that a sampler balances, and average them [1]_.

    With random under-sampling, which is the default, it is under-bagging; with SMOTE it is
    SMOTE-bagging [2]_. Two classes or more; samples in any container that the estimator takes,
    images and other arrays of more than two dimensions included.

    Parameters
    ----------
    estimator : estimator
        Any classifier, or a Pipeline that ends in one.
    sampler : "balanced", sampler or None, default="balanced"
        What is applied to each bag. "balanced" leaves as many rows of each class as the rarest
        has, as `RandomUnderSampler` does. Any object with ``fit_resample(X, y)`` is cloned; on
        images, one of tables is put into `ArraySampler`. None keeps the bags as they are.
    n_estimators : int, default=10
        Number of bags.
    max_samples : int or float, default=1.0
        Rows to draw for each before the sampler: a number, or a share of the rows. The same share
        of every class is drawn, and one row of it at least, so that no bag lacks a class.
    max_features : int or float, default=1.0
        Features to draw for each, without replacement: a number, or a share.
    bootstrap : bool, default=True
        Whether rows are drawn with replacement.
    voting : {"proba", "labels"}, default="proba"
        What the members are asked for: the probabilities of classes, or the class. `predict_proba`
        is the mean of their answers.
    oob_proba : bool, default=False
        Whether to keep `predict_proba` of the training rows by the members that did not see them.
    n_jobs : int, default=None
        Number of bags to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws the bags, and seeds every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    bags_ : list of Bag
        The fitted members, with `member`, `rows` and `features` of each. The rows are those that
        it was fitted on, or, where the sampler looks at the samples, those that the sampler got.
    oob_proba_ : ndarray of shape (n_samples, n_classes)
        Probabilities of the training rows, by the `voting` that `fit` found, and NaN for a row
        that all members have seen; if `oob_proba`.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`; of images, the number of values.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    imblearn.ensemble.BalancedBaggingClassifier : Bags of tables. This one also takes images and
        lists of features by name, hands row-wise fit parameters through the sampler, never loses a
        class from a bag, and counts a row that random under-sampling left out as out of bag, so
        that rows of frequent classes have many voters.
    skrecall.multilabel.MultilabelBaggingClassifier : Several labels per sample.
    SelfPacedEnsembleClassifier : Draws the frequent class by hardness in place of at random.

    Notes
    -----
    Members learn from classes that are equally frequent, and their probabilities are high for a
    rare class by that factor: `PriorCorrectedClassifier` with ``training_prior="balanced"`` puts
    them back. The ranking, and a recall promised on top of it, do not need that.

    Weights and other fit parameters with one entry per row follow the rows through the sampler, as
    in `skrecall.resampling.MetadataPipeline`: a row that SMOTE puts between two others has the mean
    of their weights. Rows of weight zero are not drawn.

    A bag that is drawn with replacement holds copies, and a sampler that scores rows by models
    which did not see them, as `HardNegativeUnderSampler` and `NoisySampleFilter` do, meets these in
    other folds: set ``bootstrap=False`` and a share in `max_samples` for such a sampler.

    Rows that a sampler removed for their values count as seen: those it leaves out are not a random
    choice, and scores on them would be too low or too high.

    References
    ----------
    .. [1] L. Breiman, "Bagging predictors", Machine Learning 24(2), 1996.
    .. [2] S. Wang, X. Yao, "Diversity analysis on imbalanced data sets by using ensemble models",
       IEEE Symposium on Computational Intelligence and Data Mining, 2009.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.metrics import average_precision_score
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.ensemble import ResampledBaggingClassifier
    >>> X, y = make_classification(2000, weights=[0.95], flip_y=0.02, random_state=0)
    >>> model = ResampledBaggingClassifier(
    ...     DecisionTreeClassifier(), n_estimators=20, oob_proba=True, random_state=0
    ... ).fit(X, y)
    >>> bool(average_precision_score(y, model.oob_proba_[:, 1]) > 0.8)
    True
    """

    bags_: list[Bag]
    oob_proba_: NDArray[np.float64]

    _decision_params = ("voting",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "sampler": [StrOptions({"balanced"}), HasMethods("fit_resample"), None],
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
        sampler: Any = "balanced",
        n_estimators: int = 10,
        max_samples: int | float = 1.0,
        max_features: int | float = 1.0,
        bootstrap: bool = True,
        voting: Literal["proba", "labels"] = "proba",
        oob_proba: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.voting = voting
        self.oob_proba = oob_proba
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _sets_own_prior(self) -> bool:
        return self.sampler is not None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Draw the bags, resample them and fit a clone on each.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator and the sampler take them.
        y : array-like of shape (n_samples,)
            Labels of two classes or more.
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
            If y holds one class, more rows or features are to be drawn than there are, the
            estimator lacks the probabilities to average, or a sampler leaves one class, or cannot
            tell which rows the given weights then belong to.
        """
        X, y, _, rows_of_class = self._check_fit(X, y, sample_weight)
        params = self._route_params(params, sample_weight)
        self._check_voting()
        sampler = self.sampler
        if sampler is not None:
            sampler = RandomUnderSampler() if isinstance(sampler, str) else sampler_for(sampler, X)
        draw = partial(
            draw_rows, rows_of_class, max_samples=self.max_samples, replace=self.bootstrap
        )
        seeds = check_random_state(self.random_state).randint(MAX_SEED, size=self.n_estimators)
        self.bags_ = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(_fit_bag)(self.estimator, sampler, X, y, draw, self.max_features, params, seed)
            for seed in seeds
        )
        if hasattr(self, "oob_proba_"):
            del self.oob_proba_
        if self.oob_proba:
            self.oob_proba_ = self._out_of_bag(X)
        return self._decide()

    def _check_voting(self) -> None:
        if self.voting == "proba" and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(
                f"voting='proba' averages probabilities, and {type(self.estimator).__name__} has "
                "no predict_proba: set voting='labels', or wrap it in CalibratedClassifierCV."
            )

    def _refit_decision(self) -> None:
        self._check_voting()

    def _vote(self, bag: Bag, X: Any) -> NDArray:
        X = bag.samples(X)
        if self.voting == "proba":
            return self._member_proba(bag.member, X)
        return (np.asarray(bag.member.predict(X))[:, np.newaxis] == self.classes_).astype(float)

    def _out_of_bag(self, X: Any) -> NDArray[np.float64]:
        """Return the mean vote on each training row of the members that did not see it."""
        total = np.zeros((_num_samples(X), len(self.classes_)))
        n_voters = np.zeros((len(total), 1))
        for bag in self.bags_:
            unseen = np.setdiff1d(np.arange(len(total)), bag.rows)
            if len(unseen):
                total[unseen] += self._vote(bag, _safe_indexing(X, unseen))
                n_voters[unseen] += 1
        return np.where(n_voters > 0, total / np.maximum(n_voters, 1), np.nan)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            The mean of the members' probabilities, or the share of their votes. A class that a
            sampler removed from a bag has probability 0 in its vote.
        """
        self._check_decision()
        X = self._check_predict(X)
        total = np.zeros((_num_samples(X), len(self.classes_)))
        for bag in self.bags_:
            total += self._vote(bag, X)
        return total / len(self.bags_)


def _fit_bag(
    estimator: BaseEstimator,
    sampler: Any,
    X: Any,
    y: NDArray,
    draw: Callable[..., NDArray[np.intp]],
    max_features: int | float,
    params: dict[str, Any],
    seed: int,
) -> Bag:
    """Fit a member on its bag; a sampler that draws at random gets the row numbers alone."""
    rng = np.random.RandomState(seed)
    rows, features = draw(rng=rng), draw_features(X, max_features, rng)
    if sampler is not None:
        sampler = clone_with_seed(sampler, rng)
        if not looks_at_values(sampler):
            numbers, _ = sampler.fit_resample(rows[:, np.newaxis], y[rows])
            rows, sampler = numbers[:, 0], None
    params = _check_method_params(X, params, indices=rows)
    X_bag, y_bag = columns(_safe_indexing(X, rows), features), y[rows]
    if sampler is not None:
        X_bag, y_bag, params = resample(sampler, X_bag, y_bag, params)
        found = np.unique(y_bag)
        if len(found) < 2:
            raise ValueError(
                f"{type(sampler).__name__} left {len(y_bag)} rows of a bag of {len(rows)}, all of "
                f"the class {found.tolist()}: use a milder sampling_strategy or another sampler."
            )
    member = fit_on_rows(clone_with_seed(estimator, rng), X_bag, y_bag, None, params)
    return Bag(member, rows, features)
