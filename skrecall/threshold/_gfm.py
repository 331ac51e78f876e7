"""The label set of greatest expected F: the general F-measure maximiser.

The expectation of F-beta over a distribution of label sets depends on it through the chances
P(y_i = 1, |y| = s) alone: with W[s, k] = (1 + beta^2) / (beta^2 s + k), a set of k labels is worth
the sum over its labels of column k of P'W, so that the best set of k labels holds the k greatest
entries of that column [1]_. For independent labels these are the k most probable ones [2]_, and the
chances follow from the Poisson binomial distribution of |y|, from which each label is taken out.

References
----------
.. [1] K. Dembczynski, W. Waegeman, W. Cheng, E. Huellermeier, "An exact algorithm for F-measure
   maximization", NeurIPS, 2011.
.. [2] D. D. Lewis, "Evaluating and optimizing autonomous text classification systems", SIGIR, 1995.
"""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from skrecall.utils._blocks import row_blocks
from skrecall.utils._sklearn import Interval, validate_params

BLOCK = 2**20  # entries of an array that is worked on at once: it fits in a cache
_NEGLIGIBLE = 1e-20  # chance of a size that is left out: no sum of so small ones is seen in F
_TOTAL_TOLERANCE = 1e-4  # of a distribution that may come from single-precision probabilities


