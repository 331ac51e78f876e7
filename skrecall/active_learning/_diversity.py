"""Rows that lie far from each other, and batches that are both worth asking for and diverse.

References
----------
.. [1] O. Sener, S. Savarese, "Active learning for convolutional neural networks: a core-set
   approach", ICLR 2018.
.. [2] T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical
   Computer Science 38, 1985.
.. [3] F. Zhdanov, "Diverse mini-batch active learning", arXiv 1901.05954, 2019.
.. [4] T. N. C. Cardoso, R. M. Silva, S. Canuto, M. M. Moro, M. A. Goncalves, "Ranked batch-mode
   active learning", Information Sciences 379, 2017.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_array, check_random_state

from skrecall.utils._blocks import row_blocks
from skrecall.utils._checks import check_count, check_option, check_scores
from skrecall.utils._sklearn import _safe_indexing


def k_center_greedy(
    X: ArrayLike, n_queries: int, *, X_labelled: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Return rows such that every other row is near one of them, greedily [1]_ [2]_.

    Each pick is the row farthest from all rows picked and labelled so far. The largest distance
    that is left is at most twice the least possible for as many picks [2]_. It needs no model.

    Parameters
    ----------
    X : array-like or sparse of shape (n_samples, ...)
        Rows to pick from; images and sequences are taken as their values in a row.
    n_queries : int
        Number of picks, `n_samples` at most.
    X_labelled : array-like or sparse of shape (n_labelled, ...), default=None
        Rows that are labelled already. None: the first pick is the row nearest to the mean.

    Returns
    -------
    picks : ndarray of shape (n_queries,)
        Row indices in the order of the picks; of rows equally far, the first.

    Raises
    ------
    ValueError
        If there are fewer rows than picks, or values that are not finite numbers.

    Notes
    -----
    Distances are Euclidean: scale the features first, or pass an embedding. The memory is that of
    one distance per row, the time that of ``n_samples * (n_queries + n_labelled)`` distances.

    References
    ----------
    .. [1] O. Sener, S. Savarese, "Active learning for convolutional neural networks: a core-set
       approach", ICLR 2018.
    .. [2] T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical
       Computer Science 38, 1985.

    Examples
    --------
    >>> from skrecall.active_learning import k_center_greedy
    >>> k_center_greedy([[0.0], [1.0], [5.0], [9.0]], 3)
    array([2, 0, 3])
    """
    X, X_labelled = _check_rows(X, X_labelled)
    _check_enough(check_count(n_queries, name="n_queries"), X.shape[0])
    return _pick(X, X_labelled, n_queries, lambda distance, _: distance)


