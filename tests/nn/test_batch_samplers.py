"""Batch samplers: how often classes and labels come, simulated, and what every epoch keeps."""

import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import (
    BATCH_SAMPLERS,
    BalancedBatchSampler,
    InverseFrequencyBatchSampler,
    RepeatFactorBatchSampler,
    repeat_factors,
)
from skrecall.nn._batch_samplers import BaseBatchSampler

NAMES = sorted(BATCH_SAMPLERS)


def targets_for(name, n=101):
    y = torch.arange(n) % 10 == 0
    return torch.stack([~y, y], dim=1).float() if name == "repeat_factor" else y.long()


def seeded_rows(sampler, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.cat(list(sampler))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [
        (32, [32, 32, 32, 5]),
        (50, [50, 51]),
        (100, [101]),
        (101, [101]),
        (500, [101]),
        (1, [1] * 101),
    ],
)
def test_an_epoch_has_as_many_rows_as_the_data(name, batch_size, sizes):
    sampler = BATCH_SAMPLERS[name](targets_for(name), batch_size)
    batches = list(sampler)
    assert [len(rows) for rows in batches] == sizes
    assert len(sampler) == len(sizes)
    assert all(rows.dtype == torch.long and rows.ndim == 1 for rows in batches)
    rows = torch.cat(batches)
    assert 0 <= rows.min() <= rows.max() < 101


@pytest.mark.parametrize("name", NAMES)
def test_torchs_seed_decides_and_epochs_differ(name):
    sampler = BATCH_SAMPLERS[name](targets_for(name), 32)
    assert torch.equal(seeded_rows(sampler), seeded_rows(sampler))
    assert not torch.equal(seeded_rows(sampler), seeded_rows(sampler, seed=1))
    again = pickle.loads(pickle.dumps(sampler))
    assert torch.equal(seeded_rows(sampler), seeded_rows(again))
    assert not torch.equal(torch.cat(list(sampler)), torch.cat(list(sampler)))


@pytest.mark.parametrize("name", NAMES)
def test_arrays_do_as_targets(name):
    targets = targets_for(name)
    sampler = BATCH_SAMPLERS[name](targets.numpy(), 32)
    assert torch.equal(seeded_rows(sampler), seeded_rows(BATCH_SAMPLERS[name](targets, 32)))


def test_a_dataloader_takes_it():
    y = targets_for("balanced")
    dataset = torch.utils.data.TensorDataset(y)
    loader = torch.utils.data.DataLoader(dataset, batch_sampler=BalancedBatchSampler(y, 20))
    assert [len(batch) for (batch,) in loader] == [20, 20, 20, 20, 21]


@pytest.mark.parametrize(
    ("batch_size", "classes_per_batch", "expected"),
    [(40, None, [10] * 4), (42, None, [11, 11, 10, 10]), (40, 2, [20, 20]), (3, None, [1] * 3)],
)
def test_balanced_batches_hold_p_classes_k_times(batch_size, classes_per_batch, expected):
    y = torch.tensor([0] * 500 + [2] * 300 + [5] * 100 + [9] * 5)
    sampler = BalancedBatchSampler(y, batch_size, classes_per_batch=classes_per_batch)
    for rows in list(sampler)[:-1]:
        counts = y[rows].unique(return_counts=True)[1]
        assert sorted(counts.tolist(), reverse=True) == expected


