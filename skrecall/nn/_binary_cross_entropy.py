"""Binary cross entropy of independent labels, positives weighted by label; and its undoing."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ._loss import MISSING_LABEL, SigmoidLoss, check_indicator_targets, check_option, in_float32

SCHEMES = ("inverse", "sqrt", "effective")


def positive_weights(
    label_counts: Tensor | Sequence[float],
    n_samples: int | Tensor | Sequence[float],
    scheme: str = "inverse",
    *,
    beta: float = 0.999,
    power: float = 1.0,
    cap: float | None = None,
) -> Tensor:
    """Return how much more a positive counts than a negative, per label, from the counts.

    Parameters
    ----------
    label_counts : Tensor of shape (n_labels,) or sequence of float
        Positives of each label. A label without any counts as one with one.
    n_samples : int, or Tensor of shape (n_labels,) or sequence of float
        Samples, or those of which the label is known. A label without negatives counts as one with
        one: a weight of 0 would leave it nothing to learn from.
    scheme : {"inverse", "sqrt", "effective"}, default="inverse"
        Negatives over positives, ``(N - n) / n``, so that both weigh the same in all; the square
        root of that; or the ratio of their effective numbers, ``(1 - beta**(N - n)) /
        (1 - beta**n)`` [1]_.
    beta : float, default=0.999
        Of "effective": from 0, which weighs all alike, to 1, the limit of which is "inverse".
    power : float, default=1.0
        By what the weights are raised; 0 weighs all alike.
    cap : float, default=None
        The largest weight; None sets no limit.

    Returns
    -------
    weights : Tensor of shape (n_labels,)
        In float32.

    Raises
    ------
    ValueError
        If a label has more positives than there are samples, or a parameter is out of range.

    References
    ----------
    .. [1] Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-Balanced Loss Based on Effective
       Number of Samples", CVPR 2019.

    Examples
    --------
    >>> from skrecall.nn import positive_weights
    >>> positive_weights([500, 100, 10], 1000, cap=50.0)
    tensor([ 1.,  9., 50.])
    """
    check_option("scheme", scheme, SCHEMES)
    if not 0 <= beta < 1:
        raise ValueError(f"beta={beta} is out of range: pass 0 <= beta < 1.")
    if cap is not None and not cap > 0:
        raise ValueError(f"cap={cap} would leave no positive: pass more than 0, or None.")
    n, n_known = check_counts(f"The scheme {scheme!r}", label_counts, n_samples)
    n = n.clamp(min=1)
    n_negatives = (n_known - n).clamp(min=1)
    if scheme == "effective":
        # 1 - beta**n would round to 0 for a beta close to 1; xlogy is n log(beta).
        weights = torch.expm1(torch.xlogy(n_negatives, beta)) / torch.expm1(torch.xlogy(n, beta))
    else:
        weights = n_negatives / n
    if scheme == "sqrt":
        weights = weights.sqrt()
    weights = weights.pow(power)
    return (weights if cap is None else weights.clamp(max=cap)).float()


def unweighted_probabilities(probabilities: Tensor, pos_weight: Tensor | float) -> Tensor:
    """Return the probabilities that a model trained with weighted positives stands for.

    A positive weight ``w`` multiplies the odds, so that the model learns ``w p / (w p + 1 - p)``.
    This undoes it, ``p' / (w - (w - 1) p')``; do so before a threshold that means a probability. In
    logits the same is ``logits - log(w)``.

    Parameters
    ----------
    probabilities : Tensor of shape (n_samples, n_labels)
        Probabilities of a model trained with `pos_weight`.
    pos_weight : Tensor of shape (n_labels,) or float
        What positives were weighted by.

    Returns
    -------
    probabilities : Tensor of shape (n_samples, n_labels)
        Of the labels as often as they were in the training samples.

    References
    ----------
    .. [1] C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, theorem 2.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import unweighted_probabilities
    >>> unweighted_probabilities(torch.tensor([[0.5, 0.9]]), 9.0)
    tensor([[0.1000, 0.5000]])
    """
    return probabilities / (pos_weight - (pos_weight - 1) * probabilities)


def per_label(name: str, values: Tensor, logits: Tensor) -> Tensor:
    """Return values of labels so that they broadcast along axis 1 of logits.

    Parameters
    ----------
    name : str
        Name of the values.
    values : Tensor of shape (n_labels,) or ()
        One value per label, or one for all.
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores.

    Returns
    -------
    values : Tensor of shape (n_labels, 1, ...) or ()
        In the type and on the device of the logits.

    Raises
    ------
    ValueError
        If there is not one value per label.
    """
    if values.ndim == 0:
        return values.to(logits)
    if logits.ndim < 2 or values.shape != logits.shape[1:2]:
        raise ValueError(
            f"{name} has shape {tuple(values.shape)} and the logits {tuple(logits.shape)}: pass "
            "one value per label, and logits with the labels on axis 1."
        )
    return values.to(logits).reshape(-1, *[1] * (logits.ndim - 2))


def weighted_binary_cross_entropy(
    logits: Tensor, targets: Tensor, *, pos_weight: Tensor | None = None
) -> Tensor:
    """Return the binary cross entropy of every label, ``-w t log p - (1 - t) log(1 - p)``.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_labels, ...)
        Raw scores of the labels.
    targets : Tensor of shape (n_samples, n_labels, ...)
        1 where a label is true, 0 where it is not, between them for soft labels.
    pos_weight : Tensor of shape (n_labels,) or (), default=None
        How much more a positive counts than a negative; None counts them alike.

    Returns
    -------
    losses : Tensor of shape (n_samples, n_labels, ...)
        One loss per label, in float32 or the logits' higher precision.

    Raises
    ------
    ValueError
        If the shapes do not belong together.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import weighted_binary_cross_entropy
    >>> logits, targets = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
    >>> weighted_binary_cross_entropy(logits, targets, pos_weight=torch.tensor([10.0, 1.0]))
    tensor([[6.9315, 2.1269]])
    """
    check_indicator_targets(logits, targets)
    logits = in_float32(logits)
    targets = targets.to(logits)
    positive = -targets * F.logsigmoid(logits)
    if pos_weight is not None:
        positive = positive * per_label("pos_weight", pos_weight, logits)
    return positive - (1 - targets) * F.logsigmoid(-logits)


class WeightedBinaryCrossEntropyLoss(SigmoidLoss):
    """Binary cross entropy of logits, positives weighted by label.

    A weight shifts the probabilities that are learnt: see `unweighted_probabilities`.

    Parameters
    ----------
    pos_weight : {"inverse", "sqrt", "effective"}, Tensor, sequence of float or float, default=None
        How much more a positive counts than a negative, per label or for all; a name takes it from
        the counts by `positive_weights`, and None counts them alike.
    label_counts : Tensor of shape (n_labels,) or sequence of float, default=None
        Positives of each label in the training samples. Read where `pos_weight` is a name.
    n_samples : int, default=None
        Number of training samples. Read where `pos_weight` is a name.
    beta : float, default=0.999
        Of "effective".
    power : float, default=1.0
        By what weights from counts are raised.
    cap : float, default=None
        The largest weight from counts; None sets no limit.
    ignore_index : int, default=-1
        The target that marks an unknown label; NaN marks one as well.
    reduction : {"none", "mean", "sum"}, default="mean"
        How the losses of a batch become one.

    Attributes
    ----------
    predict_nonlinearity : str
        ``"sigmoid"``, of every logit.

    Raises
    ------
    ValueError
        If `pos_weight` is a name and the counts are missing.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import WeightedBinaryCrossEntropyLoss
    >>> loss = WeightedBinaryCrossEntropyLoss(
    ...     pos_weight="inverse", label_counts=[50, 10], n_samples=100
    ... )
    >>> loss.pos_weight
    tensor([1., 9.])
    >>> loss(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))
    tensor(3.4657)
    """

    def __init__(
        self,
        *,
        pos_weight: str | Tensor | Sequence[float] | float | None = None,
        label_counts: Tensor | Sequence[float] | None = None,
        n_samples: int | None = None,
        beta: float = 0.999,
        power: float = 1.0,
        cap: float | None = None,
        ignore_index: int = MISSING_LABEL,
        reduction: str = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        if isinstance(pos_weight, str):
            check_option("pos_weight", pos_weight, SCHEMES)
            counts = check_counts(f"pos_weight={pos_weight!r}", label_counts, n_samples)
            pos_weight = positive_weights(*counts, pos_weight, beta=beta, power=power, cap=cap)
        elif pos_weight is not None:
            pos_weight = torch.as_tensor(pos_weight, dtype=torch.float32)
        self.register_buffer("pos_weight", pos_weight)

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return weighted_binary_cross_entropy(logits, targets, pos_weight=self.pos_weight)


def check_counts(what: str, label_counts: object, n_samples: object) -> tuple[Tensor, Tensor]:
    """Return counts as tensors, if they are there and can be counts.

    Parameters
    ----------
    what : str
        What is taken from them.
    label_counts : Tensor of shape (n_labels,), sequence of float or None
        Positives of each label.
    n_samples : int, Tensor of shape () or (n_labels,), sequence of float or None
        Number of samples.

    Returns
    -------
    label_counts, n_samples : Tensor
        In float64, on the CPU: counts come from there, and not every device has the type.

    Raises
    ------
    ValueError
        If one of the two is None, or there are more positives than samples.
    """
    given = {"label_counts": label_counts, "n_samples": n_samples}
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise ValueError(
            f"{what} needs {' and '.join(missing)}: pass the positives of each label and the "
            "number of samples in the training rows. An estimator of skrecall that gets the loss "
            "by name does so itself."
        )
    n, n_known = (torch.as_tensor(v, dtype=torch.float64, device="cpu") for v in given.values())
    if n.ndim != 1 or not (n >= 0).all():
        raise ValueError(f"label_counts are {n.tolist()}: pass one count of positives per label.")
    if not (n <= n_known).all():
        raise ValueError(
            f"label_counts go up to {n.max():.0f} and n_samples is {n_known.tolist()}: count the "
            "samples that the labels were counted in."
        )
    return n, n_known
