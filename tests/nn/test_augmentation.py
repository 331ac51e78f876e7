"""Augmentations against torchvision's, sample by sample, and what they draw, simulated."""

import copy
import pickle

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    AUGMENTATIONS,
    Augmentation,
    CutMix,
    Mixup,
    RandomErasing,
    RandomFlip,
    RandomShift,
    get_augmentation,
)
from skrecall.nn._augmentation import box_masks, draw_below, shift_images

SHAPES = [(40, 3, 12, 9), (40, 2, 3, 9, 12)]
NAMES = sorted(AUGMENTATIONS)


def batch(shape=(40, 3, 12, 9), dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    X = torch.randint(1, 256, shape, generator=generator, dtype=torch.uint8)
    return X if dtype == torch.uint8 else X.to(dtype) / 255


def seeded(augmentation, X, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return augmentation(X)


def pickled(augmentation):
    return pickle.loads(pickle.dumps(augmentation))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_batch_keeps_shape_and_type_and_is_not_written_to(name, shape):
    X = batch(shape)
    before = X.clone()
    augmented = seeded(get_augmentation(name), X)
    if isinstance(augmented, tuple):
        augmented, order, share = augmented
        assert order.shape == share.shape == (len(X),)
        assert torch.equal(order.sort()[0], torch.arange(len(X)))
        assert 0 <= share.min() <= share.max() <= 1
    assert (augmented.shape, augmented.dtype) == (X.shape, X.dtype)
    assert torch.equal(X, before)
    assert not torch.equal(augmented, X)


@pytest.mark.parametrize("name", NAMES)
def test_torchs_seed_decides_and_copies_do_the_same(name):
    augmentation, X = get_augmentation(name), batch()
    first = seeded(augmentation, X)
    for again in (augmentation, copy.deepcopy(augmentation), pickled(augmentation)):
        assert_close(seeded(again, X), first, rtol=0, atol=0)
    other = seeded(augmentation, X, seed=1)
    assert not torch.equal(other[0], first[0])


@pytest.mark.parametrize("name", NAMES)
def test_all_frames_of_a_clip_get_the_same_draw(name):
    clips = batch((40, 1, 3, 12, 9)).expand(-1, 4, -1, -1, -1)
    augmented = seeded(get_augmentation(name), clips)
    if isinstance(augmented, tuple):
        augmented = augmented[0]
    assert torch.equal(augmented, augmented[:, :1].expand_as(augmented))


@pytest.mark.parametrize("name", sorted({*NAMES} - {"mixup"}))
def test_images_of_uint8_stay_so(name):
    X = batch(dtype=torch.uint8)
    augmented = seeded(get_augmentation(name), X)
    if isinstance(augmented, tuple):
        augmented = augmented[0]
    assert augmented.dtype == torch.uint8
    # The same draws, of the same pixels.
    single = seeded(get_augmentation(name), X.double())
    assert torch.equal(augmented.double(), single[0] if isinstance(single, tuple) else single)


@pytest.mark.parametrize(
    ("horizontal", "vertical", "theirs"),
    [(True, False, "horizontal_flip"), (False, True, "vertical_flip")],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_flips_are_torchvisions(horizontal, vertical, theirs, shape):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    X = batch(shape)
    flipped = seeded(RandomFlip(horizontal=horizontal, vertical=vertical), X)
    expected = getattr(functional, theirs)(X)
    turned = (flipped == expected).flatten(1).all(dim=1)
    kept = (flipped == X).flatten(1).all(dim=1)
    assert torch.equal(turned, ~kept)
    assert 8 < turned.sum() < 32  # of 40, at 1 in 2


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_flips_come_as_often_as_asked(p):
    X = torch.arange(6.0).reshape(1, 1, 2, 3).expand(4000, -1, -1, -1)
    flipped = seeded(RandomFlip(vertical=True, p=p), X)[:, 0]
    left_right = (flipped[:, 0, 0] % 3 == 2).double()
    top_bottom = (flipped[:, 0, 0] >= 3).double()
    # The standard error of a share is at most 0.008.
    assert_close(left_right.mean().item(), p, rtol=0, atol=0.04)
    assert_close(top_bottom.mean().item(), p, rtol=0, atol=0.04)
    assert_close((left_right * top_bottom).mean().item(), p * p, rtol=0, atol=0.04)


@pytest.mark.parametrize("shape", SHAPES)
def test_shifts_are_torchvisions(shape):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    X = batch(shape)
    down, right = torch.randint(-13, 14, (2, len(X)), generator=torch.Generator().manual_seed(0))
    shifted = shift_images(X, down, right)
    for own, image, dy, dx in zip(shifted, X, down.tolist(), right.tolist(), strict=True):
        expected = functional.affine(
            image, angle=0.0, translate=[dx, dy], scale=1.0, shear=[0.0, 0.0], fill=0.0
        )
        assert torch.equal(own, expected)


@pytest.mark.parametrize(
    ("shift", "rows", "columns"), [(2, 2, 2), (0.1, 1, 3), (0.25, 3, 8), (0, 0, 0)]
)
def test_shifts_are_drawn_evenly_up_to_the_most(shift, rows, columns):
    X = torch.zeros(6000, 1, 13, 31)
    X[..., 6, 15] = 1
    at = seeded(RandomShift(shift), X).nonzero()
    assert len(at) == len(X)
    for found, middle, most in ((at[:, 2], 6, rows), (at[:, 3], 15, columns)):
        share = (found - middle + most).bincount().double() / len(X)
        # The standard error of a share is at most 0.0062.
        assert_close(share, torch.full_like(share, 1 / (2 * most + 1)), rtol=0, atol=0.03)
        assert len(share) == 2 * most + 1


@pytest.mark.parametrize("shape", SHAPES)
def test_erasing_is_torchvisions(shape):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    X = batch(shape)
    erased = seeded(RandomErasing(p=0.7, value=0.5), X)
    changed = (erased != X).flatten(1, -3).any(dim=1)
    assert 0 < changed.flatten(1).any(dim=1).sum() < len(X)
    for own, image, mask in zip(erased, X, changed, strict=True):
        if not mask.any():
            continue
        rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
        height, width = len(rows), len(columns)
        expected = functional.erase(
            image, int(rows[0]), int(columns[0]), height, width, torch.tensor(0.5)
        )
        assert torch.equal(own, expected)


def test_erased_rectangles_are_as_asked():
    X = torch.ones(4000, 1, 60, 80)
    erased = seeded(RandomErasing(p=0.4, scale=(0.05, 0.2), ratio=(0.5, 2.0)), X)[:, 0] == 0
    chosen = erased.flatten(1).any(dim=1)
    assert_close(chosen.double().mean().item(), 0.4, rtol=0, atol=0.04)  # standard error 0.008
    heights = erased[chosen].any(dim=2).sum(dim=1).double()
    widths = erased[chosen].any(dim=1).sum(dim=1).double()
    share = heights * widths / (60 * 80)
    assert torch.equal(share, erased[chosen].double().mean((1, 2)))
    # Sides are whole pixels, 11 of them at least: rounding moves an area by 10 % at most.
    assert 0.05 * 0.9 < share.min() < share.max() < 0.2 * 1.1
    assert_close(share.mean().item(), 0.125, rtol=0.04, atol=0)
    assert 0.5 * 0.9 < (heights / widths).min() < (heights / widths).max() < 2 * 1.1
    # Uniform of the logarithm: as often higher than wide as the other way round.
    assert_close((heights > widths).double().mean().item(), 0.5, rtol=0, atol=0.06)
    assert erased.any(dim=2).any(dim=0).all()
    assert erased.any(dim=1).any(dim=0).all()


def test_a_rectangle_ends_where_the_image_does():
    # A square of 12 x 9 pixels has sides of 10.4: 10 rows, and no more than 9 columns.
    erased = seeded(RandomErasing(p=1.0, scale=(1.0, 1.0), ratio=(1.0, 1.0)), batch()) == 0
    assert torch.equal(erased.sum(dim=(2, 3)), torch.full((40, 3), 90))
    tiny = seeded(RandomErasing(p=1.0), torch.ones(9, 1, 1, 1))
    assert tiny.count_nonzero() == 0


def test_box_masks_are_slices():
    masks = box_masks(*torch.tensor([[1, -2, 4], [0, 3, 2], [2, 4, 9], [3, 1, 0]]), shape=(5, 6))
    expected = torch.zeros(3, 5, 6, dtype=torch.bool)
    expected[0, 1:3, 0:3] = True
    expected[1, 0:2, 3:4] = True
    assert torch.equal(masks, expected)


def test_draws_stay_below_and_reach_everything():
    drawn = draw_below(torch.tensor([1, 2, 3]).repeat_interleave(1000)).reshape(3, 1000)
    assert [row.unique().tolist() for row in drawn] == [[0], [0, 1], [0, 1, 2]]


@pytest.mark.parametrize("shape", [*SHAPES, (40, 7)])
def test_mixup_blends_with_the_partner(shape):
    X = batch(shape, torch.float64)
    mixed, order, share = seeded(Mixup(alpha=1.0), X)
    for i, (partner, kept) in enumerate(zip(order.tolist(), share.tolist(), strict=True)):
        assert_close(mixed[i], kept * X[i] + (1 - kept) * X[partner])


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_shares_are_beta(alpha):
    share = seeded(Mixup(alpha), torch.zeros(20_000, 1))[2].double()
    # Mean and variance of Beta(alpha, alpha); standard errors below 0.003.
    assert_close(share.mean().item(), 0.5, rtol=0, atol=0.015)
    assert_close(share.var().item(), 1 / (4 * (2 * alpha + 1)), rtol=0, atol=0.01)


@pytest.mark.parametrize("shape", [(300, 1, 12, 9), (300, 2, 1, 9, 12)])
def test_cutmix_pastes_one_rectangle_and_says_its_exact_share(shape):
    X = torch.arange(300.0).reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
    mixed, order, share = seeded(CutMix(), X)
    own = mixed == X
    pasted = ~own.flatten(1, -3).all(dim=1)
    others = order != torch.arange(len(X))
    assert_close(own.flatten(1).float().mean(dim=1)[others], share[others])
    assert ((mixed == X) | (mixed == X[order])).all()
    bounding = pasted.any(dim=2).sum(dim=1) * pasted.any(dim=1).sum(dim=1)
    assert torch.equal(pasted.sum((1, 2)), bounding)
    assert share.min() < 0.3
    assert share.max() > 0.9


def test_a_whole_rectangle_has_the_area_that_was_drawn():
    # All shares are one half: rectangles have .7 of each side, and those not cut off half the area.
    _, _, share = seeded(CutMix(alpha=1e6), torch.rand(200, 1, 20, 20))
    assert share.min().item() == pytest.approx(1 - 14 * 14 / 400)


def test_the_loss_of_mixed_samples_is_linear_for_soft_targets():
    # share * loss(y) + (1 - share) * loss(y[order]) is the cross entropy of the mixed target.
    X, y = batch(), torch.arange(40) % 4
    _, order, share = seeded(Mixup(1.0), X)
    logits = X[:, 0, 0, :4]
    loss = torch.nn.CrossEntropyLoss(reduction="none")
    one_hot = torch.nn.functional.one_hot(y, 4).float()
    soft = share[:, None] * one_hot + (1 - share[:, None]) * one_hot[order]
    assert_close(share * loss(logits, y) + (1 - share) * loss(logits, y[order]), loss(logits, soft))


def test_steps_follow_each_other_and_the_partners_are_handed_on():
    X = batch()
    augmentation = Augmentation(RandomFlip(p=1.0), Mixup(1.0), RandomFlip(p=1.0))
    mixed, order, share = seeded(augmentation, X)
    kept = share.reshape(-1, 1, 1, 1)
    assert_close(mixed, kept * X + (1 - kept) * X[order])


def test_names_sequences_and_callables():
    X = batch()
    default = get_augmentation("default")
    assert [type(step) for step in default.steps] == [RandomShift, RandomErasing]
    steps = get_augmentation(["vertical_flip", RandomShift(1), torch.neg]).steps
    assert (steps[0].horizontal, steps[0].vertical) == (False, True)
    assert steps[1].shift == 1
    assert get_augmentation(torch.neg) is torch.neg
    assert torch.equal(get_augmentation([torch.neg])(X), -X)


def test_transforms_of_torchvision_are_steps():
    v2 = pytest.importorskip("torchvision.transforms.v2")
    X = batch()
    augmentation = get_augmentation([v2.RandomHorizontalFlip(p=1.0), "cutmix"])
    mixed, order, _ = seeded(augmentation, X)
    assert ((mixed == X.flip(-1)) | (mixed == X.flip(-1)[order])).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RandomFlip(p=2), r"p=2 is no share of the samples"),
        (lambda: RandomFlip()(torch.zeros(3, 4)), r"shape \(3, 4\): this augmentation takes ima"),
        (lambda: RandomShift(-1), r"shift=-1: pass whole pixels"),
        (lambda: RandomShift(1.5), r"shift=1.5: pass whole pixels as an int"),
        (lambda: RandomErasing(scale=(0.5, 0.1)), r"scale=\(0.5, 0.1\) and ratio=\(0.3, 3.3\)"),
        (lambda: RandomErasing(ratio=(0, 1)), r"ratio=\(0, 1\): pass \(least, largest\)"),
        (lambda: Mixup(alpha=0), r"alpha=0 makes no Beta distribution"),
        (lambda: CutMix(alpha=-1), r"alpha=-1 makes no Beta distribution"),
        (lambda: Mixup()(batch(dtype=torch.uint8)), r"dtype torch.uint8: pass floats"),
        (
            lambda: Augmentation(Mixup(), CutMix())(batch()),
            r"Two of 2 augmentations mix samples, the second a CutMix: leave one of them out",
        ),
        (lambda: get_augmentation("flips"), r"augmentation='flips' is unknown: choose 'default'"),
        (lambda: get_augmentation(("shift", "blur")), r"augmentation='blur' is unknown"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
