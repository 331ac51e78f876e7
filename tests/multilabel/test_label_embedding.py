import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from skrecall.multilabel import LabelEmbeddingClassifier


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(
        300, n_features=10, n_classes=6, n_labels=3, random_state=0
    )


@pytest.mark.parametrize("embedding", ["pca", "cca"])
def test_all_components_of_a_linear_model_are_one_regression_per_label(data, embedding):
    X, Y = data
    model = LabelEmbeddingClassifier(LinearRegression(), embedding=embedding).fit(X, Y)
    expected = LinearRegression().fit(X, Y).predict(X)
    assert_allclose(model.decision_function(X), expected - 0.5, atol=1e-10)
    assert_array_equal(model.predict(X), expected > 0.5)
    assert_allclose(model.components_ @ model.components_.T, np.eye(6), atol=1e-12)


def test_pca_is_scikit_learn_s_pca_of_the_labels(data):
    X, Y = data
    model = LabelEmbeddingClassifier(Ridge(), embedding="pca", n_components=3).fit(X, Y)
    pca = PCA(3).fit(Y)
    expected = pca.inverse_transform(Ridge().fit(X, pca.transform(Y)).predict(X))
    assert_allclose(model.decision_function(X), expected - 0.5, atol=1e-10)


@pytest.mark.parametrize("n_components", [1, 2, 3, 4])
def test_cca_loses_least_to_a_linear_model(data, n_components):
    """The theorem of Chen and Lin: of all projections, the least squared error in training."""
    X, Y = data
    error = {}
    for embedding in ("pca", "cca"):
        model = LabelEmbeddingClassifier(
            LinearRegression(), embedding=embedding, n_components=n_components, alpha=0.0
        ).fit(X, Y)
        error[embedding] = ((model.decision_function(X) + 0.5 - Y) ** 2).sum()
    assert error["cca"] < error["pca"]
    rng = np.random.default_rng(0)
    centred = Y - Y.mean(axis=0)
    for _ in range(20):
        basis = np.linalg.qr(rng.standard_normal((6, n_components)))[0]
        fitted = LinearRegression().fit(X, centred @ basis).predict(X)
        fitted = fitted.reshape(len(X), -1) @ basis.T
        assert error["cca"] <= ((fitted - centred) ** 2).sum() + 1e-9


@pytest.mark.parametrize("cost", ["fbeta", "jaccard", "hamming"])
def test_clems_predicts_the_set_of_rows_that_are_known_by_heart(data, cost):
    X, Y = data
    model = LabelEmbeddingClassifier(DecisionTreeRegressor(), cost=cost, random_state=0)
    predicted = model.fit(X, Y).predict(X)
    # Of the point of a truth, the point of the same set as a prediction is the nearest.
    assert (predicted == Y).all(axis=1).mean() > 0.95
    assert_array_equal(model.decision_function(X) > 0, predicted)
    seen = {tuple(row) for row in Y}
    assert {tuple(row) for row in model.predict(X + 3)} <= seen


def test_beta_makes_misses_dearer(data):
    X, Y = data
    recall, size = {}, {}
    for beta in (0.3, 1.0, 3.0):
        forest = RandomForestRegressor(20, min_samples_leaf=5)
        model = LabelEmbeddingClassifier(forest, beta=beta, random_state=0).fit(X[:200], Y[:200])
        predicted = model.predict(X[200:])
        recall[beta] = recall_score(Y[200:], predicted, average="micro")
        size[beta] = predicted.sum()
    assert recall[0.3] < recall[1.0] < recall[3.0]
    assert size[0.3] < size[1.0] < size[3.0]


def test_a_cost_of_one_s_own(data):
    X, Y = data

    def hamming(Y_true, Y_pred):
        return (Y_true[:, None] != Y_pred).mean(axis=2)

    named = LabelEmbeddingClassifier(Ridge(), cost="hamming").fit(X, Y)
    own = LabelEmbeddingClassifier(Ridge(), cost=hamming).fit(X, Y)
    assert_array_equal(own.predict(X), named.predict(X))
    with pytest.raises(ValueError, match=r"cost returned shape \(\d+,\) for \d+ true and as many"):
        LabelEmbeddingClassifier(Ridge(), cost=lambda a, b: np.zeros(len(a))).fit(X, Y)
    with pytest.raises(ValueError, match="cost returned -1 for the lowest cost and 1 for"):
        LabelEmbeddingClassifier(Ridge(), cost=lambda a, b: -hamming(a, b) - 1 + hamming(a, b)).fit(
            X, Y
        )


def test_cca_says_that_it_needs_numbers_itself(data):
    X, Y = data
    frame = pd.DataFrame(X).add_prefix("x").assign(town=np.where(X[:, 0] > 0, "a", "b"))
    encoder = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    model = LabelEmbeddingClassifier(make_pipeline(encoder, Ridge()), embedding="cca")
    with pytest.raises(
        ValueError, match="turn X into finite numbers in a Pipeline before this classifier, or"
    ):
        model.fit(frame, Y)
    assert model.set_params(embedding="pca").fit(frame, Y).predict(frame).shape == Y.shape
    outside = make_pipeline(encoder, LabelEmbeddingClassifier(Ridge(), embedding="cca"))
    assert outside.fit(frame, Y).predict(frame).shape == Y.shape


def test_weights_reach_the_regressor(data):
    X, Y = data
    weight = np.arange(len(X)) % 3.0
    model = LabelEmbeddingClassifier(Ridge(), embedding="pca").fit(X, Y, sample_weight=weight)
    expected = Ridge().fit(X, Y, sample_weight=weight).predict(X)
    assert_allclose(model.decision_function(X), expected - 0.5, atol=1e-10)


@pytest.mark.parametrize("embeddings", [("clems", "pca"), ("pca", "clems")])
def test_what_was_fitted_decodes_whatever_is_set_later(data, embeddings):
    X, Y = data
    before, later = embeddings
    model = LabelEmbeddingClassifier(Ridge(), embedding=later).fit(X, Y)
    model.set_params(embedding=before).fit(X, Y)
    expected, scores = model.predict(X), model.decision_function(X)
    model.set_params(embedding=later)
    assert_array_equal(model.predict(X), expected)
    assert_array_equal(model.decision_function(X), scores)


def test_blocks_of_rows_change_nothing(data, monkeypatch):
    X, Y = data
    model = LabelEmbeddingClassifier(Ridge()).fit(X, Y)
    expected = model.decision_function(X)
    monkeypatch.setattr("skrecall.multilabel._label_embedding._ROWS", 7)
    assert_array_equal(model.decision_function(X), expected)
