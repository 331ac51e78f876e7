"""Generators and discriminators that know the class, for tables and for images, and their losses.

Both losses are binary cross entropies of logits. The generator's does not saturate: it asks for
fakes that are taken for real [1]_. The class reaches the discriminator as a projection: the logit
is a linear function of the features plus their product with a vector of the class [2]_.

References
----------
.. [1] I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville,
   Y. Bengio, "Generative adversarial nets", NeurIPS 2014.
.. [2] T. Miyato, M. Koyama, "cGANs with projection discriminator", ICLR 2018.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.2  # of the leaky rectifiers
_MAX_CHANNELS = 256


def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, real_target: float = 0.9
) -> Tensor:
    """Return the loss of a discriminator that is to tell real samples from fakes.

    Parameters
    ----------
    real_logits, fake_logits : Tensor of shape (n_samples,)
        Log odds that a sample is real, of real ones and of fakes.
    real_target : float, default=0.9
        Target of the real ones. Below 1 it is one-sided label smoothing [1]_; that of fakes is 0.

    Returns
    -------
    loss : Tensor of shape ()
        Sum of the two mean cross entropies.

    References
    ----------
    .. [1] T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen, "Improved
       techniques for training GANs", NeurIPS 2016.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import discriminator_loss
    >>> round(discriminator_loss(torch.zeros(4), torch.zeros(4)).item(), 4)  # 2 log 2
    1.3863
    """
    real = F.softplus(-real_logits) + (1 - real_target) * real_logits
    return real.mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Return the loss of a generator whose fakes are to be taken for real; it does not saturate.

    Parameters
    ----------
    fake_logits : Tensor of shape (n_samples,)
        Log odds that a fake is real.

    Returns
    -------
    loss : Tensor of shape ()
        Mean cross entropy.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import generator_loss
    >>> round(generator_loss(torch.zeros(4)).item(), 4)  # log 2
    0.6931
    """
    return F.softplus(-fake_logits).mean()


class _Generator(nn.Module):
    """Noise and a class become the input of ``layers``."""

    def __init__(self, n_latent: int, n_classes: int) -> None:
        super().__init__()
        self.n_latent = n_latent
        self.embedding = nn.Embedding(n_classes, n_latent)

    def _input(self, noise: Tensor, labels: Tensor) -> Tensor:
        return torch.cat([noise, self.embedding(labels)], dim=1)


class _Discriminator(nn.Module):
    """Features of samples become log odds that depend on the class."""

    def __init__(self, features: nn.Module, n_features: int, n_classes: int) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Linear(n_features, 1)
        self.embedding = nn.Embedding(n_classes, n_features)
        nn.init.normal_(self.embedding.weight, std=n_features**-0.5)

    def forward(self, X: Tensor, labels: Tensor) -> Tensor:
        """Return how likely each sample is a real one of its class.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            Samples.
        labels : Tensor of shape (n_samples,), dtype int64
            Class numbers.

        Returns
        -------
        logits : Tensor of shape (n_samples,)
            Log odds.
        """
        features = self.features(X)
        return self.head(features).squeeze(1) + (features * self.embedding(labels)).sum(dim=1)


class TableGenerator(_Generator):
    """Perceptron from noise and a class to rows of a table.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample: ``(n_features,)``.
    n_classes : int
        Number of classes.
    n_latent : int, default=64
        Number of noise variables.
    hidden : sequence of int, default=(128, 128)
        Widths of the hidden layers.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import TableGenerator
    >>> generator = TableGenerator((5,), n_classes=3)
    >>> generator(torch.randn(4, 64), torch.tensor([0, 1, 2, 2])).shape
    torch.Size([4, 5])
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        n_classes: int,
        *,
        n_latent: int = 64,
        hidden: Sequence[int] = (128, 128),
    ) -> None:
        super().__init__(n_latent, n_classes)
        widths = [2 * n_latent, *hidden]
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], *sample_shape))

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Return rows.

        Parameters
        ----------
        noise : Tensor of shape (n_samples, n_latent)
            Standard normal numbers.
        labels : Tensor of shape (n_samples,), dtype int64
            Class numbers.

        Returns
        -------
        X : Tensor of shape (n_samples, n_features)
            Rows, in standard units.
        """
        return self.layers(self._input(noise, labels))


