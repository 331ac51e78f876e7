"""Epoch time of CNNClassifier against a bare torch loop and against stock skorch.

Every contender trains the same network on the same synthetic data with the same optimizer. They
take turns, one epoch each a round. The table holds medians over the rounds: seconds of an epoch,
its ratio to the bare loop of the same round and loss, by the wall clock and by processor time
(which a busy machine disturbs less), and the seconds that a call takes beside its epoch: for
CNNClassifier the checks of the input, most of all.

    python benchmarks/network.py [--rounds 7] [--threads 1] [--rows 1.0]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import Tensor

from skrecall.neural_network import CNNClassifier
from skrecall.nn import MultilayerPerceptron, SmallCNN

N_CLASSES = 10
BATCH_SIZE = 128
LR = 1e-3
WEIGHT_DECAY = 1e-4

Data = tuple[NDArray[np.float32], NDArray[np.int64]]
# Seconds of the epoch by wall clock and by processor time, and of the rest of the call.
Times = tuple[float, float, float]
Build = Callable[[tuple[int, ...], int], torch.nn.Module]


def make_data(shape: tuple[int, ...], n_samples: int) -> Data:
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % N_CLASSES
    centres = rng.normal(size=(N_CLASSES, *shape)).astype(np.float32)
    return centres[y] + rng.normal(size=(n_samples, *shape)).astype(np.float32), y


class Stopwatch(Callback):
    """Time one epoch, and what is around it."""

    def __init__(self):
        self.begin = time.perf_counter()

    def on_epoch_begin(self, *args, **kwargs):
        self.start = time.perf_counter(), time.process_time()

    def on_epoch_end(self, *args, **kwargs):
        self.stop = time.perf_counter(), time.process_time()

    def times(self) -> Times:
        total = time.perf_counter() - self.begin
        wall, cpu = (stop - start for start, stop in zip(self.start, self.stop, strict=True))
        return wall, cpu, total - wall


def cross_entropy(logits: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return F.cross_entropy(logits, y)


def weighted_focal(logits: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    losses = F.cross_entropy(logits, y, reduction="none")
    return (weight * (1 - torch.exp(-losses)) ** 2 * losses).mean()


def bare_loop(
    build: Build, data: Data, *, criterion: Callable[..., Tensor] = cross_entropy
) -> Times:
    watch = Stopwatch()
    X, y = map(torch.from_numpy, data)
    weight = torch.ones(len(X))
    module = build(tuple(X.shape[1:]), N_CLASSES)
    optimizer = torch.optim.AdamW(module.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    watch.on_epoch_begin()
    total = 0.0
    module.train()
    for rows in torch.randperm(len(X)).split(BATCH_SIZE):
        optimizer.zero_grad()
        loss = criterion(module(X[rows]), y[rows], weight[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    watch.on_epoch_end()
    return watch.times()


def cnn_classifier(build: Build, data: Data, **params: object) -> Times:
    # The callback is copied into the net, so its times are read there.
    clf = CNNClassifier(
        build,
        max_epochs=1,
        batch_size=BATCH_SIZE,
        lr=LR,
        weight_decay=WEIGHT_DECAY,
        device="cpu",
        callbacks=[("watch", Stopwatch())],
        **params,
    )
    return dict(clf.fit(*data).net_.callbacks_)["watch"].times()


def stock_skorch(build: Build, data: Data) -> Times:
    watch = Stopwatch()
    NeuralNetClassifier(
        partial(build, data[0].shape[1:], N_CLASSES),
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
    ).fit(*data)
    return watch.times()


# By loss; the first of each is what the others are compared with.
CONTENDERS: dict[str, dict[str, Callable[[Build, Data], Times]]] = {
    "cross entropy": {
        "bare torch loop": bare_loop,
        "CNNClassifier": cnn_classifier,
        "stock skorch": stock_skorch,
    },
    "focal, weights": {
        "bare torch loop": partial(bare_loop, criterion=weighted_focal),
        "CNNClassifier": partial(cnn_classifier, loss="focal", class_weight="balanced"),
    },
}

PROBLEMS: dict[str, tuple[Build, tuple[int, ...], int]] = {
    "MLP 784-128-10": (MultilayerPerceptron, (784,), 60_000),
    "CNN 16-32": (SmallCNN, (1, 28, 28), 10_000),
}


def compare(
    contenders: dict[str, Callable[[Build, Data], Times]], build: Build, data: Data, rounds: int
) -> dict[str, NDArray[np.float64]]:
    """Return the times of every contender, of shape (rounds, 3)."""
    times: dict[str, list[Times]] = {name: [] for name in contenders}
    for run in contenders.values():  # to warm up, not counted
        run(build, (data[0][:1000], data[1][:1000]))
    for _ in range(rounds):
        for name, run in contenders.items():
            times[name].append(run(build, data))
    return {name: np.array(rows) for name, rows in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--rows", type=float, default=1.0, help="share of the stated rows")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"Medians of {args.rounds} rounds, {args.threads} thread(s), batches of {BATCH_SIZE}")
    columns = ("network", "rows", "loss", "contender", "s/epoch", "ratio", "cpu ratio", "rest s")
    layout = "{:<15} {:<20} {:<15} {:<16} {:>7} {:>6} {:>9} {:>7}"
    print(layout.format(*columns))
    for problem, (build, shape, n_stated) in PROBLEMS.items():
        data = make_data(shape, round(n_stated * args.rows))
        size = " x ".join(map(str, data[0].shape))
        for loss, contenders in CONTENDERS.items():
            times = compare(contenders, build, data, args.rounds)
            bare = next(iter(times.values()))
            for name, own in times.items():
                wall, _, rest = np.median(own, axis=0)
                ratio, cpu_ratio, _ = np.median(own / bare, axis=0)
                row = (f"{wall:.3f}", f"{ratio:.2f}", f"{cpu_ratio:.2f}", f"{rest:.2f}")
                print(layout.format(problem, size, loss, name, *row), flush=True)


if __name__ == "__main__":
    main()
