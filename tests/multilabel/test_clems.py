import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.metrics import fbeta_score, hamming_loss, jaccard_score

from skrecall.multilabel._clems import embed_label_sets, majorise, pairwise_costs

SETS = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=np.int8)
COUNTS = np.array([3, 1, 4, 1, 5, 9, 2, 6])


def test_costs_are_scikit_learn_s_of_one_row():
    for y in SETS:
        for z in SETS:
            cost = {
                "hamming": hamming_loss([y], [z]),
                "jaccard": 1 - jaccard_score([y], [z], average="samples", zero_division=1),
                "fbeta": 1 - fbeta_score([y], [z], beta=2, average="samples", zero_division=1),
            }
            for name, expected in cost.items():
                found = pairwise_costs(y[None], z[None], cost=name, beta=2.0)
                assert_allclose(found, [[expected]], atol=1e-12)


def test_a_step_is_the_guttman_transform():
    """With the weights of all pairs in one matrix, and a pseudo-inverse."""
    rng = np.random.default_rng(0)
    truths, predictions = rng.standard_normal((2, len(SETS), 2))
    wanted = rng.random((len(SETS), len(SETS)))
    zero = np.zeros_like(wanted)
    weight = COUNTS[:, None] * np.ones_like(wanted)
    W = np.block([[zero, weight], [weight.T, zero]])
    ratio = weight * wanted / cdist(truths, predictions)
    B = -np.block([[zero, ratio], [ratio.T, zero]])
    V = np.diag(W.sum(axis=1)) - W
    B -= np.diag(B.sum(axis=1))
    expected = np.linalg.pinv(V) @ B @ np.vstack([truths, predictions])
    moved = np.vstack(majorise(truths, predictions, cdist(truths, predictions), wanted, COUNTS))
    assert_allclose(moved - moved.mean(axis=0), expected - expected.mean(axis=0), atol=1e-10)


@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_stress_falls_with_every_step(beta):
    costs = pairwise_costs(SETS, SETS, cost="fbeta", beta=beta)
    stress = [
        embed_label_sets(costs, COUNTS, n_components=2, max_iter=n, tol=0.0)[2]
        for n in range(1, 12)
    ]
    assert (np.diff(stress) <= 1e-12).all()
    assert stress[-1] < 0.9 * stress[0]


def test_hamming_is_euclidean_already():
    """The root of the share of labels that differ is the distance of corners of a cube."""
    costs = pairwise_costs(SETS, SETS, cost="hamming", beta=1.0)
    truths, predictions, stress, n_iter = embed_label_sets(
        costs, COUNTS, n_components=3, max_iter=10, tol=1e-9
    )
    assert n_iter <= 10
    assert stress < 1e-20
    assert_allclose(cdist(truths, predictions), np.sqrt(costs), atol=1e-7)


def test_roles_differ_where_costs_do():
    costs = pairwise_costs(SETS, SETS, cost="fbeta", beta=3.0)
    truths, predictions, stress, _ = embed_label_sets(
        costs, COUNTS, n_components=5, max_iter=300, tol=1e-9
    )
    one_role = np.sqrt((costs + costs.T) / 2)
    weight = COUNTS[:, None] / COUNTS.sum() / len(COUNTS)
    # As symmetric distances at best: the error of their mean alone.
    assert (weight * (one_role - np.sqrt(costs)) ** 2).sum() > stress
    assert np.abs(truths - predictions).max() > 0.05
