"""The names that users type for losses."""

from collections.abc import Callable

from torch import nn

from ._binary_cross_entropy import WeightedBinaryCrossEntropyLoss
from ._cross_entropy import SoftmaxFocalLoss, WeightedCrossEntropyLoss

LOSSES: dict[str, Callable[..., nn.Module]] = {
    "cross_entropy": WeightedCrossEntropyLoss,
    "focal": SoftmaxFocalLoss,
    "binary_cross_entropy": WeightedBinaryCrossEntropyLoss,
}


def get_loss(name: str, **params: object) -> nn.Module:
    """Return a loss by the name users type.

    Parameters
    ----------
    name : str
        A key of ``skrecall.nn.LOSSES``.
    **params : object
        Arguments of the loss.

    Returns
    -------
    loss : torch.nn.Module
        The loss module.

    Raises
    ------
    ValueError
        If no loss has that name, or the loss has no such argument.

    Examples
    --------
    >>> from skrecall.nn import get_loss
    >>> get_loss("focal", gamma=1.0).gamma
    1.0
    """
    if name not in LOSSES:
        raise ValueError(f"loss={name!r} is unknown: choose {', '.join(map(repr, LOSSES))}.")
    try:
        return LOSSES[name](**params)
    except TypeError as error:
        raise ValueError(f"loss={name!r} does not take {params}: {error}.") from error
