"""The asymmetric loss against published numbers, the plain formula, identities and saturation."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    AsymmetricLoss,
    asymmetric_loss,
    sigmoid_focal_loss,
    weighted_binary_cross_entropy,
)


def random_batch(soft=False):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20, 3, generator=generator, dtype=torch.float64)
    targets = torch.rand(20, 3, generator=generator, dtype=torch.float64)
    return logits, targets if soft else targets.round()


def test_reference_values():
    logits = torch.tensor([[2.0, -3.0, 0.5], [-1.0, 1.5, -20.0]])
    targets = torch.tensor([[1.0, 0, 0], [0, 1, 1]])
    expected = torch.tensor([[0.0151302, 0, 0.09125301], [0.0005678, 0.03674293, 20]])
    assert_close(asymmetric_loss(logits, targets), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(
    ("negative", "positive", "clip"),
    [(4.0, 1.0, 0.05), (4.0, 0.0, 0.0), (0.5, 0.5, 0.2), (0.0, 0.0, 0.7)],
)
def test_is_the_plain_formula(soft, negative, positive, clip):
    logits, targets = random_batch(soft)
    expected = []
    for z, t in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        shifted = max(p - clip, 0)
        loss = -t * (1 - p) ** positive * math.log(p)
        expected.append(loss - (1 - t) * shifted**negative * math.log(1 - shifted))
    losses = asymmetric_loss(
        logits, targets, gamma_negative=negative, gamma_positive=positive, clip=clip
    )
    assert_close(losses.flatten(), torch.tensor(expected, dtype=torch.float64))


def test_without_asymmetry_it_is_cross_entropy_and_focal_loss():
    logits, targets = random_batch()
    plain = asymmetric_loss(logits, targets, gamma_negative=0, gamma_positive=0, clip=0)
    assert_close(plain, weighted_binary_cross_entropy(logits, targets))
    focal = asymmetric_loss(logits, targets, gamma_negative=2, gamma_positive=2, clip=0)
    assert_close(focal, sigmoid_focal_loss(logits, targets, gamma=2.0))


@pytest.mark.parametrize("negative", [0.0, 0.01, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("positive", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("clip", [0.0, 1e-12, 0.05, 0.9])
def test_saturated_logits_stay_finite(negative, positive, clip):
    logits = torch.tensor([[-200.0, -20.0, -3.0, 0.0, 20.0, 200.0]] * 2, requires_grad=True)
    targets = torch.tensor([[1.0], [0.0]]).expand(2, 6)
    losses = asymmetric_loss(
        logits, targets, gamma_negative=negative, gamma_positive=positive, clip=clip
    )
    losses.sum().backward()
    assert losses.isfinite().all()
    assert (losses >= 0).all()
    assert logits.grad.isfinite().all()
    # A positive that is missed keeps its gradient; probabilities clamped at 1e-8 would have none.
    assert_close(losses[0, 0].item(), 200.0)
    assert_close(logits.grad[0, :2], torch.tensor([-1.0, -1.0]))
    if clip == 0:
        assert_close(losses[1, 5].item(), 200.0)
        assert_close(logits.grad[1, 5].item(), 1.0)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64])
def test_indicators_are_of_any_type(dtype):
    logits, targets = random_batch()
    losses = asymmetric_loss(logits, targets.to(dtype))
    assert losses.dtype == logits.dtype
    assert_close(losses, asymmetric_loss(logits, targets))


def test_easy_negatives_cost_nothing():
    logits = torch.tensor([[-3.0, -2.0]], requires_grad=True)  # p is .047 and .119
    losses = asymmetric_loss(logits, torch.zeros(1, 2))
    losses.sum().backward()
    assert losses[0, 0] == 0 == logits.grad[0, 0]
    assert losses[0, 1] > 0 < logits.grad[0, 1]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"gamma_negative": -1}, r"gamma_negative=-1 would weigh easy targets most"),
        ({"gamma_positive": -1}, r"gamma_positive=-1 would weigh easy targets most"),
        ({"clip": 1.0}, r"clip=1.0 is out of range: pass 0 <= clip < 1"),
    ],
)
def test_bad_parameters_get_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        AsymmetricLoss(**params)
