"""ImageSequenceClassifier: clips of any length and container, in scikit-learn's company."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.utils.data import Dataset

from skrecall.datasets import make_moving_digits
from skrecall.neural_network import ImageSequenceClassifier
from skrecall.nn import RecurrentCNN, SmallCNN
from skrecall.threshold import MultilabelThresholdClassifier, RecallThresholdClassifier
from tests.checks import (
    check_constant_label,
    check_label_containers,
    check_label_responses,
    check_label_search,
    check_labels_same_seed,
    instance_id,
)

FRAMES = partial(SmallCNN, channels=(4,), grid=3, hidden=8)


def moving_digits(n_samples=24, seed=0):
    return make_moving_digits(
        n_samples, prevalence=0.5, min_frames=3, max_frames=5, image_size=10, random_state=seed
    )


def as_objects(data):
    clips = np.empty(len(data.clips), dtype=object)
    for k, (clip, length) in enumerate(zip(data.clips, data.lengths, strict=True)):
        clips[k] = clip[:length]
    return clips


def make(**params):
    backbone = partial(RecurrentCNN, frame_backbone=FRAMES, hidden=8)
    defaults = {"backbone": backbone, "max_epochs": 2, "batch_size": 8, "random_state": 0}
    return ImageSequenceClassifier(**{**defaults, **params})


@pytest.fixture(scope="module")
def data():
    return moving_digits()


@pytest.mark.parametrize(
    "container", ["list", "objects", "padded", "grey", "flat", "torch", "junk"]
)
def test_containers_and_padding_give_the_same(data, container):
    """The padding of a batch, whatever it holds, and the container change nothing."""
    clips = data.clips.astype(np.float32) / 255
    expected = make().fit(clips, data.target, lengths=data.lengths)
    clf, X, lengths = make(), clips, data.lengths
    if container in ("list", "objects"):
        X, lengths = [clip[:n] for clip, n in zip(clips, data.lengths, strict=True)], None
        if container == "objects":
            X = as_objects(data)
            X[:] = [clip.astype(np.float32) / 255 for clip in X]
    elif container == "padded":
        X = np.concatenate([clips, np.ones_like(clips[:, :2])], axis=1)
    elif container == "grey":
        X = clips[:, :, 0]
    elif container == "flat":
        clf.set_params(clip_shape=clips.shape[1:])
        X = clips.reshape(len(clips), -1)
    elif container == "torch":
        X = torch.from_numpy(clips)
    elif container == "junk":
        X = clips.copy()
        X[np.arange(X.shape[1]) >= lengths[:, None]] = np.nan
        kept = X.copy()
    clf.fit(X, data.target, lengths=lengths)
    for name in ("predict_proba", "decision_function", "predict"):
        found = getattr(clf, name)(X, lengths=lengths)
        assert_allclose(found, getattr(expected, name)(clips, lengths=data.lengths), atol=1e-5)
    if container == "junk":
        assert_array_equal(X, kept)


def test_uint8_clips_are_scaled(data):
    objects = as_objects(data)
    fitted = make().fit(objects, data.target)
    assert fitted.input_dtype_ == np.uint8
    scaled = make().fit(data.clips / 255, data.target, lengths=data.lengths)
    assert_allclose(
        fitted.predict_proba(objects),
        scaled.predict_proba(data.clips / 255, data.lengths),
        atol=1e-5,
    )
    with pytest.raises(ValueError, match="not uint8, and the fit saw uint8"):
        fitted.predict(data.clips / 255)


def test_a_clip_alone_gives_what_it_gives_among_longer_ones(data):
    objects = as_objects(data)
    fitted = make().fit(objects, data.target)
    alone = np.concatenate([fitted.predict_proba([clip]) for clip in objects])
    assert_allclose(fitted.predict_proba(objects), alone, atol=1e-6)


class Clips(Dataset):
    def __init__(self, clips):
        self.clips = torch.from_numpy(clips)

    def __len__(self):
        return len(self.clips)

    def __getitem__(self, index):
        return self.clips[index]


def test_datasets_of_clips_are_read(data):
    for clips in (data.clips, data.clips.astype(np.float32)):
        expected = make().fit(clips, data.target).predict_proba(clips)
        fitted = make().fit(Clips(clips), data.target)
        assert_allclose(fitted.predict_proba(Clips(clips)), expected, atol=1e-6)


def test_later_clips_may_be_longer(data):
    objects = as_objects(data)
    fitted = make().fit(objects, data.target)
    longer = [np.concatenate([clip, clip, clip]) for clip in objects]
    assert fitted.predict_proba(longer).shape == (len(longer), 2)
    assert fitted.input_shape_ == (5, 1, 10, 10)
    assert fitted.n_features_in_ == 500


def test_it_learns_what_no_frame_shows():
    """Whether the digit turns back lies in the order of the frames alone."""
    train, test = (
        make_moving_digits(n, prevalence=0.5, noise=0.0, image_size=12, random_state=seed)
        for n, seed in ((300, 0), (200, 1))
    )
    fitted = make(backbone=None, max_epochs=12, lr=0.005, batch_size=32)
    fitted.fit(train.clips, train.target, lengths=train.lengths)
    assert fitted.score(test.clips, test.target, lengths=test.lengths) > 0.8
    shuffled = as_objects(test)
    shuffled[:] = [clip[np.random.default_rng(0).permutation(len(clip))] for clip in shuffled]
    assert fitted.score(shuffled, test.target) < 0.7


def test_search_over_objects(data):
    search = GridSearchCV(make(), {"lr": [0.001, 0.01]}, cv=2)
    search.fit(as_objects(data), data.target)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(as_objects(data)).shape == data.target.shape


def test_lengths_are_routed(data):
    with config_context(enable_metadata_routing=True):
        clf = make().set_fit_request(lengths=True).set_score_request(lengths=True)
        scores = cross_val_score(
            clf, data.clips, data.target, cv=2, params={"lengths": data.lengths}
        )
    expected = cross_val_score(make(), as_objects(data), data.target, cv=2)
    assert_allclose(scores, expected)


def test_lengths_in_a_pipeline(data):
    model = make_pipeline(make())
    model.fit(data.clips, data.target, imagesequenceclassifier__lengths=data.lengths)
    assert_allclose(
        model.predict_proba(data.clips, lengths=data.lengths),
        make().fit(as_objects(data), data.target).predict_proba(as_objects(data)),
        atol=1e-6,
    )


def test_partial_fit_goes_on(data):
    objects = as_objects(data)
    clf = make()
    for rows in (slice(0, 12), slice(12, 24)):
        clf.partial_fit(objects[rows], data.target[rows], classes=[0, 1])
    assert len(clf.history_) == 2
    assert clf.predict(objects).shape == (24,)
    padded = make().partial_fit(
        data.clips[:12], data.target[:12], [0, 1], lengths=data.lengths[:12]
    )
    padded.partial_fit(data.clips[12:], data.target[12:], lengths=data.lengths[12:])
    assert_allclose(padded.predict_proba(objects), clf.predict_proba(objects), atol=1e-6)
    with pytest.raises(ValueError, match=r"is not the same as on last call to partial_fit"):
        clf.partial_fit(objects, data.target, classes=[0, 1, 2])


def test_pickle_clone_and_seed(data):
    objects = as_objects(data)
    fitted = make().fit(objects, data.target)
    expected = fitted.predict_proba(objects)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(objects), expected)
    assert_array_equal(clone(fitted).fit(objects, data.target).predict_proba(objects), expected)


def test_score_is_accuracy(data):
    fitted = make().fit(as_objects(data), data.target)
    weight = np.arange(24.0)
    predicted = fitted.predict(as_objects(data))
    assert fitted.score(data.clips, data.target, weight, data.lengths) == accuracy_score(
        data.target, predicted, sample_weight=weight
    )


class MeanOfFrames(nn.Module):
    """A network of the user's, with or without lengths."""

    def __init__(self, input_shape, n_outputs):
        super().__init__()
        self.head = nn.Linear(int(np.prod(input_shape[1:])), n_outputs)

    def forward(self, X):
        return self.head(X.flatten(2).mean(dim=1))


