import numpy as np
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import ADASYN, SMOTE, RandomOverSampler
from imblearn.under_sampling import ClusterCentroids, RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import average_precision_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import SMOTEBoostClassifier
from skrecall.ensemble._smote_boost import boost_round


@pytest.fixture(scope="module")
def data():
    return make_classification(500, 6, weights=[0.88], flip_y=0.02, random_state=0)


@pytest.fixture(scope="module")
def three():
    return make_classification(
        400, 6, n_informative=4, n_classes=3, weights=[0.7, 0.2], random_state=0
    )


class NoSampler(BaseEstimator):
    """Adds nothing, and says so."""

    def fit_resample(self, X, y):
        self.sample_indices_ = np.arange(len(y))
        return X, y


class Recorder(GaussianNB):
    """Keeps what it is fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weight_ = X, y, sample_weight.copy()
        return super().fit(X, y, sample_weight)


def plain_boosting(X, y, members, start):
    """The pseudo-code of AdaBoost.M2, pair by pair, for members that are fitted already."""
    n_classes = y.max() + 1
    distribution = {(i, k): start[i] for i in range(len(y)) for k in range(n_classes) if k != y[i]}
    total = sum(distribution.values())
    distribution = {pair: value / total for pair, value in distribution.items()}
    weights, losses, rows = [], [], []
    for member in members:
        rows.append(
            [sum(distribution.get((i, k), 0) for k in range(n_classes)) for i in range(len(y))]
        )
        h = member.predict_proba(X)
        loss = 0.5 * sum(d * (1 - h[i, y[i]] + h[i, k]) for (i, k), d in distribution.items())
        beta = loss / (1 - loss)
        distribution = {
            (i, k): d * beta ** (0.5 * (1 + h[i, y[i]] - h[i, k]))
            for (i, k), d in distribution.items()
        }
        total = sum(distribution.values())
        distribution = {pair: value / total for pair, value in distribution.items()}
        weights.append(np.log(1 / beta))
        losses.append(loss)
    return np.array(rows), np.array(losses), np.array(weights)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("sampler", [None, NoSampler(), RandomOverSampler()])
def test_boosting_equals_the_pseudo_code_of_the_paper(data, three, classes, sampler):
    X, y = data if classes == 2 else three
    start = np.random.default_rng(0).uniform(0.5, 2, len(y))
    fitted = SMOTEBoostClassifier(Recorder(), sampler=sampler, n_estimators=4, random_state=0).fit(
        X, y, sample_weight=start
    )
    members = fitted.estimators_
    assert len(members) == 4
    rows, losses, weights = plain_boosting(X, y, members, start)
    assert_allclose(fitted.estimator_errors_, losses)
    assert_allclose(fitted.estimator_weights_, weights)
    for member, expected in zip(members, rows, strict=True):
        if not isinstance(sampler, NoSampler):
            assert_array_equal(np.bincount(member.y_), [np.bincount(y).max()] * classes)
        assert_array_equal(member.X_[: len(y)], X)
        old, new = np.split(member.weight_ / member.weight_[0] * expected[0], [len(y)])
        assert_allclose(old, expected)
        assert_allclose(member.weight_.mean(), 1)
        if isinstance(sampler, RandomOverSampler):
            copied = [np.flatnonzero((x == X).all(axis=1))[0] for x in member.X_[len(y) :]]
            assert_allclose(new, expected[copied])
        elif sampler is None:
            assert_made_of_two(X, y, expected, member.X_[len(y) :], member.y_[len(y) :], new)
    answer = sum(
        np.log((1 - loss) / loss) * member.predict_proba(X)
        for loss, member in zip(losses, members, strict=True)
    )
    assert_allclose(fitted.predict_proba(X), answer / answer.sum(axis=1, keepdims=True))
    assert_array_equal(fitted.predict(X), answer.argmax(axis=1))


def assert_made_of_two(X, y, weight, made, labels, found):
    """A synthetic row lies between two of its class, and has the mean of their weights."""
    for x, label, w in list(zip(made, labels, found, strict=True))[::20]:
        own = np.flatnonzero(y == label)
        a, b = (own[part] for part in np.triu_indices(len(own)))
        detour = (
            np.linalg.norm(X[a] - x, axis=1)
            + np.linalg.norm(X[b] - x, axis=1)
            - np.linalg.norm(X[a] - X[b], axis=1)
        )
        between = detour < 1e-9
        assert np.isclose((weight[a[between]] + weight[b[between]]) / 2, w).any()


def test_with_two_classes_the_loss_is_the_mean_error():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 2, 30)
    p = rng.uniform(0.2, 0.8, 30)
    weight = rng.uniform(0, 1, 30)
    mislabel = np.where(np.eye(2)[code] == 1, 0, (weight / weight.sum())[:, None])
    p_true = np.where(code == 1, p, 1 - p)
    after, loss = boost_round(mislabel, np.c_[1 - p, p], code)
    assert_allclose(loss, np.average(1 - p_true, weights=weight))
    if loss < 0.5:
        expected = weight * (loss / (1 - loss)) ** p_true
        assert_allclose(after.sum(axis=1), expected / expected.sum())


def test_without_a_sampler_sure_members_give_the_votes_of_adaboost(data):
    """With members that are sure, M2 of two classes is AdaBoost, which SAMME is too."""

    class Sure(DecisionTreeClassifier):
        def predict_proba(self, X):
            return np.eye(2)[super().predict(X)]

    X, y = data
    stump = Sure(max_depth=1, random_state=0)
    ours = SMOTEBoostClassifier(stump, sampler=NoSampler(), n_estimators=10, random_state=0)
    theirs = AdaBoostClassifier(stump, n_estimators=10, random_state=0)
    assert_allclose(ours.fit(X, y).estimator_errors_, theirs.fit(X, y).estimator_errors_)
    assert_allclose(ours.estimator_weights_, theirs.estimator_weights_)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    signed = 2 * ours.predict_proba(X)[:, 1] - 1
    assert_allclose(2 * signed, theirs.decision_function(X), atol=1e-12)


@pytest.mark.parametrize(
    "sampler", [ADASYN(), SMOTE(k_neighbors=3), SMOTEENN(), RandomUnderSampler()]
)
def test_samplers_that_tell_where_their_rows_come_from(data, sampler):
    X, y = data
    model = SMOTEBoostClassifier(sampler=sampler, n_estimators=5, random_state=0)
    proba = clone(model).fit(X, y).predict_proba(X)
    assert average_precision_score(y, proba[:, 1]) > 0.5
    assert_array_equal(model.fit(X, y).predict_proba(X), proba)


def test_each_round_makes_other_rows(data):
    X, y = data
    fitted = SMOTEBoostClassifier(Recorder(), n_estimators=2, random_state=0).fit(X, y)
    first, second = (member.X_[len(y) :] for member in fitted.estimators_)
    assert not np.array_equal(first, second)


def test_a_sampler_that_does_not_tell_is_refused(data):
    model = SMOTEBoostClassifier(sampler=ClusterCentroids())
    with pytest.raises(ValueError, match="ClusterCentroids replaces rows by the centre of many"):
        model.fit(*data)


def test_neighbours_are_as_many_as_there_are(data):
    X, y = data
    few = np.zeros(len(y), dtype=int)
    few[:3] = 1
    fitted = SMOTEBoostClassifier(Recorder(), n_estimators=2, random_state=0).fit(X, few)
    assert_array_equal(np.bincount(fitted.estimators_[0].y_), [497, 497])
    few[1:3] = 0
    with pytest.raises(ValueError, match=r"The class 1 has one row.*RandomOverSampler\(\)"):
        SMOTEBoostClassifier().fit(X, few)
    copies = SMOTEBoostClassifier(sampler=RandomOverSampler(), n_estimators=2, random_state=0)
    assert copies.fit(X, few).predict(X[:1]) == 1
    with pytest.raises(ValueError, match="n_neighbors"):
        SMOTEBoostClassifier(sampler=SMOTE()).fit(X, few)


def test_a_member_without_loss_ends_the_boosting():
    X = np.arange(40.0)[:, np.newaxis]
    y = (X[:, 0] > 30).astype(int)
    fitted = SMOTEBoostClassifier(n_estimators=20, random_state=0).fit(X, y)
    assert len(fitted.estimators_) == 1
    assert_array_equal(fitted.estimator_errors_, 0)
    assert np.isfinite(fitted.estimator_weights_).all()
    assert_array_equal(fitted.predict(X), y)


def test_members_no_better_than_chance_end_it_or_are_refused(data):
    X, y = data

    class GoodOnce(GaussianNB):
        n_fits = 0

        def fit(self, X, y, sample_weight=None):
            type(self).n_fits += 1
            self.is_good_ = self.n_fits == 1
            return super().fit(X, y, sample_weight)

        def predict_proba(self, X):
            proba = super().predict_proba(X)
            return proba if self.is_good_ else np.full_like(proba, 0.5)

    fitted = SMOTEBoostClassifier(GoodOnce(), n_estimators=9, random_state=0).fit(X, y)
    assert len(fitted.estimators_) == 1
    assert GoodOnce.n_fits == 2
    with pytest.raises(
        ValueError, match=r"no better than chance, with a pseudo-loss of 0.5 on 500"
    ):
        SMOTEBoostClassifier(DummyClassifier(strategy="prior")).fit(X, y)


def test_one_member(data):
    X, y = data
    fitted = SMOTEBoostClassifier(Recorder(), n_estimators=1, random_state=0).fit(X, y)
    assert_allclose(fitted.predict_proba(X), fitted.estimators_[0].predict_proba(X))


def test_an_estimator_that_takes_no_weights_is_refused(data):
    with pytest.raises(ValueError, match="the fit of KNeighborsClassifier takes no sample_weight"):
        SMOTEBoostClassifier(KNeighborsClassifier()).fit(*data)
