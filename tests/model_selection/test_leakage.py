import re

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    TunedThresholdClassifierCV,
)
from sklearn.multioutput import ClassifierChain
from sklearn.preprocessing import StandardScaler, TargetEncoder

from skrecall.ensemble import SoftVotingClassifier
from skrecall.model_selection import DecisionGridSearchCV, check_leakage
from skrecall.model_selection._leakage import _between_two, _copies_across
from skrecall.threshold import OptimalThresholdClassifier, RecallThresholdClassifier

LOGISTIC = LogisticRegression()


def after_smote(last):
    return Pipeline([("scale", StandardScaler()), ("smote", SMOTE()), ("clf", last)])


@pytest.mark.parametrize(
    ("last", "how"),
    [
        (GridSearchCV(LOGISTIC, {"C": [1, 2]}, cv=3), "GridSearchCV, cv=3"),
        (RandomizedSearchCV(LOGISTIC, {"C": [1, 2]}), "RandomizedSearchCV, cv=None"),
        (CalibratedClassifierCV(LOGISTIC), "CalibratedClassifierCV, cv=None"),
        (StackingClassifier([("a", LOGISTIC)]), "StackingClassifier, cv=None"),
        (TunedThresholdClassifierCV(LOGISTIC), "TunedThresholdClassifierCV, cv=None"),
        (RecallThresholdClassifier(LOGISTIC), "calibration='holdout'"),
        (RecallThresholdClassifier(LOGISTIC, calibration="prefit"), "makes its promise on them"),
        (OptimalThresholdClassifier(LOGISTIC), "OptimalThresholdClassifier, cv=None"),
        (SoftVotingClassifier([("a", LOGISTIC)], weights="optimize"), "cv=None"),
        (RandomForestClassifier(oob_score=True), "oob_score=True"),
        (HistGradientBoostingClassifier(early_stopping=True), "early_stopping=True"),
        (GradientBoostingClassifier(n_iter_no_change=5), "n_iter_no_change=5"),
        (ClassifierChain(LOGISTIC, cv=3), "ClassifierChain, cv=3"),
        (VotingClassifier([("a", CalibratedClassifierCV(LOGISTIC))]), "'clf.a' (Calibrated"),
        (Pipeline([("pca", PCA()), ("last", CalibratedClassifierCV())]), "'clf.last' (Calib"),
    ],
)
def test_a_sampler_before_a_step_that_splits(last, how):
    report = check_leakage(after_smote(last))
    assert report
    (finding,) = report
    assert finding.kind == "order"
    assert finding.leaks
    assert "'smote' (SMOTE) changes the rows before 'clf" in str(report)
    assert how in str(report)


@pytest.mark.parametrize(
    "estimator",
    [
        after_smote(LOGISTIC),
        GridSearchCV(after_smote(LOGISTIC), {"clf__C": [1, 2]}),
        CalibratedClassifierCV(after_smote(RandomForestClassifier())),
        RecallThresholdClassifier(after_smote(LOGISTIC)),
        DecisionGridSearchCV(after_smote(LOGISTIC), {"smote": [None, SMOTE()]}),
        after_smote(SoftVotingClassifier([("a", LOGISTIC)])),
        after_smote(ClassifierChain(LOGISTIC)),
        after_smote(CalibratedClassifierCV(LOGISTIC, cv="prefit")),
        after_smote(HistGradientBoostingClassifier()),
        after_smote(GradientBoostingClassifier()),
        Pipeline([("scale", StandardScaler()), ("clf", CalibratedClassifierCV(LOGISTIC))]),
        Pipeline([("select", VarianceThreshold()), ("clf", CalibratedClassifierCV(LOGISTIC))]),
        Pipeline([("none", None), ("off", "passthrough"), ("clf", CalibratedClassifierCV())]),
        LOGISTIC,
    ],
)
def test_nothing_is_found_where_rows_are_split_first(estimator):
    report = check_leakage(estimator)
    assert not report
    assert len(report) == 0
    assert str(report) == "No sign of leakage."


@pytest.mark.parametrize(
    "step",
    [
        SelectKBest(),
        SelectFromModel(LOGISTIC),
        TargetEncoder(),
        ColumnTransformer([("target", TargetEncoder(), [0])]),
    ],
)
def test_what_learns_from_labels_before_a_step_that_splits(step):
    report = check_leakage(
        Pipeline([("step", step), ("clf", TunedThresholdClassifierCV(LOGISTIC))])
    )
    assert f"'step' ({type(step).__name__}) learns from the labels of all rows" in str(report)


def test_a_sampler_that_a_search_puts_in_place():
    inner = Pipeline([("sampler", None), ("clf", CalibratedClassifierCV(LOGISTIC))])
    for grid in ({"sampler": [None, SMOTE()]}, [{"sampler": [None]}, {"sampler": [SMOTE()]}]):
        assert "'estimator.sampler' (SMOTE) changes the rows" in str(
            check_leakage(GridSearchCV(inner, grid))
        )
    outer = RecallThresholdClassifier(inner)
    search = DecisionGridSearchCV(outer, {"estimator__sampler": [SMOTE()], "target_recall": [0.9]})
    assert "'estimator.estimator.clf' (CalibratedClassifierCV" in str(check_leakage(search))
    assert not check_leakage(GridSearchCV(inner, {"sampler": [None, "passthrough"]}))


