import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn import FunctionSampler
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import ADASYN, SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import NearMiss, RandomUnderSampler, TomekLinks
from imblearn.utils.testing import all_estimators
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer

from skrecall.resampling import ArraySampler, MixupOverSampler
from tests.checks import seeded
from tests.instances import SAMPLERS as OURS

SAMPLERS = [
    SMOTE(random_state=0),
    ADASYN(random_state=0),
    SMOTEENN(random_state=0),
    RandomOverSampler(random_state=0),
    RandomOverSampler(random_state=0, shrinkage=0.2),
    RandomUnderSampler(random_state=0),
    NearMiss(),
    TomekLinks(),
]

# Of imbalanced-learn's samplers, those that need a parameter for these few rows or are slow.
PARAMS = {
    "InstanceHardnessThreshold": {"estimator": GaussianNB()},
    "KMeansSMOTE": {"cluster_balance_threshold": 0.0},
    "SMOTENC": {"categorical_features": [0, 5]},
}
ALL_SAMPLERS = [
    *(kind(**PARAMS.get(name, {})) for name, kind in all_estimators(type_filter="sampler")),
    *(sampler for sampler in OURS if not isinstance(sampler, ArraySampler)),
]


def make_images(dtype, n_samples=90, shape=(2, 4, 3)):
    rng = np.random.RandomState(0)
    y = (np.arange(n_samples) % 5 == 0).astype(int)
    grey = rng.randint(0, 200, size=(n_samples, *shape)) + 55 * y.reshape(-1, 1, 1, 1)
    if np.dtype(dtype).kind == "b":
        return grey > 120, y
    return grey.astype(dtype), y


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_images_are_resampled_as_their_flat_floats(sampler, dtype):
    X, y = make_images(dtype)
    flat = X.reshape(len(X), -1).astype(np.float64)
    expected, y_expected = clone(sampler).fit_resample(flat, y)
    actual, y_actual = ArraySampler(sampler).fit_resample(X, y)
    assert actual.shape == (len(expected), 2, 4, 3)
    assert actual.dtype == X.dtype
    if X.dtype.kind in "iu":
        expected = np.clip(expected, np.iinfo(dtype).min, np.iinfo(dtype).max)
    # An interpolated value may fall on either side of one half in float32.
    tolerance = 0.5001 if X.dtype.kind in "iu" else 1e-4
    assert_allclose(actual.reshape(len(actual), -1), expected, atol=tolerance)
    assert_array_equal(y_actual, y_expected)


