"""Two thresholds: promised negatives below, precise alerts above, a person in between."""

from collections.abc import Iterable
from dataclasses import replace
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from skrecall.metrics._operating_curve import OperatingCurve, curve_from_positive
from skrecall.utils._checks import check_labels
from skrecall.utils._fitting import MAX_SEED
from skrecall.utils._sklearn import Interval, StrOptions, _fit_context

from ._base import BaseDecisionClassifier
from ._calibration import RESPONSE_METHODS, class_scores, holdout_split
from ._promise import LAST_DIGITS, plain_label
from ._recall import RecallThresholdClassifier
from ._two_thresholds import certified_thresholds, empirical_index, recall_index

REGIONS = np.array(["negative", "refer", "positive"])


def _refuse_many(classes: NDArray) -> None:
    if len(classes) > 2:
        raise ValueError(
            f"y, or the fitted estimator, holds {len(classes)} classes, {classes[:5].tolist()}: to "
            "clear, flag or refer takes two. Only binary classification is supported. Merge the "
            "others into one class."
        )


def default_reject_label(classes: NDArray) -> Any:
    """Return a label that is none of the classes: "refer", or one less than the smallest number.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.

    Returns
    -------
    label : str or number
        Of the kind of the classes.
    """
    if _is_text(classes):
        return "refer"
    return plain_label(classes[0] - 1) if classes.dtype.kind != "b" else -1


def _is_text(labels: NDArray) -> bool:
    return labels.dtype.kind in "US" or isinstance(labels.flat[0], str)


def labels_with_reject(classes: NDArray, reject_label: Any) -> NDArray:
    """Return the classes and the reject label in one array that holds both unchanged.

    Parameters
    ----------
    classes : ndarray of shape (2,)
        Class labels.
    reject_label : str, number or None
        None takes `default_reject_label`.

    Returns
    -------
    labels : ndarray of shape (3,)
        The classes, then the reject label.

    Raises
    ------
    ValueError
        If the reject label is a class, or is text among numbers or the reverse.
    """
    label = default_reject_label(classes) if reject_label is None else reject_label
    if label in classes.tolist() or _is_text(np.asarray([label])) != _is_text(classes):
        raise ValueError(
            f"reject_label={label!r} must differ from the classes {classes.tolist()} and be text "
            "or a number as they are."
        )
    if classes.dtype.kind == "O":
        return np.array([*classes, label], dtype=object)
    return np.concatenate([classes, [label]])


