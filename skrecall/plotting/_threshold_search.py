"""A search as a heat map: what was fitted against what was decided afterwards."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skrecall.utils._decision import decision_params

from ._axes import get_figure_and_axes

_MAX_TICKS = 10


def _short(name: str) -> str:
    return name.rpartition("__")[2]


def _label(value: Any) -> str:
    if isinstance(value, Real) and not isinstance(value, Integral):
        return f"{value:.4g}"
    if isinstance(value, BaseEstimator):
        return type(value).__name__
    return " ".join(str(value).split())


def _labels(values: list[Any]) -> list[str]:
    """Return short labels; a repr where two values would read alike."""
    short = [_label(value) for value in values]
    if len(set(short)) == len(short):
        return short
    return [" ".join(repr(value).split()) for value in values]


def _distinct(values: list[Any]) -> tuple[list[Any], NDArray[np.intp]]:
    """Return the distinct values in the order they come, and the index of each value."""
    keys = [repr(value) for value in values]  # estimators do not hash
    first = list(dict.fromkeys(keys))
    return [values[keys.index(key)] for key in first], np.array([first.index(k) for k in keys])


class ThresholdSearchDisplay:
    """Heat map of a search: decision parameter across, all other parameters down.

    Make it with `from_search` or `from_cv_results`; both draw it.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Mean test scores; NaN where a combination was not tried.
    row_labels : list of str
        What was fitted.
    columns : list
        Values of the parameter across.
    row_name : str
        Name of what was fitted.
    column_name : str
        Name of the parameter across.
    best : tuple of (int, int)
        Row and column of the best score.
    score_name : str, default="Mean test score"
        What the colours mean.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    ax_ : matplotlib Axes
        The axes drawn on.
    image_ : matplotlib QuadMesh
        The heat map.
    colorbar_ : matplotlib Colorbar
        Its scale.

    See Also
    --------
    skrecall.model_selection.DecisionGridSearchCV : Searches thresholds without retraining.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import FixedThresholdClassifier
    >>> from skrecall.model_selection import DecisionGridSearchCV
    >>> from skrecall.plotting import ThresholdSearchDisplay
    >>> X, y = make_classification(300, weights=[0.8], random_state=0)
    >>> search = DecisionGridSearchCV(
    ...     FixedThresholdClassifier(LogisticRegression()),
    ...     {"estimator__C": [0.01, 1], "threshold": [0.2, 0.4, 0.6]},
    ...     scoring="f1",
    ... ).fit(X, y)
    >>> ThresholdSearchDisplay.from_search(search).frame().shape
    (2, 3)
    """

    def __init__(
        self,
        *,
        scores: NDArray[np.float64],
        row_labels: list[str],
        columns: list[Any],
        row_name: str,
        column_name: str,
        best: tuple[int, int],
        score_name: str = "Mean test score",
    ) -> None:
        self.scores = scores
        self.row_labels = row_labels
        self.columns = columns
        self.row_name = row_name
        self.column_name = column_name
        self.best = best
        self.score_name = score_name

    @classmethod
    def from_search(
        cls,
        search: BaseEstimator,
        *,
        column: str | None = None,
        metric: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw a fitted search.

        Parameters
        ----------
        search : DecisionGridSearchCV, GridSearchCV or similar
            Fitted, over two parameters or more.
        column : str, default=None
            Name of the parameter across. None: the parameter that acts after fitting and has the
            most values; where no estimator declares one, the number with the most values.
        metric : str, default=None
            Which metric of several to draw; None where there is one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ThresholdSearchDisplay
            Drawn.
        """
        check_is_fitted(search)
        if column is None:
            column = _decision_column(search)
        scoring = getattr(search, "scoring", None)
        name = metric or (scoring if isinstance(scoring, str) else None)
        return cls.from_cv_results(
            search.cv_results_,
            column=column,
            metric=metric,
            score_name=None if name is None else f"Mean test {name}",
            ax=ax,
        )

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        column: str | None = None,
        metric: str | None = None,
        score_name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the results of any search.

        Parameters
        ----------
        cv_results : dict of array-like
            `cv_results_` of a search over two parameters or more.
        column : str, default=None
            Name of the parameter across; None takes the number with the most values.
        metric : str, default=None
            Which metric of several to draw; None where there is one.
        score_name : str, default=None
            What the colours mean; None says "Mean test score" or names the metric.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ThresholdSearchDisplay
            Drawn.

        Raises
        ------
        ValueError
            If there are fewer than two parameters, a name is unknown, or all scores are NaN.
        """
        suffix = "score" if metric is None else metric
        known = [key.removeprefix("mean_test_") for key in cv_results if "mean_test_" in key]
        if suffix not in known:
            raise ValueError(
                f"The search has no metric {metric!r}: metric must be "
                f"{' or '.join(map(repr, known))}."
            )
        params = list(cv_results["params"])
        names = list(dict.fromkeys(name for candidate in params for name in candidate))
        if column is None:
            column = _longest_number(params, names)
        if column not in names or len(names) < 2:
            raise ValueError(
                f"A heat map needs two parameters, and column={column!r} to be one of them: the "
                f"search has {names}."
            )
        columns, j = _distinct([candidate.get(column) for candidate in params])
        if all(isinstance(value, Real) for value in columns):
            order = np.argsort(np.asarray(columns, dtype=float), kind="stable")
            columns, j = [columns[k] for k in order], np.argsort(order)[j]
        others = [name for name in names if name != column]
        rows, i = _distinct([[candidate.get(name) for name in others] for candidate in params])
        scores = np.full((len(rows), len(columns)), np.nan)
        mean = np.asarray(cv_results[f"mean_test_{suffix}"], dtype=np.float64)
        if np.isnan(mean).all():
            raise ValueError(
                f"All {len(mean)} scores of the search are NaN: nothing can be drawn. Search with "
                "error_score='raise' to see why."
            )
        scores[i, j] = mean
        best = int(np.nanargmax(mean))
        display = cls(
            scores=scores,
            row_labels=_row_labels(rows, others),
            columns=columns,
            row_name=", ".join(_short(name) for name in others),
            column_name=_short(column),
            best=(int(i[best]), int(j[best])),
            score_name=score_name or f"Mean test {'score' if metric is None else metric}",
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None, cmap: str = "cividis") -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        cmap : str, default="cividis"
            Colour map; the default reads the same to colour-blind readers.

        Returns
        -------
        self : ThresholdSearchDisplay
            Drawn. Scores far below the others share the lowest colour.
        """
        self.figure_, self.ax_ = get_figure_and_axes(
            ax, purpose=type(self).__name__, size=(7.6, 2.2 + 0.35 * len(self.row_labels))
        )
        self.ax_.set_facecolor("0.85")  # shows through where a combination was not tried
        lowest, highest = _colour_range(self.scores)
        self.image_ = self.ax_.pcolormesh(
            np.ma.masked_invalid(self.scores), cmap=cmap, vmin=lowest, vmax=highest
        )
        self.colorbar_ = self.figure_.colorbar(
            self.image_,
            ax=self.ax_,
            label=self.score_name,
            extend="min" if np.nanmin(self.scores) < lowest else "neither",
        )
        row, column = self.best
        self.ax_.plot(
            column + 0.5,
            row + 0.5,
            "*",
            markersize=16,
            color="white",
            markeredgecolor="black",
        )
        every = -(-len(self.columns) // _MAX_TICKS)
        shown = np.arange(0, len(self.columns), every)
        labels = _labels(self.columns)
        self.ax_.set_xticks(shown + 0.5, [labels[k] for k in shown])
        self.ax_.set_yticks(np.arange(len(self.row_labels)) + 0.5, self.row_labels)
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel=self.column_name, ylabel=self.row_name)
        self.ax_.set_title(
            f"$\\bigstar$ best {self.scores[row, column]:.3g} at\n"
            f"{self.row_labels[row]}, {self.column_name} {labels[column]}",
            loc="left",
            fontsize="medium",
        )
        return self

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame of shape (n_rows, n_columns)
            Mean test scores; NaN where a combination was not tried.
        """
        return pd.DataFrame(
            self.scores,
            index=pd.Index(self.row_labels, name=self.row_name),
            columns=pd.Index(self.columns, name=self.column_name),
        )


def _colour_range(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the scores of the end colours, which one bad cell does not stretch."""
    lowest, lower, upper, highest = np.nanpercentile(scores, [0, 25, 75, 100])
    floor = lower - 3 * (upper - lower)
    return (max(lowest, floor) if floor < highest else lowest), highest


