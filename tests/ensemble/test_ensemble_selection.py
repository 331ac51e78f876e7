import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import EnsembleSelectionClassifier
from skrecall.ensemble._ensemble_selection import greedy_selection
from skrecall.metrics import recall_at_precision
from skrecall.model_selection import DecisionGridSearchCV, MultilabelStratifiedKFold

LIBRARY = [
    ("logistic", LogisticRegression()),
    ("bayes", GaussianNB()),
    ("knn", KNeighborsClassifier(3)),
    *((f"tree {d}", DecisionTreeClassifier(max_depth=d, random_state=0)) for d in (2, 4, 8)),
]


class Column(ClassifierMixin, BaseEstimator):
    """Answers with a column of X: the library of a simulation costs no fit."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, self.column], X[:, self.column]])


def make_data(n_samples=300, n_classes=2):
    return make_classification(
        n_samples,
        8,
        n_informative=5,
        n_classes=n_classes,
        weights=[0.8] if n_classes == 2 else None,
        flip_y=0.1,
        random_state=0,
    )


def noisy_scores(n_samples, n_positives, n_members, seed):
    """Return members of the same worth, whose errors are independent."""
    rng = np.random.RandomState(seed)
    y = np.zeros(n_samples, dtype=int)
    y[:n_positives] = 1
    return 1 / (1 + np.exp(-(y[:, None] + 2 * rng.standard_normal((n_samples, n_members))))), y


def select_by_a_plain_loop(votes, value_of, n_init, n_rounds):
    """Return the picks and values of the definition: means over lists of members."""
    alone = [value_of(vote) for vote in votes]
    order = sorted(range(len(votes)), key=lambda m: (-alone[m], m))
    picks, values = [], []
    for done in range(n_rounds):
        best = None
        for member in [order[done]] if done < min(n_init, len(votes)) else order:
            value = value_of(np.mean([votes[m] for m in [*picks, member]], axis=0))
            if best is None or value > best[0] + 1e-12:
                best = value, member
        values.append(best[0])
        picks.append(best[1])
    return picks, values


@pytest.mark.parametrize("n_init", [1, 3, 99])
@pytest.mark.parametrize("seed", range(3))
def test_selection_is_that_of_a_plain_loop(n_init, seed):
    scores, y = noisy_scores(200, 40, 5, seed)
    votes = np.stack([np.column_stack([1 - s, s]) for s in scores.T])

    def value_of(mean):
        return round(average_precision_score(y, mean[:, 1]), 10)

    alone = np.array([value_of(vote) for vote in votes])
    ranking = np.argsort(-alone, kind="stable")
    picks, values = greedy_selection(
        votes, value_of, ranking, n_init=n_init, n_rounds=12, n_iter_no_change=None
    )
    expected_picks, expected_values = select_by_a_plain_loop(votes, value_of, n_init, 12)
    assert_array_equal(picks, expected_picks)
    assert_allclose(values, expected_values)


@pytest.mark.parametrize("objective", ["average_precision", "recall_at_precision"])
def test_the_path_is_measured_on_out_of_fold_probabilities(objective):
    X, y = make_data()
    params = None if objective == "average_precision" else {"min_precision": 0.7}
    cv = KFold(4, shuffle=True, random_state=0)
    selection = EnsembleSelectionClassifier(
        LIBRARY, objective=objective, objective_params=params, n_rounds=15, cv=cv
    ).fit(X, y)
    votes = np.stack(
        [cross_val_predict(m, X, y, cv=cv, method="predict_proba")[:, 1] for _, m in LIBRARY]
    )

    def value(weights):
        y_score = np.tensordot(weights, votes, 1)
        if params is None:
            return average_precision_score(y, y_score)
        return recall_at_precision(y, y_score, min_precision=0.7)

    assert_allclose(selection.member_values_, [value(one) for one in np.eye(len(LIBRARY))])
    path = selection.selection_path_
    names = [name for name, _ in LIBRARY]
    picks = np.array([names.index(member) for member in path["member"]])
    assert_array_equal(path["round"], np.arange(15))
    for r in range(15):
        counts = np.bincount(picks[: r + 1], minlength=len(LIBRARY))
        assert path["objective_value"][r] == pytest.approx(value(counts / (r + 1)))
    n_kept = int(path["kept"].sum())
    assert n_kept == path["objective_value"].argmax() + 1
    assert_allclose(
        selection.weights_, np.bincount(picks[:n_kept], minlength=len(LIBRARY)) / n_kept
    )
    assert selection.objective_value_ == path["objective_value"].max()
    expected = [clone(m).fit(X, y).predict_proba(X) for _, m in LIBRARY]
    assert_allclose(
        selection.predict_proba(X), np.average(expected, axis=0, weights=selection.weights_)
    )


@pytest.mark.parametrize("n_bags", [None, 5])
@pytest.mark.parametrize("seed", range(3))
def test_never_worse_than_the_best_member_on_the_rows_searched(n_bags, seed):
    X, y = noisy_scores(120, 12, 8, seed)
    library = [(str(k), Column(k)) for k in range(8)]
    selection = EnsembleSelectionClassifier(library, n_rounds=10, n_bags=n_bags, random_state=seed)
    selection.fit(X, y)
    assert selection.objective_value_ >= selection.member_values_.max()
    assert selection.weights_.sum() == pytest.approx(1)


def test_a_bad_average_of_bags_gives_way_to_the_best_member():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [80, 20])
    X = np.column_stack([0.1 + 0.8 * y, *rng.uniform(size=(7, 100))])
    library = [(str(k), Column(k)) for k in range(8)]
    selection = EnsembleSelectionClassifier(library, n_bags=3, max_members=1, random_state=1)
    message = r"average of 3 bags .* less than 1 of '0' alone"
    with pytest.warns(UserWarning, match=message) as record:
        selection.fit(X, y)
    assert record[0].filename == __file__
    assert_array_equal(selection.weights_, np.eye(8)[0])
    assert selection.objective_value_ == 1


def test_equal_picks_go_to_the_better_then_the_earlier_member_and_fewer_picks_win():
    X, y = make_data()
    twins = [("a", GaussianNB()), ("b", GaussianNB()), ("c", DummyClassifier(strategy="uniform"))]
    selection = EnsembleSelectionClassifier(twins, n_rounds=6, cv=3).fit(X, y)
    assert_array_equal(selection.selection_path_["member"], ["a"] * 6)
    assert_array_equal(selection.selection_path_["kept"], [True] + [False] * 5)
    assert_array_equal(selection.weights_, [1, 0, 0])


def test_selection_stops_after_rounds_without_change():
    X, y = make_data()
    library = [("a", GaussianNB()), ("c", DummyClassifier(strategy="uniform"))]
    selection = EnsembleSelectionClassifier(library, n_iter_no_change=4, cv=3).fit(X, y)
    assert len(selection.selection_path_) == 5
    selection.set_params(n_init=2, n_iter_no_change=1).refit_decision()
    assert len(selection.selection_path_) == 3  # the start is no search, however bad it is


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("objective", ["f1", "average_precision", "f1_macro"])
def test_every_kind_of_target(kind, objective):
    library = LIBRARY[1:4]
    if kind == "multilabel":
        X, y = make_multilabel_classification(150, n_classes=3, random_state=0)
        library = [
            ("knn", KNeighborsClassifier()),
            ("forest", RandomForestClassifier(10, random_state=0)),
        ]
    else:
        X, y = make_data(n_classes=2 if kind == "binary" else 4)
    selection = EnsembleSelectionClassifier(library, objective=objective, n_rounds=8, cv=3)
    selection.fit(X, y)
    assert selection.objective_value_ >= selection.member_values_.max()
    assert selection.predict(X).shape == y.shape


def test_labels_are_stratified_and_a_scorer_sees_the_mean():
    X, Y = make_multilabel_classification(150, n_classes=3, random_state=0)
    library = [("knn", KNeighborsClassifier()), ("tree", DecisionTreeClassifier(max_depth=3))]
    selection = EnsembleSelectionClassifier(
        library, objective="f1_micro", n_rounds=6, cv=3, random_state=0
    ).fit(X, pd.DataFrame(Y, columns=["a", "b", "c"]))
    held_out = np.concatenate([rows for _, rows in MultilabelStratifiedKFold(3).split(X, Y)])
    assert_array_equal(selection._held_out.y, Y[held_out])
    mean = np.tensordot(selection.weights_, selection._held_out.votes, 1)
    assert selection.objective_value_ == pytest.approx(
        f1_score(Y[held_out], mean >= 0.5, average="micro")
    )
    assert selection.predict(X).columns.tolist() == ["a", "b", "c"]


def test_a_decision_search_selects_again_without_refitting():
    X, y = make_data()
    selection = EnsembleSelectionClassifier(LIBRARY[1:4], cv=3, random_state=0)
    grid = {"n_rounds": [1, 6], "objective": ["average_precision", "f1"], "n_bags": [None, 2]}
    selection.set_params(max_members=1.0)
    kwargs = {"cv": 2, "scoring": "average_precision"}
    expected = GridSearchCV(selection, grid, **kwargs).fit(X, y)
    search = DecisionGridSearchCV(selection, grid, decision_params=list(grid), **kwargs).fit(X, y)
    assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    selection.fit(X, y).set_params(n_rounds=3)
    with pytest.raises(ValueError, match="n_rounds was set to 3"):
        selection.predict(X)


def test_same_bags_and_members_for_any_n_jobs():
    X, y = make_data()
    members = [(str(k), RandomForestClassifier(3, max_depth=k)) for k in (2, 3, 4)]
    results = [
        EnsembleSelectionClassifier(
            members, n_bags=3, max_members=2, cv=3, random_state=0, n_jobs=n_jobs
        )
        .fit(X, y)
        .predict_proba(X)
        for n_jobs in (None, 2)
    ]
    assert_array_equal(*results)


def optimism(n_positives, n_bags=None):
    """Return by how much the objective on the rows selected on exceeds that of new rows."""
    library = [(str(k), Column(k)) for k in range(30)]
    gaps = []
    for seed in range(8):
        X, y = noisy_scores(10 * n_positives, n_positives, 30, seed)
        selection = EnsembleSelectionClassifier(
            library, n_rounds=10, n_bags=n_bags, cv="prefit", random_state=0
        )
        selection.set_params(estimators=[(n, m.fit(X, y)) for n, m in library]).fit(X, y)
        X_new, y_new = noisy_scores(4000, 400, 30, 100 + seed)
        y_score = selection.predict_proba(X_new)[:, 1]
        gaps.append(selection.objective_value_ - average_precision_score(y_new, y_score))
    return np.mean(gaps)


def test_selection_overfits_where_positives_are_few_and_bags_bound_it():
    # the figures of the Notes
    assert optimism(10) == pytest.approx(0.55, abs=0.05)
    assert optimism(200) == pytest.approx(0.12, abs=0.03)
    assert optimism(10, n_bags=10) == pytest.approx(0.32, abs=0.05)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_rounds": 0}, "'n_rounds' parameter of EnsembleSelectionClassifier must be"),
        ({"n_bags": 2, "max_members": 7}, "max_members=7 of 6 members cannot be drawn"),
        (
            {"objective": "f1", "constraint": ("alerts_per_1000", -1.0)},
            "No weights of 6 members meet constraint",
        ),
        ({"objective": lambda *_: np.nan}, "No weights of 6 members make .* a finite number"),
        ({"constraint": ("precision", 0.5)}, "the scorer 'average_precision' chooses none"),
        ({"pos_label": 7}, "pos_label=7 is not a label of y"),
        ({"cv": [(np.arange(200), np.arange(150, 200))]}, "hold out 50 rows that they fit on"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    X, y = make_data()
    with pytest.raises(ValueError, match=message):
        EnsembleSelectionClassifier(LIBRARY, **{"cv": 2, **params}).fit(X, y)


def test_one_positive_class_is_refused_where_all_count():
    X, y = make_data(n_classes=4)
    selection = EnsembleSelectionClassifier(LIBRARY[1:3], cv=2, pos_label=2, n_rounds=2)
    with pytest.raises(ValueError, match="names one of 4 classes, and the scorer 'f1_macro' meas"):
        selection.set_params(objective="f1_macro").fit(X, y)
    selection.set_params(objective="f1").fit(X, y)
    X, Y = make_multilabel_classification(150, n_classes=3, random_state=0)
    with pytest.raises(ValueError, match="y holds several labels, which all count: leave it None"):
        selection.set_params(estimators=[("knn", KNeighborsClassifier())]).fit(X, Y)


def test_folds_of_one_class_are_refused_with_the_number_of_rows_there_are():
    X, y = make_data()
    y = np.arange(len(y)) == 3
    folds = KFold(4)
    with pytest.raises(
        ValueError, match=r"1 of 4 folds leave .* of class True there is 1 in \d+ r"
    ):
        EnsembleSelectionClassifier([("knn", KNeighborsClassifier())], cv=folds).fit(X, y)


def test_one_class_is_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="y holds one class only"):
        EnsembleSelectionClassifier(LIBRARY[1:3]).fit(X, np.ones_like(y))
