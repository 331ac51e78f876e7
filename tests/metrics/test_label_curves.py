import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skrecall.metrics import label_operating_curves, operating_curve
from tests.metrics.multilabel import draw, with_nan


@pytest.mark.parametrize("container", [np.asarray, csr_array, with_nan])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_label_s_curve_is_that_of_its_known_samples(container, weighted):
    data = draw(unknown=True)
    weight = data.weight + 1 if weighted else None
    curves = label_operating_curves(container(data.Y), data.S, sample_weight=weight)
    assert len(curves) == data.Y.shape[1]
    for y, s, curve in zip(data.Y.T, data.S.T, curves, strict=True):
        known = y != -1
        if len(np.unique(y[known])) == 2:
            expected = operating_curve(
                y[known], s[known], sample_weight=None if weight is None else weight[known]
            )
            assert_array_equal(curve.frame(), expected.frame())
        else:
            assert curve.n_positives * curve.n_negatives == 0
            assert np.isnan(curve.recall).all() or np.isnan(curve.specificity).all()


def test_the_pooled_curve_counts_all_cells():
    data = draw(unknown=True)
    curve = label_operating_curves(csr_array(data.Y), data.S, average="micro")
    for threshold, tp, fp in zip(curve.thresholds, curve.tp, curve.fp, strict=True):
        flagged = threshold <= data.S
        assert tp == np.sum(flagged & (data.Y == 1))
        assert fp == np.sum(flagged & (data.Y == 0))
    assert_array_equal(curve.thresholds[1:], np.unique(data.S[data.Y != -1])[::-1])
    weight = data.weight + 0.5
    weighted = label_operating_curves(data.Y, data.S, average="micro", sample_weight=weight)
    assert_allclose(weighted.n_positives, weight @ (data.Y == 1).sum(axis=1))


def test_a_label_that_is_nowhere_known_has_no_point():
    curves = label_operating_curves([[1, np.nan], [0, np.nan]], [[0.3, 0.1], [0.2, 0.4]])
    assert [len(curve) for curve in curves] == [3, 1]
    assert np.isnan(curves[1].recall).all()
    with pytest.raises(ValueError, match="average='macro' must be one of 'micro'"):
        label_operating_curves([[1, 0]], [[0.3, 0.1]], average="macro")
