"""What the losses of whole regions share: sums over the pixels of each class, and base classes.

Dice, Jaccard and Tversky losses are ratios of three sums over the pixels of a class: how much of it
is predicted, how much is true, and how much is both. A class of few pixels weighs as much as one of
many.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ._loss import (
    IGNORED,
    MISSING_LABEL,
    Loss,
    check_class_targets,
    check_indicator_targets,
    check_option,
    check_per_class,
    in_float32,
)

MODES = ("softmax", "sigmoid")
AVERAGES = ("batch", "sample")


@dataclass(frozen=True)
class Regions:
    """Logits, what is true, and how much every pixel counts; all of the logits' shape."""

    logits: Tensor
    truth: Tensor
    mass: Tensor


@dataclass(frozen=True)
class RegionSums:
    """Sums over the pixels of each class, or of each sample and class."""

    overlap: Tensor
    predicted: Tensor
    true: Tensor
    n_pixels: Tensor


def as_regions(
    logits: Tensor,
    targets: Tensor,
    *,
    mode: str = "softmax",
    average: str = "batch",
    ignore_index: int | None = None,
    sample_weight: Tensor | None = None,
) -> Regions:
    """Return logits, an indicator of the classes, and what every pixel counts.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores.
    targets : Tensor of shape (n_samples, ...) or of the logits' shape
        Class numbers, or an indicator if `mode` is "sigmoid".
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, or of any number of them.
    average : {"batch", "sample"}, default="batch"
        What the pixels will be summed over.
    ignore_index : int, default=None
        The target that marks a missing label, NaN marks one as well; None is -100 for class numbers
        and -1 for an indicator.
    sample_weight : Tensor of shape (n_samples,), default=None
        What the pixels of each sample count.

    Returns
    -------
    regions : Regions
        In float32 at least.

    Raises
    ------
    ValueError
        If an option is unknown, the shapes do not belong together, or samples without pixels are to
        be summed one by one.
    """
    check_option("mode", mode, MODES)
    check_option("average", average, AVERAGES)
    if average == "sample" and logits.ndim < 3:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} and average='sample' sums over the pixels of "
            "each sample, of which there are none: pass average='batch'."
        )
    if ignore_index is None:
        ignore_index = default_ignore_index(mode)
    (check_class_targets if mode == "softmax" else check_indicator_targets)(logits, targets)
    logits = in_float32(logits)
    known = (targets != ignore_index) & ~targets.isnan()
    targets = targets.where(known, 0)
    if mode == "softmax":
        index, known = targets.long().unsqueeze(1), known.unsqueeze(1).expand_as(logits)
        truth = torch.zeros_like(logits).scatter(1, index, 1)
    else:
        truth = targets.to(logits)
    mass = known.to(logits)
    if sample_weight is not None:
        mass = mass * sample_weight.to(logits).reshape(-1, *[1] * (logits.ndim - 1))
    return Regions(logits, truth * known, mass)


def default_ignore_index(mode: str) -> int:
    """Return the target that marks a missing label.

    Parameters
    ----------
    mode : {"softmax", "sigmoid"}
        Whether targets are class numbers or an indicator.

    Returns
    -------
    ignore_index : int
        As for the other losses of such targets.
    """
    return IGNORED if mode == "softmax" else MISSING_LABEL


def region_sums(
    regions: Regions, *, mode: str = "softmax", average: str = "batch", squared: bool = False
) -> RegionSums:
    """Return how much of each class is predicted, true, and both.

    Parameters
    ----------
    regions : Regions
        What `as_regions` returns.
    mode : {"softmax", "sigmoid"}, default="softmax"
        What turns logits into probabilities.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    squared : bool, default=False
        Sum the squares of what is predicted and of what is true.

    Returns
    -------
    sums : RegionSums
        Each of shape (n_classes,), or (n_samples, n_classes) by sample.
    """
    logits, truth, mass = regions.logits, regions.truth, regions.mass
    predicted = logits.softmax(dim=1) if mode == "softmax" else logits.sigmoid()
    axes = tuple(range(2, logits.ndim))
    axes = axes if average == "sample" else (0, *axes)
    overlap = (mass * predicted * truth).sum(dim=axes)
    if squared:
        predicted, truth = predicted.square(), truth.square()
    return RegionSums(
        overlap,
        (mass * predicted).sum(dim=axes),
        (mass * truth).sum(dim=axes),
        mass.sum(dim=axes),
    )