def test_balanced_classes_come_equally_often_in_turns_through_their_rows():
    y = torch.tensor([0] * 500 + [1] * 300 + [2] * 90 + [3] * 70 + [4] * 40)
    sampler = BalancedBatchSampler(y, 20, classes_per_batch=2)
    assert all(len(y[rows].unique()) == 2 for rows in sampler)
    rows = torch.cat([seeded_rows(sampler, seed) for seed in range(20)])
    share = y[rows].bincount() / len(rows)
    # 500 passes leave out one of 5 classes each: the standard error of a share is 0.0045.
    assert_close(share, torch.full((5,), 0.2), rtol=0, atol=0.02)
    times = seeded_rows(sampler).bincount(minlength=len(y))
    for label in range(5):
        of_class = times[y == label]
        assert of_class.max() - of_class.min() <= 1


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.5])
def test_inverse_frequency_shares(power):
    y = torch.tensor([7] * 9000 + [3] * 900 + [5] * 100)
    sampler = InverseFrequencyBatchSampler(y, 256, power=power)
    rows = torch.cat([seeded_rows(sampler, seed) for seed in range(5)])
    weight = torch.tensor([9000.0, 900, 100]) ** -power
    expected = weight * torch.tensor([9000.0, 900, 100])
    found = torch.tensor([(y[rows] == label).double().mean() for label in (7, 3, 5)])
    # 50 000 draws: the standard error of a share is at most 0.0022.
    assert_close(found, (expected / expected.sum()).double(), rtol=0, atol=0.01)
    times = seeded_rows(sampler).bincount(minlength=len(y))
    assert times[y == 3].max() - times[y == 3].min() <= 1


def test_repeat_factors_are_a_plain_loop():
    rng = np.random.default_rng(0)
    Y = (rng.random((200, 5)) < [0.5, 0.2, 0.05, 0.01, 0.0]).astype(float)
    Y[rng.random(Y.shape) < 0.1] = np.nan
    Y[rng.random(Y.shape) < 0.1] = -1
    expected = [
        max([1.0, *(np.sqrt(0.3 / (Y[:, c] == 1).mean()) for c in np.flatnonzero(row == 1))])
        for row in Y
    ]
    assert max(expected) > 2
    found = repeat_factors(Y, threshold=0.3)
    assert_close(found, torch.tensor(expected, dtype=torch.float32))
    assert torch.equal(found, repeat_factors(np.where(Y == 1, 1, -1), threshold=0.3))


def test_repeat_factor_rows_come_in_proportion_to_their_factors():
    Y = torch.zeros(1000, 3)
    Y[:700, 0] = 1
    Y[690:730, 1] = 1
    Y[995:, 2] = 1
    sampler = RepeatFactorBatchSampler(Y, 64, threshold=0.1)
    rows = torch.cat([seeded_rows(sampler, seed) for seed in range(40)])
    times = rows.bincount(minlength=1000) / 40
    factors = repeat_factors(Y, threshold=0.1)
    expected = factors * 1000 / factors.sum()
    for group in (slice(0, 690), slice(690, 730), slice(730, 995), slice(995, 1000)):
        # The rarest group is drawn about 840 times in all: a standard error below 4 %.
        assert_close(times[group].mean(), expected[group].mean(), rtol=0.08, atol=0)


def test_labels_frequent_enough_give_a_plain_shuffled_epoch():
    sampler = RepeatFactorBatchSampler(targets_for("repeat_factor"), 32, threshold=0.01)
    assert torch.equal(seeded_rows(sampler).sort()[0], torch.arange(101))


Y_CLASSES = torch.tensor([0, 1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BalancedBatchSampler(Y_CLASSES, 0), r"batch_size=0 and 3 targets"),
        (lambda: BalancedBatchSampler(Y_CLASSES[:0], 4), r"batch_size=4 and 0 targets"),
        (
            lambda: BalancedBatchSampler(Y_CLASSES, 4, classes_per_batch=3),
            r"classes_per_batch=3, with 2 classes and batches of 4: pass between 1 and 2",
        ),
        (
            lambda: BalancedBatchSampler(torch.zeros(3, 2), 4),
            r"shape \(3, 2\) and dtype torch.float32: pass one class number per row",
        ),
        (lambda: InverseFrequencyBatchSampler(Y_CLASSES - 1, 4), r"none of them negative"),
        (lambda: InverseFrequencyBatchSampler(Y_CLASSES, 4, power=-1), r"power=-1 would draw freq"),
        (lambda: RepeatFactorBatchSampler(Y_CLASSES, 4), r"shape \(3,\): pass an indicator"),
        (lambda: RepeatFactorBatchSampler(torch.full((3, 2), 2), 4), r"of 0 and 1, unknown labels"),
        (lambda: repeat_factors(torch.ones(3, 2), threshold=0), r"threshold=0 is no share"),
    ],
)
def test_bad_input_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_subclass_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match="BaseBatchSampler must implement _draw"):
        list(BaseBatchSampler(4, 2))
