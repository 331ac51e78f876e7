"""ZLPR against a plain loop and cross entropy, unknown labels, and the threshold it trains for."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    ZLPRLoss,
    weighted_binary_cross_entropy,
    weighted_cross_entropy,
    zlpr_loss,
)


def random_batch():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(8, 4, generator=generator, dtype=torch.float64)
    targets = torch.randint(2, (8, 4), generator=generator).double()
    targets[0], targets[1] = 0, 1
    return logits, targets


def plain_loss(logits, targets):
    losses = []
    for z_row, t_row in zip(logits.tolist(), targets.tolist(), strict=True):
        pairs = list(zip(z_row, t_row, strict=True))
        positives = sum(math.exp(-z) for z, t in pairs if t == 1)
        negatives = sum(math.exp(z) for z, t in pairs if t == 0)
        losses.append(math.log(1 + positives) + math.log(1 + negatives))
    return torch.tensor(losses, dtype=torch.float64)


def test_is_the_plain_formula():
    logits, targets = random_batch()
    expected = plain_loss(logits, targets)
    assert_close(zlpr_loss(logits, targets), expected)
    assert_close(ZLPRLoss()(logits, targets), expected.mean())


def test_is_the_cross_entropy_against_a_label_at_zero():
    # Of a row with negatives alone it is that of one more class, with logit 0, which is the truth.
    logits, _ = random_batch()
    classes = torch.cat([torch.zeros(8, 1, dtype=torch.float64), logits], dim=1)
    expected = weighted_cross_entropy(classes, torch.zeros(8).long())
    assert_close(zlpr_loss(logits, torch.zeros_like(logits)), expected)


@pytest.mark.parametrize("mark", [-1.0, math.nan])
def test_an_unknown_label_is_a_label_less(mark):
    logits, targets = random_batch()
    targets[:, 2] = mark
    kept = [0, 1, 3]
    expected = zlpr_loss(logits[:, kept], targets[:, kept])
    logits.requires_grad_()
    losses = zlpr_loss(logits, targets)
    assert_close(losses, expected)
    losses.sum().backward()
    assert_close(logits.grad[:, 2], torch.zeros(8, dtype=torch.float64))


def test_the_mean_is_over_rows_with_a_known_label():
    logits, targets = random_batch()
    targets[:2], targets[3, 0] = torch.nan, -1
    expected = zlpr_loss(logits, targets)
    assert_close(expected[:2], torch.zeros(2, dtype=torch.float64))
    assert_close(ZLPRLoss()(logits, targets), expected.sum() / 6)
    assert_close(ZLPRLoss(reduction="none")(logits, targets), expected)


def test_soft_labels_share_both_sums():
    logits = torch.tensor([[1.5, -0.5]], dtype=torch.float64)
    targets = torch.tensor([[0.25, 1.0]], dtype=torch.float64)
    expected = math.log(1 + 0.25 * math.exp(-1.5) + math.exp(0.5))
    expected += math.log(1 + 0.75 * math.exp(1.5))
    assert_close(zlpr_loss(logits, targets), torch.tensor([expected], dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64])
def test_indicators_are_of_any_type(dtype):
    logits, targets = random_batch()
    losses = zlpr_loss(logits, targets.to(dtype))
    assert losses.dtype == logits.dtype
    assert_close(losses, zlpr_loss(logits, targets))


def test_pixels_are_rows():
    logits, targets = random_batch()
    images = (values.T.reshape(1, 4, 2, 4) for values in (logits, targets))
    assert_close(zlpr_loss(*images).flatten(), zlpr_loss(logits, targets))


def test_saturated_logits_cost_their_margin():
    logits = torch.tensor([[200.0, -200, 200, -200], [-200, 200, -200, 200]], requires_grad=True)
    targets = torch.tensor([[1.0, 0, 1, 0], [1, 0, 1, 0]])
    losses = zlpr_loss(logits, targets)
    # Two labels on each side share a maximum of 200, which adds log 2 to each.
    assert_close(losses, torch.tensor([0.0, 400 + 2 * math.log(2)]))
    losses.sum().backward()
    assert_close(logits.grad, torch.tensor([[0.0] * 4, [-0.5, 0.5, -0.5, 0.5]]))


def test_of_one_label_it_is_binary_cross_entropy():
    logits, targets = random_batch()
    expected = weighted_binary_cross_entropy(logits[:, :1], targets[:, :1])
    assert_close(zlpr_loss(logits[:, :1], targets[:, :1]), expected[:, 0])


@pytest.mark.parametrize(
    "p", [[0.55, 0.9, 0.9], [0.45, 0.1, 0.1], [0.6, 0.4, 0.1], [0.5, 0.5, 0.5]]
)
def test_the_best_logits_are_near_the_log_odds(p):
    # Over all rows of independent labels, each as likely as it is.
    rows = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=torch.float64)
    p = torch.tensor(p, dtype=torch.float64)
    weight = torch.where(rows == 1, p, 1 - p).prod(dim=1)
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=100)

    def closure():
        optimizer.zero_grad()
        value = (weight * zlpr_loss(logits.expand(8, 3), rows)).sum()
        value.backward()
        return value

    optimizer.step(closure)
    assert_close(logits.detach(), p.logit(), rtol=0.2, atol=0.1)
    assert torch.equal(logits.detach() > 1e-3, p > 0.5)


def test_shapes_that_differ_get_a_sentence():
    with pytest.raises(ValueError, match=r"targets have shape \(2, 3\) and logits \(2, 4\)"):
        ZLPRLoss()(torch.zeros(2, 4), torch.zeros(2, 3))
