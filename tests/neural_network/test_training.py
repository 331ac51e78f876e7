"""What parameters become in a fit: heads, rates, samplers, augmentation, weights of rows."""

import pickle
from functools import partial, partialmethod

import numpy as np
import pytest
import torch
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import cross_val_score
from sklearn.utils.class_weight import compute_sample_weight
from skorch.callbacks import Callback
from torch import nn

from skrecall.neural_network import CNNClassifier
from skrecall.nn import (
    CosineHead,
    MultilayerPerceptron,
    RandomFlip,
    SmallCNN,
    WeightedCrossEntropyLoss,
    class_weights,
)


def table(n_samples=200, weights=(0.8,), seed=0):
    return make_classification(
        n_samples, 6, weights=weights, class_sep=1.5, flip_y=0.02, random_state=seed
    )


def digits(step=6):
    X, y = load_digits(return_X_y=True)
    return X[::step].reshape(-1, 1, 8, 8) / 16, y[::step]


def make(**params):
    return CNNClassifier(**{"max_epochs": 4, "lr": 0.01, "random_state": 0, **params})


def weights_of(estimator):
    return {name: p.detach().clone() for name, p in estimator.net_.module_.named_parameters()}


class TestHeads:
    """Heads on features, and backbones that learn slowly or not at all."""

    @pytest.mark.parametrize("head", ["linear", "cosine", CosineHead, partial(CosineHead, scale=8)])
    def test_heads_learn_digits(self, head):
        X, y = digits()
        fitted = make(head=head, max_epochs=15).fit(X, y)
        assert fitted.score(X, y) > 0.8
        copy = pickle.loads(pickle.dumps(fitted))
        assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))

    def test_cosines_are_scaled_by_the_loss_or_by_the_head(self):
        X, y = digits()
        for loss, scale in (("cross_entropy", 16.0), ("ldam", 1.0)):
            fitted = make(head="cosine", loss=loss, max_epochs=1).fit(X, y)
            assert fitted.net_.module_.head.scale == scale
        logits = fitted.decision_function(X)  # 30 times cosines
        assert 1 < np.abs(logits).max() <= 30
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert_allclose(fitted.predict_proba(X), expected)

    def test_a_module_without_features_of_its_own(self):
        X, y = digits()
        trunk = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
        fitted = make(backbone=trunk, head="linear", max_epochs=1).fit(X, y)
        assert fitted.net_.module_.head.weight.shape == (10, 4)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"head": "cosin"}, "The 'head' parameter"),
            ({"head": nn.Linear(3, 2)}, "with the head Linear cannot take samples"),
            ({"freeze": "stem.*", "head": "linear"}, r"freeze='stem.\*' matches no parameter"),
            (
                {"freeze": "backbone", "head": "linear", "backbone_lr": 0.1},
                "backbone_lr=0.1 is the learning rate of the backbone, of which nothing is trained",
            ),
            ({"freeze": "*"}, "leaves none of the"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, params, message):
        with pytest.raises(ValueError, match=message):
            make(**params).fit(*digits())

    def test_frozen_parameters_stay_and_the_head_learns(self):
        X, y = digits()
        torch.manual_seed(0)
        backbone = SmallCNN((1, 8, 8), 10)
        given = {f"backbone.{name}": p.clone() for name, p in backbone.named_parameters()}
        fitted = make(backbone=backbone, head="linear", freeze="backbone").fit(X, y)
        found = weights_of(fitted)
        assert all(torch.equal(found[name], given[name]) for name in given)
        assert fitted.history_["train_loss"].iloc[-1] < fitted.history_["train_loss"].iloc[0]

    def test_the_backbone_has_a_rate_of_its_own(self):
        X, y = digits()
        torch.manual_seed(0)
        backbone = SmallCNN((1, 8, 8))
        settings = {"backbone": backbone, "head": "linear", "weight_decay": 0.0}
        still = weights_of(make(**settings, backbone_lr=1e-12).fit(X, y))
        for name, p in backbone.named_parameters():
            assert_allclose(still[f"backbone.{name}"], p.detach(), atol=1e-8)
        estimator = make(**settings, backbone_lr=0.001, warm_start=True).fit(X, y)
        rates = [group["lr"] for group in estimator.net_.optimizer_.param_groups]
        assert rates == [0.01, 0.001]
        equal = weights_of(make(**settings, backbone_lr=0.01).fit(X, y))
        for name, p in weights_of(make(**settings).fit(X, y)).items():
            assert_allclose(equal[name], p, atol=1e-5)
        estimator.set_params(lr=0.02).fit(X, y)
        rates = [group["lr"] for group in estimator.net_.optimizer_.param_groups]
        assert rates == [0.02, 0.001]


