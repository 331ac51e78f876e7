"""Recall-minded, scikit-learn-compatible learning for imbalanced and multi-label problems.

Every folder is a public namespace, imported on first use: ``skrecall.threshold`` turns scores into
decisions with a promised recall, ``skrecall.metrics`` measures, and so on. Only ``skrecall.nn`` and
``skrecall.neural_network`` need torch.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

_FOLDERS = (
    "active_learning",
    "datasets",
    "ensemble",
    "label_space",
    "metrics",
    "model_selection",
    "multilabel",
    "neural_network",
    "nn",
    "plotting",
    "resampling",
    "threshold",
)

__all__ = [*_FOLDERS, "__version__"]


def __getattr__(name: str) -> ModuleType:
    if name in _FOLDERS:
        return importlib.import_module(f"skrecall.{name}")
    raise AttributeError(f"module 'skrecall' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
