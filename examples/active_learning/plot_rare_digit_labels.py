"""
How many labels does active learning save for a rare digit?
===========================================================

Three in a hundred images show an 8, and nobody has said which. A model that chooses what it is told
finds them with a fraction of the labels; what it may not do is promise a recall from them.
"""

# %%
# The images are dealt out to three parts that share no handwritten scan: a pool to ask about, rows
# to draw at random for a promise, and rows of the future that tell what was true. A linear model on
# kernel features learns from a few dozen labels. The features need no label.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from skrecall.active_learning import active_learning_loop
from skrecall.datasets import make_rare_digits
from skrecall.threshold import RecallThresholdClassifier, positives_needed

data = make_rare_digits(9000, prevalence=0.03, image_size=8, random_state=0)
X = Nystroem(gamma=0.1, n_components=150, random_state=0).fit_transform(data.X)
y = data.target
model = LogisticRegression(C=30, solver="newton-cholesky")
target = 0.9
needed = positives_needed(target, confidence=0.9)


def three_parts(seed):
    """Return rows of the pool, for a promise and of the future, by scan."""
    part = np.random.default_rng(seed).integers(3, size=data.groups.max() + 1)[data.groups]
    return (np.flatnonzero(part == k) for k in range(3))


# %%
# Rows at random, those the model is uncertain about, and those it holds for the most probable
# positives, the expected recall gain: 30 random labels first, then 40 in each round. Of a rare
# class, hardly a probability exceeds one half, so that the last two ask for nearly the same rows.

queries = {"random": "tab:gray", "recall_gain": "tab:blue", "entropy": "tab:orange"}
n_draws, n_rounds = 6, 24
n_labels = 30 + 40 * np.arange(n_rounds + 1)
found = {query: np.empty((n_draws, n_rounds + 1)) for query in queries}
precision = {query: np.full((n_draws, n_rounds + 1), np.nan) for query in queries}
for draw in range(n_draws):
    pool, _, future = three_parts(draw)
    for query in queries:
        rounds = active_learning_loop(
            model,
            X[pool],
            y[pool],
            query=query,
            initial=30,
            batch_size=40,
            n_rounds=n_rounds,
            random_state=draw,
        )
        for state in rounds:
            found[query][draw, state.number] = state.n_positives
            if state.estimator is not None:
                y_score = state.estimator.predict_proba(X[future])[:, 1]
                precision[query][draw, state.number] = average_precision_score(y[future], y_score)

# %%
# A promise of 90 % recall takes 22 positives that the model has not seen. Each draw now has the
# model ask for the most probable positives until it knows twice as many, and promises 90 % in two
# ways: from half of the rows that it asked for, or from rows drawn at random until 22 of them are
# positive.

asked, at_random, n_random = [], [], []
for draw in range(40):
    pool, reserve, future = three_parts(100 + draw)
    positives = X[future][y[future] == 1]
    rounds = active_learning_loop(
        model, X[pool], y[pool], query="recall_gain", initial=30, batch_size=20, random_state=draw
    )
    state = next(state for state in rounds if state.n_positives >= 2 * needed + 2)
    promise = RecallThresholdClassifier(model, target_recall=target, random_state=draw)
    promise.fit(X[pool][state.labelled], state.y_labelled)
    asked.append(promise.predict(positives).mean())

    reserve = np.random.default_rng(draw).permutation(reserve)
    n_random.append(int(np.searchsorted(np.cumsum(y[reserve]), needed)) + 1)
    rows = reserve[: n_random[-1]]
    promise = RecallThresholdClassifier(
        FrozenEstimator(state.estimator), target_recall=target, calibration="prefit"
    )
    at_random.append(promise.fit(X[rows], y[rows]).predict(positives).mean())

# %%
# Lines are means over the draws, and shades the range from the lowest to the highest.

fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for query, colour in queries.items():
    for ax, values in ((axes[0], found[query]), (axes[1], precision[query])):
        style = "--" if query == "entropy" else "-"
        ax.plot(n_labels, np.nanmean(values, axis=0), style, color=colour, label=query)
        ax.fill_between(
            n_labels, np.nanmin(values, 0), np.nanmax(values, 0), color=colour, alpha=0.15, lw=0
        )
axes[0].axhline(needed, color="k", ls="--", lw=1)
axes[0].text(n_labels[-1], needed - 1, f"{needed} positives", ha="right", va="top")
axes[0].set(xlabel="Labels", ylabel="Positives among them", ylim=(0, None))
axes[1].set(xlabel="Labels", ylabel="Average precision on the future", ylim=(0, 1))
axes[0].legend(loc="upper left")
spread = np.random.default_rng(0).uniform(-0.15, 0.15, len(asked))
for place, recall in enumerate((asked, at_random)):
    recall = np.array(recall)
    short = recall < target
    axes[2].scatter(
        place + spread, recall, c=np.where(short, "tab:red", "tab:blue"), s=24, alpha=0.7, lw=0
    )
    axes[2].text(place, 0.33, f"short in {short.sum()} of {len(recall)}", ha="center")
axes[2].axhline(target, color="k", ls="--", lw=1)
axes[2].set(
    xticks=[0, 1],
    xticklabels=["from rows\nthat were asked for", "from rows\ndrawn at random"],
    xlim=(-0.6, 1.6),
    ylim=(0.3, 1.02),
    ylabel="Recall on the future, 90 % promised",
)
plt.show()

# %%
# In numbers: labels until there are 22 positives.

for query in queries:
    first = np.argmax(found[query] >= needed, axis=1)
    print(f"{query:12s} {np.median(n_labels[first]):.0f} labels, median of {n_draws} draws")
print(
    f"at random, for a promise: {np.median(n_random):.0f} labels, median of {len(n_random)} draws"
)

# %%
# **What the third picture says.** The positives that a model asks for are those it scores high, so
# that a threshold read from them lies too high, and the 8s that look like none are missed. Active
# learning saves the labels of *training*. The promise still takes a random sample, whose size only
# the prevalence decides.
#
# **What this does not show.** One kind of data and one model. With a handful of positives the
# curves of single draws cross, and where positives come in several kinds, certainty asks for the
# kind it knows; ``selection="k_center"`` spreads the batch.
