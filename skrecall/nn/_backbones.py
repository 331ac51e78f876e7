"""Networks from a batch to logits: a small CNN for images, a multilayer perceptron for tables.

A backbone is built as ``backbone(input_shape, n_outputs)``, where `input_shape` is that of one
sample, and maps (n_samples, *input_shape) to logits (n_samples, n_outputs).
"""

import itertools
import math
from collections.abc import Sequence

from torch import Tensor, nn


class MultilayerPerceptron(nn.Module):
    """Fully connected network; samples of more than one dimension are flattened.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one sample: ``(n_features,)`` for tables.
    n_outputs : int
        Number of logits.
    hidden : sequence of int, default=(128,)
        Widths of the hidden layers; empty gives a linear model.
    dropout : float, default=0.0
        Share of hidden units switched off in training.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import MultilayerPerceptron
    >>> MultilayerPerceptron((20,), 3, hidden=(64, 32))(torch.zeros(5, 20)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_outputs: int,
        *,
        hidden: Sequence[int] = (128,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [math.prod(input_shape), *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in itertools.pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(dropout)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], n_outputs)

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits of a batch.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            The batch.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        """
        return self.head(self.features(X))


class SmallCNN(nn.Module):
    """Convolutional network for small images, of any number of channels and any size.

    Each stage is a 3 x 3 convolution, batch normalisation, a ReLU and a 2 x 2 maximum, which is
    left out along an axis of one pixel. What remains is averaged to at most `grid` x `grid` cells
    before a hidden layer, so that a small image keeps where things are and a large one stays cheap.

    Parameters
    ----------
    input_shape : sequence of int
        ``(n_channels, height, width)``.
    n_outputs : int
        Number of logits.
    channels : sequence of int, default=(16, 32)
        Channels of the stages.
    grid : int, default=7
        Most cells along an axis that reach the hidden layer.
    hidden : int, default=64
        Width of the hidden layer.
    dropout : float, default=0.0
        Share of hidden units switched off in training.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SmallCNN
    >>> SmallCNN((1, 28, 28), 10)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_outputs: int,
        *,
        channels: Sequence[int] = (16, 32),
        grid: int = 7,
        hidden: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        n_in, *size = input_shape
        layers: list[nn.Module] = []
        for n_out in channels:
            window = [min(2, side) for side in size]
            layers += [
                nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
                nn.MaxPool2d(window, ceil_mode=True),
            ]
            size = [math.ceil(side / cells) for side, cells in zip(size, window, strict=True)]
            n_in = n_out
        window = [math.ceil(side / grid) for side in size]
        size = [math.ceil(side / cells) for side, cells in zip(size, window, strict=True)]
        # Not adaptive pooling: that lacks odd sizes on Apple GPUs and is not repeatable on CUDA.
        layers += [nn.AvgPool2d(window, ceil_mode=True), nn.Flatten()]
        layers += [nn.Linear(n_in * math.prod(size), hidden), nn.ReLU(), nn.Dropout(dropout)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(hidden, n_outputs)

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits of a batch of images.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_channels, height, width)
            The batch.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        """
        return self.head(self.features(X))
