"""Samplers in imbalanced-learn's contract."""
