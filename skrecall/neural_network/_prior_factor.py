"""How training shifted the class frequencies that a net's probabilities are about."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skrecall.nn import Loss

from ._targets import ClassTargets
from ._training import build_sampler

if TYPE_CHECKING:
    from ._base import BaseNetEstimator


def prior_factor(
    estimator: "BaseNetEstimator", targets: NDArray[Any]
) -> NDArray[np.float64] | None:
    """Return what the frequencies of the classes were multiplied by in training.

    Parameters
    ----------
    estimator : BaseNetEstimator
        Fitted.
    targets : ndarray of shape (n_samples,) or (n_samples, n_labels)
        The targets of the training rows, as its kind of target encodes them.

    Returns
    -------
    factor : ndarray of shape (n_classes,) or None
        The product of class weights, sampler and loss, scaled to a mean of 1; None if one of them
        leaves no probabilities, or none whose prior is known, if training went on without some of
        the classes, or if a row has several labels.
    """
    if not isinstance(estimator._targets, ClassTargets):
        return None
    counts = np.bincount(targets, minlength=estimator._targets.n_outputs)
    of_loss = factor_of_loss(estimator.net_.criterion_)
    power = power_of_sampler(estimator, targets)
    if of_loss is None or power is None or not counts.all():
        return None
    factor = np.asarray(of_loss, dtype=np.float64) * (counts / counts.sum()) ** -power
    if estimator.class_weight is not None:
        if estimator.reweight_from is not None:
            return None
        weight = estimator._targets.row_weights(targets, None, estimator.class_weight)
        factor = factor * np.bincount(targets, weights=weight) / counts
    return factor / factor.mean()


def factor_of_loss(loss: nn.Module) -> NDArray[np.float64] | float | None:
    """Return what a loss multiplies the odds of each class by.

    Parameters
    ----------
    loss : torch.nn.Module
        Any loss.

    Returns
    -------
    factor : ndarray of shape (n_classes,), float or None
        None where it is not known.
    """
    if isinstance(loss, Loss):
        factor = loss.prior_factor()
    elif type(loss) is nn.CrossEntropyLoss and loss.label_smoothing == 0:
        factor = 1.0 if loss.weight is None else loss.weight
    else:
        factor = None
    return factor.double().cpu().numpy() if isinstance(factor, torch.Tensor) else factor


def power_of_sampler(estimator: "BaseNetEstimator", codes: NDArray[np.intp]) -> float | None:
    """Return the power of the inverse frequency by which rows of a class come more often.

    Parameters
    ----------
    estimator : BaseNetEstimator
        Whose `sampler` it is.
    codes : ndarray of shape (n_samples,)
        Class numbers of the training rows.

    Returns
    -------
    power : float or None
        0 without a sampler; None where it is not known.
    """
    make = build_sampler(estimator.sampler, estimator.sampler_params, estimator.batch_size)
    return 0.0 if make is None else getattr(make(torch.from_numpy(codes)), "power", None)
