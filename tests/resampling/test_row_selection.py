import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline, make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csr_array, issparse
from sklearn.datasets import make_classification
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.preprocessing import FunctionTransformer

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.resampling import (
    ClusterUnderSampler,
    DensityUnderSampler,
    FastEditedNearestNeighbours,
    FastTomekLinks,
    HardNegativeUnderSampler,
    MixupOverSampler,
    NoisySampleFilter,
)
from skrecall.resampling._row_selection import check_number_columns, check_target


def six_features(X):
    return X.iloc[:, :6] if isinstance(X, pd.DataFrame) else X[:, :6]


MODEL = make_pipeline(FunctionTransformer(six_features, accept_sparse=True), LogisticRegression())
SELECTORS = [
    ClusterUnderSampler(random_state=0),
    DensityUnderSampler(random_state=0),
    HardNegativeUnderSampler(MODEL, cv=3, random_state=0),
    NoisySampleFilter(MODEL, cv=3, random_state=0),
]
SAMPLERS = [*SELECTORS, MixupOverSampler(random_state=0)]


def make_table():
    return make_classification(200, 6, weights=[0.75], flip_y=0.1, random_state=0)


@pytest.mark.parametrize("sampler", SELECTORS, ids=lambda sampler: type(sampler).__name__)
def test_rows_come_in_their_order_and_container(sampler):
    X, y = make_table()
    X_new, y_new = sampler.fit_resample(X, y)
    rows = sampler.sample_indices_
    assert np.all(np.diff(rows) > 0)
    assert len(rows) < 200
    assert_array_equal(X_new, X[rows])
    assert_array_equal(y_new, y[rows])

    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(200)[::-1])
    frame["n"] = np.arange(200) + 2**60  # a float has no such number
    frame["b"] = X[:, 0] > 0
    series = pd.Series(np.array(["no", "yes"])[y], index=frame.index, name="label")
    sampler.fit(frame[list("abcdef")], series)
    frame_new, series_new = sampler.fit_resample(frame, series)
    expected = sampler.sample_indices_
    pd.testing.assert_frame_equal(frame_new, frame.iloc[expected].reset_index(drop=True))
    pd.testing.assert_series_equal(series_new, series.iloc[expected].reset_index(drop=True))

    list_new, _ = sampler.fit_resample(X.tolist(), y.tolist())
    assert_array_equal(list_new, X_new)
    for container in (csr_array, coo_array):
        sparse_new, _ = sampler.fit_resample(container(X), y)
        assert issparse(sparse_new)
        assert_allclose(sparse_new.toarray(), X[sampler.sample_indices_])
    one_hot_new = sampler.fit_resample(X, np.eye(2, dtype=int)[y])[1]
    assert_array_equal(one_hot_new, np.eye(2, dtype=int)[y_new])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_labels_that_are_none_are_refused(sampler):
    X, y = make_table()
    for fit in (sampler.fit, sampler.fit_resample):
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            fit(X, X[:, 0])
        with pytest.raises(
            ValueError, match=r"y contains NaN: 2 of 200 labels are missing\. Leave"
        ):
            fit(X, np.where(np.arange(200) < 2, np.nan, y))
        with pytest.raises(ValueError, match=r"needs to have more than 1 class\. Got 1 class"):
            fit(X, np.zeros(200))
        with pytest.raises(ValueError, match="Multilabel and multioutput targets are not"):
            fit(X, np.ones((200, 2), dtype=int))
    as_floats = sampler.fit_resample(X, y.astype(float))[1]
    assert_array_equal(as_floats, sampler.fit_resample(X, y)[1])


@pytest.mark.parametrize(
    "sampler",
    [ClusterUnderSampler(), DensityUnderSampler(), MixupOverSampler()],
    ids=lambda sampler: type(sampler).__name__,
)
def test_columns_that_hold_no_numbers_are_named(sampler):
    X, y = make_table()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    columns = {
        "text": ["red", "blue"] * 100,
        "category": pd.Categorical([1, 2] * 100),
        "day": pd.to_datetime(["2020-01-01", "2021-01-01"] * 100),
    }
    for name, column in columns.items():
        for fit in (sampler.fit, sampler.fit_resample):
            with pytest.raises(
                ValueError, match=rf"1 of 7 columns hold no numbers: \['{name}'\]. Encode"
            ):
                fit(frame.assign(**{name: column}), y)
    with pytest.raises(ValueError, match=r"1 of 2 columns hold no numbers: \[1\]"):
        sampler.fit(np.array([[1, "a"], [2, "b"], [3, "c"]], dtype=object), [0, 0, 1])


