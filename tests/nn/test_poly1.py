"""Poly-1 against a reference value, its formula and what it becomes without its terms."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import Poly1Loss, poly1_loss, softmax_focal_loss, weighted_cross_entropy
from tests.nn.instances import LossCase

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-1.0, 3.0, 0.0]])
TARGETS = torch.tensor([0, 2, 0])


def test_reference_value():
    loss = Poly1Loss(epsilon=1.0)(LOGITS, TARGETS)
    assert_close(loss.item(), 2.38002229, rtol=1e-6, atol=0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_it_is_the_plain_formula(gamma):
    logits, targets = LossCase("poly1").batch()
    expected = []
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        p = math.exp(row[target]) / sum(math.exp(z) for z in row)
        expected.append(-((1 - p) ** gamma) * math.log(p) + 2.5 * (1 - p) ** (gamma + 1))
    losses = poly1_loss(logits, targets, epsilon=2.5, gamma=gamma)
    assert_close(losses, torch.tensor(expected, dtype=torch.float64))


def test_epsilon_zero_is_cross_entropy_or_focal_loss():
    logits, targets = LossCase("poly1", targets="pixels").batch()
    targets[0, 0, 0] = -100
    weight = torch.tensor([1.0, 2.0, 5.0, 0.5])
    assert_close(
        poly1_loss(logits, targets, epsilon=0.0, weight=weight),
        weighted_cross_entropy(logits, targets, weight=weight),
    )
    assert_close(
        poly1_loss(logits, targets, epsilon=0.0, gamma=2.0, weight=weight),
        softmax_focal_loss(logits, targets, gamma=2.0, weight=weight),
    )


def test_epsilon_of_minus_one_takes_the_first_term_away():
    # -log p = (1 - p) + (1 - p)**2 / 2 + ...
    logits = torch.tensor([[0.0, 6.0]], dtype=torch.float64)
    miss = 1 / (1 + math.exp(6.0))
    loss = poly1_loss(logits, torch.tensor([1]), epsilon=-1.0)
    assert_close(loss.item(), miss**2 / 2 + miss**3 / 3, rtol=1e-5, atol=0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_saturated_logits_stay_finite(gamma, dtype):
    logits = torch.tensor([[200.0, -200.0], [200.0, -200.0]], dtype=dtype, requires_grad=True)
    losses = poly1_loss(logits, torch.tensor([0, 1]), epsilon=3.0, gamma=gamma)
    assert_close(losses, torch.tensor([0.0, 403.0]))
    losses.sum().backward()
    assert logits.grad.isfinite().all()
    assert logits.grad[1, 0] > 0 > logits.grad[1, 1]


def test_weights_multiply_both_terms():
    weight = torch.tensor([1.0, 2.0, 5.0])
    losses = poly1_loss(LOGITS, TARGETS, weight=weight)
    assert_close(losses, weight[TARGETS] * poly1_loss(LOGITS, TARGETS))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Poly1Loss(epsilon=-1.5), r"epsilon=-1.5 would reward a lower probability"),
        (lambda: Poly1Loss(gamma=-1), r"gamma=-1 would weigh easy targets most"),
        (lambda: poly1_loss(LOGITS, TARGETS[:2]), r"targets have shape \(2,\)"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
