"""Which labels occur together, as a heat map."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from skrecall.label_space import (
    label_conditional_probability,
    label_cooccurrence,
    label_jaccard,
    label_lift,
)
from skrecall.utils._checks import check_option
from skrecall.utils._indicator import check_indicator, count_values
from skrecall.utils._optional import import_optional

from ._axes import get_figure_and_axes, readable_on
from ._labels import (
    DIVERGING,
    Order,
    choose_labels,
    label_names_of,
    shortened,
    shown_of,
    tick_size,
)

Measure = Literal["conditional", "count", "jaccard", "lift"]
_MEASURES = {
    "conditional": (label_conditional_probability, "P(other label | label)"),
    "count": (label_cooccurrence, "Samples with both labels"),
    "jaccard": (label_jaccard, "Jaccard index: samples with both over either"),
    "lift": (label_lift, "Lift (1: independent)"),
}
_MOST_ANNOTATED = 12


class LabelCooccurrenceDisplay:
    """Heat map of a number for every pair of labels, such as how often they occur together.

    Make it with `from_labels`, which draws it; or of a matrix of your own.

    Parameters
    ----------
    matrix : array-like of shape (n_labels, n_labels)
        The number of each pair, row label first.
    label_names : list of str
        Names of the labels.
    value_name : str, default="Value"
        What the numbers are, for the colour bar.
    ratio : bool, default=False
        Whether the numbers are ratios, 1 being neutral: colours are then logarithmic around it.
    title : str, default=""
        Which labels are shown, where some are not.

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
    LabelGraphDisplay : The same as a graph, with its communities.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.plotting import LabelCooccurrenceDisplay
    >>> _, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> display = LabelCooccurrenceDisplay.from_labels(Y, measure="count")
    >>> display.frame().shape
    (4, 4)
    """

    def __init__(
        self,
        *,
        matrix: ArrayLike,
        label_names: list[str],
        value_name: str = "Value",
        ratio: bool = False,
        title: str = "",
    ) -> None:
        self.matrix = np.asarray(matrix)
        self.label_names = label_names
        self.value_name = value_name
        self.ratio = ratio
        self.title = title

    @classmethod
    def from_labels(
        cls,
        Y: Any,
        *,
        measure: Measure = "conditional",
        max_labels: int = 30,
        order: Order = "frequent",
        label_names: list[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw how labels occur together.

        Parameters
        ----------
        Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        measure : {"conditional", "count", "jaccard", "lift"}, default="conditional"
            "conditional": P(column label | row label); "count": samples with both; "jaccard": their
            share in the samples with either; "lift": the ratio to what independence would give.
        max_labels : int, default=30
            How many labels to show; more than some dozens cannot be read.
        order : {"frequent", "rare"}, default="frequent"
            Which labels come first, and stay where there are more.
        label_names : list of str, default=None
            Names of all labels; None takes the columns of a DataFrame, else the indices.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LabelCooccurrenceDisplay
            Drawn.

        Raises
        ------
        ValueError
            If `Y` is no indicator, or an option is unknown.
        """
        check_option(measure, list(_MEASURES), name="measure")
        indicator, container = check_indicator(Y, accept_sparse=True)
        n_labels = indicator.shape[1]
        names = label_names_of(container.label_names, label_names, n_labels)
        shown = choose_labels(count_values(indicator, 1), max_labels, order)
        compute, value_name = _MEASURES[measure]
        matrix = compute(indicator[:, shown])
        display = cls(
            matrix=matrix.toarray() if issparse(matrix) else matrix,
            label_names=[names[label] for label in shown],
            value_name=value_name,
            ratio=measure == "lift",
            title=shown_of(len(shown), n_labels, order),
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None, cmap: str | None = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        cmap : str, default=None
            Colour map; None takes "cividis", for ratios "PuOr", which colour-blind readers can read
            too.

        Returns
        -------
        self : LabelCooccurrenceDisplay
            Drawn. The diagonal, and ratios of 0, are grey.
        """
        n_labels = len(self.label_names)
        side = 2.0 + 0.24 * max(n_labels, 10)
        self.figure_, self.ax_ = get_figure_and_axes(
            ax, purpose=type(self).__name__, size=(side + 0.8, side)
        )
        hidden = np.eye(n_labels, dtype=bool) | (self.ratio & (self.matrix <= 0))
        values = np.ma.masked_array(self.matrix, hidden, dtype=np.float64)
        self.ax_.set_facecolor("0.88")
        self.image_ = self.ax_.pcolormesh(
            values, cmap=cmap or (DIVERGING if self.ratio else "cividis"), norm=self._norm(values)
        )
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=self.ax_, label=self.value_name)
        if self.ratio:
            doublings = np.floor(np.log2(self.image_.norm.vmax))
            ticks = 2.0 ** np.arange(-doublings, doublings + 1, max(1, doublings // 3))
            self.colorbar_.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks])
            self.colorbar_.minorticks_off()
        size = tick_size(n_labels)
        at, names = np.arange(n_labels) + 0.5, shortened(self.label_names)
        self.ax_.set_xticks(at, names, rotation=90, fontsize=size)
        self.ax_.set_yticks(at, names, fontsize=size)
        self.ax_.tick_params(length=0)
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel="Other label", ylabel="Label")
        if self.title:
            self.ax_.set_title(self.title, loc="left", fontsize="medium")
        if n_labels <= _MOST_ANNOTATED:
            self._annotate(values)
        return self

    def _norm(self, values: np.ma.MaskedArray) -> Any:
        """Return the scale of the colours, which pairs without a number do not stretch."""
        colors = import_optional("matplotlib.colors", purpose=type(self).__name__)
        there = values.compressed()
        if not self.ratio:
            return colors.Normalize(0, max(there.max(initial=0), 1e-12))
        farthest = np.exp(np.abs(np.log(there)).max(initial=np.log(2)))
        return colors.LogNorm(1 / farthest, farthest)

    def _annotate(self, values: np.ma.MaskedArray) -> None:
        """Write the numbers into the cells, dark on light and light on dark."""
        whole = np.all(self.matrix == np.trunc(self.matrix))
        for i, j in np.argwhere(~np.ma.getmaskarray(values)):
            self.ax_.text(
                j + 0.5,
                i + 0.5,
                f"{values[i, j]:.0f}" if whole else f"{values[i, j]:.2f}",
                ha="center",
                va="center",
                fontsize="x-small",
                color=readable_on(self.image_.cmap(self.image_.norm(values[i, j]))),
            )

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame of shape (n_labels, n_labels)
            The number of each pair, the diagonal included.
        """
        return pd.DataFrame(
            self.matrix,
            index=pd.Index(self.label_names, name="label"),
            columns=pd.Index(self.label_names, name="other"),
        )
