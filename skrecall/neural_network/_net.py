"""The inner engine: a skorch net with sample weights, mixed precision and a lean history.

Estimators build one in `fit` and keep it as ``net_``; they never inherit from it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.utils import TeeGenerator
from torch import Tensor, nn

from skrecall.nn import split_parameters

from ._building import argument_names
from ._callbacks import _WeightAverage
from ._data import _SlicedBatches


def _softmax(logits: Tensor) -> Tensor:
    # In float64, so that confident scores do not all tie at 1; MPS has no such type.
    return torch.softmax(logits.cpu().double(), dim=1)


def _sigmoid(logits: Tensor) -> Tensor:
    return torch.sigmoid(logits.cpu().double())


NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {"softmax": _softmax, "sigmoid": _sigmoid}


def shape_or_type(value: Any) -> str:
    """Return what a message calls something that should have been a tensor.

    Parameters
    ----------
    value : object
        What a callable returned.

    Returns
    -------
    shown : str
        Its shape if it is a tensor, else its type.
    """
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"a {type(value).__name__}"


class _Net(NeuralNet):
    """A skorch net for batches of `_SlicedBatches`.

    uint8 samples are scaled by 1/255 on the device, a batch at a time. The network and the loss get
    every input of a batch that they have an argument for, by its name. A loss that does not take
    ``sample_weight`` is averaged here, weight times loss. A loss with ``start_epoch`` is told where
    training stands. A diverged fit raises; the records of single batches are dropped once their
    epoch is over. Built with keywords only.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    amp : {"bfloat16", "float16"}, default=None
        Precision of the forward pass; None is float32.
    backbone_lr : float, default=None
        Learning rate of all parameters but the head's; None is that of the head.
    **kwargs : object
        Of skorch's `NeuralNet`.

    Attributes
    ----------
    n_epochs : int
        Rows that the history will have at most; set before every fit.
    augmentation : callable or None
        From a batch on the device to one, or to ``(X, order, share)``; training only.
    batch_sampler : callable or None
        From the targets to the row numbers of every training batch.
    reweight_epoch : int
        Number of the epoch, from 0, in which ``late_weight`` begins to act.
    average_ : _WeightAverage or None
        What the weights are averaged in.
    step_skipped_ : bool
        Whether the last step left the weights alone, as a float16 gradient overflowed.
    """

    cuda_dependent_attributes_ = [*NeuralNet.cuda_dependent_attributes_, "average_"]

    def __init__(
        self,
        *,
        n_outputs: int,
        amp: str | None = None,
        backbone_lr: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.n_outputs = n_outputs
        self.amp = amp
        self.backbone_lr = backbone_lr
        self.n_epochs = self.max_epochs
        self.augmentation: Callable[[Tensor], Any] | None = None
        self.batch_sampler: Callable[[Tensor], Any] | None = None
        self.reweight_epoch = 0
        self.average_: _WeightAverage | None = None
        self.step_skipped_ = False

    def initialize_module(self) -> "_Net":
        """Build the network, and see which inputs it takes.

        Returns
        -------
        self : _Net
            The same net.
        """
        super().initialize_module()
        self._module_inputs = argument_names(self.module_) - {"X"}
        return self

    def initialize_criterion(self) -> "_Net":
        """Build the loss, and see which inputs it takes.

        Returns
        -------
        self : _Net
            The same net.
        """
        super().initialize_criterion()
        self._loss_inputs = argument_names(self.criterion_)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "_Net":
        """Build the optimizer, and what keeps float16 gradients from vanishing.

        Parameters
        ----------
        triggered_directly : bool, default=None
            Of skorch's.

        Returns
        -------
        self : _Net
            The same net.
        """
        super().initialize_optimizer(triggered_directly)
        self.scaler_ = torch.amp.GradScaler(
            torch.device(self.device).type, enabled=self.amp == "float16"
        )
        return self

    def torch_compile(self, module: nn.Module, name: str) -> nn.Module:
        """Compile the network in place, so that it keeps its class and the names of its weights.

        Parameters
        ----------
        module : torch.nn.Module
            The network or the loss.
        name : str
            Which of them.

        Returns
        -------
        module : torch.nn.Module
            The same module.
        """
        if self.compile and name == "module":
            module.compile()
        return module

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Any
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the optimizer is built of: a group for the backbone if it has its own rate.

        Parameters
        ----------
        prefix : str
            Of skorch's.
        named_parameters : iterable of (str, Parameter)
            All that is learnt.

        Returns
        -------
        args : tuple
            Parameters, or groups of them.
        kwargs : dict
            Arguments of the optimizer.
        """
        if self.backbone_lr is None:
            return super().get_params_for_optimizer(prefix, named_parameters)
        named_parameters = list(named_parameters)
        _, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        slow, _ = split_parameters(self.module_)
        if not slow:
            raise ValueError(
                f"backbone_lr={self.backbone_lr} is the learning rate of the backbone, of which "
                "nothing is trained: leave it out, or freeze less than all of the backbone."
            )
        known = {id(p) for p in slow}
        groups = [
            {"params": [p for _, p in named_parameters if id(p) not in known]},
            {"params": slow, "lr": self.backbone_lr, "part": "backbone"},
        ]
        return (groups,), kwargs

    def set_learning_rates(self, lr: float) -> None:
        """Set the learning rates of the groups of parameters, as if training began.

        Parameters
        ----------
        lr : float
            Learning rate of the head, or of all.
        """
        self.lr = lr
        for group in self.optimizer_.param_groups:
            group["lr"] = self.backbone_lr if group.get("part") == "backbone" else lr

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Return skorch's own callbacks, without the table of epochs unless `verbose`.

        Returns
        -------
        callbacks : list of (str, Callback)
            Name and callback.
        """
        callbacks = super().get_default_callbacks()
        return callbacks if self.verbose else [c for c in callbacks if c[0] != "print_log"]

    def fit_loop(
        self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any
    ) -> "_Net":
        """Train until the history has ``n_epochs`` rows.

        Parameters
        ----------
        X : Dataset
            The training rows.
        y : None
            Unused.
        epochs : int, default=None
            Epochs to train in place of those that are left.
        **fit_params : object
            Of skorch's.

        Returns
        -------
        self : _Net
            The same net.
        """
        epochs = self.n_epochs - len(self.history) if epochs is None else epochs
        return super().fit_loop(X, y, epochs=epochs, **fit_params)

    def run_single_epoch(self, iterator: Any, training: bool, *args: Any, **kwargs: Any) -> None:
        """Pass once over batches; averaged weights leave the network only to let it learn.

        Parameters
        ----------
        iterator : iterable of batches, or None
            The batches.
        training : bool
            Whether the network learns.
        *args, **kwargs : object
            Of skorch's.
        """
        average = self.average_ if training else None
        if average is not None:
            average.swap(self.module_)
        try:
            super().run_single_epoch(iterator, training, *args, **kwargs)
        finally:
            if average is not None:
                average.swap(self.module_)

    def _on_device(self, X: Tensor) -> Tensor:
        X = X.to(self.device)
        return X.float().div_(255) if X.dtype == torch.uint8 else X

    def infer(self, x: Mapping[str, Tensor], **fit_params: Any) -> Tensor:
        """Return the logits of a batch, in float32.

        Parameters
        ----------
        x : mapping of str to Tensor
            The inputs of a batch.
        **fit_params : object
            Unused.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        """
        X = self._on_device(x["X"])
        others = self._taken(x, self._module_inputs)
        if self.amp is None:
            return self.module_(X, **others)
        with torch.autocast(torch.device(self.device).type, dtype=getattr(torch, self.amp)):
            logits = self.module_(X, **others)
        return logits.float()

    def _taken(self, inputs: Mapping[str, Tensor], names: frozenset[str]) -> dict[str, Tensor]:
        return {name: x.to(self.device) for name, x in inputs.items() if name in names}

    def evaluation_step(self, batch: Any, training: bool = False) -> Tensor:
        """Return the logits of a batch, scaled as the loss reads them.

        Parameters
        ----------
        batch : tuple
            Inputs and targets.
        training : bool, default=False
            Whether dropout and the like are on.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            What the nonlinearity turns into probabilities.
        """
        logits = super().evaluation_step(batch, training=training)
        scale = getattr(self.criterion_, "predict_scale", 1.0)
        return logits if scale == 1 else logits * scale

    def mean_logits(self, dataset: Any, views: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
        """Return the mean logits over the samples as they are and as each view shows them.

        Parameters
        ----------
        dataset : _ArrayDataset
            The samples.
        views : sequence of callable
            From a batch on the device to one of the same shape.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            On the CPU.
        """
        if not views:
            return self.forward(dataset)
        means = []
        for inputs, y in self.get_iterator(dataset, training=False):
            X = self._on_device(inputs["X"])
            shown = [X, *(view(X) for view in views)]
            for x in shown:
                if not isinstance(x, Tensor) or x.shape != X.shape:
                    raise ValueError(
                        f"A callable of test_time_views made {shape_or_type(x)} of a batch of "
                        f"shape {tuple(X.shape)}: it must return a tensor of that shape."
                    )
            logits = [self.evaluation_step(({**inputs, "X": x}, y)) for x in shown]
            means.append(torch.stack(logits).mean(dim=0).cpu())
        return torch.cat(means)

    def get_loss(
        self,
        y_pred: Tensor,
        y_true: Tensor,
        X: Mapping[str, Tensor] | None = None,
        training: bool = False,
    ) -> Tensor:
        """Return the mean of weight times loss over a batch.

        Parameters
        ----------
        y_pred : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        y_true : Tensor of shape (n_samples, ...)
            Targets.
        X : mapping of str to Tensor
            The inputs of the batch, which carry its weights.
        training : bool, default=False
            Whether the network learns from it.

        Returns
        -------
        loss : Tensor of shape ()
            The loss to descend.

        Raises
        ------
        ValueError
            If there are weights and the loss is reduced already.
        """
        X = self._weighted(X or {}, training)
        losses = self.criterion_(
            y_pred, y_true.to(self.device), **self._taken(X, self._loss_inputs)
        )
        if "sample_weight" in self._loss_inputs or "sample_weight" not in X:
            return losses.mean() if losses.ndim else losses
        if losses.shape[:1] != y_pred.shape[:1]:
            raise ValueError(
                f"{type(self.criterion_).__name__} returned shape {tuple(losses.shape)} for "
                f"{len(y_pred)} rows: weights, and augmentations that mix samples, need one loss "
                "per row. Give the loss a `reduction` attribute that may be 'none', or do without."
            )
        losses = losses.reshape(len(losses), -1).mean(dim=1)
        return (losses * X["sample_weight"].to(self.device)).mean()

    def _weighted(self, inputs: Mapping[str, Tensor], training: bool) -> Mapping[str, Tensor]:
        """Let late weights take the place of the others: from their epoch on, or to validate."""
        if "late_weight" in inputs and (not training or len(self.history) > self.reweight_epoch):
            return {**inputs, "sample_weight": inputs["late_weight"]}
        return inputs

    def train_step(
        self, batch: tuple[dict[str, Tensor], Tensor], **fit_params: Any
    ) -> dict[str, Tensor]:
        """Take one step of the optimizer.

        Parameters
        ----------
        batch : tuple
            Inputs and targets.
        **fit_params : object
            Unused.

        Returns
        -------
        step : dict
            ``loss`` and ``y_pred``.
        """
        self._set_training(True)
        self._zero_grad_optimizer()
        X, y = batch
        shown, mixed = self._augmented(X)
        y_pred = self.infer(shown)
        loss = self._mixed_loss(y_pred, y, X, *mixed)
        self.scaler_.scale(loss).backward()
        self.scaler_.unscale_(self.optimizer_)
        self.notify(
            "on_grad_computed",
            named_parameters=TeeGenerator(self.get_all_learnable_params()),
            batch=batch,
            training=True,
        )
        self._step_scaled()
        if self.average_ is not None and not self.step_skipped_:
            self.average_.update(self.module_)
        return {"loss": loss, "y_pred": y_pred}

    def _augmented(
        self, inputs: Mapping[str, Tensor]
    ) -> tuple[Mapping[str, Tensor], tuple[Tensor, ...]]:
        """Return a batch augmented, and partners and shares if samples were mixed."""
        if self.augmentation is None:
            return inputs, ()
        with torch.no_grad():
            augmented = self.augmentation(self._on_device(inputs["X"]))
        X, *mixed = augmented if isinstance(augmented, tuple) and augmented else (augmented,)
        if not isinstance(X, Tensor) or len(X) != len(inputs["X"]) or len(mixed) not in (0, 2):
            shown = shape_or_type(augmented)
            raise ValueError(
                f"augmentation made {shown} of a batch of shape {tuple(inputs['X'].shape)}: it "
                "must return a tensor of as many samples, or a tuple (X, order, share) if it mixes "
                "them."
            )
        return {**inputs, "X": X}, tuple(mixed)

    def _mixed_loss(
        self, y_pred: Tensor, y: Tensor, X: Mapping[str, Tensor], *mixed: Tensor
    ) -> Tensor:
        """Return the loss for the targets, or for those of both partners by what is in a sample."""
        if not mixed:
            return self.get_loss(y_pred, y, X=X, training=True)
        order, share = mixed
        X = self._weighted(X, training=True)
        rows = order.to(y.device)
        total = y_pred.new_zeros(())
        for part, targets, inputs in (
            (share, y, X),
            (1 - share, y[rows], {name: values[rows] for name, values in X.items()}),
        ):
            part = torch.as_tensor(part, device=y.device).expand(len(y))
            weight = part * inputs["sample_weight"] if "sample_weight" in inputs else part
            inputs = {k: v for k, v in inputs.items() if k != "late_weight"}
            weighted = {**inputs, "sample_weight": weight}
            total = total + self.get_loss(y_pred, targets, X=weighted, training=True)
        return total

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return the batches of a dataset, drawn by ``batch_sampler`` to train where there is one.

        Parameters
        ----------
        dataset : _ArrayDataset
            The rows.
        training : bool, default=False
            Whether the batches are learnt from.

        Returns
        -------
        batches : _SlicedBatches
            The batches.
        """
        if training and self.batch_sampler is not None:
            return _SlicedBatches(
                dataset, self.batch_size, batch_sampler=self.batch_sampler(dataset.y)
            )
        return super().get_iterator(dataset, training=training)

    def _step_scaled(self) -> None:
        """Step, unless a float16 gradient overflowed: then the next are scaled down."""
        self.scaler_.step(self.optimizer_)
        if not self.scaler_.is_enabled():
            return
        before = self.scaler_.get_scale()
        self.scaler_.update()
        self.step_skipped_ = self.scaler_.get_scale() < before

    def _set_training(self, training: bool = True) -> None:
        # Skorch walks through all modules in every step, though the mode changes twice an epoch. A
        # new network is in the mode it was tried in, and a new loss in that of training.
        if self.module_.training != training or self.criterion_.training != training:
            super()._set_training(training)

    def on_epoch_begin(self, net: "_Net", *args: Any, **kwargs: Any) -> None:
        self._drop_batches()
        super().on_epoch_begin(net, *args, **kwargs)
        if hasattr(self.criterion_, "start_epoch"):
            self.criterion_.start_epoch(len(self.history) - 1, self.n_epochs)

    def on_epoch_end(self, net: "_Net", *args: Any, **kwargs: Any) -> None:
        super().on_epoch_end(net, *args, **kwargs)
        loss = self.history[-1, "batches", :, "train_loss"][-1]
        if not math.isfinite(loss):
            raise ValueError(
                f"Training diverged in epoch {len(self.history)}, loss {loss}: scale the inputs, "
                f"or lower lr={self.lr}."
            )

    def on_train_end(self, net: "_Net", *args: Any, **kwargs: Any) -> None:
        super().on_train_end(net, *args, **kwargs)
        self._drop_batches()

    def _drop_batches(self) -> None:
        if len(self.history):
            self.history[-1]["batches"] = []


class _ClassifierNet(ClassifierMixin, _Net):
    """A net whose outputs are classes 0, 1, ..., so that skorch's scoring callbacks read it."""

    @property
    def classes_(self) -> NDArray[np.intp]:
        return np.arange(self.n_outputs)

    def predict(self, X: Any) -> NDArray[np.intp]:
        """Return the number of the likeliest class.

        Parameters
        ----------
        X : _ArrayDataset
            The samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Class numbers.
        """
        return self.predict_proba(X).argmax(axis=1)
