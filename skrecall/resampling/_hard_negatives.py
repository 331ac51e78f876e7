"""Under-sampling that keeps the rows which a classifier takes for the rare class.

References
----------
.. [1] K.-K. Sung, T. Poggio, "Example-based learning for view-based human face detection", IEEE
   Transactions on Pattern Analysis and Machine Intelligence 20(1), 1998.
.. [2] M. R. Smith, T. Martinez, C. Giraud-Carrier, "An instance level analysis of data complexity",
   Machine Learning 95, 2014.
"""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from imblearn.under_sampling.base import BaseUnderSampler
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_random_state

from skrecall.utils._sklearn import HasMethods, Interval, StrOptions

from ._out_of_fold import class_folds, out_of_fold
from ._row_selection import BaseRowSelector, class_rows, shown, take_input_tags


def rival_scores(y_score: NDArray, y: NDArray, reduced: list) -> NDArray[np.float64]:
    """Return how strongly each row is taken for a class that must not be missed.

    Parameters
    ----------
    y_score : ndarray of shape (n_samples, n_classes)
        Scores of the sorted classes.
    y : ndarray of shape (n_samples,)
        Labels.
    reduced : list
        Classes that lose rows.

    Returns
    -------
    hardness : ndarray of shape (n_samples,)
        Highest score among the classes that lose no rows, or, if all do, among the other classes;
        NaN for rows of a class that loses none.
    """
    classes = np.unique(y)
    is_reduced = np.isin(classes, reduced)
    hardness = np.full(len(y), np.nan)
    for k in np.flatnonzero(is_reduced):
        rivals = np.arange(len(classes)) != k if is_reduced.all() else ~is_reduced
        rows = class_rows(y, classes[k])
        hardness[rows] = y_score[np.ix_(rows, rivals)].max(axis=1)
    return hardness


def hardest_rows(
    hardness: NDArray[np.float64],
    n_kept: int,
    *,
    n_skipped: int,
    n_random: int,
    rng: np.random.RandomState,
) -> NDArray[np.intp]:
    """Return the hardest rows after those that are skipped, and random ones of the rest.

    Parameters
    ----------
    hardness : ndarray of shape (n_rows,)
        Greater is harder; ties are broken at random.
    n_kept : int
        Rows to keep in all.
    n_skipped : int
        The hardest, which are left out.
    n_random : int
        How many of the kept rows are random ones.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    rows : ndarray of shape (n_kept,)
        Indices.
    """
    order = np.lexsort((rng.permutation(len(hardness)), -hardness))[n_skipped:]
    n_hard = n_kept - n_random
    return np.append(order[:n_hard], rng.choice(order[n_hard:], n_random, replace=False))


