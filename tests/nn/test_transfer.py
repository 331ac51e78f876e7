"""What is frozen stays as it is, statistics of batch normalisation included."""

import copy
import pickle
from collections import OrderedDict

import pytest
import torch
from torch import nn

from skrecall.nn import (
    BackboneWithHead,
    LinearHead,
    MultilayerPerceptron,
    ResNet,
    SmallCNN,
    freeze,
    split_parameters,
)


def small_resnet(n_outputs=3):
    return ResNet((1, 8, 8), n_outputs, blocks=(1, 1), channels=(4, 6))


def train_a_step(network):
    """Return the names of the state that a step in training mode has changed."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=0.1)
    network.train()
    network(torch.randn(6, 1, 8, 8)).square().sum().backward()
    optimizer.step()
    return {name for name, value in network.state_dict().items() if not value.equal(before[name])}


@pytest.mark.parametrize("by", ["itself", "copy", "pickle"])
@pytest.mark.parametrize(
    "make",
    [
        small_resnet,
        lambda: BackboneWithHead(small_resnet(None), LinearHead(6, 3)),
        lambda: SmallCNN((1, 8, 8), 3),
    ],
)
def test_only_the_head_moves_when_the_backbone_is_frozen(make, by):
    network = make()
    freeze(network, "backbone")
    if by != "itself":
        network = copy.deepcopy(network) if by == "copy" else pickle.loads(pickle.dumps(network))
    for _ in range(2):
        assert train_a_step(network) == {"head.weight", "head.bias"}


def test_only_what_patterns_name_is_frozen():
    network = small_resnet()
    names = freeze(network, ["stem.*", "stages.0.*"])
    assert names == [
        name for name, _ in network.named_parameters() if name.startswith(("stem", "stages.0"))
    ]
    changed = train_a_step(network)
    assert not any(name.startswith(("stem", "stages.0")) for name in changed)
    assert {"stages.1.0.conv1.weight", "stages.1.0.norm1.running_mean", "head.bias"} <= changed


@pytest.mark.parametrize("pattern", ["stages.0.*", "backbone.stages.0.*"])
def test_names_within_the_backbone_do_below_a_head(pattern):
    network = BackboneWithHead(small_resnet(None), LinearHead(6, 3))
    names = freeze(network, [pattern])
    assert names == [
        name for name, _ in network.named_parameters() if name.startswith("backbone.stages.0.")
    ]


def test_frozen_layers_normalise_by_running_statistics_in_training():
    network = BackboneWithHead(small_resnet(None), LinearHead(6, 3))
    freeze(network, "backbone")
    X = torch.randn(6, 1, 8, 8)
    in_training = network.train()(X)
    assert torch.equal(in_training, network.eval()(X))


def test_a_frozen_weight_alone_does_not_stop_statistics():
    network = small_resnet()
    freeze(network, "stem.1.weight")
    assert {"stem.1.bias", "stem.1.running_mean"} <= train_a_step(network)


def test_freezing_twice_adds_up():
    network = small_resnet()
    freeze(network, "stem.*")
    freeze(network, ["stem.*", "stages.0.*"])
    assert not any(name.startswith(("stem", "stages.0")) for name in train_a_step(network))
    assert len(network.stem[1]._forward_pre_hooks) == 1


@pytest.mark.parametrize("head_name", ["head", "heads", "fc", "classifier"])
def test_parameters_are_split_at_the_head(head_name):
    network = nn.Sequential()
    network.add_module("body", nn.Linear(2, 3))
    network.add_module(head_name, nn.Linear(3, 4))
    backbone, head = split_parameters(network)
    assert [tuple(p.shape) for p in backbone] == [(3, 2), (3,)]
    assert [tuple(p.shape) for p in head] == [(4, 3), (4,)]
    network.body.weight.requires_grad_(False)
    assert [tuple(p.shape) for p in split_parameters(network)[0]] == [(3,)]


def test_torchvision_networks_have_a_head():
    models = pytest.importorskip("torchvision.models")
    network = models.resnet18(num_classes=5)
    freeze(network, "backbone")
    assert {name for name, p in network.named_parameters() if p.requires_grad} == {
        "fc.weight",
        "fc.bias",
    }


class WithLayers(nn.Module):
    """A network without ``forward_features``, whose last part has a name."""

    def __init__(self, **last):
        super().__init__()
        self.body = nn.Linear(2, 5)
        self.last = tuple(last)
        for name, layer in last.items():
            self.add_module(name, layer)

    def forward(self, X):
        X = self.body(X)
        for name in self.last:
            X = getattr(self, name)(X)
        return X


@pytest.mark.parametrize(
    ("backbone", "place"),
    [
        (WithLayers(fc=nn.Linear(5, 7)), "fc"),
        (WithLayers(classifier=nn.Sequential(nn.ReLU(), nn.Linear(5, 7))), r"classifier\[1\]"),
        (WithLayers(heads=nn.Sequential(OrderedDict(head=nn.Linear(5, 7)))), r"heads\.head"),
        (nn.Sequential(nn.Identity(), WithLayers(fc=nn.Linear(5, 7))), r"\[1\]\.fc"),
    ],
)
def test_a_head_over_logits_is_refused(backbone, place):
    message = f"own last layer.* the 7 values .* set backbone.?{place} = torch.nn.Identity"
    with pytest.raises(ValueError, match=message):
        BackboneWithHead(backbone, LinearHead(7, 3))


@pytest.mark.parametrize(
    "last",
    [{"fc": nn.Identity()}, {"classifier": nn.Sequential(nn.Linear(5, 7), nn.ReLU())}, {}],
)
def test_a_head_over_features_is_not(last):
    backbone = WithLayers(**last)
    assert BackboneWithHead(backbone, LinearHead(7 if "classifier" in last else 5, 3))(
        torch.zeros(4, 2)
    ).shape == (4, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: freeze(small_resnet(), "stage.0.*"),
            r"freeze='stage\.0\.\*' matches no parameter of ResNet: its names are stem\.0\.weight,",
        ),
        (
            lambda: freeze(MultilayerPerceptron((5,), 2), "*"),
            r"freeze='\*' leaves none of the 4 parameters of MultilayerPerceptron to train",
        ),
        (
            lambda: freeze(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), "backbone"),
            r"What is the backbone of Sequential and what its head .* its parts, 0, 1: set head",
        ),
        (lambda: split_parameters(nn.Linear(2, 2)), r"What is the backbone of Linear"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
