"""What torch estimators share: input in any container, threads put back, training that goes on."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch.optim.lr_scheduler import StepLR

from skrecall.neural_network import CNNClassifier
from skrecall.nn import MultilayerPerceptron


def images(n_samples=60, shape=(1, 6, 6), seed=0):
    """Return images whose class is the half that is bright."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n_samples)
    X = rng.uniform(0, 0.5, size=(n_samples, *shape))
    half = shape[-1] // 2
    X[y == 0, ..., :half] += 0.5
    X[y == 1, ..., half:] += 0.5
    return X, y


def make(**params):
    return CNNClassifier(**{"max_epochs": 8, "lr": 0.01, "random_state": 0, **params})


def test_one_image_in_many_forms_is_one_image():
    X, y = images()
    expected = make().fit(X, y).predict_proba(X)
    flat = X.reshape(60, -1)
    forms = [
        (X.astype(np.float32), {}),
        (X[:, 0], {}),
        (list(X[:, 0]), {}),
        ([image.tolist() for image in X], {}),
        (flat, {"image_shape": (1, 6, 6)}),
        (pd.DataFrame(flat), {"image_shape": [1, 6, 6]}),
        (torch.from_numpy(X), {}),
    ]
    for form, params in forms:
        fitted = make(**params).fit(form, y)
        assert fitted.input_shape_ == (1, 6, 6)
        assert fitted.n_features_in_ == 36
        assert_array_equal(fitted.predict_proba(form), expected)
        assert_array_equal(fitted.predict_proba(flat), expected)
        assert_array_equal(fitted.predict_proba(X), expected)


def test_a_table_is_no_image():
    X, y = images()
    fitted = make().fit(X.reshape(60, -1), y)
    assert fitted.input_shape_ == (36,)
    assert isinstance(fitted.net_.module_, MultilayerPerceptron)
    with pytest.raises(ValueError, match=r"images of shape \(1, 6, 6\), and .* table of 36 feat"):
        fitted.predict(X)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (3, 2, 3), (2, 40, 17)])
def test_any_channels_and_size(shape):
    X, y = images(20, shape)
    assert make(max_epochs=1).fit(X, y).predict_proba(X).shape == (20, 2)


def test_uint8_images_are_scaled_and_uint8_tables_are_not():
    X, y = images()
    bytes_ = (X * 255).astype(np.uint8)
    as_bytes = make().fit(bytes_, y).predict_proba(bytes_)
    as_floats = make().fit(bytes_ / 255, y).predict_proba(bytes_ / 255)
    assert_allclose(as_bytes, as_floats, rtol=1e-4)
    table = bytes_.reshape(60, -1)
    assert_array_equal(
        make().fit(table, y).predict_proba(table),
        make().fit(table.astype(float), y).predict_proba(table.astype(float)),
    )


def fit(X, y):
    return make(max_epochs=1).fit(X, y)


def partial_fit(X, y):
    return make().partial_fit(X, y, classes=[0, 1])


FITS = pytest.mark.parametrize("start", [fit, partial_fit])


@FITS
@pytest.mark.parametrize("flat", [False, True])
def test_after_float_images_no_uint8(start, flat):
    X, y = images()
    fitted = start(X, y)
    bytes_ = (X * 255).astype(np.uint8)
    given = bytes_.reshape(60, -1) if flat else bytes_
    for call in (fitted.predict, fitted.predict_proba, fitted.decision_function):
        with pytest.raises(
            ValueError, match=r"X holds uint8 images.* X.astype\(np.float32\) / 255"
        ):
            call(given)
    with pytest.raises(ValueError, match="X holds uint8 images"):
        fitted.partial_fit(given, y)
    with pytest.raises(ValueError, match="X holds uint8 images"):
        fitted.set_params(warm_start=True).fit(given, y)
    for numbers in (np.float16, np.float64, np.int64):  # all become float32
        fitted.predict(given.astype(numbers))


@FITS
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("numbers", [np.float32, np.float64, np.int64])
def test_after_uint8_images_no_others(start, flat, numbers):
    X, y = images()
    bytes_ = (X * 255).astype(np.uint8)
    fitted = start(bytes_, y)
    given = bytes_.reshape(60, -1) if flat else bytes_
    fitted.partial_fit(given, y).predict(given)
    for call in (fitted.predict, fitted.predict_proba, fitted.decision_function):
        with pytest.raises(ValueError, match=r"not uint8, and the fit saw uint8 .* pixels of 0 to"):
            call(given.astype(numbers))
    with pytest.raises(ValueError, match="X holds images that are not uint8"):
        fitted.partial_fit(given.astype(numbers), y)
    with pytest.raises(ValueError, match="X holds images that are not uint8"):
        fitted.set_params(warm_start=True).fit(given.astype(numbers), y)
    fitted.set_params(warm_start=False).fit(given.astype(numbers).reshape(60, 1, 6, 6), y)