class HardNegativeUnderSampler(MetaEstimatorMixin, BaseRowSelector, BaseUnderSampler):
    """Keep the rare class and, of the others, the rows that are taken for it.

    A classifier scores every row out of fold, and of each class that is reduced the rows with the
    highest score of the rare class stay: those that would be false alarms [1]_. Others are drawn
    at random. In a multiclass problem the score is the highest among the classes that
    `sampling_strategy` does not name (with "auto" the smallest class); if it names all, the highest
    among the other classes, so that it measures instance hardness [2]_.

    Parameters
    ----------
    estimator : classifier
        With `predict_proba` or `decision_function`; cloned for each fold. Whatever it takes as
        samples, this sampler takes: texts, DataFrames with columns of text, NaN, images. Give it
        images as they are: in an `ArraySampler`, which flattens them, a network would get rows.
    sampling_strategy : {"auto", "majority", "not minority", "not majority", "all"}, float, dict \
or callable, default="auto"
        As in imbalanced-learn's under-samplers: which classes are reduced, and to how many rows.
        "auto" is "not minority".
    ratio : float, default=1.0
        Rows kept of each reduced class per row of the smallest class, where `sampling_strategy` is
        a string.
    skip_hardest : float in [0, 1), default=0.0
        Share of the rows of each class that loses rows, the hardest ones, that are left out too.
        Among the very hardest negatives are the positives that were labelled wrongly: with 1 % of
        wrong labels expected, 0.01 to 0.02 keeps most of them out.
    random_share : float in [0, 1], default=0.5
        Share of the kept rows that is drawn at random from the rest. At 0 only the hardest stay,
        nothing shows a model what an ordinary negative is, and its ranking is lost, see Notes.
    cv : int, splitter or iterable, default=5
        Folds for the scores. A number means shuffled stratified folds.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    n_jobs : int, default=None
        Folds to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds folds, unseeded estimators, ties and random rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to keep of each reduced class.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Indices of the rows kept, increasing.
    hardness_ : ndarray of shape (n_samples,)
        Out-of-fold score that rows were chosen by, NaN for classes that are not reduced.
    n_features_in_ : int
        Number of features; of images, the number of values.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of a DataFrame.

    See Also
    --------
    NoisySampleFilter : Removes rows that look mislabelled.
    imblearn.under_sampling.InstanceHardnessThreshold : Keeps the easiest rows instead.

    Notes
    -----
    This is for negatives without number, such as windows of images, where hard ones are added to
    random ones [1]_. Do not expect a ranking better than that of all rows. Where classes overlap,
    the hardest negatives look more like positives than most positives do, and a model fitted on
    them alone may rank in reverse: of two Gaussian classes two standard deviations apart, with 1 %
    positives, a logistic regression has an area under the ROC curve of 0.08 in place of 0.92.

    On five real sets with 2 to 10 % positives, gradient boosting on as many negatives as positives,
    which a logistic regression scored, has an average precision of 0.04 to 0.18 with the hardest
    alone, 0.16 to 0.66 with half of them random, 0.21 to 0.69 after random under-sampling and 0.36
    to 0.75 on all rows. The second stage of a cascade is no exception: among the rows that pass a
    first one at a recall of 0.95, it is 0.05 to 0.61 with the hardest alone and 0.25 to 0.70 after
    random under-sampling. What pays is ``ratio=3``, half of them random and scores by the gradient
    boosting itself: on each of the five it is above random under-sampling to the same size, 0.30 to
    0.75 against 0.23 to 0.72, and on two of them as good as all rows.

    Probabilities are wrong besides, and `PriorCorrectedClassifier` does not mend them: positives
    that random under-sampling finds fall below one half. Choose the threshold on rows that were not
    resampled, as `OptimalThresholdClassifier` and the promise classes around the Pipeline do.

    Sample weights are not seen by the estimator inside.

    References
    ----------
    .. [1] K.-K. Sung, T. Poggio, "Example-based learning for view-based human face detection", IEEE
       Transactions on Pattern Analysis and Machine Intelligence 20(1), 1998.
    .. [2] M. R. Smith, T. Martinez, C. Giraud-Carrier, "An instance level analysis of data
       complexity", Machine Learning 95, 2014.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.datasets import make_imbalanced_classification
    >>> from skrecall.resampling import HardNegativeUnderSampler
    >>> data = make_imbalanced_classification(2000, fixed_prevalence=True, random_state=0)
    >>> sampler = HardNegativeUnderSampler(LogisticRegression(), ratio=3, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(data.X, data.y)
    >>> int(data.y.sum()), int(y_new.sum()), len(y_new)
    (100, 100, 400)
    """

    _parameter_constraints: dict = {
        **BaseUnderSampler._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict"])],
        "ratio": [Interval(Real, 0, None, closed="neither")],
        "skip_hardest": [Interval(Real, 0, 1, closed="left")],
        "random_share": [Interval(Real, 0, 1, closed="both")],
        "cv": ["cv_object"],
        "response_method": [StrOptions({"auto", "predict_proba", "decision_function"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    _computes_with_features = False

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        sampling_strategy: Any = "auto",
        ratio: float = 1.0,
        skip_hardest: float = 0.0,
        random_share: float = 0.5,
        cv: Any = 5,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.estimator = estimator
        self.ratio = ratio
        self.skip_hardest = skip_hardest
        self.random_share = random_share
        self.cv = cv
        self.response_method = response_method
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _count_to_keep(self, y: NDArray) -> dict[Any, int]:
        n_kept = super()._count_to_keep(y)
        if self.ratio == 1:
            return n_kept
        if not isinstance(self.sampling_strategy, str):
            raise ValueError(
                f"ratio={self.ratio} and sampling_strategy={self.sampling_strategy!r} both say how "
                "many rows to keep: leave ratio=1.0, or name classes in sampling_strategy."
            )
        labels, counts = np.unique(y, return_counts=True)
        wanted = max(1, round(self.ratio * counts.min()))
        return {
            label: min(wanted, int(count))
            for label, count in zip(labels, counts, strict=True)
            if label in n_kept
        }

    def _fit_resample(self, X: Any, y: NDArray) -> NDArray[np.bool_]:
        rng = check_random_state(self.random_state)
        scores = out_of_fold(
            self.estimator,
            X,
            y,
            cv=class_folds(self.cv, y, rng),
            method=self._method(),
            n_jobs=self.n_jobs,
            rng=rng,
        )
        self.hardness_ = rival_scores(scores, y, list(self.sampling_strategy_))
        kept = ~np.isin(y, list(self.sampling_strategy_))
        for label, n_kept in self.sampling_strategy_.items():
            rows = class_rows(y, label)
            n_skipped = 0 if n_kept == len(rows) else round(self.skip_hardest * len(rows))
            if n_kept > len(rows) - n_skipped:
                raise ValueError(
                    f"skip_hardest={self.skip_hardest} leaves {len(rows) - n_skipped} of the "
                    f"{len(rows)} rows of {shown(label)}, and {n_kept} are to be kept: lower it, "
                    "or keep fewer rows."
                )
            chosen = hardest_rows(
                self.hardness_[rows],
                n_kept,
                n_skipped=n_skipped,
                n_random=round(self.random_share * n_kept),
                rng=rng,
            )
            kept[rows[chosen]] = True
        return kept

    def _why_unchanged(self, y: NDArray) -> str:
        reason = super()._why_unchanged(y)
        return reason if self.ratio == 1 else f"ratio={self.ratio} with {reason}"

    def _method(self) -> str:
        if self.response_method != "auto":
            return self.response_method
        has_decision = hasattr(self.estimator, "decision_function")
        is_proba = hasattr(self.estimator, "predict_proba") or not has_decision
        return "predict_proba" if is_proba else "decision_function"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        take_input_tags(tags, [self.estimator])
        return tags
