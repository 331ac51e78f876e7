import numpy as np
import pytest
from imblearn import FunctionSampler
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.ensemble import BalancedBaggingClassifier, BalancedRandomForestClassifier
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SMOTENC,
    SVMSMOTE,
    BorderlineSMOTE,
    RandomOverSampler,
)
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import (
    AllKNN,
    ClusterCentroids,
    CondensedNearestNeighbour,
    EditedNearestNeighbours,
    InstanceHardnessThreshold,
    NearMiss,
    NeighbourhoodCleaningRule,
    OneSidedSelection,
    RandomUnderSampler,
    TomekLinks,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import StandardScaler

from skrecall.resampling import ArraySampler
from skrecall.threshold import OptimalThresholdClassifier, PriorCorrectedClassifier

ROS = RandomOverSampler(random_state=0)
RUS = RandomUnderSampler(random_state=0)


def logistic(n, seed):
    """Return samples, labels and the true probability, of a logistic model of prevalence 4 %."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    probability = 1 / (1 + np.exp(4.2 - X @ [1.2, -0.8, 0.6]))
    return X, (rng.random(n) < probability).astype(int), probability


@pytest.fixture(scope="module")
def table():
    return logistic(4000, 0)


@pytest.fixture(scope="module")
def many():
    return make_classification(
        1500, 6, n_informative=4, n_classes=3, weights=[0.8, 0.15, 0.05], random_state=0
    )


def shares(y):
    return np.bincount(y) / len(y)


@pytest.mark.parametrize("sampler", [ROS, RUS, RandomOverSampler(sampling_strategy=0.3)])
def test_logistic_intercept_moves_by_the_log_ratio_of_odds(table, sampler):
    X, y, _ = table
    model = make_pipeline(clone(sampler), LogisticRegression())
    clf = PriorCorrectedClassifier(model, random_state=0).fit(X, y)
    resampled = clone(sampler).set_params(random_state=0).fit_resample(X, y)[1]
    odds = resampled.mean() / (1 - resampled.mean()) / (y.mean() / (1 - y.mean()))
    logit = clf.estimator_.decision_function(X) - np.log(odds)
    assert_allclose(clf.predict_proba(X)[:, 1], 1 / (1 + np.exp(-logit)))
    assert_allclose(clf.training_prior_, shares(resampled))
    assert_allclose(clf.target_prior_, shares(y))


@pytest.mark.parametrize("sampler", [SMOTE(random_state=0), ROS, RUS])
def test_correction_restores_mean_and_brier_score_and_leaves_the_ranking(sampler):
    X, y, _ = logistic(10_000, 0)
    X_test, y_test, truth = logistic(10_000, 1)
    model = make_pipeline(sampler, LogisticRegression())
    clf = PriorCorrectedClassifier(model).fit(X, y)
    shifted = clf.estimator_.predict_proba(X_test)[:, 1]
    corrected = clf.predict_proba(X_test)[:, 1]
    plain = LogisticRegression().fit(X, y).predict_proba(X_test)[:, 1]
    assert shifted.mean() > 5 * truth.mean()
    assert corrected.mean() == pytest.approx(truth.mean(), rel=0.1)
    assert brier_score_loss(y_test, shifted) > 3 * brier_score_loss(y_test, plain)
    assert brier_score_loss(y_test, corrected) == pytest.approx(
        brier_score_loss(y_test, plain), rel=0.02
    )
    assert np.abs(corrected - truth).mean() < 0.01
    assert roc_auc_score(y_test, corrected) == pytest.approx(roc_auc_score(y_test, shifted))


def test_equal_priors_change_nothing(table, many):
    for X, y in (table[:2], many):
        plain = LogisticRegression().fit(X, y)
        for prior in (None, shares(y), dict(enumerate(shares(y)))):
            clf = PriorCorrectedClassifier(LogisticRegression(), target_prior=prior).fit(X, y)
            assert_allclose(clf.predict_proba(X), plain.predict_proba(X), rtol=1e-12)
            assert_array_equal(clf.predict(X), plain.predict(X))


def test_many_classes_by_bayes_rule(many):
    X, y = many
    names = np.array(["common", "rare", "rarest"])
    clf = PriorCorrectedClassifier(make_pipeline(ROS, LogisticRegression())).fit(X, names[y])
    assert_array_equal(clf.training_prior_, np.full(3, 1 / 3))
    moved = clf.estimator_.predict_proba(X) * shares(y)
    by_hand = np.array([row / sum(row) for row in moved])
    assert_allclose(clf.predict_proba(X), by_hand)
    assert_allclose(clf.predict_proba(X).sum(axis=1), 1)
    assert_array_equal(clf.predict(X), names[by_hand.argmax(axis=1)])
    assert_allclose(clf.predict_log_proba(X), np.log(by_hand))


def test_target_prior_in_every_form_and_decided_again(many):
    X, y = many
    model = make_pipeline(ROS, LogisticRegression())
    by_array = PriorCorrectedClassifier(model, target_prior=[0.9, 0.07, 0.03]).fit(X, y)
    by_label = PriorCorrectedClassifier(model, target_prior={2: 0.03, 0: 0.9, 1: 0.07}).fit(X, y)
    assert_array_equal(by_array.predict_proba(X), by_label.predict_proba(X))
    by_array.set_params(target_prior="balanced")
    with pytest.raises(ValueError, match=r"refit_decision\(\)"):
        by_array.predict_proba(X)
    uncorrected = by_array.refit_decision().predict_proba(X)
    assert_allclose(uncorrected, by_array.estimator_.predict_proba(X))
    binary = PriorCorrectedClassifier(LogisticRegression(), target_prior=0.5).fit(X, y == 2)
    assert_array_equal(binary.target_prior_, [0.5, 0.5])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("over", RandomOverSampler(sampling_strategy=0.2, random_state=0))], "first"),
        (
            [
                ("over", RandomOverSampler(sampling_strategy=0.2, random_state=0)),
                ("scale", StandardScaler()),
                ("under", RandomUnderSampler(sampling_strategy=0.5, random_state=0)),
            ],
            "both",
        ),
    ],
)
def test_the_labels_that_reach_the_classifier_are_counted(table, steps, expected):
    X, y, _ = table
    seen = {}

    class Spy(LogisticRegression):
        def fit(self, X, y):
            seen["y"] = y
            return super().fit(X, y)

    clf = PriorCorrectedClassifier(Pipeline([*steps, ("clf", Spy())])).fit(X, y)
    assert_allclose(clf.training_prior_, shares(seen["y"]))
    odds = {"first": 0.2, "both": 0.5}[expected]
    assert clf.training_prior_[1] == pytest.approx(odds / (1 + odds), abs=0.01)
    assert [name for name, _ in clf.estimator_.steps] == [*(name for name, _ in steps), "clf"]


def test_nested_pipelines_and_cached_steps(table, tmp_path):
    X, y, _ = table
    inner = make_pipeline(StandardScaler(), ROS, LogisticRegression(), memory=str(tmp_path))
    for _ in range(2):  # the second time from the cache
        clf = PriorCorrectedClassifier(Pipeline([("under", "passthrough"), ("model", inner)]))
        assert_allclose(clf.fit(X, y).training_prior_, [0.5, 0.5])
    outer = make_pipeline(RandomUnderSampler(sampling_strategy=0.25, random_state=0), clone(inner))
    assert_allclose(PriorCorrectedClassifier(outer).fit(X, y).training_prior_, [0.5, 0.5])


def test_a_search_is_followed_to_what_it_chose(table):
    X, y, _ = table
    model = Pipeline([("sampler", "passthrough"), ("clf", LogisticRegression())])
    grid = {
        "sampler": [RandomOverSampler(sampling_strategy=0.25, random_state=0)],
        "clf__class_weight": [{1: 2}],
    }
    clf = PriorCorrectedClassifier(GridSearchCV(model, grid, cv=2)).fit(X, y)
    assert_allclose(clf.training_prior_, [1 / 1.5, 0.5 / 1.5], atol=1e-3)
    assert len(clf.estimator_.best_estimator_.steps) == 2
    assert len(clf.estimator_.estimator.steps) == 2
    grid = {"sampler": [NearMiss()]}
    with pytest.raises(ValueError, match="NearMiss chooses or makes samples"):
        PriorCorrectedClassifier(GridSearchCV(model, grid, cv=2)).fit(X, y)


@pytest.mark.parametrize("outer", [Pipeline, PlainPipeline])
def test_a_pipeline_that_a_search_swaps_in_is_not_mistaken_for_one_that_was_counted(table, outer):
    X, y, _ = table
    resampled = make_pipeline(ROS, LogisticRegression())
    for given in (LogisticRegression(), resampled):
        model = outer([("scale", StandardScaler()), ("model", given)])
        search = GridSearchCV(model, {"model": [resampled]}, cv=2)
        with pytest.raises(ValueError, match=r"search chose a Pipeline with samplers.*State it"):
            PriorCorrectedClassifier(search).fit(X, y)
        clf = PriorCorrectedClassifier(search, training_prior="balanced").fit(X, y)
        assert clf.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.005)
    search = GridSearchCV(model, {"model": [GaussianNB()]}, cv=2)
    assert_allclose(PriorCorrectedClassifier(search).fit(X, y).training_prior_, shares(y))


def test_class_weights_are_undone_like_resampling(table):
    X, y, _ = table
    plain = LogisticRegression(C=1e6).fit(X, y).predict_proba(X)[:, 1]
    for class_weight in ("balanced", {1: 10}, {0: 0.5, 1: 8}):
        model = LogisticRegression(C=1e6, class_weight=class_weight)
        clf = PriorCorrectedClassifier(model).fit(X, y)
        weight = {"balanced": y.sum() / (len(y) - y.sum())}
        if class_weight == "balanced":
            odds = 1.0
        else:
            odds = class_weight[1] / class_weight.get(0, 1) * weight["balanced"]
        assert_allclose(clf.training_prior_, [1 / (1 + odds), odds / (1 + odds)])
        assert np.abs(clf.predict_proba(X)[:, 1] - plain).mean() < 0.005
    forest = RandomForestClassifier(10, class_weight="balanced_subsample", random_state=0)
    assert_array_equal(PriorCorrectedClassifier(forest).fit(X, y).training_prior_, [0.5, 0.5])


def test_sample_weight_counts_in_both_priors(table):
    X, y, _ = table
    weight = np.where(y == 1, 3.0, 1.0)
    expected = np.array([np.sum(y == 0), 3 * np.sum(y)]) / weight.sum()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    with config_context(enable_metadata_routing=True):
        model[0].set_fit_request(sample_weight=False)
        model[1].set_fit_request(sample_weight=True)
        routed = PriorCorrectedClassifier(model).fit(X, y, sample_weight=weight)
    step = PriorCorrectedClassifier(clone(model))
    step.fit(X, y, logisticregression__sample_weight=weight)
    for clf in (routed, step):
        assert_allclose(clf.training_prior_, expected)
        assert_allclose(clf.target_prior_, expected)
        assert_allclose(clf.predict_proba(X), clf.estimator_.predict_proba(X))


def test_stated_priors_of_fitted_and_internally_resampling_estimators(table):
    X, y, _ = table
    model = make_pipeline(ROS, LogisticRegression()).fit(X, y)
    frozen = PriorCorrectedClassifier(FrozenEstimator(model), training_prior="balanced").fit(X, y)
    fitted = PriorCorrectedClassifier(model).fit(X, y)
    assert_allclose(frozen.predict_proba(X), fitted.predict_proba(X))
    forest = BalancedRandomForestClassifier(20, random_state=0)
    clf = PriorCorrectedClassifier(forest, training_prior=0.5).fit(X, y)
    assert clf.estimator_.predict_proba(X)[:, 1].mean() > 4 * y.mean()
    assert clf.predict_proba(X)[:, 1].mean() < 2 * y.mean()


def test_calibrated_probabilities_are_at_the_prior_of_their_labels(table):
    X, y, _ = table
    model = CalibratedClassifierCV(make_pipeline(ROS, LogisticRegression()), cv=3)
    clf = PriorCorrectedClassifier(model).fit(X, y)
    assert_allclose(clf.predict_proba(X), clf.estimator_.predict_proba(X))
    after = PriorCorrectedClassifier(make_pipeline(ROS, model)).fit(X, y)
    assert_allclose(after.training_prior_, [0.5, 0.5])


def test_inside_a_threshold_costs_decide_at_the_known_rule():
    X, y, _ = logistic(40_000, 0)
    model = make_pipeline(RUS, LogisticRegression())
    clf = OptimalThresholdClassifier(
        PriorCorrectedClassifier(model), "cost", objective_params={"cost_fn": 9, "cost_fp": 1}
    ).fit(X, y)
    assert clf.threshold_ == pytest.approx(0.1, abs=0.04)


CHANGING = [
    NearMiss(),
    EditedNearestNeighbours(),
    AllKNN(),
    TomekLinks(),
    NeighbourhoodCleaningRule(),
    CondensedNearestNeighbour(),
    OneSidedSelection(),
    InstanceHardnessThreshold(),
    ClusterCentroids(),
    BorderlineSMOTE(),
    SVMSMOTE(),
    ADASYN(),
    SMOTEENN(),
    SMOTETomek(),
    ArraySampler(NearMiss()),
    FunctionSampler(),
]


@pytest.mark.parametrize("sampler", CHANGING, ids=lambda sampler: type(sampler).__name__)
def test_samplers_that_change_the_classes_are_refused(table, sampler):
    X, y, _ = table
    clf = PriorCorrectedClassifier(make_pipeline(sampler, LogisticRegression()))
    named = type(getattr(sampler, "sampler", sampler)).__name__
    with pytest.raises(ValueError, match=f"{named} chooses or makes samples by where they lie"):
        clf.fit(X, y)


def test_density_change_can_be_allowed(table):
    X, y, _ = table
    model = make_pipeline(NearMiss(), LogisticRegression())
    clf = PriorCorrectedClassifier(model, allow_density_change=True).fit(X, y)
    assert_array_equal(clf.training_prior_, [0.5, 0.5])


@pytest.mark.parametrize("sampler", [SMOTENC([0], random_state=0), ArraySampler(ROS)])
def test_smote_for_categories_and_wrapped_random_samplers_are_accepted(table, sampler):
    X, y, _ = table
    X = np.column_stack([X[:, 0] > 0, X[:, 1:]])
    clf = PriorCorrectedClassifier(make_pipeline(sampler, LogisticRegression())).fit(X, y)
    assert_array_equal(clf.training_prior_, [0.5, 0.5])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (BalancedRandomForestClassifier(5), "BalancedRandomForestClassifier sets its own prior"),
        (BalancedBaggingClassifier(), "BalancedBaggingClassifier sets its own prior"),
        (BaggingClassifier(make_pipeline(ROS, LogisticRegression())), "BaggingClassifier sets"),
        (
            VotingClassifier([("lr", LogisticRegression(class_weight="balanced"))], voting="soft"),
            "lr__class_weight='balanced'",
        ),
        (GaussianNB(priors=[0.5, 0.5]), "GaussianNB sets its own prior by priors="),
        (FrozenEstimator(LogisticRegression().fit([[0], [1]], [0, 1])), "prior that a fitted"),
    ],
)
def test_a_prior_that_cannot_be_seen_must_be_stated(table, estimator, message):
    X, y, _ = table
    with pytest.raises(ValueError, match=rf"{message}.*State it with training_prior"):
        PriorCorrectedClassifier(estimator).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"target_prior": [0.2, 0.3, 0.5]}, r"one positive share.*classes \[0, 1\]"),
        ({"target_prior": [0.2, 0.3]}, "the sum being 1"),
        ({"target_prior": [0.0, 1.0]}, "one positive share"),
        ({"target_prior": {0: 0.5, 7: 0.5}}, "one positive share"),
        ({"training_prior": {"a": 1.0}}, "training_prior=.* one positive share"),
        ({"target_prior": 1.0}, "'target_prior' parameter"),
    ],
)
def test_bad_priors_are_refused_with_a_sentence(table, params, message):
    X, y, _ = table
    with pytest.raises(ValueError, match=message):
        PriorCorrectedClassifier(LogisticRegression(), **params).fit(X, y)


def test_bad_data_are_refused_with_a_sentence(table):
    X, y, _ = table
    with pytest.raises(ValueError, match="y holds one class only, 0, in 4000 samples"):
        PriorCorrectedClassifier(LogisticRegression()).fit(X, np.zeros(4000, dtype=int))
    with pytest.raises(ValueError, match="total sample_weight"):
        PriorCorrectedClassifier(LogisticRegression()).fit(X, y, sample_weight=1.0 * (y == 0))
    balanced = PriorCorrectedClassifier(LogisticRegression(class_weight="balanced"))
    with pytest.raises(ValueError, match="class_weight='balanced' and sample_weight"):
        balanced.fit(X, y, sample_weight=np.ones(4000))
    fitted = FrozenEstimator(LogisticRegression().fit(X, y))
    with pytest.raises(ValueError, match=r"trained on classes \[0, 1\], but y holds \[1, 2\]"):
        PriorCorrectedClassifier(fitted, training_prior=0.5).fit(X, y + 1)
    frozen = FrozenEstimator(make_pipeline(NearMiss(), LogisticRegression()).fit(X, y))
    with pytest.raises(ValueError, match="NearMiss chooses or makes samples"):
        PriorCorrectedClassifier(frozen, training_prior=0.5).fit(X, y)
    with pytest.raises(ValueError, match="y contains NaN: 1 of 4 labels are missing"):
        balanced.fit(X[:4], np.array(["a", "b", None, "a"], dtype=object))


def test_probabilities_that_are_no_numbers_are_refused(table):
    X, y, _ = table

    class Divides(LogisticRegression):
        def predict_proba(self, X):
            return np.where(X[:, :1] > 0, super().predict_proba(X), np.nan)

    clf = PriorCorrectedClassifier(Divides()).fit(X, y)
    n_missing = 2 * np.sum(X[:, 0] <= 0)
    with pytest.raises(ValueError, match=f"gave {n_missing} probabilities that are NaN"):
        clf.predict(X)


def test_a_fit_that_fails_leaves_the_one_before_or_none(table):
    X, y, _ = table

    class Failing(LogisticRegression):
        def fit(self, X, y):
            raise RuntimeError("interrupted")

    clf = PriorCorrectedClassifier(Failing())
    with pytest.raises(RuntimeError, match="interrupted"):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)
    clf.set_params(estimator=LogisticRegression()).fit(X, y)
    expected = clf.predict(X)
    with pytest.raises(RuntimeError, match="interrupted"):
        clf.set_params(estimator=Failing()).fit(X, np.where(y == 1, "sick", "well"))
    assert_array_equal(clf.predict(X), expected)
