"""MultilabelCNNClassifier against a bare torch loop, with unknown labels, and in company."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn import FunctionSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EpochScoring
from torch import nn

from skrecall.ensemble import MultilabelStackingClassifier, SoftVotingClassifier
from skrecall.label_space import label_adjacency
from skrecall.metrics import masked_average_precision_score
from skrecall.multilabel import BinaryRelevance, ClassifierChain
from skrecall.neural_network import CNNClassifier, MultilabelCNNClassifier
from skrecall.nn import SmallCNN
from skrecall.threshold import MultilabelThresholdClassifier


def images(n_samples=80, seed=0):
    """Return images whose three labels are bright quarters, the last one rare."""
    rng = np.random.default_rng(seed)
    Y = (rng.uniform(size=(n_samples, 3)) < [0.5, 0.4, 0.2]).astype(int)
    X = rng.uniform(0, 0.4, size=(n_samples, 1, 8, 8)).astype(np.float32)
    for label, quarter in enumerate([np.s_[:4, :4], np.s_[:4, 4:], np.s_[4:, :4]]):
        X[:, 0, *quarter] += 0.6 * Y[:, label, None, None]
    return X, Y


def hide(Y, share=0.3, seed=7):
    return np.where(np.random.default_rng(seed).uniform(size=Y.shape) < share, np.nan, Y)


tiny = partial(SmallCNN, channels=(4, 8))


def make(**params):
    settings = {"backbone": tiny, "max_epochs": 8, "lr": 0.02, "batch_size": 16, "random_state": 0}
    return MultilabelCNNClassifier(**{**settings, **params})


def parameters_of(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("unknown", [False, True])
def test_a_fit_is_a_bare_torch_loop(weighted, unknown):
    X, Y = images(60)
    labels = hide(Y) if unknown else Y
    weight = np.random.default_rng(0).uniform(0.5, 2, size=60) if weighted else None
    fitted = make(max_epochs=3, lr=0.003).fit(X, labels, sample_weight=weight)
    seeds = np.random.RandomState(0)  # draws the rows held out, then torch's seed
    _, seed = (seeds.randint(np.iinfo(np.int32).max) for _ in range(2))
    rows_weight = torch.tensor(np.ones(60) if weight is None else weight / weight.mean()).float()
    targets = torch.tensor(labels).float()
    known = ~targets.isnan()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = tiny((1, 8, 8), 3).train()
        optimizer = torch.optim.AdamW(module.parameters(), lr=0.003, weight_decay=0.0001)
        for _ in range(3):
            for rows in torch.randperm(60).split(16):
                optimizer.zero_grad()
                losses = nn.functional.binary_cross_entropy_with_logits(
                    module(torch.from_numpy(X[rows])), targets[rows].nan_to_num(), reduction="none"
                )
                losses = losses * rows_weight[rows, None] * known[rows]
                (losses.sum() / known[rows].sum()).backward()
                optimizer.step()
    assert_allclose(parameters_of(fitted.net_.module_), parameters_of(module), atol=1e-5)


def test_it_learns_what_it_sees():
    X, Y = images()
    X_test, Y_test = images(seed=1)
    fitted = make(max_epochs=15).fit(X, Y)
    assert fitted.predict_proba(X_test).shape == (80, 3)
    assert masked_average_precision_score(Y_test, fitted.predict_proba(X_test)) > 0.9
    assert_array_equal(fitted.predict(X_test), fitted.decision_function(X_test) >= 0)
    assert fitted.history_["train_loss"].iloc[-1] < fitted.history_["train_loss"].iloc[0]
    some_unknown = make(max_epochs=15).fit(X, hide(Y)).predict_proba(X_test)
    assert masked_average_precision_score(Y_test, some_unknown) > 0.85


def test_what_is_hidden_has_no_influence():
    X, Y = images()
    expected = make().fit(X, hide(Y)).predict_proba(X)
    assert_array_equal(make().fit(X, np.nan_to_num(hide(Y), nan=-1)).predict_proba(X), expected)
    frame = pd.DataFrame(hide(Y), columns=list("abc"))
    assert_array_equal(make().fit(X, frame).predict_proba(X), expected)
    of_torch = make(loss=nn.BCEWithLogitsLoss()).fit(X, hide(Y)).predict_proba(X)
    assert_allclose(of_torch, expected, atol=1e-5)


SIGMOID_LOSSES = [
    ("binary_cross_entropy", {"pos_weight": "inverse"}),
    ("binary_cross_entropy", {"pos_weight": "effective"}),
    ("sigmoid_focal", None),
    ("sigmoid_poly1", None),
    ("asymmetric", None),
    ("distribution_balanced", None),
    ("zlpr", None),
    ("partial_label", None),
    ("hard_example_mining", {"loss": "binary_cross_entropy"}),
    ({"binary_cross_entropy": 1.0, "asymmetric": 0.5}, None),
]


@pytest.mark.parametrize(("loss", "params"), SIGMOID_LOSSES, ids=str)
def test_losses_by_name(loss, params):
    X, Y = images()
    X_test, Y_test = images(seed=1)
    labels = np.column_stack([hide(Y), np.zeros(80)])
    with pytest.warns(UserWarning, match=r"Labels \[3\] have one value"):
        fitted = make(loss=loss, loss_params=params, max_epochs=12).fit(X, labels)
    proba = fitted.predict_proba(X_test)
    assert masked_average_precision_score(Y_test, proba[:, :3]) > 0.8
    assert_array_equal(proba[:, 3], 0)


def test_counts_are_those_of_the_known_labels():
    X, Y = images()
    labels = hide(Y)
    share = np.nanmean(labels, axis=0)
    by_name = make(loss_params={"pos_weight": "inverse"}).fit(X, labels)
    given = {"pos_weight": torch.tensor((1 - share) / share, dtype=torch.float32)}
    by_hand = make(loss_params=given).fit(X, labels)
    assert_allclose(by_name.predict_proba(X), by_hand.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    "loss", ["focal", "ldam", "dice", "hard_example_mining", nn.CrossEntropyLoss()], ids=str
)
def test_softmax_losses_are_refused(loss):
    message = "turns logits into probabilities by softmax.*choose 'binary_cross_entropy', .*'mode'"
    with pytest.raises(ValueError, match=message):
        make(loss=loss).fit(*images())


def test_the_label_graph_is_that_of_the_training_rows():
    X, Y = images()
    fitted = make(head="label_graph").fit(X, hide(Y))
    adjacency = label_adjacency(np.nan_to_num(hide(Y)).astype(int))
    buffers = dict(fitted.net_.module_.named_buffers())
    (found,) = [buffer for name, buffer in buffers.items() if name.endswith("adjacency")]
    assert_allclose(found, adjacency, rtol=1e-6)
    with pytest.raises(ValueError, match=r"head='label_graph' .* partial_fit"):
        make(head="label_graph").partial_fit(X, Y)


@pytest.mark.parametrize("head", ["linear", "cosine", "label_graph", "ml_decoder"])
def test_heads(head):
    X, Y = images()
    fitted = make(head=head, max_epochs=15).fit(X, Y)
    assert masked_average_precision_score(Y, fitted.predict_proba(X)) > 0.8


def test_rows_with_rare_labels_come_more_often():
    class Counting(Callback):
        def on_batch_end(self, net, batch, training=False, **kwargs):
            share.append(batch[1][:, 2].nanmean().item())

    X, Y = images()
    shares = []
    for params in ({}, {"sampler": "repeat_factor", "sampler_params": {"threshold": 0.8}}):
        share = []
        make(max_epochs=4, callbacks=[Counting()], **params).fit(X, Y)
        shares.append(np.mean(share))
    assert shares[1] > 1.2 * shares[0]


@pytest.mark.parametrize("loss", ["binary_cross_entropy", nn.BCEWithLogitsLoss()], ids=str)
def test_mixed_images_have_mixed_labels_unknown_ones_left_out(loss):
    X, Y = images()
    fitted = make(augmentation=["flip", "mixup"], loss=loss, max_epochs=12).fit(X, hide(Y))
    assert masked_average_precision_score(Y, fitted.predict_proba(X)) > 0.6


def test_early_stopping_on_a_score_with_unknown_labels():
    X, Y = images(160)
    fitted = make(
        early_stopping=True,
        validation_fraction=0.25,
        scoring="average_precision_macro_known",
        patience=2,
        max_epochs=30,
    ).fit(X, hide(Y))
    history = fitted.history_
    assert len(history) < 30
    best = history["valid_score"].max()
    assert history["valid_score"].iloc[-3] == best
    # The weights are those of the best epoch: the rows held out get its score again.
    targets = fitted._targets.encode(X, hide(Y))
    _, held_out = fitted._targets.holdout(targets, 0.25, fitted._split_seed)
    found = masked_average_precision_score(
        hide(Y)[held_out], fitted.predict_proba(X[held_out]), average="macro"
    )
    assert found == pytest.approx(best)


def test_scoring_callbacks_of_skorch_read_the_net():
    X, Y = images()
    score = EpochScoring("f1_macro", on_train=True, lower_is_better=False, name="f1")
    fitted = make(callbacks=[score]).fit(X, Y)
    assert fitted.history_["f1"].iloc[-1] > 0.7


def test_a_label_of_one_value_is_predicted_by_any_network():
    X, Y = images()
    Y[:, 1] = 1
    module = tiny((1, 8, 8), 3)
    with pytest.warns(UserWarning, match=r"Labels \[1\] have one value each") as record:
        fitted = make(backbone=module, max_epochs=1).fit(X, Y)
    assert record[0].filename == __file__
    assert_array_equal(fitted.predict(X)[:, 1], 1)
    assert_array_equal(fitted.constant_, [np.nan, 1, np.nan])
    with pytest.warns(UserWarning, match=r"Labels \[0, 1, 2\] have one value each"):
        fitted = make().fit(X, np.zeros_like(Y))
    assert_array_equal(fitted.predict(X), 0)


def test_score_skips_unknown_labels():
    X, Y = images()
    fitted = make(max_epochs=3).fit(X, Y)
    predicted = fitted.predict(X)
    assert fitted.score(X, Y) == accuracy_score(Y, predicted)
    weight = np.arange(80)
    assert fitted.score(X, Y, weight) == accuracy_score(Y, predicted, sample_weight=weight)
    labels = hide(Y, 0.6)
    right = known = 0
    for row in range(80):
        if not np.isnan(labels[row]).all():
            known += 1
            right += all(
                np.isnan(label) or label == found
                for label, found in zip(labels[row], predicted[row], strict=True)
            )
    assert known < 80
    assert fitted.score(X, labels) == pytest.approx(right / known)
    with pytest.raises(ValueError, match="No label of the 80 samples is known"):
        fitted.score(X, np.full(Y.shape, -1))
    flat = make(max_epochs=3).fit(X, np.array(["no", "yes"])[Y[:, 0]])
    words = np.array(["no", "yes"])[Y[:, 0]]
    assert flat.score(X, words) == accuracy_score(words, flat.predict(X))


def test_partial_fit_learns_all_labels():
    X, Y = images()
    estimator = make()
    for _ in range(8):
        for rows in np.split(np.argsort(Y[:, 2], kind="stable"), 4):  # chunks lack the last label
            estimator.partial_fit(X[rows], Y[rows])
    assert masked_average_precision_score(Y, estimator.predict_proba(X)) > 0.8
    assert_array_equal(estimator.classes_, [[0, 1]] * 3)
    with pytest.raises(ValueError, match="Y has 2 labels, and training began with 3"):
        estimator.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match="early_stopping=True needs all data at once"):
        make(early_stopping=True).partial_fit(X, Y)
    flat = make().partial_fit(X[:5], ["a"] * 5, classes=["a", "b"]).partial_fit(X[:5], ["b"] * 5)
    assert_array_equal(flat.classes_, ["a", "b"])


def test_warm_start_goes_on_with_the_same_labels():
    X, Y = images()
    estimator = make(warm_start=True, max_epochs=2).fit(X, Y).fit(X, Y)
    assert len(estimator.history_) == 4
    with pytest.raises(ValueError, match="Y has 1 labels"):
        estimator.fit(X, Y[:, :1])


def test_pickled_it_answers_alike():
    X, Y = images()
    fitted = make(max_epochs=2).fit(X, csr_array(Y))
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    assert isinstance(copy.predict(X), csr_array)


def _repeat(X, Y):
    return np.repeat(X, 2, axis=0), np.repeat(Y, 2, axis=0)


def test_in_a_search_over_pipeline_loss_and_threshold():
    X, Y = images(120)
    inner = make_pipeline(FunctionSampler(func=_repeat, validate=False), make(max_epochs=3))
    model = MultilabelThresholdClassifier(inner, cv=2)
    losses = {"estimator__multilabelcnnclassifier__loss": ["binary_cross_entropy", "asymmetric"]}
    search = GridSearchCV(model, losses, cv=2, scoring="f1_macro", error_score="raise").fit(X, Y)
    assert search.best_score_ > 0.6
    assert search.predict(X).shape == Y.shape


def test_in_ensembles_on_images():
    X, Y = images()
    members = [("net", make(max_epochs=4)), ("other", make(max_epochs=4, loss="asymmetric"))]
    vote = SoftVotingClassifier(members).fit(X, Y)
    mean = np.mean([clone(net).fit(X, Y).predict_proba(X) for _, net in members], axis=0)
    assert_allclose(vote.predict_proba(X), mean, rtol=1e-6)
    stack = MultilabelStackingClassifier(members, cv=2).fit(X, Y)
    assert stack.predict_proba(X).shape == Y.shape


def test_one_label_nets_around_images():
    X, Y = images()
    net = CNNClassifier(tiny, max_epochs=8, lr=0.02, batch_size=16, random_state=0)
    fitted = BinaryRelevance(net).fit(X, Y)
    assert masked_average_precision_score(Y, fitted.predict_proba(X)) > 0.8
    with pytest.raises(ValueError, match="labels can be appended to rows of a table only"):
        ClassifierChain(net).fit(X, Y)
    table = CNNClassifier(max_epochs=20, lr=0.02, random_state=0)
    chain = ClassifierChain(table, order=[0, 1, 2]).fit(X.reshape(80, -1), Y)
    assert masked_average_precision_score(Y, chain.predict_proba(X.reshape(80, -1))) > 0.8


def test_tables():
    X, Y = images()
    fitted = MultilabelCNNClassifier(max_epochs=30, lr=0.02, random_state=0)
    fitted.fit(X.reshape(80, -1), Y)
    assert fitted.score(X.reshape(80, -1), Y) > 0.9
