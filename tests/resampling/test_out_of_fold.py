import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Perceptron, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC, LinearSVC

from skrecall.resampling._out_of_fold import class_folds, out_of_fold


def make_rows(n_classes=2, n_samples=90):
    rng = np.random.RandomState(0)
    y = np.arange(n_samples) % n_classes
    return rng.normal(size=(n_samples, 3)) + y[:, np.newaxis], y


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_each_row_is_answered_by_a_model_that_did_not_see_it(n_classes, method):
    X, y = make_rows(n_classes)
    y = np.array(["b", "a", "c"])[y]
    cv = StratifiedKFold(3, shuffle=True, random_state=1)
    estimator = LogisticRegression()
    actual = out_of_fold(
        estimator, X, y, cv=cv, method=method, n_jobs=1, rng=np.random.RandomState(0)
    )
    for fit, held_out in cv.split(X, y):
        expected = getattr(LogisticRegression().fit(X[fit], y[fit]), method)(X[held_out])
        if expected.ndim == 1 and method == "decision_function":
            expected = np.column_stack([-expected, expected])
        if method == "predict":
            assert_array_equal(actual[held_out], expected)
        else:
            assert_allclose(actual[held_out], expected)
    assert not hasattr(estimator, "coef_")


def test_same_seed_same_answers():
    X, y = make_rows()
    estimator = RandomForestClassifier(5)
    one, other = (
        out_of_fold(
            estimator,
            X,
            y,
            cv=class_folds(3, y, np.random.RandomState(5)),
            method="predict_proba",
            n_jobs=1,
            rng=np.random.RandomState(2),
        )
        for _ in range(2)
    )
    assert_array_equal(one, other)


def test_folds_are_shuffled_and_stratified():
    y = np.repeat([0, 1], [80, 20])
    splits = list(class_folds(None, y, np.random.RandomState(0)).split(y, y))
    assert len(splits) == 5
    for _, held_out in splits:
        assert_array_equal(np.bincount(y[held_out]), [16, 4])
        assert np.any(np.diff(held_out) > 5)
    splitter = StratifiedKFold(4)
    assert class_folds(splitter, y, np.random.RandomState(0)) is splitter


def test_a_class_with_fewer_rows_than_folds_is_named():
    y = np.array(["healthy"] * 20 + ["tumour"] * 3)
    with pytest.raises(ValueError, match=r"cv=5 .* 'tumour' has 3: set cv to 3 at most"):
        class_folds(5, y, np.random.RandomState(0))
    with pytest.raises(ValueError, match="'tumour' has 1: a class of one row cannot be scored"):
        class_folds(2, y[:21], np.random.RandomState(0))


class NotANumber(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]

    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def test_answers_that_are_of_no_use_are_refused():
    X, y = make_rows()
    params = {"cv": StratifiedKFold(3), "n_jobs": 1, "rng": np.random.RandomState(0)}
    for estimator, kind in [(Ridge(), "a regressor"), (IsolationForest(), "an outlier detector")]:
        with pytest.raises(ValueError, match=f"is {kind}, which predicts no labels: pass a class"):
            out_of_fold(estimator, X, y, method="predict", **params)
    for estimator in (Perceptron(), LinearSVC()):
        with pytest.raises(ValueError, match=r"has no predict_proba: .* CalibratedClassifierCV"):
            out_of_fold(estimator, X, y, method="predict_proba", **params)
    with pytest.raises(ValueError, match="NotANumber gave 180 scores that are NaN or infinite in"):
        out_of_fold(NotANumber(), X, y, method="predict_proba", **params)
    pairs = SVC(decision_function_shape="ovo")
    for n_classes, n_pairs in [(3, 3), (4, 6)]:
        X, y = make_rows(n_classes, 24)
        with pytest.raises(ValueError, match=rf"{n_pairs} scores per sample for {n_classes} .*ovr"):
            out_of_fold(pairs, X, y, method="decision_function", **params)
    out_of_fold(pairs, X, y, method="predict", **params)
    X, y = make_rows(2, 24)
    out_of_fold(pairs, X, y, method="decision_function", **params)
