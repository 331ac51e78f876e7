import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

from skrecall.label_space import community_partition

METHODS = ["louvain", "greedy_modularity", "label_propagation"]
WEIGHTS = ["count", "jaccard", "equal"]


def three_groups():
    """Two cliques of labels, joined by one row, and two labels that meet no other."""
    rng = np.random.default_rng(0)
    Y = np.zeros((300, 10), dtype=int)
    Y[:140, :4] = rng.random((140, 4)) < 0.6
    Y[140:280, 4:8] = rng.random((140, 4)) < 0.6
    Y[280, [0, 4]] = 1
    Y[281:290, 8] = 1
    return Y


def as_lists(partition):
    return [part.tolist() for part in partition]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_cliques_and_lone_labels_are_found(method, weight):
    expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8], [9]]
    for container in (np.asarray, csr_array):
        Y = container(three_groups())
        partition = community_partition(Y, method, weight=weight, random_state=0)
        assert as_lists(partition) == expected


@pytest.mark.parametrize("method", METHODS)
def test_a_graph_without_edges(method):
    assert as_lists(community_partition(np.eye(3, dtype=int), method)) == [[0], [1], [2]]
    assert as_lists(community_partition(np.ones((4, 1), dtype=int), method)) == [[0]]
    assert as_lists(community_partition(np.zeros((4, 2), dtype=int), method)) == [[0], [1]]


@pytest.mark.parametrize("method", METHODS)
def test_one_clique_is_one_part(method):
    partition = community_partition(np.ones((4, 3), dtype=int), method, random_state=0)
    assert as_lists(partition) == [[0, 1, 2]]


def test_weights_count():
    """Of three labels in a row the two that meet more often are joined."""
    Y = np.repeat([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], [50, 1, 50], axis=0)
    assert as_lists(community_partition(Y, random_state=0)) == [[0, 1], [2, 3]]


def test_resolution_and_seed():
    Y = (np.random.default_rng(3).random((80, 12)) < 0.3).astype(int)
    few, many = (
        community_partition(Y, resolution=resolution, random_state=0) for resolution in (0.1, 2.0)
    )
    assert len(few) < len(many)
    for method in METHODS:
        first, second = (community_partition(Y, method, random_state=7) for _ in range(2))
        assert as_lists(first) == as_lists(second)
        assert sorted(np.concatenate(first)) == list(range(12))


def test_without_networkx(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ImportError) as caught:
        community_partition(three_groups())
    assert str(caught.value) == (
        "skrecall.label_space.community_partition needs networkx, which is not installed: "
        "pip install 'skrecall[graph]'."
    )


def test_bad_input():
    with pytest.raises(ValueError, match="method='leiden' must be one of 'louvain'"):
        community_partition(three_groups(), "leiden")
    with pytest.raises(ValueError, match="weight='lift' must be one of 'count'"):
        community_partition(three_groups(), weight="lift")
