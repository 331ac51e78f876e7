"""Schedules, averages of weights, scores held out: against torch's own, and what they restore."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.metrics import make_scorer, recall_score
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR

from skrecall.neural_network import CNNClassifier
from skrecall.neural_network._callbacks import SCHEDULES, _WeightAverage
from skrecall.nn import MultilayerPerceptron


def table(n_samples=200, flip_y=0.02):
    return make_classification(
        n_samples, 6, weights=[0.7], class_sep=1.5, flip_y=flip_y, random_state=0
    )


def make(**params):
    return CNNClassifier(**{"max_epochs": 4, "lr": 0.01, "random_state": 0, **params})


def parameters_of(estimator):
    return torch.cat([p.detach().flatten() for p in estimator.net_.module_.parameters()])


def rates(make_scheduler, n_steps, lr=0.01):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make_scheduler(optimizer, n_steps)
    found = []
    for _ in range(n_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("cosine", lambda optimizer, n: CosineAnnealingLR(optimizer, n)),
        ("one_cycle", lambda optimizer, n: OneCycleLR(optimizer, 0.01, n, cycle_momentum=False)),
    ],
)
def test_schedules_are_torchs_step_by_step(name, theirs):
    X, y = table()  # 200 rows, 4 batches of 64 an epoch
    expected = rates(theirs, 16)
    assert_allclose(rates(SCHEDULES[name], 16), expected)
    fitted = make(lr_schedule=name).fit(X, y)
    assert_allclose(fitted.history_["lr"], expected[::4])
    peak = int(np.argmax(expected))
    assert expected[peak] == pytest.approx(0.01, rel=0.01)
    assert peak == (0 if name == "cosine" else 4)
    assert expected[-1] < 0.1 * expected[peak]


def linear_warm_up(optimizer, n_steps):
    return LinearLR(optimizer, start_factor=0.1, total_iters=n_steps)


def test_a_schedule_of_the_users():
    X, y = table()
    fitted = make(lr_schedule=linear_warm_up).fit(X, y)
    assert_allclose(fitted.history_["lr"], rates(linear_warm_up, 16)[::4])
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


def test_a_schedule_begins_anew_where_training_goes_on():
    X, y = table()
    estimator = make(lr_schedule="cosine", warm_start=True).fit(X, y).fit(X, y)
    lr = estimator.history_["lr"]
    assert_array_equal(lr[:4], lr[4:])


def test_clipped_steps_are_short():
    X, y = table()
    plain = {"optimizer": "sgd", "weight_decay": 0.0, "max_epochs": 1, "batch_size": 200}
    start = make(**plain, lr=1e-12).fit(X, y)
    free = make(**plain, lr=1.0).fit(X, y)
    clipped = make(**plain, lr=1.0, gradient_clipping=1e-3).fit(X, y)
    # A first step of Nesterov momentum 0.9 is 1.9 times the gradient.
    moved = (parameters_of(clipped) - parameters_of(start)).norm().item()
    assert moved == pytest.approx(1.9e-3, rel=1e-3)
    assert (parameters_of(free) - parameters_of(start)).norm().item() > 1e-2


def test_the_average_is_that_of_a_plain_loop():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = _WeightAverage(module, decay=0.7)
    expected, values = None, []
    for n in range(8):
        with torch.no_grad():
            for p in module.parameters():
                p.add_(torch.randn_like(p))
        module(torch.randn(5, 3))  # moves the running statistics
        now = module.state_dict()["0.weight"].clone()
        decay = min(0.7, (1 + n) / (10 + n))
        expected = now if expected is None else decay * expected + (1 - decay) * now
        average.update(module)
        values.append(now)
    last = {name: value.clone() for name, value in module.state_dict().items()}
    average.swap(module)
    assert_allclose(module[0].weight.detach(), expected, rtol=1e-5)
    assert module[1].num_batches_tracked == 8
    assert not torch.equal(module[1].running_mean, last["1.running_mean"])
    average.swap(module)
    assert all(torch.equal(value, last[name]) for name, value in module.state_dict().items())


class TestAveragedFits:
    """What a fit with a moving average of weights ends with."""

    def test_the_mean_of_the_weights_is_smoother_than_the_last_ones(self):
        X, y = table(flip_y=0.3)
        noisy = {"lr": 0.1, "optimizer": "sgd", "batch_size": 8, "max_epochs": 6}
        seen = [make(**noisy, ema_decay=d, random_state=1).fit(X, y) for d in (None, 0.95)]
        losses = [
            -np.log(np.clip(f.predict_proba(X)[np.arange(len(y)), y], 1e-9, 1)).mean() for f in seen
        ]
        assert losses[1] < losses[0]

    def test_the_network_learns_as_without(self):
        X, y = table()
        without = make().fit(X, y)
        averaged = make(ema_decay=0.9).fit(X, y)
        assert_array_equal(averaged.history_["train_loss"], without.history_["train_loss"])
        assert not torch.equal(parameters_of(averaged), parameters_of(without))
        averaged.net_.average_.swap(averaged.net_.module_)
        assert torch.equal(parameters_of(averaged), parameters_of(without))

    def test_training_goes_on_from_the_weights_not_from_their_average(self):
        X, y = table()
        for go_on in ("fit", "partial_fit"):
            without = getattr(make(warm_start=True).fit(X, y), go_on)(X, y)
            averaged = getattr(make(warm_start=True, ema_decay=0.9).fit(X, y), go_on)(X, y)
            assert_array_equal(averaged.history_["train_loss"], without.history_["train_loss"])

    def test_early_stopping_restores_the_averaged_weights(self):
        X, y = table(300, flip_y=0.3)
        settings = {"early_stopping": True, "validation_fraction": 0.3, "patience": 3, "lr": 0.05}
        settings["ema_decay"] = 0.8
        fitted = make(max_epochs=60, **settings).fit(X, y)
        best = int(fitted.history_["valid_loss"].idxmin()) + 1
        assert len(fitted.history_) == best + 3
        until_best = make(max_epochs=best, **settings).fit(X, y)
        assert_array_equal(fitted.predict_proba(X), until_best.predict_proba(X))

    def test_a_pickle_goes_on(self):
        X, y = table()
        fitted = make(ema_decay=0.9, warm_start=True).fit(X, y)
        copy = pickle.loads(pickle.dumps(fitted))
        assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
        assert_array_equal(copy.fit(X, y).predict_proba(X), fitted.fit(X, y).predict_proba(X))


class TestScoring:
    """Early stopping that looks at a score."""

    @pytest.mark.parametrize("scoring", ["balanced_accuracy", "average_precision", "g_mean"])
    def test_the_best_epoch_by_score_is_restored(self, scoring):
        X, y = table(300, flip_y=0.3)
        labels = np.where(y == 1, "fraud", "fine")
        if scoring == "average_precision":
            labels = y  # it has no label that is positive, unless told
        settings = {"early_stopping": True, "validation_fraction": 0.3, "scoring": scoring}
        settings |= {"lr": 0.05, "patience": 3}
        if scoring == "g_mean":
            labels = y
        fitted = make(max_epochs=60, **settings).fit(X, labels)
        scores = fitted.history_["valid_score"]
        losses = fitted.history_["valid_loss"]
        best = int(losses[scores == scores.max()].idxmin()) + 1
        assert len(scores) == min(best + 3, 60)
        until_best = make(max_epochs=best, **settings).fit(X, labels)
        assert_array_equal(fitted.predict_proba(X), until_best.predict_proba(X))

    def test_between_equal_scores_the_loss_decides_and_a_flat_one_is_told(self):
        X, y = table(300, flip_y=0.3)
        settings = {"early_stopping": True, "validation_fraction": 0.3, "patience": 3}
        settings |= {"lr": 0.001, "max_epochs": 40}
        by_loss = make(**settings).fit(X, y)
        message = (
            r"was 0 after the first of \d+ epochs and never more, for 90 rows held out "
            r"\(\d+ of 0, \d+ of 1\): the weights kept are those of epoch \d+"
        )
        with pytest.warns(UserWarning, match=message):
            flat = make(**settings, scoring=lambda *args: 0.0).fit(X, y)
        assert int(by_loss.history_["valid_loss"].idxmin()) > 5
        assert_array_equal(flat.history_["valid_loss"], by_loss.history_["valid_loss"])
        assert_array_equal(flat.predict_proba(X), by_loss.predict_proba(X))

    def test_a_better_score_beats_a_lower_loss(self):
        X, y = table(300, flip_y=0.3)
        values = iter([0.0, 0.0, 0.5, 0.2, 0.2, 0.2])
        settings = {"early_stopping": True, "validation_fraction": 0.3, "patience": 3}
        fitted = make(**settings, scoring=lambda *args: next(values), max_epochs=9).fit(X, y)
        assert len(fitted.history_) == 6
        rising = iter([0.0, 0.1, 0.5])
        until_best = make(**settings, scoring=lambda *args: next(rising), max_epochs=3).fit(X, y)
        assert_array_equal(fitted.predict_proba(X), until_best.predict_proba(X))

    def test_a_score_that_begins_at_its_greatest_is_no_cause_to_warn(self):
        make(early_stopping=True, scoring=lambda *args: 1.0).fit(*table())

    def test_a_scorer_sees_the_users_labels(self):
        X, y = table()
        labels = np.where(y == 1, "fraud", "fine")
        seen = []

        def recall(estimator, X_valid, y_valid):
            seen.append((len(X_valid), sorted(set(y_valid))))
            return recall_score(y_valid, estimator.predict(X_valid), pos_label="fraud")

        fitted = make(early_stopping=True, validation_fraction=0.3, scoring=recall).fit(X, labels)
        assert seen == [(60, ["fine", "fraud"])] * 4
        same = make_scorer(recall_score, pos_label="fraud")
        again = make(early_stopping=True, validation_fraction=0.3, scoring=same).fit(X, labels)
        assert_array_equal(fitted.history_["valid_score"], again.history_["valid_score"])

    def test_a_pickle_holds_no_rows(self):
        X, y = np.random.default_rng(0).normal(size=(400, 400)), np.arange(400) % 2
        backbone = MultilayerPerceptron((400,), 2, hidden=(2,))
        fitted = make(early_stopping=True, scoring="roc_auc", backbone=backbone).fit(X, y)
        assert len(pickle.dumps(fitted)) < X.astype(np.float32).nbytes / 10

    def test_an_unknown_name_is_refused(self):
        with pytest.raises(ValueError, match="recal"):
            make(early_stopping=True, scoring="recal").fit(*table())

    def test_a_score_that_is_none_is_refused(self):
        with pytest.raises(ValueError, match="scoring gave NaN for the rows held out in epoch 1"):
            make(early_stopping=True, scoring=lambda *args: np.nan).fit(*table())


def test_progress_within_an_epoch(capsys):
    make(verbose=2).fit(*table())
    captured = capsys.readouterr()
    assert "/4" in captured.err
    assert "train_loss" in captured.out
