"""The losses against published numbers, torch's own loss, identities and numerical gradients."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    SoftmaxFocalLoss,
    WeightedCrossEntropyLoss,
    softmax_focal_loss,
    weighted_cross_entropy,
)

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-1.0, 3.0, 0.0]])
TARGETS = torch.tensor([0, 2, 0])
FUNCTIONS = {
    "cross_entropy": weighted_cross_entropy,
    "focal": softmax_focal_loss,
    "focal g=0.5": lambda z, t, **kw: softmax_focal_loss(z, t, gamma=0.5, **kw),
    "focal g=5": lambda z, t, **kw: softmax_focal_loss(z, t, gamma=5.0, **kw),
}


def random_batch(dtype=torch.float64, shape=(6, 4)):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(shape, generator=generator, dtype=dtype)
    targets = torch.randint(shape[1], shape[:1] + shape[2:], generator=generator)
    return logits, targets


def test_cross_entropy_reference_values():
    mean = WeightedCrossEntropyLoss()(LOGITS, TARGETS)
    assert_close(mean.item(), 1.7781142, rtol=1e-6, atol=0)
    weight = [1.0, 2.0, 5.0]
    over_weights = WeightedCrossEntropyLoss(weight=weight, mean_over="weights")(LOGITS, TARGETS)
    assert_close(over_weights.item(), 1.38982737, rtol=1e-6, atol=0)
    over_targets = WeightedCrossEntropyLoss(weight=weight)(LOGITS, TARGETS)
    assert_close(over_targets.item(), 3.24293065, rtol=1e-6, atol=0)


def test_softmax_focal_reference_values():
    expected = torch.tensor([0.00414426, 0.48827216, 3.92763734])
    assert_close(softmax_focal_loss(LOGITS, TARGETS, gamma=2.0), expected, rtol=1e-6, atol=1e-8)


def test_softmax_focal_is_the_plain_formula():
    logits, targets = random_batch()
    expected = []
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        total = sum(math.exp(z) for z in row)
        p = math.exp(row[target]) / total
        expected.append(-((1 - p) ** 1.5) * math.log(p))
    losses = softmax_focal_loss(logits, targets, gamma=1.5)
    assert_close(losses, torch.tensor(expected, dtype=torch.float64))


def test_focal_of_gamma_zero_is_cross_entropy():
    logits, targets = random_batch(shape=(5, 3, 2, 2))
    weight = torch.tensor([1.0, 2.0, 5.0])
    assert_close(
        softmax_focal_loss(logits, targets, gamma=0.0, weight=weight),
        weighted_cross_entropy(logits, targets, weight=weight),
    )


def test_the_focal_weight_does_not_enter_the_modulator():
    logits, targets = random_batch()
    weight = torch.tensor([1.0, 2.0, 5.0, 0.5])
    assert_close(
        softmax_focal_loss(logits, targets, weight=weight),
        weight.double()[targets] * softmax_focal_loss(logits, targets),
    )


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 5.0, 0.5]])
@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2, 5)])
def test_cross_entropy_is_torchs(reduction, weight, shape):
    logits, targets = random_batch(shape=shape)
    targets.view(-1)[0] = -100
    ours = WeightedCrossEntropyLoss(weight=weight, mean_over="weights", reduction=reduction)
    theirs = torch.nn.CrossEntropyLoss(
        weight=None if weight is None else torch.tensor(weight, dtype=torch.float64),
        reduction=reduction,
    )
    assert_close(ours(logits, targets), theirs(logits, targets))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 5.0, 0.5]])
def test_gradient_is_the_numerical_one(name, weight):
    logits, targets = random_batch()
    targets[1] = -100
    weight = None if weight is None else torch.tensor(weight)
    assert torch.autograd.gradcheck(
        lambda z: FUNCTIONS[name](z, targets, weight=weight), logits.requires_grad_()
    )


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_saturated_logits_stay_finite(name, dtype, n_classes):
    logits = torch.full((n_classes, n_classes), -200.0, dtype=dtype)
    logits.fill_diagonal_(200.0)
    logits = logits.repeat(2, 1).requires_grad_()
    right = torch.arange(n_classes)
    losses = FUNCTIONS[name](logits, torch.cat([right, (right + 1) % n_classes]))
    assert losses.dtype == torch.float32
    # A confident miss costs its margin whatever gamma: (1 - p)**gamma is 1 there.
    expected = torch.tensor([0.0, 400.0]).repeat_interleave(n_classes)
    assert_close(losses, expected, rtol=1e-6, atol=1e-6)
    losses.sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[n_classes, 0] > 0 > logits.grad[n_classes, 1]


def test_mean_over_weights_cancels_a_lone_class_and_over_targets_does_not():
    logits, targets = LOGITS[:1], TARGETS[:1]

    def mean(weight, over):
        return WeightedCrossEntropyLoss(weight=[weight, 1.0, 1.0], mean_over=over)(logits, targets)

    assert_close(mean(100.0, "weights"), mean(1.0, "weights"))
    assert_close(mean(100.0, "targets"), 100 * mean(1.0, "targets"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SoftmaxFocalLoss(gamma=-1), r"gamma=-1 would weigh easy targets most"),
        (
            lambda: weighted_cross_entropy(LOGITS, TARGETS[:2]),
            r"targets have shape \(2,\) and logits \(3, 3\): pass one class number per target",
        ),
        (
            lambda: weighted_cross_entropy(LOGITS, TARGETS.float()),
            r"dtype torch.float32: pass class numbers",
        ),
        (
            lambda: SoftmaxFocalLoss(weight=[1.0, 2.0])(LOGITS, TARGETS),
            r"weight holds 2 values and the logits 3 classes",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
