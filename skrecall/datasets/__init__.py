"""Data with known truth, and images made from scans that scikit-learn carries."""

from ._scores import ScoreDistribution, make_imbalanced_scores

__all__ = ["ScoreDistribution", "make_imbalanced_scores"]
