"""A hierarchy of multi-label classifiers over clusters of labels.

References
----------
.. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Effective and efficient multilabel classification in
   domains with large number of labels", ECML/PKDD workshop on mining multidimensional data, 2008.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from skrecall.label_space import hierarchical_partition, k_means_partition, random_partition
from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _check_method_params,
    _fit_context,
    _num_samples,
    _safe_indexing,
)

from ._base import BaseLabelMetaEstimator
from ._label_set_model import as_dense_or_csc
from ._members import Member, check_row_weights, fit_member


@dataclass(eq=False)
class LabelNode:
    """A node of the hierarchy: some labels, and the parts that its classifier tells apart.

    Attributes
    ----------
    labels : ndarray of int
        Indices of its labels among those that vary.
    parts : list of ndarray of int
        Their partition, indices of the same kind.
    children : list of int or None
        The node of each part; None for a part that is one label.
    """

    labels: NDArray[np.intp]
    parts: list[NDArray[np.intp]]
    children: list[int | None]


def carries_any(Y: Indicator, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which rows carry at least one of some labels: their meta-label.

    Parameters
    ----------
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    labels : ndarray of int
        Indices of labels.

    Returns
    -------
    carries : ndarray of shape (n_samples,), dtype bool
        The disjunction.
    """
    columns = Y[:, labels]
    if issparse(columns):
        return np.diff(csr_array(columns).indptr) > 0
    return columns.any(axis=1)


