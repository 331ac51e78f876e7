"""
What is a network worth that has learnt another task?
=====================================================

A network has learnt from many images. Now there is another question, and a person has labelled a
few images for it. Train from scratch, or go on from what is there? That depends on what the first
task had to look at.
"""

# %%
# Two pairs of tasks. A network that tells ten digits apart is asked which of them are odd; one that
# has seen 0 to 4 only is asked to tell 5 to 9 apart. The second task has scans of its own.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from skrecall.datasets import make_rare_digits
from skrecall.neural_network import CNNClassifier

data = make_rare_digits(3000, prevalence=0.1, image_size=12, random_state=0)
X, digit, scan = data.images, data.digit, data.groups
first, second = next(GroupShuffleSplit(1, test_size=0.6, random_state=0).split(X, groups=scan))
low, high = first[digit[first] < 5], second[digit[second] >= 5]
pairs = {
    "Ten digits, then: is it odd?": (first, second, digit % 2),
    "0 to 4, then: which of 5 to 9?": (low, high, digit),
}

# %%
# `backbone` takes the trained network as it is, copies it for every fit, and with `head` a new last
# layer takes the place of the old one. What lies before it is kept (`freeze`) or learns in
# smaller steps (`backbone_lr`).


def ways(source):
    old = {"backbone": source, "head": "linear", "lr": 0.02}
    return {
        "from scratch": {"lr": 0.005},
        "backbone frozen": {**old, "freeze": "backbone"},
        "backbone in small steps": {**old, "backbone_lr": 0.001},
    }


n_labelled, n_draws = [3, 10, 30], 2


def accuracy_of(source, rows, y):
    """Return the accuracy by way, number of labelled images of each class, and draw of these."""
    splitter = GroupShuffleSplit(1, test_size=0.4, random_state=0)
    pool, test = (rows[part] for part in next(splitter.split(rows, groups=scan[rows])))
    accuracy = np.empty((3, len(n_labelled), n_draws))
    for k in range(n_draws):
        drawn = np.random.default_rng(k).permutation(pool)
        for j, n in enumerate(n_labelled):
            own = np.concatenate([drawn[y[drawn] == label][:n] for label in np.unique(y[rows])])
            for i, way in enumerate(ways(source).values()):
                model = CNNClassifier(
                    **way, max_epochs=30, batch_size=32, n_threads=1, random_state=k
                )
                accuracy[i, j, k] = model.fit(X[own], y[own]).score(X[test], y[test])
    return accuracy


# %%

fig, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained", sharey=True)
colours = ["0.45", "tab:blue", "tab:orange"]
for ax, (title, (before, after, y)) in zip(axes, pairs.items(), strict=True):
    network = CNNClassifier(max_epochs=6, lr=0.003, n_threads=1, random_state=0)
    source = network.fit(X[before], digit[before]).net_.module_
    accuracy = accuracy_of(source, after, y)
    for name, values, colour in zip(ways(source), accuracy, colours, strict=True):
        print(f"{title:<32} {name:<24} {values.mean(axis=1).round(2)}")
        ax.plot(n_labelled, values.mean(axis=1), color=colour, lw=2, label=name)
        ax.plot(n_labelled, values, "o", color=colour, ms=5, alpha=0.5)
    ax.set(title=title, xscale="log", xlabel="Labelled images of each class", ylim=(0.3, 1))
    ax.set_xticks(n_labelled, n_labelled)
    ax.minorticks_off()
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("Accuracy on images of other scans\n(a dot is one draw of the labelled ones)")
axes[1].legend(loc="lower right", frameon=False)
plt.show()

# %%
# Who tells ten digits apart has looked at all that oddness asks for: old features are worth some
# hundredths here, and frozen they are as good as trained on. Who has seen 0 to 4 only has dropped
# what tells a 5 from a 9: such features are a burden if they are frozen, and no help if they are
# not. So always train from scratch as well, and compare.
#
# What this does not show: large networks trained on millions of photographs, whose features serve
# most tasks; they plug in as `backbone` just so. Nor frozen parts: with the convolutions kept,
# by `freeze="backbone.stages.*"`, the task on the right went about as well as from scratch.
