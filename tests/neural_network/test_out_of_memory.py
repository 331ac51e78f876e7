"""Datasets and image files as X: the same nets as from arrays, in scikit-learn's company."""

import multiprocessing
import pickle
import weakref
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from skorch.callbacks import Callback
from skorch.helper import SliceDataset
from torch.utils.data import Dataset

from skrecall.neural_network import CNNClassifier, MultilabelCNNClassifier
from skrecall.nn import MultilayerPerceptron, SmallCNN

Image = pytest.importorskip("PIL.Image")

rng = np.random.default_rng(0)
LABELS = rng.permutation(np.repeat([0, 1, 2], [30, 20, 10]))
INDICATOR = np.eye(3, dtype=int)[LABELS] | (rng.uniform(size=(60, 3)) < 0.2)
IMAGES = rng.integers(120, size=(60, 3, 8, 8), dtype=np.uint8)
IMAGES[np.arange(60), LABELS] += 100


class Pairs(Dataset):
    """Images and labels, as torch users have them."""

    def __init__(self, images, labels=LABELS):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, k):
        return torch.from_numpy(self.images[k]), self.labels[k]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    paths = [str(folder / f"{k}.png") for k in range(60)]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(np.moveaxis(image, 0, -1)).save(path)
    return pd.DataFrame({"path": paths})


def make(kind=CNNClassifier, **params):
    backbone = partial(SmallCNN, channels=(4, 8), dropout=0.3)
    settings = {"max_epochs": 3, "lr": 0.02, "batch_size": 16, "random_state": 0, "n_threads": 1}
    settings["validation_fraction"] = 0.3
    return kind(backbone, **{"image_shape": (3, 8, 8), **settings, **params})


def readers():
    """Return the processes that DataLoaders have; loky's, which may wait, are no daemons."""
    return [process for process in multiprocessing.active_children() if process.daemon]


def weights_of(fitted):
    return torch.cat([p.detach().flatten() for p in fitted.net_.module_.parameters()])


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (CNNClassifier, {}),
        (CNNClassifier, {"early_stopping": True, "scoring": "roc_auc_ovr", "n_workers": 2}),
        (CNNClassifier, {"sampler": "balanced", "augmentation": "flip", "n_workers": 1}),
        (MultilabelCNNClassifier, {"early_stopping": True, "test_time_views": "flip"}),
    ],
)
def test_the_net_is_that_of_the_array(files, kind, params):
    y = LABELS if kind is CNNClassifier else INDICATOR
    expected = make(kind, **params).fit(IMAGES, y)
    for X in (files, SliceDataset(Pairs(IMAGES))):
        fitted = make(kind, **params).fit(X, y)
        assert torch.equal(weights_of(fitted), weights_of(expected))
        assert fitted.input_shape_ == (3, 8, 8)
        assert fitted.input_dtype_ == np.uint8
        assert fitted.n_features_in_ == 3 * 8 * 8
        assert not hasattr(fitted, "feature_names_in_")
        for rows in (X, IMAGES):
            assert_array_equal(fitted.predict_proba(rows), expected.predict_proba(IMAGES))
        assert_array_equal(expected.predict(X), expected.predict(IMAGES))
        assert not readers()


def test_partial_fit_and_warm_start(files):
    expected = make(max_epochs=1, warm_start=True).fit(IMAGES, LABELS)
    expected.partial_fit(IMAGES[:20], LABELS[:20]).fit(IMAGES, LABELS)
    fitted = make(max_epochs=1, warm_start=True).fit(files, LABELS)
    fitted.partial_fit(files[:20], LABELS[:20]).fit(Pairs(IMAGES), LABELS)
    assert torch.equal(weights_of(fitted), weights_of(expected))


def test_files_are_resized(files):
    fitted = make(image_shape=(1, 5, 6)).fit(files, LABELS)
    assert fitted.input_shape_ == (1, 5, 6)
    assert fitted.predict_proba(files).shape == (60, 3)


def test_floats_and_tables_from_a_dataset():
    scaled = IMAGES.astype(np.float32) / 255
    expected = make(image_shape=None).fit(scaled, LABELS)
    fitted = make(image_shape=None).fit(Pairs(scaled), LABELS)
    assert torch.equal(weights_of(fitted), weights_of(expected))
    table = scaled.reshape(60, -1)
    settings = {"max_epochs": 2, "random_state": 0}
    expected = CNNClassifier(**settings).fit(table, LABELS)
    fitted = CNNClassifier(**settings).fit(Pairs(table), LABELS)
    assert isinstance(fitted.net_.module_, MultilayerPerceptron)
    assert_array_equal(fitted.predict_proba(Pairs(table)), expected.predict_proba(table))
    with pytest.raises(ValueError, match=r"images of shape \(3, 8, 8\), and .* a table of 192"):
        fitted.predict(Pairs(scaled))
    with pytest.raises(ValueError, match="X has 5 features, but CNNClassifier is expecting 192"):
        fitted.predict(Pairs(table[:, :5]))


