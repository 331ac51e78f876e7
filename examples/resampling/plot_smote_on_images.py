"""
What does SMOTE make of images?
===============================

Halfway between two images are both at once, each half as dark; between near neighbours, which SMOTE
takes, that is a blurred digit, smoother than any scan. A shifted image is one that a camera could
have taken, and a network gains more by it.
"""

# %%
# `ArraySampler` lets any sampler of imbalanced-learn resample images as they are. The other way is
# a function of the rows; as a step of the Pipeline it too is called in `fit` alone.

import matplotlib.pyplot as plt
import numpy as np
from imblearn import FunctionSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupShuffleSplit

from skrecall.datasets import make_rare_digits
from skrecall.neural_network import CNNClassifier
from skrecall.resampling import ArraySampler


def shift(images, rng, most=2):
    """Shift each image by up to `most` pixels each way; what comes in is empty."""
    padded = np.pad(images, ((0, 0), (0, 0), (most, most), (most, most)))
    rows, columns = rng.integers(0, 2 * most + 1, size=(2, len(images), 1))
    side = np.arange(images.shape[-1])
    k = np.arange(len(images))[:, None, None]
    return padded[k, 0, (rows + side)[:, :, None], (columns + side)[:, None, :]][:, None]


def copy_and_shift(images, target, only_copies=False):
    copier = ArraySampler(RandomOverSampler(random_state=0))
    images, target = copier.fit_resample(images, target)
    is_copy = np.ones(len(target), dtype=bool)
    if only_copies:
        _, first = np.unique(copier.sample_indices_, return_index=True)
        is_copy[first] = False
    images[is_copy] = shift(images[is_copy], np.random.default_rng(0))
    return images, target


samplers = {
    "nothing": None,
    "copies": ArraySampler(RandomOverSampler(random_state=0)),
    "SMOTE": ArraySampler(SMOTE(random_state=0)),
    "copies, shifted": FunctionSampler(
        func=copy_and_shift, kw_args={"only_copies": True}, validate=False
    ),
    "copies, all shifted": FunctionSampler(func=copy_and_shift, validate=False),
}

# %%
# The same small network after each of them, on images of other scans; 3 % are the rare digit.

n_data_sets = 3
precision = np.empty((len(samplers), n_data_sets))
for j in range(n_data_sets):
    data = make_rare_digits(2000, prevalence=0.03, random_state=j)
    images, target = data.images, data.target
    train, test = next(
        GroupShuffleSplit(1, test_size=0.5, random_state=j).split(images, target, data.groups)
    )
    for i, sampler in enumerate(samplers.values()):
        network = CNNClassifier(
            image_shape=(1, 16, 16), max_epochs=8, lr=0.003, n_threads=1, random_state=0
        )
        model = make_pipeline(sampler, network).fit(images[train], target[train])
        score = model.predict_proba(images[test])[:, 1]
        precision[i, j] = average_precision_score(target[test], score)

# %%
# Above: two scans of the digit, what SMOTE makes between two, and what a shift makes of them.

rare = images[train][target[train] == 1]
made, label = samplers["SMOTE"].fit_resample(images[train], target[train])
ghosts = made[len(train) :]
shown = [*rare[:2], *ghosts[:3], *shift(rare[:3], np.random.default_rng(0))]
captions = ["scan", "scan", *["SMOTE"] * 3, *["shifted"] * 3]

fig = plt.figure(figsize=(8, 5), layout="constrained")
above, below = fig.subfigures(2, 1, height_ratios=[1, 1.8])
for ax, image, caption in zip(above.subplots(1, len(shown)), shown, captions, strict=True):
    ax.imshow(image[0], cmap="gray_r", vmin=0, vmax=255)
    ax.set(xticks=[], yticks=[])
    ax.set_title(caption, fontsize="small")
ax = below.subplots()
places = np.arange(len(samplers))
ax.barh(places, precision.mean(axis=1), color="0.85")
ax.scatter(precision.ravel(), np.repeat(places, n_data_sets), c="tab:blue", s=25, zorder=2)
ax.set_yticks(places, list(samplers))
ax.invert_yaxis()
ax.set(xlabel="Average precision on other scans (a dot is one data set)", xlim=(0, 1))
plt.show()

# %%
# SMOTE does no more than copies do here. Shifting the copies alone gains less than shifting all:
# what is done to positives alone is a sign of a positive, and a network learns such signs. The
# smoothness of SMOTE's images is one too. What is done to images is to be done to both classes.
#
# What this does not show: photographs, for which flips, crops and colours are the usual choice, and
# vectors that a trained network makes of images, which SMOTE interpolates well.