class TestClassWeights:
    """Weights by scheme, and weights that act late."""

    @pytest.mark.parametrize("scheme", ["sqrt", "effective"])
    def test_schemes_weigh_by_counts(self, scheme):
        X, y = table()
        weight = class_weights(np.bincount(y).tolist(), scheme).tolist()
        expected = make(class_weight=dict(enumerate(weight))).fit(X, y).predict_proba(X)
        assert_allclose(make(class_weight=scheme).fit(X, y).predict_proba(X), expected, rtol=1e-5)

    def test_counts_reach_a_loss_by_name(self):
        X, y = table()
        fitted = make(loss="logit_adjusted", max_epochs=1).fit(X, y)
        assert_array_equal(fitted.net_.criterion_.class_counts, np.bincount(y))
        held = make(loss="logit_adjusted", max_epochs=1, early_stopping=True).fit(X, y)
        assert held.net_.criterion_.class_counts.sum() == 180

    def test_several_losses_are_summed(self):
        X, y = table()
        fitted = make(loss={"cross_entropy": 0.5, "focal": 0.5}, loss_params=None).fit(X, y)
        assert fitted.score(X, y) > 0.8

    @pytest.mark.parametrize("loss", ["cross_entropy", "focal", nn.CrossEntropyLoss()])
    def test_late_weights_are_a_second_fit_with_weights(self, loss):
        X, y = table()
        settings = {"loss": loss, "max_epochs": 4, "batch_size": 200, "optimizer": "sgd"}
        late = make(class_weight="balanced", reweight_from=0.5, **settings).fit(X, y)
        balanced = compute_sample_weight("balanced", y)
        losses = make(**settings | {"max_epochs": 2}).fit(X, y).history_["train_loss"]
        assert_array_equal(late.history_["train_loss"][:2], losses)
        two = make(**settings | {"max_epochs": 2}, warm_start=True).fit(X, y)
        two.fit(X, y, sample_weight=balanced)  # batches of all rows: their order is nothing
        assert_allclose(late.history_["train_loss"], two.history_["train_loss"], rtol=1e-4)
        always = make(class_weight="balanced", reweight_from=0.0, **settings).fit(X, y)
        same = make(class_weight="balanced", **settings).fit(X, y)
        assert_array_equal(always.predict_proba(X), same.predict_proba(X))
        never = make(class_weight="balanced", reweight_from=1.0, **settings).fit(X, y)
        assert_array_equal(never.predict_proba(X), make(**settings).fit(X, y).predict_proba(X))

    def test_deferred_reweighting_of_ldam(self):
        X, y = digits()
        fitted = make(
            loss="ldam",
            head="cosine",
            class_weight="effective",
            reweight_from=0.8,
            max_epochs=20,
        ).fit(X, y)
        assert fitted.score(X, y) > 0.8

    def test_rows_held_out_have_all_weights_throughout(self):
        X, y = table()
        settings = {"early_stopping": True, "validation_fraction": 0.3, "lr": 1e-12}
        late = make(class_weight="balanced", reweight_from=0.5, **settings).fit(X, y)
        assert np.ptp(late.history_["valid_loss"]) < 1e-6
        assert abs(late.history_["train_loss"][0] - late.history_["train_loss"][3]) > 1e-3


class Batches(Callback):
    """Record the share of the class 1 in training batches."""

    def on_batch_begin(self, net, batch, training, **kwargs):
        if training:
            net.shares = [*getattr(net, "shares", []), batch[1].float().mean().item()]


