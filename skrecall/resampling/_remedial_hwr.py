"""Resampling after rows in which rare labels meet frequent ones were split.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "REMEDIAL-HwR: tackling multilabel
   imbalance through label decoupling and data resampling hybridization", Neurocomputing 326-327,
   2019.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags

from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._indicator import Indicator, check_indicator
from skrecall.utils._rows import take_rows
from skrecall.utils._sklearn import HasMethods

from ._multilabel import LabelChoice
from ._remedial import BaseDecouplingSampler, decouple


class REMEDIALHwR(MetaEstimatorMixin, BaseDecouplingSampler):
    """Split rows in which rare labels meet frequent ones, then resample (REMEDIAL-HwR) [1]_.

    Copies of a row with a rare label repeat the frequent labels beside it, and rows with a frequent
    label cannot be removed while rare ones are in them. `REMEDIAL` separates the two first. The
    hybrids of the paper take `MLROS`, `MLSMOTE` and `MLeNN` as sampler.

    Parameters
    ----------
    sampler : sampler object
        What comes second: a sampler of several labels that says in `sample_indices_` or
        `parent_indices_` where rows come from, as those of this package do.
    sampling_strategy : str, array-like or callable, default="auto"
        Which labels are separated from the others, as in `REMEDIAL`; the sampler has its own.
    random_state : int, RandomState instance or None, default=None
        Seeds the sampler where its own `random_state` is None.

    Attributes
    ----------
    sampler_ : sampler object
        The fitted sampler; its indices are those of the rows after the first step. One that does
        not look at features was given the indices of the rows in their place.
    sampling_strategy_ : dict
        Positives of each label that is separated.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Row of the input that each new row is, through both steps; if the sampler selects rows.
    parent_indices_ : ndarray of shape (n_samples_new, 2)
        The two rows of the input that each new row was made from, through both steps; if the
        sampler makes rows.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    REMEDIAL : The first step alone.

    Notes
    -----
    The two rows that one was split into have the same features, so that all their neighbours come
    in ties. A sampler that looks for neighbours breaks these as its search does, and those of
    dense and sparse samples may differ.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "REMEDIAL-HwR: tackling multilabel
       imbalance through label decoupling and data resampling hybridization", Neurocomputing
       326-327, 2019.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.resampling import MLROS, REMEDIALHwR
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> sampler = REMEDIALHwR(MLROS(), random_state=0)
    >>> X_new, Y_new = sampler.fit_resample(X, Y)
    >>> len(X_new), (X_new == X[sampler.sample_indices_]).all()
    (736, np.True_)
    """

    _parameter_constraints: dict = {
        **BaseDecouplingSampler._parameter_constraints,
        "sampler": [HasMethods(["fit_resample"])],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        sampler: BaseEstimator,
        *,
        sampling_strategy: LabelChoice = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.sampler = sampler
        self.random_state = random_state

    @property
    def _selects_rows(self) -> bool:  # type: ignore[override]
        tags = get_tags(self.sampler)  # a pipeline's have no sampler_tags
        return hasattr(tags, "sampler_tags") and tags.sampler_tags.sample_indices

    @property
    def _looks_at_features(self) -> bool:  # type: ignore[override]
        return getattr(self.sampler, "_looks_at_features", True)

    def _fit_resample(
        self, X: Any, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        rows, Y = decouple(Y, self._is_rare)
        if hasattr(self, "label_names_"):
            Y = pd.DataFrame(Y, columns=self.label_names_)
        self.sampler_ = clone_with_seed(self.sampler, rng)
        if not self._looks_at_features:  # spares a copy of the samples
            _, Y_new = self.sampler_.fit_resample(rows[:, np.newaxis], Y)
            X_new = take_rows(X, rows[self.sampler_.sample_indices_])
        else:
            X_new, Y_new = self.sampler_.fit_resample(take_rows(X, rows), Y)
        Y_new, _ = check_indicator(Y_new, accept_sparse=True, name="y")
        if self._selects_rows:
            indices = np.column_stack([self.sampler_.sample_indices_] * 2)
        elif hasattr(self.sampler_, "parent_indices_"):
            indices = self.sampler_.parent_indices_
        else:
            raise ValueError(
                f"{type(self.sampler_).__name__} says neither in sample_indices_ nor in "
                "parent_indices_ which rows it made from which: take a sampler of "
                "skrecall.resampling, and leave further ones to later steps of the Pipeline."
            )
        return X_new, Y_new, rows[indices]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.sampler).input_tags
        return tags
