"""CNNClassifier against a bare torch loop, in scikit-learn's company, and with bad input."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skrecall.neural_network import CNNClassifier
from skrecall.nn import LinearHead, MultilayerPerceptron, SmallCNN, WeightedCrossEntropyLoss
from skrecall.resampling import ArraySampler


def table(n_samples=200):
    return make_classification(
        n_samples, 6, weights=[0.8], class_sep=1.5, flip_y=0.02, random_state=0
    )


def digits(step=4):
    X, y = load_digits(return_X_y=True)
    return X[::step].reshape(-1, 1, 8, 8) / 16, y[::step]


def make(**params):
    return CNNClassifier(**{"max_epochs": 10, "lr": 0.01, "random_state": 0, **params})


def parameters_of(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def bare_loop(module, X, y, weight, *, epochs, batch_size, lr, weight_decay):
    X = torch.tensor(X, dtype=torch.float32)
    y, weight = torch.tensor(y), torch.tensor(weight, dtype=torch.float32)
    optimizer = torch.optim.AdamW(module.parameters(), lr=lr, weight_decay=weight_decay)
    module.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            optimizer.zero_grad()
            losses = nn.functional.cross_entropy(module(X[rows]), y[rows], reduction="none")
            (losses * weight[rows]).mean().backward()
            optimizer.step()
    return parameters_of(module)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_is_a_bare_torch_loop(weighted):
    """Bit for bit: the same seed draws the same weights, batches and dropout."""
    X, y = digits()
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y)) if weighted else None
    backbone = partial(SmallCNN, dropout=0.3)
    settings = {"batch_size": 32, "lr": 0.003, "weight_decay": 0.1}
    fitted = make(backbone=backbone, max_epochs=2, **settings).fit(X, y, sample_weight=weight)
    seeds = np.random.RandomState(0)  # draws the rows held out, then torch's seed
    _, seed = (seeds.randint(np.iinfo(np.int32).max) for _ in range(2))
    expected_weight = np.ones(len(y)) if weight is None else weight / weight.mean()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = backbone((1, 8, 8), 10)
        expected = bare_loop(module, X, y, expected_weight, epochs=2, **settings)
    assert torch.equal(parameters_of(fitted.net_.module_), expected)


def test_class_weight_is_sample_weight_by_class():
    X, y = table()
    by_class = {0: 1.0, 1: 7.0}
    expected = make().fit(X, y, sample_weight=np.where(y == 1, 7.0, 1.0)).predict_proba(X)
    assert_allclose(make(class_weight=by_class).fit(X, y).predict_proba(X), expected, rtol=1e-5)
    balanced = {k: len(y) / 2 / np.sum(y == k) for k in (0, 1)}
    assert_allclose(
        make(class_weight="balanced").fit(X, y).predict_proba(X),
        make(class_weight=balanced).fit(X, y).predict_proba(X),
        rtol=1e-5,
    )


def test_the_scale_of_the_weights_is_nothing():
    X, y = table()
    weight = np.random.default_rng(0).uniform(size=len(y))
    expected = make().fit(X, y, sample_weight=weight).predict_proba(X)
    actual = make().fit(X, y, sample_weight=1000 * weight).predict_proba(X)
    assert_allclose(actual, expected, rtol=1e-3)


def test_rows_of_weight_zero_teach_nothing():
    X, y = table()
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    wrong = np.where(weight == 0, 1 - y, y)
    expected = make().fit(X, y, sample_weight=weight).predict_proba(X)
    assert_array_equal(make().fit(X, wrong, sample_weight=weight).predict_proba(X), expected)


def test_weights_buy_recall():
    X, y = make_classification(600, 6, weights=[0.9], class_sep=0.5, random_state=0)
    linear = partial(MultilayerPerceptron, hidden=())
    recall = [
        recall_score(y, make(backbone=linear, class_weight=weight).fit(X, y).predict(X))
        for weight in (None, {1: 9.0}, {1: 100.0})
    ]
    assert recall[0] + 0.2 < recall[1]
    assert recall[1] + 0.1 < recall[2]


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        ("focal", {"gamma": 2.0}),
        (WeightedCrossEntropyLoss(weight=torch.linspace(1, 2, 10)), None),
        (nn.CrossEntropyLoss(label_smoothing=0.1), None),
        (nn.MultiMarginLoss(), None),
    ],
    ids=["focal", "ours", "torch", "margin"],
)
def test_losses_learn_digits(loss, params):
    X, y = digits(2)
    fitted = make(loss=loss, loss_params=params, class_weight="balanced").fit(X, y)
    other = load_digits().data[1::2].reshape(-1, 1, 8, 8) / 16
    assert balanced_accuracy_score(load_digits().target[1::2], fitted.predict(other)) > 0.9


def test_focal_of_gamma_zero_trains_like_cross_entropy():
    X, y = table()
    assert_allclose(
        make(loss="focal", loss_params={"gamma": 0.0}).fit(X, y).predict_proba(X),
        make().fit(X, y).predict_proba(X),
        rtol=1e-4,
    )


def test_responses_agree():
    for n_classes in (2, 3):
        X, y = make_classification(100, 6, n_informative=4, n_classes=n_classes, random_state=0)
        labels = np.array(["bad", "good", "other"])[y]
        fitted = make().fit(X, labels)
        proba, scores = fitted.predict_proba(X), fitted.decision_function(X)
        assert_allclose(proba.sum(axis=1), 1)
        assert_array_equal(fitted.predict(X), fitted.classes_[proba.argmax(axis=1)])
        if n_classes == 2:
            assert_allclose(scores, np.log(proba[:, 1] / proba[:, 0]), atol=1e-9)
        else:
            expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            assert_allclose(proba, expected)


def test_a_given_module_is_never_trained():
    torch.manual_seed(1)
    module = MultilayerPerceptron((6,), 2)
    before = parameters_of(module).clone()
    X, y = table()
    estimator = make(backbone=module)
    first = estimator.fit(X, y).predict_proba(X)
    assert torch.equal(parameters_of(module), before)
    assert_array_equal(estimator.fit(X, y).predict_proba(X), first)
    assert_array_equal(clone(estimator).fit(X, y).predict_proba(X), first)
    assert not torch.equal(parameters_of(estimator.net_.module_), before)


def test_early_stopping_restores_the_best_epoch():
    X, y = table(300)
    y = np.where(np.arange(300) % 4 == 0, 1 - y, y)  # noise to overfit
    settings = {"early_stopping": True, "validation_fraction": 0.3, "patience": 3, "lr": 0.05}
    fitted = make(max_epochs=60, **settings).fit(X, y)
    losses = fitted.history_["valid_loss"]
    best = int(losses.idxmin()) + 1
    assert len(losses) == best + 3
    until_best = make(max_epochs=best, **settings).fit(X, y)
    assert_array_equal(fitted.predict_proba(X), until_best.predict_proba(X))


def test_partial_fit_learns_chunk_by_chunk():
    X, y = table(400)
    labels = np.array(["fraud", "fine"])[1 - y]
    estimator = make()
    order = np.argsort(y, kind="stable")[::-1]  # chunks of one class first and last
    for _ in range(6):
        for rows in np.array_split(order, 5):
            estimator.partial_fit(X[rows], labels[rows], classes=["fine", "fraud"])
    assert_array_equal(estimator.classes_, ["fine", "fraud"])
    assert len(estimator.history_) == 30
    assert estimator.score(X, labels) > 0.85
    again = make()
    for _ in range(6):
        for rows in np.array_split(order, 5):
            again.partial_fit(X[rows], labels[rows], classes=["fine", "fraud"])
    assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


def test_weights_of_chunks_hold_against_each_other():
    X, y = table()
    by_class = make(class_weight={0: 1.0, 1: 9.0}, optimizer="sgd")
    by_row = make(optimizer="sgd")
    for k in (0, 1, 0, 1):
        rows = y == k
        by_class.partial_fit(X[rows], y[rows], classes=[0, 1])
        weight = np.full(rows.sum(), 9.0 if k else 1.0)
        by_row.partial_fit(X[rows], y[rows], classes=[0, 1], sample_weight=weight)
    assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    alike = make(optimizer="sgd")
    for k in (0, 1, 0, 1):
        alike.partial_fit(X[y == k], y[y == k], classes=[0, 1])
    assert np.abs(alike.predict_proba(X) - by_row.predict_proba(X)).max() > 0.01


def test_partial_fit_goes_on_from_fit():
    X, y = table()
    estimator = make(max_epochs=3).fit(X, y)
    estimator.partial_fit(X[:50], y[:50])
    assert len(estimator.history_) == 4


@pytest.mark.parametrize(
    ("params", "classes", "y", "message"),
    [
        ({}, None, [0, 1], "classes must be passed on the first call"),
        ({}, [0], [0, 0], r"classes holds one class only, \[0\]"),
        ({}, [0, 1], [0, 2], r"none of the 2 classes of the first call, for example 2"),
        ({"class_weight": "balanced"}, [0, 1], [0, 1], "class_weight='balanced' needs all data"),
        ({"early_stopping": True}, [0, 1], [0, 1], "early_stopping=True needs all data at once"),
    ],
)
def test_bad_partial_fit(params, classes, y, message):
    with pytest.raises(ValueError, match=message):
        make(**params).partial_fit(np.eye(2), y, classes=classes)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "focall"}, "loss='focall' is unknown: choose 'cross_entropy', 'focal'"),
        ({"loss_params": {"gamma": 1}}, "loss='cross_entropy' does not take"),
        ({"backbone": MultilayerPerceptron((5,), 2)}, r"cannot take samples of shape \(6,\)"),
        ({"backbone": MultilayerPerceptron((6,), 3)}, r"returned \(2, 3\) for 2 samples"),
        ({"lr": 1e30}, "Training diverged in epoch"),
        ({"early_stopping": True, "validation_fraction": 0.001}, "holds out 1 of 200 rows"),
        ({"lr": 0.0}, "The 'lr' parameter"),
        ({"optimizer": "adamm"}, "The 'optimizer' parameter"),
        ({"class_weight": {0: 1.0, 2: 3.0}}, "class_weight"),
    ],
)
def test_bad_parameters_get_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(*table())


class SigmoidLoss(nn.Module):
    predict_nonlinearity = "sigmoid"


def test_a_loss_of_another_nonlinearity_is_refused():
    with pytest.raises(ValueError, match="by sigmoid, and CNNClassifier by softmax"):
        make(loss=SigmoidLoss()).fit(*table())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(200, "tumour"), "y holds one class only, 'tumour', in 200 samples"),
        (np.linspace(0, 1, 200), "continuous"),
        (np.arange(199) % 2, "inconsistent numbers of samples"),
        (np.eye(200)[:, :3].astype(int), "1d array"),
    ],
)
def test_bad_targets_get_a_sentence(y, message):
    with pytest.raises(ValueError, match=message):
        make().fit(table()[0], y)


def test_weights_that_leave_one_class():
    X, y = table()
    with pytest.raises(ValueError, match="The weights leave 1 of 2 classes"):
        make().fit(X, y, sample_weight=(y == 0).astype(float))


def test_random_state_decides_all():
    X, y = digits()
    backbone = partial(SmallCNN, dropout=0.5)
    settings = {"backbone": backbone, "max_epochs": 2, "early_stopping": True}
    first, again = (make(**settings).fit(X, y).predict_proba(X) for _ in range(2))
    assert_array_equal(first, again)
    assert not np.array_equal(make(**settings, random_state=1).fit(X, y).predict_proba(X), first)


class TestInCompany:
    """Fits in the pipelines, searches and ensembles of scikit-learn and imbalanced-learn."""

    def test_pipeline_grid_search_and_pickle(self):
        X, y = table()
        pipeline = Pipeline([("scale", StandardScaler()), ("net", make(max_epochs=5))])
        grid = {"net__lr": [1e-5, 0.02], "net__loss": ["cross_entropy", "focal"]}
        search = GridSearchCV(pipeline, grid, cv=3, scoring="roc_auc").fit(X, y)
        assert search.best_params_["net__lr"] == 0.02
        assert search.best_score_ > 0.9
        copy = pickle.loads(pickle.dumps(search))
        assert_array_equal(copy.predict_proba(X), search.predict_proba(X))

    def test_cross_val_score_of_images(self):
        X, y = digits(2)
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        assert cross_val_score(make(), X, y, cv=folds).mean() > 0.9

    def test_calibration(self):
        X, y = digits()
        model = CalibratedClassifierCV(make(max_epochs=5), cv=2).fit(X, y == 3)
        assert model.predict_proba(X).shape == (len(X), 2)
        assert model.score(X, y == 3) > 0.95

    def test_voting_with_a_table_model(self):
        X, y = table()
        votes = [("net", make_pipeline(StandardScaler(), make())), ("lr", LogisticRegression())]
        model = VotingClassifier(votes, voting="soft").fit(X, y)
        expected = np.mean([e.predict_proba(X) for e in model.estimators_], axis=0)
        assert_allclose(model.predict_proba(X), expected)

    def test_imbalanced_learn_pipeline_of_images(self):
        X, y = digits(2)
        rare = y == 8
        sampler = ArraySampler(RandomOverSampler(random_state=0))
        model = make_imblearn_pipeline(sampler, make()).fit(X, rare)
        X_resampled, y_resampled = sampler.fit_resample(X, rare)
        expected = make().fit(X_resampled, y_resampled).predict_proba(X)
        assert_array_equal(model.predict_proba(X), expected)
        assert balanced_accuracy_score(rare, model.predict(X)) > 0.9

    def test_routed_sample_weight(self):
        X, y = table()
        weight = np.random.default_rng(0).uniform(size=len(y))
        with config_context(enable_metadata_routing=True):
            net = make(max_epochs=2).set_fit_request(sample_weight=True)
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            model = make_pipeline(scaler, net).fit(X, y, sample_weight=weight)
        scaled = StandardScaler().fit_transform(X)
        expected = make(max_epochs=2).fit(scaled, y, sample_weight=weight)
        assert_array_equal(model.predict_proba(X), expected.predict_proba(scaled))


def test_arguments_reach_the_head():
    X, y = np.zeros((8, 1, 6, 6), dtype=np.float32), np.arange(8) % 2
    settings = {"max_epochs": 1, "n_threads": 1, "random_state": 0}
    for head in ("linear", LinearHead):
        clf = CNNClassifier(head=head, head_params={"pooling": "max"}, **settings).fit(X, y)
        assert clf.net_.module_.head.pooling == "max"
    margin = CNNClassifier(head="cosine", head_params={"pooling": "max"}, loss="ldam", **settings)
    assert margin.fit(X, y).net_.module_.head.scale == 1
    with pytest.raises(ValueError, match=r"head_params=\{'scale': 2\} belong to a head, and head"):
        CNNClassifier(head_params={"scale": 2}).fit(X, y)
    with pytest.raises(ValueError, match="pools"):
        CNNClassifier(head="linear", head_params={"pools": 2}).fit(X, y)
