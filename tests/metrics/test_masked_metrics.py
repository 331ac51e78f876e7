import numpy as np
import pytest
import sklearn.metrics
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skrecall.metrics import (
    example_fbeta,
    masked_fbeta_score,
    masked_hamming_loss,
    masked_precision_score,
    masked_recall_score,
    multilabel_g_mean,
)
from tests.metrics.multilabel import CONTAINERS, draw

PAIRS = {
    "precision": (masked_precision_score, sklearn.metrics.precision_score),
    "recall": (masked_recall_score, sklearn.metrics.recall_score),
    "f1": (masked_fbeta_score, sklearn.metrics.f1_score),
    "f2": (
        lambda *a, **k: masked_fbeta_score(*a, beta=2, **k),
        lambda *a, **k: sklearn.metrics.fbeta_score(*a, beta=2, **k),
    ),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
@pytest.mark.parametrize("average", ["macro", "micro", None])
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("zero_division", [0.0, 1.0, np.nan])
def test_with_all_labels_known_they_are_scikit_learn_s(name, average, container, zero_division):
    data = draw()
    ours, theirs = PAIRS[name]
    keywords = {"average": average, "zero_division": zero_division}
    assert_allclose(
        ours(container(data.Y), container(data.P), **keywords),
        theirs(data.Y, data.P, **keywords),
        atol=1e-12,
    )
    assert_allclose(
        ours(container(data.Y), container(data.P), sample_weight=data.weight, **keywords),
        theirs(data.Y, data.P, sample_weight=data.weight, **keywords),
        atol=1e-12,
    )


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("weighted", [False, True])
def test_unknown_labels_are_left_out_per_label(name, weighted):
    data = draw(unknown=True)
    ours, theirs = PAIRS[name]
    weight = data.weight if weighted else np.ones(len(data.Y))
    each = []
    for y, p in zip(data.Y.T, data.P.T, strict=True):
        known = y != -1
        each.append(theirs(y[known], p[known], sample_weight=weight[known], zero_division=0))
    given = weight if weighted else None
    assert_allclose(ours(data.Y, data.P, average=None, sample_weight=given), each)
    assert_allclose(ours(data.Y, data.P, sample_weight=given), np.mean(each))
    seen = ((data.Y == 1) * weight[:, None]).sum(axis=0) > 0
    assert 0 < seen.sum() < len(seen)
    assert_allclose(
        ours(data.Y, data.P, average="macro_positive", sample_weight=given),
        np.mean(np.array(each)[seen]),
    )
    known = data.Y.ravel() != -1
    pooled = theirs(
        data.Y.ravel()[known],
        data.P.ravel()[known],
        sample_weight=np.repeat(weight, data.Y.shape[1])[known],
    )
    assert_allclose(ours(data.Y, data.P, average="micro", sample_weight=given), pooled)
    assert_allclose(
        ours(csr_array(data.Y), csr_array(data.P), average="micro", sample_weight=given), pooled
    )


@pytest.mark.parametrize("unknown", [False, True])
def test_g_mean_is_that_of_recall_and_specificity(unknown):
    data = draw(unknown=unknown)
    each = []
    for y, p in zip(data.Y.T, data.P.T, strict=True):
        shares = [
            np.mean(p[y == value] == value) if np.any(y == value) else 0.0 for value in (0, 1)
        ]
        each.append(np.sqrt(shares[0] * shares[1]))
    assert_allclose(multilabel_g_mean(data.Y, data.P, average=None), each)
    assert_allclose(multilabel_g_mean(data.Y, data.P), np.mean(each))
    recall, specificity = (np.mean(data.P[v == data.Y] == v) for v in (1, 0))
    assert_allclose(
        multilabel_g_mean(data.Y, data.P, average="micro"), np.sqrt(recall * specificity)
    )


def test_hamming_loss():
    data = draw(unknown=True)
    known = data.Y != -1
    assert_allclose(masked_hamming_loss(data.Y, data.P), np.mean((data.Y != data.P)[known]))
    weight = np.broadcast_to(data.weight[:, None], known.shape)
    assert_allclose(
        masked_hamming_loss(data.Y, data.P, sample_weight=data.weight),
        np.average((data.Y != data.P)[known], weights=weight[known]),
    )
    full = draw()
    assert_allclose(
        masked_hamming_loss(full.Y, full.P), sklearn.metrics.hamming_loss(full.Y, full.P)
    )


@pytest.mark.parametrize("score", [masked_fbeta_score, example_fbeta])
def test_beta_is_no_negative_number(score):
    for beta in (-1, np.nan):
        with pytest.raises(ValueError, match=f"beta={beta} must be 0 or more"):
            score(np.eye(2), np.eye(2), beta=beta)
    assert score(np.eye(2), np.eye(2), beta=0) == 1


def test_what_has_no_value_is_said():
    Y = np.full((3, 2), np.nan)
    with pytest.raises(ValueError, match="No label of y_true is known"):
        masked_hamming_loss(Y, np.ones((3, 2)))
    assert np.isnan(masked_recall_score(Y, np.ones((3, 2)), zero_division=np.nan))
    assert np.isnan(masked_recall_score(Y, np.ones((3, 2)), average="macro_positive"))
    with pytest.raises(ValueError, match="average='weighted' must be one of 'macro', 'macro_po"):
        masked_recall_score(np.eye(2), np.eye(2), average="weighted")
