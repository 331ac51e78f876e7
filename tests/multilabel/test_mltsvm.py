import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skrecall.multilabel import MLTSVM
from skrecall.multilabel._mltsvm import hinge_minimum, row_coordinates, twin_hyperplane
from tests.checks import make_labels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def objective(u, positives, negatives, c_k, lambda_param):
    near = sum((row @ u) ** 2 for row in positives) / 2 + lambda_param * (u @ u) / 2
    return near + c_k * sum(max(0.0, 1 + row @ u) for row in negatives)


def quadratic_program(positives, negatives, c_k, lambda_param):
    """Solve the problem of the paper with its slack variables by a general solver."""
    n, d = negatives.shape

    def value(z):
        u, slack = z[:d], z[d:]
        return ((positives @ u) ** 2).sum() / 2 + lambda_param * (u @ u) / 2 + c_k * slack.sum()

    def gradient(z):
        u = z[:d]
        return np.r_[positives.T @ (positives @ u) + lambda_param * u, np.full(n, c_k)]

    constraints = np.hstack([-negatives, np.eye(n)])  # -(negatives @ u) + slack >= 1
    solved = minimize(
        value,
        np.r_[np.zeros(d), np.ones(n)],
        jac=gradient,
        bounds=[(None, None)] * d + [(0, None)] * n,
        constraints={
            "type": "ineq",
            "fun": lambda z: constraints @ z - 1,
            "jac": lambda z: constraints,
        },
        method="SLSQP",
        options={"ftol": 1e-10, "maxiter": 500},
    )
    assert solved.success
    return solved.x[:d]


@pytest.mark.parametrize("c_k", [0.05, 1.0, 5.0])
@pytest.mark.parametrize("lambda_param", [0.1, 1.0])
@pytest.mark.parametrize(("n_positives", "n_negatives"), [(8, 12), (1, 12), (8, 1)])
def test_optimum_is_that_of_a_general_solver(rng, c_k, lambda_param, n_positives, n_negatives):
    positives = np.c_[rng.normal(1, size=(n_positives, 2)), np.ones(n_positives)]
    negatives = np.c_[rng.normal(size=(n_negatives, 2)), np.ones(n_negatives)]
    expected = quadratic_program(positives, negatives, c_k, lambda_param)
    u, gap, _ = twin_hyperplane(
        positives, negatives, c_k=c_k, lambda_param=lambda_param, tol=1e-9, max_iter=100
    )
    assert gap <= 1e-9
    assert_allclose(u, expected, atol=1e-4)
    settings = (positives, negatives, c_k, lambda_param)
    assert_allclose(objective(u, *settings), objective(expected, *settings), rtol=1e-6)


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_hinge_minimum_is_that_of_liblinear(rng, c):
    """One class only: half of the rows are mirrored into a second one."""
    Z = rng.normal(size=(60, 5)) + 0.3
    y = np.where(np.arange(60) % 2, 1, -1)
    svm = LinearSVC(loss="hinge", C=c, fit_intercept=False, tol=1e-10, max_iter=10**6)
    expected = svm.set_params(random_state=0).fit(Z * y[:, None], y).coef_[0]
    v, gap, n_iter = hinge_minimum(Z, c, tol=1e-9, max_iter=100)
    assert gap <= 1e-9
    assert n_iter < 30
    assert_allclose(v, expected, atol=1e-4)


def test_the_gap_bounds_the_distance_to_the_minimum(rng):
    Z = rng.normal(size=(80, 6))

    def value(v):
        return v @ v / 2 + 2.0 * np.maximum(0, 1 - Z @ v).sum()

    least = value(hinge_minimum(Z, 2.0, tol=1e-10, max_iter=100)[0])
    for max_iter in (1, 3, 6):
        v, gap, n_iter = hinge_minimum(Z, 2.0, tol=1e-12, max_iter=max_iter)
        assert n_iter == max_iter
        assert 0 <= value(v) - least <= gap * (1 + value(v))


def test_columns_of_different_size_take_few_more_steps(rng):
    Z = rng.normal(size=(200, 8)) * 10.0 ** np.linspace(-2, 2, 8)
    for c in (0.01, 1.0, 100.0):
        _, gap, n_iter = hinge_minimum(Z, c, tol=1e-6, max_iter=100)
        assert gap <= 1e-6
        assert n_iter <= 25


def test_more_steps_are_never_worse_where_rounding_ends_the_progress(rng):
    Z = rng.normal(size=(200, 8)) * 10.0 ** np.arange(-4, 4)
    gaps = [hinge_minimum(Z, 10.0, tol=1e-15, max_iter=m)[1] for m in range(5, 60, 5)]
    assert np.isfinite(gaps).all()
    assert (np.diff(gaps) <= 0).all()


