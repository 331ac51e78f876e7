"""Names of objects: others for others, equal ones for copies."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from skrecall.neural_network._fingerprint import fingerprint
from skrecall.nn import CombinedLoss, MultilayerPerceptron, RandomErasing, SmallCNN


def double(x):
    return 2 * x


def half(x):
    return x / 2


def times(factor):
    return lambda x: factor * x


class Box:
    def __init__(self, value):
        self.value = value


VALUES = [
    1, 1.0, "1", None, True, [1], (1,), {"a": 1}, {"a": 2}, {1, 2}, {1}, np.zeros(2),
    np.zeros((1, 2)), np.zeros(0), np.zeros(2, dtype=np.float32), np.array(["a", None]),
    torch.zeros(2), torch.float32, partial(double, x=1), partial(double, x=2), double, half,
    times(2), times(3), Box(1), Box(2), SmallCNN, nn.Linear(2, 1), nn.Linear(2, 1),
    nn.CrossEntropyLoss(label_smoothing=0.1), nn.CrossEntropyLoss(), Box(1).__init__,
]  # fmt: skip


def test_other_values_have_other_names():
    names = [fingerprint(value) for value in VALUES]
    assert len(set(names)) == len(VALUES)


def same_code_other_constant(factor):
    return eval(f"lambda x: x * {factor}")


def same_code_other_global(factor):
    return eval("lambda x: x * factor", {"factor": factor})


def loss_of_weight(weight):
    return CombinedLoss({"cross_entropy": 1.0, "focal": weight})


def erasing_inside(p):
    return nn.Sequential(RandomErasing(p=p))


def erasing_of_scale(least):
    return RandomErasing(scale=(least, 0.4))


@pytest.mark.parametrize(
    "make",
    [
        same_code_other_constant, same_code_other_global, loss_of_weight, erasing_inside,
        erasing_of_scale,
    ],
)  # fmt: skip
def test_what_no_repr_shows_is_seen(make):
    assert fingerprint(make(0.125)) == fingerprint(make(0.125))
    assert fingerprint(make(0.125)) != fingerprint(make(0.25))


@pytest.mark.parametrize(
    "value",
    [v for v in VALUES if "lambda" not in repr(v)] + [MultilayerPerceptron((4,), 2)],
    ids=lambda v: type(v).__name__,
)
def test_copies_have_the_same_name(value):
    assert fingerprint(value) == fingerprint(pickle.loads(pickle.dumps(value)))


def test_order_of_keys_and_mode_of_a_module_are_nothing():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    module = SmallCNN((1, 8, 8), 2)
    assert fingerprint(module.train()) == fingerprint(module.eval())


def test_what_holds_itself_has_a_name():
    loop = [1]
    loop.append(loop)
    assert fingerprint(loop) == fingerprint(loop)
