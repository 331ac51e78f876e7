"""Scores whose recall and precision are known at every threshold, for simulations.

Latent scores are normal, N(0, 1) for negatives and N(separation, 1) for positives; rows of one
group share a part of their noise. Recall and precision follow in closed form, whatever the rounding
and the range that the scores are then given.
"""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr
from sklearn.utils import Bunch, check_random_state

from skrecall.utils._sklearn import Interval, validate_params

# Integrates over the noise a group shares; the trapezoid rule is exact to rounding up to a
# correlation of 0.999, where the integrand varies over 0.03.
_SHARED_NOISE = np.linspace(-8, 8, 2001)
_SHARED_DENSITY = np.exp(-(_SHARED_NOISE**2) / 2) / np.exp(-(_SHARED_NOISE**2) / 2).sum()


@dataclass(frozen=True)
class ScoreDistribution:
    """The population that scores are drawn from.

    Attributes
    ----------
    prevalence : float
        Probability of the positive class.
    separation : float
        Distance of the class means of the latent score, in standard deviations.
    max_score : float or None, default=None
        Upper end of the range of the scores; None leaves the latent score as it is.
    decimals : int or None, default=None
        Decimals that scores are rounded to; None does not round.
    group_size : int, default=1
        Rows of one group.
    group_correlation : float, default=0.0
        Correlation of the latent scores of two rows of one group, given the class.

    Examples
    --------
    >>> from skrecall.datasets import ScoreDistribution
    >>> population = ScoreDistribution(prevalence=0.1, separation=2.0)
    >>> population.recall(2.0), population.precision(2.0).round(2)
    (np.float64(0.5), np.float64(0.71))
    """

    prevalence: float
    separation: float
    max_score: float | None = None
    decimals: int | None = None
    group_size: int = 1
    group_correlation: float = 0.0

    def score(self, latent: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores of latent scores.

        Parameters
        ----------
        latent : ndarray
            Latent scores.

        Returns
        -------
        y_score : ndarray
            Of the same shape.
        """
        y_score = latent
        if self.max_score is not None:
            y_score = self.max_score * expit(latent - self.separation)
        if self.decimals is not None:
            steps = 10.0**self.decimals
            y_score = np.rint(y_score * steps) / steps
        return y_score

    def latent_cut(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the latent score from which on samples are flagged at a threshold.

        Parameters
        ----------
        threshold : float or array-like
            Thresholds on the scores.

        Returns
        -------
        cut : ndarray
            ``score(latent) >= threshold`` where ``latent >= cut``; infinite where all or none are
            flagged.
        """
        cut = np.asarray(threshold, dtype=np.float64)
        if self.decimals is not None:
            steps = 10.0**self.decimals
            step = np.rint(cut * steps)  # of the lowest rounded score at or above the threshold
            step = step + (step / steps < cut)
            cut = (step - 0.5) / steps
        if self.max_score is not None:
            cut = logit(np.clip(cut / self.max_score, 0, 1)) + self.separation
        return cut

    def recall(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that a positive row is flagged.

        Parameters
        ----------
        threshold : float or array-like
            Rows are flagged when ``y_score >= threshold``.

        Returns
        -------
        recall : float or ndarray
            Recall on the population.
        """
        return ndtr(self.separation - self.latent_cut(threshold))

    def false_positive_rate(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that a negative row is flagged.

        Parameters
        ----------
        threshold : float or array-like
            Rows are flagged when ``y_score >= threshold``.

        Returns
        -------
        rate : float or ndarray
            False positive rate on the population.
        """
        return ndtr(-self.latent_cut(threshold))

    def precision(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that a flagged row is positive.

        Parameters
        ----------
        threshold : float or array-like
            Rows are flagged when ``y_score >= threshold``.

        Returns
        -------
        precision : float or ndarray
            Precision on the population; NaN where nothing is flagged.
        """
        correct = self.prevalence * self.recall(threshold)
        false = (1 - self.prevalence) * self.false_positive_rate(threshold)
        with np.errstate(invalid="ignore"):
            return np.true_divide(correct, correct + false)

    def alerts_per_1000(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the expected number of flagged rows in 1000.

        Parameters
        ----------
        threshold : float or array-like
            Rows are flagged when ``y_score >= threshold``.

        Returns
        -------
        alerts : float or ndarray
            Alerts per 1000 rows of the population.
        """
        correct = self.prevalence * self.recall(threshold)
        return 1000 * (correct + (1 - self.prevalence) * self.false_positive_rate(threshold))

    def group_recall(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that a positive group has a flagged row.

        Parameters
        ----------
        threshold : float or array-like
            Rows are flagged when ``y_score >= threshold``.

        Returns
        -------
        recall : float or ndarray
            Recall on the population of groups.
        """
        cut = np.asarray(self.latent_cut(threshold) - self.separation)
        shared = np.sqrt(self.group_correlation) * _SHARED_NOISE
        below = ndtr((cut[..., None] - shared) / np.sqrt(1 - self.group_correlation))
        return 1 - below**self.group_size @ _SHARED_DENSITY


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "prevalence": [Interval(Real, 0, 1, closed="neither")],
        "separation": [Interval(Real, 0, None, closed="left")],
        "max_score": [Interval(Real, 0, None, closed="neither"), None],
        "decimals": [Interval(Integral, 0, 12, closed="both"), None],
        "group_size": [Interval(Integral, 1, None, closed="left")],
        "group_correlation": [Interval(Real, 0, 0.999, closed="both")],
        "fixed_prevalence": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_imbalanced_scores(
    n_samples: int = 10_000,
    *,
    prevalence: float = 0.05,
    separation: float = 2.0,
    max_score: float | None = None,
    decimals: int | None = None,
    group_size: int = 1,
    group_correlation: float = 0.0,
    fixed_prevalence: bool = False,
    random_state: int | RandomState | None = None,
) -> Bunch:
    """Draw scores whose recall and precision are known at every threshold.

    The latent score is N(0, 1) for negatives and N(`separation`, 1) for positives. Labels belong to
    groups: all rows of a group share its class and a part of their noise.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of rows, a multiple of `group_size`.
    prevalence : float in (0, 1), default=0.05
        Probability of the positive class.
    separation : float, default=2.0
        Distance of the class means of the latent score, in standard deviations; 0 is pure noise.
    max_score : float, default=None
        Squeezes the scores into (0, `max_score`) with a logistic curve, a typical positive at its
        half: 0.1 imitates the probabilities of a rare class. None keeps the latent score.
    decimals : int, default=None
        Rounds the scores, which ties them; None does not round.
    group_size : int, default=1
        Rows of one group, such as the scans of one patient.
    group_correlation : float in [0, 0.999], default=0.0
        Correlation of the latent scores of two rows of one group, given the class.
    fixed_prevalence : bool, default=False
        True draws exactly ``round(prevalence * n_groups)`` positive groups, at least one; False
        draws the class of each group at random.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    scores : Bunch
        With attributes

        y : ndarray of shape (n_samples,)
            1 for positive rows, else 0.
        y_score : ndarray of shape (n_samples,)
            Scores.
        groups : ndarray of shape (n_samples,)
            Number of the group of each row.
        distribution : ScoreDistribution
            The population, with all its rates.
        true_recall, true_precision, true_group_recall : callable
            Functions of a threshold, or an array of thresholds, for ``y_score >= threshold``: the
            rates of rows, and the share of positive groups with a flagged row.

    Raises
    ------
    ValueError
        If `n_samples` is not a multiple of `group_size`.

    Examples
    --------
    >>> from skrecall.datasets import make_imbalanced_scores
    >>> scores = make_imbalanced_scores(1000, prevalence=0.1, random_state=0)
    >>> print(scores.true_recall(2.0), scores.true_precision(2.0).round(2))
    0.5 0.71
    """
    if n_samples % group_size:
        raise ValueError(
            f"n_samples={n_samples} rows cannot be shared out to groups of group_size={group_size}:"
            f" take {n_samples - n_samples % group_size or group_size} rows."
        )
    rng = check_random_state(random_state)
    population = ScoreDistribution(
        prevalence, separation, max_score, decimals, group_size, group_correlation
    )
    n_groups = n_samples // group_size
    if fixed_prevalence:
        y_group = np.zeros(n_groups, dtype=np.int64)
        y_group[rng.permutation(n_groups)[: max(1, round(prevalence * n_groups))]] = 1
    else:
        y_group = (rng.random_sample(n_groups) < prevalence).astype(np.int64)
    y = np.repeat(y_group, group_size)
    latent = np.sqrt(1 - group_correlation) * rng.standard_normal(n_samples)
    if group_correlation > 0:
        shared = np.sqrt(group_correlation) * rng.standard_normal(n_groups)
        latent += np.repeat(shared, group_size)
    return Bunch(
        y=y,
        y_score=population.score(latent + separation * y),
        groups=np.repeat(np.arange(n_groups), group_size),
        distribution=population,
        true_recall=population.recall,
        true_precision=population.precision,
        true_group_recall=population.group_recall,
    )
