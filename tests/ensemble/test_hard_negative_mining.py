import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import HardNegativeMiningClassifier
from skrecall.ensemble._hard_negative_mining import population_weights
from skrecall.threshold import PriorCorrectedClassifier, RecallThresholdClassifier


@pytest.fixture(scope="module")
def data():
    return make_classification(2000, 6, weights=[0.95], class_sep=0.7, random_state=0)


def mining(estimator=None, **params):
    estimator = LogisticRegression() if estimator is None else estimator
    return HardNegativeMiningClassifier(estimator, **{"random_state": 0, **params})


def plain_loop(
    model,
    X,
    y,
    chosen,
    *,
    n_random,
    max_negatives,
    max_new,
    threshold,
    max_rounds,
    random_share=None,
):
    """The loop from its definition, with all rows in memory; returns its rounds."""
    positives, negatives = np.flatnonzero(y == 1), np.flatnonzero(y == 0).tolist()
    chosen, random_ones, rounds = list(chosen), set(list(chosen)[:n_random]), []
    for i in range(max_rounds):
        rows = [*positives, *chosen]
        score = clone(model).fit(X[rows], y[rows]).predict_proba(X)[:, 1]
        hard = [row for row in negatives if score[row] >= threshold and row not in chosen]
        hard.sort(key=lambda row: -score[row])
        recall = np.mean(score[positives] >= threshold)
        top = max(score[row] for row in negatives if row not in chosen)
        rounds.append((i + 1, len(chosen), len(hard), top, recall))
        if not hard or i + 1 == max_rounds:
            break
        mined = [row for row in chosen if row not in random_ones] + hard[:max_new]
        mined.sort(key=lambda row: -score[row])
        mined = mined[: max_negatives - len(random_ones)]
        if set(mined) <= set(chosen):
            break
        chosen = [*random_ones, *mined]
    return chosen, rounds


@pytest.mark.parametrize(
    "params",
    [
        {"max_negatives": 200, "max_new": 20},
        {"max_negatives": 60, "max_new": 15, "threshold": 0.3, "random_share": 0.0},
        {"max_negatives": 60, "max_new": 50, "threshold": 0.2, "max_rounds": 4},
        {"max_negatives": 500, "max_new": 100, "threshold": 0.4, "random_share": 0.1},
    ],
)
@pytest.mark.parametrize("block_size", [None, 37])
def test_rounds_equal_a_plain_loop(data, params, block_size):
    X, y = data
    first = mining(max_rounds=1, **{k: v for k, v in params.items() if k != "max_rounds"}).fit(X, y)
    fitted = mining(block_size=block_size, **params).fit(X, y)
    expected, rounds = plain_loop(
        LogisticRegression(),
        X,
        y,
        first.negative_indices_,
        n_random=first.n_random_,
        **{"threshold": 0.5, "max_rounds": 10, **params},
    )
    assert len(rounds) > 1
    assert set(fitted.negative_indices_.tolist()) == set(expected)
    assert_allclose(fitted.history_.to_numpy(), rounds, rtol=1e-4)
    assert_array_equal(
        fitted.negative_indices_[: fitted.n_random_], first.negative_indices_[: first.n_random_]
    )
    assert fitted.converged_ == (rounds[-1][2] == 0)
    assert fitted.n_scored_ == np.sum(y == 0)
    rows = np.append(np.flatnonzero(y == 1), fitted.negative_indices_)
    expected = LogisticRegression().fit(X[rows], y[rows]).predict_proba(X)
    assert_allclose(fitted.predict_proba(X), expected)
    assert_array_equal(fitted.predict(X), expected[:, 1] > 0.5)


