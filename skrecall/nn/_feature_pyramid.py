"""Feature pyramid network: maps of several scales, each told what the coarser ones have seen.

References
----------
.. [1] T.-Y. Lin, P. Dollár, R. Girshick, K. He, B. Hariharan, S. Belongie, "Feature pyramid
   networks for object detection", CVPR 2017.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._backbone import BaseBackbone, linear_head
from ._linear_heads import POOLINGS, pool_features
from ._loss import check_option
from ._small_cnn import SmallCNN


class FeaturePyramid(nn.Module):
    """Fusion of maps from coarse to fine [1]_.

    A 1 x 1 convolution brings every map to `n_channels`. To each the next coarser result is added,
    enlarged by nearest neighbours to exactly its size, and a 3 x 3 convolution smooths the sum.

    Parameters
    ----------
    in_channels : sequence of int
        Channels of the maps, fine to coarse.
    n_channels : int, default=256
        Channels of the fused maps.

    References
    ----------
    .. [1] T.-Y. Lin, P. Dollár, R. Girshick, K. He, B. Hariharan, S. Belongie, "Feature pyramid
       networks for object detection", CVPR 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import FeaturePyramid, SmallCNN
    >>> backbone = SmallCNN((1, 28, 28), channels=(16, 32, 64))
    >>> pyramid = FeaturePyramid(backbone.pyramid_channels, n_channels=8)
    >>> [tuple(m.shape) for m in pyramid(backbone.forward_pyramid(torch.zeros(5, 1, 28, 28)))]
    [(5, 8, 14, 14), (5, 8, 7, 7), (5, 8, 4, 4)]
    """

    def __init__(self, in_channels: Sequence[int], n_channels: int = 256) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(n_in, n_channels, 1) for n_in in in_channels)
        self.smooth = nn.ModuleList(
            nn.Conv2d(n_channels, n_channels, 3, padding=1) for _ in in_channels
        )
        for layer in [*self.lateral, *self.smooth]:
            nn.init.kaiming_uniform_(layer.weight, a=1)
            nn.init.zeros_(layer.bias)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the fused maps.

        Parameters
        ----------
        maps : sequence of Tensor of shape (n_samples, in_channels[i], h, w)
            Fine to coarse.

        Returns
        -------
        fused : list of Tensor of shape (n_samples, n_channels, h, w)
            In the same order and of the same heights and widths.

        Raises
        ------
        ValueError
            If there are more or fewer maps than `in_channels` names.
        """
        if len(maps) != len(self.lateral):
            raise ValueError(
                f"{len(maps)} maps were passed to a FeaturePyramid of {len(self.lateral)}: pass "
                "one map for each of in_channels, fine to coarse."
            )
        sums = [lateral(m) for lateral, m in zip(self.lateral, maps, strict=True)]
        for i in range(len(sums) - 2, -1, -1):
            sums[i] = sums[i] + F.interpolate(sums[i + 1], size=sums[i].shape[2:], mode="nearest")
        return [smooth(m) for smooth, m in zip(self.smooth, sums, strict=True)]


class FeaturePyramidCNN(BaseBackbone):
    """Classifier of images by several scales: the fused maps of a pyramid, each pooled.

    What is small in an image is still there in the fine maps, and what is large fits into the
    coarse ones. The features are the pooled maps, one behind the other.

    Parameters
    ----------
    input_shape : sequence of int
        ``(n_channels, height, width)``.
    n_outputs : int, default=None
        Number of logits; None returns the features.
    backbone : callable or torch.nn.Module, default=None
        A network with ``forward_pyramid`` and ``pyramid_channels``. A callable is called as
        ``backbone(input_shape, None)``, a module is copied, weights included; None is a `SmallCNN`
        of three stages.
    n_channels : int, default=64
        Channels of each fused map.
    pooling : {"average", "max"}, default="average"
        What is taken over the places of a map.

    Attributes
    ----------
    pyramid_channels : list of int
        Channels of the maps that `forward_pyramid` returns.

    Raises
    ------
    ValueError
        If `backbone` has no pyramid or `pooling` is unknown.

    Examples
    --------
    >>> import torch
    >>> from functools import partial
    >>> from skrecall.nn import FeaturePyramidCNN, ResNet
    >>> resnet = partial(ResNet, blocks=(1, 1), channels=(8, 16))
    >>> net = FeaturePyramidCNN((1, 28, 28), 10, backbone=resnet, n_channels=8)
    >>> net.forward_features(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 16])
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_outputs: int | None = None,
        *,
        backbone: nn.Module | Callable[..., nn.Module] | None = None,
        n_channels: int = 64,
        pooling: str = "average",
    ) -> None:
        super().__init__()
        check_option("pooling", pooling, POOLINGS)
        if backbone is None:
            backbone = SmallCNN(input_shape, channels=(16, 32, 64), hidden=None)
        elif isinstance(backbone, nn.Module):
            backbone = copy.deepcopy(backbone)
        else:
            backbone = backbone(input_shape, None)
        if not (hasattr(backbone, "forward_pyramid") and hasattr(backbone, "pyramid_channels")):
            raise ValueError(
                f"The backbone {type(backbone).__name__} has no pyramid: it needs a method "
                "forward_pyramid, which returns maps from fine to coarse, and their channels as "
                "pyramid_channels, as SmallCNN and ResNet have."
            )
        self.backbone = backbone
        self.pyramid = FeaturePyramid(backbone.pyramid_channels, n_channels)
        self.pyramid_channels = [n_channels] * len(backbone.pyramid_channels)
        self.pooling = pooling
        self.head = linear_head(sum(self.pyramid_channels), n_outputs)

    def forward_pyramid(self, X: Tensor) -> list[Tensor]:
        """Return the fused maps, fine to coarse.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_channels, height, width)
            The batch.

        Returns
        -------
        maps : list of Tensor of shape (n_samples, pyramid_channels[i], h, w)
            Of the heights and widths that the backbone's maps have.
        """
        return self.pyramid(self.backbone.forward_pyramid(X))

    def forward_features(self, X: Tensor) -> Tensor:
        """Return the pooled maps, one behind the other.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_channels, height, width)
            The batch.

        Returns
        -------
        features : Tensor of shape (n_samples, sum(pyramid_channels))
            What the head takes.
        """
        return torch.cat([pool_features(m, self.pooling) for m in self.forward_pyramid(X)], dim=1)
