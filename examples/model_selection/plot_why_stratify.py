"""
Why stratify labels?
====================

Folds drawn at random leave rare labels out of some of them. What is not there cannot be found: the
recall of the label counts as 0 in that fold, whatever the model. Iterative stratification deals
out the rare labels first.
"""

# %%
# Sixteen labels, from 30 % of the rows down to 2 %. Every fourth of them have a cause in common.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import recall_score
from sklearn.model_selection import KFold

from skrecall.model_selection import MultilabelStratifiedKFold
from skrecall.multilabel import MultilabelLogisticRegression
from skrecall.plotting import FoldQualityDisplay

shares = np.geomspace(0.3, 0.02, 16)
weights = np.random.default_rng(0).normal(size=(10, 16))


def draw(n_samples, seed, cuts=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 10))
    common = np.tile(rng.normal(size=(n_samples, 4)), 4)
    scores = X @ weights + 2 * common + rng.logistic(size=(n_samples, 16))
    if cuts is None:
        cuts = np.quantile(scores, 1 - shares, axis=0).diagonal()
    return X, (scores > cuts).astype(int), cuts


X_future, Y_future, cuts = draw(10_000, seed=0)

# %%
# Three ways to make five folds. Each fold has a model, fitted on the other folds. What the fold
# says of its macro recall is compared with what 10,000 future rows say of the same model. Every
# label has five positives or more, so that no fold need lack one.


def folds(i):
    seeded = {"n_splits": 5, "shuffle": True, "random_state": i}
    return {
        "KFold": KFold(**seeded),
        "Stratified, order=1": MultilabelStratifiedKFold(**seeded),
        "Stratified, order=2": MultilabelStratifiedKFold(order=2, **seeded),
    }


def macro_recall(model, X, Y):
    return recall_score(Y, model.predict(X), average="macro", zero_division=0)


model = MultilabelLogisticRegression(class_weight="balanced")
error = {name: [] for name in folds(0)}
lacking = {name: [] for name in folds(0)}
draws = [draw(350, seed, cuts) for seed in range(1, 60)]
draws = [(X, Y) for X, Y, _ in draws if Y.sum(axis=0).min() >= 5][:12]
for i, (X, Y) in enumerate(draws):
    for name, cv in folds(i).items():
        for train, test in cv.split(X, Y):
            model.fit(X[train], Y[train])
            true = macro_recall(model, X_future, Y_future)
            error[name].append(macro_recall(model, X[test], Y[test]) - true)
            lacking[name].append((Y[test].sum(axis=0) == 0).any())

# %%
# On the left the folds of the first draw: labels by number of positives, and a cross where a fold
# has none. On the right all 60 folds, orange where a label is missing.

fig = plt.figure(figsize=(12, 6.2), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1.3, 1])
X, Y = draws[0]
axes = left.subplots(3, 1, sharex=True)
for ax, (name, cv) in zip(axes, folds(0).items(), strict=True):
    display = FoldQualityDisplay.from_folds(Y, cv.split(X, Y), order="frequent", ax=ax)
    display.colorbar_.remove()
    labels, pairs = display.quality[["LD", "LPD"]]
    ax.set_title(f"{name}: LD {labels:.3f}, LPD {pairs:.4f}", loc="left")
    ax.label_outer()
bar = left.colorbar(display.image_, ax=axes, label="Positives over ideal", format="{x:g}")
bar.set_ticks([0.25, 0.5, 1, 2, 4])
bar.minorticks_off()

ax = right.subplots()
for place, (name, of_folds) in enumerate(error.items()):
    colours = np.where(lacking[name], "tab:orange", "tab:blue")
    at = place + np.linspace(-0.25, 0.25, len(of_folds))
    ax.scatter(at, of_folds, c=colours, s=25, alpha=0.8)
    ax.hlines(np.mean(of_folds), place - 0.35, place + 0.35, color="k", lw=3)
    ax.text(place, 0.2, f"mean {np.mean(of_folds):+.3f}", ha="center")
ax.axhline(0, color="k", ls="--", lw=1)
ax.set_xticks(range(3), [name.replace(", ", ",\n") for name in error])
ax.set(
    ylabel="Macro recall in the fold, less that on future rows",
    ylim=(-0.25, 0.23),
    title="A missing label counts as missed",
)
plt.show()

# %%
# By chance a fold lacks a label now and then, and speaks too ill of every model. LD is the
# distance of labels from their shares, LPD that of pairs of labels: order 2 keeps pairs better and
# single labels less well, and lacks a rare one at times.
#
# What this does not show: a label of fewer positives than folds is missing somewhere, however
# folds are made; the stratified splitters name it in a warning. And stratified folds still
# scatter: a score of twenty positives is a score of twenty positives.
