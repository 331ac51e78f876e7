import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    ShuffleSplit,
    TimeSeriesSplit,
    train_test_split,
)
from sklearn.preprocessing import StandardScaler

from skrecall.threshold import OptimalThresholdClassifier, RecallThresholdClassifier
from skrecall.threshold._bounds import threshold_rank


class Score(ClassifierMixin, BaseEstimator):
    """The first columns are the scores: nothing is learned, so that every draw costs nothing."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(X)[1]
        self.sample_weight_ = sample_weight
        self.n_rows_ = len(y)
        return self

    def decision_function(self, X):
        X = np.asarray(X)
        return X[:, 0] if len(self.classes_) == 2 else X[:, : len(self.classes_)]


def keep(target_recall=0.9, **params):
    return RecallThresholdClassifier(
        params.pop("estimator", Score()), target_recall=target_recall, random_state=0, **params
    )


def make_scores(n=2000, prevalence=0.3, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=n) < prevalence).astype(int)
    return rng.standard_normal((n, 1)) + 2 * y[:, None], y


def test_threshold_is_the_order_statistic_of_the_held_out_positives():
    X, y = make_scores()
    model = keep().fit(X, y)
    rows = model.calibration_rows_
    scores_pos = np.sort(X[rows][y[rows] == 1, 0])
    rank = threshold_rank(len(scores_pos), 0.9, 1 - 0.9)
    promise = model.promises_[0]
    assert model.n_calibration_positives_ == len(scores_pos) == promise.n_positives
    assert (promise.rank, promise.highest_threshold) == (rank, scores_pos[rank - 1])
    assert model.threshold_ <= promise.highest_threshold
    assert_array_equal(model.predict(X), (X[:, 0] >= model.threshold_).astype(int))
    assert_array_equal(model.predict_flags(X)[:, 0], X[:, 0] >= model.threshold_)
    assert model.operating_curve_.n_positives == len(scores_pos)
    assert model.pos_label_ == 1
    assert model.estimator_.n_rows_ == len(y) - len(rows)


def test_promise_is_kept_by_a_learned_model_on_real_data():
    """Fixed model, its held-out positives split at random: misses are beta-binomial (exactly)."""
    X, y = load_breast_cancer(return_X_y=True)
    y = 1 - y  # malignant is the positive class
    X_fit, X_rest, y_fit, y_rest = train_test_split(X, y, test_size=0.7, random_state=0, stratify=y)
    frozen = FrozenEstimator(
        make_pipeline(StandardScaler(), LogisticRegression()).fit(X_fit, y_fit)
    )
    violations = 0
    for seed in range(200):
        X_cal, X_test, y_cal, y_test = train_test_split(
            X_rest, y_rest, test_size=0.5, random_state=seed, stratify=y_rest
        )
        n_test = int(y_test.sum())
        model = keep(0.95, estimator=frozen, next_batch=n_test).fit(X_cal, y_cal)
        violations += np.mean(model.predict(X_test)[y_test == 1] == 1) < 0.95
    assert violations <= 200 * 0.1 + 3 * np.sqrt(200 * 0.09)


def test_labels_may_be_strings_and_the_first_class_may_be_the_one_to_find():
    X, y = make_scores()
    names = np.where(y == 1, "a_fraud", "honest")
    model = keep(pos_label="a_fraud").fit(-X, names)
    flagged = -X[:, 0] <= -model.threshold_
    assert_array_equal(model.predict(-X) == "a_fraud", flagged)
    assert np.mean(flagged[y == 1]) > 0.88
    assert "class 'a_fraud'" in str(model.promises_[0])


def test_a_frequent_text_label_is_not_taken_for_the_rare_one_in_silence():
    X, y = make_scores()
    with pytest.warns(
        UserWarning, match=r"takes the second label in order, 'ok', which \d+ of 2000"
    ):
        keep().fit(-X, np.where(y == 1, "fraud", "ok"))


def test_the_price_is_that_of_the_held_out_rows():
    X, y = make_scores()
    model = keep().fit(X, y)
    rows = model.calibration_rows_
    flagged = model.predict(X[rows]) == 1
    assert model.promises_[0].precision == pytest.approx(y[rows][flagged].mean())
    assert model.promises_[0].alerts_per_1000 == pytest.approx(1000 * flagged.mean())


def test_prefit_and_frozen_are_the_same_and_are_not_fitted():
    X, y = make_scores()
    fitted = Score().fit(X[:10], y[:10])
    prefit = keep(estimator=fitted, calibration="prefit").fit(X, y)
    frozen = keep(estimator=FrozenEstimator(fitted)).fit(X, y)
    assert prefit.estimator_ is fitted
    assert fitted.n_rows_ == 10
    assert prefit.threshold_ == frozen.threshold_
    assert_array_equal(prefit.calibration_rows_, np.arange(len(y)))


def test_a_time_series_splitter_calibrates_on_the_latest_rows():
    X, y = make_scores()
    model = keep(cv=TimeSeriesSplit(4)).fit(X, y)
    assert_array_equal(model.calibration_rows_, np.arange(1600, 2000))
    assert model.estimator_.n_rows_ == 1600


def test_any_splitter_and_iterable():
    X, y = make_scores()
    splitter = ShuffleSplit(1, test_size=0.3, random_state=1)
    pairs = list(splitter.split(X))
    assert keep(cv=splitter).fit(X, y).threshold_ == keep(cv=pairs).fit(X, y).threshold_


def test_out_of_fold_is_empirical():
    X, y = make_scores()
    model = keep(calibration="out_of_fold").fit(X, y)
    assert len(np.unique(model.calibration_rows_)) == len(y)
    assert model.estimator_.n_rows_ == len(y)
    assert model.promises_[0].is_empirical
    assert np.isnan(model.recall_lower_bound_)
    assert "not promised" in str(model.promises_[0])
    parallel = keep(calibration="out_of_fold", n_jobs=2).fit(X, y)
    assert parallel.threshold_ == model.threshold_


def test_over_sampler_inside_is_fine_and_before_is_refused():
    X, y = make_classification(1500, weights=[0.9], flip_y=0.1, random_state=0)
    inside = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    assert keep(0.8, estimator=inside).fit(X, y).n_calibration_positives_ > 50
    X_copied, y_copied = RandomOverSampler(random_state=0).fit_resample(X, y)
    before = keep(0.8, estimator=LogisticRegression())
    with pytest.raises(ValueError, match=r"held-out positives are identical .* put it inside"):
        before.fit(X_copied, y_copied)
    before.set_params(on_duplicates="ignore").fit(X_copied, y_copied)


def test_smote_inside_a_search_inside():
    X, y = make_classification(1200, weights=[0.8], flip_y=0.1, random_state=0)
    pipe = make_pipeline(StandardScaler(), SMOTE(random_state=0), LogisticRegression())
    search = GridSearchCV(pipe, {"logisticregression__C": [0.1, 1]}, cv=3, scoring="roc_auc")
    model = keep(0.8, estimator=search).fit(X, y)
    assert model.estimator_.best_params_.keys() == {"logisticregression__C"}


def make_groups(seed, n_groups=400, size=4):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), size)
    positive_group = rng.uniform(size=n_groups) < 0.4
    shared = rng.standard_normal(n_groups)[groups]
    y = (positive_group[groups] & (rng.uniform(size=len(groups)) < 0.7)).astype(int)
    X = 0.9 * shared + 0.44 * rng.standard_normal(len(groups)) + 2 * y
    return X[:, None], y, groups


def recalls(model, X, y, groups):
    flagged = model.predict(X) == 1
    positive = np.unique(groups[y == 1])
    by_any = np.mean(np.isin(positive, groups[flagged]))
    first_row = np.unique(groups[y == 1], return_index=True)[1]
    return {"any": by_any, "row": np.mean(flagged[y == 1][first_row])}


@pytest.mark.parametrize("group_promise", ["any", "row"])
def test_group_promise_is_kept_and_rows_would_break_it(group_promise):
    X_all, y_all, groups_all = make_groups(99, n_groups=40_000)
    violations = 0
    for seed in range(150):
        X, y, groups = make_groups(seed)
        model = keep(group_promise=group_promise).fit(X, y, groups=groups)
        held_out = np.isin(np.arange(len(y)), model.calibration_rows_)
        assert not set(groups[held_out]) & set(groups[~held_out])
        violations += recalls(model, X_all, y_all, groups_all)[group_promise] < 0.9
    assert violations <= 150 * 0.1 + 3 * np.sqrt(150 * 0.09)


def test_groups_count_groups():
    X, y, groups = make_groups(0)
    model = keep().fit(X, y, groups=groups)
    held_out = model.calibration_rows_
    assert model.n_calibration_positives_ == len(np.unique(groups[held_out][y[held_out] == 1]))
    assert model.promises_[0].unit == "positive group"


def test_groups_reach_the_splitter_and_routing():
    X, y, groups = make_groups(0)
    keep(cv=GroupShuffleSplit(1, random_state=0)).fit(X, y, groups=groups)
    weight = np.linspace(1, 2, len(y))
    direct = keep().fit(X, y, groups=groups, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Score().set_fit_request(sample_weight=True)
        model = (
            keep(estimator=inner)
            .set_fit_request(groups=True)
            .set_score_request(sample_weight=False)
        )
        search = GridSearchCV(model, {"target_recall": [0.8]}, cv=2, refit=True)
        search.fit(X, y, groups=groups, sample_weight=weight)
        assert search.best_estimator_.promises_[0].unit == "positive group"
        routed = model.fit(X, y, groups=groups, sample_weight=weight)
    fit_rows = np.setdiff1d(np.arange(len(y)), routed.calibration_rows_)
    for fitted in (direct, routed):
        assert_array_equal(fitted.estimator_.sample_weight_, weight[fit_rows])
    assert direct.threshold_ == routed.threshold_


def test_sample_weight_leaves_the_promise_alone():
    X, y = make_scores()
    weighted = keep().fit(X, y, sample_weight=np.where(y == 1, 1000.0, 1.0))
    assert weighted.threshold_ == keep().fit(X, y).threshold_


def test_comparisons_need_more_and_flag_more():
    X, y = make_scores()
    one, twenty = keep().fit(X, y), keep(n_comparisons=20).fit(X, y)
    assert twenty.promises_[0].rank < one.promises_[0].rank
    assert twenty.promises_[0].rank == threshold_rank(one.n_calibration_positives_, 0.9, 0.1 / 20)


def test_strata_have_a_promise_each_and_share_the_confidence():
    X, y = make_scores(4000)
    site = np.where(np.arange(4000) % 3 == 0, "east", "west")
    X = X + 3 * (site == "west")[:, None]
    frame = pd.DataFrame({"score": X[:, 0], "site": site})
    model = keep(strata="site").fit(frame, y)
    assert model.strata_.tolist() == ["east", "west"]
    assert [promise.stratum for promise in model.promises_] == ["east", "west"]
    east, west = model.threshold_
    assert west - east == pytest.approx(3, abs=0.5)
    cut = np.where(site == "west", west, east)
    assert_array_equal(model.predict(frame) == 1, frame["score"].to_numpy() >= cut)
    for promise, name in zip(model.promises_, model.strata_, strict=True):
        rows = model.calibration_rows_[site[model.calibration_rows_] == name]
        assert promise.n_positives == y[rows].sum()
        assert promise.rank == threshold_rank(promise.n_positives, 0.9, 0.1 / 2)
    by_function = keep(strata=lambda X: X["site"]).fit(frame, y)
    assert_array_equal(by_function.threshold_, model.threshold_)
    with pytest.raises(ValueError, match=r"Strata \['north'\] were not in the rows that fit got"):
        model.predict(frame.assign(site="north"))


def test_strata_by_index_of_an_array():
    X, y = make_scores(4000)
    X = np.column_stack([X, np.arange(4000) % 2])
    assert keep(strata=1).fit(X, y).threshold_.shape == (2,)


def make_three_classes(seed, n=3000, overlap=0.0, distance=2.5):
    """Return scores of three classes; the first takes some positives of the second."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["a", "b", "c"], size=n, p=[0.2, 0.2, 0.6])
    X = rng.standard_normal((n, 3)) + distance * (y[:, None] == np.array(["a", "b", "c"]))
    X[:, 0] += overlap * (y == "b")
    return X, y


