"""Training of the net inside an estimator: what its parameters become, and one fit of it."""

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping, ProgressBar
from skorch.helper import predefined_split
from torch import Tensor, nn

from skrecall.metrics import get_scorer
from skrecall.nn import BATCH_SAMPLERS, LOSSES, SigmoidLoss, SoftmaxLoss, get_augmentation
from skrecall.utils._fitting import MAX_SEED

from ._callbacks import SCHEDULES, _HeldOutScore, _Schedule, _ScoreStopping, _WeightAverage
from ._checkpoint import _Checkpoint, checkpoint_path
from ._data import _ArrayDataset, _SlicedBatches
from ._net import NONLINEARITIES, _Net
from ._runtime import check_amp, resolve_device, seeded, torch_threads

if TYPE_CHECKING:
    from ._base import BaseNetEstimator

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}
OF_TORCH = {
    nn.CrossEntropyLoss: "softmax",
    nn.MultiMarginLoss: "softmax",
    nn.BCEWithLogitsLoss: "sigmoid",
    nn.MultiLabelSoftMarginLoss: "sigmoid",
}
WrapLoss = Callable[[nn.Module], nn.Module]


def by_name(known: Mapping[str, Any], given: Any) -> Any:
    """Return what a name stands for, or what is no name as it is.

    Parameters
    ----------
    known : mapping of str to object
        What the names stand for.
    given : object
        A name, or what is used itself.

    Returns
    -------
    meant : object
        What is used.
    """
    return known[given] if isinstance(given, str) else given


def train_net(
    estimator: "BaseNetEstimator",
    train: _ArrayDataset,
    valid: _ArrayDataset | None = None,
    valid_labels: ArrayLike | None = None,
    *,
    counts: Mapping[str, Any],
    max_epochs: int,
    wrap_loss: WrapLoss | None,
    proceed: bool,
) -> None:
    """Train ``net_``, a new one unless training proceeds, and set ``history_``.

    A net that proceeds keeps its network, loss and state of the optimizer; all else is read from
    the parameters again.

    Parameters
    ----------
    estimator : BaseNetEstimator
        Whose net is trained.
    train, valid : _ArrayDataset
        The rows to train on, and those held out, if any.
    valid_labels : array-like, default=None
        The targets held out, as the user gave them.
    counts : mapping of str to object
        What is counted in the training rows.
    max_epochs : int
        Epochs to train.
    wrap_loss : callable or None
        Makes another loss of the loss.
    proceed : bool
        Whether the net that is there is trained further.
    """
    device = torch.device(estimator.net_.device) if proceed else resolve_device(estimator.device)
    check_amp(estimator.amp, device)
    seed = int(estimator._rng.randint(MAX_SEED))
    with torch_threads(estimator.n_threads), seeded(seed, device):
        if not proceed:
            estimator.net_ = make_net(estimator, device, counts, wrap_loss)
        net = estimator.net_
        n_before = len(net.history)
        net.n_epochs, net.batch_size = n_before + max_epochs, estimator.batch_size
        net.reweight_epoch = round(net.n_epochs * (estimator.reweight_from or 0))
        net.verbose = int(estimator.verbose)
        if net.lr != estimator.lr or estimator.lr_schedule is not None:
            net.set_learning_rates(estimator.lr)
        average_weights(net, estimator.ema_decay)
        # What is set from here on is kept for the fit only: a pickled estimator holds no data.
        try:
            net.augmentation = build_augmentation(estimator.augmentation, device)
            net.batch_sampler = build_sampler(
                estimator.sampler, estimator.sampler_params, net.batch_size
            )
            train.seed = seed
            net.train_split = None if valid is None else predefined_split(valid)
            n_steps = max_epochs * len(net.get_iterator(train, training=True))
            net.callbacks = make_callbacks(estimator, n_steps, valid, valid_labels)
            if estimator.checkpoint_dir is not None:
                path = checkpoint_path(
                    estimator.checkpoint_dir, estimator, net, seed, (train, valid)
                )
                rows = [dataset for dataset in (train, valid) if dataset is not None]
                net.callbacks.append(("checkpoint", _Checkpoint(path, rows)))
            net.initialize_callbacks()
            net.partial_fit(train)
        except BaseException:
            if not proceed:
                del estimator.net_
            raise
        finally:
            net.train_split = net.augmentation = net.batch_sampler = None
            for dataset in (train, valid):
                if dataset is not None:
                    dataset.close()
    if "train_loss" not in net.history[-1]:
        warnings.warn(
            f"Training was interrupted in epoch {len(net.history)}: "
            f"{type(estimator).__name__} keeps the weights it had then.",
            stacklevel=5,
        )
    if valid_labels is not None:
        warn_of_flat_score(estimator, n_before, valid_labels)
    estimator.history_ = pd.DataFrame(
        [
            {k: v for k, v in row.items() if k != "batches" and not k.endswith("_batch_count")}
            for row in net.history
        ]
    )


