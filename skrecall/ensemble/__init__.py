"""Classifiers made of several: balanced bags and boosting, votes and stacks, a cascade."""

from ._balance_cascade import BalanceCascadeClassifier
from ._ensemble_selection import EnsembleSelectionClassifier
from ._hard_negative_mining import HardNegativeMiningClassifier
from ._multilabel_stacking import MultilabelStackingClassifier
from ._recall_cascade import RecallCascadeClassifier
from ._resampled_bagging import ResampledBaggingClassifier
from ._self_paced import SelfPacedEnsembleClassifier
from ._smote_boost import SMOTEBoostClassifier
from ._soft_voting import SoftVotingClassifier

__all__ = [
    "BalanceCascadeClassifier",
    "EnsembleSelectionClassifier",
    "HardNegativeMiningClassifier",
    "MultilabelStackingClassifier",
    "RecallCascadeClassifier",
    "ResampledBaggingClassifier",
    "SMOTEBoostClassifier",
    "SelfPacedEnsembleClassifier",
    "SoftVotingClassifier",
]
