"""Two levels of one classifier per label: the second sees what the first says of the other labels.

References
----------
.. [1] S. Godbole, S. Sarawagi, "Discriminative methods for multi-labeled classification",
   PAKDD 2004.
.. [2] G. Tsoumakas, A. Dimou, E. Spyromitros, V. Mezaris, I. Kompatsiaris, I. Vlahavas,
   "Correlation-based pruning of stacked binary relevance models for multi-label learning",
   MLD workshop at ECML PKDD 2009.
.. [3] E. Montanes, R. Senge, J. Barranquero, J. R. Quevedo, J. J. del Coz, E. Huellermeier,
   "Dependent binary relevance models for multi-label classification", Pattern Recognition 47(3),
   2014.
.. [4] E. Alvares-Cherman, J. Metz, M. C. Monard, "Incorporating label dependency into the binary
   relevance framework for multi-label classification", Expert Systems with Applications 39(2),
   2012.
"""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from skrecall.label_space import label_cooccurrence
from skrecall.utils._fitting import clone_with_seed, fit_in_one_thread
from skrecall.utils._indicator import label_column
from skrecall.utils._label_features import append_features, label_features
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _check_response_method,
    _fit_context,
    _safe_indexing,
)

from ._base import BaseLabelMetaEstimator
from ._held_out import held_out_responses, label_folds, positive_response
from ._members import check_row_weights


