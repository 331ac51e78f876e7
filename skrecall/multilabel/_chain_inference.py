"""Label sets of a probabilistic chain, for all samples of a block at once.

A chain is one function, which returns P(next label = 1 | sample, labels before it) for any rows and
prefixes; every search asks it once per place of the chain.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

# (rows (n,), prefixes (n, place)) -> P(label at that place = 1) (n,)
Conditional = Callable[[NDArray[np.intp], NDArray[np.int8]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class LabelSets:
    """Label sets that stand for the joint distribution of each row, in the order of the chain.

    Attributes
    ----------
    sets : ndarray of shape (n_rows, n_sets, n_labels), dtype int8
        The sets.
    log_proba : ndarray of shape (n_rows, n_sets)
        Logarithm of P(set | sample).
    weight : ndarray of shape (n_rows, n_sets)
        What each stands for; sums to one.
    marginals : ndarray of shape (n_rows, n_labels)
        P(label = 1 | sample).
    """

    sets: NDArray[np.int8]
    log_proba: NDArray[np.float64]
    weight: NDArray[np.float64]
    marginals: NDArray[np.float64]

    def likeliest(self) -> NDArray[np.int8]:
        """Return the likeliest set of each row.

        Returns
        -------
        Y : ndarray of shape (n_rows, n_labels), dtype int8
            Indicator.
        """
        return self.sets[np.arange(len(self.sets)), np.argmax(self.log_proba, axis=1)]


def greedy_path(conditional: Conditional, n_rows: int, n_labels: int) -> NDArray[np.float64]:
    """Return the probabilities on the way that takes the likelier value at every place.

    Parameters
    ----------
    conditional : callable
        The chain.
    n_rows, n_labels : int
        Number of samples, and of places.

    Returns
    -------
    proba : ndarray of shape (n_rows, n_labels)
        P(label = 1 | the values taken before); the value taken is 1 from one half on.
    """
    rows = np.arange(n_rows)
    proba = np.empty((n_rows, n_labels))
    taken = np.empty((n_rows, n_labels), dtype=np.int8)
    for place in range(n_labels):
        proba[:, place] = conditional(rows, taken[:, :place])
        taken[:, place] = proba[:, place] >= 0.5
    return proba


def beam_search(
    conditional: Conditional, n_rows: int, n_labels: int, width: int | None = None
) -> LabelSets:
    """Return the likeliest label sets, keeping the `width` likeliest prefixes at every place.

    Parameters
    ----------
    conditional : callable
        The chain.
    n_rows, n_labels : int
        Number of samples, and of places.
    width : int or None, default=None
        None keeps all prefixes: the sets are all there are, which 2^(`n_labels` - 1) suffices for,
        as the last place is not cut.

    Returns
    -------
    label_sets : LabelSets
        Weighted by their probabilities, rescaled to sum to one.
    """
    sets = np.empty((n_rows, 1, 0), dtype=np.int8)
    log_proba = np.zeros((n_rows, 1))
    for place in range(n_labels):
        if width is not None and sets.shape[1] > width:
            best = np.argsort(-log_proba, axis=1, kind="stable")[:, :width]
            log_proba = np.take_along_axis(log_proba, best, axis=1)
            sets = np.take_along_axis(sets, best[:, :, np.newaxis], axis=1)
        rows = np.repeat(np.arange(n_rows), sets.shape[1])
        proba = conditional(rows, sets.reshape(len(rows), place)).reshape(log_proba.shape)
        with np.errstate(divide="ignore"):  # log 0 is -inf: the set never occurs
            log_proba = np.hstack([log_proba + np.log(proba), log_proba + np.log1p(-proba)])
        sets = np.concatenate([_with_value(sets, 1), _with_value(sets, 0)], axis=1)
    weight = softmax(log_proba, axis=1)
    marginals = np.clip((weight[:, np.newaxis] @ sets)[:, 0], 0, 1)  # sums round
    return LabelSets(sets, log_proba, weight, marginals)


def _with_value(sets: NDArray[np.int8], value: int) -> NDArray[np.int8]:
    """Return prefixes that are one value longer."""
    return np.pad(sets, ((0, 0), (0, 0), (0, 1)), constant_values=value)


def draw_label_sets(
    conditional: Conditional, n_rows: int, uniforms: NDArray[np.float64]
) -> LabelSets:
    """Draw label sets from the joint distribution, place by place.

    Parameters
    ----------
    conditional : callable
        The chain; it is asked once for samples of one row that begin alike.
    n_rows : int
        Number of samples.
    uniforms : ndarray of shape (n_draws, n_labels)
        Uniform random numbers in [0, 1); the same for every row, so that the sets of a row do not
        depend on the other rows.

    Returns
    -------
    label_sets : LabelSets
        All of one weight; the marginals are means of P(label = 1 | labels drawn before), which vary
        less than shares of the draws.
    """
    n_draws, n_labels = uniforms.shape
    sets = np.empty((n_rows * n_draws, n_labels), dtype=np.int8)
    log_proba = np.zeros(n_rows * n_draws)
    marginals = np.empty((n_rows, n_labels))
    rows = beginning = np.repeat(np.arange(n_rows), n_draws)
    for place in range(n_labels):
        _, first, beginning = np.unique(beginning, return_index=True, return_inverse=True)
        proba = conditional(rows[first], sets[first, :place])[beginning]
        drawn = np.tile(uniforms[:, place], n_rows) < proba
        sets[:, place] = drawn
        marginals[:, place] = proba.reshape(n_rows, n_draws).mean(axis=1)
        log_proba += np.log(np.where(drawn, proba, 1 - proba))
        beginning = 2 * beginning + drawn
    weight = np.full((n_rows, n_draws), 1 / n_draws)
    sets = sets.reshape(n_rows, n_draws, n_labels)
    return LabelSets(sets, log_proba.reshape(n_rows, n_draws), weight, marginals)
