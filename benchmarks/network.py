"""Epoch time and memory of the image estimators against bare torch loops that do the same work.

    OMP_NUM_THREADS=1 python benchmarks/network.py [--rounds 5] [--threads 1] [--rows 1.0]

A bare loop trains the same network in batches of the same size with the same optimizer; losses and
samplers are those one would write in torch, and augmentations the package's own, as torchvision's
draw once per batch. Contenders take turns, one epoch each a round. The table holds medians over the
rounds: seconds of an epoch, rows per second, the ratio to the bare loop of the same round by the
wall clock and by processor time (which a busy machine disturbs less), and the seconds that a call
takes beside its epoch, for an estimator the checks of its input. Extra memory is by how much the
peak of a process that trains for an epoch exceeds that of one that has imported everything and
holds the data; its ratio is that of both with the data, which none can do without. Where there is a
CUDA device, residual networks are trained on it too, in bfloat16, and memory is what torch
allocates there.

An epoch, or a prediction, may take 1.2 times as long as the bare loop's by the wall clock, 1.1
times on CUDA, and 1.3 times its memory. An aim that is missed is named, and the exit status is
not 0.
"""

import argparse
import math
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from skrecall.neural_network import (
    CNNClassifier,
    DistilledClassifier,
    ImageSequenceClassifier,
    MultilabelCNNClassifier,
)
from skrecall.nn import (
    MultilayerPerceptron,
    RecurrentCNN,
    ResNet,
    SmallCNN,
    get_augmentation,
    repeat_factors,
)

N_OUTPUTS = 10  # classes or labels
BATCH_SIZE = 128
LR = 1e-3
WEIGHT_DECAY = 1e-4
MOST_TIME, MOST_TIME_ON_CUDA, MOST_MEMORY = 1.2, 1.1, 1.3

# Seconds of the epoch by wall clock and by processor time, and of the rest of the call.
Times = tuple[float, float, float]


@dataclass(frozen=True)
class Data:
    """Samples of ten classes, the rarest a hundredth of the commonest, or of ten labels."""

    X: NDArray[np.float32]
    y: NDArray[Any]
    lengths: NDArray[np.int64] | None = None

    def head(self, n: int) -> "Data":
        return Data(self.X[:n], self.y[:n], None if self.lengths is None else self.lengths[:n])


