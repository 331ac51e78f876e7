"""What every loss shares: precision, missing targets, weights of samples and the reduction.

A pure function of logits and targets gives one loss per target and holds the maths. A module calls
it in ``_losses``, holds counts and weights as buffers, and inherits the rest from here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._class_weights import class_weights, present_counts

IGNORED = -100  # torch's own default
MISSING_LABEL = -1  # of an indicator; NaN is missing as well


def in_float32(logits: Tensor) -> Tensor:
    """Return logits in float32 at least, as half precision loses what a logarithm needs.

    Parameters
    ----------
    logits : Tensor
        Raw scores of any floating type.

    Returns
    -------
    logits : Tensor
        The same in float32, or in float64 if they were.
    """
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


class Loss(nn.Module):
    """Base of the losses: a subclass implements ``_losses``, one loss per target.

    Parameters
    ----------
    ignore_index : int, default=-100
        The target that marks a missing label.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one; "mean" divides by the number of targets that are not
        missing.

    Attributes
    ----------
    predict_nonlinearity : {"softmax", "sigmoid"}
        What turns logits into probabilities, over axis 1 for a softmax.
    predict_scale : float
        What logits are multiplied by before that.
    takes_cosines : bool
        Whether the logits are meant to be cosines, which the loss scales itself.

    Raises
    ------
    ValueError
        If `reduction` is unknown.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import Loss
    >>> class HingeLoss(Loss):
    ...     predict_nonlinearity = "sigmoid"
    ...
    ...     def _losses(self, logits, targets):
    ...         return (1 - (2 * targets - 1) * logits).clamp(min=0)
    >>> HingeLoss()(torch.tensor([[0.5], [2.0]]), torch.tensor([[1.0], [-100.0]]))
    tensor(0.5000)
    """

    predict_nonlinearity = "softmax"
    predict_scale = 1.0
    takes_cosines = False

    def __init__(self, *, ignore_index: int = IGNORED, reduction: str = "mean") -> None:
        super().__init__()
        check_option("reduction", reduction, ("none", "mean", "sum"))
        self.ignore_index = ignore_index
        self.reduction = reduction

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return one loss per target; what it says of missing targets is not read."""
        raise NotImplementedError(f"{type(self).__name__} must implement _losses.")

    def valid(self, targets: Tensor) -> Tensor:
        """Return which targets are not missing.

        Parameters
        ----------
        targets : Tensor
            Targets; `ignore_index` and NaN are missing.

        Returns
        -------
        valid : Tensor of bool
            Of the shape of `targets`.
        """
        known = targets != self.ignore_index
        return known & ~targets.isnan() if targets.is_floating_point() else known

    def prior_factor(self) -> Tensor | float | None:
        """Return what the loss multiplies the odds of each class by.

        Returns
        -------
        factor : Tensor of shape (n_classes,), float or None
            Probabilities of a net trained with this loss are those of rows drawn with so many times
            the frequency of each class; None where no such factor is known.
        """
        return None

    def start_epoch(self, epoch: int, n_epochs: int) -> None:
        """Do nothing; a loss that changes in training is told where training stands.

        Parameters
        ----------
        epoch : int
            Number of the epoch that begins, from 0.
        n_epochs : int
            Number of epochs there will be at most.
        """

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the reduced loss.

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
        loss : Tensor of shape () or of the targets' shape
            The mean or sum; with ``reduction="none"`` one loss per target, 0 where it is missing.
        """
        logits, valid = in_float32(logits), self.valid(targets)
        if valid.is_cpu and valid.all():  # to ask another device would be to wait for it
            losses = self._losses(logits, targets)
        else:
            # Missing targets become 0 before anything is computed: a NaN would reach the gradient.
            losses = self._losses(logits, targets.where(valid, 0)).where(valid, 0)
        return self._reduce(losses, self._total(targets, valid), sample_weight)

    def _reduce(self, losses: Tensor, total: Tensor, sample_weight: Tensor | None) -> Tensor:
        """Return weighted losses as they are, their sum, or their sum over the total."""
        if sample_weight is not None:
            losses = losses * sample_weight.reshape(-1, *[1] * (losses.ndim - 1))
        if self.reduction == "none":
            return losses
        if self.reduction == "sum":
            return losses.sum()
        # Without a valid target the sum is 0 already, and stays attached to the logits.
        return losses.sum() / total.where(total > 0, 1)

    def _total(self, targets: Tensor, valid: Tensor) -> Tensor:
        """Return what the mean divides by."""
        return valid.sum()


def check_option(name: str, value: object, known: tuple[object, ...]) -> None:
    """Refuse an option that is not among those known.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : object
        What it was set to.
    known : tuple
        What it may be.

    Raises
    ------
    ValueError
        If it is none of those.
    """
    if value not in known:
        raise ValueError(f"{name}={value!r} is unknown: choose {', '.join(map(repr, known))}.")


class SoftmaxLoss(Loss):
    """Base of the losses of one class per target, class axis 1: class numbers, class weights.

    Parameters
    ----------
    weight : {"inverse", "sqrt", "effective"} or sequence of float, default=None
        Weights of the classes, or the scheme of `class_weights` that finds them from
        `class_counts`; None weighs all alike.
    class_counts : sequence of float of shape (n_classes,), default=None
        Number of training rows of every class.
    beta : float, default=0.999
        Of the scheme "effective".
    mean_over : {"targets", "weights"}, default="targets"
        What the mean divides by: the number of targets, or the sum of their weights as torch does.
        The second cancels the weights in a batch that holds one class.
    ignore_index : int, default=-100
        The target that marks a missing label.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"softmax"``, over axis 1.

    Raises
    ------
    ValueError
        If `weight` is a scheme and there are no `class_counts`, or an option is unknown.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SoftmaxLoss
    >>> class MistakeProbability(SoftmaxLoss):
    ...     def _losses(self, logits, targets):
    ...         return 1 - logits.softmax(1).gather(1, targets[:, None]).squeeze(1)
    >>> MistakeProbability()(torch.zeros(3, 2), torch.tensor([0, 1, -100]))
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        weight: str | Tensor | Sequence[float] | None = None,
        class_counts: Tensor | Sequence[float] | None = None,
        beta: float = 0.999,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        check_option("mean_over", mean_over, ("targets", "weights"))
        if class_counts is not None:
            class_counts = present_counts(class_counts).float()
        self.register_buffer("class_counts", class_counts)
        if isinstance(weight, str):
            weight = class_weights(self._counts(f"weight={weight!r}"), weight, beta=beta)
        elif weight is not None:
            weight = torch.as_tensor(weight, dtype=torch.float32)
        self.register_buffer("weight", weight)
        self.mean_over = mean_over

    def _counts(self, what: str) -> Tensor:
        """Return the counts of the classes, if there are any."""
        if self.class_counts is None:
            raise ValueError(
                f"{what} is computed from the counts of the classes, which are missing: pass "
                "class_counts, the number of training rows of every class."
            )
        return self.class_counts

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the reduced loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes, ...)
            Raw scores of the classes.
        targets : Tensor of shape (n_samples, ...)
            Class numbers.
        sample_weight : Tensor of shape (n_samples,), default=None
            What the losses of each sample are multiplied by.

        Returns
        -------
        loss : Tensor of shape () or (n_samples, ...)
            The mean or sum; with ``reduction="none"`` one loss per target, 0 where it is missing.
        """
        check_class_targets(logits, targets, self.weight)
        check_per_class(logits, self.class_counts, "class_counts")
        return super().forward(logits, targets.long(), sample_weight)

    def _total(self, targets: Tensor, valid: Tensor) -> Tensor:
        if self.mean_over == "targets" or self.weight is None:
            return super()._total(targets, valid)
        return self.weight[targets.where(valid, 0).long()].where(valid, 0).sum()


def check_class_targets(logits: Tensor, targets: Tensor, per_class: Tensor | None = None) -> None:
    """Refuse targets that are not one class number per target, or weights of other classes.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    per_class : Tensor of shape (n_classes,), default=None
        One weight per class.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or the targets are not class numbers.
    """
    if logits.ndim < 2 or targets.shape != logits.shape[:1] + logits.shape[2:]:
        expected = tuple(logits.shape[:1] + logits.shape[2:])
        raise ValueError(
            f"targets have shape {tuple(targets.shape)} and logits {tuple(logits.shape)}: pass one "
            f"class number per target, shape {expected}, and logits with the classes on axis 1."
        )
    if targets.is_floating_point() or targets.dtype == torch.bool:
        raise ValueError(
            f"targets have dtype {targets.dtype}: pass class numbers, such as targets.long()."
        )
    check_per_class(logits, per_class, "weight")


def check_per_class(logits: Tensor, values: Tensor | None, name: str) -> None:
    """Refuse values that are not one per class.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    values : Tensor of shape (n_classes,) or None
        One weight or count per class, if there are any.
    name : str
        Name of the parameter.

    Raises
    ------
    ValueError
        If their number is another.
    """
    if values is not None and len(values) != logits.shape[1]:
        raise ValueError(
            f"{name} holds {len(values)} values and the logits {logits.shape[1]} classes: pass "
            "one value per class."
        )


class SigmoidLoss(Loss):
    """Base of the losses of indicators: independent labels of which any number may be true.

    Parameters
    ----------
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SigmoidLoss
    >>> class Brier(SigmoidLoss):
    ...     def _losses(self, logits, targets):
    ...         return (logits.sigmoid() - targets) ** 2
    >>> Brier()(torch.zeros(1, 3), torch.tensor([[1.0, 0.0, float("nan")]]))
    tensor(0.2500)
    """

    predict_nonlinearity = "sigmoid"

    def __init__(self, *, ignore_index: int = MISSING_LABEL, reduction: str = "mean") -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)

    def forward(
        self, logits: Tensor, targets: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the reduced loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_labels, ...)
            Raw scores of the labels.
        targets : Tensor of shape (n_samples, n_labels, ...)
            1 where a label is true, 0 where it is not, between them for soft labels.
        sample_weight : Tensor of shape (n_samples,), default=None
            What the losses of each sample are multiplied by.

        Returns
        -------
        loss : Tensor of shape () or (n_samples, n_labels, ...)
            The mean or sum; with ``reduction="none"`` one loss per label, 0 where it is unknown.
        """
        check_indicator_targets(logits, targets)
        return super().forward(logits, targets.to(in_float32(logits).dtype), sample_weight)


def check_indicator_targets(logits: Tensor, targets: Tensor) -> None:
    """Refuse targets that are not one value per logit.

    Parameters
    ----------
    logits, targets : Tensor of shape (n_samples, n_labels, ...)
        Raw scores, and the indicator.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(
            f"targets have shape {tuple(targets.shape)} and logits {tuple(logits.shape)}: pass an "
            "indicator with one value per logit."
        )
