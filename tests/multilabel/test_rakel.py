from math import comb

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import LabelPowerset, RAkELDisjoint, RAkELOverlapping


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(150, n_classes=5, n_labels=2, random_state=0)


@pytest.mark.parametrize("k", [5, 8])
@pytest.mark.parametrize("rakel", [RAkELDisjoint, RAkELOverlapping])
def test_one_set_of_all_labels_is_a_label_powerset(data, rakel, k):
    X, Y = data
    plain = LabelPowerset(GaussianNB()).fit(X, Y)
    fitted = rakel(GaussianNB(), labelset_size=k).fit(X, Y)
    assert len(fitted.estimators_) == 1
    assert_array_equal(fitted.predict(X), plain.predict(X))
    assert_allclose(fitted.predict_proba(X), plain.predict_proba(X), atol=1e-12)
    assert (
        len(RAkELOverlapping(GaussianNB(), labelset_size=k, n_models=7).fit(X, Y).labelsets_) == 1
    )


@pytest.mark.parametrize("n_models", [None, 1, 4, 10])
def test_as_many_distinct_sets_as_asked_for(data, n_models):
    X, Y = data
    model = RAkELOverlapping(GaussianNB(), labelset_size=3, n_models=n_models, random_state=0)
    if n_models == 1:
        with pytest.warns(UserWarning, match="are in none of the 1 sets of 3"):
            model.fit(X, Y)
    else:
        model.fit(X, Y)
    sets = {frozenset(labels.tolist()) for labels in model.labelsets_}
    assert len(model.labelsets_) == len(sets) == (n_models or min(2 * 5, comb(5, 3)))
    assert all(len(s) == 3 for s in sets)


@pytest.mark.parametrize(("k", "n_models"), [(2, 6), (2, None), (1, None), (3, 4)])
def test_drawing_ends_where_all_sets_are_wanted(k, n_models):
    X, Y = make_multilabel_classification(60, n_classes=4, random_state=0)
    model = RAkELOverlapping(GaussianNB(), labelset_size=k, n_models=n_models, random_state=0)
    assert len(model.fit(X, Y).labelsets_) == min(n_models or 8, comb(4, k))


def test_more_sets_than_there_are_is_a_sentence():
    X, Y = make_multilabel_classification(60, n_classes=4, random_state=0)
    model = RAkELOverlapping(GaussianNB(), labelset_size=2, n_models=12)
    with pytest.raises(ValueError, match="n_models=12, and there are 6 sets of 2 of 4 labels"):
        model.fit(X, Y)
    Y[:, 3] = 0  # a fold that lacks a label is no error
    model.set_params(n_models=6)
    with pytest.warns(UserWarning, match=r"Labels \[3\] have one value"):
        fitted = model.fit(X, Y)
    assert sorted(labels.tolist() for labels in fitted.labelsets_) == [[0, 1], [0, 2], [1, 2]]


def test_disjoint_parts_are_a_partition(data):
    X, Y = data
    with pytest.warns(UserWarning, match=r"Labels \[1\] have one value"):
        fitted = RAkELDisjoint(GaussianNB(), labelset_size=2, random_state=0).fit(
            X, np.insert(Y, 1, 0, axis=1)
        )
    assert [len(labels) for labels in fitted.labelsets_] == [2, 2, 1]
    assert_array_equal(np.sort(np.concatenate(fitted.labelsets_)), [0, 2, 3, 4, 5])


def test_parts_answer_as_label_powersets_of_their_labels(data):
    X, Y = data
    fitted = RAkELDisjoint(GaussianNB(), labelset_size=2, random_state=0).fit(X, Y)
    for labels in fitted.labelsets_:
        alone = LabelPowerset(GaussianNB()).fit(X, Y[:, labels])
        assert_array_equal(fitted.predict(X)[:, labels], alone.predict(X))
        assert_allclose(fitted.predict_proba(X)[:, labels], alone.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_votes_equal_a_plain_loop_and_half_is_a_yes(data, container):
    X, Y = data
    model = RAkELOverlapping(GaussianNB(), labelset_size=2, n_models=6, random_state=0)
    fitted = model.fit(X, container(Y))
    votes, appearances, proba = np.zeros(Y.shape), np.zeros(5), np.zeros(Y.shape)
    for labels in fitted.labelsets_:
        alone = LabelPowerset(GaussianNB()).fit(X, Y[:, labels])
        votes[:, labels] += alone.predict(X)
        proba[:, labels] += alone.predict_proba(X)
        appearances[labels] += 1
    share = votes / appearances
    assert (share == 0.5).any()
    predicted = fitted.predict(X)
    assert issparse(predicted) == (container is csr_array)
    assert_array_equal(predicted.toarray() if issparse(predicted) else predicted, share >= 0.5)
    assert_allclose(fitted.predict_proba(X), proba / appearances, atol=1e-12)
    by_proba = fitted.set_params(voting="proba").refit_decision().predict(X)
    assert_array_equal(
        by_proba.toarray() if issparse(by_proba) else by_proba, proba / appearances >= 0.5
    )


def test_a_label_in_no_set_is_named_and_never_predicted(data):
    X, Y = data
    named = pd.DataFrame(Y, columns=list("abcde"))
    model = RAkELOverlapping(GaussianNB(), labelset_size=2, n_models=2, random_state=0)
    with pytest.warns(UserWarning, match="in none of the 2 sets of 2 .* 3 sets or more") as record:
        fitted = model.fit(X, named)
    missing = np.setdiff1d(np.arange(5), np.concatenate(fitted.labelsets_))
    assert str([list("abcde")[j] for j in missing]) in str(record[0].message)
    assert_array_equal(fitted.predict(X).to_numpy()[:, missing], 0)
    assert_array_equal(fitted.predict_proba(X)[:, missing], 0)


@pytest.mark.parametrize("rakel", [RAkELDisjoint, RAkELOverlapping])
def test_seeded(data, rakel):
    X, Y = data
    first, again, other = (
        rakel(DecisionTreeClassifier(max_features=2), labelset_size=2, random_state=seed).fit(X, Y)
        for seed in (0, 0, 1)
    )
    assert all(map(np.array_equal, first.labelsets_, again.labelsets_))
    assert not all(map(np.array_equal, first.labelsets_, other.labelsets_))
    assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert len({e.random_state for e in first.estimators_}) == len(first.estimators_)


def test_votes_without_probabilities(data):
    X, Y = data
    fitted = RAkELOverlapping(RidgeClassifier(), random_state=0).fit(X, Y)
    assert not hasattr(fitted, "predict_proba")
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_proba"):
        RAkELOverlapping(RidgeClassifier(), voting="proba").fit(X, Y)
