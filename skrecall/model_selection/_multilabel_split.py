"""Splitters that keep the share of every label, by iterative stratification."""

import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
from sklearn.utils import check_random_state, indexable

from skrecall.utils._checks import check_count
from skrecall.utils._sklearn import _safe_indexing, _validate_shuffle_split

from ._iterative_stratification import positives, stratified_folds

Split: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]
Order: TypeAlias = Literal[1, 2]


class MultilabelStratifiedKFold(BaseCrossValidator):
    """K folds with the same share of every label, or of every pair of labels.

    Iterative stratification [1]_ deals the rows of the label with the fewest rows left to the folds
    that lack it most; with ``order=2`` it deals those of pairs of labels [2]_.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds.
    order : {1, 2}, default=1
        1 keeps the shares of labels, 2 those of pairs of labels that occur together, single labels
        included: what methods that learn label combinations need.
    shuffle : bool, default=False
        Whether rows are taken in random order. Otherwise they are taken as they come and ties are
        broken by the same draws in every call, so that the folds are always the same.
    random_state : int, RandomState instance or None, default=None
        Source of randomness where `shuffle` is True.

    See Also
    --------
    RepeatedMultilabelStratifiedKFold : The same several times.
    MultilabelStratifiedShuffleSplit : Random splits in two.
    fold_quality : How well folds keep the shares.

    Notes
    -----
    The sizes of folds may differ by more than one row, as labels come first. A label with fewer
    positives than folds is missing in some: a warning says which, as scikit-learn's does for
    classes. Labels that are unknown, NaN or -1, count as not carried. `groups` are ignored.

    The cost is that of sorting the rows once for each label that they carry, or pair of labels; of
    a sparse target only the positives are kept.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data",
       ECML PKDD 2011.
    .. [2] P. Szymanski, T. Kajdanowicz, "A network perspective on stratification of multi-label
       data", First international workshop on learning with imbalanced domains, PMLR 74, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skrecall.model_selection import MultilabelStratifiedKFold
    >>> Y = np.repeat([[1, 0, 0], [0, 1, 0], [0, 1, 1]], 4, axis=0)
    >>> cv = MultilabelStratifiedKFold(n_splits=4)
    >>> [Y[test].sum(axis=0).tolist() for train, test in cv.split(Y, Y)]
    [[1, 2, 1], [1, 2, 1], [1, 2, 1], [1, 2, 1]]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        order: Order = 1,
        shuffle: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        check_count(n_splits, name="n_splits", least=2)
        _check_order(order)
        if not isinstance(shuffle, bool | np.bool_):
            raise ValueError(f"shuffle={shuffle!r} must be True or False.")
        if not shuffle and random_state is not None:
            raise ValueError(
                f"random_state={random_state!r} has no effect, as shuffle is False: leave it None, "
                "or set shuffle=True."
            )
        self.n_splits = n_splits
        self.order = order
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
            Number of folds.
        """
        return self.n_splits

    def split(self, X: Any, y: ArrayLike, groups: Any = None) -> Iterator[Split]:
        """Yield the rows to train on and those to test on, for each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...) or None
            Samples, of which only the number matters.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; one dimension of two classes is one label.
        groups : object, default=None
            Ignored, with a warning.

        Yields
        ------
        train, test : ndarray of int
            Increasing row indices.

        Raises
        ------
        ValueError
            If there are fewer rows than folds.
        """
        Y = _target(X, y, groups, self, n_folds=self.n_splits)
        rng = check_random_state(self.random_state if self.shuffle else 0)
        yield from _folds(Y, self.n_splits, self.order, self.shuffle, rng)


