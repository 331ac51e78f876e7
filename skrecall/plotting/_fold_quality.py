"""Whether every fold has its share of every label."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrecall.model_selection import fold_quality
from skrecall.model_selection._fold_quality import rows_of_fold
from skrecall.utils._indicator import check_indicator
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

_WORST = 4.0  # ratio at which colours end


class FoldQualityDisplay:
    """Heat map of the positives of every label in every fold, against what the fold should have.

    Make it with `from_folds`, which draws it.

    Parameters
    ----------
    counts : ndarray of shape (n_folds, n_labels)
        Positives of each label shown in each fold.
    ideal : ndarray of shape (n_folds, n_labels)
        What each fold would have in proportion to its size.
    label_names : list of str
        Names of the labels.
    quality : Series
        The measures of `fold_quality`, over all labels.
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
    fold_quality : The measures in the title.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.model_selection import KFold
    >>> from skrecall.plotting import FoldQualityDisplay
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> display = FoldQualityDisplay.from_folds(Y, KFold(5).split(X))
    >>> display.frame().columns.tolist()
    ['fold', 'label', 'n_positives', 'ideal', 'ratio']
    """

    def __init__(
        self,
        *,
        counts: NDArray[np.intp],
        ideal: NDArray[np.float64],
        label_names: list[str],
        quality: pd.Series,
        title: str = "",
    ) -> None:
        self.counts = counts
        self.ideal = ideal
        self.label_names = label_names
        self.quality = quality
        self.title = title

    @classmethod
    def from_folds(
        cls,
        Y: Any,
        folds: Iterable[Any],
        *,
        max_labels: int = 40,
        order: Order = "rare",
        label_names: list[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw how labels are spread over folds.

        Parameters
        ----------
        Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        folds : iterable of array-like of int, or of (train, test) tuples
            Row indices of each fold, or what a splitter yields: the test rows are the fold.
        max_labels : int, default=40
            How many labels to show; more than some dozens cannot be read.
        order : {"frequent", "rare"}, default="rare"
            Which labels come first, and stay where there are more. Labels that never occur are not
            shown.
        label_names : list of str, default=None
            Names of all labels; None takes the columns of a DataFrame, else the indices.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : FoldQualityDisplay
            Drawn.

        Raises
        ------
        ValueError
            If `Y` is no indicator, no label occurs, there is no fold, or one is empty.
        """
        rows = [rows_of_fold(fold) for fold in folds]
        indicator, container = check_indicator(Y, accept_sparse=True)
        quality = fold_quality(indicator, rows)
        names = label_names_of(container.label_names, label_names, indicator.shape[1])
        labels = csr_array(indicator, dtype=np.intp)
        in_folds = np.array([labels[fold].sum(axis=0) for fold in rows])
        there = np.flatnonzero(in_folds.any(axis=0))
        if len(there) == 0:
            raise ValueError(
                f"None of the {len(names)} labels occurs in the folds: there are no shares to draw."
            )
        total = in_folds.sum(axis=0)
        shown = there[choose_labels(total[there], max_labels, order)]
        sizes = np.array([len(fold) for fold in rows])
        display = cls(
            counts=in_folds[:, shown],
            ideal=np.outer(sizes / sizes.sum(), total[shown]),
            label_names=[names[label] for label in shown],
            quality=quality,
            title=shown_of(len(shown), len(there), order),
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None, cmap: str = DIVERGING) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        cmap : str, default="PuOr"
            Colour map, whose middle is the ideal.

        Returns
        -------
        self : FoldQualityDisplay
            Drawn. A cross marks a fold without any positive of the label.
        """
        n_folds, n_labels = self.counts.shape
        self.figure_, self.ax_ = get_figure_and_axes(
            ax,
            purpose=type(self).__name__,
            size=(3.2 + 0.22 * max(n_labels, 16), 2.6 + 0.24 * max(n_folds, 4)),
        )
        colors = import_optional("matplotlib.colors", purpose=type(self).__name__)
        ratio = self.counts / self.ideal
        self.image_ = self.ax_.pcolormesh(
            np.clip(ratio, 1 / _WORST, _WORST), cmap=cmap, norm=colors.LogNorm(1 / _WORST, _WORST)
        )
        self.colorbar_ = self.figure_.colorbar(
            self.image_,
            ax=self.ax_,
            label="Positives over ideal",
            ticks=[1 / _WORST, 0.5, 1, 2, _WORST],
            format="{x:g}",
        )
        self.colorbar_.minorticks_off()
        fold, label = np.nonzero(self.counts == 0)
        ink = readable_on(self.image_.cmap(0.0))
        self.ax_.plot(label + 0.5, fold + 0.5, "x", color=ink, markersize=5)
        names = [
            f"{name} ({count})"
            for name, count in zip(
                shortened(self.label_names), self.counts.sum(axis=0).tolist(), strict=True
            )
        ]
        self.ax_.set_xticks(
            np.arange(n_labels) + 0.5, names, rotation=90, fontsize=tick_size(n_labels)
        )
        self.ax_.set_yticks(np.arange(n_folds) + 0.5, np.arange(n_folds) + 1)
        self.ax_.tick_params(length=0)
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel="Label (positives)", ylabel="Fold")
        measures = f"LD {self.quality['LD']:.3g}, ED {self.quality['ED']:.3g}"
        missing = f"{self.quality['FLZ']:g} times a label is missing in a fold ($\\times$)"
        self.ax_.set_title(
            "\n".join(filter(None, [self.title, f"{measures}; {missing}"])),
            loc="left",
            fontsize="medium",
        )
        return self

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame
            One row per fold and label shown: positives, what the fold should have, and their ratio.
        """
        n_folds, n_labels = self.counts.shape
        return pd.DataFrame(
            {
                "fold": np.repeat(np.arange(1, n_folds + 1), n_labels),
                "label": self.label_names * n_folds,
                "n_positives": self.counts.ravel(),
                "ideal": self.ideal.ravel(),
                "ratio": (self.counts / self.ideal).ravel(),
            }
        )
