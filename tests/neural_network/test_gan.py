import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skrecall.neural_network import CNNClassifier, GANOverSampler
from skrecall.neural_network._gan import SampleScaling, balanced_batch, variety
from skrecall.nn import ImageGenerator, TableDiscriminator, TableGenerator
from skrecall.resampling import ArraySampler


def gan(**params):
    return GANOverSampler(
        **{"max_epochs": 1, "device": "cpu", "n_threads": 1, "random_state": 0, **params}
    )


def two_gaussians(n_common=300, n_rare=100):
    rng = np.random.RandomState(0)
    X = np.append(rng.normal(0, 1, (n_common, 2)), rng.normal(4, 0.5, (n_rare, 2)), axis=0)
    return X, np.repeat(["common", "rare"], [n_common, n_rare])


def digits(n_rare=60):
    data = load_digits()
    rows = np.append(np.flatnonzero(data.target == 0), np.flatnonzero(data.target == 1)[:n_rare])
    return (data.images[rows, None] * 15.9).astype(np.uint8), data.target[rows]


@pytest.fixture(scope="module")
def trained():
    """Sampler after some seconds on two Gaussians, and what it gave."""
    X, y = two_gaussians()
    sampler = gan(max_epochs=70)
    return X, y, sampler, *sampler.fit_resample(X, y)


def test_rows_of_two_gaussians_lie_where_their_class_does(trained):
    X, y, sampler, _, _ = trained
    judge = LogisticRegression().fit(X, y)
    for label, spread in [("common", 1.0), ("rare", 0.5)]:
        made = sampler.sample(label, 2000, random_state=0)
        assert np.abs(made.mean(axis=0) - X[y == label].mean(axis=0)).max() < 0.5 * spread
        assert (made.std(axis=0) > 0.4 * spread).all()
        assert (made.std(axis=0) < 1.6 * spread).all()
        assert np.mean(judge.predict(made) == label) > 0.97


def test_old_rows_come_first_and_new_ones_after(trained):
    X, y, sampler, X_new, y_new = trained
    assert_array_equal(X_new[: len(X)], X)
    assert_array_equal(y_new[: len(y)], y)
    assert (y_new[len(y) :] == "rare").all()
    assert np.sum(y_new == "rare") == np.sum(y_new == "common") == 300
    assert sampler.sampling_strategy_ == {"rare": 200}
    assert sampler.classes_.tolist() == ["common", "rare"]
    assert len(np.unique(X_new, axis=0)) == len(X_new)
    assert X_new.min() >= X.min()


def test_losses_are_kept_and_finite(trained):
    losses = trained[2].losses_
    assert losses.columns.tolist() == ["epoch", "generator", "discriminator"]
    assert losses["epoch"].tolist() == list(range(1, 71))
    assert np.isfinite(losses.to_numpy()).all()
    assert losses["discriminator"].min() > 0.325  # the entropy of the target 0.9


def test_variety_is_a_mean_ratio_of_standard_deviations():
    rng = np.random.RandomState(0)
    real, made = rng.normal(0, [1, 2, 0, 8], (40, 4)), rng.normal(0, [0.5, 2, 3, 2], (30, 4))
    expected = [np.sqrt(np.var(made[:, k]) / np.var(real[:, k])) for k in (0, 1, 3)]
    assert_allclose(variety(made, real), np.mean(expected))
    assert np.isnan(variety(made[:, 2:3], real[:, 2:3]))
    bright = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    assert_allclose(variety(bright, bright), 1)


def test_variety_is_that_of_samples_by_class(trained):
    X, y, sampler, _, _ = trained
    assert sampler.variety_.shape == (2,)
    for label, found in zip(sampler.classes_, sampler.variety_, strict=True):
        made = sampler.sample(label, 4000, random_state=0)
        expected = np.mean(made.std(axis=0) / X[y == label].std(axis=0))
        assert_allclose(found, expected, rtol=0.1)  # three errors of a deviation of 512 rows


def test_a_generator_of_one_row_has_no_variety():
    class Same(TableGenerator):
        def forward(self, noise, labels):
            return super().forward(noise * 0, labels)

    sampler = gan(generator=Same)
    sampler.fit_resample(*two_gaussians())
    assert_allclose(sampler.variety_, 0, atol=1e-6)


def test_array_sampler_hands_images_through():
    """Flat rows would be learnt as a table."""
    X, y = digits()
    sampler = ArraySampler(gan())
    X_new, y_new = sampler.fit_resample(X, y)
    expected, y_expected = gan().fit_resample(X, y)
    assert isinstance(sampler.sampler_.generator_, ImageGenerator)
    assert_array_equal(X_new, expected)
    assert_array_equal(y_new, y_expected)
    assert sampler.sample_shape_ == (1, 8, 8)
    assert sampler.n_features_in_ == 64


