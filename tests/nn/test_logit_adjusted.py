"""Logit adjustment against a reference value, the balanced softmax and Bayes' rule."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    LOSSES,
    LogitAdjustedLoss,
    logit_adjusted_loss,
    weighted_cross_entropy,
)
from tests.nn.instances import LossCase

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-1.0, 3.0, 0.0]])
TARGETS = torch.tensor([0, 2, 0])
COUNTS = [5000, 500, 50]


@pytest.mark.parametrize("name", ["logit_adjusted", "balanced_softmax"])
def test_reference_value(name):
    loss = LOSSES[name](class_counts=COUNTS)(LOGITS, TARGETS)
    assert_close(loss.item(), 2.19775462, rtol=1e-6, atol=0)


def test_tau_one_is_the_balanced_softmax():
    logits, targets = LossCase("logit_adjusted").batch()
    counts = [40, 30, 20, 1]
    expected = []
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        total = sum(n * math.exp(z) for n, z in zip(counts, row, strict=True))
        expected.append(-math.log(counts[target] * math.exp(row[target]) / total))
    losses = logit_adjusted_loss(logits, targets, torch.tensor(counts))
    assert_close(losses, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("tau", [0.0, 0.5, 2.0])
def test_it_is_cross_entropy_of_shifted_logits(tau):
    logits, targets = LossCase("logit_adjusted", targets="pixels").batch()
    targets[0, 0, 0] = -100
    log_prior = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64).log()
    weight = torch.tensor([1.0, 2.0, 5.0, 0.5])
    loss = LogitAdjustedLoss(
        class_counts=[40, 30, 20, 10], tau=tau, weight=weight, reduction="none"
    )
    expected = weighted_cross_entropy(
        logits + tau * log_prior.reshape(-1, 1, 1), targets, weight=weight
    )
    assert_close(loss.double()(logits, targets), expected)


def test_the_logits_it_learns_are_those_of_balanced_classes():
    # One binary feature, 900 rows against 100: P(x=1 | class) is 0.2 and 0.8.
    x = torch.tensor([1.0] * 180 + [0.0] * 720 + [1.0] * 80 + [0.0] * 20, dtype=torch.float64)
    y = torch.tensor([0] * 900 + [1] * 100)
    table = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    loss = LogitAdjustedLoss(class_counts=[900, 100]).double()
    optimizer = torch.optim.LBFGS([table], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(table[x.long()], y)
        value.backward()
        return value

    optimizer.step(closure)
    balanced = table.detach().softmax(1)[:, 1]
    assert_close(balanced, torch.tensor([0.2, 0.8], dtype=torch.float64), rtol=0, atol=1e-4)


def test_an_absent_class_counts_as_the_rarest():
    absent = LogitAdjustedLoss(class_counts=[5000, 0, 50])
    assert_close(
        absent(LOGITS, TARGETS), LogitAdjustedLoss(class_counts=[5000, 50, 50])(LOGITS, TARGETS)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (LogitAdjustedLoss, r"LogitAdjustedLoss is computed from the counts of the classes"),
        (lambda: LogitAdjustedLoss(class_counts=COUNTS, tau=-1), r"tau=-1 would favour frequent"),
        (
            lambda: LogitAdjustedLoss(class_counts=[1, 2])(LOGITS, TARGETS),
            r"class_counts holds 2 values and the logits 3 classes",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
