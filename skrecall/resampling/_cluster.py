"""Under-sampling by clusters, of rows that exist.

References
----------
.. [1] S.-J. Yen, Y.-S. Lee, "Cluster-based under-sampling approaches for imbalanced data
   distributions", Expert Systems with Applications 36(3), 2009.
.. [2] F. Rayhan, S. Ahmed, A. Mahbub, M. R. Jani, S. Shatabda, D. M. Farid, "CUSBoost:
   cluster-based under-sampling with boosting for imbalanced classification", CSITSS 2017.
"""

from typing import Any, Literal

import numpy as np
from imblearn.under_sampling.base import BaseUnderSampler
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils import check_random_state

from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._sklearn import HasMethods, StrOptions, _safe_indexing

from ._row_selection import BaseRowSelector, class_rows

_N_CLUSTERS = 8  # scikit-learn's own default


def allocate(
    n: int, weights: NDArray[np.float64], capacities: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Share a number among parts by weight, no part over its capacity, by largest remainder.

    What a full part cannot take goes to the others by their weights.

    Parameters
    ----------
    n : int
        To share, at most the sum of the capacities.
    weights : ndarray of shape (n_parts,)
        Positive wherever the capacity is.
    capacities : ndarray of shape (n_parts,)
        The most that each part can take.

    Returns
    -------
    shares : ndarray of shape (n_parts,)
        Whole numbers that sum to `n`; of equal remainders the first part gets more.
    """
    full = capacities == 0
    while True:
        left = n - capacities[full].sum()
        ideal = np.where(full, capacities, 0.0)
        ideal[~full] = left * (weights[~full] / weights[~full].sum())
        newly_full = ~full & (ideal >= capacities)
        if not newly_full.any():
            break
        full |= newly_full
    shares = np.floor(ideal).astype(np.intp)
    remainder = np.where(full, -1.0, ideal - shares)
    shares[np.argsort(-remainder, kind="stable")[: n - shares.sum()]] += 1
    return shares


class ClusterUnderSampler(BaseRowSelector, BaseUnderSampler):
    """Cluster a class and keep some rows of each cluster, at random.

    Every region of the class stays represented, and rows are real ones:
    :class:`~imblearn.under_sampling.ClusterCentroids` puts the centres of as many clusters in their
    place as rows are to be left, or the rows nearest to these.

    Parameters
    ----------
    clusterer : clusterer, default=None
        With `fit_predict`; cloned for each class. None means
        :class:`~sklearn.cluster.MiniBatchKMeans` with 8 clusters, or one per row if there are
        fewer. Rows that it leaves out as noise, labelled -1, are one more cluster.
    sampling_strategy : {"auto", "majority", "not minority", "not majority", "all"}, float, dict \
or callable, default="auto"
        As in imbalanced-learn's under-samplers: which classes are reduced, and to how many rows.
        "auto" is "not minority".
    allocation : {"proportional", "equal", "sbc"}, default="proportional"
        How many rows of each cluster stay. "proportional": the same share of each [2]_. "equal":
        the same number, or all rows if a cluster has fewer. "sbc": under-sampling based on
        clustering [1]_: all rows are clustered together, and of a cluster stay rows in proportion
        to its number of rows of the class over that of rows of the classes that lose none, which
        counts as 1 if there are none.
    random_state : int, RandomState instance or None, default=None
        Seeds an unseeded clusterer and draws the rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to keep of each reduced class.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Indices of the rows kept, increasing.
    cluster_labels_ : dict
        For each reduced class, the cluster of each of its rows, in their order.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    DensityUnderSampler : Thins regions by their density, without clusters.
    imblearn.under_sampling.ClusterCentroids : Clusters become rows.

    Notes
    -----
    The paper of "sbc" gives the number of rows by formula and does not say what happens where a
    cluster has fewer; here it gives all it has, and the rest is shared among the others by the same
    formula, so that the number asked for is met. Where all classes lose rows, the rows of the other
    classes count in its ratio.

    Numbers are shared out by the method of largest remainders.

    References
    ----------
    .. [1] S.-J. Yen, Y.-S. Lee, "Cluster-based under-sampling approaches for imbalanced data
       distributions", Expert Systems with Applications 36(3), 2009.
    .. [2] F. Rayhan, S. Ahmed, A. Mahbub, M. R. Jani, S. Shatabda, D. M. Farid, "CUSBoost:
       cluster-based under-sampling with boosting for imbalanced classification", CSITSS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> from skrecall.resampling import ClusterUnderSampler
    >>> rng = np.random.RandomState(0)
    >>> X = np.concatenate([rng.normal(size=(90, 2)), rng.normal(9, 1, (30, 2))])
    >>> y = np.repeat([0, 1], [100, 20])
    >>> sampler = ClusterUnderSampler(KMeans(2), allocation="equal", random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> int(np.sum(X_new[y_new == 0, 0] > 5)), int(np.sum(y_new == 0))
    (10, 20)
    """

    _parameter_constraints: dict = {
        **BaseUnderSampler._parameter_constraints,
        "clusterer": [HasMethods(["fit_predict"]), None],
        "allocation": [StrOptions({"proportional", "equal", "sbc"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        clusterer: BaseEstimator | None = None,
        *,
        sampling_strategy: Any = "auto",
        allocation: Literal["proportional", "equal", "sbc"] = "proportional",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.clusterer = clusterer
        self.allocation = allocation
        self.random_state = random_state

    def _fit_resample(self, X: Any, y: NDArray) -> NDArray[np.bool_]:
        rng = check_random_state(self.random_state)
        self.cluster_labels_ = {}
        kept = ~np.isin(y, list(self.sampling_strategy_))
        protected = kept.copy()
        together = self._cluster(X, rng) if self.allocation == "sbc" else None
        for label, n_kept in self.sampling_strategy_.items():
            rows = class_rows(y, label)
            if together is None:
                clusters = self._cluster(_safe_indexing(X, rows), rng)
                _, code, size = np.unique(clusters, return_inverse=True, return_counts=True)
                weights = np.ones(len(size)) if self.allocation == "equal" else size * 1.0
            else:
                clusters = together[rows]
                _, all_codes = np.unique(together, return_inverse=True)
                rivals = protected if protected.any() else y != label
                code, n_clusters = all_codes[rows], all_codes.max() + 1
                size = np.bincount(code, minlength=n_clusters)
                weights = size / np.maximum(1, np.bincount(all_codes[rivals], minlength=n_clusters))
            self.cluster_labels_[label] = clusters
            n_of_each = allocate(n_kept, weights, size)
            order = np.lexsort((rng.permutation(len(rows)), code))
            rank = np.empty(len(rows), dtype=np.intp)
            rank[order] = np.arange(len(rows)) - (np.cumsum(size) - size)[code[order]]
            kept[rows[rank < n_of_each[code]]] = True
        return kept

    def _cluster(self, X: Any, rng: np.random.RandomState) -> NDArray[np.integer]:
        clusterer = self.clusterer
        if clusterer is None:
            clusterer = MiniBatchKMeans(n_clusters=min(_N_CLUSTERS, X.shape[0]))
        return np.asarray(clone_with_seed(clusterer, rng).fit_predict(X))
