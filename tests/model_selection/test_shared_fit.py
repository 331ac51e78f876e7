from collections import Counter

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.threshold import OptimalThresholdClassifier, RecallThresholdClassifier
from tests.model_selection.test_decision_search import BottomShare, assert_same_search

X, Y = make_classification(200, 4, weights=[0.7], random_state=0)
CALLS = Counter()
N_FOLDS = 3


class Counting(LogisticRegression):
    def fit(self, X, y):
        CALLS["fit"] += 1
        return super().fit(X, y)

    def predict_proba(self, X):
        CALLS["predict_proba"] += 1
        return super().predict_proba(X)

    def decision_function(self, X):
        CALLS["decision_function"] += 1
        return super().decision_function(X)


class CountingScaler(StandardScaler):
    def transform(self, X, copy=None):
        CALLS["transform"] += 1
        return super().transform(X, copy)


@pytest.fixture(autouse=True)
def _nothing_counted():
    CALLS.clear()


def pipeline(clf):
    return Pipeline([("scale", CountingScaler()), ("sample", SMOTE(random_state=0)), ("clf", clf)])


def own_scorer(estimator, X, y):
    """Ask for the same responses once more, and pass the whole estimator on to clone."""
    clone(estimator)
    estimator.predict_proba(X)
    return accuracy_score(y, estimator.predict(X))


PIPELINE_GRID = {
    "sample": [SMOTE(random_state=0), "passthrough", RandomUnderSampler(random_state=0)],
    "clf__threshold": np.linspace(0.1, 0.9, 7),
}


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize(
    "scoring", ["f1", own_scorer, {"a": "f1", "b": "average_precision", "c": own_scorer}]
)
def test_one_fit_and_one_response_per_group_fold_and_dataset(train, scoring):
    estimator = pipeline(FixedThresholdClassifier(Counting(), response_method="predict_proba"))
    search = DecisionGridSearchCV(
        estimator, PIPELINE_GRID, cv=N_FOLDS, scoring=scoring, refit=False, return_train_score=train
    ).fit(X, Y)
    assert len(search.cv_results_["params"]) == 21
    n_groups = 3
    assert CALLS["fit"] == n_groups * N_FOLDS
    assert CALLS["predict_proba"] == n_groups * N_FOLDS * (1 + train)
    # and once to fit the steps behind it
    assert CALLS["transform"] == n_groups * N_FOLDS * (2 + train)
    # average_precision prefers it to probabilities
    assert CALLS["decision_function"] <= n_groups * N_FOLDS * (1 + train)


def test_refit_is_one_more_fit():
    grid = {"threshold": [0.2, 0.5, 0.8]}
    DecisionGridSearchCV(FixedThresholdClassifier(Counting()), grid, cv=N_FOLDS).fit(X, Y)
    assert CALLS["fit"] == N_FOLDS + 1


def test_one_response_of_every_member():
    members = [("a", FixedThresholdClassifier(Counting())), ("b", Counting()), ("c", GaussianNB())]
    grid = {"weights": [None, [1, 2, 3]], "a__threshold": [0.2, 0.5, 0.8]}
    voting = VotingClassifier(members, voting="soft")
    DecisionGridSearchCV(voting, grid, cv=N_FOLDS, refit=False).fit(X, Y)
    assert CALLS == {
        "fit": 2 * N_FOLDS,
        "predict_proba": 2 * N_FOLDS,
        "decision_function": 2 * N_FOLDS,
    }


def test_fits_of_other_parameters_are_not_shared():
    grid = [
        {"threshold": [0.2, 0.4], "estimator__C": [0.1, 1.0]},
        {"pos_label": [0, 1]},
        {"estimator__C": [10.0]},
    ]
    DecisionGridSearchCV(FixedThresholdClassifier(Counting()), grid, cv=N_FOLDS, refit=False).fit(
        X, Y
    )
    assert CALLS["fit"] == (2 + 1 + 1) * N_FOLDS


def test_what_fails_is_fitted_until_it_succeeds():
    grid = {"threshold": ["low", "high", 0.2, 0.5, 0.8]}
    search = DecisionGridSearchCV(
        FixedThresholdClassifier(Counting()), grid, cv=N_FOLDS, refit=False, error_score=0.0
    )
    with pytest.warns(FitFailedWarning, match="6 fits failed out of a total of 15"):
        search.fit(X, Y)
    assert CALLS["fit"] == N_FOLDS  # the wrong thresholds are refused before


@pytest.mark.parametrize("nested", [False, True])
def test_a_failed_decision_costs_no_fit(nested):
    estimator = BottomShare(Counting())
    grid = {"share": [0.95, 0.99, 0.5, 0.4]}
    if nested:
        estimator, grid = pipeline(estimator), {"clf__share": grid["share"]}
    search = DecisionGridSearchCV(estimator, grid, cv=N_FOLDS, refit=False, error_score=0.0)
    with pytest.warns(FitFailedWarning, match="6 fits failed out of a total of 12"):
        search.fit(X, Y)
    assert CALLS["fit"] == N_FOLDS


PROMISES = {
    "recall": (
        RecallThresholdClassifier(pipeline(Counting()), random_state=0),
        {"target_recall": [0.99, 0.5, 0.7, 0.9], "confidence": [0.5, 0.8, 0.99]},
        1,
    ),
    "optimum": (
        OptimalThresholdClassifier(pipeline(Counting()), cv=2, random_state=0),
        {"objective": ["f1", "youden", "unheard of", "mcc"]},
        2 + 1,
    ),
}


@pytest.mark.parametrize("name", PROMISES)
def test_our_classifiers_decide_again_from_stored_scores(name):
    model, grid, n_inner_fits = PROMISES[name]
    keywords = {"cv": N_FOLDS, "refit": False, "error_score": -1.0}
    keywords["scoring"] = ["recall", "roc_auc"]
    with pytest.warns(FitFailedWarning):
        expected = GridSearchCV(model, grid, **keywords).fit(X, Y)
    CALLS.clear()
    with pytest.warns(FitFailedWarning):
        actual = DecisionGridSearchCV(model, grid, **keywords).fit(X, Y)
    assert_same_search(expected, actual)
    assert CALLS["fit"] == n_inner_fits * N_FOLDS
    # of what it holds out, and of the test rows
    assert CALLS["predict_proba"] == (max(n_inner_fits - 1, 1) + 1) * N_FOLDS