class MeanUpToTheEnd(MeanOfFrames):
    def forward(self, X, lengths=None):
        total = X.flatten(2).sum(dim=1)  # padding is 0
        return self.head(total / (X.shape[1] if lengths is None else lengths[:, None]))


def test_any_network_over_clips_plugs_in(data):
    objects = as_objects(data)
    fitted = make(backbone=MeanUpToTheEnd).fit(objects, data.target)
    junk = data.clips.copy()
    junk[np.arange(5) >= data.lengths[:, None]] = 7
    assert_allclose(
        fitted.predict_proba(junk, data.lengths), fitted.predict_proba(objects), atol=1e-6
    )
    full = data.clips[:, :3]
    plain = make(backbone=MeanOfFrames).fit(full, data.target)
    assert plain.predict(full).shape == (24,)
    for call in (
        lambda: make(backbone=MeanOfFrames).fit(objects, data.target),
        lambda: plain.predict(objects),
    ):
        with pytest.raises(ValueError, match="MeanOfFrames does not ask where they end"):
            call()


def indicator(data):
    return data.Y[:, :3]


@pytest.mark.parametrize("container", [list, np.asarray])
def test_thresholds_over_clips_of_different_lengths(container):
    """Held-out clips are scored by their lengths, and copies across the split are found."""
    data = moving_digits(60)
    clips = [clip[:n] for clip, n in zip(data.clips, data.lengths, strict=True)]
    X = container(clips) if container is list else as_objects(data)
    terms = {"target_recall": 0.8, "confidence": 0.5, "random_state": 0}
    fitted = RecallThresholdClassifier(make(), **terms).fit(X, data.target)
    rows = fitted.calibration_rows_
    scores = fitted.estimator_.predict_proba(
        data.clips[rows], lengths=np.asarray(data.lengths)[rows]
    )[:, 1]
    between = np.sort(scores)[:-1] / 2 + np.sort(scores)[1:] / 2
    assert np.abs(between - fitted.threshold_).min() < 1e-6
    assert fitted.predict(X).shape == (60,)
    with pytest.raises(ValueError, match="lengths has one entry for each of the 60 rows"):
        RecallThresholdClassifier(make(), **terms).fit(
            data.clips, data.target, lengths=data.lengths
        )
    twice = [*clips, *[clip.copy() for clip in clips]]
    with pytest.raises(ValueError, match="held-out positives are identical to positives"):
        RecallThresholdClassifier(make(), **terms).fit(twice, np.tile(data.target, 2))


