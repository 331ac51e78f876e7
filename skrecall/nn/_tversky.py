"""Tversky losses, in which false negatives may cost more than false positives; Jaccard is one."""

from collections.abc import Sequence

from torch import Tensor

from ._region import BaseRatioLoss, RegionSums, as_regions, region_sums, tversky_ratio


def jaccard_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mode: str = "softmax",
    smooth: float = 1.0,
    average: str = "batch",
    squared: bool = False,
    ignore_index: int | None = None,
) -> Tensor:
    """Return the Jaccard loss of every class, ``1 - (I + s) / (P + T - I + s)``.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores.
    targets : Tensor of shape (n_samples, ...) or of the logits' shape
        Class numbers, or an indicator if `mode` is "sigmoid".
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, or of any number of them.
    smooth : float, default=1.0
        The loss is that of so many pixels more, predicted and true.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
    squared : bool, default=False
        Sum the squares of the probabilities in P.
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
    .. [1] M. A. Rahman, Y. Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for
       Image Segmentation", ISVC 2016.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import jaccard_loss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> jaccard_loss(logits, torch.tensor([[[0, 1]]]), smooth=0.0)
    tensor([0.5000, 0.9999])
    """
    regions = as_regions(logits, targets, mode=mode, average=average, ignore_index=ignore_index)
    sums = region_sums(regions, mode=mode, average=average, squared=squared)
    return tversky_ratio(sums, 1.0, 1.0, smooth)


def tversky_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    alpha: float = 0.3,
    beta: float = 0.7,
    gamma: float = 1.0,
    mode: str = "softmax",
    smooth: float = 1.0,
    average: str = "batch",
    ignore_index: int | None = None,
) -> Tensor:
    """Return the (focal) Tversky loss of every class.

    It is ``(1 - (I + s) / (I + alpha (P - I) + beta (T - I) + s))**gamma``: Dice for weights of one
    half, Jaccard for weights of 1.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores.
    targets : Tensor of shape (n_samples, ...) or of the logits' shape
        Class numbers, or an indicator if `mode` is "sigmoid".
    alpha : float, default=0.3
        What false positives count.
    beta : float, default=0.7
        What false negatives count; above `alpha` for recall.
    gamma : float, default=1.0
        Power of the loss: below 1 it is steepest where a class is nearly found. The paper's gamma
        of 4/3 is the root, so 0.75 here.
    mode : {"softmax", "sigmoid"}, default="softmax"
        Whether each pixel is of one class, or of any number of them.
    smooth : float, default=1.0
        The loss is that of so many pixels more, predicted and true.
    average : {"batch", "sample"}, default="batch"
        Sum over the pixels of all samples, or of each.
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
    .. [1] S. S. M. Salehi, D. Erdogmus, A. Gholipour, "Tversky Loss Function for Image Segmentation
       Using 3D Fully Convolutional Deep Networks", MLMI 2017.
    .. [2] N. Abraham, N. M. Khan, "A Novel Focal Tversky Loss Function with Improved Attention
       U-Net for Lesion Segmentation", ISBI 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import tversky_loss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> tversky_loss(logits, torch.tensor([[[0, 1]]]), smooth=0.0)
    tensor([0.2308, 0.9998])
    """
    regions = as_regions(logits, targets, mode=mode, average=average, ignore_index=ignore_index)
    sums = region_sums(regions, mode=mode, average=average)
    return _focal(tversky_ratio(sums, alpha, beta, smooth), gamma)


def _focal(losses: Tensor, gamma: float) -> Tensor:
    # The power has an infinite slope at 0 where gamma is below 1.
    some = losses > 0
    return losses.where(some, 1).pow(gamma).where(some, 0)


class JaccardLoss(BaseRatioLoss):
    """Jaccard loss: one minus the intersection over union of probabilities, by class.

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
    >>> from skrecall.nn import JaccardLoss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> JaccardLoss(smooth=0.0)(logits, torch.tensor([[[0, 1]]]))
    tensor(0.7500)
    """

    def _ratio_losses(self, sums: RegionSums) -> Tensor:
        return tversky_ratio(sums, 1.0, 1.0, self.smooth)


class TverskyLoss(BaseRatioLoss):
    """Tversky loss: Dice in which false negatives may cost more than false positives.

    Parameters
    ----------
    alpha : float, default=0.3
        What false positives count.
    beta : float, default=0.7
        What false negatives count; above `alpha` for recall.
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
    >>> from skrecall.nn import TverskyLoss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> TverskyLoss(smooth=0.0)(logits, torch.tensor([[[0, 1]]]))
    tensor(0.6153)
    """

    def __init__(
        self,
        *,
        alpha: float = 0.3,
        beta: float = 0.7,
        mode: str = "softmax",
        smooth: float = 1.0,
        average: str = "batch",
        absent: str = "count",
        include_background: bool = True,
        weight: Tensor | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        if min(alpha, beta) < 0 or alpha + beta == 0:
            raise ValueError(
                f"alpha={alpha} and beta={beta} weigh false positives and false negatives: pass "
                "numbers that are not negative, one at least above 0."
            )
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
        self.alpha = alpha
        self.beta = beta

    def _ratio_losses(self, sums: RegionSums) -> Tensor:
        return tversky_ratio(sums, self.alpha, self.beta, self.smooth)


class FocalTverskyLoss(TverskyLoss):
    """Focal Tversky loss: a power of the Tversky loss of every class.

    Parameters
    ----------
    alpha : float, default=0.3
        What false positives count.
    beta : float, default=0.7
        What false negatives count; above `alpha` for recall.
    gamma : float, default=0.75
        Power of the loss: below 1 it is steepest where a class is nearly found. The paper's gamma
        of 4/3 is the root, so 0.75 here; 1 is the Tversky loss.
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
    >>> from skrecall.nn import FocalTverskyLoss
    >>> logits = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> FocalTverskyLoss(smooth=0.0)(logits, torch.tensor([[[0, 1]]]))
    tensor(0.6664)
    """

    def __init__(
        self,
        *,
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 0.75,
        mode: str = "softmax",
        smooth: float = 1.0,
        average: str = "batch",
        absent: str = "count",
        include_background: bool = True,
        weight: Tensor | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        if gamma <= 0:
            raise ValueError(f"gamma={gamma} must be above 0: 1 gives the Tversky loss.")
        super().__init__(
            alpha=alpha,
            beta=beta,
            mode=mode,
            smooth=smooth,
            average=average,
            absent=absent,
            include_background=include_background,
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        self.gamma = gamma

    def _ratio_losses(self, sums: RegionSums) -> Tensor:
        return _focal(super()._ratio_losses(sums), self.gamma)
