from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csc_array

from skrecall.resampling._label_strategy import (
    chosen_labels,
    counts_at_the_mean,
    minority_labels,
    refuse_unknown,
    target_counts,
)

COUNTS = np.array([20, 12, 5, 0, 2])
NAMES = np.array(["a", "b", "c", "d", "e"], dtype=object)


def with_counts(counts, n_samples=30):
    return (np.arange(n_samples)[:, np.newaxis] < counts).astype(np.int8)


def at_the_mean_by_fractions(counts):
    greatest = max(counts)
    ratio = [Fraction(greatest, count) if count else Fraction(0) for count in counts]
    mean = sum(ratio) / sum(count > 0 for count in counts)
    positives = range(1, greatest + 1)
    fewest = next(n for n in positives if Fraction(greatest, n) <= mean)
    return [one > mean for one in ratio], fewest, fewest - (Fraction(greatest, fewest) < mean)


@pytest.mark.parametrize("n_labels", [2, 3, 5, 8])
def test_rarer_than_the_mean_and_at_it_by_definition(n_labels):
    rng = np.random.RandomState(n_labels)
    for counts in np.append(
        rng.randint(0, 200, (50, n_labels)), rng.randint(1, 30, (50, n_labels)), 0
    ):
        is_rarer, fewest, most = at_the_mean_by_fractions(counts.tolist())
        assert_array_equal(minority_labels(counts), is_rarer)
        assert counts_at_the_mean(counts) == (fewest, most)


# The ratios are 1 and 4/3, 28 / 24 is their mean; 1, 5/3 and 7/3, of which the second is the mean.
@pytest.mark.parametrize("counts", [[28, 21], [20, 12], [6, 20, 12], [28, 21, 5, 20], [35, 21, 15]])
def test_a_ratio_that_is_the_mean_but_for_its_rounding(counts):
    is_rarer, fewest, most = at_the_mean_by_fractions(counts)
    assert fewest == most
    assert_array_equal(minority_labels(np.array(counts)), is_rarer)
    assert counts_at_the_mean(np.array(counts)) == (fewest, most)


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


@pytest.mark.parametrize("choose", [chosen_labels, target_counts])
def test_what_was_meant_by_an_unknown_label(choose):
    names = np.array(["ant", "bear", "cat", "dog", "elk"], dtype=object)
    given = [["cot", "ber"], minority_labels(COUNTS)]
    if choose is target_counts:
        given = [{"cot": 30, "ber": 30}, "over-sampling"]
    with pytest.raises(ValueError, match=r"y has \['ant', .*\]\. Did you mean 'cat', 'bear'\?$"):
        choose(given[0], with_counts(COUNTS), given[1], names)
    message = r"and y has \[0, 1, 2, 3, 4\]\. It came without names, as an array .* by its index"
    with pytest.raises(ValueError, match=message):
        choose(given[0], with_counts(COUNTS), given[1])
    with pytest.raises(ValueError, match=r"labels \[9\], and y has \[0, 1, 2, 3, 4\]\.$"):
        chosen_labels([9], with_counts(COUNTS), minority_labels(COUNTS))
    with pytest.raises(ValueError, match=r"labels \[9\], and y has \['l0', .*'l9', \.\.\.\]\.$"):
        refuse_unknown([9], {f"l{j}": j for j in range(12)}, "label")


def test_a_mask_of_labels_is_not_taken_for_labels_0_and_1():
    mask = [False, False, True, False, True]
    for names, named in ((None, r"\[2, 4\]"), (NAMES, r"\['c', 'e'\]")):
        for given in (mask, np.array(mask)):
            with pytest.raises(ValueError, match=f"True and False, .* pass {named}"):
                chosen_labels(given, with_counts(COUNTS), minority_labels(COUNTS), names)


def test_two_labels_of_one_name_cannot_be_named():
    names = np.array(["a", "b", "a", "d", "e"], dtype=object)
    with pytest.raises(ValueError, match=r"1 column of y has the name of another, \['a'\]"):
        chosen_labels(["a"], with_counts(COUNTS), minority_labels(COUNTS), names)
    with pytest.raises(ValueError, match=r"1 column of y has the name of another, \['a'\]"):
        target_counts({"a": 30}, with_counts(COUNTS), "over-sampling", names)
    assert_array_equal(target_counts("auto", with_counts(COUNTS), "over-sampling", names)[4], 5)
