"""Device, precision, threads and seeds: chosen with a sentence, and put back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import pytest
import torch

from skrecall.neural_network._runtime import check_amp, resolve_device, seeded, torch_threads

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (False, True, "mps"), (True, True, "cuda"), (False, False, "cpu")],
)
def test_auto_prefers_cuda_then_mps_then_cpu(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize("device", ["cpu", CPU])
def test_a_device_that_is_there_is_taken(device):
    assert resolve_device(device) == CPU


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"device='{device}' was asked for, and torch finds none"):
        resolve_device(device)


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device='gpu' is unknown to torch: pass 'auto'"):
        resolve_device("gpu")


def test_amp_needs_cuda():
    check_amp(None, CPU)
    check_amp("bfloat16", torch.device("cuda"))
    with pytest.raises(ValueError, match=r"amp='float16' needs a CUDA device, and .* on 'cpu'"):
        check_amp("float16", CPU)


def test_threads_are_put_back_even_after_an_error():
    before = torch.get_num_threads()

    @torch_threads(before + 1)
    def fail():
        assert torch.get_num_threads() == before + 1
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert torch.get_num_threads() == before
    with torch_threads(None):
        assert torch.get_num_threads() == before


def threads_in_a_worker(given):
    torch.set_num_threads(2)
    with torch_threads(given):
        return torch.get_num_threads()


def test_a_worker_process_computes_on_one_thread_unless_told():
    found = joblib.Parallel(n_jobs=2)(
        joblib.delayed(threads_in_a_worker)(given) for given in (None, 2)
    )
    assert found == [1, 2]


def test_the_seed_holds_inside_and_torchs_own_stream_goes_on_outside():
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    first = torch.rand(2)
    with seeded(0, CPU):
        inside = torch.rand(3)
    assert torch.equal(torch.cat([first, torch.rand(2)]), expected)
    assert torch.equal(inside, torch.rand(3, generator=torch.Generator().manual_seed(0)))


def test_fits_in_threads_take_turns():
    active, overlaps = threading.Semaphore(1), []

    def fit(seed):
        with seeded(seed, CPU):
            overlaps.append(not active.acquire(blocking=False))
            first = torch.rand(1)
            time.sleep(0.01)
            values = torch.cat([first, torch.rand(1)])
            active.release()
        return values

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(fit, range(8)))
    assert not any(overlaps)
    for seed, values in enumerate(results):
        assert torch.equal(values, torch.rand(2, generator=torch.Generator().manual_seed(seed)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_cuda_stream_goes_on_outside():
    device = torch.device("cuda")
    before = torch.cuda.get_rng_state()
    with seeded(0, device):
        torch.rand(3, device=device)
    assert torch.equal(torch.cuda.get_rng_state(), before)
