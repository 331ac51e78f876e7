"""Exact optimal thresholds against TunedThresholdClassifierCV, on the same prefit scores.

Both wrap a classifier that passes its only feature through as a score, so that the time is that of
the threshold alone. Objectives are compared at the threshold each of them stores, computed the same
way for both.

    python benchmarks/threshold.py          # some two minutes
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    make_scorer,
    matthews_corrcoef,
)
from sklearn.model_selection import TunedThresholdClassifierCV

from skrecall.datasets import ScoreDistribution
from skrecall.threshold import OptimalThresholdClassifier

OBJECTIVES: dict[str, tuple[dict | None, Callable]] = {
    "f1": (None, f1_score),
    "f_beta": ({"beta": 2}, lambda y, p: fbeta_score(y, p, beta=2)),
    "balanced_accuracy": (None, balanced_accuracy_score),
    "mcc": (None, matthews_corrcoef),
}
LEAST_RATIO = {100_000: 75, 1_000_000: 50}
POPULATIONS = {
    "2 % positive": ScoreDistribution(prevalence=0.02, separation=2.0, max_score=1.0),
    "0.1 % positive": ScoreDistribution(prevalence=0.001, separation=4.0, max_score=1.0),
}


class Passthrough(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probability is its only feature."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])

    def predict(self, X):
        return (X[:, 0] >= 0.5).astype(int)


def draw(population: ScoreDistribution, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = (rng.random(n) < population.prevalence).astype(int)
    latent = rng.normal(size=n) + population.separation * y
    return population.score(latent)[:, None], y


def timed(fit: Callable, repeats: int) -> tuple[BaseEstimator, float]:
    """Return the fitted estimator and the shortest time of some repeats."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        fitted = fit()
        seconds.append(time.perf_counter() - start)
    return fitted, min(seconds)


def compare(population: str, n: int, objective: str) -> dict:
    params, metric = OBJECTIVES[objective]
    X, y = draw(POPULATIONS[population], n)
    model = Passthrough().fit(X, y)
    tuned = TunedThresholdClassifierCV(model, scoring=make_scorer(metric), cv="prefit", refit=False)
    exact = OptimalThresholdClassifier(model, objective, objective_params=params, cv="prefit")
    exact, exact_time = timed(lambda: exact.fit(X, y), 5)
    tuned, tuned_time = timed(lambda: tuned.fit(X, y), 1)
    return {
        "scores": population,
        "n": n,
        "objective": objective,
        "times faster": tuned_time / exact_time,
        "exact, ms": 1000 * exact_time,
        "value, grid of 100": metric(y, tuned.predict(X)),
        "value, exact": metric(y, exact.predict(X)),
    }


def main() -> None:
    table = pd.DataFrame(
        compare(population, n, objective)
        for n in LEAST_RATIO
        for population in POPULATIONS
        for objective in OBJECTIVES
    )
    print(table.to_string(index=False, float_format="{:.5g}".format))
    exact, grid = table["value, exact"], table["value, grid of 100"]
    assert (exact >= grid - 1e-12).all(), "an exact optimum is below that of the grid"
    for n, least in LEAST_RATIO.items():
        slowest = table.loc[table["n"] == n, "times faster"].min()
        assert slowest >= least, f"{slowest:.0f}x at n = {n}, where {least}x is the least"
        print(f"n = {n}: at least {slowest:.0f}x faster (aim: {least}x), objective never lower")


if __name__ == "__main__":
    main()
