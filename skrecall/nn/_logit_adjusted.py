"""Logit adjustment, also known as balanced softmax: class priors inside the training loss."""

from collections.abc import Sequence

from torch import Tensor

from ._cross_entropy import weighted_cross_entropy
from ._loss import IGNORED, SoftmaxLoss, check_class_targets, check_per_class, in_float32


def logit_adjusted_loss(
    logits: Tensor,
    targets: Tensor,
    class_counts: Tensor,
    *,
    tau: float = 1.0,
    weight: Tensor | None = None,
    ignore_index: int = IGNORED,
) -> Tensor:
    """Return the cross entropy of ``logits + tau log(prior)``.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the classes.
    targets : Tensor of shape (n_samples, ...)
        Class numbers.
    class_counts : Tensor of shape (n_classes,)
        Number of training rows of every class, all above zero: the prior up to a factor, which
        cancels.
    tau : float, default=1.0
        How much of the prior the loss takes over: 0 gives cross entropy, 1 the balanced softmax.
    weight : Tensor of shape (n_classes,), default=None
        Weights of the classes; None weighs all alike.
    ignore_index : int, default=-100
        The target that marks a missing label; its loss and gradient are 0.

    Returns
    -------
    losses : Tensor of shape (n_samples, ...)
        One loss per target, in float32 or the logits' higher precision.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or the targets are not class numbers.

    References
    ----------
    .. [1] A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit, S. Kumar, "Long-Tail Learning
       via Logit Adjustment", ICLR 2021.
    .. [2] J. Ren et al., "Balanced Meta-Softmax for Long-Tailed Visual Recognition", NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import logit_adjusted_loss
    >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
    >>> logit_adjusted_loss(logits, torch.tensor([0, 2]), torch.tensor([5000, 500, 50]))
    tensor([0.0139, 4.7095])
    """
    check_class_targets(logits, targets, weight)
    check_per_class(logits, class_counts, "class_counts")
    logits = in_float32(logits)
    log_prior = class_counts.to(logits).log().reshape(-1, *[1] * (logits.ndim - 2))
    return weighted_cross_entropy(
        logits + tau * log_prior, targets, weight=weight, ignore_index=ignore_index
    )


class LogitAdjustedLoss(SoftmaxLoss):
    """Cross entropy of logits to which the log prior of the classes is added in training.

    The logits then stand for classes that are equally frequent, and are used as they are to
    predict: correcting them for the prior again, or drawing balanced batches as well, corrects
    twice. With `tau` 1 it is the balanced softmax. A class without rows counts as the rarest class
    that has some.

    Parameters
    ----------
    class_counts : sequence of float of shape (n_classes,), default=None
        Number of training rows of every class; the loss cannot do without.
    tau : float, default=1.0
        How much of the prior the loss takes over: 0 gives cross entropy, 1 the balanced softmax,
        more favours rare classes beyond balance.
    weight : {"inverse", "sqrt", "effective"} or sequence of float, default=None
        Weights of the classes, or the scheme of `class_weights` that finds them from
        `class_counts`; None weighs all alike.
    beta : float, default=0.999
        Of the scheme "effective".
    mean_over : {"targets", "weights"}, default="targets"
        What the mean divides by: the number of targets, or the sum of their weights.
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
        If there are no `class_counts`, or `tau` is negative.

    References
    ----------
    .. [1] A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit, S. Kumar, "Long-Tail Learning
       via Logit Adjustment", ICLR 2021.
    .. [2] J. Ren et al., "Balanced Meta-Softmax for Long-Tailed Visual Recognition", NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import LogitAdjustedLoss
    >>> loss = LogitAdjustedLoss(class_counts=[90, 10])
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(1.2040)
    """

    def __init__(
        self,
        *,
        class_counts: Tensor | Sequence[float] | None = None,
        tau: float = 1.0,
        weight: str | Tensor | Sequence[float] | None = None,
        beta: float = 0.999,
        mean_over: str = "targets",
        ignore_index: int = IGNORED,
        reduction: str = "mean",
    ) -> None:
        if tau < 0:
            raise ValueError(
                f"tau={tau} would favour frequent classes: pass 0 (cross entropy) or more."
            )
        super().__init__(
            weight=weight,
            class_counts=class_counts,
            beta=beta,
            mean_over=mean_over,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        self._counts(type(self).__name__)
        self.tau = tau

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return logit_adjusted_loss(
            logits,
            targets,
            self.class_counts,
            tau=self.tau,
            weight=self.weight,
            ignore_index=self.ignore_index,
        )

    def prior_factor(self) -> Tensor:
        """Return the weights of the classes divided by their frequencies to the power of `tau`.

        Returns
        -------
        factor : Tensor of shape (n_classes,)
            At `tau` 1 and without weights, what makes all classes equally frequent.
        """
        balance = (self.class_counts / self.class_counts.sum()) ** -self.tau
        return balance if self.weight is None else self.weight * balance
