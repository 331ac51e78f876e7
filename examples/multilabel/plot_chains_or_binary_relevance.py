"""
When do chains beat one classifier per label?
=============================================

A chain lets each label see the labels before it, binary relevance fits each label on its own.
Labels that occur together are no reason to chain: what they share may be in the features. What
counts is what the labels still say of each other when the features are known, and what one is
judged by.
"""

# %%
# Five labels. Each depends on the features in a way that never changes; `dependence` is the share
# of its noise that it has in common with the other labels, and that no feature tells.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, hamming_loss

from skrecall.multilabel import BinaryRelevance, ClassifierChain, ProbabilisticClassifierChain


def draw(n_samples, dependence, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4))
    weights = np.random.default_rng(0).normal(size=(4, 5))
    own, common = rng.normal(size=(n_samples, 5)), rng.normal(size=(n_samples, 1))
    noise = np.sqrt(1 - dependence) * own + np.sqrt(dependence) * common
    return X, (0.6 * X @ weights + noise > 0).astype(int)


# %%
# The probabilistic chain looks at all 32 label sets and takes the likeliest. What it is asked for
# acts after fitting: the last method is the same chain, asked for each label by itself.

model = LogisticRegression()
chain = ProbabilisticClassifierChain(model)
names = ["binary relevance", "chain", "probabilistic chain", "the same, asked for each label"]
strengths, n_draws = np.array([0, 0.25, 0.5, 0.75, 0.95]), 6
all_right = np.empty((len(names), len(strengths), n_draws))
each_right = np.empty_like(all_right)
for j, dependence in enumerate(strengths):
    for i in range(n_draws):
        X, Y = draw(1000, dependence, seed=i + 1)
        X_test, Y_test = draw(4000, dependence, seed=1000 + i)
        chain.set_params(optimal_for="subset_accuracy").fit(X, Y)
        predictions = [
            BinaryRelevance(model).fit(X, Y).predict(X_test),
            ClassifierChain(model).fit(X, Y).predict(X_test),
            chain.predict(X_test),
            chain.set_params(optimal_for="hamming").refit_decision().predict(X_test),
        ]
        all_right[:, j, i] = [accuracy_score(Y_test, Y_pred) for Y_pred in predictions]
        each_right[:, j, i] = [1 - hamming_loss(Y_test, Y_pred) for Y_pred in predictions]

# %%
# Means of six draws, with standard deviations.

fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
styles = [
    {"color": "0.35", "fmt": "s-"},
    {"color": "tab:orange", "fmt": "o-"},
    {"color": "tab:blue", "fmt": "o-"},
    {"color": "tab:blue", "fmt": "o--", "mfc": "white"},
]
for ax, values in zip(axes, (all_right, each_right), strict=True):
    for name, of_method, style in zip(names, values, styles, strict=True):
        mean, deviation = of_method.mean(axis=1), of_method.std(axis=1)
        ax.errorbar(strengths, mean, deviation, capsize=3, label=name, **style)
    ax.set(xlabel="Dependence of the labels, given the features", xticks=strengths)
axes[0].legend(frameon=False)
axes[0].set(ylabel="Share of samples with all labels right", title="All labels at once: chains win")
axes[1].set(ylabel="Share of labels right", title="Each label: chains lose, unless asked for it")
plt.show()

# %%
# On the left of both panels the labels have nothing to say to each other, and all methods are
# alike. Where they have, no method is better in both panels: the likeliest set of labels is not
# the set of the likeliest labels.
#
# What this does not show: a logistic regression is right about each of these labels. Where it is
# not, as where a label is the exclusive or of two features, an earlier label may lend a later one
# what it cannot see in the features, and a chain may win on the right as well. A stronger
# classifier in binary relevance may do the same.
