"""A convolutional network for small images."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from ._backbone import BaseBackbone, linear_head


class SmallCNN(BaseBackbone):
    """Convolutional network for small images, of any number of channels and any size.

    Each stage is a 3 x 3 convolution, batch normalisation, a ReLU and a 2 x 2 maximum, which is
    left out along an axis of one pixel. What remains is averaged to at most `grid` x `grid` cells
    before a hidden layer, so that a small image keeps where things are and a large one stays cheap.

    Parameters
    ----------
    input_shape : sequence of int
        ``(n_channels, height, width)``.
    n_outputs : int, default=None
        Number of logits; None returns the features.
    channels : sequence of int, default=(16, 32)
        Channels of the stages.
    grid : int, default=7
        Most cells along an axis that reach the hidden layer.
    hidden : int, default=64
        Width of the hidden layer, whose units are the features. None leaves it out: the features
        are the map of the last stage, which heads that look at places want.
    dropout : float, default=0.0
        Share of hidden units switched off in training.

    Attributes
    ----------
    pyramid_channels : list of int
        Channels of the maps that `forward_pyramid` returns.

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
        n_outputs: int | None = None,
        *,
        channels: Sequence[int] = (16, 32),
        grid: int = 7,
        hidden: int | None = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.pyramid_channels = list(channels)
        n_in, *size = input_shape
        stages = []
        for n_out in channels:
            window = [min(2, side) for side in size]
            stages.append(
                nn.Sequential(
                    nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False),
                    nn.BatchNorm2d(n_out),
                    nn.ReLU(),
                    nn.MaxPool2d(window, ceil_mode=True),
                )
            )
            size = [math.ceil(side / cells) for side, cells in zip(size, window, strict=True)]
            n_in = n_out
        self.stages = nn.ModuleList(stages)
        self.hidden = nn.Sequential()
        if hidden is not None:
            window = [math.ceil(side / grid) for side in size]
            size = [math.ceil(side / cells) for side, cells in zip(size, window, strict=True)]
            # Not adaptive pooling: that lacks odd sizes on Apple GPUs and does not repeat on CUDA.
            self.hidden.extend([nn.AvgPool2d(window, ceil_mode=True), nn.Flatten()])
            n_in *= math.prod(size)
            self.hidden.extend([nn.Linear(n_in, hidden), nn.ReLU(), nn.Dropout(dropout)])
            n_in = hidden
        self.head = linear_head(n_in, n_outputs)

    def forward_pyramid(self, X: Tensor) -> list[Tensor]:
        """Return the map of every stage, fine to coarse.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_channels, height, width)
            The batch.

        Returns
        -------
        maps : list of Tensor of shape (n_samples, pyramid_channels[i], h, w)
            Each has half the height and width of the one before, rounded up, but for axes that are
            too short to be halved.
        """
        maps = []
        for stage in self.stages:
            X = stage(X)
            maps.append(X)
        return maps

    def forward_features(self, X: Tensor) -> Tensor:
        """Return the hidden layer, or the last map if there is none.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_channels, height, width)
            The batch.

        Returns
        -------
        features : Tensor of shape (n_samples, hidden) or (n_samples, n_features, h, w)
            What the head takes.
        """
        return self.hidden(self.forward_pyramid(X)[-1])
