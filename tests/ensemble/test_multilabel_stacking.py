import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skrecall.ensemble import MultilabelStackingClassifier, SoftVotingClassifier
from skrecall.model_selection import MultilabelStratifiedKFold
from skrecall.multilabel import BinaryRelevance, ClassifierChain

MEMBERS = [("bayes", GaussianNB()), ("knn", KNeighborsClassifier())]
FOLDS = KFold(3, shuffle=True, random_state=0)


def make_data(n_samples=150, n_labels=3):
    return make_multilabel_classification(
        n_samples, 8, n_classes=n_labels, n_labels=2, random_state=0
    )


@pytest.mark.parametrize("passthrough", [False, True])
def test_each_label_is_scikit_learn_s_stack_of_that_label(passthrough):
    X, Y = make_data()
    final = LogisticRegression(max_iter=2000)
    stack = MultilabelStackingClassifier(MEMBERS, final, passthrough=passthrough, cv=FOLDS)
    proba = stack.fit(X, Y).predict_proba(X)
    one = StackingClassifier(MEMBERS, final, passthrough=passthrough, cv=FOLDS)
    for label in range(3):
        expected = clone(one).fit(X, Y[:, label]).predict_proba(X)[:, 1]
        # the features stand before the votes here, after them there
        assert_allclose(proba[:, label], expected, atol=2e-4)
    assert_array_equal(stack.predict(X), proba >= 0.5)


def out_of_fold(X, Y, cv):
    """Return the votes of each member on each label, out of fold, by scikit-learn."""
    return np.stack(
        [
            np.column_stack(
                [cross_val_predict(m, X, y, cv=cv, method="predict_proba")[:, 1] for y in Y.T]
            )
            for _, m in MEMBERS
        ]
    )


def test_all_labels_are_seen_by_one_final_classifier_or_one_per_label():
    X, Y = make_data()
    votes = np.hstack(list(out_of_fold(X, Y, FOLDS)))
    now = np.column_stack(
        [clone(m).fit(X, y).predict_proba(X)[:, 1] for _, m in MEMBERS for y in Y.T]
    )
    chain = ClassifierChain(LogisticRegression())
    stack = MultilabelStackingClassifier(MEMBERS, chain, meta_features="all", cv=FOLDS).fit(X, Y)
    assert len(stack.final_estimators_) == 1
    assert_allclose(stack.predict_proba(X), clone(chain).fit(votes, Y).predict_proba(now))
    stack = MultilabelStackingClassifier(MEMBERS, meta_features="all", cv=FOLDS).fit(X, Y)
    for label in range(3):
        expected = LogisticRegression().fit(votes, Y[:, label]).predict_proba(now)[:, 1]
        assert_allclose(stack.predict_proba(X)[:, label], expected)


def test_a_number_of_folds_is_stratified_by_label():
    X, Y = make_data()
    by_default = MultilabelStackingClassifier(MEMBERS).fit(X, Y)
    by_splitter = MultilabelStackingClassifier(MEMBERS, cv=MultilabelStratifiedKFold(5)).fit(X, Y)
    assert_array_equal(by_default.predict_proba(X), by_splitter.predict_proba(X))


