"""Classifiers of several labels per sample: transformations, adapted algorithms, ensembles."""

from ._bagging import MultilabelBaggingClassifier
from ._binary_relevance import BinaryRelevance
from ._brknn import BRkNN
from ._calibrated_ranking import CalibratedLabelRanking
from ._classifier_chain import ClassifierChain
from ._ensemble_of_chains import EnsembleOfClassifierChains
from ._ensemble_of_pruned_sets import EnsembleOfPrunedSets
from ._forest import MultilabelForestClassifier
from ._homer import HOMER
from ._iblr import InstanceBasedLogisticRegression
from ._label_embedding import LabelEmbeddingClassifier
from ._label_powerset import LabelPowerset
from ._label_space_partition import LabelSpacePartitionClassifier
from ._logistic import MultilabelLogisticRegression
from ._mlaram import MLARAM
from ._mlknn import MLkNN
from ._mltsvm import MLTSVM
from ._probabilistic_chain import ProbabilisticClassifierChain
from ._rakel import RAkELDisjoint, RAkELOverlapping
from ._stacked import StackedBinaryRelevance

__all__ = [
    "BRkNN",
    "BinaryRelevance",
    "CalibratedLabelRanking",
    "ClassifierChain",
    "EnsembleOfClassifierChains",
    "EnsembleOfPrunedSets",
    "HOMER",
    "InstanceBasedLogisticRegression",
    "LabelEmbeddingClassifier",
    "LabelPowerset",
    "LabelSpacePartitionClassifier",
    "MLARAM",
    "MLTSVM",
    "MLkNN",
    "MultilabelBaggingClassifier",
    "MultilabelForestClassifier",
    "MultilabelLogisticRegression",
    "ProbabilisticClassifierChain",
    "RAkELDisjoint",
    "RAkELOverlapping",
    "StackedBinaryRelevance",
]
