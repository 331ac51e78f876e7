"""Classifiers made of several: soft votes with weights chosen for recall."""

from ._ensemble_selection import EnsembleSelectionClassifier
from ._multilabel_stacking import MultilabelStackingClassifier
from ._recall_cascade import RecallCascadeClassifier
from ._soft_voting import SoftVotingClassifier

__all__ = [
    "EnsembleSelectionClassifier",
    "MultilabelStackingClassifier",
    "RecallCascadeClassifier",
    "SoftVotingClassifier",
]
