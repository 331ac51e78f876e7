import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import SoftVotingClassifier
from skrecall.metrics import get_scorer, recall_at_precision
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.multilabel import (
    BinaryRelevance,
    ClassifierChain,
    EnsembleOfPrunedSets,
    LabelPowerset,
    RAkELOverlapping,
)

MEMBERS = [
    ("logistic", LogisticRegression()),
    ("bayes", GaussianNB()),
    ("tree", DecisionTreeClassifier(max_depth=4, random_state=0)),
]
MULTILABEL_MEMBERS = [
    ("linear", MultiOutputClassifier(LogisticRegression(max_iter=1000))),
    ("knn", KNeighborsClassifier()),
    ("forest", RandomForestClassifier(10, random_state=0)),
]


def make_data(n_classes=2, n_samples=300):
    return make_classification(
        n_samples,
        8,
        n_informative=5,
        n_classes=n_classes,
        weights=[0.8] if n_classes == 2 else None,
        flip_y=0.1,
        random_state=0,
    )


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("weights", [None, [1, 2, 3], np.array([0.2, 0.0, 0.8])])
def test_same_as_voting_classifier(n_classes, weights):
    X, y = make_data(n_classes)
    y = np.array(["d", "a", "c", "b"])[y]
    actual = SoftVotingClassifier(MEMBERS, weights=weights).fit(X, y)
    expected = VotingClassifier(MEMBERS, voting="soft", weights=weights).fit(X, y)
    assert_allclose(actual.predict_proba(X), expected.predict_proba(X))
    assert_array_equal(actual.predict(X), expected.predict(X))
    assert_array_equal(actual.classes_, expected.classes_)
    assert list(actual.named_estimators_) == list(expected.named_estimators_)
    assert actual.weights_.sum() == pytest.approx(1)


def test_parameters_by_member_and_dropped_members():
    X, y = make_data()
    vote = clone(SoftVotingClassifier(MEMBERS, weights=[1, 5, 2]))
    vote.set_params(logistic__C=0.1, bayes="drop").fit(X, y)
    expected = VotingClassifier(MEMBERS, voting="soft", weights=[1, 5, 2])
    expected = clone(expected).set_params(logistic__C=0.1, bayes="drop").fit(X, y)
    assert_allclose(vote.predict_proba(X), expected.predict_proba(X))
    assert vote.named_estimators_["bayes"] == "drop"
    assert vote.named_estimators_["logistic"].C == 0.1
    assert_allclose(vote.weights_, [1 / 3, 2 / 3])


@pytest.mark.parametrize("objective", ["average_precision", "recall", "recall_at_precision"])
def test_optimized_weights_are_best_on_out_of_fold_probabilities(objective):
    X, y = make_data()
    params = {
        "average_precision": {},
        "recall": {"constraint": ("precision", 0.7)},
        "recall_at_precision": {"objective_params": {"min_precision": 0.7}},
    }[objective]
    cv = KFold(4, shuffle=True, random_state=0)
    vote = SoftVotingClassifier(
        MEMBERS, weights="optimize", objective=objective, cv=cv, **params
    ).fit(X, y)
    votes = np.stack(
        [cross_val_predict(m, X, y, cv=cv, method="predict_proba")[:, 1] for _, m in MEMBERS]
    )

    def value(weights):
        y_score = np.tensordot(weights, votes, 1)
        if objective == "average_precision":
            return average_precision_score(y, y_score)
        return recall_at_precision(y, y_score, min_precision=0.7)

    assert vote.objective_value_ == pytest.approx(value(vote.weights_))
    rng = np.random.RandomState(0)
    others = [np.full(3, 1 / 3), *np.eye(3), *rng.dirichlet(np.ones(3), size=100)]
    found = np.array([value(weights) for weights in others])
    assert vote.objective_value_ >= found[:4].max()
    # a random point may beat a lattice, but hardly ever, and by little
    assert np.mean(found > vote.objective_value_ + 1e-9) <= 0.03


def test_a_scorer_object_as_objective():
    X, y = make_data()
    scorer = get_scorer("recall_at_precision", min_precision=0.7)
    by_object = SoftVotingClassifier(MEMBERS, weights="optimize", objective=scorer).fit(X, y)
    by_name = SoftVotingClassifier(
        MEMBERS,
        weights="optimize",
        objective="recall_at_precision",
        objective_params={"min_precision": 0.7},
    ).fit(X, y)
    assert_array_equal(by_object.weights_, by_name.weights_)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("objective", ["f1", "average_precision", "f1_macro"])