def make_data(shape: tuple[int, ...], n_samples: int, targets: str) -> Data:
    """Return samples with one label, with several, or with several of which a tenth is unknown."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, *shape), dtype=np.float32)
    centres = rng.standard_normal((N_OUTPUTS, *shape), dtype=np.float32)
    frequency = np.geomspace(1, 0.01, N_OUTPUTS)
    y: NDArray[Any] = rng.choice(N_OUTPUTS, n_samples, p=frequency / frequency.sum())
    y[:N_OUTPUTS] = np.arange(N_OUTPUTS)
    Y = np.eye(N_OUTPUTS, dtype=np.float32)[y]
    if targets != "classes":
        Y = np.maximum(Y, rng.random(Y.shape) < 0.1)
        y = Y.copy()
    if targets == "unknown labels":
        unknown = rng.random(Y.shape) < 0.1
        unknown[: 2 * N_OUTPUTS] = False  # all labels vary in the rows of a warm-up
        y[unknown] = np.nan
    for rows in np.array_split(np.arange(n_samples), n_samples // 1000 + 1):
        X[rows] += np.tensordot(Y[rows], centres, axes=1)  # by blocks, to keep the peak low
    lengths = rng.integers(shape[0] // 2, shape[0] + 1, n_samples) if len(shape) == 4 else None
    return Data(X, y, lengths)


class Stopwatch(Callback):
    """Time one epoch, and what is around it."""

    def on_epoch_begin(self, *args, **kwargs):
        self.start = time.perf_counter(), time.process_time()

    def on_epoch_end(self, *args, **kwargs):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.stop = time.perf_counter(), time.process_time()

    def times(self, begin: float) -> Times:
        """Return the times of a call that began then, and ends now."""
        total = time.perf_counter() - begin
        wall, cpu = (stop - start for start, stop in zip(self.start, self.stop, strict=True))
        return wall, cpu, total - wall


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(logits, y)


def weighted_focal(logits: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    losses = F.cross_entropy(logits, y, reduction="none")
    return (weight * (1 - torch.exp(-losses)) ** 2 * losses).mean()


def logit_adjusted(logits: Tensor, y: Tensor, log_prior: Tensor) -> Tensor:
    return F.cross_entropy(logits + log_prior, y)


def asymmetric(logits: Tensor, y: Tensor) -> Tensor:
    known = ~y.isnan()
    y = y.nan_to_num()
    p = logits.sigmoid()
    right = (1 - p + 0.05).clamp(max=1)
    losses = y * p.clamp(min=1e-8).log() + (1 - y) * right.clamp(min=1e-8).log()
    losses = losses * (1 - p * y - right * (1 - y)) ** (y + 4 * (1 - y))
    return -(losses * known).sum() / known.sum()


def distillation(logits: Tensor, y: Tensor, teacher: Tensor) -> Tensor:
    softened = F.softmax(teacher.log() / 2, dim=1)
    soft = F.kl_div(F.log_softmax(logits / 2, dim=1), softened, reduction="batchmean")
    return 0.5 * F.cross_entropy(logits, y) + 0.5 * 4 * soft


def class_weight_of(data: Data) -> dict[str, Tensor]:
    weight = 1 / np.bincount(data.y)[data.y]
    return {"weight": torch.from_numpy((weight / weight.mean()).astype(np.float32))}


def log_prior_of(data: Data) -> dict[str, Tensor]:
    return {"log_prior": torch.from_numpy(np.bincount(data.y).astype(np.float32)).log()}


def teacher_of(data: Data) -> dict[str, Tensor]:
    proba = DummyClassifier().fit(data.X[:, 0], data.y).predict_proba(data.X)
    return {"teacher": torch.from_numpy(proba.astype(np.float32))}


def balanced_rows(y: Tensor) -> Tensor:
    return torch.multinomial(1 / y.bincount()[y], len(y), replacement=True)


def repeated_rows(y: Tensor) -> Tensor:
    return torch.multinomial(repeat_factors(y), len(y), replacement=True)


@dataclass(frozen=True)
class Task:
    """What an estimator does, and what a bare loop needs to do the same."""

    name: str
    estimator: Callable[..., Any]
    params: dict[str, Any] = field(default_factory=dict)
    criterion: Callable[..., Tensor] = cross_entropy
    extras: Callable[[Data], dict[str, Tensor]] = lambda data: {}
    order: Callable[[Tensor], Tensor] = lambda y: torch.randperm(len(y))
    targets: str = "classes"
    stock: bool = False  # whether stock skorch does the same


def distilled(backbone: Any, **params: Any) -> DistilledClassifier:
    teacher = DummyClassifier().fit(np.zeros((N_OUTPUTS, 1)), np.arange(N_OUTPUTS))
    return DistilledClassifier(FrozenEstimator(teacher), CNNClassifier(backbone, **params))


EVERYTHING = {
    "loss": "logit_adjusted",
    "sampler": "balanced",
    "augmentation": "default",
    "ema_decay": 0.999,
    "gradient_clipping": 1.0,
    "lr_schedule": "cosine",
}
ONE_LABEL = (
    Task("cross entropy", CNNClassifier, stock=True),
    Task(
        "focal, class weights",
        CNNClassifier,
        {"loss": "focal", "class_weight": "balanced"},
        weighted_focal,
        class_weight_of,
    ),
    Task("everything", CNNClassifier, EVERYTHING, logit_adjusted, log_prior_of, balanced_rows),
    Task("distilled", distilled, {}, distillation, teacher_of),
)
LABELS = (
    Task(
        "labels, BCE",
        MultilabelCNNClassifier,
        {},
        F.binary_cross_entropy_with_logits,
        targets="labels",
    ),
    Task(
        "labels, asymmetric",
        MultilabelCNNClassifier,
        {"loss": "asymmetric", "sampler": "repeat_factor"},
        asymmetric,
        order=repeated_rows,
        targets="unknown labels",
    ),
)
CLIPS = (Task("clips, GRU", ImageSequenceClassifier),)
TABLE_TASKS = tuple(
    Task(**{**vars(task), "params": {k: v for k, v in task.params.items() if k != "augmentation"}})
    for task in ONE_LABEL + LABELS
)


@dataclass(frozen=True)
class Problem:
    """A network, the shape of its samples, their number, and what is done with them."""

    build: Callable[..., torch.nn.Module]
    shape: tuple[int, ...]
    n_samples: int
    tasks: tuple[Task, ...]
    device: str = "cpu"
    amp: str | None = None

    def data(self, task: Task, share: float) -> Data:
        """Return the samples of a task, or a share of them."""
        return make_data(self.shape, round(self.n_samples * share), task.targets)


PROBLEMS = {
    "MLP 784-128-10": Problem(MultilayerPerceptron, (784,), 30_000, TABLE_TASKS),
    "CNN 16-32": Problem(SmallCNN, (1, 28, 28), 5000, ONE_LABEL + LABELS),
    "CNN 16-32, GRU": Problem(RecurrentCNN, (8, 1, 16, 16), 2000, CLIPS),
    "residual": Problem(ResNet, (3, 64, 64), 50_000, ONE_LABEL + LABELS, "cuda", "bfloat16"),
    "residual, GRU": Problem(
        partial(RecurrentCNN, frame_backbone=ResNet),
        (8, 3, 64, 64),
        6000,
        CLIPS,
        "cuda",
        "bfloat16",
    ),
}


def bare_loop(task: Task, problem: Problem, data: Data) -> Times:
    """Train for an epoch as the parameters of the estimator say, without it."""
    begin, watch = time.perf_counter(), Stopwatch()
    params, device = task.params, problem.device
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    extras = task.extras(data)
    per_row = {name: values for name, values in extras.items() if len(values) == len(X)}
    fixed = {name: values.to(device) for name, values in extras.items() if name not in per_row}
    module = problem.build(tuple(X.shape[1:]), N_OUTPUTS).to(device).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    augmentation = get_augmentation(params["augmentation"]) if "augmentation" in params else None
    schedule = average = None
    if "lr_schedule" in params:
        schedule = CosineAnnealingLR(optimizer, math.ceil(len(X) / BATCH_SIZE))
    if "ema_decay" in params:
        average_function = get_ema_multi_avg_fn(params["ema_decay"])
        average = AveragedModel(module, multi_avg_fn=average_function, use_buffers=True)
    total = 0.0
    watch.on_epoch_begin()
    for rows in task.order(y).split(BATCH_SIZE):
        X_batch, y_batch = X[rows].to(device), y[rows].to(device)
        inputs = {name: values[rows].to(device) for name, values in per_row.items()}
        lengths = {} if data.lengths is None else {"lengths": torch.from_numpy(data.lengths)[rows]}
        if augmentation is not None:
            X_batch = augmentation(X_batch)
        optimizer.zero_grad()
        with autocast(problem):
            logits = module(X_batch, **lengths)
        loss = task.criterion(logits.float(), y_batch, **inputs, **fixed)
        loss.backward()
        if "gradient_clipping" in params:
            torch.nn.utils.clip_grad_norm_(module.parameters(), params["gradient_clipping"])
        optimizer.step()
        if average is not None:
            average.update_parameters(module)
        if schedule is not None:
            schedule.step()
        total += loss.item() * len(rows)
    watch.on_epoch_end()
    return watch.times(begin)


def autocast(problem: Problem) -> torch.autocast:
    dtype = None if problem.amp is None else getattr(torch, problem.amp)
    return torch.autocast(problem.device, dtype=dtype, enabled=problem.amp is not None)


def fit_estimator(task: Task, problem: Problem, data: Data) -> Times:
    begin = time.perf_counter()
    # The callback is copied into the net, so its times are read there.
    clf = make_estimator(task, problem, callbacks=[("watch", Stopwatch())])
    lengths = {} if data.lengths is None else {"lengths": data.lengths}
    clf.fit(data.X, data.y, **lengths)
    return dict(getattr(clf, "student_", clf).net_.callbacks_)["watch"].times(begin)


def make_estimator(task: Task, problem: Problem, **params: Any) -> Any:
    return task.estimator(
        problem.build,
        max_epochs=1,
        batch_size=BATCH_SIZE,
        lr=LR,
        weight_decay=WEIGHT_DECAY,
        device=problem.device,
        amp=problem.amp,
        **task.params,
        **params,
    )


def stock_skorch(task: Task, problem: Problem, data: Data) -> Times:
    begin, watch = time.perf_counter(), Stopwatch()
    NeuralNetClassifier(
        partial(problem.build, data.X.shape[1:], N_OUTPUTS),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=WEIGHT_DECAY,
        lr=LR,
        max_epochs=1,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        callbacks=[watch],
        device=problem.device,
    ).fit(data.X, data.y)
    return watch.times(begin)


Contender = Callable[[Task, Problem, Data], Times]
BARE, ESTIMATOR, STOCK = "bare torch loop", "estimator", "stock skorch"
CONTENDERS: dict[str, Contender] = {
    BARE: bare_loop,
    ESTIMATOR: fit_estimator,
    STOCK: stock_skorch,
}


def contenders_of(task: Task, problem: Problem) -> list[str]:
    stock = task.stock and problem.build is MultilayerPerceptron
    return [name for name in CONTENDERS if name != STOCK or stock]


def bare_prediction(problem: Problem, data: Data, module: torch.nn.Module) -> Times:
    """Predict probabilities by a bare loop."""
    watch = Stopwatch()
    watch.on_epoch_begin()
    proba = []
    module.eval()
    with torch.no_grad():
        for start in range(0, len(data.X), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            X = torch.from_numpy(data.X[rows]).to(problem.device)
            lengths = {}
            if data.lengths is not None:
                lengths["lengths"] = torch.from_numpy(data.lengths[rows])
            with autocast(problem):
                logits = module(X, **lengths)
            proba.append(logits.cpu().double().softmax(dim=1).numpy())
    np.concatenate(proba)
    watch.on_epoch_end()
    return watch.times(watch.start[0])


def predict(clf: Any, data: Data) -> Times:
    """Predict probabilities by an estimator."""
    watch = Stopwatch()
    watch.on_epoch_begin()
    clf.predict_proba(data.X, **({} if data.lengths is None else {"lengths": data.lengths}))
    watch.on_epoch_end()
    return watch.times(watch.start[0])


def compare(runs: Mapping[str, Callable[[], Times]], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return the times of every contender, of shape (rounds, 3)."""
    times: dict[str, list[Times]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    return {name: np.array(rows) for name, rows in times.items()}


def peak_mb(name: str, i_task: int, contender: str | None, rows: float, n_threads: int) -> float:
    """Return the peak of memory when a contender trains, or None; for a process of its own."""
    torch.set_num_threads(n_threads)
    problem, task = PROBLEMS[name], PROBLEMS[name].tasks[i_task]
    data = problem.data(task, rows)
    for first in (BARE, ESTIMATOR):
        CONTENDERS[first](task, problem, data.head(2 * N_OUTPUTS))  # imports and initialises
    if problem.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    if contender is not None:
        CONTENDERS[contender](task, problem, data)
    if problem.device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def extra_mb(name: str, i_task: int, rows: float, n_threads: int) -> dict[str, float]:
    """Return what training adds to the peak of a process, by contender."""
    base = base_mb(name, PROBLEMS[name].tasks[i_task].targets, rows, n_threads)
    return {
        contender: in_new_process(peak_mb, name, i_task, contender, rows, n_threads) - base
        for contender in (BARE, ESTIMATOR)
    }


@cache
def base_mb(name: str, targets: str, rows: float, n_threads: int) -> float:
    """Return the peak of a process that has imported everything and holds the data."""
    i_task = [task.targets for task in PROBLEMS[name].tasks].index(targets)
    return in_new_process(peak_mb, name, i_task, None, rows, n_threads)


def in_new_process(function: Callable[..., float], *arguments: Any) -> float:
    # With it the C library of Linux gives back what is freed: the peak is the same in every run.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"
    context = multiprocessing.get_context("forkserver")
    # An optimizer imports the second when it is first made, which takes seconds.
    context.set_forkserver_preload(["__main__", "torch._dynamo"])
    with context.Pool(1) as pool:
        return pool.apply(function, arguments)


@dataclass(frozen=True)
class Row:
    """A contender beside the bare loop."""

    network: str
    rows: str
    work: str
    contender: str
    seconds: float
    rows_per_second: float
    ratio: float
    cpu_ratio: float
    rest_seconds: float
    extra_mb: float = math.nan
    memory_ratio: float = math.nan
    at_most: float = math.inf
    at_most_memory: float = math.inf

    @property
    def holds(self) -> bool:
        """Whether every aim is met."""
        return not (self.ratio > self.at_most or self.memory_ratio > self.at_most_memory)


LAYOUT = "{:<15} {:<19} {:<20} {:<15} {:>7} {:>7} {:>5} {:>5} {:>6} {:>8} {:>6}"
COLUMNS = ("network", "rows", "work", "contender", "s/epoch", "rows/s", "ratio", "cpu", "rest s")


def rows_of(
    problem: Problem,
    head: tuple[str, str, str],
    n_samples: int,
    times: Mapping[str, NDArray[np.float64]],
    extra: Mapping[str, float],
    data_mb: float,
) -> Iterator[Row]:
    """Yield a row per contender, the estimator's with its aims."""
    for contender, own in times.items():
        seconds, _, rest = np.median(own, axis=0)
        ratio, cpu_ratio, _ = np.median(own / times[BARE], axis=0)
        most = MOST_TIME if problem.device == "cpu" else MOST_TIME_ON_CUDA
        aims = (most, MOST_MEMORY) if contender == ESTIMATOR else (math.inf, math.inf)
        more = extra.get(contender, math.nan)
        memory_ratio = (more + data_mb) / (extra.get(BARE, math.nan) + data_mb)
        numbers = (seconds, n_samples / seconds, ratio, cpu_ratio, rest, more, memory_ratio)
        yield Row(*head, contender, *map(float, numbers), *aims)


def measure(name: str, arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of a network: every task, then predictions."""
    problem = PROBLEMS[name]
    for i_task, task in enumerate(problem.tasks):
        data = problem.data(task, arguments.rows)
        small, size = data.head(1000), " x ".join(map(str, data.X.shape))
        runs = {c: partial(CONTENDERS[c], task, problem) for c in contenders_of(task, problem)}
        compare({c: partial(run, small) for c, run in runs.items()}, 1)  # to warm up, not counted
        times = compare({c: partial(run, data) for c, run in runs.items()}, arguments.rounds)
        extra = {}
        if not arguments.no_memory:
            extra = extra_mb(name, i_task, arguments.rows, arguments.threads)
        data_mb = data.X.nbytes / 2**20 if problem.device == "cpu" else 0.0
        yield from rows_of(problem, (name, size, task.name), len(data.X), times, extra, data_mb)
    task, data = problem.tasks[0], problem.data(problem.tasks[0], arguments.rows)
    lengths = {} if data.lengths is None else {"lengths": data.lengths[:1000]}
    clf = make_estimator(task, problem).fit(data.X[:1000], data.y[:1000], **lengths)
    runs = {
        BARE: partial(bare_prediction, problem, data, clf.net_.module_),
        ESTIMATOR: partial(predict, clf, data),
    }
    compare(runs, 1)
    times = compare(runs, arguments.rounds)
    yield from rows_of(problem, (name, size, "predict_proba"), len(data.X), times, {}, 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--rows", type=float, default=1.0, help="share of the stated rows")
    parser.add_argument("--only", choices=PROBLEMS, action="append", help="some networks")
    parser.add_argument("--no-memory", action="store_true", help="measure time alone")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"Medians of {arguments.rounds} rounds, {arguments.threads} thread(s)")
    print(LAYOUT.format(*COLUMNS, "extra MB", "ratio"))
    missed = []
    for name in arguments.only or PROBLEMS:
        if PROBLEMS[name].device == "cuda" and not torch.cuda.is_available():
            print(f"no CUDA device: {name} is not measured")
            continue
        for row in measure(name, arguments):
            numbers = (
                f"{row.seconds:.3f}",
                f"{row.rows_per_second:.0f}",
                f"{row.ratio:.2f}",
                f"{row.cpu_ratio:.2f}",
                f"{row.rest_seconds:.2f}",
                f"{row.extra_mb:.1f}",
                f"{row.memory_ratio:.2f}",
            )
            print(
                LAYOUT.format(row.network, row.rows, row.work, row.contender, *numbers), flush=True
            )
            if not row.holds:
                missed.append(row)
    for row in missed:
        print(f"missed: {row}")
    return len(missed) > 0


if __name__ == "__main__":
    sys.exit(main())
