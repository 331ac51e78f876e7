"""Removal of rows whose label other rows contradict.

References
----------
.. [1] C. E. Brodley, M. A. Friedl, "Identifying mislabeled training data", Journal of Artificial
   Intelligence Research 11, 1999.
.. [2] C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in
   dataset labels", Journal of Artificial Intelligence Research 70, 2021.
"""

from numbers import Integral
from typing import Any, Literal

import numpy as np
from imblearn.under_sampling.base import BaseCleaningSampler
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skrecall.utils._sklearn import (
    HasMethods,
    StrOptions,
    _BaseHeterogeneousEnsemble,
)

from ._out_of_fold import class_folds, out_of_fold
from ._row_selection import BaseRowSelector, take_input_tags


def class_thresholds(y_proba: NDArray[np.float64], code: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean probability of each class among the rows that are labelled so.

    Parameters
    ----------
    y_proba : ndarray of shape (n_samples, n_classes)
        Probabilities of models that did not see the row.
    code : ndarray of shape (n_samples,)
        Columns of the labels.

    Returns
    -------
    thresholds : ndarray of shape (n_classes,)
        Above it a row is confidently of the class, whatever its label.
    """
    n_classes = y_proba.shape[1]
    own = y_proba[np.arange(len(code)), code]
    return np.bincount(code, own, minlength=n_classes) / np.bincount(code, minlength=n_classes)


def confident_classes(
    y_proba: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the most probable class of those whose threshold a row reaches, -1 if it reaches none.

    Parameters
    ----------
    y_proba : ndarray of shape (n_samples, n_classes)
        Probabilities.
    thresholds : ndarray of shape (n_classes,)
        From `class_thresholds`.

    Returns
    -------
    code : ndarray of shape (n_samples,)
        Columns.
    """
    reached = np.where(y_proba >= thresholds, y_proba, -1.0)
    return np.where((reached >= 0).any(axis=1), reached.argmax(axis=1), -1)


def confident_joint(
    code: NDArray[np.intp], confident: NDArray[np.intp], n_classes: int
) -> NDArray[np.intp]:
    """Count rows by label and by the class that they are confidently of.

    Parameters
    ----------
    code, confident : ndarray of shape (n_samples,)
        Columns of the labels, and those from `confident_classes`.
    n_classes : int
        Number of classes.

    Returns
    -------
    counts : ndarray of shape (n_classes, n_classes)
        Labels by row, confident classes by column; rows without a confident class are not counted.
    """
    known = confident >= 0
    cell = code[known] * n_classes + confident[known]
    return np.bincount(cell, minlength=n_classes**2).reshape(n_classes, n_classes)


def prune_by_noise_rate(
    y_proba: NDArray[np.float64], code: NDArray[np.intp], joint: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return which rows are among the likeliest errors, as many as the joint distribution says.

    The joint counts are scaled until the labels have their own counts; for each label and other
    class so many rows are taken, by how much more probable the other class is.

    Parameters
    ----------
    y_proba : ndarray of shape (n_samples, n_classes)
        Probabilities.
    code : ndarray of shape (n_samples,)
        Columns of the labels.
    joint : ndarray of shape (n_classes, n_classes)
        From `confident_joint`.

    Returns
    -------
    is_noisy : ndarray of shape (n_samples,), dtype bool
        The rows taken.
    """
    is_noisy = np.zeros(len(code), dtype=bool)
    for k, counts in enumerate(joint):
        rows = np.flatnonzero(code == k)
        if counts.sum() == 0:
            continue
        n_errors = np.rint(counts * (len(rows) / counts.sum())).astype(np.intp)
        for other in np.flatnonzero(n_errors):
            if other != k:
                margin = y_proba[rows, k] - y_proba[rows, other]
                is_noisy[rows[np.argsort(margin, kind="stable")[: n_errors[other]]]] = True
    return is_noisy


class NoisySampleFilter(BaseRowSelector, BaseCleaningSampler, _BaseHeterogeneousEnsemble):
    """Remove rows that look mislabelled to models which did not see them.

    Each classifier predicts every row out of fold, and a rule tells from the predictions which
    labels are wrong. The smallest class loses no row unless `sampling_strategy` says so: rare rows
    look wrong to most models because they are rare, and each one lost is recall lost.

    Parameters
    ----------
    estimators : classifier or list of (str, classifier)
        What predicts; classifiers of different kinds make a vote worth more. Whatever they take as
        samples, this sampler takes: texts, DataFrames with columns of text, NaN, images. Give it
        images as they are: in an `ArraySampler`, which flattens them, a network would get rows.
    sampling_strategy : {"auto", "majority", "not minority", "not majority", "all"}, list or \
callable, default="auto"
        Which classes may lose rows. "auto" is "not minority".
    rule : {"majority", "consensus", "confident_joint", "noise_rate"}, default="majority"
        Which rows are taken for mislabelled. "majority": more than half of the classifiers predict
        another class; "consensus": all do, which keeps more good rows and more bad ones [1]_.
        "confident_joint": the row reaches the threshold of another class, and is most probable
        among those it reaches, a threshold being the mean probability of a class among the rows
        labelled so. "noise_rate": as many rows of each label and other class as the joint
        distribution estimated from these counts says, those first whose other class is most
        probable compared to the own [2]_. The last two use the mean probability of the classifiers.
    cv : int, splitter or iterable, default=5
        Folds for the predictions. A number means shuffled stratified folds, the same for all
        classifiers.
    n_jobs : int, default=None
        Folds to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds folds and unseeded classifiers.

    Attributes
    ----------
    sampling_strategy_ : dict
        The classes that may lose rows are its keys.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Indices of the rows kept, increasing.
    is_noisy_ : ndarray of shape (n_samples,), dtype bool
        Rows that look mislabelled, also of classes that lose none: worth a look by an expert.
    n_disagree_ : ndarray of shape (n_samples,)
        Number of classifiers that predict another class; only of the rules that vote.
    class_thresholds_ : ndarray of shape (n_classes,)
        Threshold of each class in sorted order; only of the rules of confident learning.
    confident_joint_ : ndarray of shape (n_classes, n_classes)
        Rows by label (down) and the class that they are confidently of (across); only of the rules
        of confident learning.
    n_features_in_ : int
        Number of features; of images, the number of values.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    HardNegativeUnderSampler : Keeps hard rows, and some at random.
    imblearn.under_sampling.EditedNearestNeighbours : The same idea by nearest neighbours.

    Notes
    -----
    Hard rows and wrong labels look alike to a filter: on data without wrong labels it removes the
    hardest rows, which moves the decision towards the classes that lose none. "majority" and
    "consensus" compare probabilities with one half, and so flag nearly every rare row of
    overlapping classes; confident learning compares them with their own mean, and does not.

    References
    ----------
    .. [1] C. E. Brodley, M. A. Friedl, "Identifying mislabeled training data", Journal of
       Artificial Intelligence Research 11, 1999.
    .. [2] C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in
       dataset labels", Journal of Artificial Intelligence Research 70, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.resampling import NoisySampleFilter
    >>> X, y = make_blobs([300, 60], cluster_std=1.0, centers=[[0, 0], [6, 6]], random_state=0)
    >>> wrong = np.flatnonzero(y == 1)[:5]
    >>> y[wrong] = 0
    >>> sampler = NoisySampleFilter(LogisticRegression(), random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> np.setdiff1d(np.arange(360), sampler.sample_indices_).tolist() == wrong.tolist()
    True
    """

    _parameter_constraints: dict = {
        **BaseCleaningSampler._parameter_constraints,
        "estimators": [list, HasMethods(["fit", "predict"])],
        "rule": [StrOptions({"majority", "consensus", "confident_joint", "noise_rate"})],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    _computes_with_features = False

    def __init__(
        self,
        estimators: BaseEstimator | list[tuple[str, BaseEstimator]],
        *,
        sampling_strategy: Any = "auto",
        rule: Literal["majority", "consensus", "confident_joint", "noise_rate"] = "majority",
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.estimators = estimators
        self.rule = rule
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add those of the classifiers, under their names.

        Returns
        -------
        params : dict
            Values by name.
        """
        if isinstance(self.estimators, list):
            return super().get_params(deep=deep)
        return BaseEstimator.get_params(self, deep=deep)  # a forest would be read as a list

    def _fit_resample(self, X: Any, y: NDArray) -> NDArray[np.bool_]:
        rng = check_random_state(self.random_state)
        for name in ("n_disagree_", "class_thresholds_", "confident_joint_"):
            if hasattr(self, name):  # of another rule
                delattr(self, name)
        cv = class_folds(self.cv, y, rng)
        method = "predict" if self.rule in ("majority", "consensus") else "predict_proba"
        answers = [
            out_of_fold(estimator, X, y, cv=cv, method=method, n_jobs=self.n_jobs, rng=rng)
            for estimator in self._classifiers()
        ]
        if method == "predict":
            self.n_disagree_ = np.sum([answer != y for answer in answers], axis=0)
            n_needed = len(answers) if self.rule == "consensus" else len(answers) // 2 + 1
            self.is_noisy_ = self.n_disagree_ >= n_needed
        else:
            self.is_noisy_ = self._by_confidence(np.mean(answers, axis=0), y)
        kept = ~(self.is_noisy_ & np.isin(y, list(self.sampling_strategy_)))
        lost = np.setdiff1d(y, y[kept]).tolist()
        if lost:
            raise ValueError(
                f"All rows of classes {lost} look mislabelled by rule={self.rule!r}, so none would "
                "be left: the classifiers do not tell these classes from others. Use other "
                "classifiers or another rule, or name other classes in sampling_strategy."
            )
        return kept

    def _by_confidence(self, y_proba: NDArray[np.float64], y: NDArray) -> NDArray[np.bool_]:
        code = np.unique(y, return_inverse=True)[1]
        self.class_thresholds_ = class_thresholds(y_proba, code)
        confident = confident_classes(y_proba, self.class_thresholds_)
        self.confident_joint_ = confident_joint(code, confident, y_proba.shape[1])
        if self.rule == "confident_joint":
            return (confident >= 0) & (confident != code)
        return prune_by_noise_rate(y_proba, code, self.confident_joint_)

    def _classifiers(self) -> list[BaseEstimator]:
        if not isinstance(self.estimators, list):
            return [self.estimators]
        are_pairs = all(
            isinstance(pair, tuple) and len(pair) == 2 and hasattr(pair[1], "predict")
            for pair in self.estimators
        )
        if not self.estimators or not are_pairs:
            raise ValueError(
                f"estimators={self.estimators!r} must be a classifier or a list of pairs (name, "
                "classifier), one at least."
            )
        self._validate_names([name for name, _ in self.estimators])
        return [estimator for _, estimator in self.estimators]

    def _why_unchanged(self, y: NDArray) -> str:
        return (
            f"{self.is_noisy_.sum()} look mislabelled by rule={self.rule!r}, none of them in the "
            f"classes that may lose rows, {np.array(list(self.sampling_strategy_)).tolist()}."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        try:
            take_input_tags(tags, self._classifiers())
        except ValueError:  # refused by name when it resamples
            tags.input_tags.three_d_array = True
        return tags
