"""Whatever shifts the prior of a net, prior correction brings its probabilities back."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.naive_bayes import GaussianNB

from skrecall.datasets import make_imbalanced_classification
from skrecall.neural_network import (
    CNNClassifier,
    DistilledClassifier,
    ImageSequenceClassifier,
    MultilabelCNNClassifier,
)
from skrecall.nn import MultilayerPerceptron
from skrecall.threshold import PriorCorrectedClassifier

DATA = make_imbalanced_classification(4000, prevalence=0.05, separation=2, random_state=0)
NEW = make_imbalanced_classification(4000, prevalence=0.05, separation=2, random_state=1)


def linear(input_shape, n_outputs):
    return MultilayerPerceptron(input_shape, n_outputs, hidden=())


def net(**params):
    settings = {"max_epochs": 15, "lr": 0.05, "lr_schedule": "cosine", "batch_size": 128}
    settings |= {"device": "cpu", "n_threads": 1, "random_state": 0}
    return CNNClassifier(linear, **{**settings, **params})


@pytest.mark.parametrize(
    ("params", "power", "times"),
    [
        ({}, 0, 1),
        ({"class_weight": "balanced"}, 1, 1),
        ({"class_weight": {1: 5}}, 0, 5),
        ({"sampler": "balanced"}, 1, 1),
        ({"sampler": "inverse_frequency"}, 0.5, 1),
        ({"sampler": "inverse_frequency", "sampler_params": {"power": 0.8}}, 0.8, 1),
        ({"loss": "logit_adjusted"}, 1, 1),
        ({"loss_params": {"weight": "sqrt"}}, 0.5, 1),
        ({"loss": torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))}, 0, 3),
        ({"loss": "logit_adjusted", "loss_params": {"tau": 0.5}, "class_weight": {1: 2}}, 0.5, 2),
    ],
    ids=str,
)
def test_every_shift_is_known_and_undone(params, power, times):
    model = PriorCorrectedClassifier(net(**params)).fit(DATA.X, DATA.y)
    factor, (n_negatives, n_positives) = model.estimator_.prior_factor_, np.bincount(DATA.y)
    odds = times * (n_negatives / n_positives) ** power
    assert_allclose(factor[1] / factor[0], odds, rtol=1e-5)
    # On the data's own prior the mean probability is the share of positives, within a fifth of it
    # for a net that is trained to within noise.
    share = NEW.y.mean()
    assert_allclose(model.predict_proba(NEW.X)[:, 1].mean(), share, rtol=0.2)
    if odds > 4:
        assert model.estimator_.predict_proba(NEW.X)[:, 1].mean() > 1.8 * share


@pytest.mark.parametrize(
    "params",
    [
        {"loss": "focal"},
        {"loss": "hard_example_mining"},
        {"class_weight": "balanced", "reweight_from": 0.5},
        {"sampler": lambda y, batch_size: torch.arange(len(y)).split(batch_size)},
        {"loss": torch.nn.CrossEntropyLoss(label_smoothing=0.1)},
        {"loss": torch.nn.MultiMarginLoss()},
    ],
    ids=["focal", "mining", "late weights", "own sampler", "smoothed labels", "margin"],
)
def test_what_cannot_be_undone_is_refused(params):
    fitted = net(max_epochs=1, **params).fit(DATA.X, DATA.y)
    assert fitted.prior_factor_ is None
    with pytest.raises(ValueError, match="leave no prior to undo"):
        PriorCorrectedClassifier(net(max_epochs=1, **params)).fit(DATA.X, DATA.y)


@pytest.mark.parametrize("cls", [CNNClassifier, ImageSequenceClassifier])
def test_chunks_leave_no_known_prior(cls):
    fitted = cls(linear, device="cpu", n_threads=1, random_state=0, class_weight={1: 5})
    fitted.set_params(max_epochs=1).fit(DATA.X, DATA.y)
    assert_allclose(fitted.prior_factor_, [1 / 3, 5 / 3])
    fitted.partial_fit(DATA.X, DATA.y, classes=np.unique(DATA.y))
    assert fitted.prior_factor_ is None


def test_the_shift_of_clips_is_known_as_that_of_images():
    clips = np.random.default_rng(0).normal(size=(40, 2, 6, 6)).astype(np.float32)
    y = np.repeat([0, 1], [30, 10])
    net = ImageSequenceClassifier(max_epochs=1, sampler="balanced", batch_size=20, random_state=0)
    model = PriorCorrectedClassifier(net).fit(clips, y)
    assert_allclose(model.estimator_.prior_factor_, [0.5, 1.5])
    assert_allclose(model.training_prior_, [0.5, 0.5])
    labels = np.column_stack([y, 1 - y])
    net.set_params(sampler=None, max_epochs=1)
    assert net.fit(clips, labels).prior_factor_ is None


@pytest.mark.parametrize(
    "model",
    [
        DistilledClassifier(GaussianNB(), net(max_epochs=1)),
        MultilabelCNNClassifier(linear, max_epochs=1, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_who_does_not_know_its_prior_refuses_to_undo_one(model):
    with pytest.raises(ValueError, match=f"{type(model).__name__} was trained with .* no prior"):
        PriorCorrectedClassifier(model).fit(DATA.X, DATA.y)
    PriorCorrectedClassifier(model, training_prior="balanced").fit(DATA.X, DATA.y)