def test_every_leak_is_told_once_and_raised_if_asked():
    pipe = Pipeline(
        [
            ("select", SelectKBest()),
            ("over", RandomOverSampler()),
            ("search", GridSearchCV(CalibratedClassifierCV(LOGISTIC), {"cv": [2, 3]})),
        ]
    )
    report = check_leakage(pipe)
    assert [finding.where for finding in report] == ["search", "search"]
    assert len(str(report).splitlines()) == 2
    with pytest.raises(ValueError, match=r"Leak \(search\): 'select'"):
        check_leakage(pipe, on_leak="raise")
    with pytest.raises(ValueError, match="Pass X and y, or neither"):
        check_leakage(pipe, np.ones((4, 2)))


def draw(kind, seed, n_samples=300, prevalence=0.1):
    rng = np.random.default_rng(seed)
    y = (np.arange(n_samples) < prevalence * n_samples).astype(int)
    Z = rng.normal(size=(n_samples, 6)) + y[:, np.newaxis] * rng.uniform(0, 1)
    X = {
        "real": Z[:, : rng.integers(3, 7)],
        "single": Z[:, :4].astype(np.float32),
        "three digits": np.round(Z[:, :4], 3),
        "binary": (Z > 0.5).astype(int),
        "counts": rng.poisson(np.exp(Z / 2)),
        "one class concentrated": (np.where(y, -1.5, 0.3)[:, np.newaxis] < Z).astype(int),
        "one digit": np.round(Z, 1),
        "mixed": np.column_stack([Z[:, :3], Z[:, 3:] > 0]),
        "zero-inflated": np.where(Z > 0.3, Z, 0),
        "one line": Z[:, :1] * [1, 2, -3, 4],
    }[kind]
    return X, y


KINDS = {
    "real",
    "single",
    "three digits",
    "binary",
    "counts",
    "one class concentrated",
    "one digit",
    "mixed",
    "zero-inflated",
    "one line",
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_clean_data_raise_no_alarm(kind):
    alarms = [
        bool(check_leakage(None, *draw(kind, seed, n_samples, prevalence)))
        for seed in range(3)
        for n_samples in (100, 300)
        for prevalence in (0.05, 0.2, 0.5)
    ]
    assert not any(alarms)


def test_a_few_rows_on_a_line_are_no_sign():
    """As in measures of programs: their volume, its product with a difficulty, and the ratio."""
    rng = np.random.default_rng(0)
    volume, factor = np.exp(rng.normal(size=600)), rng.uniform(1, 9, size=600)
    for n_on_a_line, leaks in [(20, False), (100, True)]:
        factor[:n_on_a_line] = 3
        X = np.column_stack([volume, volume * factor, volume / factor])
        assert bool(check_leakage(None, X, np.arange(600) % 2)) == leaks


@pytest.mark.parametrize("kind", ["real", "single", "three digits", "mixed", "zero-inflated"])
@pytest.mark.parametrize(
    ("sampler", "found"),
    [
        (RandomOverSampler(random_state=0), "copies"),
        (SMOTE(random_state=0), "synthetic"),
        (BorderlineSMOTE(random_state=0), "synthetic"),
        (ADASYN(random_state=0), "synthetic"),
    ],
)
def test_resampled_data_are_found(kind, sampler, found):
    for seed in range(3):
        report = check_leakage(None, *sampler.fit_resample(*draw(kind, seed)))
        assert report
        (finding,) = (finding for finding in report if finding.leaks)
        assert finding.kind == found
        assert list(finding.counts) == [1]
        assert finding.counts[1] > 100


@pytest.mark.parametrize("kind", ["counts", "one digit"])
def test_copies_stand_out_among_features_of_few_values(kind):
    report = check_leakage(None, *RandomOverSampler(random_state=0).fit_resample(*draw(kind, 0)))
    assert report
    assert "of 270 rows of class 1 have a copy" in str(report)


def test_copies_are_counted_as_by_a_loop():
    rng = np.random.default_rng(0)
    keys = rng.integers(40, size=60)
    splits = list(ShuffleSplit(3, test_size=0.3, random_state=0).split(keys))
    expected = np.zeros(60, dtype=bool)
    for train, test in splits:
        for row in test:
            expected[row] |= any(keys[row] == keys[other] for other in train)
    assert_array_equal(_copies_across(keys, splits), expected)


def test_rows_between_two_are_found_as_by_a_loop():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    X[30:] = X[:10] + rng.uniform(size=(10, 1)) * (X[10:20] - X[:10])
    X = X[rng.permutation(40)]
    expected = np.zeros(40, dtype=bool)
    for k in range(40):
        for i in range(40):
            for j in range(i):
                if k not in (i, j):
                    a, b = X[i] - X[k], X[j] - X[k]
                    cosine = a @ b / np.sqrt((a @ a) * (b @ b))
                    expected[k] |= cosine < -1 + 1e-12
    assert expected.sum() == 10
    assert_array_equal(_between_two(X, np.arange(40), 1e-8), expected)


def test_scaling_and_projection_hide_nothing():
    X, y = SMOTE(random_state=0).fit_resample(*draw("real", 1))
    for transformer in (StandardScaler(), PCA(3)):
        assert check_leakage(None, transformer.fit_transform(X), y)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, sparse.csr_array, "images"])
