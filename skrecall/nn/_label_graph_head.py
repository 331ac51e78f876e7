"""Label-graph head: the vectors of the labels come out of a graph convolution over labels.

References
----------
.. [1] Z.-M. Chen, X.-S. Wei, P. Wang, Y. Guo, "Multi-label image recognition with graph
   convolutional networks", CVPR 2019.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._linear_heads import POOLINGS, pool_features
from ._loss import check_option

SLOPE = 0.2  # of the leaky ReLU, as published


class LabelGraphHead(nn.Module):
    """Logits of labels that learn from the labels they occur with (ML-GCN) [1]_.

    Two graph convolutions, ``A @ leaky_relu(A @ E @ W1) @ W2`` of the embeddings E of the labels,
    give one vector per label, and its logit is the dot product with the pooled features. A rare
    label so shares weights with its neighbours.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_outputs : int
        Number of labels.
    adjacency : array-like, Tensor or sparse of shape (n_outputs, n_outputs)
        Normalised adjacency A, self-loops included, as `skrecall.label_space.label_adjacency` of
        the training labels gives it. It is taken as it is, and kept as a buffer.
    embeddings : {"learned", "identity"} or array-like of shape (n_outputs, n_embedding), \
default="learned"
        What the graph starts from: vectors that are trained, one axis per label, or vectors that
        stay, such as those of the labels' names.
    n_embedding : int, default=300
        Length of learned embeddings.
    n_hidden : int, default=None
        Width between the two convolutions; None is `n_features`.
    pooling : {"max", "average"}, default="max"
        How a map of features becomes one vector.

    Attributes
    ----------
    adjacency : Tensor of shape (n_outputs, n_outputs)
        The adjacency, in float32.

    Raises
    ------
    ValueError
        If `adjacency` or `embeddings` have another shape, hold values that are not finite, or leave
        a label with nothing, or an option is unknown.

    Notes
    -----
    There is no bias, as in the paper. The first weights are drawn so that the label vectors begin
    about as long as those of a linear layer, whatever the embeddings.

    References
    ----------
    .. [1] Z.-M. Chen, X.-S. Wei, P. Wang, Y. Guo, "Multi-label image recognition with graph
       convolutional networks", CVPR 2019.

    Examples
    --------
    >>> import torch
    >>> from skrecall.label_space import label_adjacency
    >>> from skrecall.nn import LabelGraphHead
    >>> adjacency = label_adjacency([[1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    >>> LabelGraphHead(16, 3, adjacency=adjacency)(torch.zeros(5, 16, 7, 7)).shape
    torch.Size([5, 3])
    """

    adjacency: Tensor
    embeddings: Tensor

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        *,
        adjacency: Any,
        embeddings: Any = "learned",
        n_embedding: int = 300,
        n_hidden: int | None = None,
        pooling: str = "max",
    ) -> None:
        super().__init__()
        check_option("pooling", pooling, POOLINGS)
        adjacency = _float_matrix("adjacency", adjacency)
        if adjacency.shape != (n_outputs, n_outputs):
            raise ValueError(
                f"adjacency has shape {tuple(adjacency.shape)} and the head {n_outputs} labels: "
                f"pass an array of shape {(n_outputs, n_outputs)}, such as label_adjacency of the "
                "training labels."
            )
        self.register_buffer("adjacency", adjacency)
        if isinstance(embeddings, str):
            check_option("embeddings", embeddings, ("learned", "identity"))
            if embeddings == "learned":
                self.embeddings = nn.Parameter(torch.randn(n_outputs, n_embedding))
            else:
                self.register_buffer("embeddings", torch.eye(n_outputs))
        else:
            self.register_buffer("embeddings", _float_matrix("embeddings", embeddings))
            if len(self.embeddings) != n_outputs:
                raise ValueError(
                    f"embeddings hold {len(self.embeddings)} vectors and the head {n_outputs} "
                    "labels: pass one vector per label."
                )
        n_hidden = n_features if n_hidden is None else n_hidden
        self.convolution1 = nn.Linear(self.embeddings.shape[1], n_hidden, bias=False)
        self.convolution2 = nn.Linear(n_hidden, n_features, bias=False)
        length = self.embeddings.detach().square().sum(dim=1).mean().sqrt().item()
        nn.init.normal_(self.convolution1.weight, std=1 / length)
        nn.init.normal_(self.convolution2.weight, std=(n_hidden * n_features) ** -0.5)
        self.pooling = pooling

    def label_vectors(self) -> Tensor:
        """Return the weights of the labels, as the graph makes them.

        Returns
        -------
        vectors : Tensor of shape (n_outputs, n_features)
            What features are multiplied by.
        """
        hidden = F.leaky_relu(self.adjacency @ self.convolution1(self.embeddings), SLOPE)
        return self.adjacency @ self.convolution2(hidden)

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
        return F.linear(pool_features(features, self.pooling), self.label_vectors())


def _float_matrix(name: str, values: Any) -> Tensor:
    """Return a copy in float32, and see that every row holds something."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    matrix = torch.as_tensor(values, dtype=torch.float32).detach().clone()
    if matrix.ndim != 2:
        raise ValueError(f"{name} has shape {tuple(matrix.shape)}: it needs one row per label.")
    if not matrix.isfinite().all():
        n_bad = int((~matrix.isfinite()).sum())
        raise ValueError(f"{name} holds {n_bad} values that are not finite: replace them.")
    empty = (matrix == 0).all(dim=1).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f"{name} has rows of zeros, the first for label {empty[0]}, whose logit would always "
            "be 0: a label needs a self-loop in the adjacency, and an embedding."
        )
    return matrix
