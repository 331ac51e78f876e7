"""Fuzzy adaptive resonance: prototypes that are boxes, learnt in one pass.

References
----------
.. [1] G. A. Carpenter, S. Grossberg, D. B. Rosen, "Fuzzy ART: Fast stable learning and
   categorization of analog patterns by an adaptive resonance system", Neural Networks 4(6), 1991.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

CHOICE = 1e-13  # added to the size of a prototype, as small as in the conservative limit of [1]
ROUNDING = 1e-12  # what two values may differ by and count as equal


def complement_code(
    X: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return features scaled into [0, 1], and their complements.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    low, high : ndarray of shape (n_features,)
        What becomes 0 and 1; values outside are clipped.

    Returns
    -------
    codes : ndarray of shape (n_samples, 2 * n_features)
        Every row sums to n_features.
    """
    span = np.where(high > low, high - low, 1)
    scaled = np.clip((X - low) / span, 0, 1)
    return np.hstack([scaled, 1 - scaled])


def learn_prototypes(
    codes: NDArray[np.float64],
    prototypes: NDArray[np.float64],
    counts: NDArray[np.int64],
    vigilance: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Let the prototypes of one label set learn samples of that set, one after the other.

    A sample goes to the prototype that it activates most, of those that keep at least the share
    `vigilance` of it: the prototype becomes the minimum of both. Where there is none, the sample
    becomes a prototype.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, 2 * n_features)
        Complement codes, in the order to learn.
    prototypes : ndarray of shape (n_prototypes, 2 * n_features)
        What is there already.
    counts : ndarray of shape (n_prototypes,)
        How many samples each has learnt.
    vigilance : float
        Between 0 and 1.

    Returns
    -------
    prototypes : ndarray of shape (n_prototypes, 2 * n_features)
        New ones at the end.
    counts : ndarray of shape (n_prototypes,)
        How many samples each has learnt.
    """
    n_known = len(prototypes)
    prototypes = np.concatenate([prototypes, np.empty_like(codes)])
    counts = np.concatenate([counts, np.zeros(len(codes), dtype=np.int64)])
    sizes = np.append(prototypes[:n_known].sum(axis=1), np.zeros(len(codes)))
    needed = vigilance * codes.shape[1] / 2 - ROUNDING
    for code in codes:
        overlap = np.minimum(prototypes[:n_known], code).sum(axis=1)
        activation = np.where(overlap >= needed, overlap / (CHOICE + sizes[:n_known]), -1)
        winner = int(activation.argmax()) if n_known else 0
        if n_known and activation[winner] >= 0:
            np.minimum(prototypes[winner], code, out=prototypes[winner])
        else:
            winner, n_known = n_known, n_known + 1
            prototypes[winner] = code
        sizes[winner] = prototypes[winner].sum()
        counts[winner] += 1
    return prototypes[:n_known], counts[:n_known]


def activations(codes: NDArray[np.float64], prototypes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each prototype is contained in each sample.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, 2 * n_features)
        Complement codes.
    prototypes : ndarray of shape (n_prototypes, 2 * n_features)
        Prototypes.

    Returns
    -------
    activations : ndarray of shape (n_samples, n_prototypes)
        Sum of the minimum of both, relative to the prototype's sum: between 0 and 1.
    """
    sizes = prototypes.sum(axis=1)
    distances = cdist(codes, prototypes, metric="cityblock")
    overlap = (codes.sum(axis=1)[:, np.newaxis] + sizes - distances) / 2
    return np.maximum(overlap, 0) / (CHOICE + sizes)
