"""What a label is worth to a promise of recall.

A recall is promised from held-out positives, and from m of them at most
``(1 - confidence) ** (1 / m)``. Where positives are rare, their number is what a label has to
raise: a row that is positive with probability p raises it by p.

References
----------
.. [1] J. Attenberg, F. Provost, "Why label when you can search? Alternatives to active learning for
   applying human resources to build classification models under extreme class imbalance",
   KDD 2010.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrecall.threshold._bounds import best_target
from skrecall.utils._checks import check_share

from ._uncertainty import check_proba


def expected_recall_gain(
    proba: ArrayLike, n_positives: ArrayLike, *, confidence: float = 0.9
) -> NDArray[np.float64]:
    """Return by how much the label of each row is expected to raise the best recall to promise.

    From m held-out positives, a recall of ``(1 - confidence) ** (1 / m)`` is the most that can be
    promised, 0 from none; a row that is positive with probability p adds one with probability p.
    For one label this asks for the most probable positives, as certainty sampling does, which is
    what serves where they are hard to come by [1]_; it also says when to stop, as further positives
    gain less and less. Over several labels it weights those that have few positives so far.

    Parameters
    ----------
    proba : array-like of shape (n_samples,) or (n_samples, n_labels)
        Probability that a row is positive; with several labels, of each.
    n_positives : int or array-like of shape (n_labels,)
        Labelled positives so far, of each label.
    confidence : float in (0, 1), default=0.9
        With which the recall is to be promised.

    Returns
    -------
    gain : ndarray of shape (n_samples,)
        In units of recall; with several labels, the mean over them.

    Raises
    ------
    ValueError
        If these are no probabilities, no counts, or there is not one count per label.

    Notes
    -----
    The gain is what the row would bring to a random sample. Rows that a model has chosen are no
    random sample: the positives among them are those that it scores high, and a promise made from
    them is void. Train on them, and promise from positives of rows drawn at random.

    References
    ----------
    .. [1] J. Attenberg, F. Provost, "Why label when you can search? Alternatives to active learning
       for applying human resources to build classification models under extreme class imbalance",
       KDD 2010.

    Examples
    --------
    >>> from skrecall.active_learning import expected_recall_gain
    >>> expected_recall_gain([0.5, 0.1], n_positives=5).round(4)
    array([0.0252, 0.005 ])
    >>> expected_recall_gain([[0.5, 0.1], [0.1, 0.5]], n_positives=[50, 2]).round(4)
    array([0.0076, 0.037 ])
    """
    proba = check_proba(np.reshape(proba, (-1, 1)) if np.ndim(proba) == 1 else proba)
    counts = np.atleast_1d(np.asarray(n_positives))
    if counts.dtype.kind not in "iu" or counts.ndim != 1 or counts.min(initial=0) < 0:
        raise ValueError(
            f"n_positives={n_positives!r} must be the number of labelled positives, 0 or more, of "
            "each label."
        )
    if len(counts) != proba.shape[1]:
        raise ValueError(
            f"n_positives holds {len(counts)} counts for {proba.shape[1]} labels: one each is "
            "needed; of two classes, pass predict_proba(X)[:, 1]."
        )
    delta = 1 - check_share(confidence, name="confidence", closed="neither")
    now, then = ([_best_recall(int(n) + more, delta) for n in counts] for more in (0, 1))
    return proba @ (np.array(then) - np.array(now)) / len(counts)


def _best_recall(n_positives: int, delta: float) -> float:
    return best_target(n_positives, delta) if n_positives else 0.0
