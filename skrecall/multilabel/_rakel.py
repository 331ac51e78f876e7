"""Label powersets of small random sets of labels.

References
----------
.. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Random k-labelsets for multilabel classification",
   IEEE Transactions on Knowledge and Data Engineering 23(7), 2011.
"""

import math
import warnings
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skrecall.label_space import random_label_subsets, random_partition
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _num_samples,
)

from ._base import BaseLabelMetaEstimator
from ._label_set_model import LabelSetModel, as_dense_or_csc, fit_label_sets
from ._members import check_voting


class _BaseRAkEL(DecisionMixin, BaseLabelMetaEstimator):
    """One label powerset per set of labels; a subclass draws the sets."""

    _accept_sparse_target = True

    estimator: Any
    labelset_size: int
    n_jobs: int | None
    random_state: Any
    verbose: int

    def _draw(self, n_labels: int, rng: np.random.RandomState) -> list[NDArray[np.intp]]:
        raise NotImplementedError

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Draw the sets of labels and fit a classifier of label sets on each.

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
            If more sets are asked for than there are, or votes that the estimator cannot give.
        """
        X, Y = self._check_fit(X, y)
        params = self._route_params(params, sample_weight)
        rng = check_random_state(self.random_state)
        n_labels = Y.shape[1]
        parts = self._draw(n_labels, rng) if n_labels else []
        seeds = rng.randint(MAX_SEED, size=len(parts))
        self._models: list[LabelSetModel] = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(fit_label_sets)(clone_with_seed(self.estimator, seed), X, Y[:, part], params)
            for seed, part in zip(seeds, parts, strict=True)
        )
        self.estimators_ = [model.estimator for model in self._models]
        self._parts = parts
        self.labelsets_ = [self._varying[part] for part in parts]
        drawn = np.concatenate([np.zeros(0, dtype=np.intp), *parts])
        self._n_appearances = np.bincount(drawn, minlength=n_labels)
        return self._decide()

    def _refit_decision(self) -> None:
        """Nothing is decided after fit, unless by vote."""

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the mean of the marginals; 0 for a label in no set."""
        total = np.zeros((_num_samples(X), len(self._n_appearances)))
        for part, model in zip(self._parts, self._models, strict=True):
            total[:, part] += model.marginals(X)
        return total / np.maximum(self._n_appearances, 1)

    def _predict_labels(self, X: Any) -> Indicator:
        """Return the labels that half or more of the models of each predict."""
        self._check_decision()
        n_samples, n_labels = _num_samples(X), len(self._n_appearances)
        rows, columns = [], []
        for part, model in zip(self._parts, self._models, strict=True):
            predicted = csr_array(model.most_probable(X)).tocoo()
            rows.append(predicted.row)
            columns.append(part[predicted.col])
        ones = np.ones(sum(map(len, rows)), dtype=np.int32)
        places = (np.concatenate(rows), np.concatenate(columns))
        votes = csc_array((ones, places), shape=(n_samples, n_labels))
        votes.sum_duplicates()  # the constructor of scipy 1.13 leaves that out
        of_column = np.repeat(self._n_appearances, np.diff(votes.indptr))
        votes.data = (2 * votes.data >= of_column).astype(np.int8)
        votes.eliminate_zeros()
        return as_dense_or_csc(votes, sparse=self._container.is_sparse)


