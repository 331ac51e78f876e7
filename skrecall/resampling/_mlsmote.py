"""Over-sampling by rows made between rows that share a rare label.

References
----------
.. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "MLSMOTE: approaching imbalanced
   multilabel learning through synthetic instance generation", Knowledge-Based Systems 89, 2015.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array, vstack

from skrecall.utils._blocks import row_blocks
from skrecall.utils._indicator import Indicator, count_labels, count_values
from skrecall.utils._sklearn import StrOptions

from ._label_strategy import counted, minority_labels, target_counts
from ._mixed_features import BaseMultilabelNeighborSampler, MixedFeatures, most_frequent_neighbor
from ._multilabel import Strategy
from ._neighbors import find_neighbors


def vote_labels(
    Y: csr_array, members: NDArray[np.intp], labels: Literal["ranking", "union", "intersection"]
) -> csr_array:
    """Return the labels of new rows from those of the rows around them.

    Parameters
    ----------
    Y : csr_array of shape (n_samples, n_labels)
        Indicator.
    members : ndarray of shape (n_new, n_members)
        For each new row, the row it starts from and the neighbours of that.
    labels : {"ranking", "union", "intersection"}
        Labels of more than half of the members, of one of them, or of all.

    Returns
    -------
    Y_new : csr_array of shape (n_new, n_labels), dtype int8
        Indicator.
    """
    n_members = members.shape[1]
    needed = {"ranking": n_members // 2 + 1, "union": 1, "intersection": n_members}[labels]
    Y = Y.astype(np.min_scalar_type(-n_members - 1))
    blocks = [csr_array((0, Y.shape[1]), dtype=np.int8)]
    for rows in row_blocks(len(members), Y.shape[1]):
        counts = count_labels(members[rows], Y)
        counts.data = counts.data >= needed
        counts.eliminate_zeros()
        blocks.append(counts.astype(np.int8))
    return vstack(blocks, format="csr")


def rows_in_turns(
    rows: NDArray[np.intp], n_drawn: int, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Return rows of which none is drawn twice more often than another.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        What to draw from.
    n_drawn : int
        How many to draw.
    rng : RandomState
        Draws those of the last turn; not used if that is a whole one.

    Returns
    -------
    drawn : ndarray of shape (n_drawn,)
        All rows as often as they fit, then some of them.
    """
    n_turns, n_left = divmod(n_drawn, len(rows))
    drawn = np.tile(rows, n_turns)
    return np.append(drawn, rng.permutation(rows)[:n_left]) if n_left else drawn


