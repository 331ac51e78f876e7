import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, lil_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier

from skrecall.model_selection import (
    MultilabelStratifiedKFold,
    MultilabelStratifiedShuffleSplit,
    RepeatedMultilabelStratifiedKFold,
    fold_quality,
    multilabel_train_test_split,
)
from skrecall.model_selection._iterative_stratification import stratified_folds

SPLITTERS = [
    MultilabelStratifiedKFold(4),
    MultilabelStratifiedKFold(4, order=2, shuffle=True, random_state=0),
    RepeatedMultilabelStratifiedKFold(4, n_repeats=2, random_state=0),
    MultilabelStratifiedShuffleSplit(3, test_size=0.3, random_state=0),
    MultilabelStratifiedShuffleSplit(3, test_size=30, train_size=60, order=2, random_state=0),
]


def make_labels(n_samples=200, n_labels=6, seed=0):
    """Return samples, and labels of very different frequency with 8 positives at least."""
    rng = np.random.default_rng(seed)
    Y = (rng.random((n_samples, n_labels)) < np.geomspace(0.5, 0.05, n_labels)).astype(int)
    Y[:8, -1] = 1
    return rng.normal(size=(n_samples, 3)) + Y[:, :3], Y


def as_lists(splits):
    return [(train.tolist(), test.tolist()) for train, test in splits]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shuffle", [False, True])
def test_folds_are_a_partition(order, shuffle):
    X, Y = make_labels()
    cv = MultilabelStratifiedKFold(7, order=order, shuffle=shuffle)
    splits = list(cv.split(X, Y))
    assert len(splits) == cv.get_n_splits() == 7
    assert_array_equal(np.sort(np.concatenate([test for _, test in splits])), np.arange(len(X)))
    for train, test in splits:
        assert_array_equal(np.sort(np.append(train, test)), np.arange(len(X)))
        assert (Y[test].sum(axis=0) > 0).all()


def test_repeats_are_partitions_and_differ():
    X, Y = make_labels()
    cv = RepeatedMultilabelStratifiedKFold(4, n_repeats=3, order=2, random_state=0)
    tests = [test for _, test in cv.split(X, Y)]
    assert len(tests) == cv.get_n_splits() == 12
    for start in (0, 4, 8):
        assert_array_equal(np.sort(np.concatenate(tests[start : start + 4])), np.arange(len(X)))
    assert len({tuple(test) for test in tests}) == 12


@pytest.mark.parametrize("order", [1, 2])
def test_shuffle_split_keeps_sizes_and_shares(order):
    X, Y = make_labels(400)
    cv = MultilabelStratifiedShuffleSplit(
        5, test_size=100, train_size=200, order=order, random_state=0
    )
    for train, test in cv.split(X, Y):
        assert len(np.intersect1d(train, test)) == 0
        assert abs(len(train) - 200) <= 4
        assert abs(len(test) - 100) <= 4
        assert np.abs(Y[train].sum(axis=0) - Y.sum(axis=0) / 2).max() <= 4
        assert np.abs(Y[test].sum(axis=0) - Y.sum(axis=0) / 4).max() <= 4
    assert cv.get_n_splits() == 5
    default = MultilabelStratifiedShuffleSplit(1, random_state=0)
    assert abs(len(next(default.split(X, Y))[1]) - 40) <= 4


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_containers_and_seeds(cv):
    X, Y = make_labels()
    expected = as_lists(cv.split(X, Y))
    names = [f"label {k}" for k in range(Y.shape[1])]
    for container in (pd.DataFrame(Y, columns=names), csr_array(Y), lil_matrix(Y), Y.tolist()):
        assert as_lists(cv.split(csr_array(X), container)) == expected
    assert as_lists(cv.split(None, Y)) == expected
    assert as_lists(cv.split(X, np.where(Y == 0, -1, Y))) == expected


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_one_dimension_is_one_label(cv):
    X, Y = make_labels()
    words = np.array(["absent", "present"])[Y[:, 1]]
    assert as_lists(cv.split(X, words)) == as_lists(cv.split(X, Y[:, [1]]))
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        next(cv.split(X, Y[:, :3].sum(axis=1)))