def test_samples_are_seeded_and_torch_is_left_alone(trained):
    sampler = trained[2]
    state = torch.get_rng_state()
    first = sampler.sample("rare", 5, random_state=1)
    assert torch.equal(state, torch.get_rng_state())
    assert_array_equal(sampler.sample("rare", 5, random_state=1), first)
    assert not np.array_equal(sampler.sample("rare", 5, random_state=2), first)
    again = pickle.loads(pickle.dumps(sampler))
    assert_array_equal(again.sample("rare", 5, random_state=1), first)


def test_a_class_that_was_not_learnt_has_no_samples(trained):
    with pytest.raises(ValueError, match=r"'fraud' was not learnt, only \['common', 'rare'\]"):
        trained[2].sample("fraud")
    with pytest.raises(NotFittedError):
        gan().sample("rare")


def test_batches_hold_as_many_rows_of_each_class():
    codes = torch.tensor([2, 0, 0, 1, 0, 2, 0, 0, 0, 0])
    order, counts = torch.argsort(codes, stable=True), torch.bincount(codes)
    torch.random.default_generator.manual_seed(0)
    drawn = torch.zeros(10)
    classes = torch.zeros(3)
    for _ in range(400):
        rows, labels = balanced_batch(order, counts, 8, torch.device("cpu"))
        assert torch.equal(codes[rows], labels)
        assert set(torch.bincount(labels).tolist()) == {2, 3}
        drawn += torch.bincount(rows, minlength=10)
        classes += torch.bincount(labels)
    assert_allclose(classes / 3200, 1 / 3, atol=0.02)
    expected = 3200 / 3 / counts[codes]
    assert_allclose(drawn, expected, atol=6 * expected.max() ** 0.5)


def test_tables_are_standardised_and_come_back():
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.normal(5, 2, 50), np.full(50, 7.3), rng.randint(0, 9, 50)])
    whole = np.array([False, False, True])
    for clip in (True, False):
        scaling = SampleScaling.of_table(X, whole, clip=clip)
        Z = scaling.to_net(X)
        assert Z.dtype == np.float32
        assert_allclose(Z[:, [0, 2]].mean(axis=0), 0, atol=1e-6)
        assert_allclose(Z[:, [0, 2]].std(axis=0), 1, rtol=1e-6)
        assert_array_equal(Z[:, 1], 0)
        assert_allclose(scaling.to_samples(Z), X, rtol=1e-6)
        far = scaling.to_samples(np.full((1, 3), 9.0))[0]
        assert far[1] == 7.3
        assert far[2] == np.rint(far[2])
        assert (far[0] == X[:, 0].max()) == (far[2] == 8) == clip


def test_images_are_mapped_to_one_range():
    X = np.array([[0, 51, 255, 102]], dtype=np.uint8)
    scaling = SampleScaling.of_images(X)
    assert_allclose(scaling.to_net(X), [[-1, -0.6, 1, -0.2]], atol=1e-6)
    back = scaling.to_samples(scaling.to_net(X))
    assert back.dtype == np.uint8
    assert_array_equal(back, X)
    scaling = SampleScaling.of_images(np.array([[2.0, 6.0]]))
    assert_allclose(scaling.to_samples(np.array([[-1.0, 0.0, 3.0]])), [[2, 4, 6]])
    constant = SampleScaling.of_images(np.full((2, 3), 4.0))
    assert_allclose(constant.to_samples(np.full((1, 3), 0.5)), 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 8, 8), (8, 8), (2, 4, 8), (1, 5, 9)])
def test_images_keep_type_and_shape(dtype, shape):
    rng = np.random.RandomState(0)
    X = rng.randint(0, 256, size=(40, *shape)).astype(dtype)
    y = np.repeat([0, 1], [25, 15])
    sampler = gan(min_class_size=15)
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new.shape == (50, *shape)
    assert X_new.dtype == dtype
    assert_array_equal(X_new[:40], X)
    assert np.bincount(y_new).tolist() == [25, 25]
    assert sampler.sample(1, 3).shape == (3, *shape)
    assert sampler.n_features_in_ == np.prod(shape)
    assert X_new.min() >= X.min()
    assert X_new.max() <= X.max() or dtype == np.uint8


def test_flat_rows_are_read_as_images():
    X, y = digits()
    sampler = gan(image_shape=(1, 8, 8))
    X_new, _ = sampler.fit_resample(X.reshape(-1, 64), y)
    expected, _ = gan().fit_resample(X, y)
    assert isinstance(sampler.generator_, ImageGenerator)
    assert X_new.dtype == np.uint8
    assert_array_equal(X_new, expected.reshape(-1, 64))
    assert_array_equal(gan().fit_resample(list(X), y)[0], expected)


