import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags

from skrecall.ensemble import (
    BalanceCascadeClassifier,
    ResampledBaggingClassifier,
    SelfPacedEnsembleClassifier,
    SMOTEBoostClassifier,
)
from skrecall.ensemble._resampled import balanced_rows, rarest_size, resample, sampler_for
from skrecall.resampling import ArraySampler
from skrecall.threshold import RecallThresholdClassifier

ROUTING = [
    ResampledBaggingClassifier(GaussianNB(), n_estimators=3, random_state=0),
    SelfPacedEnsembleClassifier(GaussianNB(), n_estimators=3, random_state=0),
    BalanceCascadeClassifier(GaussianNB(), n_estimators=3, random_state=0),
]
ALL = [*ROUTING, SMOTEBoostClassifier(GaussianNB(), n_estimators=3, random_state=0)]
by_name = pytest.mark.parametrize("model", ALL, ids=lambda model: type(model).__name__)
routing_by_name = pytest.mark.parametrize("model", ROUTING, ids=lambda model: type(model).__name__)


@pytest.fixture(scope="module")
def data():
    return make_classification(600, 6, n_informative=4, weights=[0.85], flip_y=0.02, random_state=0)


@pytest.fixture(scope="module")
def three():
    X, y = make_classification(
        600,
        6,
        n_informative=4,
        n_classes=3,
        n_clusters_per_class=1,
        weights=[0.7, 0.2],
        class_sep=1.5,
        random_state=0,
    )
    return X, np.array(["common", "rare", "rarest"])[y]


def test_balanced_rows_are_all_of_the_rarest_and_as_many_of_each():
    classes = [np.arange(50), np.arange(50, 53), np.arange(53, 60), np.arange(0)]
    assert rarest_size(classes) == 3
    rows = balanced_rows(classes, 3, np.random.RandomState(0))
    assert [np.isin(rows, of_class).sum() for of_class in classes] == [3, 3, 3, 0]
    assert len(np.unique(rows)) == 9


def test_tables_are_resampled_as_they_are_and_images_as_arrays():
    sampler = SMOTE()
    assert sampler_for(sampler, np.zeros((5, 2))) is sampler
    assert sampler_for(sampler, [[1, 2]]) is sampler
    assert isinstance(sampler_for(sampler, np.zeros((5, 1, 2, 2))), ArraySampler)
    assert isinstance(sampler_for(sampler, np.zeros((5, 1, 2, 2)).tolist()), ArraySampler)
    assert sampler_for(sampler, ["a text", "another"]) is sampler
    own = ArraySampler(sampler)
    assert sampler_for(own, np.zeros((5, 1, 2, 2))) is own


@by_name
def test_three_classes(three, model):
    X, y = three
    fitted = clone(model).fit(X, y)
    assert fitted.classes_.tolist() == ["common", "rare", "rarest"]
    proba = fitted.predict_proba(X)
    assert proba.shape == (600, 3)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(fitted.predict(X), fitted.classes_[proba.argmax(axis=1)])
    for label in fitted.classes_:
        assert np.mean(fitted.predict(X)[y == label] == label) > 0.6


@by_name
def test_sparse_samples_give_the_same_model(data, model):
    X, y = data
    model = clone(model).set_params(estimator=LogisticRegression())
    expected = clone(model).fit(X, y).predict_proba(X)
    assert_allclose(model.fit(csr_array(X), y).predict_proba(csr_array(X)), expected, atol=1e-5)


@by_name
def test_images_give_the_model_of_their_flat_rows(data, model):
    """Flattened inside by the estimator, and by the sampler."""
    X, y = data
    images = X.reshape(-1, 1, 2, 3)
    expected = clone(model).fit(X, y).predict_proba(X)
    on_images = clone(model).set_params(estimator=FlatBayes()).fit(images, y)
    assert_allclose(on_images.predict_proba(images), expected)
    assert on_images.n_features_in_ == 6
    with pytest.raises(ValueError, match="expecting 6 features"):
        on_images.predict(images[:, :, :1])


