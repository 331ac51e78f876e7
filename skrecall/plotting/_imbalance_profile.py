"""How unequal labels are: their counts in order, and the imbalance ratio of each."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrecall.label_space import imbalance_ratio_per_label
from skrecall.utils._indicator import check_indicator, count_values

from ._axes import COLOURS, QUIET, get_figure_and_axes
from ._labels import label_names_of, shortened, tick_size

_MOST_NAMED = 40


class ImbalanceProfileDisplay:
    """Counts of all labels in decreasing order, on a logarithmic axis, with imbalance ratios.

    Make it with `from_labels`, which draws it.

    Parameters
    ----------
    counts : ndarray of shape (n_labels,)
        Positives of each label, decreasing.
    imbalance_ratio : ndarray of shape (n_labels,)
        The greatest count over that of each label (IRLbl); NaN for a label without positives.
    n_samples : int
        Number of samples.
    label_names : list of str
        Names of the labels.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    ax_ : matplotlib Axes
        The axes drawn on.
    bars_ : matplotlib BarContainer
        The counts.
    ratio_ax_ : matplotlib Axes
        The scale of imbalance ratios.

    See Also
    --------
    label_report : The same numbers and more.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.plotting import ImbalanceProfileDisplay
    >>> _, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> display = ImbalanceProfileDisplay.from_labels(Y)
    >>> display.frame().columns.tolist()
    ['label', 'count', 'share', 'imbalance_ratio', 'minority']
    """

    def __init__(
        self,
        *,
        counts: NDArray[np.intp],
        imbalance_ratio: NDArray[np.float64],
        n_samples: int,
        label_names: list[str],
    ) -> None:
        self.counts = counts
        self.imbalance_ratio = imbalance_ratio
        self.n_samples = n_samples
        self.label_names = label_names

    @classmethod
    def from_labels(cls, Y: Any, *, label_names: list[str] | None = None, ax: Any = None) -> Self:
        """Draw how often each label occurs.

        Parameters
        ----------
        Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        label_names : list of str, default=None
            Names of all labels; None takes the columns of a DataFrame, else the indices. Names are
            written under the bars of up to 40 labels, ranks under those of more.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ImbalanceProfileDisplay
            Drawn.

        Raises
        ------
        ValueError
            If `Y` is no indicator, or no label occurs.
        """
        indicator, container = check_indicator(Y, accept_sparse=True)
        counts = count_values(indicator, 1)
        if not counts.any():
            raise ValueError(
                f"None of the {len(counts)} labels occurs in the {indicator.shape[0]} samples: "
                "there is no imbalance to draw."
            )
        names = label_names_of(container.label_names, label_names, len(counts))
        order = np.argsort(-counts, kind="stable")
        display = cls(
            counts=counts[order],
            imbalance_ratio=imbalance_ratio_per_label(indicator)[order],
            n_samples=indicator.shape[0],
            label_names=[names[label] for label in order],
        )
        return display.plot(ax=ax)

    @property
    def mean_imbalance_ratio(self) -> float:  # numpydoc ignore=RT01
        """Mean imbalance ratio of the labels that occur (MeanIR)."""
        return float(np.nanmean(self.imbalance_ratio))

    @property
    def _minority(self) -> NDArray[np.bool_]:
        return ~(self.imbalance_ratio <= self.mean_imbalance_ratio)

    def plot(self, *, ax: Any = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : ImbalanceProfileDisplay
            Drawn. Labels rarer than the mean imbalance ratio have another colour; those that never
            occur have no bar.
        """
        n_labels = len(self.counts)
        named = n_labels <= _MOST_NAMED
        self.figure_, self.ax_ = get_figure_and_axes(
            ax, purpose=type(self).__name__, size=(max(6.4, 2 + 0.2 * min(n_labels, 40)), 4.8)
        )
        most, mean = self.counts.max(), self.mean_imbalance_ratio
        rank = np.arange(1, n_labels + 1)
        colours = np.where(self._minority, COLOURS[1], COLOURS[0])
        bottom = 0.7  # so that a label of one sample has a bar
        self.bars_ = self.ax_.bar(
            rank,
            np.maximum(self.counts - bottom, 0),
            bottom=bottom,
            width=0.8 if named else 1.0,
            color=colours.tolist(),
        )
        self.ax_.axhline(most / mean, color=QUIET, linestyle="--", linewidth=1)
        self.ax_.set(
            yscale="log",
            ylim=(bottom, most * 1.25),
            xlim=(0.4, n_labels + 0.6),
            xlabel="Label" if named else "Rank of the label, most frequent first",
            ylabel="Samples with the label (logarithmic)",
        )
        self.ax_.yaxis.set_major_formatter("{x:g}")
        self.ratio_ax_ = self.ax_.twinx()
        low, high = self.ax_.get_ylim()
        self.ratio_ax_.set(
            yscale="log", ylim=(most / low, most / high), ylabel="Imbalance ratio (IRLbl)"
        )
        self.ratio_ax_.yaxis.set_major_formatter("{x:g}")
        if named:
            self.ax_.set_xticks(
                rank, shortened(self.label_names), rotation=90, fontsize=tick_size(n_labels)
            )
        n_absent = int(np.count_nonzero(self.counts == 0))
        absent = f", {n_absent} without positives" if n_absent else ""
        self.ax_.set_title(
            f"{n_labels} labels in {self.n_samples} samples{absent}\n"
            f"{int(self._minority.sum())} rarer than MeanIR {mean:.3g} (dashed)",
            loc="left",
            fontsize="medium",
        )
        return self

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame
            One row per label, most frequent first: name, positives, their share, imbalance ratio,
            and whether that is above the mean.
        """
        return pd.DataFrame(
            {
                "label": self.label_names,
                "count": self.counts,
                "share": self.counts / self.n_samples,
                "imbalance_ratio": self.imbalance_ratio,
                "minority": self._minority,
            }
        )
