"""Greedy selection, with replacement, of members whose mean probability serves an objective.

References
----------
.. [1] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of
   models", ICML 2004.
.. [2] R. Caruana, A. Munson, A. Niculescu-Mizil, "Getting the most out of ensemble selection",
   ICDM 2006.
"""

import warnings
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from skrecall.utils._sklearn import Interval, RealNotInt, StrOptions

from ._voting import BaseVotingClassifier


def greedy_selection(
    votes: NDArray,
    value_of: Callable[[NDArray], float],
    ranking: NDArray[np.intp],
    *,
    n_init: int,
    n_rounds: int,
    n_iter_no_change: int | None,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which member was picked in each round, and what the mean of the votes is worth then.

    Parameters
    ----------
    votes : ndarray of shape (n_members, n_samples, n_columns)
        Probabilities of each member.
    value_of : callable
        The objective of a mean of shape (n_samples, n_columns); greater is better.
    ranking : ndarray of shape (n_candidates,)
        Members that may be picked, the best alone first; of equal picks, the first wins.
    n_init : int
        Number of rounds that pick the members in the order of the ranking.
    n_rounds : int
        Number of rounds in all.
    n_iter_no_change : int or None
        Stop after that many rounds after the start without a new best value; None runs all.

    Returns
    -------
    picks : ndarray of shape (n_picks,)
        Indices of members.
    values : ndarray of shape (n_picks,)
        Value of the mean over the picks so far.
    """
    picks: list[int] = []
    values: list[float] = []
    total = np.zeros(votes.shape[1:])
    for done in range(n_rounds):
        candidates = ranking[[done]] if done < min(n_init, len(ranking)) else ranking
        tried = [value_of((total + votes[member]) / (done + 1)) for member in candidates]
        best = int(np.argmax(tried))
        picks.append(int(candidates[best]))
        values.append(tried[best])
        total += votes[picks[-1]]
        searched_in_vain = done - max(int(np.argmax(values)), min(n_init, len(ranking)) - 1)
        if n_iter_no_change is not None and searched_in_vain >= n_iter_no_change:
            break
    return np.array(picks), np.array(values)


class EnsembleSelectionClassifier(BaseVotingClassifier):
    """Pick members greedily, with replacement, for the objective of their mean probability.

    Two classes, more, or several labels per sample. From the best member alone on, each round adds
    the member that raises the objective of the mean most, or lowers it least, on rows that the
    members were not fitted on; a member picked twice has twice the weight. The best ensemble on the
    way is kept [1]_.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The library: members with `predict_proba`, a few or hundreds. Clones are fitted; a
        `FrozenEstimator` stays as it is. "drop" leaves a member out.
    objective : str or callable, default="average_precision"
        What the selection raises. The objectives of `OptimalThresholdClassifier`, such as "recall"
        or "f1", are taken at their best threshold, and averaged over classes or labels where there
        are more than two classes. Any other name is a scorer of `skrecall.metrics.get_scorer`; a
        callable is a scorer, ``scorer(estimator, X, y)``, whose X it must only hand to the
        estimator.
    n_rounds : int, default=50
        Number of picks, those of the start included.
    n_init : int, default=1
        Start from the mean of this many members that are best alone. More than one makes the
        selection less greedy in a large library [1]_.
    n_iter_no_change : int, default=None
        Stop after so many rounds in a row, those of the start not counted, without a new best
        value; None runs all rounds.
    n_bags : int, default=None
        Select that often from a random part of the library, and average the weights found, which
        overfits less [2]_; None selects once from all members.
    max_members : int or float, default=0.5
        Members drawn for each bag, without replacement: a number, or a share of them.
    objective_params : dict, default=None
        Parameters of the objective, such as ``{"beta": 2}`` or ``{"min_precision": 0.5}``.
    constraint : tuple of (str, float), default=None
        What the threshold of the objective must keep, such as ``("precision", 0.5)``.
    pos_label : int, float, bool or str, default=None
        The positive class of an objective; None means the second of two classes, and all of more,
        or of several labels.
    cv : int, splitter, iterable, "prefit" or None, default=None
        How the rows to select on are held out; a number of folds is stratified, by every label
        where there are several, and None means 5. "prefit": all members are fitted already, and the
        data given to `fit` must be new to them; the same holds for frozen members in any case.
    n_jobs : int, default=None
        Number of fits to run at once.
    random_state : int, RandomState instance or None, default=None
        Draws the bags, and seeds every member whose own `random_state` is None; None leaves them.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members that are not dropped, those with weight 0 included.
    named_estimators_ : Bunch
        The same by name; "drop" for those dropped.
    weights_ : ndarray of shape (n_members,)
        Weights of `estimators_`, summing to one: how often each was picked.
    selection_path_ : DataFrame of shape (n_picks, 5)
        The picks in order: `bag`, `round`, name of the `member`, `objective_value` of the mean
        over the picks so far, and whether the pick was `kept`.
    member_values_ : ndarray of shape (n_members,)
        The objective of each member alone on the held-out rows; minus infinity where it is not
        finite, or the constraint is not met.
    objective_value_ : float
        The objective of `weights_` on the held-out rows, which were selected on: see Notes.
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
    SoftVotingClassifier : Weights given, or searched on a lattice, for a few members.

    Notes
    -----
    On the rows searched the result is never worse than the best member alone: the path starts from
    it, and where an average of bags is worse, that member takes its place, with a warning. On new
    rows it may be worse. Selection overfits where positives are few and members many: each of P
    held-out positives moves a recall by 1 / P, and some picks fit these rows by chance. Of 30
    equally good members with independent errors and prevalence 0.1, the average precision after 10
    rounds was greater than on new rows by 0.55 with 10 held-out positives, 0.39 with 20, 0.26 with
    50 and 0.12 with 200; with ``n_bags=10`` by 0.32, 0.20, 0.12 and 0.03. So ask for fewer members
    or rounds, set `n_bags`, and take the gain from other rows, never from `objective_value_`.

    Of picks of equal value, the member that is better alone wins, then the earlier; of ensembles of
    equal value, the one of fewer picks. A label that has one value in the training rows is
    predicted as that value. A class that a member has not seen has probability 0 in its vote.

    References
    ----------
    .. [1] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of
       models", ICML 2004.
    .. [2] R. Caruana, A. Munson, A. Niculescu-Mizil, "Getting the most out of ensemble selection",
       ICDM 2006.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skrecall.ensemble import EnsembleSelectionClassifier
    >>> X, y = make_classification(400, weights=[0.9], flip_y=0.05, random_state=0)
    >>> library = [("logistic", LogisticRegression())] + [
    ...     (f"tree of depth {d}", DecisionTreeClassifier(max_depth=d, random_state=0))
    ...     for d in (2, 4, 8)
    ... ]
    >>> selection = EnsembleSelectionClassifier(library, n_rounds=20).fit(X, y)
    >>> selection.selection_path_.columns.tolist()
    ['bag', 'round', 'member', 'objective_value', 'kept']
    >>> bool(selection.objective_value_ >= selection.member_values_.max())
    True
    """

    _decision_params = (
        "objective",
        "n_rounds",
        "n_init",
        "n_iter_no_change",
        "n_bags",
        "max_members",
        "objective_params",
        "constraint",
        "pos_label",
    )

    _parameter_constraints: dict = {
        "estimators": [list],
        "objective": [str, callable],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "n_bags": [Interval(Integral, 1, None, closed="left"), None],
        "max_members": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
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
        objective: str | Callable = "average_precision",
        n_rounds: int = 50,
        n_init: int = 1,
        n_iter_no_change: int | None = None,
        n_bags: int | None = None,
        max_members: int | float = 0.5,
        objective_params: dict[str, Any] | None = None,
        constraint: tuple[str, float] | None = None,
        pos_label: Any = None,
        cv: int | BaseCrossValidator | Iterable | Literal["prefit"] | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(estimators=estimators)
        self.objective = objective
        self.n_rounds = n_rounds
        self.n_init = n_init
        self.n_iter_no_change = n_iter_no_change
        self.n_bags = n_bags
        self.max_members = max_members
        self.objective_params = objective_params
        self.constraint = constraint
        self.pos_label = pos_label
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _chooses_weights(self) -> bool:
        return True

    def _refit_decision(self) -> None:
        votes, objective = self._held_out.votes, self._vote_objective()

        def value_of(mean: NDArray) -> float:
            value = objective(np.round(mean, 12))  # sums in another order keep equal scores equal
            return float(value) if np.isfinite(value) else -np.inf

        alone = np.array([value_of(vote) for vote in votes])
        weights, paths = np.zeros(len(votes)), []
        for bag, drawn in enumerate(self._bags(len(votes))):
            picks, values = greedy_selection(
                votes,
                value_of,
                drawn[np.argsort(-alone[drawn], kind="stable")],
                n_init=self.n_init,
                n_rounds=self.n_rounds,
                n_iter_no_change=self.n_iter_no_change,
            )
            n_kept = int(np.argmax(values)) + 1
            weights += np.bincount(picks[:n_kept], minlength=len(votes)) / n_kept
            rounds = np.arange(len(picks))
            paths.append(
                pd.DataFrame(
                    {
                        "bag": bag,
                        "round": rounds,
                        "member": np.array(self._names, dtype=object)[picks],
                        "objective_value": values,
                        "kept": rounds < n_kept,
                    }
                )
            )
        weights /= weights.sum()
        value = values.max()
        if self.n_bags is not None:
            value = value_of(np.tensordot(weights, votes, axes=1))
            if value < alone.max():
                best = int(np.argmax(alone))
                warnings.warn(
                    f"The average of {self.n_bags} bags is worth {value:.4g} on the held-out rows, "
                    f"less than {alone[best]:.4g} of {self._names[best]!r} alone, which takes its "
                    "place. Raise max_members, or leave n_bags=None.",
                    stacklevel=5,
                )
                weights, value = np.eye(len(votes))[best], alone[best]
        self._check_value(value)
        self.member_values_ = alone
        self.selection_path_ = pd.concat(paths, ignore_index=True)
        self.weights_, self.objective_value_ = weights, float(value)

    def _bags(self, n_members: int) -> list[NDArray[np.intp]]:
        """Return the members of each bag in their order; all of them without bags."""
        if self.n_bags is None:
            return [np.arange(n_members)]
        if isinstance(self.max_members, Integral):
            n_drawn = int(self.max_members)
        else:
            n_drawn = max(1, round(float(self.max_members) * n_members))
        if n_drawn > n_members:
            raise ValueError(
                f"max_members={self.max_members} of {n_members} members cannot be drawn without "
                "replacement: lower it."
            )
        rng = check_random_state(self.random_state)
        return [np.sort(rng.permutation(n_members)[:n_drawn]) for _ in range(self.n_bags)]
