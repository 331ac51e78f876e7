"""What every loss promises: precision, missing targets, weights, reductions, pickles."""

import pickle

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import LOSSES, Loss, get_loss
from tests.nn.instances import LOSS_CASES

every_loss = pytest.mark.parametrize("case", LOSS_CASES, ids=str)


def missing(case, targets, rows):
    """Return targets that are missing in some rows, by the marks that the loss knows."""
    targets = targets.clone()
    targets[rows] = case.make().ignore_index
    if targets.is_floating_point():
        targets[rows[-1]] = torch.nan
    return targets


def test_every_name_has_a_case():
    assert {case.name for case in LOSS_CASES} == set(LOSSES)


@every_loss
def test_gradient_is_the_numerical_one(case):
    logits, targets = case.batch(n=3 if case.targets in {"pixels", "masks"} else 6)
    targets = missing(case, targets, [1])
    loss = case.make().double()
    # Logit by logit once, as a mean or sum of right derivatives needs one direction only.
    for reduction, fast in (("none", False), ("mean", True), ("sum", True)):
        loss.reduction = reduction
        assert torch.autograd.gradcheck(
            lambda z: loss(z, targets), logits.requires_grad_(), fast_mode=fast
        )


@every_loss
def test_reductions_agree(case):
    logits, targets = case.batch()
    losses = case.make(reduction="none")(logits, targets)
    assert_close(case.make(reduction="sum")(logits, targets), losses.sum())
    mean = case.make(reduction="mean")(logits, targets)
    if case.params.get("mean_over") != "weights" and case.all_targets_count:
        assert_close(mean, losses.mean())


@every_loss
def test_missing_targets_leave_the_mean_and_the_gradient(case):
    logits, targets = case.batch()
    holes, kept = missing(case, targets, [2, 3]), [0, 1, 4, 5]
    logits.requires_grad_()
    loss = case.make()(logits, holes)
    assert_close(loss, case.make()(logits[kept], targets[kept]))
    loss.backward()
    assert torch.equal(logits.grad[2:4], torch.zeros_like(logits[2:4]))
    if case.all_targets_count:
        assert (logits.grad[kept].flatten(1) != 0).any(dim=1).all()


@every_loss
def test_a_batch_without_targets_costs_nothing_and_can_be_backpropagated(case):
    logits, targets = case.batch()
    logits.requires_grad_()
    value = case.make()(logits, missing(case, targets, list(range(len(targets)))))
    value.backward()
    assert value == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("sign", [1, -1])
def test_saturated_logits_stay_finite(case, dtype, sign):
    logits, targets = case.batch(dtype)
    logits = (200 * sign * logits.sign()).requires_grad_()
    loss = case.make()(logits, targets)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@every_loss
def test_float32_under_autocast(case):
    logits, targets = case.batch(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = case.make()(logits, targets)
    assert loss.dtype == torch.float32
    assert_close(loss, case.make()(logits.float(), targets))


@every_loss
def test_sample_weights_multiply_the_losses(case):
    logits, targets = case.batch()
    weight = torch.tensor([0.0, 1, 2, 3, 0.5, 1], dtype=torch.float64)
    losses = case.make(reduction="none")(logits, targets)
    weighted = case.make(reduction="none")(logits, targets, sample_weight=weight)
    if case.elementwise:
        assert_close(weighted, losses * weight.reshape(-1, *[1] * (losses.ndim - 1)))
    total = case.make(reduction="sum")(logits, targets, sample_weight=weight)
    assert_close(total, weighted.sum())


@every_loss
def test_pickles_and_moves_with_its_buffers(case):
    logits, targets = case.batch()
    loss = case.make()
    again = pickle.loads(pickle.dumps(loss))
    assert_close(again(logits, targets), loss(logits, targets))
    assert loss.predict_nonlinearity in {"softmax", "sigmoid"}
    for buffer in loss.double().buffers():
        assert not buffer.is_floating_point() or buffer.dtype == torch.float64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_loss("focal", reduction="max"), r"reduction='max' is unknown: choose 'none'"),
        (lambda: get_loss("focal", mean_over="rows"), r"mean_over='rows' is unknown: choose 'targ"),
    ],
)
def test_bad_options_get_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_subclass_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match="Loss must implement _losses"):
        Loss()(torch.zeros(2, 2), torch.zeros(2, 2))


def test_the_prior_factor_is_what_the_best_logits_are_off_by():
    # The best constant logits are the log prior, shifted by the factor.
    counts = torch.tensor([90.0, 9.0, 1.0])
    weight = [1.0, 2.0, 5.0]
    targets = torch.arange(3).repeat_interleave(counts.long())
    for loss in (
        get_loss("cross_entropy"),
        get_loss("cross_entropy", weight=weight),
        get_loss("logit_adjusted", class_counts=counts),
        get_loss("logit_adjusted", class_counts=counts, tau=0.5, weight=weight),
    ):
        # The losses are convex, so that a gradient of 0 is the minimum.
        logits = (counts * loss.prior_factor()).log().requires_grad_()
        loss(logits.expand(100, 3), targets).backward()
        assert_close(logits.grad, torch.zeros(3), rtol=0, atol=1e-6)
    assert get_loss("focal").prior_factor() is None
