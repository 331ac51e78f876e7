"""Classifiers that turn scores into decisions, with a promise where one is asked for."""

from ._bounds import positives_needed

__all__ = ["positives_needed"]