class TableDiscriminator(_Discriminator):
    """Perceptron from rows of a table and a class to the log odds that they are real.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample: ``(n_features,)``.
    n_classes : int
        Number of classes.
    hidden : sequence of int, default=(128, 128)
        Widths of the hidden layers.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import TableDiscriminator
    >>> TableDiscriminator((5,), n_classes=3)(torch.zeros(4, 5), torch.tensor([0, 1, 2, 2])).shape
    torch.Size([4])
    """

    def __init__(
        self, sample_shape: Sequence[int], n_classes: int, *, hidden: Sequence[int] = (128, 128)
    ) -> None:
        widths = [*sample_shape, *hidden]
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(_SLOPE)]
        super().__init__(nn.Sequential(*layers), widths[-1], n_classes)


def _n_stages(size: Sequence[int]) -> int:
    """Return how often the sides are halved until the longer one has at most seven pixels."""
    return max(0, math.ceil(math.log2(max(size) / 7)))


def _stage_channels(channels: int, n_stages: int) -> list[int]:
    """Return the channels from the finest map to the coarsest."""
    return [min(channels * 2**k, _MAX_CHANNELS) for k in range(n_stages + 1)]


class ImageGenerator(_Generator):
    """Small convolutional generator of images of any size, in the manner of DCGAN [1]_.

    A linear layer makes maps of at most seven pixels along a side. Each stage doubles them by
    repeating pixels, which draws no chequerboard as transposed convolutions do, and convolves; what
    is beyond the size asked for is cut off.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample: ``(n_channels, height, width)``.
    n_classes : int
        Number of classes.
    n_latent : int, default=64
        Number of noise variables.
    channels : int, default=32
        Channels of the finest maps; twice as many with every halving, 256 at most.

    References
    ----------
    .. [1] A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep
       convolutional generative adversarial networks", ICLR 2016.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import ImageGenerator
    >>> generator = ImageGenerator((3, 20, 30), n_classes=2)
    >>> generator(torch.randn(4, 64), torch.tensor([0, 1, 1, 0])).shape
    torch.Size([4, 3, 20, 30])
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        n_classes: int,
        *,
        n_latent: int = 64,
        channels: int = 32,
    ) -> None:
        super().__init__(n_latent, n_classes)
        n_channels, *self.size = sample_shape
        n_stages = _n_stages(self.size)
        start = [math.ceil(side / 2**n_stages) for side in self.size]
        widths = _stage_channels(channels, n_stages)[::-1]
        layers: list[nn.Module] = [
            nn.Linear(2 * n_latent, widths[0] * math.prod(start), bias=False),
            nn.Unflatten(1, (widths[0], *start)),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for n_in, n_out in itertools.pairwise(widths):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
            ]
        layers += [nn.Conv2d(widths[-1], n_channels, kernel_size=3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Return images.

        Parameters
        ----------
        noise : Tensor of shape (n_samples, n_latent)
            Standard normal numbers.
        labels : Tensor of shape (n_samples,), dtype int64
            Class numbers.

        Returns
        -------
        X : Tensor of shape (n_samples, n_channels, height, width)
            Values between -1 and 1.
        """
        height, width = self.size
        return self.layers(self._input(noise, labels))[:, :, :height, :width]


class ImageDiscriminator(_Discriminator):
    """Small convolutional discriminator of images of any size.

    Strided convolutions halve the image until its longer side has at most seven pixels. There is no
    batch normalisation, which would let the samples of a batch see each other.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample: ``(n_channels, height, width)``.
    n_classes : int
        Number of classes.
    channels : int, default=32
        Channels of the finest maps; twice as many with every halving, 256 at most.
    dropout : float, default=0.3
        Share of the features switched off in training: with few real images a discriminator learns
        them by heart.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import ImageDiscriminator
    >>> discriminator = ImageDiscriminator((3, 20, 30), n_classes=2)
    >>> discriminator(torch.zeros(4, 3, 20, 30), torch.tensor([0, 1, 1, 0])).shape
    torch.Size([4])
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        n_classes: int,
        *,
        channels: int = 32,
        dropout: float = 0.3,
    ) -> None:
        n_channels, *size = sample_shape
        widths = _stage_channels(channels, _n_stages(size))
        layers: list[nn.Module] = [
            nn.Conv2d(n_channels, widths[0], kernel_size=3, padding=1),
            nn.LeakyReLU(_SLOPE),
        ]
        for n_in, n_out in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(n_in, n_out, kernel_size=3, stride=2, padding=1),
                nn.LeakyReLU(_SLOPE),
            ]
            size = [math.ceil(side / 2) for side in size]
        layers += [nn.Flatten(), nn.Dropout(dropout)]
        super().__init__(nn.Sequential(*layers), widths[-1] * math.prod(size), n_classes)
