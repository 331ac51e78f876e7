"""Class numbers, weights of rows, and rows held out."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.class_weight import compute_sample_weight

from skrecall.neural_network._targets import (
    ClassTargets,
    check_labels,
    check_weights_keep_classes,
    encode_labels,
    row_weights,
    stratified_holdout,
)

Y = np.array(["b", "a", "c", "b", "b"])
CLASSES = np.array(["a", "b", "c"])
CODES = np.array([1, 0, 2, 1, 1])


def test_codes_are_places_among_the_classes():
    assert_array_equal(encode_labels(Y, CLASSES), CODES)
    with pytest.raises(ValueError, match=r"none of the 3 classes of the first call, .* 'd'"):
        encode_labels(np.array(["a", "d"]), CLASSES)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.1, 0.7, 0.2], "continuous"),
        ([0.0, np.nan, 1.0], "y contains NaN"),
        ([0, 1], "inconsistent numbers of samples: \\[3, 2\\]"),
        ([[0, 1], [1, 0], [1, 1]], "1d array"),
    ],
)
def test_what_is_no_label_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_labels(np.zeros((3, 2)), np.array(y))


@pytest.mark.parametrize("class_weight", [None, "balanced", {"a": 2.0, "b": 0.5, "c": 1.0}])
@pytest.mark.parametrize("sample_weight", [None, [1.0, 2.0, 0.0, 4.0, 5.0]])
def test_weights_multiply(class_weight, sample_weight):
    found = row_weights(CODES, CLASSES, class_weight, sample_weight)
    if class_weight is None and sample_weight is None:
        assert found is None
        return
    expected = np.ones(5) if sample_weight is None else np.array(sample_weight)
    if class_weight is not None:
        expected = expected * compute_sample_weight(class_weight, Y)
    assert_allclose(found, expected)


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        (-np.ones(5), "Negative values"),
        (np.full(5, np.nan), "NaN"),
        (np.ones(4), r"sample_weight.shape == \(4,\)"),
    ],
)
def test_bad_weights_are_refused(sample_weight, message):
    with pytest.raises(ValueError, match=message):
        row_weights(CODES, CLASSES, None, sample_weight)


def test_weights_must_keep_two_classes():
    check_weights_keep_classes(np.array([0, 1.0, 1.0, 0, 0]), CODES)
    with pytest.raises(ValueError, match="The weights leave 1 of 3 classes"):
        check_weights_keep_classes(np.array([1.0, 0, 0, 1.0, 1.0]), CODES)
    with pytest.raises(ValueError, match="The weights leave 0 of 3 classes"):
        check_weights_keep_classes(np.zeros(5), CODES)


def test_holdout_has_every_class_on_both_sides():
    codes = np.repeat([0, 1, 2], [80, 15, 5])
    train, held_out = stratified_holdout(codes, 0.2, seed=0)
    assert_array_equal(np.sort(np.concatenate([train, held_out])), np.arange(100))
    assert_array_equal(np.bincount(codes[held_out]), [16, 3, 1])
    again = stratified_holdout(codes, 0.2, seed=0)
    assert_array_equal(held_out, again[1])
    assert not np.array_equal(held_out, stratified_holdout(codes, 0.2, seed=1)[1])


@pytest.mark.parametrize(
    ("counts", "fraction", "message"),
    [
        ([20, 1], 0.5, r"holds out 11 of 21 rows .* each of the 2 classes .* rarest class has 1"),
        ([10, 10], 0.05, r"holds out 1 of 20 rows"),
        ([10, 10], 0.95, r"holds out 19 of 20 rows"),
    ],
)
def test_too_few_rows_to_hold_out_get_a_sentence(counts, fraction, message):
    with pytest.raises(ValueError, match=message):
        stratified_holdout(np.repeat([0, 1], counts), fraction, seed=0)


def test_class_targets_go_there_and_back():
    X = np.zeros((5, 2))
    targets = ClassTargets.learn(X, Y)
    assert_array_equal(targets.classes, CLASSES)
    assert targets.n_outputs == 3
    codes = targets.encode(X, Y)
    assert_array_equal(codes, CODES)
    assert targets.counts(codes[:4]) == {"class_counts": [1, 2, 1]}
    logits = torch.eye(3)[codes] * 2
    assert_array_equal(targets.decode(logits), Y)
    assert_allclose(targets.proba(logits), logits.softmax(1), rtol=1e-6)
    assert_array_equal(targets.scores(logits), logits)
    with pytest.raises(ValueError, match="y holds one class only, 'b', in 2 samples"):
        targets.check_fit(codes[3:], None)
    with pytest.raises(ValueError, match="The weights leave 1 of 3 classes"):
        targets.check_fit(codes, np.array([1.0, 0, 0, 1.0, 1.0]))
