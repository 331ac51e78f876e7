import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import TimeSeriesSplit
from sklearn.multioutput import MultiOutputClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skrecall.threshold import (
    MultilabelThresholdClassifier,
    OptimalThresholdClassifier,
    RecallThresholdClassifier,
)
from skrecall.threshold._calibration import (
    check_has_scores,
    check_split,
    class_scores,
    count_shared_rows,
    holdout_split,
    last_split,
)


@pytest.mark.parametrize("size", [0.2, 0.5, 0.73])
def test_holdout_is_stratified_whole_and_disjoint(size):
    code = np.repeat([0, 1, 2], [500, 37, 4])
    fit_rows, held_out = holdout_split(code, size, groups=None, rng=np.random.RandomState(0))
    assert np.array_equal(np.sort(np.append(fit_rows, held_out)), np.arange(len(code)))
    for value, count in enumerate([500, 37, 4]):
        assert abs(np.sum(code[held_out] == value) - size * count) <= 1


def test_holdout_keeps_groups_whole_and_stratifies_by_their_rarest_code():
    rng = np.random.RandomState(0)
    groups = rng.permutation(np.repeat(np.arange(300), 5))
    positive_group = np.arange(300) < 30
    code = (positive_group[groups] & (rng.uniform(size=1500) < 0.5)).astype(int)
    fit_rows, held_out = holdout_split(code, 0.5, groups=groups, rng=rng)
    assert not set(groups[fit_rows]) & set(groups[held_out])
    n_positive = len(set(groups[code == 1]))
    assert abs(len(set(groups[held_out][code[held_out] == 1])) - n_positive / 2) <= 1


def test_holdout_draws_every_row_equally_often():
    code = np.repeat([0, 1], [16, 4])
    rng = np.random.RandomState(0)
    drawn = np.zeros(20)
    for _ in range(4000):
        drawn[holdout_split(code, 0.3, groups=None, rng=rng)[1]] += 1
    error = np.sqrt(0.3 * 0.7 / 4000)
    assert np.all(abs(drawn / 4000 - 0.3) < 5 * error)


def test_last_split_is_the_most_recent_one():
    fit_rows, held_out = last_split(TimeSeriesSplit(4), np.zeros((100, 1)), np.zeros(100), None)
    assert held_out[-1] == 99
    assert fit_rows.max() < held_out.min()


def test_masks_of_rows_are_their_indices():
    mask = np.arange(6) % 3 == 0
    for split in ((mask, ~mask), (mask.tolist(), (~mask).tolist()), ([0, 3], [1, 2, 4, 5])):
        fit_rows, held_out = last_split([split], None, None, None)
        assert_array_equal(fit_rows, [0, 3])
        assert_array_equal(held_out, [1, 2, 4, 5])


@pytest.mark.parametrize(
    "model",
    [
        OptimalThresholdClassifier(LogisticRegression()),
        RecallThresholdClassifier(LogisticRegression(), calibration="out_of_fold"),
        MultilabelThresholdClassifier(MultiOutputClassifier(LogisticRegression())),
    ],
)
def test_folds_given_as_masks(model):
    X, y = make_classification(120, random_state=0)
    if isinstance(model, MultilabelThresholdClassifier):
        y = np.column_stack([y, 1 - y])
    first = np.arange(120) < 60
    masks = clone(model).set_params(cv=[(first, ~first), (~first, first)]).fit(X, y)
    rows = np.arange(60), np.arange(60, 120)
    indices = clone(model).set_params(cv=[rows, rows[::-1]]).fit(X, y)
    assert_array_equal(masks.predict(X), indices.predict(X))


def test_last_split_of_nothing():
    with pytest.raises(ValueError, match="yields no split"):
        last_split([], np.zeros((4, 1)), np.zeros(4), None)


A = np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [3.0, 0.0, 4.0], [1.0, 2.0, 0.0]])
B = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        np.float32,
        csr_array,
        pd.DataFrame,
        lambda X: np.asarray(X, dtype=object),
        lambda X: X.reshape(-1, 1, 3, 1).astype(np.uint8),
        lambda X: pd.DataFrame(X).astype(str),
        lambda X: np.asarray(X, dtype=str),
    ],
    ids=["array", "float32", "sparse", "frame", "object", "images", "strings", "str array"],
)
def test_shared_rows_in_every_container(container):
    assert count_shared_rows(container(A), container(B)) == 3
    assert count_shared_rows(container(A[2:3]), container(B)) == 0
    assert count_shared_rows(container(A[:0]), container(B)) == 0
    assert count_shared_rows(container(A), container(B[:0])) == 0


