"""Recall of every label with its confidence interval, against a target."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from skrecall.metrics._cells import check_cells, count_cells
from skrecall.metrics._intervals import Method, binomial_interval
from skrecall.utils._checks import check_count, check_option, check_share
from skrecall.utils._indicator import check_indicator
from skrecall.utils._optional import import_optional

from ._axes import COLOURS, get_figure_and_axes
from ._labels import label_names_of, shortened, shown_of, tick_size

RecallOrder = Literal["recall", "frequent", "rare"]
_FIRST = {"recall": "of lowest recall", "frequent": "most frequent", "rare": "rarest"}


class LabelRecallDisplay:
    """Bars of the recall of every label, each with its confidence interval.

    Make it with `from_estimator` or `from_predictions`; both draw it.

    Parameters
    ----------
    n_found, n_positives : ndarray of shape (n_labels,)
        Positives found, and positives, of each label shown; none has 0 positives.
    low, high : ndarray of shape (n_labels,)
        Ends of the intervals of recall.
    label_names : list of str
        Names of the labels.
    confidence : float, default=0.95
        Of each interval.
    target_recall : float, default=None
        The recall to reach; None draws none.
    title : str, default=""
        Which labels are shown, where some are not.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    ax_ : matplotlib Axes
        The axes drawn on.
    bars_ : matplotlib BarContainer
        The recalls.
    intervals_ : matplotlib ErrorbarContainer
        Their intervals.
    counts_ax_ : matplotlib SecondaryAxis
        The counts behind them.

    Notes
    -----
    Each interval covers the true recall of its own label with the confidence; of many intervals
    some do not.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import BinaryRelevance
    >>> from skrecall.plotting import LabelRecallDisplay
    >>> X, Y = make_multilabel_classification(300, n_classes=4, random_state=0)
    >>> model = BinaryRelevance(LogisticRegression()).fit(X[:200], Y[:200])
    >>> display = LabelRecallDisplay.from_estimator(model, X[200:], Y[200:], target_recall=0.8)
    >>> display.frame().columns.tolist()
    ['label', 'recall', 'low', 'high', 'n_found', 'n_positives']
    """

    def __init__(
        self,
        *,
        n_found: NDArray,
        n_positives: NDArray,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        label_names: list[str],
        confidence: float = 0.95,
        target_recall: float | None = None,
        title: str = "",
    ) -> None:
        self.n_found = n_found
        self.n_positives = n_positives
        self.low = low
        self.high = high
        self.label_names = label_names
        self.confidence = confidence
        self.target_recall = target_recall
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: Any,
        *,
        target_recall: float | None = None,
        confidence: float = 0.95,
        method: Method = "clopper-pearson",
        max_labels: int = 30,
        order: RecallOrder = "recall",
        label_names: list[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the recall of a fitted classifier on new samples.

        Parameters
        ----------
        estimator : estimator
            A fitted multi-label classifier.
        X : array-like of shape (n_samples, ...)
            Samples that it was not fitted on.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Their labels; NaN or -1 where unknown.
        target_recall : float in [0, 1], default=None
            The recall to reach; None draws none.
        confidence : float in (0, 1), default=0.95
            Of each interval.
        method : {"clopper-pearson", "wilson", "jeffreys"}, default="clopper-pearson"
            How intervals are computed, as in `recall_interval`.
        max_labels : int, default=30
            How many labels to show; more than some dozens cannot be read.
        order : {"recall", "frequent", "rare"}, default="recall"
            Which labels come first, and stay where there are more: those of lowest recall, the most
            frequent, or the rarest.
        label_names : list of str, default=None
            Names of all labels; None takes the columns of a DataFrame, else the indices.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LabelRecallDisplay
            Drawn.
        """
        return cls.from_predictions(
            y,
            estimator.predict(X),
            target_recall=target_recall,
            confidence=confidence,
            method=method,
            max_labels=max_labels,
            order=order,
            label_names=label_names,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        target_recall: float | None = None,
        confidence: float = 0.95,
        method: Method = "clopper-pearson",
        max_labels: int = 30,
        order: RecallOrder = "recall",
        label_names: list[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the recall of decisions.

        Parameters
        ----------
        y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; NaN or -1 where a label is unknown, which is not counted.
        y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Predicted indicator.
        target_recall : float in [0, 1], default=None
            The recall to reach; None draws none.
        confidence : float in (0, 1), default=0.95
            Of each interval.
        method : {"clopper-pearson", "wilson", "jeffreys"}, default="clopper-pearson"
            How intervals are computed, as in `recall_interval`.
        max_labels : int, default=30
            How many labels to show; more than some dozens cannot be read.
        order : {"recall", "frequent", "rare"}, default="recall"
            Which labels come first, and stay where there are more: those of lowest recall, the most
            frequent, or the rarest.
        label_names : list of str, default=None
            Names of all labels; None takes the columns of a DataFrame, else the indices.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LabelRecallDisplay
            Drawn. Labels without a positive have no recall and are left out.

        Raises
        ------
        ValueError
            If no label has a positive, one argument is no indicator, or shapes differ.
        """
        check_option(order, list(_FIRST), name="order")
        check_option(method, ("clopper-pearson", "wilson", "jeffreys"), name="method")
        check_share(confidence, name="confidence", closed="neither")
        if target_recall is not None:
            check_share(target_recall, name="target_recall")
        container = check_indicator(y_true, unknown=True, accept_sparse=True, name="y_true")[1]
        Y, P, _ = check_cells(y_true, y_pred)
        counts = count_cells(Y, P, axis=0)
        names = label_names_of(container.label_names, label_names, Y.shape[1])
        there = np.flatnonzero(counts.n_positives)
        if len(there) == 0:
            raise ValueError(
                f"None of the {Y.shape[1]} labels has a known positive in the {Y.shape[0]} "
                "samples: recall has no value."
            )
        n_found, n_positives = counts.tp[there], counts.n_positives[there]
        key = {"recall": n_found / n_positives, "frequent": -n_positives, "rare": n_positives}
        chosen = np.lexsort([-n_positives, key[order]])[
            : check_count(max_labels, name="max_labels")
        ]
        low, high = binomial_interval(n_found, n_positives, confidence=confidence, method=method)
        title = [shown_of(len(chosen), len(there), _FIRST[order])]
        if len(there) < Y.shape[1]:
            title.append(f"{Y.shape[1] - len(there)} without positives left out")
        display = cls(
            n_found=n_found[chosen],
            n_positives=n_positives[chosen],
            low=low[chosen],
            high=high[chosen],
            label_names=[names[label] for label in there[chosen]],
            confidence=confidence,
            target_recall=target_recall,
            title="; ".join(filter(None, title)),
        )
        return display.plot(ax=ax)

    @property
    def recall(self) -> NDArray[np.float64]:  # numpydoc ignore=RT01
        """Share of the positives that is found, of shape (n_labels,)."""
        return self.n_found / self.n_positives

    def plot(self, *, ax: Any = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : LabelRecallDisplay
            Drawn. With a target, colours tell the labels whose whole interval is below or above it.
        """
        n_labels = len(self.label_names)
        self.figure_, self.ax_ = get_figure_and_axes(
            ax, purpose=type(self).__name__, size=(7.2, 1.8 + 0.24 * max(n_labels, 6))
        )
        at, size = np.arange(n_labels), tick_size(n_labels)
        self.bars_ = self.ax_.barh(at, self.recall, color=self._colours(), height=0.75)
        self.intervals_ = self.ax_.errorbar(
            self.recall,
            at,
            xerr=np.maximum([self.recall - self.low, self.high - self.recall], 0),
            fmt="none",
            ecolor="black",
            elinewidth=1,
            capsize=2,
        )
        # tells the colour of a recall of 0, too
        self.ax_.scatter(self.recall, at, c=self._colours(), s=16, edgecolors="black", zorder=3)
        self.ax_.set_yticks(at, shortened(self.label_names), fontsize=size)
        self.counts_ax_ = self.ax_.secondary_yaxis("right")
        found = [
            f"{found}/{positives}"
            for found, positives in zip(self.n_found, self.n_positives, strict=True)
        ]
        self.counts_ax_.set_yticks(at, found, fontsize=size)
        self.counts_ax_.tick_params(length=0)
        self.counts_ax_.set_ylabel("Positives found of all")
        if self.target_recall is not None:
            self.ax_.axvline(self.target_recall, color="black", linestyle="--", linewidth=1)
            self._legend()
        self.ax_.set(
            xlabel=f"Recall, with {100 * self.confidence:g} % interval",
            ylabel="Label",
            xlim=(-0.015, 1.02),
            ylim=(n_labels - 0.4, -0.6),  # the first label on top
        )
        if self.title:
            pad = 6 if self.target_recall is None else 24  # above the legend
            self.ax_.set_title(self.title, loc="left", fontsize="medium", pad=pad)
        return self

    def _colours(self) -> list[str]:
        if self.target_recall is None:
            return [COLOURS[5]] * len(self.low)
        below, above = self.high < self.target_recall, self.low >= self.target_recall
        return np.select([below, above], [COLOURS[1], COLOURS[2]], COLOURS[5]).tolist()

    def _legend(self) -> None:
        """Explain the target and the colours that occur, above the axes."""
        patches = import_optional("matplotlib.patches", purpose=type(self).__name__)
        lines = import_optional("matplotlib.lines", purpose=type(self).__name__)
        used = set(self._colours())
        handles = [
            lines.Line2D(
                [], [], color="black", linestyle="--", label=f"target {self.target_recall:g}"
            )
        ]
        for colour, meaning in [
            (COLOURS[1], "interval below it"),
            (COLOURS[5], "interval covers it"),
            (COLOURS[2], "interval above it"),
        ]:
            if colour in used:
                handles.append(patches.Patch(color=colour, label=meaning))
        self.ax_.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=len(handles),
            frameon=False,
            fontsize="small",
        )

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame
            One row per label shown: name, recall, ends of the interval, positives found, positives.
        """
        return pd.DataFrame(
            {
                "label": self.label_names,
                "recall": self.recall,
                "low": self.low,
                "high": self.high,
                "n_found": self.n_found,
                "n_positives": self.n_positives,
            }
        )
