"""Distillation against torch's divergence, plain loops, and identities of the temperature."""

import math
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from skrecall.nn import (
    Loss,
    SigmoidDistillationLoss,
    SoftmaxDistillationLoss,
    get_loss,
    sigmoid_distillation,
    softmax_distillation,
)

PAIRS = [
    (SoftmaxDistillationLoss, softmax_distillation, torch.softmax),
    (SigmoidDistillationLoss, sigmoid_distillation, lambda z, dim: torch.sigmoid(z)),
]
both = pytest.mark.parametrize(
    ("loss", "function", "nonlinearity"), PAIRS, ids=["softmax", "sigmoid"]
)


def batch(n=5, n_outputs=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    student, teacher = (
        2 * torch.randn(n, n_outputs, generator=generator, dtype=dtype) for _ in range(2)
    )
    return student, teacher


def targets_of(loss, n=5, n_outputs=3):
    generator = torch.Generator().manual_seed(1)
    if loss is SoftmaxDistillationLoss:
        return torch.randint(n_outputs, (n,), generator=generator)
    return torch.randint(2, (n, n_outputs), generator=generator).double()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_softmax_is_torchs_divergence_summed_over_classes(temperature):
    student, teacher = batch()
    log_q = torch.log_softmax(student / temperature, dim=1)
    p = torch.softmax(teacher / temperature, dim=1)
    losses = softmax_distillation(
        student, teacher, temperature=temperature, teacher_output="logits"
    )
    per_batch = temperature**2 * F.kl_div(log_q, p, reduction="batchmean")
    assert_close(losses.mean(), per_batch)
    # torch's default mean divides by the classes as well: 2.2103 would become .7368 at three.
    per_element = temperature**2 * F.kl_div(log_q, p, reduction="none")
    assert_close(losses.mean(), 3 * per_element.mean())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_sigmoid_is_the_plain_divergence(temperature):
    student, teacher = batch()
    expected = []
    for z, t in zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True):
        q, p = (1 / (1 + math.exp(-x / temperature)) for x in (z, t))
        kl = p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
        expected.append(temperature**2 * kl)
    losses = sigmoid_distillation(
        student, teacher, temperature=temperature, teacher_output="logits"
    )
    assert_close(losses.flatten(), torch.tensor(expected, dtype=torch.float64))


@both
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_softening_probabilities_is_softening_logits(loss, function, nonlinearity, temperature):
    student, teacher = batch()
    from_logits = function(student, teacher, temperature=temperature, teacher_output="logits")
    probabilities = nonlinearity(teacher, dim=1)
    assert_close(function(student, probabilities, temperature=temperature), from_logits)
    if function is softmax_distillation:
        shifted = teacher + torch.arange(5.0)[:, None]
        again = function(student, shifted, temperature=temperature, teacher_output="logits")
        assert_close(again, from_logits)


@both
def test_two_labels_of_one_question_agree(loss, function, nonlinearity):
    # A softmax of two classes is a sigmoid of the difference of their logits.
    student, teacher = batch(n_outputs=2)
    ours = softmax_distillation(student, teacher.softmax(1), temperature=2.5)
    difference = student[:, 1] - student[:, 0]
    expected = sigmoid_distillation(difference, teacher.softmax(1)[:, 1], temperature=2.5)
    assert_close(ours, expected)


@both
def test_a_student_like_its_teacher_costs_nothing(loss, function, nonlinearity):
    student, _ = batch()
    losses = function(student.requires_grad_(), nonlinearity(student.detach(), dim=1))
    assert_close(losses, torch.zeros_like(losses))
    losses.sum().backward()
    assert_close(student.grad, torch.zeros_like(student))


@both
def test_certain_teachers_are_the_limit_of_nearly_certain_ones(loss, function, nonlinearity):
    student, _ = batch(n=3)
    certain = torch.eye(3, dtype=torch.float64)
    nearly = certain * (1 - 3e-15) + 1e-15
    student.requires_grad_()
    losses = function(student, certain, temperature=2.0)
    assert_close(losses, function(student, nearly, temperature=2.0), rtol=1e-4, atol=1e-5)
    losses.sum().backward()
    assert student.grad.isfinite().all()


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("temperature", [0.5, 4.0])
def test_saturated_logits_stay_finite(loss, function, nonlinearity, dtype, temperature):
    student = torch.tensor([[200.0, -200.0, 0.0], [-200.0, 200.0, 0.0]], dtype=dtype)
    for teacher in (student.flip(0), student):
        logits = student.clone().requires_grad_()
        criterion = loss(temperature=temperature)
        targets = targets_of(loss, n=2)
        value = criterion(logits, targets, nonlinearity(teacher.float(), dim=1))
        value.backward()
        assert value.dtype == torch.float32
        assert value.isfinite()
        assert logits.grad.isfinite().all()


