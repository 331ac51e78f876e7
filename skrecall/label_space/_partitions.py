"""Ways to part the labels into groups that one model each learns together.

A partition is a list of arrays, the increasing label indices of each part; parts may overlap where
that is said.

References
----------
.. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Effective and efficient multilabel classification in
   domains with large number of labels", ECML/PKDD workshop on mining multidimensional data, 2008.
.. [2] G. Tsoumakas, I. Katakis, I. Vlahavas, "Random k-labelsets for multilabel classification",
   IEEE Transactions on Knowledge and Data Engineering 23(7), 2011.
"""

import itertools
import math
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse
from sklearn.cluster import AgglomerativeClustering, kmeans_plusplus
from sklearn.utils import check_random_state

from skrecall.utils._checks import check_count, check_option
from skrecall.utils._indicator import check_indicator

from ._cooccurrence import label_jaccard

Partition: TypeAlias = list[NDArray[np.intp]]


def check_partition(parts: Iterable[ArrayLike], n_labels: int) -> Partition:
    """Return parts as increasing indices, all labels covered.

    Parameters
    ----------
    parts : iterable of array-like of int
        Label indices of each part; parts may overlap.
    n_labels : int
        Number of labels.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each part.

    Raises
    ------
    ValueError
        If a part is empty or repeats a label, or an index is no label, or a label is in no part.
    """
    checked = []
    for number, part in enumerate(parts):
        labels = np.asarray(part)
        if labels.ndim != 1 or len(labels) == 0 or labels.dtype.kind not in "iu":
            raise ValueError(
                f"Part {number} of the partition is {part!r}: a part is a list of label indices, "
                "with at least one."
            )
        strange = labels[(labels < 0) | (labels >= n_labels)]
        if len(strange):
            raise ValueError(
                f"Part {number} of the partition holds {strange[:3].tolist()}, and the {n_labels} "
                f"labels have the indices 0 to {n_labels - 1}."
            )
        unique = np.unique(labels)
        if len(unique) < len(labels):
            raise ValueError(f"Part {number} of the partition names a label twice: {part!r}.")
        checked.append(unique.astype(np.intp))
    covered = np.concatenate([np.array([], dtype=np.intp), *checked])
    missing = np.setdiff1d(np.arange(n_labels), covered)
    if len(missing):
        raise ValueError(
            f"Labels {missing[:10].tolist()} are in no part of the partition, {len(missing)} of "
            f"{n_labels}: add them to a part, or as parts of their own."
        )
    return checked


def parts_of(assignment: NDArray[np.intp]) -> Partition:
    """Return the labels of each cluster, clusters in the order of their first label.

    Parameters
    ----------
    assignment : ndarray of shape (n_labels,)
        Cluster of each label; any integers.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each cluster.
    """
    _, first, inverse = np.unique(assignment, return_index=True, return_inverse=True)
    by_cluster = np.argsort(inverse, kind="stable")
    parts = np.split(by_cluster, np.cumsum(np.bincount(inverse))[:-1])
    return [parts[cluster] for cluster in np.argsort(first)]


