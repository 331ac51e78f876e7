import pickle

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ImblearnPipeline
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from skrecall.utils._decision import (
    decide,
    decision_params,
    decision_path,
    explain_undeclared,
    iter_estimators,
    lacks_decision_only,
    refit_decision,
)
from tests.model_selection.test_decision_search import BottomShare

X, Y = make_classification(100, 4, random_state=0)


def fixed(threshold=0.5):
    return FixedThresholdClassifier(LogisticRegression(), threshold=threshold)


def nested():
    voting = VotingClassifier([("a", fixed()), ("b", GaussianNB())], weights=[1, 1])
    return Pipeline([("outer", FixedThresholdClassifier(CalibratedClassifierCV(voting)))])


def test_declared_names():
    assert decision_params(fixed()) == ("threshold", "pos_label", "response_method")
    assert decision_params(VotingClassifier([])) == ("weights", "voting", "flatten_transform")
    assert decision_params(BottomShare(GaussianNB())) == ("share",)
    assert decision_params(GaussianNB()) == ()
    assert decision_params("passthrough") == ()


def test_all_estimators_with_their_prefixes():
    prefixes = [prefix for prefix, _ in iter_estimators(Pipeline([("clf", fixed())]))]
    assert prefixes == ["", "clf__", "clf__estimator__"]


@pytest.mark.parametrize("pipeline", [Pipeline, ImblearnPipeline])
def test_path_over_parameters_and_over_what_was_fitted(pipeline):
    voting = VotingClassifier([("a", fixed()), ("b", GaussianNB())])
    estimator = pipeline([("clf", voting)])
    assert decision_path(estimator, "clf__a__threshold") == [
        estimator,
        voting,
        voting.estimators[0][1],
    ]
    assert decision_path(estimator, "clf__a__threshold", fitted=True) is None
    estimator.fit(X, Y)
    path = decision_path(estimator, "clf__a__threshold", fitted=True)
    assert path[-1] is voting.estimators_[0]
    assert decision_path(estimator, "clf__weights", fitted=True) == [estimator, voting]


@pytest.mark.parametrize(
    ("estimator", "name", "reason"),
    [
        (fixed(), "estimator__C", "LogisticRegression declares none."),
        (GaussianNB(), "var_smoothing", "GaussianNB declares none."),
        (
            nested(),
            "outer__estimator__estimator__weights",
            "what holds that estimator in this Pipeline is fitted on its decisions",
        ),
        (
            Pipeline([("clf", fixed()), ("last", GaussianNB())]),
            "clf__threshold",
            "acts after the fit of FixedThresholdClassifier, but what holds that estimator",
        ),
    ],
)
def test_what_acts_while_fitting_has_no_path(estimator, name, reason):
    assert decision_path(estimator, name) is None
    assert reason in explain_undeclared(estimator, name)


def test_decide_is_fit_with_other_values():
    grid = {"clf__a__threshold": 0.9, "clf__weights": [3, 1]}
    voting = VotingClassifier([("a", fixed()), ("b", GaussianNB())])
    fitted = ImblearnPipeline([("sample", SMOTE(random_state=0)), ("clf", voting)]).fit(X, Y)
    before = fitted.predict(X)
    inner = fitted[-1].estimators_[0].estimator_
    decide(fitted, grid)
    assert fitted[-1].estimators_[0].estimator_ is inner
    assert {name: fitted.get_params()[name] for name in grid} == grid
    voting = VotingClassifier([("a", fixed(0.9)), ("b", GaussianNB())], weights=[3, 1])
    expected = ImblearnPipeline([("sample", SMOTE(random_state=0)), ("clf", voting)]).fit(X, Y)
    assert_array_equal(fitted.predict(X), expected.predict(X))
    assert not np.array_equal(fitted.predict(X), before)


def test_refit_decision_refuses_what_fit_refuses():
    voting = VotingClassifier([("a", fixed()), ("b", GaussianNB())]).fit(X, Y)
    with pytest.raises(ValueError, match="has 2 estimators but 3 weights"):
        refit_decision(voting.set_params(weights=[1, 2, 3]))
    with pytest.raises(ValueError, match="'voting' parameter of VotingClassifier must be"):
        decide(voting, {"weights": None, "voting": "loud"})
    with pytest.raises(ValueError, match="'threshold' parameter of FixedThresholdClassifier"):
        decide(fixed().fit(X, Y), {"threshold": "high"})


def test_nothing_is_decided_in_silence():
    model = BottomShare(GaussianNB(), share=0.2).fit(X, Y)
    expected = model.predict(X)
    model.set_params(share=0.6)
    with pytest.raises(ValueError, match=r"share was set to 0.6 .* decided with 0.2"):
        model.predict(X)
    model.set_params(share=0.95)
    with pytest.raises(ValueError, match="No rows are left"):
        model.refit_decision()
    for undecided in (model, pickle.loads(pickle.dumps(model))):
        with pytest.raises(ValueError, match="could not decide with its last parameters"):
            undecided.predict(X)
    assert_array_equal(model.set_params(share=0.2).refit_decision().predict(X), expected)


def test_a_fit_that_lacks_its_decision_only():
    model = BottomShare(GaussianNB(), share=0.95)
    pipeline = Pipeline([("clf", BottomShare(GaussianNB(), share=0.95))])
    voting = VotingClassifier([("a", BottomShare(GaussianNB(), share=0.95))])
    for estimator, name, lacks in [
        (model, "share", True),
        (pipeline, "clf__share", True),
        (voting, "a__share", False),
    ]:
        assert not lacks_decision_only(estimator, [name])
        with pytest.raises(ValueError, match="No rows are left"):
            estimator.fit(X, Y)
        assert lacks_decision_only(estimator, [name]) is lacks
    assert not lacks_decision_only(model.set_params(share=0.5).fit(X, Y), ["share"])
    assert not lacks_decision_only(fixed().fit(X, Y), ["threshold"])
