"""Heads of one vector per class, on features that are pooled first: dot products and cosines.

A head is built as ``head(n_features, n_outputs)``, and maps features to logits. Features are
(n_samples, n_features), or a map (n_samples, n_features, ...), which a head pools itself.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._loss import check_option, in_float32

POOLINGS = ("average", "max")


def pool_features(features: Tensor, pooling: str = "average") -> Tensor:
    """Return one number per sample and feature.

    Parameters
    ----------
    features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, ...)
        Features, or a map of them.
    pooling : {"average", "max"}, default="average"
        What is taken over the places of a map.

    Returns
    -------
    pooled : Tensor of shape (n_samples, n_features)
        The average or the maximum; features without places are returned as they are.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import pool_features
    >>> pool_features(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), "max")
    tensor([[6.]])
    """
    if features.ndim == 2:
        return features
    places = features.flatten(2)
    return places.amax(dim=2) if pooling == "max" else places.mean(dim=2)


class LinearHead(nn.Linear):
    """One weight per feature and output, and a bias.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_outputs : int
        Number of logits.
    pooling : {"average", "max"}, default="average"
        How a map of features becomes one vector.

    Raises
    ------
    ValueError
        If `pooling` is unknown.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import LinearHead
    >>> LinearHead(16, 3, pooling="max")(torch.zeros(5, 16, 7, 7)).shape
    torch.Size([5, 3])
    """

    def __init__(self, n_features: int, n_outputs: int, *, pooling: str = "average") -> None:
        super().__init__(n_features, n_outputs)
        check_option("pooling", pooling, POOLINGS)
        self.pooling = pooling

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of features.

        Parameters
        ----------
        features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, ...)
            Features, or a map of them.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        """
        return super().forward(pool_features(features, self.pooling))


class CosineHead(nn.Module):
    """Cosines between the features and one vector per class, times a scale [1]_.

    No class gets higher logits from a longer vector, as frequent ones do in a linear head.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_outputs : int
        Number of logits.
    scale : float, default=16.0
        What the cosines are multiplied by. A softmax over cosines alone cannot come near 0 or 1.
        1 leaves the scale to the loss, as LDAM wants.
    pooling : {"average", "max"}, default="average"
        How a map of features becomes one vector.

    Raises
    ------
    ValueError
        If `pooling` is unknown or `scale` is not positive.

    References
    ----------
    .. [1] F. Wang, X. Xiang, J. Cheng, A. L. Yuille, "NormFace: L2 hypersphere embedding for face
       verification", ACM Multimedia 2017.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import CosineHead
    >>> logits = CosineHead(16, 3)(torch.randn(5, 16))
    >>> bool(logits.abs().max() <= 16)
    True
    """

    def __init__(
        self, n_features: int, n_outputs: int, *, scale: float = 16.0, pooling: str = "average"
    ) -> None:
        super().__init__()
        check_option("pooling", pooling, POOLINGS)
        if not scale > 0:
            raise ValueError(f"scale={scale} must be positive: 1 gives the cosines themselves.")
        self.scale = scale
        self.pooling = pooling
        self.weight = nn.Parameter(torch.randn(n_outputs, n_features))

    def forward(self, features: Tensor) -> Tensor:
        """Return the scaled cosines of features, in float32 at least.

        Parameters
        ----------
        features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, ...)
            Features, or a map of them.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Between -`scale` and `scale`; 0 where all features are.
        """
        features = in_float32(pool_features(features, self.pooling))
        weight = in_float32(self.weight)
        with torch.autocast(features.device.type, enabled=False):
            return self.scale * F.linear(F.normalize(features), F.normalize(weight))