@pytest.mark.parametrize("sampler", ALL_SAMPLERS, ids=lambda sampler: type(sampler).__name__)
@pytest.mark.parametrize("shape", [(2, 3, 2), (6, 2)], ids=["images", "sequences"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_sampler_resamples_images_and_sequences(sampler, shape, dtype):
    rng = np.random.RandomState(1)
    y = (np.arange(150) % 5 == 0).astype(int)
    X = rng.randint(0, 196, size=(150, *shape)) + 60 * rng.binomial(1, 0.2 + 0.6 * y).reshape(
        -1, *np.ones(len(shape), dtype=int)
    )
    X = X.astype(np.uint8) if dtype == np.uint8 else (X / 255).astype(np.float32)
    sampler = seeded(sampler)
    flat = X.reshape(150, 12).astype(np.float32)
    expected, y_expected = clone(sampler).fit_resample(flat, y)
    actual, y_actual = ArraySampler(sampler).fit_resample(X, y)
    assert actual.shape == (len(expected), *shape)
    assert actual.dtype == dtype
    assert actual.min() >= X.min()
    assert actual.max() <= X.max()
    assert_array_equal(y_actual, y_expected)
    assert_allclose(
        actual.reshape(len(actual), 12), expected, rtol=0, atol=0.5 if dtype == np.uint8 else 0
    )
    if not isinstance(sampler, FunctionSampler):  # without a function it changes nothing
        assert len(actual) != 150


def test_parents_are_passed_on():
    X, y = make_images(np.uint8)
    sampler = ArraySampler(MixupOverSampler(random_state=0))
    _, y_new = sampler.fit_resample(X, y)
    assert_array_equal(y[sampler.parent_indices_[:, 0]], y_new)
    sampler.set_params(sampler=RandomOverSampler(random_state=0)).fit_resample(X, y)
    assert not hasattr(sampler, "parent_indices_")
    sampler.set_params(sampler=SMOTE(random_state=0)).fit_resample(X, y)
    assert hasattr(sampler, "parent_indices_")
    assert not hasattr(sampler.fit(X, y), "parent_indices_")
    with pytest.raises(AttributeError, match="SMOTE made no rows of two others"):
        _ = ArraySampler(SMOTE()).fit(X, y).parent_indices_


def test_uint8_images_do_not_wrap_around():
    X, y = make_images(np.uint8)
    positives = X[y == 1].astype(int)
    new = ArraySampler(SMOTE(random_state=0)).fit_resample(X, y)[0][len(X) :].astype(int)
    assert np.all(new >= positives.min(axis=0))
    assert np.all(new <= positives.max(axis=0))
    wrapped = SMOTE(random_state=0).fit_resample(X.reshape(len(X), -1), y)[0][len(X) :]
    assert np.any(wrapped > positives.max(axis=0).reshape(-1))


def test_values_beyond_the_type_are_clipped():
    def brighten(X, y):
        return np.concatenate([X, X * 3 - 200]), np.concatenate([y, y])

    X, y = make_images(np.uint8)
    new = ArraySampler(FunctionSampler(func=brighten)).fit_resample(X, y)[0][len(X) :]
    assert_array_equal(new, np.clip(X.astype(int) * 3 - 200, 0, 255))


def test_booleans_stay_booleans():
    X, y = make_images(bool)
    new, _ = ArraySampler(SMOTE(random_state=0)).fit_resample(X, y)
    assert new.dtype == bool
    assert_array_equal(new[: len(X)], X)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_selected_rows_are_the_rows_at_sample_indices(sampler):
    X, y = make_images(np.uint8)
    array_sampler = ArraySampler(sampler)
    new, y_new = array_sampler.fit_resample(X, y)
    inner = clone(sampler)
    inner.fit_resample(X.reshape(len(X), -1).astype(float), y)
    assert array_sampler.sampling_strategy_ == inner.sampling_strategy_
    assert array_sampler.sample_shape_ == (2, 4, 3)
    assert array_sampler.n_features_in_ == 24
    assert hasattr(array_sampler, "sample_indices_") == hasattr(inner, "sample_indices_")
    if hasattr(inner, "sample_indices_"):
        assert_array_equal(array_sampler.sample_indices_, inner.sample_indices_)
        assert_array_equal(y_new, y[inner.sample_indices_])
        if getattr(inner, "shrinkage", None) is None:
            assert_array_equal(new, X[inner.sample_indices_])


@pytest.mark.parametrize("sampler", [RandomUnderSampler(random_state=0), RandomOverSampler()])
def test_samplers_that_draw_rows_blindly_get_no_float_copy(sampler, monkeypatch):
    seen = []
    kind = type(sampler)
    original = kind.fit_resample

    def spy(self, X, y, **params):
        seen.append(X)
        return original(self, X, y, **params)

    monkeypatch.setattr(kind, "fit_resample", spy)
    X, y = make_images(np.uint8)
    ArraySampler(sampler).fit_resample(X, y)
    assert seen[0].dtype == np.uint8
    assert np.shares_memory(seen[0], X)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array, np.ndarray.tolist])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_tables_go_to_the_sampler_as_they_are(sampler, container):
    rng = np.random.RandomState(0)
    X, y = container(rng.normal(size=(60, 3))), (np.arange(60) % 4 == 0).astype(int)
    expected, y_expected = clone(sampler).fit_resample(X, y)
    actual, y_actual = ArraySampler(sampler).fit_resample(X, y)
    assert type(actual) is type(expected)
    if isinstance(actual, csr_array):
        actual, expected = actual.toarray(), expected.toarray()
    assert_array_equal(actual, expected)
    assert_array_equal(y_actual, y_expected)


class LearnsFromImages(RandomOverSampler):
    _learns_from_images = True

    def fit_resample(self, X, y):
        self.shape_seen_ = np.shape(X)
        return X, y


