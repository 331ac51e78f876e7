"""Multi-label adaptive resonance associative map: prototypes that learn in one pass, and vote.

References
----------
.. [1] F. Benites, E. Sapozhnikova, "HARAM: A hierarchical ARAM neural network for large-scale text
   classification", IEEE ICDM Workshops, 2015.
"""

from collections.abc import Iterator
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from skrecall.utils._blocks import row_blocks
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._multilabel_target import BaseMultilabelClassifier
from skrecall.utils._sklearn import Interval, StrOptions, _fit_context

from ._fuzzy_art import ROUNDING, activations, complement_code, learn_prototypes

_BLOCK_SIZE = 2**20  # activations held at once


def voting_weights(
    activation: NDArray[np.float64], counts: NDArray[np.int64], threshold: float
) -> NDArray[np.float64]:
    """Return the weight of each prototype in the vote on each sample.

    Parameters
    ----------
    activation : ndarray of shape (n_samples, n_prototypes)
        Activations.
    counts : ndarray of shape (n_prototypes,)
        How many samples each prototype has learnt.
    threshold : float
        By how much an activation may be below the best one, relative to the best one and to the
        distance of the best from the least.

    Returns
    -------
    weights : ndarray of shape (n_samples, n_prototypes)
        Activation times count; 0 for those that do not vote.
    """
    best = activation.max(axis=1, keepdims=True)
    spread = best - activation.min(axis=1, keepdims=True)
    votes = best - activation <= threshold * best * spread + ROUNDING
    return votes * np.where(best > 0, activation, 1) * counts


