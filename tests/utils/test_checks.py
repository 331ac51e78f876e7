import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning

from skrecall.utils._checks import (
    check_binary_target,
    check_count,
    check_labels,
    check_option,
    check_scores,
    check_share,
    check_training_labels,
    check_weights,
)


@pytest.mark.parametrize("container", [list, tuple, np.asarray, pd.Series])
def test_scores_become_a_float_vector(container):
    y_score = check_scores(container([3, 1, 2]))
    assert_array_equal(y_score, [3.0, 1.0, 2.0])
    assert y_score.dtype == np.float64


def test_float32_scores_keep_their_value():
    y_score = np.float32([0.1, 0.2])
    assert_array_equal(check_scores(y_score), y_score.astype(np.float64))


@pytest.mark.parametrize(
    ("y_score", "message"),
    [
        ([0.1, np.nan], "found contains NaN"),
        ([0.1, -np.inf], "found contains infinity"),
        ([], "0 sample"),
        (np.zeros((3, 2)), r"found has shape \(3, 2\): pass one score per sample"),
        (np.zeros((3, 4)), r"found has shape \(3, 4\): pass one score per sample"),
        (np.zeros((2, 2, 2)), "one score per sample"),
        (["high", "low"], "could not convert string to float"),
    ],
)
def test_bad_scores_are_named(y_score, message):
    with pytest.raises(ValueError, match=message):
        check_scores(y_score, name="found")


@pytest.mark.parametrize("container", [list, np.asarray, pd.Series, pd.Categorical])
@pytest.mark.parametrize("labels", [["b", "a", "b"], [1, 0, 1], [True, False, True], [2.0, -1.0]])
def test_labels_stay_what_they_are(container, labels):
    assert_array_equal(check_labels(container(labels)), labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, np.nan], "y_test contains NaN: 1 of 3 labels are missing"),
        (np.array(["a", None, "b", None], dtype=object), "2 of 4 labels are missing"),
        (pd.Series([1, None, 0], dtype="Int64"), "NaN"),
        ([0, 1, np.inf], "y_test contains infinity"),
        ([0.25, 0.5], r"for example \[0.25, 0.5\]: these look like scores where labels belong"),
        (np.array([1, "a"], dtype=object), "mixes strings and other labels"),
        ([], "y_test holds 0 samples"),
        (np.eye(2), "1d array"),
    ],
)
def test_bad_labels_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, name="y_test")


def test_training_labels_of_one_column_are_a_vector():
    assert_array_equal(check_training_labels(["a", "b"]), ["a", "b"])
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert_array_equal(check_training_labels([[0], [1]]), [0, 1])
    with pytest.raises(ValueError, match="y holds continuous values"):
        check_training_labels([0.1, 0.7])
    for several in ([[0, 1], [1, 1]], np.eye(3, 2), pd.DataFrame({"a": [0, 1], "b": [1, 1]})):
        with pytest.raises(
            ValueError, match=r"a 1d array, .* shape \(\d, 2\)\. .* BinaryRelevance"
        ):
            check_training_labels(several)


@pytest.mark.parametrize(
    ("labels", "pos_label", "found"),
    [
        ([0, 1, 1], None, 1),
        ([0, 1, 1], 0, 0),
        ([-1, 1, 1], None, 1),
        ([False, True], None, True),
        (["no", "yes"], None, "yes"),
        (pd.Series(["no", "yes", "no"]), "no", "no"),
        ([0, 1, 2, 2], 2, 2),
    ],
)
def test_positive_is_the_second_class_or_the_one_named(labels, pos_label, found):
    positive, label = check_binary_target(labels, pos_label=pos_label)
    assert label == found
    assert repr(label) == repr(found)  # a plain Python object, which prints as such
    assert_array_equal(positive, [y == found for y in labels])


@pytest.mark.parametrize(
    ("labels", "pos_label", "message"),
    [
        (["ham"] * 3, None, "y_true holds one class only, 'ham', in 3 samples"),
        ([1, 1], 1, "one class only, 1, in 2 samples"),
        ([0, 1, 2], None, r"holds 3 classes, \[0, 1, 2\]...: name the one to find with pos_label"),
        ([0, 1], 2, r"pos_label=2 is not a label of y_true, which holds \[0, 1\]"),
        ([0, 1], "1", "pos_label='1' is not a label"),
        (["no", "yes"], 1, "pos_label=1 is not a label"),
    ],
)
def test_bad_targets_are_named(labels, pos_label, message):
    with pytest.raises(ValueError, match=message):
        check_binary_target(labels, pos_label=pos_label)


def test_weights():
    y_score = np.zeros(3)
    assert check_weights(None, y_score) is None
    assert_array_equal(check_weights([0, 1, 2], y_score), [0.0, 1.0, 2.0])
    for bad, message in [
        ([1, 1], "inconsistent numbers of samples"),
        ([1, -1, 1], r"[Nn]egative values"),
        ([1, np.nan, 1], "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            check_weights(bad, y_score)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1)])
def test_shares(value):
    share = check_share(value, name="r")
    assert share == value
    assert type(share) is float


@pytest.mark.parametrize(
    ("value", "closed", "message"),
    [
        (1.5, "both", r"r=1.5 is not a share: give a number in \[0, 1\]."),
        (0, "right", r"in \(0, 1\]"),
        (1, "left", r"in \[0, 1\)"),
        (1.0, "neither", r"in \(0, 1\)"),
        (np.nan, "both", "r=nan"),
        ("0.5", "both", "r='0.5'"),
        (None, "both", "r=None"),
        (True, "both", "r=True"),
    ],
)
def test_bad_shares_are_named(value, closed, message):
    with pytest.raises(ValueError, match=message):
        check_share(value, name="r", closed=closed)


def test_options():
    assert check_option("any", ("any", "row"), name="unit") == "any"
    with pytest.raises(ValueError, match="unit='all' must be one of 'any', 'row'"):
        check_option("all", ("any", "row"), name="unit")


def test_counts():
    assert check_count(np.int64(3), name="n_parts") == 3
    assert check_count(0, name="n_parts", least=0) == 0
    for value in (0, -1, 2.0, True, "3"):
        with pytest.raises(ValueError, match=r"n_parts=.* must be a whole number, 1 or more\."):
            check_count(value, name="n_parts")
