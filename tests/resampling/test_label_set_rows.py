import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrecall.resampling._label_set_rows import share_out


def shares_of_the_paper(room, n_rows):
    """Shares in fractions, bag after bag, what one has no room for being spread over the rest."""
    bags = sorted((k for k in range(len(room)) if room[k]), key=lambda k: room[k])
    share = dict.fromkeys(bags, n_rows / len(bags))
    given = np.zeros(len(room))
    for place, k in enumerate(bags):
        given[k] = min(room[k], share[k])
        for later in bags[place + 1 :]:
            share[later] += (share[k] - given[k]) / (len(bags) - place - 1)
    return given


@pytest.mark.parametrize("seed", range(30))
def test_rows_are_shared_as_in_the_paper(seed):
    rng = np.random.RandomState(seed)
    room = rng.randint(0, 40, size=rng.randint(1, 30))
    room[0] = 7
    n_rows = rng.randint(1, room.sum() + 10)
    given = share_out(room, n_rows)
    assert given.sum() == min(n_rows, room.sum())
    assert np.all(given <= room)
    assert_allclose(given, shares_of_the_paper(room, n_rows), atol=1 + 1e-9)


def test_the_rest_goes_to_the_bags_with_most_room():
    assert_array_equal(share_out(np.array([9, 2, 5]), 8), [3, 2, 3])
    assert_array_equal(share_out(np.array([9, 2, 5]), 9), [4, 2, 3])
    assert_array_equal(share_out(np.array([9, 2, 5]), 100), [9, 2, 5])
