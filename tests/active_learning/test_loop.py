from itertools import islice

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import average_precision_score

from skrecall.active_learning import (
    active_learning_loop,
    consensus_kl_divergence,
    entropy_uncertainty,
    expected_recall_gain,
    k_center_greedy,
    multilabel_uncertainty,
)
from skrecall.multilabel import BinaryRelevance

one_value = pytest.mark.filterwarnings("ignore:Labels .* have one value each:UserWarning")


def make_data(n_samples=200, prevalence=0.15):
    return make_classification(
        n_samples, 5, weights=[1 - prevalence], class_sep=1.5, flip_y=0, random_state=0
    )


def both_classes(y):
    return np.r_[np.flatnonzero(y == 1)[:3], np.flatnonzero(y == 0)[:3]]


@pytest.mark.parametrize("query", ["entropy", "recall_gain", "margin", "least_confidence"])
def test_rounds_are_those_of_a_plain_loop(query):
    X, y = make_data()
    labelled = both_classes(y).tolist()
    rounds = active_learning_loop(
        LogisticRegression(), X, y, query=query, initial=labelled, batch_size=4, n_rounds=3
    )
    for number, state in enumerate(rounds):
        assert state.number == number
        assert_array_equal(state.labelled, labelled)
        assert_array_equal(state.y_labelled, y[labelled])
        assert state.n_positives == y[labelled].sum()
        model = LogisticRegression().fit(X[labelled], y[labelled])
        assert_allclose(state.estimator.coef_, model.coef_)
        if number == 3:
            assert state.query == "none"
            assert len(state.queried) == 0
            break
        pool = np.setdiff1d(np.arange(len(X)), labelled)
        proba = model.predict_proba(X[pool])
        score = proba[:, 1] if query == "recall_gain" else entropy_uncertainty(proba)
        assert_array_equal(state.queried, pool[np.argsort(-score)[:4]])
        assert state.query == query
        labelled += state.queried.tolist()
    assert number == 3
    assert next(rounds, None) is None


def test_all_rows_are_labelled_once_in_the_end():
    X, y = make_data(60)
    for query in ("random", "k_center", "entropy"):
        *_, last = active_learning_loop(
            LogisticRegression(), X, y, query=query, batch_size=8, random_state=0
        )
        assert_array_equal(np.sort(last.labelled), np.arange(60))
        assert_array_equal(last.y_labelled, y[last.labelled])


def test_an_oracle_is_asked_only_for_rows_that_were_queried_and_late():
    X, y = make_data()
    asked = []

    def oracle(rows):
        asked.append(rows.tolist())
        return y[rows]

    rounds = active_learning_loop(
        LogisticRegression(), X, oracle, initial=both_classes(y), batch_size=5
    )
    assert asked == []
    first = next(rounds)
    assert asked == [both_classes(y).tolist()]
    second = next(rounds)
    assert asked[1:] == [first.queried.tolist()]
    assert_array_equal(second.labelled, np.r_[both_classes(y), first.queried])


def test_while_one_class_is_known_the_cold_start_asks_and_says_so():
    X, y = make_data()
    negatives = np.flatnonzero(y == 0)[:5]
    pool = np.setdiff1d(np.arange(len(X)), negatives)
    state = next(active_learning_loop(LogisticRegression(), X, y, initial=negatives))
    assert state.estimator is None
    assert state.n_positives == 0
    assert state.query == "k_center"
    expected = pool[k_center_greedy(X[pool], 10, X_labelled=X[negatives])]
    assert_array_equal(state.queried, expected)
    rounds = active_learning_loop(
        LogisticRegression(), X, y, initial=negatives, cold_start="random", random_state=0
    )
    states = list(islice(rounds, 12))
    assert states[0].query == "random"
    assert states[-1].query == "entropy"
    assert states[-1].estimator is not None