def test_in_searches_and_pipelines(files):
    grid = {"lr": [0.02, 1e-6]}
    searches = [
        GridSearchCV(make(max_epochs=6), grid, cv=2, error_score="raise").fit(X, LABELS)
        for X in (IMAGES, files, SliceDataset(Pairs(IMAGES)))
    ]
    for search in searches:
        assert search.best_params_ == {"lr": 0.02}
        assert_array_equal(
            search.cv_results_["mean_test_score"], searches[0].cv_results_["mean_test_score"]
        )
    sampler = RandomOverSampler(random_state=0)
    model = make_pipeline(sampler, make()).fit(files, LABELS)
    rows = sampler.fit_resample(np.arange(60)[:, None], LABELS)[0].ravel()
    expected = make().fit(IMAGES[rows], LABELS[rows])
    assert_array_equal(model.predict_proba(files), expected.predict_proba(IMAGES))


def test_out_of_fold_in_worker_processes(files):
    expected, found = (
        cross_val_predict(
            make(MultilabelCNNClassifier, n_workers=1),
            X,
            INDICATOR,
            cv=2,
            method="predict_proba",
            n_jobs=n_jobs,
        )
        for X, n_jobs in ((IMAGES, 1), (files, 2))
    )
    assert_array_equal(found, expected)


def test_pickled_without_data(files):
    fitted = make(n_workers=1).fit(files, LABELS)
    pickled = pickle.dumps(fitted)
    assert b".png" not in pickled
    assert_array_equal(pickle.loads(pickled).predict(files), fitted.predict(IMAGES))


class Kill(Callback):
    """Fail in the third epoch of the first fit."""

    epochs: ClassVar[list[int]] = []

    def on_epoch_begin(self, net, **kwargs):
        self.epochs.append(len(net.history))
        if self.epochs == [1, 2, 3]:
            raise RuntimeError("killed")


class Noisy(Pairs):
    """Images that are drawn anew in every pass."""

    def __getitem__(self, k):
        image, label = super().__getitem__(k)
        return image + torch.randint(20, image.shape, dtype=torch.uint8), label


@pytest.mark.parametrize("n_workers", [0, 1])
def test_a_killed_fit_goes_on_with_what_would_have_been_drawn(tmp_path, monkeypatch, n_workers):
    monkeypatch.setattr(Kill, "epochs", [])
    X = SliceDataset(Noisy(IMAGES))
    expected = make(max_epochs=4).fit(X, LABELS)
    settings = {"max_epochs": 4, "checkpoint_dir": tmp_path, "n_workers": n_workers}
    estimator = make(callbacks=[("kill", Kill())], **settings)
    with pytest.raises(RuntimeError, match="killed"):
        estimator.fit(X, LABELS)
    resumed = clone(estimator).fit(X, LABELS)
    assert Kill.epochs == [1, 2, 3, 3, 4]
    assert torch.equal(weights_of(resumed), weights_of(expected))
    assert_array_equal(resumed.history_["train_loss"], expected.history_["train_loss"])


class Live(Dataset):
    """Images made on demand, that know how many of them there are at a time."""

    def __init__(self, n_samples):
        self.n_samples, self.live, self.most = n_samples, weakref.WeakSet(), 0

    def __len__(self):
        return self.n_samples

    def __getitem__(self, k):
        image = torch.full((1, 4, 4), k % 3 / 3)
        self.live.add(image)
        self.most = max(self.most, len(self.live))
        return image


def test_memory_holds_some_batches_at_a_time():
    images, y = Live(1000), np.arange(1000) % 2
    fitted = make(image_shape=None, max_epochs=1, early_stopping=True).fit(images, y)
    fitted.predict(images)
    assert images.most <= 2 * 16


class Interrupt(Callback):
    def on_batch_end(self, net, training=False, **kwargs):
        raise RuntimeError("in the middle of a pass")


def test_no_worker_outlives_a_fit_that_fails(files):
    with pytest.raises(RuntimeError, match="in the middle"):
        make(n_workers=2, callbacks=[Interrupt()]).fit(files, LABELS)
    assert not readers()


@pytest.mark.parametrize("n_workers", [0, 1])
def test_a_broken_file_is_named(files, tmp_path, n_workers):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    X = files.copy()
    X.iloc[7, 0] = str(broken)
    with pytest.raises(ValueError, match=r"^The image file '.*broken.png' cannot be read"):
        make(n_workers=n_workers).fit(X, LABELS)
    assert not readers()
    X.iloc[8, 0] = "nowhere.png"
    with pytest.raises(FileNotFoundError, match=r"1 of 60 image files do not exist.*nowhere.png"):
        make().fit(X, LABELS)


def test_what_does_not_fit_together_gets_a_sentence(files):
    with pytest.raises(ValueError, match=r"one column of text.* set image_shape="):
        make(image_shape=None).fit(files, LABELS)
    with pytest.raises(ValueError, match="X holds images that are not uint8"):
        make().fit(files, LABELS).predict(Pairs(IMAGES / 255))
    with pytest.raises(ValueError, match=r"\(8, 8, 3\), and .* move the channels first"):
        make(image_shape=None).fit(Pairs(np.moveaxis(IMAGES, 1, -1).copy()), LABELS)
    with pytest.raises(ValueError, match=r"images of shape \(3, 8, 4\)"):
        make().fit(files, LABELS).predict(Pairs(IMAGES[..., :4].copy()))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make().fit(files, LABELS[:-1])
    with pytest.raises(ValueError, match=r"list of tuples .* skorch.helper.SliceDataset"):
        GridSearchCV(make(), {}, cv=2, error_score="raise").fit(Pairs(IMAGES), LABELS)
