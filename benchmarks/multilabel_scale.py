"""What multi-label methods cost against samples, features and labels, beside their peers.

Every line is measured in a process of its own: seconds by the wall clock and of the processors,
which a busy machine disturbs less, of the quickest of some runs, and the greatest memory, imports
and data included. Processors and memory are those of the process; the workers of n_jobs=2, started
before, are not counted. A ratio is of the seconds of the line it names. Where a peer would take
hours it runs on some labels, and its seconds are scaled up to all: such a line says so.

What is claimed of speed and memory is printed last, each with its aim; a miss ends the script with
status 1. The claims are of a machine that does nothing else, and of the full sizes alone.

    python benchmarks/multilabel_scale.py                  # about half an hour on two cores
    python benchmarks/multilabel_scale.py --quick          # small sizes, no claims
    python benchmarks/multilabel_scale.py --only linear thresholds
    python benchmarks/multilabel_scale.py --peers PYTHON   # also times the peers installed there

scikit-multilearn 0.2.0 runs here where it still can; `PYTHON` is that of another environment with
its maintained fork, scikit-multilearn-ng, for what no longer runs, MLkNN and stratification, and
with iterative-stratification, which installs a package `tests` that would hide the one here.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, random_array
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from skrecall.model_selection import MultilabelStratifiedKFold
from skrecall.multilabel import (
    BinaryRelevance,
    ClassifierChain,
    EnsembleOfClassifierChains,
    LabelPowerset,
    MLkNN,
    MultilabelLogisticRegression,
    RAkELOverlapping,
)
from skrecall.threshold import MultilabelThresholdClassifier, optimal_label_thresholds

Result = dict[str, Any]
LIMIT = 1800  # seconds for one line
NO_CUDA = "not run: no CUDA device"
NO_PEERS = "not run: no --peers PYTHON"
claims: list[tuple[str, bool]] = []  # a line to print, and whether it is as it should be


def make_data(n: int, d: int, n_labels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return correlated features and linear, noisy labels of 0.5 % to 30 % positives."""
    rng = np.random.default_rng(seed)
    X = 0.7 * rng.normal(size=(n, d)) + rng.normal(size=(n, d // 4)) @ rng.normal(size=(d // 4, d))
    X /= X.std(axis=0)
    Y = np.empty((n, n_labels), dtype=np.int8)
    for k in range(n_labels):
        score = X[:, rng.choice(d, size=max(1, d // 10), replace=False)].sum(axis=1)
        score = 1.5 * score / score.std() + rng.logistic(size=n)
        prevalence = np.exp(rng.uniform(np.log(0.005), np.log(0.3)))
        Y[:, k] = score > np.quantile(score, 1 - prevalence)
    return X, Y


def make_label_sets(n: int, n_labels: int) -> np.ndarray:
    """Return an indicator of three labels per row on average, frequent and rare ones."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, n_labels + 1)
    return (rng.uniform(size=(n, n_labels)) < 3 * share / share.sum()).astype(np.int8)


def timed(run: Callable[[], Any], repeats: int = 1) -> Result:
    """Run something some times and return the least seconds, of the clock and of the processors."""
    results = []
    for _ in range(repeats):
        start, cpu = time.perf_counter(), time.process_time()
        run()
        results.append((time.perf_counter() - start, time.process_time() - cpu))
    return dict(zip(("seconds", "cpu"), min(results), strict=True))


def _child(pipe: Any, measure: Callable[..., Result], args: tuple) -> None:
    os.setsid()  # so that its workers can be ended with it
    warnings.simplefilter("ignore")  # of labels with one value and of solvers at their defaults
    try:
        found = measure(*args)
        found["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way; the table shows how
        found = {"note": f"{type(error).__name__}: {error}"[:90]}
    pipe.send(found)


def alone(measure: Callable[..., Result], *args: Any) -> Result:
    """Measure in a process of its own, which ends with its workers."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, measure, args))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(LIMIT) else {"note": f"more than {LIMIT} s"}
    except EOFError:
        return {"note": "ended without an answer: out of memory as a rule"}
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def claim(text: str, figure: float | None, aim: str, bound: float) -> None:
    """Note a figure that is to be at least, or at most, some bound; None if a line failed."""
    met = figure is not None and (figure >= bound if aim == "at least" else figure <= bound)
    found = "not measured" if figure is None else f"{figure:.3g}"
    claims.append((f"{text}: {found} ({aim} {bound:g}){'' if met else ' MISSED'}", met))


def ratio(slow: Result, quick: Result, column: str = "seconds") -> float | None:
    """Return how many times the one is of the other, or None if either was not measured."""
    return slow[column] / quick[column] if column in slow and column in quick else None


def show(title: str, rows: list[tuple[str, Result]], against: dict[str, str]) -> None:
    """Print a table; each column of ratios divides by the seconds of one line."""
    table = pd.DataFrame([found for _, found in rows], index=[name for name, _ in rows])
    for column, name in against.items():
        if "seconds" in table and name in table.index:
            table[column] = table["seconds"] / table.loc[name, "seconds"]
    print(f"\n{title}\n{table.to_string(float_format='{:.3g}'.format, na_rep='')}", flush=True)


# Logistic regression of every label -----------------------------------------------------------


def fit_linear(
    model: Any, threads: int | None, n: int, d: int, n_labels: int, some: int, repeats: int
) -> Result:
    """Fit on some of the labels and scale up."""
    X, Y = make_data(n, d, n_labels)
    labels = np.linspace(0, n_labels - 1, some).astype(int)
    few = X[:200, :2]
    clone(model).fit(few, few > 0)  # the first call starts the workers
    with threadpool_limits(threads):
        found = timed(lambda: model.fit(X, Y[:, labels]), repeats)
    found = {name: value * n_labels / some for name, value in found.items()}
    if some < n_labels:
        found["note"] = f"{some} of {n_labels} labels, scaled"
    coef = getattr(model, "coef_", None)
    if coef is None:
        coef = np.vstack([inner.coef_ for inner in model.estimators_])
    checked = range(0, some, max(1, some // 10))
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=500)
    found["off"] = max(
        np.abs(coef[k] - exact.fit(X, Y[:, labels[k]]).coef_[0]).max() for k in checked
    )
    return found


def linear(sizes: list[tuple[int, int, int, int]], repeats: int) -> None:
    """Fit all labels of each size at once, and `part` of them one after the other."""
    for *size, part in sizes:
        n, d, n_labels = size
        defaults = alone(
            fit_linear, MultiOutputClassifier(LogisticRegression()), None, *size, part, 1
        )
        peers = {}
        for solver in ("lbfgs", "newton-cholesky"):
            for n_jobs, threads in [(1, 1), (1, 2), (2, 1)]:
                model = MultiOutputClassifier(LogisticRegression(solver=solver), n_jobs=n_jobs)
                peers[solver, n_jobs, threads] = alone(
                    fit_linear, model, threads, *size, part, repeats
                )
        relevance, joint = {}, {}
        for n_jobs in (1, 2):
            model = BinaryRelevance(LogisticRegression(), n_jobs=n_jobs)
            relevance[n_jobs] = alone(fit_linear, model, None, *size, part, repeats)
            model = MultilabelLogisticRegression(n_jobs=n_jobs)
            joint[n_jobs] = alone(fit_linear, model, None, *size, n_labels, repeats)
        cuda = alone(fit_cuda, *size, repeats)
        best = quickest([*peers.values(), *relevance.values()])
        rows = [
            ("MultiOutputClassifier, defaults", defaults),
            *(
                (f"MultiOutputClassifier, {solver}, n_jobs={n_jobs}, BLAS threads {threads}", found)
                for (solver, n_jobs, threads), found in peers.items()
            ),
            *((f"BinaryRelevance, n_jobs={n_jobs}", found) for n_jobs, found in relevance.items()),
            ("best of all these", best),
            *(
                (f"MultilabelLogisticRegression, n_jobs={n_jobs}", found)
                for n_jobs, found in joint.items()
            ),
            ("MultilabelLinearClassifier, CUDA", cuda),
        ]
        show(
            f"Fit {n} x {d}, {n_labels} labels; off: largest error of a coefficient",
            rows,
            {"v defaults": rows[0][0], "v best": "best of all these"},
        )
        text = f"at {n} x {d} x {n_labels} labels"
        if n_labels <= 100:
            name = "MultiOutputClassifier at its defaults, of BinaryRelevance at its"
            claim(f"{name} {text}: times as slow", ratio(defaults, relevance[1]), "at least", 5)
        for n_jobs, found in relevance.items():
            same = [peers[key] for key in peers if key[:2] == ("lbfgs", n_jobs)]
            name = f"BinaryRelevance, of MultiOutputClassifier's best threads, n_jobs={n_jobs}"
            claim(
                f"{name}, {text}: times the seconds", ratio(found, quickest(same)), "at most", 1.1
            )
        if n_labels >= 1000:
            ours = quickest(list(joint.values()))
            name = f"best of one fit per label, of MultilabelLogisticRegression, {text}"
            claim(f"{name}: times as slow", ratio(best, ours), "at least", 3)
            claim(f"MultilabelLogisticRegression {text}: error", ours.get("off"), "at most", 1e-3)
            name = f"best of one fit per label, of MultilabelLinearClassifier on CUDA, {text}"
            if cuda.get("note") == NO_CUDA:
                claims.append((f"{name}: {NO_CUDA}", True))
            else:
                claim(f"{name}: times as slow", ratio(best, cuda), "at least", 30)


def quickest(results: list[Result]) -> Result:
    return min(results, key=lambda found: found.get("seconds", np.inf))


def fit_cuda(n: int, d: int, n_labels: int, repeats: int) -> Result:
    import torch

    from skrecall.neural_network import MultilabelLinearClassifier

    if not torch.cuda.is_available():
        return {"note": NO_CUDA}
    model = MultilabelLinearClassifier(device="cuda")
    return fit_linear(model, None, n, d, n_labels, n_labels, repeats)


# Cost against n, d and L ----------------------------------------------------------------------


def methods() -> dict[str, Callable[[], Any]]:
    base = LogisticRegression()
    return {
        "BinaryRelevance": lambda: BinaryRelevance(base),
        "MultilabelLogisticRegression": MultilabelLogisticRegression,
        "ClassifierChain": lambda: ClassifierChain(base),
        "LabelPowerset": lambda: LabelPowerset(base),
        "RAkELOverlapping": lambda: RAkELOverlapping(base, random_state=0),
        "EnsembleOfClassifierChains": lambda: EnsembleOfClassifierChains(base, random_state=0),
        "MLkNN": MLkNN,
        "MultilabelThresholdClassifier": lambda: MultilabelThresholdClassifier(
            MultilabelLogisticRegression(), random_state=0
        ),
        "scikit-learn MultiOutputClassifier": lambda: MultiOutputClassifier(base),
        "scikit-multilearn BinaryRelevance": lambda: multilearn("BinaryRelevance", base),
        "scikit-multilearn ClassifierChain": lambda: multilearn("ClassifierChain", base),
        "scikit-multilearn LabelPowerset": lambda: multilearn("LabelPowerset", base),
    }


def multilearn(name: str, base: Any) -> Any:
    import skmultilearn.problem_transform

    return getattr(skmultilearn.problem_transform, name)(base)


def fit_and_predict(name: str, n: int, d: int, n_labels: int) -> Result:
    X, Y = make_data(n + n // 4, d, n_labels)
    model = methods()[name]()
    # One BLAS thread for all, as scikit-learn's small solves wait for each other on more.
    with threadpool_limits(1):
        found = timed(lambda: model.fit(X[:n], Y[:n]))
        predicted = timed(lambda: model.predict(X[n:]))
    return {**found, "predict": predicted["seconds"]}


def stratify(n: int, n_labels: int, order: int, repeats: int = 1) -> Result:
    Y = make_label_sets(n, n_labels)
    folds = MultilabelStratifiedKFold(5, order=order, shuffle=True, random_state=0)
    return timed(lambda: list(folds.split(Y, Y)), repeats)


def cost(base: tuple[int, int, int], factors: tuple[int, ...]) -> None:
    """Fit at one size, and at multiples of its samples, features and labels."""
    measures: dict[str, Callable[..., Result]] = {
        name: lambda n, d, k, name=name: fit_and_predict(name, n, d, k) for name in methods()
    }
    for order in (1, 2):
        measures[f"MultilabelStratifiedKFold, order={order}"] = lambda n, d, k, order=order: (
            stratify(n, k, order)
        )
    rows = []
    for name, measure in measures.items():
        found = {f"{base}": alone(measure, *base)}
        for axis, letter in enumerate("ndL"):
            for factor in factors:
                size = tuple(s * factor if i == axis else s for i, s in enumerate(base))
                found[f"{letter} x {factor}"] = alone(measure, *size)
        first = found[f"{base}"]
        row = {column: part.get("seconds") for column, part in found.items()}
        row["predict"] = first.get("predict")
        row["MiB"] = max((part.get("MiB", 0.0) for part in found.values()), default=None)
        row["note"] = next((part["note"] for part in found.values() if "note" in part), "")
        rows.append((name, row))
    show(
        "Seconds to fit (n, d, L) and multiples, one BLAS thread; predict: a quarter of n", rows, {}
    )


# Neighbours, stratification, thresholds --------------------------------------------------------


def bare_search(n: int, d: int, repeats: int) -> Result:
    X = np.random.default_rng(0).normal(size=(n + n // 4, d))
    search = NearestNeighbors(n_neighbors=11)
    found = timed(lambda: search.fit(X[:n]).kneighbors(X[:n]), repeats)
    predicted = timed(lambda: search.kneighbors(X[n:], 10), repeats)
    return {**found, "predict": predicted["seconds"]}


def fit_mlknn(n: int, d: int, n_labels: int, repeats: int) -> Result:
    X = np.random.default_rng(0).normal(size=(n + n // 4, d))
    Y = make_label_sets(n, n_labels)
    model = MLkNN(10)
    found = timed(lambda: model.fit(X[:n], Y), repeats)
    predicted = timed(lambda: model.predict(X[n:]), repeats)
    return {**found, "predict": predicted["seconds"]}


PEER_MLKNN = """
import json, sys, time, numpy as np
from scipy.sparse import lil_matrix
from skmultilearn.adapt import MLkNN
part = np.load(sys.argv[1])
X, Y = part["X"], part["Y"]
n = len(Y)
model = MLkNN(k=10)
start = time.perf_counter()
model.fit(X[:n], lil_matrix(Y))
middle = time.perf_counter()
model.predict(X[n:])
print(json.dumps({"seconds": middle - start, "predict": time.perf_counter() - middle}))
"""
PEER_STRATIFICATION = """
import json, sys, time, numpy as np
from skmultilearn.model_selection import IterativeStratification
Y = np.load(sys.argv[1])["Y"]
start = time.perf_counter()
list(IterativeStratification(n_splits=5, order=int(sys.argv[2])).split(Y[:, :1], Y))
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


PEER_ITERSTRAT = """
import json, sys, time, numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
Y = np.load(sys.argv[1])["Y"]
seconds = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    list(MultilabelStratifiedKFold(5, shuffle=True, random_state=0).split(Y, Y))
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": min(seconds)}))
"""


def in_peers(python: str | None, script: str, *args: str, **arrays: np.ndarray) -> Result:
    """Run a script in the environment of the peers."""
    if python is None:
        return {"note": NO_PEERS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, **arrays)
        command = [python, "-W", "ignore", "-c", script, str(path), *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"note": (done.stderr.strip().splitlines() or ["failed"])[-1][:90]}
    return json.loads(done.stdout.splitlines()[-1])


def neighbours(sizes: list[tuple[int, int, int]], peers: str | None, repeats: int) -> None:
    for n, d, n_labels in sizes:
        X = np.random.default_rng(0).normal(size=(n + n // 4, d))
        rows = [
            ("bare NearestNeighbors", alone(bare_search, n, d, repeats)),
            ("MLkNN", alone(fit_mlknn, n, d, n_labels, repeats)),
            (
                "scikit-multilearn-ng MLkNN",
                in_peers(peers, PEER_MLKNN, X=X, Y=make_label_sets(n, n_labels)),
            ),
        ]
        bare, ours, _ = (found for _, found in rows)
        for _, found in rows:
            found["predict v bare"] = ratio(found, bare, "predict")
        text = f"MLkNN, of the bare search in {n} x {d}"
        claim(f"{text}, fit: times the seconds", ratio(ours, bare), "at most", 2)
        claim(f"{text}, predict: times the seconds", ratio(ours, bare, "predict"), "at most", 2)
        title = f"Nearest neighbours, {n} x {d}, {n_labels} labels; predict: a quarter of n"
        show(title, rows, {"v bare": "bare NearestNeighbors"})


def stratification(n: int, n_labels: int, peers: str | None, repeats: int) -> None:
    Y = make_label_sets(n, n_labels)
    rows = [
        ("iterative-stratification", in_peers(peers, PEER_ITERSTRAT, str(repeats), Y=Y)),
        *(
            (f"skrecall, order={order}", alone(stratify, n, n_labels, order, repeats))
            for order in (1, 2)
        ),
        *(
            (f"scikit-multilearn-ng, order={k}", in_peers(peers, PEER_STRATIFICATION, str(k), Y=Y))
            for k in (1, 2)
        ),
    ]
    against = {"v iterative-stratification": "iterative-stratification", "v order=1": rows[1][0]}
    show(f"Stratification of {n} rows, {n_labels} labels, 5 folds", rows, against)
    for order, bound in [(1, 1), (2, 5)]:
        text = f"Stratification of order {order}, of the iterative-stratification package"
        if peers is None:
            claims.append((f"{text}: {NO_PEERS}", True))
        else:
            figure = ratio(rows[order][1], rows[0][1])
            claim(f"{text}, {n} x {n_labels}: times the seconds", figure, "at most", bound)


def make_scores(n: int, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    Y = (rng.uniform(size=(n, n_labels)) < 0.05).astype(np.int8)
    score = rng.normal(size=(n, n_labels)).astype(np.float32)
    score += 1.5 * Y
    return Y, 1 / (1 + np.exp(-score))


def our_thresholds(n: int, n_labels: int, repeats: int) -> Result:
    Y, score = make_scores(n, n_labels)
    return timed(lambda: optimal_label_thresholds(Y, score), repeats)


class GivenScores(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probability is the only feature."""

    classes_ = np.array([0, 1])

    def fit(self, X: np.ndarray, y: np.ndarray) -> Any:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def tuned_thresholds(n: int, n_labels: int, some: int) -> Result:
    Y, score = make_scores(n, some)

    def loop() -> None:
        for k in range(some):
            TunedThresholdClassifierCV(GivenScores(), scoring="f1", cv="prefit", refit=False).fit(
                score[:, [k]], Y[:, k]
            )

    found = {name: value * n_labels / some for name, value in timed(loop).items()}
    return {**found, "note": f"{some} of {n_labels} labels, scaled; 100 thresholds each"}


def thresholds(n: int, n_labels: int, some: int, repeats: int) -> None:
    rows = [
        ("optimal_label_thresholds, exact", alone(our_thresholds, n, n_labels, repeats)),
        ("loop of TunedThresholdClassifierCV", alone(tuned_thresholds, n, n_labels, some)),
    ]
    show(f"Thresholds of {n} x {n_labels} given scores", rows, {"v ours": rows[0][0]})
    text = f"loop of TunedThresholdClassifierCV, of thresholds of {n} x {n_labels} scores"
    claim(f"{text}: times as slow", ratio(rows[1][1], rows[0][1]), "at least", 50)


# Thousands of labels, sparse -------------------------------------------------------------------


def fit_sparse(model: Any, n: int, d: int, n_labels: int) -> Result:
    rng = np.random.default_rng(0)
    X = random_array((n, d), density=50 / d, format="csr", dtype=np.float64, rng=rng)
    weights = random_array((d, n_labels), density=20 / d, format="csr", rng=rng)
    scores = (X @ weights).tocoo()
    likely = scores.data > np.quantile(scores.data, 0.8)
    Y = csr_array(
        (np.ones(likely.sum(), dtype=np.int8), (scores.row[likely], scores.col[likely])),
        (n, n_labels),
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = timed(lambda: model.fit(X, Y))
    predicted = timed(lambda: model.predict(X))
    proba = timed(lambda: model.predict_proba(X))
    return {
        **found,
        "predict": predicted["seconds"],
        "predict_proba": proba["seconds"],
        "MiB before": before,
    }


def sparse(n: int, d: int, n_labels: int) -> None:
    rows = [
        (name, alone(fit_sparse, model, n, d, n_labels))
        for name, model in [
            ("BinaryRelevance", BinaryRelevance(LogisticRegression())),
            ("MultilabelLogisticRegression", MultilabelLogisticRegression()),
            ("MLkNN", MLkNN(10)),
        ]
    ]
    show(f"Sparse {n} x {d}, {n_labels} sparse labels, predicted on the same rows", rows, {})
    for name, found in rows:
        text = f"{name}, sparse {n} x {d} x {n_labels} labels, fit and predict: MiB"
        claim(text, found.get("MiB"), "at most", 2048)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parts = ("linear", "cost", "neighbours", "stratification", "thresholds", "sparse")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--peers", metavar="PYTHON", help="python of an environment of peers")
    parser.add_argument("--repeats", type=int, default=3, help="of lines without scaling")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the process measured, too
    quick, repeats, peers = args.quick, 1 if args.quick else args.repeats, args.peers
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}, numpy {np.__version__}")
    runs: dict[str, Callable[[], None]] = {
        "linear": lambda: (
            linear([(1000, 30, 50, 5)], 1)
            if quick
            else linear(
                [(10_000, 100, 100, 100), (5000, 300, 1000, 20), (10_000, 300, 1000, 20)], repeats
            )
        ),
        "cost": lambda: cost((300, 10, 6), (2,)) if quick else cost((2000, 50, 20), (2, 4)),
        "neighbours": lambda: (
            neighbours([(1000, 20, 20)], peers, 1)
            if quick
            else neighbours([(10_000, 20, 50), (10_000, 200, 50)], peers, repeats)
        ),
        "stratification": lambda: (
            stratification(2000, 20, peers, 1)
            if quick
            else stratification(100_000, 100, peers, repeats)
        ),
        "thresholds": lambda: (
            thresholds(5000, 50, 1, 1) if quick else thresholds(100_000, 1000, 3, repeats)
        ),
        "sparse": lambda: sparse(1000, 2000, 100) if quick else sparse(10_000, 20_000, 4000),
    }
    for part in args.only:
        runs[part]()
    if quick:
        return 0
    print("\nClaims", *(line for line, _ in claims), sep="\n")
    return int(not all(met for _, met in claims))


if __name__ == "__main__":
    sys.exit(main())
