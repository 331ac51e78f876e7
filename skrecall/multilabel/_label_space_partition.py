"""One multi-label classifier per part of the labels.

References
----------
.. [1] P. Szymanski, T. Kajdanowicz, K. Kersting, "How is a data-driven approach better than random
   choice in label space division for multi-label classification?", Entropy 18(8), 2016.
"""

import math
from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skrecall.label_space import (
    community_partition,
    hierarchical_partition,
    k_means_partition,
    random_label_subsets,
    random_partition,
)
from skrecall.label_space._communities import METHODS
from skrecall.label_space._partitions import Partition, check_partition
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._indicator import Indicator
from skrecall.utils._sklearn import HasMethods, StrOptions, _fit_context, _num_samples

from ._base import BaseLabelMetaEstimator
from ._members import Member, check_row_weights, check_voting, fit_member

LABELS_PER_PART = 3  # of partitions whose number of parts is not given, as of random ones
NAMES = ("random", "random_subsets", "k_means", "hierarchical", *METHODS)


def named_partition(
    name: str, Y: Indicator, params: dict[str, Any], rng: np.random.RandomState
) -> Partition:
    """Part the labels by a rule of `skrecall.label_space`.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    Y : ndarray or csc_array of shape (n_samples, n_labels)
        Indicator.
    params : dict
        Parameters of the rule; counts of parts or labels beyond what there is are lowered.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    partition : list of ndarray of int
        Increasing label indices of each part.
    """
    n_labels = Y.shape[1]
    if name == "random":
        return random_partition(n_labels, **params, random_state=rng)
    if name == "random_subsets":
        size = min(params.get("subset_size", LABELS_PER_PART), n_labels)
        params = {**params, "subset_size": size}
        if params.get("n_subsets") is not None:
            params["n_subsets"] = min(params["n_subsets"], math.comb(n_labels, size))
        return random_label_subsets(n_labels, **params, random_state=rng)
    if name in METHODS:
        return community_partition(Y, name, **params, random_state=rng)  # type: ignore[arg-type]
    n_parts = params.get("n_parts", math.ceil(n_labels / LABELS_PER_PART))
    params = {**params, "n_parts": min(n_parts, n_labels)}
    if name == "k_means":
        return k_means_partition(Y, **params, random_state=rng)
    return hierarchical_partition(Y, **params)


