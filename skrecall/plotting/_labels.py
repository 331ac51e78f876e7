"""What the displays of many labels share: which are shown, and what they are called."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrecall.utils._checks import check_count, check_option

Order = Literal["frequent", "rare"]
DIVERGING = "PuOr"  # colour map of ratios, whose middle is 1


def label_names_of(container_names: NDArray | None, given: Any, n_labels: int) -> list[str]:
    """Return what labels are called.

    Parameters
    ----------
    container_names : ndarray of shape (n_labels,) or None
        Columns of the DataFrame that the labels came in.
    given : sequence of str or None
        What the user calls them.
    n_labels : int
        Number of labels.

    Returns
    -------
    names : list of str
        Those given, else the columns, else the indices.

    Raises
    ------
    ValueError
        If another number of names was given.
    """
    if given is None:
        given = np.arange(n_labels) if container_names is None else container_names
    names = [" ".join(str(name).split()) for name in given]
    if len(names) != n_labels:
        raise ValueError(f"label_names has {len(names)} names for {n_labels} labels.")
    return names


def choose_labels(counts: ArrayLike, max_labels: int, order: Order = "frequent") -> NDArray:
    """Return which labels to show, in the order to show them.

    Parameters
    ----------
    counts : array-like of shape (n_labels,)
        Positives of each label.
    max_labels : int
        How many to show at most.
    order : {"frequent", "rare"}, default="frequent"
        Whether the most frequent or the rarest come first. Of equal ones, the first label does.

    Returns
    -------
    labels : ndarray of shape (n_shown,)
        Indices.
    """
    check_count(max_labels, name="max_labels")
    check_option(order, ("frequent", "rare"), name="order")
    counts = np.asarray(counts)
    return np.argsort(-counts if order == "frequent" else counts, kind="stable")[:max_labels]


def shortened(names: Sequence[str], *, length: int = 24) -> list[str]:
    """Return names that fit beside an axis.

    Parameters
    ----------
    names : sequence of str
        Names.
    length : int, default=24
        Characters that fit; a longer name loses its middle.

    Returns
    -------
    names : list of str
        Names of at most that length.
    """
    half = (length - 1) // 2
    return [
        name
        if len(name) <= length
        else f"{name[: length - 1 - half]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"
        for name in names
    ]


def tick_size(n_labels: int) -> float:
    """Return the font size at which names of so many labels stay apart.

    Parameters
    ----------
    n_labels : int
        Number of names on the axis.

    Returns
    -------
    size : float
        In points.
    """
    return float(np.clip(200 / max(n_labels, 1), 6.5, 9))


def shown_of(n_shown: int, n_labels: int, order: str) -> str:
    """Return a title that says which labels are shown; empty if all are.

    Parameters
    ----------
    n_shown, n_labels : int
        Labels shown, and all.
    order : str
        Which come first, such as "frequent".

    Returns
    -------
    title : str
        One line.
    """
    if n_shown == n_labels:
        return ""
    first = {"frequent": "most frequent", "rare": "rarest"}.get(order, order)
    return f"The {n_shown} {first} of {n_labels} labels"
