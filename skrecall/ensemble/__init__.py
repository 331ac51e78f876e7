"""Classifiers made of several: soft votes with weights chosen for recall."""

from ._ensemble_selection import EnsembleSelectionClassifier
from ._soft_voting import SoftVotingClassifier

__all__ = ["EnsembleSelectionClassifier", "SoftVotingClassifier"]
