"""What holds for all losses of regions: plain formulas, identities, weights, gradients, errors."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from skrecall.nn import (
    DiceLoss,
    FocalTverskyLoss,
    GeneralizedDiceLoss,
    HardExampleMining,
    JaccardLoss,
    TverskyLoss,
    dice_loss,
    get_loss,
    jaccard_loss,
    tversky_loss,
)
from skrecall.nn._region import BaseRatioLoss, BaseRegionLoss
from tests.nn.regions import LOGITS, MASK, batch, sums_by_loop

FAMILY = [DiceLoss, JaccardLoss, TverskyLoss, FocalTverskyLoss, GeneralizedDiceLoss]
every_class = pytest.mark.parametrize("cls", FAMILY)
every_mode = pytest.mark.parametrize("mode", ["softmax", "sigmoid"])


@every_mode
@pytest.mark.parametrize("average", ["batch", "sample"])
@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_the_functions_are_the_plain_formulas(mode, average, smooth):
    logits, targets = batch(mode)
    targets[0, :2] = -1 if mode == "sigmoid" else -100
    if mode == "sigmoid":
        targets[1, 2, 1] = torch.nan
    overlap, predicted, true = sums_by_loop(logits, targets, mode)
    if average == "batch":
        overlap, predicted, true = overlap.sum(0), predicted.sum(0), true.sum(0)
    options = {"mode": mode, "average": average, "smooth": smooth}
    known = predicted > 0

    def check(losses, expected):
        assert_close(losses, expected.where(known, 0))

    part = overlap + smooth
    check(dice_loss(logits, targets, **options), 1 - 2 * part / (predicted + true + 2 * smooth))
    union = predicted + true - overlap
    check(jaccard_loss(logits, targets, **options), 1 - part / (union + smooth))
    whole = part + 0.2 * (predicted - overlap) + 0.9 * (true - overlap)
    losses = tversky_loss(logits, targets, alpha=0.2, beta=0.9, gamma=1.5, **options)
    check(losses, (1 - part / whole) ** 1.5)


@every_mode
@pytest.mark.parametrize("average", ["batch", "sample"])
@pytest.mark.parametrize("smooth", [0.0, 0.5, 3.0])
def test_identities(mode, average, smooth):
    logits, targets = batch(mode)
    options = {"mode": mode, "average": average, "smooth": smooth}
    dice = dice_loss(logits, targets, **options)
    jaccard = jaccard_loss(logits, targets, **options)
    assert_close(tversky_loss(logits, targets, alpha=0.5, beta=0.5, **options), dice)
    assert_close(tversky_loss(logits, targets, alpha=1.0, beta=1.0, **options), jaccard)
    assert_close(1 - jaccard, (1 - dice) / (1 + dice))
    focal = FocalTverskyLoss(gamma=1.0, reduction="none", **options)
    assert_close(focal(logits, targets), TverskyLoss(reduction="none", **options)(logits, targets))
    focal = FocalTverskyLoss(gamma=0.75, reduction="none", **options)
    assert_close(focal(logits, targets), tversky_loss(logits, targets, **options) ** 0.75)


@every_class
@every_mode
def test_a_weight_of_two_is_the_sample_twice(cls, mode):
    logits, targets = batch(mode)
    weight = torch.tensor([2.0, 1.0, 0.0, 1.0]).double()
    order = torch.tensor([0, 0, 1, 3])
    loss = cls(mode=mode, reduction="none")
    assert_close(loss(logits, targets, weight), loss(logits[order], targets[order]))
    by_sample = cls(mode=mode, average="sample", reduction="sum")
    assert_close(by_sample(logits, targets, weight), by_sample(logits[order], targets[order]))


@every_class
def test_rows_of_a_table_are_pixels(cls):
    logits, targets = batch()
    rows, labels = logits.movedim(1, -1).flatten(0, 2), targets.flatten()
    loss = cls(reduction="none")
    assert_close(loss(rows, labels), loss(logits, targets))


@every_class
def test_volumes_are_images_with_more_pixels(cls):
    logits, targets = batch()
    volumes, masks = logits.unflatten(3, (5, 1)), targets.unflatten(2, (5, 1))
    for average in ("batch", "sample"):
        loss = cls(average=average)
        assert_close(loss(volumes, masks), loss(logits, targets))


@pytest.mark.parametrize("cls", FAMILY[:-1])
def test_absent_classes_count_or_leave_the_mean(cls):
    logits, targets = batch()
    targets[targets == 1] = 0
    losses = cls(reduction="none")(logits, targets)
    assert (losses > 0).all()
    assert_close(cls()(logits, targets), losses.mean())
    assert_close(cls(absent="skip")(logits, targets), losses[[0, 2]].mean())
    assert cls(absent="skip", reduction="none")(logits, targets)[1] == 0


@pytest.mark.parametrize("cls", FAMILY[:-1])
def test_background_and_class_weights(cls):
    logits, targets = batch()
    losses = cls(reduction="none")(logits, targets)
    without = cls(include_background=False)
    assert_close(without(logits, targets), losses[1:].mean())
    weight = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    weighted = cls(weight=[1, 2, 5], reduction="none")
    assert_close(weighted(logits, targets), losses * weight)


@every_class
@every_mode
@pytest.mark.parametrize("average", ["batch", "sample"])
def test_gradient_is_the_numerical_one(cls, mode, average):
    logits, targets = batch(mode, (2, 3, 2, 2))
    loss = cls(mode=mode, average=average, smooth=0.1, reduction="none").double()
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), logits.requires_grad_())


@every_class
@every_mode
@pytest.mark.parametrize("smooth", [0.0, 1.0])
@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_certain_predictions_stay_finite(cls, mode, smooth, right, dtype):
    _, targets = batch(mode)
    truth = F.one_hot(targets.long(), 3).movedim(-1, 1) if mode == "softmax" else targets
    logits = (200 * (2 * truth - 1) * (1 if right else -1)).to(dtype).requires_grad_()
    loss = cls(mode=mode, smooth=smooth)(logits, targets)
    loss.backward()
    assert loss.dtype == torch.float32
    assert logits.grad.isfinite().all()
    if right:
        assert_close(loss.item(), 0.0)
    elif smooth == 0 and mode == "sigmoid":
        assert_close(loss.item(), 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DiceLoss(mode="binary"), r"mode='binary' is unknown: choose 'softmax', 'sigmoid'"),
        (lambda: DiceLoss(average="micro"), r"average='micro' is unknown: choose 'batch'"),
        (lambda: DiceLoss(absent="drop"), r"absent='drop' is unknown: choose 'count', 'skip'"),
        (lambda: DiceLoss(smooth=-1.0), r"smooth=-1.0 is negative: pass 0 or more pixels"),
        (
            lambda: DiceLoss(average="sample")(torch.zeros(2, 3), torch.zeros(2).long()),
            r"logits have shape \(2, 3\) and average='sample' sums over the pixels",
        ),
        (
            lambda: DiceLoss(weight=[1.0, 2.0])(LOGITS, MASK),
            r"weight holds 2 values and the logits 3 classes",
        ),
        (
            lambda: DiceLoss(mode="sigmoid")(LOGITS, MASK),
            r"targets have shape \(1, 2, 2\) and logits \(1, 3, 2, 2\): pass an indicator",
        ),
        (
            lambda: DiceLoss(mode="sigmoid", include_background=False)(
                torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
            ),
            r"include_background=False leaves out class 0, and the logits hold no other",
        ),
        (
            lambda: HardExampleMining("dice"),
            r"DiceLoss sums over the pixels of a whole batch.*set average='sample'",
        ),
        (
            lambda: get_loss({"dice": 1.0, "binary_cross_entropy": 1.0}),
            r"must agree in predict_nonlinearity.*\(mode of a region loss sets predict_nonlin",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("base", "hook"), [(BaseRegionLoss, "_region_losses"), (BaseRatioLoss, "_ratio_losses")]
)
def test_a_subclass_says_what_it_lacks(base, hook):
    with pytest.raises(NotImplementedError, match=f"{base.__name__} must implement {hook}"):
        base()(LOGITS, MASK)
