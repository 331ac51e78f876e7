"""The ML-Decoder head is its formula, and finds what is in one place of many."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from skrecall.nn import LinearHead, MLDecoderHead


def make_head(n_features=5, n_outputs=7, **params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLDecoderHead(n_features, n_outputs, **params).eval()


def normalised(row, norm):
    mean = sum(row) / len(row)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row) + norm.eps)
    return [
        (x - mean) / deviation * w + b
        for x, w, b in zip(row, norm.weight.tolist(), norm.bias.tolist(), strict=True)
    ]


def linear(row, weight, bias):
    return [
        sum(x * w for x, w in zip(row, ws, strict=True)) + b
        for ws, b in zip(weight.tolist(), bias.tolist(), strict=True)
    ]


@pytest.mark.parametrize("n_groups", [1, 3, 7])
def test_logits_are_those_of_plain_loops(n_groups):
    head = make_head(n_groups=n_groups, n_embedding=6, n_heads=2, n_feedforward=4)
    with torch.no_grad():
        for parameter in head.parameters():  # norms and biases too
            parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
    features = torch.randn(2, 5, 3, 2, generator=torch.Generator().manual_seed(0))
    parts = zip(
        head.attention.in_proj_weight.chunk(3), head.attention.in_proj_bias.chunk(3), strict=True
    )
    to_query, to_key, to_value = parts
    group_size = math.ceil(7 / n_groups)
    expected = []
    for image in features:
        places = [
            [max(x, 0.0) for x in linear(place, head.embed.weight, head.embed.bias)]
            for place in image.flatten(1).T.tolist()
        ]
        keys = [linear(place, *to_key) for place in places]
        values = [linear(place, *to_value) for place in places]
        logits = []
        for group, query in enumerate(head.queries.tolist()):
            query = normalised([2 * x for x in query], head.norm1)
            asked, seen = linear(query, *to_query), []
            for axes in (slice(0, 3), slice(3, 6)):
                scores = [
                    math.exp(
                        sum(a * k for a, k in zip(asked[axes], key[axes], strict=True)) / 3**0.5
                    )
                    for key in keys
                ]
                for axis in range(axes.start, axes.stop):
                    total = sum(s * value[axis] for s, value in zip(scores, values, strict=True))
                    seen.append(total / sum(scores))
            seen = linear(seen, head.attention.out_proj.weight, head.attention.out_proj.bias)
            query = normalised([q + s for q, s in zip(query, seen, strict=True)], head.norm2)
            first, last = head.feedforward[0], head.feedforward[3]
            hidden = [max(x, 0.0) for x in linear(query, first.weight, first.bias)]
            hidden = linear(hidden, last.weight, last.bias)
            query = normalised([q + h for q, h in zip(query, hidden, strict=True)], head.norm3)
            for k in range(group_size):
                weight = head.group_weight[group, :, k].tolist()
                logits.append(sum(q * w for q, w in zip(query, weight, strict=True)))
        bias = head.bias.tolist()
        expected.append([z + b for z, b in zip(logits[:7], bias, strict=True)])
    assert_close(head(features), torch.tensor(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("n_outputs", "n_groups", "expected"),
    [(7, 100, (7, 1)), (7, 3, (3, 3)), (100, 100, (100, 1)), (250, 100, (84, 3)), (5, 4, (3, 2))],
)
def test_groups_share_out_the_labels(n_outputs, n_groups, expected):
    head = make_head(n_outputs=n_outputs, n_groups=n_groups)
    n_made, _, group_size = head.group_weight.shape
    assert (n_made, group_size) == expected == (len(head.queries), group_size)
    assert (n_made - 1) * group_size < n_outputs <= n_made * group_size


@pytest.mark.parametrize(
    ("n_features", "expected"), [(5, 8), (64, 64), (100, 104), (512, 512), (2048, 768)]
)
def test_width_follows_the_features(n_features, expected):
    head = make_head(n_features=n_features)
    assert head.queries.shape[1] == expected
    assert head.feedforward[0].out_features == round(expected * 2048 / 768)


def test_queries_are_not_trained_and_belong_to_the_state():
    head = make_head()
    assert "queries" in head.state_dict()
    assert "queries" not in dict(head.named_parameters())


def test_the_order_of_places_does_not_matter():
    head, features = make_head(), torch.randn(2, 5, 4, 4)
    assert_close(head(features.flip(2).transpose(2, 3)), head(features), rtol=1e-4, atol=1e-5)


def test_dropout_acts_in_training_only():
    head, features = make_head(dropout=0.5), torch.randn(2, 5, 3, 3)
    assert torch.equal(head(features), head(features))
    head.train()
    assert not torch.equal(head(features), head(features))


def test_it_finds_one_place_of_many():
    """A label is true where one place of 36 carries its mark; an average hardly sees it."""
    torch.manual_seed(0)
    X = torch.randn(300, 8, 6, 6)
    Y = (torch.rand(300, 3) < 0.5).float()
    rows, labels = Y.nonzero().T
    places = torch.randint(6, (2, len(rows)))
    X[rows, labels, places[0], places[1]] += 5

    def accuracy(head):
        optimizer = torch.optim.Adam(head.parameters(), lr=0.005)
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(head(X[:200]), Y[:200]).backward()
            optimizer.step()
        head.eval()
        return ((head(X[200:]) > 0).float() == Y[200:]).float().mean()

    decoder = MLDecoderHead(8, 3, n_embedding=16, n_heads=4)
    assert accuracy(decoder) > accuracy(LinearHead(8, 3)) + 0.1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_embedding": 20}, r"n_embedding=20 is no multiple of n_heads=8, .* pass 24, or other"),
        ({"n_groups": 0}, r"n_groups=0 must be at least 1"),
    ],
)
def test_bad_options_get_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        make_head(**params)