def test_one_promise_per_class_holds_jointly():
    X_all, y_all = make_three_classes(99, 60_000, distance=5)
    flag_violations = label_violations = 0
    for seed in range(150):
        model = keep(0.85, pos_label=["a", "b"]).fit(*make_three_classes(seed, distance=5))
        flags, labels = model.predict_flags(X_all), model.predict(X_all)
        positive = y_all[:, None] == ["a", "b"]
        flag_violations += ((flags & positive).sum(0) / positive.sum(0)).min() < 0.85
        kept = [np.mean(labels[y_all == name] == name) for name in "ab"]
        label_violations += min(kept) < 0.85
    most = 150 * 0.1 + 3 * np.sqrt(150 * 0.09)
    assert flag_violations <= most
    assert label_violations <= most


def test_flags_can_overlap_and_labels_follow_the_order():
    X, y = make_three_classes(0)
    model = keep(0.8, pos_label=["b", "a"]).fit(X, y)
    flags, labels = model.predict_flags(X), model.predict(X)
    assert flags.all(axis=1).any()
    assert model.pos_label_.tolist() == ["b", "a"]
    assert [promise.pos_label for promise in model.promises_] == ["b", "a"]
    assert_array_equal(labels[flags[:, 0] & (X[:, 1] >= model.threshold_[0] + 0.1)], "b")
    assert set(labels) == {"a", "b", "c"}


