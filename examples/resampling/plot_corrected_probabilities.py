"""
What does resampling do to probabilities, and can it be undone?
===============================================================

A model trained on as many positives as negatives takes half of the world for positive. Its ranking
is as good as ever, but what it calls 50 % happens in 5 cases of 100. How far each probability was
shifted is known, so that it can be shifted back.
"""

# %%
# One row in 20 is positive.

import matplotlib.pyplot as plt
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from skrecall.datasets import make_imbalanced_classification
from skrecall.threshold import PriorCorrectedClassifier

train = make_imbalanced_classification(10_000, prevalence=0.05, random_state=0)
test = make_imbalanced_classification(200_000, prevalence=0.05, random_state=1)

# %%
# `PriorCorrectedClassifier` wraps the whole Pipeline: it sees how many of each class reach the last
# step, and how many there were before. Its `estimator_` is the Pipeline as it is without it.

fig, ax = plt.subplots(figsize=(7, 6), layout="constrained")
samplers = {
    RandomUnderSampler(random_state=0): "o",
    RandomOverSampler(random_state=0): "s",
    SMOTE(random_state=0): "^",
}
for sampler, marker in samplers.items():
    corrected = PriorCorrectedClassifier(make_pipeline(sampler, LogisticRegression()))
    corrected.fit(train.X, train.y)
    for model, colour in ((corrected.estimator_, "tab:orange"), (corrected, "tab:blue")):
        proba = model.predict_proba(test.X)[:, 1]
        share, mean = calibration_curve(test.y, proba, n_bins=12)
        ax.plot(mean, share, color=colour, marker=marker, ms=7)
        print(f"{type(sampler).__name__}: {proba.mean():.3f} on average")
    ax.plot([], [], marker, color="0.4", label=type(sampler).__name__)

ax.plot([0, 1], [0, 1], "k--", zorder=0)
ax.text(0.36, 0.5, "corrected: 1 in 20\non average, as in the data", color="tab:blue", ha="right")
ax.text(0.44, 0.16, "as resampled:\n1 in 4 on average", color="tab:orange")
ax.set(
    xlabel="Predicted probability of the positive class",
    ylabel="Share of positives where this was predicted",
    title="Resampling makes a rare class look frequent",
    xlim=(0, 1),
    ylim=(0, 1),
    aspect="equal",
)
ax.legend(loc="upper left", frameon=False)
plt.show()

# %%
# What this does not show: a model that is wrong in other ways. The correction moves the prior and
# nothing else; it is exact for random sampling, near for SMOTE, and refused for samplers that pick
# rows by where the classes meet, such as NearMiss.
