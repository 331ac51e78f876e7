import importlib.util
import inspect
import pickle
import sys
import warnings

import imblearn.pipeline
import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import (
    SMOTE,
    SMOTEN,
    RandomOverSampler,
)
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import ClusterCentroids, RandomUnderSampler, TomekLinks
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from skrecall.resampling import (
    MLSMOTE,
    MLSOL,
    ArraySampler,
    MetadataPipeline,
    MixupOverSampler,
    make_metadata_pipeline,
)


def imbalanced_learn_tests_of_pipelines():
    """Return imbalanced-learn's tests of its Pipeline, with ours in its place, and their module."""
    name = "imblearn.tests.test_pipeline"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setattr(imblearn.pipeline, "Pipeline", MetadataPipeline)
        patch.setattr(imblearn.pipeline, "make_pipeline", make_metadata_pipeline)
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    check = module.check_param_validation
    module.check_param_validation = lambda _, model: check(type(model).__name__, model)
    tests = {}
    for key, test in inspect.getmembers(module, inspect.isfunction):
        if key.startswith("test_"):
            test.pytestmark = [  # newer versions of pytest want a list of values
                pytest.mark.parametrize(mark.args[0], list(mark.args[1])).mark
                if mark.name == "parametrize"
                else mark
                for mark in getattr(test, "pytestmark", [])
            ]
            tests[key] = pytest.mark.filterwarnings("ignore")(test)
    return tests, module


IMBALANCED_LEARN_TESTS, THEIRS = imbalanced_learn_tests_of_pipelines()
globals().update(IMBALANCED_LEARN_TESTS)  # collected by pytest like our own, with their parameters


@pytest.fixture(autouse=True)
def _their_module_can_be_pickled_from(monkeypatch):
    monkeypatch.setitem(sys.modules, THEIRS.__name__, THEIRS)


