import re
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ImblearnPipeline
from imblearn.under_sampling import RandomUnderSampler
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer, recall_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    RepeatedStratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.utils._decision import DecisionMixin

X, Y = make_classification(160, 5, weights=[0.75], flip_y=0.1, random_state=0)
X3, Y3 = make_classification(150, 6, n_informative=4, n_classes=3, random_state=1)
GROUPS = np.arange(len(Y)) % 7
WEIGHT = np.random.RandomState(0).uniform(0.5, 2, len(Y))


class BottomShare(DecisionMixin, ClassifierMixin, BaseEstimator):
    """Flags what scores above a quantile of the training scores; `share` acts after fit."""

    _parameter_constraints: dict = {}
    _decision_params = ("share",)

    def __init__(self, estimator, share=0.5):
        self.estimator = estimator
        self.share = share

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = self.estimator_.classes_
        self._scores = self.estimator_.predict_proba(X)[:, 1]
        return self._decide()

    def _refit_decision(self):
        if self.share > 0.9:
            raise ValueError("No rows are left to flag.")
        self.threshold_ = np.quantile(self._scores, self.share)

    def predict(self, X):
        self._check_decision()
        return self.classes_[
            (self.estimator_.predict_proba(X)[:, 1] >= self.threshold_).astype(int)
        ]


def fixed(estimator=None, **params):
    inner = LogisticRegression() if estimator is None else estimator
    return FixedThresholdClassifier(inner, **params)


def sampled(clf=None):
    clf = fixed() if clf is None else clf
    return ImblearnPipeline([("smote", SMOTE(random_state=0)), ("clf", clf)])


def vote(*members, **params):
    members = members or (
        LogisticRegression(),
        GaussianNB(),
        DecisionTreeClassifier(random_state=0),
    )
    return VotingClassifier([(f"m{i}", member) for i, member in enumerate(members)], **params)


def forest():
    return RandomForestClassifier(5, random_state=0)


def both_rates(estimator, X, y):
    predicted = estimator.predict(X)
    return {"recall": recall_score(y, predicted), "flagged": float(np.mean(predicted == 1))}


def lowest_threshold_above(results):
    good = results["mean_test_score"] >= np.median(results["mean_test_score"])
    return int(np.flatnonzero(good)[0])


class Unsure:
    """A scorer that fails for estimators that flag too much."""

    def __call__(self, estimator, X, y):
        if (predicted := estimator.predict(X)).mean() > 0.4:
            raise RuntimeError("too many")
        return f1_score(y, predicted)


