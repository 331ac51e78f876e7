import pickle
from copy import deepcopy

import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrecall.utils._responses import N_REMEMBERED, remembered_responses

X, Y = make_classification(100, 4, random_state=0)


class Counting(LogisticRegression):
    calls = 0

    def predict_proba(self, X):
        type(self).calls += 1
        return super().predict_proba(X)


@pytest.fixture(autouse=True)
def _nothing_counted():
    Counting.calls = 0


@pytest.fixture
def model():
    return FixedThresholdClassifier(Counting()).fit(X, Y)


def test_one_call_per_data_set(model):
    expected = model.predict_proba(X), model.predict_proba(X[:5])
    Counting.calls = 0
    head = X[:5]
    with remembered_responses(model, [model]):
        for _ in range(3):
            assert_array_equal(model.predict_proba(X), expected[0])
            assert_array_equal(model.predict_proba(head), expected[1])
        assert Counting.calls == 2
        assert model.estimator_.predict_proba.__name__ == "predict_proba"
    model.predict_proba(X)
    assert Counting.calls == 3
    assert "predict_proba" not in vars(model.estimator_)


def test_keywords_are_passed_on(model):
    with remembered_responses(model, [model]):
        for _ in range(2):
            model.estimator_.predict_proba(X=X)
    assert Counting.calls == 2


def test_the_least_recently_used_is_forgotten(model):
    with remembered_responses(model, [model]):
        for start in range(10):
            model.predict_proba(X)
            model.predict_proba(X[start:])
        assert Counting.calls == 11
        assert len(vars(model.estimator_)["predict_proba"]._known) == N_REMEMBERED


def test_a_changed_response_is_not_remembered(model):
    expected = model.predict_proba(X)
    with remembered_responses(model, [model]):
        model.predict_proba(X)[:] = -1
        assert_array_equal(model.predict_proba(X), expected)


def test_steps_before_the_deciding_one_keep_the_identity_of_their_output():
    pipeline = make_pipeline(StandardScaler(), FixedThresholdClassifier(Counting())).fit(X, Y)
    with remembered_responses(pipeline, [pipeline, pipeline[-1]]):
        assert pipeline[:-1].transform(X) is pipeline[0].transform(X)
        pipeline.predict(X)
        pipeline.set_params(fixedthresholdclassifier__threshold=0.9).predict(X)
    assert Counting.calls == 1


def test_what_decides_itself_is_not_remembered(model):
    with remembered_responses(model, [model]):
        flagged = [model.set_params(threshold=t).predict(X).sum() for t in (0.1, 0.5, 0.9)]
    assert flagged == sorted(flagged, reverse=True)
    assert flagged[0] > flagged[-1]


@pytest.mark.parametrize("copied", [deepcopy, lambda m: pickle.loads(pickle.dumps(m)), clone])
def test_copies_can_be_made_meanwhile(model, copied):
    with remembered_responses(model, [model]):
        expected = model.predict_proba(X)
        copy = copied(model)
        if copied is clone:
            assert not hasattr(copy, "estimator_")
        else:
            assert_array_equal(copy.predict_proba(X), expected)
            assert Counting.calls == 2


def test_a_frozen_model_is_reached_and_left_as_it_was():
    frozen = Counting().fit(X, Y)
    before = set(vars(frozen))
    model = FixedThresholdClassifier(FrozenEstimator(frozen)).fit(X, Y)
    for _ in range(2):
        with remembered_responses(model, [model]):
            model.predict(X)
            model.predict(X)
    assert Counting.calls == 2
    assert set(vars(frozen)) == before


def test_an_error_leaves_no_trace(model):
    with pytest.raises(ValueError, match="2 features"), remembered_responses(model, [model]):
        model.predict(X[:, :2])
    assert "predict_proba" not in vars(model.estimator_)
