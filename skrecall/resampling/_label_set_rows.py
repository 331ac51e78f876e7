"""Bags of rows, one for each set of labels, that are brought nearer to one size.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "A first approach to deal with
   imbalance in multi-label datasets", HAIS 2013.
"""

import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrecall.label_space._label_sets import group_rows
from skrecall.utils._indicator import Indicator

from ._label_strategy import label_columns, refuse_unknown, resolve_targets
from ._multilabel import BaseLabelRowSampler, Strategy


def share_out(room: NDArray[np.intp], n_rows: int) -> NDArray[np.intp]:
    """Share a number of rows among bags, alike, none of them getting more than it has room for.

    What a bag has no room for is shared by those with more room.

    Parameters
    ----------
    room : ndarray of shape (n_bags,)
        How many rows each can be given.
    n_rows : int
        How many there are.

    Returns
    -------
    given : ndarray of shape (n_bags,)
        Sums to `n_rows`, or to all room if that is less.
    """
    if room.sum() <= n_rows:
        return room
    order = np.argsort(room, kind="stable")
    given = room[order]
    before = np.cumsum(given) - given
    n_open = np.arange(len(room), 0, -1)
    filled = np.argmin(given <= (n_rows - before) // n_open)  # bags that get all they can take
    each, more = divmod(n_rows - before[filled], n_open[filled])
    given[filled:] = each
    given[len(given) - more :] += 1
    shares = np.empty_like(room)
    shares[order] = given
    return shares


class BaseLabelSetSampler(BaseLabelRowSampler):
    """A sampler of rows by their sets of labels, up to a number of rows.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which sets to resample.
    ratio : float or None, default=0.25
        Rows to add or remove at most, as a share of the rows.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.
    """

    _sampling_type: Literal["over-sampling", "under-sampling"]
    ratio: float | None

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        ratio: float | None = 0.25,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.ratio = ratio
        self.random_state = random_state

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        first, self._set_of_row, counts = group_rows(Y)
        mean = len(self._set_of_row) / len(counts)
        strategy = self.sampling_strategy
        if callable(strategy):
            strategy = strategy(Y)
        columns: dict[Any, int] = {}
        if isinstance(strategy, dict):
            strategy = _in_order(strategy, label_columns(Y.shape[1], self._container.label_names))
            columns = {key: k for k, key in enumerate(self._names(Y, first))}
        over = self._sampling_type == "over-sampling"
        targets = resolve_targets(
            strategy,
            counts,
            self._sampling_type,
            int(np.floor(mean) if over else np.ceil(mean)),
            columns,
            ("rows", "label set"),
        )
        self._change = np.abs(targets - counts)
        changed = np.flatnonzero(self._change)
        names = self._names(Y, first[changed])
        return dict(zip(names, self._change[changed].tolist(), strict=True))

    def _names(self, Y: Indicator, rows: NDArray[np.intp]) -> Iterator[tuple]:
        """Yield the labels of rows as tuples of their names."""
        labels = csr_array(Y)[rows]
        labels.sort_indices()
        for start, end in pairwise(labels.indptr):
            yield tuple(self._label(column) for column in labels.indices[start:end])

    def _shares(self) -> NDArray[np.intp]:
        """Return the number of rows to add to, or to remove from, the bag of each set."""
        if self.ratio is None:
            return self._change
        n_most = max(1, round(self.ratio * len(self._set_of_row)))
        wanted = self._change.sum()
        if wanted > n_most and self.sampling_strategy != "auto":
            warnings.warn(
                f"{type(self).__name__} stopped at ratio={self.ratio} of the rows: "
                f"sampling_strategy asks for a change of {wanted} rows, and {n_most} were "
                "changed. Raise ratio, or set it to None.",
                stacklevel=6,
            )
        return share_out(self._change, n_most)

    def _why_unchanged(self, Y: Indicator) -> str:
        if self.sampling_strategy != "auto":
            return super()._why_unchanged(Y)
        counts = np.bincount(self._set_of_row)
        if counts.min() == counts.max():
            return f"its {len(counts)} label sets have {counts.max()} rows each."
        over = self._sampling_type == "over-sampling"
        return (
            f"its {len(counts)} label sets have {len(self._set_of_row) / len(counts):.3g} rows in "
            f"the mean, and the {'smallest' if over else 'largest'} has "
            f"{counts.min() if over else counts.max()}. Set sampling_strategy to "
            f"{'not majority' if over else 'not minority'!r} for sets of one size."
        )


def _in_order(strategy: dict, columns: dict[Any, int]) -> dict[tuple, Any]:
    """Return a dict by label sets whose keys have their labels in the order of the columns."""
    ordered: dict[tuple, Any] = {}
    for label_set, target in strategy.items():
        if not isinstance(label_set, tuple):
            raise ValueError(
                f"sampling_strategy has the key {label_set!r}, and label sets are resampled here: "
                f"give a tuple of labels, such as {(label_set,)!r} for rows that carry this one "
                "alone."
            )
        refuse_unknown(label_set, columns, "label")
        key = tuple(sorted(set(label_set), key=columns.__getitem__))
        if key in ordered:
            raise ValueError(
                f"sampling_strategy names the label set {key} twice, for {ordered[key]} and for "
                f"{target} rows: give one number."
            )
        ordered[key] = target
    return ordered
