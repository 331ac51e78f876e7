"""Heads by name, by module and by callable, and their joint with a backbone."""

import pickle
from functools import partial

import pytest
import torch
from torch import nn

import skrecall.nn
from skrecall.nn import (
    HEADS,
    BackboneWithHead,
    CosineHead,
    LinearHead,
    ResNet,
    SmallCNN,
    build_head,
    count_features,
)


def test_every_head_has_a_name():
    public = [getattr(skrecall.nn, name) for name in skrecall.nn.__all__]
    heads = {c for c in public if isinstance(c, type) and c.__name__.endswith("Head")}
    assert set(HEADS.values()) == heads - {BackboneWithHead}


@pytest.mark.parametrize("head", ["cosine", CosineHead, partial(CosineHead, pooling="max")])
def test_heads_are_built_for_the_features(head):
    head = build_head(head, 5, 3, scale=2.0)
    assert isinstance(head, CosineHead)
    assert head.weight.shape == (3, 5)
    assert head.scale == 2.0


def test_a_module_is_copied():
    head = LinearHead(5, 3)
    copied = build_head(head, 5, 3)
    assert copied is not head
    assert torch.equal(copied.weight, head.weight)


@pytest.mark.parametrize("backbone", [SmallCNN, partial(SmallCNN, hidden=None), ResNet])
@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_a_backbone_and_a_head_are_one_network(backbone, head):
    shape = (1, 9, 7)
    backbone = backbone(shape)
    network = BackboneWithHead(backbone, build_head(head, count_features(backbone, shape), 4))
    X = torch.randn(3, *shape)
    network(X).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.eval()
    logits = network(X)
    assert logits.shape == (3, 4)
    assert torch.equal(network.head(network.forward_features(X)), logits)
    assert torch.equal(pickle.loads(pickle.dumps(network))(X), logits)


def test_the_linear_layer_of_the_backbone_is_passed_by():
    backbone = SmallCNN((1, 8, 8), 3)
    network = BackboneWithHead(backbone, LinearHead(64, 2))
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: build_head("quadratic", 5, 3), r"head='quadratic' is unknown: choose 'linear', "),
        (lambda: build_head("linear", 5, 3, scale=2), r"head='linear' does not take \{'scale': 2"),
        (
            lambda: build_head(nn.Linear(5, 3), 5, 3, scale=2),
            r"scale cannot reach the head Linear, which is built already: set them there",
        ),
    ],
)
def test_bad_heads_get_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