def above_greatest_gap(proba: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the labels before the greatest fall of the sorted probabilities, in each row.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_labels)
        Probabilities; two labels at least.

    Returns
    -------
    predicted : ndarray of shape (n_samples, n_labels)
        One label at least is marked, and not all; the first of equal falls is taken, and the first
        of equal labels.
    """
    order = np.argsort(-proba, axis=1, kind="stable")
    gaps = -np.diff(np.take_along_axis(proba, order, axis=1), axis=1)
    is_greatest = gaps >= gaps.max(axis=1, keepdims=True) - ROUNDING
    kept = np.arange(proba.shape[1]) <= is_greatest.argmax(axis=1)[:, np.newaxis]
    predicted = np.empty_like(kept)
    np.put_along_axis(predicted, order, kept, axis=1)
    return predicted


class MLARAM(DecisionMixin, BaseMultilabelClassifier):
    """Multi-label adaptive resonance associative map: prototypes of label sets that vote [1]_.

    Each prototype is a box in the scaled features that belongs to one label set. In one pass over
    the samples, a sample widens the box of its label set that fits it best, or becomes a box of its
    own where all would grow too large [2]_. A new sample has the labels of the boxes it is nearest
    to.

    Parameters
    ----------
    vigilance : float, default=0.9
        How small boxes stay: the sum of a box's side lengths is at most ``1 - vigilance`` times
        the number of features. 1 keeps every distinct sample, 0 makes one box of a label set.
    threshold : float, default=0.02
        By how much the activation of a prototype may be below the best for it to vote, relative to
        the best and to the best less the least. 0 leaves the vote to the best.
    decision : {"gap", "half"}, default="gap"
        "gap" predicts the labels before the greatest fall of the sorted probabilities, one at
        least, as the authors do; "half" those of probability one half or more, as for a single
        label in any case.
    feature_range : tuple of (float or array-like, float or array-like), default=None
        What becomes 0 and 1 in each feature. None for the least and greatest value of the training
        rows, of the first batch in `partial_fit`. Values outside are clipped.
    shuffle : bool, default=False
        Whether the rows are learnt in random order; the prototypes depend on the order.
    random_state : int, RandomState instance or None, default=None
        Seeds the order.

    Attributes
    ----------
    prototypes_ : ndarray of shape (n_prototypes, 2 * n_features)
        Lower corners of the boxes, and 1 less the upper corners.
    prototype_labels_ : ndarray of shape (n_prototypes, n_labels)
        The label set of each.
    prototype_counts_ : ndarray of shape (n_prototypes,)
        How many training rows each has learnt.
    feature_min_, feature_max_ : ndarray of shape (n_features,)
        What becomes 0 and 1.
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
    MLkNN : Keeps all rows, and learns from the numbers of neighbours.
    LabelPowerset : A classifier of label sets.

    Notes
    -----
    The probability of a label is its share in the vote: prototypes vote by activation times number
    of rows learnt. It is not calibrated.

    scikit-multilearn scales all features by one common minimum and maximum, anew in every
    `predict`, so that the answer for a row depends on the rows beside it; here each feature has the
    range of the training rows. The layer of clusters that HARAM adds, to look at fewer prototypes
    per row, is left out: the answer without it is the exact one.

    `fit` costs O(n_features) per row and prototype of its label set, `predict` per row and
    prototype. Sparse `X` is made dense by blocks; prototypes are dense.

    References
    ----------
    .. [1] F. Benites, E. Sapozhnikova, "HARAM: A hierarchical ARAM neural network for large-scale
       text classification", IEEE ICDM Workshops, 2015.
    .. [2] G. A. Carpenter, S. Grossberg, D. B. Rosen, "Fuzzy ART: Fast stable learning and
       categorization of analog patterns by an adaptive resonance system", Neural Networks 4(6),
       1991.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.multilabel import MLARAM
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = MLARAM(vigilance=0.8).fit(X, Y)
    >>> print(model.predict(X).any(axis=1).all())
    True
    >>> len(model.prototypes_) < len(X)
    True
    """

    _decision_params = ("threshold", "decision")

    _parameter_constraints: dict = {
        "vigilance": [Interval(Real, 0, 1, closed="both")],
        "threshold": [Interval(Real, 0, None, closed="left")],
        "decision": [StrOptions({"gap", "half"})],
        "feature_range": [tuple, None],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        vigilance: float = 0.9,
        *,
        threshold: float = 0.02,
        decision: Literal["gap", "half"] = "gap",
        feature_range: tuple[ArrayLike, ArrayLike] | None = None,
        shuffle: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.vigilance = vigilance
        self.threshold = threshold
        self.decision = decision
        self.feature_range = feature_range
        self.shuffle = shuffle
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn the prototypes in one pass.

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
        labels = np.tile(np.nan_to_num(self.constant_).astype(np.int8), (len(Y), 1))
        labels[:, self._varying] = Y
        self._start(X)
        return self._learn(X, labels)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Go on learning, from a batch of samples.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator. A label may be constant in a batch.
        classes : array-like of shape (2,), default=None
            The two classes of a target of one dimension, in the first call; an indicator needs
            none.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_partial_fit(X, y, classes)
        if not hasattr(self, "prototypes_"):
            self._start(X)
        return self._learn(X, Y)

    def _start(self, X: Any) -> None:
        """Set the range of the features, and forget all prototypes."""
        n_features, n_labels = X.shape[1], len(self.constant_)
        self.feature_min_, self.feature_max_ = self._range(X)
        self.prototypes_ = np.empty((0, 2 * n_features))
        self.prototype_labels_ = np.empty((0, n_labels), dtype=np.int8)
        self.prototype_counts_ = np.empty(0, dtype=np.int64)

    def _range(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.feature_range is None:
            low, high = X.min(axis=0), X.max(axis=0)
            return (low.toarray().ravel(), high.toarray().ravel()) if issparse(X) else (low, high)
        n_features = X.shape[1]
        try:
            low, high = (
                np.broadcast_to(np.asarray(end, dtype=np.float64), n_features)
                for end in self.feature_range
            )
        except ValueError as error:
            raise ValueError(
                "feature_range must be a tuple of the least and the greatest value, each a number "
                f"or one per feature, of which there are {n_features}."
            ) from error
        if not (low <= high).all():
            feature = int(np.flatnonzero(~(low <= high))[0])
            raise ValueError(
                f"feature_range of feature {feature} goes from {low[feature]} to {high[feature]}: "
                "give the least value first."
            )
        return low, high

    def _learn(self, X: Any, Y: NDArray[np.int8]) -> Self:
        """Let the prototypes of each label set learn the rows that carry it."""
        order = np.arange(len(Y))
        if self.shuffle:
            check_random_state(self.random_state).shuffle(order)
        n_known = len(self.prototypes_)
        label_sets, member = np.unique(
            np.concatenate([self.prototype_labels_, Y[order]]), axis=0, return_inverse=True
        )
        of_prototype, of_row = np.split(member.ravel(), [n_known])
        learnt = [
            learn_prototypes(
                self._codes(X[order[of_row == k]]),
                self.prototypes_[of_prototype == k],
                self.prototype_counts_[of_prototype == k],
                self.vigilance,
            )
            for k in range(len(label_sets))
        ]
        self.prototypes_ = np.concatenate([prototypes for prototypes, _ in learnt])
        self.prototype_counts_ = np.concatenate([counts for _, counts in learnt])
        sizes = [len(counts) for _, counts in learnt]
        self.prototype_labels_ = np.repeat(label_sets, sizes, axis=0)
        return self._decide()

    def _refit_decision(self) -> None:
        self._by_gap = self.decision == "gap" and len(self.constant_) > 1

    def _codes(self, X: Any) -> NDArray[np.float64]:
        X = X.toarray() if issparse(X) else X
        return complement_code(X, self.feature_min_, self.feature_max_)

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        return validate_data(self, X=X, reset=reset, accept_sparse="csr", dtype=np.float64)

    def _shares(self, X: Any) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield the share of each label in the vote, of blocks of rows."""
        self._check_decision()
        width = max(self.prototypes_.shape)
        for rows in row_blocks(X.shape[0], width, n_cells=_BLOCK_SIZE):
            activation = activations(self._codes(X[rows]), self.prototypes_)
            weights = voting_weights(activation, self.prototype_counts_, self.threshold)
            share = weights @ self.prototype_labels_ / weights.sum(axis=1, keepdims=True)
            yield rows, np.minimum(share, 1)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        proba = np.empty((X.shape[0], len(self._varying)))
        for rows, share in self._shares(X):
            proba[rows] = share[:, self._varying]
        return proba

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        predicted = np.empty((X.shape[0], len(self._varying)), dtype=np.int8)
        for rows, share in self._shares(X):
            marked = above_greatest_gap(share) if self._by_gap else share >= 0.5
            predicted[rows] = marked[:, self._varying]
        return predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