@pytest.mark.parametrize(
    "sampler",
    [
        ClusterUnderSampler,
        DensityUnderSampler,
        FastEditedNearestNeighbours,
        FastTomekLinks,
        MixupOverSampler,
    ],
)
def test_samplers_of_tables_say_what_takes_images(sampler):
    X, y = np.random.RandomState(0).uniform(size=(40, 1, 3, 3)), np.arange(40) % 4 == 0
    name = sampler.__name__
    for method in (sampler().fit, sampler().fit_resample):
        with pytest.raises(ValueError, match=rf"shape \(40, 1, 3, 3\), .* ArraySampler\({name}\("):
            method(X, y)


def test_columns_of_numbers_pass():
    numbers = pd.DataFrame(
        {
            "object": np.array([1, 2.5], dtype=object),
            "bool": [True, False],
            "extension": pd.array([1, 2], dtype="Int64"),
            "sparse": pd.arrays.SparseArray([0.0, 1.0]),
        }
    )
    check_number_columns(numbers, "Sampler")
    check_number_columns(np.array([[1, 2.5]], dtype=object), "Sampler")
    twice = pd.DataFrame([["a", "b"]], columns=["same", "same"])
    with pytest.raises(ValueError, match="2 of 2 columns hold no numbers"):
        check_number_columns(twice, "Sampler")


@pytest.mark.parametrize("sampler", [HardNegativeUnderSampler, NoisySampleFilter])
@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_texts_are_selected_by_what_takes_texts(sampler, container):
    y = np.arange(90) % 3 == 0
    texts = [f"{'a good' if yes else 'the bad'} day {i % 7}" for i, yes in enumerate(y)]
    texts[0] = "the bad one"
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    sampler = sampler(model, sampling_strategy="all", random_state=0)
    X_new, y_new = sampler.fit_resample(container(texts), y)
    assert type(X_new) is type(container(texts))
    assert len(X_new) < 90
    assert list(X_new) == [texts[row] for row in sampler.sample_indices_]
    assert_array_equal(y_new, y[sampler.sample_indices_])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        sampler.fit_resample(np.arange(90.0), y)


def test_missing_labels_of_any_container():
    for y in ([1, None, 0], pd.Series([1, 0, pd.NA]), np.array(["a", None, "b"], dtype=object)):
        with pytest.raises(ValueError, match="y contains NaN: 1 of 3 labels are missing"):
            check_target(y)
    check_target(csr_array(np.eye(3)))
    check_target(["a", "b"])


@pytest.mark.parametrize("sampler", SELECTORS[:3], ids=lambda sampler: type(sampler).__name__)
def test_an_unchanged_set_is_said_aloud(sampler):
    X, _ = make_table()
    y = np.arange(200) % 2
    message = (
        r"removed none of the 200 rows: sampling_strategy='auto' asks to keep \{1: 100\} rows, "
        r"and the classes have \{0: 100, 1: 100\}."
    )
    with pytest.warns(UserWarning, match=message) as caught:
        X_new, _ = sampler.fit_resample(X, y)
    assert caught[0].filename == __file__
    assert_array_equal(X_new, X)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_in_a_pipeline_inside_searches(sampler):
    X, y = make_table()
    model = Pipeline([("sampler", sampler), ("model", LogisticRegression())])
    name, values = {
        "ClusterUnderSampler": ("sampling_strategy", [0.5, 0.9]),
        "DensityUnderSampler": ("n_neighbors", [2, 4]),
        "HardNegativeUnderSampler": ("estimator__logisticregression__C", [0.1, 1.0]),
        "NoisySampleFilter": ("rule", ["majority", "consensus"]),
        "MixupOverSampler": ("alpha", [0.5, 2.0]),
    }[type(sampler).__name__]
    grid = {f"sampler__{name}": values}
    searches = [
        GridSearchCV(model, grid, cv=3, n_jobs=2, error_score="raise"),
        DecisionGridSearchCV(
            FixedThresholdClassifier(model),
            {"threshold": [0.3, 0.5], **{f"estimator__{key}": v for key, v in grid.items()}},
            cv=3,
            n_jobs=2,
            error_score="raise",
        ),
    ]
    for search in searches:
        search.fit(X, y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = searches[0].best_estimator_
    X_new, y_new = best["sampler"].fit_resample(X, y)
    by_hand = LogisticRegression().fit(X_new, y_new)
    assert_array_equal(best.predict_proba(X), by_hand.predict_proba(X))