@one_value
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
@pytest.mark.parametrize("query", ["entropy", "recall_gain"])
def test_several_labels(container, query):
    X, Y = make_multilabel_classification(120, 6, n_classes=4, random_state=0)
    model = BinaryRelevance(LogisticRegression(max_iter=1000))
    rounds = active_learning_loop(
        model, X, container(Y), query=query, initial=np.arange(20), n_rounds=2, batch_size=5
    )
    first, second, last = list(rounds)
    assert type(last.y_labelled) is type(container(Y))
    dense = last.y_labelled.toarray() if issparse(last.y_labelled) else np.asarray(last.y_labelled)
    assert_array_equal(dense, Y[last.labelled])
    assert_array_equal(last.n_positives, dense.sum(axis=0))
    proba = model.fit(X[:20], Y[:20]).predict_proba(X[20:])
    score = (
        multilabel_uncertainty(proba)
        if query == "entropy"
        else expected_recall_gain(proba, Y[:20].sum(axis=0))
    )
    assert_array_equal(first.queried, 20 + np.argsort(-score)[:5])
    assert len(second.labelled) == 25


def test_no_label_that_varies_is_a_cold_start_too():
    X, Y = make_multilabel_classification(60, 6, n_classes=3, random_state=0)
    rows = np.flatnonzero((Y[0] == Y).all(axis=1))
    state = next(active_learning_loop(BinaryRelevance(LogisticRegression()), X, Y, initial=rows))
    assert state.estimator is None
    assert state.query == "k_center"


def test_frames_reach_the_estimator_and_a_committee_can_ask():
    X, y = make_data()
    frame = pd.DataFrame(X).add_prefix("x")
    labels = pd.Series(y, index=frame.index + 5)

    def disagreement(forest, X_pool):
        assert isinstance(X_pool, pd.DataFrame)
        return consensus_kl_divergence(
            [tree.predict_proba(X_pool.to_numpy()) for tree in forest.estimators_]
        )

    rounds = active_learning_loop(
        RandomForestClassifier(5),
        frame,
        labels,
        query=disagreement,
        initial=both_classes(y),
        n_rounds=2,
        random_state=0,
    )
    states = list(rounds)
    assert states[0].query == "disagreement"
    assert_array_equal(states[0].estimator.feature_names_in_, frame.columns)
    assert isinstance(states[-1].y_labelled, pd.Series)
    assert_array_equal(states[-1].y_labelled, y[states[-1].labelled])


class MeanGrey(ClassifierMixin, BaseEstimator):
    """A classifier of images by their mean."""

    def fit(self, X, y):
        assert X.ndim == 4
        self.inner_ = LogisticRegression().fit(X.mean(axis=(1, 2, 3))[:, None], y)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X.mean(axis=(1, 2, 3))[:, None])


@pytest.mark.parametrize("selection", ["top", "k_center", "ranked"])
def test_images_and_every_selection(selection):
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [50, 10])
    images = rng.uniform(size=(60, 1, 3, 3)) + 0.3 * y[:, None, None, None]
    rounds = active_learning_loop(
        MeanGrey(), images, y, initial=[0, 59], selection=selection, batch_size=4, n_rounds=3
    )
    *_, last = rounds
    assert len(np.unique(last.labelled)) == 14


def test_distances_are_measured_on_the_embedding():
    X, y = make_data()
    embedding = X[:, :1]
    state = next(
        active_learning_loop(
            LogisticRegression(), X, y, query="k_center", initial=[0, 1], embedding=embedding
        )
    )
    expected = k_center_greedy(embedding[2:], 10, X_labelled=embedding[:2])
    assert_array_equal(state.queried, 2 + expected)


def test_the_same_seed_asks_for_the_same_rows():
    X, y = make_data()

    def asked(seed):
        rounds = active_learning_loop(
            RandomForestClassifier(5), X, y, query="margin", n_rounds=4, random_state=seed
        )
        return [state.queried.tolist() for state in rounds]

    assert asked(0) == asked(0)
    assert asked(0) != asked(1)


