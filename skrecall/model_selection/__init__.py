"""Searches that do not retrain for what acts after fitting."""

from ._decision_search import DecisionGridSearchCV

__all__ = ["DecisionGridSearchCV"]