def test_uint8_in_any_container_stays_uint8():
    X, y = images()
    bytes_ = (X * 255).astype(np.uint8)
    flat = bytes_.reshape(60, -1)
    fitted = make(image_shape=(1, 6, 6)).fit(flat, y)
    assert fitted.input_dtype_ == np.uint8
    expected = fitted.predict_proba(bytes_)
    forms = [
        pd.DataFrame(flat),
        list(flat),
        torch.from_numpy(flat),
        torch.from_numpy(bytes_),
        list(bytes_[:, 0]),
        list(torch.from_numpy(bytes_)),
    ]
    for form in forms:
        assert_array_equal(fitted.predict_proba(form), expected)
        assert make(max_epochs=1, image_shape=(1, 6, 6)).fit(form, y).input_dtype_ == np.uint8


def test_tables_are_not_scaled_so_any_type_follows_any_other():
    X, y = images()
    table = (X * 255).astype(np.uint8).reshape(60, -1)
    for given, other in ((table, table.astype(float)), (table.astype(float), table)):
        fitted = make().fit(given, y)
        assert fitted.input_dtype_ == np.float32
        assert_array_equal(fitted.predict_proba(other), fitted.predict_proba(given))


def test_channels_last_is_refused_in_fit_unless_stated():
    X, y = images(60, (3, 6, 7))
    last = np.moveaxis(X, 1, -1)
    with pytest.raises(ValueError, match=r"\(6, 7, 3\), and .* np.moveaxis\(X, -1, 1\)"):
        make().fit(last, y)
    with pytest.raises(ValueError, match=r"np.moveaxis\(X, -1, 1\)"):
        make().partial_fit(last, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"np.moveaxis\(X, -1, 1\)"):
        make().fit(list(last), y)
    fitted = make(max_epochs=1).fit(np.moveaxis(last, -1, 1), y)
    assert fitted.input_shape_ == (3, 6, 7)
    with pytest.raises(ValueError, match=r"np.moveaxis\(X, -1, 1\)"):
        fitted.predict(last)
    stated = make(max_epochs=1, image_shape=(6, 7, 3)).fit(last, y)
    assert stated.input_shape_ == (6, 7, 3)
    stated.partial_fit(last, y).predict(last)


@pytest.mark.parametrize(
    ("X_shape", "params", "message"),
    [
        ((60, 35), {"image_shape": (1, 6, 6)}, "rows of 35 values"),
        ((60, 6, 6), {"image_shape": (3, 6, 6)}, r"\(3, 6, 6\) is expected"),
        ((60, 36), {"image_shape": (6, 6)}, r"image_shape=\(6, 6\) must be three positive"),
        ((60, 36), {"image_shape": (1, 6, 6.0)}, "must be three positive integers"),
        ((60, 36), {"image_shape": (-1, -6, 6)}, "must be three positive integers"),
        ((60, 2, 1, 6, 6), {}, r"X has shape \(60, 2, 1, 6, 6\): pass images"),
        ((0, 1, 6, 6), {}, "0 sample"),
        ((60,), {}, "Expected 2D array"),
    ],
)
def test_wrong_shapes_in_fit(X_shape, params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(np.zeros(X_shape), np.arange(60) % 2)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 6, 6), r"images of shape \(3, 6, 6\), and .* = \(1, 6, 6\) is expected"),
        ((1, 7, 6), r"images of shape \(1, 7, 6\)"),
        ((35,), "X has 35 features, but CNNClassifier is expecting 36"),
    ],
)
def test_wrong_shapes_in_predict(shape, message):
    fitted = make(max_epochs=1).fit(*images())
    with pytest.raises(ValueError, match=message):
        fitted.predict(np.zeros((4, *shape)))


@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_pixels_that_are_not_finite(value, message):
    X, y = images()
    fitted = make(max_epochs=1).fit(X, y)
    X[3, 0, 2, 2] = value
    with pytest.raises(ValueError, match=message):
        make().fit(X, y)
    with pytest.raises(ValueError, match=message):
        fitted.predict(X)


def test_float64_beyond_float32_is_refused():
    X, y = images()
    X[0, 0, 0, 0] = 1e300
    with pytest.raises(ValueError, match="too large for dtype"):
        make().fit(X, y)


class Threads(Callback):
    def on_epoch_begin(self, net, **kwargs):
        net.history.record("threads", torch.get_num_threads())


def test_threads_act_in_fit_only():
    before = torch.get_num_threads()
    fitted = make(n_threads=before + 1, callbacks=[Threads()]).fit(*images())
    assert set(fitted.history_["threads"]) == {before + 1}
    fitted.predict(images()[0])
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    "optimizer", ["adam", "adamw", "sgd", torch.optim.RMSprop, torch.optim.NAdam]
)
def test_optimizers(optimizer):
    X, y = images()
    fitted = make(optimizer=optimizer, weight_decay=0.003).fit(X, y)
    group = fitted.net_.optimizer_.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.01, 0.003)
    assert group.get("momentum", 0) == (0.9 if optimizer == "sgd" else 0)
    assert fitted.score(X, y) > 0.9


