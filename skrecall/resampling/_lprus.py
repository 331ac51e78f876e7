"""Under-sampling of rows with frequent sets of labels.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "A first approach to deal with
   imbalance in multi-label datasets", HAIS 2013.
"""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import Interval

from ._label_set_rows import BaseLabelSetSampler


class LPRUS(BaseLabelSetSampler):
    """Remove rows at random of label sets that have more rows than the mean (LP-RUS) [1]_.

    Rows that carry exactly the same labels form a bag. The rows to remove are shared alike among
    the bags above the mean size; a bag that reaches the mean leaves the rest of its share to the
    others.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which label sets to under-sample, and down to how many rows. "auto": those above the mean
        number of rows per set, down to it. "majority": the most frequent, as "not minority", "not
        majority" and "all", down to the rarest. A float: all sets, down to the rows of the rarest
        divided by it. A dict: rows wanted, by label set, which is a tuple of labels in any order,
        ``()`` for rows without any. A callable takes `y` as an int8 array, sparse if `y` is, and
        returns such a dict.
    ratio : float or None, default=0.25
        Rows to remove at most, as a share of the rows; None sets no limit.
    random_state : int, RandomState instance or None, default=None
        Draws the rows, without replacement.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to remove, by label set; the limit of `ratio` may allow fewer.
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
    LPROS : Copies rows of rare label sets.
    MLRUS : Removes rows of frequent labels.

    Notes
    -----
    With "auto" no bag falls below the mean size. Rows without labels are a bag as any other.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "A first approach to deal with
       imbalance in multi-label datasets", HAIS 2013.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import label_sets
    >>> from skrecall.resampling import LPRUS
    >>> X, Y = make_multilabel_classification(500, n_classes=4, random_state=0)
    >>> X_new, Y_new = LPRUS(random_state=0).fit_resample(X, Y)
    >>> label_sets(Y)[2].max(), len(X_new), label_sets(Y_new)[2].max()
    (np.int64(69), 430, np.int64(32))
    """

    _parameter_constraints: dict = {
        **BaseLabelSetSampler._parameter_constraints,
        "ratio": [Interval(Real, 0, 1, closed="neither"), None],
    }

    _sampling_type = "under-sampling"

    def _sample_indices(self, X: Any, Y: Indicator, rng: np.random.RandomState) -> NDArray[np.intp]:
        n_samples = len(self._set_of_row)
        by_bag = np.lexsort((rng.permutation(n_samples), self._set_of_row))
        size = np.bincount(self._set_of_row)
        place = np.arange(n_samples) - np.repeat(np.cumsum(size) - size, size)  # in its bag
        is_kept = place >= np.repeat(self._shares(), size)
        return np.sort(by_bag[is_kept])
