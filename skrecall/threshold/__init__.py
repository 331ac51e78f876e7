"""Classifiers that turn scores into decisions, with a promise where one is asked for."""

from ._bounds import positives_needed
from ._optimal import OptimalThresholdClassifier
from ._prior import PriorCorrectedClassifier
from ._promise import RecallPromise
from ._recall import RecallThresholdClassifier
from ._reject import RejectOptionClassifier

__all__ = [
    "OptimalThresholdClassifier",
    "PriorCorrectedClassifier",
    "RecallPromise",
    "RecallThresholdClassifier",
    "RejectOptionClassifier",
    "positives_needed",
]
