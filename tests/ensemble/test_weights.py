import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import average_precision_score, f1_score

from skrecall.ensemble._weights import best_weights, simplex_lattice, vote_objective


@pytest.mark.parametrize("n_members", range(1, 8))
def test_lattice_is_every_multiple_of_one_over_q(n_members):
    lattice = simplex_lattice(n_members, 300)
    q = round(1 / lattice[lattice > 0].min())
    assert len(lattice) == math.comb(q + n_members - 1, n_members - 1) <= 300
    assert len(np.unique(lattice.round(9), axis=0)) == len(lattice)
    assert_allclose(lattice * q, np.rint(lattice * q), atol=1e-9)
    assert_allclose(lattice.sum(axis=1), 1)
    for single in np.eye(n_members):
        assert (np.abs(lattice - single).sum(axis=1) < 1e-12).any()


def test_lattice_of_many_members_keeps_each_of_them():
    assert len(simplex_lattice(400, 300)) == 400


def test_quadratic_objective_is_maximised_to_the_smallest_step():
    target = np.array([0.137, 0.6, 0.263])
    votes = np.eye(3)[:, :, None]  # the mean of these votes is the weights themselves
    weights, value = best_weights(votes, lambda mean: -np.sum((mean[:, 0] - target) ** 2))
    assert_allclose(weights, target, atol=1e-3)
    assert_allclose(weights.sum(), 1)
    assert value == pytest.approx(0, abs=1e-5)


def test_weights_that_give_no_number_are_passed_over():
    votes = np.array([[[0.0]], [[1.0]]])
    weights, value = best_weights(votes, lambda mean: np.nan if mean < 0.7 else -mean.item())
    assert weights[1] == pytest.approx(0.7, abs=1e-3)
    assert value == pytest.approx(-weights[1])


def test_of_equal_weights_the_uniform_ones_win():
    weights, _ = best_weights(np.ones((4, 5, 1)), np.mean)
    assert_array_equal(weights, np.full(4, 0.25))


@pytest.mark.parametrize("seed", range(5))
def test_never_worse_than_uniform_or_any_member(seed):
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=60)
    votes = rng.random_sample((5, 60, 2))
    value_of = vote_objective(
        y, np.array([0, 1]), objective="recall", constraint=("precision", 0.5), pos_label=1
    )
    weights, value = best_weights(votes, value_of)
    assert value == value_of(np.tensordot(weights, votes, 1))
    assert value >= max(value_of(votes.mean(axis=0)), *(value_of(vote) for vote in votes))


@pytest.mark.parametrize("weighted", [False, True])
def test_average_precision_is_that_of_scikit_learn(weighted):
    rng = np.random.RandomState(0)
    proba = rng.dirichlet(np.ones(3), size=80).round(1)
    y = rng.randint(3, size=80)
    weight = rng.random_sample(80) if weighted else None
    value = vote_objective(y, np.arange(3), objective="average_precision", weight=weight)(proba)
    expected = np.mean(
        [average_precision_score(y == k, proba[:, k], sample_weight=weight) for k in range(3)]
    )
    assert value == pytest.approx(expected)
    Y = rng.randint(2, size=(80, 3))
    value = vote_objective(Y, None, objective="average_precision", weight=weight)(proba)
    assert value == pytest.approx(average_precision_score(Y, proba, sample_weight=weight))


def test_objectives_are_taken_at_their_best_threshold_and_averaged_over_labels():
    rng = np.random.RandomState(0)
    proba, Y = rng.random_sample((50, 2)), rng.randint(2, size=(50, 2))
    value = vote_objective(Y, None, objective="f1")(proba)
    best = [
        max(f1_score(Y[:, j], proba[:, j] >= t) for t in np.unique(proba[:, j])) for j in range(2)
    ]
    assert value == pytest.approx(np.mean(best))


@pytest.mark.parametrize("objective", ["roc_auc", "neg_log_loss", "recall_at_precision"])
def test_scorers_by_name_see_the_positive_label(objective):
    """Names of labels do not matter; which of them is positive does."""
    rng = np.random.RandomState(0)
    proba = rng.dirichlet(np.ones(2), size=60)
    positive = rng.random_sample(60) < proba[:, 0]
    params = {"min_precision": 0.6} if objective == "recall_at_precision" else None
    classes = np.array(["fraud", "ok"])
    named = vote_objective(
        classes[(~positive).astype(int)],
        classes,
        objective=objective,
        params=params,
        pos_label="fraud",
    )(proba)
    plain = vote_objective(
        positive.astype(int), np.array([0, 1]), objective=objective, params=params, pos_label=1
    )(proba[:, ::-1])
    assert named == plain