def test_a_label_that_cannot_carry_two_promises_is_refused():
    X, y = make_three_classes(0, overlap=2.5)
    model = keep(0.9, pos_label=["a", "b"]).fit(X, y)
    assert model.predict_flags(X).shape == (len(y), 2)
    with pytest.raises(
        ValueError,
        match=r"earlier classes of pos_label take \d+ of \d+ held-out positives of class 'b', and "
        r"its recall >= 0.9 can spare \d+. Use predict_flags",
    ):
        model.predict(X)


def test_one_of_three_classes():
    X, y = make_three_classes(0)
    model = keep(0.9, pos_label="b").fit(X, y)
    labels = model.predict(X)
    flagged = X[:, 1] >= model.threshold_
    assert_array_equal(labels == "b", flagged)
    assert_array_equal(labels[~flagged], np.where(X[~flagged, 0] > X[~flagged, 2], "a", "c"))


def test_a_new_target_after_fit_is_never_silent():
    X, y = make_scores()
    model = keep().fit(X, y).set_params(target_recall=0.8)
    with pytest.raises(ValueError, match=r"target_recall was set to 0.8 after .* decided with 0.9"):
        model.predict(X)
    model.refit_decision()
    assert model.threshold_ == keep(0.8).fit(X, y).threshold_


