"""Classifiers that turn scores into decisions, with a promise where one is asked for."""