def phi_coefficient(Y: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the correlation of every two labels.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_labels)
        Indicator in which every label varies.

    Returns
    -------
    phi : ndarray of shape (n_labels, n_labels)
        Between -1 and 1.
    """
    together = np.asarray(label_cooccurrence(Y), dtype=np.float64) / len(Y)
    share = np.diag(together)
    deviation = np.sqrt(share * (1 - share))
    return (together - np.outer(share, share)) / np.outer(deviation, deviation)


class StackedBinaryRelevance(BaseLabelMetaEstimator):
    """Fit one classifier per label, then one more that sees the labels beside the features.

    The first level is `BinaryRelevance`; the second corrects it where labels depend on each other.
    Unlike in a chain, every label sees all others, and there is no order.

    Parameters
    ----------
    estimator : estimator
        A binary classifier, or a pipeline that ends in one, for the first level.
    final_estimator : estimator, default=None
        The same for the second level; None for clones of `estimator`.
    method : {"2br", "dbr", "br+"}, default="2br"
        What the second level learns from. "2br": predictions of the first level for all labels, its
        own among them [1]_. "dbr": the true other labels in `fit`, predictions of the first level
        in their place afterwards [3]_. "br+": the same, and a label that the second level has
        predicted takes the place of the first prediction before the next label is asked, from
        the least to the most confident first prediction of each sample [4]_.
    cv : int, splitter, iterable or None, default=5
        For "2br", how rows are held out whose predictions the second level learns from; an int is a
        number of folds, stratified for each label. None: predictions of the rows that the first
        level was fitted on, which are better than those to come.
    stack_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        What the second level sees of the first. "auto": for "2br" the first of "predict_proba",
        "decision_function" and "predict" that there is; for the others, which learn from true
        labels, "predict".
    passthrough : bool, default=True
        Whether the second level sees the features too.
    min_phi : float, default=0.0
        Leave out labels whose correlation with the label is nearer to 0 than this [2]_, in [0, 1].
    n_jobs : int, default=None
        Number of labels to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the clones that is None; None leaves them.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    first_estimators_ : list of estimator
        The first level, one per label that varies.
    estimators_ : list of estimator
        The second level.
    seen_ : ndarray of shape (n_varying, n_varying), dtype bool
        Which labels (columns) the second level of each label (row) sees.
    stack_method_ : str
        The response that the second level sees.
    constant_ : ndarray of shape (n_labels,)
        The value of each label that has only one in the training rows, or NaN.
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
    BinaryRelevance : The first level alone.
    ClassifierChain : Every label sees those before it.

    Notes
    -----
    The labels come as columns after the features, as in `ClassifierChain`. "br+" asks every label
    at every place of the order, n_labels^2 times in all. Which of the methods is best depends on
    the data; with few rows "dbr" and "br+" suffer from first predictions that are worse than the
    true labels they learnt from.

    References
    ----------
    .. [1] S. Godbole, S. Sarawagi, "Discriminative methods for multi-labeled classification",
       PAKDD 2004.
    .. [2] G. Tsoumakas, A. Dimou, E. Spyromitros, V. Mezaris, I. Kompatsiaris, I. Vlahavas,
       "Correlation-based pruning of stacked binary relevance models for multi-label learning",
       MLD workshop at ECML PKDD 2009.
    .. [3] E. Montanes, R. Senge, J. Barranquero, J. R. Quevedo, J. J. del Coz, E. Huellermeier,
       "Dependent binary relevance models for multi-label classification", Pattern Recognition
       47(3), 2014.
    .. [4] E. Alvares-Cherman, J. Metz, M. C. Monard, "Incorporating label dependency into the
       binary relevance framework for multi-label classification", Expert Systems with Applications
       39(2), 2012.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import StackedBinaryRelevance
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> stack = StackedBinaryRelevance(LogisticRegression(max_iter=1000), min_phi=0.1).fit(X, Y)
    >>> stack.predict_proba(X).shape, stack.stack_method_
    ((200, 4), 'predict_proba')
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "final_estimator": [HasMethods(["fit", "predict"]), None],
        "method": [StrOptions({"2br", "dbr", "br+"})],
        "cv": ["cv_object"],
        "stack_method": [StrOptions({"auto", "predict_proba", "decision_function", "predict"})],
        "passthrough": ["boolean"],
        "min_phi": [Interval(Real, 0, 1, closed="both")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        final_estimator: BaseEstimator | None = None,
        *,
        method: Literal["2br", "dbr", "br+"] = "2br",
        cv: int | BaseCrossValidator | Iterable | None = 5,
        stack_method: str = "auto",
        passthrough: bool = True,
        min_phi: float = 0.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.final_estimator = final_estimator
        self.method = method
        self.cv = cv
        self.stack_method = stack_method
        self.passthrough = passthrough
        self.min_phi = min_phi
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _final(self) -> Any:
        """The estimator of the second level, unfitted."""
        return self.estimator if self.final_estimator is None else self.final_estimator

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit both levels.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, in every fit.
        **params : dict
            Further parameters of the inner `fit`, the same for both levels; routed where metadata
            routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If the second level would have nothing to see, or would see scores where it learnt from
            labels.
        """
        X, Y = self._check_fit(X, y)
        check_row_weights(sample_weight)
        params = self._route_params(params, sample_weight)
        self.stack_method_ = self._choose_stack_method()
        if Y.shape[1] == 0:
            self.first_estimators_, self.estimators_, self.seen_ = [], [], np.eye(0, dtype=bool)
            return self
        rng = None if self.random_state is None else check_random_state(self.random_state)
        labels = range(Y.shape[1])
        parallel = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))
        self.first_estimators_ = parallel(
            delayed(fit_in_one_thread)(
                clone_with_seed(self.estimator, rng), X, label_column(Y, label), params
            )
            for label in labels
        )
        self.seen_ = np.abs(phi_coefficient(Y)) >= self.min_phi
        np.fill_diagonal(self.seen_, self.method == "2br")
        if not self.passthrough and not self.seen_.any(axis=1).all():
            blind = self._varying[~self.seen_.any(axis=1)]
            raise ValueError(
                f"The second level of {label_features(self._container, blind)} would see nothing: "
                f"min_phi={self.min_phi} leaves no other label, and passthrough=False no features. "
                "Lower min_phi, or set passthrough=True."
            )
        Z = self._stack(X, Y, params, rng, parallel) if self.method == "2br" else Y
        self.estimators_ = parallel(
            delayed(fit_in_one_thread)(
                clone_with_seed(self._final, rng),
                self._second_features(X, Z, label),
                label_column(Y, label),
                params,
            )
            for label in labels
        )
        return self

    def _choose_stack_method(self) -> str:
        """Return what the second level sees of the first."""
        if self.method == "2br":
            auto = ["predict_proba", "decision_function", "predict"]
            method = auto if self.stack_method == "auto" else self.stack_method
            return _check_response_method(self.estimator, method).__name__
        if self.stack_method == "decision_function":
            raise ValueError(
                f"method={self.method!r} learns from true labels, which are 0 or 1, and could not "
                "read scores in their place: set stack_method='predict' or 'predict_proba'."
            )
        if self.method == "br+":
            _check_response_method(self.estimator, ["predict_proba", "decision_function"])
        method = "predict" if self.stack_method == "auto" else self.stack_method
        for level in (self.estimator, self._final):
            _check_response_method(level, method)
        return method

    def _stack(
        self, X: Any, Y: NDArray[np.int8], params: dict[str, Any], rng: Any, parallel: Parallel
    ) -> NDArray[np.float64]:
        """Return what the second level learns from: responses of the first to training rows."""
        if self.cv is None:
            return self._ask_first(X, self.stack_method_)
        cv = check_cv(self.cv, label_column(Y, 0), classifier=True)
        columns = parallel(
            delayed(held_out_responses)(
                self.estimator,
                X,
                y,
                label_folds(cv, X, y),
                method=self.stack_method_,
                params=params,
                rng=None if rng is None else np.random.RandomState(rng.randint(2**31 - 1)),
            )
            for y in (label_column(Y, label) for label in range(Y.shape[1]))
        )
        return np.column_stack(columns)

    def _ask_first(self, X: Any, method: str) -> NDArray[np.float64]:
        return np.column_stack(
            [positive_response(first, X, method) for first in self.first_estimators_]
        )

    def _second_features(self, X: Any, Z: NDArray, label: int) -> Any:
        """Return what the second level of a label sees."""
        seen = np.flatnonzero(self.seen_[label])
        if not self.passthrough:
            return Z[:, seen]
        if len(seen) == 0:
            return X
        return append_features(X, Z[:, seen], label_features(self._container, self._varying[seen]))

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._ask(X, "predict_proba")

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        return self._ask(X, "decision_function")

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        return self._ask(X, "predict").astype(np.int8)

    def _ask(self, X: Any, method: str) -> NDArray[np.float64]:
        """Return a response of the second level."""
        Z = self._ask_first(X, self.stack_method_)
        if self.method == "br+":
            return self._ask_in_order(X, Z, method)
        return np.column_stack(
            [
                positive_response(second, self._second_features(X, Z, label), method)
                for label, second in enumerate(self.estimators_)
            ]
        )

    def _ask_in_order(self, X: Any, Z: NDArray[np.float64], method: str) -> NDArray[np.float64]:
        """Return a response of the second level, which sees its own answers to earlier labels."""
        (X,) = indexable(X)
        order = np.argsort(self._confidence(X), axis=1, kind="stable")
        answers = np.empty(Z.shape)
        for place in range(Z.shape[1]):
            for label in np.unique(order[:, place]):
                rows = np.flatnonzero(order[:, place] == label)
                features = self._second_features(_safe_indexing(X, rows), Z[rows], label)
                second = self.estimators_[label]
                answers[rows, label] = positive_response(second, features, method)
                Z[rows, label] = (
                    answers[rows, label]
                    if method == self.stack_method_
                    else positive_response(second, features, self.stack_method_)
                )
        return answers

    def _confidence(self, X: Any) -> NDArray[np.float64]:
        """Return how far the first level is from the border of a label."""
        if hasattr(self.estimator, "predict_proba"):
            return np.abs(self._ask_first(X, "predict_proba") - 0.5)
        return np.abs(self._ask_first(X, "decision_function"))

    def _offers(self, name: str) -> bool:
        return hasattr(self._final, name)
