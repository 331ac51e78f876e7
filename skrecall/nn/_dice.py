"""Dice loss, the overlap of each class, and generalised Dice loss, that of all classes at once."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ._region import (
    BaseRatioLoss,
    Regions,
    RegionSums,
    as_regions,
    one_minus_ratio,
    region_sums,
    tversky_ratio,
)


def dice_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mode: str = "softmax",
    smooth: float = 1.0,
    average: str = "batch",
    squared: bool = False,
    ignore_index: int | None = None,
) -> Tensor:
    """Return the Dice loss of every class, ``1 - 2 (I + s) / (P + T + 2 s)``.

    I sums the predicted probabilities of the pixels where the class is true, P those of all pixels,
    and T counts the true pixels.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores.
    targets : Tensor of shape (n_samples, ...) or of the logits' shape
        Class numbers, or an indicator if `mode` is "sigmoid".
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, or of any number of them.
    smooth : float, default=1.0
        The loss is that of so many pixels more, predicted and true: an absent class then costs
        little where little of it is predicted.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    squared : bool, default=False
        Sum the squares of the probabilities in P, as V-Net does.
    ignore_index : int, default=None
        The target that marks a missing label, NaN marks one as well; None is -100 for class numbers
        and -1 for an indicator.

    Returns
    -------
    losses : Tensor of shape (n_classes,) or (n_samples, n_classes)
        One loss per class, or per sample and class; 0 where nothing is known.

    Raises
    ------
    ValueError
        If an option is unknown, or the shapes do not belong together.

    References
    ----------
    .. [1] F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net: Fully Convolutional Neural Networks for
       Volumetric Medical Image Segmentation", 3DV 2016.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import dice_loss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> dice_loss(logits, torch.tensor([[[0, 1]]]), smooth=0.0)
    tensor([0.3334, 0.9998])
    """
    regions = as_regions(logits, targets, mode=mode, average=average, ignore_index=ignore_index)
    sums = region_sums(regions, mode=mode, average=average, squared=squared)
    return tversky_ratio(sums, 0.5, 0.5, smooth)


def generalized_dice_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mode: str = "softmax",
    smooth: float = 1.0,
    average: str = "batch",
    ignore_index: int | None = None,
) -> Tensor:
    """Return the generalised Dice loss of all classes together.

    It is ``1 - 2 (sum w I + s) / (sum w (P + T) + 2 s)`` with ``w = (m / T)**2``, m the T of the
    rarest class that is there; a class that is absent weighs as much as that one.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores.
    targets : Tensor of shape (n_samples, ...) or of the logits' shape
        Class numbers, or an indicator if `mode` is "sigmoid".
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, or of any number of them.
    smooth : float, default=1.0
        The loss is that of so many pixels more of the rarest class, predicted and true.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    ignore_index : int, default=None
        The target that marks a missing label, NaN marks one as well; None is -100 for class numbers
        and -1 for an indicator.

    Returns
    -------
    losses : Tensor of shape () or (n_samples,)
        One loss, or one per sample; 0 where nothing is known.

    Raises
    ------
    ValueError
        If an option is unknown, or the shapes do not belong together.

    References
    ----------
    .. [1] C. H. Sudre, W. Li, T. Vercauteren, S. Ourselin, M. J. Cardoso, "Generalised Dice Overlap
       as a Deep Learning Loss Function for Highly Unbalanced Segmentations", DLMIA 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import generalized_dice_loss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> generalized_dice_loss(logits, torch.tensor([[[0, 1]]]), smooth=0.0)
    tensor(0.5000)
    """
    regions = as_regions(logits, targets, mode=mode, average=average, ignore_index=ignore_index)
    sums = region_sums(regions, mode=mode, average=average)
    return _generalized_dice(sums, torch.ones_like(sums.true), smooth)


def _generalized_dice(sums: RegionSums, weight: Tensor, smooth: float) -> Tensor:
    present = (sums.true > 0) & (weight > 0)
    rarest = sums.true.where(present, torch.inf).amin(dim=-1, keepdim=True)
    weight = weight * (rarest / sums.true.where(present, 1)).square().where(present, 1)
    overlap = (weight * sums.overlap).sum(dim=-1) + smooth
    total = (weight * (sums.predicted + sums.true)).sum(dim=-1) + 2 * smooth
    return one_minus_ratio(2 * overlap, total)


class DiceLoss(BaseRatioLoss):
    """Dice loss: one minus the F1 score of probabilities, by class.

    Parameters
    ----------
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, given by class numbers, or of any number of them, given
        by an indicator of the logits' shape.
    smooth : float, default=1.0
        The loss is that of so many pixels more, predicted and true.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    absent : {"count", "skip"}, default="count"
        What becomes of a class without a true pixel: it costs what is predicted of it, or it is
        left out, and false positives on an empty mask are free.
    include_background : bool, default=True
        Whether class 0 has a loss.
    squared : bool, default=False
        Sum the squares of the predicted probabilities.
    weight : sequence of float of shape (n_classes,), default=None
        What the losses of the classes are multiplied by.
    ignore_index : int, default=None
        The target that marks a missing label; None is -100 for class numbers and -1 for an
        indicator, where NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of the classes become one: "mean" divides by the number that count; "none"
        gives one loss per class, or per sample and class.

    Attributes
    ----------
    predict_nonlinearity : {"softmax", "sigmoid"}
        The `mode`.

    Raises
    ------
    ValueError
        If an option is unknown or out of range.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import DiceLoss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> DiceLoss(smooth=0.0)(logits, torch.tensor([[[0, 1]]]))
    tensor(0.6666)
    """

    def _ratio_losses(self, sums: RegionSums) -> Tensor:
        return tversky_ratio(sums, 0.5, 0.5, self.smooth)


class GeneralizedDiceLoss(BaseRatioLoss):
    """Generalised Dice loss: one ratio of all classes, each weighted by its size to the power -2.

    Parameters
    ----------
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, given by class numbers, or of any number of them, given
        by an indicator of the logits' shape.
    smooth : float, default=1.0
        The loss is that of so many pixels more of the rarest class, predicted and true.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    absent : {"count", "skip"}, default="count"
        What becomes of a class without a true pixel: it costs what is predicted of it, or it is
        left out, and false positives on an empty mask are free.
    include_background : bool, default=True
        Whether class 0 has a loss.
    weight : sequence of float of shape (n_classes,), default=None
        What the weights by size are multiplied by.
    ignore_index : int, default=None
        The target that marks a missing label; None is -100 for class numbers and -1 for an
        indicator, where NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of the samples become one; "none" gives one loss, or one per sample.

    Attributes
    ----------
    predict_nonlinearity : {"softmax", "sigmoid"}
        The `mode`.

    Raises
    ------
    ValueError
        If an option is unknown or out of range.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import GeneralizedDiceLoss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> GeneralizedDiceLoss(smooth=0.0)(logits, torch.tensor([[[0, 1]]]))
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        mode: str = "softmax",
        smooth: float = 1.0,
        average: str = "batch",
        absent: str = "count",
        include_background: bool = True,
        weight: Tensor | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(
            mode=mode,
            smooth=smooth,
            average=average,
            absent=absent,
            include_background=include_background,
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )

    def _region_losses(self, regions: Regions) -> tuple[Tensor, Tensor]:
        sums = region_sums(regions, mode=self.mode, average=self.average)
        counted = self._counted(sums.true, sums.n_pixels)
        weight = counted.to(sums.true)
        if self.weight is not None:
            weight = weight * self.weight
        return _generalized_dice(sums, weight, self.smooth), counted.any(dim=-1)
