"""Pruned sets on subsamples, their probabilities averaged.

References
----------
.. [1] J. Read, B. Pfahringer, G. Holmes, "Multi-label classification using ensembles of pruned
   sets", ICDM 2008.
.. [2] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
   classification", Machine Learning 85(3), 2011.
"""

import warnings
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skrecall.threshold import cardinality_threshold
from skrecall.utils._bags import n_to_draw
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed
from skrecall.utils._indicator import Indicator, count_values
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _check_method_params,
    _fit_context,
    _num_samples,
    _safe_indexing,
)

from ._base import BaseLabelMetaEstimator
from ._label_set_model import LabelSetModel, fit_label_sets
from ._members import labels_without_vote, mean_vote


class EnsembleOfPrunedSets(DecisionMixin, BaseLabelMetaEstimator):
    """Average the label probabilities of pruned sets fitted on subsamples [1]_.

    Each member is a `LabelPowerset` with pruning, fitted on rows drawn without replacement. Their
    mean gives label sets that none of them has seen.

    Parameters
    ----------
    estimator : estimator
        A multi-class classifier with `predict_proba`.
    n_estimators : int, default=10
        Number of members.
    max_samples : float in (0, 1], default=0.63
        Share of the rows that each is fitted on.
    min_count : int, default=2
        Label sets that fewer rows of the subsample carry are no classes of that member.
    n_subsets : int, default=1
        Number of frequent subsets that a row with a pruned set is trained as, at most.
    threshold : float in [0, 1] or "cardinality", default=0.5
        A label is predicted at this probability or above. "cardinality" takes the one threshold at
        which rows carry as many labels on average as in training [2]_, found on the probabilities
        of members that were not fitted on the row.
    n_jobs : int, default=None
        Number of members to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws the subsamples, and seeds every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    members_ : list of LabelSetModel
        The fitted members: `estimator`, `sets` and `count` of each.
    n_voters_ : ndarray of shape (n_varying_labels,)
        Number of members that can tell something about each label that is not constant.
    threshold_ : float
        The threshold in use.
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
    LabelPowerset : One member.
    MultilabelBaggingClassifier : Bags of any multi-label classifier.

    Notes
    -----
    A member votes on the labels that some of its classes carry, and not all: unlike in [1]_, a
    label that pruning took from a member is not voted down by it. A label that it took from all of
    them has the share of its positives in the training rows as its probability, with a warning.

    References
    ----------
    .. [1] J. Read, B. Pfahringer, G. Holmes, "Multi-label classification using ensembles of
       pruned sets", ICDM 2008.
    .. [2] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
       classification", Machine Learning 85(3), 2011.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import EnsembleOfPrunedSets
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = EnsembleOfPrunedSets(LogisticRegression(max_iter=1000), random_state=0)
    >>> model.fit(X, Y).predict_proba(X).shape
    (200, 4)
    """

    _accept_sparse_target = True
    _decision_params = ("threshold",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Real, 0, 1, closed="right")],
        "min_count": [Interval(Integral, 0, None, closed="left")],
        "n_subsets": [Interval(Integral, 0, None, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="both"), StrOptions({"cardinality"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        n_estimators: int = 10,
        max_samples: float = 0.63,
        min_count: int = 2,
        n_subsets: int = 1,
        threshold: float | Literal["cardinality"] = 0.5,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.min_count = min_count
        self.n_subsets = n_subsets
        self.threshold = threshold
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the members.

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
            If no label set of a subsample occurs `min_count` times.
        """
        X, Y = self._check_fit(X, y)
        params = self._route_params(params, sample_weight)
        n_samples, n_labels = Y.shape
        self.members_: list[LabelSetModel] = []
        self.n_voters_ = np.zeros(n_labels, dtype=np.intp)
        self._share = count_values(Y, 1) / n_samples
        self._held_out: tuple[NDArray[np.float64], float] | None = None
        if n_labels == 0:
            return self._decide()
        rng = check_random_state(self.random_state)
        seeds = rng.randint(MAX_SEED, size=self.n_estimators)
        n_drawn = n_to_draw(self.max_samples, n_samples)
        rows = [np.sort(rng.permutation(n_samples)[:n_drawn]) for _ in seeds]
        self.members_ = self._parallel()(
            delayed(_fit_on_subsample)(
                clone_with_seed(self.estimator, seed),
                X,
                Y,
                drawn,
                params,
                self.min_count,
                self.n_subsets,
            )
            for seed, drawn in zip(seeds, rows, strict=True)
        )
        self.n_voters_ = np.sum([member.varying() for member in self.members_], axis=0)
        lost = labels_without_vote(self.n_voters_, self._varying, self._container.label_names)
        if lost:
            warnings.warn(
                f"Labels {lost} vary in no member's label sets, after pruning those that occur "
                f"less than min_count={self.min_count} times: they have the share of their "
                "positives in the training rows as probability. Lower min_count.",
                stacklevel=3,
            )
        if self.threshold == "cardinality":
            self._held_out = self._out_of_sample(X, rows), float(self._share.sum())
        return self._decide()

    def _parallel(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))

    def _out_of_sample(self, X: Any, rows: list[NDArray[np.intp]]) -> NDArray[np.float64]:
        """Return the probabilities of the training rows by members that did not see them."""
        n_samples, n_labels = _num_samples(X), len(self._share)
        total = np.zeros((n_samples, n_labels))
        n_voters = np.zeros((n_samples, n_labels), dtype=np.intp)
        for member, drawn in zip(self.members_, rows, strict=True):
            unseen = np.setdiff1d(np.arange(n_samples), drawn)
            if len(unseen):
                labels = np.flatnonzero(member.varying())
                proba = member.marginals(_safe_indexing(X, unseen))
                total[np.ix_(unseen, labels)] += proba[:, labels]
                n_voters[np.ix_(unseen, labels)] += 1
        return mean_vote(total, n_voters, self._share)[n_voters.any(axis=1)]

    def _refit_decision(self) -> None:
        if self.threshold != "cardinality":
            self.threshold_ = float(self.threshold)
        elif len(self._share) == 0:
            self.threshold_ = 0.5
        elif self._held_out is None:
            raise ValueError(
                "threshold='cardinality' needs probabilities of rows that members were not fitted "
                "on, and fit kept none, as the threshold was a number then: fit again."
            )
        elif len(self._held_out[0]) == 0:
            raise ValueError(
                f"threshold='cardinality' needs rows that members were not fitted on, and "
                f"max_samples={self.max_samples} leaves none: lower it."
            )
        else:
            self.threshold_ = cardinality_threshold(*self._held_out)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        self._check_decision()
        total = np.zeros((_num_samples(X), len(self._share)))
        for member in self.members_:
            total += member.marginals(X) * member.varying()
        return mean_vote(total, self.n_voters_, self._share)

    def _predict_labels(self, X: Any) -> Indicator:
        return (self._label_proba(X) >= self.threshold_).astype(np.int8)


def _fit_on_subsample(
    estimator: BaseEstimator,
    X: Any,
    Y: Indicator,
    rows: NDArray[np.intp],
    params: dict[str, Any],
    min_count: int,
    n_subsets: int,
) -> LabelSetModel:
    """Fit a member; a function of its own, so that workers get no more than they need."""
    return fit_label_sets(
        estimator,
        _safe_indexing(X, rows),
        _safe_indexing(Y, rows),
        _check_method_params(X, params, indices=rows),
        min_count=min_count,
        n_subsets=n_subsets,
    )
