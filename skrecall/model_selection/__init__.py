"""Multi-label splitters, and searches that do not retrain for what acts after fitting."""

from ._decision_search import DecisionGridSearchCV
from ._fold_quality import fold_quality
from ._leakage import check_leakage
from ._multilabel_split import (
    MultilabelStratifiedKFold,
    MultilabelStratifiedShuffleSplit,
    RepeatedMultilabelStratifiedKFold,
    multilabel_train_test_split,
)

__all__ = [
    "DecisionGridSearchCV",
    "MultilabelStratifiedKFold",
    "MultilabelStratifiedShuffleSplit",
    "RepeatedMultilabelStratifiedKFold",
    "check_leakage",
    "fold_quality",
    "multilabel_train_test_split",
]
