import numpy as np
import pytest

from skrecall.plotting._labels import (
    choose_labels,
    label_names_of,
    shortened,
    shown_of,
    tick_size,
)


def test_names_are_those_given_else_the_columns_else_the_indices():
    columns = np.array(["a", 7, "c\nd"], dtype=object)
    assert label_names_of(None, None, 3) == ["0", "1", "2"]
    assert label_names_of(columns, None, 3) == ["a", "7", "c d"]
    assert label_names_of(columns, ["x", "y", "z"], 3) == ["x", "y", "z"]
    with pytest.raises(ValueError, match="label_names has 2 names for 3 labels"):
        label_names_of(None, ["x", "y"], 3)


def test_the_first_of_equally_frequent_labels_comes_first():
    counts = [5, 9, 1, 9, 0]
    assert choose_labels(counts, 10).tolist() == [1, 3, 0, 2, 4]
    assert choose_labels(counts, 2).tolist() == [1, 3]
    assert choose_labels(counts, 3, "rare").tolist() == [4, 2, 0]
    with pytest.raises(ValueError, match="max_labels=0"):
        choose_labels(counts, 0)
    with pytest.raises(ValueError, match="order='best' must be one of 'frequent', 'rare'"):
        choose_labels(counts, 2, "best")


@pytest.mark.parametrize("length", [5, 18, 24])
def test_long_names_lose_their_middle(length):
    name = "abcdefghijklmnopqrstuvwxyz"
    (short,) = shortened([name], length=length)
    assert len(short) == length
    start, end = short.split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert abs(len(start) - len(end)) <= 1
    assert shortened([name[:length]], length=length) == [name[:length]]


def test_many_names_are_smaller_but_readable():
    sizes = [tick_size(n) for n in (1, 20, 28, 200)]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 6


def test_a_title_says_what_is_not_shown():
    assert shown_of(5, 5, "rare") == ""
    assert shown_of(5, 9, "rare") == "The 5 rarest of 9 labels"
    assert shown_of(5, 9, "of lowest recall") == "The 5 of lowest recall of 9 labels"