class FlatBayes(GaussianNB):
    """Takes images, and no tables."""

    def fit(self, X, y, sample_weight=None):
        assert X.ndim == 4
        return super().fit(X.reshape(len(X), -1), y, sample_weight)

    def predict_proba(self, X):
        assert X.ndim == 4
        return super().predict_proba(X.reshape(len(X), -1))


@by_name
def test_a_class_of_one_row_is_in_every_member(data, model):
    X, y = data
    y = np.where(y == 1, 0, y)
    y[7] = 1
    if isinstance(model, SMOTEBoostClassifier):
        with pytest.raises(ValueError, match="The class 1 has one row, and SMOTE draws between"):
            clone(model).fit(X, y)
        return
    fitted = clone(model).set_params(estimator=LogisticRegression()).fit(X, y)
    members = getattr(fitted, "estimators_", None) or [bag.member for bag in fitted.bags_]
    assert all(member.classes_.tolist() == [0, 1] for member in members)
    assert fitted.predict(X[[7]]) == 1


def test_the_rows_that_a_sampler_could_not_use_are_counted(data):
    X, y = data
    y = np.where(np.arange(600) < 3, 1, 0)
    for model in (
        ResampledBaggingClassifier(GaussianNB(), sampler=SMOTE(), n_estimators=1),
        SMOTEBoostClassifier(GaussianNB(), sampler=SMOTE()),
    ):
        with pytest.raises(ValueError, match="n_neighbors = 6") as caught:
            model.fit(X, y)
        assert caught.value.__notes__ == ["SMOTE got 600 rows, of the classes {0: 597, 1: 3}."]


@by_name
def test_one_class_is_a_sentence_and_a_failed_fold(data, model):
    X, y = data
    with pytest.raises(ValueError, match=r"y holds one class only, \[0\], in 600 rows: there is"):
        clone(model).fit(X, np.zeros(600, dtype=int))
    with pytest.raises(ValueError, match=r"\[1\], in \d+ rows of positive weight"):
        clone(model).fit(X, y, sample_weight=y)


@by_name
def test_rows_of_weight_zero_are_left_out(data, model):
    X, y = data
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    counted = weight > 0
    fitted = clone(model).fit(X, y, sample_weight=weight)
    expected = clone(model).fit(X[counted], y[counted], sample_weight=weight[counted])
    assert_allclose(fitted.predict_proba(X), expected.predict_proba(X))
    without_ones = np.where(y == 1, 0.0, 1.0)
    three = np.where(np.arange(len(y)) % 50 == 0, 2, y)
    counted = three != 1
    fitted = clone(model).fit(X, three, sample_weight=counted.astype(float))
    expected = clone(model).fit(X[counted], three[counted], sample_weight=np.ones(counted.sum()))
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert_array_equal(fitted.predict_proba(X)[:, 1], 0)
    assert_allclose(fitted.predict_proba(X)[:, [0, 2]], expected.predict_proba(X), atol=1e-12)
    with pytest.raises(ValueError, match="one class only"):
        clone(model).fit(X, y, sample_weight=without_ones)


@by_name
def test_no_probabilities_is_a_sentence(data, model):
    with pytest.raises(ValueError, match=r"LinearSVC has no predict_proba: .*Calibrated"):
        clone(model).set_params(estimator=LinearSVC()).fit(*data)


@by_name
def test_what_is_no_classifier_is_a_sentence(data, model):
    for estimator, found in [
        (Ridge(), "Ridge is a regressor"),
        (IsolationForest(), "IsolationForest is an outlier detector"),
    ]:
        with pytest.raises(ValueError, match=f"needs a classifier, and {found}, whose numbers"):
            clone(model).set_params(estimator=estimator).fit(*data)


@by_name
def test_missing_values_reach_an_estimator_that_takes_them(data, model):
    X, y = data
    X = np.where(np.random.default_rng(0).uniform(size=X.shape) < 0.1, np.nan, X)
    model = clone(model).set_params(estimator=DecisionTreeClassifier(max_depth=4))
    if isinstance(model, SMOTEBoostClassifier):
        with pytest.raises(ValueError, match="NaN"):
            clone(model).fit(X, y)
        model.set_params(sampler=RandomOverSampler())
    assert np.isfinite(model.fit(X, y).predict_proba(X)).all()


