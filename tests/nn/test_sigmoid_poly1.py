"""Sigmoid Poly-1 against the plain formula, its identities and saturation."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    SigmoidPoly1Loss,
    poly1_loss,
    sigmoid_focal_loss,
    sigmoid_poly1_loss,
    weighted_binary_cross_entropy,
)


def random_batch():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20, 3, generator=generator, dtype=torch.float64)
    return logits, torch.randint(2, (20, 3), generator=generator).double()


@pytest.mark.parametrize("gamma", [0.0, 1.5])
def test_is_the_plain_formula(gamma):
    logits, targets = random_batch()
    expected = []
    for z, t in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        p_t = p if t else 1 - p
        loss = -((1 - p_t) ** gamma) * math.log(p_t) + 0.7 * (1 - p_t) ** (gamma + 1)
        expected.append((0.8 if t else 0.2) * loss)
    losses = sigmoid_poly1_loss(logits, targets, epsilon=0.7, gamma=gamma, alpha=0.8)
    assert_close(losses.flatten(), torch.tensor(expected, dtype=torch.float64))


def test_epsilon_zero_is_the_loss_underneath():
    logits, targets = random_batch()
    losses = sigmoid_poly1_loss(logits, targets, epsilon=0.0)
    assert_close(losses, weighted_binary_cross_entropy(logits, targets))
    focal = sigmoid_poly1_loss(logits, targets, epsilon=0.0, gamma=2.0, alpha=0.6)
    assert_close(focal, sigmoid_focal_loss(logits, targets, gamma=2.0, alpha=0.6))


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_one_label_is_poly1_of_two_classes(gamma):
    logits, targets = random_batch()
    logits, targets = logits.flatten(), targets.flatten()
    classes = torch.stack([torch.zeros_like(logits), logits], dim=1)
    expected = poly1_loss(classes, targets.long(), epsilon=1.0, gamma=gamma)
    assert_close(sigmoid_poly1_loss(logits, targets, epsilon=1.0, gamma=gamma), expected)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64])
def test_indicators_are_of_any_type(dtype):
    logits, targets = random_batch()
    losses = sigmoid_poly1_loss(logits, targets.to(dtype))
    assert losses.dtype == logits.dtype
    assert_close(losses, sigmoid_poly1_loss(logits, targets))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("epsilon", [-1.0, 1.0, 5.0])
def test_saturated_logits_stay_finite(gamma, epsilon):
    logits = torch.tensor([[-200.0, 200.0], [-200.0, 200.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    losses = sigmoid_poly1_loss(logits, targets, epsilon=epsilon, gamma=gamma)
    assert_close(losses, torch.tensor([[200 + epsilon] * 2, [0.0] * 2]))
    losses.sum().backward()
    assert_close(logits.grad, torch.tensor([[-1.0, 1.0], [0.0, 0.0]]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epsilon": -2}, r"epsilon=-2 would reward a lower probability of the truth"),
        ({"gamma": -1}, r"gamma=-1 would weigh easy targets most"),
        ({"alpha": 2}, r"alpha=2 is no share"),
    ],
)
def test_bad_parameters_get_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        SigmoidPoly1Loss(**params)
