from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array

from skrecall.resampling import _local_imbalance
from skrecall.resampling._local_imbalance import (
    count_at,
    label_weights,
    local_imbalance,
    rarer_values,
    swap_values,
)
from skrecall.utils._blocks import row_blocks


def make_labels(n_samples=60, seed=0):
    rng = np.random.RandomState(seed)
    return (rng.uniform(size=(n_samples, 5)) < [0.1, 0.3, 0.5, 0.8, 1.0]).astype(np.int8)


def make_neighbors(n_samples=60, n_neighbors=4, seed=0):
    """Any four other rows of each row: what is counted does not depend on how they were found."""
    rng = np.random.RandomState(seed)
    others = [np.delete(np.arange(n_samples), i) for i in range(n_samples)]
    return np.array([rng.choice(rows, size=n_neighbors, replace=False) for rows in others])


def plain_shares(Y, neighbors):
    """C of the papers: NaN where a label does not have its rarer value."""
    share = np.full(Y.shape, np.nan)
    for j in range(Y.shape[1]):
        rare = 0 if (Y[:, j] == 1).sum() > (Y[:, j] == 0).sum() else 1
        for i in range(len(Y)):
            if Y[i, j] == rare:
                share[i, j] = np.mean([Y[k, j] != rare for k in neighbors[i]])
    return share


def plain_weights(Y, neighbors):
    """S of the papers, with 0 for outliers and for values that are not rare."""
    weights = plain_shares(Y, neighbors)
    weights[np.isnan(weights) | (weights == 1)] = 0
    for j in range(Y.shape[1]):
        if weights[:, j].any():
            weights[:, j] /= weights[:, j].sum()
    return weights


@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_the_rarer_value_of_each_label(container):
    Y = make_labels()
    is_rare, is_swapped = rarer_values(container(Y))
    assert_array_equal(is_swapped, Y.sum(axis=0) > 30)
    assert is_swapped[3:].all()
    assert_array_equal(is_rare.toarray(), np.where(is_swapped, 1 - Y, Y))
    assert_array_equal(swap_values(csc_array(is_rare), is_swapped).toarray(), Y)
    half = np.repeat([[0], [1]], 5, axis=0).astype(np.int8)
    assert not rarer_values(half)[1].any()


@pytest.mark.parametrize("n_neighbors", [1, 4, 59])
@pytest.mark.parametrize("seed", range(3))
def test_shares_and_weights_as_the_papers_say(n_neighbors, seed, monkeypatch):
    monkeypatch.setattr(_local_imbalance, "row_blocks", partial(row_blocks, n_cells=35))
    Y, neighbors = make_labels(seed=seed), make_neighbors(n_neighbors=n_neighbors, seed=seed)
    is_rare, _ = rarer_values(Y)
    share = local_imbalance(neighbors, is_rare)
    expected = plain_shares(Y, neighbors)
    cells = is_rare.toarray() == 1
    assert_array_equal(cells, ~np.isnan(expected))
    assert_allclose(share, expected[cells])
    weights = label_weights(share, is_rare)
    assert_allclose(weights.toarray(), plain_weights(Y, neighbors))


def test_more_neighbors_than_a_byte_holds():
    Y = np.ones((400, 1), dtype=np.int8)
    neighbors = np.tile(np.arange(300), (400, 1))
    assert_array_equal(count_at(neighbors, csr_array(Y), csr_array(Y)), 300)
