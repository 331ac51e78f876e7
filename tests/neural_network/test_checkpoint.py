"""Fits that are killed and called again end as if they had not been."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch import nn
from torch.optim.lr_scheduler import StepLR

from skrecall.neural_network import CNNClassifier
from skrecall.neural_network._checkpoint import as_plain, write_whole
from skrecall.nn import MultilayerPerceptron, SmallCNN


def table(n_samples=200, flip_y=0.2):
    return make_classification(n_samples, 6, weights=[0.7], flip_y=flip_y, random_state=0)


def digits(step=9):
    X, y = load_digits(return_X_y=True)
    return X[::step].reshape(-1, 1, 8, 8) / 16, y[::step]


def make(**params):
    backbone = partial(MultilayerPerceptron, hidden=(8,), dropout=0.3)
    settings = {"backbone": backbone, "max_epochs": 6, "lr": 0.05, "random_state": 0}
    return CNNClassifier(**settings | params)


class Stop(Exception):
    """What kills a fit in the middle of an epoch."""


class Killer(Callback):
    """Kill a fit in the middle of an epoch, as long as there is a file that says so."""

    def __init__(self, flag, epoch):
        self.flag = flag
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **kwargs):
        if training and len(net.history) == self.epoch and self.flag.exists():
            self.flag.unlink()
            raise Stop


def assert_same_fit(first, second):
    without_time = [f.history_.drop(columns="dur") for f in (first, second)]
    assert list(without_time[0]) == list(without_time[1])
    assert_array_equal(*without_time)
    for a, b in zip(*(f.net_.module_.state_dict().values() for f in (first, second)), strict=True):
        assert torch.equal(a, b)


class TiedScore:
    """A scorer that says 0 of the first epochs and 1 of the rest."""

    def __call__(self, estimator, X, y):
        return float(len(estimator.net_.history) > 2)


EVERYTHING = {
    "backbone": partial(SmallCNN, channels=(4,), hidden=8, dropout=0.3),
    "head": "cosine",
    "loss": "seesaw",
    "class_weight": "effective",
    "reweight_from": 0.5,
    "sampler": "inverse_frequency",
    "augmentation": ["shift", "mixup"],
    "ema_decay": 0.9,
    "backbone_lr": 0.01,
    "early_stopping": True,
    "scoring": "balanced_accuracy",
    "validation_fraction": 0.2,
}
SETTINGS = {
    "plain": {},
    "cosine": {"lr_schedule": "cosine", "optimizer": "sgd"},
    "one cycle": {"lr_schedule": "one_cycle", "ema_decay": 0.5},
    "callbacks": {
        "callbacks": [
            EpochScoring("roc_auc", lower_is_better=False, name="auc", on_train=True),
            LRScheduler(StepLR, step_size=2, gamma=0.5),
        ]
    },
    "stops early": {"early_stopping": True, "patience": 2, "max_epochs": 40, "lr": 0.1},
    "stops by a score of ties": {
        "early_stopping": True,
        "scoring": TiedScore(),
        "patience": 2,
        "max_epochs": 40,
        "lr": 0.1,
    },
    "everything": EVERYTHING,
    "everything, cycled": {**EVERYTHING, "lr_schedule": "one_cycle", "gradient_clipping": 0.5},
}


@pytest.mark.parametrize("epoch", [1, 4])
@pytest.mark.parametrize("params", SETTINGS.values(), ids=SETTINGS)
def test_a_fit_goes_on_where_it_was_killed(tmp_path, params, epoch):
    X, y = digits() if "head" in params else table()
    flag = tmp_path / "kill"
    killer = Killer(flag, epoch)
    params = {**params, "callbacks": [*params.get("callbacks", []), killer]}
    expected = make(**params).fit(X, y)
    estimator = make(**params, checkpoint_dir=tmp_path / "checkpoints")
    flag.touch()
    with pytest.raises(Stop):
        clone(estimator).fit(X, y)
    assert len(list((tmp_path / "checkpoints").iterdir())) == (epoch > 1)
    resumed = clone(estimator).fit(X, y)
    assert_same_fit(resumed, expected)
    again = clone(estimator).fit(X, y)  # read, not run
    assert_same_fit(again, expected)
    assert_array_equal(again.history_["dur"], resumed.history_["dur"])
    assert_array_equal(resumed.predict_proba(X), expected.predict_proba(X))


SCRIPT = """
    import sys
    from sklearn.datasets import make_classification
    from skrecall.neural_network import CNNClassifier

    X, y = make_classification(200, 6, weights=[0.7], flip_y=0.2, random_state=0)
    CNNClassifier(
        max_epochs=60, lr_schedule="cosine", ema_decay=0.9, n_threads=1, random_state=0,
        checkpoint_dir=sys.argv[1],
    ).fit(X, y)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_process_leaves_what_another_goes_on_from(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)])
    while process.poll() is None and not (files := list(tmp_path.glob("*.pt"))):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    state = torch.load(files[0], weights_only=True)
    assert 1 <= len(state["history"]) < 60
    settings = {"max_epochs": 60, "lr_schedule": "cosine", "ema_decay": 0.9, "n_threads": 1}
    X, y = table()
    resumed = CNNClassifier(**settings, random_state=0, checkpoint_dir=tmp_path).fit(X, y)
    assert list(tmp_path.glob("*.pt")) == files
    assert_array_equal(
        resumed.history_["dur"][: len(state["history"])], [row["dur"] for row in state["history"]]
    )
    assert_same_fit(resumed, CNNClassifier(**settings, random_state=0).fit(X, y))


