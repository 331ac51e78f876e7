"""Communities need networkx and are tested in test_label_space_communities.py."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.tree import DecisionTreeClassifier

from skrecall.label_space import (
    hierarchical_partition,
    k_means_partition,
    random_label_subsets,
    random_partition,
)
from skrecall.model_selection import MultilabelStratifiedKFold
from skrecall.multilabel import BinaryRelevance, LabelPowerset, LabelSpacePartitionClassifier
from skrecall.multilabel._label_space_partition import named_partition

X, Y = make_multilabel_classification(150, 6, n_classes=6, n_labels=2, random_state=1)
TREES = LabelPowerset(DecisionTreeClassifier(max_depth=3, random_state=0))


def as_lists(partition):
    return [part.tolist() for part in partition]


def test_disjoint_parts_are_their_classifiers_side_by_side():
    parts = [[4, 0], [1, 2, 3], [5]]
    model = LabelSpacePartitionClassifier(TREES, parts).fit(X, Y)
    assert as_lists(model.partition_) == [[0, 4], [1, 2, 3], [5]]
    for part in model.partition_:
        alone = clone(TREES).fit(X, Y[:, part])
        assert_array_equal(model.predict(X)[:, part], alone.predict(X))
        assert_allclose(model.predict_proba(X)[:, part], alone.predict_proba(X))


def test_binary_relevance_in_any_partition_is_binary_relevance():
    expected = BinaryRelevance(LogisticRegression()).fit(X, Y)
    for estimator in (LogisticRegression(), MultiOutputClassifier(LogisticRegression())):
        for partition in ("random", "random_subsets", "k_means", "hierarchical"):
            model = LabelSpacePartitionClassifier(estimator, partition, random_state=0).fit(X, Y)
            assert_allclose(model.predict_proba(X), expected.predict_proba(X))
            assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("voting", ["labels", "proba"])
def test_overlapping_parts_vote(voting):
    parts = [[0, 1, 2], [1, 2, 3], [1, 4], [4, 5]]
    model = LabelSpacePartitionClassifier(TREES, parts, voting=voting).fit(X, Y)
    proba, votes = np.zeros(Y.shape), np.zeros(Y.shape)
    for k in range(6):
        members = [(part, part.index(k)) for part in parts if k in part]
        fitted = [(clone(TREES).fit(X, Y[:, part]), column) for part, column in members]
        proba[:, k] = np.mean([m.predict_proba(X)[:, column] for m, column in fitted], axis=0)
        votes[:, k] = np.mean([m.predict(X)[:, column] for m, column in fitted], axis=0)
    assert_allclose(model.predict_proba(X), proba)
    expected = (votes if voting == "labels" else proba) >= 0.5
    assert_array_equal(model.predict(X), expected)
    assert np.count_nonzero((votes >= 0.5) != (proba >= 0.5)) > 0


def test_names_are_functions_of_label_space():
    for name, params, expected in [
        ("random", {}, random_partition(6, 3, random_state=4)),
        ("random", {"part_size": 2}, random_partition(6, 2, random_state=4)),
        ("random_subsets", {}, random_label_subsets(6, 3, random_state=4)),
        (
            "random_subsets",
            {"subset_size": 2, "n_subsets": 5},
            random_label_subsets(6, 2, 5, random_state=4),
        ),
        ("k_means", {}, k_means_partition(Y, 2, random_state=4)),
        ("k_means", {"n_parts": 3}, k_means_partition(Y, 3, random_state=4)),
        ("hierarchical", {}, hierarchical_partition(Y, 2)),
        (
            "hierarchical",
            {"n_parts": 4, "linkage": "single"},
            hierarchical_partition(Y, 4, linkage="single"),
        ),
    ]:
        parts = named_partition(name, Y, params, np.random.RandomState(4))
        assert as_lists(parts) == as_lists(expected)
        model = LabelSpacePartitionClassifier(
            TREES, name, partition_params=params, random_state=4
        ).fit(X, csr_array(Y))
        assert as_lists(model.partition_) == as_lists(expected)


def test_numbers_that_the_labels_do_not_allow_are_lowered():
    """In a fold of a search, some labels may be constant."""
    for name, params, n_parts in [
        ("k_means", {"n_parts": 9}, 2),
        ("hierarchical", {"n_parts": 9}, 2),
        ("random", {"part_size": 9}, 1),
        ("random_subsets", {"subset_size": 9}, 1),
        ("random_subsets", {"subset_size": 1, "n_subsets": 9}, 2),
    ]:
        assert len(named_partition(name, Y[:, :2], params, np.random.RandomState(0))) == n_parts


def test_constant_labels_leave_their_parts():
    Y_constant = Y.copy()
    Y_constant[:, [1, 5]] = [0, 1]
    model = LabelSpacePartitionClassifier(TREES, [[0, 1], [5], [2, 3, 4]])
    with pytest.warns(UserWarning, match=r"Labels \[1, 5\] have one value each"):
        model.fit(X, Y_constant)
    assert as_lists(model.partition_) == [[0], [2, 3, 4]]
    assert len(model.estimators_) == 2
    assert_array_equal(model.predict(X)[:, [1, 5]], Y_constant[:, [1, 5]])
    for partition in ("random", lambda Y: [[0]], [[0], [1]]):
        model = LabelSpacePartitionClassifier(TREES, partition)
        with pytest.warns(UserWarning, match="one value each"):
            model.fit(X, Y_constant[:, [1, 5]])
        assert model.partition_ == []
        assert_array_equal(model.predict(X), Y_constant[:, [1, 5]])


def test_a_callable_gets_the_labels_that_vary():
    Y_constant = Y.copy()
    Y_constant[:, 0] = 0
    seen = []

    def halves(Y_varying):
        seen.append(Y_varying)
        return [[0, 1], [2, 3, 4]]

    with pytest.warns(UserWarning, match=r"Labels \[0\]"):
        model = LabelSpacePartitionClassifier(TREES, halves).fit(X, pd.DataFrame(Y_constant))
    assert_array_equal(seen[0], Y[:, 1:])
    assert as_lists(model.partition_) == [[1, 2], [3, 4, 5]]


def test_votes_without_probabilities():
    model = LabelSpacePartitionClassifier(RidgeClassifier(), "random_subsets", random_state=0)
    assert not hasattr(model, "predict_proba")
    expected = BinaryRelevance(RidgeClassifier()).fit(X, Y).predict(X)
    assert_array_equal(model.fit(X, Y).predict(X), expected)
    with pytest.raises(ValueError, match="voting='proba' averages probabilities"):
        model.set_params(voting="proba").fit(X, Y)


def test_voting_is_decided_after_fit():
    model = LabelSpacePartitionClassifier(TREES, "random_subsets", random_state=0).fit(X, Y)
    expected = clone(model).set_params(voting="proba").fit(X, Y).predict(X)
    model.set_params(voting="proba")
    with pytest.raises(ValueError, match=r"voting was set to 'proba' after .* refit_decision"):
        model.predict(X)
    assert_array_equal(model.refit_decision().predict(X), expected)


def test_weights_reach_the_parts():
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    model = LabelSpacePartitionClassifier(TREES, [[0, 1, 2], [3, 4, 5]])
    repeated = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(Y, weight, axis=0))
    weighted = model.fit(X, Y, sample_weight=weight)
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(150, 6\): give one weight"):
        model.fit(X, Y, sample_weight=np.ones(Y.shape))


def test_in_a_search():
    model = LabelSpacePartitionClassifier(TREES, random_state=0)
    grid = {"partition": ["random", "k_means", [[0, 1], [2, 3], [4, 5]]], "voting": ["labels"]}
    cv = MultilabelStratifiedKFold(2)
    search = GridSearchCV(model, grid, cv=cv, scoring="f1_micro", error_score="raise").fit(X, Y)
    assert search.best_score_ > 0.3


def test_bad_partitions():
    for partition, message in [
        ([[0, 1], [2, 3]], r"Labels \[4, 5\] are in no part of the partition, 2 of 6"),
        ([[0, 1, 2, 3, 4, 5, 6]], r"Part 0 of the partition holds \[6\]"),
        (lambda Y: [[0]], r"Labels \[1, 2, 3, 4, 5\] are in no part"),
    ]:
        with pytest.raises(ValueError, match=message):
            LabelSpacePartitionClassifier(TREES, partition).fit(X, Y)
    with pytest.raises(ValueError, match=r"'partition' parameter .* must be a str among"):
        LabelSpacePartitionClassifier(TREES, "leiden").fit(X, Y)
    for partition in ([range(6)], lambda Y: [range(6)]):
        model = LabelSpacePartitionClassifier(TREES, partition, partition_params={"n_parts": 2})
        with pytest.raises(ValueError, match="are for a partition by name: leave them out"):
            model.fit(X, Y)
