"""Classifiers that turn scores into decisions, with a promise where one is asked for."""

from ._bounds import positives_needed
from ._gfm import general_f_maximizer, independent_f_maximizer
from ._label_optimum import micro_f_thresholds, optimal_label_thresholds
from ._label_rules import cardinality_threshold, mcut, pcut, rcut
from ._multilabel import MultilabelThresholdClassifier
from ._optimal import OptimalThresholdClassifier
from ._prior import PriorCorrectedClassifier
from ._promise import RecallPromise
from ._recall import RecallThresholdClassifier
from ._reject import RejectOptionClassifier
from ._samples_f import samples_f_thresholds

__all__ = [
    "MultilabelThresholdClassifier",
    "OptimalThresholdClassifier",
    "PriorCorrectedClassifier",
    "RecallPromise",
    "RecallThresholdClassifier",
    "RejectOptionClassifier",
    "cardinality_threshold",
    "general_f_maximizer",
    "independent_f_maximizer",
    "mcut",
    "micro_f_thresholds",
    "optimal_label_thresholds",
    "pcut",
    "positives_needed",
    "rcut",
    "samples_f_thresholds",
]
