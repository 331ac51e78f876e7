"""Logistic regressions of many labels on the same samples, solved together.

With one coefficient vector per column of ``W``, the gradients of all labels are two matrix
products, ``Z.T @ (sigmoid(Z @ W) - Y) + penalty * W``, made in blocks of rows whose scores stay in
the cache. The features are turned to their principal axes first, which leaves an L2 penalty as it
is and makes the Hessian of each label nearly diagonal; that diagonal starts a limited-memory BFGS
[1]_ with its own memory, step and end for each column.

The arrays are NumPy's or torch's: `xp` is the one module or the other.

References
----------
.. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization",
   Mathematical Programming 45, 1989.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array, hstack, issparse

from skrecall.utils._blocks import row_blocks

MEMORY = 10  # pairs that the inverse Hessian is made of
MAX_AXES = 2000  # above it, an eigendecomposition costs more than it spares
REFRESH = 8  # steps after which the diagonal is computed again
PATIENCE = 50  # steps without a lower decrement, after which rounding errors are all there is
MAX_CUTS = 30  # of a step that is too long
OVERSHOOT = 0.5  # slope at the end of a step, as a part of that at its start
MIN_CURVATURE = 1e-12
CACHED_SCORES = 2**18
MIN_PRIOR = 1e-6  # of a start: a label may have no weight at all on one side


@dataclass
class JointLogistic:
    """The penalised negative log-likelihoods of several labels, one column each.

    Attributes
    ----------
    Z : ndarray, csr_array or Tensor of shape (n_samples, n_axes)
        Features.
    target : ndarray or Tensor of shape (n_axes, n_labels)
        ``Z.T @ (weight * Y)``, all that a gradient needs to know of the labels.
    penalty : ndarray or Tensor of shape (n_axes, 1)
        Of half the square of each coefficient.
    weight : ndarray or Tensor of shape (n_samples, 1) or (n_samples, n_labels), or None
        Weights of the samples.
    xp : module
        ``numpy`` or ``torch``.
    """

    Z: Any
    target: Any
    penalty: Any
    weight: Any
    xp: Any

    def gradient(self, W: Any) -> Any:
        """Return the gradient of each column.

        Parameters
        ----------
        W : ndarray or Tensor of shape (n_axes, n_labels)
            Coefficients.

        Returns
        -------
        G : ndarray or Tensor of shape (n_axes, n_labels)
            The gradient.
        """
        G = self.penalty * W - self.target
        for rows, Z, P in self._probabilities(W):
            if self.weight is not None:
                P *= self.weight[rows]
            G += Z.T @ P
        return G

    def inverse_hessian(self, W: Any) -> Any:
        """Return one by the diagonal of the Hessian of each column.

        Parameters
        ----------
        W : ndarray or Tensor of shape (n_axes, n_labels)
            Coefficients.

        Returns
        -------
        D : ndarray or Tensor of shape (n_axes, n_labels)
            The reciprocals.
        """
        diagonal = self.penalty + 0 * W
        for rows, Z, P in self._probabilities(W):
            P -= P * P
            if self.weight is not None:
                P *= self.weight[rows]
            diagonal += (Z * Z).T @ P
        return 1 / self.xp.clip(diagonal, MIN_CURVATURE, None)

    def _probabilities(self, W: Any) -> Iterator[tuple[slice, Any, Any]]:
        """Yield rows, their samples and their probabilities, which stay in the cache."""
        xp, minus_W, n_samples = self.xp, -W, self.Z.shape[0]
        cut = _is_dense_on_cpu(self.Z)
        n_cells = CACHED_SCORES if cut else n_samples * W.shape[1]
        for rows in row_blocks(n_samples, W.shape[1], n_cells=n_cells):
            Z = self.Z[rows] if cut else self.Z
            P = Z @ minus_W
            with np.errstate(over="ignore"):  # 1 / (1 + inf) is the probability 0 that is meant
                xp.exp(P, out=P)
            P += 1
            yield rows, Z, xp.reciprocal(P, out=P)

    def of(self, columns: Any) -> Self:
        """Return the same of some of the labels.

        Parameters
        ----------
        columns : ndarray or Tensor of shape (n_labels,), dtype bool
            Which ones.

        Returns
        -------
        problem : JointLogistic
            Theirs alone.
        """
        weight = self.weight
        if weight is not None and weight.shape[1] > 1:
            weight = weight[:, columns]
        return replace(self, target=self.target[:, columns], weight=weight)


def _is_dense_on_cpu(Z: Any) -> bool:
    return not issparse(Z) and not getattr(Z, "is_sparse", False) and str(Z.device) == "cpu"


def minimise(problem: JointLogistic, W: Any, *, tol: float, max_iter: int) -> tuple[Any, Any, Any]:
    """Minimise every column by a limited-memory BFGS of its own.

    A label is done when its Newton decrement, the length of the step that is left in units of the
    standard errors of its coefficients, is at most `tol`. As the functions are convex, a step is
    judged by its slope alone: no loss is summed up, so none is lost in rounding.

    Parameters
    ----------
    problem : JointLogistic
        What is minimised.
    W : ndarray or Tensor of shape (n_axes, n_labels)
        Where to start.
    tol : float
        Newton decrement to stop at.
    max_iter : int
        Greatest number of steps.

    Returns
    -------
    solution : ndarray or Tensor of shape (n_axes, n_labels)
        Coefficients.
    n_iter : ndarray or Tensor of shape (n_labels,)
        Steps taken.
    converged : ndarray or Tensor of shape (n_labels,), dtype bool
        Whether the decrement was reached.
    """
    xp, n_labels, device = problem.xp, W.shape[1], W.device
    solution = W + 0
    n_iter = xp.zeros(n_labels, dtype=xp.int64, device=device)
    converged = xp.zeros(n_labels, dtype=xp.bool, device=device)
    active = xp.arange(n_labels, device=device)
    stuck = xp.zeros(n_labels, dtype=xp.bool, device=device)
    best = xp.full((n_labels,), xp.inf, dtype=W.dtype, device=device)
    since_best = xp.zeros(n_labels, dtype=xp.int64, device=device)
    pairs: list[tuple[Any, Any, Any]] = []
    G = problem.gradient(W)
    for iteration in range(max_iter + 1):
        if iteration % REFRESH == 0:
            inverse_hessian = problem.inverse_hessian(W)
        step = _direction(G, inverse_hessian, pairs)
        slope = (step * G).sum(0)
        done = (-slope <= tol**2) & ~stuck
        since_best = xp.where(-slope < best, 0, since_best + 1)
        best = xp.where(-slope < best, -slope, best)
        leave = done | stuck | (since_best > PATIENCE)
        if bool(leave.any()):
            solution[:, active[leave]] = W[:, leave]
            converged[active[done]] = True
            stay = ~leave
            active, slope, best, since_best = (a[stay] for a in (active, slope, best, since_best))
            if len(active) == 0:
                break
            W, G, step, inverse_hessian = (a[:, stay] for a in (W, G, step, inverse_hessian))
            pairs = [(s[:, stay], y[:, stay], rho[stay]) for s, y, rho in pairs]
            problem = problem.of(stay)
        if iteration == max_iter:
            break
        n_iter[active] += 1
        W_new, G_new, stuck = _take_step(problem, W, step, slope)
        s, y = W_new - W, G_new - G
        curvature = (s * y).sum(0)
        known = curvature > 0
        pairs.append((s, y, xp.where(known, 1 / xp.where(known, curvature, 1.0), 0.0)))
        pairs = pairs[-MEMORY:]
        W, G = W_new, G_new
    solution[:, active] = W[:, : len(active)]
    return solution, n_iter, converged


def _direction(G: Any, inverse_hessian: Any, pairs: list[tuple[Any, Any, Any]]) -> Any:
    """Return minus the inverse Hessian times the gradient, by the two loops of L-BFGS."""
    step = -G
    factors = []
    for s, y, rho in reversed(pairs):
        factor = rho * (s * step).sum(0)
        step -= factor * y
        factors.append(factor)
    step *= inverse_hessian
    for (s, y, rho), factor in zip(pairs, reversed(factors), strict=True):
        step += s * (factor - rho * (y * step).sum(0))
    return step


def _take_step(problem: JointLogistic, W: Any, step: Any, slope: Any) -> tuple[Any, Any, Any]:
    """Take steps, cut to where the slope vanishes by the secant rule if they go too far up again.

    Parameters
    ----------
    problem : JointLogistic
        What is minimised.
    W, step : ndarray or Tensor of shape (n_axes, n_labels)
        Where to start, and the full step.
    slope : ndarray or Tensor of shape (n_labels,)
        Derivative along the step at its start.

    Returns
    -------
    W_new, G_new : ndarray or Tensor of shape (n_axes, n_labels)
        The end of the step, and the gradient there.
    stuck : ndarray or Tensor of shape (n_labels,), dtype bool
        Labels that did not move.
    """
    W_new = W + step
    G_new = problem.gradient(W_new)
    end = (step * G_new).sum(0)
    for _ in range(MAX_CUTS):
        far = end > -OVERSHOOT * slope
        if not bool(far.any()):
            break
        cut = slope[far] / (slope[far] - end[far])
        shorter = step[:, far] * cut
        step[:, far], slope[far] = shorter, slope[far] * cut
        W_new[:, far] = W[:, far] + shorter
        G_far = problem.of(far).gradient(W_new[:, far])
        G_new[:, far], end[far] = G_far, (shorter * G_far).sum(0)
    stuck = ~(end <= -OVERSHOOT * slope)
    W_new[:, stuck] = W[:, stuck]
    return W_new, G_new, stuck


@dataclass
class TurnedSamples:
    """Samples on their principal axes, in each precision to solve in.

    Attributes
    ----------
    Zs : list of {ndarray, csr_array or Tensor} of shape (n_samples, n_axes)
        The samples, in the precision of the result last.
    mean : ndarray or Tensor of shape (n_features,), or None
        What was taken off the features; None for nothing.
    axes : ndarray or Tensor of shape (n_features, n_axes), or None
        Orthonormal columns; None for the features themselves.
    intercept : bool
        Whether the last column is of ones.
    xp : module
        ``numpy`` or ``torch``.
    """

    Zs: list[Any]
    mean: Any
    axes: Any
    intercept: bool
    xp: Any

    @classmethod
    def of_dense(cls, X: Any, *, intercept: bool, xp: Any = np) -> Self:
        """Turn an array, less its mean where an intercept makes up for that.

        Parameters
        ----------
        X : ndarray or Tensor of shape (n_samples, n_features)
            Features.
        intercept : bool
            Whether there is an intercept.
        xp : module, default=numpy
            ``numpy`` or ``torch``.

        Returns
        -------
        samples : TurnedSamples
            The samples.
        """
        n_samples, n_features = X.shape
        rows_at_once = CACHED_SCORES // n_features
        mean = X.mean(0) if intercept else xp.zeros(n_features, dtype=X.dtype, device=X.device)
        axes = principal_axes(X, mean, xp)
        n_axes = n_features if axes is None else axes.shape[1]
        Z = xp.ones((n_samples, n_axes + intercept), dtype=X.dtype, device=X.device)
        for rows in row_blocks(n_samples, 1, n_cells=rows_at_once):
            part = X[rows] - mean
            Z[rows, :n_axes] = part if axes is None else part @ axes
        Zs = [Z] if Z.dtype == xp.float32 else [xp.asarray(Z, dtype=xp.float32), Z]
        return cls(Zs, mean, axes, intercept, xp)

    @classmethod
    def of_sparse(cls, X: Any, *, intercept: bool) -> Self:
        """Leave the features of a sparse array as they are: turned, they would be dense.

        Parameters
        ----------
        X : csr_array of shape (n_samples, n_features)
            Features.
        intercept : bool
            Whether there is an intercept.

        Returns
        -------
        samples : TurnedSamples
            The samples.
        """
        Z = csr_array(X)
        if intercept:
            Z = hstack([Z, np.ones((X.shape[0], 1), dtype=X.dtype)], format="csr")
        Zs = [Z] if Z.dtype == np.float32 else [Z.astype(np.float32), Z]
        return cls(Zs, None, None, intercept, np)

    def coefficients(self, W: Any) -> tuple[Any, Any]:
        """Turn coefficients back to the features.

        Parameters
        ----------
        W : ndarray or Tensor of shape (n_axes, n_labels)
            Coefficients on the axes.

        Returns
        -------
        coef : ndarray or Tensor of shape (n_labels, n_features)
            Coefficients of the features.
        bias : ndarray or Tensor of shape (n_labels,)
            Intercepts; 0 where there is none.
        """
        coef, bias = (W[:-1], W[-1]) if self.intercept else (W, 0 * W[0])
        if self.axes is not None:
            coef = self.axes @ coef
        if self.mean is not None:
            bias = bias - self.mean @ coef
        return coef.T, bias


def principal_axes(X: Any, mean: Any, xp: Any) -> Any:
    """Return the principal axes of the samples, or None if they are too many to be worth it.

    Parameters
    ----------
    X : ndarray or Tensor of shape (n_samples, n_features)
        Features.
    mean : ndarray or Tensor of shape (n_features,)
        What to take off.
    xp : module
        ``numpy`` or ``torch``.

    Returns
    -------
    axes : ndarray or Tensor of shape (n_features, n_axes), or None
        Orthonormal columns; the samples less `mean` lie in the space they span.
    """
    n_samples, n_features = X.shape
    if min(n_samples, n_features) > MAX_AXES:
        return None
    if n_features > n_samples:
        basis, R = xp.linalg.qr((X - mean).T)
        return basis @ xp.linalg.eigh(R @ R.T)[1]
    gram = 0.0
    for rows in row_blocks(n_samples, n_features, n_cells=CACHED_SCORES):
        part = X[rows] - mean
        gram = gram + part.T @ part
    return xp.linalg.eigh(gram)[1]


def solve(
    samples: TurnedSamples, y: Any, weight: Any, *, C: float, tol: float, max_iter: int
) -> tuple[Any, Any, Any, Any]:
    """Fit the logistic regressions of some labels, in one precision after the other.

    Parameters
    ----------
    samples : TurnedSamples
        The samples.
    y : ndarray or Tensor of shape (n_samples, n_labels)
        Labels, 0.0 or 1.0.
    weight : ndarray or Tensor of shape (n_samples, 1) or (n_samples, n_labels), or None
        Weights of the samples.
    C : float
        Inverse of the L2 penalty.
    tol, max_iter : float, int
        See `minimise`; a precision before the last is left at a decrement of 0.001.

    Returns
    -------
    coef : ndarray or Tensor of shape (n_labels, n_features)
        Coefficients.
    bias : ndarray or Tensor of shape (n_labels,)
        Intercepts.
    n_iter : ndarray or Tensor of shape (n_labels,)
        Steps taken, in all precisions.
    converged : ndarray or Tensor of shape (n_labels,), dtype bool
        Whether `tol` was reached.
    """
    xp, (n_samples, n_axes) = samples.xp, samples.Zs[-1].shape
    settings: dict = {"dtype": y.dtype, "device": y.device}
    positives = y if weight is None else weight * y
    total = xp.full((1,), n_samples, **settings) if weight is None else weight.sum(0)
    prior = xp.clip(positives.sum(0) / total, MIN_PRIOR, 1 - MIN_PRIOR)
    penalty = xp.full((n_axes, 1), 1 / C, **settings)
    W = xp.zeros((n_axes, y.shape[1]), **settings)
    if samples.intercept:
        penalty[-1], W[-1] = 0.0, xp.log(prior / (1 - prior))
    given = (samples.Zs[-1].T @ positives, penalty, weight)
    n_iter = 0
    for Z in samples.Zs:
        target, penalty, weight = (
            None if a is None else xp.asarray(a, dtype=Z.dtype) for a in given
        )
        problem = JointLogistic(Z, target, penalty, weight, xp)
        found, steps, converged = minimise(
            problem,
            xp.asarray(W, dtype=Z.dtype),
            tol=tol if Z is samples.Zs[-1] else max(tol, 1e-3),
            max_iter=max_iter,
        )
        W, n_iter = xp.asarray(found, dtype=y.dtype), n_iter + steps
    return *samples.coefficients(W), n_iter, converged
