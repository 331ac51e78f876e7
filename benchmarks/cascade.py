"""Is the end-to-end promise of a cascade kept, and what does it cost? Simulated.

Every draw is a sample of rows whose scores at each stage are known, from a population in which the
recall, the alerts and the stage runs of any thresholds are known too. All methods get the same
rows. `RecallCascadeClassifier` spends part of them on how the thresholds fall together, and makes
the promise on the rest; the others use all of them for thresholds:

- union bound: the lost recall and the error probability are divided among the stages;
- promised apart: each stage alone promises the target with the confidence;
- empirical: each stage has the highest threshold whose recall on the rows reaches the target.

Shown are how often the end-to-end recall is below the target, which may happen in at most
``1 - confidence`` of the draws, the mean recall, the alerts per 1000 rows, the cost of the stages
and of stages and alerts, both in terms of the last stage alone on all rows. An alert costs ten
times as much as the last stage on one row.

    python benchmarks/cascade.py            # 2000 draws a setting, some minutes on 2 cores
    python benchmarks/cascade.py --draws 200
"""

import argparse
import sys
import warnings
from functools import cache, partial

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from skrecall.ensemble import RecallCascadeClassifier
from skrecall.threshold._bounds import allowed_misses, threshold_rank

TARGET, CONFIDENCE = 0.9, 0.9
ALERT_COST = 10  # in terms of the last stage
N_POPULATION = 400_000  # of each class: the recall is known to 0.0005
METHODS = ["cascade, equal", "cascade, cost", "union bound", "promised apart", "empirical"]
GUARANTEED = METHODS[:3]


