"""Samplers in imbalanced-learn's contract."""

from ._array import ArraySampler
from ._mlros import MLROS

__all__ = ["MLROS", "ArraySampler"]
