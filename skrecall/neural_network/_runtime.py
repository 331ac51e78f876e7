"""Where and how a net runs: device, precision, threads and seeds.

Threads and random states are global to a process. A fit changes them inside a ``with`` block and
puts them back, and fits in threads of one process take turns, so that each sees its own seed.
"""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_TURNS = threading.RLock()


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device to train on: ``"auto"`` is CUDA, else Apple's MPS, else the CPU.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` or a device of torch's.

    Returns
    -------
    device : torch.device
        A device that this machine has.

    Raises
    ------
    ValueError
        If torch does not know the device, or this machine has none.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return torch.device(next(name for name, here in available.items() if here))
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is unknown to torch: pass 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'."
        ) from error
    if not available.get(resolved.type, True):
        raise ValueError(
            f"device={device!r} was asked for, and torch finds none on this machine: pass "
            "device='auto', or install the torch build for it."
        )
    return resolved


def check_amp(amp: str | None, device: torch.device) -> None:
    """Refuse mixed precision anywhere but on CUDA.

    Parameters
    ----------
    amp : {"bfloat16", "float16"} or None
        The lower precision.
    device : torch.device
        Where the net runs.

    Raises
    ------
    ValueError
        If `amp` is set and the device is not CUDA.
    """
    if amp is not None and device.type != "cuda":
        raise ValueError(
            f"amp={amp!r} needs a CUDA device, and training runs on {device.type!r}: pass "
            "amp=None, or device='cuda' on a machine that has one."
        )


@contextmanager
def torch_threads(n_threads: int | None) -> Iterator[None]:
    """Let torch compute on a number of threads for the block.

    Parameters
    ----------
    n_threads : int or None
        None leaves torch's own count, but is 1 in a worker process: workers fill the machine.

    Yields
    ------
    None
        Nothing.
    """
    if n_threads is None and multiprocessing.parent_process() is not None:
        n_threads = 1
    if n_threads is None:
        yield
        return
    with _TURNS:
        before = torch.get_num_threads()
        torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators of the CPU and of the device for the block, then put them back.

    Parameters
    ----------
    seed : int
        The seed.
    device : torch.device
        Where the net runs.

    Yields
    ------
    None
        Nothing.
    """
    # torch.manual_seed would reseed every accelerator of the machine, used or not.
    with _TURNS, torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        mps_state = torch.mps.get_rng_state() if device.type == "mps" else None
        if mps_state is not None:
            torch.mps.manual_seed(seed)
        try:
            yield
        finally:
            if mps_state is not None:
                torch.mps.set_rng_state(mps_state)