def test_members_are_trusted_label_by_label():
    """One member knows the first label, the other the second: one weight for both would not do."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((600, 2))
    Y = (X + 0.5 * rng.standard_normal(X.shape) > 1).astype(int)
    members = [
        (
            str(j),
            make_pipeline(
                ColumnTransformer([("keep", "passthrough", [j])]), KNeighborsClassifier(7)
            ),
        )
        for j in range(2)
    ]
    fit, new = slice(0, 300), slice(300, None)
    wrapped = [(name, BinaryRelevance(member)) for name, member in members]
    loss = {}
    for model in (
        MultilabelStackingClassifier(members, cv=3),
        SoftVotingClassifier(wrapped, weights="optimize", cv=3),
    ):
        proba = model.fit(X[fit], Y[fit]).predict_proba(X[new])
        loss[type(model).__name__] = np.mean((proba - Y[new]) ** 2)  # the Brier score
    assert loss["MultilabelStackingClassifier"] < 0.9 * loss["SoftVotingClassifier"]


@pytest.mark.parametrize("meta_features", ["label", "all"])
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_a_label_that_a_fold_lacks_does_not_stop_the_fit(meta_features, container):
    X, Y = make_data()
    Y[50:, 1] = 0  # the first third alone holds it
    thirds = KFold(3)
    for labels in (Y, Y[:, [1]]):
        stack = MultilabelStackingClassifier(MEMBERS, meta_features=meta_features, cv=thirds)
        proba = stack.fit(X, container(labels)).predict_proba(X)
        assert np.isfinite(proba).all()
        assert type(stack.predict(X)) is type(container(labels))


def test_constant_labels_are_named_and_predicted():
    X, Y = make_data()
    Y = pd.DataFrame(Y, columns=["cat", "dog", "emu"]).assign(dog=1)
    stack = MultilabelStackingClassifier(MEMBERS, cv=3)
    with pytest.warns(UserWarning, match=r"Labels \['dog'\] have one value .* \[1\]"):
        stack.fit(X, Y)
    assert_array_equal(stack.predict(X)["dog"], 1)
    assert len(stack.final_estimators_) == 2
    with pytest.warns(UserWarning, match="one value each"):
        stack.fit(X, Y[["dog"]])
    assert_array_equal(stack.predict_proba(X), 1)
    assert stack.final_estimators_ == []


def test_frozen_members_stack_on_all_rows():
    X, Y = make_data(300)
    fitted = [(n, BinaryRelevance(m).fit(X[:150], Y[:150])) for n, m in MEMBERS]
    X_new, Y_new = X[150:], Y[150:].copy()
    Y_new[:, 2] = 0
    votes = np.stack([m.predict_proba(X_new) for _, m in fitted])
    for stack in (
        MultilabelStackingClassifier(fitted, cv="prefit"),
        MultilabelStackingClassifier([(n, FrozenEstimator(m)) for n, m in fitted]),
    ):
        with pytest.warns(UserWarning, match=r"Labels \[2\]"):
            stack.fit(X_new, Y_new)
        for label in range(2):
            seen = votes[:, :, label].T
            expected = LogisticRegression().fit(seen, Y_new[:, label]).predict_proba(seen)[:, 1]
            assert_allclose(stack.predict_proba(X_new)[:, label], expected)
        assert_array_equal(stack.predict(X_new)[:, 2], 0)


def test_names_reach_the_second_level_with_the_features():
    X, Y = make_data()
    X = pd.DataFrame(X).add_prefix("x")
    Y = pd.DataFrame(Y, columns=["cat", "dog", "emu"])
    stack = MultilabelStackingClassifier(
        MEMBERS, RandomForestClassifier(5, random_state=0), passthrough=True, cv=2
    ).fit(X, Y)
    names = [f"{member}: label dog" for member in ("bayes", "knn")]
    assert_array_equal(stack.final_estimators_[1].feature_names_in_, [*X.columns, *names])
    sparse = MultilabelStackingClassifier(
        [("linear", LogisticRegression(max_iter=2000))], passthrough=True, cv=2
    ).fit(csr_array(X.to_numpy()), Y)
    assert sparse.predict_proba(csr_array(X.to_numpy())).shape == (150, 3)


def test_dropped_members_seeds_and_n_jobs():
    X, Y = make_data()
    members = [("forest", RandomForestClassifier(5)), *MEMBERS]
    stack = MultilabelStackingClassifier(members, cv=2, random_state=0).set_params(bayes="drop")
    stack.fit(X, Y)
    assert stack.named_estimators_["bayes"] == "drop"
    assert len(stack.estimators_) == 2
    again = clone(stack).set_params(n_jobs=2).fit(X, Y)
    assert_array_equal(stack.predict_proba(X), again.predict_proba(X))


def test_metadata_is_routed():
    X, Y = make_data()
    weight = np.linspace(0.5, 2, len(Y))
    weighted = MultilabelStackingClassifier(MEMBERS[:1], cv=GroupKFold(3))
    groups = np.arange(len(Y)) // 3
    weighted.fit(X, Y, sample_weight=weight, groups=groups)
    expected = GaussianNB().fit(X, Y[:, 0], sample_weight=weight).theta_
    assert_allclose(weighted.estimators_[0].estimators_[0].theta_, expected)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = MultilabelStackingClassifier(
            [("bayes", GaussianNB().set_fit_request(sample_weight=True))],
            LogisticRegression().set_fit_request(sample_weight=True),
            cv=GroupKFold(3),
        ).fit(X, Y, sample_weight=weight, groups=groups)
        assert_allclose(routed.predict_proba(X), weighted.predict_proba(X))
        with pytest.raises(TypeError, match="unexpected"):
            routed.fit(X, Y, colour="red")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": [("svm", LinearSVC())]}, r"'svm' \(LinearSVC\) has no predict_proba"),
        ({"estimators": []}, "non-empty list"),
        ({"final_estimator": RidgeClassifier()}, "'final_estimator' parameter"),
        ({"meta_features": "own"}, "'meta_features' parameter"),
        ({"cv": [(np.arange(9), np.arange(5))]}, "hold out 5 rows that they fit on, so that memb"),
        ({"cv": ShuffleSplit(2, random_state=0)}, "rows out never .* MultilabelStratifiedKFold"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    X, Y = make_data()
    with pytest.raises(ValueError, match=message):
        MultilabelStackingClassifier(**{"estimators": MEMBERS, **params}).fit(X, Y)