def test_a_support_vector_machine_ends_at_that_of_all_rows(data):
    """Negatives outside the margin have no loss, so that a set without them changes nothing."""
    X, y = data
    svm = SVC(kernel="linear", C=0.1, tol=1e-6)
    fitted = mining(svm, threshold=-1.0, max_negatives=1500, max_new=20, max_rounds=30).fit(X, y)
    assert fitted.converged_
    assert len(fitted.history_) > 2
    assert len(fitted.negative_indices_) < np.sum(y == 0) - 300
    assert_allclose(
        fitted.decision_function(X), svm.fit(X, y).decision_function(X), rtol=1e-3, atol=1e-4
    )


def sources(tmp_path, X):
    path = tmp_path / "negatives.npy"
    np.save(path, X)

    def blocks():
        for start in range(0, len(X), 101):
            yield X[start : start + 101]

    return {
        "array": X,
        "memmap": np.load(path, mmap_mode="r"),
        "callable": blocks,
        "whole": lambda: [X],
        "empty blocks": lambda: [X[:0], X[:700], X[:0], X[700:]],
    }


@pytest.mark.parametrize("block_size", [None, 64])
def test_further_negatives_from_anywhere_are_as_rows_of_X(data, tmp_path, block_size):
    X, y = data
    order = np.argsort(-y, kind="stable")  # positives first
    X, y = X[order], y[order]
    expected = mining(max_negatives=300, threshold=0.3).fit(X, y)
    n = 500
    for name, negatives in sources(tmp_path, X[n:]).items():
        fitted = mining(max_negatives=300, threshold=0.3, block_size=block_size)
        fitted.fit(X[:n], y[:n], negatives=negatives)
        assert_array_equal(fitted.negative_indices_, expected.negative_indices_, err_msg=name)
        assert_allclose(fitted.predict_proba(X), expected.predict_proba(X))
        pd.testing.assert_frame_equal(fitted.history_, expected.history_)
        assert fitted.n_scored_ == expected.n_scored_


class FlatBayes(GaussianNB):
    """Takes images, and no tables."""

    def fit(self, X, y, sample_weight=None):
        assert X.ndim == 4
        return super().fit(X.reshape(len(X), -1), y, sample_weight)

    def predict_proba(self, X):
        assert X.ndim == 4
        return super().predict_proba(X.reshape(len(X), -1))


def test_images_sparse_rows_and_frames_give_the_model_of_arrays(data):
    X, y = data
    more, X, y = X[y == 0][:600], X[900:], y[900:]
    expected = mining(GaussianNB()).fit(X, y, negatives=more)
    shape = (-1, 1, 2, 3)
    images = mining(FlatBayes()).fit(X.reshape(shape), y, negatives=more.reshape(shape))
    assert_array_equal(images.negative_indices_, expected.negative_indices_)
    assert_allclose(images.predict_proba(X.reshape(shape)), expected.predict_proba(X))
    with pytest.raises(ValueError, match=r"shape \(1, 2, 3\), and negatives some of \(1, 3, 2\)"):
        mining(FlatBayes()).fit(X.reshape(shape), y, negatives=more.reshape(-1, 1, 3, 2))

    names = list("abcdef")
    frames = mining(GaussianNB()).fit(
        pd.DataFrame(X, columns=names), y, negatives=pd.DataFrame(more, columns=names)
    )
    assert_array_equal(frames.negative_indices_, expected.negative_indices_)
    assert frames.feature_names_in_.tolist() == names

    expected = mining().fit(X, y, negatives=more)
    sparse = mining().fit(csr_array(X), y, negatives=csr_array(more))
    assert_array_equal(sparse.negative_indices_, expected.negative_indices_)
    assert_allclose(sparse.predict_proba(csr_array(X)), expected.predict_proba(X), atol=1e-5)


def test_texts():
    X = ["a rare word", "rare again"] * 10 + ["a frequent one", "word again"] * 30
    y = ["rare"] * 20 + ["common"] * 60
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    fitted = mining(model, max_negatives=10).fit(X, y, negatives=["another word"] * 50)
    assert fitted.n_scored_ == 110
    assert fitted.predict(["rare", "another word"]).tolist() == ["rare", "common"]


