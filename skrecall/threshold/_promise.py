"""One recall promise: made from held-out scores, and said in words."""

import math
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrecall.metrics import OperatingCurve
from skrecall.metrics._operating_curve import curve_from_positive

from ._bounds import best_target, positives_needed, recall_lower_bound, threshold_rank

LAST_DIGITS = 1e-12  # scores closer than this, relatively, are one score


def plain_label(label: Any) -> Any:
    """Return a label as Python prints it: 1, not np.int64(1).

    Parameters
    ----------
    label : object
        A label, a NumPy scalar or not.

    Returns
    -------
    label : object
        The same as a plain Python object.
    """
    return label.item() if isinstance(label, np.generic) else label


@dataclass(frozen=True)
class RecallPromise:
    """What is promised, about what, with which confidence, from how many positives.

    Attributes
    ----------
    pos_label : object
        The class whose recall is promised.
    stratum : object
        The stratum it is promised in; None for all rows.
    target_recall : float
        The recall promised. With ``on_insufficient="best"`` it can be below the one asked for.
    confidence : float
        Probability, over draws of the held-out positives, that all promises made together hold.
    n_promises : int
        Number of promises, comparisons included, that share ``1 - confidence``.
    n_positives : int
        Held-out positives, or positive groups, that the promise was made from.
    unit : str
        What the promise counts: ``"positive"``, or ``"positive group"`` where `fit` got groups.
    group_promise : str or None
        ``"any"``: the share of positive groups with a flagged row. ``"row"``: the share of random
        positive rows, one a group. None without groups.
    next_batch : int or None
        Number of positives in the batch that the promise is about; None for the population.
    rank : int
        Rank of `highest_threshold` among the held-out positive scores, from the lowest.
    highest_threshold : float
        The highest threshold that carries the promise; every lower one carries it too.
    threshold : float
        The one chosen: flag when the score is at least this.
    lower_bound : float
        Lower confidence bound of the recall at `highest_threshold`; NaN if nothing is promised.
    is_empirical : bool
        True for pooled out-of-fold scores, which carry no finite-sample proof.
    precision, alerts_per_1000 : float, default=nan
        What the promise costs on the held-out rows; nothing is promised about these two.

    See Also
    --------
    RecallThresholdClassifier : Makes promises, and keeps them in `promises_`.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.threshold import RecallThresholdClassifier
    >>> X, y = make_classification(2000, weights=[0.9], random_state=0)
    >>> model = RecallThresholdClassifier(LogisticRegression(), target_recall=0.9, random_state=0)
    >>> promise = model.fit(X, y).promises_[0]
    >>> promise.n_positives, promise.rank
    (104, 7)
    """

    pos_label: Any
    stratum: Any
    target_recall: float
    confidence: float
    n_promises: int
    n_positives: int
    unit: str
    group_promise: str | None
    next_batch: int | None
    rank: int
    highest_threshold: float
    threshold: float
    lower_bound: float
    is_empirical: bool
    precision: float = math.nan
    alerts_per_1000: float = math.nan

    def __str__(self) -> str:
        where = "" if self.stratum is None else f" in stratum {plain_label(self.stratum)!r}"
        about = (
            "on unseen data"
            if self.next_batch is None
            else f"in the next {self.next_batch} {self.unit}s"
        )
        together = f", {self.n_promises} promises at once" if self.n_promises > 1 else ""
        counted = {"any": ", counted by groups with a flagged row", "row": ", one row a group"}
        said = (
            f"recall of class {plain_label(self.pos_label)!r}{where} >= {self.target_recall:.6g} "
            f"{about}{counted.get(self.group_promise or '', '')}, confidence "
            f"{self.confidence:.6g}{together}, from {self.n_positives} held-out {self.unit}s: flag "
            f"when the score is at least {self.threshold:.6g}, if future {self.unit}s are "
            f"exchangeable with these; on the held-out rows, precision {self.precision:.2g} and "
            f"{self.alerts_per_1000:.0f} alerts per 1000"
        )
        if self.is_empirical:
            return f"Empirical, not promised (out-of-fold scores): {said}"
        return f"Promised: {said}"

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as a dictionary.

        Returns
        -------
        attributes : dict
            One entry per attribute.
        """
        return asdict(self)


@dataclass(frozen=True)
class _PromiseTerms:
    """What was asked for, before data; the same for every class and stratum.

    Attributes
    ----------
    target_recall, confidence : float
        Recall to keep, and the probability of keeping it.
    n_promises : int
        Number of promises, comparisons included, that share ``1 - confidence``.
    next_batch : int or None
        See `RecallPromise`.
    group_promise : str or None
        See `RecallPromise`.
    on_insufficient : {"raise", "best"}
        What too few positives lead to.
    held_out_share : float
        Share of the rows that is held out, which tells how many more to label.
    """

    target_recall: float
    confidence: float
    n_promises: int
    next_batch: int | None
    group_promise: str | None
    on_insufficient: str
    held_out_share: float = 1.0

    @property
    def unit(self) -> str:  # numpydoc ignore=RT01
        """What the promise counts."""
        return "positive" if self.group_promise is None else "positive group"

    @property
    def delta(self) -> float:
        """Share of the error probability that one promise may use."""
        return (1 - self.confidence) / self.n_promises

    def rank(self, n_positives: int, *, pos_label: Any, stratum: Any) -> tuple[int, float]:
        """Return the rank of the highest threshold, and the recall it promises.

        Parameters
        ----------
        n_positives : int
            Held-out positives of this class and stratum.
        pos_label, stratum : object
            Named in the message.

        Returns
        -------
        rank : int
            At least 1.
        target_recall : float
            The recall asked for, or the best possible one if ``on_insufficient="best"``.

        Raises
        ------
        ValueError
            If there are too few positives.
        """
        rank = threshold_rank(
            n_positives, self.target_recall, self.delta, next_batch=self.next_batch
        )
        if rank:
            return rank, self.target_recall
        needed = positives_needed(
            self.target_recall,
            self.confidence,
            n_comparisons=self.n_promises,
            next_batch=self.next_batch,
        )
        best = (
            best_target(n_positives, self.delta, next_batch=self.next_batch) if n_positives else 0.0
        )
        missing = needed - n_positives
        to_label = math.ceil(missing / self.held_out_share)  # the rest is for training
        where = "" if stratum is None else f" in stratum {plain_label(stratum)!r}"
        shared = f" (shared by {self.n_promises} promises)" if self.n_promises > 1 else ""
        shown = math.floor(best * 1000) / 1000  # rounded up, it could not be carried
        message = (
            f"Cannot promise recall >= {self.target_recall} with confidence "
            f"{self.confidence}{shared} for class {plain_label(pos_label)!r}{where} from "
            f"{n_positives} held-out {self.unit}s: {needed} are needed, {missing} are missing"
            + (f", about {to_label} to label." if to_label > missing else ".")
        )
        if best <= 0 or self.on_insufficient == "raise":
            possible = (
                f"They can carry recall >= {shown}; " if best > 0 else "They can carry nothing; "
            )
            raise ValueError(
                f"{message} {possible}add positives, hold out a larger share, or lower one of the "
                "two"
                + ("; on_insufficient='best' takes what can be promised." if best > 0 else ".")
            )
        warnings.warn(
            f"{message} Promising recall >= {shown} instead, with the same confidence.",
            stacklevel=2,
        )
        return 1, best

    def lower_bound(self, rank: int, n_positives: int) -> float:
        """Return the lower confidence bound of the recall at a rank.

        Parameters
        ----------
        rank : int
            Rank of the threshold among the positive scores.
        n_positives : int
            Held-out positives.

        Returns
        -------
        bound : float
            Clopper and Pearson's bound at this promise's share of the confidence.
        """
        return recall_lower_bound(rank, n_positives, self.delta)


def promise_units(
    positive: NDArray[np.bool_],
    y_score: NDArray[np.float64],
    groups: NDArray | None,
    *,
    group_promise: str | None,
    rng: np.random.RandomState,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return the independent units that a promise counts.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), dtype bool
        Positive rows.
    y_score : ndarray of shape (n_rows,)
        Their scores.
    groups : ndarray of shape (n_rows,) or None
        Rows of one group, such as the scans of one patient, are not independent.
    group_promise : {"any", "row"} or None
        "any": a group is positive if one of its rows is, and scores the highest of its rows.
        "row": one random positive row stands for its group; negative rows stay as they are.
    rng : RandomState
        Chooses the rows of "row".

    Returns
    -------
    positive : ndarray of shape (n_units,), dtype bool
        Positive units.
    y_score : ndarray of shape (n_units,)
        Their scores.
    """
    if groups is None:
        return positive, y_score
    if group_promise == "any":
        _, group = np.unique(groups, return_inverse=True)
        group_positive = np.zeros(group.max() + 1, dtype=bool)
        group_score = np.full(group.max() + 1, -np.inf)
        np.logical_or.at(group_positive, group, positive)
        np.maximum.at(group_score, group, y_score)
        return group_positive, group_score
    shuffled = rng.permutation(np.flatnonzero(positive))
    _, first = np.unique(groups[shuffled], return_index=True)
    rows = np.concatenate([np.sort(shuffled[first]), np.flatnonzero(~positive)])
    return positive[rows], y_score[rows]


