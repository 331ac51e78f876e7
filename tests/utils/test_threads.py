from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np  # noqa: F401 - it loads BLAS
import pytest
import threadpoolctl

from skrecall.utils._threads import one_blas_thread


def blas_threads() -> set[int]:
    pools = threadpoolctl.threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads() -> Iterator[None]:
    """Two threads for BLAS, set by a thread that is gone: threadpoolctl lets any other set them."""
    with ThreadPoolExecutor(1) as setter:
        before = setter.submit(threadpoolctl.threadpool_limits, 2, "blas").result()
    yield
    with ThreadPoolExecutor(1) as setter:
        setter.submit(before.restore_original_limits).result()


def test_blas_has_one_thread_inside_and_its_own_again_outside():
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with one_blas_thread():
            assert blas_threads() == {1}
            with one_blas_thread():
                assert blas_threads() == {1}
            assert blas_threads() == {1}
        assert blas_threads() == {2}


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_contexts_that_overlap_in_threads_end_with_the_last(two_blas_threads, first_to_end):
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        threads, stacks = (one, other), (ExitStack(), ExitStack())
        for thread, stack in zip(threads, stacks, strict=True):
            thread.submit(stack.enter_context, one_blas_thread()).result()
        threads[first_to_end].submit(stacks[first_to_end].close).result()
        assert blas_threads() == {1}
        threads[1 - first_to_end].submit(stacks[1 - first_to_end].close).result()
        assert blas_threads() == {2}
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_an_error_gives_the_threads_back(two_blas_threads):
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == {2}
