import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import binom, norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skrecall.datasets import make_rare_digits
from skrecall.ensemble import RecallCascadeClassifier
from skrecall.model_selection import DecisionGridSearchCV
from skrecall.threshold import RecallThresholdClassifier, positives_needed
from skrecall.threshold._bounds import threshold_rank

TARGET, CONFIDENCE = 0.9, 0.9
SEEN: dict[str, list] = {}  # what the stages of this name were fitted on and have scored


class Column(ClassifierMixin, BaseEstimator):
    """A classifier whose score is a column of X; it notes the rows it sees, by their last column.

    Nothing is learned, so that every draw of a simulation costs nothing.
    """

    def __init__(self, column=0, name=None):
        self.column = column
        self.name = name

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(X)[1]
        self.sample_weight_ = sample_weight
        self._note("fitted", X)
        return self

    def decision_function(self, X):
        self._note("scored", X)
        return np.asarray(X)[:, self.column]

    def _note(self, what, X):
        if self.name is not None:
            SEEN.setdefault(f"{self.name} {what}", []).append(np.asarray(X)[:, -1].astype(int))


@pytest.fixture(autouse=True)
def seen():
    SEEN.clear()
    return SEEN


def cascade(n_stages=2, *, stages=None, named=False, **params):
    params = {"target_recall": TARGET, "confidence": CONFIDENCE, "random_state": 0} | params
    if stages is None:
        names = {1: ["only"], 2: ["cheap", "costly"], 3: ["cheap", "middle", "costly"]}[n_stages]
        stages = [(name, Column(s, name if named else None)) for s, name in enumerate(names)]
    return RecallCascadeClassifier(stages, **params)


