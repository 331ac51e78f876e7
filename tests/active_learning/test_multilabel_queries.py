import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrecall.active_learning import (
    entropy_uncertainty,
    label_cardinality_inconsistency,
    least_confidence,
    margin_uncertainty,
    multilabel_uncertainty,
)

OF_CLASSES = {
    "least_confidence": least_confidence,
    "margin": margin_uncertainty,
    "entropy": entropy_uncertainty,
}


@pytest.mark.parametrize("measure", OF_CLASSES)
@pytest.mark.parametrize("aggregate", ["mean", "max", "min"])
def test_each_label_is_scored_as_two_classes(measure, aggregate):
    proba = np.random.RandomState(0).uniform(size=(20, 4))
    of_label = [OF_CLASSES[measure](np.column_stack([1 - p, p])) for p in proba.T]
    expected = [getattr(np, aggregate)(row) for row in zip(*of_label, strict=True)]
    assert_allclose(
        multilabel_uncertainty(proba, measure=measure, aggregate=aggregate), expected, atol=1e-12
    )


def test_cardinality_is_that_of_a_plain_loop():
    proba = np.random.RandomState(0).uniform(size=(20, 4))
    expected = [abs(sum(p >= 0.5 for p in row) - 1.3) for row in proba]
    assert_allclose(label_cardinality_inconsistency(proba, 1.3), expected)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="measure='gini' must be one of"):
        multilabel_uncertainty([[0.5]], measure="gini")
    with pytest.raises(ValueError, match="aggregate='sum' must be one of"):
        multilabel_uncertainty([[0.5]], aggregate="sum")
    with pytest.raises(ValueError, match="probabilities are between 0 and 1"):
        multilabel_uncertainty([[3.0, -1.0]])
    with pytest.raises(ValueError, match="label_cardinality=-1 must be a mean number of labels"):
        label_cardinality_inconsistency([[0.5]], -1)
    with pytest.raises(ValueError, match="label_cardinality=None must be a mean number of labels"):
        label_cardinality_inconsistency([[0.5]], None)