def test_same_seed_same_folds_in_another_process():
    source = (
        "from tests.model_selection.test_multilabel_split import *\n"
        "print([as_lists(cv.split(*make_labels())) for cv in SPLITTERS])"
    )
    said = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == str([as_lists(cv.split(*make_labels())) for cv in SPLITTERS])


@pytest.mark.parametrize("order", [1, 2])
def test_seeds_leave_the_global_randomness_alone(order):
    X, Y = make_labels()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    list(MultilabelStratifiedKFold(order=order).split(X, Y))
    list(MultilabelStratifiedKFold(order=order, shuffle=True, random_state=3).split(X, Y))
    multilabel_train_test_split(X, Y, order=order, random_state=3)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_shuffle_gives_other_folds():
    X, Y = make_labels()
    fixed, one, two = (
        as_lists(cv.split(X, Y))
        for cv in (
            MultilabelStratifiedKFold(),
            MultilabelStratifiedKFold(shuffle=True, random_state=1),
            MultilabelStratifiedKFold(shuffle=True, random_state=2),
        )
    )
    assert fixed != one != two
    assert fixed == as_lists(MultilabelStratifiedKFold().split(X, Y))


def test_better_than_kfold():
    """On skewed labels, on the mean over seeds: shares of labels, and of pairs with order 2."""
    qualities = {"plain": [], 1: [], 2: []}
    for seed in range(10):
        X, Y = make_labels(500, seed=seed)
        plain = KFold(10, shuffle=True, random_state=seed)
        qualities["plain"].append(fold_quality(Y, plain.split(X)))
        for order in (1, 2):
            cv = MultilabelStratifiedKFold(10, order=order, shuffle=True, random_state=seed)
            qualities[order].append(fold_quality(Y, cv.split(X, Y)))
    plain, first, second = (pd.DataFrame(rows).mean() for rows in qualities.values())
    assert first["LD"] < plain["LD"] / 3
    assert second["LD"] < plain["LD"] / 3
    assert second["LPD"] < 0.8 * first["LPD"] < 0.8 * plain["LPD"]


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_as_cv_anywhere(cv):
    X, Y = make_labels()
    model = KNeighborsClassifier()
    search = GridSearchCV(model, {"n_neighbors": [1, 3]}, cv=cv, scoring="f1_macro").fit(X, Y)
    assert search.n_splits_ == cv.get_n_splits(X, Y) == len(list(cv.split(X, Y)))
    assert len(cross_val_score(model, X, Y, cv=cv)) == search.n_splits_
    with config_context(enable_metadata_routing=True):
        routed = clone(search).fit(X, Y)
    assert_array_equal(routed.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])


def test_cross_val_predict_of_rare_labels():
    """KFold leaves training rows without a label of sorted rows, which the model refuses."""
    X, Y = make_multilabel_classification(90, n_classes=3, random_state=0)
    Y[:, 2] = np.arange(90) < 20
    model = MultiOutputClassifier(LogisticRegression())
    cv = MultilabelStratifiedKFold(3)
    assert cross_val_predict(model, X, Y, cv=cv).shape == Y.shape


def test_train_test_split_keeps_containers():
    X, Y = make_labels()
    frame = pd.DataFrame(X, index=np.arange(len(X)) + 5, columns=list("xyz"))
    weight = np.arange(len(X))
    parts = multilabel_train_test_split(frame, csr_array(Y), weight, random_state=0)
    X_train, X_test, Y_train, Y_test, w_train, w_test = parts
    assert_array_equal(X_train.index, w_train + 5)
    assert_array_equal(X_test.to_numpy(), X[w_test])
    assert_array_equal(Y_train.toarray(), Y[w_train])
    assert_array_equal(Y_test.toarray(), Y[w_test])
    assert_array_equal(np.sort(np.append(w_train, w_test)), weight)
    assert abs(len(w_test) - 50) <= 4
    assert abs(len(multilabel_train_test_split(X, Y, train_size=0.6)[0]) - 120) <= 4
    y_train, y_test = multilabel_train_test_split(X, Y[:, 0], random_state=0)[2:]
    assert y_train.mean() == pytest.approx(y_test.mean(), abs=0.01)


