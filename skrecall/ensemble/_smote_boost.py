"""Boosting in which every round over-samples anew.

References
----------
.. [1] N. V. Chawla, A. Lazarevic, L. O. Hall, K. W. Bowyer, "SMOTEBoost: improving prediction of
   the minority class in boosting", PKDD 2003.
.. [2] Y. Freund, R. E. Schapire, "A decision-theoretic generalization of on-line learning and an
   application to boosting", Journal of Computer and System Sciences 55(1), 1997.
"""

from numbers import Integral
from typing import Any, Self

import numpy as np
from imblearn.over_sampling import SMOTE
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.validation import has_fit_parameter

from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._sklearn import HasMethods, Interval, _fit_context, _num_samples, _safe_indexing

from ._resampled import BaseResampledEnsemble, rarest_size, resample, sampler_for

_CHANCE = 0.5 - 1e-9  # sums of one half round to less
_LEAST_LOSS = 1e-10  # of a member without any; its vote then outweighs those before it


def boost_round(
    mislabel: NDArray[np.float64], proba: NDArray, code: NDArray[np.intp]
) -> tuple[NDArray[np.float64], float]:
    """Weigh the mislabels by how far a member believes them, the step of AdaBoost.M2.

    Parameters
    ----------
    mislabel : ndarray of shape (n_samples, n_classes)
        The distribution over pairs of a row and a wrong class; 0 for the right one.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities of the member.
    code : ndarray of shape (n_samples,)
        The right class of each row.

    Returns
    -------
    mislabel : ndarray of shape (n_samples, n_classes)
        The next distribution; the same where the loss is 0 or at least one half.
    loss : float
        The pseudo-loss, between 0 and 1; one half by chance.
    """
    p_true = proba[np.arange(len(code)), code]
    agreement = (1 + p_true[:, np.newaxis] - proba) / 2
    loss = float(np.sum(mislabel * (1 - agreement)))
    if 0 < loss < _CHANCE:
        mislabel = mislabel * (loss / (1 - loss)) ** agreement
        mislabel /= mislabel.sum()
    return mislabel, loss


