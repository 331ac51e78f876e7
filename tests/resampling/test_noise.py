import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skrecall.resampling import NoisySampleFilter
from skrecall.resampling._noise import (
    class_thresholds,
    confident_classes,
    confident_joint,
    prune_by_noise_rate,
)

CV = StratifiedKFold(3, shuffle=True, random_state=1)
MODELS = [
    ("logistic", LogisticRegression()),
    ("bayes", GaussianNB()),
    ("neighbours", KNeighborsClassifier()),
]


def make_table(n_classes=2, flip_y=0.1):
    return make_classification(
        240,
        5,
        n_informative=4,
        n_redundant=0,
        n_classes=n_classes,
        n_clusters_per_class=1,
        flip_y=flip_y,
        weights=[0.5] + [0.5 / (n_classes - 1)] * (n_classes - 2),
        random_state=0,
    )


def plain_answers(models, X, y, method):
    answers = []
    for _, model in models:
        answer = [None] * len(y)
        for fit, held_out in CV.split(X, y):
            found = getattr(clone(model).fit(X[fit], y[fit]), method)(X[held_out])
            for i, value in zip(held_out, found, strict=True):
                answer[i] = value
        answers.append(answer)
    return answers


def plain_votes(X, y, rule):
    answers = plain_answers(MODELS, X, y, "predict")
    n_disagree = [sum(answer[i] != y[i] for answer in answers) for i in range(len(y))]
    if rule == "majority":
        return n_disagree, [n > len(MODELS) / 2 for n in n_disagree]
    return n_disagree, [n == len(MODELS) for n in n_disagree]


def plain_confident_learning(y_proba, y, rule):
    """Thresholds, joint counts and noisy rows, from the definitions in the paper."""
    classes = sorted(set(y.tolist()))
    thresholds = [
        np.mean([p[k] for p, label in zip(y_proba, y, strict=True) if label == c])
        for k, c in enumerate(classes)
    ]
    joint = np.zeros((len(classes), len(classes)), dtype=int)
    noisy = [False] * len(y)
    for i, p in enumerate(y_proba):
        reached = [k for k in range(len(classes)) if p[k] >= thresholds[k]]
        if reached:
            k = max(reached, key=lambda k: p[k])
            joint[classes.index(y[i]), k] += 1
            noisy[i] = classes[k] != y[i]
    if rule == "noise_rate":
        noisy = [False] * len(y)
        for j, label in enumerate(classes):
            rows = [i for i in range(len(y)) if y[i] == label]
            for k in range(len(classes)):
                if k != j:
                    n_errors = round(joint[j, k] / joint[j].sum() * len(rows))
                    by_margin = sorted(rows, key=lambda i: y_proba[i][j] - y_proba[i][k])
                    for i in by_margin[:n_errors]:
                        noisy[i] = True
    return thresholds, joint, noisy


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("rule", ["majority", "consensus"])
def test_votes_as_the_definition_says(n_classes, rule):
    X, y = make_table(n_classes)
    sampler = NoisySampleFilter(MODELS, rule=rule, sampling_strategy="all", cv=CV)
    X_new, y_new = sampler.fit_resample(X, y)
    n_disagree, noisy = plain_votes(X, y, rule)
    assert 5 < sum(noisy) < 100
    assert_array_equal(sampler.n_disagree_, n_disagree)
    assert_array_equal(sampler.is_noisy_, noisy)
    assert_array_equal(sampler.sample_indices_, np.flatnonzero(~np.array(noisy)))
    assert_array_equal(X_new, X[~np.array(noisy)])
    assert_array_equal(y_new, y[~np.array(noisy)])
    assert not hasattr(sampler, "confident_joint_")


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("models", [MODELS, MODELS[:1]])
@pytest.mark.parametrize("rule", ["confident_joint", "noise_rate"])
def test_confident_learning_as_the_definition_says(n_classes, models, rule):
    X, y = make_table(n_classes)
    names = np.array(["c", "a", "b"])
    sampler = NoisySampleFilter(models, rule=rule, sampling_strategy="all", cv=CV)
    sampler.fit_resample(X, names[y])
    y_proba = np.mean(plain_answers(models, X, names[y], "predict_proba"), axis=0)
    thresholds, joint, noisy = plain_confident_learning(y_proba, names[y], rule)
    assert 3 < sum(noisy) < 100
    assert_allclose(sampler.class_thresholds_, thresholds)
    assert_array_equal(sampler.confident_joint_, joint)
    assert_array_equal(sampler.is_noisy_, noisy)
    assert not hasattr(sampler, "n_disagree_")


def test_parts_of_confident_learning_by_hand():
    y_proba = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.6, 0.4]])
    code = np.array([0, 0, 0, 1, 1])
    thresholds = class_thresholds(y_proba, code)
    assert_allclose(thresholds, [0.6, 0.5])
    confident = confident_classes(y_proba, thresholds)
    assert_array_equal(confident, [0, 0, 1, 1, 0])
    assert_array_equal(confident_classes(y_proba, np.array([0.95, 0.7])), [-1, -1, 1, -1, -1])
    joint = confident_joint(code, confident, 2)
    assert_array_equal(joint, [[2, 1], [1, 1]])
    assert_array_equal(prune_by_noise_rate(y_proba, code, joint), [0, 0, 1, 0, 1])
    assert not prune_by_noise_rate(y_proba, code, np.array([[0, 0], [0, 3]])).any()


