"""
Which cases should a person look at?
====================================

Two thresholds in place of one. Below the lower one a case is cleared, with the promise that few
positives are; from the upper one on it is flagged, with the promise that most flags are right. What
lies between goes to a person.
"""

# %%
# One case in five is positive. Of the positives, 95 % must not be cleared; of the flags, 80 % must
# be right. `certify_precision` tests the second on rows of its own and gives it a confidence too.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from skrecall.datasets import make_imbalanced_classification
from skrecall.threshold import RejectOptionClassifier


def draw_and_fit(seed):
    data = make_imbalanced_classification(10_000, prevalence=0.2, random_state=seed)
    model = RejectOptionClassifier(
        LogisticRegression(),
        target_recall=0.95,
        target_precision=0.8,
        certify_precision=True,
        response_method="decision_function",
        random_state=seed,
    )
    return model.fit(data.X, data.y)


# %%
# Is either promise kept on 100 000 new cases? The confidence of each is 0.9, so that 6 of 60 draws
# may fall short.

new = make_imbalanced_classification(
    100_000, prevalence=0.2, fixed_prevalence=True, random_state=1000
)
positive = new.y == 1
n_draws = 60
recall, precision = np.empty((2, n_draws))
for i in range(n_draws):
    region = draw_and_fit(seed=i).predict_region(new.X)
    recall[i] = np.mean(region[positive] != "negative")
    precision[i] = np.mean(positive[region == "positive"])
print(f"recall below 0.95 in {np.sum(recall < 0.95)} of {n_draws} draws")
print(f"precision below 0.8 in {np.sum(precision < 0.8)} of {n_draws} draws")

# %%
# One of the draws:

model = draw_and_fit(seed=0)
region, y_score = model.predict_region(new.X), model.decision_function(new.X)
low, high = model.lower_threshold_, model.upper_threshold_

fig, ax = plt.subplots(figsize=(9, 5), layout="constrained")
for rows, colour in ((~positive, "tab:blue"), (positive, "tab:orange")):
    per_1000 = np.full(rows.sum(), 1000 / len(rows))
    ax.hist(y_score[rows], np.arange(-8, 6.1, 0.25), weights=per_1000, color=colour, alpha=0.75)
ax.axvspan(low, high, color="0.88", zorder=0)
ax.text(-6.5, 13, "negative", color="tab:blue", ha="right")
ax.text(2.9, 9, "positive", color="tab:orange")
for name, x, text in (
    ("negative", (low - 8) / 2, "cleared\n\nat least 95 % of the\npositives are not here"),
    ("refer", (low + high) / 2, "to a person"),
    ("positive", (high + 6) / 2, "flagged\n\nat least 80 % of\nthese are positive"),
):
    ax.text(x, 57, f"{100 * np.mean(region == name):.0f} % {text}", ha="center", va="top", size=12)
ax.set(
    xlabel="Score (log-odds of the model)",
    ylabel="Cases per 1000, in steps of 0.25",
    title="Two promises, with a confidence of 0.9 each, and what is left for a person",
    xlim=(-8, 6),
    ylim=(0, 60),
)
plt.show()

# %%
# What this does not show: what the person makes of the cases referred. The promise about positives
# survives a change of prevalence, that about flags does not.
