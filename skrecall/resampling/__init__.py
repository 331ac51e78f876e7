"""Samplers in imbalanced-learn's contract."""

from ._array import ArraySampler
from ._cluster import ClusterUnderSampler
from ._density import DensityUnderSampler
from ._hard_negatives import HardNegativeUnderSampler
from ._mixup import MixupOverSampler
from ._mlros import MLROS
from ._noise import NoisySampleFilter

__all__ = [
    "ArraySampler",
    "ClusterUnderSampler",
    "DensityUnderSampler",
    "HardNegativeUnderSampler",
    "MLROS",
    "MixupOverSampler",
    "NoisySampleFilter",
]
