"""The joint distribution of the labels as a chain, and the prediction that is best for a measure.

References
----------
.. [1] K. Dembczynski, W. Cheng, E. Huellermeier, "Bayes optimal multilabel classification via
   probabilistic classifier chains", ICML 2010.
.. [2] A. Kumar, S. Vembu, A. K. Menon, C. Elkan, "Beam search algorithms for multilabel learning",
   Machine Learning 92(1), 2013.
.. [3] K. Dembczynski, W. Waegeman, E. Huellermeier, "An analysis of chaining in multi-label
   classification", ECAI 2012.
.. [4] K. Dembczynski, W. Waegeman, W. Cheng, E. Huellermeier, "An exact algorithm for F-measure
   maximization", NeurIPS 2011.
"""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from skrecall.threshold._gfm import BLOCK, general_f_maximizer, joint_of_label_sets
from skrecall.utils._blocks import row_blocks
from skrecall.utils._decision import DecisionMixin
from skrecall.utils._fitting import MAX_SEED, clone_with_seed, fit_in_one_thread
from skrecall.utils._indicator import label_column
from skrecall.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _num_samples,
    _safe_indexing,
)

from ._chain import BaseChain
from ._chain_inference import (
    Conditional,
    LabelSets,
    beam_search,
    draw_label_sets,
    greedy_path,
)
from ._held_out import positive_response
from ._members import check_row_weights

MAX_LABELS_EXACT = 15  # 32,768 label sets for every sample


