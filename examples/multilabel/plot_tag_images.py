"""
Which digits are on the canvas?
===============================

Tags for images: each canvas shows one to three digits, and any of ten tags may apply. A linear
model of the pixels and a convolutional network stand in the same place of the same Pipeline. Both
gain by a threshold per tag.
"""

# %%
# A canvas of 16 x 16 pixels has four cells; a digit is in any of them, and the 0 is four times as
# frequent as the 9. All digits of a canvas come from one pool of scans, so that pools are split,
# and not canvases.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrecall.datasets import make_multilabel_digits
from skrecall.multilabel import BinaryRelevance
from skrecall.neural_network import CNNClassifier
from skrecall.threshold import MultilabelThresholdClassifier

data = make_multilabel_digits(2500, imbalance=4, image_size=16, distortion=0.5, random_state=0)
X, Y, groups = data.X, data.Y, data.groups
train, test = next(GroupShuffleSplit(1, test_size=0.4, random_state=0).split(X, Y, groups))

# %%
# One network per tag, in `BinaryRelevance`. Thresholds are put on 30 % of the training pools,
# which no network has seen.

linear = LogisticRegression(C=0.01)
cnn = CNNClassifier(
    image_shape=(1, 16, 16), max_epochs=4, lr=0.003, batch_size=32, n_threads=1, random_state=0
)
found = {}
for name, classifier in {"linear": linear, "network": cnn}.items():
    model = make_pipeline(StandardScaler(), BinaryRelevance(classifier))
    tagger = MultilabelThresholdClassifier(
        model, calibration="holdout", calibration_size=0.3, random_state=0
    )
    tagger.fit(X[train], Y[train], groups=groups[train])
    found[f"{name}, one half"] = tagger.estimator_.predict(X[test])
    found[f"{name}, threshold per tag"] = tagger.predict(X[test])

# %%
# Above: what the network, with its thresholds, finds on eight test canvases, in orange where a tag
# is missed or wrong. Below: F1 of each tag on all of them.

fig = plt.figure(figsize=(10, 6), layout="constrained")
above, below = fig.subfigures(2, 1, height_ratios=[1, 2.6])
for row, ax in enumerate(above.subplots(1, 8)):
    tags = found["network, threshold per tag"][row]
    ax.imshow(data.images[test[row], 0], cmap="gray_r")
    ax.set(xticks=[], yticks=[])
    ax.set_title(
        ", ".join(np.array(data.label_names)[tags == 1]),
        color="tab:blue" if (tags == Y[test[row]]).all() else "tab:orange",
    )
ax = below.subplots()
for name, Y_pred in found.items():
    of_tags = f1_score(Y[test], Y_pred, average=None)
    marker, colour = ("s", "tab:orange") if name.startswith("linear") else ("o", "tab:blue")
    filled = colour if name.endswith("tag") else "white"
    label = f"{name}: mean {of_tags.mean():.2f}"
    ax.plot(of_tags, marker, ms=10, color=colour, mfc=filled, label=label)
counts = Y[train].sum(axis=0)
ax.set_xticks(range(10), [f"{digit}\n{count}" for digit, count in enumerate(counts)])
ax.set(xlabel="Tag, and number of training canvases with it", ylabel="F1", ylim=(-0.05, 1.05))
ax.legend(loc="lower left")
plt.show()

# %%
# What this does not show: ten small networks, four epochs each, to be quick; one network with an
# output per tag would share what they learn. Tags with few canvases have few to put a threshold
# on, and their points are the least sure.
