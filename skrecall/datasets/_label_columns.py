"""What files write for a label that a sample has, and an indicator made of it."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_NO_AND_YES = [("0", "1"), ("false", "true"), ("no", "yes")]


def positive_values(values: Iterable[str]) -> list[str] | None:
    """Return those of the values of a column that mean that a sample has the label.

    Parameters
    ----------
    values : iterable of str
        The distinct values.

    Returns
    -------
    positive : list of str or None
        1, TRUE or yes, as it is written, if it is there; None where the values mean neither no nor
        yes.
    """
    written = {value.strip().lower(): value for value in values}
    for no, yes in _NO_AND_YES:
        if set(written) <= {no, yes}:
            return [written[yes]] if yes in written else []
    return None


def as_indicator(is_positive: NDArray[np.float64]) -> NDArray:
    """Return labels as integers where all are known.

    Parameters
    ----------
    is_positive : ndarray of shape (n_samples, n_labels)
        0, 1, or NaN where a label is unknown.

    Returns
    -------
    Y : ndarray of shape (n_samples, n_labels)
        The same, int64 if nothing is unknown.
    """
    return is_positive if np.isnan(is_positive).any() else is_positive.astype(np.int64)
