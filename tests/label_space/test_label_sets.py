from collections import Counter

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, issparse

from skrecall.label_space import label_cardinality, label_counts, label_density, label_sets

CONTAINERS = [np.asarray, pd.DataFrame, csr_array, list]


def random_labels(n_labels=6):
    Y = (np.random.default_rng(0).random((80, n_labels)) < 0.3).astype(int)
    Y[::9] = 0
    return Y


@pytest.mark.parametrize("container", CONTAINERS)
def test_counts(container):
    Y = random_labels()
    expected = [sum(row[k] for row in Y.tolist()) for k in range(6)]
    assert label_counts(container(Y)).tolist() == expected
    assert label_cardinality(container(Y)) == pytest.approx(sum(expected) / 80)
    assert label_density(container(Y)) == pytest.approx(sum(expected) / 80 / 6)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_labels", [1, 6, 40])
def test_label_sets_are_those_of_a_plain_count(container, n_labels):
    Y = random_labels(n_labels)
    expected = Counter(map(tuple, Y.tolist()))  # in the order of first rows
    expected = sorted(expected.items(), key=lambda item: -item[1])
    sets, inverse, counts = label_sets(container(Y))
    assert issparse(sets) == (container is csr_array)
    dense = sets.toarray() if issparse(sets) else sets
    assert [(tuple(s), c) for s, c in zip(dense.tolist(), counts, strict=True)] == expected
    assert_array_equal(dense[inverse], Y)


def test_no_rows():
    none = np.zeros((0, 3), dtype=int)
    sets, inverse, counts = label_sets(none)
    assert sets.shape == (0, 3)
    assert len(inverse) == len(counts) == 0
    assert_array_equal(label_counts(none), 0)
    for measure in (label_cardinality, label_density):
        with pytest.raises(ValueError, match=r"Y has shape \(0, 3\): there is no row"):
            measure(none)


def test_unknown_labels_are_refused():
    with pytest.raises(ValueError, match="Y contains NaN: 1 of 2 labels are unknown"):
        label_counts([[1.0, np.nan]])
