"""Classifiers of several labels per sample: transformations, adapted algorithms, ensembles."""

from ._binary_relevance import BinaryRelevance
from ._classifier_chain import ClassifierChain

__all__ = [
    "BinaryRelevance",
    "ClassifierChain",
]
