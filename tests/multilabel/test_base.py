import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrecall.multilabel import (
    BinaryRelevance,
    ClassifierChain,
    LabelPowerset,
    LabelSpacePartitionClassifier,
    ProbabilisticClassifierChain,
    StackedBinaryRelevance,
)
from skrecall.multilabel._base import CONSTANT_SCORE


def test_a_constant_label_has_the_largest_float32_as_score():
    X, Y = np.arange(6.0)[:, None], np.array([[0, 0, 1]] * 3 + [[1, 0, 1]] * 3)
    with pytest.warns(
        UserWarning, match=r"Labels \[1, 2\] have one value each in the 6 .* \[0, 1\]"
    ):
        fitted = BinaryRelevance(LogisticRegression()).fit(X, Y)
    scores = fitted.decision_function(X)
    assert_array_equal(scores[:, 1:], [[-CONSTANT_SCORE, CONSTANT_SCORE]] * 6)
    assert np.isfinite(scores[:, 2] - scores[:, 1]).all()


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_a_label_that_is_nowhere_known_is_said_to_be_so(container):
    X, Y = np.arange(6.0)[:, None], np.array([[0, -1, 1]] * 3 + [[1, -1, 1]] * 3)
    with pytest.warns(
        UserWarning,
        match=r"Labels \[1, 2\] have one value each, or no known value, in the 6 training rows, "
        r"\['unknown', 1\], and are predicted as that value, or as 0 where it is unknown",
    ) as caught:
        fitted = BinaryRelevance(LogisticRegression()).fit(X, container(Y))
    assert len(caught) == 1
    assert_array_equal(fitted.predict_proba(X)[:, 1:], [[0, 1]] * 6)


def test_samples_of_one_dimension_are_refused_after_a_fit_on_a_table():
    X = np.arange(12.0).reshape(6, 2)
    fitted = BinaryRelevance(LogisticRegression()).fit(X, np.array([[0, 1], [1, 0]] * 3))
    with pytest.raises(ValueError, match="Reshape your data"):
        fitted.predict(X[0])


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_all_labels_constant(container):
    X = np.arange(6.0)[:, None]
    with pytest.warns(UserWarning, match="one value each"):
        fitted = BinaryRelevance(LogisticRegression()).fit(X, container(np.tile([0, 1], (6, 1))))
    assert_array_equal(fitted.predict_proba(X[:2]), [[0, 1], [0, 1]])
    assert type(fitted.predict(X)) is type(container(np.eye(2)))


@pytest.mark.parametrize(
    "outer",
    [
        BinaryRelevance,
        LabelSpacePartitionClassifier,
        ProbabilisticClassifierChain,
        StackedBinaryRelevance,
    ],
)
def test_fit_parameters_reach_the_step_they_name_without_routing(outer):
    X, Y = make_multilabel_classification(60, n_classes=3, random_state=0)
    weight = np.random.default_rng(0).integers(1, 9, len(X)).astype(float)
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    seed = {"random_state": 0}
    fitted = outer(scaled, **seed).fit(X, Y, logisticregression__sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        scaled[0].set_fit_request(sample_weight=False)
        scaled[1].set_fit_request(sample_weight=True)
        expected = outer(scaled, **seed).fit(X, Y, sample_weight=weight)
        assert_array_equal(fitted.predict_proba(X), expected.predict_proba(X))
    assert np.abs(fitted.predict_proba(X) - outer(scaled, **seed).fit(X, Y).predict_proba(X)).any()


@pytest.mark.parametrize(
    "outer", [BinaryRelevance, ClassifierChain, LabelPowerset, StackedBinaryRelevance]
)
def test_a_regressor_inside_is_refused(outer):
    X, Y = make_multilabel_classification(20, n_classes=3, random_state=0)
    with pytest.raises(ValueError, match="needs a classifier, and Ridge is a regressor"):
        outer(Ridge()).fit(X, Y)


def test_a_first_batch_of_one_class_asks_for_both():
    X = np.arange(6.0)[:, None]
    fitted = BinaryRelevance(SGDClassifier()).partial_fit(X, np.zeros(6, dtype=int))
    with pytest.raises(ValueError, match=r"y holds \[1\], and the classes are \[0\]: pass both"):
        fitted.partial_fit(X, np.ones(6, dtype=int))
