"""Multi-label data with all that measures stumble over, and the containers it may come in."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array, csr_matrix, lil_array


class Drawn(NamedTuple):
    Y: np.ndarray
    P: np.ndarray
    S: np.ndarray
    weight: np.ndarray


def draw(n_samples=60, n_labels=6, *, unknown=False, decimals=1, seed=0):
    """Return labels, decisions, tied scores, weights; samples and labels with nothing or all."""
    rng = np.random.default_rng(seed)
    Y = (rng.random((n_samples, n_labels)) < rng.uniform(0.1, 0.6, n_labels)).astype(int)
    P = np.where(rng.random(Y.shape) < 0.7, Y, 1 - Y)
    S = np.round(Y * 0.3 + rng.random(Y.shape), decimals)
    Y[:4], P[2:6] = 0, 0
    Y[6], P[6:8] = 1, 1
    Y[:, 1], P[:, 2] = 0, 0
    if unknown:
        Y[rng.random(Y.shape) < 0.25] = -1
        Y[8] = -1
        Y[:, 3] = np.where(Y[:, 3] == 0, -1, Y[:, 3])
    return Drawn(Y, P, S, rng.integers(0, 4, n_samples).astype(float))


def with_nan(Y):
    return np.where(Y == -1, np.nan, Y)


CONTAINERS = {
    "array": np.asarray,
    "float": np.asfortranarray,
    "nan": with_nan,
    "frame": pd.DataFrame,
    "csr_array": csr_array,
    "csr_matrix": csr_matrix,
    "lil": lil_array,
    "coo": coo_array,
}
