"""
What does a promised recall cost in false alarms?
=================================================

A recall can be promised on data that nobody has seen. Two things raise its price: the recall
itself, and how few positives the promise is made from. Below a number that is known before any data
exist, there is no promise at all.
"""

# %%
# One model, fitted once. 20 rows in 1000 are positive; a large test set tells what a threshold
# really costs.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skrecall.datasets import make_imbalanced_classification
from skrecall.metrics import operating_curve
from skrecall.threshold import RecallThresholdClassifier, positives_needed


def draw(n_positives, seed):
    data = make_imbalanced_classification(
        50 * n_positives, prevalence=0.02, separation=3, fixed_prevalence=True, random_state=seed
    )
    return data.X, data.y


model = FrozenEstimator(LogisticRegression().fit(*draw(400, seed=1)))
X_test, y_test = draw(4000, seed=2)
truth = operating_curve(y_test, model.predict_proba(X_test)[:, 1])

# %%
# How many held-out positives does a recall need, to be promised with a confidence of 90 %?

targets = np.arange(0.8, 0.995, 0.0025)
needed = np.array([positives_needed(target, 0.9) for target in targets])
for target in (0.8, 0.9, 0.95, 0.99):
    print(f"recall {target}: {positives_needed(target, 0.9)} positives")

# %%
# The threshold is put on 30, 100 or 300 held-out positives, for every recall that they can carry.
# The target acts after fitting: `refit_decision` applies a new one to the scores that are stored.

fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for n_positives, colour in {30: "tab:orange", 100: "tab:purple", 300: "tab:blue"}.items():
    possible = targets[needed <= n_positives]
    thresholds = np.empty((30, len(possible)))
    for i, row in enumerate(thresholds):
        finder = RecallThresholdClassifier(model, target_recall=possible[0])
        finder.fit(*draw(n_positives, seed=100 + i))
        for j, target in enumerate(possible):
            row[j] = finder.set_params(target_recall=target).refit_decision().threshold_
    alerts = truth.alerts_per_1000[[truth.index_at(t) for t in thresholds.flat]]
    cost = np.median(alerts.reshape(thresholds.shape), axis=0)
    ax.step(possible, cost, where="pre", color=colour, lw=2.5)
    ax.plot(possible[-1], cost[-1], "X", color=colour, ms=12)
    ax.annotate(
        f"{n_positives} positives:\nno promise above {0.1 ** (1 / n_positives):.3f}",
        (possible[-1] + 0.002, 1.12 * cost[-1]),
        ha="right",
        color=colour,
    )

shown = (truth.recall >= targets[0]) & (truth.recall <= targets[-1])
ax.plot(truth.recall[shown], truth.alerts_per_1000[shown], "k--", lw=1.5)
ax.text(0.875, 33, "what the recall costs who knows\nthe score of every future positive")
ax.set(
    xlabel="Recall promised on unseen data, with confidence 0.9",
    ylabel="Alerts per 1000 rows, of which 20 are positive",
    yscale="log",
    ylim=(29, 800),
    xlim=(0.795, 1),
    yticks=[30, 50, 100, 200, 500],
    yticklabels=[30, 50, 100, 200, 500],
    title="A higher recall costs false alarms; few positives cost more and promise less",
)
ax.minorticks_off()
plt.show()

# %%
# What this does not show: these are medians of 30 draws, and what one draw of 30 positives costs
# can be half of it or double; a better model would lower all lines.
