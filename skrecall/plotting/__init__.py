"""Displays; each also offers frame(), the numbers behind it."""

from ._fold_quality import FoldQualityDisplay
from ._imbalance_profile import ImbalanceProfileDisplay
from ._label_cooccurrence import LabelCooccurrenceDisplay
from ._label_graph import LabelGraphDisplay
from ._label_recall import LabelRecallDisplay
from ._operating_point import OperatingPointDisplay
from ._recall_budget import RecallBudgetDisplay
from ._threshold_search import ThresholdSearchDisplay

__all__ = [
    "FoldQualityDisplay",
    "ImbalanceProfileDisplay",
    "LabelCooccurrenceDisplay",
    "LabelGraphDisplay",
    "LabelRecallDisplay",
    "OperatingPointDisplay",
    "RecallBudgetDisplay",
    "ThresholdSearchDisplay",
]