def draw(n=2000, prevalence=0.2, seed=0, n_stages=2, correlation=0.5, decimals=None):
    """Return the scores of the stages, the number of the row as the last column, and labels."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < prevalence * n).astype(int)
    common = rng.standard_normal((n, 1))
    own = rng.standard_normal((n, n_stages))
    scores = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own + 2 * y[:, None]
    scores = scores if decimals is None else scores.round(decimals)
    return np.column_stack([scores, np.arange(n)]), y


def frozen(n_stages=2):
    X, y = draw(20, n_stages=n_stages)
    return [(f"s{s}", FrozenEstimator(Column(s).fit(X, y))) for s in range(n_stages)]


def independent_recall(thresholds):
    return np.prod(norm.sf(np.array(thresholds) - 2))


def pooled_recall(correlation, decimals=None):
    X, _ = draw(20000, prevalence=1, seed=99, correlation=correlation, decimals=decimals)
    scores = np.ascontiguousarray(X[:, :2])
    return lambda thresholds: np.mean(np.all(scores >= thresholds, axis=1))


@pytest.mark.parametrize(
    ("recall", "correlation", "budget"),
    [(independent_recall, 0.0, [0.8, 0.2]), (pooled_recall(0.95), 0.95, "equal")],
    ids=["independent", "correlated"],
)
def test_the_end_to_end_promise_is_exact(recall, correlation, budget):
    """At the highest budget that carries it, it fails as often as the order statistic says."""
    n_draws, violations, m = 500, 0, 100
    rank = threshold_rank(m, TARGET, 1 - CONFIDENCE)
    model = cascade(stages=frozen(), budget=budget)
    for seed in range(n_draws):
        X, y = draw(400, prevalence=0.5, seed=1000 + seed, correlation=correlation)
        model.set_params(random_state=seed).fit(X, y)
        assert (model.promise_.rank, model.promise_.n_positives) == (rank, m)
        highest = [promise.highest_threshold for promise in model.stage_promises_.values()]
        violations += recall(highest) < TARGET
        assert recall(list(model.thresholds_.values())) >= recall(highest) - 1e-12
    exact = binom.cdf(rank - 1, m, 1 - TARGET)  # 0.0576
    assert exact <= 1 - CONFIDENCE
    low, high = binom.ppf([1e-4, 1 - 1e-4], n_draws, exact)
    assert low <= violations <= high


@pytest.mark.filterwarnings("ignore:The threshold that keeps recall")
@pytest.mark.parametrize(("m", "decimals", "n_draws"), [(100, 0, 500), (22, None, 200)])
def test_the_promise_holds_for_tied_scores_and_at_the_least_number(m, decimals, n_draws):
    violations = 0
    recall = pooled_recall(0.5, decimals)
    model = cascade(stages=frozen())
    for seed in range(n_draws):
        X, y = draw(4 * m, prevalence=0.5, seed=seed, decimals=decimals)
        model.set_params(random_state=seed, on_duplicates="ignore").fit(X, y)
        violations += recall(list(model.thresholds_.values())) < TARGET
    assert violations <= binom.ppf(1 - 1e-4, n_draws, 1 - CONFIDENCE)


def test_each_stage_at_the_target_breaks_it_and_a_divided_target_costs_more():
    """What people do, and what a union bound does, on the same positives."""
    n_draws, m = 200, 100
    delta = 1 - CONFIDENCE
    broken = {"empirical": 0, "promised apart": 0, "divided": 0, "cascade": 0}
    passing = {"divided": [], "cascade": []}
    rank = threshold_rank(m, TARGET, delta)
    divided_rank = threshold_rank(m, 1 - (1 - TARGET) / 2, delta / 2)
    model = cascade(stages=frozen())
    for seed in range(n_draws):
        X, y = draw(400, prevalence=0.5, seed=seed, correlation=0.0)
        model.set_params(random_state=seed).fit(X, y)
        rows = model.calibration_rows_
        of_positives = np.sort(X[rows][y[rows] == 1, :2], axis=0)
        thresholds = {
            "empirical": of_positives[int(m * (1 - TARGET))],
            "promised apart": of_positives[rank - 1],
            "divided": of_positives[divided_rank - 1],
            "cascade": list(model.thresholds_.values()),
        }
        for name, of_stages in thresholds.items():
            broken[name] += independent_recall(of_stages) < TARGET
        for name, shares in passing.items():
            shares.append(np.prod(norm.sf(thresholds[name])))  # false alarms of negatives
    allowed = binom.ppf(1 - 1e-4, n_draws, delta)
    assert broken["cascade"] <= allowed
    assert broken["divided"] <= allowed
    assert broken["empirical"] > 0.99 * n_draws
    assert broken["promised apart"] > 0.5 * n_draws
    assert np.mean(passing["cascade"]) < 0.8 * np.mean(passing["divided"])


def test_a_promise_of_groups_counts_groups_with_a_flagged_row():
    """Rows of one group share a shift; the share of groups with a flagged row is promised."""
    n_draws, n_groups, size, broken = 200, 100, 3, 0

    def draw_groups(n, seed):
        rng = np.random.default_rng(seed)
        shift = np.repeat(rng.standard_normal((n, 1)), size, axis=0)
        return shift + 0.5 * rng.standard_normal((n * size, 2)) + 1

    pool = draw_groups(20000, 10**6).reshape(-1, size, 2)
    model = cascade(stages=frozen(), group_promise="any")
    for seed in range(n_draws):
        scores = draw_groups(2 * n_groups, seed)
        y = np.repeat([1, 0], n_groups * size)
        scores[y == 0] -= 2
        X = np.column_stack([scores, np.arange(len(y))])
        model.set_params(random_state=seed)
        model.fit(X, y, groups=np.repeat(np.arange(2 * n_groups), size))
        assert model.promise_.n_positives == n_groups // 2
        found = np.all(pool >= list(model.thresholds_.values()), axis=2).any(axis=1)
        broken += found.mean() < TARGET
    assert broken <= binom.ppf(1 - 1e-4, n_draws, 1 - CONFIDENCE)


def test_too_few_positives_are_refused_before_any_stage_is_fitted():
    X, y = draw(200, prevalence=0.2)  # 20 held out, 22 needed
    needed = positives_needed(TARGET, CONFIDENCE)
    with pytest.raises(ValueError, match=f"from 20 held-out positives: {needed} are needed"):
        cascade(named=True).fit(X, y)
    assert SEEN == {}
    with pytest.raises(ValueError, match="The split of 200 rows holds out none: raise"):
        cascade(on_insufficient="best", calibration_size=1e-9).fit(X, y)
    with pytest.warns(UserWarning, match="Promising recall >= 0.891 instead"):
        model = cascade(on_insufficient="best").fit(X, y)
    assert model.promise_.target_recall == pytest.approx(0.1 ** (1 / 20))
    assert model.promise_.rank == 1


def test_later_stages_only_see_the_rows_still_in_play():
    X, y = draw(n_stages=3)
    model = cascade(3, named=True, budget=[0.5, 0.3, 0.2]).fit(X, y)
    X_new, _ = draw(1000, seed=1, n_stages=3)
    thresholds = np.array(list(model.thresholds_.values()))
    SEEN.clear()
    y_pred = model.predict(X_new)
    passes = np.logical_and.accumulate(X_new[:, :3] >= thresholds, axis=1)
    for name, in_play in [
        ("cheap", np.ones(1000, dtype=bool)),
        ("middle", passes[:, 0]),
        ("costly", passes[:, 1]),
    ]:
        assert_array_equal(SEEN[f"{name} scored"], [np.flatnonzero(in_play)])
    assert_array_equal(y_pred == 1, passes[:, 2])
    assert_array_equal(model.predict_stage(X_new), passes.sum(axis=1))
    assert 0 < passes[:, 1].mean() < 0.9 * passes[:, 0].mean()


def test_no_row_left_no_call():
    X, y = draw()
    model = cascade(named=True).fit(X, y)
    SEEN.clear()
    far_below = np.array([[-50.0, 50.0, 0.0]])
    assert_array_equal(model.predict(far_below), [0])
    assert_array_equal(model.predict_stage(far_below), [0])
    assert "costly scored" not in SEEN


def test_the_three_parts_are_disjoint_and_stages_are_fitted_on_one_of_them():
    X, y = draw(1000)
    for train_recall in (None, 0.9):
        SEEN.clear()
        model = cascade(named=True, train_recall=train_recall, tuning_size=0.2).fit(X, y)
        held_out = np.union1d(model.calibration_rows_, model.tuning_rows_)
        assert len(held_out) == len(model.calibration_rows_) + len(model.tuning_rows_) == 600
        fitted = np.unique(np.concatenate([*SEEN["cheap fitted"], *SEEN["costly fitted"]]))
        assert np.intersect1d(fitted, held_out).size == 0
        assert len(SEEN["costly fitted"]) == 1
        assert_array_equal(SEEN["cheap fitted"][-1], np.setdiff1d(np.arange(1000), held_out))


def test_train_recall_fits_a_stage_on_what_passes_the_stages_before():
    X, y = draw(1000, n_stages=3)
    cascade(3, named=True, train_recall=0.9).fit(X, y)
    rows = SEEN["cheap fitted"][-1]
    for name, s in [("middle", 0), ("costly", 1)]:
        of_positives = np.sort(X[rows[y[rows] == 1], s])
        rows = rows[X[rows, s] >= of_positives[int(0.1 * len(of_positives) + 1e-9)]]
        assert_array_equal(SEEN[f"{name} fitted"][-1], rows)
        assert np.mean(y[rows] == 0) < 0.8


def test_one_stage_is_the_recall_threshold():
    X, y = draw()
    model = cascade(stages=frozen(1), n_comparisons=3, next_batch=50).fit(X, y)
    rows = model.calibration_rows_
    alone = RecallThresholdClassifier(
        frozen(1)[0][1],
        target_recall=TARGET,
        confidence=CONFIDENCE,
        n_comparisons=3,
        next_batch=50,
    ).fit(X[rows], y[rows])
    (promise,) = alone.promises_
    for name in ("rank", "n_positives", "lower_bound", "precision", "alerts_per_1000"):
        assert getattr(model.promise_, name) == pytest.approx(getattr(promise, name)), name
    highest = model.stage_promises_["s0"].highest_threshold
    assert highest == pytest.approx(promise.highest_threshold)
    assert_array_equal(model.predict(X[rows]), alone.predict(X[rows]))


def test_the_table_and_the_promises_are_those_of_the_held_out_rows():
    X, y = draw(4000, n_stages=3)
    costs = np.array([1.0, 10.0, 100.0])
    model = cascade(3, stage_costs=costs).fit(X, y)
    rows = model.calibration_rows_
    thresholds = np.array(list(model.thresholds_.values()))
    passes = np.logical_and.accumulate(X[rows, :3] >= thresholds, axis=1)
    in_play = np.column_stack([np.ones(len(rows), dtype=bool), passes])
    table = model.stage_table_
    assert_array_equal(table.index, ["cheap", "middle", "costly"])
    assert_allclose(table["scored"], in_play[:, :3].mean(axis=0))
    assert_allclose(table["leaving"], (in_play[:, :3] & ~passes).mean(axis=0), atol=1e-12)
    assert_allclose(table["negatives_gone"], (~passes[y[rows] == 0]).mean(axis=0))
    assert_allclose(table["recall"], passes[y[rows] == 1].mean(axis=0))
    assert_allclose(table["cost_per_1000"], 1000 * in_play[:, :3].mean(axis=0) * costs)
    assert model.cost_per_1000_ == pytest.approx(table["cost_per_1000"].sum())
    assert model.relative_cost_ == pytest.approx(model.cost_per_1000_ / 1e5)
    flagged = passes[:, 2]
    assert model.promise_.alerts_per_1000 == pytest.approx(1000 * flagged.mean())
    assert model.promise_.precision == pytest.approx(y[rows][flagged].mean())
    for s, promise in enumerate(model.stage_promises_.values()):
        assert promise.threshold == thresholds[s]
        assert promise.alerts_per_1000 == pytest.approx(1000 * passes[:, s].mean())
        assert promise.target_recall == TARGET
    assert model.recall_lower_bound_ >= TARGET
    assert model.operating_curve_.n_positives == model.n_calibration_positives_
    assert "recall of class 1 >= 0.9 on unseen data, confidence 0.9" in str(model.promise_)


def test_without_costs_none_are_counted():
    model = cascade().fit(*draw())
    assert np.isnan(model.cost_per_1000_)
    assert np.isnan(model.relative_cost_)
    assert model.stage_table_["cost_per_1000"].isna().all()


def test_decision_function_is_positive_where_flagged_and_ranks():
    X, y = draw()
    model = cascade().fit(X, y)
    margin = model.decision_function(X)
    assert_array_equal(margin > 0, model.predict(X) == 1)
    assert roc_auc_score(y, margin) > 0.9
    turned = cascade(pos_label="a").fit(-X, np.where(y == 1, "a", "bb"))
    assert np.mean(turned.predict(-X)[y == 1] == "a") > 0.85
    assert_array_equal(turned.decision_function(-X) < 0, turned.predict(-X) == "a")
    assert set(turned.predict(-X)) == {"a", "bb"}


def test_a_stage_without_a_share_is_never_run():
    X, y = draw(n_stages=3)
    model = cascade(3, named=True, budget=[0.5, 0.0, 0.5], stage_costs=[1, 5, 25]).fit(X, y)
    SEEN.clear()
    stage = model.predict_stage(X)
    assert "middle scored" not in SEEN
    assert set(stage) == {0, 2, 3}
    assert model.thresholds_["middle"] == -np.inf
    assert model.stage_table_.loc["middle", ["scored", "leaving", "cost_per_1000"]].eq(0).all()


def test_cost_budget_saves_stage_runs():
    X, y = draw(20000, prevalence=0.05)
    params = {"stage_costs": [1, 100], "alert_cost": 1000}
    cheap = cascade(budget="cost", **params).fit(X, y)
    given = cascade(budget=cheap.budget_, **params).fit(X, y)
    assert_array_equal(cheap.predict(X), given.predict(X))

    def total(model):
        return model.cost_per_1000_ + 1000 * model.promise_.alerts_per_1000

    for budget in ([0.1, 0.9], "equal", [0.9, 0.1]):
        assert total(cheap) <= 1.05 * total(cascade(budget=budget, **params).fit(X, y))


@pytest.mark.parametrize(
    "params",
    [
        {"target_recall": 0.8},
        {"confidence": 0.7},
        {"budget": [3, 1]},
        {"budget": "cost", "stage_costs": [1, 9], "alert_cost": 40.0},
        {"n_comparisons": 5},
        {"next_batch": 40},
    ],
)
def test_a_new_decision_is_that_of_a_new_fit(params):
    X, y = draw()
    fresh = cascade(**params).fit(X, y)
    model = cascade(named=True).fit(X, y)
    n_fits = len(SEEN["cheap fitted"])
    with pytest.raises(ValueError, match=r"call refit_decision\(\)"):
        model.set_params(**params).predict(X)
    model.refit_decision()
    assert len(SEEN["cheap fitted"]) == n_fits
    assert model.promise_ == fresh.promise_
    assert_array_equal(model.decision_function(X), fresh.decision_function(X))


def test_a_search_over_decisions_fits_once():
    X, y = draw()
    grid = {"target_recall": [0.7, 0.8, 0.9], "budget": ["equal", [0.8, 0.2]]}
    search = DecisionGridSearchCV(cascade(named=True), grid, scoring="recall", cv=2).fit(X, y)
    assert len(SEEN["costly fitted"]) == 3  # two folds and the refit
    plain = GridSearchCV(cascade(), grid, scoring="recall", cv=2).fit(X, y)
    for name in ("mean_test_score", "std_test_score"):
        assert_allclose(search.cv_results_[name], plain.cv_results_[name])


def test_more_classes_with_one_to_find():
    X, y = make_classification(
        3000, 6, n_informative=4, n_classes=3, weights=[0.6, 0.3], class_sep=1.5, random_state=0
    )
    stages = [("bayes", GaussianNB()), ("logistic", LogisticRegression())]
    model = cascade(stages=stages, pos_label=2).fit(X, y)
    y_pred, stage = model.predict(X), model.predict_stage(X)
    assert_array_equal(y_pred == 2, stage == 2)
    assert_array_equal(y_pred == 2, model.decision_function(X) > 0)
    for s, name in enumerate(["bayes", "logistic"]):
        left = stage == s
        proba = model.named_stages_[name].predict_proba(X[left])
        assert_array_equal(y_pred[left], np.argmax(proba[:, :2], axis=1))
    with pytest.raises(ValueError, match=r"y holds 3 classes, .*: name the one to find with"):
        cascade(stages=stages).fit(X, y)


def test_stages_may_look_at_columns_of_their_own_and_at_sparse_rows():
    X, y = make_classification(2000, 6, weights=[0.8], class_sep=2, random_state=0)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    first = make_pipeline(
        make_column_transformer(("passthrough", ["a", "b"])), LogisticRegression()
    )
    model = cascade(stages=[("two", first), ("all", LogisticRegression())]).fit(frame, y)
    assert model.stages_[0][-1].n_features_in_ == 2
    assert_array_equal(model.feature_names_in_, frame.columns)
    stages = [("strict", LogisticRegression(C=1e-3)), ("all", LogisticRegression())]
    dense, sparse = (cascade(stages=stages).fit(kind, y) for kind in (X, csr_array(X)))
    assert_array_equal(dense.predict(X), sparse.predict(csr_array(X)))


def test_groups_stay_in_one_part():
    data = make_rare_digits(3000, prevalence=0.2, images_per_scan=None, random_state=0)
    stages = [("strict", LogisticRegression(C=1e-3)), ("linear", LogisticRegression(C=0.01))]
    model = cascade(stages=stages, target_recall=0.8, train_recall=0.95)
    model.fit(data.X, data.target, groups=data.groups)
    held_out, tuning = model.calibration_rows_, model.tuning_rows_
    train = np.setdiff1d(np.arange(3000), np.concatenate([held_out, tuning]))
    parts = [set(data.groups[rows]) for rows in (train, tuning, held_out)]
    assert sum(map(len, parts)) == len(set().union(*parts))
    of_positives = data.groups[held_out][data.target[held_out] == 1]
    assert model.promise_.n_positives == len(np.unique(of_positives))
    assert model.promise_.unit == "positive group"


def test_duplicates_in_two_parts_are_refused():
    X, y = draw(400)
    X = np.vstack([X, X])
    with pytest.raises(ValueError, match="held-out positives are identical to positives"):
        cascade().fit(X, np.tile(y, 2))
    cascade(on_duplicates="ignore").fit(X, np.tile(y, 2))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stages": []}, "must be a list of"),
        ({"stages": [Column()]}, "must be a list of"),
        ({"stages": [("a", Column()), ("a", Column(1))]}, "not unique"),
        ({"stages": [("a", 3)]}, "Stage 'a' is no estimator"),
        ({"response_method": "predict_proba"}, "Column has no predict_proba"),
        ({"budget": [1, 2, 3]}, r"budget=\[1, 2, 3\] must hold 2 numbers"),
        ({"budget": [1, -1]}, "must be finite and not negative"),
        ({"budget": [0, 0]}, "one of them positive"),
        ({"budget": "cost", "stage_costs": [1, 2]}, "pass stage_costs and alert_cost"),
        ({"stage_costs": [1]}, r"stage_costs=\[1\] must hold 2 numbers"),
        ({"train_recall": 0.9, "cv": ShuffleSplit(3)}, "needs folds that score each once"),
        ({"pos_label": 7}, "pos_label=7 must name one class"),
    ],
)
def test_bad_parameters_are_refused_with_a_sentence(params, message):
    X, y = draw()
    with pytest.raises(ValueError, match=message):
        cascade(named="cv" not in params, **params).fit(X, y)
    assert SEEN == {}  # nothing was fitted before


def test_a_first_stage_that_leaves_nothing_to_learn_is_named():
    X, y = draw()
    X[:, 0] += 20 * y
    with pytest.raises(ValueError, match=r"No negative of .* training rows passes stage 'cheap'"):
        cascade(train_recall=0.99).fit(X, y)


def test_too_few_positives_to_deal_out_to_three_parts():
    X, y = draw(200, prevalence=0.01)
    refused = set()
    for seed in range(10):
        with pytest.raises(ValueError, match=r"no sample of class \[?1") as error:
            cascade(target_recall=0.3, confidence=0.5, random_state=seed).fit(X, y)
        refused.add("tuning rows" in str(error.value))
    assert refused == {True, False}


def test_sample_weight_reaches_the_stages():
    X, y = draw()
    weight = np.arange(len(y), dtype=float)
    model = cascade(named=True, train_recall=0.9).fit(X, y, sample_weight=weight)
    for name, stage in model.named_stages_.items():
        assert_array_equal(stage.sample_weight_, weight[SEEN[f"{name} fitted"][-1]])
    with sklearn.config_context(enable_metadata_routing=True):
        asks = Column(0).set_fit_request(sample_weight=True)
        refuses = Column(1).set_fit_request(sample_weight=False)
        model = cascade(stages=[("asks", asks), ("refuses", refuses)])
        model.fit(X, y, sample_weight=weight)
    assert model.stages_[0].sample_weight_ is not None
    assert model.stages_[1].sample_weight_ is None


def test_parameters_of_stages_are_set_by_name():
    model = cascade(stages=[("linear", LogisticRegression()), ("bayes", GaussianNB())])
    model.set_params(linear__C=3.0, bayes=LogisticRegression())
    assert model.get_params()["linear__C"] == 3.0
    assert isinstance(model.stages[1][1], LogisticRegression)
