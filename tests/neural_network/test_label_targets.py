"""Indicators in any container become targets with NaN where nothing is to be learnt, and back."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from torch import nn

from skrecall.label_space import label_adjacency
from skrecall.neural_network._label_targets import LabelTargets
from skrecall.utils._multilabel_target import CONSTANT_SCORE

Y = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]])
X = np.zeros((6, 2))
LOGITS = torch.tensor([[0.0, -2.0, 3.0]] * 6)


def with_unknown():
    values = Y.astype(float)
    values[0, 0], values[3, 1] = np.nan, np.nan
    return values


def targets_of(labels):
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return LabelTargets.learn(X, labels)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_containers_go_in_and_out(container):
    kind = targets_of(container(Y))
    assert_array_equal(kind.encode(X, container(Y)), Y)
    assert kind.encode(X, container(Y)).dtype == np.float32
    predicted = kind.decode(LOGITS, X)
    assert type(predicted) is type(container(Y))
    predicted = predicted.toarray() if container is csr_array else np.asarray(predicted)
    assert_array_equal(predicted, [[1, 0, 1]] * 6)
    assert kind.n_outputs == 3
    assert_array_equal(kind.classes, [[0, 1]] * 3)


def test_columns_have_names_that_stay():
    frame = pd.DataFrame(Y, columns=list("abc"))
    kind, estimator = targets_of(frame), SimpleNamespace()
    kind.describe(estimator)
    assert_array_equal(estimator.label_names_, list("abc"))
    predicted = kind.decode(LOGITS, pd.DataFrame(X, index=np.arange(6) + 3))
    assert_array_equal(predicted.columns, list("abc"))
    assert_array_equal(predicted.index, np.arange(6) + 3)
    with pytest.raises(ValueError, match=r"columns \['c', 'b', 'a'\], and training began with"):
        kind.encode(X, frame[list("cba")])
    assert_array_equal(kind.encode(X, Y), Y)
    targets_of(Y).describe(estimator)
    assert not hasattr(estimator, "label_names_")


def test_only_the_same_labels_are_scored():
    named = pd.DataFrame(Y, columns=list("zab"))
    kind, proba = targets_of(named), np.asarray(Y, dtype=float)
    assert kind.accuracy(proba, named) == 1
    with pytest.raises(ValueError, match=r"Y has columns \['a', 'b', 'z'\], and training began"):
        kind.accuracy(proba, named[list("abz")])
    with pytest.raises(ValueError, match="Y has 2 labels, and training began with 3"):
        kind.accuracy(proba, Y[:, 1:])


def test_one_dimension_is_one_label():
    words = np.array(["no", "yes"])[Y[:, 0]]
    kind = targets_of(words)
    assert kind.n_outputs == 1
    assert_array_equal(kind.classes, ["no", "yes"])
    assert_array_equal(kind.encode(X, words), Y[:, :1])
    assert_array_equal(kind.labels(Y[:, :1].astype(np.float32)), words)
    logits = LOGITS[:, 2:]
    assert_array_equal(kind.decode(logits), ["yes"] * 6)
    assert_allclose(kind.proba(logits)[0], [1 / (1 + np.exp(3)), 1 / (1 + np.exp(-3))])
    assert_array_equal(kind.scores(logits), [3.0] * 6)


@pytest.mark.parametrize("unknown", [with_unknown(), np.nan_to_num(with_unknown(), nan=-1)])
def test_unknown_labels_are_nan(unknown):
    kind = targets_of(unknown)
    targets = kind.encode(X, unknown)
    assert_array_equal(targets, with_unknown())
    assert_array_equal(kind.labels(targets), np.nan_to_num(with_unknown(), nan=-1))


def test_a_label_of_one_value_is_not_learnt_and_answered():
    labels = Y.copy()
    labels[:, 0], labels[:, 2] = 0, 1
    with pytest.warns(UserWarning, match=r"Labels \[0, 2\] have one value each"):
        kind = LabelTargets.learn(X, labels)
    targets = kind.encode(X, labels)
    assert np.isnan(targets[:, [0, 2]]).all()
    assert_array_equal(targets[:, 1], Y[:, 1])
    assert_array_equal(kind.labels(targets), labels)
    assert_array_equal(kind.decode(LOGITS), [[0, 0, 1]] * 6)
    assert_allclose(kind.proba(LOGITS)[0], [0, 1 / (1 + np.exp(2)), 1])
    assert_allclose(kind.scores(LOGITS)[0], [-CONSTANT_SCORE, -2, CONSTANT_SCORE])
    assert kind.counts(targets) == {"label_counts": [0, 3, 6], "n_samples": 6}
    with pytest.raises(ValueError, match=r"Labels \[2\] had one value when training began"):
        kind.encode(X, labels * [1, 1, 0])
    unknown = np.where([True, False, False], -1, labels)
    assert_array_equal(kind.encode(X, unknown), targets)


def test_in_a_chunk_nothing_is_constant():
    kind = LabelTargets.of_chunk(np.array([[1, -1, 1]]))
    assert np.isnan(kind.constant).all()
    assert_array_equal(kind.encode(X[:1], np.array([[1, -1, 0]])), [[1, np.nan, 0]])
    kind = LabelTargets.of_chunk(["a", "a"], classes=["a", "b"])
    assert_array_equal(kind.encode(X[:2], ["b", "a"]), [[1], [0]])


def test_counts_are_scaled_to_all_rows():
    targets = with_unknown()
    counts = targets_of(targets).counts(targets.astype(np.float32))
    assert counts["n_samples"] == 6
    assert_allclose(counts["label_counts"], [2 / 5 * 6, 3 / 5 * 6, 3])


def test_adjacency_is_that_of_label_space():
    assert_array_equal(targets_of(Y).adjacency(Y.astype(np.float32)), label_adjacency(Y))


def test_holdout_keeps_the_shares():
    rng = np.random.default_rng(0)
    labels = (rng.uniform(size=(400, 3)) < [0.5, 0.2, 0.05]).astype(int)
    kind = LabelTargets.learn(np.zeros(400), labels)
    targets = kind.encode(np.zeros(400), labels)
    train, held_out = kind.holdout(targets, 0.25, seed=0)
    assert_array_equal(np.sort(np.append(train, held_out)), np.arange(400))
    assert_allclose(labels[held_out].sum(axis=0), labels.sum(axis=0) / 4, atol=1)
    assert_array_equal(kind.holdout(targets, 0.25, seed=0)[1], held_out)
    assert not np.array_equal(np.sort(kind.holdout(targets, 0.25, seed=1)[1]), np.sort(held_out))
    with pytest.raises(ValueError, match=r"early_stopping holds out 0.5 of 1 rows"):
        kind.holdout(targets[:1], 0.5, seed=0)


def test_weights():
    kind = targets_of(Y)
    assert kind.row_weights(Y, None) is None
    assert_array_equal(kind.row_weights(Y, [1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5, 6])
    with pytest.raises(ValueError, match="class_weight='balanced' weighs rows by their one class"):
        kind.row_weights(Y, None, "balanced")
    kind.check_fit(Y, None)
    with pytest.raises(ValueError, match="All 6 sample weights are zero"):
        kind.check_fit(Y, np.zeros(6))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Y[:, :2], "Y has 2 labels, and training began with 3"),
        (Y[:4], "inconsistent numbers of samples"),
        (Y + 1, "an indicator is 1 where"),
    ],
)
def test_other_labels_get_a_sentence(labels, message):
    with pytest.raises(ValueError, match=message):
        targets_of(Y).encode(X, labels)


def make_net(criterion):
    net = LabelTargets.net_class(
        n_outputs=3, module=nn.Linear(2, 3), criterion=criterion, train_split=None, verbose=0
    )
    return net.initialize()


@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_of_torch_is_masked(weighted):
    net = make_net(nn.BCEWithLogitsLoss(reduction="none"))
    targets = torch.tensor(with_unknown(), dtype=torch.float32)
    weight = torch.arange(6.0) if weighted else torch.ones(6)
    inputs = {"sample_weight": weight} if weighted else {}
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    total, known = 0.0, 0
    for i in range(6):
        for j in range(3):
            if not targets[i, j].isnan():
                value = nn.functional.binary_cross_entropy_with_logits(logits[i, j], targets[i, j])
                total, known = total + weight[i] * value, known + 1
    assert_allclose(net.get_loss(logits, targets, inputs), total / known, rtol=1e-6)


def test_a_loss_that_is_reduced_cannot_be_masked():
    class Reduced(nn.Module):
        def forward(self, logits, targets):
            return ((logits - targets) ** 2).mean()

    net = make_net(Reduced())
    targets = torch.tensor(with_unknown(), dtype=torch.float32)
    assert net.get_loss(LOGITS, targets.nan_to_num()).ndim == 0
    with pytest.raises(ValueError, match=r"shape \(\) for \(6, 3\) labels, of which 2 are unknown"):
        net.get_loss(LOGITS, targets)
