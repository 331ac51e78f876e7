"""LDAM against reference values, its formula and scaled cross entropy."""

import math

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import LDAMLoss, ldam_loss, ldam_margins, weighted_cross_entropy
from tests.nn.instances import LossCase

COSINES = torch.tensor([[0.6, 0.2, -0.1], [0.1, 0.3, 0.25]])
TARGETS = torch.tensor([0, 2])
COUNTS = [5000, 500, 50]


def test_reference_value():
    loss = LDAMLoss(class_counts=COUNTS, scale=30)(COSINES, TARGETS)
    assert_close(loss.item(), 8.25159073, rtol=1e-6, atol=0)


def test_margins_of_a_long_tail():
    counts = [round(5000 * 0.01 ** (rank / 9)) for rank in range(10)]
    margins = ldam_margins(counts)
    assert_close(margins[0].item(), 0.158114, rtol=0, atol=1e-6)
    assert margins[-1] == 0.5
    assert_close(margins, torch.tensor([0.5 * (50 / n) ** 0.25 for n in counts]))


def test_an_absent_class_has_the_margin_of_the_rarest():
    assert_close(ldam_margins([5000, 0, 50]), ldam_margins([5000, 50, 50]))


def test_it_is_the_plain_formula():
    cosines, targets = LossCase("ldam").batch()
    cosines = cosines.tanh()
    margins = [0.1, 0.2, 0.3, 0.5]
    expected = []
    for row, target in zip(cosines.tolist(), targets.tolist(), strict=True):
        row[target] -= margins[target]
        total = sum(math.exp(10 * z) for z in row)
        expected.append(math.log(total) - 10 * row[target])
    losses = ldam_loss(cosines, targets, torch.tensor(margins).double(), scale=10.0)
    assert_close(losses, torch.tensor(expected, dtype=torch.float64))


def test_without_a_margin_it_is_scaled_cross_entropy():
    cosines, targets = LossCase("ldam", targets="pixels").batch()
    targets[0, 0, 0] = -100
    weight = torch.tensor([1.0, 2.0, 5.0, 0.5])
    loss = LDAMLoss(
        class_counts=[4, 3, 2, 1], max_margin=0.0, scale=7, weight=weight, reduction="none"
    )
    assert_close(
        loss(cosines, targets), weighted_cross_entropy(7 * cosines, targets, weight=weight)
    )


def test_predictions_scale_the_cosines_and_leave_the_margins_out():
    loss = LDAMLoss(class_counts=COUNTS, scale=20.0)
    assert loss.takes_cosines
    assert loss.predict_scale == 20.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (LDAMLoss, r"LDAMLoss is computed from the counts of the classes, which are missing"),
        (lambda: LDAMLoss(class_counts=COUNTS, scale=0), r"scale=0: pass a margin of 0 or more"),
        (lambda: LDAMLoss(class_counts=COUNTS, max_margin=-1), r"max_margin=-1 and scale=30"),
        (lambda: LDAMLoss(class_counts=[1, 2])(COSINES, TARGETS), r"class_counts holds 2 values"),
        (
            lambda: ldam_loss(COSINES, TARGETS, torch.ones(2)),
            r"margins holds 2 values and the logits 3 classes",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
