"""Rows of two Gaussian classes: P(y = 1 | x) is a logistic function that is known."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr
from sklearn.utils import Bunch, check_random_state

from skrecall.utils._sklearn import Interval, validate_params

from ._scores import ScoreDistribution


@dataclass(frozen=True, eq=False)
class GaussianClasses:
    """The population of N(0, I) negatives and N(mean, I) positives.

    Attributes
    ----------
    prevalence : float
        Probability of the positive class.
    mean : ndarray of shape (n_features,)
        Mean of the positives.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.datasets import GaussianClasses
    >>> population = GaussianClasses(prevalence=0.5, mean=np.array([2.0, 0.0]))
    >>> population.proba([[1.0, 5.0], [2.0, 0.0]]).round(2)
    array([0.5 , 0.88])
    """

    prevalence: float
    mean: NDArray[np.float64]

    def proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return P(y = 1 | x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        proba : ndarray of shape (n_samples,)
            What a perfectly calibrated and perfectly specified model would say.
        """
        log_odds = (np.asarray(X) - self.mean / 2) @ self.mean
        return expit(logit(self.prevalence) + log_odds)

    def _scores(self) -> ScoreDistribution:
        return ScoreDistribution(self.prevalence, float(np.linalg.norm(self.mean)))

    def _latent(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the threshold on the projection of x along the mean."""
        distance = np.linalg.norm(self.mean)
        log_odds = logit(np.asarray(threshold, dtype=np.float64)) - logit(self.prevalence)
        return log_odds / distance + distance / 2

    def recall(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the recall of flagging where P(y = 1 | x) is at least a threshold.

        Parameters
        ----------
        threshold : float or array-like, in [0, 1]
            Thresholds on the true probability.

        Returns
        -------
        recall : float or ndarray
            Recall on the population.
        """
        return self._scores().recall(self._latent(threshold))

    def precision(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the precision of flagging where P(y = 1 | x) is at least a threshold.

        Parameters
        ----------
        threshold : float or array-like, in [0, 1]
            Thresholds on the true probability.

        Returns
        -------
        precision : float or ndarray
            Precision on the population; NaN where nothing is flagged.
        """
        return self._scores().precision(self._latent(threshold))

    def linear_recall(self, coef: ArrayLike, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the recall of flagging where ``X @ coef`` is at least a threshold.

        Parameters
        ----------
        coef : array-like of shape (n_features,)
            Coefficients of any linear model, right or wrong.
        threshold : float or array-like
            Thresholds on ``X @ coef``; subtract the intercept of the model first.

        Returns
        -------
        recall : float or ndarray
            Recall on the population.
        """
        coef = np.asarray(coef, dtype=np.float64)
        return ndtr((coef @ self.mean - np.asarray(threshold)) / np.linalg.norm(coef))


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "n_informative": [Interval(Integral, 1, None, closed="left")],
        "prevalence": [Interval(Real, 0, 1, closed="neither")],
        "separation": [Interval(Real, 0, None, closed="neither")],
        "fixed_prevalence": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_imbalanced_classification(
    n_samples: int = 1000,
    *,
    n_features: int = 10,
    n_informative: int = 5,
    prevalence: float = 0.05,
    separation: float = 2.0,
    fixed_prevalence: bool = False,
    random_state: int | RandomState | None = None,
) -> Bunch:
    """Draw rows of a rare and a common class where P(y = 1 | x) is known.

    Negatives are N(0, I) and positives N(mean, I), so that the true probability is a logistic
    function of the features and the true rates of any linear model are closed forms.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=10
        Number of features.
    n_informative : int, default=5
        Features whose mean differs between the classes; they come first, the others are noise.
    prevalence : float in (0, 1), default=0.05
        Probability of the positive class.
    separation : float, default=2.0
        Distance between the class means, in standard deviations.
    fixed_prevalence : bool, default=False
        True draws exactly ``round(prevalence * n_samples)`` positives, at least one; False draws
        each class at random.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    data : Bunch
        With attributes

        X : ndarray of shape (n_samples, n_features)
            Rows.
        y : ndarray of shape (n_samples,)
            1 for positive rows, else 0.
        proba : ndarray of shape (n_samples,)
            P(y = 1 | x) of these rows.
        distribution : GaussianClasses
            The population.
        true_proba : callable
            P(y = 1 | x) of any rows.
        true_recall, true_precision : callable
            Functions of a threshold on the true probability.

    Raises
    ------
    ValueError
        If `n_informative` exceeds `n_features`.

    Examples
    --------
    >>> from skrecall.datasets import make_imbalanced_classification
    >>> data = make_imbalanced_classification(500, prevalence=0.1, random_state=0)
    >>> data.X.shape, data.true_recall(0.1).round(2)
    ((500, 10), np.float64(0.84))
    """
    if n_informative > n_features:
        raise ValueError(
            f"n_informative={n_informative} exceeds n_features={n_features}: lower the first or "
            "raise the second."
        )
    rng = check_random_state(random_state)
    mean = np.zeros(n_features)
    mean[:n_informative] = separation / np.sqrt(n_informative)
    population = GaussianClasses(prevalence, mean)
    if fixed_prevalence:
        y = np.zeros(n_samples, dtype=np.int64)
        y[rng.permutation(n_samples)[: max(1, round(prevalence * n_samples))]] = 1
    else:
        y = (rng.random_sample(n_samples) < prevalence).astype(np.int64)
    X = rng.standard_normal((n_samples, n_features)) + y[:, None] * mean
    return Bunch(
        X=X,
        y=y,
        proba=population.proba(X),
        distribution=population,
        true_proba=population.proba,
        true_recall=population.recall,
        true_precision=population.precision,
    )
