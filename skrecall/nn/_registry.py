"""The names that users type for losses."""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from ._asymmetric import AsymmetricLoss
from ._binary_cross_entropy import WeightedBinaryCrossEntropyLoss
from ._combined import CombinedLoss
from ._cross_entropy import SoftmaxFocalLoss, WeightedCrossEntropyLoss
from ._dice import DiceLoss, GeneralizedDiceLoss
from ._distribution_balanced import DistributionBalancedLoss
from ._hard_example_mining import HardExampleMining
from ._ldam import LDAMLoss
from ._logit_adjusted import LogitAdjustedLoss
from ._loss import Loss
from ._lovasz import LovaszLoss
from ._partial_label import PartialLabelLoss
from ._poly1 import Poly1Loss
from ._seesaw import SeesawLoss
from ._sigmoid_focal import SigmoidFocalLoss
from ._sigmoid_poly1 import SigmoidPoly1Loss
from ._tversky import FocalTverskyLoss, JaccardLoss, TverskyLoss
from ._zlpr import ZLPRLoss

LOSSES: dict[str, Callable[..., nn.Module]] = {
    "cross_entropy": WeightedCrossEntropyLoss,
    "focal": SoftmaxFocalLoss,
    "poly1": Poly1Loss,
    "ldam": LDAMLoss,
    "logit_adjusted": LogitAdjustedLoss,
    "balanced_softmax": LogitAdjustedLoss,  # tau is 1
    "seesaw": SeesawLoss,
    "dice": DiceLoss,
    "jaccard": JaccardLoss,
    "tversky": TverskyLoss,
    "focal_tversky": FocalTverskyLoss,
    "generalized_dice": GeneralizedDiceLoss,
    "lovasz": LovaszLoss,
    "combined": CombinedLoss,
    "hard_example_mining": HardExampleMining,
    "binary_cross_entropy": WeightedBinaryCrossEntropyLoss,
    "sigmoid_focal": SigmoidFocalLoss,
    "sigmoid_poly1": SigmoidPoly1Loss,
    "asymmetric": AsymmetricLoss,
    "distribution_balanced": DistributionBalancedLoss,
    "zlpr": ZLPRLoss,
    "partial_label": PartialLabelLoss,
}
# Arguments that hold what is counted in the training rows.
COUNTS = frozenset({"class_counts", "label_counts", "n_samples"})


def loss_factory(name: str) -> Callable[..., nn.Module]:
    """Return what builds the loss of a name.

    Parameters
    ----------
    name : str
        A key of ``skrecall.nn.LOSSES``.

    Returns
    -------
    factory : callable
        A class of losses, or a function that returns one.

    Raises
    ------
    ValueError
        If no loss has that name.
    """
    if name not in LOSSES:
        raise ValueError(f"loss={name!r} is unknown: choose {', '.join(map(repr, LOSSES))}.")
    return LOSSES[name]


def get_loss(name: str | Mapping[str, float], **params: object) -> nn.Module:
    """Return a loss by the name users type.

    Parameters
    ----------
    name : str or dict of str to float
        A key of ``skrecall.nn.LOSSES``; or several and their weights, for their weighted sum.
    **params : object
        Arguments of the loss; of a sum, those of `CombinedLoss`.

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
    >>> get_loss({"cross_entropy": 1.0, "focal": 0.5}).loss_weights
    (1.0, 0.5)
    """
    if isinstance(name, Mapping):
        name, params = "combined", {"losses": name, **params}
    factory = loss_factory(name)
    try:
        return factory(**params)
    except TypeError as error:
        raise ValueError(f"loss={name!r} does not take {params}: {error}.") from error


def takes_counts(
    loss: str | Mapping[str, float], params: Mapping[str, Any] | None = None
) -> set[str]:
    """Return which counts of the training rows a loss takes and has not been given.

    A loss that is made of others takes what those take.

    Parameters
    ----------
    loss : str or dict of str to float
        What `get_loss` is called with.
    params : mapping of str to object, default=None
        Its arguments.

    Returns
    -------
    names : set of {"class_counts", "label_counts", "n_samples"}
        Arguments to fill in.

    Raises
    ------
    ValueError
        If no loss has that name.

    Examples
    --------
    >>> from skrecall.nn import takes_counts
    >>> takes_counts("hard_example_mining", {"loss": "focal", "loss_params": {"gamma": 1.0}})
    {'class_counts'}
    """
    params = params or {}
    inner_params = params.get("loss_params") or {}
    if isinstance(loss, Mapping) or loss == "combined":
        losses = loss if isinstance(loss, Mapping) else dict(params.get("losses", {}))
        inner = [(name, inner_params.get(name)) for name in losses]
    elif loss == "hard_example_mining":
        inner = [(params.get("loss", "cross_entropy"), inner_params)]
    else:
        arguments = set(inspect.signature(loss_factory(loss)).parameters)
        return arguments & COUNTS - set(params)
    names: set[str] = set()
    for name, given in inner:
        if not isinstance(name, nn.Module):
            names |= takes_counts(name, given)
    return names - set(params)


def build_inner_loss(
    loss: str | Loss | Mapping[str, float],
    params: Mapping[str, Any] | None = None,
    *,
    ignore_index: int | None = None,
    **counts: Any,
) -> Loss:
    """Return a new loss for one that is made of others.

    Parameters
    ----------
    loss : str, Loss or dict of str to float
        What `get_loss` takes, or a loss, which is copied.
    params : mapping of str to object, default=None
        Arguments of a loss given by name.
    ignore_index : int, default=None
        The target that marks a missing label; None leaves the loss its own.
    **counts : object
        Counts of the training rows, or None; a loss is given those that it takes.

    Returns
    -------
    loss : Loss
        The loss.

    Raises
    ------
    ValueError
        If it is no `Loss`, or one that exists already and is given arguments.
    """
    if isinstance(loss, str | Mapping):
        taken = takes_counts(loss, params)
        filled = {key: counts[key] for key in taken if counts.get(key) is not None}
        if ignore_index is not None:
            filled["ignore_index"] = ignore_index
        built = get_loss(loss, **{**filled, **(params or {})})
    else:
        if params or ignore_index is not None:
            raise ValueError(
                f"loss_params={params} and ignore_index={ignore_index} belong to a loss given by "
                f"name, and loss is a {type(loss).__name__} already: set them there."
            )
        built = copy.deepcopy(loss)
    if not isinstance(built, Loss):
        raise ValueError(
            f"{type(built).__name__} is no skrecall.nn.Loss: name a loss, or derive from Loss, "
            "SoftmaxLoss or SigmoidLoss and implement _losses."
        )
    return built
