"""Partial labels: plain loops over every mode, the choice of likely labels, and saturation."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    HardExampleMining,
    PartialLabelLoss,
    asymmetric_loss,
    partial_label_loss,
    weighted_binary_cross_entropy,
)

MODES = ["ignore", "normalized", "negative", "selective"]
PRIOR = [0.01, 0.3, 0.02, 0.04]


def random_batch():
    """Return logits and an indicator of 8 rows, a third unknown, by both marks."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(8, 4, generator=generator, dtype=torch.float64)
    targets = torch.randint(-1, 2, (8, 4), generator=generator).double()
    targets[4:] = targets[4:].where(targets[4:] != -1, torch.nan)
    return logits, targets


def plain_loss(logits, targets, mode, *, gammas=(0.0, 1.0, 2.0), clip=0.0, n_likely=1, prior=PRIOR):
    targets = torch.nan_to_num(targets, nan=-1).tolist()
    order = sorted(
        ((-z, i, j) for i, row in enumerate(logits.tolist()) for j, z in enumerate(row)),
    )
    likely = [(i, j) for _, i, j in order if targets[i][j] == -1][: n_likely * len(targets)]
    losses = torch.zeros_like(logits)
    for i, row in enumerate(targets):
        n_known = sum(t != -1 for t in row)
        for j, t in enumerate(row):
            p = 1 / (1 + math.exp(-logits[i, j].item()))
            shifted = max(p - clip, 0)
            if t == 1:
                loss = -((1 - p) ** gammas[0]) * math.log(p)
            else:
                loss = -(shifted ** gammas[1 if t == 0 else 2]) * math.log(1 - shifted)
            if t == -1:
                if mode in {"ignore", "normalized"}:
                    loss = 0.0
                if mode == "selective" and ((i, j) in likely or prior[j] > 0.05):
                    loss = 0.0
            if mode == "normalized":
                loss *= 1 + 1 / (1 + n_known)
            losses[i, j] = loss
    return losses


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("gammas", "clip"), [((0.0, 1.0, 2.0), 0.0), ((1.0, 4.0, 0.5), 0.05)])
def test_is_the_plain_formula(mode, gammas, clip):
    logits, targets = random_batch()
    params = dict(zip(["gamma_positive", "gamma_negative", "gamma_unknown"], gammas, strict=True))
    losses = partial_label_loss(
        logits,
        targets,
        mode=mode,
        clip=clip,
        n_likely=1,
        label_prior=torch.tensor(PRIOR),
        **params,
    )
    assert_close(losses, plain_loss(logits, targets, mode, gammas=gammas, clip=clip))


def test_without_exponents_ignoring_is_cross_entropy_of_known_labels():
    logits, targets = random_batch()
    known = targets >= 0
    loss = PartialLabelLoss(mode="ignore", gamma_negative=0.0)
    expected = weighted_binary_cross_entropy(logits[known], targets[known]).mean()
    assert_close(loss(logits, targets), expected)


@pytest.mark.parametrize("mode", ["ignore", "negative", "selective"])
def test_with_all_labels_known_it_is_the_asymmetric_loss(mode):
    logits, targets = random_batch()
    targets = (targets == 1).double()
    losses = partial_label_loss(logits, targets, mode=mode, gamma_negative=3.0, clip=0.05)
    expected = asymmetric_loss(logits, targets, gamma_negative=3.0, gamma_positive=0.0)
    assert_close(losses, expected)


def test_selective_lies_between_ignoring_and_negatives():
    logits, targets = random_batch()
    none_likely = partial_label_loss(logits, targets, n_likely=0)
    assert_close(none_likely, partial_label_loss(logits, targets, mode="negative"))
    all_likely = partial_label_loss(logits, targets, n_likely=4)
    assert_close(all_likely, partial_label_loss(logits, targets, mode="ignore"))
    high = torch.ones(4)
    all_frequent = partial_label_loss(logits, targets, n_likely=0, label_prior=high)
    assert_close(all_frequent, partial_label_loss(logits, targets, mode="ignore"))


