"""Under-sampling that thins a class where its rows lie close together.

References
----------
.. [1] C. R. Palmer, C. Faloutsos, "Density biased sampling: an improved method for data mining and
   clustering", SIGMOD 2000.
.. [2] D. O. Loftsgaarden, C. P. Quesenberry, "A nonparametric estimate of a multivariate density
   function", Annals of Mathematical Statistics 36(3), 1965.
.. [3] P. S. Efraimidis, P. G. Spirakis, "Weighted random sampling with a reservoir", Information
   Processing Letters 97(5), 2006.
"""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from imblearn.under_sampling.base import BaseUnderSampler
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.utils import check_random_state

from skrecall.utils._sklearn import Interval, StrOptions

from ._neighbors import NEIGHBORS_CONSTRAINT, find_neighbors
from ._row_selection import BaseRowSelector, class_rows, shown


def weighted_sample(
    log_weights: NDArray[np.float64], n_drawn: int, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Draw rows one after the other, without replacement, in proportion to their weights [3]_.

    Parameters
    ----------
    log_weights : ndarray of shape (n_rows,)
        Logarithms, as the weights themselves may be too great or too small for a float; rows of
        minus infinity, weight 0, are drawn, at random, once all others are.
    n_drawn : int
        Number of rows to draw.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (n_drawn,)
        Indices.
    """
    # The row whose exponential waiting time at its rate is shortest is drawn first.
    waiting = rng.exponential(size=len(log_weights))
    return np.lexsort((waiting, np.log(waiting) - log_weights))[:n_drawn]


class DensityUnderSampler(BaseRowSelector, BaseUnderSampler):
    """Remove rows of a class where many others of it are near.

    The distance of a row to its k-th nearest neighbour within its class tells how dense the class
    is around it [2]_. Rows are kept with a weight that grows with this distance, so that dense
    regions are thinned and sparse ones stay represented, unlike under random under-sampling [1]_.

    Parameters
    ----------
    sampling_strategy : {"auto", "majority", "not minority", "not majority", "all"}, float, dict \
or callable, default="auto"
        As in imbalanced-learn's under-samplers: which classes are reduced, and to how many rows.
        "auto" is "not minority".
    n_neighbors : int, default=5
        Which neighbour the distance is measured to.
    selection : {"weighted", "sparsest"}, default="weighted"
        "weighted": rows are drawn without replacement, with weights ``distance ** exponent``.
        "sparsest": the rows of greatest distance stay, without chance, ties in the order of the
        rows.
    exponent : float, default=1.0
        Of "weighted": 0 draws at random, the number of dimensions in which the rows vary draws
        evenly from the region that they fill.
    skip_sparsest : float in [0, 1), default=0.0
        Share of the rows of each class that loses rows, those of greatest distance, that are left
        out as outliers.
    neighbors : KNeighborsMixin object, default=None
        The search, such as :class:`~sklearn.neighbors.NearestNeighbors` with a metric or
        `TorchNeighbors`; cloned. It is asked for `n_neighbors`, whatever its own number.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to keep of each reduced class.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Indices of the rows kept, increasing.
    neighbor_distance_ : ndarray of shape (n_samples,)
        Distance to the k-th neighbour within the class, NaN for classes that lose no rows.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    ClusterUnderSampler : Keeps so many rows of each cluster.
    imblearn.under_sampling.NearMiss : Keeps rows by their distance to the other class.

    Notes
    -----
    Distances need features on one scale: put a scaler before it.

    The search is exact, and its time grows with the square of the rows of a class in more than
    about ten dimensions: for 100,000 rows and more, pass `neighbors`.

    The class is the only one whose density counts: where it is dense and borders on the rare class,
    it is thinned as elsewhere.

    References
    ----------
    .. [1] C. R. Palmer, C. Faloutsos, "Density biased sampling: an improved method for data mining
       and clustering", SIGMOD 2000.
    .. [2] D. O. Loftsgaarden, C. P. Quesenberry, "A nonparametric estimate of a multivariate
       density function", Annals of Mathematical Statistics 36(3), 1965.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.resampling import DensityUnderSampler
    >>> rng = np.random.RandomState(0)
    >>> X = np.concatenate([rng.normal(size=(900, 2)), rng.normal(9, 3, (100, 2)), [[4, 4]] * 50])
    >>> y = np.repeat([0, 1], [1000, 50])
    >>> sampler = DensityUnderSampler(sampling_strategy={0: 100}, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> int(np.sum(sampler.sample_indices_ < 900)), int(np.sum(y_new == 0))
    (56, 100)
    """

    _parameter_constraints: dict = {
        **BaseUnderSampler._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "selection": [StrOptions({"weighted", "sparsest"})],
        "exponent": [Interval(Real, 0, None, closed="left")],
        "skip_sparsest": [Interval(Real, 0, 1, closed="left")],
        "neighbors": NEIGHBORS_CONSTRAINT,
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_neighbors: int = 5,
        selection: Literal["weighted", "sparsest"] = "weighted",
        exponent: float = 1.0,
        skip_sparsest: float = 0.0,
        neighbors: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_neighbors = n_neighbors
        self.selection = selection
        self.exponent = exponent
        self.skip_sparsest = skip_sparsest
        self.neighbors = neighbors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit_resample(self, X: Any, y: NDArray) -> NDArray[np.bool_]:
        rng = check_random_state(self.random_state)
        self.neighbor_distance_ = np.full(len(y), np.nan)
        kept = ~np.isin(y, list(self.sampling_strategy_))
        for label, n_kept in self.sampling_strategy_.items():
            rows = class_rows(y, label)
            if n_kept == len(rows):
                kept[rows] = True
                continue
            distances, _ = find_neighbors(
                X,
                self.n_neighbors,
                rows=rows,
                among=rows,
                neighbors=self.neighbors,
                n_jobs=self.n_jobs,
                among_name=shown(label),
            )
            self.neighbor_distance_[rows] = distances[:, -1]
            kept[rows[self._choose(self.neighbor_distance_[rows], n_kept, label, rng)]] = True
        return kept

    def _choose(
        self, distance: NDArray[np.float64], n_kept: int, label: Any, rng: np.random.RandomState
    ) -> NDArray[np.intp]:
        n_skipped = round(self.skip_sparsest * len(distance))
        order = np.argsort(-distance, kind="stable")[n_skipped:]
        if n_kept > len(order):
            raise ValueError(
                f"skip_sparsest={self.skip_sparsest} leaves {len(order)} of the {len(distance)} "
                f"rows of {shown(label)}, and {n_kept} are to be kept: lower it, or keep fewer "
                "rows."
            )
        if self.selection == "sparsest":
            return order[:n_kept]
        return order[weighted_sample(xlogy(self.exponent, distance[order]), n_kept, rng)]