def warn_of_flat_score(
    estimator: "BaseNetEstimator", n_before: int, valid_labels: ArrayLike
) -> None:
    """Warn if early stopping looked at a score that no epoch of the fit raised.

    A fit of no more epochs than those it is patient for is too short to tell.

    Parameters
    ----------
    estimator : BaseNetEstimator
        Whose net was trained.
    n_before : int
        Epochs there were before this fit.
    valid_labels : array-like
        The targets held out, as the user gave them.
    """
    net = estimator.net_
    n_epochs = len(net.history) - n_before
    stop = dict(net.callbacks_)["early_stopping"]
    if not isinstance(stop, _ScoreStopping) or n_epochs <= stop.patience or not stop.stayed():
        return
    labels = np.asarray(valid_labels)
    if labels.ndim == 1:
        values, counts = np.unique(labels, return_counts=True)
        pairs = [f"{n} of {c!r}" for c, n in zip(values.tolist(), counts, strict=True)]
        held_out = ", ".join(pairs[:10]) + (", ..." if len(pairs) > 10 else "")
    else:
        held_out = f"positives per label {(labels == 1).sum(axis=0).tolist()}"
    warnings.warn(
        f"scoring={estimator.scoring!r} was {stop.first_score_:g} after the first of {n_epochs} "
        f"epochs and never more, for {len(labels)} rows held out ({held_out}): the weights kept "
        f"are those of epoch {stop.best_epoch_}, of the least valid_loss where scores are equal. "
        "Choose a score that reads probabilities, such as 'average_precision', a greater "
        "validation_fraction or more patience.",
        stacklevel=6,
    )


def make_net(
    estimator: "BaseNetEstimator",
    device: torch.device,
    counts: Mapping[str, Any],
    wrap_loss: WrapLoss | None,
) -> _Net:
    """Return a new net, its network initialised.

    Parameters
    ----------
    estimator : BaseNetEstimator
        Whose parameters it gets.
    device : torch.device
        Where it runs.
    counts : mapping of str to object
        What is counted in the training rows.
    wrap_loss : callable or None
        Makes another loss of the loss.

    Returns
    -------
    net : _Net
        The net.

    Raises
    ------
    ValueError
        If the loss reads logits in another way than the estimator.
    """
    kind, name = estimator._targets, type(estimator).__name__
    made = LOSSES.get(estimator.loss) if isinstance(estimator.loss, str) else None
    if isinstance(made, type) and issubclass(made, SoftmaxLoss | SigmoidLoss):
        # Before it is built: it might ask for counts that such targets do not have.
        check_nonlinearity(estimator.loss, made, kind.nonlinearity, name=name)
    loss = estimator._criterion(counts, wrap_loss)
    net = kind.net_class(
        n_outputs=kind.n_outputs,
        module=partial(estimator._network, **estimator._head_params(loss, counts)),
        criterion=loss,
        predict_nonlinearity=NONLINEARITIES[kind.nonlinearity],
        optimizer=by_name(OPTIMIZERS, estimator.optimizer),
        optimizer__weight_decay=estimator.weight_decay,
        lr=estimator.lr,
        batch_size=estimator.batch_size,
        iterator_train=_SlicedBatches,
        iterator_train__shuffle=True,
        iterator_valid=_SlicedBatches,
        train_split=None,
        device=str(device),
        amp=estimator.amp,
        compile=estimator.compile,
        backbone_lr=estimator.backbone_lr,
        verbose=0,
    ).initialize()
    check_nonlinearity(estimator.loss, net.criterion_, kind.nonlinearity, name=name)
    return net


def check_nonlinearity(loss: Any, built: Any, expected: str, *, name: str) -> None:
    """Refuse a loss that reads logits in another way than an estimator.

    Parameters
    ----------
    loss : str, dict or torch.nn.Module
        What the user passed.
    built : torch.nn.Module
        The loss that became of it, or its class.
    expected : {"softmax", "sigmoid"}
        How the estimator turns logits into probabilities.
    name : str
        Class of the estimator.

    Raises
    ------
    ValueError
        If the loss has another nonlinearity.
    """
    named = getattr(built, "predict_nonlinearity", OF_TORCH.get(type(built), expected))
    if named == expected:
        return
    known = ", ".join(map(repr, losses_by_name(expected)))
    more = (
        "; or, with loss_params={'mode': 'sigmoid'}, 'dice' and others of regions; or "
        "'hard_example_mining', with loss_params={'loss': ...} that names one of these"
        if expected == "sigmoid"
        else ""
    )
    raise ValueError(
        f"loss={loss!r} turns logits into probabilities by {named}, and {name} by {expected}: "
        f"choose {known}{more}."
    )


