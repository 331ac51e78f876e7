"""Tomek links from a part of the nearest neighbours.

Tomek, "Two modifications of CNN", IEEE Trans. SMC 6, 1976.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from imblearn.under_sampling import TomekLinks
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from skrecall.utils._sklearn import _safe_indexing

from ._exact_queries import is_euclidean_search, is_exact, neighbors_as_of_all
from ._neighbors import NEIGHBORS_CONSTRAINT, find_neighbors
from ._row_selection import refuse_images


def tomek_links(
    nearest_of: Callable[[NDArray[np.intp]], NDArray[np.intp]], y: NDArray
) -> NDArray[np.bool_]:
    """Return which rows are in a Tomek link: two rows of two classes, each the other's nearest.

    One row of a link is not of the largest class. Only those are asked for their nearest neighbour,
    and then only the neighbours of another class that were found.

    Parameters
    ----------
    nearest_of : callable
        Given rows in increasing order, returns the nearest neighbour of each.
    y : ndarray of shape (n_samples,)
        Classes.

    Returns
    -------
    in_link : ndarray of shape (n_samples,)
        Of rows of all classes.
    """
    classes, code = np.unique(y, return_inverse=True)
    nearest = np.full(len(y), -1)
    asked = np.flatnonzero(code != np.bincount(code, minlength=len(classes)).argmax())
    nearest[asked] = nearest_of(asked)
    partners = np.unique(nearest[asked][code[nearest[asked]] != code[asked]])
    partners = partners[nearest[partners] < 0]
    nearest[partners] = nearest_of(partners)
    rows = np.flatnonzero(nearest >= 0)
    other = nearest[rows]
    in_link = np.zeros(len(y), dtype=bool)
    in_link[rows] = (nearest[other] == rows) & (code[other] != code[rows])
    return in_link


class FastTomekLinks(TomekLinks):
    """Tomek links: what imbalanced-learn removes, in a part of the time.

    A Tomek link is two samples of two classes, each the nearest neighbour of the other. At least
    one of them is not of the largest class: only those samples are asked for their nearest
    neighbour, and then only the samples of another class that were found. With 10 % of the samples
    outside the largest class that is at most a fifth of the queries, whatever the number of
    features.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default='auto'
        Which classes lose their samples of a link, as for imbalanced-learn's: 'auto' is all but
        the smallest.
    neighbors : KNeighborsMixin object, default=None
        The search, such as `TorchNeighbors` or one with another metric; cloned. None takes
        scikit-learn's `NearestNeighbors`, as imbalanced-learn does.
    n_jobs : int or None, default=None
        Of the search, where `neighbors` is None.

    Attributes
    ----------
    sampling_strategy_ : dict
        The classes that lose samples, as stored by imbalanced-learn's.
    sample_indices_ : ndarray of shape (n_new_samples,)
        Indices of the samples that are kept; equal to those of imbalanced-learn's.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    FastEditedNearestNeighbours : Removes samples whose neighbours are of another class.

    Notes
    -----
    Where two neighbours are equally far, duplicates above all, imbalanced-learn takes the one that
    scikit-learn's search happens to put first, and in more than 15 features the search rounds. The
    same one is taken here: a sample whose nearest neighbour rounding could change is asked again
    within the block of samples it has in a search of all. Many such samples, as after random
    over-sampling, cost most of the time that was saved; integers that are small enough to be
    multiplied without rounding do not.

    Sparse `X`, half precision and values beyond 1e100 take imbalanced-learn's own way.

    References
    ----------
    .. [1] I. Tomek, "Two modifications of CNN", IEEE Transactions on Systems, Man, and Cybernetics
       6, 1976, pp. 769-772.

    Examples
    --------
    >>> from imblearn.under_sampling import TomekLinks
    >>> from sklearn.datasets import make_classification
    >>> from skrecall.resampling import FastTomekLinks
    >>> X, y = make_classification(1000, n_features=30, weights=[0.9], random_state=0)
    >>> sampler = FastTomekLinks()
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> expected = TomekLinks()
    >>> _ = expected.fit_resample(X, y)
    >>> len(X_new), (sampler.sample_indices_ == expected.sample_indices_).all()
    (995, np.True_)
    """

    _parameter_constraints: dict = {
        **TomekLinks._parameter_constraints,
        "neighbors": NEIGHBORS_CONSTRAINT,
    }

    def __init__(
        self,
        *,
        sampling_strategy: str | list | Callable = "auto",
        neighbors: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, n_jobs=n_jobs)
        self.neighbors = neighbors

    def _check_X_y(self, X: Any, y: Any, accept_sparse: Any = None) -> tuple[Any, NDArray, bool]:
        refuse_images(X, type(self).__name__)
        return super()._check_X_y(X, y, accept_sparse)

    def _fit_resample(self, X: Any, y: NDArray) -> tuple[Any, NDArray]:
        nearest_of = self._search_given(X) if self.neighbors is not None else self._search(X)
        if nearest_of is None:
            return super()._fit_resample(X, y)
        removed = tomek_links(nearest_of, y) & np.isin(y, list(self.sampling_strategy_))
        self.sample_indices_ = np.flatnonzero(~removed)
        return _safe_indexing(X, self.sample_indices_), _safe_indexing(y, self.sample_indices_)

    def _search_given(self, X: Any) -> Callable[[NDArray[np.intp]], NDArray[np.intp]]:
        def nearest_of(rows: NDArray[np.intp]) -> NDArray[np.intp]:
            return find_neighbors(X, 1, rows=rows, neighbors=self.neighbors)[1][:, 0]

        return nearest_of

    def _search(self, X: Any) -> Callable[[NDArray[np.intp]], NDArray[np.intp]] | None:
        """Return what finds the same neighbours as a search of all rows, None if nothing does."""
        nn = NearestNeighbors(n_neighbors=2, n_jobs=self.n_jobs).fit(X)
        if not is_euclidean_search(nn, X):
            return None
        exact, ids = is_exact(X), np.arange(len(X))

        def nearest_of(rows: NDArray[np.intp]) -> NDArray[np.intp]:
            return neighbors_as_of_all(nn, X, rows, ids, exact=exact)[:, 1]

        return nearest_of