def random_partition(
    n_labels: int,
    part_size: int = 3,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> Partition:
    """Part labels at random into disjoint parts.

    Parameters
    ----------
    n_labels : int
        Number of labels.
    part_size : int, default=3
        Labels per part; the last part may have fewer.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each of the ``ceil(n_labels / part_size)`` parts.

    Examples
    --------
    >>> from skrecall.label_space import random_partition
    >>> [len(part) for part in random_partition(7, 3, random_state=0)]
    [3, 3, 1]
    """
    check_count(n_labels, name="n_labels")
    check_count(part_size, name="part_size")
    order = check_random_state(random_state).permutation(n_labels)
    return [np.sort(order[start : start + part_size]) for start in range(0, n_labels, part_size)]


def random_label_subsets(
    n_labels: int,
    subset_size: int = 3,
    n_subsets: int | None = None,
    *,
    cover: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> Partition:
    """Draw distinct subsets of labels of one size: an overlapping partition, as RAkEL's [1]_.

    Parameters
    ----------
    n_labels : int
        Number of labels.
    subset_size : int, default=3
        Labels per subset.
    n_subsets : int, default=None
        Number of subsets; None means twice the number of labels, or all subsets there are.
    cover : bool, default=True
        Whether every label is in some subset: the first subsets then are the blocks of a random
        permutation, the last of them filled up, and the others are drawn uniformly. False draws all
        uniformly.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    subsets : list of ndarray of int
        Increasing label indices of each subset.

    Raises
    ------
    ValueError
        If there are not so many subsets, or so few cannot cover the labels.

    References
    ----------
    .. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Random k-labelsets for multilabel
       classification", IEEE Transactions on Knowledge and Data Engineering 23(7), 2011.

    Examples
    --------
    >>> from skrecall.label_space import random_label_subsets
    >>> subsets = random_label_subsets(5, 3, random_state=0)
    >>> len(subsets), len({tuple(subset) for subset in subsets})
    (10, 10)
    """
    check_count(n_labels, name="n_labels")
    check_count(subset_size, name="subset_size")
    if subset_size > n_labels:
        raise ValueError(f"There are no subsets of {subset_size} of {n_labels} labels.")
    n_possible = math.comb(n_labels, subset_size)
    if n_subsets is None:
        n_subsets = min(2 * n_labels, n_possible)
    check_count(n_subsets, name="n_subsets")
    if n_subsets > n_possible:
        raise ValueError(
            f"n_subsets={n_subsets}, and there are {n_possible} subsets of {subset_size} of "
            f"{n_labels} labels: ask for that many at most."
        )
    rng = check_random_state(random_state)
    found: dict[tuple[int, ...], None] = {}
    if cover:
        if n_subsets * subset_size < n_labels:
            raise ValueError(
                f"{n_subsets} subsets of {subset_size} labels cannot cover {n_labels} labels: ask "
                f"for {math.ceil(n_labels / subset_size)} at least, or set cover=False."
            )
        order = rng.permutation(n_labels)
        starts = range(0, n_labels - subset_size + 1, subset_size)
        blocks = [order[start : start + subset_size] for start in starts]
        rest = order[len(blocks) * subset_size :]
        if len(rest):
            others = rng.choice(order[: -len(rest)], subset_size - len(rest), replace=False)
            blocks.append(np.append(rest, others))
        found = {tuple(np.sort(block).tolist()): None for block in blocks}
    if n_possible <= 4 * n_subsets:
        every = itertools.combinations(range(n_labels), subset_size)
        left = [subset for subset in every if subset not in found]
        chosen = rng.choice(len(left), n_subsets - len(found), replace=False)
        found |= {left[k]: None for k in chosen}
    while len(found) < n_subsets:
        subset = rng.choice(n_labels, subset_size, replace=False)
        found[tuple(np.sort(subset).tolist())] = None
    return [np.array(subset, dtype=np.intp) for subset in found]


def k_means_partition(
    Y: Any,
    n_parts: int,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> Partition:
    """Part labels by balanced k-means on their columns [1]_: labels of the same rows, together.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    n_parts : int
        Number of parts, whose sizes differ by one at most.
    random_state : int, RandomState instance or None, default=None
        Seeds the first centres.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each part.

    References
    ----------
    .. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Effective and efficient multilabel
       classification in domains with large number of labels", ECML/PKDD workshop on mining
       multidimensional data, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.label_space import k_means_partition
    >>> Y = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1]])
    >>> k_means_partition(Y, 2, random_state=0)
    [array([0, 2]), array([1, 3])]
    """
    Y, _ = check_indicator(Y, accept_sparse=True)
    return parts_of(balanced_k_means(Y.T, n_parts, random_state))


def balanced_k_means(
    label_vectors: Any,
    n_clusters: int,
    random_state: int | np.random.RandomState | None = None,
    *,
    max_iter: int = 100,
) -> NDArray[np.intp]:
    """Cluster vectors by k-means with clusters whose sizes differ by one at most.

    Every iteration sends the vectors to their nearest centres; a full centre keeps the nearest of
    those it was offered, and the others ask the next, as in HOMER. Ends when no vector moves.

    Parameters
    ----------
    label_vectors : ndarray or sparse of shape (n_labels, n_features)
        One vector per label, such as the transposed indicator.
    n_clusters : int
        Number of clusters.
    random_state : int, RandomState instance or None, default=None
        Seeds the first centres, drawn as in k-means++.
    max_iter : int, default=100
        Number of iterations at most: the sum of squares need not fall in each.

    Returns
    -------
    assignment : ndarray of shape (n_labels,)
        Cluster of each vector; none is empty.

    Raises
    ------
    ValueError
        If there are more clusters than vectors.
    """
    n_labels = label_vectors.shape[0]
    check_count(n_clusters, name="n_clusters")
    if n_clusters > n_labels:
        raise ValueError(f"{n_labels} labels cannot be parted into {n_clusters} parts.")
    vectors = csr_array(label_vectors) if issparse(label_vectors) else label_vectors
    vectors = vectors.astype(np.float64)
    capacity = n_labels // n_clusters + (np.arange(n_clusters) < n_labels % n_clusters)
    centres, _ = kmeans_plusplus(vectors, n_clusters, random_state=random_state)
    assignment = np.full(n_labels, -1)
    for _ in range(max_iter):
        previous = assignment
        assignment = _fill(_distances(vectors, centres), capacity)
        if np.array_equal(assignment, previous):
            break
        members = (assignment, np.arange(n_labels))
        centres = csr_array((1 / capacity[assignment], members)) @ vectors
    return assignment


def _distances(vectors: Any, centres: Any) -> NDArray[np.float64]:
    """Return squared distances to the centres, less each vector's own squared length."""
    product = vectors @ centres.T
    product = product.toarray() if issparse(product) else product
    return np.asarray((centres * centres).sum(axis=1)).ravel() - 2 * product


def _fill(distance: NDArray[np.float64], capacity: NDArray[np.intp]) -> NDArray[np.intp]:
    """Assign rows to columns of limited capacity so that no row and column would rather swap.

    Deferred acceptance: whoever has no place asks the next column of its list; a column keeps the
    nearest that ever asked, up to its capacity. The capacities sum to the number of rows.
    """
    preference = np.argsort(distance, axis=1, kind="stable")
    n_asked = np.zeros(len(distance), dtype=np.intp)
    held = np.full(len(distance), -1, dtype=np.intp)
    while (homeless := np.flatnonzero(held < 0)).size:
        held[homeless] = preference[homeless, n_asked[homeless]]
        n_asked[homeless] += 1
        rows = np.arange(len(held))
        order = np.lexsort((distance[rows, held], held))
        sizes = np.bincount(held, minlength=len(capacity))
        rank = rows - np.repeat(np.cumsum(sizes) - sizes, sizes)
        held[order[rank >= capacity[held[order]]]] = -1
    return held


def hierarchical_partition(
    Y: Any,
    n_parts: int,
    *,
    linkage: Literal["average", "complete", "single"] = "average",
) -> Partition:
    """Part labels by agglomerative clustering: those that occur in the same rows, together.

    The distance of two labels is that of Jaccard: one less the share of the rows with either that
    have both. A label without positives is at distance 1 from all.

    Parameters
    ----------
    Y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator.
    n_parts : int
        Number of parts.
    linkage : {"average", "complete", "single"}, default="average"
        Which distance two groups of labels have: the mean, greatest or smallest of their labels'.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each part.

    Notes
    -----
    Takes a dense array of (n_labels, n_labels).

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.label_space import hierarchical_partition
    >>> Y = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1]])
    >>> hierarchical_partition(Y, 2)
    [array([0, 2]), array([1, 3])]
    """
    check_option(linkage, ("average", "complete", "single"), name="linkage")
    check_count(n_parts, name="n_parts")
    similarity = label_jaccard(Y)
    distance = 1 - (similarity.toarray() if issparse(similarity) else similarity)
    n_labels = len(distance)
    if n_parts > n_labels:
        raise ValueError(f"{n_labels} labels cannot be parted into {n_parts} parts.")
    if n_labels == 1:
        return [np.array([0])]
    np.fill_diagonal(distance, 0)
    clustering = AgglomerativeClustering(n_parts, metric="precomputed", linkage=linkage)
    return parts_of(clustering.fit_predict(distance))
