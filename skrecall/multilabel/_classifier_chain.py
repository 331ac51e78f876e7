"""Classifiers in a row, each of which sees the labels before its own.

References
----------
.. [1] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
   classification", Machine Learning 85(3), 2011.
.. [2] R. Senge, J. J. del Coz, E. Huellermeier, "Rectifying classifier chains for multi-label
   classification", LWA 2013.
"""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.utils import check_consistent_length, check_random_state, indexable
from sklearn.utils.metaestimators import available_if

from skrecall.utils._fitting import clone_with_seed, fit_in_one_thread
from skrecall.utils._indicator import IndicatorContainer, label_column
from skrecall.utils._sklearn import (
    HasMethods,
    StrOptions,
    _check_response_method,
    _fit_context,
    _print_elapsed_time,
    _raise_for_params,
)

from ._base import offers
from ._chain import BaseChain
from ._held_out import held_out_responses, label_folds, positive_response
from ._members import check_row_weights

RESPONSES = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class ClassifierChain(BaseChain):
    """Fit one classifier per label in a row, each of which sees the labels before its own [1]_.

    It takes the place of scikit-learn's class of that name and passes its tests; what it adds are
    constant labels, sparse and DataFrame targets, DataFrames and missing values that reach the
    estimator inside, `sample_weight`, and out-of-fold fits side by side.

    Parameters
    ----------
    estimator : estimator
        A binary classifier or a pipeline that ends in one.
    order : array-like of shape (n_labels,), "random" or None, default=None
        The labels in the order of the chain; None for that of the columns of `y`.
    cv : int, splitter, iterable or None, default=None
        None: while fitting, the earlier labels are the true ones. Otherwise they are predicted out
        of fold, as they will be predicted at the end [2]_; an int is a number of folds, stratified
        for each label.
    chain_method : str or list of str, default="predict"
        Which response of a classifier the later ones see: "predict", "predict_proba",
        "predict_log_proba" or "decision_function"; of several, the first that the estimator has.
        Without `cv` they learn from true labels all the same, 0 and 1, so that probabilities, and
        scores even more, are not what they learnt from.
    random_state : int, RandomState instance or None, default=None
        Draws a random order, and seeds every `random_state` of the clones that is None; None
        leaves them.
    verbose : bool, default=False
        Whether to report on each fit.
    n_jobs : int, default=None
        Number of out-of-fold fits to run at once; the chain itself is fitted link by link.

    Attributes
    ----------
    estimators_ : list of estimator
        One per label that varies, in the order of the chain.
    order_ : ndarray of shape (n_varying,)
        Their labels, as indices of columns of `y`.
    chain_method_ : str
        The response that later classifiers see.
    constant_ : ndarray of shape (n_labels,)
        The value of each label that has only one in the training rows, or NaN.
    classes_ : ndarray of shape (n_labels, 2) or (2,), or list of ndarray
        ``[0, 1]`` per label; the two classes of a target of one dimension; the classes of each
        column where one holds more than two.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    EnsembleOfClassifierChains : Many chains of random orders.
    ProbabilisticClassifierChain : The joint distribution of the labels, not one path through it.
    sklearn.multioutput.ClassifierChain : The original.

    Notes
    -----
    The estimator inside gets the labels as further columns, at the end. In a DataFrame they are
    called "label a", by the column of `y`, or "label 0": a ColumnTransformer in a pipeline needs
    ``remainder="passthrough"`` to let them through.

    `y` may also be a dense array of whole numbers with more than two classes per column, as
    scikit-learn's class takes it; only `predict` then has an answer. Such columns are handed on
    even if they are constant.

    Where a label is so rare that a fold leaves no positive to fit on, its rows get the lowest
    response of the other folds.

    References
    ----------
    .. [1] J. Read, B. Pfahringer, G. Holmes, E. Frank, "Classifier chains for multi-label
       classification", Machine Learning 85(3), 2011.
    .. [2] R. Senge, J. J. del Coz, E. Huellermeier, "Rectifying classifier chains for multi-label
       classification", LWA 2013.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import ClassifierChain
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> chain = ClassifierChain(LogisticRegression(), order=[3, 1, 0, 2], cv=5).fit(X, Y)
    >>> [link.n_features_in_ for link in chain.estimators_]
    [20, 21, 22, 23]
    """

    _accept_sparse_target = True
    _accept_classes = True  # whether a column of `y` may hold more than two

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "order": ["array-like", StrOptions({"random"}), None],
        "cv": ["cv_object"],
        "chain_method": [list, tuple, StrOptions(set(RESPONSES))],
        "random_state": ["random_state"],
        "verbose": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        order: ArrayLike | str | None = None,
        cv: int | BaseCrossValidator | Iterable | None = None,
        chain_method: str | list[str] | tuple[str, ...] = "predict",
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.order = order
        self.cv = cv
        self.chain_method = chain_method
        self.random_state = random_state
        self.verbose = verbose
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the classifiers, one after the other.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator, or classes per column.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, in every fit.
        **params : dict
            Further parameters of the inner `fit`; refused, as in scikit-learn's class, unless
            metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted chain.
        """
        _raise_for_params(params, self, "fit")
        check_row_weights(sample_weight)
        Y = _classes_per_column(y)
        X, Y = self._check_fit(X, y) if Y is None else self._check_classes(X, Y, y)
        params = self._route_params(params, sample_weight)
        rng = check_random_state(self.random_state)
        self._set_order(rng)
        self.chain_method_ = _check_response_method(self.estimator, self.chain_method).__name__
        seeds = None if self.random_state is None else rng
        n_links = len(self.order_)
        in_sample = self.cv is None
        Z = np.empty((Y.shape[0], n_links), dtype=Y.dtype if in_sample else np.float64)
        cv = None
        self.estimators_ = []
        for link, (label, column) in enumerate(zip(self.order_, self._columns, strict=True)):
            message = f"({link + 1} of {n_links}) Processing order {label}"
            with _print_elapsed_time("Chain", message if self.verbose else None):
                y = label_column(Y, column)
                X_link = self._append_labels(X, Z[:, :link])
                estimator = clone_with_seed(self.estimator, seeds)
                self.estimators_.append(fit_in_one_thread(estimator, X_link, y, params))
            if in_sample:
                Z[:, link] = y
            elif link + 1 < n_links:
                cv = check_cv(self.cv, y, classifier=True) if cv is None else cv
                Z[:, link] = held_out_responses(
                    self.estimator,
                    X_link,
                    y,
                    label_folds(cv, X_link, y),
                    method=self.chain_method_,
                    params=params,
                    rng=seeds,
                    n_jobs=self.n_jobs,
                )
        return self

    def _check_classes(self, X: Any, Y: NDArray[np.int64], y: Any) -> tuple[Any, NDArray[np.int64]]:
        """Check samples against columns of classes, which all stay."""
        (X,) = indexable(X)
        X = self._check_X(X, reset=True)
        check_consistent_length(X, Y)
        frame = isinstance(y, pd.DataFrame)
        names = np.asarray(y.columns, dtype=object) if frame else None
        kind = pd.DataFrame if frame else np.ndarray
        self._container = IndicatorContainer(kind, names, np.dtype(np.int64))
        self._keep_label_names(Y.shape[1])
        self.classes_ = [np.unique(column) for column in Y.T]
        self.constant_ = np.full(Y.shape[1], np.nan)
        return X, Y

    @available_if(offers("predict_proba"))
    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithm of the probability of each label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_labels)
            That of `predict_proba`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._ask(X, "predict_proba")

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        return self._ask(X, "decision_function")

    def _predict_labels(self, X: Any) -> NDArray[np.int64]:
        return self._ask(X, "predict").astype(np.int64)

    def _ask(self, X: Any, method: str) -> NDArray[np.float64]:
        """Return a response of every classifier, in the order of the columns."""
        answers: list[NDArray] = []
        seen: list[NDArray] = []
        for estimator in self.estimators_:
            X_link = self._append_labels(X, np.column_stack(seen)) if seen else X
            answers.append(positive_response(estimator, X_link, method))
            if len(answers) < len(self.estimators_):
                same = method == self.chain_method_
                seen.append(
                    answers[-1]
                    if same
                    else positive_response(estimator, X_link, self.chain_method_)
                )
        return np.column_stack(answers)[:, self._places]


def _classes_per_column(y: Any) -> NDArray[np.int64] | None:
    """Return a dense target of whole numbers that are not all 0 and 1; None for any other."""
    if issparse(y) or y is None:
        return None
    values = y.to_numpy() if isinstance(y, pd.DataFrame) else np.asarray(y)
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "iuf":
        return None
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() > 1):
        return None
    return values.astype(np.int64) if np.all(values == np.trunc(values)) else None
