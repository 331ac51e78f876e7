"""Class weights against reference values, their definitions, and inside every softmax loss."""

import inspect

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import LOSSES, SoftmaxLoss, class_weights, get_loss
from tests.nn.instances import LOSS_CASES

COUNTS = [5000, 500, 50]
SOFTMAX_CASES = [case for case in LOSS_CASES if isinstance(case.make(), SoftmaxLoss)]
SOFTMAX_NAMES = sorted({case.name for case in SOFTMAX_CASES})


@pytest.mark.parametrize(
    ("beta", "expected"),
    [
        (0.99, [0.661041, 0.665413, 1.673546]),
        (0.999, [0.125629, 0.317017, 2.557354]),
        (0.9999, [0.034107, 0.275167, 2.690725]),
    ],
)
def test_effective_number_reference_values(beta, expected):
    weight = class_weights(COUNTS, "effective", beta=beta)
    assert_close(weight, torch.tensor(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("scheme", "of_count"),
    [
        ("inverse", lambda n: 1 / n),
        ("sqrt", lambda n: n**-0.5),
        ("effective", lambda n: (1 - 0.99) / (1 - 0.99**n)),
    ],
)
def test_weights_are_their_definition_scaled_to_the_number_of_classes(scheme, of_count):
    plain = [of_count(n) for n in COUNTS]
    expected = torch.tensor([3 * value / sum(plain) for value in plain])
    assert_close(class_weights(COUNTS, scheme, beta=0.99), expected, rtol=1e-6, atol=0)


def test_effective_number_lies_between_no_weights_and_the_inverse():
    assert_close(class_weights(COUNTS, "effective", beta=0.0), torch.ones(3))
    nearly = class_weights(COUNTS, "effective", beta=1 - 1e-12)
    assert_close(nearly, class_weights(COUNTS, "inverse"), rtol=1e-6, atol=0)
    # Classes beyond the horizon of beta weigh alike, to the last digit.
    assert_close(class_weights([1e9, 1e12], "effective", beta=0.999), torch.ones(2))


@pytest.mark.parametrize("scheme", ["inverse", "sqrt", "effective"])
def test_an_absent_class_weighs_as_much_as_the_rarest(scheme):
    weight = class_weights([5000, 0, 50], scheme)
    assert_close(weight, class_weights([5000, 50, 50], scheme))
    assert weight[1] == weight[2]


@pytest.mark.parametrize("name", SOFTMAX_NAMES)
def test_every_softmax_loss_takes_a_scheme(name):
    (case, *_) = [case for case in SOFTMAX_CASES if case.name == name]
    counts = [40, 30, 20, 10]
    logits, targets = case.batch()
    by_scheme = case.make(weight="effective", class_counts=counts, beta=0.99)
    by_values = case.make(weight=class_weights(counts, "effective", beta=0.99), class_counts=counts)
    assert_close(by_scheme(logits, targets), by_values(logits, targets))
    assert {"weight", "class_counts", "beta"} <= set(inspect.signature(LOSSES[name]).parameters)
    by_scheme.double()
    assert by_scheme.class_counts.tolist() == counts
    assert "class_counts" in dict(by_scheme.named_buffers())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: class_weights(COUNTS, "log"), r"'log' of class weights is unknown: choose 'inv"),
        (lambda: class_weights(COUNTS, beta=1.0), r"beta=1.0 is outside \[0, 1\)"),
        (lambda: class_weights([5, -1]), r"class counts are \[5.0, -1.0\]: pass one number of row"),
        (lambda: class_weights([0, 0]), r"at least above zero"),
        (lambda: class_weights([1, float("nan")]), r"class counts are \[1.0, nan\]"),
        (lambda: class_weights([[1, 2]]), r"pass one number of rows per class"),
        (
            lambda: get_loss("focal", weight="sqrt"),
            r"weight='sqrt' is computed from the counts of the classes, which are missing",
        ),
        (
            lambda: get_loss("focal", class_counts=[1, 2])(torch.zeros(1, 3), torch.tensor([0])),
            r"class_counts holds 2 values and the logits 3 classes",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
