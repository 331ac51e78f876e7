"""Labels of the nearest neighbours, counted: what the lazy multi-label classifiers share."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, issparse, vstack
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import get_tags

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator, count_labels
from skrecall.utils._multilabel_target import BaseMultilabelClassifier

_BLOCK_SIZE = 2**20  # counts held at once


class BaseNeighborLabels(BaseMultilabelClassifier):
    """A multi-label classifier that looks at the labels of nearest neighbours alone."""

    _accept_sparse_target = True

    n_neighbors: int
    metric: str | Callable
    algorithm: str
    n_jobs: int | None
    neighbors: Any

    def _search(self) -> Any:
        """Return the neighbour search, not fitted yet."""
        if self.neighbors is not None:
            return clone(self.neighbors)
        return NearestNeighbors(metric=self.metric, algorithm=self.algorithm, n_jobs=self.n_jobs)

    def _fit_search(self, X: Any, Y: Indicator, n_neighbors: int) -> None:
        """Index the samples, and keep their labels in the smallest type that holds a count."""
        self.n_neighbors_ = n_neighbors
        self.neighbors_ = self._search().fit(X)
        Y = Y.astype(np.min_scalar_type(-n_neighbors - 1))
        self._Y = csr_array(Y) if issparse(Y) else np.ascontiguousarray(Y)

    def _find(self, X: Any) -> NDArray[np.integer]:
        """Return the indices of the nearest rows; X=None: of each training row, without itself."""
        return self.neighbors_.kneighbors(X, n_neighbors=self.n_neighbors_, return_distance=False)

    def _from_counts(self, X: Any, answer: Callable[[NDArray], NDArray], dtype: type) -> NDArray:
        """Return what a function makes of the label counts, block by block."""
        neighbors = self._find(X)
        response = np.empty((len(neighbors), self._Y.shape[1]), dtype=dtype)
        for rows, counts in self._count_blocks(neighbors):
            response[rows] = answer(counts)
        return response

    def _labels_from_counts(
        self, X: Any, answer: Callable[[NDArray], NDArray]
    ) -> NDArray[np.int8] | csc_array:
        """Return what a function makes of the label counts, sparse where the labels are."""
        if not self._container.is_sparse:
            return self._from_counts(X, answer, np.int8)
        blocks = self._count_blocks(self._find(X))
        answers = [csr_array(answer(counts).astype(np.int8)) for _, counts in blocks]
        return csc_array(vstack(answers))

    def _count_blocks(self, neighbors: NDArray[np.integer]) -> Iterator[tuple[slice, NDArray]]:
        for rows in row_blocks(len(neighbors), self._Y.shape[1], n_cells=_BLOCK_SIZE):
            counts = count_labels(neighbors[rows], self._Y)
            yield rows, counts.toarray() if issparse(counts) else counts

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self._search()).input_tags
        return tags
