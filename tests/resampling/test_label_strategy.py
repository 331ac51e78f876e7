import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csc_array

from skrecall.label_space import imbalance_ratio_per_label, mean_imbalance_ratio
from skrecall.resampling._label_strategy import (
    chosen_labels,
    counts_at_the_mean,
    minority_labels,
    target_counts,
)

COUNTS = np.array([20, 12, 5, 0, 2])
NAMES = np.array(["a", "b", "c", "d", "e"], dtype=object)


def with_counts(counts, n_samples=30):
    return (np.arange(n_samples)[:, np.newaxis] < counts).astype(np.int8)


@pytest.mark.parametrize("seed", range(20))
def test_rarer_than_the_mean_and_at_it_by_definition(seed):
    counts = np.random.RandomState(seed).randint(0, 200, size=8)
    Y = with_counts(counts, 200)
    ratio, mean = imbalance_ratio_per_label(Y), mean_imbalance_ratio(Y)
    assert_array_equal(minority_labels(counts), np.nan_to_num(ratio) > mean)
    positives = np.arange(1, 201)
    fewest, most = counts_at_the_mean(counts)
    assert fewest == positives[counts.max() / positives <= mean].min()
    assert most == positives[counts.max() / positives >= mean].max()


def test_equal_labels_are_at_the_mean():
    counts = np.array([7, 7, 0, 7])
    assert counts_at_the_mean(counts) == (7, 7)
    assert not minority_labels(counts).any()


# MeanIR of COUNTS is (1 + 20/12 + 4 + 10) / 4 = 4.17: at the mean are 5 positives, or 4.
@pytest.mark.parametrize(
    ("strategy", "over", "under"),
    [
        ("auto", [20, 12, 5, 0, 5], [4, 4, 4, 0, 2]),
        ("minority", [20, 12, 5, 0, 20], [20, 12, 5, 0, 2]),
        ("majority", [20, 12, 5, 0, 2], [2, 12, 5, 0, 2]),
        ("not minority", [20, 20, 20, 0, 2], [2, 2, 2, 0, 2]),
        ("not majority", [20, 20, 20, 0, 20], [20, 2, 2, 0, 2]),
        ("all", [20, 20, 20, 0, 20], [2, 2, 2, 0, 2]),
        (0.5, [20, 12, 10, 0, 10], [4, 4, 4, 0, 2]),
        (1.0, [20, 20, 20, 0, 20], [2, 2, 2, 0, 2]),
    ],
)
@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_words_and_shares(strategy, over, under, container):
    Y = container(with_counts(COUNTS))
    assert_array_equal(target_counts(strategy, Y, "over-sampling"), over)
    assert_array_equal(target_counts(strategy, Y, "under-sampling"), under)


def test_a_number_for_each_label():
    Y = with_counts(COUNTS)
    for strategy in ({"e": 9, "d": 0}, lambda Y: {"e": 9}):
        assert_array_equal(target_counts(strategy, Y, "over-sampling", NAMES), [20, 12, 5, 0, 9])
    assert_array_equal(target_counts({0: 3, 4: 0}, Y, "under-sampling"), [3, 12, 5, 0, 0])


@pytest.mark.parametrize(
    ("strategy", "kind", "message"),
    [
        ({"z": 3}, "over-sampling", r"names labels \['z'\], and y has \['a', 'b', 'c', 'd', 'e'\]"),
        ({"d": 3}, "over-sampling", "asks for 3 positives of label 'd', which has none"),
        ({"b": 3}, "over-sampling", "label 'b', which has 12: give at least as many where .* add"),
        ({"b": 13}, "under-sampling", "label 'b', which has 12: give at most as many"),
        ({"b": -1}, "under-sampling", "asks for -1 positives of label 'b'"),
        ({"b": 12.5}, "over-sampling", r"asks for 12\.5 positives of label 'b': give a whole"),
        ({"b": "13"}, "over-sampling", "asks for '13' positives of label 'b': give a whole"),
        ({"b": True}, "under-sampling", "asks for True positives of label 'b': give a whole"),
        (lambda Y: "most", "over-sampling", "returned 'most', which is none of .*'minority'"),
        (lambda Y: 7.0, "under-sampling", r"returned 7\.0: return a dict of positives by label"),
        (lambda Y: None, "over-sampling", "returned None: return a dict of positives by label"),
    ],
)
def test_numbers_that_cannot_be(strategy, kind, message):
    with pytest.raises(ValueError, match=message):
        target_counts(strategy, with_counts(COUNTS), kind, NAMES)


@pytest.mark.parametrize(
    ("strategy", "chosen"),
    [
        ("auto", "e"),
        ("minority", "e"),
        ("majority", "a"),
        ("not minority", "abc"),
        ("not majority", "bce"),
        ("all", "abce"),
        (["b", "e"], "be"),
        (np.array(["d", "c"]), "c"),
        (lambda Y: ["a"] if Y[:, 0].sum() == 20 else [], "a"),
    ],
)
def test_labels_that_are_chosen(strategy, chosen):
    is_chosen = chosen_labels(strategy, with_counts(COUNTS), minority_labels(COUNTS), NAMES)
    assert "".join(NAMES[is_chosen]) == chosen


def test_unknown_labels_and_numbers_cannot_be_chosen():
    with pytest.raises(ValueError, match=r"names labels \['z'\], and y has \[0, 1, 2, 3, 4\]"):
        chosen_labels(["z"], with_counts(COUNTS), minority_labels(COUNTS))
    with pytest.raises(ValueError, match=r"no numbers of positives to reach .* such as \[0\]"):
        chosen_labels({0: 3}, with_counts(COUNTS), minority_labels(COUNTS))
    for none in (lambda Y: None, lambda Y: 0.5, [["a"]]):
        with pytest.raises(ValueError, match=r"or returned it: give one of .* a list of labels"):
            chosen_labels(none, with_counts(COUNTS), minority_labels(COUNTS))


def test_a_mask_of_labels_is_not_taken_for_labels_0_and_1():
    mask = [False, False, True, False, True]
    for names, named in ((None, r"\[2, 4\]"), (NAMES, r"\['c', 'e'\]")):
        for given in (mask, np.array(mask)):
            with pytest.raises(ValueError, match=f"True and False, .* pass {named}"):
                chosen_labels(given, with_counts(COUNTS), minority_labels(COUNTS), names)


def test_two_labels_of_one_name_cannot_be_named():
    names = np.array(["a", "b", "a", "d", "e"], dtype=object)
    with pytest.raises(ValueError, match=r"1 columns of y have the name of another, \['a'\]"):
        chosen_labels(["a"], with_counts(COUNTS), minority_labels(COUNTS), names)
    with pytest.raises(ValueError, match=r"1 columns of y have the name of another, \['a'\]"):
        target_counts({"a": 30}, with_counts(COUNTS), "over-sampling", names)
    assert_array_equal(target_counts("auto", with_counts(COUNTS), "over-sampling", names)[4], 5)
