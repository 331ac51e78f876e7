"""Probabilities put back to the prior of the population, after resampling or class weights.

A classifier trained at prior q that meets samples of prior p, the densities within each class being
the same, gives the right odds times q over p. Multiplying by p / q and dividing by the sum is exact
[1]_ [2]_.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import indexable

from skrecall.utils._checks import check_training_labels, check_weights
from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._row_metadata import refuse_params_of_scores
from skrecall.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

from ._base import BaseWrappingClassifier
from ._promise import plain_label
from ._training_prior import (
    chain,
    check_densities_kept,
    check_prior_seen,
    classifier_of,
    insert_recorders,
    remove_recorders,
    weight_of_classifier,
    weighted_prior,
)

Prior = float | Mapping[Any, float] | ArrayLike | str


def correct_prior(
    probability: NDArray[np.float64],
    *,
    training_prior: NDArray[np.float64],
    target_prior: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Move class probabilities from one prior to another.

    Parameters
    ----------
    probability : ndarray of shape (n_samples, n_classes)
        Probabilities under `training_prior`; rows sum to 1.
    training_prior, target_prior : ndarray of shape (n_classes,)
        Positive, and sum to 1.

    Returns
    -------
    probability : ndarray of shape (n_samples, n_classes)
        Probabilities under `target_prior`; rows sum to 1.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.
    .. [2] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
       priori probabilities: a simple procedure", Neural Computation 14(1), 2002.
    """
    moved = probability * (target_prior / training_prior)
    return moved / moved.sum(axis=1, keepdims=True)


def check_prior(prior: Prior, classes: NDArray, *, name: str) -> NDArray[np.float64]:
    """Return one positive share per class.

    Parameters
    ----------
    prior : float, mapping, array-like of shape (n_classes,) or "balanced"
        A float is the share of the second of two classes; a mapping goes by label.
    classes : ndarray of shape (n_classes,)
        Labels.
    name : str
        What the message calls it.

    Returns
    -------
    prior : ndarray of shape (n_classes,)
        Sums to 1.

    Raises
    ------
    ValueError
        If there are more or fewer shares than classes, one is not positive, or they do not sum to
        one.
    """
    n_classes = len(classes)
    if isinstance(prior, str):
        return np.full(n_classes, 1 / n_classes)
    if isinstance(prior, Real):
        shares = np.array([1 - float(prior), float(prior)])
    elif isinstance(prior, Mapping):
        known = set(prior) == set(classes.tolist())
        shares = np.array([prior[label] for label in classes.tolist()] if known else [])
    else:
        shares = np.asarray(prior, dtype=np.float64)
    if shares.shape != (n_classes,) or not np.all(shares > 0) or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            f"{name}={prior!r} is not one positive share, the sum being 1, for each of the classes "
            f"{classes.tolist()}: pass an array in this order, a dict by label, 'balanced', or of "
            "two classes the share of the second."
        )
    return shares / shares.sum()


