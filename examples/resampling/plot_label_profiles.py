"""
What does each multi-label sampler do to the labels?
====================================================

A copied row brings all its labels along, the frequent ones too, and a removed row takes rare ones
with it. Here is what each sampler makes of the same labels: how often each occurs, and how uneven
they are on the mean.
"""

# %%
# Canvases with one to three digits, each digit a tag: the 0 is ten times as frequent as the 9.

import matplotlib.pyplot as plt
import numpy as np

from skrecall.datasets import make_multilabel_digits
from skrecall.label_space import label_counts, mean_imbalance_ratio, scumble
from skrecall.resampling import (
    LPROS,
    LPRUS,
    MLROS,
    MLRUS,
    MLSMOTE,
    MLSOL,
    MLTL,
    MLUL,
    REMEDIAL,
    MLeNN,
    REMEDIALHwR,
)

data = make_multilabel_digits(1500, imbalance=10, image_size=16, random_state=0)
X, Y = data.X, data.Y
samplers = [
    LPROS(random_state=0),
    MLROS(random_state=0),
    MLSMOTE(random_state=0),
    MLSOL(random_state=0),
    LPRUS(random_state=0),
    MLRUS(random_state=0),
    MLUL(random_state=0),
    MLeNN(),
    MLTL(),
    REMEDIAL(),
    REMEDIALHwR(MLROS(random_state=0)),
]

# %%
# Each panel holds the counts before, as steps, and after, as bars. MeanIR is the mean of how many
# times more often the most frequent label occurs, and SCUMBLE how far rare labels come with
# frequent ones.

before, order = label_counts(Y), np.argsort(-label_counts(Y))
fig, axes = plt.subplots(3, 4, figsize=(10, 7), layout="constrained", sharex=True, sharey=True)
places = np.arange(len(order))


def profile(ax, name, Y):
    ax.bar(places, label_counts(Y)[order], color="tab:blue", alpha=0.7)
    ax.step(np.append(places, 10) - 0.5, np.append(before[order], 0), where="post", color="k", lw=1)
    ax.set_xticks(places, order)
    ax.set_title(
        f"{name}: {len(Y)} rows\nMeanIR {mean_imbalance_ratio(Y):.2f}, SCUMBLE {scumble(Y):.3f}",
        fontsize="small",
    )


profile(axes.flat[0], "as they are", Y)
for ax, sampler in zip(axes.flat[1:], samplers, strict=True):
    profile(ax, type(sampler).__name__, sampler.fit_resample(X, Y)[1])
fig.supxlabel("Digit, from the most frequent")
fig.supylabel("Canvases that show it")
plt.show()

# %%
# The over-samplers of single labels, MLROS and MLSMOTE, raise the rare labels and some frequent
# ones with them; LPROS looks at whole sets. MLRUS keeps every row of a rare label, and LPRUS does
# not. REMEDIAL changes no count: it parts rare labels from frequent ones, so that a copy of the
# one is no copy of the other, which its hybrid then uses.
#
# What this does not show: whether a model gains. That depends on the model and the measure; a
# threshold per label often does more, and costs nothing.
