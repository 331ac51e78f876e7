"""Torch networks as scikit-learn estimators, trained by skorch."""

from skrecall.utils._optional import import_optional

import_optional("torch", purpose="skrecall.neural_network")
import_optional("skorch", purpose="skrecall.neural_network")

from ._cnn import CNNClassifier  # noqa: E402
from ._distilled import DistilledClassifier  # noqa: E402
from ._gan import GANOverSampler  # noqa: E402
from ._image_sequence import ImageSequenceClassifier  # noqa: E402
from ._multilabel_cnn import MultilabelCNNClassifier  # noqa: E402
from ._multilabel_linear import MultilabelLinearClassifier  # noqa: E402
from ._neighbors import TorchNeighbors  # noqa: E402

__all__ = [
    "CNNClassifier",
    "DistilledClassifier",
    "GANOverSampler",
    "ImageSequenceClassifier",
    "MultilabelCNNClassifier",
    "MultilabelLinearClassifier",
    "TorchNeighbors",
]
