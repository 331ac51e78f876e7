"""The sigmoid focal loss against published numbers, torchvision, identities and saturation."""

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import SigmoidFocalLoss, sigmoid_focal_loss, weighted_binary_cross_entropy

LOGITS = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0, 100.0, -100.0])[None]
TARGETS = torch.tensor([1.0, 0, 1, 0, 1, 0, 1])[None]


def random_batch(soft=False):
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(50, 3, generator=generator)
    targets = torch.rand(50, 3, generator=generator)
    return logits, targets if soft else targets.round()


@pytest.mark.parametrize(
    ("alpha", "gamma", "expected"),
    [
        (0.25, 2, [0.41251957, 0.05068013, 0.04332170, 0.28305873, 0.00045089, 75, 25]),
        (None, 2, [1.6500783, 0.0675735, 0.1732868, 0.3774116, 0.0018036, 100, 100]),
        (None, 0, [2.12692809, 0.47407699, 0.69314718, 0.97407699, 0.12692802, 100, 100]),
    ],
)
def test_reference_values(alpha, gamma, expected):
    losses = sigmoid_focal_loss(LOGITS, TARGETS, alpha=alpha, gamma=gamma)
    assert_close(losses, torch.tensor([expected]), rtol=1e-6, atol=1e-7)


def test_mean_reference_value():
    mean = SigmoidFocalLoss(alpha=0.25)(LOGITS[:, :5], TARGETS[:, :5])
    assert_close(mean.item(), 0.15800622, rtol=1e-6, atol=0)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("alpha", [0.25, 0.8, None])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 3.5])
def test_is_torchvisions(soft, alpha, gamma):
    theirs = pytest.importorskip("torchvision.ops").sigmoid_focal_loss
    logits, targets = random_batch(soft)
    expected = theirs(logits, targets, alpha=-1 if alpha is None else alpha, gamma=gamma)
    losses = sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=gamma)
    assert_close(losses, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("soft", [False, True])
def test_gamma_zero_is_binary_cross_entropy(soft):
    logits, targets = random_batch(soft)
    losses = sigmoid_focal_loss(logits, targets, gamma=0.0)
    assert_close(losses, weighted_binary_cross_entropy(logits, targets))
    assert_close(sigmoid_focal_loss(logits, targets, gamma=0.0, alpha=0.5), losses / 2)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64])
def test_indicators_are_of_any_type(dtype):
    logits, targets = random_batch()
    losses = sigmoid_focal_loss(logits, targets.to(dtype))
    assert losses.dtype == logits.dtype
    assert_close(losses, sigmoid_focal_loss(logits, targets))


@pytest.mark.parametrize("gamma", [0.0, 0.01, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("magnitude", [60.0, 200.0])
def test_saturated_logits_stay_finite(gamma, target, magnitude):
    # torchvision's power has a NaN gradient here for gamma below 1.
    logits = torch.tensor([[-magnitude, magnitude]], requires_grad=True)
    targets = torch.full((1, 2), target)
    losses = sigmoid_focal_loss(logits, targets, gamma=gamma)
    losses.sum().backward()
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()
    if target in {0.0, 1.0}:
        wrong = int(target == 0)
        assert_close(losses[0, wrong].item(), magnitude)
        assert_close(logits.grad[0, wrong].abs().item(), 1.0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"gamma": -1}, r"gamma=-1 would weigh easy targets most"),
        ({"alpha": -1}, r"alpha=-1 is no share: pass 0 to 1, .5 or more to favour positives"),
    ],
)
def test_bad_parameters_get_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        SigmoidFocalLoss(**params)
