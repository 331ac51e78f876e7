"""
Does a label graph find rare labels?
====================================

A rare digit nearly always comes with a certain frequent one. A linear head learns a vector for
every label on its own; a label-graph head makes the vectors from those of all labels that occur
together. On canvases of digits that gains nothing.
"""

# %%
# Canvases of up to four digits. A 7 comes with a 1, an 8 with a 2 and a 9 with a 3 nine times in
# ten: of canvases that show a rare digit alone, nine in ten are left out.

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupShuffleSplit

from skrecall.datasets import make_multilabel_digits
from skrecall.label_space import label_adjacency
from skrecall.neural_network import MultilabelCNNClassifier
from skrecall.nn import LabelGraphHead, LinearHead, SmallCNN
from skrecall.plotting import LabelCooccurrenceDisplay

companions = {7: 1, 8: 2, 9: 3}


def draw(n_canvases, seed):
    data = make_multilabel_digits(
        6 * n_canvases,
        max_digits=4,
        imbalance=3,
        image_size=16,
        distortion=0.2,
        random_state=seed,
    )
    lonely = np.zeros(len(data.Y), dtype=bool)
    for rare, companion in companions.items():
        lonely |= (data.Y[:, rare] == 1) & (data.Y[:, companion] == 0)
    keep = ~lonely | (np.random.default_rng(seed).random(len(lonely)) < 0.1)
    rows = np.flatnonzero(keep)[:n_canvases]
    return data.images[rows], data.Y[rows], data.groups[rows]


# %%
# The same features, without a hidden layer, and the maximum over places for both. The third head is
# the graph head without a graph: what the two have in common but for the neighbours. ML-Decoder
# looks at places itself.

heads = {
    "linear": partial(LinearHead, pooling="max"),
    "label graph": "label_graph",
    "the same, without edges": partial(LabelGraphHead, adjacency=np.eye(10)),
    "ML-Decoder": "ml_decoder",
}
backbone = partial(SmallCNN, channels=(24, 48), hidden=None)
precision = {name: [] for name in heads}
for seed in range(2):
    X, Y, groups = draw(1200, seed)
    train, test = next(GroupShuffleSplit(1, test_size=0.4, random_state=seed).split(X, Y, groups))
    for name, head in heads.items():
        network = MultilabelCNNClassifier(
            backbone,
            head=head,
            max_epochs=12,
            lr=0.005,
            batch_size=32,
            n_threads=1,
            random_state=seed,
        )
        proba = network.fit(X[train], Y[train]).predict_proba(X[test])
        precision[name].append(average_precision_score(Y[test], proba, average=None))
        of_labels = precision[name][-1]
        print(f"{name}: rare {of_labels[7:].mean():.2f}, others {of_labels[:7].mean():.2f}")

# %%
# Left, which labels share their weights: rows of the graph of the last training canvases. Right,
# average precision of every label, and the mean over the rare ones.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.8), layout="constrained", width_ratios=[1, 1.35]
)
LabelCooccurrenceDisplay(
    matrix=label_adjacency(Y[train]),
    label_names=[str(digit) for digit in range(10)],
    value_name="Share in the vector of the label",
).plot(ax=left)
rng = np.random.default_rng(0)
for place, values in enumerate(precision.values()):
    for labels, colour in [(slice(0, 7), "0.75"), (slice(7, 10), "tab:red")]:
        dots = np.ravel([of_labels[labels] for of_labels in values])
        right.plot(dots, place + rng.uniform(-0.15, 0.15, len(dots)), "o", color=colour, ms=5)
    mean = np.mean([of_labels[7:] for of_labels in values])
    right.plot([mean, mean], [place - 0.3, place + 0.3], color="tab:red", lw=2)
    right.text(mean, place - 0.33, f"{mean:.2f}", color="tab:red", ha="center")
right.plot([], [], "o", color="tab:red", label="7, 8 and 9; their mean")
right.plot([], [], "o", color="0.75", label="0 to 6")
right.set_yticks(range(len(heads)), list(heads))
right.set(
    xlabel="Average precision of a label on other scans (two data sets)",
    xlim=(0, 1.02),
    ylim=(len(heads) - 0.5, -0.6),
)
right.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
plt.show()

# %%
# Frequent labels do as well by any head. For rare ones the graph gains nothing: the edges help on
# one data set and harm on the other, and the linear head stands above it on both. It reads the
# companion in the same features, and need not be told; and a rare digit is to be told from the many
# canvases that show its companion alone, where a vector that leans on the companion's is wrong.
#
# What this does not show: photographs with eighty labels, pretrained features, and vectors of the
# labels' names to start from, for which the graph was made; or average pooling, by which the linear
# head loses sight of small things. The label graph takes the maximum unless told otherwise: compare
# heads that pool alike.
