"""What a backbone is, ours or another's, and how features are taken out of it.

A backbone is built as ``backbone(input_shape, n_outputs)``, where `input_shape` is that of one
sample, and maps (n_samples, *input_shape) to logits (n_samples, n_outputs).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._linear_heads import LinearHead


class BaseBackbone(nn.Module):
    """Base of the backbones: a subclass implements ``forward_features``.

    Attributes
    ----------
    head : torch.nn.Module
        What maps features to logits; the identity where there are to be none.
    """

    head: nn.Module

    def forward_features(self, X: Tensor) -> Tensor:
        """Return the features of a batch.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            The batch.

        Returns
        -------
        features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, h, w)
            What the head takes.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement forward_features.")

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits of a batch.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            The batch.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores; the features where `n_outputs` is None.
        """
        return self.head(self.forward_features(X))


def linear_head(n_features: int, n_outputs: int | None) -> nn.Module:
    """Return the head that a backbone comes with.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_outputs : int or None
        Number of logits; None leaves the features as they are.

    Returns
    -------
    head : torch.nn.Module
        A linear head or the identity.
    """
    return nn.Identity() if n_outputs is None else LinearHead(n_features, n_outputs)


def extract_features(backbone: nn.Module, X: Tensor, **inputs: Tensor) -> Tensor:
    """Return the features of a batch from any network, features on axis 1.

    Parameters
    ----------
    backbone : torch.nn.Module
        Its ``forward_features`` is called, which the backbones here and those of timm have; a
        module without one is called as it is. Where a timm network puts its ``num_features`` last,
        as transformers do, that axis is moved.
    X : Tensor of shape (n_samples, ...)
        The batch.
    **inputs : Tensor
        What the network is called with beside it, such as the lengths of clips.

    Returns
    -------
    features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, ...)
        Features, or a map of them.

    Raises
    ------
    ValueError
        If the network returns something else.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import SmallCNN, extract_features
    >>> extract_features(SmallCNN((1, 28, 28), hidden=None), torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 32, 7, 7])
    """
    features = getattr(backbone, "forward_features", backbone)(X, **inputs)
    if not isinstance(features, Tensor) or features.ndim < 2:
        found = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(
            f"The backbone {type(backbone).__name__} returned {found} for a batch of shape "
            f"{tuple(X.shape)}: features need the shape (n_samples, n_features) or (n_samples, "
            "n_features, height, width)."
        )
    n_features = getattr(backbone, "num_features", None)
    if features.ndim > 2 and features.shape[-1] == n_features != features.shape[1]:
        return features.movedim(-1, 1)
    return features


def count_features(backbone: nn.Module, input_shape: Sequence[int]) -> int:
    """Return how many features a backbone gives, by a batch of zeros.

    Parameters
    ----------
    backbone : torch.nn.Module
        A network; it is left as it was.
    input_shape : sequence of int
        Shape of one sample.

    Returns
    -------
    n_features : int
        What a head has to be built for.

    Examples
    --------
    >>> from skrecall.nn import ResNet, count_features
    >>> count_features(ResNet((3, 32, 32)), (3, 32, 32))
    512
    """
    modes = [(module, module.training) for module in backbone.modules()]
    backbone.eval()
    with torch.no_grad():
        features = extract_features(backbone, torch.zeros(2, *input_shape))
    for module, training in modes:
        module.training = training
    return features.shape[1]
