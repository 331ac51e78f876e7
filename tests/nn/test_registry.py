"""The names of the losses: every public loss has one, and a wrong one gets a sentence."""

import pytest

import skrecall.nn
from skrecall.nn import LOSSES, Loss, SigmoidLoss, SoftmaxLoss, get_loss


def test_every_loss_has_a_name():
    public = [getattr(skrecall.nn, name) for name in skrecall.nn.__all__]
    losses = {c for c in public if isinstance(c, type) and issubclass(c, Loss)}
    assert losses - {Loss, SigmoidLoss, SoftmaxLoss} <= set(LOSSES.values())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_loss("focall"), r"loss='focall' is unknown: choose 'cross_entropy', 'focal'"),
        (lambda: get_loss("cross_entropy", gamma=2), r"does not take \{'gamma': 2\}"),
    ],
)
def test_bad_names_get_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
