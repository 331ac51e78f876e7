"""Torch only: losses and backbones that the estimators of neural_network are made of."""

from skrecall.utils._optional import import_optional

import_optional("torch", purpose="skrecall.nn")

from ._backbones import MultilayerPerceptron, SmallCNN  # noqa: E402
from ._losses import (  # noqa: E402
    LOSSES,
    SoftmaxFocalLoss,
    WeightedCrossEntropyLoss,
    get_loss,
    softmax_focal_loss,
    weighted_cross_entropy,
)

__all__ = [
    "LOSSES",
    "MultilayerPerceptron",
    "SmallCNN",
    "SoftmaxFocalLoss",
    "WeightedCrossEntropyLoss",
    "get_loss",
    "softmax_focal_loss",
    "weighted_cross_entropy",
]
