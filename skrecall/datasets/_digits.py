"""Images made from the 1797 handwritten digit scans that scikit-learn carries: no download.

Images of one scan are near copies of each other, so every generator says which scans an image was
made from: split by `groups`, never by rows.
"""

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
# At distortion=1: the largest rotation, shift and change of scale of an image.
_ROTATION = np.deg2rad(15)
_SHIFT = 0.08  # of the size
_SCALE = 0.1

_DISTORTION_CONSTRAINTS: dict = {
    "image_size": [Interval(Integral, _SCAN_SIZE, None, closed="left")],
    "distortion": [Interval(Real, 0, None, closed="left")],
    "noise": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
}

_RARE_DESCR = """\
One rare digit among the others
-------------------------------
{n_samples} grey images of {size} x {size} pixels, {n_positives} of them ({share:.1%}) of the digit
{digit}, made from {n_scans} handwritten scans of 8 x 8 pixels: those of
sklearn.datasets.load_digits, the test set of the UCI "Optical Recognition of Handwritten Digits"
data (E. Alpaydin, C. Kaynak, 1998), rotated, shifted, rescaled and made noisy at random.
A scan gives up to {images_per_scan} images; `groups` is the index of the scan. Images of one scan
are near copies: split by groups.
"""

_MULTILABEL_DESCR = """\
Several digits on one canvas
----------------------------
{n_samples} grey images of {size} x {size} pixels with {least} to {most} different digits each; Y
says which, one column per digit. They are made from the handwritten scans of
sklearn.datasets.load_digits, the test set of the UCI "Optical Recognition of Handwritten Digits"
data (E. Alpaydin, C. Kaynak, 1998), rotated, shifted, rescaled and made noisy at random.
The scans are first dealt out to {n_pools} disjoint pools, and all digits of a canvas come from one
pool; `groups` is the pool. Images of one pool share scans: split by groups.
"""


def _render(
    scans: NDArray[np.float64], size: int, distortion: float, noise: float, rng: RandomState
) -> NDArray[np.uint8]:
    """Return scans of shape (n, 8, 8) as distorted uint8 images of shape (n, size, size)."""
    n = len(scans)
    angle = _ROTATION * distortion * rng.uniform(-1, 1, size=n)
    zoom = 1 + _SCALE * distortion * rng.uniform(-1, 1, size=n)
    shift = _SHIFT * _SCAN_SIZE * distortion * rng.uniform(-1, 1, size=(2, n))
    centred = (np.arange(size) + 0.5) * _SCAN_SIZE / size - _SCAN_SIZE / 2
    cos, sin = (f(angle)[:, None, None] / zoom[:, None, None] for f in (np.cos, np.sin))
    rows, columns = centred[:, None], centred[None, :]
    middle = (_SCAN_SIZE - 1) / 2
    coordinates = np.broadcast_arrays(
        np.arange(n)[:, None, None],
        cos * rows - sin * columns + middle - shift[0][:, None, None],
        sin * rows + cos * columns + middle - shift[1][:, None, None],
    )
    grey = map_coordinates(scans, coordinates, order=1, mode="grid-constant") / _SCAN_MAX
    if noise > 0:
        grey += noise * rng.standard_normal(grey.shape)
    return np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)