def test_one_seed_one_promise_whatever_the_model():
    X, y = make_classification(600, weights=[0.7], random_state=0)
    from sklearn.ensemble import RandomForestClassifier

    fits = [keep(0.8, estimator=RandomForestClassifier(5)).fit(X, y) for _ in range(2)]
    assert_array_equal(fits[0].predict_proba(X), fits[1].predict_proba(X))
    assert fits[0].threshold_ == fits[1].threshold_


def test_what_fit_read_is_read_at_predict_whatever_is_set_since():
    X, y = make_classification(1000, weights=[0.7], random_state=0)
    model = keep(estimator=LogisticRegression(C=1e-3)).fit(X, y)
    expected = model.predict(X)
    model.set_params(response_method="decision_function", strata=0)
    assert_array_equal(model.predict(X), expected)
    pooled = keep(calibration="out_of_fold").fit(*make_scores())
    pooled.set_params(calibration="holdout").refit_decision()
    assert pooled.promises_[0].is_empirical


def test_a_refused_fit_leaves_the_fitted_promise_alone():
    X, y = make_scores()
    model = keep().fit(X, y)
    threshold, expected = model.threshold_, model.predict(X)
    with pytest.raises(ValueError, match="Cannot promise"):
        model.fit(*make_scores(60, prevalence=0.2))
    assert_array_equal(model.predict(X), expected)
    assert model.refit_decision().threshold_ == threshold
    unfitted = keep(0.99)
    with pytest.raises(ValueError, match="Cannot promise"):
        unfitted.fit(X[:100], y[:100])
    with pytest.raises(sklearn.exceptions.NotFittedError):
        unfitted.predict(X)


