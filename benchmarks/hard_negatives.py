"""What hard negatives do to a ranking, and what it costs to mine a million.

A model is fitted on all rows, on random negatives, on those that another model takes for positives
out of fold, on half of each kind, and on those that it mined itself round by round. Its average
precision is that of test rows, and of the test rows that a logistic regression lets pass at a
recall of 0.95: what the second stage of a cascade has to rank.

Then negatives that lie on the disk are mined, as a memmap and in blocks, in a process for each
line. Memory is that beside the input: traced, the most that Python and NumPy hold at once;
resident, by how much the process outgrew its imports, which is not shown of a memmap, as its pages
count.

    python benchmarks/hard_negatives.py                       # the cost alone, a minute or two
    python benchmarks/hard_negatives.py --data DIR            # some minutes on two cores
    python benchmarks/hard_negatives.py --data DIR --learner logistic

`DIR/imbalanced` holds NAME.npz with X and y, as for `imbalance.py`.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from imbalance import LEARNERS, load, prepared
from imblearn.under_sampling import RandomUnderSampler
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_predict

from skrecall.ensemble import HardNegativeMiningClassifier
from skrecall.resampling import HardNegativeUnderSampler

SETS = ("mammography", "oil", "pc1", "satimage", "yeast_me2")
RECALL = 0.95  # of the first stage
N_FEATURES, N_POSITIVES, BLOCK = 50, 1000, 50_000
AT_SCALE = {
    "logistic regression": LogisticRegression(max_iter=500),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
}


def methods(
    learner: Callable[..., BaseEstimator], seed: int, n_positives: int
) -> dict[str, BaseEstimator]:
    """Return the models by what they are fitted on; a number is negatives per positive."""
    judges = {"logistic": LogisticRegression(max_iter=2000), "itself": learner()}
    kept = {"all rows": "passthrough"}
    for ratio in (1, 3):
        kept[f"{ratio} random"] = RandomUnderSampler(sampling_strategy=1 / ratio, random_state=seed)
        for name, judge in judges.items():
            for share, kind in [(0.0, "hardest"), (0.5, "half of them hardest")]:
                kept[f"{ratio} {kind}, by {name}"] = HardNegativeUnderSampler(
                    judge, ratio=ratio, random_share=share, random_state=seed
                )
    models = {name: prepared(rows, learner()) for name, rows in kept.items()}
    for ratio in (1, 3, 10):
        for share, kind in [(0.0, "mined"), (0.5, "half of them mined")]:
            models[f"{ratio} {kind}"] = HardNegativeMiningClassifier(
                prepared("passthrough", learner()),
                max_negatives=ratio * n_positives,
                random_share=share,
                random_state=seed,
            )
    return models


def measure(
    learner: Callable[..., BaseEstimator], X: np.ndarray, y: np.ndarray, fold: tuple, seed: int
) -> list[dict[str, float | str]]:
    """Return the average precision of each method on the test rows of one fold."""
    train, test = fold
    first = prepared(LogisticRegression(class_weight="balanced", max_iter=2000))
    y_score = cross_val_predict(first, X[train], y[train], method="decision_function")
    threshold = np.quantile(y_score[y[train] == 1], 1 - RECALL)
    passed = first.fit(X[train], y[train]).decision_function(X[test]) >= threshold
    rows = []
    for name, model in methods(learner, seed, y[train].sum()).items():
        y_score = model.fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        rows.append(
            {
                "method": name,
                "all": average_precision_score(y[test], y_score),
                "second stage": average_precision_score(y[test][passed], y_score[passed]),
            }
        )
    return rows


def write_negatives(path: Path, n_negatives: int) -> None:
    """Write Gaussian negatives, two in a thousand of them near the positives."""
    rng = np.random.default_rng(0)
    rows = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.float32, shape=(n_negatives, N_FEATURES)
    )
    for start in range(0, n_negatives, BLOCK):
        block = rng.normal(size=(min(BLOCK, n_negatives - start), N_FEATURES))
        block[rng.uniform(size=len(block)) < 0.002, :10] += 0.8
        rows[start : start + BLOCK] = block


def read_blocks(path: Path) -> Iterator[np.ndarray]:
    """Yield rows of a file without mapping it."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        (n_rows, n_columns), _, dtype = np.lib.format.read_array_header_1_0(file)
        for start in range(0, n_rows, BLOCK):
            n_values = min(BLOCK, n_rows - start) * n_columns
            yield np.fromfile(file, dtype=dtype, count=n_values).reshape(-1, n_columns)


def mine(path: Path, name: str, source: str) -> dict[str, float | str]:
    """Return what one fit costs; with "all rows" as the source, one fit on everything."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2 * N_POSITIVES, N_FEATURES)).astype(np.float32)
    y = np.repeat([1, 0], N_POSITIVES)
    X[:N_POSITIVES, :10] += 1
    further = np.load(path, mmap_mode="r")
    mined = HardNegativeMiningClassifier(clone(AT_SCALE[name]), random_state=0)

    def fit() -> HardNegativeMiningClassifier | None:
        if source == "all rows":
            X_all = np.append(X, further, axis=0)
            clone(AT_SCALE[name]).fit(X_all, np.append(y, np.zeros(len(further), dtype=int)))
            return None
        return mined.fit(X, y, (lambda: read_blocks(path)) if source == "blocks" else further)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    start = time.perf_counter()
    fitted = fit()
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    found: dict[str, float | str] = {"model": name, "negatives": source}
    found["traced MiB"] = tracemalloc.get_traced_memory()[1] / 2**20
    if source == "blocks":
        found["resident MiB"] = grown / 2**10
    n_rounds = 1 if fitted is None else len(fitted.history_)
    return found | {"rounds": n_rounds, "s a round": seconds / n_rounds, "seconds": seconds}


def show_cost(n_negatives: int) -> None:
    """Print what mining costs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "negatives.npy"
        write_negatives(path, n_negatives)
        size = path.stat().st_size / 2**20
        print(f"{N_POSITIVES} positives and {n_negatives} negatives, a file of {size:.0f} MiB")
        lines = []
        for name in AT_SCALE:
            for source in ("memmap", "blocks", "all rows"):
                context = multiprocessing.get_context("spawn")
                with ProcessPoolExecutor(1, mp_context=context) as process:
                    lines.append(process.submit(mine, path, name, source).result())
                print(f"{name}, {source}: done", flush=True)
    table = pd.DataFrame(lines)
    print(table.to_string(index=False, float_format="{:.1f}".format, na_rep=""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with imbalanced/*.npz")
    parser.add_argument("--negatives", type=int, default=1_000_000, help="to mine; 0 for none")
    parser.add_argument("--learner", choices=LEARNERS, default="boosting")
    parser.add_argument("--sets", nargs="*", default=SETS, help="some of the sets")
    args = parser.parse_args()
    if args.negatives:
        show_cost(args.negatives)
    tables = {}
    for name in args.sets if args.data else ():
        X, y = load(args.data / "imbalanced", name)
        folds = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0).split(X, y)
        found = Parallel(n_jobs=2)(
            delayed(measure)(LEARNERS[args.learner], X, y, fold, seed)
            for seed, fold in enumerate(folds)
        )
        tables[name] = pd.DataFrame(chain.from_iterable(found)).groupby("method", sort=False).mean()
        print(f"{name}: {len(y)} rows, {y.sum()} positives, done", flush=True)
    for column in ("all", "second stage") if tables else ():
        table = pd.DataFrame({name: of_set[column] for name, of_set in tables.items()})
        print(f"\nAverage precision, {column}", table.round(3).to_string(), sep="\n")


if __name__ == "__main__":
    main()
