"""A sum of losses is the sum of the losses, in every way they can be given."""

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    CombinedLoss,
    HardExampleMining,
    SigmoidLoss,
    SoftmaxFocalLoss,
    SoftmaxLoss,
    WeightedCrossEntropyLoss,
    get_loss,
    softmax_focal_loss,
    weighted_cross_entropy,
)


class OfOtherShape(SoftmaxLoss):
    def forward(self, logits, targets, sample_weight=None):
        return logits.mean(dim=0)


def batch():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(7, 3, generator=generator, dtype=torch.float64)
    return logits, torch.randint(3, (7,), generator=generator)


@pytest.mark.parametrize(
    "loss",
    [
        get_loss({"cross_entropy": 1.0, "focal": 0.5}, loss_params={"focal": {"gamma": 1.0}}),
        CombinedLoss([("cross_entropy", 1.0), (SoftmaxFocalLoss(gamma=1.0), 0.5)]),
        CombinedLoss(
            [(WeightedCrossEntropyLoss(reduction="sum"), 1), (SoftmaxFocalLoss(gamma=1.0), 0.5)]
        ),
        get_loss(
            "combined",
            losses={"focal": 0.5, "cross_entropy": 1.0},
            loss_params={"focal": {"gamma": 1.0}},
        ),
    ],
    ids=["dict", "objects", "own reduction", "name"],
)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_sum_is_the_sum(loss, reduction, weighted):
    logits, targets = batch()
    targets[2] = -100
    sample_weight = torch.arange(7.0).double() if weighted else None
    losses = weighted_cross_entropy(logits, targets)
    losses = losses + 0.5 * softmax_focal_loss(logits, targets, gamma=1.0)
    losses = losses * (sample_weight if weighted else 1)
    expected = {"none": losses, "mean": losses.sum() / 6, "sum": losses.sum()}[reduction]
    loss.reduction = reduction
    assert_close(loss(logits, targets, sample_weight), expected)


def test_each_loss_keeps_its_own_mean():
    logits, targets = batch()
    weight = [1.0, 2.0, 5.0]
    by_weights = WeightedCrossEntropyLoss(weight=weight, mean_over="weights")
    mined = HardExampleMining(keep=0.5)
    loss = CombinedLoss([(by_weights, 2.0), (mined, 3.0)])
    expected = 2 * by_weights(logits, targets) + 3 * mined(logits, targets)
    assert_close(loss(logits, targets), expected)


def test_epochs_and_counts_reach_every_loss():
    loss = CombinedLoss(
        {"hard_example_mining": 1.0, "cross_entropy": 1.0},
        loss_params={
            "hard_example_mining": {"loss_params": {"weight": "inverse"}, "warmup": 2},
            "cross_entropy": {"weight": "sqrt"},
        },
        class_counts=[100, 10, 1],
    )
    mining, cross_entropy = loss.losses
    counts = {"class_counts": [100, 10, 1]}
    expected = WeightedCrossEntropyLoss(weight="inverse", **counts).weight
    assert_close(mining.loss.weight, expected)
    expected = WeightedCrossEntropyLoss(weight="sqrt", **counts).weight
    assert_close(cross_entropy.weight, expected)
    loss.start_epoch(1, 5)
    assert mining.warming_up
    loss.start_epoch(2, 5)
    assert not mining.warming_up


def test_a_sum_can_be_mined():
    logits, targets = batch()
    losses = weighted_cross_entropy(logits, targets) + softmax_focal_loss(logits, targets)
    mined = HardExampleMining({"cross_entropy": 1.0, "focal": 1.0}, keep=3 / 7)
    assert_close(mined(logits, targets), losses.sort().values[-3:].mean())


def test_one_ignore_index_for_all():
    loss = CombinedLoss({"cross_entropy": 1.0, "focal": 1.0}, ignore_index=255)
    assert {loss.ignore_index, *(inner.ignore_index for inner in loss.losses)} == {255}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CombinedLoss({}), r"losses is empty: name one loss at least"),
        (
            lambda: CombinedLoss({"focal": -1.0}),
            r"losses gives 'focal' the weight -1.0: pass 0 or more",
        ),
        (
            lambda: CombinedLoss({"focal": 1.0}, loss_params={"poly": {}}),
            r"loss_params are given for 'poly', and the losses are 'focal': name one of those",
        ),
        (
            lambda: CombinedLoss([("focal", 1.0), (SigmoidLoss(), 1.0)]),
            r"must agree in predict_nonlinearity, and there is SoftmaxFocalLoss 'softmax', Sigmoid",
        ),
        (
            lambda: CombinedLoss([("focal", 1.0), (SoftmaxFocalLoss(ignore_index=9), 1.0)]),
            r"must agree in ignore_index, and there is SoftmaxFocalLoss -100, SoftmaxFocalLoss 9",
        ),
        (
            lambda: CombinedLoss([("focal", 1.0), (OfOtherShape(), 1.0)], reduction="none")(
                *batch()
            ),
            r"cannot be added, and there is SoftmaxFocalLoss \(7,\), OfOtherShape \(3,\)",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