def select_batch(
    score: ArrayLike,
    n_queries: int,
    *,
    method: Literal["top", "k_center", "ranked"] = "top",
    X: ArrayLike | None = None,
    X_labelled: ArrayLike | None = None,
    oversampling: int = 10,
    random_state: int | np.random.RandomState | None = None,
) -> NDArray[np.intp]:
    """Return a batch of rows of high score that are not copies of each other.

    Parameters
    ----------
    score : array-like of shape (n_samples,)
        What a label of the row is worth, by any query function; greater is asked first.
    n_queries : int
        Number of rows, `n_samples` at most.
    method : {"top", "k_center", "ranked"}, default="top"
        "top": the highest scores. "k_center": the ``oversampling * n_queries`` highest scores are
        kept, and `k_center_greedy` picks among them, as in [1]_ with another clustering. "ranked":
        each pick is the row with the greatest ``a * (1 - s) + (1 - a) * score``, where s is
        ``1 / (1 + d)`` with the distance d to the nearest row labelled or picked, and a the share
        of rows that are neither [2]_: diversity counts while little is labelled, the score later.
        Without a labelled row, the highest score comes first. Scores must lie between 0 and 1.
    X : array-like or sparse of shape (n_samples, ...), default=None
        The rows; "top" needs none.
    X_labelled : array-like or sparse of shape (n_labelled, ...), default=None
        Rows that are labelled already, which the batch keeps away from; "top" needs none.
    oversampling : int, default=10
        See "k_center".
    random_state : int, RandomState instance or None, default=None
        Breaks ties of scores.

    Returns
    -------
    picks : ndarray of shape (n_queries,)
        Row indices; the first to ask for comes first.

    Raises
    ------
    ValueError
        If there are fewer rows than picks, a method lacks its rows, or scores are not finite.

    References
    ----------
    .. [1] F. Zhdanov, "Diverse mini-batch active learning", arXiv 1901.05954, 2019.
    .. [2] T. N. C. Cardoso, R. M. Silva, S. Canuto, M. M. Moro, M. A. Goncalves, "Ranked batch-mode
       active learning", Information Sciences 379, 2017.

    Examples
    --------
    >>> from skrecall.active_learning import select_batch
    >>> score, X = [0.9, 0.89, 0.8, 0.1], [[0.0], [0.01], [3.0], [9.0]]
    >>> select_batch(score, 2)
    array([0, 1])
    >>> select_batch(score, 2, method="ranked", X=X, X_labelled=[[9.0]])
    array([0, 2])
    """
    score = check_scores(score, name="score")
    n_queries = check_count(n_queries, name="n_queries")
    check_option(method, ("top", "k_center", "ranked"), name="method")
    _check_enough(n_queries, len(score))
    shuffled = check_random_state(random_state).permutation(len(score))
    order = shuffled[np.argsort(-score[shuffled], kind="stable")]
    if method == "top":
        return order[:n_queries]
    if X is None:
        raise ValueError(f"method={method!r} measures distances: pass the rows as X.")
    X, X_labelled = _check_rows(X, X_labelled)
    if X.shape[0] != len(score):
        raise ValueError(f"X has {X.shape[0]} rows and score {len(score)}: one score per row.")
    if method == "k_center":
        kept = order[: check_count(oversampling, name="oversampling") * n_queries]
        return kept[_pick(_safe_indexing(X, kept), X_labelled, n_queries, lambda d, _: d)]
    if score.min() < 0 or score.max() > 1:
        raise ValueError(
            f"method='ranked' adds the score to a share, and it goes from {score.min():.4g} to "
            f"{score.max():.4g}: scale it to 0 to 1."
        )
    n_rows = len(score) + (0 if X_labelled is None else X_labelled.shape[0])
    of_row = score[order]

    def worth(distance: NDArray[np.float64], n_picked: int) -> NDArray[np.float64]:
        weight = (len(score) - n_picked) / n_rows
        return weight * (1 - 1 / (1 + distance)) + (1 - weight) * of_row

    return order[_pick(_safe_indexing(X, order), X_labelled, n_queries, worth, first=0)]


def _pick(
    X: Any,
    X_labelled: Any,
    n_queries: int,
    worth: Callable[[NDArray[np.float64], int], NDArray[np.float64]],
    *,
    first: int | None = None,
) -> NDArray[np.intp]:
    """Return rows one by one, each the best by its distance to those labelled or picked."""
    picks: list[int] = []
    if X_labelled is None:
        if first is None:
            first = int(np.argmin(_nearest(X, np.asarray(X.mean(axis=0)).reshape(1, -1))))
        picks.append(first)
        X_labelled = X[[first]]
    distance = _nearest(X, X_labelled)
    while len(picks) < n_queries:
        value = worth(distance, len(picks))
        value[picks] = -np.inf
        picks.append(int(np.argmax(value)))
        np.minimum(distance, _nearest(X, X[[picks[-1]]]), out=distance)
    return np.array(picks)


def _nearest(X: Any, centers: Any) -> NDArray[np.float64]:
    """Return the distance of each row to the nearest center, in blocks.

    Distances are computed from inner products, which lose all digits far from the origin: a center
    is put there.
    """
    origin = 0 if issparse(X) or issparse(centers) else centers[0]
    centers = centers - origin
    blocks = (X[rows] - origin for rows in row_blocks(*X.shape))
    if centers.shape[0] == 1:
        return np.concatenate([euclidean_distances(block, centers)[:, 0] for block in blocks])
    return np.concatenate([pairwise_distances_argmin_min(block, centers)[1] for block in blocks])


def _check_rows(X: Any, X_labelled: Any) -> tuple[Any, Any]:
    """Return rows as arrays of two dimensions, or csr."""
    X = _flat(X, "X")
    if X_labelled is None or np.shape(X_labelled)[:1] == (0,):
        return X, None
    X_labelled = _flat(X_labelled, "X_labelled")
    if X_labelled.shape[1] != X.shape[1]:
        raise ValueError(
            f"X_labelled has {X_labelled.shape[1]} features and X {X.shape[1]}: they must have the "
            "same."
        )
    return X, X_labelled


def _flat(X: Any, name: str) -> Any:
    X = check_array(
        X, accept_sparse="csr", dtype=[np.float64, np.float32], allow_nd=True, input_name=name
    )
    return X.reshape(len(X), -1) if X.ndim > 2 else X


def _check_enough(n_queries: int, n_rows: int) -> None:
    if n_queries > n_rows:
        raise ValueError(f"n_queries={n_queries} of {n_rows} rows cannot be picked: lower it.")