class RepeatedMultilabelStratifiedKFold(BaseCrossValidator):
    """`MultilabelStratifiedKFold` several times, each time with other folds.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds.
    n_repeats : int, default=10
        How often folds are made.
    order : {1, 2}, default=1
        1 keeps the shares of labels, 2 those of pairs of labels.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    See Also
    --------
    MultilabelStratifiedKFold : One of the repeats.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.model_selection import RepeatedMultilabelStratifiedKFold
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> cv = RepeatedMultilabelStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    >>> len(list(cv.split(X, Y)))
    10
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        n_repeats: int = 10,
        order: Order = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        check_count(n_splits, name="n_splits", least=2)
        check_count(n_repeats, name="n_repeats")
        _check_order(order)
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.order = order
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds of all repeats.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
            Folds times repeats.
        """
        return self.n_splits * self.n_repeats

    def split(self, X: Any, y: ArrayLike, groups: Any = None) -> Iterator[Split]:
        """Yield the rows to train on and those to test on, for each fold of each repeat.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...) or None
            Samples, of which only the number matters.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; one dimension of two classes is one label.
        groups : object, default=None
            Ignored, with a warning.

        Yields
        ------
        train, test : ndarray of int
            Increasing row indices.
        """
        Y = _target(X, y, groups, self, n_folds=self.n_splits)
        rng = check_random_state(self.random_state)
        for _ in range(self.n_repeats):
            yield from _folds(Y, self.n_splits, self.order, True, rng)


