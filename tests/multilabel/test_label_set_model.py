import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, issparse
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from skrecall.multilabel import _label_set_model
from skrecall.multilabel._label_set_model import (
    as_dense_or_csc,
    fit_label_sets,
    prune_label_sets,
    rows_of_sets,
)


def pruned_by_loop(Y, min_count, n_subsets):
    """Return the sorted pairs (row, label set) that are trained on."""
    rows = [frozenset(np.flatnonzero(row).tolist()) for row in Y]
    frequent = {s for s in rows if rows.count(s) >= min_count}
    pairs = []
    for i, s in enumerate(rows):
        if s in frequent:
            pairs.append((i, sorted(s)))
            continue
        subsets = [t for t in frequent if t < s and t]
        subsets.sort(key=lambda t: (-len(t), -rows.count(t)))
        pairs += [(i, sorted(t)) for t in subsets[:n_subsets]]
    return sorted(pairs)


@pytest.mark.parametrize(("min_count", "n_subsets"), [(0, 0), (3, 0), (6, 1), (8, 3)])
@pytest.mark.parametrize("container", [np.asarray, csc_array])
def test_training_rows_equal_a_plain_loop(min_count, n_subsets, container, monkeypatch):
    monkeypatch.setattr(_label_set_model, "BLOCK_SIZE", 20)  # several blocks
    rng = np.random.default_rng(2)
    Y = (rng.random((97, 5)) < [0.5, 0.4, 0.3, 0.25, 0.1]).astype(np.int8)
    first, code, count = _label_set_model.group_rows(container(Y))
    replaced, by = prune_label_sets(
        container(Y[first]), count, min_count=min_count, n_subsets=n_subsets
    )
    rows, kept = rows_of_sets(code, replaced, by)
    sets = Y[first]
    number = {tuple(np.flatnonzero(s).tolist()): int(n) for s, n in zip(sets, count, strict=True)}
    # two subsets of one size and one count stand for each other
    expected = [(i, len(s), number[tuple(s)]) for i, s in pruned_by_loop(Y, min_count, n_subsets)]
    actual = [(int(i), int(sets[k].sum()), int(count[k])) for i, k in zip(rows, kept, strict=True)]
    assert sorted(actual) == sorted(expected)
    assert (sets[kept] <= Y[rows]).all()
    assert_array_equal(rows, np.sort(rows))


def test_subsets_by_size_then_count():
    sets = np.array(
        [[1, 1, 1, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    )
    count = np.array([1, 5, 7, 50, 90, 2])
    replaced, by = prune_label_sets(sets, count, min_count=3, n_subsets=3)
    # {0, 1, 2} is trained as {1, 2} (7 rows), {0, 1} (5 rows), {0}; {3} has the empty subset alone
    assert_array_equal(replaced, [0, 0, 0, 1, 2, 3, 4])
    assert sorted(by[:3]) == [1, 2, 3]
    assert_array_equal(by[3:], [1, 2, 3, 4])
    replaced, by = prune_label_sets(sets, count, min_count=3, n_subsets=1)
    assert_array_equal(by[replaced == 0], [2])


def test_marginals_equal_a_plain_loop():
    X, Y = make_multilabel_classification(150, n_classes=4, random_state=0)
    model = fit_label_sets(GaussianNB(), X, Y, {})
    proba = GaussianNB().fit(X, [str(row) for row in Y])
    expected = np.zeros(Y.shape)
    for name, column in zip(proba.classes_, proba.predict_proba(X).T, strict=True):
        expected += np.outer(column, np.fromstring(name.strip("[]"), sep=" "))
    assert_allclose(model.marginals(X), expected, atol=1e-12)
    sparse = fit_label_sets(GaussianNB(), X, csc_array(Y), {})
    assert isinstance(sparse.marginals(X), np.ndarray)
    assert_allclose(sparse.marginals(X), expected, atol=1e-12)
    assert issparse(sparse.most_probable(X))
    assert_array_equal(sparse.most_probable(X).toarray(), model.most_probable(X))


def test_weights_follow_the_rows_that_are_trained_twice():
    X, Y = make_multilabel_classification(150, n_classes=4, random_state=0)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    model = fit_label_sets(GaussianNB(), X, Y, {"sample_weight": weight}, min_count=8, n_subsets=2)
    pairs = pruned_by_loop(Y, 8, 2)
    rows = [i for i, _ in pairs]
    alone = GaussianNB().fit(X[rows], [str(s) for _, s in pairs], sample_weight=weight[rows])
    assert len(rows) > len(set(rows))
    expected = np.zeros(Y.shape)
    for name, column in zip(alone.classes_, alone.predict_proba(X).T, strict=True):
        expected[:, [int(c) for c in name if c.isdigit()]] += column[:, np.newaxis]
    assert_allclose(model.marginals(X), expected, atol=1e-9)


def test_one_set_left_is_predicted_always_and_none_left_is_refused():
    X = np.arange(7.0)[:, None]
    Y = np.array([[1, 0]] * 4 + [[0, 1], [0, 1], [1, 1]], dtype=np.int8)
    model = fit_label_sets(GaussianNB(), X, Y, {"sample_weight": np.ones(7)}, min_count=3)
    assert isinstance(model.estimator, DummyClassifier)
    assert_array_equal(model.most_probable(X), [[1, 0]] * 7)
    assert_array_equal(model.marginals(X), [[1, 0]] * 7)
    assert_array_equal(model.varying(), [False, False])
    with pytest.raises(
        ValueError, match=r"None of the 3 label sets of 7 rows occurs min_count=5 .* 4 times"
    ):
        fit_label_sets(GaussianNB(), X, Y, {}, min_count=5)


def test_labels_that_some_sets_carry_vary():
    Y = np.array([[1, 0, 0], [1, 1, 0]] * 3, dtype=np.int8)
    model = fit_label_sets(GaussianNB(), np.arange(6.0)[:, None], csc_array(Y), {})
    assert_array_equal(model.varying(), [False, True, False])


def test_dense_or_csc():
    Y = np.eye(3, dtype=np.int64)
    for given in (Y, csc_array(Y)):
        dense, sparse = (as_dense_or_csc(given, sparse=s) for s in (False, True))
        assert dense.dtype == sparse.dtype == np.int8
        assert_array_equal(dense, Y)
        assert_array_equal(sparse.toarray(), Y)