def _rows_of_class(
    scans: NDArray[np.intp], n_images: int, images_per_scan: int | None, name: str, rng: RandomState
) -> NDArray[np.intp]:
    """Return `n_images` scan indices, each drawn scan `images_per_scan` times or once less."""
    if images_per_scan is None:
        n_scans = min(n_images, len(scans))
    else:
        n_scans = -(-n_images // images_per_scan)
    if n_scans > len(scans):
        raise ValueError(
            f"{n_images} images of {name} need {n_scans} scans at images_per_scan="
            f"{images_per_scan}, and there are {len(scans)}: set images_per_scan to at least "
            f"{-(-n_images // len(scans))}, or None, or ask for fewer images."
        )
    return np.resize(rng.permutation(scans)[:n_scans], n_images)


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "rare_digit": [Interval(Integral, 0, 9, closed="both")],
        "prevalence": [Interval(Real, 0, 1, closed="neither")],
        "images_per_scan": [Interval(Integral, 1, None, closed="left"), None],
        **_DISTORTION_CONSTRAINTS,
    },
    prefer_skip_nested_validation=True,
)
def make_rare_digits(
    n_samples: int = 1500,
    *,
    rare_digit: int = 8,
    prevalence: float = 0.05,
    images_per_scan: int | None = None,
    image_size: int = 16,
    distortion: float = 1.0,
    noise: float = 0.1,
    random_state: int | RandomState | None = None,
) -> Bunch:
    """Make images of handwritten digits in which one digit is rare.

    The scans are those of `sklearn.datasets.load_digits`, so that nothing is downloaded. Images of
    one scan are near copies of each other: split by `groups`.

    Parameters
    ----------
    n_samples : int, default=1500
        Number of images.
    rare_digit : int, default=8
        The digit to find, 0 to 9.
    prevalence : float in (0, 1), default=0.05
        Share of the rare digit: there are ``round(prevalence * n_samples)`` images of it, at least
        one.
    images_per_scan : int, default=None
        Images made of each scan that is used; some scans give one less where the number of images
        is no multiple. None uses as many scans as there are, each as rarely as possible.
    image_size : int, default=16
        Width and height in pixels; the scans have 8.
    distortion : float, default=1.0
        Strength of the random rotation, shift and change of scale: 1 turns by up to 15 degrees. 0
        only resizes the scans.
    noise : float, default=0.1
        Standard deviation of the noise on the grey levels, as a share of their range.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    data : Bunch
        With attributes

        images : ndarray of shape (n_samples, 1, image_size, image_size), dtype uint8
            Grey images; 255 is ink.
        X : ndarray of shape (n_samples, image_size ** 2)
            The same pixels as a table of shares of 255: in uint8, differences between rows, which
            samplers such as SMOTE take, wrap around.
        target : ndarray of shape (n_samples,)
            1 for the rare digit, else 0.
        pos_label : int
            The label of the rare digit in `target`: 1.
        digit : ndarray of shape (n_samples,)
            Which digit the image shows.
        groups : ndarray of shape (n_samples,)
            Index of the scan in ``load_digits()`` that the image was made from.
        DESCR : str
            Description of the data made.

    Raises
    ------
    ValueError
        If there are too few scans for that many images, or images would be identical copies.

    Examples
    --------
    >>> from skrecall.datasets import make_rare_digits
    >>> data = make_rare_digits(200, prevalence=0.1, random_state=0)
    >>> data.images.shape, data.target.sum()
    ((200, 1, 16, 16), np.int64(20))
    """
    rng = check_random_state(random_state)
    bundled = load_digits()
    is_rare = bundled.target == rare_digit
    n_positives = max(1, round(prevalence * n_samples))
    rows = np.concatenate(
        [
            _rows_of_class(np.flatnonzero(scans), n_images, images_per_scan, name, rng)
            for scans, n_images, name in [
                (is_rare, n_positives, f"the digit {rare_digit}"),
                (~is_rare, n_samples - n_positives, "the other digits"),
            ]
        ]
    )
    rows = rng.permutation(rows)
    per_scan = int(np.bincount(rows).max())
    if per_scan > 1 and distortion == 0 and noise == 0:
        raise ValueError(
            f"With distortion=0 and noise=0, the {per_scan} images of a scan are identical copies: "
            "raise one of the two, or ask for fewer images."
        )
    images = _render(bundled.images[rows], image_size, distortion, noise, rng)
    return Bunch(
        images=images[:, None],
        X=images.reshape(n_samples, -1) / 255,
        target=is_rare[rows].astype(np.int64),
        pos_label=1,
        digit=bundled.target[rows],
        groups=rows,
        DESCR=_RARE_DESCR.format(
            n_samples=n_samples,
            size=image_size,
            n_positives=n_positives,
            share=n_positives / n_samples,
            digit=rare_digit,
            n_scans=len(np.unique(rows)),
            images_per_scan=per_scan,
        ),
    )