def test_thresholds_of_labels_over_clips_of_different_lengths():
    data = moving_digits(60)
    Y, X = indicator(data), list(as_objects(data))
    fitted = MultilabelThresholdClassifier(make(), rule="cardinality", random_state=0).fit(X, Y)
    assert fitted.predict(X).shape == Y.shape
    with pytest.raises(ValueError, match="lengths has one entry for each of the 60 rows"):
        MultilabelThresholdClassifier(make()).fit(data.clips, Y, lengths=data.lengths)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_several_labels(data, container):
    objects, Y = as_objects(data), container(indicator(data))
    fitted = make().fit(objects, Y)
    proba = fitted.predict_proba(objects)
    assert proba.shape == (24, 3)
    assert_array_equal(fitted.classes_, [[0, 1]] * 3)
    predicted = fitted.predict(objects)
    assert type(predicted) is type(Y)
    predicted = predicted.toarray() if container is csr_array else np.asarray(predicted)
    assert_array_equal(predicted, proba >= 0.5)
    assert_allclose(1 / (1 + np.exp(-fitted.decision_function(objects))), proba, rtol=1e-6)


def test_unknown_labels_teach_nothing(data):
    objects, Y = as_objects(data), indicator(data).astype(float)
    unknown = np.random.default_rng(0).random(Y.shape) < 0.3
    nan, minus = np.where(unknown, np.nan, Y), np.where(unknown, -1, Y)
    expected = make().fit(objects, nan).predict_proba(objects)
    assert_array_equal(make().fit(objects, minus).predict_proba(objects), expected)
    assert not np.allclose(make().fit(objects, Y).predict_proba(objects), expected)


def test_score_of_several_labels_is_of_those_known(data):
    objects, Y = as_objects(data), indicator(data).astype(float)
    fitted = make().fit(objects, Y)
    assert fitted.score(objects, Y) == accuracy_score(Y, fitted.predict(objects))
    Y[::2, 0] = np.nan
    wrong = (fitted.predict(objects) != Y) & ~np.isnan(Y)
    assert fitted.score(objects, Y) == np.mean(~wrong.any(axis=1))


def test_several_labels_in_chunks(data):
    objects, Y = as_objects(data), indicator(data)
    clf = make().partial_fit(objects[:12], Y[:12]).partial_fit(objects[12:], Y[12:])
    assert clf.predict(objects).shape == (24, 3)
    assert len(clf.history_) == 2


def test_one_label_after_several_leaves_no_trace(data):
    objects = as_objects(data)
    clf = make().fit(objects, pd.DataFrame(indicator(data), columns=list("abc")))
    assert_array_equal(clf.label_names_, list("abc"))
    clf.fit(objects, data.target)
    assert_array_equal(clf.classes_, [0, 1])
    assert not hasattr(clf, "label_names_")
    assert not hasattr(clf, "constant_")


def test_class_weights_are_of_one_label(data):
    with pytest.raises(ValueError, match="these have several labels: weigh labels in the loss"):
        make(class_weight="balanced").fit(as_objects(data), indicator(data))


