"""Mining against plain loops, by every level and rule, with weights, holes and a warm-up."""

import copy
import pickle

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    CombinedLoss,
    HardExampleMining,
    PartialLabelLoss,
    SeesawLoss,
    SigmoidFocalLoss,
    SigmoidLoss,
    SoftmaxFocalLoss,
    WeightedBinaryCrossEntropyLoss,
    WeightedCrossEntropyLoss,
    softmax_focal_loss,
    weighted_binary_cross_entropy,
    weighted_cross_entropy,
)
from tests.nn.instances import LOSS_CASES


class Hinge(SigmoidLoss):
    def _losses(self, logits, targets):
        return (1 - (2 * targets - 1) * logits).clamp(min=0)


class PerSample(SigmoidLoss):
    """One loss per row of labels, as losses that compare labels with each other have."""

    def forward(self, logits, targets, sample_weight=None):
        return Hinge(reduction="none")(logits, targets).mean(dim=1)


def batch(shape=(12, 3), seed=0, n_classes=None):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    targets = torch.randint(n_classes or shape[1], shape[:1] + shape[2:], generator=generator)
    return logits, targets


def indicator(shape=(8, 5), seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    return logits, torch.randint(2, shape, generator=generator).double()


def kept_by_loop(losses, candidates, n_kept):
    """Return a mask of the largest, by repeated search."""
    left = [i for i, ok in enumerate(candidates) if ok]
    kept = [False] * len(losses)
    for _ in range(min(n_kept, len(left))):
        hardest = max(left, key=lambda i: losses[i])
        left.remove(hardest)
        kept[hardest] = True
    return torch.tensor(kept)


@pytest.mark.parametrize("keep", [0.01, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("min_kept", [1, 5, 100])
def test_a_share_of_the_samples_is_kept(keep, min_kept):
    logits, targets = batch()
    losses = weighted_cross_entropy(logits, targets)
    kept = kept_by_loop(losses.tolist(), [True] * 12, max(min_kept, round(keep * 12)))
    mined = HardExampleMining(keep=keep, min_kept=min_kept)
    assert_close(mined(logits, targets), losses[kept].mean())
    mined.reduction = "none"
    assert_close(mined(logits, targets), losses.where(kept, 0))
    mined.reduction = "sum"
    assert_close(mined(logits, targets), losses[kept].sum())


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("rule", [{}, {"negative_class": 2}, {"positive_classes": [1]}])
def test_all_positives_and_the_hardest_negatives_are_kept(ratio, rule):
    logits, targets = batch((20, 4))
    if "positive_classes" in rule:
        positive = targets == 1
    else:
        positive = targets != rule.get("negative_class", 0)
    losses = weighted_cross_entropy(logits, targets)
    n_kept = max(1, round(ratio * int(positive.sum())))
    kept = positive | kept_by_loop(losses.tolist(), (~positive).tolist(), n_kept)
    mined = HardExampleMining(negatives_per_positive=ratio, **rule)
    assert_close(mined(logits, targets), losses[kept].mean())


@pytest.mark.parametrize("min_kept", [0, 1, 3])
def test_without_positives_the_least_number_of_negatives_is_kept(min_kept):
    logits, _ = batch()
    targets = torch.zeros(12, dtype=torch.long)
    losses = weighted_cross_entropy(logits, targets)
    mined = HardExampleMining(negatives_per_positive=3, min_kept=min_kept)
    value = mined(logits.requires_grad_(), targets)
    expected = losses.sort(descending=True).values[:min_kept]
    assert_close(value, expected.mean() if min_kept else torch.zeros_like(value))
    value.backward()
    assert (logits.grad != 0).any(dim=1).sum() == min_kept


def test_a_sample_is_the_mean_of_its_known_labels():
    logits, targets = indicator()
    targets[0, :3] = -1
    targets[1, 2:] = torch.nan
    targets[2] = -1
    loss = Hinge(reduction="none")(logits, targets)
    known = ~targets.isnan() & (targets != -1)
    hardness = [
        loss[i][known[i]].mean().item() if known[i].any() else 0.0 for i in range(len(loss))
    ]
    rows = kept_by_loop(hardness, known.any(dim=1).tolist(), round(0.6 * 7))
    chosen = known & rows[:, None]
    assert_close(HardExampleMining(Hinge(), keep=0.6)(logits, targets), loss[chosen].mean())


def test_labels_are_mined_one_by_one():
    logits, targets = indicator()
    targets[0, :3] = -1
    loss = Hinge(reduction="none")(logits, targets)
    known = (targets != -1).flatten()
    kept = kept_by_loop(loss.flatten().tolist(), known.tolist(), round(0.3 * 37))
    mined = HardExampleMining(Hinge(), keep=0.3, level="label")
    assert_close(mined(logits, targets), loss.flatten()[kept].mean())


@pytest.mark.parametrize("positive_classes", [None, [0, 3]])
def test_labels_that_are_true_are_all_kept(positive_classes):
    logits, targets = indicator()
    targets[0, :3] = -1
    loss = Hinge(reduction="none")(logits, targets)
    positive = targets == 1
    if positive_classes:
        positive &= torch.tensor([True, False, False, True, False])
    negative = ((targets != -1) & ~positive).flatten()
    n_kept = round(0.5 * int(positive.sum()))
    kept = positive.flatten() | kept_by_loop(loss.flatten().tolist(), negative.tolist(), n_kept)
    mined = HardExampleMining(
        Hinge(), negatives_per_positive=0.5, positive_classes=positive_classes, level="label"
    )
    assert_close(mined(logits, targets), loss.flatten()[kept].mean())


def test_a_row_with_a_rare_label_is_a_positive():
    logits, targets = indicator()
    positive = (targets[:, [1, 2]] == 1).all(dim=1)
    targets[:, 1] = positive.double()
    mined = HardExampleMining(
        Hinge(reduction="none"), negatives_per_positive=0, min_kept=0, positive_classes=[1]
    )
    assert 0 < positive.sum() < len(positive)
    assert_close(mined(logits, targets), Hinge()(logits[positive], targets[positive]))


@pytest.mark.parametrize("level", ["pixel", "label"])
def test_pixels_of_class_numbers_are_mined_over_the_batch(level):
    logits, targets = batch((2, 3, 4, 5))
    targets[0, 0] = -100
    losses = weighted_cross_entropy(logits, targets).flatten()
    kept = kept_by_loop(losses.tolist(), (targets != -100).flatten().tolist(), round(0.2 * 35))
    mined = HardExampleMining(keep=0.2, level=level)
    assert_close(mined(logits, targets), losses[kept].mean())


def test_pixels_of_masks_are_the_means_of_their_labels():
    logits, targets = indicator((2, 3, 4, 5))
    losses = Hinge(reduction="none")(logits, targets)
    per_pixel = losses.mean(dim=1).flatten()
    kept = kept_by_loop(per_pixel.tolist(), [True] * 40, 10)
    mined = HardExampleMining(Hinge(), keep=0.25, level="pixel")
    assert_close(mined(logits, targets), per_pixel[kept].mean())


def test_images_are_mined_whole():
    logits, targets = batch((6, 3, 2, 2))
    losses = weighted_cross_entropy(logits, targets).flatten(1).mean(dim=1)
    mined = HardExampleMining(keep=0.5)
    assert_close(mined(logits, targets), losses.sort().values[3:].mean())


def test_one_loss_per_row_is_mined_by_row():
    logits, targets = indicator()
    targets[3] = torch.nan
    losses = PerSample()(logits, targets)
    assert_close(
        HardExampleMining(PerSample(), keep=0.5)(logits, targets),
        losses.sort(descending=True).values[:4].mean(),
    )
    with pytest.raises(ValueError, match=r"losses of shape \(8,\) for targets of shape \(8, 5\)"):
        HardExampleMining(PerSample(), level="label")(logits, targets)


def test_weights_do_not_choose():
    logits, targets = batch()
    sample_weight = torch.rand(12, generator=torch.Generator().manual_seed(1)).double()
    class_weight = torch.tensor([0.0, 1.0, 10.0], dtype=torch.float64)
    plain = weighted_cross_entropy(logits, targets)
    # A class of weight 0 is as easy as can be; the others are chosen by their plain losses.
    hardness = plain.where(targets != 0, 0)
    kept = kept_by_loop(hardness.tolist(), [True] * 12, 6)
    inner = WeightedCrossEntropyLoss(weight=class_weight, mean_over="weights")
    mined = HardExampleMining(inner)
    weights = class_weight[targets]
    total = (plain * weights * sample_weight)[kept].sum()
    assert_close(mined(logits, targets, sample_weight), total / weights[kept].sum())


def test_weights_of_labels_do_not_choose():
    logits, targets = indicator()
    plain = weighted_binary_cross_entropy(logits, targets)
    kept = kept_by_loop(plain.flatten().tolist(), [True] * 40, 20).reshape(8, 5)
    inner = WeightedBinaryCrossEntropyLoss(pos_weight=[1, 5, 10, 20, 50])
    weighted = weighted_binary_cross_entropy(logits, targets, pos_weight=inner.pos_weight)
    for loss in (
        HardExampleMining(inner, level="label"),
        HardExampleMining(CombinedLoss([(inner, 1.0)]), level="label"),
    ):
        assert_close(loss(logits, targets), weighted[kept].mean())


def test_a_loss_that_counts_sees_each_batch_once():
    logits, targets = batch()
    loss = HardExampleMining(SeesawLoss(weight=[1.0, 2.0, 3.0]))
    alone = SeesawLoss(weight=[1.0, 2.0, 3.0])
    for _ in range(2):
        loss(logits.float(), targets)
        alone(logits.float(), targets)
    for name, buffer in alone.named_buffers():
        assert_close(loss.loss.get_buffer(name), buffer)


@pytest.mark.parametrize(
    "case", [c for c in LOSS_CASES if c.elementwise and c.all_targets_count], ids=str
)
def test_every_loss_can_be_mined(case):
    logits, targets = case.batch()
    inner = case.make()
    everything = HardExampleMining(inner, keep=1.0)
    assert_close(everything(logits, targets), inner(logits, targets))
    one = HardExampleMining(inner, keep=0.01, reduction="none")(logits, targets)
    assert (one != 0).flatten(1).any(dim=1).sum() == 1 if one.ndim > 1 else (one != 0).sum() == 1


def test_all_counts_in_the_warm_up_and_in_eval_mode():
    logits, targets = batch()
    everything = weighted_cross_entropy(logits, targets).mean()
    loss = HardExampleMining(keep=0.25, warmup=2)
    mined = loss(logits, targets)
    assert mined > everything  # nobody has spoken of epochs
    for epoch, expected in enumerate([everything, everything, mined, mined]):
        loss.start_epoch(epoch, 4)
        assert_close(loss(logits, targets), expected)
    assert_close(loss.eval()(logits, targets), everything)
    assert_close(pickle.loads(pickle.dumps(loss.train()))(logits, targets), mined)


def test_start_epoch_reaches_the_loss_inside():
    class Listening(WeightedCrossEntropyLoss):
        def start_epoch(self, epoch, n_epochs):
            self.heard = (epoch, n_epochs)

    loss = HardExampleMining(HardExampleMining(Listening()))
    loss.start_epoch(3, 10)
    assert loss.loss.loss.heard == (3, 10)


def test_the_loss_given_is_copied_and_its_params_reach_it():
    given = SoftmaxFocalLoss(gamma=1.0, ignore_index=7)
    before = copy.deepcopy(given.state_dict()), given.reduction
    loss = HardExampleMining(given)
    assert loss.loss is not given
    assert (given.state_dict(), given.reduction) == before
    assert loss.ignore_index == 7
    logits, targets = batch()
    by_name = HardExampleMining("focal", loss_params={"gamma": 1.0}, keep=1.0)
    expected = softmax_focal_loss(logits, targets, gamma=1.0).mean()
    assert_close(by_name(logits, targets), expected)
    assert HardExampleMining("focal", ignore_index=9).loss.ignore_index == 9


def test_counts_reach_the_loss_that_takes_them():
    loss = HardExampleMining(
        "cross_entropy", loss_params={"weight": "inverse"}, class_counts=[100, 10, 1], n_samples=111
    )
    expected = WeightedCrossEntropyLoss(weight="inverse", class_counts=[100, 10, 1])
    assert_close(loss.loss.weight, expected.weight)


def test_mining_is_the_same_for_equal_losses():
    loss = HardExampleMining(keep=0.5, reduction="none")
    kept = loss(torch.zeros(6, 2), torch.zeros(6, dtype=torch.long)) > 0
    assert kept.tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: HardExampleMining(keep=0.0), r"keep=0.0 is no share: pass a number above 0"),
        (lambda: HardExampleMining(keep=1.5), r"keep=1.5 is no share"),
        (lambda: HardExampleMining(min_kept=-1), r"min_kept=-1 is negative: pass 0 or more"),
        (lambda: HardExampleMining(warmup=-1), r"warmup=-1 is negative"),
        (
            lambda: HardExampleMining(negatives_per_positive=-3),
            r"negatives_per_positive=-3 is negative: pass 0 or more, such as 3",
        ),
        (
            lambda: HardExampleMining(level="row"),
            r"level='row' is unknown: choose 'sample', 'pixel'",
        ),
        (
            lambda: HardExampleMining(SoftmaxFocalLoss(), loss_params={"gamma": 1.0}),
            r"belong to a loss given by name, and loss is a SoftmaxFocalLoss already",
        ),
        (
            lambda: HardExampleMining(torch.nn.CrossEntropyLoss()),
            r"CrossEntropyLoss is no skrecall.nn.Loss: name a loss, or derive from Loss",
        ),
        (lambda: HardExampleMining("focall"), r"loss='focall' is unknown: choose 'cross_entropy'"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_masks_of_any_integer_type_are_mined(dtype):
    logits, targets = batch((4, 3, 2, 2))
    targets[0, 0, 0] = 255
    params = {"weight": [1.0, 2.0, 5.0], "mean_over": "weights", "ignore_index": 255}
    loss = HardExampleMining("cross_entropy", loss_params=params, level="pixel")
    assert_close(loss(logits, targets.to(dtype)), loss(logits, targets))


def test_what_counts_in_a_loss_counts_in_a_sum_of_losses():
    # Unknown labels are negatives of this loss, alone or in a sum.
    logits, targets = indicator()
    targets[:, 2:] = -1
    params = {"mode": "negative"}
    alone = HardExampleMining("partial_label", loss_params=params, keep=0.5, level="label")
    summed = HardExampleMining(
        CombinedLoss([(PartialLabelLoss(**params), 1.0), (SigmoidFocalLoss(), 0.0)]),
        keep=0.5,
        level="label",
    )
    assert_close(summed(logits, targets), alone(logits, targets))