def make_promise(
    positive: NDArray[np.bool_],
    y_score: NDArray[np.float64],
    terms: _PromiseTerms,
    *,
    pos_label: Any,
    stratum: Any,
    is_empirical: bool,
) -> tuple[RecallPromise, OperatingCurve]:
    """Choose the threshold of best empirical precision among those that carry the promise.

    Parameters
    ----------
    positive : ndarray of shape (n_units,), dtype bool
        Positive units.
    y_score : ndarray of shape (n_units,)
        Their held-out scores.
    terms : _PromiseTerms
        What was asked for.
    pos_label, stratum : object
        What the promise is about.
    is_empirical : bool
        Whether the scores carry no proof.

    Returns
    -------
    promise : RecallPromise
        With its threshold.
    curve : OperatingCurve
        Of the units.

    Raises
    ------
    ValueError
        If there are too few positives.
    """
    rank, target_recall = terms.rank(int(positive.sum()), pos_label=pos_label, stratum=stratum)
    promise, curve = promise_at_rank(
        positive,
        y_score,
        terms,
        rank,
        target_recall,
        pos_label=pos_label,
        stratum=stratum,
        is_empirical=is_empirical,
    )
    if promise.threshold <= y_score.min() and not positive.all():
        lowest = y_score[positive].min()
        tied = int(np.sum(y_score[positive] == lowest))
        units = "groups" if terms.group_promise == "any" else "rows"
        warnings.warn(
            f"The threshold that keeps recall >= {target_recall:.6g} of class "
            f"{plain_label(pos_label)!r} flags all of {len(y_score)} held-out {units}: none "
            f"scores below the lowest positives, {tied} of {promise.n_positives} at {lowest:.6g}. "
            "Use a model that ranks better or has finer scores, or lower the target.",
            stacklevel=2,
        )
    return promise, curve


