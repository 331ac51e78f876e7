"""Blocks of rows, so that no intermediate array is as large as a whole one."""

from collections.abc import Iterator


def row_blocks(n_rows: int, width: int, *, n_cells: int = 2**18) -> Iterator[slice]:
    """Yield slices of rows that hold about `n_cells` cells each, in order.

    Parameters
    ----------
    n_rows, width : int
        Shape of the array that is never held as a whole.
    n_cells : int, default=2**18
        Size of a block; one row at least.

    Yields
    ------
    rows : slice
        The next block.
    """
    step = max(1, n_cells // max(1, width))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
