"""Cuts of score matrices against loops over rows and columns."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrecall.threshold import cardinality_threshold, mcut, pcut, rcut


@pytest.fixture(params=[1, 8], ids=["tied", "distinct"])
def y_score(request):
    return np.round(np.random.default_rng(0).random((50, 6)), request.param)


@pytest.mark.parametrize("k", [0, 1, 3, 6, 9])
def test_rcut_takes_the_top_k(y_score, k):
    Y_pred = rcut(y_score, k)
    assert Y_pred.dtype == np.int8
    for row, score in zip(Y_pred, y_score, strict=True):
        top = sorted(range(6), key=lambda j: (-score[j], j))[:k]
        assert_array_equal(np.flatnonzero(row), sorted(top))


def test_pcut_takes_the_share_of_each_label(y_score):
    ratio = [0.0, 0.02, 0.07, 0.5, 0.501, 1.0]
    Y_pred = pcut(y_score, ratio)
    assert_array_equal(Y_pred.sum(axis=0), [0, 1, 4, 25, 26, 50])
    for j, n in enumerate([0, 1, 4, 25, 26, 50]):
        top = sorted(range(50), key=lambda i: (-y_score[i, j], i))[:n]
        assert_array_equal(np.flatnonzero(Y_pred[:, j]), sorted(top))
    assert_array_equal(pcut(y_score, 0.1), pcut(y_score, [0.1] * 6))
    assert_array_equal(pcut(np.random.default_rng(0).random((100, 1)), 0.07).sum(), 7)


def test_mcut_cuts_at_the_widest_gap(y_score):
    for row, score in zip(mcut(y_score), y_score, strict=True):
        ordered = sorted(score, reverse=True)
        gaps = [a - b for a, b in pairwise(ordered)]
        cut = gaps.index(max(gaps))
        middle = (ordered[cut] + ordered[cut + 1]) / 2
        assert_array_equal(row, score > middle)
        assert row.any()


def test_mcut_without_a_gap_keeps_all():
    assert_array_equal(mcut([[0.5, 0.5], [0.2, 0.5]]), [[1, 1], [0, 1]])
    assert_array_equal(mcut([[0.1], [0.9]]), [[1], [1]])


@pytest.mark.parametrize("cardinality", [0, 0.005, 0.3, 1, 1.57, 2.51, 5.99, 6, 9])
def test_cardinality_is_nearest_of_all_midpoints(y_score, cardinality):
    threshold = cardinality_threshold(y_score, cardinality)
    unique = np.unique(y_score)
    midpoints = [-np.inf, *((unique[1:] + unique[:-1]) / 2), np.inf]
    off = [abs(np.sum(y_score >= t) - cardinality * len(y_score)) for t in midpoints]
    reached = abs(np.sum(y_score >= threshold) - cardinality * len(y_score))
    assert math.isclose(reached, min(off), abs_tol=1e-9)
    assert threshold not in y_score


def test_cardinality_of_equal_scores():
    assert cardinality_threshold(np.full((4, 3), 0.5), 2.9) < 0.5
    assert cardinality_threshold(np.full((4, 3), 0.5), 0.2) == np.inf


def test_what_cannot_be_used_is_refused(y_score):
    with pytest.raises(ValueError, match=r"ratio has shape \(2,\).*each of 6"):
        pcut(y_score, [0.1, 0.2])
    with pytest.raises(ValueError, match=r"reaches from -0.1 to 1.5"):
        pcut(y_score, [0, 0, 0, 0, -0.1, 1.5])
    with pytest.raises(ValueError, match="'k' parameter of rcut must be an int"):
        rcut(y_score, -1)
    with pytest.raises(ValueError, match="y_score contains NaN"):
        mcut([[np.nan, 1]])
