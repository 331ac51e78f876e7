"""Exact nearest neighbours by blocks, on the CPU or a GPU.

Candidates come from a matrix product in low precision, a few more than are asked for. Their
distances are computed again as differences in float64, and a bound on the rounding of the product
says whether a row that is no candidate could be as near. Where it could, the row is searched again
in float64, and then by differences alone.
"""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from skrecall.utils._blocks import row_blocks
from skrecall.utils._sklearn import Interval, KNeighborsMixin, StrOptions, _fit_context

from ._runtime import resolve_device, torch_threads

N_CELLS = {"cpu": 2**22, "cuda": 2**28, "mps": 2**26}  # of a block of distances held at once


def smallest(scores: Tensor, k: int, n_groups: int) -> tuple[Tensor, Tensor]:
    """Return the k smallest entries of each row, in any order but the last, which is the largest.

    The k smallest are among the k groups of the smallest minima: two short sorts instead of one of
    the whole row.

    Parameters
    ----------
    scores : Tensor of shape (n_rows, n_columns)
        Without NaN.
    k : int
        How many; at most `n_columns`.
    n_groups : int
        A divisor of `n_columns`: column j is of group ``j % n_groups``.

    Returns
    -------
    values, columns : Tensor of shape (n_rows, k)
        In increasing order of value.
    """
    n_rows, n_columns = scores.shape
    size = n_columns // n_groups
    if n_groups <= k or size == 1:
        return scores.topk(k, largest=False)
    minima = scores.view(n_rows, size, n_groups).amin(dim=1)
    groups = minima.topk(k, largest=False, sorted=False).indices
    steps = n_groups * torch.arange(size, device=scores.device)
    columns = (groups[:, None, :] + steps[:, None]).reshape(n_rows, size * k)
    values, order = scores.gather(1, columns).topk(k, largest=False)
    return values, columns.gather(1, order)


