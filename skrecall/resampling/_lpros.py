"""Over-sampling by copies of rows with rare sets of labels.

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


class LPROS(BaseLabelSetSampler):
    """Copy rows at random of label sets that have fewer rows than the mean (LP-ROS) [1]_.

    Rows that carry exactly the same labels form a bag. The rows to add are shared alike among the
    bags below the mean size; a bag that reaches the mean leaves the rest of its share to the
    others.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which label sets to over-sample, and up to how many rows. "auto": those below the mean
        number of rows per set, up to it. "minority": the rarest, as "not minority", "not majority"
        and "all", up to the most frequent. A float: all that have less than this share of the rows
        of the most frequent, up to it. A dict: rows wanted, by label set, which is a tuple of
        labels in any order, ``()`` for rows without any. A callable takes `y` as an int8 array,
        sparse if `y` is, and returns such a dict.
    ratio : float or None, default=0.25
        Rows to add at most, as a share of the rows; None sets no limit.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, by label set; the limit of `ratio` may allow fewer.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Row of the input that each new row is: first all, then the copies.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    LPRUS : Removes rows of frequent label sets.
    MLROS : Copies rows of rare labels.

    Notes
    -----
    With "auto" no bag grows beyond the mean, as in the paper: where most sets have a single row the
    mean is below 2, and nothing is added, which is said in a warning.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "A first approach to deal with
       imbalance in multi-label datasets", HAIS 2013.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import label_sets
    >>> from skrecall.resampling import LPROS
    >>> X, Y = make_multilabel_classification(500, n_classes=4, random_state=0)
    >>> X_new, Y_new = LPROS(random_state=0).fit_resample(X, Y)
    >>> label_sets(Y)[2].min(), len(X_new), label_sets(Y_new)[2].min()
    (np.int64(15), 571, np.int64(31))
    """

    _parameter_constraints: dict = {
        **BaseLabelSetSampler._parameter_constraints,
        "ratio": [Interval(Real, 0, None, closed="neither"), None],
    }

    _sampling_type = "over-sampling"

    def _sample_indices(self, X: Any, Y: Indicator, rng: np.random.RandomState) -> NDArray[np.intp]:
        by_bag = np.argsort(self._set_of_row, kind="stable")
        size = np.bincount(self._set_of_row)
        bag = np.repeat(np.arange(len(size)), self._shares())
        start = np.cumsum(size) - size
        return np.append(np.arange(len(by_bag)), by_bag[start[bag] + rng.randint(size[bag])])
