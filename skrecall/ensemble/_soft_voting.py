"""A weighted mean of probabilities, with weights given or chosen for an objective.

References
----------
.. [1] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of
   models", ICML 2004.
"""

from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator

from skrecall.utils._sklearn import StrOptions

from ._voting import BaseVotingClassifier
from ._weights import best_weights, check_given_weights


class SoftVotingClassifier(BaseVotingClassifier):
    """Average the probabilities of several classifiers, with weights that serve an objective.

    Two classes, more, or several labels per sample. With ``weights="optimize"`` the weights are
    those that are best for `objective` on probabilities of rows that the members were not fitted
    on [1]_.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The members, all with `predict_proba`. Clones are fitted; a `FrozenEstimator` stays as it
        is. "drop" leaves a member out.
    weights : array-like of shape (n_members,), "optimize" or None, default=None
        None weights all members alike. "optimize" searches the uniform weights, each member alone
        and a lattice in steps of 0.05, or as fine as 300 points allow, then moves weight between
        two members at a time, down to steps of 0.001, while the objective rises. The result is
        never worse than uniform weights on the rows searched, and the same on every run.
    objective : str or callable, default="average_precision"
        What "optimize" maximises. The objectives of `OptimalThresholdClassifier`, such as "recall"
        or "f1", are taken at their best threshold, and averaged over classes or labels where there
        are more than two classes. Any other name is a scorer of `skrecall.metrics.get_scorer`; a
        callable is a scorer, ``scorer(estimator, X, y)``, whose X it must only hand to the
        estimator.
    objective_params : dict, default=None
        Parameters of the objective, such as ``{"beta": 2}`` or ``{"min_precision": 0.5}``.
    constraint : tuple of (str, float), default=None
        What the threshold of the objective must keep, such as ``("precision", 0.5)``.
    pos_label : int, float, bool or str, default=None
        The positive class of an objective; None means the second of two classes, and all of more,
        or of several labels.
    cv : int, splitter, iterable, "prefit" or None, default=None
        How the rows to choose weights on are held out; a number of folds is stratified, by every
        label where there are several. None: 5 folds where weights are optimized. A value given:
        held-out probabilities are kept whatever `weights` are, so that "optimize" can be set after
        fit, as a search does. "prefit": all members are fitted already, and the data given to `fit`
        must be new to them; the same holds for frozen members in any case.
    n_jobs : int, default=None
        Number of fits to run at once.
    random_state : int, RandomState instance or None, default=None
        Seeds every member whose own `random_state` is None; None leaves them so.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members that are not dropped.
    named_estimators_ : Bunch
        The same by name; "drop" for those dropped.
    weights_ : ndarray of shape (n_members,)
        Weights of `estimators_`, summing to one.
    objective_value_ : float or None
        The objective of `weights_` on the held-out rows; None where it was not searched.
    classes_ : ndarray of shape (n_classes,) or (n_labels, 2)
        Class labels; ``[0, 1]`` for each label, with several.
    label_names_ : ndarray of shape (n_labels,)
        Column names of a DataFrame `y` of several labels.
    n_features_in_ : int
        Number of features, if the first member counts them.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, if the first member keeps them.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : The same mean for two or more classes, and hard votes.

    Notes
    -----
    A label that has one value in the training rows is predicted as that value. A class that a
    member has not seen has probability 0 in its vote.

    References
    ----------
    .. [1] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of
       models", ICML 2004.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skrecall.ensemble import SoftVotingClassifier
    >>> X, y = make_classification(400, weights=[0.9], flip_y=0.05, random_state=0)
    >>> vote = SoftVotingClassifier(
    ...     [("logistic", LogisticRegression()), ("bayes", GaussianNB())],
    ...     weights="optimize",
    ...     objective="recall",
    ...     constraint=("precision", 0.5),
    ... ).fit(X, y)
    >>> vote.weights_.shape, vote.predict_proba(X).shape
    ((2,), (400, 2))
    """

    _decision_params = ("weights", "objective", "objective_params", "constraint", "pos_label")

    _parameter_constraints: dict = {
        "estimators": [list],
        "weights": ["array-like", StrOptions({"optimize"}), None],
        "objective": [str, callable],
        "objective_params": [dict, None],
        "constraint": [tuple, None],
        "pos_label": [Real, str, "boolean", None],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimators: list[tuple[str, Any]],
        *,
        weights: ArrayLike | Literal["optimize"] | None = None,
        objective: str | Callable = "average_precision",
        objective_params: dict[str, Any] | None = None,
        constraint: tuple[str, float] | None = None,
        pos_label: Any = None,
        cv: int | BaseCrossValidator | Iterable | Literal["prefit"] | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(estimators=estimators)
        self.weights = weights
        self.objective = objective
        self.objective_params = objective_params
        self.constraint = constraint
        self.pos_label = pos_label
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _chooses_weights(self) -> bool:
        return isinstance(self.weights, str)

    def _refit_decision(self) -> None:
        self.objective_value_ = None
        if self._chooses_weights():
            weights, self.objective_value_ = self._search_weights()
        elif self.weights is None:
            weights = np.ones(len(self.estimators_))
        else:
            weights = check_given_weights(self.weights, len(self._kept))[self._kept]
        if weights.sum() == 0:
            raise ValueError("All weights are zero: give at least one member a vote.")
        self.weights_ = weights / weights.sum()

    def _search_weights(self) -> tuple[NDArray[np.float64], float]:
        if self._held_out is None:
            raise ValueError(
                "weights='optimize' needs held-out probabilities, and fit kept none, as weights "
                "were not optimized then: set cv, for example cv=5, and fit again."
            )
        weights, value = best_weights(self._held_out.votes, self._vote_objective())
        self._check_value(value)
        return weights, value
