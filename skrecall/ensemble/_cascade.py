"""What a cascade decides on: one number per row, from the scores of all its stages.

The score of each stage is turned into a *level*: the share of tuning positives that a threshold
loses which just loses this row. With a share ``w`` of the loss budget for each stage, the stage
lets a row pass at budget ``b`` if its level is at least ``b * w``, so that a row survives all
stages exactly as long as ``b <= min(level / w)``. That minimum orders all rows by one number, as
the score of a single model does, and everything known about one threshold holds for it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from skrecall.threshold._promise import LAST_DIGITS

from ._weights import best_weights


@dataclass(frozen=True, eq=False)
class ScoreLevels:
    """An increasing map from the scores of a stage to levels, linear between its knots.

    Attributes
    ----------
    scores : ndarray of shape (n_knots,)
        Increasing scores.
    levels : ndarray of shape (n_knots,)
        Their levels, increasing, between 0 and 1.
    """

    scores: NDArray[np.float64]
    levels: NDArray[np.float64]

    def __call__(self, y_score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the levels of scores.

        Parameters
        ----------
        y_score : ndarray of shape (n_samples,)
            Scores; beyond the knots, the level of the nearest one.

        Returns
        -------
        levels : ndarray of shape (n_samples,)
            In the order of the scores.
        """
        return np.interp(y_score, self.scores, self.levels)

    def threshold(self, level: float) -> float:
        """Return the lowest score whose level is at least the given one, but for its last digits.

        Parameters
        ----------
        level : float
            A level that some score reaches.

        Returns
        -------
        threshold : float
            A score; minus infinity where every score will do.
        """
        level *= 1 - LAST_DIGITS  # rounding must not put it above the scores of this very level
        if level <= self.levels[0]:
            return -np.inf
        return float(np.interp(level, self.levels, self.scores))


def score_levels(y_score: NDArray[np.float64], positive: NDArray[np.bool_]) -> ScoreLevels:
    """Return the levels of a stage: ranks among positives, and between those among negatives.

    A score is lost together with all positives up to it: the level at a positive score is the
    number of positives up to there, over one more than there are. From one positive to the next,
    and below the lowest, the level rises evenly with the negatives in between. Only the order of
    the scores counts, in whatever unit they are.

    Parameters
    ----------
    y_score : ndarray of shape (n_samples,)
        Scores of rows that the stage was not fitted on.
    positive : ndarray of shape (n_samples,), dtype bool
        Which of them are positive.

    Returns
    -------
    levels : ScoreLevels
        With one knot a distinct score.
    """
    knots, knot = np.unique(y_score, return_inverse=True)
    is_new = np.append(True, np.diff(knots) > LAST_DIGITS * np.abs(knots[1:]))
    knot = (np.cumsum(is_new) - 1)[knot]
    n_positives = np.bincount(knot, weights=positive)
    has_positive = n_positives > 0
    n_negatives = np.where(has_positive, 0, np.bincount(knot))

    lost = np.cumsum(n_positives)
    gap = np.cumsum(has_positive)  # knots between two positive ones share a number
    lost_next = np.append(lost[has_positive], positive.sum() + 1)[gap]
    negatives = np.cumsum(n_negatives)
    before_gap = np.append(0, negatives[has_positive])[gap]
    in_gap = np.bincount(gap, weights=n_negatives)[gap]
    part = np.where(has_positive, 0.0, (negatives - before_gap) / (in_gap + 1))
    return ScoreLevels(knots[is_new], (lost + (lost_next - lost) * part) / (positive.sum() + 1))


def running_levels(levels: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return up to which loss budget each row is still in play after each stage.

    Parameters
    ----------
    levels : ndarray of shape (n_samples, n_stages)
        Level of each row at each stage.
    shares : ndarray of shape (n_stages,)
        Shares of the budget, not negative; a stage without any lets every row pass.

    Returns
    -------
    running : ndarray of shape (n_samples, n_stages)
        Decreasing along each row; the last column is that of the cascade.
    """
    with np.errstate(divide="ignore"):
        return np.minimum.accumulate(levels / shares, axis=1)


def stage_shares(
    running: NDArray[np.float64], threshold: float, shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return which share of rows each stage scores, and which is in play after it.

    Parameters
    ----------
    running : ndarray of shape (n_samples, n_stages)
        What `running_levels` returns.
    threshold : float
        Rows below it leave.
    shares : ndarray of shape (n_stages,)
        Shares of the budget; a stage without any scores no row.

    Returns
    -------
    scored, passed : ndarray of shape (n_stages,)
        Shares of all rows.
    """
    passed = np.mean(running >= threshold, axis=0)
    return np.append(1.0, passed[:-1]) * (shares > 0), passed


def cheapest_shares(
    levels: NDArray[np.float64],
    positive: NDArray[np.bool_],
    *,
    loss: float,
    stage_costs: NDArray[np.float64],
    alert_cost: float,
) -> NDArray[np.float64]:
    """Return the shares of the budget under which the cascade costs least on the given rows.

    A budget that loses a share of all positives loses a binomial number of the given ones. The cost
    is averaged over it, as that at the mean number alone follows the luck of a few positives.

    Parameters
    ----------
    levels : ndarray of shape (n_samples, n_stages)
        Level of each row at each stage.
    positive : ndarray of shape (n_samples,), dtype bool
        Positive rows, at least one.
    loss : float in (0, 1)
        Share of the positives that all stages together may lose.
    stage_costs : ndarray of shape (n_stages,)
        Cost of a row that the stage scores.
    alert_cost : float
        Cost of a row that passes all stages.

    Returns
    -------
    shares : ndarray of shape (n_stages,)
        Not negative, summing to one; of equal candidates, the one nearest to equal shares.
    """
    n_lost = np.arange(positive.sum())
    weight = binom.pmf(n_lost, len(n_lost), loss)
    n_lost, weight = (of[weight > 1e-3 * weight.max()] for of in (n_lost, weight))
    weight /= weight.sum()

    def saved(weights: NDArray) -> float:
        shares = weights[:, 0]
        running = running_levels(levels, shares)
        budgets = np.sort(running[positive, -1])[n_lost]
        passed = np.array([_passing(column, budgets) @ weight for column in running.T])
        scored = np.append(1.0, passed[:-1]) * (shares > 0)
        return -float(scored @ stage_costs + alert_cost * passed[-1])

    # a weighted mean of the unit vectors is the weights themselves
    return best_weights(np.eye(levels.shape[1])[:, :, None], saved)[0]


def _passing(values: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of values from each threshold up; thresholds in increasing order."""
    n_reached = np.searchsorted(thresholds, values, side="right")
    n_below = np.cumsum(np.bincount(n_reached, minlength=len(thresholds) + 1))[:-1]
    return 1 - n_below / len(values)
