import numpy as np
import pytest
import sklearn.metrics
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skrecall.metrics import example_fbeta, example_jaccard, example_precision, example_recall
from tests.metrics.multilabel import CONTAINERS, draw

MEASURES = {
    "precision": (example_precision, lambda both, true, given: both / given),
    "recall": (example_recall, lambda both, true, given: both / true),
    "f1": (example_fbeta, lambda both, true, given: 2 * both / (true + given)),
    "f2": (
        lambda *a, **k: example_fbeta(*a, beta=2, **k),
        lambda both, true, given: 5 * both / (4 * true + given),
    ),
    "jaccard": (example_jaccard, lambda both, true, given: both / (true + given - both)),
}


def by_loop(Y, P, formula, empty, weight):
    values, weights = [], []
    for y, p, w in zip(Y, P, weight, strict=True):
        true = {j for j in range(len(y)) if y[j] == 1}
        given = {j for j in range(len(y)) if p[j] == 1 and y[j] != -1}
        if all(y == -1):
            continue
        if not true and not given:
            if np.isnan(empty):
                continue
            values.append(empty)
        elif not true or not given:
            values.append(0.0)
        else:
            values.append(formula(len(true & given), len(true), len(given)))
        weights.append(w)
    return np.average(values, weights=weights)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("empty", [0.0, 0.5, 1.0, np.nan])
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
def test_values_are_those_of_a_plain_loop(name, unknown, empty, container):
    data = draw(unknown=unknown)
    function, formula = MEASURES[name]
    assert_allclose(
        function(container(data.Y), container(data.P), empty=empty),
        by_loop(data.Y, data.P, formula, empty, np.ones(len(data.Y))),
    )
    assert_allclose(
        function(container(data.Y), container(data.P), empty=empty, sample_weight=data.weight),
        by_loop(data.Y, data.P, formula, empty, data.weight),
    )


@pytest.mark.parametrize("empty", [0.0, 1.0])
def test_f_and_jaccard_are_scikit_learn_s_samples_average(empty):
    data = draw()
    for ours, theirs in [
        (example_fbeta, sklearn.metrics.f1_score),
        (example_jaccard, sklearn.metrics.jaccard_score),
    ]:
        assert_allclose(
            ours(data.Y, data.P, empty=empty),
            theirs(data.Y, data.P, average="samples", zero_division=empty),
        )


def test_one_empty_set_counts_zero_and_two_count_one():
    nothing, something = csr_array([[0, 0, 0]]), csr_array([[0, 1, 1]])
    for function, _ in MEASURES.values():
        assert function(nothing, nothing) == 1
        assert function(nothing, something) == function(something, nothing) == 0
        assert np.isnan(function(nothing, nothing, empty=np.nan))
