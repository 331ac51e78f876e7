import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import ClusterCentroids, NearMiss, RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import ResampledBaggingClassifier
from skrecall.ensemble._resampled_bagging import draw_rows
from skrecall.threshold import PriorCorrectedClassifier


@pytest.fixture(scope="module")
def data():
    return make_classification(400, 6, weights=[0.85], flip_y=0.02, random_state=0)


def test_rows_of_each_class_are_drawn_in_the_same_share():
    classes = [np.arange(100), np.arange(100, 130), np.array([130]), np.arange(0)]
    rng = np.random.RandomState(0)
    for max_samples, expected in [(1.0, [100, 30, 1]), (0.2, [20, 6, 1]), (131, [100, 30, 1])]:
        for replace in (False, True):
            rows = draw_rows(classes, max_samples=max_samples, replace=replace, rng=rng)
            assert [np.isin(rows, of_class).sum() for of_class in classes[:3]] == expected
            assert (np.diff(rows) >= 0).all()
            assert replace or len(np.unique(rows)) == len(rows)
    assert_array_equal(draw_rows(classes, max_samples=1.0, replace=False, rng=rng), np.arange(131))
    assert len(draw_rows(classes, max_samples=262, replace=True, rng=rng)) == 262
    with pytest.raises(ValueError, match="max_samples=132 of 131 rows cannot be drawn without"):
        draw_rows(classes, max_samples=132, replace=False, rng=rng)


def test_one_bag_of_all_rows_is_the_classifier_itself(data):
    X, y = data
    bag = ResampledBaggingClassifier(GaussianNB(), sampler=None, n_estimators=1, bootstrap=False)
    assert_array_equal(bag.fit(X, y).predict_proba(X), GaussianNB().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("voting", ["proba", "labels"])
def test_the_mean_of_balanced_bags_equals_a_plain_loop(data, voting):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y))
    fitted = ResampledBaggingClassifier(
        GaussianNB(), n_estimators=4, max_features=0.5, voting=voting, random_state=0
    ).fit(X, y, sample_weight=weight)
    expected = np.zeros((len(y), 2))
    n_rarest = (y == 1).sum()
    for bag in fitted.bags_:
        assert_array_equal(np.bincount(y[bag.rows]), [n_rarest, n_rarest])
        assert len(np.unique(bag.rows[y[bag.rows] == 1])) < n_rarest  # drawn with replacement
        columns = X[:, bag.features]
        alone = GaussianNB().fit(columns[bag.rows], y[bag.rows], sample_weight=weight[bag.rows])
        if voting == "proba":
            expected += alone.predict_proba(columns) / 4
        else:
            expected += np.eye(2)[alone.predict(columns)] / 4
    assert_allclose(fitted.predict_proba(X), expected, atol=1e-12)


def test_balanced_is_random_under_sampling(data):
    X, y = data
    model = ResampledBaggingClassifier(GaussianNB(), n_estimators=3, random_state=0)
    expected = clone(model).fit(X, y).predict_proba(X)
    model.set_params(sampler=RandomUnderSampler())
    assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    # what the sampler does with the rows themselves, it does with their numbers
    model.set_params(sampler=Pipeline([("under", RandomUnderSampler())]))
    by_value = model.fit(X, y)
    for bag in by_value.bags_:
        assert len(bag.rows) == len(y)
        assert_array_equal(bag.member.class_count_, [(y == 1).sum()] * 2)


@pytest.mark.parametrize(
    "sampler", [SMOTE(), NearMiss(), RandomOverSampler(), RandomOverSampler(shrinkage=0.1)]
)
def test_any_sampler_changes_each_bag(data, sampler):
    X, y = data
    model = ResampledBaggingClassifier(
        GaussianNB(), sampler=sampler, n_estimators=2, bootstrap=False, random_state=0
    )
    members = [bag.member for bag in clone(model).fit(X, y).bags_]
    for member in members:
        assert member.class_count_[0] == member.class_count_[1]
    if isinstance(sampler, SMOTE | RandomOverSampler):
        assert not np.array_equal(members[0].theta_, members[1].theta_)  # seeded apart