@pytest.mark.parametrize(
    ("rule", "share"),
    [("majority", 0.9), ("consensus", 0.9), ("confident_joint", 0.8), ("noise_rate", 0.9)],
)
def test_wrong_labels_are_found(rule, share):
    """Of 60 flipped labels among 600 rows of well separated classes."""
    X, y = make_classification(
        600,
        4,
        n_informative=4,
        n_redundant=0,
        n_clusters_per_class=1,
        class_sep=3,
        flip_y=0,
        random_state=0,
    )
    wrong = np.random.RandomState(0).choice(600, 60, replace=False)
    y[wrong] = 1 - y[wrong]
    sampler = NoisySampleFilter(MODELS, rule=rule, sampling_strategy="all", random_state=0)
    sampler.fit_resample(X, y)
    found = np.flatnonzero(sampler.is_noisy_)
    assert np.isin(wrong, found).mean() >= share
    assert np.isin(found, wrong).mean() >= 0.9


def test_the_rare_class_loses_no_row_unless_told():
    X, y = make_table(3)
    y[np.flatnonzero(y == 2)[::2]] = 0
    counts = np.bincount(y)
    sampler = NoisySampleFilter(MODELS, cv=CV)
    _, y_new = sampler.fit_resample(X, y)
    assert np.bincount(y_new)[2] == counts[2]
    assert np.all(np.bincount(y_new)[:2] < counts[:2])
    assert sampler.is_noisy_[y == 2].any()
    _, y_new = sampler.set_params(sampling_strategy=[2]).fit_resample(X, y)
    assert_array_equal(np.bincount(y_new) < counts, [False, False, True])


def test_one_classifier_or_pairs_with_nested_parameters():
    X, y = make_table()
    one = NoisySampleFilter(LogisticRegression(), cv=CV)
    pair = NoisySampleFilter([("logistic", LogisticRegression())], cv=CV)
    one.fit_resample(X, y)
    pair.fit_resample(X, y)
    assert_array_equal(one.sample_indices_, pair.sample_indices_)
    pair.set_params(logistic__C=1e-6)
    assert pair.get_params()["logistic__C"] == 1e-6
    one.set_params(estimators__C=1e-6)
    assert one.estimators.C == 1e-6
    one.set_params(rule="noise_rate").fit_resample(X, y)
    assert not hasattr(one, "n_disagree_")
    pair.set_params(logistic=KNeighborsClassifier())
    assert isinstance(pair.estimators[0][1], KNeighborsClassifier)


def test_one_forest_is_no_list_of_trees():
    X, y = make_table()
    forest = RandomForestClassifier(3, random_state=0)
    sampler = clone(NoisySampleFilter(forest, cv=CV))
    assert sampler.get_params()["estimators__n_estimators"] == 3
    assert sampler.get_params(deep=False)["estimators"] is sampler.estimators
    pair = NoisySampleFilter([("forest", forest)], cv=CV)
    assert_array_equal(sampler.fit_resample(X, y)[1], pair.fit_resample(X, y)[1])
    assert_array_equal(sampler.sample_indices_, pair.sample_indices_)


def test_frames_reach_the_classifiers():
    X, y = make_table()
    frame = pd.DataFrame(X, columns=list("abcde"))
    sampler = NoisySampleFilter(LogisticRegression(), cv=CV)
    X_new, _ = sampler.fit_resample(frame, y)
    assert isinstance(X_new, pd.DataFrame)
    assert_array_equal(sampler.feature_names_in_, list("abcde"))


def test_bad_input_is_refused_by_name():
    X, y = make_table()
    for estimators in ([], [LogisticRegression()], [("a", LogisticRegression(), 1)]):
        with pytest.raises(ValueError, match=r"must be a classifier or a list of pairs \(name, cl"):
            NoisySampleFilter(estimators).fit_resample(X, y)
    with pytest.raises(ValueError, match="Names provided are not unique"):
        NoisySampleFilter([MODELS[0], MODELS[0]]).fit_resample(X, y)
    with pytest.raises(ValueError, match="Perceptron has no predict_proba"):
        NoisySampleFilter(Perceptron(), rule="noise_rate").fit_resample(X, y)
    with pytest.raises(
        ValueError, match="cv=5 folds need 5 rows of every class, and class 1 has 2"
    ):
        NoisySampleFilter(LogisticRegression()).fit_resample(X, (np.arange(240) < 2) * 1)
    with pytest.raises(
        ValueError, match=r"All rows of classes \[0\] look mislabelled .* none would"
    ):
        NoisySampleFilter(
            DummyClassifier(strategy="constant", constant=1), sampling_strategy="all"
        ).fit_resample(X, y)


def test_a_set_without_wrong_labels_is_returned_with_a_warning():
    X, y = make_classification(
        200, 4, n_informative=4, n_redundant=0, class_sep=9, flip_y=0, random_state=0
    )
    with pytest.warns(UserWarning, match=r"none of the 200 rows: 0 look mislabelled by rule='maj"):
        X_new, _ = NoisySampleFilter(LogisticRegression()).fit_resample(X, y)
    assert_array_equal(X_new, X)
