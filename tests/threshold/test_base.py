import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags

from skrecall.threshold._base import BaseDecisionClassifier, BaseWrappingClassifier

X, Y = make_classification(100, 5, random_state=0)


class Plain(BaseDecisionClassifier):
    """Decides as the estimator inside does."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, **params):
        self.estimator_ = clone(self.estimator).fit(X, y, **self._route_fit_params(params, {}))
        self.classes_ = self.estimator_.classes_
        return self


class NoScores(BaseWrappingClassifier):
    def __init__(self, estimator):
        self.estimator = estimator


def test_scores_are_those_of_the_estimator_inside():
    model, inner = Plain(LogisticRegression()).fit(X, Y), LogisticRegression().fit(X, Y)
    assert_array_equal(model.predict_proba(X), inner.predict_proba(X))
    assert_array_equal(model.decision_function(X), inner.decision_function(X))
    assert model.n_features_in_ == 5
    with pytest.raises(NotFittedError):
        Plain(LogisticRegression()).predict_proba(X)


def test_only_scores_that_the_estimator_inside_has_are_offered():
    assert not hasattr(Plain(LinearSVC()), "predict_proba")
    assert hasattr(Plain(LinearSVC()), "decision_function")
    assert not hasattr(NoScores(LogisticRegression()), "decision_function")
    assert not hasattr(Plain(LogisticRegression()), "n_features_in_")


def test_input_tags_are_those_of_the_estimator_inside():
    assert get_tags(Plain(HistGradientBoostingClassifier())).input_tags.allow_nan
    assert not get_tags(Plain(HistGradientBoostingClassifier())).input_tags.sparse
    assert get_tags(Plain(LogisticRegression())).input_tags.sparse


def test_as_many_classes_as_the_estimator_inside_takes():
    two_only = FixedThresholdClassifier(LogisticRegression())
    assert get_tags(Plain(LogisticRegression())).classifier_tags.multi_class
    assert not get_tags(Plain(two_only)).classifier_tags.multi_class


def test_fit_parameters_are_routed_where_routing_is_enabled():
    weight = np.arange(100.0)
    expected = LogisticRegression().fit(X, Y, sample_weight=weight).coef_
    passed = Plain(LogisticRegression()).fit(X, Y, sample_weight=weight)
    assert_array_equal(passed.estimator_.coef_, expected)
    with config_context(enable_metadata_routing=True):
        asking = LogisticRegression().set_fit_request(sample_weight=True)
        routed = Plain(asking).fit(X, Y, sample_weight=weight)
        assert_array_equal(routed.estimator_.coef_, expected)
        with pytest.raises(UnsetMetadataPassedError):
            Plain(LogisticRegression()).fit(X, Y, sample_weight=weight)
