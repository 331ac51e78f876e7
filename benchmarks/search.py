"""DecisionGridSearchCV against GridSearchCV: resamplers x thresholds over a random forest.

Both searches run the same grid on the same folds, in one process; that they find the same is
asserted. Every threshold of a resampler can share one fit, so that the ratio is at most the number
of thresholds; the rest is scikit-learn's metric, once per candidate and fold. Shown are seconds by
the wall clock and by processor time, which a busy machine disturbs less.

    python benchmarks/search.py             # 4 x 50 candidates, some four minutes
    python benchmarks/search.py --thresholds 10
"""

import argparse
import time

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, StratifiedKFold

from skrecall.model_selection import DecisionGridSearchCV

RESAMPLERS = [
    "passthrough",
    RandomOverSampler(random_state=0),
    SMOTE(random_state=0),
    RandomUnderSampler(random_state=0),
]


def assert_same_results(actual: dict, expected: dict) -> None:
    assert list(actual) == list(expected)
    for key, column in expected.items():
        if not key.endswith("_time"):
            np.testing.assert_array_equal(actual[key], column, err_msg=key)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--thresholds", type=int, default=50)
    parser.add_argument("--folds", type=int, default=2)
    args = parser.parse_args()

    X, y = make_classification(
        args.samples, args.features, n_informative=8, weights=[0.9], flip_y=0.05, random_state=0
    )
    forest = RandomForestClassifier(args.trees, random_state=0)
    pipeline = Pipeline([("resample", "passthrough"), ("clf", FixedThresholdClassifier(forest))])
    grid = {
        "resample": RESAMPLERS,
        "clf__threshold": np.linspace(0.01, 0.99, args.thresholds),
    }
    keywords = {"scoring": "f1", "refit": False, "cv": StratifiedKFold(args.folds)}
    rows, results = [], []
    for search_class in (DecisionGridSearchCV, GridSearchCV):
        warm_up = {"clf__threshold": [0.5], "clf__estimator__n_estimators": [2]}
        search_class(pipeline, warm_up, **keywords).fit(X, y)
        search = search_class(pipeline, grid, **keywords)
        start = time.perf_counter(), time.process_time()
        results.append(search.fit(X, y).cv_results_)
        seconds = time.perf_counter() - start[0], time.process_time() - start[1]
        shared = args.thresholds if search_class is DecisionGridSearchCV else 1
        fits = len(results[-1]["params"]) * args.folds // shared
        rows.append((search_class.__name__, fits, *seconds))
    assert_same_results(*results)

    table = pd.DataFrame(rows, columns=["search", "fits", "seconds", "cpu seconds"])
    for column in ("seconds", "cpu seconds"):
        table[f"ratio of {column}"] = table[column].max() / table[column]
    candidates = len(results[0]["params"])
    print(
        f"{candidates} candidates ({len(RESAMPLERS)} resamplers x {args.thresholds} thresholds), "
        f"{args.folds} folds, {args.samples} x {args.features} samples, {args.trees} trees; "
        f"same cv_results_; at most {args.thresholds} times faster"
    )
    print(table.to_string(index=False, float_format="{:.1f}".format))


if __name__ == "__main__":
    main()
