"""The names of the losses: every public loss has one, and a wrong one gets a sentence."""

import pytest

import skrecall.nn
from skrecall.nn import (
    LOSSES,
    CombinedLoss,
    Loss,
    SigmoidLoss,
    SoftmaxFocalLoss,
    SoftmaxLoss,
    get_loss,
    takes_counts,
)


def test_every_loss_has_a_name():
    public = [getattr(skrecall.nn, name) for name in skrecall.nn.__all__]
    losses = {c for c in public if isinstance(c, type) and issubclass(c, Loss)}
    assert losses - {Loss, SigmoidLoss, SoftmaxLoss} <= set(LOSSES.values())


def test_names_with_weights_are_a_sum():
    loss = get_loss({"cross_entropy": 1.0, "focal": 2}, reduction="sum")
    assert isinstance(loss, CombinedLoss)
    assert (loss.loss_weights, loss.reduction) == ((1.0, 2.0), "sum")


FOCAL = {"loss": "focal"}
GIVEN = {"class_counts": [1, 2]}


@pytest.mark.parametrize(
    ("loss", "params", "expected"),
    [
        ("cross_entropy", None, {"class_counts"}),
        ("cross_entropy", GIVEN, set()),
        ("hard_example_mining", None, {"class_counts"}),
        ("hard_example_mining", FOCAL, {"class_counts"}),
        ("hard_example_mining", {**FOCAL, "loss_params": GIVEN}, set()),
        ("hard_example_mining", {**FOCAL, **GIVEN}, set()),
        ("hard_example_mining", {"loss": SoftmaxFocalLoss()}, set()),
        ("hard_example_mining", {"loss": {"focal": 1.0}}, {"class_counts"}),
        ({"focal": 1.0, "cross_entropy": 1.0}, None, {"class_counts"}),
        ({"focal": 1.0}, {"loss_params": {"focal": GIVEN}}, set()),
        ({"focal": 1.0, "cross_entropy": 1.0}, {"loss_params": {"focal": GIVEN}}, {"class_counts"}),
        ("combined", {"losses": [(SoftmaxFocalLoss(), 1.0)]}, set()),
        ("combined", {"losses": [(SoftmaxFocalLoss(), 1.0), ("focal", 1.0)]}, {"class_counts"}),
    ],
)
def test_takes_counts_sees_through_losses_made_of_losses(loss, params, expected):
    assert takes_counts(loss, params) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_loss("focall"), r"loss='focall' is unknown: choose 'cross_entropy', 'focal'"),
        (lambda: takes_counts("focall"), r"loss='focall' is unknown: choose 'cross_entropy'"),
        (lambda: get_loss({"focall": 1.0}), r"loss='focall' is unknown: choose 'cross_entropy'"),
        (lambda: get_loss("cross_entropy", gamma=2), r"does not take \{'gamma': 2\}"),
    ],
)
def test_bad_names_get_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
