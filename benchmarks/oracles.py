"""Published numbers that must come out again: a miss is named, and the exit status is not 0.

Label measures to the digits printed; iterative stratification beside an exact run of the papers'
rule; rows that samplers add and remove beside runs of their definitions by others; multi-label
metrics beside another implementation, on its own predictions.

    python benchmarks/oracles.py --data DIR       # twenty seconds

`DIR/multilabel` holds the sets of `LABEL_MEASURES` as NAME.npz, and oracle_flags_metrics.npz.
"""

import argparse
import math
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from sklearn import metrics as sklearn_metrics
from sklearn.preprocessing import minmax_scale

from skrecall import metrics
from skrecall.label_space import label_space_summary, mean_imbalance_ratio, scumble
from skrecall.model_selection import MultilabelStratifiedKFold, fold_quality
from skrecall.resampling import MLROS, MLSMOTE, REMEDIAL, MLeNN

# n_features of the complexity score, before any encoding, and the values, as printed.
LABEL_MEASURES = {
    "flags": (19, "3.3918", "54", "2.2547", "0.7648", "0.060586", "8.8793"),
    "emotions": (72, "1.8685", "27", "1.4781", "0.1796", "0.010952", "9.3643"),
    "yeast": (103, "4.2371", "198", "7.1968", "1.8838", "0.104359", "12.5621"),
    "genbase": (1186, "1.2523", "32", "37.3146", "1.4494", "0.028759", "13.8399"),
    "medical": (1449, "1.2454", "94", "89.5014", "1.1476", "0.047056", "15.6286"),
    "toyml": (10, "2.0000", "18", "3.0824", "0.6010", "0.096120", "6.8024"),
}
MEASURES = (
    "cardinality",
    "n_label_sets",
    "mean_imbalance_ratio",
    "imbalance_ratio_cv",
    "scumble",
    "theoretical_complexity_score",
)

# Ten folds by an exact run of the papers' rule, as printed: LD, FLZ and LPD of orders 1 and 2.
STRATIFICATION = {
    ("emotions", 1): (".024", "0", ".022"),
    ("emotions", 2): (".017", "0", ".007"),
    ("yeast", 1): (".050", "0", ".015"),
    ("yeast", 2): (".022", "0", ".004"),
    ("medical", 1): (".004", "173", ".0035"),
    ("medical", 2): (".004", "176", ".0031"),
}
N_SEEDS = 50

# Rows after REMEDIAL, and SCUMBLE before and after where it was printed.
REMEDIAL_ROWS = {
    "flags": ("262", ".061", ".018"),
    "emotions": ("815",),
    "yeast": ("3234", ".104", ".065"),
    "genbase": ("752",),
    "medical": ("1163",),
}
# Rows that MLeNN removes, features scaled to the unit interval.
MLENN_ROWS = {"emotions": "23", "yeast": "261"}
# Rows added, and MeanIR before and after, in the mean of PUBLISHED_SEEDS runs.
MLROS_ROWS = {"yeast": ("293", "7.20", "3.83"), "medical": ("24", "89.5", "47.5")}
MLSMOTE_ROWS = {"yeast": ("212", "7.20", "5.06"), "emotions": ("655", "1.48", "1.47")}
PUBLISHED_SEEDS = 5
N_SAMPLER_SEEDS = 20

# Of these, ties in the scores are resolved in another way there.
TIE_TOLERANCE = {
    "Average-Precision": 0.001,
    "Coverage": 0.006,
    "Ranking-Loss": 0.0015,
    "IsError": 0.006,
}


@dataclass(frozen=True)
class Finding:
    """A number that was seen, beside the one that was published."""

    oracle: str
    what: str
    seen: float
    published: str
    at_most: float  # what `seen` may be
    at_least: float = -math.inf

    @property
    def holds(self) -> bool:
        """Whether it came out again."""
        return self.at_least <= self.seen <= self.at_most