def test_the_first_negatives_are_drawn_evenly_and_ties_are_random():
    X, y = np.zeros((40, 1)), np.repeat([1, 0], [10, 30])
    counts = np.zeros((2, 40))
    for seed in range(100):
        fitted = mining(
            KNeighborsClassifier(3), max_negatives=12, max_rounds=2, threshold=0.0, max_new=6
        ).set_params(random_state=seed)
        ids = fitted.fit(X, y).negative_indices_
        counts[0] += np.bincount(ids[:6], minlength=40)
        counts[1] += np.bincount(ids[6:], minlength=40)
    assert counts[:, :10].sum() == 0
    assert np.abs(counts[:, 10:] - 20).max() < 5 * np.sqrt(16)


def test_mining_finds_the_hard_pocket_that_a_random_sample_misses():
    """Half a percent of the negatives lie beside the positives."""
    rng = np.random.RandomState(0)

    def negatives(n):
        return np.append(
            rng.normal([0, 0], 1, (n, 2)), rng.normal([6, 2], 0.5, (n // 200, 2)), axis=0
        )

    X = np.append(rng.normal([6, 6], 1, (200, 2)), negatives(200), axis=0)
    y = np.append(np.ones(200), np.zeros(201))
    more, unseen = negatives(20000), negatives(20000)
    settings = {"max_negatives": 400, "random_share": 0.5}
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    n_alarms = [
        mining(tree, max_rounds=n_rounds, **settings)
        .fit(X, y, negatives=more)
        .predict(unseen)
        .sum()
        for n_rounds in (1, 10)
    ]
    assert n_alarms[1] < 0.2 * n_alarms[0], n_alarms


def test_wrong_labels_attract_and_random_negatives_help():
    """As the docstring says of the hardest alone."""
    rng = np.random.RandomState(0)
    n_pos, n_wrong, n_neg = 200, 20, 10000

    def draw():
        X = np.append(
            rng.normal([1.5, 0], 1, (n_pos + n_wrong, 2)), rng.normal(0, 1, (n_neg, 2)), axis=0
        )
        return X, np.repeat([1, 0], [n_pos, n_wrong + n_neg])

    X, y = draw()
    shares = []
    for random_share in (0.0, 0.5):
        fitted = mining(max_negatives=n_pos, random_share=random_share, threshold=0.3).fit(X, y)
        is_wrong = fitted.negative_indices_ < n_pos + n_wrong
        shares.append(is_wrong.mean())
    assert shares[0] > 5 * n_wrong / n_neg  # far more than their part of the negatives
    assert shares[1] < shares[0]


def test_reweighted_probabilities_are_those_of_all_rows():
    rng = np.random.RandomState(0)
    y = np.repeat([1, 0], [500, 50000])
    X = rng.normal(size=(len(y), 3)) + 1.5 * y[:, None]
    all_rows = LogisticRegression().fit(X, y)
    with pytest.warns(UserWarning, match="of the 500 positives trained on are found"):
        plain = mining(max_negatives=5000, threshold=0.3).fit(X, y)
    fitted = mining(max_negatives=5000, threshold=0.3, reweight=True).fit(X, y)
    mined = fitted.negative_indices_[fitted.n_random_ :]
    assert_array_equal(mined, plain.negative_indices_[plain.n_random_ :])
    assert len(np.unique(fitted.negative_indices_)) == len(plain.negative_indices_)
    assert plain.predict_proba(X)[:, 1].mean() > 3 * y.mean()
    assert abs(fitted.predict_proba(X)[:, 1].mean() - y.mean()) < 0.05 * y.mean()
    assert np.abs(fitted.estimator_.coef_ - all_rows.coef_).max() < 0.15
    random_ones = LogisticRegression().fit(
        X[np.append(np.arange(500), plain.negative_indices_[: plain.n_random_])],
        np.repeat([1, 0], [500, plain.n_random_]),
        sample_weight=np.repeat([1, 50000 / plain.n_random_], [500, plain.n_random_]),
    )
    error = [
        np.abs(model.predict_proba(X) - all_rows.predict_proba(X)).mean()
        for model in (random_ones, fitted.estimator_)
    ]
    assert error[1] < error[0]
    assert mining()._sets_own_prior
    with pytest.raises(ValueError, match="HardNegativeMiningClassifier draws or makes rows"):
        PriorCorrectedClassifier(mining()).fit(X, y)
    corrected = PriorCorrectedClassifier(mining(reweight=True, max_rounds=2)).fit(X, y)
    assert_allclose(corrected.training_prior_, corrected.target_prior_)


def test_population_weights_sum_to_all_rows():
    weight = population_weights(3, 6, 4, 100)
    assert_allclose(weight, [1, 1, 1, 24.5, 24.5, 24.5, 24.5, 1, 1])
    assert weight.sum() == 103


def test_weights_reach_the_fit_and_rows_without_are_left_out(data):
    X, y = data
    X, more = X[:1000], X[1000:][y[1000:] == 0]
    y = y[:1000]
    weight = np.where(np.arange(1000) % 10, 1.0 + np.arange(1000) % 3, 0.0)
    fitted = mining(threshold=0.3).fit(X, y, more, weight)
    own = fitted.negative_indices_ < 1000
    assert 0 < own.sum() < len(own)
    assert (fitted.negative_indices_[own] % 10 != 0).all()
    positives = np.flatnonzero((y == 1) & (weight > 0))
    rows = np.append(positives, fitted.negative_indices_)
    everything = np.append(X, more, axis=0)
    weights = np.append(weight, np.ones(len(more)))
    expected = LogisticRegression().fit(
        everything[rows], np.arange(len(rows)) < len(positives), weights[rows]
    )
    assert_allclose(fitted.predict_proba(X), expected.predict_proba(X))
    assert fitted.n_scored_ == np.sum((y == 0) & (weight > 0)) + len(more)


@pytest.mark.parametrize("pos_label", [0, 1])
@pytest.mark.parametrize("estimator", [GaussianNB(), LinearSVC(random_state=0)], ids=repr)
def test_either_label_may_be_the_one_to_find(data, pos_label, estimator):
    X, y = data
    swapped = mining(estimator, pos_label="found" if pos_label else None)
    expected = mining(estimator).fit(X, y)
    names = np.array(["lost", "found"] if pos_label else ["a", "b"])
    fitted = swapped.fit(X, names[y])
    assert fitted.pos_label_ == ("found" if pos_label else "b")
    assert_array_equal(fitted.negative_indices_, expected.negative_indices_)
    assert_array_equal(fitted.predict(X), names[expected.predict(X)])
    assert hasattr(fitted, "predict_proba") == isinstance(estimator, GaussianNB)


def test_promise_pipeline_and_search(data):
    X, y = data
    model = make_pipeline(StandardScaler(), mining())
    promised = RecallThresholdClassifier(
        model, target_recall=0.7, confidence=0.8, on_duplicates="ignore", random_state=0
    ).fit(X, y)
    assert np.mean(promised.predict(X)[y == 1]) > 0.6
    search = GridSearchCV(mining(), {"random_share": [0.2, 0.8]}, scoring="average_precision", cv=2)
    search.fit(X, y, negatives=lambda: iter([X[y == 0]]))
    assert search.best_estimator_.n_scored_ == 2 * np.sum(y == 0)


def test_several_classes_are_refused_and_done_one_by_one():
    X, y = make_classification(500, 6, n_informative=4, n_classes=3, random_state=0)
    with pytest.raises(ValueError, match=r"y holds 3 classes.*use OneVsRestClassifier"):
        mining().fit(X, y)
    assert OneVsRestClassifier(mining()).fit(X, y).score(X, y) > 0.5


def test_routing(data):
    X, y = data
    weight = np.ones(len(y))
    more = X[y == 0][:50]
    with config_context(enable_metadata_routing=True):
        model = mining(LogisticRegression().set_fit_request(sample_weight=True))
        model.set_fit_request(negatives=True)
        expected = clone(model).fit(X, y, negatives=more)
        piped = make_pipeline(FunctionTransformer(), clone(model))
        piped.fit(X, y, negatives=more, sample_weight=weight)
        assert_array_equal(piped[-1].negative_indices_, expected.negative_indices_)
        requests = mining().set_fit_request(negatives=True).get_metadata_routing()
        assert requests.consumes("fit", ["negatives", "sample_weight"]) == {"negatives"}


class NaNScores(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def decision_function(self, X):
        return np.full(len(X), np.nan)


@pytest.mark.parametrize(
    ("params", "negatives", "message"),
    [
        ({"estimator": NearestCentroid("manhattan")}, None, "NearestCentroid has no predict_"),
        ({"estimator": LinearSVC(), "response_method": "predict_proba"}, None, "SVC has no pred"),
        ({"estimator": NaNScores()}, None, r"NaNScores gave \d+ scores that are NaN"),
        ({"reweight": True, "random_share": 0.0}, None, "random_share=0 keeps none"),
        ({"reweight": True, "estimator": KNeighborsClassifier()}, None, "takes no sample_weight"),
        ({"pos_label": 7}, None, "pos_label=7 is not a label of y"),
        ({}, iter([np.zeros((3, 6))]), "is an iterator, which is used up"),
        ({}, np.zeros((3, 5)), "expecting 6 features"),
        ({}, pd.DataFrame(np.zeros((3, 6))), "X is an array and negatives are a DataFrame"),
        ({}, csr_array(np.zeros((3, 6))), "X is an array and negatives are sparse"),
        ({"max_negatives": 0}, None, "max_negatives"),
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence(data, params, negatives, message):
    with pytest.raises(ValueError, match=message):
        mining(**params).fit(*data, negatives=negatives)


def test_negatives_that_change_are_refused(data):
    X, y = data
    sizes = iter([10, 11])
    with pytest.raises(ValueError, match="negatives gave 11 rows in one pass and 10 in the one"):
        mining().fit(X, y, negatives=lambda: [X[: next(sizes)]])


def test_negatives_that_begin_with_another_row_are_refused(data):
    X, y = data
    rng = np.random.default_rng(0)
    for container in (np.asarray, csr_array, pd.DataFrame):
        with pytest.raises(ValueError, match="begin with another row than in the pass before"):
            mining().fit(
                container(X),
                y,
                negatives=lambda: [container(rng.normal(size=(9, 6)))],  # noqa: B023
            )


@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
def test_a_list_of_blocks_is_told_from_rows(data, container):
    X, y = data
    blocks = [container(X[:9]), container(X[9:20])]
    with pytest.raises(ValueError, match="a list of 2 blocks of rows: pass a callable that yields"):
        mining().fit(container(X), y, negatives=blocks)
    fitted = mining(max_rounds=1).fit(container(X), y, negatives=lambda: blocks)
    assert fitted.n_scored_ == np.sum(y == 0) + 20


@pytest.mark.parametrize(("dtype", "labels"), [(int, [0, 1]), (float, [0, 1]), (bool, [0, 1])])
def test_all_negatives_may_lie_beside(data, dtype, labels):
    X, y = data
    expected = mining().fit(np.append(X[y == 1], X[y == 0], axis=0), np.sort(y)[::-1])
    fitted = mining().fit(X[y == 1], y[y == 1].astype(dtype), negatives=X[y == 0])
    assert fitted.classes_.tolist() == labels
    assert fitted.classes_.dtype == dtype
    assert fitted.pos_label_ == 1
    assert_array_equal(fitted.negative_indices_, expected.negative_indices_)
    assert_allclose(fitted.predict_proba(X), expected.predict_proba(X))
    assert_array_equal(fitted.predict(X), expected.predict(X).astype(dtype))


@pytest.mark.parametrize(
    ("label", "pos_label", "negatives", "message"),
    [
        ("rare", None, np.zeros((9, 6)), "put at least one negative row into X"),
        ("rare", "rare", np.zeros((9, 6)), "put at least one negative row into X"),
        (0, None, np.zeros((9, 6)), "put at least one negative row into X"),
        (0, 1, np.zeros((9, 6)), "X has no positive. It needs all positives"),
        (1, None, None, "y holds one class only"),
        (1, None, np.zeros((0, 6)), "X holds no negative, and negatives gave no row"),
    ],
)
def test_one_label_of_which_the_other_cannot_be_known(data, label, pos_label, negatives, message):
    X = data[0][:50]
    with pytest.raises(ValueError, match=message):
        mining(pos_label=pos_label).fit(X, np.repeat(label, 50), negatives=negatives)


def test_positives_without_weight_are_none(data):
    X, y = data
    with pytest.raises(ValueError, match="No row of 1 has a positive sample_weight"):
        mining().fit(X, y, X[:9], np.where(y == 1, 0.0, 1.0))


def test_a_set_so_hard_that_positives_are_rejected_is_said():
    """Ten times as many negatives lie where the positives do."""
    rng = np.random.RandomState(0)
    X = np.append(rng.normal(2, 1, (100, 2)), rng.normal(0, 1, (20000, 2)), axis=0)
    near = rng.normal(2, 1, (1000, 2))
    X, y = np.append(X, near, axis=0), np.repeat([1, 0], [100, 21000])
    settings = {"max_negatives": 1000, "random_share": 0.1, "max_new": 900}
    with pytest.warns(UserWarning, match=r"of the 100 positives trained on are found.*random_sha"):
        fitted = mining(**settings).fit(X, y)
    assert fitted.predict(X)[:100].mean() < 0.3 * fitted.history_["recall"][0] + 0.2
    mining(reweight=True, **settings).fit(X, y)


class ScoresByLengths(LogisticRegression):
    def fit(self, X, y, lengths=None):
        return super().fit(X, y)

    def predict_proba(self, X, lengths=None):
        return super().predict_proba(X)


def test_parameters_that_scores_need_are_refused(data):
    X, y = data
    with pytest.raises(ValueError, match="lengths has one entry for each of the 2000 rows"):
        mining(ScoresByLengths()).fit(X, y, lengths=np.ones(2000))


def test_parameters_per_row_do_not_reach_further_negatives(data):
    X, y = data
    coef = np.zeros((1, 6))
    fitted = mining(Perceptron()).fit(X, y, coef_init=coef, negatives=X[:50])
    assert fitted.n_scored_ == np.sum(y == 0) + 50
    with pytest.raises(ValueError, match=r"\['coef_init'\] hold one entry for each of the 2000"):
        mining(Perceptron()).fit(X, y, coef_init=np.zeros(2000), negatives=X[:50])


def test_memory_is_that_of_blocks_and_of_the_set(tmp_path, data):
    X, y = data
    path = tmp_path / "negatives.npy"
    n = 200_000
    further = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, 6))
    further[:] = np.random.default_rng(0).normal(size=(n, 6))
    model = mining(GaussianNB(), block_size=4000, max_rounds=2)
    tracemalloc.start()
    model.fit(X, y, negatives=further)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert model.n_scored_ == np.sum(y == 0) + n
    assert peak < further.nbytes / 3


def test_one_negative_and_room_for_one(data):
    X, y = data
    fitted = mining(max_negatives=1).fit(X, y)
    assert len(fitted.negative_indices_) == fitted.n_random_ == 1
    rows = np.append(np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:1])
    fitted = mining().fit(X[rows], y[rows])
    assert fitted.converged_
    assert np.isnan(fitted.history_["hardest_score"]).all()
    assert fitted.negative_indices_.tolist() == [len(rows) - 1]
