"""
What does SMOTE do before the split, and what inside the folds?
===============================================================

SMOTE makes new positives between old ones. Before a split, it puts near copies of a positive on
both sides: cross-validation then finds skill in pure noise, and a promised recall is broken. As a
step of the Pipeline it does neither.
"""

# %%
# The same forest, with SMOTE as a step before it.

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from skrecall.datasets import make_imbalanced_classification
from skrecall.threshold import RecallThresholdClassifier

smote = SMOTE(random_state=0)
forest = RandomForestClassifier(30, min_samples_leaf=3, random_state=0)
pipeline = make_pipeline(smote, forest)

# %%
# Pure noise: 500 rows, and labels that know nothing of them. An honest AUC is 0.5.

n_data_sets = 20
auc_before, auc_inside = auc = np.empty((2, n_data_sets))
for i in range(n_data_sets):
    rng = np.random.default_rng(i)
    X, y = rng.normal(size=(500, 10)), rng.permutation(500) < 50
    X_more, y_more = smote.fit_resample(X, y)
    auc_before[i] = cross_val_score(forest, X_more, y_more, scoring="roc_auc").mean()
    auc_inside[i] = cross_val_score(pipeline, X, y, scoring="roc_auc").mean()

# %%
# Signal: a recall of 0.9 is promised, and 3000 positives of the future tell what it really is.

target = 0.9
future = make_imbalanced_classification(6000, prevalence=0.5, random_state=1000)
X_future = future.X[future.y == 1]
recall_before, recall_inside = recall = np.empty((2, n_data_sets))
for i in range(n_data_sets):
    data = make_imbalanced_classification(1000, prevalence=0.1, random_state=i)
    outer = RecallThresholdClassifier(forest, target_recall=target, random_state=i)
    outer.fit(*smote.fit_resample(data.X, data.y))
    recall_before[i] = outer.predict(X_future).mean()
    outer = RecallThresholdClassifier(pipeline, target_recall=target, random_state=i)
    recall_inside[i] = outer.fit(data.X, data.y).predict(X_future).mean()

# %%
# Each line is one data set.

fig, axes = plt.subplots(1, 2, figsize=(8, 4.8), layout="constrained", sharey=True)
for ax, values, truth in zip(axes, (auc, recall), (0.5, target), strict=True):
    ax.plot(["before\nthe split", "inside\nthe Pipeline"], values, color="0.8", zorder=0)
    ax.scatter(np.zeros(n_data_sets), values[0], c="tab:orange", s=40)
    ax.scatter(np.ones(n_data_sets), values[1], c="tab:blue", s=40)
    ax.axhline(truth, color="k", ls="--")
    ax.set(xlabel="SMOTE", xlim=(-0.3, 1.3), ylim=(0.3, 1.02))
axes[0].text(-0.25, 0.51, "truth: no skill")
axes[1].text(-0.25, 0.91, "promised: at least 0.9")
axes[0].set(ylabel="AUC, cross-validated", title="Pure noise looks like skill")
axes[1].set(ylabel="True recall", title="A promised recall is broken")
axes[1].tick_params(labelleft=True)
plt.show()

# %%
# What this does not show: whether SMOTE is of any use. Inside the Pipeline it keeps the promise,
# but so does a forest without it.
