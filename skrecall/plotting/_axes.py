"""What all displays share: axes to draw on, and colours that colour-blind readers tell apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrecall.utils._optional import import_optional

# Okabe and Ito's palette, without its yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)), (0, (2, 2)))
QUIET = "0.45"


def get_figure_and_axes(
    ax: Any,
    *,
    purpose: str,
    n_axes: int = 1,
    size: tuple[float, float] = (6.4, 4.8),
    remedy: str = "pass as many, or None",
) -> tuple[Any, Any]:
    """Return the axes to draw on and their figure; matplotlib is imported here, on first use.

    Parameters
    ----------
    ax : matplotlib Axes, sequence of Axes or None
        None makes a new figure.
    purpose : str
        Name of the display, for messages.
    n_axes : int, default=1
        Number of axes that the display draws on.
    size : tuple of (float, float), default=(6.4, 4.8)
        Inches of a new figure.
    remedy : str, default="pass as many, or None"
        What the message advises where the number of axes is another.

    Returns
    -------
    figure : matplotlib Figure
        The figure.
    ax : matplotlib Axes or ndarray of shape (n_axes,)
        One Axes, or an array of several.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If there are too few or too many axes.
    """
    pyplot = import_optional("matplotlib.pyplot", purpose=purpose)
    if ax is None:
        figure, axes = pyplot.subplots(1, n_axes, figsize=size, layout="constrained", squeeze=False)
        axes = axes.ravel()
    else:
        axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != n_axes:
            raise ValueError(f"{purpose} draws on {n_axes} axes and got {len(axes)}: {remedy}.")
        figure = axes[0].figure
    return figure, axes[0] if n_axes == 1 else axes


def readable_on(colour: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever is read on a colour.

    Parameters
    ----------
    colour : tuple of (float, float, float, float)
        Red, green, blue and opacity in [0, 1].

    Returns
    -------
    ink : {"black", "white"}
        Dark on light, or light on dark.
    """
    red, green, blue, _ = colour
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def emptiest_corner(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    corners: Sequence[str],
    *,
    size: tuple[float, float] = (0.7, 0.4),
) -> str:
    """Return the corner of the unit square where a legend hides the least of a curve.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        The curve; NaN hides nothing.
    corners : sequence of str
        Corners to choose from, such as "lower left"; of equal ones, the first.
    size : tuple of (float, float), default=(0.7, 0.4)
        Width and height of the legend.

    Returns
    -------
    corner : str
        One of `corners`.
    """
    inside = {
        "left": x < size[0],
        "right": x > 1 - size[0],
        "lower": y < size[1],
        "upper": y > 1 - size[1],
    }

    def hidden(corner: str) -> float:
        vertical, horizontal = corner.split()
        return float(np.mean(inside[vertical] & inside[horizontal]))

    return min(corners, key=hidden)
