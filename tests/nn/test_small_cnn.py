"""The small network takes any shape it is built for, and knows where things are."""

import pytest
import torch

from skrecall.nn import SmallCNN

SHAPES = [(1, 1, 1), (1, 8, 8), (3, 1, 9), (2, 5, 3), (3, 28, 28), (4, 65, 130), (12, 224, 96)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_outputs", [2, 7])
def test_any_channels_and_size(shape, n_outputs):
    network = SmallCNN(shape, n_outputs)
    logits = network(torch.zeros(3, *shape))
    assert logits.shape == (3, n_outputs)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("shape", SHAPES)
def test_maps_are_halved_from_stage_to_stage(shape):
    network = SmallCNN(shape, channels=(4, 6, 8))
    assert network.pyramid_channels == [4, 6, 8]
    height, width = shape[1:]
    maps = network.forward_pyramid(torch.zeros(2, *shape))
    for n_channels, found in zip([4, 6, 8], maps, strict=True):
        height, width = -(-height // 2), -(-width // 2)
        assert found.shape == (2, n_channels, height, width)


def test_without_a_hidden_layer_the_features_are_the_last_map():
    X = torch.randn(2, 1, 28, 20)
    network = SmallCNN((1, 28, 20), 5, hidden=None).eval()
    features = network.forward_features(X)
    assert features.shape == (2, 32, 7, 5)
    assert torch.equal(features, network.forward_pyramid(X)[-1])
    assert torch.equal(network(X), network.head(features.mean(dim=(2, 3))))


def test_it_stays_small_on_large_images():
    def n_parameters(side):
        return sum(p.numel() for p in SmallCNN((1, side, side), 2).parameters())

    assert n_parameters(512) <= n_parameters(28)


def test_it_keeps_where_things_are():
    corner = torch.zeros(1, 1, 8, 8)
    corner[..., 1, 1] = 1
    torch.manual_seed(0)
    network = SmallCNN((1, 8, 8), 2)
    assert not torch.allclose(network(corner), network(corner.flip(-1)))
