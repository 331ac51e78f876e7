"""Torch only: losses and backbones that the estimators of neural_network are made of."""

from skrecall.utils._optional import import_optional

import_optional("torch", purpose="skrecall.nn")

from ._backbones import MultilayerPerceptron, SmallCNN  # noqa: E402
from ._binary_cross_entropy import (  # noqa: E402
    WeightedBinaryCrossEntropyLoss,
    positive_weights,
    unweighted_probabilities,
    weighted_binary_cross_entropy,
)
from ._class_weights import class_weights  # noqa: E402
from ._combined import CombinedLoss  # noqa: E402
from ._cross_entropy import (  # noqa: E402
    SoftmaxFocalLoss,
    WeightedCrossEntropyLoss,
    softmax_focal_loss,
    weighted_cross_entropy,
)
from ._distillation import (  # noqa: E402
    SigmoidDistillationLoss,
    SoftmaxDistillationLoss,
    sigmoid_distillation,
    softmax_distillation,
)
from ._hard_example_mining import HardExampleMining  # noqa: E402
from ._loss import Loss, SigmoidLoss, SoftmaxLoss  # noqa: E402
from ._recurrent import RecurrentCNN  # noqa: E402
from ._registry import LOSSES, get_loss, takes_counts  # noqa: E402

__all__ = [
    "CombinedLoss",
    "HardExampleMining",
    "LOSSES",
    "Loss",
    "MultilayerPerceptron",
    "RecurrentCNN",
    "SigmoidDistillationLoss",
    "SigmoidLoss",
    "SmallCNN",
    "SoftmaxDistillationLoss",
    "SoftmaxFocalLoss",
    "SoftmaxLoss",
    "WeightedBinaryCrossEntropyLoss",
    "WeightedCrossEntropyLoss",
    "class_weights",
    "get_loss",
    "positive_weights",
    "sigmoid_distillation",
    "softmax_distillation",
    "softmax_focal_loss",
    "takes_counts",
    "unweighted_probabilities",
    "weighted_binary_cross_entropy",
    "weighted_cross_entropy",
]
