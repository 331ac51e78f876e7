"""The label-graph head is the paper's formula, on the adjacency that it is given."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch.testing import assert_close

from skrecall.label_space import label_adjacency
from skrecall.nn import LabelGraphHead, build_head

N_LABELS = 6
# Labels 0 to 2 come together, 3 implies 0, 4 is alone, 5 is never seen.
Y = np.array(
    [
        [1, 1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 0, 0, 1, 0, 0],
        [1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [1, 1, 1, 0, 0, 0],
    ]
)
ADJACENCY = label_adjacency(Y)


def make_head(n_features=4, **params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LabelGraphHead(
            n_features, N_LABELS, **{"adjacency": ADJACENCY, "n_embedding": 3, **params}
        )


def leaky(value):
    return value if value > 0 else 0.2 * value


@pytest.mark.parametrize("embeddings", ["learned", "identity", torch.arange(1.0, 13).view(6, 2)])
def test_logits_are_those_of_plain_loops(embeddings):
    head = make_head(embeddings=embeddings, n_hidden=5)
    E = head.embeddings.tolist()
    if isinstance(embeddings, torch.Tensor):
        assert embeddings.tolist() == E
    W1, W2 = head.convolution1.weight.T.tolist(), head.convolution2.weight.T.tolist()

    def convolve(H, W):
        """Return A H W, with A as the paper writes it: sums over rows of a label's neighbours."""
        out = [[0.0] * len(W[0]) for _ in range(N_LABELS)]
        for i in range(N_LABELS):
            for j in range(N_LABELS):
                for k in range(len(W[0])):
                    product = sum(H[j][m] * W[m][k] for m in range(len(W)))
                    out[i][k] += ADJACENCY[i, j] * product
        return out

    hidden = [[leaky(value) for value in row] for row in convolve(E, W1)]
    vectors = torch.tensor(convolve(hidden, W2), dtype=torch.float32)
    assert_close(head.label_vectors(), vectors, rtol=1e-4, atol=1e-5)
    features = torch.randn(2, 4, 3, 2)
    pooled = features.flatten(2).max(dim=2).values
    assert_close(head(features), pooled @ vectors.T, rtol=1e-4, atol=1e-4)


def test_permuted_labels_give_permuted_logits():
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    head = make_head(embeddings="identity")
    permuted = make_head(embeddings="identity", adjacency=label_adjacency(Y[:, order]))
    with torch.no_grad():  # one column of the first weights belongs to one label
        permuted.convolution1.weight.copy_(head.convolution1.weight[:, order])
        permuted.convolution2.weight.copy_(head.convolution2.weight)
    features = torch.randn(3, 4, 5, 5)
    assert_close(permuted(features), head(features)[:, order])


def test_a_label_learns_from_its_neighbours_only():
    """The gradient of one label's logits reaches the embeddings of labels within two steps."""
    head = make_head()
    within_two_steps = (ADJACENCY @ ADJACENCY) > 0
    for label in range(N_LABELS):
        (gradient,) = torch.autograd.grad(head(torch.ones(1, 4))[:, label].sum(), head.embeddings)
        assert (gradient != 0).any(dim=1).tolist() == within_two_steps[label].tolist()


def test_labels_alone_or_never_seen_have_finite_logits():
    head = make_head()
    np.testing.assert_allclose(ADJACENCY[[4, 5]], np.eye(N_LABELS)[[4, 5]])
    logits = head(torch.randn(3, 4))
    assert logits.isfinite().all()
    assert (logits != 0).all()


@pytest.mark.parametrize("kind", [csr_array, torch.tensor, np.ndarray.tolist, np.float32])
def test_any_container_of_the_adjacency_is_copied(kind):
    adjacency = kind(ADJACENCY)
    head = make_head(adjacency=adjacency)
    assert_close(head.adjacency, torch.tensor(ADJACENCY, dtype=torch.float32))
    if isinstance(adjacency, np.ndarray):
        adjacency[:] = 0
        assert head.adjacency.any()
    assert "adjacency" in head.state_dict()
    assert "adjacency" not in dict(head.named_parameters())


@pytest.mark.parametrize("embeddings", ["learned", "identity", 100 * np.eye(6) + 7])
def test_label_vectors_begin_about_as_long_as_those_of_a_linear_layer(embeddings):
    head = make_head(n_features=64, embeddings=embeddings, n_embedding=300)
    lengths = head.label_vectors().norm(dim=1)
    linear = torch.nn.Linear(64, 200).weight.norm(dim=1).mean()  # 0.58
    assert ((lengths > 0.3 * linear) & (lengths < 3 * linear)).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"adjacency": np.eye(5)}, r"adjacency has shape \(5, 5\) and the head 6 labels: pass an"),
        ({"adjacency": np.ones(6)}, r"adjacency has shape \(6,\): it needs one row per label"),
        (
            {"adjacency": np.diag([1.0, 1, 0, 1, 0, 1])},
            r"adjacency has rows of zeros, the first for label 2, .* needs a self-loop",
        ),
        ({"adjacency": np.full((6, 6), np.nan)}, r"adjacency holds 36 values that are not finite"),
        ({"embeddings": np.eye(5)}, r"embeddings hold 5 vectors and the head 6 labels: pass one"),
        ({"embeddings": np.zeros((6, 2))}, r"embeddings has rows of zeros, the first for label 0"),
        ({"embeddings": "glove"}, r"embeddings='glove' is unknown: choose 'learned', 'identity'"),
        ({"pooling": "sum"}, r"pooling='sum' is unknown: choose 'average', 'max'"),
    ],
)
def test_bad_input_gets_a_sentence(params, message):
    with pytest.raises(ValueError, match=message):
        make_head(**params)


def test_it_says_that_it_needs_the_adjacency():
    with pytest.raises(ValueError, match=r"head='label_graph' does not take .*'adjacency'"):
        build_head("label_graph", 4, 6)
