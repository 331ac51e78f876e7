"""Lovasz losses against the definition of the extension, a published number and identities."""

from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import LovaszLoss, jaccard_loss, lovasz_loss
from skrecall.nn._lovasz import lovasz_extension

LOGITS = torch.tensor([[[[2.0, 0], [0, -1]], [[0, 1], [0, 0]], [[-1, 0], [1, 3]]]])
MASK = torch.tensor([[[0, 1], [2, 2]]])


def batch(mode="softmax", shape=(3, 3, 2, 4), seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    if mode == "sigmoid":
        return logits, torch.randint(2, shape, generator=generator).double()
    return logits, torch.randint(shape[1], shape[:1] + shape[2:], generator=generator)


def jaccard_of_mistakes(truth, mistakes):
    """Return 1 - |true and right| / |true or mistaken|, the Jaccard loss of a set of mistakes."""
    true = {i for i, t in enumerate(truth) if t}
    union = true | mistakes
    return 1 - len(true - mistakes) / len(union) if union else 0.0


def extension_by_levels(errors, truth):
    """Return the integral over levels of the Jaccard loss of the pixels with larger errors.

    The Choquet integral, which is the Lovasz extension of a set function that is 0 on no pixels.
    """
    levels = sorted({0.0, *errors})
    return sum(
        (high - low) * jaccard_of_mistakes(truth, {i for i, e in enumerate(errors) if e >= high})
        for low, high in pairwise(levels)
    )


def errors_of(logits, targets, mode, hinge):
    if mode == "softmax":
        truth = torch.stack([targets == c for c in range(logits.shape[1])], dim=1).double()
        return (truth - logits.softmax(1)).abs(), truth
    if hinge:
        return (1 - (2 * targets - 1) * logits).clamp(min=0), targets
    return (targets - logits.sigmoid()).abs(), targets


@pytest.mark.parametrize(
    ("mode", "hinge"), [("softmax", False), ("sigmoid", False), ("sigmoid", True)]
)
@pytest.mark.parametrize("average", ["batch", "sample"])
@pytest.mark.parametrize("n_classes", [1, 3])
def test_it_is_the_extension_of_the_jaccard_loss(mode, hinge, average, n_classes):
    logits, targets = batch(mode, (3, n_classes, 2, 4))
    if n_classes > 1:
        targets[targets == 1] = 0 if mode == "softmax" else 1
    missing = torch.zeros(targets.shape, dtype=torch.bool)
    missing[0, ..., :2, 0] = True
    errors, truth = errors_of(logits, targets, mode, hinge)
    known = ~(missing if mode == "sigmoid" else missing[:, None].expand_as(logits))
    targets = targets.masked_fill(missing, -1 if mode == "sigmoid" else -100)
    samples = [[0, 1, 2]] if average == "batch" else [[0], [1], [2]]
    expected = [
        [
            extension_by_levels(
                errors[rows, c][known[rows, c]].tolist(), truth[rows, c][known[rows, c]].tolist()
            )
            for c in range(n_classes)
        ]
        for rows in samples
    ]
    expected = torch.tensor(expected, dtype=torch.float64)
    losses = lovasz_loss(logits, targets, mode=mode, hinge=hinge, average=average)
    assert_close(losses, expected[0] if average == "batch" else expected)


def test_soft_labels_share_out_the_whole_loss():
    # Where all pixels are wrong by as much, their shares add up to the loss of all, which is 1.
    generator = torch.Generator().manual_seed(0)
    truth, mass = torch.rand(2, 3, 9, generator=generator, dtype=torch.float64)
    errors = torch.full_like(truth, 0.7)
    assert_close(lovasz_extension(errors, truth, mass), torch.full((3,), 0.7).double())


@pytest.mark.parametrize("average", ["batch", "sample"])
def test_reference_value(average):
    loss = LovaszLoss(average=average)  # of one image
    assert_close(loss(LOGITS, MASK).item(), 0.29525486, rtol=1e-6, atol=0)


@pytest.mark.parametrize("mode", ["softmax", "sigmoid"])
def test_certain_predictions_cost_their_jaccard_loss(mode):
    _, targets = batch(mode)
    predicted, _ = batch(mode, seed=1)
    if mode == "softmax":
        certain = torch.full_like(predicted, -200.0).scatter(1, predicted.argmax(1)[:, None], 200.0)
    else:
        certain = 200 * predicted.sign()
    expected = jaccard_loss(certain, targets, mode=mode, smooth=0.0)
    assert_close(lovasz_loss(certain, targets, mode=mode), expected)


def test_gradients_of_many_pixels_are_those_of_float64():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 2, 512, 512, generator=generator, dtype=torch.float64)
    targets = (torch.rand(1, 512, 512, generator=generator) < 0.01).long()
    gradients = []
    for dtype in (torch.float64, torch.float32):
        z = logits.clone().to(dtype).requires_grad_()
        lovasz_loss(z, targets).sum().backward()
        gradients.append(z.grad.double())
    # Relative to the largest; pixels whose errors tie in float32 alone may change places.
    off = (gradients[1] - gradients[0]).abs() / gradients[0].abs().max()
    assert off.quantile(0.99) < 1e-5


