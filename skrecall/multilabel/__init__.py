"""Classifiers of several labels per sample: transformations, adapted algorithms, ensembles."""

from ._binary_relevance import BinaryRelevance
from ._brknn import BRkNN
from ._classifier_chain import ClassifierChain
from ._iblr import InstanceBasedLogisticRegression
from ._mlknn import MLkNN
from ._probabilistic_chain import ProbabilisticClassifierChain

__all__ = [
    "BRkNN",
    "BinaryRelevance",
    "ClassifierChain",
    "InstanceBasedLogisticRegression",
    "MLkNN",
    "ProbabilisticClassifierChain",
]