def _row_labels(rows: list[list[Any]], names: list[str]) -> list[str]:
    """Return one label per row: its values, numbers with the name of their parameter."""
    by_parameter = []
    for k, name in enumerate(names):
        distinct, index = _distinct([row[k] for row in rows])
        labels = [
            f"{_short(name)}={label}" if isinstance(value, Real) and len(names) > 1 else label
            for value, label in zip(distinct, _labels(distinct), strict=True)
        ]
        by_parameter.append([labels[m] for m in index])
    return [", ".join(parts) for parts in zip(*by_parameter, strict=True)]


def _n_values(params: list[dict[str, Any]], name: str) -> int:
    return len({repr(candidate.get(name)) for candidate in params})


def _longest_number(params: list[dict[str, Any]], names: list[str]) -> str:
    """Return the parameter that is a number throughout and has the most values."""
    numbers = [
        name
        for name in names
        if all(isinstance(c.get(name), Real) and not isinstance(c[name], bool) for c in params)
    ]
    return max(numbers or names, key=lambda name: _n_values(params, name))


def _decision_column(search: BaseEstimator) -> str | None:
    """Return the searched parameter that acts after fitting and has the most values."""
    params = list(search.cv_results_["params"])
    declared = [
        name
        for name in dict.fromkeys(name for candidate in params for name in candidate)
        if _acts_after_fit(search.estimator, name)
    ]
    return max(declared, key=lambda name: _n_values(params, name), default=None)


def _acts_after_fit(estimator: BaseEstimator, name: str) -> bool:
    owner, _, parameter = name.rpartition("__")
    holder = estimator.get_params().get(owner) if owner else estimator
    return hasattr(holder, "get_params") and parameter in decision_params(holder)
