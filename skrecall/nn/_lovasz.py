"""Lovasz losses: the Jaccard index of a class, made convex in the errors of its pixels."""

from collections.abc import Sequence

from torch import Tensor

from ._loss import check_option
from ._region import BaseRegionLoss, Regions, as_regions


def lovasz_extension(errors: Tensor, truth: Tensor, mass: Tensor) -> Tensor:
    """Return the Lovasz extension of the Jaccard loss at errors of pixels.

    The pixels go wrong one by one, the largest error first; each error counts as much as the loss
    grows when its pixel joins those that are wrong.

    Parameters
    ----------
    errors : Tensor of shape (..., n_pixels)
        How wrong each pixel is.
    truth : Tensor of shape (..., n_pixels)
        1 where a pixel is of the class, else 0.
    mass : Tensor of shape (..., n_pixels)
        What each pixel counts; 0 leaves it out.

    Returns
    -------
    losses : Tensor of shape (...)
        One loss per row of pixels.
    """
    order = errors.detach().argsort(dim=-1, descending=True)
    truth, mass = truth.gather(-1, order), mass.gather(-1, order)
    hits, false_alarms = mass * truth, mass * (1 - truth)
    size = hits.sum(dim=-1, keepdim=True)
    left = size - hits.cumsum(dim=-1)
    union = size + false_alarms.cumsum(dim=-1)
    before = union - false_alarms
    # The difference of 1 - left / union from pixel to pixel, without subtracting near equals.
    growth = (hits * union + left * false_alarms) / (before * union).where(before > 0, 1)
    growth = growth.where(before > 0, (union > 0).to(growth))
    return (errors.gather(-1, order) * growth).sum(dim=-1)


def _pixel_rows(x: Tensor, average: str) -> Tensor:
    """Return values with all pixels that belong together on the last axis."""
    return x.transpose(0, 1).flatten(1) if average == "batch" else x.flatten(2)


def _lovasz(regions: Regions, mode: str, average: str, hinge: bool) -> Tensor:
    logits, truth, mass = regions.logits, regions.truth, regions.mass
    if hinge:
        errors = (1 - (2 * truth - 1) * logits).clamp(min=0)
    else:
        predicted = logits.softmax(dim=1) if mode == "softmax" else logits.sigmoid()
        errors = (truth - predicted).abs()
    return lovasz_extension(*(_pixel_rows(x, average) for x in (errors, truth, mass)))


def lovasz_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mode: str = "softmax",
    hinge: bool = False,
    average: str = "batch",
    ignore_index: int | None = None,
) -> Tensor:
    """Return the Lovasz-softmax, Lovasz-sigmoid or Lovasz hinge loss of every class.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores.
    targets : Tensor of shape (n_samples, ...) or of the logits' shape
        Class numbers, or an indicator if `mode` is "sigmoid".
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, or of any number of them.
    hinge : bool, default=False
        Take ``max(0, 1 - s z)`` for the error of a pixel, s = 1 where it is true and -1 elsewhere,
        and not the distance of its probability from the truth; for the mode "sigmoid".
    average : {"batch", "sample"}, default="batch"
        Rank the pixels of all samples together, or of each.
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
    .. [1] M. Berman, A. R. Triki, M. B. Blaschko, "The Lovasz-Softmax Loss: A Tractable Surrogate
       for the Optimization of the Intersection-Over-Union Measure in Neural Networks", CVPR 2018.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import lovasz_loss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> lovasz_loss(logits, torch.tensor([[[0, 1]]]))
    tensor([0.5000, 0.9999])
    """
    _check_hinge(mode, hinge)
    regions = as_regions(logits, targets, mode=mode, average=average, ignore_index=ignore_index)
    return _lovasz(regions, mode, average, hinge)


def _check_hinge(mode: str, hinge: bool) -> None:
    if hinge and mode != "sigmoid":
        raise ValueError(
            f"hinge=True and mode={mode!r}: the hinge is of one score against none, so pass "
            "mode='sigmoid' and an indicator."
        )


class LovaszLoss(BaseRegionLoss):
    """Lovasz-softmax, Lovasz-sigmoid or Lovasz hinge loss: the Jaccard loss made convex in errors.

    On a device, the order of equal errors may differ from run to run.

    Parameters
    ----------
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, given by class numbers, or of any number of them, given
        by an indicator of the logits' shape.
    hinge : bool, default=False
        Take ``max(0, 1 - s z)`` for the error of a pixel, s = 1 where it is true and -1 elsewhere,
        and not the distance of its probability from the truth; for the mode "sigmoid".
    average : {"batch", "sample"}, default="batch"
        Rank the pixels of all samples together, or of each.
    absent : {"count", "skip"}, default=None
        What becomes of a class without a true pixel: it costs its largest error, or it is left out.
        None is "skip" for a softmax, as its authors do, and "count" for sigmoids, where false
        positives on an empty mask would else be free.
    include_background : bool, default=True
        Whether class 0 has a loss.
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
        If an option is unknown, or there is a hinge of a softmax.

    References
    ----------
    .. [1] M. Berman, A. R. Triki, M. B. Blaschko, "The Lovasz-Softmax Loss: A Tractable Surrogate
       for the Optimization of the Intersection-Over-Union Measure in Neural Networks", CVPR 2018.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import LovaszLoss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> LovaszLoss()(logits, torch.tensor([[[0, 1]]]))
    tensor(0.7499)
    """

    def __init__(
        self,
        *,
        mode: str = "softmax",
        hinge: bool = False,
        average: str = "batch",
        absent: str | None = None,
        include_background: bool = True,
        weight: Tensor | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        check_option("absent", absent, (None, "count", "skip"))
        super().__init__(
            mode=mode,
            average=average,
            absent=absent or ("skip" if mode == "softmax" else "count"),
            include_background=include_background,
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        _check_hinge(mode, hinge)
        self.hinge = hinge

    def _region_losses(self, regions: Regions) -> tuple[Tensor, Tensor]:
        losses = _lovasz(regions, self.mode, self.average, self.hinge)
        if self.weight is not None:
            losses = losses * self.weight
        axes = tuple(range(2, regions.mass.ndim))
        axes = axes if self.average == "sample" else (0, *axes)
        true = (regions.mass * regions.truth).sum(dim=axes)
        return losses, self._counted(true, regions.mass.sum(dim=axes))
