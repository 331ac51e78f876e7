"""A network over clips: a CNN looks at every frame, a recurrent network goes over what it saw.

Time is folded into the batch, so that all frames of all clips are one batch of images. Where clips
have different lengths, only frames that exist are computed, and a packed sequence ends each clip
where it ends [1]_.

References
----------
.. [1] J. Donahue et al., "Long-term Recurrent Convolutional Networks for Visual Recognition and
       Description", CVPR 2015.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from ._backbone import BaseBackbone, count_features, extract_features, linear_head
from ._linear_heads import pool_features
from ._loss import check_option
from ._small_cnn import SmallCNN

CELLS: dict[str, type[nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM}


def frame_rows(lengths: Tensor, n_frames: int) -> Tensor:
    """Return which rows are frames of a clip when padded clips lie below each other.

    Parameters
    ----------
    lengths : Tensor of shape (n_samples,)
        Number of frames of each clip.
    n_frames : int
        Number of frames that the clips are padded to.

    Returns
    -------
    rows : Tensor of shape (lengths.sum(),)
        Numbers of rows among n_samples * n_frames, rising.

    Raises
    ------
    ValueError
        If a length is below 1 or above `n_frames`.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn._recurrent import frame_rows
    >>> frame_rows(torch.tensor([1, 3]), 3)
    tensor([0, 3, 4, 5])
    """
    if len(lengths) and not 1 <= int(lengths.min()) <= int(lengths.max()) <= n_frames:
        raise ValueError(
            f"lengths lie between {int(lengths.min())} and {int(lengths.max())}, and the clips "
            f"have {n_frames} frames: pass between 1 and {n_frames} for every clip."
        )
    exists = torch.arange(n_frames, device=lengths.device) < lengths[:, None]
    return exists.flatten().nonzero().squeeze(1)


class RecurrentCNN(BaseBackbone):
    """Network over clips: a CNN for every frame, then a GRU or an LSTM up to each clip's end.

    The logits are a linear layer of the last state of the recurrent network: that after the last
    frame of the clip, and, with two directions, that of the way back after its first frame too.
    Frames beyond the length of a clip are not computed and change nothing. What is seen in frames
    is normalised over those of a batch, without which training often does not get going.

    Parameters
    ----------
    input_shape : sequence of int
        ``(n_frames, n_channels, height, width)``. Clips of any number of frames are taken later.
    n_outputs : int, default=None
        Number of logits; None gives the features.
    frame_backbone : callable or torch.nn.Module, default=SmallCNN
        The network over frames, of which the features are taken, maps of them averaged. A callable
        is called as ``frame_backbone(frame_shape, None)``, None asking for features; a module is
        copied, weights included.
    cell : {"gru", "lstm"}, default="gru"
        The recurrent network.
    hidden : int, default=64
        Width of its state, per direction.
    n_layers : int, default=1
        Number of its layers.
    bidirectional : bool, default=False
        Whether it also goes backwards.
    dropout : float, default=0.0
        Share of the last state switched off in training.

    Raises
    ------
    ValueError
        If `input_shape` is not that of clips, `cell` is unknown, or `frame_backbone` returns no
        features.

    Examples
    --------
    >>> import torch
    >>> from skrecall.nn import RecurrentCNN
    >>> network = RecurrentCNN((8, 1, 16, 16), 3, bidirectional=True)
    >>> clips = torch.zeros(5, 8, 1, 16, 16)
    >>> network(clips, lengths=torch.tensor([8, 3, 1, 5, 8])).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_outputs: int | None = None,
        *,
        frame_backbone: nn.Module | Callable[..., nn.Module] = SmallCNN,
        cell: str = "gru",
        hidden: int = 64,
        n_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_option("cell", cell, tuple(CELLS))
        if len(input_shape) != 4:
            raise ValueError(
                f"input_shape={tuple(input_shape)} is not that of clips: pass (n_frames, "
                "n_channels, height, width)."
            )
        frame_shape = tuple(input_shape[1:])
        if isinstance(frame_backbone, nn.Module):
            self.frame_backbone = copy.deepcopy(frame_backbone)
        else:
            self.frame_backbone = frame_backbone(frame_shape, None)
        n_features = count_features(self.frame_backbone, frame_shape)
        self.norm = nn.BatchNorm1d(n_features)
        self.recurrent = CELLS[cell](
            n_features,
            hidden,
            num_layers=n_layers,
            bidirectional=bidirectional,
            batch_first=True,
        )
        self.n_directions = 1 + bidirectional
        self.dropout = nn.Dropout(dropout)
        self.head = linear_head(self.n_directions * hidden, n_outputs)

    def forward_features(self, X: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the last state of every clip.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_frames, n_channels, height, width)
            The clips, padded at their ends.
        lengths : Tensor of shape (n_samples,), default=None
            Number of frames of each clip, best on the CPU; None takes all frames.

        Returns
        -------
        features : Tensor of shape (n_samples, n_features)
            The states of the last layer, both directions side by side.
        """
        n_samples, n_frames = X.shape[:2]
        frames = X.flatten(0, 1)
        if lengths is None:
            seen = self._look(frames).unflatten(0, (n_samples, n_frames))
        else:
            lengths = lengths.cpu()  # where pack_padded_sequence wants them
            rows = frame_rows(lengths, n_frames).to(X.device)
            features = self._look(frames[rows])
            padded = features.new_zeros(len(frames), features.shape[1])
            seen = pack_padded_sequence(
                padded.index_copy(0, rows, features).unflatten(0, (n_samples, n_frames)),
                lengths,
                batch_first=True,
                enforce_sorted=False,
            )
        _, state = self.recurrent(seen)
        if isinstance(self.recurrent, nn.LSTM):
            state, _ = state
        return self.dropout(torch.cat(list(state[-self.n_directions :]), dim=1))

    def _look(self, frames: Tensor) -> Tensor:
        """Return the normalised features of frames, (n_frames, n_features)."""
        return self.norm(pool_features(extract_features(self.frame_backbone, frames)))

    def forward(self, X: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits of a batch of clips.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_frames, n_channels, height, width)
            The clips, padded at their ends.
        lengths : Tensor of shape (n_samples,), default=None
            Number of frames of each clip, best on the CPU; None takes all frames.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Raw scores; the features where `n_outputs` is None.
        """
        return self.head(self.forward_features(X, lengths))