class TestSamplersAndAugmentation:
    """What training batches are made of."""

    def test_balanced_batches(self):
        X, y = table(400, weights=(0.95,))
        settings = {"callbacks": [Batches()], "batch_size": 40}
        assert np.mean(make(**settings).fit(X, y).net_.shares) < 0.1
        balanced = make(sampler="balanced", **settings).fit(X, y)
        assert_allclose(balanced.net_.shares, 0.5)
        flat = make(sampler="inverse_frequency", sampler_params={"power": 0.0}, **settings)
        assert np.mean(flat.fit(X, y).net_.shares) < 0.1
        again = make(sampler="balanced", **settings).fit(X, y)
        assert_array_equal(again.predict_proba(X), balanced.predict_proba(X))
        assert len(pickle.dumps(balanced)) == len(pickle.dumps(again))

    def test_parameters_of_no_sampler(self):
        with pytest.raises(ValueError, match=r"sampler_params=\{'power': 1\} belong to a sampler"):
            make(sampler_params={"power": 1}).fit(*table())
        with pytest.raises(ValueError, match=r"sampler='balanced' takes classes_per_batch, and no"):
            make(sampler="balanced", sampler_params={"power": 1}).fit(*table())

    def test_augmentation_acts_in_training_only_on_scaled_images(self):
        X, y = digits()
        X = (X * 255).astype(np.uint8)
        seen = []

        class Spy(RandomFlip):
            def forward(self, X):
                seen.append((X.dtype, X.max().item() <= 1, torch.is_grad_enabled()))
                return super().forward(X)

        spy = Spy()
        fitted = make(augmentation=spy, early_stopping=True, validation_fraction=0.2)
        fitted.set_params(max_epochs=2, n_threads=1).fit(X, y)
        n_batches = -(-round(len(y) * 0.8) // 64)
        assert len(seen) == 2 * n_batches
        assert set(seen) == {(torch.float32, True, False)}
        fitted.predict(X)
        assert len(seen) == 2 * n_batches

    @pytest.mark.parametrize(
        ("augmentation", "found"),
        [
            (lambda X: X[:-1], r"a tensor of shape \(\d+, 1, 8, 8\)"),
            (lambda X: None, "a NoneType"),
            (lambda X: X.numpy(), "a ndarray"),
            (lambda X: (X, 0.5), "a tuple of 2"),
        ],
    )
    def test_an_augmentation_returns_as_many_samples(self, augmentation, found):
        with pytest.raises(ValueError, match=f"augmentation made {found} of a batch of shape"):
            make(augmentation=augmentation).fit(*digits())

    @pytest.mark.parametrize("augmentation", ["default", ["flip", "mixup"], "cutmix"])
    def test_augmented_digits_are_learnt(self, augmentation):
        X, y = digits(3)
        fitted = make(augmentation=augmentation, max_epochs=12).fit(X, y)
        assert fitted.score(X, y) > 0.8
        again = make(augmentation=augmentation, max_epochs=12).fit(X, y)
        assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))

    @pytest.mark.parametrize("loss", ["cross_entropy", "focal", nn.CrossEntropyLoss()])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_the_loss_of_a_mix_is_the_mix_of_the_losses(self, loss, weighted):
        X, y = table(6)
        y[:3] = 1 - y[3:]
        net = make(loss=loss, max_epochs=1).fit(X, y).net_
        X, y = torch.from_numpy(X).float(), torch.from_numpy(y)
        order = torch.tensor([3, 4, 5, 0, 2, 1])
        share = torch.tensor([0.9, 0.1, 0.5, 0.7, 1.0, 0.0])
        weight = torch.arange(6.0) if weighted else torch.ones(6)
        inputs = {"X": X, "sample_weight": weight} if weighted else {"X": X}
        logits = net.module_.eval()(X)
        found = net._mixed_loss(logits, y, inputs, order, share).item()
        expected = 0.0
        for i in range(6):
            for row, part in ((i, share[i]), (order[i], 1 - share[i])):
                one = net.get_loss(logits[i : i + 1], y[row][None], X={"X": X[i : i + 1]})
                expected += (part * weight[row] * one).item() / 6
        assert found == pytest.approx(expected, rel=1e-5)


