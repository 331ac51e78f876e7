"""Negatives that are too many to train on: read in blocks, and the hardest or random ones kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import indexable

from skrecall.utils._blocks import row_blocks
from skrecall.utils._features import check_features
from skrecall.utils._rows import concatenate_rows, holds_arrays, row_keys, take_rows
from skrecall.utils._sklearn import _num_samples, _safe_indexing

Block = tuple[NDArray[np.intp], Any]  # numbers of negatives, and the rows

_N_CELLS = 2**22  # values in a block of rows that are scored at once
_LEAST_WIDTH = 64  # values that a row counts for at least, as its scores take memory too


@dataclass
class HardestRows:
    """The rows of greatest score of all that pass by, in memory for some of them.

    Attributes
    ----------
    n_kept : int
        How many to keep.
    ids : ndarray of shape (n,)
        Their numbers, the hardest first.
    scores, ties : ndarray of shape (n,)
        Their scores, and what decides between equal ones.
    X : array-like of shape (n, ...) or None
        The rows, in the container that they came in; None before the first.
    """

    n_kept: int
    ids: NDArray[np.intp]
    scores: NDArray[np.float64]
    ties: NDArray[np.float64]
    X: Any = None

    @classmethod
    def of_size(cls, n_kept: int) -> Self:
        """Return one without rows.

        Parameters
        ----------
        n_kept : int
            How many it is to keep.

        Returns
        -------
        hardest : HardestRows
            Empty.
        """
        return cls(n_kept, np.empty(0, dtype=np.intp), np.empty(0), np.empty(0))

    def offer(
        self,
        block: Block,
        scores: NDArray[np.float64],
        ties: NDArray[np.float64],
        among: NDArray[np.bool_] | None = None,
    ) -> None:
        """Take those rows of a block that are among the hardest so far.

        Parameters
        ----------
        block : tuple of ids and X
            Numbers of the rows, and the rows.
        scores, ties : ndarray of shape (n_rows,)
            Their scores, and what decides between equal ones.
        among : ndarray of shape (n_rows,), dtype bool, default=None
            Which rows may be taken; None for all.
        """
        ids, X = block
        passed = np.ones(len(ids), dtype=bool) if among is None else among
        if len(self.ids) == self.n_kept:
            passed = passed & (scores >= self.scores[-1])
        new = np.flatnonzero(passed)
        new = new[np.lexsort((ties[new], -scores[new]))[: self.n_kept]]
        if len(new) == 0:
            return
        rows = take_rows(X, new)
        rows = rows if self.X is None else concatenate_rows([self.X, rows])
        scores, ties = np.append(self.scores, scores[new]), np.append(self.ties, ties[new])
        order = np.lexsort((ties, -scores))[: self.n_kept]
        self.ids = np.append(self.ids, ids[new])[order]
        self.scores, self.ties, self.X = scores[order], ties[order], take_rows(rows, order)


@dataclass(frozen=True)
class NegativeRows:
    """The negatives of a round.

    Attributes
    ----------
    ids : ndarray of shape (n,)
        Their numbers, those of random ones first.
    X : array-like of shape (n, ...)
        The rows.
    n_random : int
        How many are random ones that stay.
    """

    ids: NDArray[np.intp]
    X: Any
    n_random: int

    def with_hardest(
        self, scores: NDArray[np.float64], hardest: HardestRows, max_negatives: int
    ) -> "NegativeRows | None":
        """Add hard rows; where there are too many, the easiest but random ones leave.

        Parameters
        ----------
        scores : ndarray of shape (n,)
            Scores of the rows that are here.
        hardest : HardestRows
            Rows that are not.
        max_negatives : int
            How many rows there may be.

        Returns
        -------
        negatives : NegativeRows or None
            None if no new row is hard enough to take the place of one that is here.
        """
        scores = np.append(scores, hardest.scores)
        scores[: self.n_random] = np.inf
        kept = np.sort(np.argsort(-scores, kind="stable")[:max_negatives])
        if kept[-1] < len(self.ids):
            return None
        ids = np.append(self.ids, hardest.ids)[kept]
        X = take_rows(concatenate_rows([self.X, hardest.X]), kept)
        return NegativeRows(ids, X, self.n_random)


class _NegativeSource:
    """All negatives in blocks: the rows of `X` that are some, then those given beside it.

    Parameters
    ----------
    estimator : estimator
        Its features are those that rows must have.
    X : array-like of shape (n_samples, ...)
        Samples.
    rows : ndarray of shape (n_own,)
        Which of them are negatives.
    negatives : array-like of shape (n_negatives, ...), callable or None
        Further ones.
    block_size : int or None
        Rows in a block of an array.

    Attributes
    ----------
    n_rows : int
        How many rows there are, once `blocks` has come to its end.
    """

    n_rows: int

    def __init__(
        self,
        estimator: BaseEstimator,
        X: Any,
        rows: NDArray[np.intp],
        negatives: Any,
        block_size: int | None,
    ) -> None:
        self.estimator, self.X, self.rows = estimator, X, rows
        is_array = negatives is not None and not callable(negatives)
        if is_array:
            _refuse_blocks(X, negatives)
        self.negatives = indexable(negatives)[0] if is_array else negatives
        self.block_size = block_size
        self._first: Any = None

    def slices(self, n_rows: int) -> Iterator[slice]:
        """Yield blocks of rows that are scored at once.

        Parameters
        ----------
        n_rows : int
            How many there are.

        Yields
        ------
        rows : slice
            The next block.
        """
        if self.block_size is not None:
            return row_blocks(n_rows, 1, n_cells=self.block_size)
        n_values = getattr(self.estimator, "n_features_in_", 1)
        return row_blocks(n_rows, max(n_values, _LEAST_WIDTH), n_cells=_N_CELLS)

    def blocks(self) -> Iterator[Block]:
        """Yield all rows and their numbers.

        Yields
        ------
        block : tuple of ids and X
            Those of further negatives are counted from the number of rows of `X`.

        Raises
        ------
        ValueError
            If further negatives are no rows like those of `X`, not as many as the last time, or
            begin with another row; or there are no negatives at all.
        """
        for rows in self.slices(len(self.rows)):
            yield self.rows[rows], take_rows(self.X, self.rows[rows])
        first = start = _num_samples(self.X)
        for block in self._further():
            self._check(block)
            n_rows = _num_samples(block)
            if n_rows:
                if start == first:
                    self._check_first(block)
                yield np.arange(start, start + n_rows), block
            start += n_rows
        n_rows = len(self.rows) + start - first
        if getattr(self, "n_rows", n_rows) != n_rows:
            raise ValueError(
                f"negatives gave {start - first} rows in one pass and "
                f"{self.n_rows - len(self.rows)} in the one before: rows are known by their place, "
                "so every call must return the same rows in the same order."
            )
        if n_rows == 0:
            raise ValueError("X holds no negative, and negatives gave no row: there are none.")
        self.n_rows = n_rows

    def _further(self) -> Iterator[Any]:
        if callable(self.negatives):
            yield from self.negatives()
        elif self.negatives is not None:
            for rows in self.slices(_num_samples(self.negatives)):
                yield _safe_indexing(self.negatives, rows)

    def _check_first(self, block: Any) -> None:
        """Refuse a pass that begins with another row than the one before."""
        if not callable(self.negatives):
            return
        key = row_keys(take_rows(block, np.arange(1)))
        if self._first is not None and key != self._first:
            raise ValueError(
                "negatives begin with another row than in the pass before: rows are known by their "
                "place, so every call must return the same rows in the same order. Seed what draws "
                "them inside the callable, and do not shuffle."
            )
        self._first = key

    def _check(self, block: Any) -> None:
        kinds = [
            "sparse" if issparse(rows) else "a DataFrame" if hasattr(rows, "iloc") else "an array"
            for rows in (self.X, block)
        ]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"X is {kinds[0]} and negatives are {kinds[1]}: give both in the same container."
            )
        shapes = [tuple(getattr(rows, "shape", ())[1:]) for rows in (self.X, block)]
        if all(shapes) and max(map(len, shapes)) > 1 and shapes[0] != shapes[1]:
            raise ValueError(
                f"X holds samples of shape {shapes[0]}, and negatives some of {shapes[1]}: convert "
                "one to the other."
            )
        check_features(self.estimator, block, reset=False)


def _n_dimensions(rows: Any) -> int:
    if isinstance(rows, list | tuple) or holds_arrays(rows):
        return 1 + (_n_dimensions(rows[0]) if len(rows) else 0)
    return getattr(rows, "ndim", 0)


def _refuse_blocks(X: Any, negatives: Any) -> None:
    """Refuse a list of blocks of rows in the place of rows."""
    if isinstance(negatives, list | tuple) and _n_dimensions(negatives) == _n_dimensions(X) + 1:
        raise ValueError(
            f"negatives is a list of {len(negatives)} blocks of rows: pass a callable that yields "
            "them, such as lambda: blocks, or the rows in one array."
        )


def draw_negatives(
    source: _NegativeSource,
    n_drawn: int,
    rng: np.random.RandomState,
    *,
    without: NDArray[np.intp] | None = None,
) -> Block:
    """Draw negatives at random, in one pass over all.

    Parameters
    ----------
    source : _NegativeSource
        All of them.
    n_drawn : int
        How many, without replacement; all where there are no more.
    rng : RandomState
        Source of randomness.
    without : ndarray of int, default=None
        Numbers of those that are not to be drawn.

    Returns
    -------
    block : tuple of ids and X
        Increasing numbers, and the rows.
    """
    drawn = HardestRows.of_size(n_drawn)
    for block in source.blocks():
        places = rng.uniform(size=len(block[0]))
        among = None if without is None else ~np.isin(block[0], without)
        drawn.offer(block, places, places, among)
    order = np.argsort(drawn.ids)
    return drawn.ids[order], take_rows(drawn.X, order)
