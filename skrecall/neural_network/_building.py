"""From what users pass to parts of a net: the network, the loss, and views of a sample."""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from skrecall.nn import (
    BackboneWithHead,
    MultilayerPerceptron,
    RecurrentCNN,
    SmallCNN,
    build_head,
    count_features,
    get_loss,
    takes_counts,
)

DEFAULT_BACKBONES: dict[int, type[nn.Module]] = {
    1: MultilayerPerceptron,
    3: SmallCNN,
    4: RecurrentCNN,
}


def build_module(
    backbone: nn.Module | Callable[..., nn.Module] | None,
    input_shape: tuple[int, ...],
    n_outputs: int,
    *,
    head: str | nn.Module | Callable[..., nn.Module] | None = None,
    head_params: Mapping[str, Any] | None = None,
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
    head : str, torch.nn.Module, callable or None
        What makes logits of the backbone's features; None leaves that to the backbone. With a head
        a backbone is called with None for the number of logits.
    head_params : mapping of str to object, default=None
        Arguments of a head given by name.

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
        module = backbone(input_shape, n_outputs if head is None else None)
    if not isinstance(module, nn.Module):
        raise ValueError(
            f"backbone returned {type(module).__name__}: a callable must return a torch.nn.Module, "
            "given (input_shape, n_outputs)."
        )
    name = type(module).__name__
    module.eval()
    if head is not None:
        with _trying(name, input_shape):
            n_features = count_features(module, input_shape)
        built = build_head(head, n_features, n_outputs, **(head_params or {})).cpu()
        module = BackboneWithHead(module, built).eval()
        name = f"{name} with the head {type(built).__name__}"
    with _trying(name, input_shape), torch.no_grad():
        logits = module(torch.zeros(2, *input_shape))
    found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if found != (2, n_outputs):
        raise ValueError(
            f"The backbone {name} returned {found} for 2 samples of shape {input_shape}: it must "
            f"return one logit per class, shape {(2, n_outputs)}."
        )
    return module


@contextmanager
def _trying(name: str, input_shape: tuple[int, ...]) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"The backbone {name} cannot take samples of shape {input_shape}: "
            f"{str(error).splitlines()[0]}"
        ) from error


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


def flip_horizontally(X: Tensor) -> Tensor:
    """Return images mirrored left to right.

    Parameters
    ----------
    X : Tensor of shape (n_samples, ..., height, width)
        Images or clips.

    Returns
    -------
    X : Tensor of the same shape
        Their mirror images.
    """
    return X.flip(-1)


def views_of(
    views: str | Sequence[Callable[[Tensor], Tensor]] | None, input_shape: tuple[int, ...]
) -> Sequence[Callable[[Tensor], Tensor]]:
    """Return the views of a sample that predictions are averaged over, beside the sample itself.

    Parameters
    ----------
    views : "flip", sequence of callable, or None
        "flip" mirrors images left to right.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    views : sequence of callable
        From a batch to one of the same shape.

    Raises
    ------
    ValueError
        If a table is to be flipped, or a view is not callable.
    """
    if views == "flip" and len(input_shape) == 1:
        raise ValueError(
            f"test_time_views='flip' mirrors images, and the samples are rows of {input_shape[0]} "
            "features: pass None, or a list of callables."
        )
    if isinstance(views, str):
        return [flip_horizontally]
    strange = [view for view in views or [] if not callable(view)]
    if strange:
        raise ValueError(
            f"test_time_views holds {strange[0]!r}, which cannot be called: pass 'flip' itself, or "
            "a list of callables from a batch to one of the same shape."
        )
    return views or []
