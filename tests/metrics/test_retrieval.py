import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.metrics import ndcg_score

from skrecall.metrics import label_ndcg_at_k, label_precision_at_k, label_recall_at_k
from skrecall.metrics._retrieval import top_labels
from skrecall.utils._blocks import row_blocks
from tests.metrics.multilabel import CONTAINERS, draw


def top_by_loop(s, k):
    return sorted(range(len(s)), key=lambda j: (-s[j], j))[:k]


def by_loop(Y, S, k):
    """Return precision, recall and nDCG of each sample."""
    rows = []
    for y, s in zip(Y, S, strict=True):
        hits = [y[j] == 1 for j in top_by_loop(s, k)]
        gain = sum(hit / np.log2(r + 2) for r, hit in enumerate(hits))
        n = sum(y == 1)
        best = sum(1 / np.log2(r + 2) for r in range(min(n, k)))
        rows.append((sum(hits) / k, sum(hits) / n if n else np.nan, gain / best if n else np.nan))
    return np.transpose(rows)


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_the_best_labels_are_those_of_a_stable_sort(k, decimals, monkeypatch):
    monkeypatch.setattr(row_blocks, "__kwdefaults__", {"n_cells": 50})
    S = draw(decimals=decimals).S
    assert_array_equal(top_labels(S, k), [top_by_loop(s, k) for s in S])
    shifted = S + 1  # no explicit 0 is lost
    assert_array_equal(top_labels(csr_array(shifted), k), top_labels(shifted, k))


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("decimals", [1, 8])
def test_values_are_those_of_a_plain_loop(container, k, decimals):
    data = draw(decimals=decimals)
    expected = by_loop(data.Y, data.S, k)
    functions = (label_precision_at_k, label_recall_at_k, label_ndcg_at_k)
    for function, values in zip(functions, expected, strict=True):
        there = ~np.isnan(values)
        Y = container(data.Y)
        assert_allclose(function(Y, data.S, k=k), values[there].mean())
        assert_allclose(function(Y, csr_array(data.S + 1), k=k), values[there].mean())
        assert_allclose(
            function(Y, data.S, k=k, sample_weight=data.weight),
            np.average(values[there], weights=data.weight[there]),
        )


@pytest.mark.parametrize("k", [1, 4])
def test_ndcg_is_scikit_learn_s_without_ties(k):
    data = draw(decimals=8)
    some = data.Y.any(axis=1)
    assert_allclose(
        label_ndcg_at_k(data.Y, data.S, k=k), ndcg_score(data.Y[some], data.S[some], k=k)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float16, np.float32])
def test_scores_may_be_any_numbers(dtype):
    data = draw()
    S = np.floor(10 * data.S)
    expected = label_ndcg_at_k(data.Y, S, k=3)
    assert_allclose(label_ndcg_at_k(data.Y, S.astype(dtype), k=3), expected)
    assert_allclose(
        label_ndcg_at_k(data.Y, csr_array(S + 1).astype(np.float32).astype(np.int64), k=3),
        expected,
    )


def test_what_a_sparse_array_does_not_store_is_not_retrieved():
    Y = [[1, 1, 0], [0, 0, 1]]
    S = csr_array(([-0.5, 0.2], ([0, 1], [0, 2])), shape=(2, 3))
    assert_array_equal(top_labels(S, 2), [[0, -1], [2, -1]])
    assert label_precision_at_k(Y, S, k=2) == 0.5
    assert label_recall_at_k(Y, S, k=2) == 0.75


def test_bad_input_is_named():
    Y, S = np.eye(2), np.array([[0.2, 0.3], [0.1, 0.4]])
    for k in (0, 3, 1.5):
        with pytest.raises(ValueError, match=rf"k={k} must be an integer from 1 to 2"):
            label_precision_at_k(Y, S, k=k)
    with pytest.raises(ValueError, match="y_true contains NaN"):
        label_recall_at_k(Y * [1, np.nan], S, k=1)
    assert np.isnan(label_recall_at_k(0 * Y, S, k=1))
    with pytest.warns(UserWarning, match="y_score holds 0 and 1 alone"):
        label_ndcg_at_k(Y, Y, k=1)
