"""Dice losses against published numbers, plain loops and each other."""

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    CombinedLoss,
    DiceLoss,
    GeneralizedDiceLoss,
    HardExampleMining,
    dice_loss,
    generalized_dice_loss,
)
from skrecall.nn._region import BaseRegionLoss
from tests.nn.regions import LOGITS, MASK, MONAI, batch, sums_by_loop


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (DiceLoss(smooth=0.0), 0.28902066),
        (DiceLoss(smooth=1.0), 0.15657647),
        (DiceLoss(smooth=MONAI), 0.28901947),
        (DiceLoss(smooth=MONAI, squared=True), 0.10220417),
        (GeneralizedDiceLoss(smooth=MONAI), 0.30515605),
        (
            CombinedLoss({"dice": 1, "cross_entropy": 1}, loss_params={"dice": {"smooth": MONAI}}),
            0.62367427,
        ),
        (DiceLoss(smooth=MONAI, include_background=False), 0.30283350),
    ],
)
@pytest.mark.parametrize("average", ["batch", "sample"])
def test_reference_values(loss, expected, average):
    for module in loss.modules():
        if isinstance(module, BaseRegionLoss):
            module.average = average  # there is one image
    assert_close(loss(LOGITS, MASK).item(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("absent", "score", "expected"),
    [("skip", -20, 0.0), ("skip", 20, 0.0), ("count", -20, 8.2380e-4), ("count", 20, 0.9999975)],
)
def test_reference_values_of_an_empty_mask(absent, score, expected):
    loss = DiceLoss(mode="sigmoid", smooth=MONAI, absent=absent)
    value = loss(torch.full((1, 1, 2, 2), float(score)), torch.zeros(1, 1, 2, 2))
    assert_close(value.item(), expected, rtol=1e-6, atol=1e-8)


def test_soft_targets_may_be_squared():
    logits, targets = batch("sigmoid")
    targets = (targets + 0.5) / 2
    p, axes = logits.sigmoid(), (0, 2, 3)
    whole = p.square().sum(axes) + targets.square().sum(axes)
    losses = dice_loss(logits, targets, mode="sigmoid", squared=True, smooth=0.0)
    assert_close(losses, 1 - 2 * (p * targets).sum(axes) / whole)


def test_many_pixels_in_half_precision_are_summed_in_float32():
    logits = torch.zeros(1, 2, 512, 512, dtype=torch.float16)
    assert_close(DiceLoss(smooth=0.0)(logits, torch.zeros(1, 512, 512).long()).item(), 2 / 3)


def test_hardest_images_by_dice():
    logits, targets = batch(shape=(6, 3, 3, 5))
    losses = dice_loss(logits, targets, average="sample").mean(dim=1)
    mined = HardExampleMining("dice", loss_params={"average": "sample"}, keep=0.5)
    assert_close(mined(logits, targets), losses.sort().values[3:].mean())


@pytest.mark.parametrize("average", ["batch", "sample"])
def test_generalized_dice_is_the_plain_formula(average):
    logits, targets = batch(shape=(3, 4, 3, 5))
    targets[targets == 1] = 0
    sums = sums_by_loop(logits, targets, "softmax")
    rows = sums.sum(1, keepdim=True) if average == "batch" else sums
    expected = []
    for overlap, predicted, true in rows.movedim(1, 0).tolist():
        finite = [1 / t**2 for t in true if t]
        weight = [1 / t**2 if t else max(finite) for t in true]
        part = sum(w * i for w, i in zip(weight, overlap, strict=True))
        whole = sum(w * (p + t) for w, p, t in zip(weight, predicted, true, strict=True))
        expected.append(1 - 2 * part / whole)
    expected = torch.tensor(expected, dtype=torch.float64)
    losses = generalized_dice_loss(logits, targets, smooth=0.0, average=average)
    assert_close(losses, expected[0] if average == "batch" else expected)
    # Left out of the sums, the absent class costs nothing.
    skipped = GeneralizedDiceLoss(smooth=0.0, average=average, absent="skip")
    assert skipped(logits, targets) < losses.mean()


def test_one_true_class_is_the_generalized_dice_of_that_class():
    logits, targets = batch("sigmoid", (4, 1, 3, 5))
    options = {"mode": "sigmoid", "smooth": 0.0}
    assert_close(
        generalized_dice_loss(logits, targets, **options),
        dice_loss(logits, targets, **options)[0],
    )


def test_weights_of_generalized_dice_multiply_those_by_size():
    logits, targets = batch()
    first_two = GeneralizedDiceLoss(weight=[0.0, 1.0, 1.0], smooth=0.0)(logits, targets)
    without = GeneralizedDiceLoss(include_background=False, smooth=0.0)(logits, targets)
    assert_close(first_two, without)
