"""Forests whose trees fit all labels at once.

References
----------
.. [1] D. Kocev, C. Vens, J. Struyf, S. Dzeroski, "Ensembles of multi-objective decision trees",
   ECML 2007.
.. [2] C. Chen, A. Liaw, L. Breiman, "Using random forest to learn imbalanced data", technical
   report 666, University of California, Berkeley, 2004.
"""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, issparse
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import validate_data

from skrecall.utils._blocks import row_blocks
from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._sklearn import (
    Interval,
    RealNotInt,
    StrOptions,
    _check_sample_weight,
    _fit_context,
)

from ._base import BaseMultilabelClassifier

_ROWS = 4096  # predicted at once: a tree answers with n_rows x n_labels x 2 numbers


def rarest_label_weights(Y: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return how often each row is to be drawn, so that no label is rare in a sample.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_labels)
        Indicator.

    Returns
    -------
    weights : ndarray of shape (n_samples,)
        Probabilities: proportional to one over the square root of the number of rows with the
        rarest label that the row carries, or of the number of rows without a label for those.
    """
    n_positives = Y.sum(axis=0, dtype=np.int64)
    count = np.full(len(Y), np.count_nonzero(~Y.any(axis=1)), dtype=np.int64)
    for label in np.argsort(-n_positives, kind="stable"):  # the rarest has the last word
        count[Y[:, label] == 1] = n_positives[label]
    weights = 1 / np.sqrt(count)
    return weights / weights.sum()


class MultilabelForestClassifier(BaseMultilabelClassifier):
    """Random forest or extra trees, each of which splits for all labels at once [1]_.

    The trees are scikit-learn's, and one leaf answers for all labels, so that a forest costs about
    as much for hundreds of labels as for one. A split serves the labels on average, that is, the
    frequent ones; a balanced bootstrap draws rows of rare labels more often for each tree.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    bootstrap : bool or "balanced", default=True
        Whether a tree is fitted on rows drawn with replacement. "balanced" draws a row with a
        probability proportional to one over the square root of the number of rows with the rarest
        label it carries, or of the number of rows without a label for those: the idea of the
        balanced random forest [2]_, tempered, as rows in full balance would be few different ones.
        Probabilities of rare labels are then too high, on purpose: choose thresholds, or calibrate.
    max_samples : int or float, default=None
        Number of rows to draw, or their share; None for as many as there are.
    splitter : {"best", "random"}, default="best"
        How a feature is split: "best" makes a random forest, "random" extremely randomised trees,
        which usually go without a bootstrap.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Impurity, averaged over the labels.
    max_depth : int, default=None
        Greatest depth of a tree; None for pure leaves.
    min_samples_split : int or float, default=2
        Least number, or share, of rows in a node that is split.
    min_samples_leaf : int or float, default=1
        Least number, or share, of rows in a leaf.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Number of features a split chooses from, or their share; None for all.
    max_leaf_nodes : int, default=None
        Greatest number of leaves of a tree.
    oob_proba : bool, default=False
        Whether to keep the probabilities of training rows by the trees that did not see them, with
        which thresholds can be chosen at no further cost.
    n_jobs : int, default=None
        Number of threads.
    random_state : int, RandomState instance or None, default=None
        Seeds the trees and their rows.
    verbose : int, default=0
        Verbosity of joblib.

    Attributes
    ----------
    estimators_ : list of DecisionTreeClassifier
        The trees; none if no label varies in the training rows.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Share of the decrease of impurity that a feature brought, over labels and trees; biased
        towards features of many values, as in scikit-learn.
    oob_proba_ : ndarray of shape (n_samples, n_labels)
        See `oob_proba`; NaN for a row that every tree saw.
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
    BinaryRelevance : One forest per label: costs more, and serves rare labels by its own splits.
    sklearn.ensemble.RandomForestClassifier : The same trees, answering with a list of arrays.
    imblearn.ensemble.BalancedRandomForestClassifier : For one column of classes.

    Notes
    -----
    A balanced bootstrap pays where many labels are rare: with 45 labels of 978 texts (medical, the
    split of Mulan) it raised the mean average precision from .46 to .49 and macro F1 from .16 to
    .20; with the 14 labels of yeast and the 6 of emotions it changed next to nothing.

    NaN in dense features goes to the side of a split that suits it, as in scikit-learn's trees. A
    sparse `y` is made dense: one leaf keeps a value per label.

    References
    ----------
    .. [1] D. Kocev, C. Vens, J. Struyf, S. Dzeroski, "Ensembles of multi-objective decision
       trees", ECML 2007.
    .. [2] C. Chen, A. Liaw, L. Breiman, "Using random forest to learn imbalanced data", technical
       report 666, University of California, Berkeley, 2004.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.multilabel import MultilabelForestClassifier
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> forest = MultilabelForestClassifier(50, bootstrap="balanced", random_state=0).fit(X, Y)
    >>> forest.predict_proba(X).shape
    (200, 4)
    """

    oob_proba_: NDArray[np.float64]

    _parameter_constraints: dict = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean", StrOptions({"balanced"})],
        "max_samples": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
            None,
        ],
        **{
            name: DecisionTreeClassifier._parameter_constraints[name]
            for name in (
                "splitter",
                "criterion",
                "max_depth",
                "min_samples_split",
                "min_samples_leaf",
                "max_features",
                "max_leaf_nodes",
            )
        },
        "oob_proba": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        bootstrap: bool | str = True,
        max_samples: int | float | None = None,
        splitter: str = "best",
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_features: str | int | float | None = "sqrt",
        max_leaf_nodes: int | None = None,
        oob_proba: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.splitter = splitter
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.oob_proba = oob_proba
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the trees.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the splits and leaves; not in the draw of rows.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        if not self.bootstrap and (self.oob_proba or self.max_samples is not None):
            asked = "oob_proba" if self.oob_proba else "max_samples"
            raise ValueError(
                f"{asked}={getattr(self, asked)} needs rows that a tree does not see: set "
                "bootstrap=True or bootstrap='balanced'."
            )
        X, Y = self._check_fit(X, y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        rng = check_random_state(self.random_state)
        seeds = [int(rng.randint(MAX_SEED)) for _ in range(self.n_estimators if Y.shape[1] else 0)]
        draw = rarest_label_weights(Y) if self.bootstrap == "balanced" and Y.shape[1] else None
        X_fit = csc_array(X) if issparse(X) else X
        fitted = self._parallel()(
            delayed(self._fit_tree)(X_fit, Y, weight, draw, seed) for seed in seeds
        )
        self.estimators_ = [tree for tree, _ in fitted]
        if hasattr(self, "oob_proba_"):
            del self.oob_proba_
        if self.oob_proba:
            unseen = [np.flatnonzero(count == 0) for _, count in fitted]
            self.oob_proba_ = self._out_of_bag(X, unseen)
        return self

    def _fit_tree(
        self,
        X: Any,
        Y: NDArray[np.int8],
        weight: NDArray[np.float64],
        draw: NDArray[np.float64] | None,
        seed: int,
    ) -> tuple[DecisionTreeClassifier, NDArray[np.intp]]:
        """Return a tree and how often it saw each row, drawn as scikit-learn's forest draws."""
        count = np.ones(len(Y), dtype=np.intp)
        if self.bootstrap:
            rng = np.random.RandomState(seed)
            n_drawn = self._n_drawn(len(Y))
            rows = (
                rng.randint(0, len(Y), n_drawn, dtype=np.int32)
                if draw is None
                else rng.choice(len(Y), n_drawn, p=draw)
            )
            count = np.bincount(rows, minlength=len(Y))
        tree = DecisionTreeClassifier(
            splitter=self.splitter,
            criterion=self.criterion,
            max_depth=self.max_depth,
            min_samples_split=self.min_samples_split,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            max_leaf_nodes=self.max_leaf_nodes,
            random_state=seed,
        )
        return tree.fit(X, Y, sample_weight=weight * count), count

    def _n_drawn(self, n_samples: int) -> int:
        if self.max_samples is None:
            return n_samples
        if isinstance(self.max_samples, Integral):
            return int(self.max_samples)
        return max(1, round(n_samples * self.max_samples))

    def _parallel(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose), prefer="threads")

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        blocks = [X[rows] for rows in row_blocks(X.shape[0], 1, n_cells=_ROWS)]
        return np.concatenate(self._parallel()(delayed(self._mean_proba)(rows) for rows in blocks))

    def _mean_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the mean of the trees, in their order, so that threads change no digit."""
        total = np.zeros((X.shape[0], len(self._varying)))
        for tree in self.estimators_:
            total += _tree_proba(tree, X)
        return total / len(self.estimators_)

    def _out_of_bag(self, X: Any, unseen: list[NDArray[np.intp]]) -> NDArray[np.float64]:
        """Return the probabilities of training rows by the trees that did not see them."""
        varying = self._varying
        total = np.zeros((X.shape[0], len(varying)))
        n_trees = np.zeros((X.shape[0], 1))
        for tree, rows in zip(self.estimators_, unseen, strict=True):
            if len(rows):
                total[rows] += _tree_proba(tree, X[rows])
                n_trees[rows] += 1
        proba = np.tile(self.constant_, (X.shape[0], 1))
        with np.errstate(invalid="ignore"):
            proba[:, varying] = total / n_trees
        return proba

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Share of the decrease of impurity that each feature brought."""
        grown = [tree for tree in self.estimators_ if tree.tree_.node_count > 1]
        if not grown:
            return np.zeros(self.n_features_in_)
        mean = np.mean([tree.feature_importances_ for tree in grown], axis=0)
        return mean / mean.sum()

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        return validate_data(
            self,
            X=X,
            reset=reset,
            accept_sparse="csr",
            dtype=np.float32,
            ensure_all_finite="allow-nan",
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags


def _tree_proba(tree: DecisionTreeClassifier, X: Any) -> NDArray[np.float64]:
    """Return P(label = 1), one column per label."""
    proba = tree.predict_proba(X)
    if not isinstance(proba, list):
        return proba[:, 1:]
    return np.column_stack([of_label[:, 1] for of_label in proba])
