"""
Should a CNN and a logistic regression vote?
============================================

One image in twenty shows an 8. Two models look for it, and a third takes the mean of what they say.
A mean is as good as its weights: equal votes of unequal voters cost false alarms.
"""

# %%
# Images of one scan are near copies of each other, so that scans are split, and not images.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from skrecall.datasets import make_rare_digits
from skrecall.ensemble import SoftVotingClassifier
from skrecall.metrics import operating_curve
from skrecall.neural_network import CNNClassifier
from skrecall.plotting import RecallBudgetDisplay

data = make_rare_digits(3000, rare_digit=8, prevalence=0.05, distortion=0.5, random_state=0)
X, y, groups = data.X, data.target, data.groups
train, test = next(StratifiedGroupKFold(2).split(X, y, groups))

# %%
# With `cv` the vote keeps what its members say of images that they were not fitted on.

cnn = CNNClassifier(image_shape=(1, 16, 16), max_epochs=6, n_threads=1, random_state=0)
linear = LogisticRegression(C=0.1, max_iter=1000)
vote = SoftVotingClassifier(
    [("CNN", cnn), ("logistic regression", linear)], cv=StratifiedGroupKFold(3)
)
vote.fit(X[train], y[train], groups=groups[train])

# %%
# Weights act after fitting. "optimize" chooses them, on the probabilities kept, for the precision
# where recall is at least 0.9.

weights = np.linspace(0, 1, 21)
alerts = []
for weight in weights:
    vote.set_params(weights=[weight, 1 - weight]).refit_decision()
    curve = operating_curve(y[test], vote.predict_proba(X[test])[:, 1])
    alerts.append(curve.alerts_per_1000[np.argmax(curve.recall >= 0.9)])
vote.set_params(weights="optimize", objective="precision", constraint=("recall", 0.9))
chosen = vote.refit_decision().weights_[0]
vote.set_params(weights=None).refit_decision()

# %%
# Both panels are measured on the test images.

models = {**vote.named_estimators_, "vote, equal weights": vote}
heights = [0.74, 0.64, 0.69]
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
for (name, model), height in zip(models.items(), heights, strict=True):
    display = RecallBudgetDisplay.from_estimator(model, X[test], y[test], name=name, ax=left)
    left.text(130, height, name, color=display.line_.get_color(), size=12)
left.text(44, 0.93, "perfect\nranking", color="0.45", ha="right")
left.get_legend().remove()
left.set(xlim=(25, 500), ylim=(0.55, 1.01), title="The equal vote lies between the two")
left.set_xticks([30, 50, 100, 200, 500], [30, 50, 100, 200, 500])
left.minorticks_off()

right.plot(weights, alerts, "o-", color="0.4")
right.plot(0.5, alerts[10], "o", color="tab:green", ms=12)
right.plot(chosen, np.interp(chosen, weights, alerts), "*", color="tab:blue", ms=20)
right.text(0.5, alerts[10] + 12, "equal votes", color="tab:green")
right.text(1, alerts[-1] - 22, "chosen on the\ntraining images", color="tab:blue", ha="right")
right.set(
    xlabel="Weight of the CNN; the logistic regression has the rest",
    ylabel="Alerts per 1000 images that find 90 % of the 8s",
    ylim=(0, None),
    title="How much should the CNN count?",
)
plt.show()

# %%
# Here the better member is best left alone, and the weights chosen say so.
#
# What this does not show: members about as good as each other, which err on different images, gain
# by a vote. And with 75 test images of an 8, a few alerts more or fewer are luck.