def promise_at_rank(
    positive: NDArray[np.bool_],
    y_score: NDArray[np.float64],
    terms: _PromiseTerms,
    rank: int,
    target_recall: float,
    *,
    pos_label: Any,
    stratum: Any,
    is_empirical: bool,
) -> tuple[RecallPromise, OperatingCurve]:
    """Choose the threshold of best empirical precision up to a rank among the positive scores.

    Parameters
    ----------
    positive : ndarray of shape (n_units,), dtype bool
        Positive units.
    y_score : ndarray of shape (n_units,)
        Their held-out scores.
    terms : _PromiseTerms
        What was asked for.
    rank : int
        Of the highest threshold that carries the promise, from 1.
    target_recall : float
        The recall promised.
    pos_label, stratum : object
        What the promise is about.
    is_empirical : bool
        Whether the scores carry no proof.

    Returns
    -------
    promise : RecallPromise
        With its threshold.
    curve : OperatingCurve
        Of the units.
    """
    y_score_pos = np.sort(y_score[positive])
    n_positives = len(y_score_pos)
    curve = curve_from_positive(positive, y_score, pos_label=pos_label)
    first_carrying = curve.index_at(y_score_pos[rank - 1])
    chosen = first_carrying + int(np.argmax(curve.precision[first_carrying:]))
    threshold = curve.threshold_below(chosen, min_gap=LAST_DIGITS)
    promise = RecallPromise(
        pos_label=pos_label,
        stratum=stratum,
        target_recall=target_recall,
        confidence=terms.confidence,
        n_promises=terms.n_promises,
        n_positives=n_positives,
        unit=terms.unit,
        group_promise=terms.group_promise,
        next_batch=terms.next_batch,
        rank=rank,
        highest_threshold=float(y_score_pos[rank - 1]),
        threshold=threshold,
        lower_bound=np.nan if is_empirical else terms.lower_bound(rank, n_positives),
        is_empirical=is_empirical,
    )
    return promise, curve