def test_rare_labels_are_named():
    X, Y = make_labels()
    Y[:, 4] = np.arange(len(Y)) < 3
    Y[:, 5] = 0
    message = r"1 of 6 labels have fewer positives than n_splits=5 and are missing .* folds: \[4\]"
    with pytest.warns(UserWarning, match=message):
        splits = list(MultilabelStratifiedKFold().split(X, Y))
    assert max(Y[test, 4].sum() for _, test in splits) == 1
    with pytest.warns(UserWarning, match=r"folds: \['e'\]\."):
        next(MultilabelStratifiedKFold().split(X, pd.DataFrame(Y, columns=list("abcdef"))))
    many = np.eye(12, dtype=int)
    with pytest.warns(UserWarning, match=r"12 of 12 .* \[0, 1, 2, 3, 4, 5, 6, 7, 8, 9\] and more"):
        next(MultilabelStratifiedKFold(2).split(many, many))


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_groups_are_ignored_aloud(cv):
    X, Y = make_labels()
    with pytest.warns(UserWarning, match=f"{type(cv).__name__} ignores groups"):
        ignoring = as_lists(cv.split(X, Y, np.arange(len(X)) % 10))
    assert ignoring == as_lists(cv.split(X, Y))


def test_repr():
    assert repr(MultilabelStratifiedKFold(3, order=2)) == (
        "MultilabelStratifiedKFold(n_splits=3, order=2, random_state=None,\n"
        "             shuffle=False)"
    )
    for cv in SPLITTERS:
        assert repr(eval(repr(cv))) == repr(cv)


def test_what_cannot_be_split():
    X, Y = make_labels()
    with pytest.raises(ValueError, match="n_splits=5 folds cannot be made of 4 rows: use fewer"):
        next(MultilabelStratifiedKFold(5).split(X[:4], Y[:4]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(MultilabelStratifiedKFold(5).split(X[:-1], Y))
    with pytest.raises(ValueError, match="test_size=500 should be either positive and smaller"):
        next(MultilabelStratifiedShuffleSplit(test_size=500).split(X, Y))
    for params, message in [
        ({"n_splits": 1}, "n_splits=1 must be a whole number, 2 or more"),
        ({"order": 3}, "order=3 must be 1, for labels, or 2, for pairs of labels"),
        ({"shuffle": "yes"}, "shuffle='yes' must be True or False"),
        ({"random_state": 0}, "random_state=0 has no effect, as shuffle is False"),
    ]:
        with pytest.raises(ValueError, match=message):
            MultilabelStratifiedKFold(**params)
    with pytest.raises(ValueError, match="n_repeats=0 must be a whole number"):
        RepeatedMultilabelStratifiedKFold(n_repeats=0)


@pytest.mark.parametrize("seed", range(30))
def test_no_fold_is_empty(seed):
    rng = np.random.default_rng(seed)
    Y = (rng.random((6, 3)) < rng.choice([0.2, 0.5, 0.8])).astype(int)
    for order, n_splits in itertools.product((1, 2), (2, 4, 6)):
        weights = np.ones(n_splits, dtype=np.int64)
        fold = stratified_folds(Y, weights, order, np.random.RandomState(seed))
        assert np.bincount(fold, minlength=n_splits).min() > 0


def test_a_side_that_stays_empty():
    Y = np.eye(8, dtype=int)
    cv = MultilabelStratifiedShuffleSplit(test_size=2)
    with pytest.raises(ValueError, match="Of 8 rows, 8 are left to train on and 0 to test on"):
        next(cv.split(Y, Y))


@pytest.mark.parametrize("container", [np.asarray, pd.Series])
def test_what_else_is_split_comes_after_the_labels(container):
    X, Y = make_labels()
    ids = container(np.arange(len(Y)))
    with pytest.raises(ValueError, match=r"second, as in multilabel_train_test_split\(X, Y, ids\)"):
        multilabel_train_test_split(X, ids, Y)
    assert len(multilabel_train_test_split(X, Y[:, 0], ids)) == 6
