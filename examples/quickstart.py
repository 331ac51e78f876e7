"""
Find a rare digit, and keep the recall that was promised
========================================================

One image in twenty shows an 8, and missing one costs more than looking at a few others. Five models
are asked for the same recall. Each gets a promise, and the test images, made from scans that none
of them has seen, show whether it is kept and what it costs.

Run it with ``make demo``, or ``python examples/quickstart.py [folder for the figures]``.
"""

import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from skrecall.datasets import make_rare_digits
from skrecall.ensemble import SoftVotingClassifier
from skrecall.metrics import recall_interval
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.neural_network import CNNClassifier
from skrecall.plotting import OperatingPointDisplay, RecallBudgetDisplay, ThresholdSearchDisplay
from skrecall.threshold import RecallThresholdClassifier, positives_needed

TARGET_RECALL, CONFIDENCE = 0.9, 0.9

sklearn.set_config(enable_metadata_routing=True)  # lets groups reach the folds of the search
figures = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "figures"
figures.mkdir(parents=True, exist_ok=True)

# %%
# Scans, not images, are split: two images of one scan are near copies.
data = make_rare_digits(10500, rare_digit=8, prevalence=0.05, distortion=0.5, random_state=0)
X, y, groups = data.X, data.target, data.groups
train, test = next(StratifiedGroupKFold(3).split(X, y, groups))
X_train, y_train, groups_train = X[train], y[train], groups[train]

# %%
# Resampling sits inside a Pipeline, and so does the search over resamplers and thresholds, which
# fits each of its four pipelines once a fold for all 19 thresholds.
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
smote = make_pipeline(StandardScaler(), SMOTE(random_state=0), LogisticRegression(max_iter=1000))
cnn = CNNClassifier(
    image_shape=(1, 16, 16), loss="focal", lr=0.002, max_epochs=15, n_threads=1, random_state=0
)
vote = SoftVotingClassifier([("linear", linear), ("smote", smote), ("cnn", cnn)], weights=[1, 1, 4])
samplers = [kind(random_state=0) for kind in (RandomUnderSampler, RandomOverSampler, SMOTE)]
search = DecisionGridSearchCV(
    Pipeline(
        [
            ("scale", StandardScaler()),
            ("sampler", "passthrough"),
            ("classifier", FixedThresholdClassifier(LogisticRegression(max_iter=1000))),
        ]
    ),
    {
        "sampler": ["passthrough", *samplers],
        "classifier__threshold": np.linspace(0.05, 0.95, 19).round(2),
    },
    scoring="f2",
    cv=StratifiedGroupKFold(3),
)
models = {
    "logistic regression": linear,
    "SMOTE + logistic regression": smote,
    "search over resamplers": search,
    "focal-loss CNN": cnn,
    "vote of both and the CNN": vote,
}

needed = positives_needed(TARGET_RECALL, CONFIDENCE, n_comparisons=len(models))
n_scans = len(np.unique(groups_train[y_train == 1]))
print(
    f"Promise: recall >= {TARGET_RECALL} with confidence {CONFIDENCE}, for the best of "
    f"{len(models)} models.\n{needed} held-out scans of the rare digit are needed; half of the "
    f"{n_scans} for training are held out.\n"
)

# %%
# One promise each, on top of everything else. The best model will be picked on the same held-out
# positives, which costs confidence: n_comparisons pays for it.
rows, promised, scores = [], {}, {}
for name, model in models.items():
    start = time.perf_counter()
    classifier = RecallThresholdClassifier(
        model,
        target_recall=TARGET_RECALL,
        confidence=CONFIDENCE,
        group_promise="row",
        n_comparisons=len(models),
        random_state=0,
    ).fit(X_train, y_train, groups=groups_train)
    flagged = classifier.predict(X[test])
    seconds = time.perf_counter() - start
    measured = recall_interval(y[test], flagged, groups=groups[test], group_promise="row")
    rows.append(
        {
            "model": name,
            "promised": f">= {classifier.promises_[0].target_recall}",
            "measured": measured.recall,
            "95 % interval": f"[{measured.low:.2f}, {measured.high:.2f}]",
            "precision": np.mean(y[test][flagged == 1]),
            "alerts/1000": 1000 * np.mean(flagged),
            "seconds": seconds,
        }
    )
    promised[name], scores[name] = classifier, classifier.predict_proba(X[test])[:, 1]

table = pd.DataFrame(rows)
print(table.to_string(index=False, float_format="{:.2f}".format))
searched = promised["search over resamplers"].estimator_
n_test_scans = len(np.unique(groups[test][y[test] == 1]))
print(
    f"\nmeasured: recall on {y[test].sum()} test images of {n_test_scans} scans. So few have luck "
    "of their own: even a\npromise that is true for all scans shows a measured recall below it "
    "more often than 1 time in 10.\n"
    f"The search chose {searched.best_params_['sampler']}, after 12 fits in place of 228."
)

# %%
# Where the best model works, and what each model finds for a number of alerts.
best = table.sort_values("alerts/1000")["model"].iloc[0]
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
OperatingPointDisplay.from_estimator(
    promised[best],
    X[test],
    y[test],
    groups=groups[test],
    group_promise="row",
    curves=["precision_recall"],
    name=best,
    ax=left,
)
left.set_title("The promise, and where the best model works")
for name, y_score in scores.items():
    RecallBudgetDisplay.from_predictions(y[test], y_score, name=name, ax=right)
right.set_title("What a number of alerts finds")
fig.savefig(figures / "quickstart.png", dpi=80)

fig, ax = plt.subplots(figsize=(9, 3.2), layout="constrained")
ThresholdSearchDisplay.from_search(searched, ax=ax)
fig.savefig(figures / "threshold_search.png", dpi=80)
print(f"\nFigures: quickstart.png and threshold_search.png in {figures}")
