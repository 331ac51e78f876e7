"""What pays where positives are rare: precision and alerts at a promised recall of 0.9.

Every method is a whole model inside RecallThresholdClassifier (RecallCascadeClassifier promises by
itself), five times two-fold cross-validated on real imbalanced sets. Half of the training rows are
held out for the promise. Where these hold too few positives for 0.9, the best recall that they can
carry is promised instead, the same for all methods. Recall, precision and alerts are those of test
rows. The mean ranks of precision, and of average precision, are compared by the tests of Friedman
and Nemenyi [1]_.

    python benchmarks/imbalance.py --data DIR                  # ten minutes on two cores
    python benchmarks/imbalance.py --data DIR --learner logistic
    python benchmarks/imbalance.py --data DIR --out FOLDER     # also writes table and picture

`DIR/imbalanced` holds NAME.npz with X and y. Rows that occur twice are dropped before any split.

References
----------
.. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets", Journal of
   Machine Learning Research 7, 2006.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedRandomForestClassifier, EasyEnsembleClassifier
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from joblib import Parallel, delayed
from scipy.stats import friedmanchisquare, studentized_range
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.preprocessing import StandardScaler

from skrecall.ensemble import (
    BalanceCascadeClassifier,
    RecallCascadeClassifier,
    ResampledBaggingClassifier,
    SelfPacedEnsembleClassifier,
    SMOTEBoostClassifier,
    SoftVotingClassifier,
)
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.resampling import (
    FastTomekLinks,
    HardNegativeUnderSampler,
    MixupOverSampler,
    NoisySampleFilter,
)
from skrecall.threshold import RecallThresholdClassifier

SETS = (
    "abalone_19",
    "mammography",
    "oil",
    "pc1",
    "satimage",
    "thyroid_hypo",
    "yeast_me2",
)
NOT_A_FEATURE = {"oil": [0]}  # the number of the patch
TARGET, CONFIDENCE = 0.9, 0.9
LEVEL = 0.05  # of both tests
MEASURES = {
    "precision": "Precision at the promised recall",
    "average_precision": "Average precision",
}

LEARNERS: dict[str, Callable[..., BaseEstimator]] = {
    "boosting": lambda **params: HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=15, min_samples_leaf=5, **params
    ),
    "logistic": lambda **params: LogisticRegression(max_iter=2000, **params),
}


def prepared(*steps: BaseEstimator) -> BaseEstimator:
    """Return a pipeline of what every method starts with, and its own steps."""
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), *steps)


def methods(learner: Callable[..., BaseEstimator]) -> dict[str, BaseEstimator]:
    """Return the models by name, all unfitted and unseeded."""
    samplers = {
        "copies": RandomOverSampler(),
        "SMOTE": SMOTE(),
        "BorderlineSMOTE": BorderlineSMOTE(),
        "ADASYN": ADASYN(),
        "SMOTEENN": SMOTEENN(),
        "Mixup": MixupOverSampler(),
        "under-sampling": RandomUnderSampler(),
        "Tomek links": FastTomekLinks(),
        "noise filter": NoisySampleFilter(learner()),
        "hard negatives": HardNegativeUnderSampler(
            LogisticRegression(max_iter=2000), random_share=0.5
        ),
    }
    models = {
        "plain": learner(),
        "class weights": learner(class_weight="balanced"),
        **{name: make_pipeline(sampler, learner()) for name, sampler in samplers.items()},
        "ResampledBagging": ResampledBaggingClassifier(learner()),
        "SelfPacedEnsemble": SelfPacedEnsembleClassifier(learner()),
        "BalanceCascade": BalanceCascadeClassifier(learner()),
        "SMOTEBoost": SMOTEBoostClassifier(),
        "EasyEnsemble": EasyEnsembleClassifier(),
        "BalancedForest": BalancedRandomForestClassifier(),
        "soft vote": SoftVotingClassifier(
            [
                ("learner", learner()),
                ("logistic", LogisticRegression(max_iter=2000)),
                ("forest", BalancedRandomForestClassifier()),
            ],
            weights="optimize",
            cv=3,
        ),
    }
    models = {name: prepared(model) for name, model in models.items()}
    vote = SoftVotingClassifier(
        [
            ("learner", make_pipeline(RandomUnderSampler(), learner())),
            ("logistic", LogisticRegression(max_iter=2000)),
        ],
        cv=3,
    )
    models["best of a search"] = DecisionGridSearchCV(
        prepared(vote),
        {
            "softvotingclassifier__learner__randomundersampler": [
                None,
                SMOTE(),
                RandomUnderSampler(),
                RandomOverSampler(),
            ],
            "softvotingclassifier__weights": [None, "optimize", [1, 0], [0, 1]],
        },
        scoring="average_precision",
        cv=3,
    )
    return models


def cascade(learner: Callable[..., BaseEstimator]) -> list[tuple[str, BaseEstimator]]:
    """Return the stages of a cascade, from cheap to costly."""
    return [
        ("cheap", prepared(LogisticRegression(class_weight="balanced", max_iter=2000))),
        ("costly", prepared(learner())),
    ]


def promised(name: str, model: BaseEstimator | list, seed: int) -> BaseEstimator:
    """Return a model with its promise, of a recall that the positives can carry."""
    terms = {
        "target_recall": TARGET,
        "confidence": CONFIDENCE,
        "on_insufficient": "best",
        "on_duplicates": "ignore",
        "random_state": seed,
    }
    if name == "RecallCascade":
        return RecallCascadeClassifier(model, **terms)
    return RecallThresholdClassifier(clone(model), **terms)


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        X, y = arrays["X"].astype(np.float64), arrays["y"].astype(int)
    X = np.delete(X, NOT_A_FEATURE.get(name, []), axis=1)
    kept = ~pd.DataFrame(X).duplicated().to_numpy()
    return X[kept], y[kept]


def measure(
    name: str, model: BaseEstimator | list, X: np.ndarray, y: np.ndarray, fold: tuple, seed: int
) -> dict[str, float]:
    """Return what a method costs on the test rows of one fold; NaN where it cannot be fitted."""
    train, test = fold
    start = time.perf_counter()
    with warnings.catch_warnings(action="ignore"):  # of too few positives, which is the point
        fitted = promised(name, model, seed)
        try:
            fitted.fit(X[train], y[train])
        except ValueError as error:
            return {"error": str(error)}
    flagged = fitted.predict(X[test]) == 1
    found = np.count_nonzero(flagged & (y[test] == 1))
    score = (
        fitted.decision_function(X[test])
        if hasattr(fitted, "decision_function")
        else fitted.predict_proba(X[test])[:, 1]
    )
    promise = fitted.promise_ if name == "RecallCascade" else fitted.promises_[0]
    return {
        "promised": promise.target_recall,
        "recall": found / y[test].sum(),
        "precision": found / max(flagged.sum(), 1),
        "alerts_per_1000": 1000 * flagged.mean(),
        "average_precision": average_precision_score(y[test], score),
        "seconds": time.perf_counter() - start,
    }


def run(folder: Path, learner: str, names: tuple[str, ...], n_repeats: int) -> pd.DataFrame:
    """Return one row per set, method and fold."""
    models = methods(LEARNERS[learner]) | {"RecallCascade": cascade(LEARNERS[learner])}
    rows = []
    for name in names:
        X, y = load(folder, name)
        folds = list(
            RepeatedStratifiedKFold(n_splits=2, n_repeats=n_repeats, random_state=0).split(X, y)
        )
        keys = [(method, k) for method in models for k in range(len(folds))]
        found = Parallel(n_jobs=2)(
            delayed(measure)(method, models[method], X, y, folds[k], k) for method, k in keys
        )
        rows += [
            {"set": name, "method": method, "fold": k, **values}
            for (method, k), values in zip(keys, found, strict=True)
        ]
        print(f"{name}: {len(y)} rows, {y.sum()} positives, done", flush=True)
    return pd.DataFrame(rows)


def mean_ranks(values: pd.DataFrame) -> tuple[pd.Series, float, float]:
    """Return the mean rank of each method, Friedman's p-value and Nemenyi's critical difference.

    Parameters
    ----------
    values : DataFrame of shape (n_sets, n_methods)
        Means over the folds; greater is better.
    """
    n_sets, n_methods = values.shape
    ranks = values.rank(axis=1, ascending=False).mean().sort_values()
    p_value = friedmanchisquare(*(values[name] for name in values)).pvalue
    q = studentized_range.ppf(1 - LEVEL, n_methods, np.inf) / np.sqrt(2)
    return ranks, p_value, q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_sets))


def draw_ranks(ranks: dict[str, pd.Series], difference: float, title: str, path: Path) -> None:
    """Draw mean ranks by each measure, and a band of those that cannot be told from the best."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1,
        len(ranks),
        figsize=(5 * len(ranks), 0.24 * len(methods(LEARNERS["logistic"])) + 1.8),
        layout="constrained",
        sharex=True,
    )
    for ax, (measure, of_measure) in zip(axes, ranks.items(), strict=True):
        best = of_measure.iloc[0]
        ax.axvspan(best, best + difference, color="tab:blue", alpha=0.12, lw=0)
        ax.plot(of_measure, np.arange(len(of_measure)), "o", color="tab:blue")
        ax.set_yticks(np.arange(len(of_measure)), of_measure.index)
        ax.invert_yaxis()
        ax.grid(axis="x", alpha=0.3)
        ax.set(xlabel="Mean rank (1 is best)", title=measure)
    figure.suptitle(f"{title}; in the band: not told from the best")
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with imbalanced/*.npz")
    parser.add_argument("--learner", choices=LEARNERS, default="boosting")
    parser.add_argument("--sets", nargs="*", default=SETS, help="some of the sets")
    parser.add_argument("--repeats", type=int, default=5, help="times that two folds are drawn")
    parser.add_argument("--out", type=Path, help="folder for table and picture")
    args = parser.parse_args()
    folder = args.data / "imbalanced"
    missing = [name for name in args.sets if not (folder / f"{name}.npz").exists()]
    if missing:
        sys.exit(f"{folder} lacks {', '.join(missing)}: name those to use with --sets.")

    rows = run(folder, args.learner, tuple(args.sets), args.repeats)
    if "error" in rows:
        failed = rows.dropna(subset="error").groupby(["set", "method"])["error"]
        print("\nNot fitted on some folds:", failed.agg(["size", "first"]).to_string(), sep="\n")
    means = rows.groupby(["method", "set"]).mean(numeric_only=True)
    sets = list(args.sets)
    ranks = {}
    for measure, title in MEASURES.items():
        values = means[measure].unstack("set")[sets].dropna()
        ranks[title], p_value, difference = mean_ranks(values.T)
        values.insert(0, "mean rank", ranks[title])
        print(f"\n{title}", values.sort_values("mean rank").round(3).to_string(), sep="\n")
        print(f"Friedman: p = {p_value:.2g}; Nemenyi's critical difference {difference:.1f}")
    for column, digits in [("alerts_per_1000", 0), ("recall", 2), ("promised", 3)]:
        print(f"\n{column}", means[column].unstack("set")[sets].round(digits).to_string(), sep="\n")
    print("\nSeconds", rows.groupby("method")["seconds"].mean().round(2).to_string(), sep="\n")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        rows.to_csv(args.out / f"imbalance_{args.learner}.csv", index=False)
        title = f"{len(sets)} imbalanced sets, 5 x 2 folds, {args.learner}"
        draw_ranks(ranks, difference, title, args.out / f"imbalance_{args.learner}.png")


if __name__ == "__main__":
    main()
