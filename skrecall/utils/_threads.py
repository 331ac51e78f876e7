"""One thread for the linear algebra of many small fits.

A small solve on all cores spends its time waiting for them: many of them run faster side by side,
or one after the other on one core.
"""

import functools
from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager:
    """Return a context in which BLAS uses one thread.

    Returns
    -------
    context : context manager
        Gives the threads back at its end.
    """
    return _controller().limit(limits=1, user_api="blas")
