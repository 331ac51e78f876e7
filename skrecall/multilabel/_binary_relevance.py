"""One classifier per label.

References
----------
.. [1] M. R. Boutell, J. Luo, X. Shen, C. M. Brown, "Learning multi-label scene classification",
   Pattern Recognition 37(9), 2004.
"""

from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed

from skrecall.utils._fitting import clone_with_seed, fit_on_rows
from skrecall.utils._indicator import UNKNOWN, label_column
from skrecall.utils._sklearn import (
    HasMethods,
    _check_method_params,
    _estimator_has,
    _fit_context,
    _num_samples,
    _safe_indexing,
)
from skrecall.utils._threads import one_blas_thread

from ._base import BaseLabelMetaEstimator


class BinaryRelevance(BaseLabelMetaEstimator):
    """Fit one clone of a binary classifier for each label [1]_.

    The classifier may be any pipeline, so that ``make_pipeline(SMOTE(), LogisticRegression())``
    over-samples for each label on its own, or one with a promise, such as
    `RecallThresholdClassifier`: `predict` asks its `predict`.

    Parameters
    ----------
    estimator : estimator
        A binary classifier.
    n_jobs : int, default=None
        Number of labels to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clones that is None, each differently; None leaves them.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    estimators_ : list of estimator or None
        One per label; None for a label that has one value in the training rows.
    constant_ : ndarray of shape (n_labels,)
        That value, or NaN.
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
    ClassifierChain : Later labels see the earlier ones.
    MultilabelLogisticRegression : The same as this of logistic regressions, in one solve.
    sklearn.multioutput.MultiOutputClassifier : Knows no unknown or constant labels.

    Notes
    -----
    A label of a sample that is NaN or -1 in `y` is unknown: the sample is left out for that label
    alone. BLAS uses one thread per fit, as many small solves on all cores wait for each other.

    References
    ----------
    .. [1] M. R. Boutell, J. Luo, X. Shen, C. M. Brown, "Learning multi-label scene
       classification", Pattern Recognition 37(9), 2004.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import BinaryRelevance
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = make_pipeline(SMOTE(random_state=0), LogisticRegression())
    >>> BinaryRelevance(model).fit(X, Y).predict_proba(X).shape
    (200, 4)
    """

    _accept_sparse_target = True
    _accept_unknown = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit one classifier per label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; NaN or -1 where a label is unknown.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_labels), default=None
            Weights of the samples, or of each label of each.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        params = self._route_params(params, sample_weight)
        labels = self._varying
        names = self._container.label_names
        rng = None if self.random_state is None else check_random_state(self.random_state)
        fitted = self._parallel()(
            delayed(_fit_label)(
                clone_with_seed(self.estimator, rng),
                X,
                label_column(Y, k),
                _params_of_label(params, label, len(self.constant_)),
                int(label) if names is None else names[label],
            )
            for k, label in enumerate(labels)
        )
        self.estimators_ = [None] * len(self.constant_)
        for label, estimator in zip(labels, fitted, strict=True):
            self.estimators_[label] = estimator
        return self

    @available_if(_estimator_has("partial_fit"))
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Go on fitting, on a batch of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; NaN or -1 where a label is unknown. A label may be constant in a batch.
        classes : array-like of shape (2,), default=None
            The two classes of a target of one dimension, in the first call; an indicator needs
            none.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_labels), default=None
            Weights of the samples, or of each label of each.
        **params : dict
            Further parameters of the inner `partial_fit`.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_partial_fit(X, y, classes)
        n_labels = Y.shape[1]
        params = self._route_params(params, sample_weight, method="partial_fit")
        if not hasattr(self, "estimators_"):
            self.estimators_ = [None] * n_labels
        rng = None if self.random_state is None else check_random_state(self.random_state)
        self.estimators_ = self._parallel()(
            delayed(_partial_fit_label)(
                clone_with_seed(self.estimator, rng) if estimator is None else estimator,
                X,
                label_column(Y, label),
                _params_of_label(params, label, n_labels),
            )
            for label, estimator in enumerate(self.estimators_)
        )
        return self

    def _parallel(self, **params: Any) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose), **params)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._columns(X, _positive_proba)

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        return self._columns(X, _decision)

    def _columns(self, X: Any, answer: Callable[[Any, Any], Any]) -> NDArray[np.float64]:
        columns = np.empty((_num_samples(X), len(self._varying)), order="F")
        for k, column in enumerate(self._ask(X, answer)):
            columns[:, k] = column
        return columns

    def _predict_labels(self, X: Any) -> NDArray[np.int8] | csc_array:
        shape = (_num_samples(X), len(self._varying))
        if self._container.is_sparse:
            rows = list(self._ask(X, _positive_rows))
            indptr = np.append(0, np.cumsum([len(r) for r in rows]))
            indices = np.concatenate(rows)
            return csc_array((np.ones(len(indices), dtype=np.int8), indices, indptr), shape=shape)
        Y = np.zeros(shape, dtype=np.int8, order="F")
        for k, rows in enumerate(self._ask(X, _positive_rows)):
            Y[rows, k] = 1
        return Y

    def _ask(self, X: Any, answer: Callable[[Any, Any], Any]) -> Iterator[Any]:
        """Yield what each label's estimator answers: all at once may be twice the memory."""
        return self._parallel(return_as="generator")(
            delayed(answer)(self.estimators_[label], X) for label in self._varying
        )


def _fit_label(
    estimator: BaseEstimator, X: Any, y: NDArray[np.int64], params: dict[str, Any], name: Any
) -> BaseEstimator:
    """Fit on the rows where the label is known; an error carries a note on which label it is."""
    known = np.flatnonzero(y != UNKNOWN)
    try:
        with one_blas_thread():
            return fit_on_rows(estimator, X, y, None if len(known) == len(y) else known, params)
    except Exception as error:
        n_positives = np.count_nonzero(y == 1)
        error.add_note(
            f"while fitting label {name!r} ({n_positives} positives of {len(known)} known rows)"
        )
        raise


def _partial_fit_label(
    estimator: BaseEstimator, X: Any, y: NDArray[np.int64], params: dict[str, Any]
) -> BaseEstimator:
    known = np.flatnonzero(y != UNKNOWN)
    if len(known) < len(y):
        X, y = _safe_indexing(X, known), y[known]
        params = _check_method_params(X, params, indices=known)
    if len(known) == 0:
        return estimator
    with one_blas_thread():
        return estimator.partial_fit(X, y, classes=np.array([0, 1]), **params)


def _params_of_label(params: dict[str, Any], label: int, n_labels: int) -> dict[str, Any]:
    """Return the fit parameters with the weights of one label, where each has its own."""
    if params.get("sample_weight") is None:
        return params
    weight = np.asarray(params["sample_weight"])
    if weight.ndim < 2:
        return params
    if weight.shape[1] != n_labels:
        raise ValueError(
            f"sample_weight has {weight.shape[1]} columns for {n_labels} labels: give one weight "
            "per sample, or one per label of each sample."
        )
    return {**params, "sample_weight": weight[:, label]}


def _positive_proba(estimator: BaseEstimator, X: Any) -> NDArray[np.float64]:
    with one_blas_thread():
        proba = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return proba[:, list(estimator.classes_).index(1)]


def _decision(estimator: BaseEstimator, X: Any) -> NDArray[np.float64]:
    with one_blas_thread():
        return np.asarray(estimator.decision_function(X), dtype=np.float64).ravel()


def _positive_rows(estimator: BaseEstimator, X: Any) -> NDArray[np.intp]:
    with one_blas_thread():
        return np.flatnonzero(np.asarray(estimator.predict(X)))