def losses_by_name(nonlinearity: str) -> list[str]:
    """Return the names of losses that read logits in a way, whatever their arguments are.

    Parameters
    ----------
    nonlinearity : {"softmax", "sigmoid"}
        How logits become probabilities.

    Returns
    -------
    names : list of str
        Keys of ``skrecall.nn.LOSSES``.
    """
    return [
        name
        for name, made in LOSSES.items()
        if name != "combined" and getattr(made, "predict_nonlinearity", None) == nonlinearity
    ]


def build_augmentation(given: Any, device: torch.device) -> Callable[[Tensor], Any] | None:
    """Return a copy of an augmentation, on the device.

    Parameters
    ----------
    given : str, callable, list of these, or None
        What `skrecall.nn.get_augmentation` takes.
    device : torch.device
        Where the net runs.

    Returns
    -------
    augmentation : callable or None
        From a batch to a batch.
    """
    if given is None:
        return None
    augmentation = copy.deepcopy(get_augmentation(given))
    if isinstance(augmentation, nn.Module):
        return augmentation.to(device).__call__  # skorch would take a module for part of the net
    return augmentation


def build_sampler(
    given: str | Callable[..., Any] | None, params: Mapping[str, Any] | None, batch_size: int
) -> Callable[[Tensor], Any] | None:
    """Return what makes a batch sampler of the targets.

    Parameters
    ----------
    given : str, callable or None
        A key of ``skrecall.nn.BATCH_SAMPLERS``, or what is called as one of those.
    params : mapping of str to object or None
        Further arguments.
    batch_size : int
        Rows in a batch.

    Returns
    -------
    make_sampler : callable or None
        Called with the targets.

    Raises
    ------
    ValueError
        If there are parameters without a sampler, or that it does not have.
    """
    if given is None:
        if params:
            raise ValueError(f"sampler_params={params} belong to a sampler, and sampler is None.")
        return None
    make = by_name(BATCH_SAMPLERS, given)
    known = inspect.signature(make).parameters
    if isinstance(given, str) and not set(params or {}) <= set(known):
        own = sorted(set(known) - {"targets", "batch_size"})
        raise ValueError(f"sampler={given!r} takes {', '.join(own)}, and not {params}.")
    return partial(make, batch_size=batch_size, **(params or {}))


def average_weights(net: _Net, decay: float | None) -> None:
    """Begin to average the weights of a net, go on, or end with what they are.

    Parameters
    ----------
    net : _Net
        The net.
    decay : float or None
        Of the moving average; None ends it.
    """
    if decay is None:
        net.average_ = None
    elif net.average_ is None:
        net.average_ = _WeightAverage(net.module_, decay)
    else:
        net.average_.decay = decay


def make_callbacks(
    estimator: "BaseNetEstimator",
    n_steps: int,
    valid: _ArrayDataset | None,
    valid_labels: ArrayLike | None,
) -> list[tuple[str, Callback] | Callback]:
    """Return what happens beside the steps of one fit.

    Parameters
    ----------
    estimator : BaseNetEstimator
        Whose parameters hold.
    n_steps : int
        Steps there will be at most.
    valid : _ArrayDataset or None
        The rows held out.
    valid_labels : array-like or None
        Their targets, as the user gave them.

    Returns
    -------
    callbacks : list of callbacks, or of names and callbacks
        The user's are copied; all scores are there before training may stop early.
    """
    callbacks: list[Any] = []
    if estimator.lr_schedule is not None:
        schedule = by_name(SCHEDULES, estimator.lr_schedule)
        callbacks.append(("lr_schedule", _Schedule(schedule, n_steps)))
    if estimator.gradient_clipping is not None:
        clipping = GradientNormClipping(estimator.gradient_clipping)
        callbacks.append(("gradient_clipping", clipping))
    scorer = get_scorer(estimator.scoring)
    if valid is not None and scorer is not None:
        score = partial(scorer, estimator, valid, valid_labels)
        callbacks.append(("valid_score", _HeldOutScore(score)))
    callbacks += copy.deepcopy(list(estimator.callbacks or []))
    if valid is not None:
        stop = (
            EarlyStopping(patience=estimator.patience, threshold=0, load_best=True)
            if scorer is None
            else _ScoreStopping(estimator.patience)
        )
        callbacks.append(("early_stopping", stop))
    if estimator.verbose > 1:
        callbacks.append(("progress_bar", ProgressBar()))
    return callbacks