@pytest.mark.parametrize("model", [LogisticRegression(), RidgeClassifier()], ids=repr)
def test_scores_of_named_classes(model):
    X = np.random.RandomState(0).standard_normal((60, 3))
    binary = np.where(X[:, 0] > 0, "b", "a")
    model.fit(X, binary)
    score_b = class_scores(model, X, ["b"], "auto")[:, 0]
    expected = (
        model.predict_proba(X)[:, 1]
        if hasattr(model, "predict_proba")
        else model.decision_function(X)
    )
    np.testing.assert_array_equal(score_b, expected)
    both = class_scores(model, X, ["b", "a"], "auto")
    np.testing.assert_array_equal(both.argmax(axis=1), np.where(model.predict(X) == "b", 0, 1))


def test_a_class_the_model_never_saw():
    model = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
    with pytest.raises(
        ValueError, match=r"was fitted on classes \['a', 'b'\] and cannot score \['c'\]"
    ):
        class_scores(model, [[0.0]], ["c"], "auto")


class NaNScores(LogisticRegression):
    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def test_one_vs_one_scores_are_refused():
    X, y = np.random.RandomState(0).standard_normal((60, 3)), np.arange(60) % 4
    model = SVC(decision_function_shape="ovo").fit(X, y)
    with pytest.raises(ValueError, match="SVC gave 6 scores per sample for 4 classes"):
        class_scores(model, X, [1], "auto")
    model.fit(X[y < 3], y[y < 3])
    with pytest.raises(ValueError, match="not one per class: use decision_function_shape='ovr'"):
        class_scores(model, X, [1], "auto")

    class Votes(SVC):
        def predict_proba(self, X):
            return np.full((len(X), 3), 1 / 3)

    probabilities = Votes(decision_function_shape="ovo").fit(X[y < 3], y[y < 3])
    np.testing.assert_allclose(class_scores(probabilities, X, [1], "predict_proba"), 1 / 3)


GOOD = (np.arange(10), np.arange(10, 20))


@pytest.mark.parametrize(
    ("fit_rows", "held_out", "groups", "message"),
    [
        (GOOD[0], np.repeat(GOOD[1], 3), None, "holds out 30 rows, of which only 10 are different"),
        (np.arange(20), GOOD[1], None, "10 rows are on both sides of the split"),
        (*GOOD, np.arange(20) % 7, "7 groups are on both sides of the split, .* GroupShuffleSplit"),
        (GOOD[0], GOOD[1][:0], None, "The split of 10 rows holds out none: raise the share"),
        (np.array([0, 2]), GOOD[1], None, r"The 2 rows to fit on hold no sample of class \[1\]"),
    ],
)
def test_splits_that_would_void_the_promise(fit_rows, held_out, groups, message):
    y = np.arange(20) % 2
    check_split(*GOOD, y, np.array([1]), None)
    with pytest.raises(ValueError, match=message):
        check_split(fit_rows, held_out, y, np.array([1]), groups)


def test_texts_of_other_lengths_and_other_kinds_of_zero():
    assert count_shared_rows(["a text", "b"], ["a text", "a much longer text"]) == 1
    assert count_shared_rows(np.array([[0.0, 1.0]]), np.array([[-0.0, 1.0]])) == 1
    assert count_shared_rows(np.array([[1, 2]]), np.array([[1.0, 2.0]])) == 1


def test_scores_that_are_not_finite():
    model = NaNScores().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="gave 2 scores that are NaN or infinite in 2 samples"):
        class_scores(model, [[0.0], [1.0]], [1], "auto")


def test_an_estimator_without_scores():
    class NoScores(DecisionTreeClassifier):
        predict_proba = property()

    with pytest.raises(ValueError, match="NoScores has no predict_proba and no decision_function"):
        check_has_scores(NoScores(), "auto")
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_proba: a threshold needs"):
        check_has_scores(RidgeClassifier(), "predict_proba")