class ProbabilisticClassifierChain(DecisionMixin, BaseChain):
    """Model the joint distribution of the labels, and predict what is best for a measure [1]_.

    By the product rule, P(y | x) is the product over the chain of P(y_j | x, labels before). The
    classifiers are those of a `ClassifierChain` fitted on true labels; the difference is that a
    prediction looks at many label sets, not at one path, and knows what it is judged by.

    Parameters
    ----------
    estimator : estimator
        A binary classifier with `predict_proba`, or a pipeline that ends in one.
    order : array-like of shape (n_labels,), "random" or None, default=None
        The labels in the order of the chain; None for that of the columns of `y`.
    inference : {"exact", "beam", "monte_carlo", "greedy"}, default="exact"
        Which label sets are looked at. "exact": all, for 15 labels at most. "beam": the
        `beam_width` likeliest prefixes are kept at every place [2]_. "monte_carlo": `n_samples`
        draws from the joint distribution [3]_. "greedy": one path, that of `ClassifierChain` with
        labels from a probability of one half on; it is the prediction whatever `optimal_for` is.
    optimal_for : {"subset_accuracy", "hamming", "f_beta"}, default="subset_accuracy"
        What the prediction is best for in expectation: the likeliest label set, every label on its
        own, or the F-beta of a sample by the general F-measure maximiser [4]_.
    beta : float, default=1.0
        Weight of recall in F-beta.
    beam_width : int, default=10
        Number of prefixes that "beam" keeps; 2^(n_labels - 1) make it exact.
    n_samples : int, default=200
        Number of label sets that "monte_carlo" draws for a sample.
    n_jobs : int, default=None
        Number of labels to fit at once.
    random_state : int, RandomState instance or None, default=None
        Draws a random order and the label sets, and seeds every `random_state` of the clones that
        is None; None leaves them.
    verbose : int, default=0
        Verbosity of joblib, which reports on the fits.

    Attributes
    ----------
    estimators_ : list of estimator
        One per label that varies, in the order of the chain.
    order_ : ndarray of shape (n_varying,)
        Their labels, as indices of columns of `y`.
    constant_ : ndarray of shape (n_labels,)
        The value of each label that has only one in the training rows, or NaN.
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
    ClassifierChain : One path, out-of-fold labels, classifiers without probabilities.
    skrecall.threshold.general_f_maximizer : The last step of ``optimal_for="f_beta"``.

    Notes
    -----
    `predict_proba` is P(label = 1 | x), the marginal of the joint distribution. With "exact" it is
    exact; with "beam" it is taken over the sets that the beam ended with, rescaled to sum to one,
    and too sure of itself where the beam is narrow; with "monte_carlo" it is the mean of P(label =
    1 | x, labels drawn before), with a standard error of 0.035 at most for 200 draws; with "greedy"
    it is P(label = 1 | x, labels taken before). It does not depend on `optimal_for`: a prediction
    that is best for subset accuracy or F may differ from a probability of one half or more.

    "monte_carlo" uses the same random numbers for every sample, so that a sample has the same
    answer among any others; for "subset_accuracy" the likeliest of the drawn sets is taken.

    What is best is best under the fitted distribution: use a calibrated classifier. Labels that are
    always 1 in training count in F-beta.

    `inference`, `optimal_for`, `beta`, `beam_width` and `n_samples` act after `fit`:
    `DecisionGridSearchCV` fits once for all their values, and after `set_params`, call
    `refit_decision`.

    References
    ----------
    .. [1] K. Dembczynski, W. Cheng, E. Huellermeier, "Bayes optimal multilabel classification via
       probabilistic classifier chains", ICML 2010.
    .. [2] A. Kumar, S. Vembu, A. K. Menon, C. Elkan, "Beam search algorithms for multilabel
       learning", Machine Learning 92(1), 2013.
    .. [3] K. Dembczynski, W. Waegeman, E. Huellermeier, "An analysis of chaining in multi-label
       classification", ECAI 2012.
    .. [4] K. Dembczynski, W. Waegeman, W. Cheng, E. Huellermeier, "An exact algorithm for F-measure
       maximization", NeurIPS 2011.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.multilabel import ProbabilisticClassifierChain
    >>> X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    >>> model = LogisticRegression(max_iter=1000)
    >>> chain = ProbabilisticClassifierChain(model, optimal_for="f_beta")
    >>> most = chain.set_params(beta=3).fit(X, Y).predict(X).sum()
    >>> fewer = chain.set_params(beta=1).refit_decision().predict(X).sum()
    >>> bool(fewer < most)
    True
    """

    _decision_params = ("inference", "optimal_for", "beta", "beam_width", "n_samples")

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "order": ["array-like", StrOptions({"random"}), None],
        "inference": [StrOptions({"exact", "beam", "monte_carlo", "greedy"})],
        "optimal_for": [StrOptions({"subset_accuracy", "hamming", "f_beta"})],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "beam_width": [Interval(Integral, 1, None, closed="left")],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        order: ArrayLike | str | None = None,
        inference: str = "exact",
        optimal_for: str = "subset_accuracy",
        beta: float = 1.0,
        beam_width: int = 10,
        n_samples: int = 200,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.order = order
        self.inference = inference
        self.optimal_for = optimal_for
        self.beta = beta
        self.beam_width = beam_width
        self.n_samples = n_samples
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit one classifier per label, on the samples and the true labels before its own.

        Parameters
        ----------
        X : array-like, DataFrame or sparse of shape (n_samples, n_features)
            Samples.
        y : array-like, DataFrame or sparse of shape (n_samples, n_labels)
            Indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, in every fit.
        **params : dict
            Further parameters of the inner `fit`; routed where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted chain.

        Raises
        ------
        ValueError
            If there are too many labels to look at all their sets.
        """
        X, Y = self._check_fit(X, y)
        self._check_number_of_labels()
        check_row_weights(sample_weight)
        params = self._route_params(params, sample_weight)
        rng = check_random_state(self.random_state)
        self._set_order(rng)
        self._seed = rng.randint(MAX_SEED)
        seeds = None if self.random_state is None else rng
        Z = Y[:, self._columns]
        self.estimators_ = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(fit_in_one_thread)(
                clone_with_seed(self.estimator, seeds),
                self._append_labels(X, Z[:, :place]),
                label_column(Z, place),
                params,
            )
            for place in range(Z.shape[1])
        )
        return self._decide()

    def _refit_decision(self) -> None:
        self._check_number_of_labels()

    def _check_number_of_labels(self) -> None:
        n_labels = len(self._varying)
        if self.inference == "exact" and n_labels > MAX_LABELS_EXACT:
            raise ValueError(
                f"inference='exact' would look at 2^{n_labels} label sets for each sample: it is "
                f"for {MAX_LABELS_EXACT} labels at most. Use inference='beam' for subset accuracy, "
                "or 'monte_carlo' for Hamming loss and F."
            )

    def _label_proba(self, X: Any) -> NDArray[np.float64]:
        self._check_decision()
        return np.concatenate([self._marginals(block) for block in self._blocks(X)])

    def _predict_labels(self, X: Any) -> NDArray[np.int8]:
        self._check_decision()
        if self.inference == "greedy" or self.optimal_for == "hamming":
            return super()._predict_labels(X)
        best = self._likeliest if self.optimal_for == "subset_accuracy" else self._best_for_f
        return np.concatenate([best(block) for block in self._blocks(X)])

    def _marginals(self, X: Any) -> NDArray[np.float64]:
        if self.inference == "greedy":
            proba = greedy_path(self._conditional(X), _num_samples(X), len(self.order_))
        else:
            proba = self._label_sets(X).marginals
        return proba[:, self._places]

    def _likeliest(self, X: Any) -> NDArray[np.int8]:
        return self._label_sets(X).likeliest()[:, self._places]

    def _best_for_f(self, X: Any) -> NDArray[np.int8]:
        """Maximise over all labels: those that are always 1 are hits that all sets share."""
        found = self._label_sets(X)
        always = int(np.count_nonzero(self.constant_ == 1))
        sets = np.pad(found.sets, ((0, 0), (0, 0), (0, always)), constant_values=1)
        best, _ = general_f_maximizer(*joint_of_label_sets(sets, found.weight), beta=self.beta)
        return best[:, self._places]

    def _label_sets(self, X: Any) -> LabelSets:
        conditional, n_rows, n_labels = self._conditional(X), _num_samples(X), len(self.order_)
        if self.inference == "monte_carlo":
            uniforms = np.random.RandomState(self._seed).uniform(size=(self.n_samples, n_labels))
            return draw_label_sets(conditional, n_rows, uniforms)
        width = self.beam_width if self.inference == "beam" else None
        return beam_search(conditional, n_rows, n_labels, width)

    def _conditional(self, X: Any) -> Conditional:
        def conditional(rows: NDArray, prefixes: NDArray) -> NDArray[np.float64]:
            X_link = self._append_labels(_safe_indexing(X, rows), prefixes)
            return positive_response(self.estimators_[prefixes.shape[1]], X_link, "predict_proba")

        return conditional

    def _blocks(self, X: Any) -> Iterator[Any]:
        """Yield rows whose label sets, with the features, fit into memory together."""
        n_labels = len(self.order_)
        n_sets = {"exact": 2**n_labels, "beam": 2 * self.beam_width, "greedy": 1}
        width = n_sets.get(self.inference, self.n_samples) * (self.n_features_in_ + n_labels)
        (X,) = indexable(X)
        n_rows = _num_samples(X)
        n_blocked = max(n_rows, 1)  # no rows: a classifier says so
        for rows in row_blocks(n_blocked, width, n_cells=BLOCK):
            yield _safe_indexing(X, np.arange(n_rows)[rows])
