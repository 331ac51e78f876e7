import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrecall.multilabel._chain import chain_order


def test_orders():
    rng = np.random.RandomState(0)
    assert_array_equal(chain_order(None, 3, rng), [0, 1, 2])
    assert_array_equal(chain_order((2, 0, 1), 3, rng), [2, 0, 1])
    drawn = {tuple(chain_order("random", 3, rng)) for _ in range(100)}
    assert len(drawn) == 6


@pytest.mark.parametrize("order", [[1, 2, 3], [0, 1], [0, 0, 1]])
def test_what_is_no_permutation_is_refused(order):
    with pytest.raises(ValueError, match="an invalid order of 3 labels: name each of their"):
        chain_order(order, 3, np.random.RandomState(0))
