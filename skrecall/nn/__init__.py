"""Torch only: losses and backbones that the estimators of neural_network are made of."""

from skrecall.utils._optional import import_optional

import_optional("torch", purpose="skrecall.nn")

from ._backbones import MultilayerPerceptron, SmallCNN  # noqa: E402
from ._class_weights import class_weights  # noqa: E402
from ._cross_entropy import (  # noqa: E402
    SoftmaxFocalLoss,
    WeightedCrossEntropyLoss,
    softmax_focal_loss,
    weighted_cross_entropy,
)
from ._loss import Loss, SigmoidLoss, SoftmaxLoss  # noqa: E402
from ._recurrent import RecurrentCNN  # noqa: E402
from ._registry import LOSSES, get_loss  # noqa: E402

__all__ = [
    "LOSSES",
    "Loss",
    "MultilayerPerceptron",
    "RecurrentCNN",
    "SigmoidLoss",
    "SmallCNN",
    "SoftmaxFocalLoss",
    "SoftmaxLoss",
    "WeightedCrossEntropyLoss",
    "class_weights",
    "get_loss",
    "softmax_focal_loss",
    "weighted_cross_entropy",
]
