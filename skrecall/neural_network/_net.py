"""The inner engine: a skorch net with sample weights, mixed precision and a lean history.

Estimators build one in `fit` and keep it as ``net_``; they never inherit from it.
"""

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.utils import TeeGenerator
from torch import Tensor, nn

from skrecall.nn import MultilayerPerceptron, RecurrentCNN, SmallCNN, get_loss, takes_counts

DEFAULT_BACKBONES: dict[int, type[nn.Module]] = {
    1: MultilayerPerceptron,
    3: SmallCNN,
    4: RecurrentCNN,
}


def build_module(
    backbone: nn.Module | Callable[..., nn.Module] | None,
    input_shape: tuple[int, ...],
    n_outputs: int,
) -> nn.Module:
    """Return a new network, and see that it maps such samples to that many logits.

    Parameters
    ----------
    backbone : torch.nn.Module, callable or None
        A module is copied, weights included; a callable is called with the other two arguments;
        None gives `RecurrentCNN` for clips, `SmallCNN` for images and `MultilayerPerceptron` for
        tables.
    input_shape : tuple of int
        Shape of one sample.
    n_outputs : int
        Number of logits.

    Returns
    -------
    module : torch.nn.Module
        The network, on the CPU.

    Raises
    ------
    ValueError
        If it is no network, cannot take such samples, or returns something else than logits.
    """
    if backbone is None:
        backbone = DEFAULT_BACKBONES[len(input_shape)]
    if isinstance(backbone, nn.Module):
        module = copy.deepcopy(backbone).cpu()
    else:
        module = backbone(input_shape, n_outputs)
    if not isinstance(module, nn.Module):
        raise ValueError(
            f"backbone returned {type(module).__name__}: a callable must return a torch.nn.Module, "
            "given (input_shape, n_outputs)."
        )
    name = type(module).__name__
    module.eval()
    try:
        with torch.no_grad():
            logits = module(torch.zeros(2, *input_shape))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"The backbone {name} cannot take samples of shape {input_shape}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if found != (2, n_outputs):
        raise ValueError(
            f"The backbone {name} returned {found} for 2 samples of shape {input_shape}: it must "
            f"return one logit per class, shape {(2, n_outputs)}."
        )
    return module


def build_loss(
    loss: str | nn.Module | Mapping[str, float],
    params: Mapping[str, Any] | None,
    counts: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Return a new loss for a net.

    Parameters
    ----------
    loss : str, dict of str to float, or torch.nn.Module
        A name of ``skrecall.nn.LOSSES``, several and their weights, or a loss of logits and
        targets, which is copied.
    params : mapping of str to object or None
        Arguments of a loss given by name.
    counts : mapping of str to object, default=None
        What is counted in the training rows: a loss given by name gets what its arguments name.

    Returns
    -------
    loss : torch.nn.Module
        One that takes ``sample_weight`` averages over a batch; another has ``reduction="none"``
        where it has a reduction.

    Raises
    ------
    ValueError
        If the name is unknown, or there are arguments to a loss that exists already.
    """
    if isinstance(loss, str | Mapping):
        params = dict(params or {})
        filled = {name: (counts or {}).get(name) for name in takes_counts(loss, params)}
        known = {name: count for name, count in filled.items() if count is not None}
        return get_loss(loss, **{**known, **params, "reduction": "mean"})
    if params:
        raise ValueError(
            f"loss_params={params} belong to a loss given by name, and loss is a "
            f"{type(loss).__name__} already: set them there."
        )
    loss = copy.deepcopy(loss)
    if hasattr(loss, "reduction"):
        loss.reduction = "mean" if "sample_weight" in argument_names(loss) else "none"
    return loss


def argument_names(module: nn.Module) -> frozenset[str]:
    """Return the names of what a module is called with.

    Parameters
    ----------
    module : torch.nn.Module
        A network or a loss.

    Returns
    -------
    names : frozenset of str
        Names of the arguments of its ``forward``.
    """
    return frozenset(inspect.signature(module.forward).parameters)


def _softmax(logits: Tensor) -> Tensor:
    # In float64, so that confident scores do not all tie at 1; MPS has no such type.
    return torch.softmax(logits.cpu().double(), dim=1)


def _sigmoid(logits: Tensor) -> Tensor:
    return torch.sigmoid(logits.cpu().double())


NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {"softmax": _softmax, "sigmoid": _sigmoid}


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
    **kwargs : object
        Of skorch's `NeuralNet`.

    Attributes
    ----------
    n_epochs : int
        Rows that the history will have at most; set before every fit.
    """

    def __init__(self, *, n_outputs: int, amp: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_outputs = n_outputs
        self.amp = amp
        self.n_epochs = self.max_epochs

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
        X = x["X"].to(self.device)
        if X.dtype == torch.uint8:
            X = X.float().div_(255)
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
            Unused.

        Returns
        -------
        loss : Tensor of shape ()
            The loss to descend.

        Raises
        ------
        ValueError
            If there are weights and the loss is reduced already.
        """
        X = X or {}
        losses = self.criterion_(
            y_pred, y_true.to(self.device), **self._taken(X, self._loss_inputs)
        )
        if "sample_weight" in self._loss_inputs or "sample_weight" not in X:
            return losses.mean()
        if losses.shape[:1] != y_pred.shape[:1]:
            raise ValueError(
                f"{type(self.criterion_).__name__} returned shape {tuple(losses.shape)} for "
                f"{len(y_pred)} rows: sample_weight and class_weight need one loss per row. Give "
                "the loss a `reduction` attribute that may be 'none', or leave the weights out."
            )
        losses = losses.reshape(len(losses), -1).mean(dim=1)
        return (losses * X["sample_weight"].to(self.device)).mean()

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
        y_pred = self.infer(X)
        loss = self.get_loss(y_pred, y, X=X, training=True)
        self.scaler_.scale(loss).backward()
        self.scaler_.unscale_(self.optimizer_)
        self.notify(
            "on_grad_computed",
            named_parameters=TeeGenerator(self.get_all_learnable_params()),
            batch=batch,
            training=True,
        )
        self.scaler_.step(self.optimizer_)
        self.scaler_.update()
        return {"loss": loss, "y_pred": y_pred}

    def _set_training(self, training: bool = True) -> None:
        # Skorch walks through all modules in every step, though the mode changes twice an epoch.
        if self.module_.training != training:
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
