import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrecall.datasets._label_columns import as_indicator, positive_values


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["0", "1"], ["1"]),
        (["TRUE", "FALSE"], ["TRUE"]),
        (["no", "Yes"], ["Yes"]),
        (["0"], []),
        (["1", "2"], None),
        (["0", "TRUE"], None),
    ],
)
def test_positive_values(values, positive):
    assert positive_values(values) == positive


def test_as_indicator_is_integer_where_all_is_known():
    Y = as_indicator(np.array([[0.0, 1.0]]))
    assert Y.dtype == np.int64
    assert_array_equal(as_indicator(np.array([[0.0, np.nan]])), [[0, np.nan]])