def test_frames_keep_names_and_types():
    rng = np.random.RandomState(0)
    n = 90
    X = pd.DataFrame(
        {
            "amount": rng.normal(100, 20, n),
            "count": rng.randint(0, 5, n),
            "flag": rng.uniform(size=n) < 0.5,
            "constant": np.full(n, 3.5, dtype=np.float32),
            "number": np.arange(n) + 2**60,
        },
        index=np.arange(n) + 7,
    )
    y = pd.Series(np.repeat(["no", "yes"], [60, 30]), index=X.index, name="fraud")
    sampler = gan(min_class_size=30, clip=False)
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_series_equal(X_new.dtypes, X.dtypes)
    pd.testing.assert_frame_equal(X_new.iloc[:n], X.reset_index(drop=True))
    assert y_new.name == "fraud"
    assert len(X_new) == 120
    assert (X_new["constant"] == 3.5).all()
    made = sampler.sample("yes", 4)
    pd.testing.assert_series_equal(made.dtypes, X.dtypes)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", [90, 90, 90]),
        ("minority", [90, 60, 90]),
        ({1: 70, 2: 55}, [90, 70, 55]),
        ({2: 51}, [90, 60, 51]),
    ],
)
def test_strategies(strategy, expected):
    X = np.random.RandomState(0).normal(size=(200, 3))
    y = np.repeat([0, 1, 2], [90, 60, 50])
    _, y_new = gan(sampling_strategy=strategy).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == expected


def test_small_classes_are_refused_or_left_out():
    X = np.random.RandomState(0).normal(size=(200, 3))
    y = np.repeat(["a", "b", "c"], [110, 60, 30])
    with pytest.raises(ValueError, match=r"from 50 rows at least, and class 'c' has 30: use SMOTE"):
        gan().fit_resample(X, y)
    sampler = gan(sampling_strategy={"b": 80})
    _, y_new = sampler.fit_resample(X, y)
    assert dict(zip(*np.unique(y_new, return_counts=True), strict=True)) == {
        "a": 110, "b": 80, "c": 30,
    }  # fmt: skip
    assert sampler.classes_.tolist() == ["a", "b"]


def test_nothing_to_do_is_said():
    X = np.random.RandomState(0).normal(size=(100, 3))
    with pytest.warns(UserWarning, match="added no row to"):
        X_new, _ = gan().fit_resample(X, np.arange(100) % 2)
    assert_array_equal(X_new, X)


def test_networks_may_be_given():
    X, y = two_gaussians()
    sampler = gan(
        n_latent=5,
        generator=partial(TableGenerator, hidden=(9,)),
        discriminator=partial(TableDiscriminator, hidden=(11,)),
    )
    sampler.fit_resample(X, y)
    shapes = [tuple(weight.shape) for weight in sampler.generator_.parameters()]
    assert shapes == [(2, 5), (9, 10), (9,), (2, 9), (2,)]
    assert not sampler.generator_.training


def test_without_an_average_the_last_generator_is_kept():
    X, y = two_gaussians()
    kept = [gan(ema_decay=decay, max_epochs=2) for decay in (0.0, 0.9)]
    made = [sampler.fit_resample(X, y)[0] for sampler in kept]
    assert_allclose(kept[0].losses_, kept[1].losses_)  # the average takes no part in training
    assert not np.allclose(made[0], made[1])


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (csr_array(np.eye(100)), {}, "X is sparse, and GANOverSampler makes rows without zeros"),
        (pd.DataFrame({"a": 1.0, "kind": ["x", "y"] * 50}), {}, r"hold no numbers: \['kind'\]"),
        (np.zeros((100, 2, 2, 2, 2)), {}, r"X has shape \(100, 2, 2, 2, 2\): pass images"),
        (np.zeros((100, 8, 8, 3)), {}, "move the channels first"),
        (np.zeros((100, 7)), {"image_shape": (1, 3, 3)}, "X has rows of 7 values"),
        (np.full((100, 2), np.nan), {}, "NaN"),
        (np.zeros((100, 2)), {"real_target": 0.0}, "real_target"),
        (np.zeros((100, 2)), {"device": "abacus"}, "abacus"),
        (np.random.RandomState(0).normal(size=(100, 2)), {"lr": 1e30, "max_epochs": 5}, "diverged"),
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence(X, params, message):
    y = np.repeat([0, 1], [50, 50])
    with pytest.raises(ValueError, match=message), warnings.catch_warnings():
        gan(sampling_strategy={1: 60}, **params).fit_resample(X, y)


def test_weights_are_refused():
    X, y = two_gaussians()
    with pytest.raises(TypeError, match="sample_weight"):
        gan().fit_resample(X, y, sample_weight=np.ones(len(X)))


def test_in_a_pipeline_with_a_network():
    X, y = digits()
    network = CNNClassifier(max_epochs=3, device="cpu", n_threads=1, random_state=0)
    model = make_pipeline(gan(), network).fit(X, y)
    by_hand = clone(network).fit(*gan().fit_resample(X, y))
    assert_array_equal(model.predict_proba(X), by_hand.predict_proba(X))


def test_progress(capsys):
    X, y = two_gaussians()
    gan(max_epochs=4, verbose=2).fit_resample(X, y)
    assert capsys.readouterr().out.startswith("epoch 2: generator 0.")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_the_generator_comes_back():
    X, y = digits()
    sampler = gan(device="cuda")
    sampler.fit_resample(X, y)
    assert next(sampler.generator_.parameters()).device.type == "cpu"