@pytest.mark.parametrize("calibration", ["holdout", "out_of_fold"])
def test_a_splitter_that_tears_groups_apart_is_refused(calibration):
    X, y, groups = make_groups(0)
    shuffle = [
        (np.arange(0, 1600, 2), np.arange(1, 1600, 2)),
        (np.arange(1, 1600, 2), np.arange(0, 1600, 2)),
    ]
    with pytest.raises(ValueError, match="400 groups are on both sides of the split"):
        keep(cv=shuffle, calibration=calibration).fit(X, y, groups=groups)
    keep(cv=3, calibration="out_of_fold").fit(X, y, groups=groups)


def test_out_of_fold_needs_folds():
    X, y = make_scores()
    with pytest.raises(ValueError, match=r"pools folds, and cv=.* yields 1"):
        keep(calibration="out_of_fold", cv=ShuffleSplit(1)).fit(X, y)


def test_a_constant_model_flags_everything_and_says_so():
    X, y = make_scores()
    model = keep(estimator=DummyClassifier())
    with pytest.warns(UserWarning, match=r"flags all of 1000 held-out rows: none scores below"):
        model.fit(X, y)
    assert (model.predict(X) == 1).all()


def test_classes_are_those_the_estimator_knows():
    """The rarest class is not in the rows to fit on: the promise is about another one."""
    X, y = make_three_classes(0)
    late = np.where(np.arange(3000) > 2900, "z", y)
    model = keep(pos_label="b", cv=[(np.arange(1500), np.arange(1500, 3000))])
    model.set_params(estimator=LogisticRegression()).fit(X, late)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict_proba(X).shape[1] == 3
    assert set(model.predict(X)) <= {"a", "b", "c"}


def test_no_positive_to_learn_from():
    X, y = make_scores()
    y[:400] = 0
    with pytest.raises(ValueError, match=r"The 400 rows to fit on hold no sample of class \[1\]"):
        keep(cv=[(np.arange(400), np.arange(400, 2000))]).fit(X, y)


