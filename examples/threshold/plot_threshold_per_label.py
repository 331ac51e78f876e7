"""
Does one half find a rare label?
================================

A tag that one sample in a hundred carries hardly ever gets a probability of one half, even where
the model knows it well. Each label can have a threshold of its own: the best for an objective, or
one that keeps a promised recall.
"""

# %%
# Eight tags, carried by 30 % of the samples down to 1 %. Half of 8000 samples are to learn from,
# the others to judge by.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score

from skrecall.multilabel import BinaryRelevance
from skrecall.plotting import LabelRecallDisplay
from skrecall.threshold import MultilabelThresholdClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(8000, 10))
scores = X @ rng.normal(size=(10, 8)) + rng.logistic(size=(8000, 8))
shares = np.geomspace(0.3, 0.01, 8)
Y = (scores > np.quantile(scores, 1 - shares, axis=0).diagonal()).astype(int)
train, test = slice(0, 4000), slice(4000, None)

# %%
# "f_beta" with a beta of 2 counts a miss for more than a false alarm. Its thresholds are the exact
# optima on scores out of fold. The promise needs rows that no model has seen, and so fits on half
# of them.

model = BinaryRelevance(LogisticRegression())
deciders = {
    "One half": model,
    "A threshold per label, for F2": MultilabelThresholdClassifier(
        model, "f_beta", objective_params={"beta": 2}
    ),
    "Recall of 0.8 promised, of all at once": MultilabelThresholdClassifier(
        model, target_recall=0.8, confidence=0.9, random_state=0
    ),
}

# %%
# Recall on the 4000 test samples, with intervals of 95 %.

fig, axes = plt.subplots(1, 3, figsize=(13, 5), layout="constrained")
for ax, (name, decider) in zip(axes, deciders.items(), strict=True):
    Y_pred = decider.fit(X[train], Y[train]).predict(X[test])
    precision = precision_score(Y[test], Y_pred, average=None)
    names = [f"{100 * a:.0f} %: {b:.2f}" for a, b in zip(shares, precision, strict=True)]
    LabelRecallDisplay.from_predictions(
        Y[test], Y_pred, target_recall=0.8, order="frequent", label_names=names, ax=ax
    )
    ax.set(title=name, ylabel="Share of samples with the label: precision")
legends = [ax.get_legend() for ax in axes]
fig.legend(handles=legends[1].legend_handles, ncols=4, loc="outside lower center", frameon=False)
for legend in legends:
    legend.remove()
plt.show()

# %%
# One half finds next to nothing of the rare tags, and is seldom wrong: it is the threshold of
# those to whom a miss costs what a false alarm costs. The thresholds of F2 find them; how much
# they find they do not say beforehand. The promise does, and pays where positives are few: it is
# made from 21 held-out positives of the rarest tag, and must take the lowest score of them all.
#
# What this does not show: recall is promised of all eight tags together, with a confidence of 0.9,
# over draws of the held-out samples; this is one draw. With fewer positives of a tag there would
# be no promise, and an error that names it.
