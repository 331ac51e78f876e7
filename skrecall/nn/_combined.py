"""A weighted sum of losses."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ._loss import Loss


class CombinedLoss(Loss):
    """Weighted sum of losses, each with its own mean.

    Parameters
    ----------
    losses : dict of str to float, or list of (str or Loss, float)
        Names of ``skrecall.nn.LOSSES``, or losses, which are copied, and what each is multiplied
        by.
    loss_params : dict of str to dict, default=None
        Arguments of the losses given by name.
    class_counts, label_counts : Tensor or list of int, default=None
        Handed to the losses given by name that take them.
    n_samples : int, default=None
        Handed to the losses given by name that take it.
    ignore_index : int, default=None
        The target that marks a missing label; None is that of the losses.
    reduction : {"none", "mean", "sum"}, default="mean"
        What every loss does before they are added; with "none" all must return one shape.

    Attributes
    ----------
    losses : torch.nn.ModuleList
        The losses.
    loss_weights : tuple of float
        What they are multiplied by.
    predict_nonlinearity : {"softmax", "sigmoid"}
        That of all losses.

    Raises
    ------
    ValueError
        If there is no loss, a weight is negative, or the losses cannot read the same logits and
        targets.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import CombinedLoss
    >>> loss = CombinedLoss({"cross_entropy": 1.0, "focal": 0.5})
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(0.7798)
    """

    def __init__(
        self,
        losses: Mapping[str, float] | Iterable[tuple[str | Loss, float]],
        *,
        loss_params: Mapping[str, Mapping[str, Any]] | None = None,
        class_counts: Tensor | list[int] | None = None,
        label_counts: Tensor | list[int] | None = None,
        n_samples: int | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        from ._registry import build_inner_loss  # which names this class too

        pairs = list(losses.items() if isinstance(losses, Mapping) else losses)
        if not pairs:
            raise ValueError("losses is empty: name one loss at least, such as {'focal': 1.0}.")
        names = {loss for loss, _ in pairs if isinstance(loss, str)}
        for name in loss_params or {}:
            if name not in names:
                raise ValueError(
                    f"loss_params are given for {name!r}, and the losses are "
                    f"{', '.join(map(repr, sorted(names)))}: name one of those."
                )
        for loss, weight in pairs:
            if not 0 <= weight < math.inf:
                raise ValueError(f"losses gives {loss!r} the weight {weight}: pass 0 or more.")
        built = [
            build_inner_loss(
                loss,
                (loss_params or {}).get(loss) if isinstance(loss, str) else None,
                class_counts=class_counts,
                label_counts=label_counts,
                n_samples=n_samples,
                ignore_index=ignore_index,
            )
            for loss, _ in pairs
        ]
        for name in ("predict_nonlinearity", "predict_scale", "takes_cosines", "ignore_index"):
            found = [getattr(loss, name) for loss in built]
            if any(value != found[0] for value in found):
                shown = ", ".join(
                    f"{type(loss).__name__} {value!r}"
                    for loss, value in zip(built, found, strict=True)
                )
                raise ValueError(
                    f"Losses of a sum must agree in {name}, and there is {shown}: set it in "
                    "loss_params (mode of a region loss sets predict_nonlinearity), or choose "
                    "other losses."
                )
        super().__init__(ignore_index=built[0].ignore_index, reduction=reduction)
        self.losses = nn.ModuleList(built)
        self.loss_weights = tuple(float(weight) for _, weight in pairs)
        self.predict_nonlinearity = built[0].predict_nonlinearity
        self.predict_scale = built[0].predict_scale
        self.takes_cosines = built[0].takes_cosines

    def valid(self, targets: Tensor) -> Tensor:
        """Return which targets count in any of the losses.

        Parameters
        ----------
        targets : Tensor
            What the losses take.

        Returns
        -------
        valid : Tensor of bool
            Of the shape of `targets`.
        """
        return torch.stack([loss.valid(targets) for loss in self.losses]).any(dim=0)

    def start_epoch(self, epoch: int, n_epochs: int) -> None:
        """Tell every loss where training stands.

        Parameters
        ----------
        epoch : int
            Number of the epoch that begins, from 0.
        n_epochs : int
            Number of epochs there will be at most.
        """
        for loss in self.losses:
            loss.start_epoch(epoch, n_epochs)

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the weighted sum of the reduced losses.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_outputs, ...)
            Raw scores.
        targets : Tensor of shape (n_samples, ...)
            Class numbers, without the axis of the classes, or an indicator of the logits' shape.
        sample_weight : Tensor of shape (n_samples,), default=None
            What the losses of each sample are multiplied by.

        Returns
        -------
        loss : Tensor of shape () or of the shape that all losses return
            The weighted sum.

        Raises
        ------
        ValueError
            If ``reduction="none"`` and the losses return several shapes.
        """
        values = []
        for loss, weight in zip(self.losses, self.loss_weights, strict=True):
            loss.reduction = self.reduction
            values.append(weight * loss(logits, targets, sample_weight))
        if len({value.shape for value in values}) > 1:
            shown = ", ".join(
                f"{type(loss).__name__} {tuple(value.shape)}"
                for loss, value in zip(self.losses, values, strict=True)
            )
            raise ValueError(
                f"With reduction='none' losses of different shapes cannot be added, and there is "
                f"{shown}: add their means instead."
            )
        return sum(values[1:], start=values[0])
