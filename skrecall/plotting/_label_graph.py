"""Labels as a graph: an edge where two occur together, a colour per community."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, triu
from sklearn.utils import check_random_state

from skrecall.label_space import community_partition, label_jaccard
from skrecall.utils._checks import check_count
from skrecall.utils._indicator import check_indicator, count_values
from skrecall.utils._optional import import_optional

from ._axes import COLOURS, get_figure_and_axes
from ._labels import Order, choose_labels, label_names_of, shortened, shown_of

_MARKERS = "os^Dv"
_EDGES_PER_LABEL = 3


def spread_positions(
    layout: NDArray[np.float64],
    joined: NDArray[np.intp],
    n_labels: int,
    *,
    box: tuple[float, float] = (0.15, 0.075),
) -> NDArray[np.float64]:
    """Return positions at which the names of labels do not cover each other.

    Crowded parts of a layout are stretched, names that still overlap are pushed apart, and labels
    without an edge stand in rows of their own below.

    Parameters
    ----------
    layout : ndarray of shape (n_joined, 2)
        Positions of the labels that have an edge.
    joined : ndarray of shape (n_joined,)
        Those labels.
    n_labels : int
        Number of labels.
    box : tuple of (float, float), default=(0.15, 0.075)
        Width and height of a name, in a square of side 1.

    Returns
    -------
    positions : ndarray of shape (n_labels, 2)
        In a square of side 1 or, where there are more labels than fit, somewhat more.
    """
    positions = np.empty((n_labels, 2))
    if len(joined):
        rank = layout.argsort(axis=0, kind="stable").argsort(axis=0) / max(len(joined) - 1, 1)
        extent = np.maximum(np.ptp(layout, axis=0), 1e-12)
        side = max(1.0, np.sqrt(2 * len(joined) * box[0] * box[1]))
        at = (0.25 * (layout - layout.min(axis=0)) / extent + 0.75 * rank) * side
        for _ in range(300):
            gap = at[:, np.newaxis] - at
            lack = np.array(box) - np.abs(gap)
            overlap = (lack > 1e-9).all(axis=2)
            np.fill_diagonal(overlap, False)
            if not overlap.any():
                break
            # along the axis where the smaller share of a name is covered
            along = np.argmin(lack / box, axis=2)[:, :, np.newaxis] == np.arange(2)
            push = np.where(overlap[:, :, np.newaxis] & along, np.copysign(lack, gap), 0.0)
            at += push.sum(axis=1) / np.maximum(overlap.sum(axis=1), 1)[:, np.newaxis]
        positions[joined] = at
    alone = np.setdiff1d(np.arange(n_labels), joined)
    per_row = int(1 / box[0])
    lowest = positions[joined, 1].min() if len(joined) else 0.0
    positions[alone, 0] = (np.arange(len(alone)) % per_row + 0.5) / per_row
    positions[alone, 1] = lowest - 1.5 * box[1] * (1 + np.arange(len(alone)) // per_row)
    return positions


class LabelGraphDisplay:
    """Graph of the labels that occur together, in the colours of their communities.

    Make it with `from_labels`, which draws it.

    Parameters
    ----------
    positions : ndarray of shape (n_labels, 2)
        Where each label stands.
    edges : ndarray of shape (n_edges, 2), dtype int
        Labels that are joined.
    weights : ndarray of shape (n_edges,)
        How strongly.
    counts : ndarray of shape (n_labels,)
        Positives of each label.
    communities : ndarray of shape (n_labels,), dtype int
        Community of each label.
    label_names : list of str
        Names of the labels.
    title : str, default=""
        Which labels are shown, where some are not.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    ax_ : matplotlib Axes
        The axes drawn on.
    lines_ : matplotlib LineCollection
        The edges.
    points_ : list of matplotlib PathCollection
        The labels, one collection per community.
    texts_ : list of matplotlib Text
        Their names.

    See Also
    --------
    LabelCooccurrenceDisplay : The same as a heat map.
    community_partition : How communities are found.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.plotting import LabelGraphDisplay
    >>> _, Y = make_multilabel_classification(200, n_classes=5, random_state=0)
    >>> display = LabelGraphDisplay.from_labels(Y, random_state=0)
    >>> display.frame().columns.tolist()
    ['label', 'other', 'jaccard', 'community', 'other_community']
    """

    def __init__(
        self,
        *,
        positions: NDArray[np.float64],
        edges: NDArray[np.intp],
        weights: NDArray[np.float64],
        counts: NDArray[np.intp],
        communities: NDArray[np.intp],
        label_names: list[str],
        title: str = "",
    ) -> None:
        self.positions = positions
        self.edges = edges
        self.weights = weights
        self.counts = counts
        self.communities = communities
        self.label_names = label_names
        self.title = title

    @classmethod
    def from_labels(
        cls,
        Y: Any,
        *,
        partition: Sequence[ArrayLike] | None = None,
        max_labels: int = 40,
        max_edges: int | None = None,
        order: Order = "frequent",
        label_names: list[str] | None = None,
        random_state: int | np.random.RandomState | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the graph of labels.

        Parameters
        ----------
        Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        partition : sequence of array-like of int, default=None
            Label indices of each community, without overlap; None finds them in all labels with
            `community_partition`, edges weighted by their Jaccard index. Labels of no part are
            a community together.
        max_labels : int, default=40
            How many labels to show; more than some dozens cannot be read.
        max_edges : int, default=None
            How many edges to show, strongest first; None means three per label. Every label keeps
            its strongest, even beyond that number.
        order : {"frequent", "rare"}, default="frequent"
            Which labels stay where there are more.
        label_names : list of str, default=None
            Names of all labels; None takes the columns of a DataFrame, else the indices.
        random_state : int, RandomState instance or None, default=None
            Of the layout and the communities.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LabelGraphDisplay
            Drawn.

        Raises
        ------
        ImportError
            If networkx is not installed, which ``pip install 'skrecall[graph]'`` does.
        ValueError
            If `Y` is no indicator, or an option is unknown.
        """
        networkx = import_optional("networkx", purpose=cls.__name__)
        rng = check_random_state(random_state)
        indicator, container = check_indicator(Y, accept_sparse=True)
        n_labels = indicator.shape[1]
        names = label_names_of(container.label_names, label_names, n_labels)
        counts = count_values(indicator, 1)
        shown = choose_labels(counts, max_labels, order)
        if partition is None:
            partition = community_partition(indicator, weight="jaccard", random_state=rng)
        community = np.full(n_labels, len(partition))
        for number, part in enumerate(partition):
            community[np.asarray(part)] = number
        pairs = coo_array(triu(coo_array(label_jaccard(indicator[:, shown])), k=1))
        by_strength = np.argsort(-pairs.data, kind="stable")
        edges = np.column_stack([pairs.row, pairs.col])[by_strength].astype(np.intp)
        n_edges = _EDGES_PER_LABEL * len(shown) if max_edges is None else max_edges
        kept = np.union1d(
            np.arange(min(check_count(n_edges, name="max_edges"), len(edges))),
            np.unique(edges, return_index=True)[1] // 2,  # the strongest edge of each label
        )
        title = [shown_of(len(shown), n_labels, order)]
        if len(kept) < len(edges):
            title.append(f"{len(kept)} strongest of {len(edges)} edges")
        edges, weights = edges[kept], pairs.data[by_strength][kept]
        graph = networkx.Graph()
        graph.add_weighted_edges_from(
            (i, j, weight) for (i, j), weight in zip(edges.tolist(), weights.tolist(), strict=True)
        )
        layout = networkx.spring_layout(graph, iterations=200, seed=rng)
        joined = np.array(sorted(layout), dtype=np.intp)
        positions = spread_positions(
            np.array([layout[node] for node in joined.tolist()]).reshape(-1, 2), joined, len(shown)
        )
        display = cls(
            positions=positions,
            edges=edges,
            weights=weights,
            counts=counts[shown],
            communities=community[shown],
            label_names=[names[label] for label in shown],
            title=", ".join(filter(None, title)),
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : LabelGraphDisplay
            Drawn.
        """
        width, height = np.maximum(np.ptp(self.positions, axis=0), 1)  # of names that fit
        self.figure_, self.ax_ = get_figure_and_axes(
            ax, purpose=type(self).__name__, size=(8.4 * width, 6.4 * height)
        )
        collections = import_optional("matplotlib.collections", purpose=type(self).__name__)
        effects = import_optional("matplotlib.patheffects", purpose=type(self).__name__)
        share = self.weights / max(self.weights.max(initial=0), 1e-12)
        self.lines_ = self.ax_.add_collection(
            collections.LineCollection(
                self.positions[self.edges], linewidths=0.4 + 3.6 * share, colors="0.75", zorder=1
            )
        )
        area = 30 + 370 * self.counts / max(self.counts.max(initial=0), 1)
        self.points_ = []
        for place, community in enumerate(np.unique(self.communities)):
            members = self.communities == community
            self.points_.append(
                self.ax_.scatter(
                    *self.positions[members].T,
                    s=area[members],
                    color=COLOURS[place % len(COLOURS)],
                    marker=_MARKERS[place // len(COLOURS) % len(_MARKERS)],
                    edgecolors="white",
                    zorder=2,
                )
            )
        self.texts_ = [
            self.ax_.annotate(
                name,
                position,
                xytext=(0, np.sqrt(size) / 2 + 1.5),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize="small" if len(self.label_names) <= 20 else "x-small",
                path_effects=[effects.withStroke(linewidth=2, foreground="white")],
                zorder=3,
            )
            for name, position, size in zip(
                shortened(self.label_names, length=18), self.positions, area, strict=True
            )
        ]
        self.ax_.set_xticks([])
        self.ax_.set_yticks([])
        self.ax_.margins(0.12)
        self.ax_.set(
            xlabel="Size: samples with the label; width: share with both of those with either",
            ylabel="Near: labels that occur together",
        )
        n_communities = len(self.points_)
        colours = f"{n_communities} {'communities' if n_communities > 1 else 'community'} by colour"
        self.ax_.set_title(
            ", ".join(filter(None, [self.title, colours])), loc="left", fontsize="medium"
        )
        return self

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the display.

        Returns
        -------
        frame : DataFrame
            One row per edge, strongest first: both labels, their Jaccard index, both communities.
        """
        first, second = self.edges.T
        names = np.asarray(self.label_names, dtype=object)
        return pd.DataFrame(
            {
                "label": names[first],
                "other": names[second],
                "jaccard": self.weights,
                "community": self.communities[first],
                "other_community": self.communities[second],
            }
        )
