"""A residual network of basic blocks, ResNet-18 by default, for images of any size."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ._backbone import BaseBackbone, linear_head

SMALL_SIDE = 64  # pixels; the first layers of an ImageNet network leave too little of less
KEPT_SIDE = 4  # pixels; smaller maps of small images are not halved further


class _BasicBlock(nn.Module):
    """Two 3 x 3 convolutions around which the input goes, through a 1 x 1 one where it must."""

    def __init__(self, n_in: int, n_out: int, stride: tuple[int, ...]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.shortcut = nn.Sequential()
        if n_in != n_out or max(stride) > 1:
            self.shortcut.append(nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(n_out))

    def forward(self, X: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(X)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(X))


class ResNet(BaseBackbone):
    """Residual network of basic blocks [1]_, for any number of channels and any size.

    The defaults are ResNet-18. Images of less than 64 pixels begin with one 3 x 3 convolution in
    place of a 7 x 7 one of stride 2 and a maximum of stride 2, and axes of at most 4 pixels are not
    halved further, so that something is left of a small image.

    Parameters
    ----------
    input_shape : sequence of int
        ``(n_channels, height, width)``.
    n_outputs : int, default=None
        Number of logits; None returns the last map.
    blocks : sequence of int, default=(2, 2, 2, 2)
        Number of blocks of each stage. (3, 4, 6, 3) is ResNet-34.
    channels : sequence of int, default=(64, 128, 256, 512)
        Channels of each stage; every stage but the first halves height and width.
    small_images : bool, default=None
        Whether to begin as small images need; None asks whether a side has less than 64 pixels.

    Attributes
    ----------
    pyramid_channels : list of int
        Channels of the maps that `forward_pyramid` returns.

    Raises
    ------
    ValueError
        If `blocks` and `channels` name different numbers of stages.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition",
       CVPR 2016.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import ResNet
    >>> net = ResNet((1, 28, 28), 10, blocks=(1, 1), channels=(8, 16))
    >>> net(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_outputs: int | None = None,
        *,
        blocks: Sequence[int] = (2, 2, 2, 2),
        channels: Sequence[int] = (64, 128, 256, 512),
        small_images: bool | None = None,
    ) -> None:
        super().__init__()
        if len(blocks) != len(channels):
            raise ValueError(
                f"blocks={tuple(blocks)} names {len(blocks)} stages and channels={tuple(channels)} "
                f"{len(channels)}: give both for every stage."
            )
        self.pyramid_channels = list(channels)
        n_in, *size = input_shape
        if small_images is None:
            small_images = min(size) < SMALL_SIDE
        width = channels[0]
        if small_images:
            first: list[nn.Module] = [nn.Conv2d(n_in, width, 3, padding=1, bias=False)]
        else:
            first = [nn.Conv2d(n_in, width, 7, stride=2, padding=3, bias=False)]
            size = [-(-side // 4) for side in size]
        self.stem = nn.Sequential(*first, nn.BatchNorm2d(width), nn.ReLU())
        if not small_images:
            self.stem.append(nn.MaxPool2d(3, stride=2, padding=1))
        stages = []
        for i, (n_blocks, n_out) in enumerate(zip(blocks, channels, strict=True)):
            kept = KEPT_SIDE if small_images else 0
            stride = tuple(2 if i > 0 and side > kept else 1 for side in size)
            size = [-(-side // step) for side, step in zip(size, stride, strict=True)]
            stage = nn.Sequential()
            for j in range(n_blocks):
                stage.append(_BasicBlock(width, n_out, stride if j == 0 else (1, 1)))
                width = n_out
            stages.append(stage)
        self.stages = nn.ModuleList(stages)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.head = linear_head(width, n_outputs)

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
        X = self.stem(X)
        maps = []
        for stage in self.stages:
            X = stage(X)
            maps.append(X)
        return maps

    def forward_features(self, X: Tensor) -> Tensor:
        """Return the map of the last stage.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_channels, height, width)
            The batch.

        Returns
        -------
        features : Tensor of shape (n_samples, n_features, h, w)
            What the head takes.
        """
        return self.forward_pyramid(X)[-1]
