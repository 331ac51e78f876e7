"""ML-Decoder head: a few queries look at all places of a map, and each answers for many labels.

References
----------
.. [1] T. Ridnik, G. Sharir, A. Ben-Cohen, E. Ben-Baruch, A. Noy, "ML-Decoder: scalable and
   versatile classification head", WACV 2023.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_GROUPS = 100
MOST_EMBEDDED = 768


class MLDecoderHead(nn.Module):
    """Logits by cross-attention of queries over the places of a map (ML-Decoder) [1]_.

    Each of `n_groups` random queries, which are not trained, looks at the map through one decoder
    block without self-attention. What it brings back gives the logits of its group of labels, by
    weights of their own. Small objects are so found where an average over places would drown them.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_outputs : int
        Number of logits.
    n_groups : int, default=100
        Number of queries; more than one per logit are not made.
    n_embedding : int, default=None
        Width of queries and places. None is `n_features`, rounded up to a multiple of `n_heads`,
        and at most 768, the published width.
    n_heads : int, default=8
        Number of attention heads, which share out the width.
    n_feedforward : int, default=None
        Width of the hidden layer of the block. None is 8/3 of `n_embedding`, as published.
    dropout : float, default=0.1
        Share of units switched off in training.

    Raises
    ------
    ValueError
        If `n_embedding` is no multiple of `n_heads`, or `n_groups` is below 1.

    Notes
    -----
    Labels are dealt to the groups by their numbers, an equal count to each but the last.

    References
    ----------
    .. [1] T. Ridnik, G. Sharir, A. Ben-Cohen, E. Ben-Baruch, A. Noy, "ML-Decoder: scalable and
       versatile classification head", WACV 2023.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import MLDecoderHead
    >>> MLDecoderHead(16, 30, n_groups=10)(torch.zeros(5, 16, 7, 7)).shape
    torch.Size([5, 30])
    """

    queries: Tensor

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        *,
        n_groups: int = MOST_GROUPS,
        n_embedding: int | None = None,
        n_heads: int = 8,
        n_feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if n_groups < 1:
            raise ValueError(f"n_groups={n_groups} must be at least 1.")
        if n_embedding is None:
            n_embedding = n_heads * math.ceil(min(n_features, MOST_EMBEDDED) / n_heads)
        if n_embedding % n_heads:
            raise ValueError(
                f"n_embedding={n_embedding} is no multiple of n_heads={n_heads}, which share it "
                f"out: pass {n_heads * math.ceil(n_embedding / n_heads)}, or other heads."
            )
        if n_feedforward is None:
            n_feedforward = round(8 * n_embedding / 3)
        self.n_outputs = n_outputs
        group_size = math.ceil(n_outputs / min(n_groups, n_outputs))
        n_groups = math.ceil(n_outputs / group_size)  # none is left without labels
        self.embed = nn.Linear(n_features, n_embedding)
        self.register_buffer("queries", torch.randn(n_groups, n_embedding))
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(n_embedding)
        self.attention = nn.MultiheadAttention(
            n_embedding, n_heads, dropout=dropout, batch_first=True
        )
        self.norm2 = nn.LayerNorm(n_embedding)
        self.feedforward = nn.Sequential(
            nn.Linear(n_embedding, n_feedforward),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(n_feedforward, n_embedding),
            nn.Dropout(dropout),
        )
        self.norm3 = nn.LayerNorm(n_embedding)
        self.group_weight = nn.Parameter(torch.empty(n_groups, n_embedding, group_size))
        self.bias = nn.Parameter(torch.zeros(n_outputs))
        for weight in self.group_weight:
            nn.init.xavier_normal_(weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of features.

        Parameters
        ----------
        features : Tensor of shape (n_samples, n_features) or (n_samples, n_features, ...)
            A map of features; features without places are one place.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores.
        """
        places = features.reshape(*features.shape[:2], -1).transpose(1, 2)
        places = F.relu(self.embed(places))
        queries = self.queries.expand(len(places), -1, -1)
        queries = self.norm1(queries + self.dropout(queries))
        seen, _ = self.attention(queries, places, places, need_weights=False)
        queries = self.norm2(queries + self.dropout(seen))
        queries = self.norm3(queries + self.feedforward(queries))
        logits = torch.einsum("bgd,gdk->bgk", queries, self.group_weight)
        return logits.flatten(1)[:, : self.n_outputs] + self.bias
