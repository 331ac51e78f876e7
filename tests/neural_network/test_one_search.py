"""Loss, learning rate, resampler and threshold of every image estimator in one ordinary search."""

import pickle

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV

from skrecall.ensemble import SoftVotingClassifier
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.multilabel import BinaryRelevance
from skrecall.neural_network import (
    CNNClassifier,
    DistilledClassifier,
    ImageSequenceClassifier,
    MultilabelCNNClassifier,
)
from skrecall.resampling import ArraySampler
from skrecall.threshold import MultilabelThresholdClassifier, RecallThresholdClassifier

NET = {"max_epochs": 2, "lr": 0.01, "batch_size": 16, "device": "cpu", "n_threads": 1}
CNN = CNNClassifier(**NET)


@pytest.fixture(scope="module")
def images():
    """Noise in bytes; one image in five has a bright spot, and half of these a second one."""
    rng = np.random.default_rng(0)
    y = (np.arange(160) % 5 == 0).astype(int)
    Y = np.column_stack([y, np.arange(160) % 10 == 0]).astype(int)
    images = rng.integers(0, 120, (160, 1, 8, 8)).astype(np.uint8)
    images[Y[:, 0] == 1, :, 1:4, 1:4] += 120
    images[Y[:, 1] == 1, :, 5:, 5:] += 120
    return images, y, Y


def searched(model, grid, X, y, **params):
    search = GridSearchCV(model, grid, cv=2, error_score="raise", **params).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    return search


def test_loss_rate_resampler_and_threshold_of_a_pipeline(images):
    X, y, _ = images
    model = Pipeline(
        [
            ("sampler", ArraySampler(SMOTE(random_state=0))),
            ("net", FixedThresholdClassifier(CNN, response_method="predict_proba")),
        ]
    )
    grid = {
        "sampler": [None, ArraySampler(SMOTE(k_neighbors=3, random_state=0))],
        "net__estimator__loss": ["cross_entropy", "logit_adjusted"],
        "net__estimator__lr": [0.003, 0.01],
        "net__threshold": [0.3, 0.5],
    }
    model.set_params(net__estimator__random_state=0)
    one, two = (searched(model, grid, X, y, scoring="recall", n_jobs=n) for n in (1, 2))
    assert len(one.cv_results_["params"]) == 16
    assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    again = pickle.loads(pickle.dumps(two))
    assert_array_equal(again.predict_proba(X), one.predict_proba(X))


def test_a_promised_recall_is_searched_without_training_anew(images):
    X, y, _ = images
    pipeline = Pipeline(
        [("sampler", ArraySampler(RandomOverSampler(random_state=0))), ("net", CNN)]
    )
    model = RecallThresholdClassifier(pipeline, confidence=0.6, random_state=0)
    grid = {"estimator__net__loss": ["focal", "logit_adjusted"], "target_recall": [0.5, 0.6]}
    search = DecisionGridSearchCV(model, grid, scoring="precision", cv=2, n_jobs=2).fit(X, y)
    assert search.best_estimator_.promises_[0].target_recall in {0.5, 0.6}


def test_several_labels(images):
    X, _, Y = images
    net = MultilabelCNNClassifier(**NET, random_state=0)
    model = MultilabelThresholdClassifier(net, objective="f1", random_state=0)
    grid = {
        "estimator__loss": ["asymmetric", "zlpr"],
        "estimator__sampler": [None, "repeat_factor"],
    }
    search = searched(model, grid, X, Y, scoring="f1_macro", n_jobs=2)
    assert search.predict(X).shape == Y.shape


def test_clips_and_students(images):
    X, y, _ = images
    clips = np.stack([X, X[:, :, ::-1]], axis=1)
    grid = {"loss": ["focal", "poly1"], "sampler": [None, "balanced"]}
    searched(ImageSequenceClassifier(**NET, random_state=0), grid, clips, y, n_jobs=2)
    student = DistilledClassifier(clone(CNN), CNN, random_state=0)
    searched(student, {"alpha": [0.3, 1.0], "student__loss": ["focal", "seesaw"]}, X, y, n_jobs=2)


def test_votes_and_binary_relevance_of_different_nets(images):
    X, y, Y = images
    members = [
        ("cnn", clone(CNN).set_params(loss="logit_adjusted", random_state=0)),
        ("table", clone(CNN).set_params(random_state=0, augmentation="default")),
    ]
    vote = SoftVotingClassifier(members, n_jobs=2).fit(X, y)
    assert vote.predict_proba(X).shape == (160, 2)
    relevance = BinaryRelevance(clone(CNN).set_params(random_state=0), n_jobs=2).fit(X, Y)
    assert relevance.predict_proba(X).shape == (160, 2)