@both
def test_the_mix_is_that_of_its_parts(loss, function, nonlinearity):
    student, teacher = batch()
    targets, probabilities = targets_of(loss), nonlinearity(teacher, dim=1)
    weight = torch.tensor([0.0, 1.0, 2.0, 0.5, 1.0], dtype=torch.float64)
    hard = loss().hard_loss
    soft = function(student, probabilities, temperature=3.0)
    for reduction in ("none", "mean", "sum"):
        hard.reduction = reduction
        expected = 0.25 * hard(student, targets, sample_weight=weight)
        weighted = soft * weight.reshape(-1, *[1] * (soft.ndim - 1))
        expected += 0.75 * (weighted if reduction == "none" else getattr(weighted, reduction)())
        criterion = loss(alpha=0.75, temperature=3.0, reduction=reduction)
        assert_close(criterion(student, targets, probabilities, sample_weight=weight), expected)


@both
def test_gradient_is_the_numerical_one(loss, function, nonlinearity):
    student, teacher = batch()
    criterion, targets = loss().double(), targets_of(loss)
    probabilities = nonlinearity(teacher, dim=1)
    assert torch.autograd.gradcheck(
        lambda z: criterion(z, targets, probabilities), student.requires_grad_()
    )


@both
def test_the_teacher_teaches_where_a_target_is_missing(loss, function, nonlinearity):
    student, teacher = batch()
    criterion = loss(alpha=0.5)
    targets = torch.full_like(targets_of(loss), criterion.hard_loss.ignore_index)
    probabilities = nonlinearity(teacher, dim=1)
    expected = 0.5 * function(student, probabilities).mean()
    assert_close(criterion(student, targets, probabilities), expected)


@both
def test_float32_under_autocast(loss, function, nonlinearity):
    student, teacher = batch(dtype=torch.bfloat16)
    targets, probabilities = targets_of(loss), nonlinearity(teacher.float(), dim=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss()(student, targets, probabilities)
    assert value.dtype == torch.float32
    assert_close(value, loss()(student.float(), targets, probabilities))


def test_the_hard_loss_is_any_of_ours_and_a_copy():
    hard = get_loss("focal", gamma=1.0)
    criterion = SoftmaxDistillationLoss(hard, reduction="sum")
    student, teacher = batch()
    criterion(student, targets_of(SoftmaxDistillationLoss), teacher.softmax(1))
    assert hard.reduction == "mean"
    assert criterion.hard_loss.gamma == 1.0
    assert pickle.loads(pickle.dumps(criterion)).hard_loss.gamma == 1.0


class ScaledLoss(Loss):
    """Cross entropy of cosines, and a note of the epoch."""

    predict_scale = 30.0

    def _losses(self, logits, targets):
        return F.cross_entropy(30 * logits, targets, reduction="none")

    def start_epoch(self, epoch, n_epochs):
        self.epoch = epoch, n_epochs


def test_scale_and_epoch_are_those_of_the_hard_loss():
    criterion = SoftmaxDistillationLoss(ScaledLoss(), alpha=1.0)
    criterion.start_epoch(2, 9)
    assert criterion.hard_loss.epoch == (2, 9)
    assert criterion.predict_scale == 30.0
    assert not criterion.takes_cosines
    student, teacher = batch()
    value = criterion(student, targets_of(SoftmaxDistillationLoss), teacher.softmax(1))
    assert_close(value, softmax_distillation(30 * student, teacher.softmax(1)).mean())


class LossPerRow(Loss):
    predict_nonlinearity = "sigmoid"

    def forward(self, logits, targets, sample_weight=None):
        return logits.sum(dim=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SoftmaxDistillationLoss(alpha=2), r"alpha=2 is no share of the soft loss"),
        (lambda: SoftmaxDistillationLoss(temperature=0), r"temperature=0 cannot divide logits"),
        (
            lambda: SigmoidDistillationLoss(teacher_output="scores"),
            r"teacher_output='scores' is unknown: choose 'probabilities', 'logits'",
        ),
        (lambda: SigmoidDistillationLoss(reduction="max"), r"reduction='max' is unknown"),
        (
            lambda: SoftmaxDistillationLoss(torch.nn.CrossEntropyLoss()),
            r"hard_loss is a CrossEntropyLoss: pass a skrecall.nn.Loss or a name",
        ),
        (
            lambda: SigmoidDistillationLoss("focal"),
            r"SoftmaxFocalLoss reads logits by a softmax and SigmoidDistillationLoss by a sigmoid",
        ),
        (
            lambda: softmax_distillation(torch.zeros(2, 3), torch.zeros(2, 4)),
            r"teacher's values have shape \(2, 4\) and the student's logits \(2, 3\)",
        ),
        (
            lambda: softmax_distillation(torch.zeros(1, 2), torch.tensor([[3.0, -1.0]])),
            r"values reach from -1 to 3, which are no probabilities: pass teacher_output='logits'",
        ),
        (
            lambda: softmax_distillation(torch.zeros(1, 2), torch.tensor([[0.9, 0.8]])),
            r"miss a sum of 1 by up to 0.7: use sigmoid_distillation",
        ),
        (
            lambda: sigmoid_distillation(torch.zeros(1, 2), torch.tensor([[0.9, math.nan]])),
            r"which are no probabilities",
        ),
        (
            lambda: SigmoidDistillationLoss(LossPerRow(), reduction="none")(
                torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 3)
            ),
            r"LossPerRow gives losses of shape \(2,\) and the soft loss \(2, 3\): pass reduction",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
