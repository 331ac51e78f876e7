"""Searches that do not retrain for what acts after fitting."""