def test_imbalanced_learn_tests_were_found():
    assert len(IMBALANCED_LEARN_TESTS) >= 40
    test = IMBALANCED_LEARN_TESTS["test_pipeline_init"]
    assert test.__globals__["Pipeline"] is MetadataPipeline
    assert test.__globals__["make_pipeline"] is make_metadata_pipeline


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what its fit was given."""

    def fit(self, X, y, sample_weight=None, groups=None, cost=None):
        self.X_, self.y_, self.classes_ = X, y, np.unique(y)
        self.sample_weight_, self.groups_, self.cost_ = sample_weight, groups, cost
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def fitted(sampler, X, y, **metadata):
    pipe = MetadataPipeline([("sampler", sampler), ("clf", Recorder())])
    return pipe.fit(X, y, **{f"clf__{key}": value for key, value in metadata.items()})[-1]


@pytest.fixture(scope="module")
def data():
    return make_classification(
        100,
        n_features=4,
        n_informative=3,
        n_redundant=0,
        n_clusters_per_class=1,
        weights=[0.7, 0.2],
        n_classes=3,
        class_sep=0.7,
        random_state=0,
    )


SELECTING = [
    RandomOverSampler(random_state=0),
    RandomOverSampler(random_state=0, shrinkage=0.5),
    RandomUnderSampler(random_state=0),
    TomekLinks(sampling_strategy="all"),
    ArraySampler(RandomUnderSampler(random_state=0)),
]


@pytest.mark.parametrize("sampler", SELECTING, ids=repr)
def test_entries_follow_the_rows_that_are_selected(data, sampler):
    X, y = data
    rows = np.arange(len(X))
    seen = fitted(sampler, X, y, sample_weight=rows / 7, groups=rows)
    expected, _ = sampler.fit_resample(X, y)
    assert_array_equal(seen.X_, expected)
    assert_array_equal(seen.groups_, clone(sampler).fit(X, y) and sampler.sample_indices_)
    assert_array_equal(seen.sample_weight_, seen.groups_ / 7)
    assert_array_equal(seen.y_, y[seen.groups_])


def test_a_synthetic_row_gets_the_mean_of_its_parents(data):
    X, y = data
    weight = np.random.default_rng(0).random(len(X))
    sampler = ArraySampler(SMOTEENN(random_state=0))
    seen = fitted(sampler, X, y, sample_weight=weight, cost=np.c_[weight, -weight])
    expected = weight[sampler.parent_indices_].mean(axis=1)
    assert_array_equal(seen.X_, SMOTEENN(random_state=0).fit_resample(X, y)[0])
    assert_allclose(seen.sample_weight_, expected)
    assert_allclose(seen.cost_, np.c_[expected, -expected])


@pytest.mark.parametrize(
    "sampler",
    [MixupOverSampler(random_state=0), MLSMOTE(random_state=0), MLSOL(random_state=0)],
    ids=repr,
)
def test_samplers_of_this_package_tell_the_parents(data, sampler):
    X, y = data
    target = y if isinstance(sampler, MixupOverSampler) else np.eye(3, dtype=int)[y]
    weight = np.random.default_rng(0).random(len(X))
    seen = fitted(sampler, X, target, sample_weight=weight)
    assert len(seen.X_) == len(sampler.parent_indices_) > len(X)
    assert_allclose(seen.sample_weight_, weight[sampler.parent_indices_].mean(axis=1))


def test_samplers_in_a_row_and_what_comes_between(data):
    X, y = data
    weight = np.random.default_rng(0).random(len(X))
    pipe = make_metadata_pipeline(
        StandardScaler(),
        SMOTE(random_state=0),
        None,
        RandomUnderSampler(sampling_strategy={0: 40, 1: 50, 2: 60}, random_state=1),
        "passthrough",
        SMOTE(random_state=2),
        Recorder(),
    )
    seen = pipe.fit(X, y, recorder__sample_weight=weight)[-1]
    first = fitted(
        SMOTE(random_state=0), StandardScaler().fit_transform(X), y, sample_weight=weight
    )
    rows = pipe[3].sample_indices_
    last = fitted(
        SMOTE(random_state=2),
        first.X_[rows],
        first.y_[rows],
        sample_weight=first.sample_weight_[rows],
    )
    assert_array_equal(seen.X_, last.X_)
    assert_array_equal(seen.sample_weight_, last.sample_weight_)


@config_context(enable_metadata_routing=True)
def test_routed_metadata_follows_to_every_step_behind(data):
    X, y = data
    weight, rows = np.random.default_rng(0).random(len(X)), np.arange(len(X))
    pipe = MetadataPipeline(
        [
            ("scale", StandardScaler().set_fit_request(sample_weight="w")),
            ("sample", RandomUnderSampler(random_state=0)),
            ("again", StandardScaler().set_fit_request(sample_weight="w")),
            ("clf", Recorder().set_fit_request(sample_weight="w", groups=True, cost=True)),
        ]
    )
    pipe.fit(X, y, w=weight, groups=rows, cost=np.c_[weight, weight])
    kept = pipe["sample"].sample_indices_
    assert_array_equal(pipe["clf"].groups_, kept)
    assert_array_equal(pipe["clf"].sample_weight_, weight[kept])
    assert_array_equal(pipe["clf"].cost_, np.c_[weight, weight][kept])
    scaled = StandardScaler().fit(X, sample_weight=weight).transform(X)[kept]
    expected = StandardScaler().fit(scaled, sample_weight=weight[kept])
    assert_allclose(pipe["again"].mean_, expected.mean_)


class HalvingSampler(BaseEstimator):
    """Sets `parent_indices_`: puts one row between every two."""

    def fit_resample(self, X, y):
        i = np.arange(0, len(X) - 1, 2)
        self.parent_indices_ = np.r_[np.c_[: len(X), : len(X)], np.c_[i, i + 1]]
        return np.r_[X, (X[i] + X[i + 1]) / 2], np.r_[y, y[i]]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (np.array([1, 2, 3, 5, 8]), [1.5, 4]),
        ([1, 2, 3, 5, 8], [1.5, 4]),
        (pd.Series([1, 2, 3, 5, 8], index=list("abcde")), [1.5, 4]),
        (np.array([1, 2, np.nan, 5, 8], dtype=np.float32), [1.5, np.nan]),
        (np.array([200, 250, 3, 5, 8], dtype=np.uint8), [225, 4]),
        (np.array([True, True, True, False, True]), [1, 0.5]),
    ],
)
def test_weights_of_any_container_are_averaged(metadata, expected):
    X, y = np.arange(10.0).reshape(5, 2), np.array([0, 0, 1, 1, 1])
    seen = fitted(HalvingSampler(), X, y, sample_weight=metadata).sample_weight_
    assert_array_equal(seen, [*metadata, *expected])
    if isinstance(metadata, pd.Series):
        assert_array_equal(seen.index, range(7))
    if getattr(metadata, "dtype", None) == np.float32:
        assert seen.dtype == np.float32


SHARED = [
    (np.array([4, 4, 7, 7, 9]), [4, 7]),
    (np.array(["a", "a", "b", "b", "c"]), ["a", "b"]),
    (["a", "a", "b", "b", "c"], ["a", "b"]),
    (pd.Series(["a", "a", None, None, "c"], dtype="category"), ["a", None]),
    (np.array([True, True, False, False, True]), [True, False]),
    (pd.Series([4, 4, 7, 7, 9]), [4, 7]),
]


@pytest.mark.parametrize(("groups", "expected"), SHARED)
def test_what_has_no_mean_is_kept_where_the_parents_agree(groups, expected):
    X, y = np.arange(10.0).reshape(5, 2), np.array([0, 0, 1, 1, 1])
    seen = fitted(HalvingSampler(), X, y, groups=groups).groups_
    actual = [None if pd.isna(value) else value for value in seen[5:]]
    assert actual == expected
    assert len(seen) == 7


@pytest.mark.parametrize(
    "groups",
    [
        np.array([4, 5, 7, 7, 9]),
        ["a", "b", "c", "c", "d"],
        pd.Series(list("abccd"), dtype="category"),
        pd.date_range("2026-01-01", periods=5),
    ],
)
def test_a_row_between_two_groups_is_refused(groups):
    X, y = np.arange(10.0).reshape(5, 2), np.array([0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match=r"[12] of 2 synthetic rows .* differ in groups"):
        fitted(HalvingSampler(), X, y, groups=groups)


def test_tables_of_metadata_follow_by_column_and_arrays_by_cell():
    X, y = np.arange(10.0).reshape(5, 2), np.array([0, 0, 1, 1, 1])
    table = pd.DataFrame({"cost": [1.0, 2, 3, 5, 8], "ward": list("aabbc")})
    seen = fitted(HalvingSampler(), X, y, cost=table).cost_
    assert_array_equal(seen["cost"], [1, 2, 3, 5, 8, 1.5, 4])
    assert_array_equal(seen["ward"], list("aabbcab"))
    twice = table[["cost", "cost"]]
    seen = fitted(HalvingSampler(), X, y, cost=twice).cost_
    assert_array_equal(seen, np.array([[1, 2, 3, 5, 8, 1.5, 4]] * 2).T)
    for cost in (table[["cost"]].to_numpy(), sparse.csr_array(table[["cost"]].to_numpy())):
        seen = fitted(HalvingSampler(), X, y, cost=cost).cost_
        assert sparse.issparse(seen) == sparse.issparse(cost)
        seen = seen.toarray() if sparse.issparse(seen) else seen
        assert_array_equal(seen.ravel(), [1, 2, 3, 5, 8, 1.5, 4])
    counts = sparse.csr_array(np.array([[1, 0], [0, 2], [3, 0], [3, 0], [1, 1]]))
    with pytest.raises(ValueError, match=r"1 of 2 synthetic rows .* differ in cost: a row between"):
        fitted(HalvingSampler(), X, y, cost=counts)


@pytest.mark.parametrize(
    ("sampler", "reason"),
    [
        (SMOTEN(random_state=0), "SMOTEN makes a row of the most frequent values of many"),
        (SMOTETomek(smote=SMOTEN(random_state=0)), "most frequent values of many"),
        (ClusterCentroids(random_state=0), "replaces rows by the centre of many"),
        (FunctionSampler(func=lambda X, y: (X[1:], y[1:])), "let it return X, y and their indices"),
        (
            ArraySampler(imblearn.pipeline.make_pipeline(SMOTE(), RandomUnderSampler())),
            "chains several samplers: make each a step of its own",
        ),
        (THEIRS.DummySampler(), "sets neither sample_indices_"),
    ],
)
def test_a_sampler_that_cannot_tell_is_named_where_metadata_would_follow(data, sampler, reason):
    X, y = data
    X = np.rint(X)
    pipe = MetadataPipeline([("sampler", sampler), ("clf", Recorder())])
    assert pipe.fit(X, y) is pipe  # nothing has to follow
    with pytest.raises(ValueError, match=r"groups cannot follow .* 'sampler' to step 'clf': ") as e:
        pipe.fit(X, y, clf__groups=np.arange(len(X)))
    assert reason in str(e.value)


def test_a_function_may_tell_which_rows_it_returns(data):
    X, y = data

    def drop_far(X, y):
        rows = np.flatnonzero(np.abs(X).max(axis=1) < 2)
        return X[rows], y[rows], rows

    seen = fitted(FunctionSampler(func=drop_far), X, y, groups=np.arange(len(X)))
    assert_array_equal(seen.X_, X[seen.groups_])
    assert 0 < len(seen.groups_) < len(X)


def test_a_validation_set_is_not_resampled(data):
    X, y = data

    class Validated(Recorder):
        def fit(self, X, y, X_val=None, y_val=None):
            self.X_val_, self.classes_ = X_val, np.unique(y)
            return self

    with config_context(enable_metadata_routing=True):
        pipe = make_metadata_pipeline(
            RandomUnderSampler(sampling_strategy={0: 30}, random_state=0),
            StandardScaler(),
            Validated().set_fit_request(X_val=True),
            transform_input=["X_val"],
        )
        pipe.fit(X, y, X_val=X)
    assert_allclose(pipe[-1].X_val_, pipe[1].transform(X))


def test_metadata_for_the_sampler_itself_reaches_it(data):
    class Pick(BaseEstimator):
        def fit_resample(self, X, y, keep=None):
            self.sample_indices_ = np.flatnonzero(keep)
            return X[keep], y[keep]

    X, y = data
    pipe = MetadataPipeline([("pick", Pick()), ("clf", Recorder())])
    keep = X[:, 0] > 0
    pipe.fit(X, y, pick__keep=keep, clf__groups=np.arange(len(X)))
    assert_array_equal(pipe[-1].groups_, np.flatnonzero(keep))
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        fitted(SMOTE(), X, y) and make_metadata_pipeline(SMOTE(), Recorder()).fit(
            X, y, smote__sample_weight=keep
        )


def test_a_cached_sampler_still_tells(data, tmp_path):
    X, y = data
    weight = np.random.default_rng(0).random(len(X))
    pipe = make_metadata_pipeline(SMOTE(random_state=0), Recorder(), memory=str(tmp_path))
    first, second = (
        pipe.fit(X, y, recorder__sample_weight=weight)[-1].sample_weight_ for _ in range(2)
    )
    assert_array_equal(first, second)
    assert_array_equal(
        first, fitted(SMOTE(random_state=0), X, y, sample_weight=weight).sample_weight_
    )


def test_slices_and_set_params_stay_ours(data):
    X, y = data
    pipe = make_metadata_pipeline(SMOTE(random_state=0), StandardScaler(), Recorder())
    assert isinstance(pipe[:-1], MetadataPipeline)
    pipe.set_params(smote=None).fit(X, y, recorder__groups=y)
    assert_array_equal(pipe[-1].groups_, y)
    pipe.set_params(smote=RandomUnderSampler(random_state=0)).fit(X, y, recorder__groups=y)
    assert_array_equal(pipe[-1].groups_, pipe[-1].y_)


@config_context(enable_metadata_routing=True)
def test_weights_through_a_search_on_two_workers(data):
    X, y = data
    weight = np.random.default_rng(0).random(len(X)) + 0.5
    clf = LogisticRegression(max_iter=500).set_fit_request(sample_weight=True)
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=False)
    pipe = MetadataPipeline([("sampler", SMOTE(random_state=0)), ("clf", clf)])
    grid = {"sampler": [None, SMOTE(random_state=1), RandomOverSampler(random_state=0)]}
    pipe = pickle.loads(pickle.dumps(pipe))
    with parallel_config("threading"):
        scores = [
            GridSearchCV(pipe, grid, scoring=scorer, cv=3, n_jobs=n_jobs, error_score="raise")
            .fit(X, y, sample_weight=weight)
            .cv_results_["mean_test_score"]
            for n_jobs in (1, 2)
        ]
    assert_array_equal(*scores)
    theirs = Pipeline(pipe.steps)
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(100,\), expected"):
        theirs.fit(X, y, sample_weight=weight)
