"""Edited nearest neighbours, most rows decided without a search of all rows.

Wilson, "Asymptotic properties of nearest neighbor rules using edited data", IEEE Trans. SMC 2,
1972.
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from imblearn.under_sampling import EditedNearestNeighbours
from numpy.typing import NDArray
from scipy.stats import mode
from sklearn.neighbors import NearestNeighbors

from skrecall.utils._sklearn import _safe_indexing

from ._exact_queries import (
    is_brute_force,
    is_euclidean_search,
    is_exact,
    neighbors_as_of_all,
    rounding_width,
)
from ._row_selection import refuse_images

MAX_OTHERS = 0.4  # share of other classes, beyond which the search of all is no dearer
LEAST_GAIN = 2  # distances of the search of all that a round has to save for each it computes


def leaves(X: NDArray, size: int, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Halve rows along about the widest direction of each part, until parts are small.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    size : int
        Largest part.
    rng : Generator
        Draws the samples that a direction is computed from, and where it starts.

    Returns
    -------
    parts : list of ndarray
        Row numbers, each row in one part.
    """
    parts, stack = [], [np.arange(len(X))]
    while stack:
        rows = stack.pop()
        if len(rows) <= size:
            parts.append(rows)
            continue
        some = X[rng.choice(rows, 200)].astype(np.float64)
        some -= some.mean(axis=0)
        some /= np.abs(some).max() or 1.0
        direction = rng.standard_normal(len(some)) @ some
        for _ in range(2):  # of the power method: any direction will do, a wide one settles more
            direction = (some @ direction) @ some
            direction /= np.linalg.norm(direction) or 1.0
        half = len(rows) // 2
        order = np.argpartition(X[rows] @ direction, half)
        stack += [rows[order[:half]], rows[order[half:]]]
    return parts


def surely_among_own(
    X_own: NDArray, X_others: NDArray, *, n_neighbors: int, n_others: int
) -> NDArray[np.bool_]:
    """Return rows of a class that surely have at most `n_others` of other classes near them.

    A row is settled by rows of its class that are nearer than its nearest ones of other classes:
    they need not be the nearest, so looking in a small part of the class is enough. Rounds over
    other and larger parts go on while they pay. What rounding could change is not settled.

    Parameters
    ----------
    X_own, X_others : ndarray of shape (n_own, n_features) and (n_rest, n_features)
        Rows of the class, and all other rows.
    n_neighbors : int
        Number of neighbours, the row itself among them.
    n_others : int
        How many of them may be of another class; fewer than `n_rest`.

    Returns
    -------
    sure : ndarray of shape (n_own,)
        False says nothing.
    """
    if X_own.dtype.kind != "f":  # scikit-learn searches floats by smaller blocks
        X_own, X_others = X_own.astype(np.float64), X_others.astype(np.float64)
    brute = NearestNeighbors(n_neighbors=n_others + 1, algorithm="brute").fit(X_others)
    distance = brute.kneighbors(X_own)[0][:, -1]
    limit = distance**2 - rounding_width(X_own, distance)
    n_needed = n_neighbors - n_others
    sure = np.zeros(len(X_own), dtype=bool)
    size = max(2 * n_needed, 8 * math.isqrt(len(X_own)))
    rng = np.random.default_rng(0)  # decides how soon a row is settled, not how
    pays = True
    while pays:
        n_open = np.count_nonzero(~sure)
        for part in leaves(X_own, size, rng):
            rows = part[~sure[part]]
            if len(rows) and len(part) >= n_needed:
                brute = NearestNeighbors(n_neighbors=n_needed, algorithm="brute").fit(X_own[part])
                sure[rows] = brute.kneighbors(X_own[rows])[0][:, -1] ** 2 < limit[rows]
        n_settled = n_open - np.count_nonzero(~sure)
        pays = n_settled * (len(X_own) + len(X_others)) > LEAST_GAIN * n_open * size
        size += size // 2
    return sure