@by_name
def test_a_member_without_a_finite_answer_is_a_sentence(data, model):
    with pytest.raises(ValueError, match="SometimesNaN, gave 2 probabilities that are NaN"):
        clone(model).set_params(estimator=SometimesNaN()).fit(*data).predict_proba(data[0])


class SometimesNaN(GaussianNB):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        proba[0] = np.nan
        return proba


@by_name
def test_a_search_over_the_estimator_inside(data, model):
    X, y = data
    search = GridSearchCV(
        clone(model),
        {"estimator__var_smoothing": [1e-9, 1.0], "n_estimators": [1, 2]},
        cv=2,
        scoring="average_precision",
        error_score="raise",
    ).fit(X, y)
    assert search.best_score_ > 0.5


@by_name
def test_a_recall_is_promised_on_top(data, model):
    X, y = data
    promise = RecallThresholdClassifier(
        clone(model), target_recall=0.8, confidence=0.8, calibration_size=0.4, random_state=0
    ).fit(X, y)
    found = promise.predict(X) == 1
    assert promise.recall_lower_bound_ >= 0.8
    assert found[y == 1].mean() > found[y == 0].mean()


@routing_by_name
def test_weights_follow_the_rows_with_routing_and_without(data, model):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y))
    plain = clone(model).fit(X, y, sample_weight=weight).predict_proba(X)
    assert not np.allclose(plain, clone(model).fit(X, y).predict_proba(X))
    with config_context(enable_metadata_routing=True):
        inner = GaussianNB().set_fit_request(sample_weight=True)
        routed = clone(model).set_params(estimator=inner).fit(X, y, sample_weight=weight)
        assert_array_equal(routed.predict_proba(X), plain)
        with pytest.raises((TypeError, ValueError), match="importance"):
            clone(model).fit(X, y, importance=weight)
    with pytest.raises(TypeError, match="importance"):
        clone(model).fit(X, y, importance=weight)


@routing_by_name
def test_a_pipeline_inside_takes_its_own_parameters(data, model):
    X, y = data
    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y))
    model = clone(model).set_params(estimator=pipeline)
    weighted = clone(model).fit(X, y, gaussiannb__sample_weight=weight)
    assert not np.allclose(weighted.predict_proba(X), model.fit(X, y).predict_proba(X))
    model.set_params(estimator=sampling_pipeline(SMOTE(), GaussianNB()))
    with pytest.raises(ValueError, match=r"step 'smote' .* changes the rows .*MetadataPipeline"):
        model.fit(X, y, gaussiannb__sample_weight=weight)


def test_boosting_asks_for_its_own_weights(data):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y))
    model = SMOTEBoostClassifier(n_estimators=3, random_state=0)
    plain = clone(model).fit(X, y, sample_weight=weight).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        model = model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"n_estimators": [3]}, cv=2).fit(X, y, sample_weight=weight)
    assert_array_equal(search.predict_proba(X), plain)


def test_tags_are_what_the_sampler_and_the_estimator_take():
    trees = HistGradientBoostingClassifier()
    for sampler, expected in [("balanced", True), (RandomUnderSampler(), True), (SMOTE(), False)]:
        model = ResampledBaggingClassifier(trees, sampler=sampler)
        assert get_tags(model).input_tags.allow_nan == expected
    assert not get_tags(SMOTEBoostClassifier(trees)).input_tags.allow_nan
    assert get_tags(SelfPacedEnsembleClassifier(trees)).input_tags.allow_nan


@pytest.mark.parametrize("model", ALL[1:], ids=lambda model: type(model).__name__)
def test_verbose_tells_of_each_fit(data, model, capsys):
    clone(model).set_params(verbose=1).fit(*data)
    assert "(member 2 of 3)" in capsys.readouterr().out


def test_weights_of_a_small_type_have_their_mean():
    X, y = make_classification(60, weights=[0.8], random_state=0)
    params = {"sample_weight": np.full(60, 200, dtype=np.uint8)}
    _, y_new, weights = resample(SMOTE(random_state=0), X, y, params)
    assert_array_equal(weights["sample_weight"], np.full(len(y_new), 200))