def test_one_positive_cannot_be_on_both_sides():
    X, y = make_scores()
    y[1:] = 0
    y[0] = 1
    for seed in range(4):
        message = (
            "y holds 1 sample of class 1 in all, .* positives_needed|from 0 held-out positives"
        )
        with pytest.raises(ValueError, match=message):
            RecallThresholdClassifier(Score(), random_state=seed).fit(X, y)
    y[:5] = 1
    with pytest.raises(ValueError, match=r"y holds 1 group of class 1 in all, .*two are the least"):
        keep(cv=[(np.arange(5, 400), np.arange(5))]).fit(X, y, groups=np.arange(2000) // 5)


@pytest.mark.parametrize("classifier", [RecallThresholdClassifier, OptimalThresholdClassifier])
def test_several_labels_are_for_another_class(classifier):
    X, y = make_scores()
    with pytest.raises(ValueError, match=r"has shape \(2000, 2\)\. .* MultilabelThresholdClass"):
        classifier(LogisticRegression()).fit(X, np.column_stack([y, 1 - y]))


def test_texts():
    rng = np.random.RandomState(0)
    words = np.array(["free", "money", "hello", "meeting", "lunch", "now"])
    y = (np.arange(600) % 3 == 0).astype(int)
    texts = [
        " ".join(rng.choice(words[:4] if flag else words[2:], size=1 + i % 7))
        for i, flag in enumerate(y)
    ]
    pipe = make_pipeline(CountVectorizer(), LogisticRegression())
    model = keep(0.8, estimator=pipe, on_duplicates="ignore").fit(texts, y)
    assert model.predict(texts[:5]).shape == (5,)
    with pytest.raises(ValueError, match="held-out positives are identical"):
        keep(0.8, estimator=pipe).fit(texts, y)


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        ("site", "strata='site' is no column of X, of shape"),
        (
            lambda X: np.where(np.arange(len(X)) % 2, "east", None),
            "1000 of 2000 rows have no stratum",
        ),
        (
            lambda X: np.where(np.arange(len(X)) % 4, 1.0, np.nan),
            "500 of 2000 rows have no stratum",
        ),
    ],
)
def test_strata_that_are_none(strata, message):
    X, y = make_scores()
    with pytest.raises(ValueError, match=message):
        keep(strata=strata).fit(pd.DataFrame(X, columns=["score"]), y)


def test_strata_in_a_sparse_column():
    X, y = make_scores(4000)
    X = np.column_stack([X, np.arange(4000) % 2])
    dense = keep(0.8, strata=1, estimator=LogisticRegression()).fit(X, y)
    sparse = keep(0.8, strata=1, estimator=LogisticRegression()).fit(csr_array(X), y)
    np.testing.assert_allclose(sparse.threshold_, dense.threshold_, rtol=1e-4)
    assert_array_equal(sparse.predict(csr_array(X)), dense.predict(X))


class ExplodesOnFit(LogisticRegression):
    def fit(self, X, y):
        raise AssertionError("fitted before the positives were counted")


def test_too_few_positives_are_refused_before_a_long_fit():
    X, y = make_scores(60)
    with pytest.raises(ValueError, match=r"Cannot promise recall >= 0.95 .* 45 are needed"):
        keep(0.95, estimator=ExplodesOnFit()).fit(X, y)


def test_too_few_positives_with_best():
    X, y = make_scores(60)
    model = keep(0.95, on_insufficient="best")
    with pytest.warns(UserWarning, match=r"are missing, about \d+ to label. Promising recall >="):
        model.fit(X, y)
    n = model.n_calibration_positives_
    assert model.promises_[0].target_recall == pytest.approx(0.1 ** (1 / n))


@pytest.mark.parametrize(
    ("params", "y", "message"),
    [
        ({"target_recall": 1.0}, None, "'target_recall' parameter .* in the range"),
        ({"confidence": 0.0}, None, "'confidence' parameter .* in the range"),
        ({}, np.zeros(2000), "y holds one class only"),
        ({}, np.arange(2000) % 3, "y holds 3 classes, .* name the one to find with pos_label"),
        ({}, np.linspace(0, 1, 2000), "y holds continuous values, for example"),
        ({"pos_label": 7}, None, r"pos_label=7 must name one class of y or more, .*\[0, 1\]"),
        ({"pos_label": [1, 1]}, None, "each once"),
        ({"pos_label": []}, None, "must name one class of y or more"),
        (
            {"estimator": RidgeClassifier(), "response_method": "predict_proba"},
            None,
            "no predict_proba",
        ),
        ({"cv": []}, None, "yields no split"),
    ],
)
def test_bad_input_gets_a_sentence(params, y, message):
    X, labels = make_scores()
    with pytest.raises(ValueError, match=message):
        keep(**params).fit(X, labels if y is None else y)


def test_a_prefit_estimator_must_be_fitted():
    X, y = make_scores()
    with pytest.raises(sklearn.exceptions.NotFittedError):
        keep(estimator=LogisticRegression(), calibration="prefit").fit(X, y)
