"""Where two thresholds lie on the curve of held-out rows: a promised recall, a precise alert.

The lower one carries a recall promise. The upper one reaches a precision on the rows of the curve,
or has it certified by Clopper and Pearson's bound on rows of their own.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from skrecall.metrics._operating_curve import OperatingCurve


def precision_lower_bound(
    tp: NDArray[np.float64], alerts: NDArray[np.float64], delta: float
) -> NDArray[np.float64]:
    """Return Clopper and Pearson's lower confidence bound of a precision.

    Parameters
    ----------
    tp, alerts : ndarray of shape (n_thresholds,)
        Positives among the alerts, and alerts.
    delta : float in (0, 1)
        Allowed probability that the precision is below the bound.

    Returns
    -------
    bound : ndarray of shape (n_thresholds,)
        0 where there is no positive alert.
    """
    some = tp > 0
    bound = beta.ppf(delta, np.where(some, tp, 1), alerts - tp + 1)
    return np.where(some, bound, 0.0)


def recall_index(curve: OperatingCurve, highest_threshold: float) -> int:
    """Return the point of a curve that carries a recall promise and clears the most negatives.

    Every threshold up to the highest one carries the promise. Of those that clear as many negatives
    as the highest does, the lowest loses the fewest positives.

    Parameters
    ----------
    curve : OperatingCurve
        Of the held-out rows.
    highest_threshold : float
        The highest threshold that carries the promise.

    Returns
    -------
    index : int
        A point at or below the highest threshold.
    """
    false_alerts = curve.fp[curve.index_at(highest_threshold)]
    return int(np.searchsorted(curve.fp, false_alerts, side="right")) - 1


def empirical_index(curve: OperatingCurve, lower: int, target_precision: float) -> int:
    """Return the point with the most alerts among those that reach a precision.

    Parameters
    ----------
    curve : OperatingCurve
        Of the held-out rows.
    lower : int
        The point of the lower threshold; no point below it is returned if one above will do.
    target_precision : float
        Precision to reach, on the rows of the curve.

    Returns
    -------
    index : int
        The lowest point down to `lower`, else the first one after it.

    Raises
    ------
    ValueError
        If no threshold reaches the precision.
    """
    reaching = np.flatnonzero(np.nan_to_num(curve.precision) >= target_precision)
    if len(reaching) == 0:
        best = int(np.nanargmax(curve.precision[1:])) + 1
        raise ValueError(
            f"No threshold reaches precision {target_precision} on the held-out rows: the best is "
            f"{curve.precision[best]:.3f}, with {curve.alerts[best]} alerts, of {curve.alerts[-1]} "
            f"rows with {curve.n_positives} positives. Lower target_precision, or improve the "
            "scores."
        )
    above = reaching[reaching <= lower]
    return int(above[-1]) if len(above) else int(reaching[0])


def certified_thresholds(
    chosen_on: OperatingCurve,
    tested_on: OperatingCurve,
    target_precision: float,
    delta: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return thresholds whose precision is certified, all at once, by rows of their own.

    One part of the rows says in which order thresholds are tested on the other: from the one that
    is most likely to pass to looser ones, until the first that fails. Tests in an order that is
    fixed before their data are seen hold together at the level of one.

    Parameters
    ----------
    chosen_on, tested_on : OperatingCurve
        Of the two parts.
    target_precision : float
        Precision to certify.
    delta : float in (0, 1)
        Allowed probability that any certified threshold has less.

    Returns
    -------
    thresholds, bounds : ndarray of shape (n_certified,)
        Decreasing thresholds and the lower bounds of their precision.

    Raises
    ------
    ValueError
        If the first threshold fails.
    """
    needed = binom.isf(delta, chosen_on.alerts, target_precision) + 1
    guessed = (chosen_on.tp + 1) / (chosen_on.alerts + 2)
    power = binom.sf(needed - 1, chosen_on.alerts, guessed)
    start = int(np.argmax(power[1:])) + 1
    upper = chosen_on.thresholds[start:]
    lower = np.append(upper[1:], chosen_on.threshold_below(len(chosen_on) - 1))
    candidates = lower + (upper - lower) / 2
    reached = np.searchsorted(-tested_on.thresholds, -candidates, side="right") - 1
    bounds = precision_lower_bound(tested_on.tp[reached], tested_on.alerts[reached], delta)
    certified = np.logical_and.accumulate(bounds >= target_precision)
    if not certified[0]:
        tp, alerts = tested_on.tp[reached[0]], tested_on.alerts[reached[0]]
        raise ValueError(
            f"Cannot certify precision >= {target_precision} with confidence {1 - delta:.6g}: on "
            f"the rows kept for the test, {tp} of {alerts} alerts are positive, which carries "
            f"{bounds[0]:.3f}. Hold out more rows, lower target_precision or confidence, or pass "
            "certify_precision=False."
        )
    return candidates[certified], bounds[certified]