@pytest.mark.parametrize(("n_samples", "n_features"), [(30, 4), (10, 10), (8, 40)])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_row_coordinates_give_the_samples_back(rng, n_samples, n_features, container):
    X = rng.normal(size=(n_samples, n_features))
    X[-1] = X[0]
    rows, basis = row_coordinates(container(X))
    assert_allclose(rows @ basis.T, np.c_[X, np.ones(n_samples)], atol=1e-10)
    assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-10)
    assert basis.shape[1] <= min(n_samples, n_features + 1)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_more_features_than_samples(rng, container):
    """The coordinates of the rows lead to the hyperplane in all features."""
    X = rng.normal(size=(20, 60))
    Y = rng.integers(0, 2, (20, 3))
    fitted = MLTSVM(tol=1e-9).fit(container(X), Y)
    ones = np.ones((20, 1))
    for label in range(3):
        of_label = Y[:, label] == 1
        u, _, _ = twin_hyperplane(
            np.hstack([X, ones])[of_label],
            np.hstack([X, ones])[~of_label],
            c_k=1.0,
            lambda_param=1.0,
            tol=1e-9,
            max_iter=100,
        )
        assert_allclose(np.r_[fitted.coef_[label], fitted.intercept_[label]], u, atol=1e-5)


def test_score_is_the_threshold_less_the_distance(rng):
    X, Y = rng.normal(size=(50, 3)), rng.integers(0, 2, (50, 4))
    X_new = 10 * rng.normal(size=(50, 3))
    fitted = MLTSVM().fit(X, Y)
    lengths = np.linalg.norm(fitted.coef_, axis=1)
    for threshold, expected in [
        ("smallest", np.full(4, 1 / lengths.max())),
        ("own", 1 / lengths),
        (0.7, np.full(4, 0.7)),
    ]:
        fitted.set_params(threshold=threshold).refit_decision()
        assert_allclose(fitted.threshold_, expected)
        values = X_new @ fitted.coef_.T + fitted.intercept_
        assert (values > 0).any()  # behind the hyperplane
        scores = fitted.decision_function(X_new)
        assert_allclose(scores, expected - np.abs(values) / lengths)
        assert_array_equal(fitted.predict(X_new), np.abs(values) / lengths < expected)


def test_positives_are_near_and_others_far():
    X, Y = make_labels()
    X = StandardScaler().fit_transform(X)
    fitted = MLTSVM(threshold="own").fit(X, Y)
    scores = fitted.decision_function(X)
    for label in range(Y.shape[1]):
        of_label = Y[:, label] == 1
        assert scores[of_label, label].mean() > scores[~of_label, label].mean()
    assert f1_score(Y, fitted.predict(X), average="micro") > 0.7


def test_duplicates_weigh_as_often_as_they_occur(rng):
    X, Y = rng.normal(size=(30, 3)), rng.integers(0, 2, (30, 2))
    once = MLTSVM(c_k=2.0, lambda_param=1.0, tol=1e-9).fit(X, Y)
    twice = MLTSVM(c_k=2.0, lambda_param=2.0, tol=1e-9)
    twice.fit(np.repeat(X, 2, axis=0), np.repeat(Y, 2, axis=0))
    assert_allclose(twice.coef_, once.coef_, atol=1e-6)


def test_samples_without_variation_leave_the_intercept():
    X, Y = np.zeros((6, 2)), np.array([[1, 0]] * 2 + [[0, 1]] * 4)
    fitted = MLTSVM().fit(X, Y)
    assert_array_equal(fitted.coef_, 0)
    assert np.isfinite(fitted.decision_function(X)).all()


def test_labels_that_do_not_vary_have_no_hyperplane(rng):
    X, Y = rng.normal(size=(20, 2)), rng.integers(0, 2, (20, 3))
    Y[:, 1] = 1
    with pytest.warns(UserWarning, match=r"Labels \[1\] have one value"):
        fitted = MLTSVM().fit(X, Y)
    assert_array_equal(np.isnan(fitted.coef_).all(axis=1), [False, True, False])
    assert_array_equal(fitted.n_iter_ > 0, [True, False, True])
    assert_allclose(fitted.coef_[[0, 2]], MLTSVM().fit(X, Y[:, [0, 2]]).coef_)


@pytest.mark.parametrize("threshold", ["smallest", "own", 0.5])
def test_all_labels_constant(threshold):
    with pytest.warns(UserWarning, match="one value each"):
        fitted = MLTSVM(threshold=threshold).fit(np.eye(4), np.tile([0, 1], (4, 1)))
    assert np.isnan(fitted.threshold_).all()
    assert_array_equal(fitted.predict(np.eye(4)), np.tile([0, 1], (4, 1)))


def test_stopping_early_is_said():
    X, Y = make_labels()
    with pytest.warns(ConvergenceWarning, match=r"duality gap of .* for labels \[0, 1, 2, 3\]"):
        fitted = MLTSVM(max_iter=1).fit(X, Y)
    assert_array_equal(fitted.n_iter_, 1)


@pytest.mark.parametrize("params", [{"c_k": 0}, {"lambda_param": 0}, {"threshold": "least"}])
def test_settings_out_of_range_are_refused(params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        MLTSVM(**params).fit(np.eye(3), np.eye(3))