class HOMER(BaseLabelMetaEstimator):
    """Find labels down a hierarchy of clusters, each node a multi-label problem of few labels [1]_.

    The labels are parted in clusters, these in clusters again, until each holds one label. The
    classifier of a node learns which of its clusters have a label of the sample, from the rows that
    carry a label of the node, those of the root from all rows.

    Parameters
    ----------
    estimator : estimator
        Any multi-label classifier; a binary one is fitted per cluster, in `BinaryRelevance`.
    n_parts : int, default=3
        Parts per node.
    clustering : {"k_means", "random", "hierarchical"}, default="k_means"
        How labels are parted: by balanced k-means of their columns on the rows of the node; at
        random into parts of one size; by agglomerative clustering of the same columns, whose parts
        may differ in size.
    n_jobs : int, default=None
        Number of nodes to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds the clustering, and every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    nodes_ : list of LabelNode
        The hierarchy, the root first: `labels`, `parts` and `children` of each node, by the indices
        of the labels that vary.
    estimators_ : list of estimator or None
        The classifier of each node; None where every row of a node has a label of each part.
    constant_ : ndarray of shape (n_labels,)
        The value of a label that has one in the training rows, or NaN.
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
    skrecall.label_space.k_means_partition : The partition of one node.

    Notes
    -----
    `predict` descends where a cluster is predicted, and asks nothing elsewhere: with many labels,
    few nodes see a sample. `predict_proba` multiplies the probabilities along the path to a label,
    for all labels; the product may be below one half where each step is above, and the label then
    is predicted none the less.

    References
    ----------
    .. [1] G. Tsoumakas, I. Katakis, I. Vlahavas, "Effective and efficient multilabel
       classification in domains with large number of labels", ECML/PKDD workshop on mining
       multidimensional data, 2008.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import HOMER
    >>> X, Y = make_multilabel_classification(200, n_classes=8, random_state=0)
    >>> model = HOMER(LogisticRegression(max_iter=1000), n_parts=2, random_state=0).fit(X, Y)
    >>> [len(node.labels) for node in model.nodes_]
    [8, 4, 4, 2, 2, 2, 2]
    """

    _accept_sparse_target = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_parts": [Interval(Integral, 2, None, closed="left")],
        "clustering": [StrOptions({"k_means", "random", "hierarchical"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        n_parts: int = 3,
        clustering: Literal["k_means", "random", "hierarchical"] = "k_means",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_parts = n_parts
        self.clustering = clustering
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Build the hierarchy and fit its nodes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, for the inner `fit`.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, Y = self._check_fit(X, y)
        check_row_weights(sample_weight)
        params = self._route_params(params, sample_weight)
        rng = check_random_state(self.random_state)
        self.nodes_ = self._build(Y, rng) if Y.shape[1] else []
        seeds = rng.randint(MAX_SEED, size=len(self.nodes_))
        self._members: list[Member] = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(_fit_node)(self.estimator, X, Y, node, is_root, params, seed)
            for node, seed, is_root in zip(
                self.nodes_, seeds, np.arange(len(seeds)) == 0, strict=True
            )
        )
        self.estimators_ = [member.estimator for member in self._members]
        return self

    def _build(self, Y: Indicator, rng: np.random.RandomState) -> list[LabelNode]:
        """Return the nodes, breadth first; every cluster of two labels or more is one."""
        nodes: list[LabelNode] = []
        waiting = [np.arange(Y.shape[1])]
        while len(nodes) < len(waiting):
            labels = waiting[len(nodes)]
            parts = self._part(Y, labels, rng)
            children: list[int | None] = []
            for part in parts:
                children.append(None if len(part) == 1 else len(waiting))
                if len(part) > 1:
                    waiting.append(part)
            nodes.append(LabelNode(labels, parts, children))
        return nodes

    def _part(
        self, Y: Indicator, labels: NDArray[np.intp], rng: np.random.RandomState
    ) -> list[NDArray[np.intp]]:
        if len(labels) <= self.n_parts:
            return list(labels[:, np.newaxis])
        if self.clustering == "random":
            size = -(-len(labels) // self.n_parts)
            parts = random_partition(len(labels), size, random_state=rng)
        else:
            of_node = Y[:, labels][carries_any(Y, labels)]
            parts = (
                k_means_partition(of_node, self.n_parts, random_state=rng)
                if self.clustering == "k_means"
                else hierarchical_partition(of_node, self.n_parts)
            )
        return [labels[part] for part in parts]

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        n_labels = len(self.nodes_[0].labels)
        proba = np.empty((_num_samples(X), n_labels))
        reached = {0: np.ones(_num_samples(X))}
        for number, (node, member) in enumerate(zip(self.nodes_, self._members, strict=True)):
            above = reached.pop(number)
            answer = _fill_constant(member, member.proba(X) if member.estimator else None, above)
            for part, child, p in zip(node.parts, node.children, answer.T, strict=True):
                if child is None:
                    proba[:, part[0]] = above * p
                else:
                    reached[child] = above * p
        return proba

    def _predict_labels(self, X: Any) -> Indicator:
        (X,) = indexable(X)
        n_samples, n_labels = _num_samples(X), len(self.nodes_[0].labels)
        reached = {0: np.arange(n_samples)}
        rows_of_label = [np.zeros(0, dtype=np.intp)] * n_labels
        for number, (node, member) in enumerate(zip(self.nodes_, self._members, strict=True)):
            rows = reached.pop(number)
            asks = member.estimator is not None and len(rows) > 0
            predicted = member.predicted(_safe_indexing(X, rows)) if asks else None
            answer = _fill_constant(member, predicted, rows)
            for part, child, y in zip(node.parts, node.children, answer.T, strict=True):
                if child is None:
                    rows_of_label[part[0]] = rows[y == 1]
                else:
                    reached[child] = rows[y == 1]
        indices = np.concatenate(rows_of_label)
        indptr = np.append(0, np.cumsum([len(rows) for rows in rows_of_label]))
        ones = np.ones(len(indices), dtype=np.int8)
        Y = csc_array((ones, indices, indptr), shape=(n_samples, n_labels))
        return as_dense_or_csc(Y, sparse=self._container.is_sparse)


def _fit_node(
    estimator: BaseEstimator,
    X: Any,
    Y: Indicator,
    node: LabelNode,
    is_root: bool,
    params: dict[str, Any],
    seed: int,
) -> Member:
    """Fit the classifier of a node on its rows and their meta-labels."""
    meta = np.column_stack([carries_any(Y, part) for part in node.parts])
    if is_root:
        return fit_member(estimator, X, meta.astype(np.int8), params, seed)
    rows = np.flatnonzero(meta.any(axis=1))
    params = _check_method_params(X, params, indices=rows)
    return fit_member(estimator, _safe_indexing(X, rows), meta[rows].astype(np.int8), params, seed)


def _fill_constant(member: Member, answer: NDArray | None, like: NDArray) -> NDArray[np.float64]:
    """Return an answer for all parts of a node: its constant ones are in each of its rows."""
    full = np.tile(np.nan_to_num(member.constant), (len(like), 1))
    if answer is not None:
        full[:, member.learnt] = answer
    return full
