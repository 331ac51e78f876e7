"""Bootstrapping: train on positives and on those negatives that the last model took for positives.

References
----------
.. [1] K.-K. Sung, T. Poggio, "Example-based learning for view-based human face detection", IEEE
   Transactions on Pattern Analysis and Machine Intelligence 20(1), 1998.
.. [2] P. F. Felzenszwalb, R. B. Girshick, D. McAllester, D. Ramanan, "Object detection with
   discriminatively trained part-based models", IEEE Transactions on Pattern Analysis and Machine
   Intelligence 32(9), 2010, section 4.4.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

from skrecall.utils._checks import check_binary_target
from skrecall.utils._row_metadata import is_per_row, refuse_params_of_scores
from skrecall.utils._rows import concatenate_rows, take_rows
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _check_method_params,
    _estimator_has,
    _fit_context,
    _get_response_values,
    _num_samples,
    _routing_enabled,
    _safe_indexing,
)

from ._negatives import HardestRows, NegativeRows, _NegativeSource, draw_negatives
from ._resampled import BaseResampledEnsemble

Negatives = ArrayLike | Callable[[], Iterable[Any]]

_PER_POSITIVE = 10  # negatives in the set
_LEAST_RECALL = 0.5  # of that of the first round, below which a warning is due
_N_STEPS = 4  # rounds of new negatives after which the room for mined ones is used up


def population_weights(
    n_positives: int, n_chosen: int, n_random: int, n_negatives: int
) -> NDArray[np.float64]:
    """Return weights by which positives and chosen negatives stand for all rows.

    Parameters
    ----------
    n_positives, n_chosen : int
        Number of positives, and of negatives in the set.
    n_random : int
        How many of those in the set are random ones, which stand for all that were not mined.
    n_negatives : int
        Number of all negatives.

    Returns
    -------
    weight : ndarray of shape (n_positives + n_chosen,)
        Of the positives, of the random negatives, of the mined ones: 1 but for the random ones. The
        sum is ``n_positives + n_negatives``.
    """
    n_mined = n_chosen - n_random
    return np.repeat(
        [1.0, (n_negatives - n_mined) / n_random, 1.0], [n_positives, n_random, n_mined]
    )


class HardNegativeMiningClassifier(BaseResampledEnsemble):
    """Train on positives and on the negatives that are taken for them, found round by round.

    The classical bootstrapping of detectors [1]_, for negatives that are far too many to train on.
    The first model sees all positives and a random sample of the negatives. In each round all
    negatives are scored in blocks, and the hardest that are not yet in the set are added; where it
    is full, the easiest of those that were mined leave [2]_. It ends when no other negative is
    hard, or after `max_rounds`.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba` or `decision_function`, torch or not. It is fitted anew in
        each round.
    max_negatives : int, default=None
        Negatives in the set at most, so that memory is bounded; None is ten for each positive.
    max_new : int, default=None
        Hard negatives added in a round at most; None is a quarter of the room for mined ones.
    random_share : float in [0, 1), default=0.5
        Share of `max_negatives` that is a random sample, which stays in the set in all rounds. At 0
        the random negatives of the first round, as many as there are positives, may leave.
    threshold : float, default=None
        A negative is hard where its score is this or greater. None is 0.5 of a probability and 0 of
        a decision function: where it would be a false alarm. For a support vector machine, -1 are
        all negatives inside the margin, as in [2]_.
    max_rounds : int, default=10
        Number of fits at most.
    reweight : bool, default=False
        Fit once more in the end, with random negatives drawn anew from those that were not mined,
        each weighted by how many of these it stands for. The estimator has to take `sample_weight`.
        See Notes.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where scores come from; "auto" takes probabilities where there are some.
    pos_label : int, float, bool or str, default=None
        The label of the positives; None is the second of the two in order.
    block_size : int, default=None
        Rows scored at once; None is as many as hold four million values.
    random_state : int, RandomState instance or None, default=None
        Draws the random negatives, decides between equal scores, and seeds every `random_state` of
        the clones that is None.
    verbose : int, default=0
        Whether to print the time of each fit.

    Attributes
    ----------
    estimator_ : estimator
        The model of the last round, or the reweighted one.
    history_ : DataFrame
        One row per round: ``round`` from 1, ``n_negatives`` in the set, ``n_new_hard``, those that
        are hard and not in the set, ``hardest_score`` of all that are not in the set, NaN if there
        are none, and ``recall``, the share of the positives trained on that score `threshold` or
        more.
    converged_ : bool
        Whether no hard negative was left outside of the set. False if `max_rounds` were not enough,
        or `max_negatives` harder ones fill the set.
    negative_indices_ : ndarray of shape (n_negatives,)
        Negatives of the last fit, random ones first: numbers below ``len(X)`` are rows of `X`;
        ``len(X) + i`` is row i of `negatives`.
    n_random_ : int
        How many of them are the random ones that stay.
    n_scored_ : int
        How many negatives there are, those of `X` and of `negatives`.
    pos_label_ : object
        The label of the positives.
    classes_ : ndarray of shape (2,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`; of images, the number of values.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where all are strings.

    See Also
    --------
    skrecall.resampling.HardNegativeUnderSampler : Chooses once, by scores out of fold.
    BalanceCascadeClassifier : Drops easy negatives from member to member, and lets all vote.
    skrecall.threshold.RecallThresholdClassifier : Chooses a threshold on rows held out.

    Notes
    -----
    Two classes only: put it into `OneVsRestClassifier` or `BinaryRelevance` for more.

    What is known. With a hinge loss, ``threshold=-1`` and room for all hard negatives, the loop
    ends at the model of all rows [2]_. Elsewhere it is a heuristic: the hardest negatives are also
    those that were labelled wrongly, and a set of them alone hides what an ordinary negative is,
    which is why a share stays random. Models that fit their training rows perfectly, such as deep
    trees, find hard negatives outside of the set only, and call all of the set easy.

    On five real sets with 2 to 10 % positives, with gradient boosting and logistic regression, the
    average precision differs from that on all rows by -0.03 to 0.04 with ten negatives for each
    positive; with three by -0.06 to 0.03, against -0.14 to 0.05 after random under-sampling to
    three. Nothing is gained where all rows can be trained on: this is for when they cannot. Unlike
    `HardNegativeUnderSampler`, which takes the hardest at once, it adds nothing but what is a false
    alarm at the time, so that there ``random_share=0`` was hardly worse, -0.05 to 0.02.

    Probabilities are those of the set, in which positives are frequent and negatives hard, and no
    correction of the prior mends them: the negatives of the set are not distributed as negatives
    are. Either choose the threshold on rows that were held out, as `RecallThresholdClassifier`
    around this classifier does, or set `reweight`. Mined negatives then count once, and each of R
    others, drawn from those that were not mined, (N - M) / R times, N being the number of all
    negatives and M of the mined ones. The loss of this last fit is an unbiased estimate of that on
    all rows, and its probabilities are those of the prior of the data.

    Weights of rows of `X` go to the fits; rows of weight zero are left out, and `negatives` have
    weight 1.

    References
    ----------
    .. [1] K.-K. Sung, T. Poggio, "Example-based learning for view-based human face detection", IEEE
       Transactions on Pattern Analysis and Machine Intelligence 20(1), 1998.
    .. [2] P. F. Felzenszwalb, R. B. Girshick, D. McAllester, D. Ramanan, "Object detection with
       discriminatively trained part-based models", IEEE Transactions on Pattern Analysis and
       Machine Intelligence 32(9), 2010, section 4.4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.ensemble import HardNegativeMiningClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = np.append(rng.normal(2, 1, size=(30, 4)), rng.normal(size=(30, 4)), axis=0)
    >>> y = np.repeat([1, 0], 30)
    >>> def negatives():  # read from a disk, as a rule
    ...     rng = np.random.default_rng(1)
    ...     for _ in range(20):
    ...         yield rng.normal(size=(1000, 4))
    >>> model = HardNegativeMiningClassifier(LogisticRegression(), random_state=0)
    >>> model = model.fit(X, y, negatives=negatives)
    >>> len(model.negative_indices_), model.n_scored_
    (188, 20030)

    A threshold that keeps a recall is chosen on rows of `X` that no round has seen:

    >>> from skrecall.threshold import RecallThresholdClassifier
    >>> keeper = RecallThresholdClassifier(model, target_recall=0.8, confidence=0.9, random_state=0)
    >>> keeper = keeper.fit(X, y, negatives=negatives)
    >>> keeper.estimator_.n_scored_ > 20000
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "max_negatives": [Interval(Integral, 1, None, closed="left"), None],
        "max_new": [Interval(Integral, 1, None, closed="left"), None],
        "random_share": [Interval(Real, 0, 1, closed="left")],
        "threshold": [Interval(Real, None, None, closed="neither"), None],
        "max_rounds": [Interval(Integral, 1, None, closed="left")],
        "reweight": ["boolean"],
        "response_method": [StrOptions({"auto", "predict_proba", "decision_function"})],
        "pos_label": [Real, str, "boolean", None],
        "block_size": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    # The weights are for the estimator inside, which is asked for them.
    __metadata_request__fit = {"sample_weight": UNUSED}

    estimator_: BaseEstimator

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        max_negatives: int | None = None,
        max_new: int | None = None,
        random_share: float = 0.5,
        threshold: float | None = None,
        max_rounds: int = 10,
        reweight: bool = False,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        pos_label: Any = None,
        block_size: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.max_negatives = max_negatives
        self.max_new = max_new
        self.random_share = random_share
        self.threshold = threshold
        self.max_rounds = max_rounds
        self.reweight = reweight
        self.response_method = response_method
        self.pos_label = pos_label
        self.block_size = block_size
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _sets_own_prior(self) -> bool:
        return not self.reweight

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        negatives: Negatives | None = None,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit the estimator in rounds.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them: all positives, and some negatives, or none if
            there are further `negatives` and positives have the label 1 or True.
        y : array-like of shape (n_samples,)
            Labels of two classes; of 1 or True alone, that of negatives is 0 or False.
        negatives : array-like of shape (n_negatives, ...) or callable, default=None
            Further negatives, in the container of `X`: an array, which may be a memmap, or a
            callable that is called without arguments for every pass, and returns an iterable of
            blocks of rows, the same rows in the same order every time. Of each pass, the number of
            rows and the first row are compared with those of the pass before. Pass a callable
            where another estimator hands them on: an array of as many rows as `X` is split like it.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows of `X`, for the inner `fit`.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If `y` does not hold two classes, the estimator has no scores or gives some that are
            not finite, scores need a parameter of `fit` too, or `negatives` are no rows like those
            of `X`, or not as many or begin with another row in a later pass.

        Warns
        -----
        UserWarning
            If the recall of the positives trained on, where the model decides, falls below half of
            what it was in the first round.
        """
        X, y, _, rows_of_class = self._check_fit(
            X, y, sample_weight, may_lack=negatives is not None
        )
        if len(self.classes_) == 1:
            self.classes_ = self._with_negative_label()
            rows_of_class = [np.empty(0, dtype=np.intp), *rows_of_class]
        self.pos_label_ = self._positive_label()
        self._check_parameters(negatives)
        params = self._route_params(params, sample_weight)
        self._check_params(X, params, negatives)
        rng = check_random_state(self.random_state)
        k_pos = int(self.classes_[1] == self.pos_label_)
        positives = rows_of_class[k_pos]
        if len(positives) == 0:
            raise ValueError(
                f"No row of {self.pos_label_!r} has a positive sample_weight: there are no "
                "positives to tell negatives from."
            )
        X_pos = take_rows(X, positives)
        source = _NegativeSource(self, X, rows_of_class[1 - k_pos], negatives, self.block_size)
        max_negatives = self.max_negatives or _PER_POSITIVE * len(positives)
        chosen = self._first_negatives(source, len(positives), max_negatives, rng)
        room = max_negatives - chosen.n_random
        max_new = self.max_new or max(1, math.ceil(room / _N_STEPS))

        def fit(negatives: NegativeRows, message: str, stands_for: Any = None) -> BaseEstimator:
            ids = np.append(positives, negatives.ids)
            is_pos = np.arange(len(ids)) < len(positives)
            fit_params = self._params_of(X, ids, params)
            if stands_for is not None:
                weight = fit_params.get("sample_weight", 1.0)
                fit_params["sample_weight"] = stands_for * (1.0 if weight is None else weight)
            return self._fit_member(
                concatenate_rows([X_pos, negatives.X]),
                np.where(is_pos, self.classes_[k_pos], self.classes_[1 - k_pos]),
                None,
                fit_params,
                rng,
                message,
            )

        history, recalls = [], []
        for i in range(self.max_rounds):
            message = f"(round {i + 1}, {len(chosen.ids)} negatives)"
            self.estimator_ = fit(chosen, message)
            threshold = self._threshold()
            hardest = HardestRows.of_size(max_new)
            n_hard, top = self._mine(source, chosen.ids, threshold, hardest, rng)
            scores_pos = self._scores(source, X_pos)
            recalls.append(np.mean(scores_pos >= self._decision_threshold()))
            history.append((i + 1, len(chosen.ids), n_hard, top, np.mean(scores_pos >= threshold)))
            if n_hard == 0 or i + 1 == self.max_rounds:
                break
            more = chosen.with_hardest(self._scores(source, chosen.X), hardest, max_negatives)
            if more is None:
                break
            chosen = more
        if recalls[-1] < _LEAST_RECALL * recalls[0] and not self.reweight:
            warnings.warn(
                f"{recalls[-1]:.2f} of the {len(positives)} positives trained on are found, and "
                f"after the first round {recalls[0]:.2f} were: the negatives of the set have "
                "become so hard that the model rejects positives. Raise random_share, take a model "
                "that fits better, as a network does by more epochs, or put "
                "RecallThresholdClassifier around this classifier, which chooses a threshold.",
                stacklevel=3,
            )
        if self.reweight:
            chosen = self._with_other_random_ones(source, chosen, rng)
            weight = population_weights(
                len(positives), len(chosen.ids), chosen.n_random, source.n_rows
            )
            self.estimator_ = fit(chosen, "(reweighted)", weight)
        self.history_ = pd.DataFrame(
            history, columns=["round", "n_negatives", "n_new_hard", "hardest_score", "recall"]
        )
        self.converged_ = n_hard == 0
        self.negative_indices_, self.n_random_ = chosen.ids, chosen.n_random
        self.n_scored_ = source.n_rows
        return self

    def _check_parameters(self, negatives: Any) -> None:
        if not any(hasattr(self.estimator, name) for name in self._response_methods()):
            raise ValueError(
                f"{type(self).__name__} finds hard negatives by their scores, and "
                f"{type(self.estimator).__name__} has no {' or '.join(self._response_methods())}: "
                "use another estimator, or another response_method."
            )
        if isinstance(negatives, Iterator):
            raise ValueError(
                "negatives is an iterator, which is used up after one round, and every round reads "
                "all of them: pass the function that makes it, without calling it."
            )
        if not self.reweight:
            return
        if self.random_share == 0:
            raise ValueError(
                "reweight lets random negatives stand for all that were not mined, and "
                "random_share=0 keeps none: give a share above 0."
            )
        if not has_fit_parameter(self.estimator, "sample_weight") and not _routing_enabled():
            raise ValueError(
                f"reweight weighs rows, and the fit of {type(self.estimator).__name__} takes no "
                "sample_weight: use an estimator that does, or a Pipeline with metadata routing."
            )

    def _with_negative_label(self) -> NDArray:
        """Return both labels where `y` holds that of the positives only."""
        (label,) = self.classes_.tolist()
        if self.pos_label not in (None, label):
            raise ValueError(
                f"pos_label={self.pos_label!r} is not a label of y, which holds {[label]}: X has "
                "no positive. It needs all positives."
            )
        if self.classes_.dtype.kind not in "biuf" or label != 1:
            raise ValueError(
                f"y holds one class only, {[label]}, and the label of negatives is known only "
                "where positives are 1: put at least one negative row into X, with its label in y."
            )
        return np.array([0, 1], dtype=self.classes_.dtype)

    def _positive_label(self) -> Any:
        if len(self.classes_) > 2:
            raise ValueError(
                f"y holds {len(self.classes_)} classes, {self.classes_[:5].tolist()}: negatives "
                "are mined for one class against another. Only binary classification is supported. "
                "The type of the target is multiclass: use OneVsRestClassifier around this "
                "classifier, or merge the classes."
            )
        return check_binary_target(self.classes_, pos_label=self.pos_label, name="y")[1]

    def _check_params(self, X: Any, params: dict[str, Any], negatives: Any) -> None:
        """Refuse entries per row that further negatives, or rows to score, have none of."""
        refuse_params_of_scores(self.estimator, X, params)
        n_rows = _num_samples(X)
        bad = [
            name
            for name, value in params.items()
            if name != "sample_weight" and is_per_row(value, n_rows)
        ]
        if bad and negatives is not None:
            raise ValueError(
                f"{bad} hold one entry for each of the {n_rows} rows of X, and the rows of "
                "negatives have none: put all negatives into X, or leave these parameters out."
            )

    def _response_methods(self) -> list[str]:
        if self.response_method == "auto":
            return ["predict_proba", "decision_function"]
        return [self.response_method]

    def _threshold(self) -> float:
        """Return what a score must reach to be hard, once a model is fitted."""
        return self._decision_threshold() if self.threshold is None else self.threshold

    def _decision_threshold(self) -> float:
        """Return the score at which a fitted model decides for a positive."""
        method = next(name for name in self._response_methods() if hasattr(self.estimator_, name))
        return 0.5 if method == "predict_proba" else 0.0

    def _first_negatives(
        self,
        source: _NegativeSource,
        n_positives: int,
        max_negatives: int,
        rng: np.random.RandomState,
    ) -> NegativeRows:
        n_random = math.ceil(self.random_share * max_negatives)
        ids, X = draw_negatives(source, n_random or min(n_positives, max_negatives), rng)
        return NegativeRows(ids, X, min(n_random, len(ids)))

    def _with_other_random_ones(
        self, source: _NegativeSource, chosen: NegativeRows, rng: np.random.RandomState
    ) -> NegativeRows:
        """Draw the random ones anew from all that were not mined.

        The old ones hold all hard negatives that were not mined because they were there already.
        """
        mined = np.arange(chosen.n_random, len(chosen.ids))
        if len(mined) == source.n_rows - chosen.n_random:  # all others are mined
            return chosen
        ids, X = draw_negatives(source, chosen.n_random, rng, without=chosen.ids[mined])
        X = concatenate_rows([X, take_rows(chosen.X, mined)])
        return NegativeRows(np.append(ids, chosen.ids[mined]), X, chosen.n_random)

    def _params_of(self, X: Any, ids: NDArray[np.intp], params: dict[str, Any]) -> dict[str, Any]:
        """Return the fit parameters of rows; those that are not in X have weight 1."""
        own = ids < _num_samples(X)
        if own.all():
            return dict(_check_method_params(X, params, indices=ids))
        params = dict(params)
        if params.get("sample_weight") is not None:
            weight = np.ones(len(ids))
            weight[own] = np.asarray(params["sample_weight"])[ids[own]]
            params["sample_weight"] = weight
        return params

    def _mine(
        self,
        source: _NegativeSource,
        chosen: NDArray[np.intp],
        threshold: float,
        hardest: HardestRows,
        rng: np.random.RandomState,
    ) -> tuple[int, float]:
        """Score all negatives; return how many outside of the set are hard, and the top score."""
        n_hard, top = 0, np.nan
        for block in source.blocks():
            scores = self._score(block[1])
            outside = ~np.isin(block[0], chosen)
            if outside.any():
                top = np.fmax(top, scores[outside].max())
            is_hard = outside & (scores >= threshold)
            n_hard += int(is_hard.sum())
            hardest.offer(block, scores, rng.uniform(size=len(scores)), is_hard)
        return n_hard, float(top)

    def _scores(self, source: _NegativeSource, X: Any) -> NDArray[np.float64]:
        """Return the scores of rows, block by block."""
        return np.concatenate(
            [self._score(_safe_indexing(X, rows)) for rows in source.slices(_num_samples(X))]
        )

    def _score(self, X: Any) -> NDArray[np.float64]:
        scores, _ = _get_response_values(
            self.estimator_, X, self._response_methods(), pos_label=self.pos_label_
        )
        if not np.isfinite(scores).all():
            raise ValueError(
                f"{type(self.estimator_).__name__} gave {np.sum(~np.isfinite(scores))} scores that "
                f"are NaN or infinite in {len(scores)} samples: hard negatives cannot be told."
            )
        return scores

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the labels that the last model predicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Class labels.
        """
        X = self._check_predict(X)
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the last model; see the Notes of the class on what they mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, 2)
            In the order of `classes_`.
        """
        X = self._check_predict(X)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the decision function of the last model.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Great for the second of `classes_`.
        """
        X = self._check_predict(X)
        return self.estimator_.decision_function(X)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata this estimator asks for, and what goes to the one inside.

        Returns
        -------
        routing : MetadataRouter
            `negatives` are for this estimator.
        """
        return super().get_metadata_routing().add_self_request(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
