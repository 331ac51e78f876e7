"""The residual network is torchvision's ResNet-18 on large images, and takes any other."""

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import ResNet

torchvision = pytest.importorskip("torchvision")


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def our_names(theirs):
    """Return a state dict of torchvision under the names used here."""
    ours = {}
    for name, value in theirs.items():
        name = name.replace("downsample", "shortcut").replace("fc.", "head.")
        if name.startswith("layer"):
            name = name.replace("bn", "norm")
            name = f"stages.{int(name[5]) - 1}{name[6:]}"
        elif name.startswith(("conv1.", "bn1.")):
            name = name.replace("conv1.", "stem.0.").replace("bn1.", "stem.1.")
        ours[name] = value
    return ours


@pytest.mark.parametrize(
    ("name", "blocks", "shape"),
    [
        ("resnet18", (2, 2, 2, 2), (3, 224, 224)),
        ("resnet18", (2, 2, 2, 2), (3, 65, 130)),
        ("resnet34", (3, 4, 6, 3), (3, 65, 130)),
    ],
)
def test_same_network_as_in_torchvision(name, blocks, shape):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)(num_classes=7)
    ours = ResNet(shape, 7, blocks=blocks)
    assert n_parameters(ours) == n_parameters(theirs)
    ours.load_state_dict(our_names(theirs.state_dict()))
    X = torch.randn(2, *shape)
    with torch.no_grad():
        assert_close(ours(X), theirs(X))
        assert_close(ours.eval()(X), theirs.eval()(X))  # by the statistics that both have moved


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 8, 8), (3, 1, 9), (2, 5, 3), (3, 28, 28), (4, 65, 130), (6, 300, 2)]
)
def test_any_channels_and_size(shape):
    network = ResNet(shape, 3, blocks=(1, 2, 1), channels=(4, 6, 8))
    X = torch.randn(2, *shape)
    logits = network(X)
    assert logits.shape == (2, 3)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    maps = network.forward_pyramid(X)
    assert [m.shape[1] for m in maps] == network.pyramid_channels == [4, 6, 8]
    sizes = [m.shape[2:] for m in maps]
    assert sizes == sorted(sizes, reverse=True)
    assert_close(maps[-1], network.forward_features(X))


@pytest.mark.parametrize(
    ("side", "small_images", "expected"),
    [
        (224, None, [56, 28, 14, 7]),
        (64, None, [16, 8, 4, 2]),
        (63, None, [63, 32, 16, 8]),
        (32, None, [32, 16, 8, 4]),
        (8, None, [8, 4, 4, 4]),
        (3, None, [3, 3, 3, 3]),
        (32, False, [8, 4, 2, 1]),
        (64, True, [64, 32, 16, 8]),
    ],
)
def test_small_images_are_not_halved_away(side, small_images, expected):
    network = ResNet(
        (1, side, side), blocks=(1,) * 4, channels=(2, 2, 2, 2), small_images=small_images
    )
    assert [
        len(m[0, 0]) for m in network.forward_pyramid(torch.zeros(2, 1, side, side))
    ] == expected


def test_a_lone_small_image_can_be_trained_on():
    network = ResNet((1, 8, 8), 2, blocks=(1, 1, 1, 1), channels=(2, 2, 2, 2))
    assert network(torch.randn(1, 1, 8, 8)).shape == (1, 2)


def test_stages_need_both_numbers():
    with pytest.raises(ValueError, match=r"names 2 stages and channels=\(8,\) 1: give both"):
        ResNet((1, 8, 8), blocks=(1, 1), channels=(8,))