@pytest.mark.parametrize("sampler", [SMOTE(), NearMiss(), RandomOverSampler()])
def test_weights_follow_the_rows_through_a_sampler(data, sampler):
    X, y = data
    weight = X - X.min() + 1
    fitted = ResampledBaggingClassifier(
        Recorder(), sampler=sampler, n_estimators=2, random_state=0
    ).fit(X, y, sample_weight=weight[:, 0], cost=weight[:, 1], name="a")
    for bag in fitted.bags_:
        member, n_copied = bag.member, len(bag.rows)
        assert member.name_ == "a"
        if isinstance(sampler, SMOTE):
            assert_allclose(member.sample_weight_[:n_copied], weight[bag.rows, 0])
            assert_made_of_two(member, X[y == 1], weight[y == 1], n_copied)
        else:
            assert_allclose(member.sample_weight_, member.X_[:, 0] - X.min() + 1)
            assert_allclose(member.cost_, member.X_[:, 1] - X.min() + 1)


def assert_made_of_two(member, X, weight, n_copied):
    """A synthetic row lies between two rare ones, and has the means of what belongs to them."""
    a, b = np.triu_indices(len(X))
    for new in range(n_copied, len(member.X_), 20):
        x = member.X_[new]
        detour = (
            np.linalg.norm(X[a] - x, axis=1)
            + np.linalg.norm(X[b] - x, axis=1)
            - np.linalg.norm(X[a] - X[b], axis=1)
        )
        mean = (weight[a] + weight[b])[detour < 1e-9] / 2
        assert np.isclose(mean[:, 0], member.sample_weight_[new]).any()
        assert np.isclose(mean[:, 1], member.cost_[new]).any()


class Recorder(GaussianNB):
    """Keeps what it is fitted on."""

    def fit(self, X, y, sample_weight=None, cost=None, name=None):
        self.X_, self.y_ = X, y
        self.sample_weight_, self.cost_, self.name_ = sample_weight, cost, name
        return super().fit(X, y, sample_weight)


def test_weights_that_cannot_follow_are_refused(data):
    X, y = data
    model = ResampledBaggingClassifier(Recorder(), sampler=ClusterCentroids(), n_estimators=1)
    with pytest.raises(ValueError, match=r"\['sample_weight'\] cannot follow the rows: ClusterCen"):
        model.fit(X, y, sample_weight=np.ones(len(y)))
    model.set_params(sampler=SMOTE())
    with pytest.raises(ValueError, match="name holds <U1 entries, which have no mean"):
        model.fit(X, y, name=np.full(len(y), "a"))


def test_out_of_bag_probabilities_equal_a_plain_loop(data):
    X, y = data
    model = ResampledBaggingClassifier(GaussianNB(), n_estimators=5, oob_proba=True, random_state=0)
    fitted = model.fit(X, y)
    n_voters = np.zeros(len(y))
    for row in range(len(X)):
        members = [bag.member for bag in fitted.bags_ if row not in bag.rows]
        n_voters[row] = len(members)
        expected = [member.predict_proba(X[[row]])[0] for member in members]
        expected = np.mean(expected, axis=0) if members else np.full(2, np.nan)
        assert_allclose(fitted.oob_proba_[row], expected)
    assert n_voters[y == 0].mean() > 4  # of 5: what under-sampling left out is out of bag
    assert 1 < n_voters[y == 1].mean() < 2.5  # 5 / e
    assert not hasattr(model.set_params(oob_proba=False).fit(X, y), "oob_proba_")
    seen = clone(model).set_params(oob_proba=True, sampler=None, bootstrap=False).fit(X, y)
    assert np.isnan(seen.oob_proba_).all()


def test_rows_that_a_sampler_chose_to_remove_count_as_seen(data):
    X, y = data
    fitted = ResampledBaggingClassifier(
        GaussianNB(), sampler=NearMiss(), oob_proba=True, bootstrap=False, random_state=0
    ).fit(X, y)
    assert np.isnan(fitted.oob_proba_).all()


