"""What is counted, on which curve, with which uncertainty."""

from ._audit import RecallAudit, audit_recall_promise
from ._curve_metrics import (
    optimal_score,
    optimal_threshold,
    partial_roc_auc,
    precision_at_recall,
    recall_at_alert_budget,
    recall_at_k,
    recall_at_precision,
    sensitivity_at_specificity,
    threshold_table,
)
from ._intervals import RecallInterval, recall_interval
from ._label_metrics import expected_cost, true_negative_rate
from ._operating_curve import OperatingCurve, operating_curve
from ._scorers import get_scorer, get_scorer_names

__all__ = [
    "OperatingCurve",
    "RecallAudit",
    "RecallInterval",
    "audit_recall_promise",
    "expected_cost",
    "get_scorer",
    "get_scorer_names",
    "operating_curve",
    "optimal_score",
    "optimal_threshold",
    "partial_roc_auc",
    "precision_at_recall",
    "recall_at_alert_budget",
    "recall_at_k",
    "recall_at_precision",
    "recall_interval",
    "sensitivity_at_specificity",
    "threshold_table",
    "true_negative_rate",
]