def test_optimize_for_every_kind_of_target(kind, objective):
    members = MEMBERS
    if kind == "multilabel":
        X, y = make_multilabel_classification(150, n_classes=3, random_state=0)
        members = MULTILABEL_MEMBERS[:2]
    else:
        X, y = make_data(2 if kind == "binary" else 4)
    vote = SoftVotingClassifier(members, weights="optimize", objective=objective, cv=3).fit(X, y)
    uniform = clone(vote).set_params(weights=None).fit(X, y)
    assert np.isfinite(vote.objective_value_)
    assert uniform.objective_value_ is None
    # what the uniform weights are worth, by the same held-out rows
    uniform._held_out.votes = uniform._held_out.votes.mean(axis=0, keepdims=True)
    value = uniform.set_params(weights="optimize").refit_decision().objective_value_
    assert vote.objective_value_ >= value


def test_set_weights_then_decide_again_without_refitting():
    X, y = make_data()
    vote = SoftVotingClassifier(MEMBERS, cv=3).fit(X, y)
    members = list(vote.estimators_)
    for weights in ([1, 2, 3], "optimize", None):
        vote.set_params(weights=weights)
        if weights is not None:
            with pytest.raises(ValueError, match="weights was set to"):
                vote.predict_proba(X)
        vote.refit_decision()
        fitted = SoftVotingClassifier(MEMBERS, cv=3, weights=weights).fit(X, y)
        assert_array_equal(vote.predict_proba(X), fitted.predict_proba(X))
        assert all(a is b for a, b in zip(vote.estimators_, members, strict=True))


def test_a_decision_search_votes_again_without_refitting():
    X, y = make_data()
    vote = SoftVotingClassifier(MEMBERS, cv=3)
    grid = {"logistic__C": [0.01, 1], "weights": [None, [1, 2, 3], "optimize"]}
    kwargs = {"cv": 3, "scoring": "average_precision"}
    expected = GridSearchCV(vote, grid, **kwargs).fit(X, y)
    search = DecisionGridSearchCV(vote, grid, decision_params=["weights"], **kwargs).fit(X, y)
    for key, values in expected.cv_results_.items():
        if "score" in key and "time" not in key:
            assert_array_equal(search.cv_results_[key], values)
    assert search.best_params_ == expected.best_params_


def test_optimize_after_a_fit_that_held_nothing_out_is_refused():
    X, y = make_data()
    vote = SoftVotingClassifier(MEMBERS).fit(X, y).set_params(weights="optimize")
    with pytest.raises(ValueError, match="set cv, for example cv=5, and fit again"):
        vote.refit_decision()


def test_frozen_and_prefit_members():
    X, y = make_data(n_samples=600)
    fitted = [(name, clone(member).fit(X[:300], y[:300])) for name, member in MEMBERS]
    expected = np.mean([member.predict_proba(X[300:]) for _, member in fitted], axis=0)
    frozen = [(name, FrozenEstimator(member)) for name, member in fitted]
    for vote in (
        SoftVotingClassifier(frozen),
        SoftVotingClassifier(fitted, cv="prefit"),
    ):
        vote.fit(X[300:], y[300:])
        assert_allclose(vote.predict_proba(X[300:]), expected)
        assert all(a.estimator is b for a, (_, b) in zip(vote.estimators_, fitted, strict=True))
    vote = SoftVotingClassifier(fitted, cv="prefit", weights="optimize").fit(X[300:], y[300:])
    y_score = vote.predict_proba(X[300:])[:, 1]
    assert vote.objective_value_ == pytest.approx(average_precision_score(y[300:], y_score))
    mixed = SoftVotingClassifier([frozen[0], MEMBERS[1]], weights="optimize", cv=3)
    mixed.fit(X[300:], y[300:])
    assert mixed.estimators_[0].estimator is fitted[0][1]


