"""
Can a small network learn from a large one?
===========================================

Few images have labels, many have none, and the network has to be small. A large one that was fitted
on the labels says of every image how likely each digit is, and with `DistilledClassifier` the small
one learns that beside the labels.
"""

# %%
# One image in twenty shows an 8. A quarter of the scans has labels, and 35 % are for the test.

import time
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import average_precision_score

from skrecall.datasets import make_rare_digits
from skrecall.neural_network import CNNClassifier, DistilledClassifier
from skrecall.nn import SmallCNN

data = make_rare_digits(3500, rare_digit=8, prevalence=0.05, random_state=0)
X, y = data.images, data.digit
share = np.random.default_rng(0).random(data.groups.max() + 1)[data.groups]
labelled, unlabelled, test = share < 0.25, (share >= 0.25) & (share < 0.65), share >= 0.65
print(f"{labelled.sum()} images with labels, {np.sum(y[labelled] == 8)} of them of an 8")

# %%
# The teacher is trained once, and frozen. Three students of each kind differ in their seeds. With
# images that have no labels an epoch is longer, so that there are fewer: all students take about as
# many steps.

params = {"augmentation": "shift", "lr": 0.005, "batch_size": 64, "n_threads": 1}
large = partial(SmallCNN, channels=(24, 48), hidden=256)
small = partial(SmallCNN, channels=(4, 8), hidden=16)
teacher = CNNClassifier(large, max_epochs=12, random_state=0, **params)
teacher.fit(X[labelled], y[labelled])
n_epochs = 12
more_epochs = round(n_epochs * (labelled | unlabelled).sum() / labelled.sum())

models = {"large network": [teacher], "small, alone": [], "taught": [], "taught, on more": []}
for seed in range(3):
    student = CNNClassifier(small, max_epochs=more_epochs, random_state=seed, **params)
    taught = DistilledClassifier(FrozenEstimator(teacher), student, temperature=2, alpha=0.5)
    models["small, alone"].append(clone(student).fit(X[labelled], y[labelled]))
    models["taught"].append(clone(taught).fit(X[labelled], y[labelled]))
    taught.set_params(student__max_epochs=n_epochs)
    taught.fit(X[labelled], y[labelled], X_unlabeled=X[unlabelled])
    models["taught, on more"].append(taught)

# %%
# What each finds on the test scans, and what it takes to run.

precision, n_parameters, milliseconds = {}, {}, {}
for name, same in models.items():
    precision[name] = [
        average_precision_score(y[test] == 8, model.predict_proba(X[test])[:, 8]) for model in same
    ]
    network = getattr(same[0], "student_", same[0]).net_.module_
    n_parameters[name] = sum(weights.numel() for weights in network.parameters())
    paces = []
    for _ in range(5):
        start = time.perf_counter()
        same[0].predict_proba(X[test])
        paces.append(1e6 * (time.perf_counter() - start) / test.sum())
    milliseconds[name] = min(paces)
    print(f"{name}: {np.round(precision[name], 2)}")

# %%
# Left, images without labels, and what the teacher says of them: the three of which it is least
# sure among those that it takes for an 8. Right, what becomes of the students.

proba = teacher.predict_proba(X[unlabelled])
taken_for_8 = np.flatnonzero(proba.argmax(axis=1) == 8)
doubtful = taken_for_8[np.argsort(proba[taken_for_8, 8])[:3]]

fig = plt.figure(figsize=(10, 4.5), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1, 1.5])
for row, (image_ax, ax) in zip(doubtful, left.subplots(3, 2, width_ratios=[1, 2]), strict=True):
    image_ax.imshow(X[unlabelled][row, 0], cmap="gray_r")
    image_ax.set(xticks=[], yticks=[])
    ax.bar(range(10), proba[row], color="tab:blue")
    ax.set(xticks=range(10), yticks=[], ylim=(0, 1))
    ax.spines[["top", "left", "right"]].set_visible(False)
left.suptitle("What the teacher says", fontsize="medium")
ax = right.subplots()
for place, values in enumerate(precision.values()):
    colour = "0.4" if place < 2 else "tab:blue"
    ax.plot(values, [place] * len(values), "o", ms=9, color=colour)
labels = [
    f"{name}\n{n_parameters[name]:,} weights\n{milliseconds[name]:.0f} ms per 1000"
    for name in models
]
ax.set_yticks(range(len(models)), labels)
ax.invert_yaxis()
ax.set(xlabel="Average precision for the 8 on other scans", xlim=(0, 1.01))
plt.show()

# %%
# The large network ranks 8s far better, at about eighty times the weights; time grows less than
# that, as small layers cost little more than the calls. With the teacher beside the labels the
# student's fits lie closer together, and the worst of them is better; their best is no better than
# the best one alone, and images without labels add nothing to longer training on the labelled ones.
#
# What this does not show: that a teacher always helps. Trained for as many epochs instead of as
# many steps, the student with images without labels would look far ahead, as it had trained longer.
# And three fits say little: look at the spread before you believe a mean.
