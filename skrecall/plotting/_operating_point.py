"""Where a classifier operates: its curves, the chosen point, what was promised and measured."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from skrecall.metrics import OperatingCurve, RecallInterval, operating_curve, recall_interval
from skrecall.threshold import RecallPromise
from skrecall.threshold._calibration import class_scores
from skrecall.utils._checks import check_option

from ._axes import COLOURS, QUIET, emptiest_corner, get_figure_and_axes

Curve = Literal["precision_recall", "roc"]
GroupPromise = Literal["any", "row"]


def _group_curve(
    positive: NDArray[np.bool_], y_score: NDArray[np.float64], groups: ArrayLike
) -> OperatingCurve:
    """Return the curve of groups: positive with a positive row, flagged with a flagged row."""
    check_consistent_length(positive, groups)
    _, group = np.unique(column_or_1d(groups), return_inverse=True)
    group_positive = np.bincount(group, weights=positive) > 0
    if group_positive.all():
        raise ValueError(
            f"All {len(group_positive)} groups have a positive row, and false alarms need groups "
            "without one: pass such groups too, or group_promise='row'."
        )
    group_score = np.full(len(group_positive), -np.inf)
    np.maximum.at(group_score, group, y_score)
    return operating_curve(group_positive, group_score, pos_label=True)


def _promised_interval(promise: RecallPromise, curve: OperatingCurve) -> RecallInterval | None:
    """Return what the held-out positives promise at their threshold, open upwards."""
    if promise.next_batch is not None or np.isnan(promise.lower_bound):
        return None  # the bound is not one of the population's recall
    chosen = curve.index_at(promise.threshold)
    return RecallInterval(
        recall=float(curve.recall[chosen]),
        low=promise.lower_bound,
        high=1.0,
        confidence=promise.confidence,
        n_positives=promise.n_positives,
        n_found=int(curve.tp[chosen]),
        n_effective=float(promise.n_positives),
        n_groups=promise.n_positives if promise.unit == "positive group" else None,
        method="order statistic",
    )


class OperatingPointDisplay:
    """Precision-recall and ROC curve with the chosen point and the promised recall.

    Make it with `from_estimator` or `from_predictions`; both draw it.

    Parameters
    ----------
    curve : OperatingCurve
        The curve to draw.
    threshold : float, default=None
        The chosen threshold; None marks no point.
    target_recall : float, default=None
        The recall that was promised; None draws no promise.
    target_confidence : float, default=None
        Confidence of the promise.
    interval : RecallInterval, default=None
        The recall measured at the threshold, with its confidence interval; None draws none.
    name : str, default=None
        Name of the classifier.
    group_promise : {"any", "row"}, default=None
        "any": `curve` counts groups, flagged if one of their rows is, and the axes say so. "row" or
        None: it counts rows.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    ax_ : matplotlib Axes or ndarray of Axes
        One axes per curve.
    lines_ : list of matplotlib Line2D
        The curves.
    points_ : list of matplotlib ErrorbarContainer
        The chosen point on each axes; empty without a threshold.

    See Also
    --------
    RecallBudgetDisplay : Recall against the number of alerts.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.plotting import OperatingPointDisplay
    >>> from skrecall.threshold import RecallThresholdClassifier
    >>> X, y = make_classification(2000, weights=[0.9], random_state=0)
    >>> model = RecallThresholdClassifier(LogisticRegression(), target_recall=0.9, random_state=0)
    >>> display = OperatingPointDisplay.from_estimator(model.fit(X[:1000], y[:1000]), X, y)
    >>> display.frame().columns.tolist()
    ['threshold', 'tp', 'fp', 'fn', 'tn', 'recall', 'precision', 'specificity',
     'alerts_per_1000', 'chosen']
    """

    def __init__(
        self,
        *,
        curve: OperatingCurve,
        threshold: float | None = None,
        target_recall: float | None = None,
        target_confidence: float | None = None,
        interval: RecallInterval | None = None,
        name: str | None = None,
        group_promise: GroupPromise | None = None,
    ) -> None:
        self.curve = curve
        self.threshold = threshold
        self.target_recall = target_recall
        self.target_confidence = target_confidence
        self.interval = interval
        self.name = name
        self.group_promise = group_promise

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        confidence: float = 0.95,
        groups: ArrayLike | None = None,
        group_promise: GroupPromise | None = None,
        curves: Sequence[Curve] = ("precision_recall", "roc"),
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw where a fitted threshold classifier operates.

        Parameters
        ----------
        estimator : RecallThresholdClassifier, OptimalThresholdClassifier or similar
            Fitted, with one `threshold_`.
        X : array-like of shape (n_samples, ...), default=None
            New samples to draw the curve of, with the recall measured on them. None draws the
            held-out samples that the threshold was chosen on, with the lower bound of the recall
            that they promise.
        y : array-like of shape (n_samples,), default=None
            Labels of `X`.
        confidence : float in (0, 1), default=0.95
            Of the interval of the measured recall.
        groups : array-like of shape (n_samples,), default=None
            Groups of `X`, such as patients; needed where the promise was made with groups.
        group_promise : {"any", "row"}, default=None
            What recall means with `groups`. "any": the share of positive groups with a flagged row;
            the curves and alerts are then of groups. "row": the share of positive rows found. None
            takes what the estimator promised, "row" if that was not about groups. The promise of
            another recall is not drawn.
        curves : sequence of {"precision_recall", "roc"}, default=("precision_recall", "roc")
            What to draw, one axes each.
        name : str, default=None
            Name of the classifier; None takes that of its class.
        ax : matplotlib Axes or sequence of Axes, default=None
            As many as there are curves; None makes a figure.

        Returns
        -------
        display : OperatingPointDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the estimator has no threshold or several, only one of `X` and `y` is given, the
            promise was made with groups and `groups` is missing, or `groups` or `group_promise` is
            given without `X`.
        """
        check_is_fitted(estimator)
        threshold = getattr(estimator, "threshold_", None)
        if threshold is None or np.ndim(threshold) > 0:
            found = "no threshold_" if threshold is None else f"{np.size(threshold)} thresholds"
            raise ValueError(
                f"{type(estimator).__name__} has {found}, and one point is drawn: pass the scores "
                "and the threshold of one class to from_predictions."
            )
        if (X is None) != (y is None):
            raise ValueError("X and y belong together: pass both, or neither.")
        promise = next(iter(getattr(estimator, "promises_", [])), None)
        about = None if promise is None else promise.group_promise
        if promise is not None and promise.is_empirical:
            promise = None
        target: dict[str, Any] = {}
        if promise is not None and (groups is None or group_promise in (None, about or "row")):
            target["target_recall"] = promise.target_recall
            target["target_confidence"] = promise.confidence
        name = type(estimator).__name__ if name is None else name
        if X is None or y is None:
            if groups is not None or group_promise is not None:
                raise ValueError(
                    "groups and group_promise are about X, which is missing: pass X and y too, or "
                    "neither of the two; the held-out samples keep those of fit."
                )
            curve = estimator.operating_curve_
            interval = None if promise is None else _promised_interval(promise, curve)
            display = cls(
                curve=curve,
                threshold=threshold,
                interval=interval,
                name=name,
                group_promise=about,
                **target,
            )
            return display.plot(curves, ax=ax)
        if about is not None and groups is None:
            raise ValueError(
                f"{type(estimator).__name__} was fitted with groups (group_promise={about!r}), and "
                "X comes without: pass groups=..., the group of each row of X."
            )
        pos_label = estimator.pos_label_
        y_score = class_scores(estimator, X, [pos_label], estimator.response_method)[:, 0]
        return cls.from_predictions(
            y,
            y_score,
            threshold=threshold,
            confidence=confidence,
            pos_label=pos_label,
            groups=groups,
            group_promise=group_promise or about or "row",
            curves=curves,
            name=name,
            ax=ax,
            **target,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        threshold: float | None = None,
        target_recall: float | None = None,
        target_confidence: float | None = None,
        confidence: float = 0.95,
        pos_label: Any = None,
        groups: ArrayLike | None = None,
        group_promise: GroupPromise = "any",
        curves: Sequence[Curve] = ("precision_recall", "roc"),
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the curves of a score, with a chosen point.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_score : array-like of shape (n_samples,)
            Scores; greater means more likely positive.
        threshold : float, default=None
            The chosen threshold: flag when the score is at least this. None marks no point.
        target_recall : float, default=None
            The recall that was promised.
        target_confidence : float, default=None
            Confidence of the promise.
        confidence : float in (0, 1), default=0.95
            Of the interval of the measured recall.
        pos_label : int, float, bool or str, default=None
            The positive label; None means the second of the two sorted labels.
        groups : array-like of shape (n_samples,), default=None
            Groups of the rows, such as patients; None means that all rows are independent.
        group_promise : {"any", "row"}, default="any"
            What recall means with `groups`. "any": the share of positive groups with a flagged row;
            the curves and alerts are then of groups. "row": the share of positive rows found, and
            groups make its interval wider.
        curves : sequence of {"precision_recall", "roc"}, default=("precision_recall", "roc")
            What to draw, one axes each.
        name : str, default=None
            Name of the score.
        ax : matplotlib Axes or sequence of Axes, default=None
            As many as there are curves; None makes a figure.

        Returns
        -------
        display : OperatingPointDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the labels are not of two classes, or all groups are positive.
        """
        check_option(group_promise, ("any", "row"), name="group_promise")
        curve = operating_curve(y_true, y_score, pos_label=pos_label)
        positive = np.asarray(y_true) == curve.pos_label
        score = np.asarray(y_score, dtype=np.float64).ravel()
        if groups is not None and group_promise == "any":
            curve = dataclasses.replace(
                _group_curve(positive, score, groups), pos_label=curve.pos_label
            )
        interval = None
        if threshold is not None:
            interval = recall_interval(
                positive,
                score >= threshold,
                confidence=confidence,
                pos_label=True,
                groups=groups,
                group_promise=group_promise,
            )
        display = cls(
            curve=curve,
            threshold=threshold,
            target_recall=target_recall,
            target_confidence=target_confidence,
            interval=interval,
            name=name,
            group_promise=None if groups is None else group_promise,
        )
        return display.plot(curves, ax=ax)

    def plot(
        self, curves: Sequence[Curve] = ("precision_recall", "roc"), *, ax: Any = None
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        curves : sequence of {"precision_recall", "roc"}, default=("precision_recall", "roc")
            What to draw, one axes each.
        ax : matplotlib Axes or sequence of Axes, default=None
            As many as there are curves; None makes a figure.

        Returns
        -------
        self : OperatingPointDisplay
            Drawn.

        Raises
        ------
        ValueError
            If a curve is unknown, or the number of axes is another.
        """
        unknown = set(curves) - {"precision_recall", "roc"}
        if unknown or not curves:
            raise ValueError(
                f"curves={tuple(curves)!r} must name one or both of 'precision_recall' and 'roc'."
            )
        self.figure_, self.ax_ = get_figure_and_axes(
            ax,
            purpose=type(self).__name__,
            n_axes=len(curves),
            size=(5.4 * len(curves), 4.8),
            remedy="pass as many, or None"
            + ('; curves=("roc",) or ("precision_recall",) needs one' if len(curves) > 1 else ""),
        )
        self.lines_: list[Any] = []
        self.points_: list[Any] = []
        for kind, axes in zip(curves, np.atleast_1d(self.ax_), strict=True):
            draw = self._plot_precision_recall if kind == "precision_recall" else self._plot_roc
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
            axes.legend(loc=draw(axes))
        return self

    def _plot_precision_recall(self, axes: Any) -> str:
        """Draw, and return where the legend hides least."""
        curve = self.curve
        of_groups = " of groups" if self._counts_groups else ""
        prevalence = curve.n_positives / (curve.n_positives + curve.n_negatives)
        self.lines_ += axes.plot(
            curve.recall, curve.precision, drawstyle="steps-pre", color=COLOURS[0], label=self.name
        )
        if self.target_recall is not None:
            axes.axvline(self.target_recall, color=QUIET, linestyle="--", label=self._promise())
        axes.axhline(
            prevalence, color=QUIET, linestyle=":", label=f"prevalence {prevalence:.2g}{of_groups}"
        )
        if self.threshold is not None:
            self._plot_point(axes, self.threshold, "recall", "precision")
        axes.set(
            xlabel=self._recall_label,
            ylabel="Precision (share of flagged groups that are positive)"
            if self._counts_groups
            else "Precision (share of alerts that are right)",
        )
        evenly = np.linspace(0, 1, 201)
        return emptiest_corner(
            evenly,
            np.interp(evenly, curve.recall[1:], curve.precision[1:]),
            ["lower left", "upper right"],
        )

    def _plot_roc(self, axes: Any) -> str:
        """Draw, and return where the legend hides least."""
        curve = self.curve
        self.lines_ += axes.plot(
            curve.false_positive_rate, curve.recall, color=COLOURS[0], label=self.name
        )
        if self.target_recall is not None:
            axes.axhline(self.target_recall, color=QUIET, linestyle="--", label=self._promise())
        axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", label="chance")
        if self.threshold is not None:
            self._plot_point(axes, self.threshold, "false_positive_rate", "recall")
        axes.set(
            xlabel="False positive rate (share of negative groups with a flagged row)"
            if self._counts_groups
            else "False positive rate (share of negatives flagged)",
            ylabel=self._recall_label,
        )
        return "lower right"

    @property
    def _counts_groups(self) -> bool:
        return self.group_promise == "any"

    @property
    def _per_group(self) -> str:
        return " per group" if self._counts_groups else ""

    @property
    def _recall_label(self) -> str:
        if self._counts_groups:
            return "Recall (share of positive groups with a flagged row)"
        return "Recall (share of positives found)"

    def _promise(self) -> str:
        confidence = self.target_confidence
        suffix = "" if confidence is None else f", confidence {confidence:g}"
        return f"promised: recall $\\geq$ {self.target_recall:.3g}{self._per_group}{suffix}"

    def _plot_point(self, axes: Any, threshold: float, across: str, up: str) -> None:
        chosen = self.curve.index_at(threshold)
        recall, precision = self.curve.recall[chosen], self.curve.precision[chosen]
        error: dict[str, Any] = {}
        text = f"recall {recall:.3f}{self._per_group}"
        if (found := self.interval) is not None:
            # an interval given to the constructor can be of another recall
            ends = [[max(0.0, recall - found.low)], [max(0.0, found.high - recall)]]
            error = {"xerr" if across == "recall" else "yerr": ends}
            text += f", {100 * found.confidence:g} % interval [{found.low:.2f}, {found.high:.2f}]"
        if not self.points_:  # the second axes need not say it again
            alerts = self.curve.alerts_per_1000[chosen]
            text = f"threshold {threshold:.3g}\n{text}\n"
            text += f"precision {precision:.3f}, {alerts:.3g} "
            text += "of 1000 groups flagged" if self._counts_groups else "alerts in 1000"
        point = axes.errorbar(
            getattr(self.curve, across)[chosen],
            np.nan_to_num(getattr(self.curve, up)[chosen]),
            **error,
            fmt="o",
            color=COLOURS[1],
            markeredgecolor="black",
            markersize=8,
            capsize=4,
            zorder=3,
            label=text,
        )
        self.points_.append(point)

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame
            The operating curve, one row per threshold, its counts those of groups where the axes
            say so; `chosen` marks the point that the chosen threshold reaches.
        """
        frame = self.curve.frame()
        chosen = -1 if self.threshold is None else self.curve.index_at(self.threshold)
        return frame.assign(chosen=np.arange(len(frame)) == chosen)
