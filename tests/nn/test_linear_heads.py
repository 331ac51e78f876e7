"""Linear and cosine heads: pooling, the formula, and how long a vector may be."""

import pickle

import pytest
import torch
from torch.testing import assert_close

from skrecall.nn import CosineHead, LinearHead, pool_features


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (3, 4, 5, 2)])
def test_pooling_is_the_mean_or_maximum_of_places(shape):
    features = torch.randn(shape)
    average, maximum = pool_features(features), pool_features(features, "max")
    for i in range(3):
        for j in range(4):
            places = features[i, j].flatten().tolist()
            assert_close(average[i, j].item(), sum(places) / len(places))
            assert_close(maximum[i, j].item(), max(places))


@pytest.mark.parametrize("head", [LinearHead, CosineHead])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_maps_are_pooled_first(head, pooling):
    head = head(4, 3, pooling=pooling)
    features = torch.randn(2, 4, 3, 5)
    logits = head(features)
    assert_close(logits, head(pool_features(features, pooling)))
    logits.sum().backward()
    assert all(parameter.grad.any() for parameter in head.parameters())
    assert torch.equal(pickle.loads(pickle.dumps(head))(features), logits)


def test_linear_head_is_a_linear_layer():
    head, features = LinearHead(4, 3), torch.randn(2, 4)
    assert_close(head(features), features @ head.weight.T + head.bias)


def test_cosines_are_those_of_the_angles():
    head, features = CosineHead(4, 3, scale=5), torch.randn(2, 4)
    for i in range(2):
        for j in range(3):
            x, w = features[i].tolist(), head.weight[j].tolist()
            dot = sum(a * b for a, b in zip(x, w, strict=True))
            norms = (sum(a * a for a in x) * sum(b * b for b in w)) ** 0.5
            assert_close(head(features)[i, j].item(), 5 * dot / norms, rtol=1e-5, atol=1e-6)


def test_lengths_do_not_enter_cosines():
    head, features = CosineHead(4, 3), torch.randn(2, 4)
    before = head(features)
    with torch.no_grad():
        head.weight *= torch.tensor([[1.0], [10.0], [0.1]])
    assert_close(head(7 * features), before)


def test_features_that_are_zero_give_cosines_of_zero_and_finite_gradients():
    head, features = CosineHead(4, 3), torch.zeros(2, 4, requires_grad=True)
    logits = head(features)
    logits.sum().backward()
    assert torch.equal(logits, torch.zeros(2, 3))
    assert features.grad.isfinite().all()


def test_cosines_are_float32_under_autocast():
    head, features = CosineHead(64, 3), torch.randn(2, 64, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = head(features)
    assert logits.dtype == torch.float32
    assert_close(logits, head(features.float()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LinearHead(4, 3, pooling="sum"), r"pooling='sum' is unknown: choose 'average'"),
        (lambda: CosineHead(4, 3, pooling="sum"), r"pooling='sum' is unknown: choose 'average'"),
        (lambda: CosineHead(4, 3, scale=0), r"scale=0 must be positive: 1 gives the cosines"),
    ],
)
def test_bad_options_get_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
