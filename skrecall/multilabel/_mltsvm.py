"""Twin support vector machines: one hyperplane per label, near its positives, far from the rest.

References
----------
.. [1] W.-J. Chen, Y.-H. Shao, C.-N. Li, N.-Y. Deng, "MLTSVM: A novel twin support vector machine
   to multi-label learning", Pattern Recognition 52, 2016.
.. [2] S. Fine, K. Scheinberg, "Efficient SVM training using low-rank kernel representations",
   Journal of Machine Learning Research 2, 2001.
"""

import warnings
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky, solve_triangular
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import validate_data

from skrecall.utils._decision import DecisionMixin
from skrecall.utils._indicator import label_column
from skrecall.utils._multilabel_target import BaseMultilabelClassifier
from skrecall.utils._sklearn import Interval, StrOptions, _fit_context
from skrecall.utils._threads import one_blas_thread


def row_coordinates(X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return samples with a feature of ones, in no more dimensions than there are samples.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_dimensions)
        Coordinates; n_dimensions is at most n_samples and at most n_features + 1.
    basis : ndarray of shape (n_features + 1, n_dimensions)
        Orthonormal columns; ``rows @ basis.T`` are the samples and the ones.
    """
    n_samples, n_features = X.shape
    ones = np.ones((n_samples, 1))
    if n_features < n_samples:
        return np.hstack([X.toarray() if issparse(X) else X, ones]), np.eye(n_features + 1)
    gram = X @ X.T
    gram = (gram.toarray() if issparse(gram) else gram) + 1
    squares, vectors = np.linalg.eigh(gram)
    kept = squares > squares[-1] * n_samples * np.finfo(np.float64).eps
    lengths, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    directions = vectors / lengths
    return vectors * lengths, np.vstack([X.T @ directions, ones.T @ directions])


def twin_hyperplane(
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    *,
    c_k: float,
    lambda_param: float,
    tol: float,
    max_iter: int,
) -> tuple[NDArray[np.float64], float, int]:
    """Return the hyperplane near the positives that keeps the negatives at a distance.

    It is the `u` that makes ``|positives @ u|^2 / 2 + lambda_param * |u|^2 / 2`` plus `c_k` times
    the sum of ``max(0, 1 + negatives @ u)`` least.

    Parameters
    ----------
    positives, negatives : ndarray of shape (n_rows, n_dimensions)
        Samples with and without the label, the feature of ones among the dimensions.
    c_k, lambda_param : float
        Weight of the negatives, and of the penalty.
    tol : float
        Duality gap to stop at, relative to the objective.
    max_iter : int
        Number of steps to stop at.

    Returns
    -------
    u : ndarray of shape (n_dimensions,)
        Coefficients.
    gap : float
        The relative duality gap.
    n_iter : int
        Number of steps.
    """
    metric = positives.T @ positives
    metric[np.diag_indices_from(metric)] += lambda_param
    root = cholesky(metric, lower=True)
    Z = solve_triangular(root, negatives.T, lower=True).T  # in it, the metric is the identity
    v, gap, n_iter = hinge_minimum(Z, c_k, tol=tol, max_iter=max_iter)
    return -solve_triangular(root, v, lower=True, trans="T"), gap, n_iter


def hinge_minimum(
    Z: NDArray[np.float64], c: float, *, tol: float, max_iter: int
) -> tuple[NDArray[np.float64], float, int]:
    """Return the `v` that makes ``|v|^2 / 2 + c * sum(max(0, 1 - Z @ v))`` least.

    A primal-dual interior point method on the dual, whose Newton steps solve systems of
    n_dimensions unknowns, never of n_rows: ten to twenty steps for any `c`, where the columns
    are not of very different size.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_dimensions)
        Rows to keep at 1 or more.
    c : float
        Weight of what falls short.
    tol : float
        Duality gap to stop at, relative to the objective.
    max_iter : int
        Number of steps to stop at.

    Returns
    -------
    v : ndarray of shape (n_dimensions,)
        The minimum.
    gap : float
        The relative duality gap, an upper bound of how far the objective is from its minimum;
        greater than `tol` where the steps or the precision of the arithmetic were used up.
    n_iter : int
        Number of steps.
    """
    # dual variables, the multipliers of their two bounds, and the room below the upper one
    alpha, low, high, room = point = np.outer([c / 2, 1, 1, c / 2], np.ones(len(Z)))
    best_v, best_gap = np.zeros(Z.shape[1]), np.inf
    for n_iter in range(max_iter + 1):
        v = Z.T @ alpha
        slack = 1 - Z @ v
        short = c * np.maximum(0, slack).sum()
        gap = float((v @ v + short - alpha.sum()) / (1 + v @ v / 2 + short))
        if gap < best_gap:
            best_v, best_gap = v, gap
        if gap <= tol or n_iter == max_iter:
            break
        weight = 1 / (low / alpha + high / room)
        try:
            factor = cho_factor(np.eye(Z.shape[1]) + (Z.T * weight) @ Z, lower=True)
        except (LinAlgError, ValueError):  # the gap is as small as rounding lets it be
            break
        step = _newton_step(Z, weight, factor, slack, point, (0, 0))
        products = low @ alpha + high @ room
        alpha_, low_, high_, room_ = point + _longest(step, point) * step
        centre = ((low_ @ alpha_ + high_ @ room_) / products) ** 3 * products / (2 * len(Z))
        d_alpha, d_low, d_high, d_room = step
        targets = (centre - d_alpha * d_low, centre - d_room * d_high)
        step = _newton_step(Z, weight, factor, slack, point, targets)
        point += min(1.0, 0.995 * _longest(step, point)) * step
    return best_v, best_gap, n_iter


def _newton_step(
    Z: NDArray, weight: NDArray, factor: Any, slack: NDArray, point: NDArray, targets: tuple
) -> NDArray[np.float64]:
    """Return the step that brings low * alpha and high * room to their targets."""
    alpha, low, high, room = point
    residual = slack + targets[0] / alpha - targets[1] / room
    d_alpha = np.zeros(len(Z))
    for _ in range(2):  # once more for what rounding has left
        left = residual - Z @ (Z.T @ d_alpha) - d_alpha / weight
        d_alpha += weight * (left - Z @ cho_solve(factor, Z.T @ (weight * left)))
    d_low = (targets[0] - low * d_alpha) / alpha - low
    d_high = (targets[1] + high * d_alpha) / room - high
    return np.stack([d_alpha, d_low, d_high, -d_alpha])


def _longest(step: NDArray[np.float64], point: NDArray[np.float64]) -> float:
    """Return the greatest multiple of a step, 1 at most, that leaves all values positive."""
    return 1 / max(1.0, float((-step / point).max()))


class MLTSVM(DecisionMixin, BaseMultilabelClassifier):
    """Multi-label twin support vector machine [1]_.

    For each label, a hyperplane as near to its positives as possible, from which the other samples
    keep a distance: every sample without the label shall have ``x @ w + b`` of -1 or less. A sample
    has the labels to whose hyperplanes it is near.

    Parameters
    ----------
    c_k : float, default=1.0
        Weight of the samples without the label that come too near.
    lambda_param : float, default=1.0
        Penalty of the squared coefficients, the intercept among them.
    threshold : {"smallest", "own"} or float, default="smallest"
        How near is near. A hyperplane of a label keeps others at the distance 1 / norm of its
        coefficients: "smallest" takes the least of these for all labels, as the paper does; "own"
        takes each label's own, which predicts more. A float is the distance itself.
    max_iter : int, default=100
        Number of steps of the solver to stop at, for each label.
    tol : float, default=1e-6
        Relative duality gap to stop at.
    n_jobs : int, default=None
        Number of labels to fit at once.

    Attributes
    ----------
    coef_ : ndarray of shape (n_labels, n_features)
        Coefficients of the hyperplanes; NaN for a label that is constant in the training rows.
    intercept_ : ndarray of shape (n_labels,)
        Intercepts, likewise.
    threshold_ : ndarray of shape (n_labels,)
        The distance within which a label is predicted, likewise.
    n_iter_ : ndarray of shape (n_labels,)
        Number of steps of the solver; 0 for a label that is constant.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, else NaN.
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
    BinaryRelevance : With `sklearn.svm.LinearSVC`, one separating hyperplane per label.

    Notes
    -----
    Scale the features: distances are compared. The score is the threshold less the distance to the
    hyperplane, so that it falls again behind it, where no training samples are.

    The paper solves the dual by successive over-relaxation, which takes thousands of sweeps where
    features correlate. Here an interior point method [2]_ takes ten to twenty steps to the same
    optimum, so that there is no relaxation parameter. With r = min(n_samples, n_features + 1), a
    label costs O(n_samples r^2) per step, and memory is O(n_samples r). Sparse `X` is accepted; if
    it has fewer features than samples, it is made dense.

    References
    ----------
    .. [1] W.-J. Chen, Y.-H. Shao, C.-N. Li, N.-Y. Deng, "MLTSVM: A novel twin support vector
       machine to multi-label learning", Pattern Recognition 52, 2016.
    .. [2] S. Fine, K. Scheinberg, "Efficient SVM training using low-rank kernel representations",
       Journal of Machine Learning Research 2, 2001.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrecall.multilabel import MLTSVM
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = make_pipeline(StandardScaler(), MLTSVM(threshold="own")).fit(X, Y)
    >>> model.decision_function(X).shape
    (200, 4)
    """

    _accept_sparse_target = True

    _decision_params = ("threshold",)

    _parameter_constraints: dict = {
        "c_k": [Interval(Real, 0, None, closed="neither")],
        "lambda_param": [Interval(Real, 0, None, closed="neither")],
        "threshold": [StrOptions({"smallest", "own"}), Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        c_k: float = 1.0,
        *,
        lambda_param: float = 1.0,
        threshold: Literal["smallest", "own"] | float = "smallest",
        max_iter: int = 100,
        tol: float = 1e-6,
        n_jobs: int | None = None,
    ) -> None:
        self.c_k = c_k
        self.lambda_param = lambda_param
        self.threshold = threshold
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit one hyperplane per label.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        varying = self._varying
        rows, basis = row_coordinates(X)
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(self._fit_label)(rows, label_column(Y, k)) for k in range(len(varying))
        )
        coef = np.full((len(self.constant_), X.shape[1] + 1), np.nan)
        self.n_iter_ = np.zeros(len(coef), dtype=np.int64)
        gaps = np.zeros(len(coef))
        for label, (u, gap, n_iter) in zip(varying, fitted, strict=True):
            coef[label], gaps[label], self.n_iter_[label] = basis @ u, gap, n_iter
        self.coef_, self.intercept_ = coef[:, :-1], coef[:, -1]
        self._scale = _length_or_one(self.coef_)
        late = np.flatnonzero(gaps > self.tol)
        if len(late):
            warnings.warn(
                f"The solver stopped at a relative duality gap of {gaps.max():.1e} for labels "
                f"{late.tolist()}, above tol={self.tol}: scale the features, increase "
                "lambda_param, max_iter or tol, or decrease c_k.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self._decide()

    def _fit_label(self, rows: NDArray, y: NDArray) -> tuple[NDArray[np.float64], float, int]:
        with one_blas_thread():
            return twin_hyperplane(
                rows[y == 1],
                rows[y == 0],
                c_k=self.c_k,
                lambda_param=self.lambda_param,
                tol=self.tol,
                max_iter=self.max_iter,
            )

    def _refit_decision(self) -> None:
        self.threshold_ = 1 / self._scale
        varying = self._varying
        if self.threshold == "smallest":
            self.threshold_[varying] = self.threshold_[varying].min(initial=np.inf)
        elif self.threshold != "own":
            self.threshold_[varying] = self.threshold

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        return validate_data(self, X=X, reset=reset, accept_sparse="csr", dtype=np.float64)

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        self._check_decision()
        labels = self._varying
        values = X @ self.coef_[labels].T + self.intercept_[labels]
        return self.threshold_[labels] - np.abs(values) / self._scale[labels]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _length_or_one(coef: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lengths of coefficients; 1 where all are 0, so that values are distances."""
    lengths = np.linalg.norm(coef, axis=1)
    return np.where(lengths == 0, 1, lengths)