class PriorCorrectedClassifier(BaseWrappingClassifier):
    """Classifier whose probabilities are undone of the shift that resampling causes.

    A sampler, or a class weight, makes a rare class look frequent, and the probabilities of a model
    trained on it are too high by just that factor: ranking is not harmed, but every threshold, cost
    and average on them is. This wraps the whole Pipeline, sees which class frequencies reach its
    last step, and puts the probabilities back to the frequencies of `y`.

    Exact where sampling kept the distribution of the samples within each class, as random over- and
    under-sampling and class weights do; SMOTE, SMOTENC, SMOTEN and a smoothed bootstrap keep it
    approximately, as they fill the space between neighbours of a class. Samplers that choose or
    make samples by where classes meet (NearMiss, edited and condensed neighbours, Tomek links,
    instance hardness, cluster centroids, borderline SMOTE, SVM-SMOTE, k-means SMOTE, ADASYN and
    combinations), and samplers that are not known here, are refused.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba`: a Pipeline with its samplers, a search over one, or one
        with `class_weight`.
    target_prior : float, dict, array-like of shape (n_classes,) or "balanced", default=None
        Class frequencies where the classifier will be used: a dict by label, an array in the order
        of `classes_`, or of two classes the share of the second. None: those of the `y` given to
        `fit`, counted with `sample_weight` where given.
    training_prior : float, dict, array-like of shape (n_classes,) or "balanced", default=None
        Class frequencies that the classifier was trained on. None: as seen by the last step of the
        Pipeline, times its `class_weight`. To be stated for a FrozenEstimator, and for ensembles
        that resample inside, such as BalancedRandomForestClassifier.
    allow_density_change : bool, default=False
        Correct the prior alone where a sampler also changes the distribution within a class.
    random_state : int, RandomState instance or None, default=None
        Seeds what the estimator leaves unseeded.

    Attributes
    ----------
    training_prior_ : ndarray of shape (n_classes,)
        Class frequencies that the classifier was trained on.
    target_prior_ : ndarray of shape (n_classes,)
        Class frequencies that its probabilities are put back to.
    estimator_ : estimator
        The fitted estimator; its own probabilities are not corrected.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen by the estimator inside.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where it saw some.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.
    .. [2] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
       priori probabilities: a simple procedure", Neural Computation 14(1), 2002.

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from imblearn.under_sampling import RandomUnderSampler
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.threshold import PriorCorrectedClassifier
    >>> X, y = make_classification(n_samples=4000, weights=[0.95], flip_y=0, random_state=0)
    >>> model = make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression())
    >>> clf = PriorCorrectedClassifier(model).fit(X, y)
    >>> print(f"{model.fit(X, y).predict_proba(X)[:, 1].mean():.3f}")
    0.214
    >>> print(f"{clf.predict_proba(X)[:, 1].mean():.3f}, truth {y.mean():.3f}")
    0.046, truth 0.050
    """

    _decision_params = ("target_prior",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "target_prior": [
            Interval(Real, 0, 1, closed="neither"),
            dict,
            "array-like",
            StrOptions({"balanced"}),
            None,
        ],
        "training_prior": [
            Interval(Real, 0, 1, closed="neither"),
            dict,
            "array-like",
            StrOptions({"balanced"}),
            None,
        ],
        "allow_density_change": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        target_prior: Prior | None = None,
        training_prior: Prior | None = None,
        allow_density_change: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.target_prior = target_prior
        self.training_prior = training_prior
        self.allow_density_change = allow_density_change
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Fit the estimator, and see which class frequencies it was trained on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like of shape (n_samples,)
            Labels, in the frequencies of the population unless `target_prior` states others.
        **params : dict
            Parameters of the estimator's `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If a sampler changes the distribution within a class, the training prior cannot be
            seen, or a stated prior does not fit the classes.
        """
        X, y = indexable(X, y)
        y = check_training_labels(y)
        classes, code = np.unique(y, return_inverse=True)
        if len(classes) == 1:
            raise ValueError(
                f"y holds one class only, {plain_label(classes[0])!r}, in {len(y)} samples: a "
                "classifier needs two."
            )
        weight = check_weights(weight_of_classifier(self.estimator, params), y)
        counts = np.bincount(code, weights=weight)
        if not np.all(counts > 0):
            raise ValueError(
                f"Classes {classes.tolist()} have a total sample_weight of {counts.tolist()}: a "
                "prior needs some of each."
            )
        self._check_estimator(self.estimator)
        stated = self.training_prior
        if stated is not None:
            training_prior = check_prior(stated, classes, name="training_prior")
        fit_params = self._route_fit_params(params, {})
        refuse_params_of_scores(self.estimator, X, fit_params)
        estimator = self.estimator
        if not self._is_prefit():
            estimator = clone_with_seed(estimator, self.random_state)
            if stated is None:
                insert_recorders(estimator)
            estimator.fit(X, y, **fit_params)
        _check_classes(estimator, classes)
        for part in chain(estimator, fitted=True):
            self._check_estimator(part)
        if stated is None:
            unweighted = np.bincount(code)
            seen = remove_recorders(estimator, unweighted)
            training_prior = weighted_prior(
                classifier_of(estimator, fitted=True),
                classes,
                counts if np.array_equal(seen, unweighted) else seen,
                weighted=weight is not None,
            )
        self.estimator_, self.classes_ = estimator, classes
        self.training_prior_ = training_prior
        self._prior_of_y = counts / counts.sum()
        return self._decide()

    def _check_estimator(self, estimator: BaseEstimator) -> None:
        if not self.allow_density_change:
            check_densities_kept(estimator)
        if self.training_prior is None:
            check_prior_seen(estimator)

    def _refit_decision(self) -> None:
        self.target_prior_ = (
            self._prior_of_y
            if self.target_prior is None
            else check_prior(self.target_prior, self.classes_, name="target_prior")
        )

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities under the target prior.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Raises
        ------
        ValueError
            If a probability of the estimator is NaN or infinite.
        """
        self._check_decision()
        probability = np.asarray(self.estimator_.predict_proba(X), dtype=np.float64)
        if not np.isfinite(probability).all():
            raise ValueError(
                f"{type(self.estimator_).__name__} gave {np.sum(~np.isfinite(probability))} "
                f"probabilities that are NaN or infinite in {len(probability)} samples: no prior "
                "can be moved there. Mend the estimator, or leave these samples out."
            )
        return correct_prior(
            probability,
            training_prior=self.training_prior_,
            target_prior=self.target_prior_,
        )

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Minus infinity where a probability is zero.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class under the target prior.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels.
        """
        probability = self.predict_proba(X)
        return self.classes_[np.argmax(probability, axis=1)]


def _check_classes(estimator: BaseEstimator, classes: NDArray) -> None:
    trained = np.asarray(estimator.classes_)
    if not np.array_equal(trained, classes):
        raise ValueError(
            f"The estimator was trained on classes {trained.tolist()}, but y holds "
            f"{classes.tolist()}: a prior can be moved between the same classes only."
        )
