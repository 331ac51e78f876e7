"""Heads by name, by module and by callable, and their joint with a backbone."""

import pickle
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import skrecall.nn
from skrecall.nn import (
    HEADS,
    BackboneWithHead,
    CosineHead,
    LinearHead,
    ResNet,
    SmallCNN,
    build_head,
    count_features,
)

N_FEATURES, N_OUTPUTS = 6, 5
HEAD_PARAMS = {
    "linear": [{}, {"pooling": "max"}],
    "cosine": [{}, {"pooling": "max", "scale": 3.0}],
    "label_graph": [
        {"adjacency": torch.eye(N_OUTPUTS).add(0.1).numpy(), **more}
        for more in (
            {},
            {"embeddings": "identity", "pooling": "average"},
            {"embeddings": torch.ones(N_OUTPUTS, 2).tolist(), "n_hidden": 3},
        )
    ],
    "ml_decoder": [{}, {"n_groups": 2, "n_embedding": 4, "n_heads": 2, "n_feedforward": 3}],
}
every_head = pytest.mark.parametrize(
    ("name", "params"),
    [(name, params) for name, cases in HEAD_PARAMS.items() for params in cases],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)


def make_head(name, params, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_head(name, N_FEATURES, N_OUTPUTS, **params)


def make_features(shape=(4, 3), n=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn((n, N_FEATURES, *shape), generator=generator)


def test_every_head_is_checked():
    assert set(HEAD_PARAMS) == set(HEADS)


@every_head
@pytest.mark.parametrize("shape", [(), (7,), (1, 1), (4, 3)])
def test_any_shape_of_features_and_the_gradient_reaches_all(name, params, shape):
    head, features = make_head(name, params), make_features(shape).requires_grad_()
    logits = head(features)
    assert logits.shape == (3, N_OUTPUTS)
    logits.square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())
    assert features.grad.any()
    if shape == (4, 3):  # at a single place an attention has nothing to choose
        assert all(parameter.grad.any() for parameter in head.parameters())


@every_head
def test_rows_do_not_see_each_other(name, params):
    head, features = make_head(name, params).eval(), make_features()
    assert_close(head(features[1:2]), head(features)[1:2])


@every_head
def test_same_logits_after_pickle_copy_and_state_dict(name, params):
    head, features = make_head(name, params).eval(), make_features()
    logits = head(features)
    assert torch.equal(pickle.loads(pickle.dumps(head))(features), logits)
    assert torch.equal(build_head(head, N_FEATURES, N_OUTPUTS)(features), logits)
    assert torch.equal(make_head(name, params).eval()(features), logits)
    other = make_head(name, params, seed=1).eval()
    assert not torch.equal(other(features), logits)
    other.load_state_dict(head.state_dict())
    assert torch.equal(other(features), logits)


@every_head
def test_autocast_and_double(name, params):
    head, features = make_head(name, params).eval(), make_features()
    expected = head(features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(head(features).float(), expected, rtol=0.05, atol=0.05)
    assert_close(head.double()(features.double()).float(), expected, rtol=1e-4, atol=1e-5)


def test_every_head_has_a_name():
    public = [getattr(skrecall.nn, name) for name in skrecall.nn.__all__]
    heads = {c for c in public if isinstance(c, type) and c.__name__.endswith("Head")}
    assert set(HEADS.values()) == heads - {BackboneWithHead}


@pytest.mark.parametrize("head", ["cosine", CosineHead, partial(CosineHead, pooling="max")])
def test_heads_are_built_for_the_features(head):
    head = build_head(head, 5, 3, scale=2.0)
    assert isinstance(head, CosineHead)
    assert head.weight.shape == (3, 5)
    assert head.scale == 2.0


def test_a_module_is_copied():
    head = LinearHead(5, 3)
    copied = build_head(head, 5, 3)
    assert copied is not head
    assert torch.equal(copied.weight, head.weight)


@pytest.mark.parametrize("backbone", [SmallCNN, partial(SmallCNN, hidden=None), ResNet])
@pytest.mark.parametrize("head", ["linear", "cosine", "ml_decoder"])
def test_a_backbone_and_a_head_are_one_network(backbone, head):
    shape = (1, 9, 7)
    backbone = backbone(shape)
    network = BackboneWithHead(backbone, build_head(head, count_features(backbone, shape), 4))
    X = torch.randn(3, *shape)
    network(X).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.eval()
    logits = network(X)
    assert logits.shape == (3, 4)
    assert torch.equal(network.head(network.forward_features(X)), logits)
    assert torch.equal(pickle.loads(pickle.dumps(network))(X), logits)


def test_the_linear_layer_of_the_backbone_is_passed_by():
    backbone = SmallCNN((1, 8, 8), 3)
    network = BackboneWithHead(backbone, LinearHead(64, 2))
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: build_head("quadratic", 5, 3), r"head='quadratic' is unknown: choose 'linear', "),
        (lambda: build_head("linear", 5, 3, scale=2), r"head='linear' does not take \{'scale': 2"),
        (
            lambda: build_head(nn.Linear(5, 3), 5, 3, scale=2),
            r"scale cannot reach the head Linear, which is built already: set them there",
        ),
    ],
)
def test_bad_heads_get_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
