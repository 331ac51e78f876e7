import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse

from skrecall.metrics._cells import (
    check_cells,
    check_label_scores,
    count_cells,
    mean_of_rows,
)
from skrecall.utils._blocks import row_blocks
from tests.metrics.multilabel import CONTAINERS, draw


def counts_by_loop(Y, P, axis, weight):
    n = np.zeros((4, Y.shape[1 - axis]))
    for i, j in np.ndindex(*Y.shape):
        if Y[i, j] != -1:
            part = {(1, 1): 0, (0, 1): 1, (1, 0): 2, (0, 0): 3}[Y[i, j], P[i, j]]
            n[part, j if axis == 0 else i] += weight[i] if axis == 0 else 1
    return n


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_counts_are_those_of_a_plain_loop(container, unknown, weighted, axis):
    data = draw(unknown=unknown)
    weight = data.weight if weighted else np.ones(len(data.Y))
    Y, P, w = check_cells(container(data.Y), container(data.P), data.weight if weighted else None)
    counts = count_cells(Y, P, axis=axis, weight=w if axis == 0 else None)
    expected = counts_by_loop(data.Y[weight > 0], data.P[weight > 0], axis, weight[weight > 0])
    found = [counts.tp, counts.fp, counts.fn, counts.tn]
    assert_allclose(found, expected)
    assert_array_equal(np.array(found) == 0, expected == 0)
    assert_allclose(counts.n_known, expected.sum(axis=0))
    assert_allclose(counts.pooled().tp, [expected[0].sum()])


def test_counts_of_weights_that_do_not_add_up_exactly_are_zero_where_nothing_is_counted():
    rng = np.random.default_rng(0)
    Y = (rng.random((500, 8)) < 0.3).astype(int)
    Y[:, 0] = 1
    for container in (np.asarray, csr_array):
        Y_, P_, w = check_cells(container(Y), container(1 - Y), rng.random(500) / 3)
        counts = count_cells(Y_, P_, axis=0, weight=w)
        assert counts.tn[0] == counts.fp[0] == 0
        assert np.all(counts.tp == 0)


def test_one_sparse_side_makes_both_sparse():
    data = draw()
    Y, P, _ = check_cells(csr_array(data.Y), data.P)
    assert issparse(Y)
    assert issparse(P)
    assert_array_equal(P.toarray(), data.P)


def test_blocks_do_not_change_the_counts(monkeypatch):
    data = draw(unknown=True)
    Y, P, w = check_cells(data.Y, data.P, data.weight)
    whole = count_cells(Y, P, axis=0, weight=w)
    monkeypatch.setattr(row_blocks, "__kwdefaults__", {"n_cells": 20})
    parts = count_cells(Y, P, axis=0, weight=w)
    assert_allclose(parts.tp, whole.tp)
    assert_allclose(parts.tn, whole.tn)


def test_scores_are_not_copied():
    data = draw()
    S = data.S.astype(np.float32)
    assert np.shares_memory(check_label_scores(data.Y, S)[1], S)


def test_mean_of_rows_leaves_out_nan():
    assert mean_of_rows(np.array([1.0, np.nan, 4.0]), np.array([1.0, 5.0, 2.0])) == 3
    assert np.isnan(mean_of_rows(np.array([np.nan]), None))


Y2 = np.array([[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_cells(Y2, Y2[:, :1]), r"y_pred has shape \(2, 1\) and y_true \(2, 2\)"),
        (lambda: check_cells(Y2[:0], Y2[:0]), "y_true holds 0 samples: there is nothing to count"),
        (lambda: check_label_scores(Y2[:0], Y2[:0]), "y_true holds 0 samples"),
        (lambda: check_cells(Y2, Y2[:1]), "inconsistent numbers of samples"),
        (lambda: check_cells(Y2, Y2 * 0.4), r"y_pred holds \[0.4\]: an indicator is 1"),
        (lambda: check_cells(Y2, -Y2), r"y_pred holds \[-1\]"),
        (lambda: check_cells(-Y2, Y2, unknown=False), r"y_true holds \[-1\]"),
        (lambda: check_cells(Y2[0], Y2[0]), r"y_true has shape \(2,\)"),
        # scikit-learn 1.7 takes weights of 0 alone
        (lambda: check_cells(Y2, Y2, [0, 0]), "is 0 for all 2 samples|at least one non-zero"),
        (lambda: check_cells(Y2, Y2, [-1, 1]), "Negative values"),
        (
            lambda: check_cells(
                pd.DataFrame(Y2, columns=["a", "b"]), pd.DataFrame(Y2, columns=["b", "a"])
            ),
            "column 0 is 'a' in y_true and 'b' in y_pred",
        ),
        (lambda: check_label_scores(Y2, Y2[:, :1]), r"y_score has shape \(2, 1\)"),
        (lambda: check_label_scores(Y2, [0.1, 0.2]), r"y_score has shape \(2,\)"),
        (lambda: check_label_scores(Y2, Y2 * np.nan), "y_score contains NaN or infinity"),
        (lambda: check_label_scores(Y2, csr_array(Y2)), "y_score is sparse"),
        (lambda: check_label_scores(Y2, Y2.astype(str)), "y_score holds <U"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_large_finite_scores_are_taken():
    S = np.full((2, 2), np.finfo(np.float64).max)
    assert check_label_scores(Y2, S)[1] is S