class TestSearches:
    """A search of many fits in one directory."""

    def test_a_killed_search_goes_on(self, tmp_path):
        X, y = table()
        grid = {"lr": [0.01, 0.05], "loss": ["cross_entropy", "focal"]}
        estimator = make(checkpoint_dir=tmp_path / "checkpoints", max_epochs=3)
        flag = tmp_path / "kill"
        estimator.set_params(callbacks=[Killer(flag, 2)])
        search = GridSearchCV(estimator, grid, cv=2, scoring="roc_auc", error_score="raise")
        expected = clone(search).set_params(estimator__checkpoint_dir=None).fit(X, y)
        flag.touch()
        with pytest.raises(Stop):
            clone(search).fit(X, y)
        found = clone(search).fit(X, y)
        assert_array_equal(
            found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
        )
        assert len(list((tmp_path / "checkpoints").iterdir())) == 4 * 2 + 1


class TestNames:
    """What a checkpoint is found by."""

    def test_other_fits_have_other_files(self, tmp_path):
        X, y = table()
        base = make(checkpoint_dir=tmp_path, max_epochs=1)
        weight = np.linspace(1, 2, len(y))
        fits = [
            lambda: clone(base).fit(X, y),
            lambda: clone(base).set_params(lr=0.01).fit(X, y),
            lambda: clone(base).set_params(random_state=1).fit(X, y),
            lambda: clone(base).set_params(backbone=None).fit(X, y),
            lambda: clone(base).fit(X + 1e-6, y),
            lambda: clone(base).fit(X, 1 - y),
            lambda: clone(base).fit(X, y, sample_weight=weight),
            lambda: clone(base).set_params(class_weight={0: 1.0, 1: 2.0}).fit(X, y),
            lambda: clone(base).set_params(loss=nn.CrossEntropyLoss(label_smoothing=0.1)).fit(X, y),
            lambda: clone(base).set_params(loss=nn.CrossEntropyLoss(label_smoothing=0.2)).fit(X, y),
        ]
        for n, fit in enumerate(fits, 1):
            fit()
            assert len(list(tmp_path.iterdir())) == n

    def test_how_a_fit_is_run_is_nothing(self, tmp_path, capsys):
        X, y = table()
        base = make(checkpoint_dir=tmp_path)
        expected = clone(base).fit(X, y)
        found = clone(base).set_params(n_threads=1, n_workers=1, verbose=1).fit(X, y)
        assert_same_fit(found, expected)
        assert len(list(tmp_path.iterdir())) == 1
        assert "train_loss" not in capsys.readouterr().out

    def test_training_that_goes_on_has_a_file_of_its_own(self, tmp_path):
        X, y = table()
        base = make(warm_start=True, max_epochs=2, ema_decay=0.5)
        expected = base.fit(X, y).fit(X, y)
        for _ in range(2):
            found = clone(base).set_params(checkpoint_dir=tmp_path).fit(X, y).fit(X, y)
            assert len(found.history_) == 4
            assert_same_fit(found, expected)
        assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_only_an_int_can_go_on(tmp_path, random_state):
    with pytest.raises(ValueError, match="checkpoint_dir needs an int for random_state, and it is"):
        make(checkpoint_dir=tmp_path, random_state=random_state).fit(*table())


def test_chunks_leave_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint_dir=.* needs all data at once"):
        make(checkpoint_dir=str(tmp_path)).partial_fit(*table(), classes=[0, 1])


@pytest.mark.parametrize("write", [lambda f: f.write_bytes(b"nonsense"), partial(torch.save, {})])
def test_a_file_that_is_none(tmp_path, write):
    make(checkpoint_dir=tmp_path).fit(*table())
    (file,) = tmp_path.iterdir()
    write(file)
    with pytest.raises(ValueError, match=r"is no checkpoint that can be read .* delete it"):
        make(checkpoint_dir=tmp_path).fit(*table())


def test_a_directory_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    make(checkpoint_dir=tmp_path / "new" / "one", max_epochs=1).fit(*table())
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"checkpoint_dir='.*' is no directory and cannot be"):
            make(checkpoint_dir=folder).fit(*table())
    monkeypatch.setattr(os, "access", lambda *args, **kwargs: False)
    with pytest.raises(ValueError, match=r"checkpoint_dir='.*' cannot be written to: name a"):
        make(checkpoint_dir=tmp_path).fit(*table())


def test_a_checkpoint_that_is_found_is_told(tmp_path, capsys):
    flag = tmp_path / "kill"
    estimator = make(checkpoint_dir=tmp_path / "files", callbacks=[Killer(flag, 3)], verbose=1)
    flag.touch()
    with pytest.raises(Stop):
        clone(estimator).fit(*table())
    assert "resuming" not in capsys.readouterr().out
    clone(estimator).fit(*table())
    (file,) = (tmp_path / "files").iterdir()
    assert f"resuming after epoch 2 of 6 from {file}\n" in capsys.readouterr().out
    clone(estimator).set_params(verbose=0).fit(*table())
    assert capsys.readouterr().out == ""


def test_a_file_is_written_whole_or_not(tmp_path):
    path = tmp_path / "state.pt"
    write_whole({"a": 1}, path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        write_whole({"a": lambda: 1}, path)
    assert torch.load(path, weights_only=True) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_plain_values():
    given = {"a": np.float64(0.5), "b": (np.int64(2), None), "c": [{"d": torch.zeros(1)}]}
    found = as_plain(given)
    assert found == given
    assert (type(found["a"]), type(found["b"][0])) == (float, int)
    with pytest.raises(TypeError, match="a function"):
        as_plain({"a": make})
