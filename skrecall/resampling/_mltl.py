"""Under-sampling of rows whose nearest neighbour has other labels.

References
----------
.. [1] R. M. Pereira, Y. M. G. Costa, C. N. Silla Jr., "MLTL: a multi-label approach for the Tomek
   link undersampling algorithm", Neurocomputing 383, 2020.
"""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrecall.label_space import mean_imbalance_ratio, scumble
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import Interval, StrOptions

from ._mixed_features import MixedFeatures
from ._mlenn import BaseMultilabelCleaner
from ._multilabel import LabelChoice


def tomek_threshold(Y: Indicator) -> float:
    """Return the distance of labels above which a pair of rows is a Tomek link [1]_.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    threshold : float
        0.5 where labels are of like frequency, MeanIR < 4, or SCUMBLE is above 0.3; else 0.3 for a
        MeanIR up to 11.1, and 0.15 beyond.

    References
    ----------
    .. [1] R. M. Pereira, Y. M. G. Costa, C. N. Silla Jr., "MLTL: a multi-label approach for the
       Tomek link undersampling algorithm", Neurocomputing 383, 2020.
    """
    balance = 1 / math.sqrt(mean_imbalance_ratio(Y))
    if balance > 0.5 or scumble(Y) > 0.3:
        return 0.5
    return 0.3 if balance > 0.3 else 0.15


class MLTL(BaseMultilabelCleaner):
    """Remove rows whose nearest neighbour has other labels, if these are not rare (MLTL) [1]_.

    A row whose labels differ from those of its nearest neighbour by a distance above `threshold` is
    a Tomek link, and goes unless it carries a label rarer than the mean. All rows are judged before
    the first is removed.

    Parameters
    ----------
    sampling_strategy : str, array-like or callable, default="auto"
        Which labels are under-sampled: a row that carries any other is protected, and one without
        labels is not. "auto": those whose imbalance ratio is not above the mean. "all": no row is
        protected, the cleaning of the paper. "majority", "minority", "not minority" and "not
        majority" as in imbalanced-learn. Or a list of labels, or a callable that takes `y` as an
        int8 array, sparse if `y` is, and returns one.
    threshold : "auto" or float, default="auto"
        Distance of labels above which two rows are a link: labels carried by one of the two alone,
        over the sum of the labels of both. Two rows without labels have 0. "auto": 0.5, 0.3 or
        0.15, the lower the less even the labels are.
    categorical_features : "auto", array-like or None, default=None
        Names, indices or mask of columns of `X` that hold categories; "auto" for those of a
        DataFrame that are no numbers, or bool. Two different categories are as far apart as the
        median standard deviation of the numeric columns.
    neighbors : KNeighborsMixin object, default=None
        The search, cloned and fitted; None takes :class:`~sklearn.neighbors.NearestNeighbors`.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.

    Attributes
    ----------
    sampling_strategy_ : dict
        Positives of each label that is under-sampled.
    threshold_ : float
        The threshold in use.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Rows of the input that are kept, in their order.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    MLeNN : Asks several neighbours.
    imblearn.under_sampling.TomekLinks : For one label.

    Notes
    -----
    Unlike a Tomek link of one label, a link need not be mutual: the row need not be the nearest
    neighbour of its nearest neighbour. The distance of labels is that of `MLeNN`. The authors' own
    implementation divides by the labels of the union, which finds more links at the same threshold,
    and lets rows go that carry a rare label beside a frequent one.

    References
    ----------
    .. [1] R. M. Pereira, Y. M. G. Costa, C. N. Silla Jr., "MLTL: a multi-label approach for the
       Tomek link undersampling algorithm", Neurocomputing 383, 2020.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.resampling import MLTL
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> sampler = MLTL()
    >>> X_new, Y_new = sampler.fit_resample(X, Y)
    >>> sampler.threshold_, len(X_new) < len(X)
    (0.5, True)
    """

    _parameter_constraints: dict = {
        **BaseMultilabelCleaner._parameter_constraints,
        "threshold": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
    }
    _parameter_constraints.pop("n_neighbors")

    def __init__(
        self,
        *,
        sampling_strategy: LabelChoice = "auto",
        threshold: float | Literal["auto"] = "auto",
        categorical_features: str | Sequence | ArrayLike | None = None,
        neighbors: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.threshold = threshold
        self.categorical_features = categorical_features
        self.neighbors = neighbors
        self.n_jobs = n_jobs

    def _fit_resample(
        self, X: MixedFeatures, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        automatic = isinstance(self.threshold, str)
        self.threshold_ = tomek_threshold(Y) if automatic else float(self.threshold)
        return self._remove_far(X, Y, 1, self.threshold_)
