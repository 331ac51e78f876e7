"""Data with known truth, images made from bundled scans, readers of multi-label files."""

from ._arff import load_arff
from ._classification import GaussianClasses, make_imbalanced_classification
from ._digits import make_multilabel_digits, make_rare_digits
from ._extreme import load_extreme_classification
from ._moving_digits import make_moving_digits
from ._openml import fetch_multilabel
from ._scores import ScoreDistribution, make_imbalanced_scores
from ._svmlight import load_svmlight_multilabel

__all__ = [
    "GaussianClasses",
    "ScoreDistribution",
    "fetch_multilabel",
    "load_arff",
    "load_extreme_classification",
    "load_svmlight_multilabel",
    "make_imbalanced_classification",
    "make_imbalanced_scores",
    "make_moving_digits",
    "make_multilabel_digits",
    "make_rare_digits",
]