class FastEditedNearestNeighbours(EditedNearestNeighbours):
    """Edited nearest neighbours: what imbalanced-learn removes, in a part of the time.

    A sample is kept if its neighbours are of its class. For most samples a certificate says so at
    the cost of a few per cent of a search: the distance to the nearest sample of another class, and
    enough samples of the own class that are nearer, found within a small part of the class. Only
    the rest is searched among all samples.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default='auto'
        Which classes are edited, as for imbalanced-learn's: 'auto' is all but the smallest.
    n_neighbors : int or estimator, default=3
        Number of neighbours, or a `KNeighborsMixin` object that finds one more.
    kind_sel : {'all', 'mode'}, default='all'
        Whether a sample is kept if all neighbours are of its class, or if most are.
    n_jobs : int or None, default=None
        For scikit-learn's `NearestNeighbors`.

    Attributes
    ----------
    sampling_strategy_ : dict
        The classes that are edited, as stored by imbalanced-learn's.
    sample_indices_ : ndarray of shape (n_new_samples,)
        Indices of the samples that are kept, class by class; equal to those of imbalanced-learn's.
    nn_ : estimator
        The fitted search.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    FastTomekLinks : Removes samples of two classes that are each other's nearest neighbour.

    Notes
    -----
    Where neighbours are equally far, imbalanced-learn takes those that scikit-learn's search
    happens to put first, and the search rounds. The same are taken here: no certificate is given
    within the rounding, and a sample whose neighbours rounding could change is asked again within
    the block of samples it has in a search of its whole class.

    There is nothing to gain, and imbalanced-learn's own way is taken, where the search has a tree
    (scikit-learn's choice up to 15 features), where `n_neighbors` is an object other than a
    Euclidean `NearestNeighbors`, and for sparse `X`, half precision and values beyond 1e100. In
    three classes and more, a class is searched as a whole where over 40 % of the samples are of
    others.

    imbalanced-learn's `SMOTEENN` takes an instance as `enn`.

    References
    ----------
    .. [1] D. Wilson, "Asymptotic properties of nearest neighbor rules using edited data", IEEE
       Transactions on Systems, Man, and Cybernetics 2, 1972, pp. 408-421.

    Examples
    --------
    >>> from imblearn.under_sampling import EditedNearestNeighbours
    >>> from sklearn.datasets import make_classification
    >>> from skrecall.resampling import FastEditedNearestNeighbours
    >>> X, y = make_classification(1000, n_features=30, weights=[0.9], random_state=0)
    >>> sampler = FastEditedNearestNeighbours()
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> expected = EditedNearestNeighbours()
    >>> _ = expected.fit_resample(X, y)
    >>> len(X_new), (sampler.sample_indices_ == expected.sample_indices_).all()
    (937, np.True_)
    """

    def __init__(
        self,
        *,
        sampling_strategy: str | list | Callable = "auto",
        n_neighbors: Any = 3,
        kind_sel: Literal["all", "mode"] = "all",
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            n_neighbors=n_neighbors,
            kind_sel=kind_sel,
            n_jobs=n_jobs,
        )

    def _check_X_y(self, X: Any, y: Any, accept_sparse: Any = None) -> tuple[Any, NDArray, bool]:
        refuse_images(X, type(self).__name__)
        return super()._check_X_y(X, y, accept_sparse)

    def _fit_resample(self, X: Any, y: NDArray) -> tuple[Any, NDArray]:
        self._validate_estimator()
        self.nn_.fit(X)
        if not (
            is_euclidean_search(self.nn_, X)
            and is_brute_force(self.nn_)
            and 2 <= self.nn_.n_neighbors <= len(X)
        ):
            return super()._fit_resample(X, y)
        exact = is_exact(X)
        classes, code = np.unique(y, return_inverse=True)
        kept = []
        for k, label in enumerate(classes):
            rows = np.flatnonzero(code == k)
            if label in self.sampling_strategy_:
                rows = rows[self._is_kept(X, code, rows, exact=exact)]
            kept.append(rows)
        self.sample_indices_ = np.concatenate(kept)
        return X[self.sample_indices_], _safe_indexing(y, self.sample_indices_)

    def _is_kept(
        self, X: NDArray, code: NDArray[np.intp], rows: NDArray[np.intp], *, exact: bool
    ) -> NDArray[np.bool_]:
        """Return which rows of one class are kept."""
        X_own, own = X[rows], code[rows[0]]
        n_neighbors = self.nn_.n_neighbors
        n_others = 0 if self.kind_sel == "all" else (n_neighbors - 2) // 2
        kept = np.zeros(len(rows), dtype=bool)
        if n_others < len(X) - len(rows) <= MAX_OTHERS * len(X):
            kept = surely_among_own(
                X_own, X[code != own], n_neighbors=n_neighbors, n_others=n_others
            )
        open_ = np.flatnonzero(~kept)
        indices = neighbors_as_of_all(self.nn_, X_own, open_, code, exact=exact)
        found = code[indices[:, 1:]]
        if self.kind_sel == "all":
            kept[open_] = (found == own).all(axis=1)
        elif len(open_):
            kept[open_] = mode(found, axis=1).mode == own
        return kept
