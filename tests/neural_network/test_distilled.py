"""DistilledClassifier: identities with plain training, all kinds of teachers, a stated gain."""

import pickle
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits, make_classification, make_multilabel_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skrecall.datasets import make_moving_digits
from skrecall.multilabel import BinaryRelevance
from skrecall.neural_network import (
    CNNClassifier,
    DistilledClassifier,
    ImageSequenceClassifier,
    MultilabelCNNClassifier,
)
from skrecall.neural_network._distilled import classes_taught, teacher_probabilities
from skrecall.neural_network._label_targets import LabelTargets
from skrecall.neural_network._targets import ClassTargets
from skrecall.nn import MultilayerPerceptron, RecurrentCNN, SmallCNN
from tests.checks import MULTILABEL_CHECKS, instance_id

PERCEPTRON = {"backbone": partial(MultilayerPerceptron, hidden=(8,)), "batch_size": 32, "lr": 0.01}


def table():
    return make_classification(120, 6, n_informative=4, n_classes=3, random_state=0, class_sep=1.5)


def labels():
    X, Y = make_multilabel_classification(120, 6, n_classes=3, random_state=3)
    return X / 10, Y


def student(**params):
    return CNNClassifier(**{**PERCEPTRON, "max_epochs": 3, "random_state": 0, **params})


def several(**params):
    return MultilabelCNNClassifier(**{**PERCEPTRON, "max_epochs": 3, "random_state": 0, **params})


class Oracle(ClassifierMixin, BaseEstimator):
    """A teacher that says the truth about the rows it was given, and nothing about others."""

    def __init__(self, answers=None):
        self.answers = answers

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1
        return self

    def predict_proba(self, X):
        return np.asarray(self.answers, dtype=float)[: len(X)]


@pytest.mark.parametrize(
    ("params", "weighted"),
    [
        ({}, False),
        ({}, True),
        ({"augmentation": "mixup", "backbone": None}, False),
        ({"early_stopping": True, "validation_fraction": 0.2}, False),
    ],
    ids=["plain", "weights", "mixup", "stopping"],
)
def test_a_teacher_that_says_the_truth_is_the_labels(params, weighted):
    """At temperature 1 the soft loss of a sure teacher is the cross entropy of its classes."""
    X, y = table()
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    expected = student(**params).fit(X, y, weight).predict_proba(X)
    teacher = FrozenEstimator(Oracle(np.eye(3)[y]).fit(X, y))
    soft = DistilledClassifier(teacher, student(**params), temperature=1.0, alpha=1.0)
    assert_allclose(soft.fit(X, y, weight).predict_proba(X), expected, atol=1e-5)


def test_a_teacher_that_says_the_truth_is_the_indicator():
    X, Y = labels()
    expected = several().fit(X, Y).predict_proba(X)
    teacher = FrozenEstimator(Oracle(Y).fit(X, Y))
    soft = DistilledClassifier(teacher, several(), temperature=1.0, alpha=1.0)
    assert_allclose(soft.fit(X, Y).predict_proba(X), expected, atol=1e-5)


def test_without_a_share_the_teacher_is_not_heard():
    X, y = table()
    expected = student(class_weight="balanced").fit(X, y)
    silent = DistilledClassifier(LogisticRegression(), student(class_weight="balanced"), alpha=0.0)
    silent.fit(X, y)
    for name in ("predict_proba", "decision_function", "predict"):
        assert_allclose(getattr(silent, name)(X), getattr(expected, name)(X), atol=1e-6)


def test_with_the_whole_share_labels_are_not_read():
    X, y = table()
    teacher = FrozenEstimator(LogisticRegression().fit(X, y))
    expected = DistilledClassifier(teacher, student(), alpha=1.0).fit(X, y).predict_proba(X)
    other = DistilledClassifier(teacher, student(), alpha=1.0).fit(X, np.roll(y, 1))
    assert_allclose(other.predict_proba(X), expected, atol=1e-6)


@pytest.mark.parametrize("loss", ["focal", "logit_adjusted"])
def test_the_loss_of_labels_is_the_students_own(loss):
    X, y = table()
    expected = student(loss=loss).fit(X, y).predict_proba(X)
    silent = DistilledClassifier(LogisticRegression(), student(loss=loss), alpha=0.0).fit(X, y)
    assert_allclose(silent.predict_proba(X), expected, atol=1e-6)