THRESHOLDS = [0.2, 0.4, 0.6]
# name: (estimator, param_grid, keywords of the search, keywords of fit)
SITUATIONS = {
    "owner itself": (fixed(), {"threshold": THRESHOLDS}, {}, {}),
    "classifier inside": (fixed(), {"threshold": THRESHOLDS, "estimator__C": [0.1, 1.0]}, {}, {}),
    "numpy values": (fixed(), {"threshold": np.linspace(0.1, 0.9, 4)}, {}, {}),
    "mixed values": (fixed(), {"threshold": ["auto", 0.3], "pos_label": [None, 0, 1]}, {}, {}),
    "response method": (
        fixed(),
        {"response_method": ["predict_proba", "decision_function"], "threshold": [-0.5, 0.5]},
        {},
        {},
    ),
    "pipeline": (
        Pipeline([("scale", StandardScaler()), ("clf", fixed())]),
        {"clf__threshold": THRESHOLDS, "scale__with_mean": [True, False]},
        {"return_train_score": True},
        {},
    ),
    "swapped samplers": (
        sampled(fixed(forest())),
        {
            "smote": [SMOTE(random_state=0), "passthrough", RandomUnderSampler(random_state=0)],
            "clf__threshold": THRESHOLDS,
        },
        {"scoring": ["f1", "recall", "roc_auc"], "refit": "f1", "return_train_score": True},
        {},
    ),
    "swapped owners": (
        sampled(),
        [
            {"clf": [fixed(), fixed(GaussianNB())], "clf__threshold": THRESHOLDS},
            {"clf": [vote(voting="soft")], "clf__weights": [None, [1, 2, 3]]},
            {"clf": [LogisticRegression()], "clf__C": [0.1, 1.0]},
            {"clf__estimator": [GaussianNB(), FrozenEstimator(GaussianNB().fit(X, Y))]},
        ],
        {"scoring": "f1"},
        {},
    ),
    "list of grids": (
        fixed(),
        [
            {"threshold": THRESHOLDS},
            {"threshold": [0.5], "estimator__C": [0.1]},
            {"pos_label": [1]},
        ],
        {},
        {},
    ),
    "an empty grid": (fixed(), [{}, {"threshold": THRESHOLDS}], {}, {}),
    "member of a vote": (
        vote(fixed(), fixed(GaussianNB()), LogisticRegression()),
        {"m0__threshold": THRESHOLDS, "m1__threshold": [0.3, 0.5], "weights": [None, [2, 1, 1]]},
        {},
        {},
    ),
    "member dropped": (
        vote(fixed(), GaussianNB(), forest()),
        {"m0__threshold": THRESHOLDS, "m1": ["drop", GaussianNB()], "weights": [[2, 1, 2]]},
        {},
        {},
    ),
    "vote inside a threshold": (
        make_pipeline(StandardScaler(), fixed(vote(voting="soft"))),
        {
            "fixedthresholdclassifier__threshold": THRESHOLDS,
            "fixedthresholdclassifier__estimator__weights": [None, [3, 1, 1], [1, 1, 3]],
        },
        {"scoring": ["f1", "neg_log_loss"], "refit": "f1", "return_train_score": True},
        {},
    ),
    "our protocol": (
        sampled(BottomShare(forest())),
        {"clf__share": [0.3, 0.5, 0.7], "smote__k_neighbors": [3, 5]},
        {"scoring": "f1", "return_train_score": True},
        {},
    ),
    "callable scoring": (
        fixed(),
        {"threshold": THRESHOLDS},
        {"scoring": make_scorer(f1_score)},
        {},
    ),
    "dict of scores": (
        fixed(),
        {"threshold": THRESHOLDS},
        {"scoring": both_rates, "refit": "recall", "return_train_score": True},
        {},
    ),
    "no refit": (
        fixed(),
        {"threshold": THRESHOLDS},
        {"scoring": {"a": "f1", "b": make_scorer(recall_score)}, "refit": False},
        {},
    ),
    "callable refit": (fixed(), {"threshold": THRESHOLDS}, {"refit": lowest_threshold_above}, {}),
    "n_jobs": (
        sampled(fixed(forest())),
        {"clf__threshold": THRESHOLDS, "smote__k_neighbors": [3, 5]},
        {"n_jobs": 2, "pre_dispatch": "n_jobs"},
        {},
    ),
    "repeated seeded folds": (
        fixed(),
        {"threshold": THRESHOLDS},
        {"cv": RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)},
        {},
    ),
    "folds as a generator": (
        fixed(),
        {"threshold": THRESHOLDS},
        {"cv": ((np.flatnonzero(g != GROUPS), np.flatnonzero(g == GROUPS)) for g in range(3))},
        {},
    ),
    "groups": (fixed(), {"threshold": THRESHOLDS}, {"cv": GroupKFold(3)}, {"groups": GROUPS}),
    "weights": (vote(), {"weights": [None, [1, 1, 3]]}, {}, {"sample_weight": WEIGHT}),
    "frozen": (
        fixed(FrozenEstimator(LogisticRegression().fit(X, Y))),
        {"threshold": THRESHOLDS},
        {},
        {},
    ),
}


def both(estimator, param_grid, keywords, fit_params, X=X, y=Y, **own):
    """Return both fitted searches, and the warnings that either gave."""
    if hasattr(keywords.get("cv"), "__next__"):
        keywords = {**keywords, "cv": list(keywords["cv"])}
    searches, caught = [], []
    for cls, extra in [(GridSearchCV, {}), (DecisionGridSearchCV, own)]:
        search = cls(clone(estimator), param_grid, **{"cv": 3, **keywords}, **extra)
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            searches.append(search.fit(X, y, **fit_params))
        caught.append(sorted((w.category.__name__, str(w.message).split("\n")[1:2]) for w in given))
    return searches, caught


def assert_same_search(expected, actual):
    assert list(actual.cv_results_) == list(expected.cv_results_)
    for key, column in expected.cv_results_.items():
        if key.endswith("_time"):
            assert actual.cv_results_[key].shape == column.shape
        elif key == "params":
            assert repr(actual.cv_results_[key]) == repr(column)
        else:
            found = actual.cv_results_[key]
            assert found.dtype == column.dtype, key
            assert type(found) is type(column), key
            if isinstance(column, np.ma.MaskedArray):
                assert_array_equal(found.mask, column.mask)
                assert repr(found) == repr(column)
            else:
                assert_array_equal(found, column, err_msg=key)
    for name in ("best_index_", "best_score_", "best_params_", "n_splits_", "multimetric_"):
        assert hasattr(actual, name) == hasattr(expected, name), name
        assert repr(getattr(actual, name, None)) == repr(getattr(expected, name, None)), name
    assert hasattr(actual, "best_estimator_") == hasattr(expected, "best_estimator_")


