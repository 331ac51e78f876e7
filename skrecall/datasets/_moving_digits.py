"""Clips of a handwritten digit that moves, made from scikit-learn's bundled scans: no download."""

from numbers import Integral, Real

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from sklearn.datasets import load_digits
from sklearn.utils import Bunch, check_random_state

from skrecall.utils._sklearn import Interval, validate_params

_SCAN_SIZE = 8
_SCAN_MAX = 16.0
# Rows grow downwards. Eight directions, a step of 1 along each axis that they have.
_DIRECTIONS = np.array([(0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)])
_LABEL_NAMES = ["left", "right", "up", "down"]

_DESCR = """\
A digit that moves, and in few clips turns round
------------------------------------------------
{n_samples} clips of {shortest} to {longest} grey frames of {size} x {size} pixels, {n_positives} of
them ({share:.1%}) with a digit that turns round and comes back. Y says in which of four directions
it moves at some time. They are made from the handwritten scans of sklearn.datasets.load_digits, the
test set of the UCI "Optical Recognition of Handwritten Digits" data (E. Alpaydin, C. Kaynak, 1998).
`groups` is the index of the scan: split by groups.
"""


def _travelled(n_frames: NDArray[np.intp], turns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of the way at which a digit is in each frame, (n_samples, longest).

    On the way there a digit that turns leaves out every other place, and goes there coming back.
    """
    step = np.arange(n_frames.max())
    last = n_frames[:, None] - 1
    there_and_back = np.minimum(2 * step, 2 * (last - step) + 1)
    return np.clip(np.where(turns[:, None], there_and_back, step) / last, 0, 1)


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "prevalence": [Interval(Real, 0, 1, closed="neither")],
        "min_frames": [Interval(Integral, 3, None, closed="left")],
        "max_frames": [Interval(Integral, 3, None, closed="left")],
        "image_size": [Interval(Integral, _SCAN_SIZE + 1, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_moving_digits(
    n_samples: int = 500,
    *,
    prevalence: float = 0.1,
    min_frames: int = 6,
    max_frames: int = 10,
    image_size: int = 16,
    noise: float = 0.1,
    random_state: int | RandomState | None = None,
) -> Bunch:
    """Make clips of a moving digit that, in few of them, turns round.

    A clip that turns shows the digit at the same places as one that does not, once each: no single
    frame and no average of frames tells the two apart, only their order does.

    Parameters
    ----------
    n_samples : int, default=500
        Number of clips.
    prevalence : float in (0, 1), default=0.1
        Share of the clips that turn: there are ``round(prevalence * n_samples)``, at least one.
    min_frames : int, default=6
        Frames of the shortest clips, 3 or more; lengths are drawn evenly up to `max_frames`.
    max_frames : int, default=10
        Frames of the longest clips.
    image_size : int, default=16
        Width and height of a frame in pixels; the digit has 8.
    noise : float, default=0.1
        Standard deviation of the noise on the grey levels, as a share of their range.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    data : Bunch
        With attributes

        clips : ndarray of shape (n_samples, max_frames, 1, image_size, image_size), dtype uint8
            Grey frames; 255 is ink, and 0 fills up what is after the end of a clip.
        lengths : ndarray of shape (n_samples,)
            Number of frames of each clip.
        target : ndarray of shape (n_samples,)
            1 where the digit turns round, else 0.
        pos_label : int
            The label of the turning clips in `target`: 1.
        Y : ndarray of shape (n_samples, 4)
            1 where the digit moves in the direction of the column at some time.
        label_names : list of str
            ``["left", "right", "up", "down"]``.
        digit : ndarray of shape (n_samples,)
            Which digit the clip shows.
        groups : ndarray of shape (n_samples,)
            Index of the scan in ``load_digits()`` that the clip was made from.
        DESCR : str
            Description of the data made.

    Raises
    ------
    ValueError
        If `min_frames` exceeds `max_frames`.

    Examples
    --------
    >>> from skrecall.datasets import make_moving_digits
    >>> data = make_moving_digits(60, random_state=0)
    >>> data.clips.shape, data.target.sum()
    ((60, 10, 1, 16, 16), np.int64(6))
    """
    if min_frames > max_frames:
        raise ValueError(
            f"min_frames={min_frames} exceeds max_frames={max_frames}: lower the first or raise "
            "the second."
        )
    rng = check_random_state(random_state)
    bundled = load_digits()
    scans = np.resize(rng.permutation(len(bundled.target)), n_samples)
    lengths = rng.randint(min_frames, max_frames + 1, size=n_samples)
    lengths[0] = max_frames
    n_positives = max(1, round(prevalence * n_samples))
    turns = rng.permutation(n_samples) < n_positives
    direction = _DIRECTIONS[rng.randint(len(_DIRECTIONS), size=n_samples)]

    free = image_size - _SCAN_SIZE
    way = free * rng.uniform(0.5, 1, size=n_samples)
    start = rng.uniform(0, 1, size=(n_samples, 2)) * np.where(
        direction == 0, free, (free - way)[:, None]
    )
    start += np.where(direction < 0, way[:, None], 0)
    corner = (
        start[:, None]
        + direction[:, None] * (way[:, None] * _travelled(lengths, turns))[:, :, None]
    )

    pixels = np.arange(image_size)
    coordinates = np.broadcast_arrays(
        scans[:, None, None, None],
        pixels[:, None] - corner[:, :, 0, None, None],
        pixels[None, :] - corner[:, :, 1, None, None],
    )
    grey = map_coordinates(bundled.images, coordinates, order=1, mode="grid-constant") / _SCAN_MAX
    grey += noise * rng.standard_normal(grey.shape)
    clips = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    clips[np.arange(max_frames) >= lengths[:, None]] = 0

    moves = [direction[:, 1] < 0, direction[:, 1] > 0, direction[:, 0] < 0, direction[:, 0] > 0]
    comes_back = [moves[1], moves[0], moves[3], moves[2]]
    Y = np.column_stack(moves) | (np.column_stack(comes_back) & turns[:, None])
    return Bunch(
        clips=clips[:, :, None],
        lengths=lengths,
        target=turns.astype(np.int64),
        pos_label=1,
        Y=Y.astype(np.int64),
        label_names=list(_LABEL_NAMES),
        digit=bundled.target[scans],
        groups=scans,
        DESCR=_DESCR.format(
            n_samples=n_samples,
            shortest=lengths.min(),
            longest=lengths.max(),
            size=image_size,
            n_positives=n_positives,
            share=n_positives / n_samples,
        ),
    )
