"""What recall a number of alerts buys: the question of those who look at every alert."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from skrecall.metrics import OperatingCurve, operating_curve
from skrecall.utils._optional import import_optional
from skrecall.utils._sklearn import _get_response_values

from ._axes import COLOURS, DASHES, QUIET, get_figure_and_axes

_MODEL, _REFERENCE = "recall budget", "recall budget reference"


class RecallBudgetDisplay:
    """Recall against alerts per 1000 samples, of one or several models on one axes.

    Make it with `from_estimator` or `from_predictions`, once per model with the same `ax`. What a
    perfect ranking and chance would reach is drawn with the first.

    Parameters
    ----------
    curve : OperatingCurve
        The curve of the model.
    name : str, default=None
        Name of the model.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    ax_ : matplotlib Axes
        The axes drawn on.
    line_ : matplotlib Line2D
        The curve.

    See Also
    --------
    OperatingPointDisplay : The chosen point on the precision-recall and the ROC curve.

    Examples
    --------
    >>> from skrecall.datasets import make_imbalanced_scores
    >>> from skrecall.plotting import RecallBudgetDisplay
    >>> scores = make_imbalanced_scores(2000, random_state=0)
    >>> display = RecallBudgetDisplay.from_predictions(scores.y, scores.y_score, name="model")
    >>> display.frame().columns.tolist()
    ['name', 'threshold', 'alerts_per_1000', 'recall', 'precision']
    """

    def __init__(self, *, curve: OperatingCurve, name: str | None = None) -> None:
        self.curve = curve
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        name: str | None = None,
        log: bool = True,
        budget: float | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the curve of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with `predict_proba` or `decision_function`.
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; None counts every sample once.
        pos_label : int, float, bool or str, default=None
            The positive label; None means the second of two classes.
        name : str, default=None
            Name of the model; None takes that of its class.
        log : bool, default=True
            Whether alerts are on a logarithmic axis, which shows small budgets.
        budget : float, default=None
            Alerts per 1000 to mark, with the recall they buy.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : RecallBudgetDisplay
            Drawn.

        Raises
        ------
        ValueError
            If `estimator` is no classifier.
        """
        check_is_fitted(estimator)
        if not is_classifier(estimator):
            raise ValueError(f"{type(estimator).__name__} is no classifier: it finds no positives.")
        if pos_label is None:
            pos_label = getattr(estimator, "pos_label_", None)
        y_score, pos_label = _get_response_values(
            estimator, X, ["predict_proba", "decision_function"], pos_label=pos_label
        )
        return cls.from_predictions(
            y,
            y_score,
            sample_weight=sample_weight,
            pos_label=pos_label,
            name=type(estimator).__name__ if name is None else name,
            log=log,
            budget=budget,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        name: str | None = None,
        log: bool = True,
        budget: float | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the curve of a score.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_score : array-like of shape (n_samples,)
            Scores; greater means more likely positive.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; None counts every sample once.
        pos_label : int, float, bool or str, default=None
            The positive label; None means the second of the two sorted labels.
        name : str, default=None
            Name of the score.
        log : bool, default=True
            Whether alerts are on a logarithmic axis, which shows small budgets.
        budget : float, default=None
            Alerts per 1000 to mark, with the recall they buy.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : RecallBudgetDisplay
            Drawn.
        """
        curve = operating_curve(y_true, y_score, sample_weight=sample_weight, pos_label=pos_label)
        return cls(curve=curve, name=name).plot(log=log, budget=budget, ax=ax)

    def plot(self, *, log: bool = True, budget: float | None = None, ax: Any = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        log : bool, default=True
            Whether alerts are on a logarithmic axis, which shows small budgets.
        budget : float, default=None
            Alerts per 1000 to mark, with the recall they buy.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : RecallBudgetDisplay
            Drawn.
        """
        self.figure_, self.ax_ = get_figure_and_axes(ax, purpose=type(self).__name__)
        n_drawn = sum(line.get_gid() == _MODEL for line in self.ax_.lines)
        alerts, recall = self.curve.alerts_per_1000, self.curve.recall
        first = alerts[1:].min()
        if n_drawn == 0:
            self._plot_references(first)
        colour = COLOURS[n_drawn % len(COLOURS)]
        (self.line_,) = self.ax_.plot(
            alerts[1:],
            recall[1:],
            drawstyle="steps-post",
            color=colour,
            linestyle=DASHES[n_drawn % len(DASHES)],
            label=self.name,
            gid=_MODEL,
        )
        if budget is not None:
            bought = recall[alerts <= budget][-1]
            self.ax_.plot(
                budget,
                bought,
                "o",
                color=colour,
                markeredgecolor="black",
                label=f"{budget:g} alerts in 1000: recall {bought:.3f}",
            )
        left = min(first, self.ax_.get_xlim()[0]) if log and n_drawn else first if log else -10
        self.ax_.set(
            xscale="log" if log else "linear",
            xlim=(left, 1000 if log else 1010),
            ylim=(-0.02, 1.02),
            xlabel="Alerts per 1000 samples" + (" (logarithmic)" if log else ""),
            ylabel="Recall (share of positives found)",
        )
        if log:
            ticker = import_optional("matplotlib.ticker", purpose=type(self).__name__)
            digits = (1,) if 1000 / left >= 100 else (1, 2, 5)
            self.ax_.xaxis.set_major_locator(ticker.LogLocator(subs=digits))
            self.ax_.xaxis.set_minor_formatter(ticker.NullFormatter())
        self.ax_.xaxis.set_major_formatter("{x:g}")
        self.ax_.legend(loc="upper left" if log else "lower right")
        return self

    def _plot_references(self, first: float) -> None:
        curve = self.curve
        positives = 1000 * curve.n_positives / (curve.n_positives + curve.n_negatives)
        alerts = np.geomspace(first, 1000, 200)
        alerts = np.sort(np.append(alerts, positives))
        for recall, style, label in [
            (np.minimum(1, alerts / positives), "-.", "perfect ranking"),
            (alerts / 1000, ":", "chance"),
        ]:
            self.ax_.plot(
                alerts, recall, color=QUIET, linestyle=style, label=label, gid=_REFERENCE, zorder=1
            )

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame
            One row per threshold: name, threshold, alerts per 1000, recall, precision.
        """
        frame = self.curve.frame()[["threshold", "alerts_per_1000", "recall", "precision"]]
        frame.insert(0, "name", self.name)
        return frame