class RejectOptionClassifier(BaseDecisionClassifier):
    """Classifier that clears, flags, or refers to a person.

    Below `lower_threshold_` a sample is cleared as negative, under a promise: at least
    `target_recall` of all positives are *not* cleared. From `upper_threshold_` up it is flagged as
    positive, with a precision of at least `target_precision`. In between, `predict` returns
    `reject_label_`: a person decides. Where the two aims leave no gap, nothing is referred.

    The promise is that of :class:`RecallThresholdClassifier`, which is fitted inside; **wrap the
    whole Pipeline**, samplers included. It survives a change of prevalence, which the precision
    does not.

    Parameters
    ----------
    estimator : estimator
        Classifier of two classes with `predict_proba` or `decision_function`, usually a whole
        Pipeline or search. A `FrozenEstimator` is not fitted again.
    target_recall : float in (0, 1), default=0.95
        Share of the positives that are flagged or referred, not cleared.
    confidence : float in (0, 1), default=0.9
        Probability, over draws of the held-out rows, of keeping the recall; and of keeping the
        precision, where it is certified. Both hold together with probability at least
        ``2 * confidence - 1``.
    target_precision : float in (0, 1), default=0.9
        Share of the flagged that are positive.
    certify_precision : bool, default=False
        False reaches the precision on the held-out rows: an empirical figure, chosen to be good
        there. True certifies it with `confidence`: half of the held-out rows choose an order of
        thresholds, the other half tests them.
    reject_label : int, float or str, default=None
        What `predict` returns between the thresholds. None: "refer" for text labels, else one less
        than the smallest label.
    pos_label : int, float, bool or str, default=None
        The class to find; None means ``classes_[1]``.
    calibration : {"holdout", "prefit"}, default="holdout"
        "holdout" fits on one part, puts the thresholds on the other, and never refits. "prefit"
        takes a fitted estimator and uses all rows given, none of which it may have seen.
    calibration_size : float in (0, 1), default=0.5
        Share of the rows, or groups, that "holdout" holds out.
    cv : int, splitter or iterable, default=None
        A splitter in place of `calibration_size`: its last split counts.
    on_insufficient : {"raise", "best"}, default="raise"
        With too few positives for the recall, raise, or warn and promise the best they can carry.
    on_duplicates : {"raise", "ignore"}, default="raise"
        What identical positives on both sides of the split lead to.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    random_state : int, RandomState instance or None, default=None
        Seeds the splits and what `estimator` leaves unseeded.

    Attributes
    ----------
    lower_threshold_ : float
        Cleared when the score is below this.
    upper_threshold_ : float
        Flagged when the score is at least this.
    promise_ : RecallPromise
        What is promised of the lower threshold; print it to read it.
    recall_lower_bound_ : float
        Lower confidence bound of the recall at the highest lower threshold that keeps the promise.
    n_calibration_positives_ : int
        Held-out positives, or positive groups.
    precision_ : float
        Share of positives among the flagged held-out rows.
    precision_lower_bound_ : float
        Lower confidence bound of the precision; NaN where it is not certified.
    referred_share_ : float
        Share of the held-out rows between the thresholds.
    operating_curve_ : OperatingCurve
        Of the held-out rows.
    recall_classifier_ : RecallThresholdClassifier
        What makes the promise; its own threshold is another, of the best precision.
    estimator_ : estimator
        The fitted estimator.
    classes_ : ndarray of shape (2,)
        Class labels, without the reject label.
    pos_label_ : object
        The class to find.
    reject_label_ : object
        The label between the thresholds.
    n_features_in_ : int
        Number of features seen by the estimator inside.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where it saw some.

    See Also
    --------
    RecallThresholdClassifier : One threshold, and nobody to refer to.

    Notes
    -----
    `score` counts a referred sample as an error. `sample_weight` goes to the estimator inside; both
    aims count rows.

    References
    ----------
    .. [1] C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on
       Information Theory 16(1), 1970.
    .. [2] C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26(4), 1934.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.threshold import RejectOptionClassifier
    >>> X, y = make_classification(4000, weights=[0.9], flip_y=0, random_state=0)
    >>> clf = RejectOptionClassifier(LogisticRegression(), random_state=0).fit(X, y)
    >>> print(*clf.predict_region(X[:5]))
    refer negative refer negative negative
    >>> print(f"{clf.referred_share_:.3f} referred, {clf.precision_:.3f} of alerts are right")
    0.379 referred, 0.909 of alerts are right
    """

    _decision_params = (
        "target_recall",
        "confidence",
        "target_precision",
        "certify_precision",
        "on_insufficient",
    )

    _parameter_constraints: dict = {
        "estimator": RecallThresholdClassifier._parameter_constraints["estimator"],
        "target_recall": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "target_precision": [Interval(Real, 0, 1, closed="neither")],
        "certify_precision": ["boolean"],
        "reject_label": [Real, str, None],
        "pos_label": [Real, str, "boolean", None],
        "calibration": [StrOptions({"holdout", "prefit"})],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "on_insufficient": [StrOptions({"raise", "best"})],
        "on_duplicates": [StrOptions({"raise", "ignore"})],
        "response_method": [StrOptions(set(RESPONSE_METHODS))],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        target_recall: float = 0.95,
        confidence: float = 0.9,
        target_precision: float = 0.9,
        certify_precision: bool = False,
        reject_label: float | str | None = None,
        pos_label: Any = None,
        calibration: Literal["holdout", "prefit"] = "holdout",
        calibration_size: float = 0.5,
        cv: int | BaseCrossValidator | Iterable | None = None,
        on_insufficient: Literal["raise", "best"] = "raise",
        on_duplicates: Literal["raise", "ignore"] = "raise",
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.target_recall = target_recall
        self.confidence = confidence
        self.target_precision = target_precision
        self.certify_precision = certify_precision
        self.reject_label = reject_label
        self.pos_label = pos_label
        self.calibration = calibration
        self.calibration_size = calibration_size
        self.cv = cv
        self.on_insufficient = on_insufficient
        self.on_duplicates = on_duplicates
        self.response_method = response_method
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the classifier inside and put both thresholds on what it has not seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, in any form that the estimator takes.
        y : array-like of shape (n_samples,)
            Labels of two classes.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group, such as the scans of one patient, stay on one side of the split. The
            recall then counts positive groups with a row that is not cleared; the precision still
            counts rows, and cannot be certified.
        **params : dict
            Handed to the estimator's `fit`, such as `sample_weight`.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If there are too few positives, no threshold reaches the precision, or it cannot be
            certified.
        """
        classes = np.unique(check_labels(y, name="y"))
        _refuse_many(classes)
        labels_with_reject(classes, self.reject_label)
        self._refuse_certified_groups(groups)
        rng = check_random_state(self.random_state)
        recall_classifier = RecallThresholdClassifier(
            self.estimator,
            target_recall=self.target_recall,
            confidence=self.confidence,
            pos_label=self.pos_label,
            calibration=self.calibration,
            calibration_size=self.calibration_size,
            cv=self.cv,
            on_insufficient=self.on_insufficient,
            on_duplicates=self.on_duplicates,
            response_method=self.response_method,
            random_state=None if self.random_state is None else rng,
        ).fit(X, y, groups=groups, **params)
        classes = recall_classifier.classes_
        _refuse_many(classes)  # a fitted estimator may know more than y holds
        self.reject_label_ = labels_with_reject(classes, self.reject_label)[2]
        self.recall_classifier_ = recall_classifier
        self.estimator_ = recall_classifier.estimator_
        self.classes_ = classes
        self.pos_label_ = recall_classifier.pos_label_
        self._test_seed = rng.randint(MAX_SEED)
        evidence = recall_classifier._evidence
        self._positive = evidence.y == self.pos_label_
        self._y_score = evidence.y_score[:, 0]
        return self._decide()

    def _refuse_certified_groups(self, groups: ArrayLike | None) -> None:
        if self.certify_precision and groups is not None:
            raise ValueError(
                "certify_precision counts independent rows, and rows of one group are not: pass "
                "certify_precision=False, or one row per group."
            )

    def _refit_decision(self) -> None:
        recall_classifier = self.recall_classifier_
        self._refuse_certified_groups(recall_classifier._evidence.groups)
        terms = {
            "target_recall": self.target_recall,
            "confidence": self.confidence,
            "on_insufficient": self.on_insufficient,
        }
        decided_with = recall_classifier._decided_with
        if decided_with is None or decided_with | terms != decided_with:
            recall_classifier.set_params(**terms).refit_decision()
        (promise,) = recall_classifier.promises_
        curve = self._curve(slice(None))
        lower = recall_index(curve, promise.highest_threshold)
        if self.certify_precision:
            low, high, bound = self._certified(curve.threshold_below(lower, min_gap=LAST_DIGITS))
        else:
            upper = empirical_index(curve, lower, self.target_precision)
            low = curve.threshold_below(max(lower, upper), min_gap=LAST_DIGITS)
            high, bound = curve.threshold_below(upper), np.nan
        self.lower_threshold_, self.upper_threshold_ = low, high
        self.precision_lower_bound_ = bound
        self.precision_ = float(curve.precision[curve.index_at(high)])
        self.referred_share_ = float(np.mean((self._y_score >= low) & (self._y_score < high)))
        self.promise_ = replace(promise, threshold=low)
        self.recall_lower_bound_ = promise.lower_bound
        self.n_calibration_positives_ = promise.n_positives
        self.operating_curve_ = curve

    def _curve(self, rows: Any) -> OperatingCurve:
        return curve_from_positive(
            self._positive[rows], self._y_score[rows], pos_label=self.pos_label_
        )

    def _certified(self, low: float) -> tuple[float, float, float]:
        """Return both thresholds, and the lower bound of the precision at the upper one."""
        rng = check_random_state(self._test_seed)
        chosen_on, tested_on = holdout_split(
            self._positive.astype(np.int64), 0.5, groups=None, rng=rng
        )
        thresholds, bounds = certified_thresholds(
            self._curve(chosen_on),
            self._curve(tested_on),
            self.target_precision,
            1 - self.confidence,
        )
        k = max(int(np.sum(thresholds >= low)) - 1, 0)
        high = float(thresholds[k])
        return min(low, high), high, float(bounds[k])

    def _region(self, X: ArrayLike) -> NDArray[np.int64]:
        self._check_decision()
        y_score = class_scores(
            self.estimator_, X, [self.pos_label_], self.recall_classifier_._read_scores
        )[:, 0]
        return np.digitize(y_score, [self.lower_threshold_, self.upper_threshold_])

    def predict(self, X: ArrayLike) -> NDArray:
        """Clear, flag, or refer.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels, `reject_label_` among them.
        """
        region = self._region(X)
        labels = labels_with_reject(self.classes_, self.reject_label_)
        negative, positive = (0, 1) if self.pos_label_ == self.classes_[1] else (1, 0)
        return labels[np.array([negative, 2, positive])[region]]

    def predict_region(self, X: ArrayLike) -> NDArray[np.str_]:
        """Say on which side of the two thresholds each sample is.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        region : ndarray of shape (n_samples,)
            "negative" where cleared, "refer", or "positive" where flagged.
        """
        return REGIONS[self._region(X)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
