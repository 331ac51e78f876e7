import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse, lil_matrix

from skrecall.label_space import (
    _cooccurrence,
    label_adjacency,
    label_conditional_probability,
    label_cooccurrence,
    label_jaccard,
    label_lift,
)

MEASURES = [
    label_adjacency,
    label_conditional_probability,
    label_cooccurrence,
    label_jaccard,
    label_lift,
]


def random_labels():
    Y = (np.random.default_rng(0).random((60, 7)) < [0.5, 0.3, 0.2, 0.1, 0.6, 0.05, 0.0]).astype(
        int
    )
    Y[:, 5] = 0
    Y[3] = [0, 0, 0, 0, 0, 1, 0]  # label 5 occurs alone, label 6 nowhere
    return Y


def test_counts_and_ratios_are_those_of_plain_loops():
    Y = random_labels()
    n, L = Y.shape
    expected = {measure: np.zeros((L, L)) for measure in MEASURES[1:]}
    for i in range(L):
        for j in range(L):
            both = sum(Y[r, i] and Y[r, j] for r in range(n))
            either = sum(Y[r, i] or Y[r, j] for r in range(n))
            n_i, n_j = sum(Y[:, i]), sum(Y[:, j])
            expected[label_cooccurrence][i, j] = both
            expected[label_conditional_probability][i, j] = both / n_i if n_i else 0
            expected[label_jaccard][i, j] = both / either if either else 0
            expected[label_lift][i, j] = (both / n) / (n_i / n * n_j / n) if n_i and n_j else 0
    for measure, value in expected.items():
        assert_allclose(measure(Y), value, atol=1e-12)
    assert label_cooccurrence(Y).dtype == np.int64


def test_adjacency_is_that_of_plain_loops():
    """A' = .25 B / sum B + I is the paper's p = .2 up to a scale that the roots take out."""
    Y = random_labels()
    proba = label_conditional_probability(Y)
    L = Y.shape[1]
    reweighted = np.eye(L)
    for i in range(L):
        neighbours = [j for j in range(L) if j != i and proba[i, j] >= 0.4]
        for j in neighbours:
            reweighted[i, j] = 0.25 / len(neighbours)
    degree = reweighted.sum(axis=1)
    expected = np.array(
        [[reweighted[i, j] / np.sqrt(degree[i] * degree[j]) for j in range(L)] for i in range(L)]
    )
    assert 0 < (expected > 0).sum() - L < L * (L - 1)
    assert_allclose(label_adjacency(Y), expected, atol=1e-12)
    assert_allclose(label_adjacency(Y)[[5, 6]], np.eye(L)[[5, 6]])
    assert_array_equal(label_adjacency(Y, neighbour_share=0.0), np.eye(L))


@pytest.mark.parametrize("measure", MEASURES)
def test_containers(measure):
    Y = random_labels()
    expected = measure(Y)
    assert isinstance(expected, np.ndarray)
    assert_array_equal(measure(pd.DataFrame(Y, columns=list("abcdefg"))), expected)
    for container in (csr_array, lil_matrix):
        actual = measure(container(Y))
        assert issparse(actual)
        assert_allclose(actual.toarray(), expected, atol=1e-12)
        assert actual.nnz == np.count_nonzero(expected)


def test_blocks_of_rows_add_up(monkeypatch):
    Y = random_labels()
    expected = label_cooccurrence(Y)
    monkeypatch.setattr(_cooccurrence, "BLOCK_ROWS", 7)
    assert_array_equal(label_cooccurrence(Y), expected)


def test_bad_input():
    Y = random_labels()
    with pytest.raises(ValueError, match=r"Y holds \[2\]: an indicator is 1"):
        label_cooccurrence(2 * Y)
    with pytest.raises(ValueError, match=r"threshold=0 is not a share: give a number in \(0, 1\]"):
        label_adjacency(Y, threshold=0)
    with pytest.raises(ValueError, match=r"neighbour_share=1 is not a share"):
        label_adjacency(Y, neighbour_share=1)