def test_copies_in_any_container(container):
    X, y = RandomOverSampler(random_state=0).fit_resample(*draw("mixed", 0))
    X = X.reshape(-1, 2, 3) if container == "images" else container(X)
    labels = np.array(["no", "yes"])[y]
    (finding,) = check_leakage(None, X, labels)
    assert finding.leaks
    assert finding.counts["yes"] > 200


def test_tables_of_words_have_copies_too():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"id": rng.permutation(300).astype(str), "ward": rng.choice(["a", "b"], 300)})
    y = (np.arange(300) < 30).astype(int)
    assert not check_leakage(None, X, y)
    assert check_leakage(None, *RandomOverSampler(random_state=0).fit_resample(X, y))


def test_several_labels_are_looked_at_together():
    X, y = draw("real", 0)
    Y = np.column_stack([y, X[:, 0] > 0]).astype(int)
    assert not check_leakage(None, X, Y)
    twice = np.r_[0:300, 0:300]
    report = check_leakage(None, X[twice], Y[twice], cv=ShuffleSplit(3, random_state=0))
    assert "of 600 rows of class 'any' have a copy" in str(report)
    for labels in (sparse.csr_array, sparse.coo_matrix):
        cv = ShuffleSplit(3, random_state=0)
        assert str(check_leakage(None, X[twice], labels(Y[twice]), cv=cv)) == str(report)


def test_folds_are_those_of_the_search_and_groups_keep_copies_together():
    X, y = draw("real", 0)
    rows = np.repeat(np.arange(300), 2)
    search = GridSearchCV(LOGISTIC, {"C": [1]}, cv=StratifiedKFold(3, shuffle=True))
    report = check_leakage(search, X[rows], y[rows])
    assert report.findings[0].where == "3 folds"
    assert check_leakage(None, X[rows], y[rows], cv=StratifiedKFold(5, shuffle=True))
    assert not check_leakage(None, X[rows], y[rows], groups=rows, cv=GroupKFold(5))


def test_folds_may_be_masks_and_a_fitted_estimator_has_none():
    X, y = draw("real", 0)
    X, y = np.r_[X, X[:30]], np.r_[y, y[:30]]
    later = np.arange(330) >= 300
    rows = check_leakage(None, X, y, cv=[(np.flatnonzero(~later), np.flatnonzero(later))])
    assert rows
    assert check_leakage(None, X, y, cv=[(~later, later)]) == rows
    prefit = StackingClassifier([("clf", LOGISTIC)], cv="prefit")
    assert check_leakage(prefit, X, y) == check_leakage(None, X, y)


def test_a_class_is_no_estimator():
    with pytest.raises(TypeError, match=r"estimator=LogisticRegression is a class.* pass Logistic"):
        check_leakage(LogisticRegression)


def test_equal_rows_of_few_values_are_a_note():
    X, y = draw("binary", 0)
    report = check_leakage(None, X, y)
    assert len(report) == 1
    assert not report
    assert str(report).startswith("Note (5 folds): ")
    check_leakage(None, X, y, on_leak="raise")


@pytest.mark.parametrize(
    ("splits", "advice"),
    [
        (
            CalibratedClassifierCV(LogisticRegression()),
            r"CalibratedClassifierCV\(\.\.\.\) of a Pipe",
        ),
        (
            StackingClassifier([("a", LogisticRegression())]),
            "Pipeline of each estimator that StackingClassifier is made of",
        ),
        (LogisticRegressionCV(cv=3), "LogisticRegressionCV cannot hold it: turn cv off"),
    ],
)
def test_the_advice_can_be_followed(splits, advice):
    report = check_leakage(Pipeline([("smote", SMOTE()), ("clf", splits)]))
    assert report
    assert re.search(advice, str(report))


def test_what_is_no_estimator_and_nothing_at_all():
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    with pytest.raises(TypeError, match=r"estimator is a ndarray, .*check_leakage\(X=X, y=y\)"):
        check_leakage(X, y)
    with pytest.raises(ValueError, match="nothing to check"):
        check_leakage()


def test_groups_are_held_out_whole():
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(60), 3))
    X, y = rng.normal(size=(60, 3))[groups], groups % 2
    assert check_leakage(X=X, y=y)
    assert not check_leakage(X=X, y=y, groups=groups)
