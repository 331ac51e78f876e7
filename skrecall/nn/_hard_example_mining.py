"""Hard example mining: only the losses that are largest in a batch train the network."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ._loss import Loss, check_option

WEIGHTS = ("weight", "pos_weight")


def hardest(losses: Tensor, candidates: Tensor, n_kept: Tensor) -> Tensor:
    """Return which candidates have the largest losses.

    Parameters
    ----------
    losses : Tensor
        One loss per unit, of any shape.
    candidates : Tensor of bool
        Which of them may be kept, of the same shape.
    n_kept : Tensor of shape ()
        How many are kept; all candidates, if there are fewer. Of equal losses the first are.

    Returns
    -------
    kept : Tensor of bool
        Of the shape of `losses`.
    """
    # Ranks, not the first k of a sort: no shape depends on the data, so a device never waits.
    scores = losses.where(candidates, -torch.inf).flatten()
    order = scores.argsort(descending=True, stable=True)
    places = torch.arange(len(scores), device=scores.device)
    ranks = torch.empty_like(places).scatter(0, order, places)
    return (ranks < n_kept).reshape(losses.shape) & candidates


def unweighted_losses(loss: nn.Module, logits: Tensor, targets: Tensor) -> Tensor | None:
    """Return what a loss would be if it weighed all classes or labels alike, without gradient.

    Parameters
    ----------
    loss : torch.nn.Module
        A loss; what it counts in training does not change.
    logits, targets : Tensor
        What it is called with.

    Returns
    -------
    losses : Tensor or None
        Its losses with 1 for every weight; None if it has no weights.
    """
    buffers = {name: buffer.clone() for name, buffer in loss.named_buffers()}
    weights = [name for name in buffers if name.rpartition(".")[2] in WEIGHTS]
    if not weights:
        return None
    buffers.update({name: torch.ones_like(buffers[name]) for name in weights})
    with torch.no_grad():
        return functional_call(loss, buffers, (logits, targets))


class HardExampleMining(Loss):
    """Online hard example mining: the mean of a loss over the hardest samples, labels or pixels.

    In each batch the units with the largest losses are kept, and the loss is the mean over those
    alone: the share `keep` of all, or, with `negatives_per_positive`, all positives and so many
    times as many of the hardest negatives. Units are chosen by losses without gradient and without
    weights of samples, classes or labels; missing targets are never chosen, and what a weight of 0
    takes out of the loss counts as easy.
    Everything counts during the warm-up, and in eval mode, so that losses of held-out rows can be
    compared from epoch to epoch.

    Parameters
    ----------
    loss : str, Loss or dict of str to float, default="cross_entropy"
        What is mined: a name of ``skrecall.nn.LOSSES``, a loss, which is copied, or the weights of
        several names.
    loss_params : dict, default=None
        Arguments of a loss given by name.
    keep : float in (0, 1], default=0.5
        Share of the units to keep, rounded; unused with `negatives_per_positive`.
    min_kept : int, default=1
        Least number of units to keep, or of negatives with `negatives_per_positive`: so many are
        kept from a batch without positives.
    negatives_per_positive : float, default=None
        Keep all positives and this many times their number of negatives. None keeps a share of all.
    negative_class : int, default=0
        Class number that is no positive; all others are. Of an indicator, every 1 is a positive.
    positive_classes : list of int, default=None
        Class numbers, or numbers of labels of an indicator, that are positives in place of that:
        the rare ones.
    level : {"sample", "pixel", "label"}, default="sample"
        What is kept or left out whole: a sample, by the mean over its labels and pixels; a pixel of
        any sample, by the mean over its labels; or every single target. A sample or pixel with any
        positive target is a positive.
    warmup : int, default=1
        Number of epochs in which everything counts, as told by `start_epoch`; without that call
        mining begins at once.
    class_counts, label_counts : Tensor or list of int, default=None
        Handed to a loss given by name that takes them.
    n_samples : int, default=None
        Handed to a loss given by name that takes it.
    ignore_index : int, default=None
        The target that marks a missing label; None is that of `loss`.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one; "mean" divides by the number of targets kept, or by
        the sum of their weights where `loss` does.

    Attributes
    ----------
    loss : Loss
        The loss that is mined.
    predict_nonlinearity : {"softmax", "sigmoid"}
        That of `loss`.

    Raises
    ------
    ValueError
        If a parameter is out of range, or `loss` does not give one loss per sample.

    References
    ----------
    .. [1] A. Shrivastava, A. Gupta, R. Girshick, "Training Region-Based Object Detectors with
       Online Hard Example Mining", CVPR 2016.
    .. [2] W. Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import HardExampleMining
    >>> loss = HardExampleMining("focal", keep=0.5, reduction="none")
    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0], [1.0, 0.0]])
    >>> loss(logits, torch.tensor([0, 0, 0, 0]))
    tensor([0.0000, 1.6501, 0.1733, 0.0000])
    """

    def __init__(
        self,
        loss: str | Loss | Mapping[str, float] = "cross_entropy",
        *,
        loss_params: Mapping[str, Any] | None = None,
        keep: float = 0.5,
        min_kept: int = 1,
        negatives_per_positive: float | None = None,
        negative_class: int = 0,
        positive_classes: list[int] | None = None,
        level: str = "sample",
        warmup: int = 1,
        class_counts: Tensor | list[int] | None = None,
        label_counts: Tensor | list[int] | None = None,
        n_samples: int | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        from ._registry import build_inner_loss  # which names this class too

        if not 0 < keep <= 1:
            raise ValueError(f"keep={keep} is no share: pass a number above 0, up to 1 for all.")
        if negatives_per_positive is not None and negatives_per_positive < 0:
            raise ValueError(
                f"negatives_per_positive={negatives_per_positive} is negative: pass 0 or more, "
                "such as 3, or None to keep a share of all."
            )
        for name, value in (("min_kept", min_kept), ("warmup", warmup)):
            if value < 0:
                raise ValueError(f"{name}={value} is negative: pass 0 or more.")
        check_option("level", level, ("sample", "pixel", "label"))
        inner = build_inner_loss(
            loss,
            loss_params,
            class_counts=class_counts,
            label_counts=label_counts,
            n_samples=n_samples,
            ignore_index=ignore_index,
        )
        if any(getattr(module, "average", None) == "batch" for module in inner.modules()):
            raise ValueError(
                f"{type(inner).__name__} sums over the pixels of a whole batch, and mining needs "
                "one loss per sample: set average='sample'."
            )
        super().__init__(ignore_index=inner.ignore_index, reduction=reduction)
        inner.reduction = "none"
        self.loss = inner
        self.predict_nonlinearity = inner.predict_nonlinearity
        self.predict_scale = inner.predict_scale
        self.takes_cosines = inner.takes_cosines
        self.keep = keep
        self.min_kept = min_kept
        self.negatives_per_positive = negatives_per_positive
        self.negative_class = negative_class
        self.register_buffer(
            "positive_classes",
            None if positive_classes is None else torch.as_tensor(positive_classes).long(),
        )
        self.level = level
        self.warmup = warmup
        self.warming_up = False

    def valid(self, targets: Tensor) -> Tensor:
        """Return which targets count in the loss that is mined.

        Parameters
        ----------
        targets : Tensor
            What the loss takes.

        Returns
        -------
        valid : Tensor of bool
            Of the shape of `targets`.
        """
        return self.loss.valid(targets)

    def start_epoch(self, epoch: int, n_epochs: int) -> None:
        """Mine from here on, or let everything count if this epoch belongs to the warm-up.

        Parameters
        ----------
        epoch : int
            Number of the epoch that begins, from 0.
        n_epochs : int
            Number of epochs there will be at most.
        """
        self.warming_up = epoch < self.warmup
        self.loss.start_epoch(epoch, n_epochs)

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the reduced loss of what is kept.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_outputs, ...)
            Raw scores.
        targets : Tensor of shape (n_samples, ...)
            Class numbers, without the axis of the classes, or an indicator of the logits' shape.
        sample_weight : Tensor of shape (n_samples,), default=None
            What the losses of each sample are multiplied by, once they are chosen.

        Returns
        -------
        loss : Tensor of shape () or of the shape that the losses have
            The mean or sum; with ``reduction="none"`` the losses, 0 where they are left out.

        Raises
        ------
        ValueError
            If `loss` does not give one loss per sample, or not per target where `level` needs it.
        """
        mines = self.training and not self.warming_up
        # First, as a loss may count what it has seen.
        plain = unweighted_losses(self.loss, logits, targets) if mines else None
        losses = self.loss(logits, targets)
        kept = valid = self._check_losses(losses, logits, targets)
        if mines:
            hardness = losses.detach()
            if plain is not None:
                hardness = plain.where(hardness != 0, 0)
            kept = valid & self._mine(hardness, valid, targets, targets.ndim == logits.ndim)
        losses = losses.where(kept, 0)
        if sample_weight is not None:
            losses = losses * sample_weight.reshape(-1, *[1] * (losses.ndim - 1))
        if self.reduction == "none":
            return losses
        if self.reduction == "sum":
            return losses.sum()
        total = kept.sum() if losses.shape != targets.shape else self.loss._total(targets, kept)
        return losses.sum() / total.where(total > 0, 1)

    def _check_losses(self, losses: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """Return which losses are of targets that are known."""
        valid = self.loss.valid(targets)
        if losses.shape == targets.shape:
            return valid
        name = type(self.loss).__name__
        if losses.shape[:1] != logits.shape[:1]:
            raise ValueError(
                f"{name} gives losses of shape {tuple(losses.shape)} for {len(logits)} samples: "
                "mining needs one loss per sample or per target."
            )
        if self.level != "sample":
            raise ValueError(
                f"{name} gives losses of shape {tuple(losses.shape)} for targets of shape "
                f"{tuple(targets.shape)}: mine by level='sample', or a loss of single targets."
            )
        shape = (-1, *[1] * (losses.ndim - 1))
        return valid.flatten(1).any(dim=1).reshape(shape).expand_as(losses)

    def _mine(self, losses: Tensor, valid: Tensor, targets: Tensor, indicator: bool) -> Tensor:
        """Return which samples, pixels or labels are kept, in a shape that fits to the losses."""
        positive = self.loss.valid(targets) & self._is_positive(targets, indicator)
        if self.level == "sample":
            axes = tuple(range(1, losses.ndim))
            positive = positive.flatten(1).any(dim=1) if positive.ndim > 1 else positive
            positive = positive.reshape(-1, *[1] * (losses.ndim - 1))
        elif self.level == "pixel" and indicator:
            axes = (1,)
            positive = positive.any(dim=1, keepdim=True)
        else:
            axes = ()
        candidates = valid
        if axes:
            n_valid = valid.sum(dim=axes, keepdim=True)
            losses = losses.sum(dim=axes, keepdim=True) / n_valid.clamp(min=1)
            candidates = n_valid > 0
        if self.negatives_per_positive is None:
            n_kept = torch.round(self.keep * candidates.sum()).clamp(min=self.min_kept)
            return hardest(losses, candidates, n_kept)
        n_kept = torch.round(self.negatives_per_positive * positive.sum()).clamp(min=self.min_kept)
        return positive | hardest(losses, candidates & ~positive, n_kept)

    def _is_positive(self, targets: Tensor, indicator: bool) -> Tensor:
        """Return which targets are positives; nothing is said of those that are missing."""
        chosen = self.positive_classes
        if not indicator:
            if chosen is None:
                return targets != self.negative_class
            return torch.isin(targets, chosen)
        positive = targets >= 0.5
        if chosen is None:
            return positive
        labels = torch.isin(torch.arange(targets.shape[1], device=targets.device), chosen)
        return positive & labels.reshape(1, -1, *[1] * (targets.ndim - 2))
