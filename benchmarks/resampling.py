"""Seconds and memory of the samplers beside their peers, in one run.

Tomek links and edited nearest neighbours against imbalanced-learn's, with the same neighbours and
the same answer; the neighbour search in torch against scikit-learn's brute force; the multi-label
samplers against plain loops from their definitions, and at a size where loops are not waited for.

    OMP_NUM_THREADS=1 python benchmarks/resampling.py --data DIR     # some minutes
    OMP_NUM_THREADS=1 python benchmarks/resampling.py --data DIR --quick

`DIR/multilabel` holds yeast.npz and medical.npz. Ratios are of times seen in this run, the shortest
of some repeats: CPU time, which other work on the machine disturbs less, but for CUDA. Memory is
the peak of what a fit allocates, beside the input. An aim that is missed is named, and the exit
status is not 0. What needs a CUDA device is left out where there is none.
"""

import argparse
import math
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.under_sampling import EditedNearestNeighbours, TomekLinks
from scipy.sparse import csr_array, issparse
from sklearn.datasets import make_classification
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import MinMaxScaler

from skrecall import resampling
from skrecall.label_space import imbalance_ratio_per_label
from skrecall.resampling import MLROS, MLSMOTE, FastEditedNearestNeighbours, FastTomekLinks

MULTILABEL_SAMPLERS = (
    "LPROS",
    "LPRUS",
    "MLROS",
    "MLRUS",
    "MLSMOTE",
    "MLSOL",
    "MLTL",
    "MLUL",
    "MLeNN",
    "REMEDIAL",
)


@dataclass(frozen=True)
class Row:
    """A sampler or a search beside its peer."""

    what: str
    data: str
    seconds: float
    peer_seconds: float = math.nan
    extra_mb: float = math.nan
    peer_extra_mb: float = math.nan
    same: bool = True
    least_ratio: float = 0.0
    at_most_seconds: float = math.inf
    at_most_mb: float = math.inf

    @property
    def ratio(self) -> float:
        """How many times faster than the peer."""
        return self.peer_seconds / self.seconds

    @property
    def holds(self) -> bool:
        """Whether the answer is the peer's, and every aim is met."""
        return (
            self.same
            and not self.ratio < self.least_ratio
            and self.seconds <= self.at_most_seconds
            and not self.extra_mb > self.at_most_mb
        )


