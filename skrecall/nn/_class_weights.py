"""Weights of classes from their counts: inverse, square root and effective number."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Weights up to a factor, of counts above zero.
SCHEMES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "inverse": lambda counts, beta: 1 / counts,
    "sqrt": lambda counts, beta: counts.rsqrt(),
    # beta**n would round to 1 where it is close to it; xlogy is n log(beta).
    "effective": lambda counts, beta: -1 / torch.expm1(torch.xlogy(counts, beta)),
}


def present_counts(counts: Tensor | Sequence[float]) -> Tensor:
    """Return the counts of classes, an absent class as the rarest of those present.

    Parameters
    ----------
    counts : Tensor or sequence of shape (n_classes,)
        Number of rows of every class; sums of weights do as well.

    Returns
    -------
    counts : Tensor of shape (n_classes,)
        In float64, on the CPU, all above zero.

    Raises
    ------
    ValueError
        If they are no counts, or all classes are absent.
    """
    counts = torch.as_tensor(counts, dtype=torch.float64, device="cpu")
    valid = counts.isfinite() & (counts >= 0)
    if counts.ndim != 1 or not valid.all() or not counts.any():
        raise ValueError(
            f"class counts are {counts.tolist()}: pass one number of rows per class, none of them "
            "negative and one at least above zero."
        )
    return counts.where(counts > 0, counts[counts > 0].min())


def class_weights(
    counts: Tensor | Sequence[float], scheme: str = "effective", *, beta: float = 0.999
) -> Tensor:
    """Return weights of classes that grow as their counts fall, scaled to sum to their number.

    A class without rows weighs as much as the rarest class that has some, so that the others keep
    their scale and a row that comes later counts.

    Parameters
    ----------
    counts : Tensor or sequence of shape (n_classes,)
        Number of rows of every class.
    scheme : {"inverse", "sqrt", "effective"}, default="effective"
        ``1 / n``, ``1 / sqrt(n)``, or ``(1 - beta) / (1 - beta**n)``: the inverse of the effective
        number of rows, known as class-balanced.
    beta : float, default=0.999
        Of the scheme "effective", in [0, 1): 0 weighs all classes alike, and near 1 it becomes
        "inverse". Classes larger than about ``1 / (1 - beta)`` weigh alike.

    Returns
    -------
    weight : Tensor of shape (n_classes,)
        Weights in float32, on the CPU.

    Raises
    ------
    ValueError
        If the scheme is unknown, `beta` is outside [0, 1), or `counts` are no counts.

    References
    ----------
    .. [1] Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-Balanced Loss Based on Effective
       Number of Samples", CVPR 2019.

    Examples
    --------
    >>> from skrecall.nn import class_weights
    >>> class_weights([5000, 500, 50], "inverse")
    tensor([0.0270, 0.2703, 2.7027])
    >>> class_weights([5000, 500, 50], "effective", beta=0.999)
    tensor([0.1256, 0.3170, 2.5574])
    """
    if scheme not in SCHEMES:
        raise ValueError(
            f"The scheme {scheme!r} of class weights is unknown: choose "
            f"{', '.join(map(repr, SCHEMES))}."
        )
    if not 0 <= beta < 1:
        raise ValueError(
            f"beta={beta} is outside [0, 1): pass a value such as 0.999, or the scheme 'inverse', "
            "which is its limit at 1."
        )
    weight = SCHEMES[scheme](present_counts(counts), beta)
    return (weight * (len(weight) / weight.sum())).float()