def test_a_frozen_member_that_knows_fewer_classes_in_another_order():
    X, y = make_data(3)

    class Reversed(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.inner_ = LogisticRegression().fit(X, y)
            self.classes_ = self.inner_.classes_[::-1]
            return self

        def predict_proba(self, X):
            return self.inner_.predict_proba(X)[:, ::-1]

    few = y != 1
    member = Reversed().fit(X[few], y[few])
    vote = SoftVotingClassifier([("few", FrozenEstimator(member)), MEMBERS[1]]).fit(X, y)
    proba = vote.predict_proba(X)
    of_few = member.inner_.predict_proba(X)
    expected = GaussianNB().fit(X, y).predict_proba(X)
    expected[:, [0, 2]] += of_few
    assert_allclose(proba, expected / 2)


def test_a_class_that_a_training_fold_lacks_has_no_votes_there():
    X, y = make_data(3, n_samples=120)
    y = np.sort(y)
    vote = SoftVotingClassifier(MEMBERS, weights="optimize", cv=KFold(3)).fit(X, y)
    assert_allclose(vote._held_out.votes.sum(axis=2), 1)
    first = slice(0, 40)
    lacking = np.setdiff1d(y, y[40:])
    assert np.all(vote._held_out.votes[:, first][:, :, lacking] == 0)


@pytest.mark.parametrize(
    "container", [np.asarray, pd.DataFrame, csr_array, csr_matrix, np.ndarray.tolist]
)
def test_multilabel_is_the_mean_of_the_label_probabilities(container):
    X, Y = make_multilabel_classification(120, n_classes=3, random_state=0)
    vote = SoftVotingClassifier(MULTILABEL_MEMBERS, weights=[1, 1, 2]).fit(X, container(Y))
    votes = [
        np.column_stack([p[:, 1] for p in clone(m).fit(X, Y).predict_proba(X)])
        for _, m in MULTILABEL_MEMBERS
    ]
    expected = np.average(votes, axis=0, weights=[1, 1, 2])
    proba = vote.predict_proba(X)
    assert_allclose(proba, expected)
    Y_pred = vote.predict(X)
    kind = np.ndarray if container is np.ndarray.tolist else type(container(Y))
    assert type(Y_pred) is kind
    dense = Y_pred.toarray() if hasattr(Y_pred, "toarray") else np.asarray(Y_pred)
    assert_array_equal(dense, proba >= 0.5)


def test_members_evenly_split_over_a_label_predict_it_and_a_scorer_sees_that():
    X, Y = make_multilabel_classification(60, n_classes=3, random_state=0)
    split = [
        (str(value), DummyClassifier(strategy="constant", constant=[value] * 3)) for value in (0, 1)
    ]
    vote = SoftVotingClassifier(split, weights="optimize", objective="f1_micro", cv=2)
    vote.fit(X, Y)
    assert_allclose(vote.predict_proba(X), 0.5)
    assert_array_equal(vote.predict(X), np.ones_like(Y))
    assert vote.objective_value_ == pytest.approx(f1_score(Y, vote.predict(X), average="micro"))


def test_multilabel_probabilities_out_of_fold():
    X, Y = make_multilabel_classification(60, n_classes=3, random_state=0)
    vote = SoftVotingClassifier([("a", KNeighborsClassifier()), ("b", KNeighborsClassifier(3))])
    proba = cross_val_predict(vote, X, Y, cv=KFold(2), method="predict_proba")
    assert_allclose(proba[30:], vote.fit(X[:30], Y[:30]).predict_proba(X[30:]))


def test_multilabel_frames_keep_names_and_index():
    X, Y = make_multilabel_classification(120, n_classes=3, random_state=0)
    X = pd.DataFrame(X, index=np.arange(120) + 7).add_prefix("x")
    Y = pd.DataFrame(Y, index=X.index, columns=["cat", "dog", "emu"])
    vote = SoftVotingClassifier(MULTILABEL_MEMBERS).fit(X, Y)
    Y_pred = vote.predict(X.iloc[:5])
    assert_array_equal(Y_pred.columns, ["cat", "dog", "emu"])
    assert_array_equal(Y_pred.index, X.index[:5])
    assert_array_equal(vote.label_names_, ["cat", "dog", "emu"])


def test_a_constant_label_is_predicted_as_its_value_with_a_warning():
    X, Y = make_multilabel_classification(120, n_classes=3, random_state=0)
    Y = pd.DataFrame(Y, columns=["cat", "dog", "emu"])
    Y["dog"] = 1
    vote = SoftVotingClassifier(MULTILABEL_MEMBERS[:2])
    with pytest.warns(UserWarning, match=r"Labels \['dog'\] have one value .* \[1\]"):
        vote.fit(X, Y)
    assert_array_equal(vote.predict(X)["dog"], 1)


def test_same_result_for_any_n_jobs_and_a_seed_for_unseeded_members():
    X, y = make_data()
    members = [("forest", RandomForestClassifier(5)), ("tree", DecisionTreeClassifier())]
    results = [
        SoftVotingClassifier(members, weights="optimize", cv=3, random_state=0, n_jobs=n_jobs)
        .fit(X, y)
        .predict_proba(X)
        for n_jobs in (None, 2)
    ]
    assert_array_equal(*results)


def test_sample_weight_reaches_members_and_objective():
    X, y = make_data()
    weight = np.random.RandomState(0).randint(1, 4, size=len(y))
    weighted = SoftVotingClassifier(MEMBERS[:2]).fit(X, y, sample_weight=weight)
    rows = np.repeat(np.arange(len(y)), weight)
    repeated = SoftVotingClassifier(MEMBERS[:2]).fit(X[rows], y[rows])
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-3)
    vote = SoftVotingClassifier(MEMBERS[:2], weights="optimize", cv=3)
    vote.fit(X, y, sample_weight=weight)
    held_out = vote._held_out
    y_score = np.tensordot(vote.weights_, held_out.votes, 1)[:, 1]
    assert vote.objective_value_ == pytest.approx(
        average_precision_score(held_out.y, y_score, sample_weight=held_out.weight)
    )


