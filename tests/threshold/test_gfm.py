"""The general F-measure maximiser against enumeration of all label sets."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrecall.threshold import _gfm, general_f_maximizer, independent_f_maximizer
from skrecall.threshold._gfm import independent_joint, joint_of_label_sets


def all_sets(n_labels):
    return np.array(list(product([0, 1], repeat=n_labels)))


def f_beta(y, h, beta):
    if y.sum() == 0 and h.sum() == 0:
        return 1.0
    return (1 + beta**2) * (y * h).sum() / (beta**2 * y.sum() + h.sum())


def expected_f_of_all(sets, proba, beta):
    """Expected F of every label set (rows), under each distribution (columns)."""
    value = np.array([[f_beta(y, h, beta) for y in sets] for h in sets])
    return value @ proba.T


def random_joint(n_samples, n_labels, seed):
    """Skewed distributions over all label sets: some are nearly certain, some nearly flat."""
    rng = np.random.default_rng(seed)
    alpha = rng.choice([0.02, 0.1, 1.0], size=(n_samples, 1))
    gamma = rng.gamma(alpha, size=(n_samples, 2**n_labels)) + 1e-12
    return gamma / gamma.sum(axis=1, keepdims=True)


def product_of_marginals(proba, sets):
    return np.prod(np.where(sets == 1, proba[:, np.newaxis], 1 - proba[:, np.newaxis]), axis=2)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("n_labels", [1, 2, 5])
def test_general_equals_enumeration(n_labels, beta):
    sets = all_sets(n_labels)
    proba = random_joint(200, n_labels, seed=n_labels)
    expected = expected_f_of_all(sets, proba, beta)
    Y_pred, value = general_f_maximizer(*joint_of_label_sets(sets, proba), beta=beta)
    assert Y_pred.dtype == np.int8
    assert_allclose(value, expected.max(axis=0), rtol=1e-12)
    chosen = [np.flatnonzero((sets == y).all(axis=1))[0] for y in Y_pred]
    assert_allclose(expected[chosen, np.arange(200)], expected.max(axis=0), rtol=1e-12)
    if n_labels == 5:
        assert len(np.unique(Y_pred.sum(axis=1))) >= 4, "the distributions decide too little"


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("n_labels", [1, 3, 6])
def test_independent_equals_enumeration(n_labels, beta):
    rng = np.random.default_rng(n_labels)
    proba = rng.beta(0.6, 1.5, size=(150, n_labels))
    proba[:3] = [[0.0], [1.0], [0.5]]
    sets = all_sets(n_labels)
    expected = expected_f_of_all(sets, product_of_marginals(proba, sets), beta)
    Y_pred, value = independent_f_maximizer(proba, beta=beta)
    assert_allclose(value, expected.max(axis=0), rtol=1e-12)
    chosen = [np.flatnonzero((sets == y).all(axis=1))[0] for y in Y_pred]
    assert_allclose(expected[chosen, np.arange(150)], expected.max(axis=0), rtol=1e-12)
    assert_array_equal(Y_pred[:2], [[0] * n_labels, [1] * n_labels])


def test_independent_joint_equals_enumeration():
    proba = np.random.default_rng(0).uniform(size=(20, 6))
    proba[0], proba[1], proba[2] = [0, 1, 0.5, 0, 1, 1], 0, 1
    sets = all_sets(6)
    expected = joint_of_label_sets(sets, product_of_marginals(proba, sets))
    for actual, value in zip(independent_joint(proba), expected, strict=True):
        assert_allclose(actual, value, rtol=1e-11, atol=1e-15)


def test_independent_is_accurate_for_many_labels():
    """The chance that s labels are true, s weighted, sums to the expected number of labels."""
    proba = np.random.default_rng(1).choice([1e-9, 0.01, 0.4999, 0.5, 0.501, 0.99], size=(3, 400))
    joint, proba_empty = independent_joint(proba)
    assert joint.shape[1] < 300, "sizes that have no chance are left out"
    assert joint.min() > -1e-15
    assert_allclose(joint.sum(axis=1), proba, rtol=1e-12)
    of_size = joint.sum(axis=2) / np.arange(1, joint.shape[1] + 1)
    assert_allclose(proba_empty + of_size.sum(axis=1), 1, rtol=1e-12)


def test_joint_of_label_sets_of_each_sample():
    rng = np.random.default_rng(2)
    sets, proba = rng.integers(2, size=(4, 7, 3)), rng.dirichlet(np.ones(7), size=4)
    joint, proba_empty = joint_of_label_sets(sets, proba)
    for n in range(4):
        of_one, empty = joint_of_label_sets(sets[n], proba[[n]])
        assert_allclose(joint[n], of_one[0])
        assert_allclose(proba_empty[n], empty[0])
        by_loop = np.zeros((3, 3))
        for y, p in zip(sets[n], proba[n], strict=True):
            if y.sum():
                by_loop[y.sum() - 1] += p * y
        assert_allclose(joint[n], by_loop)


def test_blocks_of_rows_change_nothing(monkeypatch):
    proba = np.random.default_rng(3).uniform(size=(11, 4))
    joint = independent_joint(proba)
    expected = independent_f_maximizer(proba), general_f_maximizer(*joint)
    monkeypatch.setattr(_gfm, "BLOCK", 48)  # three rows
    actual = independent_f_maximizer(proba), general_f_maximizer(*joint)
    for one, other in zip(actual, expected, strict=True):
        assert_array_equal(one[0], other[0])
        assert_array_equal(one[1], other[1])


def test_fewer_sizes_than_labels():
    """Sizes without a chance may be left out."""
    sets = np.eye(5)[:4]
    joint, proba_empty = joint_of_label_sets(sets, np.array([[0.4, 0.3, 0.2, 0.1]]))
    expected = general_f_maximizer(joint, proba_empty)
    actual = general_f_maximizer(joint[:, :1], proba_empty)
    assert_array_equal(actual[0], expected[0])
    assert_allclose(actual[1], expected[1])


def test_what_is_no_distribution_is_refused():
    joint, _ = independent_joint(np.full((2, 3), 0.3))
    with pytest.raises(ValueError, match=r"2 of 2 samples do not sum to 1.*sum to 0.657"):
        general_f_maximizer(joint, np.zeros(2))
    with pytest.raises(ValueError, match=r"\(2, 3, 3\) and proba_empty \(3,\)"):
        general_f_maximizer(joint, np.zeros(3))
    with pytest.raises(ValueError, match=r"from -0.1 to 0.5: probabilities in \[0, 1\]"):
        independent_f_maximizer([[0.5, -0.1]])
    with pytest.raises(ValueError, match="beta"):
        independent_f_maximizer([[0.5, 0.1]], beta=0)