def timed(
    function: Callable[[], Any],
    repeats: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> tuple[Any, float]:
    """Return what a function returns, and the shortest time of some calls."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        result = function()
        seconds.append(clock() - start)
    return result, min(seconds)


def extra_mb(function: Callable[[], Any]) -> float:
    """Return the peak of what a call allocates beside what there was; of arrays of numpy."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def megabytes(*arrays: Any) -> float:
    total = 0
    for array in arrays:
        if issparse(array):
            total += array.data.nbytes + array.indices.nbytes + array.indptr.nbytes
        else:
            total += array.nbytes
    return total / 2**20


def tables(n: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield sets of 30 features with a tenth of positives."""
    for n_informative in (2, 10):
        X, y = make_classification(
            n, 30, n_informative=n_informative, weights=[0.9], random_state=0
        )
        yield f"{n_informative} of 30 features tell", X, y
    y = (np.arange(n) % 10 == 0).astype(int)
    X = np.random.default_rng(0).standard_normal((n, 30)) + 0.5 * y[:, None]
    yield "two Gaussians", X, y


def cleaning(quick: bool) -> Iterator[Row]:
    """Identical rows are kept; Tomek at least 5 times, ENN at least 2 times as fast."""
    for n in (4000,) if quick else (10_000, 40_000):
        for data, X, y in tables(n):
            for ours, theirs, least in [
                (FastTomekLinks(), TomekLinks(), 5),
                (FastEditedNearestNeighbours(), EditedNearestNeighbours(), 2),
                (
                    FastEditedNearestNeighbours(kind_sel="mode"),
                    EditedNearestNeighbours(kind_sel="mode"),
                    2,
                ),
            ]:
                _, seconds = timed(partial(ours.fit_resample, X, y), 3)
                _, peer_seconds = timed(partial(theirs.fit_resample, X, y), 2)
                yield Row(
                    f"{ours}",
                    f"n={n}, {data}",
                    seconds,
                    peer_seconds,
                    extra_mb(partial(ours.fit_resample, X, y)),
                    extra_mb(partial(theirs.fit_resample, X, y)),
                    same=np.array_equal(ours.sample_indices_, theirs.sample_indices_),
                    least_ratio=least if n == 40_000 else 0,
                )


def search(quick: bool) -> Iterator[Row]:
    """Compare the same neighbours; on CUDA at least 20 times as fast at n = 1e5 with d = 100."""
    try:
        import torch
    except ImportError:
        print("torch is not installed: no TorchNeighbors")
        return
    from skrecall.neural_network import TorchNeighbors

    sizes = [(4000, 30)] if quick else [(n, d) for n in (10_000, 40_000) for d in (30, 100)]
    cases = [("cpu", n, d, 0) for n, d in sizes]
    if torch.cuda.is_available():
        cases.append(("cuda", 100_000, 100, 20))
    else:
        print("no CUDA device: TorchNeighbors at n=100000, d=100 is not measured")
    torch.set_num_threads(1)
    for device, n, d, least in cases:
        X = np.random.default_rng(0).standard_normal((n, d))
        ours = TorchNeighbors(6, device=device).fit(X)
        theirs = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(X)
        if device == "cuda":
            ours.kneighbors(X[:100])  # starts the device
        clock = time.perf_counter if device == "cuda" else time.process_time
        found, seconds = timed(partial(ours.kneighbors, X, return_distance=False), 2, clock)
        expected, peer_seconds = timed(
            partial(theirs.kneighbors, X, return_distance=False), 2, clock
        )
        yield Row(
            f"TorchNeighbors on {device}",
            f"n={n}, d={d}",
            seconds,
            peer_seconds,
            same=np.array_equal(found, expected),
            least_ratio=least,
        )


def plain_mlros(Y: np.ndarray, percentage: float, rng: np.random.Generator) -> np.ndarray:
    """ML-ROS by its definition, one row at a time; returns the rows that are copied."""
    counts = Y.sum(axis=0).astype(float)
    imbalance = imbalance_ratio_per_label(Y)
    mean, largest = np.nanmean(imbalance), counts.max()
    bags = {j: np.flatnonzero(Y[:, j]) for j in np.flatnonzero(imbalance > mean)}
    active, copied = list(bags), []
    while active and len(copied) < round(percentage * len(Y)):
        for j in list(active):
            row = rng.choice(bags[j])
            copied.append(row)
            for label in range(Y.shape[1]):
                counts[label] += Y[row, label]
            if largest / counts[j] <= mean:
                active.remove(j)
            if len(copied) == round(percentage * len(Y)):
                break
    return np.array(copied)


def plain_mlsmote(
    X: np.ndarray, Y: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """MLSMOTE (ranking) by its definition, one row at a time; returns the synthetic rows."""
    imbalance = imbalance_ratio_per_label(Y)
    X_new, Y_new = [], []
    for j in np.flatnonzero(imbalance > np.nanmean(imbalance)):
        bag = np.flatnonzero(Y[:, j])
        if len(bag) < 2:
            continue
        for i in bag:
            others = bag[bag != i]
            distance = [float(((X[i] - X[other]) ** 2).sum()) for other in others]
            neighbors = others[np.argsort(distance)[:k]]
            reference = rng.choice(neighbors)
            pairs = zip(X[i], X[reference], strict=True)
            X_new.append([a + rng.random() * (b - a) for a, b in pairs])
            votes = Y[i] + Y[neighbors].sum(axis=0)
            Y_new.append([int(vote > (len(neighbors) + 1) / 2) for vote in votes])
    return np.array(X_new), np.array(Y_new)


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features between 0 and 1, and the indicator."""
    with np.load(folder / "multilabel" / f"{name}.npz") as file:
        if "X" in file:
            X = file["X"]
        else:
            parts = (file["X_data"], file["X_indices"], file["X_indptr"])
            X = csr_array(parts, shape=file["X_shape"]).toarray()
        return MinMaxScaler().fit_transform(X.astype(float)), file["Y"].astype(int)


def make_labels(n: int, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 50 features, and labels in 30 % of the rows and fewer."""
    rng = np.random.default_rng(0)
    Y = (rng.random((n, n_labels)) < 0.3 / np.arange(1, n_labels + 1)).astype(np.int8)
    topics = rng.standard_normal((n, 10)) @ rng.standard_normal((10, 50))
    return topics + Y @ rng.standard_normal((n_labels, 50)), Y


def multilabel_loops(folder: Path, quick: bool) -> Iterator[Row]:
    """Compare with plain loops: as many new rows are made, of other draws.

    ML-ROS retires a label when its count has grown enough, and copies of other labels' rows count:
    its number of new rows depends on the draw, and is compared within a tenth.
    """
    sets = {name: load(folder, name) for name in ("yeast", "medical")}
    if not quick:
        sets["20000 rows, 40 labels"] = make_labels(20_000, 40)
    for name, (X, Y) in sets.items():
        rng = np.random.default_rng(0)
        for ours, loop, tolerance in [
            (MLROS(random_state=0), partial(plain_mlros, Y, 0.25, rng), 0.1),
            (MLSMOTE(random_state=0), partial(plain_mlsmote, X, Y, 5, rng), 0),
        ]:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # of labels of one
                (_, Y_new), seconds = timed(partial(ours.fit_resample, X, Y), 3)
            result, peer_seconds = timed(loop)
            new_rows = result[0] if isinstance(result, tuple) else result
            yield Row(
                f"{type(ours).__name__} and a plain loop",
                f"{name}: {len(new_rows)} rows more",
                seconds,
                peer_seconds,
                same=abs(len(Y_new) - len(Y) - len(new_rows)) <= tolerance * len(new_rows),
            )


def many_labels(quick: bool) -> Iterator[Row]:
    """All samplers at n = 1e5 with 100 labels: under 60 s, and within twice the input's memory."""
    n = 5000 if quick else 100_000
    X, Y = make_labels(n, 100)
    for name in MULTILABEL_SAMPLERS:
        sampler_class = getattr(resampling, name)
        seeded = "random_state" in sampler_class().get_params()
        sampler = sampler_class(random_state=0) if seeded else sampler_class()
        for data, labels in [("dense Y", Y), ("sparse Y", csr_array(Y))]:
            start = time.process_time()
            memory = extra_mb(partial(sampler.fit_resample, X, labels))
            yield Row(
                name,
                f"n={n}, L=100, {data}",
                time.process_time() - start,  # while allocations are traced: an upper bound
                extra_mb=memory,
                at_most_seconds=60,
                at_most_mb=math.inf if quick else 2 * megabytes(X, labels),
            )


SECTIONS = ("cleaning", "search", "loops", "many-labels")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="small sets, no aims of speed")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="some sections")
    arguments = parser.parse_args()
    measure = {
        "cleaning": partial(cleaning, arguments.quick),
        "search": partial(search, arguments.quick),
        "loops": partial(multilabel_loops, arguments.data, arguments.quick),
        "many-labels": partial(many_labels, arguments.quick),
    }
    rows: list[Row] = []
    for section in arguments.only or SECTIONS:
        found = list(measure[section]())
        rows += found
        table = pd.DataFrame(
            {
                "what": row.what,
                "data": row.data,
                "times faster": row.ratio,
                "seconds": row.seconds,
                "extra MB": row.extra_mb,
                "peer's extra MB": row.peer_extra_mb,
                "same": row.same,
            }
            for row in found
        )
        if found:
            table = table.dropna(axis=1, how="all")
            print(table.to_string(index=False, float_format="{:.3g}".format), flush=True)
    missed = [row for row in rows if not row.holds]
    for row in missed:
        print(f"missed: {row}")
    return len(missed) > 0


if __name__ == "__main__":
    sys.exit(main())
