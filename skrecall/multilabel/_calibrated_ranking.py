"""Ranking of labels by pairwise comparison, with a virtual label as the zero point.

References
----------
.. [1] J. Fürnkranz, E. Hüllermeier, E. Loza Mencía, K. Brinker, "Multilabel classification via
   calibrated label ranking", Machine Learning 73(2), 2008.
"""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed, fit_on_rows
from skrecall.utils._indicator import Indicator, label_column
from skrecall.utils._sklearn import HasMethods, StrOptions, _fit_context, _num_samples
from skrecall.utils._threads import one_blas_thread

from ._base import BaseLabelMetaEstimator
from ._members import check_voting

NO_ROW = 0.5  # a vote divided evenly: no training row carries one of the two labels alone


class CalibratedLabelRanking(DecisionMixin, BaseLabelMetaEstimator):
    """Compare every two labels, and every label with a virtual one that parts present and absent.

    One binary classifier per pair learns, from the rows that carry exactly one of the two labels,
    which it is; one per label learns whether it is there, which is its comparison with the virtual
    label. The labels with as many votes as the virtual label, or more, are predicted [1]_.

    Parameters
    ----------
    estimator : estimator
        A binary classifier, such as a `Pipeline` of imbalanced-learn.
    voting : {"labels", "proba"}, default="labels"
        "labels": a comparison gives its vote to one side. "proba": to both, by its probability.
    n_jobs : int, default=None
        Number of labels whose comparisons are fitted at once.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clones that is None, each differently.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    pair_estimators_ : list of list of estimator or float
        ``pair_estimators_[i][j]`` compares the varying label i with the varying label i + 1 + j: a
        classifier whose class 1 is the former, or the vote of the former where no classifier is
        needed, see Notes.
    virtual_estimators_ : list of estimator
        One classifier per varying label.
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
    BinaryRelevance : The comparisons with the virtual label alone.

    Notes
    -----
    `decision_function` is the difference of the votes of a label and of the virtual label, divided
    by the number of labels that vary: between -1 and 1, 0 or above where the label is predicted. It
    ranks the labels of a sample and is no probability. The paper leaves a tie with the virtual
    label open; here, as in Mulan, it is a yes: ties are frequent with whole votes and weak
    classifiers, and a no would make a miss of each.

    Two labels of which one never occurs without the other need no classifier: the other gets the
    vote. Two labels that always occur together get half a vote each.

    There are about half the square of the number of labels classifiers, each of which sees the rows
    of its two labels only: for hundreds of labels and more, another method is due. Votes are summed
    label by label, so that predicting takes memory for a few arrays of shape (n_samples, n_labels).

    References
    ----------
    .. [1] J. Fürnkranz, E. Hüllermeier, E. Loza Mencía, K. Brinker, "Multilabel classification via
       calibrated label ranking", Machine Learning 73(2), 2008.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import CalibratedLabelRanking
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = CalibratedLabelRanking(LogisticRegression(max_iter=1000)).fit(X, Y)
    >>> model.decision_function(X).shape
    (200, 4)
    """

    _accept_sparse_target = True
    _decision_params = ("voting",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "voting": [StrOptions({"labels", "proba"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        voting: Literal["labels", "proba"] = "labels",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.voting = voting
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _offers(self, name: str) -> bool:
        return name == "decision_function"  # votes, whatever the estimator's scores are

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit a classifier per pair of labels, and one per label.

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
            If the estimator cannot give the votes asked for.
        """
        X, Y = self._check_fit(X, y)
        params = self._route_params(params, sample_weight)
        n_labels = Y.shape[1]
        seeds: Iterable = [None] * n_labels
        if self.random_state is not None:
            seeds = check_random_state(self.random_state).randint(MAX_SEED, size=n_labels)
        fitted = self._parallel()(
            delayed(_fit_comparisons)(self.estimator, X, Y, label, params, seed)
            for label, seed in enumerate(seeds)
        )
        self.virtual_estimators_ = [virtual for virtual, _ in fitted]
        self.pair_estimators_ = [pairs for _, pairs in fitted]
        return self._decide()

    def _parallel(self, **kwargs: Any) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose), **kwargs)

    def _refit_decision(self) -> None:
        check_voting(self.voting, self.estimator)

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        self._check_decision()
        n_labels = len(self.virtual_estimators_)
        votes, virtual_votes = np.zeros((_num_samples(X), n_labels)), 0.0
        wins_of = self._parallel(return_as="generator")(
            delayed(_wins)([virtual, *pairs], X, self.voting)
            for virtual, pairs in zip(self.virtual_estimators_, self.pair_estimators_, strict=True)
        )
        for label, wins in enumerate(wins_of):
            votes[:, label] += wins.sum(axis=1)
            virtual_votes = virtual_votes + (1 - wins[:, 0])
            votes[:, label + 1 :] += 1 - wins[:, 1:]
        return (votes - np.asarray(virtual_votes)[:, np.newaxis]) / n_labels

    def _predict_labels(self, X: Any) -> Indicator:
        return (self._label_decision(X) >= 0).astype(np.int8)


def _fit_comparisons(
    estimator: BaseEstimator, X: Any, Y: Indicator, label: int, params: dict[str, Any], seed: Any
) -> tuple[BaseEstimator, list[BaseEstimator | float]]:
    """Fit the comparisons of a label with the virtual one, and with those after it."""
    rng = None if seed is None else np.random.RandomState(seed)
    y = label_column(Y, label)
    pairs: list[BaseEstimator | float] = []
    with one_blas_thread():
        virtual = fit_on_rows(clone_with_seed(estimator, rng), X, y, None, params)
        for other in range(label + 1, Y.shape[1]):
            rows = np.flatnonzero(y != label_column(Y, other))
            values = np.unique(y[rows])
            if len(values) == 2:
                pairs.append(fit_on_rows(clone_with_seed(estimator, rng), X, y, rows, params))
            else:
                pairs.append(float(values[0]) if len(values) else NO_ROW)
    return virtual, pairs


def _wins(comparisons: list[BaseEstimator | float], X: Any, voting: str) -> NDArray[np.float64]:
    """Return the votes for the first side of each comparison, of shape (n_samples, n)."""
    wins = np.empty((_num_samples(X), len(comparisons)))
    with one_blas_thread():
        for k, comparison in enumerate(comparisons):
            if isinstance(comparison, float):
                wins[:, k] = comparison
            elif voting == "labels":
                wins[:, k] = comparison.predict(X)
            else:
                positive = list(comparison.classes_).index(1)
                wins[:, k] = comparison.predict_proba(X)[:, positive]
    return wins
