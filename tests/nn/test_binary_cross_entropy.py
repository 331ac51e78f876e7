"""Weighted binary cross entropy against torch's, weights against formulas, and the undoing."""

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    WeightedBinaryCrossEntropyLoss,
    positive_weights,
    unweighted_probabilities,
    weighted_binary_cross_entropy,
)

LOGITS = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0, 100.0, -100.0])[None]
TARGETS = torch.tensor([1.0, 0, 1, 0, 1, 0, 1])[None]


def test_reference_values():
    expected = [2.12692809, 0.47407699, 0.69314718, 0.97407699, 0.12692802, 100, 100]
    losses = weighted_binary_cross_entropy(LOGITS, TARGETS)
    assert_close(losses, torch.tensor([expected]), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 2, 4)])
@pytest.mark.parametrize("soft", [False, True])
def test_is_torchs(shape, soft):
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(shape, generator=generator)
    targets = torch.rand(shape, generator=generator)
    targets = targets if soft else targets.round()
    weight = torch.tensor([0.5, 1.0, 20.0])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits,
        targets,
        pos_weight=weight.reshape(3, *[1] * (len(shape) - 2)),
        reduction="none",
    )
    losses = weighted_binary_cross_entropy(logits, targets, pos_weight=weight)
    assert_close(losses, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64])
def test_indicators_are_of_any_type(dtype):
    logits, targets = LOGITS, TARGETS
    losses = weighted_binary_cross_entropy(logits, targets.to(dtype))
    assert losses.dtype == logits.dtype
    assert_close(losses, weighted_binary_cross_entropy(logits, targets))


def test_inverse_weights_balance_the_total_of_positives_and_negatives():
    counts, n = torch.tensor([5.0, 40.0, 90.0]), 100
    weights = positive_weights(counts, n)
    assert_close(weights * counts, n - counts)
    assert_close(positive_weights(counts, n, "sqrt"), weights.sqrt())
    assert_close(positive_weights(counts, n, power=0.3), weights**0.3)
    assert_close(positive_weights(counts, n, cap=2.0), weights.clamp(max=2.0))


def test_effective_weights_are_the_ratio_of_the_class_balanced_ones():
    # b = .999 with 5000, 500, 50 samples gives .125629, .317017, 2.557354 (their sum is 3).
    weights = positive_weights([500, 50], [5500, 5050], "effective", beta=0.999)
    expected = torch.tensor([0.317017 / 0.125629, 2.557354 / 0.125629])
    assert_close(weights, expected, rtol=1e-5, atol=0)


def test_effective_weights_lie_between_equal_and_inverse():
    counts, n = [5, 40], 100
    assert_close(positive_weights(counts, n, "effective", beta=0.0), torch.ones(2))
    near = positive_weights(counts, n, "effective", beta=1 - 1e-9)
    assert_close(near, positive_weights(counts, n), rtol=1e-5, atol=0)


def test_a_label_without_positives_has_a_finite_weight():
    assert_close(positive_weights([0, 1], 10), torch.tensor([9.0, 9.0]))


@pytest.mark.parametrize("scheme", ["inverse", "sqrt", "effective"])
def test_a_label_without_negatives_has_a_weight(scheme):
    # As with one negative: a weight of 0 would leave the label out.
    weights = positive_weights([10, 10], [10, 11], scheme, beta=0.9)
    assert weights[0] == weights[1] > 0


def test_samples_may_be_counted_per_label():
    assert_close(positive_weights([5, 5], [10, 20]), torch.tensor([1.0, 3.0]))


@pytest.mark.parametrize("weight", [0.2, 1.0, 9.0, 1000.0])
def test_unweighting_undoes_what_the_weight_does_to_the_optimum(weight):
    # The logit that minimises w p softplus(-z) + (1 - p) softplus(z) is that of the shifted p.
    p = torch.linspace(0.01, 0.99, 9, dtype=torch.float64)
    logits = (p.logit() + torch.tensor(weight).log()).requires_grad_()
    w = torch.tensor(weight, dtype=torch.float64)
    weighted_binary_cross_entropy(logits, p, pos_weight=w).sum().backward()
    assert_close(logits.grad, torch.zeros_like(p), rtol=0, atol=1e-4)
    shifted = weight * p / (weight * p + 1 - p)
    assert_close(unweighted_probabilities(shifted, weight), p)
    assert_close(unweighted_probabilities(shifted, w), (shifted.logit() - w.log()).sigmoid())


def test_unweighting_keeps_certainty():
    assert_close(unweighted_probabilities(torch.tensor([0.0, 1.0]), 50.0), torch.tensor([0.0, 1.0]))


def test_weights_from_counts_reach_the_loss():
    loss = WeightedBinaryCrossEntropyLoss(pos_weight="sqrt", label_counts=[10, 50], n_samples=100)
    assert_close(loss.pos_weight, torch.tensor([3.0, 1.0]))
    logits, targets = torch.tensor([[1.0, -1.0]]), torch.ones(1, 2)
    expected = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0, 1.0]))(logits, targets)
    assert_close(loss(logits, targets), expected)


def test_counts_alone_weigh_nothing():
    loss = WeightedBinaryCrossEntropyLoss(label_counts=[10, 50], n_samples=100)
    assert loss.pos_weight is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: WeightedBinaryCrossEntropyLoss(pos_weight="inverse", n_samples=9),
            r"pos_weight='inverse' needs label_counts: pass the positives",
        ),
        (
            lambda: WeightedBinaryCrossEntropyLoss(pos_weight="inverted"),
            r"pos_weight='inverted' is unknown: choose 'inverse', 'sqrt', 'effective'",
        ),
        (
            lambda: WeightedBinaryCrossEntropyLoss(pos_weight=[1.0, 2.0])(LOGITS, TARGETS),
            r"pos_weight has shape \(2,\) and the logits \(1, 7\): pass one value per label",
        ),
        (lambda: positive_weights([5], 4), r"label_counts go up to 5 and n_samples is 4.0"),
        (lambda: positive_weights([5, -1], 4), r"label_counts are \[5.0, -1.0\]: pass one count"),
        (lambda: positive_weights([5], 9, beta=1.0), r"beta=1.0 is out of range"),
        (lambda: positive_weights([5], 9, cap=0), r"cap=0 would leave no positive"),
        (
            lambda: weighted_binary_cross_entropy(LOGITS, TARGETS[:, :2]),
            r"targets have shape \(1, 2\) and logits \(1, 7\): pass an indicator",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
