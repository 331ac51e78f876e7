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
from ._example_metrics import example_fbeta, example_jaccard, example_precision, example_recall
from ._intervals import RecallInterval, recall_interval
from ._label_areas import masked_average_precision_score, masked_roc_auc_score
from ._label_curves import label_operating_curves
from ._label_metrics import expected_cost, true_negative_rate
from ._label_ranking import is_error, one_error
from ._masked_metrics import (
    masked_fbeta_score,
    masked_hamming_loss,
    masked_precision_score,
    masked_recall_score,
    multilabel_g_mean,
)
from ._multilabel_report import multilabel_report
from ._operating_curve import OperatingCurve, operating_curve
from ._propensity import (
    label_propensity,
    propensity_scored_ndcg_at_k,
    propensity_scored_precision_at_k,
)
from ._retrieval import label_ndcg_at_k, label_precision_at_k, label_recall_at_k
from ._scorers import get_scorer, get_scorer_names

__all__ = [
    "OperatingCurve",
    "RecallAudit",
    "RecallInterval",
    "audit_recall_promise",
    "example_fbeta",
    "example_jaccard",
    "example_precision",
    "example_recall",
    "expected_cost",
    "get_scorer",
    "get_scorer_names",
    "is_error",
    "label_ndcg_at_k",
    "label_operating_curves",
    "label_precision_at_k",
    "label_propensity",
    "label_recall_at_k",
    "masked_average_precision_score",
    "masked_fbeta_score",
    "masked_hamming_loss",
    "masked_precision_score",
    "masked_recall_score",
    "masked_roc_auc_score",
    "multilabel_g_mean",
    "multilabel_report",
    "one_error",
    "operating_curve",
    "optimal_score",
    "optimal_threshold",
    "partial_roc_auc",
    "precision_at_recall",
    "propensity_scored_ndcg_at_k",
    "propensity_scored_precision_at_k",
    "recall_at_alert_budget",
    "recall_at_k",
    "recall_at_precision",
    "recall_interval",
    "sensitivity_at_specificity",
    "threshold_table",
    "true_negative_rate",
]
