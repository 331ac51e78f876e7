import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skrecall.plotting import LabelGraphDisplay
from skrecall.plotting._label_graph import spread_positions


@pytest.fixture
def Y():
    """Two groups of labels that meet within the group, and a label that meets none."""
    rng = np.random.default_rng(0)
    group = rng.random(400) < 0.6
    Y = np.zeros((400, 7), dtype=int)
    Y[:, :3] = group[:, None] & (rng.random((400, 3)) < 0.5)
    Y[:, 3:6] = ~group[:, None] & (rng.random((400, 3)) < 0.5)
    Y[:, 6] = ~Y.any(axis=1)
    return Y


@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
def test_edges_are_the_pairs_that_meet_and_communities_their_groups(Y, container):
    display = LabelGraphDisplay.from_labels(container(Y), random_state=0)
    frame = display.frame()
    for row in frame.itertuples():
        i, j = int(row.label), int(row.other)
        assert_allclose(row.jaccard, np.sum(Y[:, i] & Y[:, j]) / np.sum(Y[:, i] | Y[:, j]))
        assert (i < 3) == (j < 3)
        assert row.community == row.other_community
    assert len(frame) == 6
    assert frame["jaccard"].is_monotonic_decreasing
    assert len(display.points_) == len(set(display.communities.tolist())) == 3
    assert [text.get_text() for text in display.texts_] == display.label_names


def test_the_same_seed_draws_the_same(Y):
    first, second = (LabelGraphDisplay.from_labels(Y, random_state=3) for _ in range(2))
    assert_array_equal(first.positions, second.positions)


def test_a_partition_of_one_s_own_and_fewer_labels_and_edges(Y):
    display = LabelGraphDisplay.from_labels(
        Y, partition=[[0, 1], [2, 3]], max_labels=5, max_edges=2, random_state=0
    )
    counts = Y.sum(axis=0)
    shown = np.argsort(-counts, kind="stable")[:5]
    assert display.label_names == [str(label) for label in shown]
    assert_array_equal(display.counts, counts[shown])
    assert_array_equal(display.communities, np.array([0, 0, 1, 1, 2, 2, 2])[shown])
    pairs = sorted(
        (-np.sum(Y[:, i] & Y[:, j]) / np.sum(Y[:, i] | Y[:, j]), str(i), str(j))
        for i in shown
        for j in shown
        if np.flatnonzero(shown == i) < np.flatnonzero(shown == j) and np.any(Y[:, i] & Y[:, j])
    )
    expected = [
        {i, j}
        for place, (_, i, j) in enumerate(pairs)
        if place < 2 or any({i, j} - {"6"} - set(np.ravel([p[1:] for p in pairs[:place]])))
    ]
    frame = display.frame()
    assert [{row.label, row.other} for row in frame.itertuples()] == expected
    assert len(expected) < len(pairs)
    title = display.ax_.get_title(loc="left")
    assert title.startswith(
        f"The 5 most frequent of 7 labels, {len(expected)} strongest of {len(pairs)} edges, "
    )


def test_labels_that_never_meet_can_be_drawn():
    display = LabelGraphDisplay.from_labels(np.eye(4, dtype=int), random_state=0)
    display.figure_.canvas.draw()
    assert len(display.frame()) == 0
    assert len(np.unique(display.positions, axis=0)) == 4


@pytest.mark.parametrize("n_joined", [0, 1, 2, 40])
@pytest.mark.parametrize("n_alone", [0, 1, 8])
@pytest.mark.parametrize("crowded", [False, True])
def test_names_do_not_cover_each_other(n_joined, n_alone, crowded):
    rng = np.random.default_rng(n_joined)
    n_labels = n_joined + n_alone
    joined = np.sort(rng.permutation(n_labels)[:n_joined])
    layout = rng.normal(size=(n_joined, 2)) ** (5 if crowded else 1)
    positions = spread_positions(layout, joined, n_labels)
    gap = np.abs(positions[:, np.newaxis] - positions)
    cover = (gap < np.array([0.15, 0.075]) - 1e-6).all(axis=2)
    assert cover.sum() == n_labels  # each its own


def test_names_stay_apart_in_the_figure(Y):
    rng = np.random.default_rng(0)
    Y = (rng.random((500, 60)) < 0.3).astype(int)
    display = LabelGraphDisplay.from_labels(
        Y, max_labels=30, random_state=0, label_names=[f"a longer name {k}" for k in range(60)]
    )
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.texts_]
    overlapping = sum(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    assert overlapping == 0


def test_without_networkx_one_sentence_names_the_extra(Y, monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ImportError, match=r"LabelGraphDisplay needs networkx.*skrecall\[graph\]"):
        LabelGraphDisplay.from_labels(Y)
