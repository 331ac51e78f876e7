import pickle

import pytest
import torch
from torch.nn import functional as F

from skrecall.nn import (
    ImageDiscriminator,
    ImageGenerator,
    TableDiscriminator,
    TableGenerator,
    discriminator_loss,
    generator_loss,
)

PAIRS = [
    (TableGenerator, TableDiscriminator, (1,)),
    (TableGenerator, TableDiscriminator, (7,)),
    (ImageGenerator, ImageDiscriminator, (1, 1, 1)),
    (ImageGenerator, ImageDiscriminator, (1, 7, 7)),
    (ImageGenerator, ImageDiscriminator, (1, 8, 8)),
    (ImageGenerator, ImageDiscriminator, (3, 28, 28)),
    (ImageGenerator, ImageDiscriminator, (2, 5, 41)),
    (ImageGenerator, ImageDiscriminator, (4, 33, 1)),
]
by_pair = pytest.mark.parametrize(("generator", "discriminator", "shape"), PAIRS)


@pytest.mark.parametrize("real_target", [0.9, 1.0, 0.5])
def test_losses_are_cross_entropies_with_the_real_side_smoothed(real_target):
    real, fake = torch.tensor([-200.0, -1.5, 0.0, 3.0, 200.0]), torch.tensor([-200.0, 0.3, 200.0])
    entropy = F.binary_cross_entropy_with_logits
    expected = entropy(real, torch.full((5,), real_target)) + entropy(fake, torch.zeros(3))
    found = discriminator_loss(real, fake, real_target=real_target)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(generator_loss(fake), entropy(fake, torch.ones(3)))


def test_gradients():
    real = torch.randn(5, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(discriminator_loss, (real, fake))
    assert torch.autograd.gradcheck(generator_loss, fake)


def test_the_generator_does_not_saturate_where_all_fakes_are_found_out():
    fake = torch.tensor([-20.0], requires_grad=True)
    generator_loss(fake).backward()
    assert fake.grad.item() == pytest.approx(-1)  # that of log(1 - D) would be 2e-9


def test_the_least_loss_of_the_discriminator_is_the_entropy_of_its_target():
    logit = torch.log(torch.tensor([0.9 / 0.1]))
    found = discriminator_loss(logit, torch.tensor([-200.0])).item()
    assert found == pytest.approx(-0.9 * torch.tensor(0.9).log() - 0.1 * torch.tensor(0.1).log())


@by_pair
def test_any_shape(generator, discriminator, shape):
    labels = torch.tensor([0, 1, 2, 2, 0])
    fake = generator(shape, 3, n_latent=6)(torch.randn(5, 6), labels)
    assert fake.shape == (5, *shape)
    if len(shape) == 3:
        assert fake.abs().max() <= 1
    assert discriminator(shape, 3)(fake, labels).shape == (5,)


@by_pair
def test_both_depend_on_the_class_and_learn_all_their_weights(generator, discriminator, shape):
    maker, judge = generator(shape, 2, n_latent=6), discriminator(shape, 2)
    noise = torch.randn(4, 6)
    zeros, ones = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    maker.eval(), judge.eval()
    fake = maker(noise, zeros)
    assert not torch.allclose(fake, maker(noise, ones))
    assert not torch.allclose(judge(fake, zeros), judge(fake, ones))
    maker.train(), judge.train()
    labels = torch.arange(4) % 2
    generator_loss(judge(maker(noise, labels), labels)).backward()
    for weight in [*maker.parameters(), *judge.parameters()]:
        assert weight.grad is not None
        assert torch.isfinite(weight.grad).all()


@by_pair
def test_samples_of_a_discriminator_do_not_see_each_other(generator, discriminator, shape):
    judge = discriminator(shape, 2).eval()
    X, labels = torch.randn(6, *shape), torch.arange(6) % 2
    torch.testing.assert_close(judge(X, labels)[:1], judge(X[:1], labels[:1]))


def test_pickle():
    maker = ImageGenerator((1, 8, 8), 2).eval()
    noise, labels = torch.randn(2, 64), torch.tensor([0, 1])
    again = pickle.loads(pickle.dumps(maker))
    assert torch.equal(again(noise, labels), maker(noise, labels))