class MultilabelStratifiedShuffleSplit(BaseShuffleSplit):
    """Random splits in two with the same share of every label, or of every pair of labels.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    test_size : float, int or None, default=None
        Share or number of the rows to test on; None means what `train_size` leaves, or one tenth.
    train_size : float, int or None, default=None
        Share or number of the rows to train on; None means what `test_size` leaves.
    order : {1, 2}, default=1
        1 keeps the shares of labels, 2 those of pairs of labels.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    See Also
    --------
    MultilabelStratifiedKFold : Folds that do not overlap; how rows are dealt.
    multilabel_train_test_split : One such split of arrays.

    Notes
    -----
    Labels come first, as in the papers, so that the number of test rows may differ from
    `test_size`: of 120 rows, 34 in place of 30 where most carry several labels, 38 with ``order=2``
    and many rare pairs. Rows without labels are dealt last and even the sizes out; to move any
    other row would cost labels their shares. The only row of a label goes to the larger side,
    unless it carries a rarer one.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.model_selection import MultilabelStratifiedShuffleSplit
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> cv = MultilabelStratifiedShuffleSplit(3, test_size=0.5, random_state=0)
    >>> all(abs(Y[a].sum(axis=0) - Y[b].sum(axis=0)).max() <= 2 for a, b in cv.split(X, Y))
    True
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float | int | None = None,
        train_size: float | int | None = None,
        order: Order = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        check_count(n_splits, name="n_splits")
        _check_order(order)
        super().__init__(
            n_splits, test_size=test_size, train_size=train_size, random_state=random_state
        )
        self.order = order
        self._default_test_size = 0.1

    def split(self, X: Any, y: ArrayLike, groups: Any = None) -> Iterator[Split]:
        """Yield the rows to train on and those to test on, for each split.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...) or None
            Samples, of which only the number matters.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator; one dimension of two classes is one label.
        groups : object, default=None
            Ignored, with a warning.

        Yields
        ------
        train, test : ndarray of int
            Row indices in random order.
        """
        Y = _target(X, y, groups, self)
        n_samples = Y.shape[0]
        n_train, n_test = _validate_shuffle_split(
            n_samples, self.test_size, self.train_size, default_test_size=self._default_test_size
        )
        weights = np.array([n_train, n_test, n_samples - n_train - n_test], dtype=np.int64)
        rng = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            fold = _deal_rows(Y, weights, self.order, True, rng)
            train, test = (rng.permutation(np.flatnonzero(fold == side)) for side in (0, 1))
            if not (len(train) and len(test)):
                raise ValueError(
                    f"Of {n_samples} rows, {len(train)} are left to train on and {len(test)} to "
                    "test on, as the only row of a label goes to the larger side: make the sides "
                    "more alike, or use a split that is not stratified."
                )
            yield train, test


def multilabel_train_test_split(
    X: Any,
    y: Any,
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    order: Order = 1,
    random_state: int | np.random.RandomState | None = None,
) -> list[Any]:
    """Split arrays in two with the same share of every label in both.

    Parameters
    ----------
    X : array-like, DataFrame or sparse of shape (n_samples, ...)
        Samples.
    y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; one dimension of two classes is one label.
    *arrays : array-like, DataFrame or sparse of shape (n_samples, ...)
        What else to split, such as weights.
    test_size : float, int or None, default=None
        Share or number of the rows to test on; None means what `train_size` leaves, or one quarter.
    train_size : float, int or None, default=None
        Share or number of the rows to train on; None means what `test_size` leaves.
    order : {1, 2}, default=1
        1 keeps the shares of labels, 2 those of pairs of labels.
    random_state : int, RandomState instance or None, default=None
        Source of randomness.

    Returns
    -------
    splits : list
        Train and test rows of `X`, of `y`, and of each of the others, in the same containers.

    Notes
    -----
    The number of test rows may differ from `test_size`, as labels come first: see
    `MultilabelStratifiedShuffleSplit`.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.model_selection import multilabel_train_test_split
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> X_train, X_test, Y_train, Y_test = multilabel_train_test_split(X, Y, random_state=0)
    >>> bool(abs(3 * Y_test.sum(axis=0) - Y_train.sum(axis=0)).max() <= 8)
    True
    """
    X, y, *others = indexable(X, y, *arrays)
    n_values = pd.Series(y).nunique(dropna=False) if getattr(y, "ndim", 0) == 1 else 0
    if others and n_values > 2:
        raise ValueError(
            f"y, the second argument, holds {n_values} values in one dimension, and "
            "labels are an indicator: pass them second, as in "
            "multilabel_train_test_split(X, Y, ids)."
        )
    splitter = MultilabelStratifiedShuffleSplit(
        1,
        test_size=0.25 if test_size is None and train_size is None else test_size,
        train_size=train_size,
        order=order,
        random_state=random_state,
    )
    (sides,) = splitter.split(X, y)
    return [_safe_indexing(array, rows) for array in (X, y, *others) for rows in sides]


def _check_order(order: int) -> None:
    if not isinstance(order, Integral) or isinstance(order, bool) or order not in (1, 2):
        raise ValueError(f"order={order!r} must be 1, for labels, or 2, for pairs of labels.")


def _target(
    X: Any,
    y: Any,
    groups: Any,
    splitter: BaseCrossValidator | BaseShuffleSplit,
    *,
    n_folds: int | None = None,
) -> csr_array:
    """Return the positives of a target that has as many rows as the samples, and enough."""
    if groups is not None:
        warnings.warn(
            f"{type(splitter).__name__} ignores groups: rows of a group may be on both sides.",
            stacklevel=3,
        )
    _, y = indexable(X, y)
    Y, names = positives(y)
    if n_folds is None:
        return Y
    if n_folds > Y.shape[0]:
        raise ValueError(
            f"n_splits={n_folds} folds cannot be made of {Y.shape[0]} rows: use fewer."
        )
    counts = np.asarray(Y.sum(axis=0, dtype=np.int64))
    rare = np.flatnonzero((counts > 0) & (counts < n_folds))
    if len(rare):
        first = (rare if names is None else names[rare])[:10].tolist()
        warnings.warn(
            f"{len(rare)} of {len(counts)} labels have fewer positives than n_splits={n_folds} "
            f"and are missing in some folds: {first}{'' if len(rare) <= 10 else ' and more'}.",
            stacklevel=3,
        )
    return Y


def _folds(
    Y: csr_array, n_splits: int, order: Order, shuffle: bool, rng: np.random.RandomState
) -> Iterator[Split]:
    """Yield the splits of equal folds; an empty fold desires most, so that none stays empty."""
    fold = _deal_rows(Y, np.ones(n_splits, dtype=np.int64), order, shuffle, rng)
    for number in range(n_splits):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def _deal_rows(
    Y: csr_array,
    weights: NDArray[np.int64],
    order: int,
    shuffle: bool,
    rng: np.random.RandomState,
) -> NDArray[np.intp]:
    """Return the fold of each row, dealt in random order or as they come."""
    if not shuffle:
        return stratified_folds(Y, weights, order, rng)
    rows = rng.permutation(Y.shape[0])
    fold = np.empty(len(rows), dtype=np.intp)
    fold[rows] = stratified_folds(Y[rows], weights, order, rng)
    return fold