@validate_params(
    {
        "joint": ["array-like"],
        "proba_empty": ["array-like"],
        "beta": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def general_f_maximizer(
    joint: ArrayLike, proba_empty: ArrayLike, *, beta: float = 1.0
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return the label set of greatest expected F-beta of each sample, exactly [1]_.

    Parameters
    ----------
    joint : array-like of shape (n_samples, n_sizes, n_labels)
        ``joint[:, s - 1, i]`` is P(label i and s labels in all), for s from 1 to `n_sizes`, the
        largest size that has a chance.
    proba_empty : array-like of shape (n_samples,)
        P(no label).
    beta : float, default=1.0
        Recall counts `beta` times as much as precision.

    Returns
    -------
    Y_pred : ndarray of shape (n_samples, n_labels), dtype int8
        The best set; of equal ones the smallest. The empty set is worth 1 where no label is true.
    expected_f : ndarray of shape (n_samples,)
        What it is worth.

    Raises
    ------
    ValueError
        If the shapes do not match, or the chances of all sizes do not sum to 1.

    See Also
    --------
    independent_f_maximizer : From a probability per label.

    References
    ----------
    .. [1] K. Dembczynski, W. Waegeman, W. Cheng, E. Huellermeier, "An exact algorithm for F-measure
       maximization", NeurIPS, 2011.

    Examples
    --------
    Either the first label alone, or the other two: all three are the safest answer.

    >>> from skrecall.threshold import general_f_maximizer
    >>> joint = [[[0.4, 0, 0], [0, 0.6, 0.6], [0, 0, 0]]]
    >>> Y_pred, expected_f = general_f_maximizer(joint, [0.0])
    >>> Y_pred, expected_f
    (array([[1, 1, 1]], dtype=int8), array([0.68]))
    """
    joint = check_array(joint, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name="joint")
    proba_empty = check_array(
        proba_empty, ensure_2d=False, dtype=np.float64, input_name="proba_empty"
    )
    if joint.ndim != 3 or proba_empty.shape != joint.shape[:1] or joint.shape[1] > joint.shape[2]:
        raise ValueError(
            f"joint has shape {joint.shape} and proba_empty {proba_empty.shape}: "
            "(n_samples, n_sizes, n_labels), with at most n_labels sizes, and (n_samples,) are "
            "needed."
        )
    _check_total(joint, proba_empty)
    n_samples, n_sizes, n_labels = joint.shape
    worth_of_size = _worth(n_sizes, n_labels, beta).T
    Y_pred = np.zeros((n_samples, n_labels), dtype=np.int8)
    expected_f = np.empty(n_samples)
    for rows in row_blocks(n_samples, n_labels**2, n_cells=BLOCK):
        worth = worth_of_size @ joint[rows]  # (n_rows, size of the prediction, label)
        best_first = np.sort(worth, axis=2)[:, :, ::-1]
        of_size = np.sum(np.tril(best_first), axis=2)
        size, expected_f[rows] = _best_size(of_size, proba_empty[rows])
        of_label = worth[np.arange(len(size)), np.maximum(size, 1) - 1]
        order = np.argsort(-of_label, axis=1, kind="stable")
        np.put_along_axis(Y_pred[rows], order, _first(size, n_labels), axis=1)
    return Y_pred, expected_f


@validate_params(
    {"proba": ["array-like"], "beta": [Interval(Real, 0, None, closed="neither")]},
    prefer_skip_nested_validation=True,
)
def independent_f_maximizer(
    proba: ArrayLike, *, beta: float = 1.0
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return the label set of greatest expected F-beta of each sample, for independent labels.

    It is exact where labels are independent given the sample. A sample takes time and memory in the
    number of labels times the number of labels that it may carry.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_labels)
        P(label = 1).
    beta : float, default=1.0
        Recall counts `beta` times as much as precision.

    Returns
    -------
    Y_pred : ndarray of shape (n_samples, n_labels), dtype int8
        The best set; of equal ones the smallest. The empty set is worth 1 where no label is true.
    expected_f : ndarray of shape (n_samples,)
        What it is worth.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1].

    See Also
    --------
    general_f_maximizer : From the joint distribution.

    References
    ----------
    .. [1] D. D. Lewis, "Evaluating and optimizing autonomous text classification systems", SIGIR,
       1995.

    Examples
    --------
    One half is not the threshold: an unsure sample gets its labels all the same.

    >>> from skrecall.threshold import independent_f_maximizer
    >>> Y_pred, expected_f = independent_f_maximizer([[0.4, 0.4, 0.1], [0.9, 0.3, 0.1]])
    >>> Y_pred
    array([[1, 1, 0],
           [1, 0, 0]], dtype=int8)
    """
    proba = check_array(proba, dtype=np.float64, input_name="proba")
    if proba.min() < 0 or proba.max() > 1:
        raise ValueError(
            f"proba reaches from {proba.min():g} to {proba.max():g}: probabilities in [0, 1] are "
            "needed, as of a calibrated predict_proba."
        )
    n_samples, n_labels = proba.shape
    Y_pred = np.zeros((n_samples, n_labels), dtype=np.int8)
    expected_f = np.empty(n_samples)
    usual_size = proba.sum(axis=1).max(initial=0)
    for rows in row_blocks(
        n_samples, n_labels * min(n_labels, 20 + int(2 * usual_size)), n_cells=BLOCK
    ):
        order = np.argsort(-proba[rows], axis=1, kind="stable")
        best_first = np.take_along_axis(proba[rows], order, axis=1)
        joint, proba_empty = independent_joint(best_first)
        worth = _worth(joint.shape[1], n_labels, beta)
        of_size = np.sum(np.cumsum(joint, axis=2) * worth, axis=1)
        size, expected_f[rows] = _best_size(of_size, proba_empty)
        np.put_along_axis(Y_pred[rows], order, _first(size, n_labels), axis=1)
    return Y_pred, expected_f


def joint_of_label_sets(
    label_sets: NDArray, proba: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `general_f_maximizer` takes, of a distribution over label sets.

    Parameters
    ----------
    label_sets : ndarray of shape (n_sets, n_labels) or (n_samples, n_sets, n_labels)
        The sets, one row of 0 and 1 each; the same for all samples, or their own.
    proba : ndarray of shape (n_samples, n_sets)
        Their probabilities; equal ones for sets that were drawn.

    Returns
    -------
    joint : ndarray of shape (n_samples, n_labels, n_labels)
        P(label i and s labels in all) at ``[:, s - 1, i]``.
    proba_empty : ndarray of shape (n_samples,)
        P(no label).
    """
    n_labels = label_sets.shape[-1]
    of_size = label_sets.sum(axis=-1)[..., np.newaxis, :] == np.arange(n_labels + 1)[:, np.newaxis]
    chance = of_size * proba[:, np.newaxis, :]  # (n_samples, size, n_sets)
    return chance[:, 1:] @ label_sets.astype(np.float64), chance[:, 0].sum(axis=-1)


def independent_joint(
    proba: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `general_f_maximizer` takes, for labels that are independent given the sample.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_labels)
        P(label = 1).

    Returns
    -------
    joint : ndarray of shape (n_samples, n_sizes, n_labels)
        P(label i and s labels in all) at ``[:, s - 1, i]``; sizes that no sample reaches but by
        less than a rounding error are left out.
    proba_empty : ndarray of shape (n_samples,)
        P(no label).
    """
    n_samples, n_labels = proba.shape
    of_size = _size_distribution(proba)
    n_sizes = max(1, int(np.flatnonzero((of_size > _NEGLIGIBLE).any(axis=0))[-1]))
    likely = proba > 0.5
    taken_out = np.where(likely, 1 - proba, proba)  # at most one half: the recursion is stable
    others = np.empty((n_samples, n_sizes, n_labels))
    before = np.zeros((n_samples, n_labels))
    for s in range(n_sizes):  # from size 0 up; for likely labels from the largest one down
        chance = np.where(likely, of_size[:, [n_sizes - s]], of_size[:, [s]])
        before = others[:, s] = (chance - taken_out * before) / (1 - taken_out)
    others = np.where(likely[:, np.newaxis], others[:, ::-1], others)
    return proba[:, np.newaxis] * others, of_size[:, 0]


def _size_distribution(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P(|y| = s) of independent labels, for s from 0: the Poisson binomial."""
    n_samples, n_labels = proba.shape
    of_size = np.zeros((n_samples, n_labels + 1))
    of_size[:, 0] = 1
    for i in range(n_labels):
        p = proba[:, [i]]
        carried = of_size[:, : i + 1] * p
        of_size[:, : i + 1] *= 1 - p
        of_size[:, 1 : i + 2] += carried
    return of_size


def _worth(n_sizes: int, n_labels: int, beta: float) -> NDArray[np.float64]:
    """Return what a hit adds to F, by size of the truth (rows) and of the prediction, from 1."""
    true_size = np.arange(1, n_sizes + 1, dtype=np.float64)[:, np.newaxis]
    return (1 + beta**2) / (beta**2 * true_size + np.arange(1, n_labels + 1))


def _best_size(
    of_size: NDArray[np.float64], proba_empty: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the size from 0 of the best set, and its worth."""
    worth = np.column_stack([proba_empty, of_size])
    size = np.argmax(worth, axis=1)
    return size, worth[np.arange(len(size)), size]


def _first(size: NDArray[np.intp], n_labels: int) -> NDArray[np.int8]:
    """Return rows that start with `size` ones."""
    return (np.arange(n_labels) < size[:, np.newaxis]).astype(np.int8)


def _check_total(joint: NDArray[np.float64], proba_empty: NDArray[np.float64]) -> None:
    sizes = np.arange(1, joint.shape[1] + 1)
    total = proba_empty + np.sum(joint.sum(axis=2) / sizes, axis=1)
    wrong = np.flatnonzero(~np.isclose(total, 1, rtol=0, atol=_TOTAL_TOLERANCE))
    if len(wrong):
        raise ValueError(
            f"The chances of {len(wrong)} of {len(total)} samples do not sum to 1 over the sizes; "
            f"those of sample {wrong[0]} sum to {total[wrong[0]]:.6g}. joint[:, s - 1, i] is "
            "P(label i and s labels in all): its sum over labels is s times P(s labels)."
        )
