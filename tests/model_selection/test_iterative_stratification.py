import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csc_array, csr_array, lil_matrix

from skrecall.model_selection._iterative_stratification import (
    _RarestFirst,
    deal,
    label_pairs,
    positives,
    stratified_folds,
)

EQUAL = np.ones(4, dtype=np.int64)
UNEQUAL = np.array([70, 20, 10], dtype=np.int64)


def skewed_labels(seed, n_samples=60, n_labels=5):
    rng = np.random.default_rng(seed)
    return (rng.random((n_samples, n_labels)) < rng.beta(0.6, 2, n_labels)).astype(np.int8)


def plain_folds(Y, weights, order, rng):
    """The rule of the papers, row by row, in exact fractions and with the same random orders."""
    carried = [
        set(itertools.combinations_with_replacement(np.flatnonzero(row).tolist(), order))
        for row in Y
    ]
    labels = sorted(set().union(*carried))
    if order == 1:
        labels = [(label,) for label in range(Y.shape[1])]
    shares = [Fraction(int(w), int(weights.sum())) for w in weights]
    desired = [share * len(Y) for share in shares]
    desired_of = {
        label: [share * sum(label in row for row in carried) for share in shares]
        for label in labels
    }
    rank = dict(zip(labels, rng.permutation(len(labels)), strict=True))
    fold = [None] * len(Y)

    def assign(row, wish, priority):
        best = max(range(len(weights)), key=lambda j: (wish[j], desired[j], -priority[j]))
        fold[row] = best
        desired[best] -= 1
        for label in carried[row]:
            desired_of[label][best] -= 1

    def left(label):
        return [row for row in range(len(Y)) if fold[row] is None and label in carried[row]]

    while remaining := [label for label in labels if left(label)]:
        rarest = min(remaining, key=lambda label: (len(left(label)), rank[label]))
        priority = rng.permutation(len(weights))
        for row in left(rarest):
            assign(row, desired_of[rarest], priority)
    priority = rng.permutation(len(weights))
    for row in range(len(Y)):
        if fold[row] is None:
            assign(row, desired, priority)
    return fold


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("weights", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("seed", range(6))
def test_folds_are_those_of_the_loop_over_rows(seed, weights, order):
    Y = skewed_labels(seed)
    expected = plain_folds(Y, weights, order, np.random.RandomState(seed))
    for container in (np.asarray, csc_array):
        rng = np.random.RandomState(seed)
        assert_array_equal(stratified_folds(container(Y), weights, order, rng), expected)


@pytest.mark.parametrize("seed", range(20))
def test_the_rarest_label_goes_first(seed):
    """Every row has label 0; were it dealt first, the two rows of label 1 might share a fold."""
    Y = np.array([[1, 1], [1, 0], [1, 1], [1, 0], [1, 0], [1, 0]], dtype=np.int8)
    fold = stratified_folds(Y, EQUAL[:2], 1, np.random.RandomState(seed))
    assert fold[0] != fold[2]
    assert_array_equal(np.bincount(fold), [3, 3])


@pytest.mark.parametrize("seed", range(20))
def test_order_two_spreads_pairs_and_order_one_need_not(seed):
    """Labels 0 and 1 occur together in two of eight rows."""
    Y = np.repeat(np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=np.int8), [2, 2, 2, 2], axis=0)
    fold = stratified_folds(Y, EQUAL[:2], 2, np.random.RandomState(seed))
    assert fold[0] != fold[1]
    for rows in np.arange(8).reshape(4, 2):
        assert fold[rows[0]] != fold[rows[1]]


def test_ties_between_folds_are_broken_evenly():
    """One row of a label: any of four folds, as likely."""
    folds = [
        stratified_folds(np.array([[1]], dtype=np.int8), EQUAL, 1, np.random.RandomState(seed))[0]
        for seed in range(800)
    ]
    assert np.abs(np.bincount(folds, minlength=4) - 200).max() < 49  # 4 standard deviations


@pytest.mark.parametrize("order", [1, 2])
def test_no_labels_no_rows(order):
    rng = np.random.RandomState(0)
    fold = stratified_folds(np.zeros((10, 3), dtype=np.int8), UNEQUAL, order, rng)
    assert_array_equal(np.bincount(fold), [7, 2, 1])
    assert len(stratified_folds(np.zeros((0, 3), dtype=np.int8), EQUAL, order, rng)) == 0


@pytest.mark.parametrize("n_labels", [0, 1, 2, 7, 9, 100])
def test_rarest_first_is_the_smallest_of_a_plain_list(n_labels):
    rng = np.random.default_rng(n_labels)
    counts = rng.integers(0, 6, n_labels)
    queue, left = _RarestFirst(counts), counts.tolist()
    while any(left):
        expected = min((count, label) for label, count in enumerate(left) if count)[1]
        assert queue.rarest() == expected
        remaining = np.repeat(np.arange(n_labels), left)
        removed = np.append(rng.permutation(remaining)[: rng.integers(1, 5)], expected)
        removed = removed[: -1 if np.sum(removed == expected) > left[expected] else None]
        queue.remove(removed)
        for label in removed:
            left[label] -= 1
    assert queue.rarest() is None


def test_deal_follows_both_desires():
    """In thirds of a row; folds 1 and 2 tie for the first row, and fold 2 desires rows more."""
    rng = np.random.RandomState(0)
    dealt = deal(np.array([1, 4, 4]), np.array([9, 1, 2]), 3, 3, rng)
    assert_array_equal(dealt, [2, 1, 0])


@pytest.mark.parametrize("with_itself", [True, False])
def test_label_pairs_are_those_that_occur(with_itself):
    Y = skewed_labels(0)
    combine = itertools.combinations_with_replacement if with_itself else itertools.combinations
    every = combine(range(Y.shape[1]), 2)
    expected = [Y[:, i] * Y[:, j] for i, j in every if (Y[:, i] * Y[:, j]).any()]
    for container in (np.asarray, csr_array, csc_array):
        pairs = label_pairs(container(Y), with_itself=with_itself)
        assert_array_equal(pairs.toarray(), np.transpose(expected))


def test_positives_of_any_container():
    Y = np.array([[1, -1, 0], [0, 1, -1]])
    frame = pd.DataFrame(Y, columns=list("abc")).replace(-1, np.nan)
    for y in (Y, frame, lil_matrix(Y), csc_array(Y)):
        carried, names = positives(y)
        assert_array_equal(carried.toarray(), [[1, 0, 0], [0, 1, 0]])
        assert carried.nnz == 2
        assert (names is not None) == (y is frame)
    assert_array_equal(positives(["no", "yes", "no"])[0].toarray(), [[0], [1], [0]])
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        positives([0, 1, 2])
