"""Test a deployed recall promise on rows that were labelled later."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincc
from scipy.stats import binom
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from skrecall.utils._checks import check_option, check_share

from ._intervals import binomial_interval, check_decisions, count_groups

Verdict = Literal["kept", "broken", "cannot tell"]

_MOST_POSITIVES = 10**7


@dataclass(frozen=True)
class RecallAudit:
    """What later labelled rows say about a recall promise.

    Attributes
    ----------
    verdict : {"kept", "broken", "cannot tell"}
        "broken" if the recall is below the target, "kept" if it is not, each with `confidence`.
    target_recall, confidence : float
        The recall that was promised, and the confidence of the verdict.
    recall : float
        Share of the positives that was found.
    low, high : float
        Clopper and Pearson's bounds of the true recall, each with `confidence`; together they are
        an interval of confidence ``2 * confidence - 1``.
    p_value : float
        Probability of as few finds or fewer, if the true recall were the target.
    n_positives : int
        Positives counted, in units of `unit`.
    n_missed : int
        Those that were not flagged.
    n_more_needed : int or None
        Further positives that would settle the question if they are found at the recall seen so
        far: 0 if it is settled, None if even ten million would not.
    batch_kept : bool
        Whether these very positives reached the target, which is what a promise about the next
        batch was about.
    unit : {"positive", "positive group"}
        What is counted.
    pos_label : object
        The positive label.

    Examples
    --------
    >>> from skrecall.metrics import audit_recall_promise
    >>> audit = audit_recall_promise([1] * 30 + [0], [1] * 30 + [0], target_recall=0.95)
    >>> audit.verdict, audit.n_more_needed
    ('cannot tell', 29)
    """

    verdict: Verdict
    target_recall: float
    confidence: float
    recall: float
    low: float
    high: float
    p_value: float
    n_positives: int
    n_missed: int
    n_more_needed: int | None
    batch_kept: bool
    unit: str
    pos_label: Any

    def __str__(self) -> str:
        if self.verdict == "kept":
            said = f"Kept: recall is at least {self.target_recall:g}"
        elif self.verdict == "broken":
            said = f"Broken: recall is below {self.target_recall:g}"
        elif self.n_more_needed is None:
            said = f"Cannot tell: recall is too close to {self.target_recall:g}"
        else:
            said = (
                f"Cannot tell: {self.n_more_needed} more {self.unit}(s) needed if recall stays as "
                "it is"
            )
        return (
            f"{said} (confidence {self.confidence:g}). Found {self.n_positives - self.n_missed} of "
            f"{self.n_positives} {self.unit}s, recall {self.recall:.4g}, at least {self.low:.4g} "
            f"and at most {self.high:.4g}; p = {self.p_value:.3g} for a recall of "
            f"{self.target_recall:g} or more."
        )

    def frame(self) -> pd.DataFrame:
        """Return the audit as a table.

        Returns
        -------
        frame : DataFrame
            One row, one column per attribute.
        """
        return pd.DataFrame([asdict(self)])


def shows_kept(
    n_found: ArrayLike, n_positives: ArrayLike, *, target_recall: float, confidence: float
) -> NDArray[np.bool_]:
    """Return whether counts show a recall at or above the target.

    Parameters
    ----------
    n_found, n_positives : array-like of int
        Positives found, of how many.
    target_recall : float in (0, 1)
        The recall promised.
    confidence : float in (0, 1)
        The verdict is wrong in at most ``1 - confidence`` of the draws.

    Returns
    -------
    kept : ndarray of bool
        False where the counts cannot tell, too.
    """
    return binom.sf(np.asarray(n_found) - 1, n_positives, target_recall) <= 1 - confidence


def shows_broken(
    n_found: ArrayLike, n_positives: ArrayLike, *, target_recall: float, confidence: float
) -> NDArray[np.bool_]:
    """Return whether counts show a recall below the target.

    Parameters
    ----------
    n_found, n_positives : array-like of int
        Positives found, of how many.
    target_recall : float in (0, 1)
        The recall promised.
    confidence : float in (0, 1)
        The verdict is wrong in at most ``1 - confidence`` of the draws.

    Returns
    -------
    broken : ndarray of bool
        False where the counts cannot tell, too.
    """
    return binom.cdf(n_found, n_positives, target_recall) <= 1 - confidence


def more_positives_needed(
    n_found: int, n_positives: int, *, target_recall: float, confidence: float
) -> int | None:
    """Return how many more positives would settle whether recall is at the target.

    Parameters
    ----------
    n_found, n_positives : int
        Positives found so far, of how many; further ones are taken to be found at this rate, misses
        rounded up for a recall above the target and down below it.
    target_recall, confidence : float in (0, 1)
        See `shows_kept`.

    Returns
    -------
    n_more : int or None
        None if even ten million in all would not.
    """
    n_missed = n_positives - n_found
    above = n_found / n_positives >= target_recall
    shows = shows_kept if above else shows_broken

    def settled_unrounded(total: int) -> bool:
        found, missed = total * n_found / n_positives, total * n_missed / n_positives
        tail = (
            betainc(found, missed + 1, target_recall)
            if above
            else betaincc(found + 1, missed, target_recall)
        )
        return tail <= 1 - confidence

    low, high = n_positives - 1, n_positives
    while not settled_unrounded(high):
        if high >= _MOST_POSITIVES:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled_unrounded(middle) else (middle, high)
    # whole misses come a little later, at the next multiple of n_positives at the latest
    total = np.arange(high, high + n_positives, dtype=np.int64)
    missed = n_missed * total // n_positives
    missed += above & (n_missed * total % n_positives > 0)
    settled = shows(total - missed, total, target_recall=target_recall, confidence=confidence)
    return int(total[settled.argmax()]) - n_positives


def audit_recall_promise(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    target_recall: float,
    confidence: float = 0.95,
    pos_label: Any = None,
    groups: ArrayLike | None = None,
    group_promise: Literal["any", "row"] = "any",
    random_state: int | RandomState | None = None,
) -> RecallAudit:
    """Test whether a deployed model keeps the recall that was promised.

    The test is the exact binomial one: "broken" is said of a model that keeps its promise in at
    most ``1 - confidence`` of all audits, and "kept" as rarely of one that does not.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of rows that were neither trained nor calibrated on. They must have been chosen
        for labelling without regard to the decision: all rows of a period, or a random sample of
        them. Rows labelled only because they were flagged contain no miss, whatever the model does.
    y_pred : array-like of shape (n_samples,)
        The decisions that were taken.
    target_recall : float in (0, 1)
        The recall promised.
    confidence : float in (0, 1), default=0.95
        Confidence of the verdict; not that of the promise.
    pos_label : int, float, bool or str, default=None
        The positive label; None means the second of the two labels that occur.
    groups : array-like of shape (n_samples,), default=None
        Rows of one group, such as the scans of one patient, are not independent and count as one;
        None means that all rows are independent.
    group_promise : {"any", "row"}, default="any"
        What was promised of groups. "any": a group with a positive row has a flagged row. "row": a
        random positive row of a random group is flagged; one row of each group is drawn.
    random_state : int, RandomState instance or None, default=None
        Draws the rows of ``group_promise="row"``.

    Returns
    -------
    audit : RecallAudit
        The verdict and the counts behind it; printed, it is a sentence.

    Raises
    ------
    ValueError
        If all rows were flagged, no positive is among them, or scores stand where labels belong.

    Notes
    -----
    A promise of confidence c about the population is allowed to fail in a share ``1 - c`` of
    deployments, for good: a "broken" verdict calls for a new calibration, not for doubt in the
    method. Recall below the target in these rows alone is no such verdict: a finite batch falls
    short of a kept promise often. A promise about the next batch (``next_batch``) is read off that
    batch instead, as `RecallAudit.batch_kept`, and fails in a share ``1 - c`` of the batches.

    Repeated audits of the same deployment share the error: divide ``1 - confidence`` by their
    number.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.metrics import audit_recall_promise
    >>> y_true = np.repeat([1, 0], [60, 940])
    >>> y_pred = np.repeat([1, 0, 1], [45, 915, 40])
    >>> print(audit_recall_promise(y_true, y_pred, target_recall=0.9))
    Broken: recall is below 0.9 (confidence 0.95). Found 45 of 60 positives, ...
    """
    if target_recall == 1:
        raise ValueError(
            "target_recall=1 cannot be audited: one miss refutes it and no number of finds "
            "confirms it. Give the recall that was promised, below 1."
        )
    target_recall = check_share(target_recall, name="target_recall", closed="neither")
    confidence = check_share(confidence, name="confidence", closed="neither")
    check_option(group_promise, ("any", "row"), name="group_promise")
    positive, flagged, pos_label = check_decisions(y_true, y_pred, pos_label=pos_label)
    if flagged.all():
        raise ValueError(
            f"All {len(flagged)} labelled rows were flagged. Rows labelled only when flagged "
            "cannot test recall: a miss is never among them, so recall is 1 whatever the model "
            "does. Label a random sample of all rows, flagged or not."
        )
    found = flagged[positive]
    if groups is not None and group_promise == "any":
        found = count_groups(positive, flagged, groups)[2]
    elif groups is not None:
        check_consistent_length(positive, groups)
        order = check_random_state(random_state).permutation(len(found))
        of_positives = column_or_1d(groups)[positive]
        _, first = np.unique(of_positives[order], return_index=True)
        found = found[order[first]]
    n_positives, n_found = len(found), int(found.sum())
    terms = {"target_recall": target_recall, "confidence": confidence}
    kept = bool(shows_kept(n_found, n_positives, **terms))
    broken = bool(shows_broken(n_found, n_positives, **terms))
    low, _ = binomial_interval(n_found, n_positives, confidence=confidence, alternative="lower")
    _, high = binomial_interval(n_found, n_positives, confidence=confidence, alternative="upper")
    return RecallAudit(
        verdict="kept" if kept else "broken" if broken else "cannot tell",
        **terms,
        recall=n_found / n_positives,
        low=float(low),
        high=float(high),
        p_value=float(binom.cdf(n_found, n_positives, target_recall)),
        n_positives=n_positives,
        n_missed=n_positives - n_found,
        n_more_needed=0 if kept or broken else more_positives_needed(n_found, n_positives, **terms),
        batch_kept=n_found / n_positives >= target_recall,
        unit="positive" if groups is None else "positive group",
        pos_label=pos_label,
    )
