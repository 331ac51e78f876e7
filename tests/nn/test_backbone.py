"""Features are taken out of every backbone, ours or another's, with features on axis 1."""

import pytest
import torch
from torch import nn

from skrecall.nn import MultilayerPerceptron, ResNet, SmallCNN, count_features, extract_features
from skrecall.nn._backbone import BaseBackbone

BACKBONES = [MultilayerPerceptron, SmallCNN, ResNet]


class TokensLast(nn.Module):
    """Features as the transformers of timm give them."""

    num_features = 6

    def forward_features(self, X):
        return X.flatten(2).mean(1)[:, None, :6].expand(-1, 5, -1)

    def forward(self, X):
        raise AssertionError("features were asked for")


@pytest.mark.parametrize("backbone", BACKBONES)
def test_logits_are_the_head_of_the_features(backbone):
    network = backbone((1, 6, 6), 3).eval()
    X = torch.randn(2, 1, 6, 6)
    assert torch.equal(network(X), network.head(extract_features(network, X)))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_without_outputs_a_network_returns_its_features(backbone):
    network = backbone((1, 6, 6)).eval()
    X = torch.randn(2, 1, 6, 6)
    assert torch.equal(network(X), network.forward_features(X))
    with_outputs = sum(p.numel() for p in backbone((1, 6, 6), 3).parameters())
    n_features = count_features(network, (1, 6, 6))
    assert with_outputs - sum(p.numel() for p in network.parameters()) == 3 * (n_features + 1)


@pytest.mark.parametrize("backbone", [MultilayerPerceptron, SmallCNN])
def test_dropout_acts_in_training_only(backbone):
    torch.manual_seed(0)
    network = backbone((1, 6, 6), 2, dropout=0.5)
    X = torch.randn(4, 1, 6, 6)
    assert not torch.equal(network(X), network(X))
    network.eval()
    assert torch.equal(network(X), network(X))


def test_a_module_without_features_is_called():
    network = nn.Sequential(nn.Flatten(), nn.Linear(9, 4))
    assert extract_features(network, torch.zeros(2, 1, 3, 3)).shape == (2, 4)


def test_features_on_the_last_axis_are_moved():
    assert extract_features(TokensLast(), torch.zeros(2, 1, 3, 3)).shape == (2, 6, 5)
    assert count_features(TokensLast(), (1, 3, 3)) == 6


def test_counting_features_changes_nothing():
    network = ResNet((1, 8, 8), blocks=(1, 1), channels=(4, 6))
    network.stages[0].eval()
    modes = [module.training for module in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert count_features(network, (1, 8, 8)) == 6
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_what_is_no_features_gets_a_sentence():
    network = nn.Flatten(start_dim=0)
    with pytest.raises(ValueError, match=r"Flatten returned \(12,\) for a batch of shape \(2, 6\)"):
        count_features(network, (6,))
    with pytest.raises(ValueError, match=r"GRU returned tuple for a batch"):
        count_features(nn.GRU(6, 3), (5, 6))


def test_a_subclass_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match="BaseBackbone must implement forward_features"):
        BaseBackbone().forward_features(torch.zeros(2, 3))
