"""Held-out scores of several labels, of every kind of multi-label estimator."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrecall.multilabel import BinaryRelevance
from skrecall.threshold._label_evidence import (
    FittedLabels,
    LabelEvidence,
    fit_and_score_labels,
    fit_labels,
    is_ours,
    last_step,
    named,
)
from skrecall.utils._multilabel_target import CONSTANT_SCORE

X, Y = make_multilabel_classification(90, 6, n_classes=3, n_labels=2, random_state=0)
LOGISTIC = LogisticRegression(max_iter=1000)


def by_hand(rows=slice(None), column=0):
    return LOGISTIC.fit(X[rows], Y[rows, column])


@pytest.mark.parametrize(
    "estimator",
    [
        MultiOutputClassifier(LOGISTIC),
        OneVsRestClassifier(LOGISTIC),
        BinaryRelevance(LOGISTIC),
        make_pipeline(StandardScaler(with_mean=False, with_std=False), BinaryRelevance(LOGISTIC)),
    ],
)
def test_every_shape_of_probabilities(estimator):
    fitted = fit_labels(estimator, X, Y.astype(np.int8), None, {})
    y_score = fitted.scores(X, "auto")
    for k in range(3):
        assert_allclose(y_score[:, k], by_hand(column=k).predict_proba(X)[:, 1], rtol=1e-6)


def test_lists_and_decisions():
    forest = RandomForestClassifier(5, random_state=0)
    fitted = fit_labels(forest, X, Y.astype(np.int8), None, {})
    expected = np.column_stack([proba[:, 1] for proba in forest.predict_proba(X)])
    assert_array_equal(fitted.scores(X, "auto"), expected)
    chain = ClassifierChain(RidgeClassifier())
    fitted = fit_labels(chain, X, Y.astype(np.int8), None, {})
    assert_array_equal(fitted.scores(X, "decision_function"), chain.decision_function(X))


@pytest.mark.parametrize("inner", [MultiOutputClassifier, BinaryRelevance])
def test_labels_that_are_constant_in_the_rows(inner):
    rows, constant = np.arange(40), Y.astype(np.int8)
    constant[:40, 1] = 1
    with warnings.catch_warnings(action="error"):
        fitted = fit_labels(inner(LOGISTIC), X, constant, rows, {})
        y_score = fitted.scores(X, "predict_proba")
        one = constant.copy()
        one[:40, 2] = 0
        single = fit_labels(inner(LOGISTIC), X, one, rows, {}).scores(X, "predict_proba")
        none = np.tile([0, 1, 0], (90, 1)).astype(np.int8)
        nothing = fit_labels(inner(LOGISTIC), X, none, rows, {})
    assert_allclose(y_score[:, 0], by_hand(rows, 0).predict_proba(X)[:, 1], rtol=1e-6)
    assert_allclose(y_score[:, 2], by_hand(rows, 2).predict_proba(X)[:, 1], rtol=1e-6)
    assert_array_equal(y_score[:, 1], 1)
    assert_allclose(single[:, 0], by_hand(rows, 0).predict_proba(X)[:, 1], rtol=1e-6)
    assert_array_equal(single[:, 1:], np.tile([1, 0], (90, 1)))
    assert nothing.estimator is None
    assert_array_equal(nothing.scores(X, "predict_proba"), none)


def test_a_constant_label_has_the_lowest_decision():
    fitted = fit_labels(
        ClassifierChain(RidgeClassifier()), X, (Y * [1, 0, 1]).astype(np.int8), None, {}
    )
    assert_array_equal(fitted.scores(X, "decision_function")[:, 1], -CONSTANT_SCORE)


def test_folds_are_pooled_in_order():
    folds = [(np.arange(0, 60), np.arange(60, 90)), (np.arange(30, 90), np.arange(0, 30))]
    fitted, y_score = fit_and_score_labels(
        MultiOutputClassifier(LOGISTIC),
        X,
        Y.astype(np.int8),
        folds,
        response_method="auto",
        fit_params={},
    )
    for k in range(3):
        for part, (fit_rows, held_out) in zip(np.split(y_score, 2), folds, strict=True):
            expected = by_hand(fit_rows, k).predict_proba(X[held_out])[:, 1]
            assert_allclose(part[:, k], expected, rtol=1e-6)
    everything = by_hand(column=2).predict_proba(X)[:, 1]
    assert_allclose(fitted.scores(X, "auto")[:, 2], everything, rtol=1e-6)


class Answers(ClassifierMixin, BaseEstimator):
    """Answers with what it was given."""

    def __init__(self, answer):
        self.answer = answer

    def fit(self, X, y):
        return self

    def decision_function(self, X):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.ones((4, 3)), r"shape \(4, 3\) for 2 labels"),
        (np.ones(4), r"shape \(4, 1\) for 2 labels"),
        (np.array([[0.1, np.nan]] * 4), "gave 4 scores that are NaN or infinite in 4 samples"),
    ],
)
def test_what_is_no_score_is_refused(answer, message):
    fitted = FittedLabels(Answers(answer), np.full(2, np.nan), np.arange(2))
    with pytest.raises(ValueError, match=message):
        fitted.scores(np.zeros((4, 1)), "auto")


def test_ours_are_recognised_in_a_pipeline():
    ours = BinaryRelevance(LOGISTIC)
    assert is_ours(make_pipeline(StandardScaler(), FrozenEstimator(ours)))
    assert last_step(make_pipeline(StandardScaler(), ours)) is ours
    assert not is_ours(MultiOutputClassifier(LOGISTIC))


def test_counts_of_the_evidence():
    evidence = LabelEvidence(
        Y=np.array([[1, 0], [0, -1], [1, -1], [0, 1]], dtype=np.int8),
        y_score=np.arange(8.0).reshape(4, 2),
        names=np.arange(2),
        weight=None,
        is_empirical=False,
        has_groups=False,
        held_out_share=1.0,
        seed=0,
    )
    assert_array_equal(evidence.n_positives, [2, 1])
    assert_array_equal(evidence.prevalence, [0.5, 0.5])
    positive, y_score = evidence.known(1)
    assert_array_equal(positive, [False, True])
    assert_array_equal(y_score, [1, 7])


def test_ten_labels_are_shown_and_the_others_counted():
    assert named(np.array(["a", "b"])) == "['a', 'b']"
    assert named(np.arange(10)) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
    assert named(np.arange(30)) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 20 more]"
