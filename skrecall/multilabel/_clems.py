"""Cost-sensitive embedding of label sets: distances of points are the square roots of costs.

Every label set is two points, one for when it is the truth and one for when it is predicted, since
the two costs of a pair of sets may differ. The points are found by scaling by majorisation (SMACOF)
[2]_; only pairs of a truth and a prediction count, each as often as the truth occurs, which gives
the linear system of a step a closed form.

References
----------
.. [1] K.-H. Huang, H.-T. Lin, "Cost-sensitive label embedding for multi-label classification",
   Machine Learning 106(9-10), 2017.
.. [2] I. Borg, P. J. F. Groenen, "Modern Multidimensional Scaling", 2nd ed., Springer, 2005, ch. 8.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist


def pairwise_costs(
    Y_true: NDArray[np.int8], Y_pred: NDArray[np.int8], *, cost: str, beta: float
) -> NDArray[np.float64]:
    """Return the cost of predicting each of some label sets where each of others is true.

    Parameters
    ----------
    Y_true, Y_pred : ndarray of shape (n_true, n_labels), (n_pred, n_labels)
        Indicators.
    cost : {"fbeta", "jaccard", "hamming"}
        One minus the F or Jaccard score of a row, 1 for two empty sets; or the share of labels
        that differ.
    beta : float
        Of the F score.

    Returns
    -------
    costs : ndarray of shape (n_true, n_pred)
        Values of 0 to 1.
    """
    common = Y_true.astype(np.float64) @ Y_pred.T.astype(np.float64)
    n_true = Y_true.sum(axis=1, dtype=np.float64)[:, np.newaxis]
    n_pred = Y_pred.sum(axis=1, dtype=np.float64)
    missed, false = n_true - common, n_pred - common
    if cost == "hamming":
        return (missed + false) / Y_true.shape[1]
    if cost == "jaccard":
        wrong, total = missed + false, missed + false + common
    else:
        wrong, total = beta**2 * missed + false, beta**2 * n_true + n_pred
    return np.divide(wrong, total, out=np.zeros_like(common), where=total > 0)


def embed_label_sets(
    costs: NDArray[np.float64],
    counts: NDArray[np.int64],
    *,
    n_components: int,
    max_iter: int,
    tol: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, int]:
    """Return points for sets as truths and as predictions, at distances of the roots of costs.

    Parameters
    ----------
    costs : ndarray of shape (n_sets, n_sets)
        Cost of predicting the set of the column where that of the row is true; 0 on the diagonal.
    counts : ndarray of shape (n_sets,)
        How often each set is true.
    n_components : int
        Dimension of the points.
    max_iter : int
        Greatest number of steps.
    tol : float
        The steps end when the stress falls by less than this share of itself.

    Returns
    -------
    truths, predictions : ndarray of shape (n_sets, n_components)
        The points.
    stress : float
        Mean squared error of the distances, over pairs and weighted by counts.
    n_iter : int
        Number of steps.
    """
    wanted = np.sqrt(costs)
    weight = (counts / counts.sum() / len(counts))[:, np.newaxis]
    truths = _classical_scaling((costs + costs.T) / 2, n_components)
    predictions = truths.copy()
    distance = cdist(truths, predictions)
    stress = float((weight * (distance - wanted) ** 2).sum())
    for n_iter in range(1, max_iter + 1):  # noqa: B007 (it is returned)
        truths, predictions = majorise(truths, predictions, distance, wanted, counts)
        distance = cdist(truths, predictions)
        before, stress = stress, float((weight * (distance - wanted) ** 2).sum())
        if before - stress <= tol * before:
            break
    return truths, predictions, stress, n_iter


def majorise(
    truths: NDArray[np.float64],
    predictions: NDArray[np.float64],
    distance: NDArray[np.float64],
    wanted: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points after a Guttman transform, which never raises the stress.

    Parameters
    ----------
    truths, predictions : ndarray of shape (n_sets, n_components)
        The points.
    distance, wanted : ndarray of shape (n_sets, n_sets)
        Their distances, and what these should be.
    counts : ndarray of shape (n_sets,)
        Weight of the pairs of a row.

    Returns
    -------
    truths, predictions : ndarray of shape (n_sets, n_components)
        Moved points; the predictions are centred.
    """
    n_sets, n_samples = len(counts), counts.sum()
    ratio = np.divide(wanted, distance, out=np.zeros_like(wanted), where=distance > 0)
    ratio *= counts[:, np.newaxis]
    of_truths = ratio.sum(axis=1, keepdims=True) * truths - ratio @ predictions
    of_predictions = ratio.sum(axis=0)[:, np.newaxis] * predictions - ratio.T @ truths
    moved = of_truths / (n_sets * counts[:, np.newaxis])
    return moved, (of_predictions + counts @ moved) / n_samples


def _classical_scaling(costs: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """Return points whose squared distances are costs, as nearly as so many dimensions allow."""
    centred = costs - costs.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(-centred / 2)
    values, vectors = values[::-1][:n_components], vectors[:, ::-1][:, :n_components]
    points = vectors * np.sqrt(np.maximum(values, 0))
    return np.pad(points, [(0, 0), (0, n_components - points.shape[1])])
