"""What classifier chains share: the order of the labels, and the samples with the earlier ones."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from skrecall.utils._label_features import append_features, label_features

from ._base import BaseLabelMetaEstimator


def chain_order(
    order: ArrayLike | str | None, n_labels: int, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Return the labels in the order of a chain.

    Parameters
    ----------
    order : array-like of shape (n_labels,), "random" or None
        None for that of the columns.
    n_labels : int
        Number of labels.
    rng : RandomState
        Draws a random order.

    Returns
    -------
    order : ndarray of shape (n_labels,)
        A permutation of the indices of the labels.

    Raises
    ------
    ValueError
        If it is no permutation.
    """
    if order is None:
        return np.arange(n_labels)
    if isinstance(order, str):
        return rng.permutation(n_labels)
    given = np.asarray(order)
    if given.ndim != 1 or sorted(given.tolist()) != list(range(n_labels)):
        raise ValueError(
            f"order={given.tolist()} is an invalid order of {n_labels} labels: name each of their "
            f"indices, 0 to {n_labels - 1}, once, or pass 'random'."
        )
    return given.astype(np.intp)


class BaseChain(BaseLabelMetaEstimator):
    """A chain of classifiers: each sees the labels before its own.

    A subclass has the parameter `order`, calls `_set_order` in `fit`, and fills `estimators_`.
    """

    order: ArrayLike | str | None
    order_: NDArray[np.intp]
    estimators_: list[BaseEstimator]

    def _set_order(self, rng: np.random.RandomState) -> None:
        """Put the labels that vary in the order that the user gave for all."""
        order = chain_order(self.order, len(self.constant_), rng)
        self.order_ = order[np.isnan(self.constant_[order])]

    @property
    def _columns(self) -> NDArray[np.intp]:
        """Columns of the labels of `order_` in an indicator of those that vary."""
        return np.searchsorted(self._varying, self.order_)

    @property
    def _places(self) -> NDArray[np.intp]:
        """Places in the chain of the labels that vary, in the order of their columns."""
        return np.argsort(self.order_)

    def _append_labels(self, X: Any, Z: NDArray) -> Any:
        """Return samples with the first labels of the chain as further features."""
        if Z.shape[1] == 0:
            return X
        return append_features(X, Z, label_features(self._container, self.order_[: Z.shape[1]]))
