"""Classifiers of several labels per sample: transformations, adapted algorithms, ensembles."""

from ._binary_relevance import BinaryRelevance

__all__ = ["BinaryRelevance"]