@pytest.mark.parametrize("name", SITUATIONS)
def test_identical_to_grid_search(name):
    (expected, actual), (warned, warned_too) = both(*SITUATIONS[name])
    assert_same_search(expected, actual)
    assert warned_too == warned
    if hasattr(expected, "best_estimator_"):
        assert_array_equal(actual.predict(X), expected.predict(X))
        assert actual.score(X, Y) == expected.score(X, Y)
        assert repr(actual.best_estimator_) == repr(expected.best_estimator_)


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_multiclass_voting_weights(voting):
    weights = [None, [1, 1, 3], [3, 1, 1], np.array([0.2, 0.5, 0.3])]
    grid = {"weights": weights, "m1__var_smoothing": [1e-9, 1e-3]}
    (expected, actual), _ = both(vote(voting=voting), grid, {}, {}, X3, Y3)
    assert_same_search(expected, actual)


def test_pandas_and_string_labels():
    frame = pd.DataFrame(X, columns=list("abcde"))
    labels = pd.Series(np.where(Y == 1, "fraud", "fine"))
    estimator = sampled(fixed(pos_label="fraud"))
    grid = {"clf__threshold": THRESHOLDS, "clf__pos_label": ["fraud", "fine"]}
    (expected, actual), _ = both(estimator, grid, {}, {}, frame, labels)
    assert_same_search(expected, actual)
    assert_array_equal(actual.feature_names_in_, list("abcde"))
    assert_array_equal(actual.classes_, ["fine", "fraud"])


def test_pairwise_kernels_are_cut_on_both_sides():
    from sklearn.svm import SVC

    class Kernel(FixedThresholdClassifier):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.pairwise = True
            return tags

    estimator = Kernel(SVC(kernel="precomputed"))
    (expected, actual), _ = both(estimator, {"threshold": [-0.5, 0.0, 0.5]}, {}, {}, X @ X.T)
    assert_same_search(expected, actual)


# What fails in a candidate: the fit, its decision, or its scorer.
FAILURES = {
    "invalid value first": (fixed(), {"threshold": ["high", 0.2, 0.4]}, {}),
    "invalid value last": (sampled(), {"clf__threshold": [0.2, 0.4, "high"]}, {}),
    "wrong number of weights": (vote(), {"weights": [[1, 2], None, [1, 2, 3], [1]]}, {}),
    "weights of a vote inside": (
        sampled(fixed(vote(voting="soft"))),
        {"clf__estimator__weights": [None, [1]], "clf__threshold": [0.3, 0.5]},
        {},
    ),
    "the fit itself": (
        sampled(),
        {"smote__k_neighbors": [500, 5], "clf__threshold": THRESHOLDS},
        {},
    ),
    "several metrics": (
        sampled(),
        {"smote__k_neighbors": [500, 5], "clf__threshold": ["high", 0.3]},
        {"scoring": ["f1", "recall"], "refit": "f1"},
    ),
    "dict of scores": (
        fixed(),
        {"threshold": ["high", 0.2, 0.4]},
        {"scoring": both_rates, "refit": "recall"},
    ),
    "our decision first": (sampled(BottomShare(forest())), {"clf__share": [0.95, 0.99, 0.5]}, {}),
    "our decision between": (BottomShare(forest()), {"share": [0.3, 0.95, 0.5]}, {}),
    "scorer": (fixed(), {"threshold": [0.1, 0.5, 0.9]}, {"scoring": Unsure()}),
    "one of two scorers": (
        fixed(),
        {"threshold": [0.1, 0.5, 0.9]},
        {"scoring": {"odd": Unsure(), "f1": "f1"}, "refit": "f1"},
    ),
    "hard vote has no probabilities": (
        vote(),
        {"voting": ["soft", "hard"]},
        {"scoring": "roc_auc"},
    ),
}


@pytest.mark.parametrize("error_score", [np.nan, -1.0])
@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_rows_of_error_score(name, error_score):
    estimator, grid, keywords = FAILURES[name]
    keywords = {**keywords, "error_score": error_score, "return_train_score": True}
    (expected, actual), (warned, warned_too) = both(estimator, grid, keywords, {})
    assert_same_search(expected, actual)
    assert warned_too == warned
    assert warned


@pytest.mark.parametrize("name", FAILURES)
def test_failures_raise(name):
    estimator, grid, keywords = FAILURES[name]
    raised = []
    for cls in (GridSearchCV, DecisionGridSearchCV):
        with pytest.raises(Exception) as info:
            cls(estimator, grid, **keywords, error_score="raise", cv=3).fit(X, Y)
        raised.append(info.type)
    assert raised[0] is raised[1]


