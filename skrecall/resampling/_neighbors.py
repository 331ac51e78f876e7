"""Nearest neighbours of some rows among some rows, none of them itself: what samplers look for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context, get_config
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.neighbors import NearestNeighbors

from skrecall.utils._sklearn import HasMethods, _num_samples, _safe_indexing

# What a sampler's parameter `neighbors` may be, for its `_parameter_constraints`.
NEIGHBORS_CONSTRAINT: list = [HasMethods(["fit", "kneighbors"]), None]

_WORKING_MEMORY = 16  # MiB of distances held at once; of sparse samples scikit-learn holds 1024


def find_neighbors(
    X: Any,
    n_neighbors: int,
    *,
    rows: NDArray[np.integer] | None = None,
    among: NDArray[np.integer] | None = None,
    neighbors: Any = None,
    n_jobs: int | None = None,
    among_name: str = "the samples",
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Return the nearest neighbours of some rows among some rows, in the numbering of all.

    A row is never its own neighbour: it is left out by its index, so that its duplicates count as
    neighbours, which leaving out the nearest one gets wrong.

    Parameters
    ----------
    X : array-like or sparse of shape (n_samples, n_features)
        All samples.
    n_neighbors : int
        Number of neighbours of each row.
    rows : ndarray of shape (n_rows,), default=None
        Indices of the rows whose neighbours are sought; None for all.
    among : ndarray of shape (n_among,), default=None
        Indices of the rows that may be neighbours, each once; None for all.
    neighbors : KNeighborsMixin object, default=None
        The search, cloned and fitted on the rows that may be neighbours; `n_neighbors` is passed
        to its `kneighbors`. None takes :class:`~sklearn.neighbors.NearestNeighbors`.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.
    among_name : str, default="the samples"
        What the message calls the rows that may be neighbours, such as "class 1".

    Returns
    -------
    distances : ndarray of shape (n_rows, n_neighbors)
        In the unit of the search, increasing.
    indices : ndarray of shape (n_rows, n_neighbors)
        Indices of rows of `X`.

    Raises
    ------
    ValueError
        If fewer than `n_neighbors` other rows may be neighbours.
    """
    n_samples = _num_samples(X)
    queries = X if rows is None else _safe_indexing(X, rows)
    rows = np.arange(n_samples) if rows is None else np.asarray(rows, dtype=np.intp)
    position = np.full(n_samples, -1)  # of each row among those that may be neighbours
    position[slice(None) if among is None else among] = np.arange(
        n_samples if among is None else len(among)
    )
    own = position[rows]
    n_others = position.max(initial=-1) + 1 - int((own >= 0).any())
    if n_others < n_neighbors:
        raise ValueError(
            f"n_neighbors={n_neighbors} neighbours of a row were asked for, and there are "
            f"{n_others} other rows in {among_name}: "
            + (
                f"set n_neighbors to {n_others} at most, or add rows."
                if n_others
                else "add rows, or use a sampler that needs no neighbours."
            )
        )
    search = NearestNeighbors(n_jobs=n_jobs) if neighbors is None else clone(neighbors)
    X_among = X if among is None else _safe_indexing(X, among)
    if isinstance(search, ClassifierMixin | RegressorMixin):  # they search without their target
        search.fit(X_among, np.zeros(_num_samples(X_among), dtype=np.intp))
    else:
        search.fit(X_among)
    n_asked = n_neighbors + int((own >= 0).any())
    memory = min(_WORKING_MEMORY, get_config()["working_memory"])
    with config_context(working_memory=memory):
        distances, indices = search.kneighbors(queries, n_neighbors=n_asked)
    distances, indices = _without_own(np.asarray(distances), np.asarray(indices), own, n_neighbors)
    return distances, indices if among is None else np.asarray(among, dtype=np.intp)[indices]


def _without_own(
    distances: NDArray, indices: NDArray, own: NDArray[np.intp], n_neighbors: int
) -> tuple[NDArray, NDArray[np.intp]]:
    """Leave out each row's own index, or the farthest neighbour of a row that lacks it."""
    if indices.shape[1] == n_neighbors:
        return distances, indices.astype(np.intp, copy=False)
    kept = indices != own[:, np.newaxis]
    kept[kept.all(axis=1), -1] = False
    shape = len(own), n_neighbors
    return distances[kept].reshape(shape), indices[kept].astype(np.intp, copy=False).reshape(shape)
