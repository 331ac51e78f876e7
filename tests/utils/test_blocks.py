import numpy as np

from skrecall.utils._blocks import row_blocks


def test_blocks_cover_all_rows_in_order_and_are_small():
    rows = [np.arange(100)[block] for block in row_blocks(100, 7, n_cells=50)]
    np.testing.assert_array_equal(np.concatenate(rows), np.arange(100))
    assert max(map(len, rows)) == 7
    assert len(list(row_blocks(3, 10**9))) == 3
    assert list(row_blocks(0, 5)) == []