class MLSMOTE(BaseMultilabelNeighborSampler):
    """Make new rows between rows that share a rare label [1]_.

    Each row of a label that is rarer than the mean gets a new row between it and one of its nearest
    neighbours, drawn at random among the rows of that label. The new row has the labels that most
    of these neighbours have, so labels that are seldom together come apart more often than in
    copies. Frequent labels of the neighbours grow too, and where the new rows add more of those
    than of the rare ones, the mean imbalance rises: compare
    `skrecall.label_space.mean_imbalance_ratio` before and after.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which labels to over-sample. "auto": those whose imbalance ratio is above the mean, by one
        new row for each of their rows, as in the paper. Otherwise up to how many positives, as in
        `MLROS`: as many rows are made of each label as it lacks, and their other labels come on
        top.
    labels : {"ranking", "union", "intersection"}, default="ranking"
        Labels of a new row: those of more than half of its first parent and that one's neighbours,
        those of any of them, or those of all.
    n_neighbors : int, default=5
        Neighbours of a row among the rows of the label; all others where these are fewer.
    interpolation : {"feature", "row"}, default="feature"
        Whether each number of a new row has its own random place between those of its parents, as
        in the paper, or all the same one, so that the row lies on the line between them, as in
        SMOTE.
    categorical_features : "auto", array-like of str, int or bool, or None, default=None
        Names, indices or a mask of the categorical columns of `X`; "auto" for all columns of a
        DataFrame that are no numbers, or bool; None for none. Two different categories are as far
        apart as the median standard deviation of the numeric columns, as in SMOTE-NC, of all rows.
    neighbors : KNeighborsMixin object, default=None
        The search for neighbours, cloned and fitted on the rows of each label. None takes
        :class:`~sklearn.neighbors.NearestNeighbors`.
    n_jobs : int, default=None
        Of the search, where `neighbors` is None.
    random_state : int, RandomState instance or None, default=None
        Draws the neighbours and the places between two rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, by label.
    parent_indices_ : ndarray of shape (n_samples_new, 2)
        Rows of the input that each new row lies between; first all, each twice.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    MLROS : Copies rows of rare labels.
    MLSOL : Makes new rows where rare labels meet frequent ones.

    Notes
    -----
    Distances are Euclidean on the features as they are: scale them in a step before. The category
    of a new row is the most frequent one of the neighbours, the nearest deciding between two.
    Neighbours are found among the rows given: new ones do not become parents, in whatever order
    the labels come. The imbalance of a label must be above the mean, not at it. A label of one row
    has no neighbour; it is left out with a warning. Numbers of integer columns are rounded.

    References
    ----------
    .. [1] F. Charte, A. J. Rivera, M. J. del Jesus, F. Herrera, "MLSMOTE: approaching imbalanced
       multilabel learning through synthetic instance generation", Knowledge-Based Systems 89,
       2015.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from skrecall.label_space import mean_imbalance_ratio
    >>> from skrecall.resampling import MLSMOTE
    >>> X, Y = make_multilabel_classification(500, n_classes=8, random_state=1)
    >>> sampler = MLSMOTE(random_state=0)
    >>> X_new, Y_new = sampler.fit_resample(X, Y)
    >>> len(X), len(X_new), mean_imbalance_ratio(Y_new) < mean_imbalance_ratio(Y)
    (500, 732, True)
    >>> sampler.parent_indices_.shape
    (732, 2)
    """

    _parameter_constraints: dict = {
        **BaseMultilabelNeighborSampler._parameter_constraints,
        "labels": [StrOptions({"ranking", "union", "intersection"})],
        "interpolation": [StrOptions({"feature", "row"})],
    }

    _sampling_type = "over-sampling"
    _selects_rows = False

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        labels: Literal["ranking", "union", "intersection"] = "ranking",
        n_neighbors: int = 5,
        interpolation: Literal["feature", "row"] = "feature",
        categorical_features: str | Sequence | ArrayLike | None = None,
        neighbors: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.labels = labels
        self.n_neighbors = n_neighbors
        self.interpolation = interpolation
        self.categorical_features = categorical_features
        self.neighbors = neighbors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _resolve_strategy(self, Y: Indicator) -> dict[Any, int]:
        counts = count_values(Y, 1)
        if isinstance(self.sampling_strategy, str) and self.sampling_strategy == "auto":
            missing = np.where(minority_labels(counts), counts, 0)
        else:
            names = self._container.label_names
            missing = target_counts(self.sampling_strategy, Y, "over-sampling", names) - counts
        lonely = np.flatnonzero((missing > 0) & (counts == 1))
        if len(lonely):
            warnings.warn(
                f"{counted(len(lonely), 'label has one row', 'labels have one row each')}, "
                f"{[self._label(j) for j in lonely[:5]]}"
                f"{'...' * (len(lonely) > 5)}, and MLSMOTE makes rows between two: no row is made "
                "of these labels. Use MLROS to copy theirs.",
                stacklevel=4,
            )
            missing[lonely] = 0
        self._missing = missing
        return {self._label(j): int(missing[j]) for j in np.flatnonzero(missing)}

    def _why_unchanged(self, Y: Indicator) -> str:
        counts = count_values(Y, 1)
        if self.sampling_strategy != "auto" or not minority_labels(counts).any():
            return super()._why_unchanged(Y)
        return (
            "no label that is rarer than the mean has two rows. Copy rows by MLROS, or choose "
            "another sampling_strategy."
        )

    def _fit_resample(
        self, X: MixedFeatures, Y: Indicator, rng: np.random.RandomState
    ) -> tuple[Any, Indicator, NDArray[np.intp]]:
        rows_of, columns = csr_array(Y), csc_array(Y)
        copies = np.arange(len(X))
        first, second, sources = [copies[:0]], [copies[:0]], [np.empty_like(X.codes[:0], np.intp)]
        Y_new = [rows_of]
        for label in np.flatnonzero(self._missing):
            bag = columns.indices[columns.indptr[label] : columns.indptr[label + 1]]
            start = rows_in_turns(np.sort(bag), int(self._missing[label]), rng)
            distinct, place = np.unique(start, return_inverse=True)
            _, near = find_neighbors(
                X.matrix,
                min(self.n_neighbors, len(bag) - 1),
                rows=distinct,
                among=np.sort(bag),
                neighbors=self.neighbors,
                n_jobs=self.n_jobs,
            )
            near = near[place]
            pick = rng.randint(near.shape[1], size=len(start))
            first.append(start)
            second.append(near[np.arange(len(start)), pick])
            sources.append(most_frequent_neighbor(X.codes, near))
            Y_new.append(vote_labels(rows_of, np.column_stack([start, near]), self.labels))
        parents = np.concatenate(first), np.concatenate(second)
        X_new, _ = X.append_between(
            *parents, np.concatenate(sources), rng, one_step=self.interpolation == "row"
        )
        everyone = np.column_stack([np.append(copies, side) for side in parents])
        return X_new, vstack(Y_new, format="csc"), everyone