def half_a_digit(printed: str) -> float:
    """Return how far a number may be from the one that was printed in rounded form."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2]) * (1 + 1e-9)


def equal(oracle: str, what: str, seen: float, printed: str, more: float = 0.0) -> Finding:
    value, tolerance = float(printed), half_a_digit(printed) + more
    return Finding(oracle, what, seen, printed, value + tolerance, value - tolerance)


def label_measures(folder: Path) -> Iterator[Finding]:
    for name, (n_features, *printed) in LABEL_MEASURES.items():
        Y = csr_array(load(folder, name)["Y"])
        summary = label_space_summary(Y, n_features)
        for measure, value in zip(MEASURES, printed, strict=True):
            yield equal("label measures", f"{name}: {measure}", summary[measure], value)


def stratification(folder: Path) -> Iterator[Finding]:
    """A published value is that of one run: our mean may be one standard deviation of runs above.

    The standard deviation is that of our own runs; half a printed digit is added.
    """
    for (name, order), printed in STRATIFICATION.items():
        Y = load(folder, name)["Y"]
        runs = []
        for seed in range(N_SEEDS):
            cv = MultilabelStratifiedKFold(10, order=order, shuffle=True, random_state=seed)
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # of rare labels
                runs.append(fold_quality(Y, cv.split(None, Y)))
        mean, deviation = pd.DataFrame(runs).mean(), pd.DataFrame(runs).std()
        for measure, value in zip(("LD", "FLZ", "LPD"), printed, strict=True):
            worst = float(value) + half_a_digit(value) + deviation[measure]
            what = f"{name}, order {order}: {measure}"
            yield Finding("stratification", what, mean[measure], f"<= {value}", worst)


def multilabel_metrics(folder: Path) -> Iterator[Finding]:
    """Mean average precision is another measure there, and the rest has no counterpart here."""
    oracle = load(folder, "oracle_flags_metrics")
    Y, y_score, Y_pred = oracle["Y"].astype(int), oracle["scores"], oracle["pred"].astype(int)
    seen = {
        "Hamming-Loss": sklearn_metrics.hamming_loss(Y, Y_pred),
        "Subset-Accuracy": sklearn_metrics.accuracy_score(Y, Y_pred),
        "Precision": metrics.example_precision(Y, Y_pred),
        "Recall": metrics.example_recall(Y, Y_pred),
        "F-Measure": metrics.example_fbeta(Y, Y_pred),
        "Accuracy": metrics.example_jaccard(Y, Y_pred),
        "Average-Precision": sklearn_metrics.label_ranking_average_precision_score(Y, y_score),
        "Coverage": sklearn_metrics.coverage_error(Y, y_score) - 1,
        "Ranking-Loss": sklearn_metrics.label_ranking_loss(Y, y_score),
        "OneError": metrics.one_error(Y, y_score),
        "IsError": metrics.is_error(Y, y_score),
    }
    for average in ("micro", "macro"):
        for name, metric in [
            ("Precision", metrics.masked_precision_score),
            ("Recall", metrics.masked_recall_score),
            ("F-Measure", metrics.masked_fbeta_score),
        ]:
            seen[f"{average.title()}-{name}"] = metric(Y, Y_pred, average=average)
        area = metrics.masked_roc_auc_score(Y, y_score, average=average)
        seen[f"{average.title()}-AUC"] = area
    published = dict(zip(oracle["names"].tolist(), oracle["values"].tolist(), strict=True))
    for name, value in seen.items():
        printed = f"{published[name]:.4f}"
        yield equal("metrics", f"flags: {name}", value, printed, TIE_TOLERANCE.get(name, 0.0))


def samplers_without_chance(folder: Path) -> Iterator[Finding]:
    for name, (n_rows, *printed) in REMEDIAL_ROWS.items():
        Y = load(folder, name)["Y"]
        _, Y_new = REMEDIAL().fit_resample(np.arange(len(Y))[:, np.newaxis], Y)
        yield equal("REMEDIAL", f"{name}: rows after", len(Y_new), n_rows)
        changed = np.count_nonzero(Y_new.sum(axis=0) != Y.sum(axis=0))
        yield equal("REMEDIAL", f"{name}: labels with another count", changed, "0")
        for what, value, labels in zip(("before", "after"), printed, (Y, Y_new), strict=False):
            yield equal("REMEDIAL", f"{name}: SCUMBLE {what}", scumble(labels), value)
    for name, n_removed in MLENN_ROWS.items():
        X, Y = scaled(folder, name)
        _, Y_new = MLeNN().fit_resample(X, Y)
        yield equal("MLeNN", f"{name}: rows removed", len(Y) - len(Y_new), n_removed)


def samplers_of_chance(folder: Path) -> Iterator[Finding]:
    """Both are means of runs: three standard errors of their difference are allowed."""
    for sampler, published in [(MLROS(), MLROS_ROWS), (MLSMOTE(n_neighbors=5), MLSMOTE_ROWS)]:
        oracle = type(sampler).__name__
        for name, (n_added, before, after) in published.items():
            data = load(folder, name)
            Y = data["Y"]
            X = scaled(folder, name)[0] if "X" in data else np.arange(len(Y))[:, np.newaxis]
            yield equal(oracle, f"{name}: MeanIR before", mean_imbalance_ratio(Y), before)
            runs = []
            for seed in range(N_SAMPLER_SEEDS):
                _, Y_new = sampler.set_params(random_state=seed).fit_resample(X, Y)
                runs.append((len(Y_new) - len(Y), mean_imbalance_ratio(Y_new)))
            error = 3 * np.std(runs, axis=0) * math.sqrt(1 / PUBLISHED_SEEDS + 1 / N_SAMPLER_SEEDS)
            for what, seen, printed, more in zip(
                ("rows added", "MeanIR after"),
                np.mean(runs, axis=0),
                (n_added, after),
                error,
                strict=True,
            ):
                yield equal(oracle, f"{name}: {what}", seen, printed, more)


# One function per kind of oracle.
ORACLES = (
    label_measures,
    stratification,
    samplers_without_chance,
    samplers_of_chance,
    multilabel_metrics,
)


def scaled(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features scaled to the unit interval, and labels."""
    data = load(folder, name)
    return minmax_scale(data["X"]), data["Y"]


def load(folder: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def check_files(folder: Path) -> None:
    names = [*LABEL_MEASURES, *(name for name, _ in STRATIFICATION), "oracle_flags_metrics"]
    files = [folder / f"{name}.npz" for name in dict.fromkeys(names)]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        sys.exit(f"{folder} lacks {', '.join(missing)}: every oracle needs its file.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with multilabel/*.npz")
    folder = parser.parse_args().data / "multilabel"
    check_files(folder)
    findings = [finding for oracle in ORACLES for finding in oracle(folder)]
    table = pd.DataFrame(
        {
            "oracle": finding.oracle,
            "what": finding.what,
            "seen": finding.seen,
            "published": finding.published,
            "may be": f"{finding.at_least:.6g} to {finding.at_most:.6g}",
            "": "" if finding.holds else "MISS",
        }
        for finding in findings
    )
    print(table.to_string(index=False, float_format="{:.6g}".format))
    misses = [f"{f.oracle}, {f.what}" for f in findings if not f.holds]
    if misses:
        sys.exit(f"{len(misses)} of {len(findings)} numbers did not come out again: {misses}")
    print(f"all {len(findings)} numbers came out again")


if __name__ == "__main__":
    main()
