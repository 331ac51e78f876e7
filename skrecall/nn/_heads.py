"""The names that users type for heads, and the joint between a backbone and a head."""

import copy
from collections.abc import Callable

from torch import Tensor, nn

from ._backbone import extract_features
from ._label_graph_head import LabelGraphHead
from ._linear_heads import CosineHead, LinearHead
from ._ml_decoder_head import MLDecoderHead
from ._transfer import own_last_layer

HEADS: dict[str, Callable[..., nn.Module]] = {
    "linear": LinearHead,
    "cosine": CosineHead,
    "label_graph": LabelGraphHead,
    "ml_decoder": MLDecoderHead,
}


def build_head(
    head: str | nn.Module | Callable[..., nn.Module],
    n_features: int,
    n_outputs: int,
    **params: object,
) -> nn.Module:
    """Return a new head.

    Parameters
    ----------
    head : str, callable or torch.nn.Module
        A key of ``skrecall.nn.HEADS``; what returns a module, given `n_features`, `n_outputs` and
        `params`; or a module, which is copied, weights included.
    n_features : int
        Number of features.
    n_outputs : int
        Number of logits.
    **params : object
        Further arguments of the head.

    Returns
    -------
    head : torch.nn.Module
        A network from features to logits.

    Raises
    ------
    ValueError
        If no head has that name, or the head does not take these arguments.

    Examples
    --------
    >>> from skrecall.nn import build_head
    >>> build_head("cosine", 64, 10, scale=20.0).scale
    20.0
    """
    if isinstance(head, nn.Module):
        if params:
            raise ValueError(
                f"{', '.join(params)} cannot reach the head {type(head).__name__}, which is built "
                "already: set them there."
            )
        return copy.deepcopy(head)
    if isinstance(head, str):
        if head not in HEADS:
            raise ValueError(f"head={head!r} is unknown: choose {', '.join(map(repr, HEADS))}.")
        try:
            return HEADS[head](n_features, n_outputs, **params)
        except TypeError as error:
            raise ValueError(f"head={head!r} does not take {params}: {error}.") from error
    return head(n_features, n_outputs, **params)


class BackboneWithHead(nn.Module):
    """A network that takes features from one module and makes logits of them by another.

    Parameters
    ----------
    backbone : torch.nn.Module
        From a batch to features, by ``forward_features`` where it has one: the backbones here and
        those of timm. Another module is called as it is, so take off its last layer.
    head : torch.nn.Module
        From features to logits.

    Raises
    ------
    ValueError
        If the backbone has no ``forward_features`` and still ends in a linear layer within a part
        called ``head``, ``heads``, ``fc`` or ``classifier``.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import BackboneWithHead, CosineHead, SmallCNN
    >>> net = BackboneWithHead(SmallCNN((1, 28, 28)), CosineHead(64, 10))
    >>> net(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        last = None if hasattr(backbone, "forward_features") else own_last_layer(backbone)
        if last is not None:
            n_values = backbone.get_submodule(last).out_features
            place = "".join(f"[{k}]" if k.isdecimal() else f".{k}" for k in last.split("."))
            raise ValueError(
                f"The backbone {type(backbone).__name__} still ends in its own last layer, {last}, "
                f"and the head would learn from the {n_values} values that it makes: set "
                f"backbone{place} = torch.nn.Identity() first, or, if these are the features, call "
                "the layer by another name."
            )
        self.backbone = backbone
        self.head = head

    def forward_features(self, X: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the features of a batch.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            The batch.
        lengths : Tensor of shape (n_samples,), default=None
            Number of frames of each clip, for a backbone that takes them.

        Returns
        -------
        features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, ...)
            What the head takes.
        """
        inputs = {} if lengths is None else {"lengths": lengths}
        return extract_features(self.backbone, X, **inputs)

    def forward(self, X: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits of a batch.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            The batch.
        lengths : Tensor of shape (n_samples,), default=None
            Number of frames of each clip, for a backbone that takes them.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        """
        return self.head(self.forward_features(X, lengths))
