"""Transfer: parts of a network that are not trained, or slower than its head."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from torch import nn

HEAD_NAMES = ("head", "heads", "fc", "classifier")  # here, in timm and in torchvision


def split_parameters(module: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the parameters that are trained: those of the backbone, and those of the head.

    Parameters
    ----------
    module : torch.nn.Module
        A network whose last part is called ``head``, as here, or ``heads``, ``fc`` or
        ``classifier``, as in torchvision and timm.

    Returns
    -------
    backbone, head : list of torch.nn.Parameter
        Without those that are frozen.

    Raises
    ------
    ValueError
        If the network has no part of such a name.

    Examples
    --------
    Ten times smaller steps for the backbone than for the head:

    >>> import torch
    >>> from skrecall.nn import ResNet, split_parameters
    >>> backbone, head = split_parameters(ResNet((3, 32, 32), 10))
    >>> groups = [{"params": backbone, "lr": 1e-4}, {"params": head, "lr": 1e-3}]
    >>> [group["lr"] for group in torch.optim.AdamW(groups).param_groups]
    [0.0001, 0.001]
    """
    of_backbone = _backbone_names(module)
    parts: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            parts[name not in of_backbone].append(parameter)
    return parts


def freeze(module: nn.Module, patterns: str | Iterable[str]) -> list[str]:
    """Exclude parameters from training, in place.

    Normalisation layers whose parameters are all frozen also keep their running statistics: they
    normalise by them even while the rest of the network is in training mode.

    Parameters
    ----------
    module : torch.nn.Module
        A network.
    patterns : str or iterable of str
        Names of parameters with the wildcards of `fnmatch`, such as ``"stages.0.*"``, which in a
        `BackboneWithHead` may be those within its backbone or begin with ``"backbone."``; or
        ``"backbone"``, all that is not in the part called ``head``, ``heads``, ``fc`` or
        ``classifier``.

    Returns
    -------
    names : list of str
        Names of the parameters that the patterns match.

    Raises
    ------
    ValueError
        If a pattern matches nothing, or nothing is left to train.

    Examples
    --------
    >>> from skrecall.nn import SmallCNN, freeze
    >>> freeze(SmallCNN((1, 28, 28), 10), ["stages.0.*"])
    ['stages.0.0.weight', 'stages.0.1.weight', 'stages.0.1.bias']
    """
    parameters = dict(module.named_parameters())
    prefix = "backbone." if hasattr(module, "backbone") else ""
    frozen: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        if pattern == "backbone":
            matched = _backbone_names(module)
        else:
            matched = {
                name
                for name in parameters
                if fnmatchcase(name, pattern) or fnmatchcase(name.removeprefix(prefix), pattern)
            }
        if not matched:
            raise ValueError(
                f"freeze={pattern!r} matches no parameter of {type(module).__name__}: its names "
                f"are {_shown(parameters)}."
            )
        frozen |= matched
    if all(name in frozen or not p.requires_grad for name, p in parameters.items()):
        raise ValueError(
            f"freeze={patterns!r} leaves none of the {len(parameters)} parameters of "
            f"{type(module).__name__} to train: leave out the head at least."
        )
    for name in frozen:
        parameters[name].requires_grad_(False)
    for prefix, layer in module.named_modules():
        if "running_mean" not in dict(layer.named_buffers(recurse=False)):
            continue
        own = {f"{prefix}.{name}" for name, _ in layer.named_parameters(recurse=False)}
        hooked = _use_running_statistics in layer._forward_pre_hooks.values()
        if own and own <= frozen and not hooked:
            layer.register_forward_pre_hook(_use_running_statistics)
    return [name for name in parameters if name in frozen]


def own_last_layer(backbone: nn.Module) -> str | None:
    """Return where a network keeps a linear layer that makes logits of its features.

    Parameters
    ----------
    backbone : torch.nn.Module
        A network, or a sequence that ends in one.

    Returns
    -------
    name : str or None
        Name of the layer, the last in a part called ``head``, ``heads``, ``fc`` or ``classifier``;
        None if there is no such part, or it ends in another layer.
    """
    path: list[str] = []
    network = backbone
    while isinstance(network, nn.Sequential) and len(network) > 0:
        name, network = list(network.named_children())[-1]
        if name in HEAD_NAMES:
            return _last_linear(network, [*path, name])
        path.append(name)
    for name, part in reversed(list(network.named_children())):
        if name in HEAD_NAMES:
            return _last_linear(part, [*path, name])
    return None


def _last_linear(part: nn.Module, path: list[str]) -> str | None:
    name, last = list(part.named_modules())[-1]
    if not isinstance(last, nn.Linear):
        return None
    return ".".join([*path, name] if name else path)


def _use_running_statistics(layer: nn.Module, inputs: tuple) -> None:
    # At every call, as train() of the whole network switches every layer back.
    layer.training = False


def _backbone_names(module: nn.Module) -> set[str]:
    """Return the names of the parameters that are not in the head."""
    heads = [name for name, _ in module.named_children() if name in HEAD_NAMES]
    if not heads:
        parts = ", ".join(name for name, _ in module.named_children())
        raise ValueError(
            f"What is the backbone of {type(module).__name__} and what its head cannot be told "
            f"from the names of its parts, {parts}: set head='linear', or freeze by patterns of "
            "names."
        )
    return {name for name, _ in module.named_parameters() if name.partition(".")[0] not in heads}


def _shown(names: Iterable[str], n_shown: int = 6) -> str:
    """Return the first and last of many names."""
    names = list(names)
    if len(names) > n_shown:
        names = [*names[: n_shown // 2], "...", *names[-n_shown // 2 :]]
    return ", ".join(names)
