"""Networks, losses and views, from what users pass."""

from functools import partial

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from skrecall.neural_network._building import build_loss, build_module, views_of
from skrecall.nn import (
    BackboneWithHead,
    CombinedLoss,
    CosineHead,
    MultilayerPerceptron,
    SmallCNN,
    SoftmaxFocalLoss,
)


@pytest.mark.parametrize(
    ("shape", "expected"), [((5,), MultilayerPerceptron), ((3, 8, 8), SmallCNN)]
)
def test_the_default_network_follows_the_samples(shape, expected):
    module = build_module(None, shape, 4)
    assert type(module) is expected
    assert module(torch.zeros(2, *shape)).shape == (2, 4)


def test_a_module_is_copied_with_its_weights():
    given = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
    built = build_module(given, (3, 2, 2), 4)
    assert built is not given
    assert torch.equal(built[1].weight, given[1].weight)
    assert built[1].weight.data_ptr() != given[1].weight.data_ptr()
    assert given.training


def test_a_callable_gets_shape_and_outputs():
    module = build_module(partial(SmallCNN, channels=(4,), hidden=5), (3, 9, 9), 6)
    shapes = [tuple(p.shape) for p in module.parameters()]
    assert (4, 3, 3, 3) in shapes
    assert (6, 5) in shapes


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (
            SmallCNN((3, 8, 8), 2),
            r"The backbone SmallCNN cannot take samples of shape \(1, 8, 8\): .* 3 channels",
        ),
        (
            SmallCNN((1, 8, 8), 5),
            r"returned \(2, 5\) for 2 samples of shape \(1, 8, 8\): .* shape \(2, 2\)",
        ),
        (nn.Identity(), r"Identity returned \(2, 1, 8, 8\)"),
        (lambda shape, n_outputs: "resnet", "backbone returned str: a callable must return"),
        (
            lambda shape, n_outputs: nn.Linear(7, n_outputs),
            r"The backbone Linear cannot take samples of shape \(1, 8, 8\)",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused_before_training(backbone, message):
    with pytest.raises(ValueError, match=message):
        build_module(backbone, (1, 8, 8), 2)


def test_losses_average_themselves_where_they_take_weights_and_the_given_one_is_left_alone():
    given = nn.CrossEntropyLoss()
    assert build_loss(given, None).reduction == "none"
    assert given.reduction == "mean"
    own = SoftmaxFocalLoss(reduction="none")
    assert build_loss(own, None).reduction == "mean"
    assert own.reduction == "none"
    named = build_loss("focal", {"gamma": 1.0})
    assert isinstance(named, SoftmaxFocalLoss)
    assert (named.gamma, named.reduction) == (1.0, "mean")
    with pytest.raises(ValueError, match=r"loss_params=\{'gamma': 1\} belong to a loss given by"):
        build_loss(given, {"gamma": 1})


def test_counts_reach_the_losses_that_have_an_argument_for_them():
    counts = {"class_counts": [30, 10], "n_samples": 40}
    found = build_loss("cross_entropy", {"weight": "inverse"}, counts).weight
    assert_allclose(found, [0.5, 1.5])
    found = build_loss("cross_entropy", {"weight": "inverse", "class_counts": [1, 1]}, counts)
    assert_allclose(found.weight, [1, 1])
    both = build_loss({"cross_entropy": 1.0, "focal": 0.5}, None, counts)
    assert isinstance(both, CombinedLoss)
    assert both.reduction == "mean"


def test_a_head_follows_the_features():
    seen = []

    def backbone(input_shape, n_outputs):
        seen.append(n_outputs)
        return SmallCNN(input_shape, n_outputs, hidden=5)

    module = build_module(backbone, (3, 9, 9), 4, head="cosine", head_params={"scale": 2.0})
    assert isinstance(module, BackboneWithHead)
    assert seen == [None]
    assert (module.head.scale, tuple(module.head.weight.shape)) == (2.0, (4, 5))
    given = CosineHead(5, 4)
    built = build_module(backbone, (3, 9, 9), 4, head=given).head
    assert built is not given
    assert torch.equal(built.weight, given.weight)


def test_views():
    (flip,) = views_of("flip", (1, 2, 3))
    X = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert flip(X).flatten().tolist() == [2, 1, 0, 5, 4, 3]
    assert views_of(None, (4,)) == []
    assert views_of([torch.neg], (4,)) == [torch.neg]
    with pytest.raises(ValueError, match="the samples are rows of 4 features"):
        views_of("flip", (4,))
