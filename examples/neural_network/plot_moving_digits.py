"""
Which digit turned round?
=========================

A digit crosses the picture. In one clip of ten it turns and comes back, by the places that it left
out on the way there. No frame shows that, and no mean of frames either: a network has to see them
in order, and where a clip ends.
"""

# %%
# Clips of 6 to 10 frames of the same scan of a digit, one scan per clip. Test clips show other
# scans. A list of arrays needs no padding and no lengths.

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import average_precision_score

from skrecall.datasets import make_moving_digits
from skrecall.neural_network import CNNClassifier, ImageSequenceClassifier
from skrecall.nn import RecurrentCNN, SmallCNN

data = make_moving_digits(600, prevalence=0.1, min_frames=6, max_frames=10, random_state=0)
clips = [clip[:length] for clip, length in zip(data.clips, data.lengths, strict=True)]


def draw_test(shortest, longest):
    new = make_moving_digits(900, min_frames=shortest, max_frames=longest, random_state=1)
    rows = np.flatnonzero(~np.isin(new.groups, data.groups))
    return [new.clips[row, : new.lengths[row]] for row in rows], new.target[rows]


# %%
# Three ways to look at a clip: in order; the mean of its frames as one picture; and frame by frame,
# where each frame is an image of its own, and the clip has the mean of their probabilities. All
# have the same small CNN.

cnn = partial(SmallCNN, channels=(8, 16), hidden=32)
params = {"lr": 0.003, "batch_size": 32, "n_threads": 1}


def mean_frames(clips):
    return np.stack([clip.mean(axis=0) for clip in clips]).astype(np.uint8)


def frame_by_frame(model, clips):
    proba = model.predict_proba(np.concatenate(clips))[:, 1]
    starts = np.cumsum([0, *map(len, clips[:-1])])
    return np.add.reduceat(proba, starts) / [len(clip) for clip in clips]


test_clips, test_target = draw_test(6, 10)
precision = {"in order": [], "mean of the frames": [], "frame by frame": []}
sequence_models = []
for seed in range(3):
    in_order = ImageSequenceClassifier(
        partial(RecurrentCNN, frame_backbone=cnn), max_epochs=10, random_state=seed, **params
    )
    in_order.fit(clips, data.target)
    of_means = CNNClassifier(cnn, max_epochs=10, random_state=seed, **params)
    of_means.fit(mean_frames(clips), data.target)
    of_frames = CNNClassifier(cnn, max_epochs=2, random_state=seed, **params)
    of_frames.fit(np.concatenate(clips), np.repeat(data.target, data.lengths))
    scores = [
        in_order.predict_proba(test_clips)[:, 1],
        of_means.predict_proba(mean_frames(test_clips))[:, 1],
        frame_by_frame(of_frames, test_clips),
    ]
    for values, score in zip(precision.values(), scores, strict=True):
        values.append(average_precision_score(test_target, score))
    print(f"fit {seed}:", {name: round(values[-1], 2) for name, values in precision.items()})
    sequence_models.append(in_order)

# %%
# Clips may be shorter or longer than those of the training.

lengths = [4, 6, 8, 10, 12, 15]
by_length = np.empty((len(lengths), len(sequence_models)))
for i, length in enumerate(lengths):
    of_length, target = draw_test(length, length)
    for j, model in enumerate(sequence_models):
        by_length[i, j] = average_precision_score(target, model.predict_proba(of_length)[:, 1])

# %%
# Above: two clips that turn and two that go on, frame by frame, and last the mean of their frames.

kinds = [(1, 10), (0, 10), (1, 7), (0, 7)]
shown = [
    np.flatnonzero((data.target == turns) & (data.lengths == length))[0] for turns, length in kinds
]
fig = plt.figure(figsize=(10, 8.5), layout="constrained")
above, below = fig.subfigures(2, 1, height_ratios=[1.15, 1])
strips = above.subplots(4, 11)
for strip, row in zip(strips, shown, strict=True):
    frames = [*clips[row], *[None] * (10 - len(clips[row])), clips[row].mean(axis=0)]
    for ax, frame in zip(strip, frames, strict=True):
        ax.set(xticks=[], yticks=[])
        if frame is None:
            ax.axis("off")
        else:
            ax.imshow(frame[0], cmap="gray_r", vmin=0, vmax=255)
    turns = data.target[row] == 1
    strip[0].set_ylabel("turns" if turns else "goes on", color="tab:red" if turns else "black")
for number, ax in enumerate(strips[0][:-1], start=1):
    ax.set_title(number)
strips[0][-1].set_title("mean")

left, right = below.subplots(1, 2)
left.axvline(test_target.mean(), color="0.6", ls="--", zorder=0)
left.text(test_target.mean() + 0.02, -0.35, "chance", color="0.4")
for place, values in enumerate(precision.values()):
    left.plot(values, [place] * 3, "o", ms=9, color="tab:red" if place == 0 else "0.4")
left.set_yticks(range(3), list(precision))
left.invert_yaxis()
left.set(xlabel="Average precision (a dot is one fit)", xlim=(0, 1.02), ylim=(2.5, -0.6))
right.axvspan(6, 10, color="0.93", zorder=0)
right.text(8, 0.05, "lengths seen\nin training", ha="center", color="0.4")
right.plot(lengths, by_length, "o", color="tab:red")
right.plot(lengths, by_length.mean(axis=1), color="tab:red")
right.set(xlabel="Frames of the clip", ylabel="Average precision, in order", ylim=(0, 1.02))
plt.show()

# %%
# Nothing in the means tells who turned, and networks that see means, or frames, guess. In order,
# most turns stand above the rest, in clips of all lengths seen in training. Clips much shorter or
# longer are another matter: in them the digit takes longer or shorter steps.
#
# What this does not show: real video, where a single frame often tells most, so that a network of
# frames is what to beat; and clips of hundreds of frames, of which a recurrent network forgets the
# beginning.
