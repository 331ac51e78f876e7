"""The feature pyramid is torchvision's, and makes a classifier of any backbone with maps."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import nn
from torch.testing import assert_close

from skrecall.neural_network import CNNClassifier
from skrecall.nn import FeaturePyramid, FeaturePyramidCNN, ResNet, SmallCNN, pool_features

SMALL_RESNET = partial(ResNet, blocks=(1, 1, 1), channels=(4, 6, 8))


@pytest.mark.parametrize(
    "sizes",
    [[(16, 16), (8, 8), (4, 4)], [(9, 7), (5, 4), (3, 2)], [(1, 5), (1, 3), (1, 3)], [(4, 4)]],
)
def test_same_maps_as_in_torchvision(sizes):
    ops = pytest.importorskip("torchvision.ops")
    channels = [4, 6, 8][: len(sizes)]
    torch.manual_seed(0)
    theirs = ops.FeaturePyramidNetwork(channels, 5)
    ours = FeaturePyramid(channels, 5)
    names = {"inner_blocks": "lateral", "layer_blocks": "smooth"}
    state = {}
    for name, value in theirs.state_dict().items():
        part, i, _, kind = name.split(".")
        state[f"{names[part]}.{i}.{kind}"] = value
    ours.load_state_dict(state)
    maps = [torch.randn(2, n, *size) for n, size in zip(channels, sizes, strict=True)]
    expected = theirs({str(i): m for i, m in enumerate(maps)})
    assert_close(ours(maps), list(expected.values()))


def test_coarse_maps_reach_the_fine_ones_and_not_the_other_way():
    pyramid = FeaturePyramid([3, 3], 2)
    fine, coarse = torch.randn(1, 3, 4, 4), torch.randn(1, 3, 2, 2)
    before = pyramid([fine, coarse])
    assert not torch.allclose(pyramid([fine, coarse + 1])[0], before[0])
    assert torch.equal(pyramid([fine + 1, coarse])[1], before[1])


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 28, 28), (2, 5, 3), (1, 3, 65)])
@pytest.mark.parametrize("backbone", [None, SMALL_RESNET, partial(SmallCNN, hidden=None)])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_any_backbone_and_size(shape, backbone, pooling):
    network = FeaturePyramidCNN(shape, 3, backbone=backbone, n_channels=4, pooling=pooling)
    X = torch.randn(3, *shape)
    logits = network(X)
    assert logits.shape == (3, 3)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.eval()
    maps = network.forward_pyramid(X)
    assert [m.shape[1] for m in maps] == network.pyramid_channels
    assert [m.shape[2:] for m in maps] == [m.shape[2:] for m in network.backbone.forward_pyramid(X)]
    pooled = torch.cat([pool_features(m, pooling) for m in maps], dim=1)
    assert_close(network(X), network.head(pooled))


def test_a_module_is_copied():
    backbone = SmallCNN((1, 8, 8), 5)
    network = FeaturePyramidCNN((1, 8, 8), backbone=backbone)
    assert network.backbone is not backbone
    assert torch.equal(network.backbone.stages[0][0].weight, backbone.stages[0][0].weight)


def test_seen_at_two_scales():
    """Squares of two sizes, anywhere: both kinds are told apart from nothing and each other."""
    torch.manual_seed(0)
    X = 0.1 * torch.randn(240, 1, 16, 16)
    y = torch.arange(240) % 3
    for image, kind, corner in zip(
        X, y.tolist(), torch.randint(10, (240, 2)).tolist(), strict=True
    ):
        side = (0, 1, 6)[kind]
        image[0, corner[0] : corner[0] + side, corner[1] : corner[1] + side] += 2
    network = FeaturePyramidCNN((1, 16, 16), 3, n_channels=16, pooling="max")
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(X[:120]), y[:120]).backward()
        optimizer.step()
    network.eval()
    assert (network(X[120:]).argmax(dim=1) == y[120:]).float().mean() > 0.9


def test_it_is_a_backbone_of_the_classifier():
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 1, 8, 8).astype(np.float32) / 16
    backbone = partial(FeaturePyramidCNN, n_channels=16)
    classifier = CNNClassifier(backbone=backbone, max_epochs=8, lr=0.005, random_state=0)
    classifier = clone(classifier).fit(X[:900], y[:900])
    assert classifier.score(X[900:], y[900:]) > 0.75
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(X[:9]), classifier.predict_proba(X[:9]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: FeaturePyramid([3, 3], 2)([torch.zeros(1, 3, 2, 2)]),
            r"1 maps were passed to a FeaturePyramid of 2: pass one map for each",
        ),
        (
            lambda: FeaturePyramidCNN((1, 8, 8), 2, backbone=nn.Flatten()),
            r"The backbone Flatten has no pyramid: it needs a method forward_pyramid",
        ),
        (
            lambda: FeaturePyramidCNN((1, 8, 8), 2, pooling="sum"),
            r"pooling='sum' is unknown: choose 'average', 'max'",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
