"""Over-sampling by convex combinations of two rows.

References
----------
.. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk
   minimization", ICLR 2018.
.. [2] H.-P. Chou, S.-C. Chang, J.-Y. Pan, W. Wei, D.-C. Juan, "Remix: rebalanced mixup", ECCV 2020
   Workshops.
"""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse, vstack
from scipy.stats import beta
from sklearn.utils import check_random_state

from skrecall.utils._row_metadata import refuse_row_metadata
from skrecall.utils._sklearn import Interval, StrOptions, _safe_indexing

from ._mixed_features import round_to
from ._neighbors import NEIGHBORS_CONSTRAINT, find_neighbors
from ._row_selection import (
    check_number_columns,
    check_target,
    class_rows,
    shown,
    warn_of_no_new_row,
)


def beta_above(
    n: int, alpha: float, least: float, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Draw from Beta(alpha, alpha) on the condition that draws are not below a number.

    Parameters
    ----------
    n : int
        Number of draws.
    alpha : float
        Both parameters.
    least : float in [0, 1)
        The smallest value.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    weights : ndarray of shape (n,)
        In [least, 1].
    """
    # Of the other row's weight, which has the same distribution: the lower tail keeps its digits.
    share = beta.cdf(1 - least, alpha, alpha) * rng.uniform(size=n)
    return np.clip(1 - beta.ppf(share, alpha, alpha), least, 1.0)


def mix_rows(X: Any, parents: NDArray[np.intp], weights: NDArray[np.float64]) -> Any:
    """Return weighted means of pairs of rows.

    Parameters
    ----------
    X : ndarray or sparse of shape (n_samples, n_features)
        Samples.
    parents : ndarray of shape (n_pairs, 2)
        Indices of the two rows.
    weights : ndarray of shape (n_pairs,)
        Weight of the first; the second has the rest.

    Returns
    -------
    X_new : ndarray or sparse of shape (n_pairs, n_features)
        In the type of `X`; integers are rounded.
    """
    first, second = (_safe_indexing(X, parents[:, side]) for side in (0, 1))
    dtype = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
    weights = weights.astype(dtype)[:, np.newaxis]
    if issparse(X):
        X_new = (first.multiply(weights) + second.multiply(1 - weights)).asformat(X.format)
        X_new.data = round_to(X_new.data, X.dtype)
        return X_new
    return round_to(weights * first + (1 - weights) * second, X.dtype)


def round_columns(X: Any, whole: NDArray[np.bool_]) -> Any:
    """Round the columns that hold whole numbers in the DataFrame that samples came from.

    Parameters
    ----------
    X : ndarray or sparse of shape (n_samples, n_features)
        Samples.
    whole : ndarray of shape (n_features,), dtype bool
        Which columns to round.

    Returns
    -------
    X : ndarray or sparse of shape (n_samples, n_features)
        The same container.
    """
    if not whole.any():
        return X
    if not issparse(X):
        X[:, whole] = np.rint(X[:, whole])
        return X
    cells = X.tocoo()
    cells.data = np.where(whole[cells.col], np.rint(cells.data), cells.data)
    return cells.asformat(X.format)


class MixupOverSampler(BaseOverSampler):
    """Add rows to rare classes, each a weighted mean of two rows [1]_.

    The first row is drawn from the class that grows, the second from it or from all rows. The new
    row has the label of the first, whose weight comes from ``Beta(alpha, alpha)``, and at least
    `min_weight` where the second may be of another class: the rule of Remix, by which the rare
    label wins [2]_.

    Parameters
    ----------
    sampling_strategy : {"auto", "minority", "not minority", "not majority", "all"}, float, dict \
or callable, default="auto"
        As in imbalanced-learn's over-samplers: which classes grow, and to how many rows. "auto" is
        "not majority".
    alpha : float, default=1.0
        Of the beta distribution. At 1 all mixtures are as likely; small values make rows near one
        of the two, great ones rows half way.
    partner : {"class", "any", "neighbors"}, default="class"
        Where the second row comes from: another row of the class, any other row, or the
        `n_neighbors` nearest rows of the class, as in SMOTE.
    min_weight : float in [0, 1), default=0.5
        Least weight of the first row where ``partner="any"``. This is 1 - tau of Remix, whose tau
        is 0.5.
    n_neighbors : int, default=5
        Of ``partner="neighbors"``.
    neighbors : KNeighborsMixin object, default=None
        The search for ``partner="neighbors"``, such as :class:`~sklearn.neighbors.NearestNeighbors`
        with a metric or `TorchNeighbors`; cloned. It is asked for `n_neighbors`, whatever its own
        number.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.
    random_state : int, RandomState instance or None, default=None
        Draws rows and weights.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add to each class.
    parent_indices_ : ndarray of shape (n_samples_new, 2)
        The two rows of the input that each row comes from; of a copied row both are the same.
    mixing_weights_ : ndarray of shape (n_samples_new,)
        Weight of the first of them, 1 for a copied row.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    ArraySampler : Makes it work on images and sequences.
    imblearn.over_sampling.SMOTE : Weights are uniform and partners nearest neighbours.

    Notes
    -----
    Labels stay hard. Mixup as a way of training gives a mixture the labels of both rows, in its
    proportion, and so keeps a model from being too sure; a sampler returns one label per row and
    cannot. With ``partner="any"`` up to half of a row may come from other classes without a word to
    the model, which moves its decision into their region: recall rises, precision falls, and
    probabilities are too high for the classes that grew, as after any over-sampling.

    Features of integer type, and DataFrame columns of integers or booleans, are rounded.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk
       minimization", ICLR 2018.
    .. [2] H.-P. Chou, S.-C. Chang, J.-Y. Pan, W. Wei, D.-C. Juan, "Remix: rebalanced mixup", ECCV
       2020 Workshops.

    Examples
    --------
    >>> from skrecall.datasets import make_imbalanced_classification
    >>> from skrecall.resampling import MixupOverSampler
    >>> data = make_imbalanced_classification(500, fixed_prevalence=True, random_state=0)
    >>> sampler = MixupOverSampler(partner="any", random_state=0)
    >>> X_new, y_new = sampler.fit_resample(data.X, data.y)
    >>> int(data.y.sum()), int(y_new.sum()), sampler.parent_indices_.shape
    (25, 475, (950, 2))
    """

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "partner": [StrOptions({"class", "any", "neighbors"})],
        "min_weight": [Interval(Real, 0, 1, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "neighbors": NEIGHBORS_CONSTRAINT,
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        alpha: float = 1.0,
        partner: Literal["class", "any", "neighbors"] = "class",
        min_weight: float = 0.5,
        n_neighbors: int = 5,
        neighbors: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.alpha = alpha
        self.partner = partner
        self.min_weight = min_weight
        self.n_neighbors = n_neighbors
        self.neighbors = neighbors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit_resample(self, X: ArrayLike, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        """Add rows.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Refused: metadata of rows belongs to `MetadataPipeline`.

        Returns
        -------
        X_resampled : array-like, DataFrame or sparse of shape (n_samples_new, n_features)
            All rows of `X`, then the new ones, in its container.
        y_resampled : array-like of shape (n_samples_new,)
            Their labels, in the container of `y`.

        Raises
        ------
        TypeError
            If metadata is given, which would be left behind.
        """
        refuse_row_metadata(self, params)
        check_target(y)
        X_new, y_new = super().fit_resample(X, y)
        if isinstance(X, pd.DataFrame):  # its rows were floats, which hold no great integers
            X_new = pd.concat([X, X_new.iloc[len(X) :]], ignore_index=True)
        return X_new, y_new

    def _check_X_y(self, X: Any, y: Any) -> tuple[Any, NDArray, bool]:
        check_target(y)
        check_number_columns(X, type(self).__name__)
        kinds = list(X.dtypes) if isinstance(X, pd.DataFrame) else []
        self._whole = np.array([_holds_whole_numbers(kind) for kind in kinds], dtype=bool)
        return super()._check_X_y(X, y)

    def _fit_resample(self, X: Any, y: NDArray) -> tuple[Any, NDArray]:
        rng = check_random_state(self.random_state)
        least = self.min_weight if self.partner == "any" else 0.0
        parents = [np.column_stack([np.arange(len(y))] * 2)]
        weights = [np.ones(len(y))]
        for label, n_new in self.sampling_strategy_.items():
            if n_new:
                parents.append(self._draw_parents(X, y, label, n_new, rng))
                weights.append(beta_above(n_new, self.alpha, least, rng))
        self.parent_indices_ = np.concatenate(parents)
        self.mixing_weights_ = np.concatenate(weights)
        y_new = y[self.parent_indices_[:, 0]]
        if len(y_new) == len(y):
            warn_of_no_new_row(self, y)
            return X, y_new
        X_new = mix_rows(X, self.parent_indices_[len(y) :], self.mixing_weights_[len(y) :])
        X_new = round_columns(X_new, self._whole)
        if issparse(X):
            return vstack([X, X_new], format=X.format), y_new
        return np.concatenate([X, X_new]), y_new

    def _draw_parents(
        self, X: Any, y: NDArray, label: Any, n_new: int, rng: np.random.RandomState
    ) -> NDArray[np.intp]:
        """Return pairs of rows, the first of them of the class."""
        rows = class_rows(y, label)
        own = rng.randint(len(rows), size=n_new)  # place of the first among the rows
        if self.partner == "neighbors":
            _, near = find_neighbors(
                X,
                self.n_neighbors,
                rows=rows,
                among=rows,
                neighbors=self.neighbors,
                n_jobs=self.n_jobs,
                among_name=shown(label),
            )
            return np.column_stack(
                [rows[own], near[own, rng.randint(self.n_neighbors, size=n_new)]]
            )
        if self.partner == "any":
            first, others = rows[own], np.arange(len(y))
        elif len(rows) == 1:
            raise ValueError(
                f"The {shown(label)} has 1 row, and partner='class' mixes two of them: add rows, "
                "or take partner='any'."
            )
        else:
            first, others = own, rows
        # Any of the others but the first: the places after it move up by one.
        second = rng.randint(len(others) - 1, size=n_new)
        second += second >= first
        return np.column_stack([rows[own], others[second]])


def _holds_whole_numbers(dtype: Any) -> bool:
    return pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