def test_heads_samplers_augmentation_and_stopping(data):
    """Everything that training has works on clips, lengths included."""
    objects = as_objects(data)
    clf = make(
        head="cosine",
        loss="ldam",
        class_weight="effective",
        reweight_from=0.5,
        sampler="balanced",
        sampler_params={"classes_per_batch": 2},
        augmentation=["flip", "mixup"],
        freeze="backbone.frame_backbone.stages.0.*",
        backbone_lr=0.001,
        early_stopping=True,
        validation_fraction=0.25,
        scoring="balanced_accuracy",
        test_time_views="flip",
        max_epochs=3,
    )
    clf.fit(objects, data.target)
    assert np.isfinite(clf.predict_proba(objects)).all()
    assert len(clf.history_) == 3
    several = make(head="label_graph", loss="asymmetric", early_stopping=True)
    several.set_params(validation_fraction=0.25).fit(objects, indicator(data))
    assert np.isfinite(several.predict_proba(objects)).all()


LABEL_CHECKS = (
    check_label_containers,
    check_label_responses,
    check_constant_label,
    check_labels_same_seed,
    check_label_search,
)


@pytest.mark.parametrize("check", LABEL_CHECKS, ids=instance_id)
@pytest.mark.filterwarnings("ignore:Labels .* have one value each:UserWarning")
def test_tables_of_several_labels(check):
    check(ImageSequenceClassifier(max_epochs=20, lr=0.02, batch_size=32, n_threads=1))


def test_lengths_tell_checkpoints_apart(data, tmp_path):
    for lengths in (data.lengths, data.lengths, np.maximum(data.lengths - 1, 1)):
        clf = make(checkpoint_dir=tmp_path).fit(data.clips, data.target, lengths=lengths)
        assert len(clf.history_) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_a_draw_of_augmentation_is_for_the_clip(data):
    """All frames of a clip are flipped or none."""
    seen = []

    class Watching(MeanUpToTheEnd):
        def forward(self, X, lengths=None):
            if self.training:
                seen.append(X.clone())
            return super().forward(X, lengths)

    X = np.zeros((16, 4, 1, 6, 6), dtype=np.float32)
    X[..., 0] = 1
    make(backbone=Watching, augmentation="flip", max_epochs=1).fit(X, np.arange(16) % 2)
    left = torch.cat(seen)[..., 0].mean(dim=(2, 3))
    assert torch.equal(left, left[:, :1].expand(-1, 4))
    assert set(left.flatten().tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, y, n: make().fit(list(X), y, lengths=n), "one array per clip"),
        (lambda X, y, n: make().fit(X, y, lengths=n[:-1]), r"lengths has shape \(23,\)"),
        (lambda X, y, n: make().fit(X, y, lengths=n + 1), "lengths lie between 4 and 6"),
        (lambda X, y, n: make().fit(X[:, 0, 0], y), r"X has shape \(24, 10, 10\): pass clips"),
        (
            lambda X, y, n: make().fit(X.reshape(24, -1)[:, :9], y, lengths=n),
            "X is a table of 9 features: leave lengths out, or state clip_shape",
        ),
        (
            lambda X, y, n: make(clip_shape=(1, 10, 10)).fit(X, y),
            r"clip_shape=\(1, 10, 10\) must be four positive integers",
        ),
        (
            lambda X, y, n: make(clip_shape=(5, 3, 10, 10)).fit(X, y),
            "convert the clips, or fit again on such clips",
        ),
        (
            lambda X, y, n: make().fit(np.moveaxis(X, 2, -1), y),
            r"frames of shape \(10, 10, 1\), .* -1, 2\).* set clip_shape=\(5, 10, 10, 1\)",
        ),
        (
            lambda X, y, n: make(backbone=None).fit(X.reshape(24, -1), y).predict(X),
            "X holds clips of shape .* was fitted on a table of 500 features: fit again on clips",
        ),
        (
            lambda X, y, n: make().fit(X, y).predict(X[..., :9]),
            r"X holds frames of shape \(1, 10, 9\)",
        ),
        (
            lambda X, y, n: make().fit(X, y).predict(X[0]),
            r"shape \(5, 1, 10, 10\), which may be one clip or 5 clips .* pass clip\[None\] for",
        ),
        (
            lambda X, y, n: make().fit(X.repeat(3, axis=2), y).predict(X[0].repeat(3, axis=1)),
            r"shape \(5, 3, 10, 10\), which may be one clip or 5 clips .* pass clip\[None\] for",
        ),
        (lambda X, y, n: make().fit(np.where(X > 0, np.inf, 0), y), "infinity"),
        (lambda X, y, n: make().fit(X, np.zeros(24)), "one class only"),
        (
            lambda X, y, n: make(class_weight="balanced").partial_fit(X, y, [0, 1]),
            "class_weight='balanced' needs all data at once",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused(data, call, message):
    with pytest.raises(ValueError, match=message):
        call(data.clips, data.target, data.lengths)
