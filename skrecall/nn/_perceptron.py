"""A multilayer perceptron, for tables and for whatever is flattened."""

import itertools
import math
from collections.abc import Sequence

from torch import Tensor, nn

from ._backbone import BaseBackbone, linear_head


class MultilayerPerceptron(BaseBackbone):
    """Fully connected network; samples of more than one dimension are flattened.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one sample: ``(n_features,)`` for tables.
    n_outputs : int, default=None
        Number of logits; None returns the last hidden layer.
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
        n_outputs: int | None = None,
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
        self.head = linear_head(widths[-1], n_outputs)

    def forward_features(self, X: Tensor) -> Tensor:
        """Return the last hidden layer.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            The batch.

        Returns
        -------
        features : Tensor of shape (n_samples, n_features)
            The flat samples themselves, if there is no hidden layer.
        """
        return self.features(X)