class RAkELDisjoint(_BaseRAkEL):
    """Part the labels at random and fit a label powerset on each part [1]_.

    Parameters
    ----------
    estimator : estimator
        A multi-class classifier, such as a `Pipeline` of imbalanced-learn.
    labelset_size : int, default=3
        Labels per part; the last part may have fewer. With all labels in one part this is
        `LabelPowerset`.
    n_jobs : int, default=None
        Number of parts to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws the parts, and seeds every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    labelsets_ : list of ndarray of int
        Indices of the labels of each part, constant labels left out.
    estimators_ : list of estimator
        One fitted classifier per part.
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
    RAkELOverlapping : Overlapping sets, which vote.

    Notes
    -----
    `predict` joins the most probable label sets of the parts; `predict_proba` gives the probability
    of each label, the sum over the label sets of its part that carry it.

    References
    ----------
    .. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Random k-labelsets for multilabel
       classification", IEEE Transactions on Knowledge and Data Engineering 23(7), 2011.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.multilabel import RAkELDisjoint
    >>> X, Y = make_multilabel_classification(200, n_classes=7, random_state=0)
    >>> model = RAkELDisjoint(DecisionTreeClassifier(), random_state=0).fit(X, Y)
    >>> [len(labels) for labels in model.labelsets_]
    [3, 3, 1]
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "labelset_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        labelset_size: int = 3,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.labelset_size = labelset_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _draw(self, n_labels: int, rng: np.random.RandomState) -> list[NDArray[np.intp]]:
        return random_partition(n_labels, self.labelset_size, random_state=rng)


class RAkELOverlapping(_BaseRAkEL):
    """Draw overlapping sets of labels, fit a label powerset on each, and let them vote [1]_.

    Parameters
    ----------
    estimator : estimator
        A multi-class classifier, such as a `Pipeline` of imbalanced-learn.
    labelset_size : int, default=3
        Labels per set. At the number of labels or above this is `LabelPowerset`.
    n_models : int or None, default=None
        Number of different sets; None means twice the number of labels, or all sets there are.
    voting : {"labels", "proba"}, default="labels"
        "labels": a label is predicted if half or more of the models with that label predict it, as
        in [1]_. "proba": if the mean of their probabilities is one half or more.
    n_jobs : int, default=None
        Number of sets to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws the sets, and seeds every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    labelsets_ : list of ndarray of int
        Indices of the labels of each set, constant labels left out.
    estimators_ : list of estimator
        One fitted classifier per set.
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
    RAkELDisjoint : Each label in one set.
    LabelPowerset : All labels in one set.

    Notes
    -----
    `predict_proba` gives the mean, over the sets with the label, of its probability, whatever
    `voting` is. The sets are drawn such that every label is in one, where there are enough of them;
    a label in none is named in a warning and never predicted. If labels are constant in a fold,
    fewer sets may exist than `n_models`: all of them are then fitted. One set of all labels is
    fitted once, whatever `n_models` is.

    References
    ----------
    .. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Random k-labelsets for multilabel
       classification", IEEE Transactions on Knowledge and Data Engineering 23(7), 2011.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.multilabel import RAkELOverlapping
    >>> X, Y = make_multilabel_classification(200, n_classes=6, random_state=0)
    >>> model = RAkELOverlapping(DecisionTreeClassifier(), random_state=0).fit(X, Y)
    >>> len(model.labelsets_)
    12
    """

    _decision_params = ("voting",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "labelset_size": [Interval(Integral, 1, None, closed="left")],
        "n_models": [Interval(Integral, 1, None, closed="left"), None],
        "voting": [StrOptions({"labels", "proba"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        labelset_size: int = 3,
        n_models: int | None = None,
        voting: Literal["labels", "proba"] = "labels",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.labelset_size = labelset_size
        self.n_models = n_models
        self.voting = voting
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _draw(self, n_labels: int, rng: np.random.RandomState) -> list[NDArray[np.intp]]:
        n_given, size = len(self.constant_), self.labelset_size
        n_possible = math.comb(n_given, size)
        if self.n_models is not None and self.n_models > n_possible > 1:
            raise ValueError(
                f"n_models={self.n_models}, and there are {n_possible} sets of {size} of {n_given} "
                "labels: ask for that many at most, or leave n_models=None."
            )
        size = min(size, n_labels)
        n_models = 2 * n_labels if self.n_models is None else self.n_models
        n_models = min(n_models, math.comb(n_labels, size))
        parts = random_label_subsets(
            n_labels, size, n_models, cover=n_models * size >= n_labels, random_state=rng
        )
        missing = self._varying[np.setdiff1d(np.arange(n_labels), np.concatenate(parts))]
        if len(missing):
            names = self._container.label_names
            warnings.warn(
                f"Labels {(missing if names is None else names[missing]).tolist()} are in none of "
                f"the {n_models} sets of {size} and are never predicted: "
                f"{math.ceil(n_labels / size)} sets or more cover all labels.",
                stacklevel=4,
            )
        return parts

    def _refit_decision(self) -> None:
        check_voting(self.voting, self.estimator)

    def _predict_labels(self, X: Any) -> Indicator:
        if self.voting == "labels":
            return super()._predict_labels(X)
        self._check_decision()
        return (self._label_proba(X) >= 0.5).astype(np.int8)