def test_a_sampler_that_learns_from_images_gets_them_as_they_are():
    X, y = make_images(np.uint8)
    sampler = ArraySampler(LearnsFromImages())
    assert_array_equal(sampler.fit_resample(X, y)[0], X)
    assert sampler.sampler_.shape_seen_ == X.shape
    assert sampler.sample_shape_ == X.shape[1:]


def test_three_dimensions_and_nested_lists():
    X, y = make_images(np.float64)
    new, _ = ArraySampler(TomekLinks()).fit_resample(X[:, 0], y)
    from_list, _ = ArraySampler(TomekLinks()).fit_resample(X[:, 0].tolist(), y)
    assert new.shape[1:] == (4, 3)
    assert_array_equal(new, from_list)


def test_nested_parameters_in_a_search_over_a_pipeline():
    X, y = make_images(np.uint8)
    model = Pipeline(
        [
            ("sampler", ArraySampler(SMOTE(random_state=0))),
            ("flat", FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255)),
            ("clf", LogisticRegression()),
        ]
    )
    search = GridSearchCV(model, {"sampler__sampler__k_neighbors": [2, 4]}, cv=3).fit(X, y)
    best = search.best_estimator_
    assert best["sampler"].sampler_.k_neighbors in (2, 4)
    assert search.predict(X).shape == y.shape
    resampled, y_resampled = clone(best["sampler"]).fit_resample(X, y)
    by_hand = LogisticRegression().fit(resampled.reshape(len(resampled), -1) / 255, y_resampled)
    assert_allclose(best.predict_proba(X), by_hand.predict_proba(X.reshape(len(X), -1) / 255))


def test_a_pipeline_of_samplers_is_a_sampler():
    X, y = make_images(np.uint8)
    steps = [("under", RandomUnderSampler(sampling_strategy=0.5, random_state=0))]
    sampler = ArraySampler(Pipeline([*steps, ("over", SMOTE(random_state=0))]))
    new, y_new = sampler.fit_resample(X, y)
    assert new.shape == (72, 2, 4, 3)
    assert_array_equal(np.bincount(y_new), [36, 36])


def test_fitting_again_with_another_sampler_forgets_the_indices():
    X, y = make_images(np.uint8)
    sampler = ArraySampler(RandomUnderSampler(random_state=0))
    sampler.fit_resample(X, y)
    sampler.set_params(sampler=SMOTE(random_state=0)).fit_resample(X, y)
    assert not hasattr(sampler, "sample_indices_")


class WeightedSampler(RandomUnderSampler):
    def fit_resample(self, X, y, sample_weight=None):
        self.seen_ = sample_weight
        return super().fit_resample(X, y)


def test_metadata_is_routed_to_the_sampler():
    X, y = make_images(np.uint8)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = WeightedSampler(random_state=0).set_fit_resample_request(sample_weight=True)
        sampler = ArraySampler(inner)
        sampler.fit_resample(X, y, sample_weight=y)
    assert_array_equal(sampler.sampler_.seen_, y)
    sampler = ArraySampler(WeightedSampler(random_state=0))
    sampler.fit_resample(X, y, sample_weight=y)
    assert_array_equal(sampler.sampler_.seen_, y)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_the_largest_integers_stay_large(dtype):
    X, y = np.zeros((12, 2, 2), dtype=dtype), np.repeat([0, 1], [8, 4])
    X[y == 1] = np.iinfo(dtype).max
    X_new, y_new = ArraySampler(SMOTE(k_neighbors=2, random_state=0)).fit_resample(X, y)
    assert X_new.dtype == dtype
    assert X_new[y_new == 1].min() >= np.iinfo(dtype).max - 4096


def test_bad_input_is_refused_by_name():
    X, y = make_images(np.float64)
    with pytest.raises(ValueError, match="'sampler' parameter of ArraySampler must be"):
        ArraySampler(LogisticRegression()).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"class"):
        ArraySampler(SMOTE()).fit_resample(X, np.zeros_like(y))
    with pytest.raises(ValueError, match="0 sample"):
        ArraySampler(SMOTE()).fit_resample(X[:0], y[:0])
    X[3, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ArraySampler(SMOTE()).fit_resample(X, y)