def test_many_unlabeled_samples_are_worth_labels():
    """With 60 labels a student gains .1 of accuracy from 640 samples that a teacher describes."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    teacher = ExtraTreesClassifier(60, random_state=0).fit(X[:1000], y[:1000])
    backbone = partial(SmallCNN, channels=(8,), hidden=32)
    gains = []
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(1000)
        few, more = rows[:60], rows[60:700]
        net = CNNClassifier(
            backbone,
            image_shape=(1, 8, 8),
            max_epochs=10,
            lr=0.005,
            batch_size=32,
            random_state=seed,
        )
        alone = net.fit(X[few], y[few]).score(X[1000:], y[1000:])
        taught = DistilledClassifier(FrozenEstimator(teacher), net)
        taught.fit(X[few], y[few], X_unlabeled=X[more])
        gains.append(taught.score(X[1000:], y[1000:]) - alone)
    assert np.mean(gains) > 0.1
    assert min(gains) > 0.02


def test_a_frozen_teacher_is_not_fitted_again():
    X, y = table()
    oracle = Oracle(np.eye(3)[y]).fit(X, y)
    fitted = DistilledClassifier(FrozenEstimator(oracle), student()).fit(X, y)
    assert oracle.n_fits_ == 1
    assert fitted.teacher_.estimator is oracle
    own = Oracle(np.eye(3)[y])
    fitted = DistilledClassifier(own, student()).fit(X, y)
    assert not hasattr(own, "n_fits_")
    assert fitted.teacher_.n_fits_ == 1


def test_a_frozen_teacher_may_know_more_classes():
    X, y = table()
    teacher = FrozenEstimator(LogisticRegression().fit(X, y))
    some = y < 2
    fitted = DistilledClassifier(teacher, student(max_epochs=30), alpha=0.9)
    fitted.fit(X[some], y[some], X_unlabeled=X[~some])
    assert_array_equal(fitted.classes_, [0, 1, 2])
    assert np.mean(fitted.predict(X[~some]) == teacher.predict(X[~some])) > 0.8


def test_teachers_out_of_fold_do_not_know_their_rows():
    """A nearest neighbour knows wrong labels by heart; one of another fold outvotes them."""
    X, y = table()
    noisy = np.where(np.random.default_rng(0).random(len(y)) < 0.3, (y + 1) % 3, y)
    agreement = {}
    for cv in (None, 5):
        net = student(max_epochs=60, weight_decay=0.0)
        taught = DistilledClassifier(KNeighborsClassifier(1), net, cv=cv, alpha=1.0)
        agreement[cv] = np.mean(taught.fit(X, noisy).predict(X) == noisy)
    assert agreement[5] < agreement[None]


@pytest.mark.parametrize(
    "teacher",
    [
        RandomForestClassifier(5, random_state=0),
        KNeighborsClassifier(5),
        BinaryRelevance(LogisticRegression()),
        several(max_epochs=2),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.parametrize("cv", [None, 2])
def test_teachers_of_several_labels(teacher, cv):
    X, Y = labels()
    fitted = DistilledClassifier(teacher, several(), cv=cv).fit(X, Y, X_unlabeled=X[:30])
    assert fitted.predict_proba(X).shape == Y.shape
    assert_array_equal(fitted.predict(X), fitted.predict_proba(X) >= 0.5)


def test_labels_that_are_unknown_are_taught():
    X, Y = labels()
    teacher = FrozenEstimator(BinaryRelevance(LogisticRegression()).fit(X, Y))
    unknown = np.where(np.random.default_rng(0).random(Y.shape) < 0.7, np.nan, Y)
    net = several(max_epochs=15)
    alone = np.mean((net.fit(X, unknown).predict_proba(X) > 0.5) == Y)
    taught = DistilledClassifier(teacher, net).fit(X, unknown)
    assert np.mean(taught.predict(X) == Y) > alone
    assert np.isfinite(taught.score(X, unknown))


def test_clips_are_taught_by_clips():
    data = make_moving_digits(
        20, prevalence=0.5, min_frames=3, max_frames=5, image_size=9, random_state=0
    )
    clips = [clip[:n] for clip, n in zip(data.clips, data.lengths, strict=True)]
    frames = partial(SmallCNN, channels=(4,), grid=3, hidden=8)
    net = ImageSequenceClassifier(
        partial(RecurrentCNN, frame_backbone=frames, hidden=4), max_epochs=1, random_state=0
    )
    longer = [np.concatenate([clip, clip]) for clip in clips]
    fitted = DistilledClassifier(net, net).fit(clips, data.target, X_unlabeled=longer)
    assert fitted.predict_proba(longer).shape == (20, 2)
    fitted = DistilledClassifier(net, net).fit(clips, data.Y[:, :2], X_unlabeled=longer)
    assert fitted.predict(clips).shape == (20, 2)


def test_classes_are_matched_by_label():
    """Teachers need not sort their classes."""
    targets = ClassTargets(np.array(["a", "b", "c"]))
    proba = [[0.1, 0.2, 0.7]]
    found = teacher_probabilities(proba, np.array(["c", "a", "b"]), targets)
    assert_allclose(found, [[0.2, 0.7, 0.1]])
    assert found.dtype == np.float32


def test_lists_of_labels_become_one_array():
    targets = LabelTargets.of_chunk(np.array([[0, 1, 0], [1, 1, 0]]))
    proba = [np.array([[0.3, 0.7]]), np.array([[1.0]]), np.array([[1.0]])]
    classes = [np.array([0, 1]), np.array([1]), np.array([0])]
    assert_allclose(teacher_probabilities(proba, classes, targets), [[0.7, 1, 0]])
    one = LabelTargets.of_chunk(np.array([0, 1]), classes=[0, 1])
    assert_allclose(teacher_probabilities([[0.3, 0.7]], [0, 1], one), [[0.7]])


def test_classes_taught_are_those_of_the_teacher():
    assert_array_equal(classes_taught(["b", "a", "c"], np.array(["a", "b"])), ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"y holds \['d'\], which the teacher does not know"):
        classes_taught(["a", "b"], np.array(["a", "d"]))


@pytest.mark.parametrize("check", MULTILABEL_CHECKS, ids=instance_id)
def test_multilabel_checks(check):
    net = MultilabelCNNClassifier(max_epochs=15, lr=0.02, batch_size=32, n_threads=1)
    check(DistilledClassifier(BinaryRelevance(LogisticRegression()), net))


def test_search_pickle_and_clone():
    X, y = table()
    model = make_pipeline(
        StandardScaler(), DistilledClassifier(LogisticRegression(), student(), random_state=0)
    )
    grid = {
        "distilledclassifier__temperature": [1.0, 4.0],
        "distilledclassifier__student__lr": [0.001, 0.02],
        "distilledclassifier__teacher__C": [1.0],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    expected = search.predict_proba(X)
    assert_array_equal(pickle.loads(pickle.dumps(search)).predict_proba(X), expected)
    again = clone(search.best_estimator_).fit(X, y)
    assert_array_equal(again.predict_proba(X), expected)


def test_weights_go_to_both():
    X, y = table()
    weight = np.where(y == 2, 0.0, 1.0)
    fitted = DistilledClassifier(LogisticRegression(), student()).fit(X, y, sample_weight=weight)
    expected = LogisticRegression().fit(X, y, sample_weight=weight)
    assert_allclose(fitted.teacher_.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda X, y: DistilledClassifier(LogisticRegression(), student()).fit(
                X[:, :4].reshape(-1, 1, 2, 2), y
            ),
            r"rows of a table, and X is .* \(120, 1, 2, 2\): pass flat rows, .* image_shape",
        ),
        (
            lambda X, y: DistilledClassifier(LogisticRegression(), LogisticRegression()).fit(X, y),
            "student is a LogisticRegression: it must be a CNNClassifier",
        ),
        (
            lambda X, y: DistilledClassifier(KNeighborsClassifier(), student()).fit(
                X, y, sample_weight=np.ones(len(y))
            ),
            "KNeighborsClassifier takes no sample_weight: leave the weights out, or",
        ),
        (
            lambda X, y: DistilledClassifier(
                LogisticRegression(), student(sampler="balanced")
            ).fit(X, y, X_unlabeled=X),
            "draws samples by their label, and X_unlabeled has none",
        ),
        (
            lambda X, y: DistilledClassifier(
                FrozenEstimator(LogisticRegression().fit(X, y > 0)), student()
            ).fit(X, y),
            "which the teacher does not know",
        ),
        (
            lambda X, y: DistilledClassifier(
                Oracle(np.full((len(y), 3), np.nan)), student()
            ).fit(X, y),
            "360 probabilities of 360 that are NaN or infinite",
        ),
        (
            lambda X, y: DistilledClassifier(Oracle(np.eye(4)[y]), student()).fit(X, y),
            r"predict_proba returned shape \(120, 4\) for 3 classes",
        ),
        (
            lambda X, y: DistilledClassifier(Oracle(np.eye(3)[y]), several()).fit(
                X, np.eye(3)[y][:, :2].astype(int)
            ),
            r"predict_proba returned shape \(120, 3\) for 2 labels",
        ),
        (
            lambda X, y: DistilledClassifier(
                LogisticRegression(), student(loss=nn.CrossEntropyLoss())
            ).fit(X, y),
            "hard_loss is a CrossEntropyLoss: pass a skrecall.nn.Loss",
        ),
        (
            lambda X, y: DistilledClassifier(LogisticRegression(), student(lr=-1)).fit(X, y),
            "The 'lr' parameter of CNNClassifier",
        ),
        (
            lambda X, y: DistilledClassifier(LogisticRegression(), student(), alpha=2).fit(X, y),
            "The 'alpha' parameter of DistilledClassifier",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*table())
