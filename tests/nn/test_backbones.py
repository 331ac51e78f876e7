"""The backbones take any shape they are built for, and learn."""

import pytest
import torch

from skrecall.nn import MultilayerPerceptron, SmallCNN


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 8, 8), (3, 1, 9), (2, 5, 3), (3, 28, 28), (4, 65, 130), (12, 224, 96)]
)
@pytest.mark.parametrize("n_outputs", [2, 7])
def test_small_cnn_takes_any_channels_and_size(shape, n_outputs):
    network = SmallCNN(shape, n_outputs)
    logits = network(torch.zeros(3, *shape))
    assert logits.shape == (3, n_outputs)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_small_cnn_stays_small_on_large_images():
    def n_parameters(side):
        return sum(p.numel() for p in SmallCNN((1, side, side), 2).parameters())

    assert n_parameters(512) <= n_parameters(28)


def test_small_cnn_keeps_where_things_are():
    corner = torch.zeros(1, 1, 8, 8)
    corner[..., 1, 1] = 1
    torch.manual_seed(0)
    network = SmallCNN((1, 8, 8), 2)
    assert not torch.allclose(network(corner), network(corner.flip(-1)))


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8)])
def test_perceptron_has_the_layers_asked_for(hidden):
    network = MultilayerPerceptron((5,), 3, hidden=hidden)
    widths = [m.out_features for m in network.modules() if isinstance(m, torch.nn.Linear)]
    assert widths == [*hidden, 3]
    assert network(torch.zeros(4, 5)).shape == (4, 3)


def test_perceptron_flattens_images():
    assert MultilayerPerceptron((3, 4, 5), 2)(torch.zeros(6, 3, 4, 5)).shape == (6, 2)


@pytest.mark.parametrize("backbone", [MultilayerPerceptron, SmallCNN])
def test_dropout_acts_in_training_only(backbone):
    torch.manual_seed(0)
    network = backbone((1, 6, 6), 2, dropout=0.5)
    X = torch.randn(4, 1, 6, 6)
    assert not torch.equal(network(X), network(X))
    network.eval()
    assert torch.equal(network(X), network(X))