def test_rare_positives_are_found_with_fewer_labels_than_at_random():
    """The claim: on separable data of 3 % positives, certainty finds several times as many."""
    found = {"random": [], "recall_gain": []}
    for seed in range(4):
        X, y = make_classification(
            1000, 8, n_informative=4, weights=[0.97], class_sep=1.5, flip_y=0, random_state=seed
        )
        for query, counts in found.items():
            *_, last = active_learning_loop(
                LogisticRegression(solver="newton-cholesky", class_weight="balanced"),
                X,
                y,
                query=query,
                initial=20,
                n_rounds=8,
                random_state=seed,
            )
            counts.append(last.n_positives)
    assert np.mean(found["recall_gain"]) > 3 * np.mean(found["random"])


def test_more_than_two_classes():
    X, y = make_classification(200, 6, n_informative=4, n_classes=3, random_state=0)
    model, initial = LogisticRegression(max_iter=1000), np.arange(30)
    state = next(active_learning_loop(model, X, y, initial=initial))
    assert state.n_positives is None
    state = next(
        active_learning_loop(model, X, y, initial=initial, query="recall_gain", pos_label=2)
    )
    assert state.n_positives == np.sum(y[:30] == 2)
    proba = model.fit(X[:30], y[:30]).predict_proba(X[30:])[:, 2]
    assert_array_equal(state.queried, 30 + np.argsort(-proba)[:10])
    with pytest.raises(ValueError, match=r"3 classes, \[0, 1, 2\]: name the one to find"):
        next(active_learning_loop(model, X, y, initial=initial, query="recall_gain"))


def test_uncertainty_learns_as_much_from_fewer_labels():
    X, y = make_classification(2000, 10, n_informative=3, flip_y=0, random_state=1)
    X_test, y_test = X[1000:], y[1000:]
    ap = {}
    for query in ("random", "entropy"):
        rounds = active_learning_loop(
            RandomForestClassifier(30), X[:1000], y[:1000], query=query, n_rounds=8, random_state=0
        )
        *_, last = rounds
        proba = last.estimator.predict_proba(X_test)[:, 1]
        ap[query] = average_precision_score(y_test, proba)
    assert ap["entropy"] > ap["random"]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"query": "entropie"}, "query='entropie' must be one of 'random', 'k_center'"),
        ({"selection": "best"}, "selection='best' must be one of"),
        ({"cold_start": "entropy"}, "cold_start='entropy' must be one of"),
        ({"initial": 999}, "initial=999 of 200 rows cannot be drawn"),
        ({"initial": [3, 3]}, "must be a number of rows, or different row indices from 0 to 199"),
        ({"initial": [500]}, "different row indices from 0 to 199"),
        ({"batch_size": 0}, "batch_size=0 must be a whole number"),
        ({"embedding": np.ones((3, 1))}, "X has 200 rows and embedding 3"),
        ({"initial": np.arange(200) < 5}, r"initial=array\(.*\.\.\..*\) must be a number of rows"),
        ({"initial": True}, "initial=True must be a whole number"),
        ({"confidence": 1.0}, "confidence=1.0 is not a share"),
        ({"y": [0, 1]}, "X has 200 rows and y 2"),
    ],
)
def test_bad_input_is_refused_at_once(kwargs, message):
    X, y = make_data()
    with pytest.raises(ValueError, match=message):
        active_learning_loop(LogisticRegression(), **{"X": X, "y": y, **kwargs})


def test_an_estimator_without_probabilities_needs_a_query_of_its_own():
    X, y = make_data()
    with pytest.raises(ValueError, match="needs predict_proba, and RidgeClassifier has none: wrap"):
        active_learning_loop(RidgeClassifier(), X, y)
    rounds = active_learning_loop(
        RidgeClassifier(),
        X,
        y,
        query=lambda model, rows: -np.abs(model.decision_function(rows)),
        initial=both_classes(y),
    )
    assert len(next(rounds).queried) == 10


