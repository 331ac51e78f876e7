"""Negatives read in blocks, and the hardest and the random ones of them, against all at once."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from skrecall.ensemble._negatives import (
    HardestRows,
    NegativeRows,
    _NegativeSource,
    draw_negatives,
)

X = np.arange(40.0).reshape(20, 2)
OWN = np.array([1, 4, 5, 11])
MORE = -X[:13]


def source(negatives, *, container=np.asarray, block_size=None):
    model = LogisticRegression().fit(X, np.arange(20) % 2)
    return _NegativeSource(model, container(X), OWN, negatives, block_size)


def test_hardest_rows_are_the_greatest_of_all_blocks():
    rng = np.random.RandomState(0)
    scores, ties = rng.randint(5, size=100).astype(float), rng.uniform(size=100)
    hardest = HardestRows.of_size(30)
    among = rng.uniform(size=100) < 0.7
    for rows in np.array_split(np.arange(100), 7):
        hardest.offer((rows, rows[:, None]), scores[rows], ties[rows], among[rows])
    allowed = sorted(np.flatnonzero(among).tolist(), key=lambda i: (-scores[i], ties[i]))
    assert hardest.ids.tolist() == hardest.X[:, 0].tolist() == allowed[:30]
    few = HardestRows.of_size(30)
    few.offer((np.arange(3), np.arange(3)), np.array([1.0, 3.0, 2.0]), np.zeros(3))
    assert few.ids.tolist() == [1, 2, 0]


def test_hard_rows_take_the_place_of_easy_ones_but_not_of_random_ones():
    here = NegativeRows(np.array([10, 11, 12, 13]), X[:4], 2)
    hardest = HardestRows(2, np.array([7, 8]), np.array([0.9, 0.3]), np.zeros(2), X[7:9])
    scores = np.array([0.1, 0.2, 0.5, 0.4])  # of two random rows, and of two that were mined
    after = here.with_hardest(scores, hardest, 4)
    assert after.ids.tolist() == [10, 11, 12, 7]
    assert after.n_random == 2
    assert_array_equal(after.X, X[[0, 1, 2, 7]])
    assert here.with_hardest(scores, hardest, 6).ids.tolist() == [10, 11, 12, 13, 7, 8]
    assert here.with_hardest(np.ones(4), hardest, 4) is None


@pytest.mark.parametrize("block_size", [None, 1, 3])
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_blocks_hold_all_rows_once_in_order(block_size, container):
    as_blocks = [container(MORE[:6]), container(MORE[6:6]), container(MORE[6:])]
    for negatives in (container(MORE), lambda: iter(as_blocks), None):
        rows = source(negatives, container=container, block_size=block_size)
        for _ in range(2):
            ids, blocks = zip(*rows.blocks(), strict=True)
            values = np.vstack([b.toarray() if container is csr_array else b for b in blocks])
            n_more = 0 if negatives is None else 13
            assert np.concatenate(ids).tolist() == [*OWN, *range(20, 20 + n_more)]
            assert_array_equal(values, np.vstack([X[OWN], MORE[:n_more]]))
            assert rows.n_rows == 4 + n_more
        if block_size is not None and not callable(negatives):
            assert max(map(len, ids)) == block_size


def test_rows_are_drawn_evenly_without_replacement():
    rows, rng = source(MORE), np.random.RandomState(0)
    counts = np.zeros(33)
    for _ in range(400):
        ids, drawn = draw_negatives(rows, 5, rng, without=np.array([4, 20]))
        counts[ids] += 1
        assert (np.diff(ids) > 0).all()
        assert_array_equal(drawn, np.vstack([X, MORE])[ids])
    allowed = np.setdiff1d([*OWN, *range(20, 33)], [4, 20])
    assert counts.sum() == counts[allowed].sum() == 2000
    p = 5 / len(allowed)
    assert np.abs(counts[allowed] - 400 * p).max() < 4 * np.sqrt(400 * p * (1 - p))
    assert len(draw_negatives(rows, 50, rng)[0]) == 17


@pytest.mark.parametrize(
    ("negatives", "container", "message"),
    [
        (csr_array(MORE), np.asarray, "X is an array and negatives are sparse"),
        (MORE, pd.DataFrame, "X is a DataFrame and negatives are an array"),
        (
            MORE.reshape(13, 1, 2),
            np.asarray,
            r"shape \(2,\), and negatives some of \(1, 2",
        ),
        (np.zeros((3, 5)), np.asarray, "expecting 2 features"),
    ],
)
def test_rows_of_another_kind_are_refused(negatives, container, message):
    with pytest.raises(ValueError, match=message):
        list(source(negatives, container=container).blocks())


def test_rows_that_change_from_pass_to_pass_are_refused():
    sizes = iter([10, 11])
    rows = source(lambda: [MORE[: next(sizes)]])
    list(rows.blocks())
    with pytest.raises(ValueError, match="negatives gave 11 rows in one pass and 10 in the one"):
        list(rows.blocks())
