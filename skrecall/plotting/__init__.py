"""Displays; each also offers frame(), the numbers behind it."""

from ._operating_point import OperatingPointDisplay
from ._recall_budget import RecallBudgetDisplay
from ._threshold_search import ThresholdSearchDisplay

__all__ = ["OperatingPointDisplay", "RecallBudgetDisplay", "ThresholdSearchDisplay"]