def test_the_likely_labels_are_those_of_the_batch_and_never_known_ones():
    logits = torch.tensor([[5.0, 4.0, 3.0], [0.0, 1.0, 9.0]])
    targets = torch.tensor([[-1.0, -1.0, -1.0], [-1.0, -1.0, 0.0]])
    losses = partial_label_loss(logits, targets, n_likely=1)
    expected = torch.tensor([[True, True, False], [False, False, False]])
    assert torch.equal(losses == 0, expected)
    equal = partial_label_loss(torch.zeros(2, 3), targets, n_likely=1)
    assert torch.equal(equal == 0, expected)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
def test_indicators_are_of_any_type(dtype):
    logits, targets = random_batch()
    targets = targets.nan_to_num(-1)
    losses = partial_label_loss(logits, targets.to(dtype))
    assert losses.dtype == logits.dtype
    assert_close(losses, partial_label_loss(logits, targets))


@pytest.mark.parametrize("mode", MODES)
def test_the_mean_is_over_what_counts(mode):
    logits, targets = random_batch()
    loss = PartialLabelLoss(mode=mode, n_likely=1, label_prior=PRIOR)
    total = plain_loss(logits, targets, mode).sum()
    n = (targets >= 0).sum() if mode in {"ignore", "normalized"} else targets.numel()
    assert_close(loss(logits, targets), total / n)
    loss.reduction = "sum"
    weight = torch.arange(8.0, dtype=torch.float64)
    expected = (plain_loss(logits, targets, mode) * weight[:, None]).sum()
    assert_close(loss(logits, targets, sample_weight=weight), expected)


@pytest.mark.parametrize("mode", MODES)
def test_gradient_is_the_numerical_one(mode):
    logits, targets = random_batch()
    loss = PartialLabelLoss(mode=mode, n_likely=1, label_prior=PRIOR).double()
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), logits.requires_grad_())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_saturated_logits_stay_finite(mode, gamma, clip):
    logits = torch.tensor([[-200.0, 200.0]] * 3, requires_grad=True)
    targets = torch.tensor([[1.0, 1], [0, 0], [math.nan, -1]])
    loss = PartialLabelLoss(
        mode=mode,
        gamma_positive=gamma,
        gamma_negative=gamma,
        gamma_unknown=gamma,
        clip=clip,
        n_likely=0,
    )
    value = loss(logits, targets)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("mode", ["ignore", "negative"])
def test_mining_mines_the_unknown_labels_that_count(mode):
    logits = torch.tensor([[3.0, 2.0, -2.0]])
    targets = torch.tensor([[math.nan, 0.0, 0.0]])
    loss = HardExampleMining(
        PartialLabelLoss(mode=mode), level="label", keep=0.01, reduction="none"
    )
    hardest = 0 if mode == "negative" else 1
    assert (loss(logits, targets)[0] > 0).nonzero().flatten().tolist() == [hardest]


def test_priors_are_a_buffer():
    assert_close(
        dict(PartialLabelLoss(label_prior=PRIOR).named_buffers()),
        {"label_prior": torch.tensor(PRIOR)},
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PartialLabelLoss(mode="drop"), r"mode='drop' is unknown: choose 'ignore', 'norm"),
        (lambda: PartialLabelLoss(gamma_unknown=-1), r"gamma_unknown=-1 would weigh easy targets"),
        (lambda: PartialLabelLoss(clip=-0.1), r"clip=-0.1 is out of range"),
        (lambda: PartialLabelLoss(n_likely=-1), r"n_likely=-1 is negative: pass 0 or more"),
        (lambda: PartialLabelLoss(label_prior=[3.0, 50.0]), r"label_prior reaches from 3 to 50"),
        (
            lambda: PartialLabelLoss(label_prior=[0.1, 0.2])(torch.zeros(2, 4), torch.zeros(2, 4)),
            r"label_prior has shape \(2,\) and the logits \(2, 4\): pass one value per label",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
