"""
What if there are several scans of one patient?
===============================================

Scans of one patient resemble each other. Counted as independent, they make a promise look surer
than it is. Counted by patient it holds, and one can choose what it is about: scans, or patients.
"""

# %%
# Five scans of each patient, alike within a patient (correlation 0.8), and a model that was fitted
# on other patients.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skrecall.datasets import make_imbalanced_scores
from skrecall.threshold import RecallThresholdClassifier


def draw(n_patients, prevalence, seed):
    scans = make_imbalanced_scores(
        5 * n_patients,
        prevalence=prevalence,
        separation=2.5,
        group_size=5,
        group_correlation=0.8,
        fixed_prevalence=True,
        random_state=seed,
    )
    return scans.y_score.reshape(-1, 1), scans.y, scans.groups


X, y, _ = draw(5000, prevalence=0.1, seed=1000)
model = FrozenEstimator(LogisticRegression().fit(X, y))
X_future, y_future, _ = draw(10_000, prevalence=0.5, seed=1001)
X_future = X_future[y_future == 1]  # five scans of each of 5000 sick patients

# %%
# Each draw has 40 sick patients among 400. Without `groups` their 200 scans count as independent.

target, n_draws = 0.9, 300
of_rows, of_scans, of_patients = recall = np.empty((3, n_draws))
for i in range(n_draws):
    X, y, patient = draw(400, prevalence=0.1, seed=i)
    finder = RecallThresholdClassifier(model, target_recall=target, random_state=i)
    of_rows[i] = finder.fit(X, y).predict(X_future).mean()
    finder.set_params(group_promise="row").fit(X, y, groups=patient)
    of_scans[i] = finder.predict(X_future).mean()
    finder.set_params(group_promise="any").refit_decision()
    of_patients[i] = finder.predict(X_future).reshape(-1, 5).any(axis=1).mean()

# %%
# Orange is what falls short. A promise with confidence 0.9 may do so in a tenth of the draws.

names = {
    "Scans as independent rows": "scans found",
    "groups=patient, group_promise='row'": "scans found",
    "groups=patient, group_promise='any'": "patients found, by one scan or more",
}
fig, axes = plt.subplots(3, 1, figsize=(8, 5.5), layout="constrained", sharex=True, sharey=True)
for ax, (name, unit), values in zip(axes, names.items(), recall, strict=True):
    _, edges, bars = ax.hist(values, bins=np.arange(0.76, 1.005, 0.01), color="tab:blue")
    for bar in bars[: np.searchsorted(edges, target - 1e-9)]:
        bar.set_color("tab:orange")
    ax.axvline(target, color="k", ls="--")
    ax.text(0.762, 42, name, weight="bold")
    ax.text(0.762, 34, f"share of {unit}")
    ax.text(0.762, 20, f"{100 * np.mean(values < target):.0f} % short", color="tab:orange", size=18)
    ax.set(ylabel="Draws", xlim=(0.76, 1))
axes[0].set_title("Scans of one patient are no independent evidence")
axes[2].set_xlabel("True recall; 0.9 was promised with confidence 0.9")
plt.show()

# %%
# What this does not show: the two promises differ in price. One flagged scan finds a patient, so
# that the threshold of "any" lies higher, and fewer healthy patients are alarmed; but single scans
# are missed.
