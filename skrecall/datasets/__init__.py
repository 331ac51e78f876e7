"""Data with known truth, and images made from scans that scikit-learn carries."""

from ._classification import GaussianClasses, make_imbalanced_classification
from ._digits import make_multilabel_digits, make_rare_digits
from ._scores import ScoreDistribution, make_imbalanced_scores

__all__ = [
    "GaussianClasses",
    "ScoreDistribution",
    "make_imbalanced_classification",
    "make_imbalanced_scores",
    "make_multilabel_digits",
    "make_rare_digits",
]
