import numpy as np
import pytest

from skrecall.threshold._evidence import Evidence

Y = np.array(["a", "b", "a", "b", "a", "c"])
Y_SCORE = np.arange(12.0).reshape(6, 2)
STRATUM = np.array([0, 0, 1, 1, 1, 1])
GROUPS = np.array([1, 1, 2, 2, 2, 3])


def evidence(groups=None, stratum=None):
    strata = np.array([None]) if stratum is None else np.unique(stratum)
    return Evidence(np.array(["b", "a"]), strata, Y, Y_SCORE, groups, stratum, 0, False, 0.5)


def test_units_of_rows():
    positive, y_score = evidence().units(0, None, None)
    assert positive.tolist() == [False, True, False, True, False, False]
    assert y_score.tolist() == Y_SCORE[:, 0].tolist()


def test_units_of_a_stratum():
    positive, y_score = evidence(stratum=STRATUM).units(1, 1, None)
    assert positive.tolist() == [True, False, True, False]
    assert y_score.tolist() == [5, 7, 9, 11]


@pytest.mark.parametrize("group_promise", ["any", "row"])
def test_units_of_groups_are_the_same_at_each_call(group_promise):
    held_out = evidence(groups=GROUPS)
    first, second = (held_out.units(1, None, group_promise) for _ in range(2))
    np.testing.assert_array_equal(first[1], second[1])
    assert first[0].sum() == 2


def test_other_scores_may_stand_in():
    left = np.where(Y == "b", -np.inf, 1.0)
    assert evidence().units(0, None, None, left)[1].tolist() == left.tolist()


def test_price_is_that_of_the_rows():
    """Scores of "a" are 1, 3, ... 11; from 5 up there are four rows, two of them "a"."""
    assert evidence().price(1, None, 5) == (0.5, pytest.approx(4000 / 6))
    assert evidence(stratum=STRATUM).price(1, 0, 1)[1] == 1000