class SMOTEBoostClassifier(BaseResampledEnsemble):
    """Boost a classifier on rows that are over-sampled anew in every round [1]_.

    The boosting rule is AdaBoost.M2 [2]_, that of the paper: a distribution over pairs of a row and
    a wrong class, which moves to the pairs that a member believes by its probabilities. Before each
    fit a sampler adds rows, synthetic ones by default; they are forgotten after it, and the loss is
    measured on the rows of `fit` alone.

    Parameters
    ----------
    estimator : estimator, default=None
        A classifier with `predict_proba` whose `fit` takes `sample_weight`; None is a
        `DecisionTreeClassifier` of depth 3.
    sampler : sampler, default=None
        None is `SMOTE` with 5 neighbours, or one less than the rows of the rarest class where that
        has fewer. Any sampler that tells where its rows come from, which
        `skrecall.resampling.MetadataPipeline` lists; on images, one of tables is put into
        `ArraySampler`.
    n_estimators : int, default=50
        Number of rounds, at most.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clones of the sampler and the estimator that is None.
    verbose : int, default=0
        Whether to print the time of each fit.

    Attributes
    ----------
    estimators_ : list of estimators
        The members; fewer than `n_estimators` if one had no loss, or one was no better than chance.
    estimator_weights_ : ndarray of shape (n_members,)
        log(1 / beta) of each, beta = loss / (1 - loss).
    estimator_errors_ : ndarray of shape (n_members,)
        The pseudo-loss of each.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`; of images, the number of values.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    imblearn.ensemble.RUSBoostClassifier : Under-samples in every round, by the rule SAMME.
    sklearn.ensemble.AdaBoostClassifier : SAMME, without a sampler.

    Notes
    -----
    A member is fitted with one weight per row, the sum over its wrong classes. A synthetic row has
    the mean weight of the two that it lies between, on which the paper is silent; all weights are
    then scaled to mean 1, so that penalties keep their meaning. With two classes the pseudo-loss is
    the mean of 1 - p, p being the probability of the true class.

    The default is a tree of depth 3 and no stump: the probabilities of a stump differ little from
    one half, and fifty rounds of M2 are then far from enough.

    `predict_proba` is the mean of the members' probabilities, weighted by `estimator_weights_`; its
    greatest column is the answer of the paper. It ranks, but is no frequency.

    `sample_weight` is the distribution that boosting starts from; rows of weight zero are left out.

    References
    ----------
    .. [1] N. V. Chawla, A. Lazarevic, L. O. Hall, K. W. Bowyer, "SMOTEBoost: improving
       prediction of the minority class in boosting", PKDD 2003.
    .. [2] Y. Freund, R. E. Schapire, "A decision-theoretic generalization of on-line learning and
       an application to boosting", Journal of Computer and System Sciences 55(1), 1997.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.metrics import recall_score
    >>> from skrecall.ensemble import SMOTEBoostClassifier
    >>> X, y = make_classification(1000, weights=[0.9], flip_y=0.01, random_state=0)
    >>> model = SMOTEBoostClassifier(n_estimators=20, random_state=0).fit(X, y)
    >>> bool(recall_score(y, model.predict(X)) > 0.9)
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "sampler": [HasMethods("fit_resample"), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        sampler: Any = None,
        n_estimators: int = 50,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.n_estimators = n_estimators
        self.random_state = random_state
        self.verbose = verbose

    def _default_estimator(self) -> BaseEstimator:
        return DecisionTreeClassifier(max_depth=3)

    def _default_sampler(self) -> Any:
        return SMOTE()

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the members one after the other.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator and the sampler take them.
        y : array-like of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples before the first round.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If y holds one class, the estimator takes no weights or has no probabilities, the
            sampler does not tell where its rows come from, or the first member is no better than
            chance.
        """
        X, y, code, rows_of_class = self._check_fit(X, y, sample_weight)
        self._check_proba("boosts by the probabilities of its members")
        if not has_fit_parameter(self._inner, "sample_weight"):
            raise ValueError(
                f"{type(self).__name__} weights rows, and the fit of {type(self._inner).__name__} "
                "takes no sample_weight: use a classifier that does."
            )
        rows = np.sort(np.concatenate(rows_of_class))
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
        if len(rows) < len(y):
            X, y, code, weight = _safe_indexing(X, rows), y[rows], code[rows], weight[rows]
        sampler = self._sampler(X, y, rarest_size(rows_of_class))
        mislabel = np.tile(weight[:, np.newaxis], len(self.classes_))
        mislabel[np.arange(len(y)), code] = 0
        mislabel[:, [len(of_class) == 0 for of_class in rows_of_class]] = 0
        mislabel /= mislabel.sum()
        rng = check_random_state(self.random_state)
        self.estimators_, losses = [], []
        for i in range(self.n_estimators):
            message = f"(member {i + 1} of {self.n_estimators})"
            member = self._fit_sampled(sampler, X, y, mislabel.sum(axis=1), rng, message)
            mislabel, loss = boost_round(mislabel, self._member_proba(member, X), code)
            if loss >= _CHANCE:
                break
            self.estimators_.append(member)
            losses.append(loss)
            if loss <= 0:
                break
        if not losses:
            raise ValueError(
                f"The first {type(self._inner).__name__} is no better than chance, with a "
                f"pseudo-loss of {loss:.3g} on {len(y)} rows, and boosting starts below 0.5: use a "
                "stronger estimator, or a sampler that adds fewer rows."
            )
        self.estimator_errors_ = np.array(losses)
        clipped = np.maximum(self.estimator_errors_, _LEAST_LOSS)
        self.estimator_weights_ = np.log((1 - clipped) / clipped)
        return self

    def _sampler(self, X: Any, y: NDArray, n_rarest: int) -> Any:
        if self.sampler is not None:
            return sampler_for(self.sampler, X)
        if n_rarest == 1:
            values, counts = np.unique(y, return_counts=True)
            raise ValueError(
                f"The class {values[np.argmin(counts)].item()!r} has one row, and SMOTE draws "
                "between two: add rows, or pass sampler=RandomOverSampler()."
            )
        return sampler_for(SMOTE(k_neighbors=min(5, n_rarest - 1)), X)

    def _fit_sampled(
        self,
        sampler: Any,
        X: Any,
        y: NDArray,
        weight: NDArray[np.float64],
        rng: np.random.RandomState,
        message: str,
    ) -> BaseEstimator:
        params = {"sample_weight": weight}
        X, y, params = resample(clone_with_seed(sampler, rng), X, y, params)
        params["sample_weight"] *= len(y) / params["sample_weight"].sum()
        return self._fit_member(X, y, None, params, rng, message)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the weighted mean of the members' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        X = self._check_predict(X)
        total = np.zeros((_num_samples(X), len(self.classes_)))
        for weight, member in zip(self.estimator_weights_, self.estimators_, strict=True):
            total += weight * self._member_proba(member, X)
        return total / self.estimator_weights_.sum()

    def get_metadata_routing(self) -> MetadataRequest:
        """Return what metadata this estimator asks for.

        Returns
        -------
        routing : MetadataRequest
            `sample_weight`; the weights of the members are made here.
        """
        return BaseEstimator.get_metadata_routing(self)