def _deal_scans(
    digit: NDArray[np.intp], n_pools: int, rng: RandomState
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Deal the scans of every digit evenly to pools.

    Returns scans ordered by pool and digit, and for each (pool, digit) where they start and how
    many they are.
    """
    shuffled = rng.permutation(len(digit))
    shuffled = shuffled[np.argsort(digit[shuffled], kind="stable")]
    first_of_digit = np.searchsorted(digit[shuffled], np.arange(10))
    pool = (np.arange(len(digit)) - first_of_digit[digit[shuffled]]) % n_pools
    cell = pool * 10 + digit[shuffled]
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(n_pools * 10)).reshape(n_pools, 10)
    count = np.bincount(cell, minlength=n_pools * 10).reshape(n_pools, 10)
    return shuffled[order], start, count


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "min_digits": [Interval(Integral, 0, 10, closed="both")],
        "max_digits": [Interval(Integral, 1, 10, closed="both")],
        "imbalance": [Interval(Real, 1, None, closed="left")],
        "n_pools": [Interval(Integral, 1, 100, closed="both")],
        **_DISTORTION_CONSTRAINTS,
    },
    prefer_skip_nested_validation=True,
)
def make_multilabel_digits(
    n_samples: int = 1000,
    *,
    min_digits: int = 1,
    max_digits: int = 3,
    imbalance: float = 1.0,
    n_pools: int = 20,
    image_size: int = 32,
    distortion: float = 1.0,
    noise: float = 0.1,
    random_state: int | RandomState | None = None,
) -> Bunch:
    """Make canvases that show several different handwritten digits.

    The scans are those of `sklearn.datasets.load_digits`, so that nothing is downloaded. They are
    dealt out to disjoint pools, and a canvas takes all its scans from one pool: a split by `groups`
    has no scan on both sides.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of canvases.
    min_digits : int, default=1
        Least number of digits of a canvas.
    max_digits : int, default=3
        Greatest number; it is drawn evenly between the two.
    imbalance : float, default=1.0
        How many times as likely the digit 0 is drawn as the digit 9, falling geometrically between
        them; 1 draws all alike.
    n_pools : int, default=20
        Number of pools of scans, 1 to 100.
    image_size : int, default=32
        Width and height in pixels, shared by the cells of the square grid that the digits are
        placed on: a multiple of ``ceil(sqrt(max_digits))``, with at least 8 pixels per cell.
    distortion : float, default=1.0
        Strength of the random rotation, shift and change of scale of each digit; 0 only resizes.
    noise : float, default=0.1
        Standard deviation of the noise on the grey levels, as a share of their range.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    data : Bunch
        With attributes

        images : ndarray of shape (n_samples, 1, image_size, image_size), dtype uint8
            Grey images; 255 is ink.
        X : ndarray of shape (n_samples, image_size ** 2)
            The same pixels as a table of shares of 255: in uint8, differences between rows, which
            samplers such as SMOTE take, wrap around.
        Y : ndarray of shape (n_samples, 10)
            1 where the canvas shows the digit of the column.
        label_names : list of str
            ``["0", ..., "9"]``.
        groups : ndarray of shape (n_samples,)
            The pool of scans that the canvas was made from.
        scans : ndarray of shape (n_samples, max_digits)
            Indices in ``load_digits()`` of the scans on the canvas; -1 fills up.
        DESCR : str
            Description of the data made.

    Raises
    ------
    ValueError
        If `min_digits` exceeds `max_digits`, or the canvas does not divide into cells.

    Examples
    --------
    >>> from skrecall.datasets import make_multilabel_digits
    >>> data = make_multilabel_digits(100, random_state=0)
    >>> data.images.shape, data.Y.shape
    ((100, 1, 32, 32), (100, 10))
    """
    if min_digits > max_digits:
        raise ValueError(
            f"min_digits={min_digits} exceeds max_digits={max_digits}: lower the first or raise "
            "the second."
        )
    n_cells = int(np.ceil(np.sqrt(max_digits)))
    cell_size, rest = divmod(image_size, n_cells)
    if rest or cell_size < _SCAN_SIZE:
        raise ValueError(
            f"image_size={image_size} does not give {n_cells} x {n_cells} cells of at least "
            f"{_SCAN_SIZE} pixels for max_digits={max_digits}: take a multiple of {n_cells} from "
            f"{n_cells * _SCAN_SIZE} on."
        )
    rng = check_random_state(random_state)
    bundled = load_digits()
    scans, start, count = _deal_scans(bundled.target, n_pools, rng)
    groups = rng.permutation(np.arange(n_samples) % n_pools)

    # Gumbel's trick: the largest keys are a weighted draw without replacement.
    log_weight = -np.log(imbalance) * np.arange(10) / 9
    keys = log_weight + rng.gumbel(size=(n_samples, 10))
    digits = np.argsort(-keys, axis=1)[:, :max_digits]
    n_digits = rng.randint(min_digits, max_digits + 1, size=n_samples)
    shown = np.arange(max_digits) < n_digits[:, None]
    Y = np.zeros((n_samples, 10), dtype=np.int64)
    canvas, slot = np.nonzero(shown)
    drawn_digit, drawn_pool = digits[canvas, slot], groups[canvas]
    Y[canvas, drawn_digit] = 1

    within = (rng.random_sample(len(canvas)) * count[drawn_pool, drawn_digit]).astype(np.intp)
    drawn = scans[start[drawn_pool, drawn_digit] + within]
    used = np.full((n_samples, max_digits), -1)
    used[canvas, slot] = drawn

    cells = np.argsort(rng.random_sample((n_samples, n_cells**2)), axis=1)[canvas, slot]
    grid = np.zeros((n_samples, n_cells**2, cell_size, cell_size), dtype=np.float64)
    grid[canvas, cells] = _render(bundled.images[drawn], cell_size, distortion, 0.0, rng) / 255
    grid = grid.reshape(n_samples, n_cells, n_cells, cell_size, cell_size)
    grey = grid.transpose(0, 1, 3, 2, 4).reshape(n_samples, image_size, image_size)
    if noise > 0:
        grey = grey + noise * rng.standard_normal(grey.shape)
    images = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    return Bunch(
        images=images[:, None],
        X=images.reshape(n_samples, -1) / 255,
        Y=Y,
        label_names=[str(digit) for digit in range(10)],
        groups=groups,
        scans=used,
        DESCR=_MULTILABEL_DESCR.format(
            n_samples=n_samples, size=image_size, least=min_digits, most=max_digits, n_pools=n_pools
        ),
    )
