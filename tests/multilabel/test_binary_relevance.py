import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.preprocessing import StandardScaler

from skrecall.multilabel import BinaryRelevance, MultilabelLogisticRegression
from skrecall.threshold import RecallThresholdClassifier


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(300, n_features=8, n_classes=4, random_state=0)


@pytest.mark.parametrize(
    "model", [BinaryRelevance(SGDClassifier(random_state=0)), MultilabelLogisticRegression()]
)
def test_labels_coded_by_sign_are_refused_but_in_a_batch(data, model):
    X, Y = data
    with pytest.raises(
        ValueError, match=r"1 and -1 and no 0: -1 means unknown here. Pass \(Y == 1"
    ):
        model.fit(X, 2 * Y - 1)
    if hasattr(model, "partial_fit"):
        model.partial_fit(X, 2 * Y - 1)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_error_of_a_label_says_which(data, n_jobs):
    X, Y = data
    Y = pd.DataFrame(Y, columns=["a", "b", "rare", "d"])
    Y["rare"] = np.arange(len(Y)) < 3
    model = BinaryRelevance(make_pipeline(SMOTE(), LogisticRegression()), n_jobs=n_jobs)
    with pytest.raises(ValueError, match="n_neighbors") as raised:
        model.fit(X, Y)
    assert raised.value.__notes__ == ["while fitting label 'rare' (3 positives of 300 known rows)"]


def test_equals_scikit_learn_label_by_label(data):
    X, Y = data
    ours = BinaryRelevance(LogisticRegression()).fit(X, Y)
    theirs = MultiOutputClassifier(LogisticRegression()).fit(X, Y)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    proba = np.column_stack([p[:, 1] for p in theirs.predict_proba(X)])
    assert_allclose(ours.predict_proba(X), proba)


def test_a_sampler_inside_sees_one_label_at_a_time(data):
    X, Y = data
    model = make_pipeline(SMOTE(random_state=0), LogisticRegression())
    proba = BinaryRelevance(model).fit(X, Y).predict_proba(X)
    for label in range(Y.shape[1]):
        assert_allclose(proba[:, label], model.fit(X, Y[:, label]).predict_proba(X)[:, 1])


def test_unknown_labels_are_left_out_for_their_label(data):
    X, Y = data
    known = np.random.default_rng(0).random(Y.shape) > 0.3
    fitted = BinaryRelevance(LogisticRegression()).fit(X, np.where(known, Y, np.nan))
    for label, estimator in enumerate(fitted.estimators_):
        rows = known[:, label]
        expected = LogisticRegression().fit(X[rows], Y[rows, label])
        assert_allclose(estimator.coef_, expected.coef_)
    with pytest.warns(UserWarning, match=r"Labels \[0\] have one value"):
        BinaryRelevance(LogisticRegression()).fit(X, np.c_[np.full(len(X), np.nan), Y])


def test_weights_per_sample_and_per_label(data):
    X, Y = data
    weight = np.random.default_rng(0).integers(0, 3, Y.shape).astype(float)
    fitted = BinaryRelevance(LogisticRegression()).fit(X, Y, sample_weight=weight)
    for label, estimator in enumerate(fitted.estimators_):
        expected = LogisticRegression().fit(X, Y[:, label], sample_weight=weight[:, label])
        assert_allclose(estimator.coef_, expected.coef_)
    unknown = np.where(weight[:, :1] == 0, np.nan, Y)
    fitted = BinaryRelevance(LogisticRegression()).fit(X, unknown, sample_weight=weight[:, 0])
    expected = LogisticRegression().fit(X, Y[:, 1], sample_weight=weight[:, 0])
    assert_allclose(fitted.estimators_[1].coef_, expected.coef_, rtol=1e-4)
    with pytest.raises(ValueError, match="sample_weight has 3 columns for 4 labels"):
        BinaryRelevance(LogisticRegression()).fit(X, Y, sample_weight=weight[:, :3])


def test_weights_are_routed_into_a_pipeline(data):
    X, Y = data
    weight = np.random.default_rng(0).integers(1, 3, len(X)).astype(float)
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        model = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), inner)
        fitted = BinaryRelevance(model).fit(X, Y, sample_weight=weight)
        expected = model.fit(X, Y[:, 0], sample_weight=weight)
    assert_allclose(fitted.predict_proba(X)[:, 0], expected.predict_proba(X)[:, 1])


def test_partial_fit_takes_labels_that_are_constant_in_a_batch(data):
    X, Y = data
    order = np.argsort(Y[:, 0], kind="stable")  # label 0 is constant in both batches
    X, Y = X[order], Y[order]
    half = np.flatnonzero(Y[:, 0])[0]
    model = BinaryRelevance(SGDClassifier(loss="log_loss"), random_state=0)
    model.partial_fit(X[:half], Y[:half]).partial_fit(X[half:], csr_array(Y[half:]))
    seed = model.estimators_[0].random_state
    alone = SGDClassifier(loss="log_loss", random_state=seed)
    alone.partial_fit(X[:half], Y[:half, 0], classes=[0, 1]).partial_fit(X[half:], Y[half:, 0])
    assert_allclose(model.predict_proba(X)[:, 0], alone.predict_proba(X)[:, 1])
    with pytest.raises(ValueError, match="Y has 3 labels, and the first batch had 4"):
        model.partial_fit(X, Y[:, :3])


def test_partial_fit_of_words():
    X = np.arange(10.0)[:, None]
    model = BinaryRelevance(SGDClassifier(random_state=0))
    model.partial_fit(X[:5], np.full(5, "ham"), classes=["ham", "spam"])
    model.partial_fit(X[5:], np.full(5, "spam"))
    assert set(model.predict(X)) <= {"ham", "spam"}
    with pytest.raises(ValueError, match=r"y holds \['egg'\]"):
        model.partial_fit(X, np.full(10, "egg"))


def test_predict_asks_the_predict_of_a_promise_inside():
    X, Y = make_multilabel_classification(1500, n_features=8, n_classes=2, random_state=0)
    promise = RecallThresholdClassifier(LogisticRegression(), target_recall=0.9, random_state=0)
    fitted = BinaryRelevance(promise).fit(X, Y)
    expected = np.column_stack([e.predict(X) for e in fitted.estimators_])
    assert_array_equal(fitted.predict(X), expected)
    assert (fitted.predict(X) != (fitted.predict_proba(X) >= 0.5)).any()


def test_texts_and_images_pass_through_to_the_estimator():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import FunctionTransformer

    texts = ["red car", "blue car", "red boat", "blue boat"] * 5
    Y = np.array([[1, 1], [0, 1], [1, 0], [0, 0]] * 5)
    words = BinaryRelevance(make_pipeline(CountVectorizer(), LogisticRegression())).fit(texts, Y)
    assert_array_equal(words.predict(texts), Y)
    images = np.repeat(Y, 8, axis=1).reshape(20, 1, 4, 4) + 0.0
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    assert_array_equal(
        BinaryRelevance(make_pipeline(flat, LogisticRegression())).fit(images, Y).predict(images), Y
    )


def test_sparse_labels_stay_sparse_and_frames_keep_names(data):
    X, Y = data
    fitted = BinaryRelevance(LogisticRegression()).fit(csr_array(X), csr_array(Y))
    assert issparse(fitted.predict(csr_array(X)))
    named = pd.DataFrame(Y, columns=list("abcd")).astype(bool)
    predicted = BinaryRelevance(LogisticRegression()).fit(X, named).predict(X)
    assert set(predicted.dtypes) == {np.dtype(bool)}
