"""Decide on the scores of several labels: thresholds per label, rules per sample, and promises."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import BaseCrossValidator, GroupKFold, check_cv
from sklearn.utils import Bunch, check_random_state, column_or_1d, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from skrecall.metrics._objectives import OBJECTIVES
from skrecall.model_selection import MultilabelStratifiedKFold
from skrecall.utils._checks import check_weights
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed
from skrecall.utils._indicator import UNKNOWN
from skrecall.utils._multilabel_target import BaseMultilabelClassifier
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _num_samples,
    _routing_enabled,
)

from ._calibration import (
    RESPONSE_METHODS,
    Split,
    check_has_scores,
    check_no_shared_positives,
    check_split,
    holdout_split,
    last_split,
    row_indices,
)
from ._gfm import independent_f_maximizer
from ._label_evidence import LabelEvidence, fit_and_score_labels, last_step, named
from ._label_optimum import label_optima, label_value, micro_f_thresholds
from ._label_promises import promise_of_micro_recall, promises_of_labels
from ._label_rules import cardinality_threshold, mcut, pcut, rcut
from ._optimum import check_objective
from ._samples_f import samples_f_thresholds


class MultilabelThresholdClassifier(DecisionMixin, MetaEstimatorMixin, BaseMultilabelClassifier):
    """Multi-label classifier that decides on the scores of another one.

    By one threshold per label, at the exact optimum of an objective on scores of rows that the
    estimator did not see; by a rule for each sample; or by thresholds that keep a recall on unseen
    data with a stated confidence: of each label, of all labels together, or micro-averaged.

    **Wrap everything in it**: scaling, resampling, search. A sampler before it voids a promise.

    Parameters
    ----------
    estimator : estimator
        A multi-label classifier with `predict_proba` or `decision_function`: one of ours, or of
        scikit-learn's, that answers with a list, an array or one column per label. A
        `FrozenEstimator` is not fitted again, whatever `calibration` says.
    objective : str or callable, default="f1"
        What rule "optimum" maximises, as in :class:`OptimalThresholdClassifier`.
    objective_params : dict, default=None
        Keyword arguments of the objective, such as ``{"beta": 2}`` of "f_beta".
    constraint : tuple of (str, float), default=None
        What every label keeps meanwhile, such as ``("precision", 0.5)``; empirical, no promise.
    average : {"macro", "micro", "samples"}, default="macro"
        What of the objective is maximised. "macro": its mean over labels, exactly, as every label
        has an optimum of its own. "micro": F of all labels' counts together, exactly; see
        :func:`micro_f_thresholds`. "samples": the mean of F over samples, exact in each label given
        the others; see :func:`samples_f_thresholds`. The last two take "f1" and "f_beta" only.
    rule : {"optimum", "rcut", "pcut", "mcut", "cardinality", "gfm"}, default="optimum"
        "rcut": the `n_labels_per_sample` best labels of each sample; "pcut": of each label the
        share of the samples that it has in training, of the samples that `predict` gets together;
        "mcut": cut each sample's scores in their widest gap; "cardinality": one threshold for all
        labels, that leads to as many labels per sample as in training; "gfm": for each sample the
        label set of greatest expected F under `predict_proba`, labels being independent given the
        sample. All but "pcut" and "optimum" compare the scores of different labels.
    n_labels_per_sample : int, default=None
        Of "rcut"; None means the mean number in training, rounded, and at least 1.
    floor : float, "auto" or None, default="auto"
        With "macro": a label whose objective stays below gets its highest held-out score as
        threshold, or is never predicted where several rows share that score, as then it tells
        them not apart; a warning names it. The best F of a label that the scores do not find is
        reached by flagging nearly all rows [1]_ [2]_ [3]_. "auto": 0.1 for "f1" and "f_beta", none
        for other objectives.
    shrinkage : float, default=0.0
        With "macro": positives' worth of belief in the labels' common threshold. The threshold t of
        a label with n positives becomes ``(n * t + shrinkage * t0) / (n + shrinkage)``, t0 being
        the mean of all finite t, weighted by n. It takes scores that mean the same for all labels.
    target_recall : float in (0, 1), default=None
        Recall to keep on unseen data. In place of the objective, the threshold is then the one of
        best precision among those that keep it. None promises nothing.
    confidence : float in (0, 1), default=0.9
        Probability, over draws of the held-out rows, of keeping it.
    promise : {"joint", "each", "micro"}, default="joint"
        What is kept with that probability. "each": the recall of any one label; of several labels
        some will then miss it. "joint": that of all labels promised, at once; see Notes. "micro":
        the share of all positive (sample, label) pairs that is found, by one threshold for all
        labels; a sample is one observation, whatever the number of its labels.
    on_insufficient : {"raise", "best", "optimum", "flag_all"}, default="raise"
        What labels get that have too few positives for the promise, or no threshold that meets the
        constraint; they are named in the error or the warning, as are labels without a positive in
        any row given to `fit`, which are then never predicted, whatever is asked for. "best": the
        best recall that their positives can promise, for which each takes an equal part of the
        chance of a miss in a joint promise, so that labels just short of positives may be promised
        less than with "optimum", and the others get lower thresholds; "optimum": the optimum of the
        objective, under `floor`, without promise or constraint; "flag_all": always predicted.
    on_duplicates : {"raise", "ignore"}, default="raise"
        What identical rows on both sides of the split lead to, where a recall is promised.
    calibration : {"auto", "out_of_fold", "holdout", "prefit"}, default="auto"
        "out_of_fold" pools the scores of cross-validation and fits on all rows: *empirical, not
        promised*, because the scores are those of other models. "holdout" fits on one part, decides
        on the other, and never refits. "prefit" takes a fitted estimator and uses all rows given,
        none of which it may have seen. "auto" is "holdout" with `target_recall`, else
        "out_of_fold".
    calibration_size : float in (0, 1), default=0.5
        Share of the rows, or groups, that "holdout" holds out. Every row has the same chance of it;
        rows with the same rarest label are split in this proportion.
    cv : int, splitter or iterable, default=None
        For "out_of_fold", the folds: a number, None being 5, of
        :class:`~skrecall.model_selection.MultilabelStratifiedKFold`. For "holdout", a splitter in
        place of `calibration_size`, whose last split counts. A promise takes one that gives every
        row the same chance; iterative stratification does not where the sides are unequal.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    n_jobs : int, default=None
        Number of folds to fit at once.
    random_state : int, RandomState instance or None, default=None
        Seeds the split, the order of the bets of "micro", and what `estimator` leaves unseeded.

    Attributes
    ----------
    estimator_ : estimator or None
        The fitted estimator; None if all labels are constant.
    thresholds_ : ndarray of shape (n_labels,) or None
        Predict a label where its score is at least this; NaN for a constant label. None with the
        rules "rcut", "pcut", "mcut" and "gfm".
    best_score_ : float
        What "optimum" reached on the rows it was chosen on, under `floor` and `shrinkage`; NaN with
        other rules and promises.
    promises_ : list of RecallPromise
        One per label promised, or one of micro recall; empty without `target_recall`.
    label_table_ : DataFrame
        One row per label, but for those that are 1 in all rows: held-out positives, threshold,
        whether its recall is promised, the recall promised, and precision, recall and alerts on the
        held-out rows. A label that is 0 in all rows has no threshold and no promise.
    calibration_rows_ : ndarray of shape (n_held_out,)
        Indices of the held-out rows.
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
    optimal_label_thresholds : The thresholds of given scores.
    OptimalThresholdClassifier : One label, or several classes.
    RecallThresholdClassifier : One label, with groups, strata and promises of the next batch.

    Notes
    -----
    A promise assumes that held-out and future rows are exchangeable; it refuses `groups`. In the
    joint promise label j is flagged from its k_j-th lowest held-out positive score up. The ranks
    k_j depend on numbers of positives alone: each is at least that of confidence shared out
    equally, and what rounding leaves of the confidence is spent where a rank costs least. A label
    without positives among the held-out rows is not predicted, one without negatives always is;
    a warning names them.

    All parameters from `objective` to `on_insufficient` act after `fit`: `refit_decision` applies
    new values to the stored scores. Where these come from is settled by `fit`: with "auto" they are
    out-of-fold, and carry no promise, if `target_recall` was None. Trying several targets and
    keeping one is not covered by the confidence. `sample_weight` goes to the inner fit, and counts
    in the averages "macro" and "micro", but in no promise.

    Where `y` holds unknown labels (NaN or -1) and the estimator takes them, or is fitted already,
    they are left out label by label.

    References
    ----------
    .. [1] Y. Yang, "A study of thresholding strategies for text categorization", SIGIR, 2001.
    .. [2] R.-E. Fan, C.-J. Lin, "A study on threshold selection for multi-label classification",
       National Taiwan University, 2007.
    .. [3] Z. C. Lipton, C. Elkan, B. Narayanaswamy, "Optimal thresholding of classifiers to
       maximize F1 measure", ECML PKDD, 2014.
    .. [4] W. Waegeman, K. Dembczynski, A. Jachnik, W. Cheng, E. Huellermeier, "On the
       Bayes-optimality of F-measure maximizers", JMLR 15, 2014.
    .. [5] I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
       Journal of the Royal Statistical Society B 86(1), 2024.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.multioutput import MultiOutputClassifier
    >>> from skrecall.threshold import MultilabelThresholdClassifier
    >>> X, Y = make_multilabel_classification(2000, n_classes=4, random_state=0)
    >>> model = MultiOutputClassifier(LogisticRegression(max_iter=1000))
    >>> clf = MultilabelThresholdClassifier(model, target_recall=0.9, random_state=0).fit(X, Y)
    >>> clf.label_table_.promised.tolist()
    [True, True, True, True]
    """

    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "predict_proba"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "objective": [StrOptions(set(OBJECTIVES)), callable],
        "objective_params": [dict, None],
        "constraint": [tuple, None],
        "average": [StrOptions({"macro", "micro", "samples"})],
        "rule": [StrOptions({"optimum", "rcut", "pcut", "mcut", "cardinality", "gfm"})],
        "n_labels_per_sample": [Interval(Integral, 0, None, closed="left"), None],
        "floor": [Real, StrOptions({"auto"}), None],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "target_recall": [Interval(Real, 0, 1, closed="neither"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "promise": [StrOptions({"joint", "each", "micro"})],
        "on_insufficient": [StrOptions({"raise", "best", "optimum", "flag_all"})],
        "on_duplicates": [StrOptions({"raise", "ignore"})],
        "calibration": [StrOptions({"auto", "out_of_fold", "holdout", "prefit"})],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "response_method": [StrOptions(set(RESPONSE_METHODS))],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    _decision_params = (
        "objective",
        "objective_params",
        "constraint",
        "average",
        "rule",
        "n_labels_per_sample",
        "floor",
        "shrinkage",
        "target_recall",
        "confidence",
        "promise",
        "on_insufficient",
    )

    def __init__(
        self,
        estimator: BaseEstimator,
        objective: str | Callable[..., NDArray] = "f1",
        *,
        objective_params: dict[str, Any] | None = None,
        constraint: tuple[str, float] | None = None,
        average: Literal["macro", "micro", "samples"] = "macro",
        rule: Literal["optimum", "rcut", "pcut", "mcut", "cardinality", "gfm"] = "optimum",
        n_labels_per_sample: int | None = None,
        floor: float | Literal["auto"] | None = "auto",
        shrinkage: float = 0.0,
        target_recall: float | None = None,
        confidence: float = 0.9,
        promise: Literal["joint", "each", "micro"] = "joint",
        on_insufficient: Literal["raise", "best", "optimum", "flag_all"] = "raise",
        on_duplicates: Literal["raise", "ignore"] = "raise",
        calibration: Literal["auto", "out_of_fold", "holdout", "prefit"] = "auto",
        calibration_size: float = 0.5,
        cv: int | BaseCrossValidator | Iterable | None = None,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.objective = objective
        self.objective_params = objective_params
        self.constraint = constraint
        self.average = average
        self.rule = rule
        self.n_labels_per_sample = n_labels_per_sample
        self.floor = floor
        self.shrinkage = shrinkage
        self.target_recall = target_recall
        self.confidence = confidence
        self.promise = promise
        self.on_insufficient = on_insufficient
        self.on_duplicates = on_duplicates
        self.calibration = calibration
        self.calibration_size = calibration_size
        self.cv = cv
        self.response_method = response_method
        self.n_jobs = n_jobs
        self.random_state = random_state

    @property
    def _accept_unknown(self) -> bool:  # type: ignore[override]
        return self._is_prefit() or getattr(last_step(self.estimator), "_accept_unknown", False)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the estimator, and choose the decisions on scores of rows that it did not see.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group stay on one side of a split.
        **params : dict
            Parameters of the inner `fit`, such as `sample_weight`.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If parameters do not go together, or labels have too few positives for a promise.

        Warns
        -----
        UserWarning
            If the best threshold of a label flags all held-out rows, and where labels get less than
            was asked for.
        """
        check_has_scores(self.estimator, self.response_method)
        self._check_terms()
        X, Y = self._check_fit(X, y)
        groups = None if groups is None else column_or_1d(groups)
        params = self._route(params, groups)
        rng = check_random_state(self.random_state)
        splits = self._splits(X, Y, groups, rng)
        rows = np.concatenate([held_out for _, held_out in splits])
        weight = params.get("sample_weight")
        if weight is not None:  # one weight per label of each sample is the estimator's alone
            weight = check_weights(weight, np.empty(len(Y))) if np.ndim(weight) == 1 else None
        self._fitted, y_score = fit_and_score_labels(
            self.estimator
            if self._is_prefit()
            else clone_with_seed(self.estimator, None if self.random_state is None else rng),
            X,
            self._with_constant_labels(Y),
            splits,
            response_method=self.response_method,
            fit_params=params,
            n_jobs=self.n_jobs,
        )
        self.estimator_ = self._fitted.estimator
        self.calibration_rows_ = rows
        self._read_scores = self.response_method
        self._evidence = LabelEvidence(
            Y=Y[rows],
            y_score=self._of_varying(y_score),
            names=self._all_names[self._varying],
            weight=None if weight is None else weight[rows],
            is_empirical=len(splits) > 1,
            has_groups=groups is not None,
            held_out_share=len(rows) / max(len(Y), 1),
            seed=rng.randint(MAX_SEED),
        )
        return self._decide()

    @property
    def _all_names(self) -> NDArray:
        names = self._container.label_names
        return np.arange(len(self.constant_)) if names is None else names

    def _with_constant_labels(self, Y: NDArray[np.int8]) -> NDArray[np.int8]:
        if Y.shape[1] == len(self.constant_):
            return Y
        full = np.tile(np.nan_to_num(self.constant_).astype(np.int8), (len(Y), 1))
        full[:, self._varying] = Y
        return full

    def _of_varying(self, scores: NDArray) -> NDArray:
        varying = self._varying
        return scores if len(varying) == scores.shape[1] else scores[:, varying]

    def _is_prefit(self) -> bool:
        return self.calibration == "prefit" or isinstance(self.estimator, FrozenEstimator)

    def _splits(
        self,
        X: Any,
        Y: NDArray[np.int8],
        groups: NDArray | None,
        rng: np.random.RandomState,
    ) -> Sequence[Split]:
        """Return the rows to fit on with those to hold out: one pair, or one a fold."""
        self._duplicates, promises = "", self.target_recall is not None
        if self._is_prefit():
            check_is_fitted(self.estimator)
            return [(None, np.arange(_num_samples(X)))]
        if Y.shape[1] == 0:
            return [(np.arange(len(Y)), np.arange(0))]
        positive = (Y == 1).astype(np.int8)
        calibration = self.calibration
        if calibration == "auto":
            calibration = "out_of_fold" if self.target_recall is None else "holdout"
        if calibration == "holdout":
            splits = [self._holdout(X, positive, groups, rng)]
        else:
            cv = 5 if self.cv is None else self.cv
            if isinstance(cv, Integral):
                cv = MultilabelStratifiedKFold(int(cv)) if groups is None else GroupKFold(int(cv))
            with warnings.catch_warnings():  # scores are pooled: not every fold needs every label
                warnings.filterwarnings(
                    "ignore", message=".* labels have fewer positives than n_sp"
                )
                splits = [row_indices(split) for split in check_cv(cv).split(X, positive, groups)]
            if len(splits) < 2:
                raise ValueError(
                    f"calibration='out_of_fold' pools folds, and cv yields {len(splits)}: pass "
                    "more, or calibration='holdout'."
                )
        for fit_rows, held_out_rows in splits:
            check_split(fit_rows, held_out_rows, Y[:, 0], np.arange(0), groups)
            if self.on_duplicates == "raise" and (calibration == "holdout" or promises):
                try:
                    check_no_shared_positives(
                        X, positive.any(axis=1), fit_rows, held_out_rows, takes_groups=False
                    )
                except ValueError as error:
                    if promises:
                        raise
                    self._duplicates = str(error)  # refused if a later decision is to promise
        return splits

    def _holdout(
        self, X: Any, positive: NDArray[np.int8], groups: NDArray | None, rng: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if self.cv is not None:
            return last_split(check_cv(self.cv), X, positive, groups)
        # an iterative stratification would send rows of rare labels to the larger side
        rarest_first = np.argsort(positive.sum(axis=0), kind="stable")
        rarest = np.argmax(positive[:, rarest_first], axis=1) + positive.any(axis=1)
        code = rng.permutation(positive.shape[1] + 1)[rarest]
        return holdout_split(code, self.calibration_size, groups=groups, rng=rng)

    def _check_terms(self) -> None:
        """Refuse parameters that do not go together."""
        check_objective(self.objective, self.constraint)
        is_f = isinstance(self.objective, str) and self.objective in ("f1", "f_beta")
        if self.rule == "gfm" or (self.rule == "optimum" and self.average != "macro"):
            asked = "rule='gfm'" if self.rule == "gfm" else f"average={self.average!r}"
            if not is_f:
                raise ValueError(
                    f"{asked} maximises F, and objective={self.objective!r}: take 'f1' or 'f_beta'."
                    " The optima of accuracy and cost over all labels together are those of "
                    "average='macro'."
                )
            unknown = set(self.objective_params or {}) - {"beta"}
            if unknown:
                raise ValueError(
                    f"{asked} takes beta in objective_params, and got {sorted(unknown)}."
                )
            if self.constraint is not None:
                raise ValueError(
                    f"constraint={self.constraint!r} is kept label by label, and {asked} decides "
                    "on all labels together: pass average='macro', or constraint=None."
                )
        if self.target_recall is not None and self.rule != "optimum":
            raise ValueError(
                f"target_recall={self.target_recall} is kept by thresholds, and rule={self.rule!r} "
                "decides in another way: pass rule='optimum', or target_recall=None."
            )
        is_micro = self.target_recall is not None and self.promise == "micro"
        if is_micro and self.on_insufficient == "best":
            raise ValueError(
                "on_insufficient='best' promises what a number of positives can carry, and what "
                "promise='micro' can carry depends on the scores: pass another of the two."
            )

    def _refit_decision(self) -> None:
        self._check_terms()
        evidence = self._evidence
        self._check_none_without_positives()
        self.promises_: list = []
        self.best_score_ = np.nan
        own: NDArray[np.float64] | None = np.full(len(evidence.names), np.nan)
        if len(evidence.names) == 0:
            pass
        elif self.target_recall is not None:
            own = self._keep_recall(self.target_recall)
        elif self.rule == "optimum":
            own = self._optimal_thresholds()
        elif self.rule == "cardinality":
            own = np.full(
                len(evidence.names),
                cardinality_threshold(evidence.y_score, evidence.prevalence.sum()),
            )
        else:
            own = None
            if self.rule == "gfm" and not self._has_probabilities():
                raise ValueError(
                    "rule='gfm' needs probabilities: use an estimator that has predict_proba, with "
                    "response_method='auto'."
                )
        self._own_thresholds = own
        self.thresholds_ = None
        if own is not None:
            self.thresholds_ = np.full(len(self.constant_), np.nan)
            self.thresholds_[self._varying] = own
        self.label_table_ = self._table(own)

    def _check_none_without_positives(self) -> None:
        """Refuse to keep silent about labels of which no recall can be promised."""
        without = np.flatnonzero(self.constant_ == 0)
        if self.target_recall is None or self.promise == "micro" or len(without) == 0:
            return
        message = (
            f"Labels {named(self._all_names[without])} have no positive in the rows given to fit, "
            "so that no recall of them can be promised"
        )
        if self.on_insufficient == "raise":
            raise ValueError(
                f"{message}. Add positives, leave these labels out, or let on_insufficient say "
                "what labels with too few get; these are then never predicted."
            )
        warnings.warn(
            f"{message}: they are never predicted, whatever on_insufficient says.",
            stacklevel=_STACKLEVEL,
        )

    def _has_probabilities(self) -> bool:
        return self._read_scores != "decision_function" and hasattr(
            self.estimator_, "predict_proba"
        )

    @property
    def _beta(self) -> float:
        return (self.objective_params or {}).get("beta", 1.0)

    def _optimal_thresholds(self) -> NDArray[np.float64]:
        evidence = self._evidence
        if self.average == "micro":
            thresholds, self.best_score_ = micro_f_thresholds(
                evidence.Y, evidence.y_score, beta=self._beta, sample_weight=evidence.weight
            )
            return thresholds
        if self.average == "samples":
            thresholds, self.best_score_ = samples_f_thresholds(
                evidence.Y, evidence.y_score, beta=self._beta
            )
            return thresholds
        best = self._label_optima(self.constraint)
        thresholds, values = best.thresholds, best.values
        failing = np.isnan(thresholds)
        if failing.any():
            message = (
                f"No threshold meets constraint={self.constraint} for {failing.sum()} of "
                f"{len(failing)} labels, {named(evidence.names[failing])}"
            )
            if self.on_insufficient == "raise":
                raise ValueError(
                    f"{message}: loosen it, improve their scores, or let on_insufficient say what "
                    "they get."
                )
            warnings.warn(f"{message}: they are {self._given_instead()}.", stacklevel=_STACKLEVEL)
            thresholds = np.where(failing, self._fallback(), thresholds)
        poor = values < (-np.inf if self._floor is None else self._floor)
        if poor.any():
            warnings.warn(
                f"Labels {named(evidence.names[poor])} reach less than floor={self._floor} "
                f"at their best threshold on the {len(evidence.Y)} held-out rows, and get their "
                "highest score as threshold, or none where rows share it: they are hardly ever "
                "predicted. Add positives or a model that finds them, or set floor=None to take "
                "the best threshold all the same.",
                stacklevel=_STACKLEVEL,
            )
        one_value = np.isnan(values) & ~failing
        if one_value.any():
            warnings.warn(
                f"Labels {named(evidence.names[one_value])} have one value each in the "
                f"{len(evidence.Y)} held-out rows, which decide nothing about them: they are "
                "predicted as that value.",
                stacklevel=_STACKLEVEL,
            )
        thresholds = self._shrunk(thresholds)
        for k in np.flatnonzero(failing | poor | (thresholds != best.thresholds)).tolist():
            values[k] = label_value(
                evidence.Y,
                evidence.y_score,
                k,
                thresholds[k],
                self.objective,
                params=self.objective_params,
                weight=evidence.weight,
            )
        self.best_score_ = float(np.nanmean(values)) if not np.isnan(values).all() else np.nan
        flags_all = self._flags_all(thresholds)
        if flags_all.any():
            warnings.warn(
                f"The best threshold of labels {named(evidence.names[flags_all])} flags all "
                f"of {len(evidence.Y)} held-out rows, so their scores decide nothing. Set floor or "
                "shrinkage, or use a model that ranks better, or another objective.",
                stacklevel=_STACKLEVEL,
            )
        return thresholds

    def _flags_all(self, thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return the labels that a finite threshold flags in all rows, negatives included."""
        Y, y_score = self._evidence.Y, self._evidence.y_score
        lowest = np.min(y_score, axis=0, where=Y != UNKNOWN, initial=np.inf)
        return np.isfinite(thresholds) & (thresholds <= lowest) & (Y == 0).any(axis=0)

    @property
    def _floor(self) -> float | None:
        if self.floor != "auto":
            return self.floor
        return 0.1 if self.objective in ("f1", "f_beta") else None

    def _label_optima(self, constraint: tuple[str, float] | None) -> Any:
        evidence = self._evidence
        return label_optima(
            evidence.Y,
            evidence.y_score,
            self.objective,
            params=self.objective_params,
            constraint=constraint,
            floor=self._floor,
            weight=evidence.weight,
        )

    def _shrunk(self, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return thresholds drawn towards their mean, weighted by numbers of positives."""
        n_positives, finite = self._evidence.n_positives, np.isfinite(thresholds)
        if not finite.any() or self.shrinkage == 0:
            return thresholds
        common = np.average(thresholds[finite], weights=n_positives[finite])
        total = n_positives * thresholds + self.shrinkage * common
        return np.where(finite, total / (n_positives + self.shrinkage), thresholds)

    def _given_instead(self) -> str:
        if self.on_insufficient == "flag_all":
            return "always predicted"
        return "predicted at the optimum of the objective, with no promise and no constraint"

    def _fallback(self) -> NDArray[np.float64]:
        """Return what labels get that cannot get what was asked for."""
        if self.on_insufficient == "flag_all":
            return np.full(len(self._evidence.names), -np.inf)
        return self._label_optima(None).thresholds

    def _keep_recall(self, target_recall: float) -> NDArray[np.float64]:
        evidence = self._evidence
        if evidence.has_groups:
            raise ValueError(
                "A recall promised about several labels takes rows that are exchangeable, and fit "
                "got groups. Put RecallThresholdClassifier, which counts groups, around the "
                "classifier of each label, or pass one row per group."
            )
        if self._duplicates:
            raise ValueError(self._duplicates)
        make = promise_of_micro_recall if self.promise == "micro" else promises_of_labels
        self.promises_, thresholds, message = make(
            evidence,
            target_recall=target_recall,
            confidence=self.confidence,
            is_joint=self.promise == "joint",
            promises_best=self.on_insufficient == "best",
        )
        if message and self.on_insufficient == "raise":
            raise ValueError(
                f"{message} Add positives, hold out a larger share, lower one of the two, or let "
                "on_insufficient say what these labels get."
            )
        if message:
            warnings.warn(
                message
                + (
                    " They are promised the best recall that their positives carry; those without "
                    "positives are not predicted."
                    if self.on_insufficient == "best"
                    else f" They are {self._given_instead()}."
                ),
                stacklevel=_STACKLEVEL,
            )
        flags_all = self._flags_all(thresholds)
        if flags_all.any() and self.promise != "micro":
            warnings.warn(
                f"The thresholds that keep recall >= {target_recall} of labels "
                f"{named(evidence.names[flags_all])} flag all of {len(evidence.Y)} held-out "
                "rows: none scores below the lowest positives. Use a model that ranks better or "
                "has finer scores, or lower the target.",
                stacklevel=_STACKLEVEL,
            )
        lacking = np.isnan(thresholds)
        if lacking.any():
            of_rest = np.inf if self.on_insufficient == "best" else self._fallback()
            thresholds = np.where(lacking, of_rest, thresholds)
        return thresholds

    def _table(self, thresholds: NDArray[np.float64] | None) -> pd.DataFrame:
        evidence = self._evidence
        promised = {promise.pos_label: promise for promise in self.promises_}
        rows = {
            label: {
                "label": self._all_names[label],
                "n_positives": 0,
                "n_known": len(evidence.Y),
                "threshold": np.nan,
                "promised": False,
                "target_recall": np.nan,
            }
            for label in np.flatnonzero(self.constant_ == 0).tolist()
        }
        for k, name in enumerate(evidence.names.tolist()):
            positive, y_score = evidence.known(k)
            promise = promised.get(name)
            row = {
                "label": name,
                "n_positives": int(positive.sum()),
                "n_known": len(positive),
                "threshold": np.nan if thresholds is None else thresholds[k],
                "promised": promise is not None and not promise.is_empirical,
                "target_recall": np.nan if promise is None else promise.target_recall,
            }
            if thresholds is not None:
                flagged = y_score >= thresholds[k]
                row["recall"] = _share(positive & flagged, positive)
                row["precision"] = _share(positive & flagged, flagged)
                row["alerts_per_1000"] = 1000 * _share(flagged, np.ones(len(flagged), dtype=bool))
            rows[int(self._varying[k])] = row
        columns = ["label", "n_positives", "n_known", "threshold", "promised", "target_recall"]
        in_order = [rows[label] for label in sorted(rows)]
        return pd.DataFrame(in_order, columns=None if rows else columns).set_index("label")

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        return self._of_varying(self._fitted.scores(X, "predict_proba"))

    def _label_decision(self, X: Any) -> NDArray[np.float64]:
        return self._of_varying(self._fitted.scores(X, "decision_function"))

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        self._check_decision()
        y_score = self._of_varying(self._fitted.scores(X, self._read_scores))
        if self._own_thresholds is not None:
            return (self._own_thresholds <= y_score).astype(np.int8)
        if self.rule == "rcut":
            k = self.n_labels_per_sample
            return rcut(y_score, max(1, round(self._evidence.prevalence.sum())) if k is None else k)
        if self.rule == "pcut":
            return pcut(y_score, self._evidence.prevalence)
        if self.rule == "mcut":
            return mcut(y_score)
        return independent_f_maximizer(np.clip(y_score, 0, 1), beta=self._beta)[0]

    def _offers(self, name: str) -> bool:
        return super()._offers(name) and hasattr(self.estimator, name)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata goes to the estimator inside.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _route(self, params: dict[str, Any], groups: NDArray | None) -> dict[str, Any]:
        """Return the parameters of the inner `fit`."""
        params = {name: value for name, value in params.items() if value is not None}
        if not _routing_enabled():
            return params
        own = {} if groups is None else {"groups": groups}
        routed: Bunch = process_routing(self, "fit", **params, **own)
        return routed.estimator.fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


_STACKLEVEL = 6  # of a warning of `fit`: where the user called it


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    """Return a ratio of counts; 0 / 0 is NaN."""
    return float(part.sum() / whole.sum()) if whole.any() else np.nan
