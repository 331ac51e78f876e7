"""Samplers in imbalanced-learn's contract."""

from ._array import ArraySampler

__all__ = ["ArraySampler"]
