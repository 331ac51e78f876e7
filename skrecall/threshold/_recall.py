"""Keep a recall on unseen data: the exact order-statistic threshold, around any classifier.

The threshold is chosen on positives the model has not seen. Every threshold up to the
``k``-th smallest of their scores keeps the target with the confidence asked for (`_bounds`), all on
the same event, so that the one of best empirical precision among them costs no confidence.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, check_cv
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d, indexable
from sklearn.utils.validation import check_is_fitted

from skrecall.utils._checks import check_training_labels
from skrecall.utils._fitting import MAX_SEED, clone_with_seed
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _num_samples,
    _safe_indexing,
)

from ._base import BaseDecisionClassifier
from ._calibration import (
    IF_SEVERAL_LABELS,
    RESPONSE_METHODS,
    Split,
    check_has_scores,
    check_no_shared_positives,
    check_split,
    class_scores,
    fit_and_score_held_out,
    holdout_split,
    last_split,
    row_indices,
)
from ._evidence import Evidence
from ._label_order import label_thresholds, refuse_overlap
from ._promise import _PromiseTerms, make_promise


def _one_or_array(values: list) -> Any:
    return values[0] if len(values) == 1 else np.array(values)


def labels_to_find(classes: NDArray, counts: NDArray[np.int64], pos_label: Any) -> NDArray:
    """Return the classes to find, in order.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Classes of the training labels, sorted.
    counts : ndarray of shape (n_classes,)
        Number of rows of each.
    pos_label : object
        The parameter: None, a label or several.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        One for None.

    Raises
    ------
    ValueError
        If there is one class only, a label is none of them, or None could mean several.
    """
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes.tolist()}: recall and false alarms need "
            "samples of both classes."
        )
    if pos_label is None:
        if len(classes) > 2:
            raise ValueError(
                f"y holds {len(classes)} classes, {classes[:5].tolist()}: name the one to find "
                "with pos_label, or several in a list. Only binary classification is supported "
                "without it. Unknown label type: multiclass"
            )
        if classes.dtype.kind not in "biuf" and counts[1] > counts[0]:
            rare, taken = classes.tolist()
            warnings.warn(
                f"pos_label=None takes the second label in order, {taken!r}, which "
                f"{counts[1]} of {counts.sum()} rows have: to find {rare!r}, pass "
                f"pos_label={rare!r}.",
                stacklevel=3,
            )
        return classes[1:]
    labels = np.atleast_1d(pos_label)
    known = [label for label in labels.tolist() if label in classes]
    if len(np.unique(known)) < max(len(labels), 1):
        raise ValueError(
            f"pos_label={pos_label!r} must name one class of y or more, each once; y "
            f"holds {classes.tolist()}."
        )
    return labels


class RecallThresholdClassifier(BaseDecisionClassifier):
    """Classifier that keeps a recall on unseen data, with a stated confidence.

    Of all thresholds whose recall on unseen data is at least `target_recall` with probability
    `confidence` over draws of the held-out positives, it takes the one with the best empirical
    precision. The bound is exact for continuous scores, and on the safe side for tied ones,
    whatever the distribution and the model.

    **Wrap everything in it**: scaling, resampling, search. An over-sampler *before* it puts copies
    of a positive on both sides of the split and voids the promise. Exact copies are refused;
    positives that SMOTE interpolates are not, and
    :func:`~skrecall.model_selection.check_leakage` finds them where features are continuous.

    Assumed is that held-out and future positives are exchangeable (as groups, where `groups` are
    given). A change of prevalence leaves the promise as it is; a change of the positives
    themselves does not. The promise is about the population: a small test set shows a recall below
    the target more often than ``1 - confidence``; `next_batch` promises for such a set.

    Parameters
    ----------
    estimator : estimator
        Classifier with `predict_proba` or `decision_function`, usually a whole Pipeline or search.
        A `FrozenEstimator` is not fitted again, whatever `calibration` says.
    target_recall : float in (0, 1), default=0.95
        Recall to keep.
    confidence : float in (0, 1), default=0.9
        Probability, over draws of the held-out positives, of keeping it. Several promises (classes,
        strata) hold together with this probability.
    pos_label : int, float, bool, str or list of these, default=None
        The class to find; None means ``classes_[1]`` of two. A list makes one promise for each
        class named: `predict_flags` keeps them all, while `predict` gives one label, in the order
        of the list, and each later class is calibrated with what earlier classes took counted as
        missed.
    calibration : {"holdout", "out_of_fold", "prefit"}, default="holdout"
        "holdout" fits on one part, puts the threshold on the other, and never refits.
        "out_of_fold" pools the scores of cross-validation and fits on all rows: *empirical, not
        promised*, because the scores are those of other models. "prefit" takes a fitted estimator
        and uses all rows given, none of which it may have seen.
    calibration_size : float in (0, 1), default=0.5
        Share of the rows, or groups, that "holdout" holds out, stratified by class and stratum.
    cv : int, splitter or iterable, default=None
        For "holdout", a splitter in place of `calibration_size`: its last split counts, which for
        `TimeSeriesSplit` calibrates on the most recent rows. For "out_of_fold", the folds; None
        means 5, stratified.
    group_promise : {"any", "row"}, default="any"
        What is promised when `fit` gets groups. "any": of the positive groups (patients), the
        target share has a flagged row. "row": of random positive rows, one a group, the target
        share is flagged.
    strata : str, int or callable, default=None
        Column of `X`, or a function of `X`, that names each row's stratum (site, subgroup). Each
        stratum gets a threshold and a promise of its own; the confidence is shared out. A stratum
        that `fit` has not seen is refused by `predict`. The column reaches `estimator` too: one of
        text needs an encoder, or a ColumnTransformer that drops it, inside.
    n_comparisons : int, default=1
        Number of models or candidates of which the best is picked on the same held-out positives.
    next_batch : int, default=None
        Promise the recall of the next so many positives in place of the population's.
    on_insufficient : {"raise", "best"}, default="raise"
        With too few positives, raise, or warn and promise the best recall that they can carry with
        the same confidence. Either says how many are missing.
    on_duplicates : {"raise", "ignore"}, default="raise"
        What identical positives on both sides of a split lead to.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    n_jobs : int, default=None
        Number of folds of "out_of_fold" to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds the split, the choice of rows within groups, and what `estimator` leaves unseeded.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Class labels that the estimator inside knows.
    pos_label_ : object or ndarray of shape (n_labels,)
        The class, or classes, that promises are made for.
    promises_ : list of RecallPromise
        One a class and stratum, class by class; print one to read it.
    threshold_ : float or ndarray of shape (n_promises,)
        Flag when the score is at least this; midway between two scores of the curve.
    label_thresholds_ : ndarray of shape (n_strata, n_labels)
        What `predict` compares with. With several classes lower than `threshold_`, because it
        counts what earlier classes take; minus infinity where that cannot be made up for.
    n_calibration_positives_ : int or ndarray of shape (n_promises,)
        Held-out positives, or positive groups.
    recall_lower_bound_ : float or ndarray of shape (n_promises,)
        Lower confidence bound of the recall at the highest threshold that carries the promise; NaN
        for "out_of_fold".
    operating_curve_ : OperatingCurve or list of OperatingCurve
        Of the held-out rows, or groups; one a promise.
    calibration_rows_ : ndarray of shape (n_held_out,)
        Indices of the held-out rows.
    strata_ : ndarray of shape (n_strata,)
        The strata of the rows that `fit` got; ``[None]`` without any.

    Raises
    ------
    ValueError
        If positives are too few or on both sides of the split, or the scores are not usable.

    See Also
    --------
    positives_needed : Tell how many positives a promise needs, before any data exist.
    skrecall.metrics.audit_recall_promise : Tell whether a deployed promise has been kept.

    Notes
    -----
    `target_recall`, `confidence`, `n_comparisons`, `next_batch`, `on_insufficient` and
    `group_promise` act after `fit`: `refit_decision` applies a new value to the stored scores.
    Trying several and keeping one is a comparison; count it in `n_comparisons`. `sample_weight`
    goes to the estimator inside; the promise counts rows.

    References
    ----------
    .. [1] H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., Wiley, 2003, ch. 2.
    .. [2] X. Tong, Y. Feng, J. J. Li, "Neyman-Pearson classification algorithms and NP receiver
       operating characteristics", Science Advances 4(2), 2018.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.threshold import RecallThresholdClassifier
    >>> X, y = make_classification(2000, weights=[0.9], random_state=0)
    >>> model = RecallThresholdClassifier(LogisticRegression(), target_recall=0.9, random_state=0)
    >>> promise = model.fit(X, y).promises_[0]
    >>> print(promise)
    Promised: recall of class 1 >= 0.9 on unseen data, confidence 0.9, from 104 held-out
    positives: flag when the score is at least 0.34..., if future positives are exchangeable
    with these; on the held-out rows, precision 0.98 and 100 alerts per 1000
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "target_recall": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "pos_label": [Real, str, "boolean", "array-like", None],
        "calibration": [StrOptions({"holdout", "out_of_fold", "prefit"})],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "group_promise": [StrOptions({"any", "row"})],
        "strata": [str, Integral, callable, None],
        "n_comparisons": [Interval(Integral, 1, None, closed="left")],
        "next_batch": [Interval(Integral, 1, None, closed="left"), None],
        "on_insufficient": [StrOptions({"raise", "best"})],
        "on_duplicates": [StrOptions({"raise", "ignore"})],
        "response_method": [StrOptions(set(RESPONSE_METHODS))],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    _decision_params = (
        "target_recall",
        "confidence",
        "group_promise",
        "n_comparisons",
        "next_batch",
        "on_insufficient",
    )

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        target_recall: float = 0.95,
        confidence: float = 0.9,
        pos_label: Any = None,
        calibration: str = "holdout",
        calibration_size: float = 0.5,
        cv: int | BaseCrossValidator | Iterable | None = None,
        group_promise: str = "any",
        strata: str | int | Callable[[Any], ArrayLike] | None = None,
        n_comparisons: int = 1,
        next_batch: int | None = None,
        on_insufficient: str = "raise",
        on_duplicates: str = "raise",
        response_method: str = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.target_recall = target_recall
        self.confidence = confidence
        self.pos_label = pos_label
        self.calibration = calibration
        self.calibration_size = calibration_size
        self.cv = cv
        self.group_promise = group_promise
        self.strata = strata
        self.n_comparisons = n_comparisons
        self.next_batch = next_batch
        self.on_insufficient = on_insufficient
        self.on_duplicates = on_duplicates
        self.response_method = response_method
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the classifier inside and put the threshold on what it has not seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, in any form that the estimator takes.
        y : array-like of shape (n_samples,)
            Class labels.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group, such as the scans of one patient, stay on one side of the split and
            count as one; see `group_promise`. A splitter that tears groups apart is refused.
        **params : dict
            Handed to the estimator's `fit`, such as `sample_weight`.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        X, y, groups = indexable(X, y, groups)
        y = check_training_labels(y, if_several=IF_SEVERAL_LABELS)
        groups = None if groups is None else column_or_1d(groups)
        params = self._route_fit_params(params, {"groups": groups})
        check_has_scores(self.estimator, self.response_method)
        labels = labels_to_find(*np.unique(y, return_counts=True), self.pos_label)
        stratum = self._stratum_of(X, self.strata)
        strata = np.array([None]) if stratum is None else np.unique(stratum)

        rng = check_random_state(self.random_state)
        splits = self._splits(X, y, labels, stratum, groups, rng)
        rows = np.concatenate([held_out for _, held_out in splits])
        evidence = Evidence(
            labels=labels,
            strata=strata,
            y=y[rows],
            y_score=np.zeros((len(rows), len(labels))),
            groups=None if groups is None else groups[rows],
            stratum=None if stratum is None else stratum[rows],
            seed=rng.randint(MAX_SEED),
            is_empirical=len(splits) > 1,
            held_out_share=len(rows) / len(y),
        )
        if self.on_insufficient == "raise":
            self._refuse_too_few_positives(evidence)
        estimator, y_score = fit_and_score_held_out(
            self.estimator
            if self._is_prefit()
            else clone_with_seed(self.estimator, None if self.random_state is None else rng),
            X,
            y,
            splits,
            labels=labels,
            response_method=self.response_method,
            fit_params=params,
            n_jobs=self.n_jobs,
        )
        self.estimator_ = estimator
        self.classes_ = np.asarray(estimator.classes_)
        self.pos_label_ = labels[0] if np.ndim(self.pos_label) == 0 else labels
        self.strata_ = strata
        self.calibration_rows_ = rows
        self._evidence = replace(evidence, y_score=y_score)
        self._read_scores = self.response_method
        self._read_strata = self.strata
        return self._decide()

    @staticmethod
    def _stratum_of(X: Any, strata: Any) -> NDArray | None:
        if strata is None:
            return None
        if callable(strata):
            stratum = strata(X)
        else:
            try:
                stratum = _safe_indexing(X, [strata], axis=1)
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(
                    f"strata={strata!r} is no column of X, of shape {np.shape(X)}: name one of a "
                    "DataFrame, pass the index of one, or a function of X."
                ) from error
        stratum = column_or_1d(stratum.toarray() if issparse(stratum) else stratum)
        check_consistent_length(stratum, X)
        if pd.isna(stratum).any():
            raise ValueError(
                f"{pd.isna(stratum).sum()} of {len(stratum)} rows have no stratum (NaN or None): "
                "give them one of their own."
            )
        return stratum

    def _is_prefit(self) -> bool:
        return self.calibration == "prefit" or super()._is_prefit()

    def _splits(
        self,
        X: Any,
        y: NDArray,
        labels: NDArray,
        stratum: NDArray | None,
        groups: NDArray | None,
        rng: np.random.RandomState,
    ) -> Sequence[Split]:
        """Return the rows to fit on with those to hold out: one pair, or one a fold."""
        if self._is_prefit():
            check_is_fitted(self.estimator)
            return [(None, np.arange(_num_samples(X)))]
        if self.calibration == "out_of_fold":
            cv = 5 if self.cv is None else self.cv
            if groups is not None and isinstance(cv, Integral):
                cv = StratifiedGroupKFold(cv)
            cv = check_cv(cv, y, classifier=True)
            splits = [row_indices(split) for split in cv.split(X, y, groups)]
            if len(splits) < 2:
                raise ValueError(
                    f"calibration='out_of_fold' pools folds, and cv={self.cv!r} yields "
                    f"{len(splits)}: pass more, or calibration='holdout'."
                )
        elif self.cv is not None:
            splits = [last_split(check_cv(self.cv, y, classifier=True), X, y, groups)]
        else:
            code = np.unique(y, return_inverse=True)[1]
            if stratum is not None:
                code = code + (code.max() + 1) * np.unique(stratum, return_inverse=True)[1]
            splits = [holdout_split(code, self.calibration_size, groups=groups, rng=rng)]
        for fit_rows, held_out_rows in splits:
            check_split(fit_rows, held_out_rows, y, labels, groups)
            if self.on_duplicates == "raise":
                check_no_shared_positives(X, np.isin(y, labels), fit_rows, held_out_rows)
        return splits

    def _terms(self, evidence: Evidence) -> _PromiseTerms:
        return _PromiseTerms(
            target_recall=self.target_recall,
            confidence=self.confidence,
            n_promises=self.n_comparisons * len(evidence.strata) * len(evidence.labels),
            next_batch=self.next_batch,
            group_promise=None if evidence.groups is None else self.group_promise,
            on_insufficient=self.on_insufficient,
            held_out_share=evidence.held_out_share,
        )

    def _refuse_too_few_positives(self, evidence: Evidence) -> None:
        """Raise before the estimator is fitted, which may take hours."""
        terms = self._terms(evidence)
        for (j, label), stratum in product(enumerate(evidence.labels), evidence.strata):
            positive, _ = evidence.units(j, stratum, terms.group_promise)
            terms.rank(int(positive.sum()), pos_label=label, stratum=stratum)

    def _refit_decision(self) -> None:
        evidence, terms = self._evidence, self._terms(self._evidence)
        promises, curves = [], []
        for (j, label), stratum in product(enumerate(evidence.labels), evidence.strata):
            promise, curve = make_promise(
                *evidence.units(j, stratum, terms.group_promise),
                terms,
                pos_label=label,
                stratum=stratum,
                is_empirical=evidence.is_empirical,
            )
            precision, alerts = evidence.price(j, stratum, promise.threshold)
            promises.append(replace(promise, precision=precision, alerts_per_1000=alerts))
            curves.append(curve)
        shape = len(evidence.labels), len(evidence.strata)
        self._flag_thresholds = np.reshape([p.threshold for p in promises], shape).T
        self.label_thresholds_, self._n_taken = self._flag_thresholds, np.zeros(shape[::-1], int)
        if len(evidence.labels) > 1:
            self.label_thresholds_, self._n_taken = label_thresholds(
                evidence, promises, terms.group_promise
            )
        self.promises_ = promises
        self.operating_curve_ = curves[0] if len(curves) == 1 else curves
        self.threshold_ = _one_or_array([p.threshold for p in promises])
        self.recall_lower_bound_ = _one_or_array([p.lower_bound for p in promises])
        self.n_calibration_positives_ = _one_or_array([p.n_positives for p in promises])

    def predict_flags(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Flag samples, once for each class promised.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        flags : ndarray of shape (n_samples, n_labels), dtype bool
            Columns in the order of `pos_label_`. A sample can carry several flags; each column
            keeps its class's promise.

        Raises
        ------
        ValueError
            If a row's stratum was not in the rows that `fit` got.
        """
        self._check_decision()
        y_score = class_scores(self.estimator_, X, self._evidence.labels, self._read_scores)
        return y_score >= self._flag_thresholds[self._stratum_index(X)]

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict one class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            A flagged sample gets the class it is flagged for, the first one of `pos_label_` if
            there are several; any other sample the best-scored class that is not promised, or of
            all classes if all are.

        Raises
        ------
        ValueError
            If a later class cannot keep its promise after what earlier ones take, or a row's
            stratum was not in the rows that `fit` got.
        """
        self._check_decision()
        refuse_overlap(self.label_thresholds_, self._n_taken, self.promises_)
        y_score = class_scores(self.estimator_, X, self.classes_, self._read_scores)
        classes = self.classes_.tolist()
        promised = np.array([classes.index(label) for label in self._evidence.labels.tolist()])
        flags = y_score[:, promised] >= self.label_thresholds_[self._stratum_index(X)]
        rest = np.setdiff1d(np.arange(len(classes)), promised)
        rest = rest if len(rest) else promised
        unflagged = rest[np.argmax(y_score[:, rest], axis=1)]
        flagged = promised[np.argmax(flags, axis=1)]
        return self.classes_[np.where(flags.any(axis=1), flagged, unflagged)]

    def _stratum_index(self, X: Any) -> NDArray[np.int64]:
        stratum = self._stratum_of(X, self._read_strata)
        if stratum is None:
            return np.zeros(_num_samples(X), dtype=np.int64)
        new = np.setdiff1d(stratum, self.strata_)
        if len(new):
            raise ValueError(
                f"Strata {new[:5].tolist()} were not in the rows that fit got, which hold "
                f"{self.strata_[:10].tolist()}: nothing is promised there. Predict the other rows "
                "apart."
            )
        return np.searchsorted(self.strata_, stratum)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.pos_label is not None
        return tags