class Column(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose score is a column of X."""

    classes_ = np.array([0, 1])

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):
        return self

    def decision_function(self, X):
        return X[:, self.column]

    def __sklearn_is_fitted__(self):
        return True


def draw(y, rng, *, separation, correlation, decimals=None):
    """Return the scores of each row at each stage; later stages separate better."""
    common = rng.standard_normal((len(y), 1))
    own = rng.standard_normal((len(y), len(separation)))
    scores = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    scores += y[:, None] * np.array(separation)
    scores = scores if decimals is None else scores.round(decimals)
    return np.asfortranarray(scores)


@cache
def population(**scores):
    """Return the scores of many negatives, and of many positives."""
    rng = np.random.default_rng(0)
    return [draw(np.full(N_POPULATION, label), rng, **scores) for label in (0, 1)]


def true_values(thresholds, is_run, scores, prevalence, costs):
    """Return recall, alerts per 1000, and the cost of the stages alone and with the alerts."""
    passes = [
        np.logical_and.accumulate([s >= t for s, t in zip(of_class.T, thresholds, strict=True)])
        for of_class in population(**scores)
    ]
    negative, positive = (passed.mean(axis=1) for passed in passes)
    in_play = prevalence * positive + (1 - prevalence) * negative
    stages = np.append(1.0, in_play[:-1]) @ (costs * is_run) / costs[-1]
    return positive[-1], 1000 * in_play[-1], stages, stages + ALERT_COST * in_play[-1]


def thresholds_of(method, X, y, costs, seed):
    """Return a threshold for each stage, and whether it is run; None where the method refuses."""
    n_stages, m = X.shape[1], int(y.sum())
    all_run = np.ones(n_stages, dtype=bool)
    of_positives = np.sort(X[y == 1], axis=0)
    if method == "empirical":
        return of_positives[allowed_misses(m, TARGET)], all_run
    if method in ("promised apart", "union bound"):
        parts = n_stages if method == "union bound" else 1
        rank = threshold_rank(m, 1 - (1 - TARGET) / parts, (1 - CONFIDENCE) / parts)
        return (of_positives[rank - 1], all_run) if rank else None
    model = RecallCascadeClassifier(
        [(f"stage {s}", FrozenEstimator(Column(s))) for s in range(n_stages)],
        target_recall=TARGET,
        confidence=CONFIDENCE,
        budget=method.partition(", ")[2],
        stage_costs=costs,
        alert_cost=ALERT_COST * costs[-1],
        calibration_size=0.7,
        on_duplicates="ignore",  # scores of one decimal coincide
        random_state=seed,
    )
    try:
        with warnings.catch_warnings(action="ignore"):  # where all rows must be flagged
            model.fit(X, y)
    except ValueError as error:
        if "held-out positives" not in str(error):
            raise
        return None
    return np.array(list(model.thresholds_.values())), model.budget_ > 0


def simulate(seed, *, n_positives, prevalence, costs, **scores):
    rng = np.random.default_rng([seed, n_positives])
    y = (np.arange(round(n_positives / prevalence)) < n_positives).astype(int)
    X = draw(y, rng, **scores)
    rows = []
    for method in METHODS:
        found = thresholds_of(method, X, y, costs, seed)
        values = [np.nan] * 4
        if found is not None:
            values = true_values(*found, scores, prevalence, costs)
        rows.append((method, *values))
    return rows


def settings():
    """Return {setting: simulation of one draw}."""
    common = {"n_positives": 200, "prevalence": 0.05, "costs": np.array([1.0, 50.0])}
    common |= {"separation": (2.0, 3.0), "correlation": 0.5}
    ways = {
        "independent stages": {"correlation": 0.0},
        "correlation 0.5": {},
        "correlation 0.95": {"correlation": 0.95},
        "scores of 1 decimal": {"decimals": 1},
        "scores without decimals": {"decimals": 0},
        "40 positives": {"n_positives": 40},
        "25 positives": {"n_positives": 25},
        "1000 positives": {"n_positives": 1000},
        "weak first stage": {"separation": (0.7, 3.0)},
        "three stages": {"separation": (1.5, 2.0, 3.0), "costs": np.array([1.0, 10.0, 100.0])},
    }
    return {name: partial(simulate, **(common | way)) for name, way in ways.items()}


def summarise(setting, frame, n_draws):
    """Return the rows of the table, and the claims that failed."""
    allowed = 1 - CONFIDENCE + 3 * np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / n_draws)
    rows, failed = [], []
    for method, values in frame.groupby("method", sort=False):
        violated = float((values["recall"] < TARGET).sum() / n_draws)
        kept = violated <= allowed
        rows.append(
            {
                "setting": "" if rows else setting,
                "method": method,
                "guaranteed": "yes" if method in GUARANTEED else "no",
                "violated": violated,
                "": "" if kept else "BROKEN",
                **values[["recall", "alerts", "stages", "total"]].mean(),
                "refused": int(values["recall"].isna().sum()),
            }
        )
        if method in GUARANTEED and not kept:
            failed.append(f"{setting}: {method} is violated in {violated:.3f} of the draws")
    return rows, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    table, failed = [], []
    for setting, draw_once in settings().items():
        draws = Parallel(args.jobs, batch_size=10)(
            delayed(draw_once)(seed) for seed in range(args.draws)
        )
        frame = pd.DataFrame(
            [row for rows in draws for row in rows],
            columns=["method", "recall", "alerts", "stages", "total"],
        )
        rows, wrong = summarise(setting, frame, args.draws)
        table += rows
        failed += wrong
        print(".", end="", flush=True, file=sys.stderr)
    print(f"\nTarget recall {TARGET}, confidence {CONFIDENCE}, {args.draws} draws a setting.")
    print("violated: share of draws with the end-to-end recall below the target; BROKEN: above")
    print("1 - confidence by more than 3 standard errors. stages: their cost; total: with alerts.")
    print(pd.DataFrame(table).to_string(index=False, float_format="{:.3f}".format, na_rep="-"))
    if failed:
        sys.exit("\nFAILED\n" + "\n".join(failed))
    print("\nEvery end-to-end promise is kept.")


if __name__ == "__main__":
    main()