def test_what_a_query_or_an_oracle_returns_is_checked():
    X, y = make_data()
    with pytest.raises(ValueError, match="y was asked for 6 labels and returned 2"):
        next(
            active_learning_loop(LogisticRegression(), X, lambda _: [0, 1], initial=both_classes(y))
        )
    kwargs = {"initial": both_classes(y)}
    with pytest.raises(ValueError, match="<lambda> returned 2 scores for 194 rows"):
        next(active_learning_loop(LogisticRegression(), X, y, query=lambda *_: [0, 1], **kwargs))
    with pytest.raises(ValueError, match="The answer of <lambda> contains NaN"):
        next(
            active_learning_loop(
                LogisticRegression(), X, y, query=lambda _, rows: rows[:, 0] * np.nan, **kwargs
            )
        )


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([None], "returned 1: it must return one for each index"),
        ([[0, 1, 0, None]], "y contains NaN: 1 of 4 labels are missing"),
        ([[0, 1, 0.5, 1]], "y holds continuous values"),
        (
            [[0, 1, 0, 1], list("abab")],
            "returned labels of ndarray, numbers, then of ndarray, words",
        ),
        ([[0, 1, 0, 1], np.eye(4, dtype=int)], "numbers, then of ndarray, 4 columns"),
        (
            [pd.DataFrame(np.eye(4, dtype=int), columns=list(names)) for names in ("abcd", "abce")],
            "columns .*'d'., then of a DataFrame with columns .*'e'",
        ),
    ],
)
def test_an_oracle_must_go_on_as_it_began(answers, message):
    X, _ = make_data()
    answers = iter(answers)
    rounds = active_learning_loop(
        BinaryRelevance(LogisticRegression()),
        X,
        lambda _: next(answers),
        initial=4,
        batch_size=4,
        random_state=0,
    )
    with pytest.raises(ValueError, match=message):
        next(rounds), next(rounds)


def test_while_no_positive_is_known_recall_gain_is_a_cold_start():
    """Every row is then as good as any other, and a random row would be called the best."""
    X, y = make_data()
    y = np.where(X[:, 0] > np.quantile(X[:, 0], 0.99), "rare", np.where(y == 1, "b", "a"))
    initial = np.r_[np.flatnonzero(y == "a")[:3], np.flatnonzero(y == "b")[:3]]
    kwargs = {"query": "recall_gain", "initial": initial, "pos_label": "rare"}
    queries = []
    for state in active_learning_loop(LogisticRegression(), X, y, **kwargs):
        queries.append(state.query)
        assert state.estimator is not None
        assert state.n_positives or queries[-1] == "k_center"
    assert queries[0] == "k_center"
    assert queries[-2] == "recall_gain"


@pytest.mark.parametrize(
    ("seen", "n_positives"), [([0] * 4, 0), ([1] * 4, 4), ([-1] * 4, 0), ([2] * 4, None)]
)
def test_one_class_says_how_many_positives_only_where_its_name_does(seen, n_positives):
    X, _ = make_data()
    kwargs = {"initial": 4, "random_state": 0}
    state = next(active_learning_loop(LogisticRegression(), X, lambda _: seen, **kwargs))
    assert state.n_positives == n_positives
    words = np.array(list("yyyy"))
    state = next(active_learning_loop(LogisticRegression(), X, lambda _: words, **kwargs))
    assert state.n_positives is None
    kwargs["pos_label"] = "y"
    state = next(active_learning_loop(LogisticRegression(), X, lambda _: words, **kwargs))
    assert state.n_positives == 4


def test_errors_from_inside_say_what_to_do_in_the_loop():
    X, y = make_data()
    kwargs = {"initial": both_classes(y)}
    smote = make_pipeline(SMOTE(k_neighbors=5), LogisticRegression())
    with pytest.raises(ValueError, match=r"n_neighbors(.|\n)*on the 5 rows labelled so far"):
        next(active_learning_loop(smote, X, y, initial=both_classes(y)[1:]))
    texts = [f"row {i}" for i in range(len(X))]
    with pytest.raises(ValueError, match=r"convert string(.|\n)*pass finite numbers as embedding"):
        next(active_learning_loop(LogisticRegression(), texts, np.zeros(len(X))))
    Y = np.column_stack([y, 1 - y])
    labels = BinaryRelevance(LogisticRegression())
    with pytest.raises(ValueError, match=r"pos_label=1 names a class of a target of one dimension"):
        next(active_learning_loop(labels, X, Y, pos_label=1, **kwargs))
