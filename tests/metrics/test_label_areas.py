import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score, roc_auc_score

from skrecall.metrics import masked_average_precision_score, masked_roc_auc_score
from skrecall.utils._blocks import row_blocks
from tests.metrics.multilabel import CONTAINERS, draw

AREAS = {
    "roc_auc": (masked_roc_auc_score, roc_auc_score),
    "average_precision": (masked_average_precision_score, average_precision_score),
}


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decimals", [1, 8])
def test_each_label_is_scikit_learn_s_on_what_is_known(
    name, container, unknown, weighted, decimals, monkeypatch
):
    monkeypatch.setattr(row_blocks, "__kwdefaults__", {"n_cells": 50})
    data = draw(unknown=unknown, decimals=decimals)
    ours, theirs = AREAS[name]
    weight = data.weight if weighted else np.ones(len(data.Y))
    given = data.weight if weighted else None
    each = []
    for y, s in zip(data.Y.T, data.S.T, strict=True):
        known = (y != -1) & (weight > 0)
        values = np.unique(y[known])
        defined = len(values) == 2 or (name == "average_precision" and 1 in values)
        score = theirs(y[known], s[known], sample_weight=weight[known]) if defined else np.nan
        each.append(score)
    Y = container(data.Y)
    assert_allclose(ours(Y, data.S, average=None, sample_weight=given), each)
    assert np.isnan(each).any()
    assert_allclose(ours(Y, data.S, sample_weight=given), np.nanmean(each))
    known = data.Y != -1
    cells = np.broadcast_to(weight[:, None], known.shape)
    assert_allclose(
        ours(Y, data.S, average="micro", sample_weight=given),
        theirs(data.Y[known], data.S[known], sample_weight=cells[known]),
    )
    assert_allclose(
        ours(Y, data.S.astype(np.float32), average="micro", sample_weight=given),
        theirs(data.Y[known], data.S.astype(np.float32)[known], sample_weight=cells[known]),
    )


def test_what_has_no_value_is_said():
    S = np.array([[0.2, 0.3], [0.1, 0.4]])
    for average in ("macro", "micro"):
        with pytest.raises(ValueError, match="None of the 2 labels has a known positive:"):
            masked_average_precision_score(np.zeros((2, 2)), S, average=average)
        with pytest.raises(ValueError, match="has both a known positive and a known negative"):
            masked_roc_auc_score(np.ones((2, 2)), S, average=average)
    assert masked_average_precision_score(np.ones((2, 2)), S) == 1
    with pytest.raises(ValueError, match="average='samples' must be one of 'macro', 'micro'"):
        masked_roc_auc_score(np.eye(2), S, average="samples")
