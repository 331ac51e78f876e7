"""RecurrentCNN against a plain loop of cells; padding changes nothing, whatever it holds."""

from functools import partial

import pytest
import torch
from torch import nn

from skrecall.nn import (
    BackboneWithHead,
    LinearHead,
    MultilayerPerceptron,
    RecurrentCNN,
    SmallCNN,
)
from skrecall.nn._recurrent import frame_rows

LENGTHS = torch.tensor([3, 5, 1, 4])


def clips(seed=0):
    return torch.randn(4, 5, 2, 6, 6, generator=torch.Generator().manual_seed(seed))


def network(**params):
    torch.manual_seed(1)
    built = RecurrentCNN((5, 2, 6, 6), 3, hidden=4, **params).eval()
    for module in built.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean)
    return built


settings = pytest.mark.parametrize(
    "params",
    [
        {"cell": cell, "bidirectional": both, "n_layers": n_layers}
        for cell in ("gru", "lstm")
        for both in (False, True)
        for n_layers in (1, 2)
    ],
    ids=str,
)


@settings
def test_padding_is_not_seen(params):
    """A clip among longer ones gives what it gives alone, whatever the padding holds."""
    built, X = network(**params), clips()
    alone = torch.cat(
        [built(x[None, :length]) for x, length in zip(X, LENGTHS.tolist(), strict=True)]
    )
    torch.testing.assert_close(built(X, LENGTHS), alone)
    X[torch.arange(5) >= LENGTHS[:, None]] = float("nan")
    torch.testing.assert_close(built(X, LENGTHS), alone)


@settings
def test_gradient_ends_with_the_clip(params):
    X = clips().requires_grad_()
    linear = partial(MultilayerPerceptron, hidden=())  # has no unit that is switched off
    network(**params, frame_backbone=linear)(X, LENGTHS).square().sum().backward()
    reached = X.grad.abs().sum(dim=(2, 3, 4)) > 0
    assert torch.equal(reached, torch.arange(5) < LENGTHS[:, None])


def loop_of_cells(built, X, suffix=""):
    """Return the last state of one clip, a step at a time."""
    is_lstm = isinstance(built.recurrent, nn.LSTM)
    cell = (nn.LSTMCell if is_lstm else nn.GRUCell)(64, 4)
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            parameter.copy_(getattr(built.recurrent, f"{name}_l0{suffix}"))
    state = None
    for frame in X.flip(0) if suffix else X:
        state = cell(built.norm(built.frame_backbone(frame[None])), state)
    return state[0] if is_lstm else state


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_are_those_of_a_loop(cell, bidirectional):
    built, X = network(cell=cell, bidirectional=bidirectional), clips()
    suffixes = ["", "_reverse"] if bidirectional else [""]
    expected = torch.stack(
        [
            torch.cat([loop_of_cells(built, x[:n], suffix) for suffix in suffixes], dim=1)[0]
            for x, n in zip(X, LENGTHS.tolist(), strict=True)
        ]
    )
    torch.testing.assert_close(built.forward_features(X, LENGTHS), expected)
    torch.testing.assert_close(built(X, LENGTHS), built.head(expected))


def test_full_lengths_are_no_lengths():
    built, X = network(), clips()
    torch.testing.assert_close(built(X, torch.full((4,), 5)), built(X))


def test_only_frames_that_exist_are_computed():
    built, seen = network(), []
    first = built.frame_backbone.stages[0]
    first.register_forward_hook(lambda module, inputs, _: seen.append(inputs[0]))
    built(clips(), LENGTHS)
    assert [len(frames) for frames in seen] == [int(LENGTHS.sum())]


def test_order_of_frames_matters():
    built, X = network(), clips()
    assert not torch.allclose(built(X), built(X.flip(1)))


def test_all_parameters_learn():
    built = network(bidirectional=True, n_layers=2).train()
    built(clips(), LENGTHS).square().sum().backward()
    assert all(parameter.grad is not None for parameter in built.parameters())


def test_dropout_acts_in_training_only():
    built, X = network(dropout=0.5), clips()
    assert torch.equal(built(X), built(X))
    built.train()
    assert not torch.equal(built(X), built(X))


@pytest.mark.parametrize(
    ("frame_backbone", "n_features"),
    [
        (partial(SmallCNN, channels=(4,), hidden=9), 9),
        (partial(SmallCNN, channels=(4, 8), hidden=None), 8),
        (MultilayerPerceptron, 128),
        (SmallCNN((2, 6, 6), 3), 64),
        (nn.Conv2d(2, 5, 3), 5),
    ],
    ids=["vector", "map", "perceptron", "module", "foreign"],
)
def test_frame_backbones_plug_in(frame_backbone, n_features):
    built = network(frame_backbone=frame_backbone)
    assert built.frame_backbone is not frame_backbone
    assert built.recurrent.input_size == n_features
    assert built(clips(), LENGTHS).shape == (4, 3)


def test_without_outputs_there_are_features():
    built = RecurrentCNN((5, 2, 6, 6), hidden=4, bidirectional=True)
    assert built(clips(), LENGTHS).shape == (4, 8)


def test_heads_see_where_clips_end():
    built = BackboneWithHead(network(), LinearHead(4, 3)).eval()
    X = clips()
    expected = built.head(built.backbone.forward_features(X, LENGTHS))
    torch.testing.assert_close(built(X, LENGTHS), expected)
    assert not torch.allclose(built(X), expected)


def test_frame_rows_skip_the_padding():
    assert frame_rows(torch.tensor([2, 1, 3]), 3).tolist() == [0, 1, 3, 6, 7, 8]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RecurrentCNN((1, 8, 8), 2), r"input_shape=\(1, 8, 8\) is not that of clips"),
        (lambda: RecurrentCNN((4, 1, 8, 8), 2, cell="rnn"), "cell='rnn' is unknown: choose 'gru'"),
        (
            lambda: RecurrentCNN((4, 1, 8, 8), 2, frame_backbone=nn.Flatten(0)),
            r"The backbone Flatten returned \(128,\) for a batch of shape \(2, 1, 8, 8\)",
        ),
        (
            lambda: network()(clips(), torch.tensor([3, 0, 5, 5])),
            "lengths lie between 0 and 5, and the clips have 5 frames",
        ),
        (lambda: network()(clips(), torch.tensor([3, 1, 6, 5])), "lengths lie between 1 and 6"),
    ],
    ids=["shape", "cell", "maps", "empty", "long"],
)
def test_bad_input_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
