"""The engine: networks checked before training, weighted losses, precision, a lean history."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skrecall.neural_network._building import build_loss
from skrecall.neural_network._data import _ArrayDataset, _SlicedBatches
from skrecall.neural_network._net import (
    NONLINEARITIES,
    _ClassifierNet,
)
from skrecall.nn import MultilayerPerceptron


def make_net(module=None, loss="cross_entropy", *, lr=0.01, **params):
    torch.manual_seed(0)
    module = module or partial(MultilayerPerceptron, (3,), 2, hidden=(8,))
    return _ClassifierNet(
        n_outputs=2,
        module=module,
        criterion=partial(build_loss, loss, None),
        predict_nonlinearity=NONLINEARITIES["softmax"],
        optimizer=torch.optim.Adam,
        lr=lr,
        max_epochs=3,
        batch_size=16,
        iterator_train=_SlicedBatches,
        iterator_train__shuffle=True,
        iterator_valid=_SlicedBatches,
        train_split=None,
        verbose=0,
        **params,
    ).initialize()


def make_data(n_samples=40, **params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 3)).astype(np.float32)
    return _ArrayDataset(X, (X[:, 0] > 0).astype(np.int64), **params)


def test_the_loss_is_the_mean_of_weight_times_loss():
    net = make_net()
    weights = np.linspace(0, 3, 40)
    X, y = make_data(sample_weight=weights)[:]
    logits = net.infer(X)
    losses = nn.functional.cross_entropy(logits, y, reduction="none").tolist()
    expected = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / 40
    assert net.get_loss(logits, y, X=X).item() == pytest.approx(expected, rel=1e-6)


class MeanLoss(nn.Module):
    """A loss that always reduces."""

    def forward(self, logits, targets):
        return nn.functional.cross_entropy(logits, targets)


def test_a_loss_that_always_reduces_takes_no_weights():
    net = make_net(loss=MeanLoss())
    net.fit(make_data())
    with pytest.raises(ValueError, match=r"MeanLoss returned shape \(\) for 16 rows: weights, and"):
        net.fit(make_data(sample_weight=np.ones(40)))


class NegativeLogLikelihood(nn.Module):
    """A loss of one value per class and row, without weights of its own."""

    reduction = "mean"

    def forward(self, logits, targets):
        shares = nn.functional.one_hot(targets, 2) * -logits.log_softmax(1)
        return shares if self.reduction == "none" else shares.mean()


def test_a_loss_with_more_than_one_value_per_row_is_weighted_by_row():
    net = make_net(loss=NegativeLogLikelihood())
    weights = np.linspace(0, 3, 40)
    X, y = make_data(sample_weight=weights)[:]
    logits = net.infer(X)
    expected = torch.from_numpy(weights) * nn.functional.cross_entropy(logits, y, reduction="none")
    assert net.get_loss(logits, y, X=X).item() == pytest.approx(
        expected.mean().item() / 2, rel=1e-6
    )


class WithTeacher(nn.Module):
    """A loss that reads one more input, and where training stands."""

    predict_scale = 3.0

    def __init__(self):
        super().__init__()
        self.epochs = []

    def start_epoch(self, epoch, n_epochs):
        self.epochs.append((epoch, n_epochs))

    def forward(self, logits, targets, teacher, sample_weight=None):
        assert teacher.dtype == torch.float32
        return ((logits - teacher) ** 2).mean()


class WithLengths(MultilayerPerceptron):
    """A network that reads one more input."""

    def forward(self, X, lengths=None):
        return super().forward(X) if lengths is None else super().forward(X) * lengths[:, None]


def test_inputs_reach_what_has_an_argument_for_them():
    teacher, lengths = np.full((40, 2), 5.0), np.arange(40)
    net = make_net(partial(WithLengths, (3,), 2, hidden=()), WithTeacher())
    data = make_data(teacher=teacher, lengths=lengths)
    X, y = data[:]
    logits = net.infer(X)
    assert torch.equal(logits, net.infer({"X": X["X"]}) * torch.from_numpy(lengths)[:, None])
    expected = ((logits - 5) ** 2).mean().item()
    assert net.get_loss(logits, y, X=X).item() == pytest.approx(expected)
    assert_allclose(net.forward(data), 3 * logits.detach(), rtol=1e-6)


def test_the_loss_is_told_where_training_stands():
    net = make_net(loss=WithTeacher())
    net.partial_fit(make_data(teacher=np.zeros((40, 2))))
    assert net.criterion_.epochs == [(0, 3), (1, 3), (2, 3)]
    net.n_epochs = 5
    net.partial_fit(make_data(teacher=np.zeros((40, 2))))
    assert net.criterion_.epochs[3:] == [(3, 5), (4, 5)]


def test_uint8_is_scaled_and_floats_are_not():
    identity = nn.Linear(3, 3, bias=False)
    nn.init.eye_(identity.weight)
    net = make_net(identity)
    X = np.arange(12, dtype=np.uint8).reshape(4, 3)
    assert_allclose(net.forward(_ArrayDataset(X)), X / 255, rtol=1e-6)
    assert_array_equal(net.forward(_ArrayDataset(X.astype(np.float32))), X)


@pytest.mark.parametrize("amp", ["bfloat16", "float16"])
def test_lower_precision_learns_the_same(amp):
    seen = []

    class Spy(MultilayerPerceptron):
        def forward(self, X):
            logits = super().forward(X)
            seen.append(logits.dtype)
            return logits

    data = make_data(200)
    exact = make_net().partial_fit(data)
    torch.manual_seed(0)
    mixed = make_net(partial(Spy, (3,), 2, hidden=(8,)), amp=amp).partial_fit(data)
    assert set(seen) == {getattr(torch, amp)}
    assert mixed.scaler_.is_enabled() == (amp == "float16")
    logits = mixed.forward(data)
    assert logits.dtype == torch.float32
    assert_allclose(logits, exact.forward(data), atol=0.05)
    assert {p.dtype for p in mixed.module_.parameters()} == {torch.float32}


def test_clipping_sees_unscaled_gradients():
    norms = []

    class Norms(_ClassifierNet):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            norms.append(max(p.grad.abs().max().item() for _, p in named_parameters))

    net = make_net(amp="float16")
    net.__class__ = Norms
    net.partial_fit(make_data())
    assert len(norms) == 9  # three epochs of three batches: 16, 16, 8 rows
    assert max(norms) < 2


def test_rows_that_are_validated_before_the_first_step_are_not_learnt_from():
    net = make_net(loss="seesaw")
    net.module_.eval()  # as it is after it was tried
    batch = make_data()[:]
    net.validation_step(batch)
    assert net.criterion_.running_counts.sum() == 0
    net.train_step(batch)
    assert net.criterion_.running_counts.sum() == 40


def test_divergence_stops_with_a_sentence():
    net = make_net(lr=1e30)
    with pytest.raises(ValueError, match=r"Training diverged in epoch \d, loss (nan|inf): scale"):
        net.fit(make_data())


def test_history_keeps_epochs_and_drops_batches():
    net = make_net().fit(make_data())
    assert len(net.history) == 3
    assert net.history[:, "batches"] == [[], [], []]
    assert all(np.isfinite(net.history[:, "train_loss"]))


def test_probabilities_of_confident_scores_do_not_tie():
    logits = torch.tensor([[0.0, 20.0], [0.0, 25.0], [0.0, 30.0]])
    proba = NONLINEARITIES["softmax"](logits)
    assert proba.dtype == torch.float64
    assert proba[0, 1] < proba[1, 1] < proba[2, 1] < 1
    assert torch.softmax(logits, dim=1)[:, 1].unique().numel() < 3


def test_the_net_is_a_classifier_of_its_own():
    data = make_data(200)
    net = make_net().fit(data)
    proba = net.predict_proba(data)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(net.predict(data), proba.argmax(axis=1))
    assert_array_equal(net.classes_, [0, 1])
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict_proba(data), proba)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("amp", [None, "bfloat16", "float16"])
def test_cuda_gives_what_the_cpu_gives(amp):
    data = make_data(200)
    on_cpu = make_net().fit(data)
    on_cuda = make_net(amp=amp, device="cuda").fit(data)
    assert_allclose(on_cuda.predict_proba(data), on_cpu.predict_proba(data), atol=0.05)
    assert pickle.loads(pickle.dumps(on_cuda)).scaler_.is_enabled() == (amp == "float16")