def test_out_of_bag_ranking_is_that_of_new_rows():
    X, y = make_classification(6000, 8, weights=[0.9], flip_y=0.05, random_state=1)
    X, X_new, y, y_new = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    fitted = ResampledBaggingClassifier(
        DecisionTreeClassifier(), n_estimators=30, oob_proba=True, random_state=0
    ).fit(X, y)
    out_of_bag = average_precision_score(y, fitted.oob_proba_[:, 1])
    new = average_precision_score(y_new, fitted.predict_proba(X_new)[:, 1])
    in_bag = average_precision_score(y, fitted.predict_proba(X)[:, 1])
    assert abs(out_of_bag - new) < 0.06
    assert in_bag > new + 0.1


def test_it_ranks_as_well_as_balanced_bagging_of_tables():
    X, y = make_classification(4000, 8, weights=[0.95], flip_y=0.02, random_state=2)
    X, X_new, y, y_new = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    ours, theirs = (
        np.mean(
            [
                average_precision_score(
                    y_new,
                    bagging(DecisionTreeClassifier(), n_estimators=20, random_state=seed)
                    .fit(X, y)
                    .predict_proba(X_new)[:, 1],
                )
                for seed in range(4)
            ]
        )
        for bagging in (ResampledBaggingClassifier, BalancedBaggingClassifier)
    )
    assert abs(ours - theirs) < 0.05


def test_frames_with_text_reach_the_estimator(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(g=np.where(X[:, 0] > 0, "high", "low"))
    fitted = ResampledBaggingClassifier(OnFrames(), max_features=4, random_state=0).fit(frame, y)
    assert fitted.predict_proba(frame).shape == (400, 2)
    assert fitted.feature_names_in_.tolist() == list("abcdefg")


class OnFrames(GaussianNB):
    def fit(self, X, y):
        assert isinstance(X, pd.DataFrame)
        assert X.shape[1] == 4
        return super().fit(X.select_dtypes("number").to_numpy(), y)

    def predict_proba(self, X):
        return super().predict_proba(X.select_dtypes("number").to_numpy())


def test_votes_of_a_classifier_without_probabilities(data):
    X, y = data
    model = ResampledBaggingClassifier(
        LinearSVC(), n_estimators=5, voting="labels", oob_proba=True, random_state=0
    ).fit(X, y)
    assert_array_equal(np.unique(np.rint(5 * model.predict_proba(X)) % 1), [0])
    assert average_precision_score(y, model.predict_proba(X)[:, 1]) > 0.3
    with pytest.raises(ValueError, match="voting was set to 'proba' after"):
        model.set_params(voting="proba").predict(X)
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba: set voting='labels'"):
        model.refit_decision()


def _only(label):
    return FunctionSampler(func=lambda X, y: (X[y == label], y[y == label]))


def test_a_class_that_a_sampler_removes_has_no_vote(data):
    X, y = data
    y = np.where(np.arange(len(y)) % 40 == 0, 2, y)
    without_ones = FunctionSampler(func=lambda X, y: (X[y != 1], y[y != 1]))
    fitted = ResampledBaggingClassifier(GaussianNB(), sampler=without_ones).fit(X, y)
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert_array_equal(fitted.predict_proba(X)[:, 1], 0)
    with pytest.raises(
        ValueError, match=r"FunctionSampler left \d+ rows of .* all of the class \[0\]"
    ):
        ResampledBaggingClassifier(GaussianNB(), sampler=_only(0)).fit(X, y)


def test_probabilities_are_those_of_balanced_classes_and_can_be_put_back():
    X, y = make_classification(6000, 5, weights=[0.95], flip_y=0, class_sep=0.6, random_state=0)
    bags = ResampledBaggingClassifier(LogisticRegression(), random_state=0)
    assert bags.fit(X, y).predict_proba(X)[:, 1].mean() > 3 * y.mean()
    corrected = PriorCorrectedClassifier(bags, training_prior="balanced").fit(X, y)
    assert abs(corrected.predict_proba(X)[:, 1].mean() - y.mean()) < 0.01


def test_the_same_seed_gives_the_same_bags(data):
    X, y = data
    model = ResampledBaggingClassifier(
        DecisionTreeClassifier(max_features=2), sampler=SMOTE(), random_state=3
    )
    expected = clone(model).fit(X, y).predict_proba(X)
    assert_array_equal(clone(model).fit(X, y).predict_proba(X), expected)
    assert not np.array_equal(model.set_params(random_state=4).fit(X, y).predict_proba(X), expected)
