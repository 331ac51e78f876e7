import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.preprocessing import StandardScaler

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.resampling import MetadataPipeline
from skrecall.threshold import (
    OptimalThresholdClassifier,
    PriorCorrectedClassifier,
    RecallThresholdClassifier,
    RejectOptionClassifier,
)
from skrecall.utils._row_metadata import (
    is_per_row,
    metadata_survives,
    refuse_params_of_scores,
    refuse_row_metadata,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.ones(3), True),
        (np.ones((3, 2)), True),
        (np.ones((2, 3)), False),
        (np.array(3), False),
        ([1, 2, 3], True),
        (pd.Series([1, 2]), False),
        ("abc", False),
        ({"a": 1, "b": 2, "c": 3}, False),
        (3, False),
        (None, False),
    ],
)
def test_is_per_row(value, expected):
    assert is_per_row(value, 3) is expected


def test_a_sampler_says_where_weights_go():
    refuse_row_metadata(SMOTE(), {})
    refuse_row_metadata(SMOTE(), {"sample_weight": None})
    message = r"SMOTE.fit_resample returns samples and labels, and sample_weight and groups would"
    with pytest.raises(TypeError, match=message):
        refuse_row_metadata(SMOTE(), {"sample_weight": [1, 2], "groups": [1, 1]})


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(400, weights=[0.8], random_state=0)
    return X, y, np.random.default_rng(0).random(400) + 0.5


def steps():
    return [
        ("scale", StandardScaler().set_fit_request(sample_weight="before")),
        ("sampler", SMOTE(random_state=0)),
        ("clf", LogisticRegression().set_fit_request(sample_weight=True)),
    ]


LOST = r"has one entry for each of the \d+ rows, and step 'sampler' of the Pipeline changes the .*"


def test_without_routing(data):
    X, _, weight = data
    with config_context(enable_metadata_routing=True):
        pipe = Pipeline(steps())
    for estimator, params in (
        (pipe, {"scale__sample_weight": weight, "clf__max_fun": 3}),
        (MetadataPipeline(pipe.steps), {"clf__sample_weight": weight}),
        (LogisticRegression(), {"sample_weight": weight}),
        (Pipeline([("clf", pipe[-1])]), {"clf__sample_weight": weight}),
    ):
        with metadata_survives(estimator, X, params):
            pass
    with (
        pytest.raises(ValueError, match=f"{LOST} step 'clf'. .*skrecall.resampling.MetadataPi"),
        metadata_survives(pipe, X, {"clf__sample_weight": weight}),
    ):
        pass


@config_context(enable_metadata_routing=True)
def test_with_routing(data):
    X, _, weight = data
    pipe = Pipeline(steps())
    for params in ({"before": weight}, {}):
        with metadata_survives(pipe, X, params):
            pass
    params = {"before": weight, "sample_weight": weight}
    with pytest.raises(ValueError, match=LOST), metadata_survives(pipe, X, params):
        pass


@config_context(enable_metadata_routing=True)
def test_our_meta_estimators_name_our_pipeline(data):
    X, y, weight = data
    theirs, ours = Pipeline(steps()), MetadataPipeline(steps())
    for pipe in (theirs, ours):
        pipe[-1].set_score_request(sample_weight=False)
    promise = RecallThresholdClassifier(theirs, target_recall=0.7, confidence=0.8)
    with pytest.raises(ValueError, match=f"sample_weight {LOST}MetadataPipeline, which resamples"):
        promise.fit(X, y, sample_weight=weight)
    assert promise.set_params(estimator=ours).fit(X, y, sample_weight=weight).threshold_ < 1
    # Equal numbers are no escape: the rows would be in another order.
    same = RandomOverSampler(sampling_strategy={0: int(np.sum(y == 0))}, random_state=0)
    promise.set_params(estimator=Pipeline([*steps()[:1], ("sampler", same), *steps()[2:]]))
    with pytest.raises(ValueError, match=LOST):
        promise.fit(X, y, sample_weight=weight)


@config_context(enable_metadata_routing=True)
def test_our_search_names_our_pipeline(data):
    X, y, weight = data

    scorer = make_scorer(recall_score).set_score_request(sample_weight=False)
    params = {"cv": 2, "scoring": scorer, "error_score": "raise"}

    def search(pipe):
        outer = FixedThresholdClassifier(pipe)
        return DecisionGridSearchCV(outer, {"threshold": [0.3, 0.5]}, **params)

    assert search(MetadataPipeline(steps())).fit(X, y, sample_weight=weight).best_score_ > 0
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(200,\), expected") as caught:
        search(Pipeline(steps())).fit(X, y, sample_weight=weight)
    assert "'estimator' is a Pipeline with a sampler, which changes" in caught.value.__notes__[0]
    assert "skrecall.resampling.MetadataPipeline" in caught.value.__notes__[0]
    pipe = Pipeline([*steps()[:2], ("clf", FixedThresholdClassifier(steps()[2][1]))])
    inside = DecisionGridSearchCV(pipe, {"clf__threshold": [0.3, 0.5]}, **params)
    with pytest.raises(ValueError, match=LOST):
        inside.fit(X, y, sample_weight=weight)


class TakesLengths(LogisticRegression):
    def fit(self, X, y, sample_weight=None, lengths=None, flag=None):
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X, lengths=None, flag=None):
        return super().predict_proba(X)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (TakesLengths(), "lengths"),
        (FrozenEstimator(TakesLengths()), "lengths"),
        (Pipeline([("scale", StandardScaler()), ("model", TakesLengths())]), "model__lengths"),
        (FixedThresholdClassifier(TakesLengths()), "lengths"),
    ],
    ids=["plain", "frozen", "pipeline", "wrapped"],
)
def test_parameters_that_scores_need_too_are_refused(estimator, name):
    X, entries = np.zeros((4, 2)), np.arange(4)
    with pytest.raises(ValueError, match=f"{name} has one entry for each of the 4 rows.*a list of"):
        refuse_params_of_scores(estimator, X, {name: entries})
    refuse_params_of_scores(estimator, X, {"sample_weight": entries, "flag": True})
    refuse_params_of_scores(estimator, X, {})


@pytest.mark.parametrize(
    "kind",
    [
        RecallThresholdClassifier,
        OptimalThresholdClassifier,
        PriorCorrectedClassifier,
        RejectOptionClassifier,
    ],
)
def test_no_decision_is_made_on_scores_without_their_parameters(kind):
    X, y = make_classification(400, 5, random_state=0)
    kind(TakesLengths()).fit(X, y, sample_weight=np.ones(400))
    with pytest.raises(ValueError, match="predict_proba of TakesLengths takes lengths as well"):
        kind(TakesLengths()).fit(X, y, lengths=np.full(400, 5))
