"""Which rows to label next: query functions of probabilities, and the loop that asks."""

from ._committee import consensus_kl_divergence, vote_entropy
from ._diversity import k_center_greedy, select_batch
from ._loop import ActiveLearningRound, active_learning_loop
from ._multilabel_queries import label_cardinality_inconsistency, multilabel_uncertainty
from ._recall_gain import expected_recall_gain
from ._uncertainty import entropy_uncertainty, least_confidence, margin_uncertainty

__all__ = [
    "ActiveLearningRound",
    "active_learning_loop",
    "consensus_kl_divergence",
    "entropy_uncertainty",
    "expected_recall_gain",
    "k_center_greedy",
    "label_cardinality_inconsistency",
    "least_confidence",
    "margin_uncertainty",
    "multilabel_uncertainty",
    "select_batch",
    "vote_entropy",
]
