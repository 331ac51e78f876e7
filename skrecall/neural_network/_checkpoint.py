"""Checkpoints: all that a fit needs to go on after a kill as if nothing had happened.

There is one file per fit, named by a fingerprint of the parameters, the first weights and the data,
so that the same call finds it. It holds tensors and plain values only, and appears whole.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.history import History
from torch import Tensor

import skrecall

from ._data import _ArrayDataset
from ._fingerprint import PLAIN, fingerprint
from ._stored import _StoredDataset

# What changes how a fit is run or shown, and what the network itself says.
NOT_FINGERPRINTED = {"backbone", "checkpoint_dir", "n_threads", "n_workers", "verbose"}


def checkpoint_path(
    directory: str | os.PathLike[str],
    estimator: Any,
    net: NeuralNet,
    seed: int,
    datasets: Iterable[_ArrayDataset | None],
) -> Path:
    """Return where the checkpoint of a fit lies, in a directory that there is from now on.

    Parameters
    ----------
    directory : str or path
        Where checkpoints lie.
    estimator : BaseNetEstimator
        Whose parameters the fit has.
    net : NeuralNet
        The net before the fit.
    seed : int
        Seeds the fit.
    datasets : iterable of _ArrayDataset or None
        The rows of the fit.

    Returns
    -------
    path : pathlib.Path
        The file, which need not exist.

    Raises
    ------
    ValueError
        If the directory cannot be made, or not be written to.
    """
    params = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in NOT_FINGERPRINTED
    }
    rows = [None if d is None else (d.inputs, d.y, getattr(d, "source", None)) for d in datasets]
    versions = skrecall.__version__, torch.__version__
    name = fingerprint(
        versions, params, seed, len(net.history), net.module_, net.criterion_, net.device, rows
    )
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"checkpoint_dir={str(directory)!r} is no directory and cannot be made one "
            f"({type(error).__name__}): name one that you may write to."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(
            f"checkpoint_dir={str(directory)!r} cannot be written to: name a directory that you "
            "may write to."
        )
    return folder / f"{type(estimator).__name__}-{name}.pt"


def write_whole(state: Any, path: Path) -> None:
    """Write a file that is there whole or not at all.

    Parameters
    ----------
    state : object
        What `torch.save` takes.
    path : pathlib.Path
        Where.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def as_plain(value: Any) -> Any:
    """Return a value made of tensors and plain values only.

    Parameters
    ----------
    value : object
        Such a value, in which numbers may be numpy's.

    Returns
    -------
    plain : object
        The same, which torch loads without running code.

    Raises
    ------
    TypeError
        If it holds anything else.
    """
    if isinstance(value, (*PLAIN, Tensor)):
        return float(value) if isinstance(value, np.floating) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {as_plain(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(as_plain, value))
    raise TypeError(f"a {type(value).__name__}")


def callback_state(callback: Callback) -> dict[str, Any]:
    """Return where a callback stands: its attributes that end in an underscore.

    Parameters
    ----------
    callback : skorch callback
        Between two epochs.

    Returns
    -------
    state : dict of str to object
        Plain values, and the ``state_dict`` of what has one, such as schedulers; other attributes
        are left out.
    """
    state = {}
    for name, value in vars(callback).items():
        if name.endswith("_") and not name.startswith("_"):
            try:
                has_state = hasattr(value, "state_dict")
                state[name] = as_plain(value.state_dict() if has_state else value)
            except TypeError:
                continue
    return state


def set_callback_state(callback: Callback, state: Mapping[str, Any]) -> None:
    """Let a callback go on from where another stood.

    Parameters
    ----------
    callback : skorch callback
        At the beginning of training.
    state : mapping of str to object
        What `callback_state` returned.
    """
    for name, value in state.items():
        own: Any = getattr(callback, name, None)
        if hasattr(own, "load_state_dict"):
            if value is not None:  # at the end there is no schedule any more
                own.load_state_dict(value)
        else:
            setattr(callback, name, value)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of torch's generators that a fit draws from.

    Parameters
    ----------
    device : torch.device
        Where the net runs.

    Returns
    -------
    states : dict of str to Tensor
        By the type of device.
    """
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Let torch's generators go on from where they stood.

    Parameters
    ----------
    states : mapping of str to Tensor
        What `random_states` returned.
    device : torch.device
        Where the net runs.
    """
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps":
        torch.mps.set_rng_state(states["mps"])


class _Checkpoint(Callback):
    """Write the state of a fit after every epoch, and begin from what is written; the last one.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    datasets : list of _ArrayDataset
        The rows of the fit.
    """

    def __init__(self, path: Path, datasets: list[_ArrayDataset]) -> None:
        self.path = path
        self.datasets = datasets

    def on_train_begin(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        if not self.path.exists():
            return
        try:
            self._restore(net, torch.load(self.path, map_location="cpu", weights_only=True))
        except Exception as error:
            raise ValueError(
                f"{self.path} is no checkpoint that can be read ({type(error).__name__}): delete "
                "it, and the fit begins anew."
            ) from error
        if net.verbose:
            print(f"resuming after epoch {len(net.history)} of {net.n_epochs} from {self.path}")

    def on_epoch_end(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        if len(net.history) < net.n_epochs:
            write_whole(self._state(net, finished=False), self.path)

    def on_train_end(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        stopped = any(
            getattr(callback, "misses_", -1) == getattr(callback, "patience", None)
            for _, callback in net.callbacks_
        )
        whole = "train_loss" in net.history[-1]
        if whole and (stopped or len(net.history) == net.n_epochs):
            write_whole(self._state(net, finished=True), self.path)
        self.datasets = []

    def _state(self, net: NeuralNet, *, finished: bool) -> dict[str, Any]:
        return {
            "finished": finished,
            "history": [as_plain({**row, "batches": []}) for row in net.history],
            "module": net.module_.state_dict(),
            "criterion": net.criterion_.state_dict(),
            "optimizer": as_plain(net.optimizer_.state_dict()),
            "scaler": as_plain(net.scaler_.state_dict()),
            "average": None if net.average_ is None else net.average_.model.state_dict(),
            "random": random_states(torch.device(net.device)),
            "n_read": [d._n_read for d in self.datasets if isinstance(d, _StoredDataset)],
            "callbacks": {
                name: callback_state(callback)
                for name, callback in net.callbacks_
                if callback is not self
            },
        }

    def _restore(self, net: NeuralNet, state: Mapping[str, Any]) -> None:
        net.history = History(state["history"])
        if state["finished"]:
            net.n_epochs = len(net.history)
        net.module_.load_state_dict(state["module"])
        net.criterion_.load_state_dict(state["criterion"])
        net.optimizer_.load_state_dict(state["optimizer"])
        net.scaler_.load_state_dict(state["scaler"])
        if net.average_ is not None:
            net.average_.model.load_state_dict(state["average"])
        stored = [d for d in self.datasets if isinstance(d, _StoredDataset)]
        for dataset, n_read in zip(stored, state["n_read"], strict=True):
            dataset._n_read = n_read
        for name, callback in net.callbacks_:
            if callback is not self:
                set_callback_state(callback, state["callbacks"].get(name, {}))
        set_random_states(state["random"], torch.device(net.device))
