"""What hard negatives do to a ranking: of all rows, and of those that pass the first of two stages.

A model is fitted on all rows, on random negatives, on those that another model takes for positives
out of fold, and on half of each kind. Its average precision is that of test rows, and of the test
rows that a logistic regression lets pass at a recall of 0.95: what the second stage of a cascade
has to rank.

    python benchmarks/hard_negatives.py --data DIR            # some minutes on two cores
    python benchmarks/hard_negatives.py --data DIR --learner logistic

`DIR/imbalanced` holds NAME.npz with X and y, as for `imbalance.py`.
"""

import argparse
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from imbalance import LEARNERS, load, prepared
from imblearn.under_sampling import RandomUnderSampler
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_predict

from skrecall.resampling import HardNegativeUnderSampler

SETS = ("mammography", "oil", "pc1", "satimage", "yeast_me2")
RECALL = 0.95  # of the first stage


def methods(learner: Callable[..., BaseEstimator], seed: int) -> dict[str, BaseEstimator]:
    """Return the models by what they are fitted on; a number is negatives per positive."""
    judges = {"logistic": LogisticRegression(max_iter=2000), "itself": learner()}
    kept = {"all rows": "passthrough"}
    for ratio in (1, 3):
        kept[f"{ratio} random"] = RandomUnderSampler(sampling_strategy=1 / ratio, random_state=seed)
        for name, judge in judges.items():
            for share, kind in [(0.0, "hardest"), (0.5, "half of them hardest")]:
                kept[f"{ratio} {kind}, by {name}"] = HardNegativeUnderSampler(
                    judge, ratio=ratio, random_share=share, random_state=seed
                )
    return {name: prepared(rows, learner()) for name, rows in kept.items()}


def measure(
    learner: Callable[..., BaseEstimator], X: np.ndarray, y: np.ndarray, fold: tuple, seed: int
) -> list[dict[str, float | str]]:
    """Return the average precision of each method on the test rows of one fold."""
    train, test = fold
    first = prepared(LogisticRegression(class_weight="balanced", max_iter=2000))
    y_score = cross_val_predict(first, X[train], y[train], method="decision_function")
    threshold = np.quantile(y_score[y[train] == 1], 1 - RECALL)
    passed = first.fit(X[train], y[train]).decision_function(X[test]) >= threshold
    rows = []
    for name, model in methods(learner, seed).items():
        y_score = model.fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        rows.append(
            {
                "method": name,
                "all": average_precision_score(y[test], y_score),
                "second stage": average_precision_score(y[test][passed], y_score[passed]),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with imbalanced/*.npz")
    parser.add_argument("--learner", choices=LEARNERS, default="boosting")
    parser.add_argument("--sets", nargs="*", default=SETS, help="some of the sets")
    args = parser.parse_args()
    tables = {}
    for name in args.sets:
        X, y = load(args.data / "imbalanced", name)
        folds = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0).split(X, y)
        found = Parallel(n_jobs=2)(
            delayed(measure)(LEARNERS[args.learner], X, y, fold, seed)
            for seed, fold in enumerate(folds)
        )
        tables[name] = pd.DataFrame(chain.from_iterable(found)).groupby("method", sort=False).mean()
        print(f"{name}: {len(y)} rows, {y.sum()} positives, done", flush=True)
    for column in ("all", "second stage"):
        table = pd.DataFrame({name: of_set[column] for name, of_set in tables.items()})
        print(f"\nAverage precision, {column}", table.round(3).to_string(), sep="\n")


if __name__ == "__main__":
    main()
