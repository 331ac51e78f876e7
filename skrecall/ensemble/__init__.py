"""Classifiers made of several: soft votes with weights chosen for recall."""

from ._ensemble_selection import EnsembleSelectionClassifier
from ._recall_cascade import RecallCascadeClassifier
from ._soft_voting import SoftVotingClassifier

__all__ = ["EnsembleSelectionClassifier", "RecallCascadeClassifier", "SoftVotingClassifier"]
