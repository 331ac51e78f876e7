"""Multi-label k nearest neighbours: the odds of a label, given how many neighbours carry it.

References
----------
.. [1] M.-L. Zhang, Z.-H. Zhou, "ML-KNN: A lazy learning approach to multi-label learning",
   Pattern Recognition 40(7), 2007.
"""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, issparse
from sklearn.base import BaseEstimator

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import count_labels, count_values
from skrecall.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context, _num_samples

from ._neighbors import _BLOCK_SIZE, BaseNeighborLabels


def count_histogram(counts: Any, n_values: int) -> NDArray[np.int64]:
    """Count how often each value occurs in each column.

    Parameters
    ----------
    counts : ndarray or csr_array of shape (n_rows, n_labels)
        Values of 0 to n_values - 1; the zeros that a sparse array leaves out are not counted.
    n_values : int
        Number of possible values.

    Returns
    -------
    histogram : ndarray of shape (n_labels, n_values)
        How many rows have the value.
    """
    n_labels = counts.shape[1]
    if issparse(counts):
        labels, values = counts.indices.astype(np.intp), counts.data
    else:
        labels, values = np.arange(n_labels), counts
    cells = np.bincount((labels * n_values + values).ravel(), minlength=n_labels * n_values)
    return cells.reshape(n_labels, n_values)


def posterior_of_counts(
    prior: NDArray[np.float64],
    positives: NDArray[np.int64],
    negatives: NDArray[np.int64],
    smoothing: float,
) -> NDArray[np.float64]:
    """Return the probability of a label for each number of neighbours that carry it.

    Parameters
    ----------
    prior : ndarray of shape (n_labels,)
        Probability of the label.
    positives, negatives : ndarray of shape (n_labels, n_neighbors + 1)
        Of the training rows with the label, and of those without: how many have 0, 1, ...
        neighbours with it.
    smoothing : float
        What is added to each of these numbers.

    Returns
    -------
    posterior : ndarray of shape (n_labels, n_neighbors + 1)
        By Bayes' rule.
    """
    positives, negatives = positives + smoothing, negatives + smoothing
    with_label = prior[:, None] * positives / positives.sum(axis=1, keepdims=True)
    without = (1 - prior[:, None]) * negatives / negatives.sum(axis=1, keepdims=True)
    return with_label / (with_label + without)


