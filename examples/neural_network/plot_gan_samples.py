"""
Are the digits that a GAN makes worth having?
=============================================

`GANOverSampler` learns to make images of every class, and adds those of the rare one. Look at them
before you use them, at the losses as well, and compare with what costs nothing: copies, and shifts
of what is there.
"""

# %%
# Ten digits, one of them rare: 6 % show an 8. Images of one scan are near copies, so that scans are
# split, and not images.

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import RandomOverSampler
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupShuffleSplit

from skrecall.datasets import make_rare_digits
from skrecall.neural_network import CNNClassifier, GANOverSampler
from skrecall.nn import ImageDiscriminator, ImageGenerator
from skrecall.resampling import ArraySampler

data = make_rare_digits(
    1800, rare_digit=8, prevalence=0.06, image_size=14, distortion=1.0, random_state=0
)
X, y = data.images, data.digit
splitter = GroupShuffleSplit(1, train_size=0.6, random_state=0)
train, test = next(splitter.split(X, y, data.groups))
X_train, y_train = X[train], y[train]
n_common = np.bincount(y_train).max()
print(f"{np.sum(y_train == 8)} training images of an 8, up to {n_common} of other digits")

# %%
# Narrow networks, to be quick. The 8 is filled up to the most frequent digit.

gan = GANOverSampler(
    sampling_strategy={8: n_common},
    generator=partial(ImageGenerator, channels=16),
    discriminator=partial(ImageDiscriminator, channels=16),
    max_epochs=24,
    batch_size=32,
    n_threads=1,
    random_state=0,
)
resampled = {
    "nothing": (X_train, y_train),
    "copies": ArraySampler(
        RandomOverSampler(sampling_strategy={8: n_common}, random_state=0)
    ).fit_resample(X_train, y_train),
    "GAN": gan.fit_resample(X_train, y_train),
}

# %%
# How much the pixels of the fakes vary, as a share of how much those of the scans do.

fakes = gan.sample(8, 500, random_state=0)
variety = fakes.std(axis=0).mean() / X_train[y_train == 8].std(axis=0).mean()
print(f"Pixels of the 8s that it makes vary {variety:.2f} times as much as those of the scans.")

# %%
# The same network on each, with its training images shifted at random or left as they are.

fits = 2
precision = {}
for augmentation in (None, "shift"):
    for name, rows in resampled.items():
        values = []
        for seed in range(fits):
            network = CNNClassifier(
                augmentation=augmentation, max_epochs=6, lr=0.003, n_threads=1, random_state=seed
            )
            proba = network.fit(*rows).predict_proba(X[test])
            values.append(average_precision_score(y[test] == 8, proba[:, 8]))
        precision[name, augmentation] = values
        print(name, augmentation, np.round(values, 2))

# %%
# Scans above, fakes below, class by class; then what both networks had for a loss, and what became
# of the fakes.

fig = plt.figure(figsize=(10, 8), layout="constrained")
above, below = fig.subfigures(2, 1, height_ratios=[1.25, 1])
n_rows = 3
grid = above.subplots(2 * n_rows, 10)
for digit in range(10):
    real = X_train[y_train == digit][:n_rows]
    fake = gan.sample(digit, n_rows, random_state=1)
    for row, image in enumerate([*real, *fake]):
        ax = grid[row, digit]
        ax.imshow(image[0], cmap="gray_r" if row < n_rows else "Oranges", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[])
    grid[0, digit].set_title(
        f"{digit}\n{np.sum(y_train == digit)} images",
        fontsize="small",
        color="tab:red" if digit == 8 else "black",
    )
grid[1, 0].set_ylabel("scans")
grid[n_rows + 1, 0].set_ylabel("GAN")

left, right = below.subplots(1, 2)
left.plot(gan.losses_["epoch"], gan.losses_["discriminator"], color="0.3")
left.plot(gan.losses_["epoch"], gan.losses_["generator"], color="tab:orange")
for level in np.log([4, 2]):  # where the discriminator answers one half to all
    left.axhline(level, color="0.7", ls=":", zorder=0)
left.set(xlabel="Epoch", ylabel="Loss", ylim=(0, None))
left.legend(["discriminator", "generator"], loc="lower left")
for (name, augmentation), values in precision.items():
    place = list(resampled).index(name) + (0.15 if augmentation else -0.15)
    colour = "tab:blue" if augmentation else "0.4"
    right.plot(values, [place] * fits, "o", color=colour, ms=7)
right.plot([], [], "o", color="0.4", label="images as they are")
right.plot([], [], "o", color="tab:blue", label="shifted at random")
right.set_yticks(range(3), [f"{name}\nadded" for name in resampled])
right.invert_yaxis()
right.legend(loc="lower left")
right.set(xlabel="Average precision for the 8 on other scans (a dot is one fit)", xlim=(0.5, 1.01))
plt.show()

# %%
# Most of the digits can be read. They lack the noise of the scans, and those of one digit look much
# alike: their pixels vary a third as much. The losses do not say so: from the first epoch on they
# stay near the dotted lines, where the discriminator cannot tell scans from fakes. For the network
# that looks for the 8 the fakes did no more than copies do, and cost a training: two fits of one
# kind lie further apart than the kinds.
#
# What this does not show: thousands of images, from which such a network learns more; and here only
# one split of one data set was looked at, and networks were trained for too few epochs to gain by
# shifts. Try copies first, and both for longer.