class TestViews:
    """Predictions averaged over views."""

    def test_logits_are_averaged(self):
        X, y = digits()
        fitted = make().fit(X, y)
        plain, mirrored = (fitted.decision_function(x) for x in (X, X[..., ::-1].copy()))
        fitted.set_params(test_time_views="flip")
        assert_allclose(fitted.decision_function(X), (plain + mirrored) / 2, atol=1e-5)
        assert_allclose(
            fitted.decision_function(X[..., ::-1].copy()), (plain + mirrored) / 2, atol=1e-5
        )
        fitted.set_params(test_time_views=[lambda x: x, lambda x: x.flip(-1)])
        assert_allclose(fitted.decision_function(X), (2 * plain + mirrored) / 3, atol=1e-5)
        assert_allclose(fitted.predict_proba(X[:7]), fitted.predict_proba(X)[:7], rtol=1e-5)

    @pytest.mark.parametrize(
        ("views", "message"),
        [
            (["flip"], "test_time_views holds 'flip', which cannot be called: pass 'flip' itself"),
            ([lambda X: X[:1]], r"made a tensor of shape \(1, .* of a batch of shape \(\d\d, "),
            ([lambda X: X.numpy()], "made a ndarray of a batch"),
        ],
    )
    def test_what_is_no_view_is_refused(self, views, message):
        X, y = digits()
        fitted = make(max_epochs=1).fit(X, y).set_params(test_time_views=views)
        with pytest.raises(ValueError, match=message):
            fitted.predict(X)

    def test_a_table_has_no_mirror_image(self):
        with pytest.raises(ValueError, match="test_time_views='flip' mirrors images, and the sam"):
            make(test_time_views="flip").fit(*table()).predict(table()[0])


@pytest.mark.parametrize("name", ["early_stopping", "lr_schedule", "reweight_from"])
def test_a_chunk_cannot_do_what_needs_all_rows(name):
    X, y = table()
    value = {"early_stopping": True, "lr_schedule": "cosine", "reweight_from": 0.5}[name]
    estimator = make(**{name: value}, class_weight={0: 1.0, 1: 2.0})
    with pytest.raises(ValueError, match=f"{name}={value!r} needs all data at once"):
        estimator.partial_fit(X, y, classes=[0, 1])


EVERYTHING = {
    "head": "cosine",
    "loss": "ldam",
    "class_weight": "effective",
    "reweight_from": 0.5,
    "sampler": "inverse_frequency",
    "augmentation": ["shift", "mixup"],
    "lr_schedule": "one_cycle",
    "gradient_clipping": 1.0,
    "ema_decay": 0.9,
    "backbone_lr": 0.005,
    "early_stopping": True,
    "scoring": "balanced_accuracy",
    "validation_fraction": 0.2,
    "test_time_views": "flip",
}


def test_all_at_once_by_seed_in_pickles_and_clones():
    X, y = digits()
    first = make(**EVERYTHING).fit(X, y)
    again = clone(first).fit(X, y)
    assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert_array_equal(first.history_.drop(columns="dur"), again.history_.drop(columns="dur"))
    copy = pickle.loads(pickle.dumps(first))
    assert_array_equal(first.predict_proba(X), copy.predict_proba(X))
    other = clone(first).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def test_equal_scores_under_any_backend():
    X, y = digits()
    estimator = make(**EVERYTHING, n_threads=1, max_epochs=2)
    expected = cross_val_score(estimator, X, y, cv=2)
    for backend in ("loky", "threading"):
        with parallel_config(backend, n_jobs=2):
            assert_array_equal(cross_val_score(estimator, X, y, cv=2), expected)


def test_a_compiled_network_is_the_same_network(monkeypatch):
    # Captured and guarded as ever, but run as it is: generated code takes a minute.
    captured = partialmethod(nn.Module.compile, backend="eager")
    monkeypatch.setattr(nn.Module, "compile", captured)
    X, y = table(64)
    backbone = partial(MultilayerPerceptron, hidden=(4,))
    settings = {"backbone": backbone, "max_epochs": 2, "batch_size": 32}
    plain = make(**settings).fit(X, y)
    compiled = make(**settings, compile=True, ema_decay=0.5).fit(X, y)
    assert type(compiled.net_.module_) is MultilayerPerceptron
    assert list(compiled.net_.module_.state_dict()) == list(plain.net_.module_.state_dict())
    assert_allclose(compiled.history_["train_loss"], plain.history_["train_loss"], rtol=1e-4)
    copy = pickle.loads(pickle.dumps(compiled))
    assert_allclose(copy.predict_proba(X), compiled.predict_proba(X), rtol=1e-5)


def test_a_loss_object_is_copied_for_every_fit():
    X, y = table()
    loss = WeightedCrossEntropyLoss(weight=[1.0, 3.0], reduction="sum")
    fitted = make(loss=loss, max_epochs=1).fit(X, y)
    assert fitted.net_.criterion_ is not loss
    assert (loss.reduction, fitted.net_.criterion_.reduction) == ("sum", "mean")
