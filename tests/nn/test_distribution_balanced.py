"""The distribution-balanced loss against a plain loop, identities and rows without positives."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    DistributionBalancedLoss,
    distribution_balanced_loss,
    sigmoid_focal_loss,
    weighted_binary_cross_entropy,
)

COUNTS, N = [500, 50, 5], 600
NEUTRAL = {"alpha": 0.5, "beta": 0, "negative_scale": 1, "bias_scale": 0, "gamma": 0, "scale": 1}


def counts():
    return {"label_counts": torch.tensor(COUNTS), "n_samples": N}


def random_batch():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(8, 3, generator=generator, dtype=torch.float64)
    targets = torch.randint(2, (8, 3), generator=generator).double()
    targets[0] = 0
    return logits, targets


def plain_loss(logits, targets, alpha, beta, mu, negative_scale, bias_scale, gamma, scale):
    losses = []
    for z_row, t_row in zip(logits.tolist(), targets.tolist(), strict=True):
        for_any = sum(t / n for t, n in zip(t_row, COUNTS, strict=True))
        row = []
        for z, t, n in zip(z_row, t_row, COUNTS, strict=True):
            r = 1 / n / for_any if for_any else 1.0
            weight = alpha + 1 / (1 + math.exp(-beta * (r - mu)))
            z -= math.log(N / n - 1) * bias_scale / negative_scale
            margin = z if t else -negative_scale * z
            p_t = 1 / (1 + math.exp(-margin))
            loss = -((1 - p_t) ** gamma) * math.log(p_t) * weight * scale
            row.append(loss if t else loss / negative_scale)
        losses.append(row)
    return torch.tensor(losses, dtype=torch.float64)


@pytest.mark.parametrize(
    "params",
    [
        (0.1, 10.0, 0.2, 2.0, 0.05, 2.0, 2.0),
        (0.3, 4.0, 0.5, 5.0, 0.1, 0.5, 1.0),
        (0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0),
    ],
)
def test_is_the_plain_formula(params):
    names = ("alpha", "beta", "mu", "negative_scale", "bias_scale", "gamma", "scale")
    params = dict(zip(names, params, strict=True))
    logits, targets = random_batch()
    losses = distribution_balanced_loss(logits, targets, **counts(), **params)
    assert_close(losses, plain_loss(logits, targets, **params))


def test_defaults_are_those_of_the_paper_on_coco():
    logits, targets = random_batch()
    loss = DistributionBalancedLoss(**counts(), reduction="none")
    assert_close(
        loss(logits, targets), plain_loss(logits, targets, 0.1, 10.0, 0.2, 2.0, 0.05, 2.0, 2.0)
    )


def test_neutral_parameters_give_cross_entropy_and_focal_loss():
    logits, targets = random_batch()
    plain = distribution_balanced_loss(logits, targets, **counts(), **NEUTRAL)
    assert_close(plain, weighted_binary_cross_entropy(logits, targets))
    focal = distribution_balanced_loss(logits, targets, **counts(), **{**NEUTRAL, "gamma": 2})
    assert_close(focal, sigmoid_focal_loss(logits, targets, gamma=2.0))


def test_a_row_without_positives_is_not_rebalanced():
    # r is 0 / 0 there, as no label draws such a row; it counts as 1, for every label.
    params = {**NEUTRAL, "alpha": 0.1, "beta": 3.0, "mu": 0.2}
    losses = distribution_balanced_loss(torch.zeros(1, 3), torch.zeros(1, 3), **counts(), **params)
    weight = 0.1 + 1 / (1 + math.exp(-3.0 * 0.8))
    assert_close(losses, torch.full((1, 3), weight * math.log(2)))
    alone = torch.tensor([[0.0, 1.0, 0.0]])  # a row with one positive has r = 1 for that label
    losses = distribution_balanced_loss(torch.zeros(1, 3), alone, **counts(), **params)
    assert_close(losses[0, 1].item(), weight * math.log(2), rtol=1e-6, atol=0)


def test_an_unknown_label_draws_no_row():
    logits, targets = random_batch()
    loss = DistributionBalancedLoss(**counts(), reduction="none")
    absent, unknown = targets.clone(), targets.clone()
    absent[:, 2], unknown[:4, 2], unknown[4:, 2] = 0, torch.nan, -1
    losses = loss(logits, unknown)
    assert_close(losses[:, :2], loss(logits, absent)[:, :2])
    assert_close(losses[:, 2], torch.zeros(8, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64])
def test_indicators_are_of_any_type(dtype):
    logits, targets = random_batch()
    losses = distribution_balanced_loss(logits, targets.to(dtype), **counts())
    assert losses.dtype == logits.dtype
    assert_close(losses, distribution_balanced_loss(logits, targets, **counts()))


def test_logits_are_left_as_they_are():
    logits, targets = random_batch()
    before = logits.clone()
    distribution_balanced_loss(logits, targets, **counts())
    assert torch.equal(logits, before)


def test_labels_on_axis_one_of_images():
    logits, targets = random_batch()
    images = logits.T.reshape(1, 3, 2, 4), targets.T.reshape(1, 3, 2, 4)
    losses = distribution_balanced_loss(*images, **counts())
    expected = distribution_balanced_loss(logits, targets, **counts())
    assert_close(losses.reshape(3, 8).T, expected)
    per_label = {**counts(), "n_samples": torch.tensor([N, N, N])}
    assert_close(distribution_balanced_loss(*images, **per_label), losses)


@pytest.mark.parametrize("label_counts", [[0, 600, 5], [1, 300, 600]])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("negative_scale", [1.0, 5.0])
def test_saturated_logits_and_empty_or_full_labels_stay_finite(label_counts, gamma, negative_scale):
    loss = DistributionBalancedLoss(
        label_counts=label_counts,
        n_samples=N,
        gamma=gamma,
        negative_scale=negative_scale,
        reduction="none",
    )
    logits = torch.tensor([-200.0, 200.0]).repeat(3, 2, 1).permute(1, 0, 2)[:, :, 0]
    logits = torch.cat([logits, -logits]).requires_grad_()
    targets = torch.tensor([1.0, 0.0, 0.0, 1.0])[:, None].expand(4, 3)
    losses = loss(logits, targets)
    losses.sum().backward()
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()


def test_counts_are_buffers():
    loss = DistributionBalancedLoss(**counts())
    assert set(dict(loss.named_buffers())) == {"label_counts", "n_samples"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, r"DistributionBalancedLoss needs label_counts and n_samples: pass the positives"),
        ({"label_counts": [5], "n_samples": 4}, r"label_counts go up to 5 and n_samples is 4.0"),
        ({**counts(), "gamma": -1}, r"gamma=-1 is negative: pass 0 or more"),
        ({**counts(), "negative_scale": 0}, r"negative_scale=0 is not above 0: pass 1 to leave"),
    ],
)
def test_bad_parameters_get_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        DistributionBalancedLoss(**params)


def test_counts_of_other_labels_get_a_sentence():
    loss = DistributionBalancedLoss(**counts())
    with pytest.raises(ValueError, match=r"label_counts has shape \(3,\) and the logits \(1, 2\)"):
        loss(torch.zeros(1, 2), torch.zeros(1, 2))
