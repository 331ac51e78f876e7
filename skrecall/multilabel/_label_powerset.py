"""One class per label set: label powerset, and pruned sets.

References
----------
.. [1] M. R. Boutell, J. Luo, X. Shen, C. M. Brown, "Learning multi-label scene classification",
   Pattern Recognition 37(9), 2004.
.. [2] J. Read, B. Pfahringer, G. Holmes, "Multi-label classification using ensembles of pruned
   sets", ICDM 2008.
"""

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from skrecall.utils._fitting import clone_with_seed
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import HasMethods, Interval, _fit_context

from ._base import BaseLabelMetaEstimator
from ._label_set_model import LabelSetModel, as_dense_or_csc, fit_label_sets


class LabelPowerset(BaseLabelMetaEstimator):
    """Fit one multi-class classifier whose classes are the label sets that occur [1]_.

    It learns which labels go together, and predicts no set that it has not seen. With `min_count`
    rare sets are pruned, and with `n_subsets` their rows come back as the frequent sets within
    them: pruned sets [2]_.

    Parameters
    ----------
    estimator : estimator
        A multi-class classifier, such as a `Pipeline` of imbalanced-learn: its samplers then even
        out label sets.
    min_count : int, default=0
        Label sets that fewer training rows carry are no classes; 0 and 1 keep all of them.
    n_subsets : int, default=0
        A row whose set is pruned is trained as so many of the frequent subsets of its set at most:
        the largest first, of one size the most frequent first. Never as the empty set, which would
        teach that rows with labels have none. 0 leaves the row out.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clone that is None; None leaves them.

    Attributes
    ----------
    estimator_ : estimator or None
        Fitted; its classes are the rows of `label_sets_`. None if no label varies.
    label_sets_ : ndarray or csr_array of shape (n_sets, n_varying_labels)
        The classes, of the labels that are not constant; sparse after a fit on sparse labels.
    label_set_counts_ : ndarray of shape (n_sets,)
        Number of training rows that carry each.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, or NaN.
    classes_ : ndarray of shape (n_labels, 2) or (2,)
        ``[0, 1]`` per label; the two classes of a target of one dimension.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    RAkELOverlapping : The same on small sets of labels, which can predict new combinations.
    EnsembleOfPrunedSets : Several of these on subsamples.

    Notes
    -----
    `predict` gives the most probable label set, `predict_proba` the probability of each label, the
    sum over the sets that carry it: a label of probability above one half may be missing from the
    most probable set. The authors of [2]_ prune sets that occur p times or fewer: ``min_count`` is
    p + 1. If pruning leaves one set, that is predicted for every sample, with a warning.

    References
    ----------
    .. [1] M. R. Boutell, J. Luo, X. Shen, C. M. Brown, "Learning multi-label scene
       classification", Pattern Recognition 37(9), 2004.
    .. [2] J. Read, B. Pfahringer, G. Holmes, "Multi-label classification using ensembles of
       pruned sets", ICDM 2008.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.multilabel import LabelPowerset
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = LabelPowerset(DecisionTreeClassifier(), min_count=10, n_subsets=2, random_state=0)
    >>> model.fit(X, Y).predict(X).shape, len(model.label_sets_)
    ((200, 4), 11)
    """

    _accept_sparse_target = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "min_count": [Interval(Integral, 0, None, closed="left")],
        "n_subsets": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        min_count: int = 0,
        n_subsets: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.min_count = min_count
        self.n_subsets = n_subsets
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the classifier of label sets.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; a row that is trained as several sets has its weight in each.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If no label set occurs `min_count` times.
        """
        X, Y = self._check_fit(X, y)
        params = self._route_params(params, sample_weight)
        self.estimator_, self.label_sets_ = None, Y[:0]
        self.label_set_counts_ = np.zeros(0, dtype=np.intp)
        if Y.shape[1] == 0:
            return self
        model = fit_label_sets(
            clone_with_seed(self.estimator, self.random_state),
            X,
            Y,
            params,
            min_count=self.min_count,
            n_subsets=self.n_subsets,
        )
        if len(model.count) == 1:
            warnings.warn(
                f"min_count={self.min_count} leaves one label set, that of {model.count[0]} of "
                f"{Y.shape[0]} rows, which is predicted for every sample.",
                stacklevel=4,
            )
        self.estimator_, self.label_sets_ = model.estimator, model.sets
        self.label_set_counts_ = model.count
        return self

    def _model(self) -> LabelSetModel:
        return LabelSetModel(self.estimator_, self.label_sets_, self.label_set_counts_)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._model().marginals(X)

    def _predict_labels(self, X: Any) -> Indicator:
        Y = self._model().most_probable(X)
        return as_dense_or_csc(Y, sparse=self._container.is_sparse)
