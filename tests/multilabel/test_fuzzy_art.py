import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrecall.multilabel._fuzzy_art import activations, complement_code, learn_prototypes


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_codes_are_scaled_clipped_and_sum_to_the_number_of_features():
    X = np.array([[0.0, 5.0, 7.0], [10.0, 6.0, 7.0], [20.0, 4.0, 9.0]])
    codes = complement_code(X, np.array([0.0, 5.0, 7.0]), np.array([10.0, 7.0, 7.0]))
    scaled = [[0, 0, 0], [1, 0.5, 0], [1, 0, 1]]
    assert_allclose(codes, np.hstack([scaled, 1 - np.array(scaled)]))


def test_activations_are_sums_of_minima(rng):
    codes = complement_code(rng.random((7, 5)), np.zeros(5), np.ones(5))
    prototypes = np.minimum(codes[:4], codes[3:])
    minima = np.minimum(codes[:, None], prototypes).sum(axis=2)
    assert_allclose(activations(codes, prototypes), minima / prototypes.sum(axis=1))
    assert_allclose(codes.sum(axis=1), 5)


def test_a_sample_widens_the_box_it_activates_most_of_those_that_stay_small():
    codes = complement_code(np.array([[0.1], [0.9], [0.3], [0.5]]), np.zeros(1), np.ones(1))
    none, no_counts = np.empty((0, 2)), np.empty(0, dtype=np.int64)
    # 0.3 is 0.2 from 0.1; 0.5 is 0.4 from 0.9 and would make the box of 0.1 as wide as 0.4
    prototypes, counts = learn_prototypes(codes, none, no_counts, 0.75)
    assert_allclose(prototypes, [[0.1, 1 - 0.3], [0.9, 0.1], [0.5, 0.5]])
    assert_array_equal(counts, [2, 1, 1])
    # where boxes may be wider, the activation decides: (1 - 0.4) / 0.8 against (1 - 0.4) / 1
    prototypes, counts = learn_prototypes(codes, none, no_counts, 0.6)
    assert_allclose(prototypes, [[0.1, 1 - 0.5], [0.9, 0.1]])
    assert_array_equal(counts, [3, 1])


def test_learning_goes_on_from_known_prototypes(rng):
    codes = complement_code(rng.random((50, 3)), np.zeros(3), np.ones(3))
    none, no_counts = np.empty((0, 6)), np.empty(0, dtype=np.int64)
    at_once = learn_prototypes(codes, none, no_counts, 0.8)
    first = learn_prototypes(codes[:20], none, no_counts, 0.8)
    second = learn_prototypes(codes[20:], *first, 0.8)
    assert_array_equal(second[0], at_once[0])
    assert_array_equal(second[1], at_once[1])