class MLkNN(BaseNeighborLabels):
    """Multi-label k nearest neighbours: a Bayes rule per label [1]_.

    How many of its k nearest neighbours carry a label is counted for every training row, the row
    itself left out. A new row has the label with the probability that training rows with as many
    neighbours of the label had, smoothed.

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of neighbours; all other rows where there are fewer.
    smoothing : float, default=1.0
        What is added to every count, greater than 0: 1 is Laplace's rule.
    include_self : bool, default=False
        Whether training rows are looked up as new rows are, so that each is its own nearest
        neighbour, as in scikit-multilearn. The counts of training rows then promise more than new
        rows hold: Hamming loss suffers, while more labels are predicted and macro F1 rises on many
        data sets.
    metric : str or callable, default="euclidean"
        Distance of scikit-learn's neighbour search. Features are not scaled.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        How scikit-learn searches.
    n_jobs : int, default=None
        Number of threads of the search.
    neighbors : estimator, default=None
        A neighbour search with `fit` and `kneighbors` like `sklearn.neighbors.NearestNeighbors`,
        to use instead of that; `metric`, `algorithm` and `n_jobs` are then its own.
        ``kneighbors(None)`` must leave each row out of its own neighbours by its index, not by its
        distance, as there may be duplicates.

    Attributes
    ----------
    neighbors_ : estimator
        The fitted neighbour search.
    n_neighbors_ : int
        Number of neighbours that are counted.
    prior_ : ndarray of shape (n_labels,)
        Smoothed share of the training rows with the label; NaN for a label that is constant there.
    posterior_ : ndarray of shape (n_labels, n_counts)
        Probability of the label where 0, 1, ... `n_neighbors_` neighbours carry it.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, else NaN.
    classes_ : ndarray of shape (n_labels, 2) or (2,)
        ``[0, 1]`` per label; the two classes of a target of one dimension.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    BRkNN : The share of the neighbours is the probability.
    InstanceBasedLogisticRegression : Neighbours of other labels have a say.

    Notes
    -----
    A label is predicted at a probability of one half or more. Which of several rows at the same
    distance is a neighbour is up to the search, so that results on binary features may differ in
    the second digit from those of another implementation.

    Apart from the neighbour search, `fit` and `predict` add the labels of n_neighbors rows per row
    and look the sums up. A sparse `y` stays sparse.

    References
    ----------
    .. [1] M.-L. Zhang, Z.-H. Zhou, "ML-KNN: A lazy learning approach to multi-label learning",
       Pattern Recognition 40(7), 2007.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.multilabel import MLkNN
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = MLkNN(n_neighbors=5).fit(X, Y)
    >>> model.predict_proba(X).shape, model.posterior_.shape
    ((200, 4), (4, 6))
    """

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
        "include_self": ["boolean"],
        "metric": [str, callable],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "n_jobs": [Integral, None],
        "neighbors": [HasMethods(["fit", "kneighbors"]), None],
    }

    def __init__(
        self,
        n_neighbors: int = 10,
        *,
        smoothing: float = 1.0,
        include_self: bool = False,
        metric: str | Callable = "euclidean",
        algorithm: str = "auto",
        n_jobs: int | None = None,
        neighbors: BaseEstimator | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.smoothing = smoothing
        self.include_self = include_self
        self.metric = metric
        self.algorithm = algorithm
        self.n_jobs = n_jobs
        self.neighbors = neighbors

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn how many neighbours of rows with and without each label carry it.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        n_samples = _num_samples(X)
        n_neighbors = min(self.n_neighbors, n_samples - (not self.include_self))
        self._fit_search(X, Y, n_neighbors)
        self.prior_ = np.full(len(self.constant_), np.nan)
        self.posterior_ = np.full((len(self.constant_), n_neighbors + 1), np.nan)
        varying = self._varying
        if len(varying) == 0:
            return self
        n_positives = count_values(Y, 1)
        prior = (self.smoothing + n_positives) / (2 * self.smoothing + n_samples)
        everywhere, positives = self._training_histograms(X if self.include_self else None)
        everywhere[:, 0] = n_samples - everywhere[:, 1:].sum(axis=1)
        positives[:, 0] = n_positives - positives[:, 1:].sum(axis=1)
        self.prior_[varying] = prior
        self.posterior_[varying] = posterior_of_counts(
            prior, positives, everywhere - positives, self.smoothing
        )
        return self

    def _training_histograms(self, X: Any) -> NDArray[np.int64]:
        """Return how often each count above 0 occurs: in all rows, and in those with the label."""
        neighbors = self._find(X)
        n_labels, n_values = self._Y.shape[1], self.n_neighbors_ + 1
        histograms = np.zeros((2, n_labels, n_values), dtype=np.int64)
        for rows in row_blocks(len(neighbors), n_labels, n_cells=_BLOCK_SIZE):
            counts = count_labels(neighbors[rows], self._Y)
            histograms[0] += count_histogram(counts, n_values)
            own = counts.multiply(self._Y[rows]) if issparse(counts) else counts * self._Y[rows]
            histograms[1] += count_histogram(own, n_values)
        return histograms

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        posterior = self.posterior_[self._varying]
        return self._from_counts(X, lambda counts: look_up(posterior, counts), np.float64)

    def _predict_labels(self, X: Any) -> NDArray[np.int8] | csc_array:
        predicted = self.posterior_[self._varying] >= 0.5
        return self._labels_from_counts(X, lambda counts: look_up(predicted, counts))


def look_up(table: NDArray, counts: NDArray) -> NDArray:
    """Return the entry of a table for each label and count.

    Parameters
    ----------
    table : ndarray of shape (n_labels, n_values)
        One value per label and count.
    counts : ndarray of shape (n_rows, n_labels)
        Columns of the table.

    Returns
    -------
    entries : ndarray of shape (n_rows, n_labels)
        Of the table's type.
    """
    return table[np.arange(len(table)), counts]
