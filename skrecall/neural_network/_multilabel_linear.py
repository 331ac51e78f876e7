"""Logistic regression of all labels in one joint solve, on a device of torch's."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse

from skrecall.multilabel._joint_lbfgs import TurnedSamples, solve
from skrecall.multilabel._logistic import BaseJointLogistic, Solution
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import Interval

from ._data import as_tensor
from ._runtime import resolve_device, torch_threads


class MultilabelLinearClassifier(BaseJointLogistic):
    """Fit L2-penalised logistic regressions of all labels in one joint solve, on a device.

    The same objective and solver as `MultilabelLogisticRegression`, in float32 throughout: the
    coefficients of the two agree to a thousandth of their standard errors at the default `tol`.

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
        errors of its coefficients. Below 1e-4 it may be lost in the rounding of float32.
    max_iter : int, default=1000
        Greatest number of steps of a label.
    device : str or torch.device, default="auto"
        Where to solve: ``"auto"`` is CUDA, else Apple's MPS, else the CPU.
    n_threads : int, default=None
        Threads of torch on the CPU; None leaves torch's own count, which is 1 in a worker process.

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
    skrecall.multilabel.MultilabelLogisticRegression : On the CPU, and in float64 to any tolerance.

    Notes
    -----
    The samples and the labels of some thousands of columns are held on the device at a time.
    Standardise features that lie far from 0, as float32 keeps seven digits of them. Predictions
    are one matrix product, made on the CPU in the precision of the samples.

    A label of a sample that is NaN or -1 in `y` is unknown, and has no weight.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.neural_network import MultilabelLinearClassifier
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = MultilabelLinearClassifier(device="cpu").fit(X, Y)
    >>> model.predict_proba(X[:1]).round(2)
    array([[1.  , 0.  , 0.36, 0.  ]])
    """

    _values_at_once = 2**28
    _labels_at_once = 4096

    _parameter_constraints: dict = {
        **BaseJointLogistic._parameter_constraints,
        "device": [str, torch.device],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        fit_intercept: bool = True,
        class_weight: dict | str | None = None,
        tol: float = 1e-3,
        max_iter: int = 1000,
        device: str | torch.device = "auto",
        n_threads: int | None = None,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.device = device
        self.n_threads = n_threads

    def _solutions(
        self, X: Any, Y: Indicator, weight: NDArray | None, columns: list[slice]
    ) -> Iterable[Solution]:
        device = resolve_device(self.device)
        with torch_threads(self.n_threads):
            samples = self._samples(X, device)
            for block in columns:
                arrays = self._block(Y, weight, block, np.dtype(np.float32))
                y, w = (None if a is None else as_tensor(a).to(device) for a in arrays)
                solution = solve(samples, y, w, C=self.C, tol=self.tol, max_iter=self.max_iter)
                yield tuple(part.cpu().numpy() for part in solution)

    def _samples(self, X: Any, device: torch.device) -> TurnedSamples:
        if not issparse(X):
            rows = as_tensor(X.astype(np.float32, copy=False)).to(device)
            return TurnedSamples.of_dense(rows, intercept=self.fit_intercept, xp=torch)
        samples = TurnedSamples.of_sparse(X.astype(np.float32), intercept=self.fit_intercept)
        Z = samples.Zs[-1].tocoo()
        indices = np.stack([Z.row, Z.col]).astype(np.int64)
        Z = torch.sparse_coo_tensor(indices, Z.data, Z.shape, device=device, check_invariants=True)
        return TurnedSamples([Z.coalesce()], None, None, self.fit_intercept, torch)
