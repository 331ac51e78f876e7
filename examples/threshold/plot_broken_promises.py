"""
Why does a threshold tuned the usual way break its promise?
===========================================================

Four ways to put the threshold of a random forest where recall is 90 %, each tried on 80 draws of
data. One of them falls short as rarely as it says.
"""

# %%
# The rows come from a known population, so that 5000 further positives tell the true recall.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from skrecall.datasets import make_imbalanced_classification
from skrecall.metrics import operating_curve
from skrecall.threshold import RecallThresholdClassifier

target, n_draws = 0.9, 80
future = make_imbalanced_classification(10_000, prevalence=0.5, random_state=1000)
X_future = future.X[future.y == 1]


def exact_threshold(y, y_score):
    """Return the highest threshold that keeps the target on these very rows."""
    curve = operating_curve(y, y_score)
    return curve.thresholds[np.argmax(curve.recall >= target)]


def grid_threshold(y, y_score):
    """Return the highest of 100 equally spaced thresholds that does."""
    grid = np.linspace(y_score.min(), y_score.max(), 100)
    recall = np.mean(y_score[y == 1, None] >= grid, axis=0)
    return grid[recall >= target].max()


# %%
# In each draw, `RecallThresholdClassifier` fits a forest on one half of the rows and puts the
# threshold on the other, which holds 100 positives. The other three use the same forest and halves.

true_recall = np.empty((4, n_draws))
for i in range(n_draws):
    data = make_imbalanced_classification(
        2000, prevalence=0.1, fixed_prevalence=True, random_state=i
    )
    forest = RandomForestClassifier(50, min_samples_leaf=2)
    finder = RecallThresholdClassifier(forest, target_recall=target, random_state=i)
    y_score = finder.fit(data.X, data.y).predict_proba(data.X)[:, 1]
    held_out = np.isin(np.arange(2000), finder.calibration_rows_)
    thresholds = [
        exact_threshold(data.y[~held_out], y_score[~held_out]),
        exact_threshold(data.y[held_out], y_score[held_out]),
        grid_threshold(data.y[held_out], y_score[held_out]),
        finder.threshold_,
    ]
    y_score_future = finder.predict_proba(X_future)[:, 1]
    true_recall[:, i] = [np.mean(y_score_future >= threshold) for threshold in thresholds]

# %%
# Each dot is one draw. The recall that was measured said 90 % every time.

names = [
    "Recall of 90 % on the training rows",
    "Recall of 90 % on held-out rows",
    "The same, on a grid of 100 thresholds",
    "RecallThresholdClassifier, confidence 0.9",
]
spread = np.random.default_rng(0).uniform(-0.22, 0.22, n_draws)
fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for row, (name, recall) in enumerate(zip(names, true_recall, strict=True)):
    colours = np.where(recall < target, "tab:orange", "tab:blue")
    ax.scatter(recall, spread - row, c=colours, s=28, alpha=0.7, linewidths=0)
    ax.text(0.42, -row, name, va="bottom", weight="bold")
    ax.text(0.42, -row, f"short in {np.sum(recall < target)} of {n_draws} draws", va="top")
ax.axvline(target, color="k", ls="--", zorder=0)
ax.set(
    xlabel="True recall, on positives of the future (dashed: the recall wanted)",
    yticks=[],
    xlim=(0.2, 1),
    title="Only the last falls short as rarely as it says: in 1 draw of 10, or fewer",
)
plt.show()

# %%
# What this does not show: a linear model fools itself less on its training rows than a forest does,
# and where all scores are small, as those of rare events are, a grid also loses precision.
