"""What a promise is made from: held-out scores, labels, groups and strata, as `fit` stores them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._promise import promise_units


@dataclass(frozen=True, eq=False)
class Evidence:
    """Held-out rows, and what is to be promised about them.

    Attributes
    ----------
    labels : ndarray of shape (n_labels,)
        Classes that promises are made for, in order.
    strata : ndarray of shape (n_strata,)
        Strata that they are made in; ``[None]`` for all rows together.
    y : ndarray of shape (n_rows,)
        True labels.
    y_score : ndarray of shape (n_rows, n_labels)
        Score of each class.
    groups, stratum : ndarray of shape (n_rows,) or None
        Group and stratum of each row.
    seed : int
        Chooses the row that stands for its group.
    is_empirical : bool
        Whether the scores are out-of-fold, which carry no proof.
    held_out_share : float
        Share of all rows that these are.
    """

    labels: NDArray
    strata: NDArray
    y: NDArray
    y_score: NDArray[np.float64]
    groups: NDArray | None
    stratum: NDArray | None
    seed: int
    is_empirical: bool
    held_out_share: float

    def rows(self, stratum: Any) -> NDArray[np.bool_]:
        """Return the rows of a stratum.

        Parameters
        ----------
        stratum : object
            One of `strata`.

        Returns
        -------
        rows : ndarray of shape (n_rows,), dtype bool
            True in the stratum.
        """
        return np.ones(len(self.y), dtype=bool) if stratum is None else self.stratum == stratum

    def units(
        self, j: int, stratum: Any, group_promise: str | None, y_score: NDArray | None = None
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return the units that the promise of a class in a stratum counts.

        Parameters
        ----------
        j : int
            Index of the class in `labels`.
        stratum : object
            One of `strata`.
        group_promise : {"any", "row"} or None
            How rows of a group count.
        y_score : ndarray of shape (n_rows,), default=None
            Scores in place of the stored ones.

        Returns
        -------
        positive : ndarray of shape (n_units,), dtype bool
            Positive units.
        y_score : ndarray of shape (n_units,)
            Their scores.
        """
        rows = self.rows(stratum)
        return promise_units(
            self.y[rows] == self.labels[j],
            (self.y_score[:, j] if y_score is None else y_score)[rows],
            None if self.groups is None else self.groups[rows],
            group_promise=group_promise,
            rng=check_random_state(self.seed),
        )

    def price(self, j: int, stratum: Any, threshold: float) -> tuple[float, float]:
        """Return what a threshold costs on the rows.

        Parameters
        ----------
        j : int
            Index of the class in `labels`.
        stratum : object
            One of `strata`.
        threshold : float
            Flag when the score is at least this.

        Returns
        -------
        precision, alerts_per_1000 : float
            Share of flagged rows that are of the class, and flagged rows in 1000.
        """
        rows = self.rows(stratum)
        flagged = self.y_score[rows, j] >= threshold
        precision = np.mean(self.y[rows][flagged] == self.labels[j])
        return float(precision), float(1000 * np.mean(flagged))
