"""Generators with known truth, and images made from scikit-learn's bundled scans."""