def test_all_candidates_failing():
    for cls in (GridSearchCV, DecisionGridSearchCV):
        with pytest.raises(ValueError, match="All the 6 fits failed"):
            cls(fixed(), {"threshold": ["low", "high"]}, cv=3).fit(X, Y)


def test_the_warning_names_the_failure():
    search = DecisionGridSearchCV(fixed(), {"threshold": [0.2, "high"]}, cv=3)
    with (
        pytest.warns(FitFailedWarning, match=r"3 fits failed out of a total of 6[\s\S]*'high'"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search.fit(X, Y)


def test_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        scale = StandardScaler().set_fit_request(sample_weight=False)
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        plain = make_scorer(f1_score).set_score_request(sample_weight=False)
        weighted = make_scorer(f1_score).set_score_request(sample_weight="score_weight")
        (expected, actual), _ = both(
            Pipeline([("scale", scale), ("clf", fixed(inner))]),
            {"clf__threshold": THRESHOLDS, "clf__estimator__C": [0.1, 1.0]},
            {
                "scoring": {"weighted": weighted, "plain": plain},
                "refit": "plain",
                "cv": GroupKFold(3),
            },
            {"sample_weight": WEIGHT, "score_weight": WEIGHT**2, "groups": GROUPS},
        )
        assert_same_search(expected, actual)
        means = actual.cv_results_["mean_test_weighted"], actual.cv_results_["mean_test_plain"]
        assert not np.allclose(*means)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_any_joblib_backend(backend):
    estimator, grid, keywords, _ = SITUATIONS["frozen"]
    grid = {**grid, "response_method": ["predict_proba", "decision_function"]}
    with parallel_config(backend=backend, n_jobs=2):
        (expected, actual), _ = both(estimator, grid, keywords, {})
    assert_same_search(expected, actual)


def test_frozen_model_is_given_back_as_it_was():
    frozen = LogisticRegression().fit(X, Y)
    before = dict(vars(frozen))
    DecisionGridSearchCV(fixed(FrozenEstimator(frozen)), {"threshold": THRESHOLDS}).fit(X, Y)
    assert vars(frozen).keys() == before.keys()


def test_named_decisions_are_the_only_ones():
    grid = {"threshold": THRESHOLDS, "pos_label": [0, 1]}
    search = DecisionGridSearchCV(fixed(), grid, decision_params=["threshold"], cv=3, verbose=1)
    assert_same_search(GridSearchCV(fixed(), grid, cv=3).fit(X, Y), search.fit(X, Y))


def test_our_scorer_names_are_known():
    grid = {"threshold": THRESHOLDS}
    search = DecisionGridSearchCV(fixed(), grid, scoring="f2").fit(X, Y)
    f2 = search.cv_results_["mean_test_score"]
    several = {"ours": "f2", "theirs": "recall"}
    for scoring in (["f2", "recall"], ("f2", "recall"), several):
        refit = next(iter(scoring))
        search = DecisionGridSearchCV(fixed(), grid, scoring=scoring, refit=refit).fit(X, Y)
        assert_array_equal(search.cv_results_[f"mean_test_{refit}"], f2)
    with pytest.raises(ValueError, match="Unknown scorer 'f22'"):
        DecisionGridSearchCV(fixed(), grid, scoring="f22").fit(X, Y)
    with pytest.raises(ValueError, match=re.escape("['f2', 'f2']")):
        DecisionGridSearchCV(fixed(), grid, scoring=["f2", "f2"], refit="f2").fit(X, Y)


@pytest.mark.parametrize("verbose", [0, 1, 2, 3])
@pytest.mark.parametrize("keywords", [{}, {"return_train_score": True}, {"scoring": both_rates}])
def test_verbose_lines_are_those_of_grid_search(verbose, keywords, capsys):
    printed = []
    for cls in (GridSearchCV, DecisionGridSearchCV):
        search = cls(fixed(), {"threshold": [0.25, 0.5]}, cv=3, refit=False, **keywords)
        search.set_params(verbose=verbose).fit(X, Y)
        text = re.sub(
            r"END \.+|total time=.*", "END ", capsys.readouterr().out
        )  # padding and times
        lines = [line.replace(";, score", "; score") for line in text.splitlines()]
        printed.append([" ".join(line.split()) for line in lines])
    theirs, ours = printed
    assert len(ours) == len(theirs) == (0, 1, 7, 7)[verbose]
    if verbose:
        assert ours[0] == "Fitting 3 folds for each of 1 settings, 3 fits for 2 candidates"
    assert len(set(ours)) == (0, 1, 7, 7)[verbose]
    if verbose > 2:
        assert sorted(ours[1:]) == sorted(theirs[1:])


@pytest.mark.skipif(not hasattr(GridSearchCV, "set_callbacks"), reason="new in scikit-learn 1.9")
@pytest.mark.parametrize("thresholds", [THRESHOLDS, ["high", 0.3]])
def test_callbacks_hear_of_every_fit(thresholds):
    class Heard:
        def __init__(self):
            self.tasks, self.calls = [], []

        def setup(self, estimator, context):
            self.calls.append("setup")

        def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
            self.tasks.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            self.calls.append(context.task_name)

        def teardown(self, estimator, context):
            self.calls.append("teardown")

    heard = Heard()
    search = DecisionGridSearchCV(fixed(), {"threshold": thresholds}, cv=3, error_score=0.0)
    search.set_callbacks(heard)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitFailedWarning)
        search.fit(X, Y)
    assert (heard.calls[0], heard.calls[-1]) == ("setup", "teardown")
    assert heard.calls.count("candidate-split-evaluation") == 3
    assert set(heard.tasks) == {
        "fit",
        "search",
        "candidate-split-evaluation",
        "refit-with-best-params",
    }


def test_times_are_those_of_the_shared_fit():
    search = DecisionGridSearchCV(fixed(forest()), {"threshold": THRESHOLDS}, cv=3).fit(X, Y)
    assert len(set(search.cv_results_["mean_fit_time"])) == 1
    assert (search.cv_results_["mean_fit_time"] > 0).all()
    assert (search.cv_results_["mean_score_time"] > 0).all()
    assert search.refit_time_ > 0


def calibrated():
    return CalibratedClassifierCV(fixed(), method="sigmoid", cv=2)


BAD_INPUT = {
    "nothing acts after fit": (
        sampled(),
        {"smote__k_neighbors": [3, 5]},
        None,
        "Pipeline has clf__threshold, clf__pos_label, clf__response_method: put one of them",
    ),
    "nothing declares": (
        LogisticRegression(),
        {"C": [0.1, 1.0]},
        None,
        "only C. LogisticRegression has none: wrap it in what has some, such as Recall",
    ),
    "an empty grid": (fixed(), {}, None, "acts after fitting, only none at all."),
    "undeclared": (
        sampled(),
        {"clf__estimator__C": [0.1], "clf__threshold": [0.5]},
        ["clf__estimator__C"],
        "'clf__estimator__C' is not a decision parameter: LogisticRegression declares none.",
    ),
    "undeclared of an owner": (
        fixed(),
        {"estimator": [LogisticRegression()]},
        ["estimator"],
        "'estimator' is not a decision parameter: FixedThresholdClassifier declares threshold, pos",
    ),
    "undeclared after a swap": (
        sampled(),
        {"clf": [fixed(), LogisticRegression()], "clf__C": [1.0]},
        ["clf__C"],
        "Invalid parameter 'C'",
    ),
    "used while fitting": (
        calibrated(),
        {"estimator__threshold": THRESHOLDS},
        ["estimator__threshold"],
        "what holds that estimator in this CalibratedClassifierCV is fitted on its decisions",
    ),
    "absent from the grid": (
        fixed(),
        [{"threshold": [0.5]}, {"pos_label": [1]}],
        ["treshold"],
        "decision_params holds 'treshold', but param_grid has only pos_label, threshold: add",
    ),
    "a string for a list": (
        fixed(),
        {"threshold": [0.5]},
        "threshold",
        "The 'decision_params' parameter of DecisionGridSearchCV must be an array-like or None.",
    ),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input(name):
    estimator, grid, decision_params, message = BAD_INPUT[name]
    search = DecisionGridSearchCV(estimator, grid, decision_params=decision_params)
    with pytest.raises(ValueError, match=re.escape(message)):
        search.fit(X, Y)


def test_a_splitter_that_does_not_keep_its_word():
    class TwoOfThree(GroupKFold):
        def split(self, X, y=None, groups=None):
            return list(super().split(X, y, GROUPS))[:2]

    search = DecisionGridSearchCV(fixed(), {"threshold": [0.5]}, cv=TwoOfThree(3))
    with pytest.raises(ValueError, match="promised 3 folds and gave 2"):
        search.fit(X, Y)


def test_the_constructor_is_that_of_grid_search():
    theirs = GridSearchCV(fixed(), {}).get_params(deep=False)
    ours = DecisionGridSearchCV(fixed(), {}).get_params(deep=False)
    assert ours.pop("decision_params") is None
    assert repr(ours) == repr(theirs)
