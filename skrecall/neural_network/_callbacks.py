"""What happens beside the steps of training: schedules, averages of weights, scores held out."""

import math
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def cosine_schedule(optimizer: Optimizer, n_steps: int) -> LRScheduler:
    """Return a schedule that falls from the learning rate to 0 along half a cosine.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Whose rates are set.
    n_steps : int
        Steps there will be.

    Returns
    -------
    schedule : torch.optim.lr_scheduler.CosineAnnealingLR
        The schedule.
    """
    return CosineAnnealingLR(optimizer, T_max=n_steps)


def one_cycle_schedule(optimizer: Optimizer, n_steps: int) -> LRScheduler:
    """Return a schedule that rises to the learning rate for 30 % of the steps, then falls.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Whose rates are set.
    n_steps : int
        Steps there will be.

    Returns
    -------
    schedule : torch.optim.lr_scheduler.OneCycleLR
        The schedule.
    """
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, max_lr=peaks, total_steps=n_steps, cycle_momentum=False)


SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler]] = {
    "cosine": cosine_schedule,
    "one_cycle": one_cycle_schedule,
}


class _Schedule(Callback):
    """Set the learning rate after every step; the history gets that of each epoch's first step.

    Parameters
    ----------
    make : callable
        Called as ``make(optimizer, n_steps)``; returns a scheduler.
    n_steps : int
        Steps there will be at most.
    """

    def __init__(self, make: Callable[[Optimizer, int], LRScheduler], n_steps: int) -> None:
        self.make = make
        self.n_steps = n_steps

    def on_train_begin(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        self.steps_ = 0
        self.scheduler_: LRScheduler | None = self.make(net.optimizer_, self.n_steps)

    def on_epoch_begin(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        net.history.record("lr", net.optimizer_.param_groups[-1]["lr"])

    def on_batch_end(self, net: NeuralNet, *args: Any, training: bool, **kwargs: Any) -> None:
        if (
            training
            and self.scheduler_ is not None
            and not net.step_skipped_
            and self.steps_ < self.n_steps
        ):
            self.scheduler_.step()
            self.steps_ += 1

    def on_train_end(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        self.scheduler_ = None  # it would be pickled with a copy of the optimizer


class _HeldOutScore(Callback):
    """Record ``valid_score`` after every epoch.

    Parameters
    ----------
    score : callable
        Called without arguments; returns the score.
    """

    def __init__(self, score: Callable[[], float]) -> None:
        self.score: Callable[[], float] | None = score

    def on_epoch_end(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        if self.score is None:
            return
        score = float(self.score())
        if math.isnan(score):
            raise ValueError(
                f"scoring gave NaN for the rows held out in epoch {len(net.history)}, by which no "
                "epoch is the best: choose another score, or a greater validation_fraction."
            )
        net.history.record("valid_score", score)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "score": None}  # it holds data


class _ScoreStopping(EarlyStopping):
    """Early stopping by ``valid_score``; where epochs score alike, by ``valid_loss``.

    Scores of hard predictions, such as the recall of a rare class, stay where they are for epochs
    in which the network learns.

    Parameters
    ----------
    patience : int
        Epochs without improvement before training stops.
    """

    dynamic_threshold_: float

    def __init__(self, patience: int) -> None:
        super().__init__(
            monitor="valid_score",
            lower_is_better=False,
            patience=patience,
            threshold=0,
            load_best=True,
        )

    def on_train_begin(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        super().on_train_begin(net, **kwargs)
        self.first_score_: float | None = None
        self.best_loss_ = math.inf

    def on_epoch_end(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        score, loss = net.history[-1, ("valid_score", "valid_loss")]
        if self.first_score_ is None:
            self.first_score_ = score
        if score == self.dynamic_threshold_ and loss < self.best_loss_:
            self.dynamic_threshold_ = -math.inf  # so that an equal score is an improvement
        super().on_epoch_end(net, **kwargs)
        if self.misses_ == 0:
            self.best_loss_ = loss

    def stayed(self) -> bool:
        """Return whether no epoch of the fit scored better than its first, which was below 1.

        Returns
        -------
        stayed : bool
            The score then chose no epoch, or the first.
        """
        first = self.first_score_
        return first is not None and first < 1 and self.dynamic_threshold_ == first


class _WeightAverage:
    """The exponential moving average of a network's weights and statistics.

    Of the first steps it is nearly their mean: the decay grows as ``(1 + n) / (10 + n)`` up to the
    one given, as the weights of a network that has just begun to learn say little.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    decay : float in (0, 1)
        Share of the old average in the new one.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = self._decay_now = decay
        self.model = AveragedModel(module, multi_avg_fn=self._average, use_buffers=True)

    def _average(self, averaged: list[Tensor], current: list[Tensor], n_averaged: Tensor) -> None:
        if averaged[0].is_floating_point():
            get_ema_multi_avg_fn(self._decay_now)(averaged, current, n_averaged)
        else:
            for mean, value in zip(averaged, current, strict=True):
                mean.copy_(value)

    def update(self, module: nn.Module) -> None:
        """Take in the weights that a step has left.

        Parameters
        ----------
        module : torch.nn.Module
            The network.
        """
        n = int(self.model.n_averaged)
        self._decay_now = min(self.decay, (1 + n) / (10 + n))
        self.model.update_parameters(module)

    @torch.no_grad()
    def swap(self, module: nn.Module) -> None:
        """Exchange the average and the weights of the network.

        Parameters
        ----------
        module : torch.nn.Module
            The network.
        """
        for mean, value in zip(_tensors(self.model.module), _tensors(module), strict=True):
            kept = value.clone()
            value.copy_(mean)
            mean.copy_(kept)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())
