"""
Which resampler, and with which threshold?
==========================================

A threshold that is right for one resampler is wrong for the next, so that both are to be searched
together. One search tries all pairs and fits once for all thresholds.
"""

# %%
# Four resamplers in a Pipeline, and 19 thresholds behind each. That a threshold acts after fitting
# is known of scikit-learn's `FixedThresholdClassifier`: 5 folds take 20 fits, and not 380.

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import FixedThresholdClassifier

from skrecall.datasets import make_imbalanced_classification
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.plotting import ThresholdSearchDisplay

data = make_imbalanced_classification(3000, prevalence=0.05, random_state=0)
forest = RandomForestClassifier(50, min_samples_leaf=3, random_state=0)
pipeline = Pipeline([("sampler", "passthrough"), ("clf", FixedThresholdClassifier(forest))])
grid = {
    "sampler": [
        "passthrough",
        RandomOverSampler(random_state=0),
        SMOTE(random_state=0),
        RandomUnderSampler(random_state=0),
    ],
    "clf__threshold": np.arange(1, 20) / 20,
}
search = DecisionGridSearchCV(pipeline, grid, scoring="f2").fit(data.X, data.y)

# %%
# The number in each row is its best score, the star is the best of all.

fig, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
display = ThresholdSearchDisplay.from_search(search, ax=ax)
for row, scores in enumerate(display.scores):
    ax.text(scores.argmax() + 0.5, row + 0.85, f"{scores.max():.2f}", ha="center", weight="bold")
plt.show()

# %%
# Each resampler moves the best threshold, by far; the best score hardly moves.
#
# What this does not show: how sure the differences are. With 30 positives in a fold, those between
# the rows can be luck; and the score of the star is that of a winner, to be measured on other data.
