"""The perceptron has the layers asked for."""

import pytest
import torch

from skrecall.nn import MultilayerPerceptron


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8)])
def test_perceptron_has_the_layers_asked_for(hidden):
    network = MultilayerPerceptron((5,), 3, hidden=hidden)
    widths = [m.out_features for m in network.modules() if isinstance(m, torch.nn.Linear)]
    assert widths == [*hidden, 3]
    assert network(torch.zeros(4, 5)).shape == (4, 3)


def test_perceptron_flattens_images():
    assert MultilayerPerceptron((3, 4, 5), 2)(torch.zeros(6, 3, 4, 5)).shape == (6, 2)


def test_without_outputs_the_last_hidden_layer_is_returned():
    X = torch.randn(4, 2, 3)
    assert MultilayerPerceptron((2, 3), hidden=(16, 7))(X).shape == (4, 7)
    assert torch.equal(MultilayerPerceptron((2, 3), hidden=())(X), X.flatten(1))