def first_smallest(distance: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k smallest entries of each row, sorted; of equal ones those of lower columns.

    Parameters
    ----------
    distance : Tensor of shape (n_rows, n_columns)
        Without NaN.
    k : int
        How many; at most `n_columns`.

    Returns
    -------
    values, columns : Tensor of shape (n_rows, k)
        In increasing order of value, then of column.
    """
    last = distance.topk(k, largest=False).values[:, -1:]
    below, equal = distance < last, distance == last
    n_equal = k - below.sum(dim=1, keepdim=True)
    chosen = below | (equal & (equal.cumsum(dim=1, dtype=torch.int32) <= n_equal))
    columns = chosen.nonzero()[:, 1].view(len(distance), k)
    values, order = distance.gather(1, columns).sort(dim=1, stable=True)
    return values, columns.gather(1, order)


class _Search:
    """The rows that are searched, as each step needs them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite rows.
    metric : {'euclidean', 'cosine', 'manhattan'}
        The distance.
    device : torch.device
        Where products are computed.
    """

    def __init__(self, X: NDArray, metric: str, device: torch.device) -> None:
        self.metric, self.device = metric, device
        # Apple's GPUs have no float64.
        self.exact_device = torch.device("cpu") if device.type == "mps" else device
        self.rows = self.to_exact(X)
        self.center = torch.zeros_like(self.rows[0])
        self.scale = 1.0
        if metric != "cosine":
            self.center = self.rows.mean(dim=0)
            self.scale = float((self.rows - self.center).abs().max()) or 1.0
        self.largest = float(self.rows.abs().max())

    def to_exact(self, X: NDArray) -> Tensor:
        # Return rows in float64, of length 1 for cosine distances.
        rows = torch.from_numpy(np.array(X, dtype=np.float64)).to(self.exact_device)
        if self.metric == "cosine":
            largest = rows.abs().amax(dim=1, keepdim=True)
            rows /= largest.masked_fill_(largest == 0, 1.0)
            rows /= torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp_min_(0.5)
        return rows

    def differences(self, queries: Tensor, candidates: Tensor) -> Tensor:
        # Return float64 distances of queries to their candidates, or to the rows of all.
        direct = "donot_use_mm_for_euclid_dist"
        p = 1.0 if self.metric == "manhattan" else 2.0
        if candidates.ndim == 2:
            rows = self.rows[candidates]
            difference = rows - queries[:, None]
            distance = torch.linalg.vector_norm(difference, ord=p, dim=2)
        else:
            rows = self.rows[None]
            distance = torch.cdist(queries, self.rows, p=p, compute_mode=direct)
        if self.metric == "cosine":
            distance = distance.square_().div_(2)
            empty = ~queries.any(dim=1)[:, None] | ~rows.any(dim=2)
            distance.masked_fill_(empty, 1.0)
        return distance

    def by_products(
        self,
        queries: Tensor,
        own: Tensor | None,
        k: int,
        *,
        dtype: torch.dtype,
        batch_size: int | None,
    ) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
        # Yield the neighbours of blocks of queries, and which of them are beyond doubt.
        n_samples = len(self.rows)
        device = self.device if dtype == torch.float32 else self.exact_device
        n_candidates = min(k + 8 + k // 4, n_samples - (own is not None))
        size = max(1, round((n_samples / n_candidates) ** 0.5))
        n_groups = -(-n_samples // size)
        rows = ((self.rows - self.center) / self.scale).to(device, dtype)
        rows = torch.nn.functional.pad(rows, (0, 0, 0, n_groups * size - n_samples))
        offset = torch.zeros(len(rows), dtype=dtype, device=device)
        if self.metric == "euclidean":
            offset = rows.square().sum(dim=1)
        offset[n_samples:] = torch.inf  # no padding is a neighbour
        # |y|^2 - 2 x.y as one product, of (x, 1) and (-2 y, |y|^2).
        factors = torch.column_stack([-2 * rows, offset]).T.contiguous()
        for block in self.blocks(len(queries), len(rows), n_candidates, device, batch_size):
            exact = queries[block]
            centered = (exact - self.center) / self.scale
            low = centered.to(device, dtype)
            if self.metric == "manhattan":
                scores = torch.cdist(low, rows, p=1.0).add_(offset)
            else:
                scores = torch.nn.functional.pad(low, (0, 1), value=1.0) @ factors
            if own is not None:
                scores.scatter_(1, own[block, None].to(device), torch.inf)
            values, candidates = smallest(scores, n_candidates, n_groups)
            # Scores that overflow may name the padding: such rows are in doubt.
            candidates = candidates.clamp_(max=n_samples - 1).to(self.exact_device)
            candidates = candidates.sort(dim=1).values  # of equal distances the first stays first
            distance, order = self.differences(exact, candidates).sort(dim=1, stable=True)
            values = values.to(self.exact_device, torch.float64)
            expected, width = self.expected(centered, distance, dtype)
            # The values of a product in less than its own precision, as of TF32, fail this.
            sure = ((values - expected).abs() <= width).all(dim=1)
            if n_candidates < n_samples - (own is not None):
                sure &= values[:, -1] - width[:, 0] > expected[:, k - 1]
            yield block, sure, distance[:, :k], candidates.gather(1, order)[:, :k]

    def expected(
        self, centered: Tensor, distance: Tensor, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        # Return what the scores of some distances are without rounding, and the bound of that.
        # A row y with ``|y| > 2 * (|x| + distance)`` is too far away to be confused.
        n_features = centered.shape[1]
        unit = 2 * (n_features + 8) * torch.finfo(dtype).eps / 2
        moved = np.finfo(float).eps * self.largest / self.scale  # by the subtraction of the centre
        if self.metric == "cosine":
            return 2 * distance - 2, torch.full_like(distance[:, :1], 4 * unit)
        distance = distance / self.scale
        if self.metric == "manhattan":
            reach = 2 * centered.abs().sum(dim=1, keepdim=True) + 2 * distance[:, -1:]
            return distance, unit * reach + 8 * n_features * moved
        square = centered.square().sum(dim=1, keepdim=True)
        reach = 3 * square.sqrt() + 2 * distance[:, -1:]
        width = unit * reach.square() + 8 * n_features**0.5 * moved * reach
        return distance.square() - square, width

    def by_differences(
        self, queries: Tensor, own: Tensor | None, k: int, batch_size: int | None
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        # Yield the neighbours of blocks of queries from all differences, without a product.
        n_samples = len(self.rows)
        everything = torch.empty(0, dtype=torch.int64, device=self.exact_device)
        for block in self.blocks(len(queries), n_samples, 0, self.exact_device, batch_size):
            distance = self.differences(queries[block], everything)
            if own is not None:
                distance.scatter_(1, own[block, None], torch.inf)
            yield block, *first_smallest(distance, k)

    def blocks(
        self,
        n_queries: int,
        n_columns: int,
        n_candidates: int,
        device: torch.device,
        batch_size: int | None,
    ) -> Iterator[slice]:
        width = max(n_columns, n_candidates * self.rows.shape[1])
        n_cells = N_CELLS.get(device.type, N_CELLS["cuda"])
        return row_blocks(n_queries, width, n_cells=batch_size * width if batch_size else n_cells)

    def neighbors(
        self,
        queries: Tensor,
        own: Tensor | None,
        k: int,
        *,
        dtype: torch.dtype,
        batch_size: int | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        # Return distances and row numbers of the k nearest rows of each query.
        distance = np.empty((len(queries), k))
        indices = np.empty((len(queries), k), dtype=np.int64)
        open_ = np.arange(len(queries))
        for precision in dict.fromkeys((dtype, torch.float64)):
            doubtful = []
            some, some_own = self._some(queries, own, open_)
            for block, sure, found, columns in self.by_products(
                some, some_own, k, dtype=precision, batch_size=batch_size
            ):
                rows = open_[block]
                distance[rows], indices[rows] = found.cpu().numpy(), columns.cpu().numpy()
                doubtful.append(rows[~sure.cpu().numpy()])
            open_ = np.concatenate(doubtful)
            if len(open_) == 0:
                return distance, indices
        some, some_own = self._some(queries, own, open_)
        for block, found, columns in self.by_differences(some, some_own, k, batch_size):
            rows = open_[block]
            distance[rows], indices[rows] = found.cpu().numpy(), columns.cpu().numpy()
        return distance, indices

    def _some(
        self, queries: Tensor, own: Tensor | None, rows: NDArray[np.intp]
    ) -> tuple[Tensor, Tensor | None]:
        if len(rows) == len(queries):
            return queries, own
        index = torch.from_numpy(rows).to(self.exact_device)
        return queries[index], None if own is None else own[index]


class TorchNeighbors(KNeighborsMixin, BaseEstimator):
    """Exact nearest neighbours by blocks, on the CPU or a GPU.

    It fits wherever an object with `kneighbors` does: imbalanced-learn's `k_neighbors=` and
    `n_neighbors=`, so that SMOTE searches on the GPU within an ordinary Pipeline. As there, the
    first neighbour of a sample is the sample itself, and `n_neighbors` counts it: pass 6 where an
    integer would be 5.

    Candidates are found by matrix products in `dtype`; the distances returned are differences
    computed in float64, and the neighbours are the nearest by these, whatever `dtype` is: a bound
    on the rounding says which rows are beyond doubt, and the others are searched again without
    rounding that matters. Of equally distant neighbours those of lower row number are taken, in
    order of row number.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours.
    metric : {'euclidean', 'cosine', 'manhattan'}, default='euclidean'
        Distance. Cosine distances are ``1 - cos``, and 1 to and from a row of zeros.
    device : str or torch.device, default='auto'
        Where to search: 'auto' is CUDA, else Apple's MPS, else the CPU.
    dtype : {'float32', 'float64'}, default='float32'
        Precision of the products that find candidates. 'float64' saves the second search where
        clusters are much smaller than the distances between them.
    batch_size : int or None, default=None
        Number of queries whose distances to all rows are held at once; None keeps them to 16 MiB
        on the CPU and 1 GiB on CUDA.
    n_jobs : int or None, default=None
        Number of threads on the CPU; -1 is all, None is torch's own count.

    Attributes
    ----------
    n_samples_fit_ : int
        Number of rows that are searched.
    effective_metric_ : str
        The metric.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    sklearn.neighbors.NearestNeighbors : Also with trees, which are faster in few dimensions.

    Notes
    -----
    Memory is that of the rows in float64 and in `dtype`, on the device, and one block of distances.
    Many rows at equal distances, such as those of few distinct values, are searched by differences
    at several times the cost.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.datasets import make_classification
    >>> from skrecall.neural_network import TorchNeighbors
    >>> X, y = make_classification(300, weights=[0.9], random_state=0)
    >>> smote = SMOTE(k_neighbors=TorchNeighbors(n_neighbors=6), random_state=0)
    >>> X_new, y_new = smote.fit_resample(X, y)
    >>> X_same, _ = SMOTE(k_neighbors=5, random_state=0).fit_resample(X, y)
    >>> len(X), len(X_new), abs(X_new - X_same).max() < 1e-12
    (300, 538, np.True_)
    """

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"euclidean", "cosine", "manhattan"})],
        "device": [str, torch.device],
        "dtype": [StrOptions({"float32", "float64"})],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        metric: str = "euclidean",
        device: str | torch.device = "auto",
        dtype: str = "float32",
        batch_size: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Keep the rows to search.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : Ignored, default=None
            Not used, present by convention.

        Returns
        -------
        self : object
            The fitted search.
        """
        resolve_device(self.device)
        self._fit_X = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
        self.n_samples_fit_ = len(self._fit_X)
        self.effective_metric_ = self.metric
        return self

    def kneighbors(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]] | NDArray[np.int64]:
        """Return the nearest rows.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features), default=None
            What to find neighbours of. None is the rows of `fit`, none of which is then a neighbour
            of its own.
        n_neighbors : int, default=None
            Number of neighbours; None is the parameter.
        return_distance : bool, default=True
            Whether to return the distances.

        Returns
        -------
        distance : ndarray of shape (n_queries, n_neighbors)
            In increasing order; only if asked for.
        indices : ndarray of shape (n_queries, n_neighbors)
            Row numbers.

        Raises
        ------
        ValueError
            If there are not that many rows.
        """
        check_is_fitted(self)
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        if not isinstance(k, Integral):
            raise TypeError(f"n_neighbors={k!r} must be an integer.")
        n_rows = self.n_samples_fit_ - (X is None)
        if not 1 <= k <= n_rows:
            raise ValueError(
                f"Expected 1 <= n_neighbors <= {n_rows}, but n_neighbors = {k}, "
                f"n_samples_fit = {self.n_samples_fit_}: ask for fewer, or fit on more rows."
            )
        if X is None:
            queries = self._fit_X
        else:
            queries = validate_data(self, X, dtype=[np.float64, np.float32], order="C", reset=False)
        n_threads = None if self.n_jobs is None else effective_n_jobs(self.n_jobs)
        with torch_threads(n_threads), torch.inference_mode():
            search = _Search(self._fit_X, self.metric, resolve_device(self.device))
            own = None
            if X is None:
                own = torch.arange(self.n_samples_fit_, device=search.exact_device)
            distance, indices = search.neighbors(
                search.rows if X is None else search.to_exact(queries),
                own,
                int(k),
                dtype=getattr(torch, self.dtype),
                batch_size=self.batch_size,
            )
        return (distance, indices) if return_distance else indices
