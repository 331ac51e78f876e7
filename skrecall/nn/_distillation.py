"""Distillation: a student learns the targets and, at a temperature, what a teacher says of them.

The loss mixes both [1]_: ``(1 - alpha) hard + alpha T**2 KL(teacher at T, student at T)``. The
factor ``T**2`` keeps the gradients of the two parts alike, as softening divides them by it.

References
----------
.. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", NIPS Deep
   Learning and Representation Learning Workshop, 2015.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._loss import Loss, check_option, in_float32
from ._registry import get_loss

TEACHER_OUTPUTS = ("probabilities", "logits")
ROUNDING = 1e-6  # what a probability may lie outside [0, 1]
SUM_TOLERANCE = 1e-2  # what the probabilities of the classes may miss 1 by, half precision included


def softmax_distillation(
    logits: Tensor,
    teacher: Tensor,
    *,
    temperature: float = 2.0,
    teacher_output: str = "probabilities",
) -> Tensor:
    """Return ``T**2 KL(teacher, student)`` of every target, both softened by the temperature.

    The softened student is ``softmax(logits / T)``. The softened teacher is the same of its logits,
    or ``softmax(log(p) / T)`` of its probabilities, which is equal. A probability of exactly 0
    stays 0 at every temperature, and no clamp is needed.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes, ...)
        Raw scores of the student.
    teacher : Tensor of shape (n_samples, n_classes, ...)
        What the teacher says of the same samples.
    temperature : float, default=2.0
        By what the logits of both are divided; the higher, the more the unlikely classes count.
    teacher_output : {"probabilities", "logits"}, default="probabilities"
        What `teacher` holds.

    Returns
    -------
    losses : Tensor of shape (n_samples, ...)
        One loss per target, summed over the classes; at least 0, up to rounding.

    Raises
    ------
    ValueError
        If the shapes differ, or the probabilities are none.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", NIPS
       Deep Learning and Representation Learning Workshop, 2015.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import softmax_distillation
    >>> softmax_distillation(torch.zeros(2, 2), torch.tensor([[0.5, 0.5], [0.9, 0.1]]))
    tensor([0.0000, 0.5232])
    """
    teacher = _checked_teacher(logits, teacher, temperature, teacher_output)
    if teacher_output == "probabilities":
        miss = (teacher.sum(dim=1) - 1).abs().amax()
        if miss > SUM_TOLERANCE:
            raise ValueError(
                f"The teacher's probabilities of the classes miss a sum of 1 by up to {miss:.3g}: "
                "use sigmoid_distillation for independent labels, or teacher_output='logits'."
            )
        teacher = teacher.log()
    p = torch.softmax(teacher / temperature, dim=1)
    log_q = torch.log_softmax(in_float32(logits) / temperature, dim=1)
    return temperature**2 * F.kl_div(log_q, p.to(log_q), reduction="none").sum(dim=1)


def sigmoid_distillation(
    logits: Tensor,
    teacher: Tensor,
    *,
    temperature: float = 2.0,
    teacher_output: str = "probabilities",
) -> Tensor:
    """Return ``T**2 KL(teacher, student)`` of every label, both softened by the temperature.

    The softened student is ``sigmoid(logits / T)``. The softened teacher is the same of its logits,
    or ``sigmoid(logit(p) / T)`` of its probabilities. A probability of exactly 0 or 1 stays what it
    is at every temperature, and no clamp is needed.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the student.
    teacher : Tensor of shape (n_samples, n_labels, ...)
        What the teacher says of the same samples.
    temperature : float, default=2.0
        By what the logits of both are divided.
    teacher_output : {"probabilities", "logits"}, default="probabilities"
        What `teacher` holds.

    Returns
    -------
    losses : Tensor of shape (n_samples, n_labels, ...)
        One loss per label; at least 0, up to rounding.

    Raises
    ------
    ValueError
        If the shapes differ, or the probabilities are none.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", NIPS
       Deep Learning and Representation Learning Workshop, 2015.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import sigmoid_distillation
    >>> sigmoid_distillation(torch.zeros(1, 3), torch.tensor([[0.5, 0.9, 1.0]]))
    tensor([[0.0000, 0.5232, 2.7726]])
    """
    teacher = _checked_teacher(logits, teacher, temperature, teacher_output)
    if teacher_output == "probabilities":
        teacher = teacher.logit()
    logits = in_float32(logits) / temperature
    p = torch.sigmoid(teacher / temperature).to(logits)
    entropy = torch.special.entr(p) + torch.special.entr(1 - p)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, p, reduction="none")
    return temperature**2 * (cross_entropy - entropy)


class _DistillationLoss(nn.Module):
    """What both losses share: the hard loss, the mix, weights of samples and the reduction."""

    predict_nonlinearity: str

    def __init__(
        self,
        hard_loss: Loss | str,
        *,
        alpha: float,
        temperature: float,
        teacher_output: str,
        reduction: str,
    ) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha={alpha} is no share of the soft loss: pass 0 to 1.")
        check_softening(temperature, teacher_output)
        check_option("reduction", reduction, ("none", "mean", "sum"))
        hard_loss = get_loss(hard_loss) if isinstance(hard_loss, str) else copy.deepcopy(hard_loss)
        if not isinstance(hard_loss, Loss):
            raise ValueError(
                f"hard_loss is a {type(hard_loss).__name__}: pass a skrecall.nn.Loss or a name of "
                "skrecall.nn.LOSSES."
            )
        if hard_loss.predict_nonlinearity != self.predict_nonlinearity:
            raise ValueError(
                f"hard_loss {type(hard_loss).__name__} reads logits by a "
                f"{hard_loss.predict_nonlinearity} and {type(self).__name__} by a "
                f"{self.predict_nonlinearity}: choose a pair that reads them alike."
            )
        self.hard_loss = hard_loss
        self.alpha = alpha
        self.temperature = temperature
        self.teacher_output = teacher_output
        self.reduction = reduction

    @property
    def predict_scale(self) -> float:
        """What logits are multiplied by before they become probabilities: the hard loss's."""
        return self.hard_loss.predict_scale

    @property
    def takes_cosines(self) -> bool:
        """Whether the hard loss takes cosines for logits."""
        return getattr(self.hard_loss, "takes_cosines", False)

    def start_epoch(self, epoch: int, n_epochs: int) -> None:
        """Tell the hard loss where training stands.

        Parameters
        ----------
        epoch : int
            Number of the epoch that begins, from 0.
        n_epochs : int
            Number of epochs there will be at most.
        """
        self.hard_loss.start_epoch(epoch, n_epochs)

    def forward(
        self,
        logits: Tensor,
        targets: Tensor,
        teacher: Tensor,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        """Return the reduced mix of the hard and the soft loss.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_outputs, ...)
            Raw scores of the student.
        targets : Tensor of shape (n_samples, ...)
            What the hard loss takes. Where a target is missing, the teacher still teaches.
        teacher : Tensor of shape (n_samples, n_outputs, ...)
            What the teacher says: probabilities or logits, as `teacher_output` states.
        sample_weight : Tensor of shape (n_samples,), default=None
            What both losses of each sample are multiplied by.

        Returns
        -------
        loss : Tensor of shape () or of the soft losses' shape
            The mean of the hard loss over its targets and of the soft one over all; their sums;
            or, with ``reduction="none"``, one value per target.

        Raises
        ------
        ValueError
            If the shapes differ, or with ``reduction="none"`` the hard loss gives one value per
            something else than a target.
        """
        self.hard_loss.reduction = self.reduction
        hard = self.hard_loss(logits, targets, sample_weight=sample_weight)
        logits, scale = in_float32(logits), self.predict_scale
        soft = self._soft(logits if scale == 1 else logits * scale, teacher)
        if sample_weight is not None:
            soft = soft * sample_weight.reshape(-1, *[1] * (soft.ndim - 1))
        if self.reduction == "mean":
            soft = soft.mean()
        elif self.reduction == "sum":
            soft = soft.sum()
        if hard.shape != soft.shape:
            raise ValueError(
                f"{type(self.hard_loss).__name__} gives losses of shape {tuple(hard.shape)} and "
                f"the soft loss {tuple(soft.shape)}: pass reduction='mean' or 'sum'."
            )
        return (1 - self.alpha) * hard + self.alpha * soft

    def _soft(self, logits: Tensor, teacher: Tensor) -> Tensor:
        raise NotImplementedError


class SoftmaxDistillationLoss(_DistillationLoss):
    """Cross entropy, or another softmax loss, mixed with what a teacher says of the classes.

    Called with logits, targets and the teacher's probabilities. The soft part is summed over the
    classes and averaged over the targets (torch's "batchmean").

    Parameters
    ----------
    hard_loss : Loss or str, default="cross_entropy"
        Loss of the targets, copied, or a name of ``skrecall.nn.LOSSES``. Where it multiplies logits
        by a `predict_scale`, the soft part does so too.
    alpha : float, default=0.5
        Share of the soft part; 0 leaves the teacher out and 1 the targets.
    temperature : float, default=2.0
        By what the logits of both are divided in the soft part.
    teacher_output : {"probabilities", "logits"}, default="probabilities"
        What the teacher hands over.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"softmax"``, over axis 1.
    predict_scale : float
        What logits are multiplied by before that.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the hard loss is one of independent labels.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", NIPS
       Deep Learning and Representation Learning Workshop, 2015.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SoftmaxDistillationLoss
    >>> loss = SoftmaxDistillationLoss("focal", alpha=0.9, temperature=4.0)
    >>> loss(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([[0.2, 0.8]]))
    tensor(0.2303)
    """

    predict_nonlinearity = "softmax"

    def __init__(
        self,
        hard_loss: Loss | str = "cross_entropy",
        *,
        alpha: float = 0.5,
        temperature: float = 2.0,
        teacher_output: str = "probabilities",
        reduction: str = "mean",
    ) -> None:
        super().__init__(
            hard_loss,
            alpha=alpha,
            temperature=temperature,
            teacher_output=teacher_output,
            reduction=reduction,
        )

    def _soft(self, logits: Tensor, teacher: Tensor) -> Tensor:
        return softmax_distillation(
            logits, teacher, temperature=self.temperature, teacher_output=self.teacher_output
        )


class SigmoidDistillationLoss(_DistillationLoss):
    """Binary cross entropy, or another sigmoid loss, mixed with what a teacher says of the labels.

    Called with logits, an indicator and the teacher's probabilities. The soft part is averaged over
    samples and labels, those unknown to the indicator included.

    Parameters
    ----------
    hard_loss : Loss or str, default="binary_cross_entropy"
        Loss of the indicator, copied, or a name of ``skrecall.nn.LOSSES``.
    alpha : float, default=0.5
        Share of the soft part; 0 leaves the teacher out and 1 the targets.
    temperature : float, default=2.0
        By what the logits of both are divided in the soft part.
    teacher_output : {"probabilities", "logits"}, default="probabilities"
        What the teacher hands over.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.
    predict_scale : float
        What logits are multiplied by before that.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the hard loss is one of classes.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", NIPS
       Deep Learning and Representation Learning Workshop, 2015.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SigmoidDistillationLoss
    >>> targets = torch.tensor([[1.0, float("nan")]])
    >>> SigmoidDistillationLoss()(torch.zeros(1, 2), targets, torch.tensor([[0.9, 0.9]]))
    tensor(0.6082)
    """

    predict_nonlinearity = "sigmoid"

    def __init__(
        self,
        hard_loss: Loss | str = "binary_cross_entropy",
        *,
        alpha: float = 0.5,
        temperature: float = 2.0,
        teacher_output: str = "probabilities",
        reduction: str = "mean",
    ) -> None:
        super().__init__(
            hard_loss,
            alpha=alpha,
            temperature=temperature,
            teacher_output=teacher_output,
            reduction=reduction,
        )

    def _soft(self, logits: Tensor, teacher: Tensor) -> Tensor:
        return sigmoid_distillation(
            logits, teacher, temperature=self.temperature, teacher_output=self.teacher_output
        )


def check_softening(temperature: float, teacher_output: str) -> None:
    """Refuse a temperature that softens nothing, and unknown outputs.

    Parameters
    ----------
    temperature : float
        By what logits are divided.
    teacher_output : str
        What the teacher hands over.

    Raises
    ------
    ValueError
        If the temperature is not above 0, or the output is unknown.
    """
    if not temperature > 0:
        raise ValueError(
            f"temperature={temperature} cannot divide logits: pass more than 0; 1 softens nothing."
        )
    check_option("teacher_output", teacher_output, TEACHER_OUTPUTS)


def _checked_teacher(
    logits: Tensor, teacher: Tensor, temperature: float, teacher_output: str
) -> Tensor:
    """Return what the teacher says in float32 at least, if it is what it is said to be."""
    check_softening(temperature, teacher_output)
    if teacher.shape != logits.shape:
        raise ValueError(
            f"The teacher's values have shape {tuple(teacher.shape)} and the student's logits "
            f"{tuple(logits.shape)}: pass one value per logit."
        )
    teacher = in_float32(teacher)
    if teacher_output == "logits":
        return teacher
    if not ((teacher >= -ROUNDING) & (teacher <= 1 + ROUNDING)).all():
        raise ValueError(
            f"The teacher's values reach from {teacher.amin():.3g} to {teacher.amax():.3g}, which "
            "are no probabilities: pass teacher_output='logits' if they are logits."
        )
    return teacher.clamp(0, 1)