def one_minus_ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Return ``1 - part / whole``, 0 where both are 0: nothing to find, and nothing found.

    Parameters
    ----------
    part, whole : Tensor
        Of one shape.

    Returns
    -------
    losses : Tensor
        Of that shape.
    """
    empty = (whole == 0).to(whole)
    return 1 - (part + empty) / (whole + empty)


def tversky_ratio(sums: RegionSums, alpha: float, beta: float, smooth: float) -> Tensor:
    """Return ``1 - (I + s) / (I + alpha (P - I) + beta (T - I) + s)`` of every class.

    Parameters
    ----------
    sums : RegionSums
        The overlap I, and what is predicted (P) and true (T).
    alpha, beta : float
        What false positives and false negatives count: one half each for Dice, 1 for Jaccard.
    smooth : float
        How many pixels more are taken to be predicted and true.

    Returns
    -------
    losses : Tensor of shape (n_classes,) or (n_samples, n_classes)
        As the sums are.
    """
    overlap, predicted, true = sums.overlap, sums.predicted, sums.true
    part = overlap + smooth
    return one_minus_ratio(part, part + alpha * (predicted - overlap) + beta * (true - overlap))


class BaseRegionLoss(Loss):
    """Base of the losses of whole regions: a subclass turns regions into one loss per class.

    Parameters
    ----------
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, given by class numbers, or of any number of them, given
        by an indicator of the logits' shape.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    absent : {"count", "skip"}, default="count"
        What becomes of a class without a true pixel.
    include_background : bool, default=True
        Whether class 0 has a loss.
    weight : sequence of float of shape (n_classes,), default=None
        What the losses of the classes are multiplied by.
    ignore_index : int, default=None
        The target that marks a missing label; None is -100 or -1, by `mode`.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of the classes become one.
    """

    def __init__(
        self,
        *,
        mode: str = "softmax",
        average: str = "batch",
        absent: str = "count",
        include_background: bool = True,
        weight: Tensor | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        check_option("mode", mode, MODES)
        check_option("average", average, AVERAGES)
        check_option("absent", absent, ("count", "skip"))
        if ignore_index is None:
            ignore_index = default_ignore_index(mode)
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.predict_nonlinearity = mode
        self.mode = mode
        self.average = average
        self.absent = absent
        self.include_background = include_background
        if weight is not None:
            weight = torch.as_tensor(weight, dtype=torch.float32)
        self.register_buffer("weight", weight)

    def _region_losses(self, regions: Regions) -> tuple[Tensor, Tensor]:
        """Return one loss per class, or per sample and class, and which of them count."""
        raise NotImplementedError(f"{type(self).__name__} must implement _region_losses.")

    def _counted(self, true: Tensor, n_pixels: Tensor) -> Tensor:
        """Return which classes have a loss, given how much of them is true and is known."""
        counted = (true if self.absent == "skip" else n_pixels) > 0
        if not self.include_background:
            counted = counted & (torch.arange(true.shape[-1], device=true.device) > 0)
        return counted

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the reduced loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes, ...)
            Raw scores.
        targets : Tensor of shape (n_samples, ...) or of the logits' shape
            Class numbers, or an indicator if `mode` is "sigmoid".
        sample_weight : Tensor of shape (n_samples,), default=None
            By batch, what the pixels of each sample count: a weight of 2 is the sample twice. By
            sample, what the losses of each sample are multiplied by.

        Returns
        -------
        loss : Tensor of shape (), (n_classes,) or (n_samples, n_classes)
            The mean or sum over the classes that count; with ``reduction="none"`` one loss per
            class, or per sample and class, 0 where it does not count.

        Raises
        ------
        ValueError
            If the shapes do not belong together, or only the background is left.
        """
        check_per_class(logits, self.weight, "weight")
        if not self.include_background and logits.shape[1] == 1:
            raise ValueError(
                "include_background=False leaves out class 0, and the logits hold no other: pass "
                "True."
            )
        regions = as_regions(
            logits,
            targets,
            mode=self.mode,
            average=self.average,
            ignore_index=self.ignore_index,
            sample_weight=sample_weight if self.average == "batch" else None,
        )
        losses, counted = self._region_losses(regions)
        losses = losses.where(counted, 0)
        if self.average == "sample" and sample_weight is not None:
            losses = losses * sample_weight.reshape(-1, *[1] * (losses.ndim - 1))
        if self.reduction == "none":
            return losses
        total = losses.sum()
        return total if self.reduction == "sum" else total / counted.sum().clamp(min=1)


class BaseRatioLoss(BaseRegionLoss):
    """Base of the losses that are a ratio of the sums of each class.

    Parameters
    ----------
    mode : {"softmax", "sigmoid"}, default="softmax"
        Of `BaseRegionLoss`, as `average`, `absent` and the rest.
    smooth : float, default=1.0
        The loss is that of so many pixels more, predicted and true.
    average : {"batch", "sample"}, default="batch"
        What is summed over.
    absent : {"count", "skip"}, default="count"
        What becomes of a class without a true pixel.
    include_background : bool, default=True
        Whether class 0 has a loss.
    squared : bool, default=False
        Sum the squares of the predicted probabilities.
    weight : sequence of float of shape (n_classes,), default=None
        What the losses of the classes are multiplied by.
    ignore_index : int, default=None
        The target that marks a missing label.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of the classes become one.
    """

    def __init__(
        self,
        *,
        mode: str = "softmax",
        smooth: float = 1.0,
        average: str = "batch",
        absent: str = "count",
        include_background: bool = True,
        squared: bool = False,
        weight: Tensor | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(
            mode=mode,
            average=average,
            absent=absent,
            include_background=include_background,
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        if smooth < 0:
            raise ValueError(f"smooth={smooth} is negative: pass 0 or more pixels.")
        self.smooth = smooth
        self.squared = squared

    def _ratio_losses(self, sums: RegionSums) -> Tensor:
        """Return one loss per class, before it is weighted."""
        raise NotImplementedError(f"{type(self).__name__} must implement _ratio_losses.")

    def _region_losses(self, regions: Regions) -> tuple[Tensor, Tensor]:
        sums = region_sums(regions, mode=self.mode, average=self.average, squared=self.squared)
        losses = self._ratio_losses(sums)
        if self.weight is not None:
            losses = losses * self.weight
        return losses, self._counted(sums.true, sums.n_pixels)
