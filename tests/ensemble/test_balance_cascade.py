import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import BalanceCascadeClassifier
from skrecall.ensemble._balance_cascade import cascade_sizes, keep_hardest


@pytest.fixture(scope="module")
def data():
    return make_classification(600, 6, weights=[0.9], flip_y=0.02, random_state=0)


@pytest.mark.parametrize("n_estimators", [2, 3, 10])
def test_sizes_follow_the_false_positive_rate_of_the_paper(n_estimators):
    f = (40 / 3000) ** (1 / (n_estimators - 1))
    sizes, left = [], 3000.0
    for _ in range(n_estimators):
        sizes.append(round(left))
        left *= f
    assert_array_equal(cascade_sizes(3000, 40, n_estimators), sizes)
    assert sizes[-1] == 40


def test_sizes_of_one_member_and_of_equal_classes():
    assert cascade_sizes(3000, 40, 1).tolist() == [3000]
    assert cascade_sizes(40, 40, 3).tolist() == [40, 40, 40]
    for n_rows in range(1, 60):
        assert cascade_sizes(n_rows, 1, 7)[-1] == 1


def test_the_surest_rows_leave_and_ties_are_random():
    p_true = np.array([0.9, 0.1, 0.5, 0.5, 0.5, 0.2])
    rng = np.random.RandomState(0)
    kept = [keep_hardest(p_true, 3, rng) for _ in range(600)]
    for rows in kept:
        assert {1, 5} <= set(rows.tolist()) <= {1, 2, 3, 4, 5}
    counts = np.bincount(np.concatenate(kept))[2:5]
    assert np.abs(counts - 200).max() < 60


class Recorder(GaussianNB):
    """Keeps what it is fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_ = X, y
        return super().fit(X, y, sample_weight)


def with_row_numbers(X):
    return np.c_[X, np.arange(len(X))]


def test_the_cascade_equals_a_plain_loop(data):
    X, y = data
    X = with_row_numbers(X)
    n_members, n_rare = 5, (y == 1).sum()
    fitted = BalanceCascadeClassifier(Recorder(), n_estimators=n_members, random_state=0).fit(X, y)
    pool = np.flatnonzero(y == 0)
    f = (n_rare / len(pool)) ** (1 / (n_members - 1))
    size = float(len(pool))
    for i, member in enumerate(fitted.estimators_):
        rows = member.X_[:, -1].astype(int)
        assert_array_equal(np.sort(rows[member.y_ == 1]), np.flatnonzero(y == 1))
        drawn = rows[member.y_ == 0]
        assert len(np.unique(drawn)) == len(drawn) == n_rare
        assert np.isin(drawn, pool).all()
        assert fitted.pool_sizes_[i].tolist() == [len(pool), n_rare]
        size *= f
        # the threshold at which the false positive rate of this member alone is f
        y_score = member.predict_proba(X[pool])[:, 1]
        theta = np.sort(y_score)[::-1][round(size) - 1]
        pool = pool[y_score >= theta]
    assert_array_equal(np.sort(drawn), np.sort(rows[member.y_ == 0]))
    expected = np.mean([member.predict_proba(X) for member in fitted.estimators_], axis=0)
    assert_allclose(fitted.predict_proba(X), expected)


def test_the_last_member_gets_all_rows_that_are_left(data):
    X, y = data
    fitted = BalanceCascadeClassifier(
        DecisionTreeClassifier(max_depth=2), n_estimators=6, random_state=0
    ).fit(X, y)
    n_rare = (y == 1).sum()
    assert fitted.pool_sizes_[0].tolist() == [len(y) - n_rare, n_rare]
    assert fitted.pool_sizes_[-1].tolist() == [n_rare, n_rare]


def test_one_member_is_one_balanced_fit(data):
    X, y = data
    fitted = BalanceCascadeClassifier(Recorder(), n_estimators=1, random_state=0).fit(X, y)
    assert len(fitted.estimators_) == 1
    assert_array_equal(np.bincount(fitted.estimators_[0].y_), [(y == 1).sum()] * 2)


def test_each_frequent_class_shrinks_by_its_own_rate():
    X, y = make_classification(
        900, 6, n_informative=4, n_classes=3, weights=[0.7, 0.25], random_state=0
    )
    X = with_row_numbers(X)
    fitted = BalanceCascadeClassifier(Recorder(), n_estimators=4, random_state=0).fit(X, y)
    counts = np.bincount(y)
    for k in range(3):
        assert_array_equal(fitted.pool_sizes_[:, k], cascade_sizes(counts[k], counts.min(), 4))
    pools = [np.flatnonzero(y == k) for k in range(3)]
    for i, member in enumerate(fitted.estimators_):
        rows = member.X_[:, -1].astype(int)
        assert_array_equal(np.bincount(member.y_), [counts.min()] * 3)
        assert np.isin(rows, np.concatenate(pools)).all()
        if i < 3:
            for k in range(3):
                p_true = member.predict_proba(X[pools[k]])[:, k]
                order = np.argsort(p_true)
                pools[k] = pools[k][order[: fitted.pool_sizes_[i + 1, k]]]


def test_the_mean_ranks_nearly_as_the_sum_of_all_votes_in_the_paper(data):
    X, y = data
    fitted = BalanceCascadeClassifier(n_estimators=5, random_state=0).fit(X, y)
    assert all(isinstance(member, AdaBoostClassifier) for member in fitted.estimators_)
    votes = np.zeros(len(y))
    for member in fitted.estimators_:
        for weak, alpha in zip(member.estimators_, member.estimator_weights_, strict=False):
            votes += alpha * (2 * weak.predict(X) - 1)
    assert spearmanr(votes, fitted.predict_proba(X)[:, 1]).statistic > 0.99


def test_the_same_seed_gives_the_same_members(data):
    X, y = data
    model = BalanceCascadeClassifier(
        DecisionTreeClassifier(max_features=2, max_depth=3), n_estimators=3, random_state=0
    )
    expected = clone(model).fit(X, y).predict_proba(X)
    assert_array_equal(clone(model).fit(X, y).predict_proba(X), expected)
    assert not np.array_equal(model.set_params(random_state=1).fit(X, y).predict_proba(X), expected)