class LabelSpacePartitionClassifier(DecisionMixin, BaseLabelMetaEstimator):
    """Fit one multi-label classifier on each part of the labels [1]_.

    Labels that occur together are learnt together, by a method that would be too slow or too
    sparse on all labels, such as `LabelPowerset`. Where parts overlap, they vote.

    Parameters
    ----------
    estimator : estimator
        Any multi-label classifier; a binary one is fitted per label, in `BinaryRelevance`.
    partition : str, list of array-like or callable, default="k_means"
        The parts. A name, of functions of `skrecall.label_space`: "random" and "random_subsets",
        which overlap; "k_means" and "hierarchical", which put labels of the same rows together;
        "louvain", "greedy_modularity" and "label_propagation", communities of the label graph, for
        which networkx is needed. A list of the label indices of each part, among all labels, each
        label in one part at least. A callable: given the indicator of the labels that vary, it
        returns such a list for its columns.
    partition_params : dict, default=None
        Parameters of the function of that name, such as ``{"n_parts": 4}``; without a number of
        parts or their size, there are three labels to a part. Numbers beyond what the labels
        that vary allow are lowered. None means no parameters.
    voting : {"labels", "proba"}, default="labels"
        "labels": a label is predicted if half or more of the parts that hold it predict it, which
        is the prediction of its part where parts do not overlap. "proba": if the mean of their
        probabilities is one half or more.
    n_jobs : int, default=None
        Number of parts to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds the partition, and every `random_state` of the clones that is None.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    partition_ : list of ndarray of int
        Label indices of each part, among all labels; constant labels are in none.
    estimators_ : list of estimator
        The classifier of each part.
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
    RAkELDisjoint : The same for label powersets of random parts.
    HOMER : Parts of parts.
    skrecall.label_space.community_partition : Communities, and what they can be told.

    References
    ----------
    .. [1] P. Szymanski, T. Kajdanowicz, K. Kersting, "How is a data-driven approach better than
       random choice in label space division for multi-label classification?", Entropy 18(8), 2016.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.multilabel import LabelPowerset, LabelSpacePartitionClassifier
    >>> X, Y = make_multilabel_classification(200, n_classes=6, random_state=0)
    >>> model = LabelSpacePartitionClassifier(
    ...     LabelPowerset(DecisionTreeClassifier(min_samples_leaf=5)),
    ...     "hierarchical",
    ...     partition_params={"n_parts": 2},
    ...     random_state=0,
    ... ).fit(X, Y)
    >>> sorted(sum((part.tolist() for part in model.partition_), []))
    [0, 1, 2, 3, 4, 5]
    """

    _accept_sparse_target = True
    _decision_params = ("voting",)

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "partition": [StrOptions(set(NAMES)), "array-like", callable],
        "partition_params": [dict, None],
        "voting": [StrOptions({"labels", "proba"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        partition: str | Iterable[ArrayLike] | Callable[[Any], Iterable[ArrayLike]] = "k_means",
        *,
        partition_params: dict[str, Any] | None = None,
        voting: Literal["labels", "proba"] = "labels",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.partition = partition
        self.partition_params = partition_params
        self.voting = voting
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Part the labels and fit a clone on each part.

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

        Raises
        ------
        ValueError
            If a partition that is given leaves a label out or names one that there is not, or the
            estimator lacks the probabilities to average.
        ImportError
            If communities are asked for without networkx.
        """
        X, Y = self._check_fit(X, y)
        check_row_weights(sample_weight)
        params = self._route_params(params, sample_weight)
        check_voting(self.voting, self.estimator)
        rng = check_random_state(self.random_state)
        self._parts = self._part_labels(Y, rng)
        self.partition_ = [self._varying[part] for part in self._parts]
        self._n_voters = np.zeros(Y.shape[1], dtype=np.intp)
        for part in self._parts:
            self._n_voters[part] += 1
        seeds = rng.randint(MAX_SEED, size=len(self._parts))
        self._members: list[Member] = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(fit_member)(self.estimator, X, Y[:, part], params, seed)
            for part, seed in zip(self._parts, seeds, strict=True)
        )
        self.estimators_ = [member.estimator for member in self._members]
        return self._decide()

    def _part_labels(self, Y: Indicator, rng: np.random.RandomState) -> Partition:
        """Return the parts, by the indices of the labels that vary."""
        n_labels, partition = Y.shape[1], self.partition
        if isinstance(partition, str):
            return (
                named_partition(partition, Y, self.partition_params or {}, rng) if n_labels else []
            )
        if self.partition_params:
            raise ValueError(
                f"partition_params={self.partition_params!r} are for a partition by name: leave "
                "them out, or set them in the callable."
            )
        if callable(partition):
            return check_partition(partition(Y), n_labels) if n_labels else []
        varies = np.isnan(self.constant_)
        parts = [part[varies[part]] for part in check_partition(partition, len(varies))]
        return [(np.cumsum(varies) - 1)[part] for part in parts if len(part)]

    def _refit_decision(self) -> None:
        check_voting(self.voting, self.estimator)

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._mean(X, Member.proba)

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        self._check_decision()
        mean = self._mean(X, Member.proba if self.voting == "proba" else Member.predicted)
        return (mean >= 0.5).astype(np.int8)

    def _mean(self, X: Any, answer: Callable[[Member, Any], NDArray]) -> NDArray[np.float64]:
        """Return the mean answer of the parts that hold each label."""
        total = np.zeros((_num_samples(X), len(self._n_voters)))
        for part, member in zip(self._parts, self._members, strict=True):
            total[:, part] += answer(member, X)
        return total / self._n_voters
