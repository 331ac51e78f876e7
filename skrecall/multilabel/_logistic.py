"""Logistic regression of all labels in one joint solve."""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, hstack, issparse
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_array, check_non_negative, validate_data

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import UNKNOWN, Indicator
from skrecall.utils._sklearn import Interval, StrOptions, _check_sample_weight, _fit_context
from skrecall.utils._threads import one_blas_thread

from ._base import CONSTANT_SCORE, BaseMultilabelClassifier
from ._joint_lbfgs import MEMORY, TurnedSamples, solve

Solution = tuple[NDArray, NDArray, NDArray, NDArray]  # coefficients, intercepts, steps, converged


class BaseJointLogistic(BaseMultilabelClassifier):
    """What the logistic regressions of many labels share, wherever they are solved.

    A subclass implements `_solutions`, and has the parameters of ``_parameter_constraints``.
    """

    _accept_sparse_target = True
    _accept_unknown = True
    _dtypes: tuple[type, ...] = (np.float64, np.float32)
    _values_at_once = 2**25
    _labels_at_once: int

    C: float
    fit_intercept: bool
    class_weight: dict | str | None
    tol: float
    max_iter: int

    _parameter_constraints: dict = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit all labels.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; NaN or -1 where a label is unknown.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_labels), default=None
            Weights of the samples, or of each label of each.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        weight = _check_weights(sample_weight, X, len(self.constant_))
        if weight is not None and weight.shape[1] > 1:
            weight = weight[:, self._varying]
        n_labels, n_features = len(self.constant_), X.shape[1]
        coef = np.zeros((n_labels, n_features), dtype=X.dtype)
        intercept = np.where(self.constant_ == 1, CONSTANT_SCORE, -CONSTANT_SCORE).astype(X.dtype)
        n_iter = np.zeros(n_labels, dtype=np.int64)
        converged = np.ones(n_labels, dtype=bool)
        # What a block holds: labels, weights and scores of its rows, and the memory of L-BFGS.
        room = self._values_at_once // (3 * X.shape[0] + 2 * (MEMORY + 2) * n_features)
        columns = list(row_blocks(Y.shape[1], 1, n_cells=min(max(room, 4), self._labels_at_once)))
        for block, solution in zip(columns, self._solutions(X, Y, weight, columns), strict=True):
            labels = self._varying[block]
            coef[labels], intercept[labels], n_iter[labels], converged[labels] = solution
        self.coef_, self.intercept_, self.n_iter_ = coef, intercept, n_iter
        self._warn_of_labels(np.flatnonzero(~converged))
        return self

    @abstractmethod
    def _solutions(
        self, X: Any, Y: Indicator, weight: NDArray | None, columns: list[slice]
    ) -> Iterable[Solution]:
        """Yield the solution of each block of labels."""

    def _block(
        self, Y: Indicator, weight: NDArray | None, block: slice, dtype: np.dtype
    ) -> tuple[NDArray, NDArray | None]:
        """Return the labels of a block, and the weights of its samples, unknown ones without."""
        y = Y[:, block]
        y = (y.toarray() if issparse(y) else y).astype(dtype)
        if weight is not None and weight.shape[1] > 1:
            weight = weight[:, block]
        unknown = y == UNKNOWN
        if unknown.any():
            y[unknown] = 0
            weight = ~unknown if weight is None else weight * ~unknown
        if self.class_weight is not None:
            weight = np.ones((len(y), 1)) if weight is None else weight
            weight = weight * self._class_factors(y, weight)
        if weight is None:
            return y, None
        empty = np.broadcast_to(~weight.any(axis=0), y.shape[1])
        if empty.any():
            raise ValueError(
                f"Labels {self._names(self._varying[block][empty])} have no sample whose label is "
                "known and whose weight is above 0: give them one, or leave them out."
            )
        return y, weight.astype(dtype, copy=False)

    def _class_factors(self, y: NDArray, weight: NDArray) -> NDArray:
        if isinstance(self.class_weight, dict):
            classes = [0, 1] if self._container.classes is None else list(self.classes_)
            strange = set(self.class_weight) - set(classes)
            if strange:
                raise ValueError(
                    f"class_weight has the keys {list(self.class_weight)}, and the classes of "
                    f"each label are {classes}."
                )
            negative, positive = (self.class_weight.get(label, 1.0) for label in classes)
        else:
            sums = [(weight * part).sum(axis=0) for part in (1 - y, y)]
            # A class without weight has weights of 0 alone, which any factor leaves as they are.
            negative, positive = (sum(sums) / np.where(s > 0, 2 * s, 1) for s in sums)
        return np.where(y == 1, positive, negative)

    def _warn_of_labels(self, labels: NDArray[np.intp]) -> None:
        if len(labels):
            warnings.warn(
                f"{len(labels)} of {len(self.constant_)} labels did not reach tol={self.tol} in "
                f"{self.max_iter} steps: {self._names(labels)}. Raise max_iter or tol, or lower C; "
                "float32 samples carry no tol much below 1e-4.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _names(self, labels: NDArray[np.intp]) -> str:
        names = self._container.label_names
        names = (labels if names is None else names[labels]).tolist()
        return f"{names[:10]}{' ...' if len(names) > 10 else ''}"

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        return validate_data(self, X, reset=reset, accept_sparse="csr", dtype=self._dtypes)

    def _scores(self, X: Any) -> Iterator[tuple[slice, NDArray]]:
        """Yield the decision function, some labels at a time."""
        for block in row_blocks(len(self._varying), 1, n_cells=self._labels_at_once):
            labels = self._varying[block]
            yield block, X @ self.coef_[labels].T + self.intercept_[labels]

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        decision = np.empty((X.shape[0], len(self._varying)), dtype=X.dtype)
        for block, scores in self._scores(X):
            decision[:, block] = scores
        return decision

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        decision = self._label_decision(X)
        return expit(decision, out=decision)

    def _predict_labels(self, X: Any) -> NDArray[np.int8] | csc_array:
        if self._container.is_sparse:
            return hstack(
                [csc_array((scores > 0).astype(np.int8)) for _, scores in self._scores(X)],
                format="csc",
            )
        return np.hstack([(scores > 0).astype(np.int8) for _, scores in self._scores(X)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class MultilabelLogisticRegression(BaseJointLogistic):
    """Fit L2-penalised logistic regressions of all labels in one joint solve.

    The coefficients are those of scikit-learn's LogisticRegression of each label on its own, for
    the same `C`. They are found by a limited-memory BFGS that makes one matrix product for all
    labels that are not done yet, with its own memory and step for each [1]_.

    Parameters
    ----------
    C : float, default=1.0
        Inverse of the L2 penalty: a label's loss is the sum of its log-losses plus
        ``(coef ** 2).sum() / (2 * C)``.
    fit_intercept : bool, default=True
        Whether there is an intercept, which is not penalised.
    class_weight : dict or {"balanced"}, default=None
        Weights of the two classes of every label, ``{0: weight, 1: weight}``; ``"balanced"``
        gives both classes of each label the same weight in sum.
    tol : float, default=1e-3
        Newton decrement at which a label is done: about the distance that is left, in standard
        errors of its coefficients, and so at most ``tol * sqrt(C)`` in any coefficient.
    max_iter : int, default=1000
        Greatest number of steps of a label, in each precision.
    n_jobs : int, default=None
        Number of threads, each of which solves some hundreds of labels at a time. The result does
        not depend on it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_labels, n_features)
        Coefficients; 0 for a label that has one value in the training rows.
    intercept_ : ndarray of shape (n_labels,)
        Intercepts; the largest float32, with its sign, for a label with one value.
    n_iter_ : ndarray of shape (n_labels,)
        Number of steps of each label.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one, or NaN.
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
    BinaryRelevance : One clone of any classifier per label.
    sklearn.linear_model.LogisticRegression : One label, other penalties and solvers.

    Notes
    -----
    Samples of float32 are solved in float32. Those of float64 are solved in float32 up to a
    decrement of 0.001 and in float64 from there to `tol`, which is where the coefficients stop;
    coefficients and probabilities have the precision of the samples.

    Dense features, where they or the samples are no more than 2000, are turned to their principal
    axes, on a copy, which makes the solve quick for correlated ones of any scale. Sparse features
    stay as they are: there, scale them alike, and expect about the time of one fit per label.

    Labels are solved some hundreds at a time: beside samples and coefficients, a fit holds about
    0.3 GB for each thread.

    A label of a sample that is NaN or -1 in `y` is unknown, and has no weight.

    References
    ----------
    .. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization",
       Mathematical Programming 45, 1989.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.multilabel import MultilabelLogisticRegression
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = MultilabelLogisticRegression().fit(X, Y)
    >>> model.coef_.shape
    (4, 20)
    >>> model.predict_proba(X[:1]).round(2)
    array([[1.  , 0.  , 0.36, 0.  ]])
    """

    _labels_at_once = 256

    _parameter_constraints: dict = {
        **BaseJointLogistic._parameter_constraints,
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        fit_intercept: bool = True,
        class_weight: dict | str | None = None,
        tol: float = 1e-3,
        max_iter: int = 1000,
        n_jobs: int | None = None,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    def _solutions(
        self, X: Any, Y: Indicator, weight: NDArray | None, columns: list[slice]
    ) -> Iterable[Solution]:
        if not columns:
            return
        make = TurnedSamples.of_sparse if issparse(X) else TurnedSamples.of_dense
        samples = make(X, intercept=self.fit_intercept)
        with one_blas_thread():
            yield from Parallel(self.n_jobs, require="sharedmem", return_as="generator")(
                delayed(self._solve)(samples, Y, weight, block) for block in columns
            )

    def _solve(
        self, samples: TurnedSamples, Y: Indicator, weight: NDArray | None, block: slice
    ) -> Solution:
        y, weight = self._block(Y, weight, block, samples.Zs[-1].dtype)
        return solve(samples, y, weight, C=self.C, tol=self.tol, max_iter=self.max_iter)


def _check_weights(
    sample_weight: ArrayLike | None, X: Any, n_labels: int
) -> NDArray[np.float64] | None:
    """Return weights of two dimensions, of one column or of one per label."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight)
    if weight.ndim < 2:
        return _check_sample_weight(sample_weight, X, ensure_non_negative=True)[:, np.newaxis]
    if weight.shape != (X.shape[0], n_labels):
        raise ValueError(
            f"sample_weight has shape {weight.shape} for {X.shape[0]} samples and {n_labels} "
            "labels: give one weight per sample, or one per label of each sample."
        )
    weight = check_array(weight, dtype=X.dtype, input_name="sample_weight")
    check_non_negative(weight, "sample_weight")
    return weight