def test_metadata_is_routed_to_members_and_splitter():
    X, y = make_data()
    groups = np.arange(len(y)) // 3
    weight = np.linspace(0.5, 2, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        members = [
            ("weighted", LogisticRegression().set_fit_request(sample_weight=True)),
            ("plain", GaussianNB().set_fit_request(sample_weight=False)),
        ]
        vote = SoftVotingClassifier(members, weights="optimize", cv=GroupKFold(3))
        vote.fit(X, y, sample_weight=weight, groups=groups)
        with pytest.raises(TypeError, match="unexpected"):
            vote.fit(X, y, colour="red")
    expected = LogisticRegression().fit(X, y, sample_weight=weight)
    assert_allclose(vote.named_estimators_["weighted"].coef_, expected.coef_)
    assert_allclose(vote.named_estimators_["plain"].theta_, GaussianNB().fit(X, y).theta_)
    splits = GroupKFold(3).split(X, y, groups)
    assert_array_equal(vote._held_out.y, np.concatenate([y[test] for _, test in splits]))
    without_routing = SoftVotingClassifier(MEMBERS, weights="optimize", cv=GroupKFold(3))
    assert without_routing.fit(X, y, groups=groups).weights_.shape == (3,)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": [("svm", LinearSVC())]}, r"'svm' \(LinearSVC\) has no predict_proba"),
        ({"estimators": [("ridge", RidgeClassifier())]}, "CalibratedClassifierCV"),
        ({"estimators": []}, "non-empty list"),
        ({"weights": [1, 2]}, r"weights=\[1, 2\] must be None, 'optimize' or 3 numbers"),
        ({"weights": [1, -2, 1]}, "must be finite and not negative"),
        ({"weights": [0, 0, 0]}, "All weights are zero"),
        ({"weights": "best"}, "'weights' parameter of SoftVotingClassifier must be"),
        ({"weights": "optimize", "objective": "recal"}, "Unknown scorer 'recal'"),
        ({"weights": "optimize", "objective": "recall"}, "recall"),
        (
            {"weights": "optimize", "constraint": ("precision", 0.5)},
            "the scorer 'average_precision' chooses none",
        ),
        (
            {"weights": "optimize", "objective": "f1", "constraint": ("alerts_per_1000", -1.0)},
            "No weights of 3 members meet constraint",
        ),
        (
            {"weights": "optimize", "objective": lambda *_: np.nan},
            "No weights of 3 members make .* a finite number on 300 held-out rows",
        ),
        ({"weights": "optimize", "pos_label": 7}, r"pos_label=7 is not a label of y"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    X, y = make_data()
    with pytest.raises(ValueError, match=message):
        SoftVotingClassifier(**{"estimators": MEMBERS, **params}).fit(X, y)


def test_bad_targets_are_refused():
    X, y = make_data()
    vote = SoftVotingClassifier(MEMBERS[1:], weights="optimize")
    with pytest.raises(ValueError, match=r"y holds one class only, .* weights cannot be chosen"):
        vote.fit(X, np.ones_like(y))
    with pytest.raises(ValueError, match="Unknown label type"):
        vote.fit(X, X[:, 0])
    member = FrozenEstimator(GaussianNB().fit(X, y))
    with pytest.raises(ValueError, match=r"knows the classes \[0, 1\], .* none is common"):
        SoftVotingClassifier([("nb", member)]).fit(X, np.array(["a", "b"])[y])
    with pytest.raises(ValueError, match="Extra parameters passed are"):
        SoftVotingClassifier(MEMBERS).fit(X, y, colour=y)


def test_a_fit_that_fails_leaves_the_one_before_or_none():
    X, y = make_data()

    class Failing(GaussianNB):
        def fit(self, X, y):
            raise RuntimeError("interrupted")

    vote = SoftVotingClassifier([("bayes", Failing())])
    with pytest.raises(RuntimeError, match="interrupted"):
        vote.fit(X, y)
    with pytest.raises(NotFittedError):
        vote.predict(X)
    vote.set_params(estimators=MEMBERS).fit(X, y)
    expected = vote.predict(X)
    with pytest.raises(RuntimeError, match="interrupted"):
        vote.set_params(estimators=[("bayes", Failing())]).fit(X, np.array(["well", "sick"])[y])
    assert_array_equal(vote.predict(X), expected)


def test_label_names_are_those_of_the_last_fit():
    X, Y = make_multilabel_classification(100, n_labels=2, random_state=0)
    vote = SoftVotingClassifier(MULTILABEL_MEMBERS[1:2]).fit(X, pd.DataFrame(Y, columns=[*"abcde"]))
    assert vote.label_names_.tolist() == [*"abcde"]
    assert not hasattr(vote.fit(X, Y), "label_names_")


@pytest.mark.parametrize("weights", [None, "optimize"])
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_our_multilabel_classifiers_vote(container, weights):
    X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    members = [
        ("relevance", BinaryRelevance(GaussianNB())),
        ("chain", ClassifierChain(GaussianNB())),
        ("powerset", LabelPowerset(GaussianNB(), min_count=3, n_subsets=1)),
        ("rakel", RAkELOverlapping(GaussianNB(), random_state=0)),
        ("pruned", EnsembleOfPrunedSets(GaussianNB(), n_estimators=3, random_state=0)),
    ]
    vote = SoftVotingClassifier(members, weights=weights, cv=2 if weights else None)
    vote.fit(X[:150], container(Y[:150]))
    proba = [clone(m).fit(X[:150], Y[:150]).predict_proba(X[150:]) for _, m in members]
    expected = np.average(proba, axis=0, weights=vote.weights_)
    assert_allclose(vote.predict_proba(X[150:]), expected)
    predicted = vote.predict(X[150:])
    assert type(predicted) is type(container(Y))
    predicted = predicted.toarray() if container is csr_array else np.asarray(predicted)
    assert_array_equal(predicted, expected >= 0.5)


def test_our_frozen_multilabel_classifiers_vote_on_sparse_labels():
    X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    fitted = [
        (name, FrozenEstimator(model.fit(X[:100], csr_array(Y[:100]))))
        for name, model in [
            ("br", BinaryRelevance(GaussianNB())),
            ("lp", LabelPowerset(GaussianNB())),
        ]
    ]
    vote = SoftVotingClassifier(fitted).fit(X[100:], csr_array(Y[100:]))
    expected = np.mean([model.predict_proba(X) for _, model in fitted], axis=0)
    assert_allclose(vote.predict_proba(X), expected)


class Untagged(BaseEstimator, ClassifierMixin):
    """Bases in the order of scikit-multilearn's classes, which hides the tags of a classifier."""

    def fit(self, X, y):
        self.share_ = np.mean(y, axis=0)
        return self

    def predict_proba(self, X):
        return np.tile(self.share_, (len(X), 1))


def test_a_classifier_without_its_tag_is_a_member():
    X, Y = make_multilabel_classification(50, random_state=0)
    vote = SoftVotingClassifier([("untagged", Untagged())]).fit(X, Y)
    assert_allclose(vote.predict_proba(X), np.tile(Y.mean(axis=0), (len(X), 1)))
    with pytest.raises(ValueError, match="The estimator LinearRegression should be a classifier"):
        SoftVotingClassifier([("untagged", Untagged()), ("other", LinearRegression())]).fit(X, Y)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_unknown_labels_are_refused_by_name(container):
    X, Y = make_multilabel_classification(60, n_classes=3, random_state=0)
    Y = Y.astype(float)
    Y[3, 1] = np.nan
    votes = SoftVotingClassifier([("br", BinaryRelevance(LogisticRegression()))])
    with pytest.raises(ValueError, match=r"NaN: 1 of 180 labels .* SoftVotingClassifier does not"):
        votes.fit(X, container(Y))
