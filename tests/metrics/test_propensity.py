import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skrecall.metrics import (
    label_ndcg_at_k,
    label_precision_at_k,
    label_propensity,
    propensity_scored_ndcg_at_k,
    propensity_scored_precision_at_k,
)
from tests.metrics.multilabel import CONTAINERS, draw


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
def test_propensity_is_the_paper_s_sigmoid_of_log_counts(container):
    Y = draw().Y
    for a, b in [(0.55, 1.5), (0.5, 0.4), (0.6, 2.6)]:
        c = (np.log(len(Y)) - 1) * (b + 1) ** a
        expected = [1 / (1 + c * np.exp(-a * np.log(n + b))) for n in Y.sum(axis=0)]
        assert_allclose(label_propensity(container(Y), a=a, b=b), expected)


def by_loop(Y, S, k, propensity, weight, *, discounted):
    """Return the raw value and that of the best ranking."""
    total, best = 0.0, 0.0
    for y, s, w in zip(Y, S, weight, strict=True):
        order = sorted(range(len(s)), key=lambda j: (-s[j], j))[:k]
        own = sorted((y / propensity), reverse=True)[:k]
        place = [1 / np.log2(r + 2) if discounted else 1.0 for r in range(k)]
        norm = sum(place[: min(k, max(sum(y), 1))]) if discounted else k
        total += w * sum(p * y[j] / propensity[j] for p, j in zip(place, order, strict=True)) / norm
        best += w * sum(p * g for p, g in zip(place, own, strict=True)) / norm
    return total / sum(weight), best / sum(weight)


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_a_plain_loop(k, container, weighted):
    data = draw()
    propensity = label_propensity(data.Y)
    weight = data.weight if weighted else np.ones(len(data.Y))
    for function, discounted in [
        (propensity_scored_precision_at_k, False),
        (propensity_scored_ndcg_at_k, True),
    ]:
        value, best = by_loop(data.Y, data.S, k, propensity, weight, discounted=discounted)
        keywords = {"k": k, "propensity": propensity}
        keywords |= {"sample_weight": data.weight} if weighted else {}
        Y = container(data.Y)
        assert_allclose(function(Y, data.S, normalize=False, **keywords), value)
        assert_allclose(function(Y, data.S, **keywords), value / best)
        assert_allclose(function(Y, csr_array(data.S + 1), **keywords), value / best)


def test_equal_propensities_are_no_weights_and_the_best_ranking_has_one():
    data = draw(decimals=8)
    ones = np.ones(data.Y.shape[1])
    assert_allclose(
        propensity_scored_precision_at_k(data.Y, data.S, k=3, propensity=ones / 4, normalize=False),
        4 * label_precision_at_k(data.Y, data.S, k=3),
    )
    some = data.Y.any(axis=1)
    assert_allclose(
        propensity_scored_ndcg_at_k(data.Y, data.S, k=3, propensity=ones),
        label_ndcg_at_k(data.Y[some], data.S[some], k=3),
    )
    propensity = label_propensity(data.Y)
    best = data.Y / propensity
    for function in (propensity_scored_precision_at_k, propensity_scored_ndcg_at_k):
        assert_allclose(function(data.Y, best, k=3, propensity=propensity), 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda Y, S: label_propensity(Y[:2]), "Y has 2 samples"),
        (lambda Y, S: label_propensity(Y, b=0), "b=0 must be a positive number"),
        (
            lambda Y, S: propensity_scored_precision_at_k(Y, S, k=1, propensity=[0.5]),
            r"propensity has shape \(1,\): give one number in \(0, 1\] per label",
        ),
        (
            lambda Y, S: propensity_scored_ndcg_at_k(Y, S, k=1, propensity=[0, 1, 1, 1, 1, 1]),
            r"give one number in \(0, 1\] per label",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    data = draw()
    with pytest.raises(ValueError, match=message):
        call(data.Y, data.S)


def test_without_labels_there_is_no_value():
    data = draw()
    assert np.isnan(
        propensity_scored_precision_at_k(0 * data.Y, data.S, k=1, propensity=np.ones(6))
    )