def test_absent_classes_by_mode():
    logits, targets = batch()
    targets[targets == 1] = 0
    losses = lovasz_loss(logits, targets)
    # An absent class costs its largest error.
    assert_close(losses[1], logits.softmax(1)[:, 1].max())
    assert_close(LovaszLoss()(logits, targets), losses[[0, 2]].mean())
    assert_close(LovaszLoss(absent="count")(logits, targets), losses.mean())
    empty = torch.zeros(1, 1, 2, 2)
    alarm = torch.full((1, 1, 2, 2), 20.0)
    assert_close(LovaszLoss(mode="sigmoid")(alarm, empty), torch.tensor(1.0))
    assert_close(LovaszLoss(mode="sigmoid", hinge=True)(alarm, empty), torch.tensor(21.0))
    assert LovaszLoss(mode="sigmoid", absent="skip")(alarm, empty) == 0


def test_background_and_class_weights():
    logits, targets = batch()
    losses = lovasz_loss(logits, targets)
    without = LovaszLoss(include_background=False)
    assert_close(without(logits, targets), losses[1:].mean())
    weight = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    weighted = LovaszLoss(weight=[1, 2, 5], reduction="none")
    assert_close(weighted(logits, targets), losses * weight)


@pytest.mark.parametrize(
    ("mode", "hinge"), [("softmax", False), ("sigmoid", False), ("sigmoid", True)]
)
def test_a_weight_of_two_is_the_sample_twice(mode, hinge):
    logits, targets = batch(mode)
    weight = torch.tensor([2.0, 0.0, 1.0]).double()
    order = torch.tensor([0, 0, 2])
    loss = LovaszLoss(mode=mode, hinge=hinge, reduction="none")
    assert_close(loss(logits, targets, weight), loss(logits[order], targets[order]))
    by_sample = LovaszLoss(mode=mode, hinge=hinge, average="sample", reduction="sum")
    assert_close(by_sample(logits, targets, weight), by_sample(logits[order], targets[order]))


def test_rows_of_a_table_are_pixels():
    logits, targets = batch()
    rows, labels = logits.movedim(1, -1).flatten(0, 2), targets.flatten()
    assert_close(lovasz_loss(rows, labels), lovasz_loss(logits, targets))


@pytest.mark.parametrize(
    ("mode", "hinge"), [("softmax", False), ("sigmoid", False), ("sigmoid", True)]
)
@pytest.mark.parametrize("average", ["batch", "sample"])
def test_gradient_is_the_numerical_one(mode, hinge, average):
    logits, targets = batch(mode)
    assert torch.autograd.gradcheck(
        lambda z: lovasz_loss(z, targets, mode=mode, hinge=hinge, average=average),
        logits.requires_grad_(),
    )


@pytest.mark.parametrize(
    ("mode", "hinge"), [("softmax", False), ("sigmoid", False), ("sigmoid", True)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_saturated_logits_stay_finite(mode, hinge, dtype):
    logits, targets = batch(mode)
    logits = (200 * logits.sign()).to(dtype).requires_grad_()
    losses = lovasz_loss(logits, targets, mode=mode, hinge=hinge)
    losses.sum().backward()
    assert losses.dtype == torch.float32
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LovaszLoss(hinge=True), r"hinge=True and mode='softmax': the hinge is of one"),
        (lambda: lovasz_loss(LOGITS, MASK, hinge=True), r"hinge=True and mode='softmax'"),
        (lambda: LovaszLoss(absent="drop"), r"absent='drop' is unknown: choose None, 'count'"),
        (lambda: lovasz_loss(LOGITS, MASK, mode="binary"), r"mode='binary' is unknown"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
