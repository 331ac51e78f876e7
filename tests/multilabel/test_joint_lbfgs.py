"""The joint solve against plain loops and scipy's optimiser, one label at a time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.sparse import csr_array

from skrecall.multilabel import _joint_lbfgs
from skrecall.multilabel._joint_lbfgs import (
    JointLogistic,
    TurnedSamples,
    minimise,
    principal_axes,
    solve,
)

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(60, 4))
Y = (Z @ RNG.normal(size=(4, 3)) + RNG.logistic(size=(60, 3)) > 0.5).astype(float)
WEIGHT = RNG.uniform(0, 2, size=(60, 3))


def problem(Z=Z, penalty=0.5, weight=None):
    positives = Y if weight is None else Y * weight
    return JointLogistic(Z, Z.T @ positives, np.full((4, 1), penalty), weight, np)


def loss(w, y, weight, penalty=0.5):
    margin = (2 * y - 1) * (Z @ w)
    return weight @ np.logaddexp(0, -margin) + penalty / 2 * w @ w


@pytest.mark.parametrize("weight", [None, WEIGHT[:, :1], WEIGHT])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_gradient_is_that_of_a_plain_loop(weight, container, monkeypatch):
    monkeypatch.setattr(_joint_lbfgs, "CACHED_SCORES", 21)  # blocks of 7 rows, the last of 4
    W = RNG.normal(size=(4, 3))
    expected = np.zeros((4, 3))
    for k in range(3):
        for i in range(60):
            p = 1 / (1 + np.exp(-Z[i] @ W[:, k]))
            w = 1 if weight is None else weight[i, min(k, weight.shape[1] - 1)]
            expected[:, k] += w * (p - Y[i, k]) * Z[i]
        expected[:, k] += 0.5 * W[:, k]
    given = problem(weight=weight)
    given.Z = container(Z)
    assert_allclose(given.gradient(W), expected, rtol=1e-10)
    kept = np.array([True, False, True])
    assert_allclose(given.of(kept).gradient(W[:, kept]), expected[:, kept], rtol=1e-10)


@pytest.mark.parametrize("start", [0.0, 40.0])
def test_minimum_is_that_of_another_optimiser_from_anywhere(start):
    W = start * RNG.choice([-1.0, 1.0], size=(4, 3))
    solution, n_iter, converged = minimise(problem(weight=WEIGHT), W, tol=1e-9, max_iter=200)
    assert converged.all()
    assert (n_iter > 0).all()
    for k in range(3):
        best = minimize(loss, np.zeros(4), (Y[:, k], WEIGHT[:, k]), tol=1e-10)
        assert_allclose(solution[:, k], best.x, atol=1e-5)


def test_each_label_has_its_own_end():
    given = problem()
    exact, _, _ = minimise(given, np.zeros((4, 3)), tol=1e-10, max_iter=200)
    W = exact.copy()
    W[:, 1] = 0
    _, n_iter, converged = minimise(given, W, tol=1e-6, max_iter=200)
    assert converged.all()
    assert_array_equal(n_iter > 0, [False, True, False])
    alone = given.of(np.array([False, True, False]))
    solution, n_alone, _ = minimise(alone, W[:, [1]], tol=1e-6, max_iter=200)
    assert n_alone[0] == n_iter[1]
    assert_allclose(solution[:, 0], exact[:, 1], atol=1e-6)


def test_too_few_steps_are_told():
    W = np.zeros((4, 3))
    solution, n_iter, converged = minimise(problem(), W, tol=1e-9, max_iter=2)
    assert not converged.any()
    assert_array_equal(n_iter, 2)
    before = np.abs(problem().gradient(W)).max(axis=0)
    assert (np.abs(problem().gradient(solution)).max(axis=0) < before).all()


def test_a_tolerance_below_rounding_ends_without_convergence():
    small = problem(Z.astype(np.float32))
    small.target, small.penalty = (a.astype(np.float32) for a in (small.target, small.penalty))
    start = np.zeros((4, 3), dtype=np.float32)
    solution, n_iter, converged = minimise(small, start, tol=1e-12, max_iter=1000)
    assert (n_iter < 500).all()
    exact, _, _ = minimise(problem(), start.astype(float), tol=1e-9, max_iter=200)
    assert_allclose(solution, exact, atol=1e-5)
    assert solution.dtype == np.float32
    assert not converged.all()


@pytest.mark.parametrize("shape", [(50, 6), (6, 50), (6, 6)])
def test_axes_are_orthonormal_and_span_the_samples(shape):
    X = RNG.normal(size=shape) @ np.diag(np.logspace(0, 3, shape[1]))
    mean = X.mean(axis=0)
    axes = principal_axes(X, mean, np)
    assert_allclose(axes.T @ axes, np.eye(min(shape)), atol=1e-10)
    turned = (X - mean) @ axes
    assert_allclose(turned @ axes.T, X - mean, atol=1e-8)
    gram = turned.T @ turned
    assert_allclose(gram - np.diag(np.diag(gram)), 0, atol=1e-8 * np.diag(gram).max())


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("limit", [2, 2000])
@pytest.mark.parametrize("make", [TurnedSamples.of_dense, TurnedSamples.of_sparse])
def test_scores_are_those_of_the_coefficients_turned_back(make, limit, intercept, monkeypatch):
    monkeypatch.setattr(_joint_lbfgs, "MAX_AXES", limit)
    X = RNG.normal(1.0, size=(30, 5))
    samples = make(X if make == TurnedSamples.of_dense else csr_array(X), intercept=intercept)
    turned = samples.Zs[-1]
    W = RNG.normal(size=(turned.shape[1], 3))
    coef, bias = samples.coefficients(W)
    assert coef.shape == (3, 5)
    assert (bias != 0).all() == intercept
    assert_allclose(X @ coef.T + bias, turned @ W, atol=1e-10)
    assert [part.dtype for part in samples.Zs] == [np.float32, np.float64]


def test_the_diagonal_is_that_of_the_hessian():
    W = RNG.normal(size=(4, 3))
    P = 1 / (1 + np.exp(-Z @ W))
    expected = [
        np.diag(Z.T @ np.diag(WEIGHT[:, k] * P[:, k] * (1 - P[:, k])) @ Z) + 0.5 for k in range(3)
    ]
    assert_allclose(1 / problem(weight=WEIGHT).inverse_hessian(W), np.transpose(expected))


def test_a_label_without_weight_on_one_side_ends():
    samples = TurnedSamples.of_dense(Z, intercept=True)
    weight = np.where(Y == 1, 0.0, 1.0)
    coef, bias, _, converged = solve(samples, Y, weight, C=1.0, tol=1e-3, max_iter=1000)
    assert converged.all()
    assert (Z @ coef.T + bias < -5).all()
