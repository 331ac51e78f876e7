"""One thread for the linear algebra of many small fits.

A small solve on all cores spends its time waiting for them: many of them run faster side by side,
or one after the other on one core.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = Lock()
_holders: list[Any] = []  # one limiter per context that is open; the first has set the limit


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread, in all threads of this process, as its limit is of the process.

    Contexts may overlap in several threads: the last to end gives BLAS its threads back.

    Yields
    ------
    None
        Nothing.
    """
    with _lock:
        _holders.append(_holders[0] if _holders else _limit())
    try:
        yield
    finally:
        with _lock:
            limiter = _holders.pop()
            if not _holders:
                limiter.restore_original_limits()
                _let_others_set_limits()


def _limit() -> Any:
    limiter = _controller().limit(limits=1, user_api="blas")
    _let_others_set_limits()
    return limiter


def _let_others_set_limits() -> None:
    """End a context that sets nothing: threadpoolctl 3.8 heeds one thread alone until then."""
    with _controller().limit(limits=None):
        pass
