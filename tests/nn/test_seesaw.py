"""Seesaw loss against a plain loop, cross entropy, and what it counts when."""

import copy
import math
import pickle

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import SeesawLoss, seesaw_loss, weighted_cross_entropy
from tests.nn.instances import LossCase

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-1.0, 3.0, 0.0]])
TARGETS = torch.tensor([0, 2, 0])
COUNTS = torch.tensor([400, 0, 20, 3])


def factors(row, target, counts, p, q):
    """Return what the exponentials of one row are multiplied by."""
    exponentials = [math.exp(z) for z in row]
    share = [value / sum(exponentials) for value in exponentials]
    found = []
    for j, n_j in enumerate(counts):
        ratio = max(n_j, 1) / max(counts[target], 1)
        mitigation = ratio**p if ratio < 1 else 1.0
        ratio = share[j] / max(share[target], 0.01)
        compensation = ratio**q if ratio > 1 else 1.0
        found.append(1.0 if j == target else mitigation * compensation)
    return found


def plain(logits, targets, counts, p, q):
    losses, gradients = [], []
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        seesaw = factors(row, target, counts, p, q)
        scaled = [s * math.exp(z) for s, z in zip(seesaw, row, strict=True)]
        share = [value / sum(scaled) for value in scaled]
        losses.append(-math.log(share[target]))
        gradients.append([s - (j == target) for j, s in enumerate(share)])
    return torch.tensor(losses).double(), torch.tensor(gradients).double()


@pytest.mark.parametrize(("p", "q"), [(0.8, 2.0), (0.0, 2.0), (0.8, 0.0), (0.3, 0.7)])
def test_it_is_the_plain_loop_gradient_included(p, q):
    logits, targets = LossCase("seesaw").batch(n=40)
    losses = seesaw_loss(logits.requires_grad_(), targets, COUNTS, p=p, q=q)
    losses.sum().backward()
    expected, gradient = plain(logits.detach(), targets, COUNTS.tolist(), p, q)
    assert_close(losses, expected, rtol=1e-6, atol=1e-6)
    # The factors are constants of the gradient.
    assert_close(logits.grad, gradient, rtol=1e-6, atol=1e-6)


def test_pixels_are_rows():
    logits, targets = LossCase("seesaw", targets="pixels").batch()
    flat = seesaw_loss(logits.movedim(1, -1).reshape(-1, 4), targets.flatten(), COUNTS)
    assert_close(seesaw_loss(logits, targets, COUNTS).flatten(), flat)


def test_without_mitigation_and_compensation_it_is_cross_entropy():
    logits, targets = LossCase("seesaw", targets="pixels").batch()
    targets[0, 0, 0] = -100
    weight = torch.tensor([1.0, 2.0, 5.0, 0.5])
    loss = SeesawLoss(p=0.0, q=0.0, weight=weight, reduction="none")
    assert_close(loss(logits, targets), weighted_cross_entropy(logits, targets, weight=weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_saturated_logits_stay_finite(dtype):
    logits = torch.tensor([[200.0, -200.0], [200.0, -200.0]], dtype=dtype, requires_grad=True)
    losses = seesaw_loss(logits, torch.tensor([0, 1]), torch.tensor([1, 10]))
    # A confident miss: the margin, the compensation of a probability of 0.01, the mitigation.
    expected = [0.0, 400 + 2 * math.log(100) + 0.8 * math.log(0.1)]
    assert_close(losses, torch.tensor(expected))
    losses.sum().backward()
    assert logits.grad.isfinite().all()
    assert logits.grad[1, 0] > 0 > logits.grad[1, 1]


def test_it_counts_the_targets_of_training_and_no_others():
    loss = SeesawLoss()
    assert len(loss.running_counts) == 0
    loss(LOGITS, TARGETS)
    loss(LOGITS, torch.tensor([1, -100, 0]))
    assert loss.running_counts.tolist() == [3, 1, 1]
    loss.eval()
    value = loss(LOGITS, TARGETS)
    assert loss.running_counts.tolist() == [3, 1, 1]
    assert_close(value, seesaw_loss(LOGITS, TARGETS, torch.tensor([3, 1, 1])).mean())
    assert len(SeesawLoss().running_counts) == 0


def test_before_training_all_classes_count_alike():
    value = SeesawLoss().eval()(LOGITS, TARGETS)
    assert_close(value, seesaw_loss(LOGITS, TARGETS, torch.ones(3)).mean())


def test_counts_are_saved_copied_and_loaded_into_a_new_loss():
    loss = SeesawLoss()
    loss(LOGITS, TARGETS)
    new = SeesawLoss()
    new.load_state_dict(loss.state_dict())
    for again in (new, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert again.running_counts.tolist() == [2, 0, 1]
    new(LOGITS, TARGETS)
    assert loss.running_counts.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SeesawLoss(p=-1), r"p=-1 and q=2.0 would favour"),
        (lambda: SeesawLoss(q=-2), r"p=0.8 and q=-2 would favour"),
        (lambda: seesaw_loss(LOGITS, TARGETS, COUNTS), r"counts holds 4 values and the logits 3"),
        (lambda: SeesawLoss()(LOGITS, TARGETS[:1]), r"targets have shape \(1,\)"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
