import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrecall.active_learning import consensus_kl_divergence, vote_entropy


def test_vote_entropy_is_that_of_a_plain_loop():
    votes = np.random.RandomState(0).choice(["a", "b", "c"], size=(7, 30))
    expected = []
    for column in votes.T:
        shares = [list(column).count(label) / 7 for label in set(column)]
        expected.append(-sum(share * math.log(share) for share in shares))
    assert_allclose(vote_entropy(votes), expected)
    assert_allclose(vote_entropy(votes.tolist()), expected)


def test_kl_divergence_is_that_of_a_plain_loop():
    proba = np.random.RandomState(0).dirichlet([0.3, 0.5, 1], size=(4, 20))
    proba[0, 0] = [1, 0, 0]
    expected = []
    for i in range(20):
        consensus = [sum(proba[m, i, k] for m in range(4)) / 4 for k in range(3)]
        divergences = [
            sum(
                proba[m, i, k] * math.log(proba[m, i, k] / consensus[k])
                for k in range(3)
                if proba[m, i, k] > 0
            )
            for m in range(4)
        ]
        expected.append(sum(divergences) / 4)
    assert_allclose(consensus_kl_divergence(proba), expected, atol=1e-12)


def test_agreement_is_no_disagreement_however_uncertain():
    proba = np.tile(np.random.RandomState(0).dirichlet([1, 1], size=10), (3, 1, 1))
    assert_allclose(consensus_kl_divergence(proba), 0, atol=1e-12)
    assert_allclose(vote_entropy(np.ones((3, 10))), 0)
    certain = np.stack([np.tile(row, (2, 1)) for row in np.eye(3)])
    assert_allclose(consensus_kl_divergence(certain), math.log(3))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"proba has shape \(4, 2\): stack the predict_proba"):
        consensus_kl_divergence(np.ones((4, 2)))
    with pytest.raises(ValueError, match="probabilities are between 0 and 1"):
        consensus_kl_divergence(np.full((2, 3, 2), 7.0))
    with pytest.raises(ValueError, match="The rows of proba sum to"):
        consensus_kl_divergence(np.full((2, 3, 2), 0.9))
    with pytest.raises(ValueError, match="Expected 2D array"):
        vote_entropy([1, 2])
    with pytest.raises(ValueError, match="votes contains NaN: 1 of 4 labels are missing"):
        vote_entropy(np.array([["a", None], ["a", "b"]], dtype=object))
    with pytest.raises(ValueError, match="votes holds continuous values"):
        vote_entropy([[0.1, 0.9], [0.5, 0.4]])