def test_history_has_a_row_per_epoch():
    history = make(early_stopping=True, validation_fraction=0.3).fit(*images()).history_
    assert {"epoch", "train_loss", "valid_loss", "dur"} <= set(history.columns)
    assert history["epoch"].tolist() == list(range(1, 9))
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]


def test_verbose_prints_a_line_per_epoch(capsys):
    make(max_epochs=3).fit(*images())
    assert capsys.readouterr().out == ""
    make(max_epochs=3, verbose=1).fit(*images())
    lines = capsys.readouterr().out.splitlines()
    assert "train_loss" in lines[0]
    assert len(lines) == 5


def test_callbacks_are_copied_and_read_the_net():
    score = EpochScoring("roc_auc", on_train=True, lower_is_better=False, name="auc")
    given = [score, ("schedule", LRScheduler(StepLR, step_size=2, gamma=0.1))]
    estimator = make(callbacks=given, class_weight="balanced")
    fitted = estimator.fit(*images())
    assert fitted.history_["auc"].iloc[-1] > 0.95
    assert fitted.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.01 * 0.1**4, rel=1e-6)
    assert not hasattr(score, "best_score_")
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.predict_proba(images()[0]), fitted.predict_proba(images()[0]))


class CtrlC(Callback):
    def on_batch_end(self, net, training=False, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


def test_an_interrupted_fit_keeps_its_weights_and_says_so():
    X, y = images()
    with pytest.warns(UserWarning, match="interrupted in epoch 3: CNNClassifier keeps the wei"):
        fitted = make(callbacks=[CtrlC()]).fit(X, y)
    assert fitted.predict_proba(X).shape == (60, 2)


def test_a_fit_that_fails_leaves_no_net_that_is_not_trained():
    X, y = images()
    classifier = make(early_stopping=True, scoring="accurracy", warm_start=True)
    with pytest.raises(ValueError, match="Unknown scorer"):
        classifier.fit(X, y)
    with pytest.raises(NotFittedError):
        classifier.predict(X)
    classifier.set_params(scoring="accuracy").fit(X, y)
    assert classifier.history_["epoch"].tolist()[0] == 1
    classifier.set_params(warm_start=False, amp="float16", device="cpu")
    with pytest.raises(ValueError, match="needs a CUDA device"):
        classifier.fit(X, 1 - y)
    with pytest.raises(NotFittedError):
        classifier.predict(X)
    classifier.set_params(amp=None).fit(X, y)
    with pytest.raises(ValueError, match="sample_weight"):
        classifier.fit(X, y + 5, sample_weight=np.ones(3))
    with pytest.raises(NotFittedError):
        classifier.predict(X)


def test_warm_start_goes_on_with_new_settings():
    X, y = images()
    estimator = make(warm_start=True, max_epochs=3).fit(X, y)
    weights = [p.clone() for p in estimator.net_.module_.parameters()]
    loss = estimator.history_["train_loss"].iloc[-1]
    estimator.set_params(max_epochs=2, lr=1e-12, batch_size=7, weight_decay=0).fit(X, y)
    assert len(estimator.history_) == 5
    assert estimator.net_.batch_size == 7
    for before, after in zip(weights, estimator.net_.module_.parameters(), strict=True):
        assert_allclose(after.detach(), before.detach(), atol=1e-8)
    assert estimator.history_["train_loss"].iloc[-1] <= loss
    estimator.set_params(warm_start=False).fit(X, y)
    assert len(estimator.history_) == 2


def test_warm_start_keeps_shape_and_classes():
    X, y = images()
    estimator = make(warm_start=True, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"\(1, 6, 6\) is expected"):
        estimator.fit(X[..., :3], y)
    with pytest.raises(ValueError, match=r"none of the 2 classes of the first call, .* 2"):
        estimator.fit(X, y + 1)


def test_a_pickle_holds_no_training_data():
    X, y = images(400, (1, 20, 20))
    fitted = make(max_epochs=1, early_stopping=True, backbone=tiny).fit(X, y)
    assert len(pickle.dumps(fitted)) < X.astype(np.float32).nbytes / 4


def tiny(input_shape, n_outputs):
    return MultilayerPerceptron(input_shape, n_outputs, hidden=(2,))


def test_no_device_no_amp():
    with pytest.raises(ValueError, match="amp='bfloat16' needs a CUDA device"):
        make(device="cpu", amp="bfloat16").fit(*images())
    with pytest.raises(ValueError, match="device='gpu' is unknown"):
        make(device="gpu").fit(*images())
