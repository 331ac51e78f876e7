import numpy as np
from numpy.testing import assert_array_equal
from scipy.sparse import csc_array

from skrecall.utils._multilabel_target import _with_constant_columns


def test_constant_columns_are_put_between_the_others():
    Y = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.int8)
    filled = _with_constant_columns(csc_array(Y), np.array([1, 3]), np.array([1, 0, 0, 0, 1]))
    assert_array_equal(filled.toarray(), np.c_[[1] * 3, Y[:, 0], [0] * 3, Y[:, 1], [1] * 3])
