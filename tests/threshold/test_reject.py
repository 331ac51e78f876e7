import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score

from skrecall.datasets import ScoreDistribution
from skrecall.threshold import RecallThresholdClassifier, RejectOptionClassifier

POPULATION = ScoreDistribution(prevalence=0.3, separation=2.0)


class Score(ClassifierMixin, BaseEstimator):
    """The first column is the score: nothing is learned."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]


def draw(n=600, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < POPULATION.prevalence).astype(int)
    return (rng.normal(size=n) + POPULATION.separation * y)[:, None], y


def prefit(X, y, **params):
    model = FrozenEstimator(Score().fit(X, y))
    return RejectOptionClassifier(model, **{"random_state": 0, **params}).fit(X, y)


def test_regions_keep_both_aims_on_the_held_out_rows():
    X, y = draw()
    clf = prefit(X, y, target_recall=0.9, target_precision=0.95)
    region = clf.predict_region(X)
    assert_array_equal(np.unique(region), ["negative", "positive", "refer"])
    assert np.mean(region[y == 1] != "negative") >= 0.9
    assert np.mean(y[region == "positive"]) >= 0.95
    assert clf.precision_ == np.mean(y[region == "positive"])
    assert clf.referred_share_ == np.mean(region == "refer")
    assert_array_equal(
        clf.predict(X), np.select([region == "negative", region == "positive"], [0, 1], -1)
    )


def test_lower_threshold_carries_the_promise_of_the_recall_classifier():
    X, y = draw()
    clf = prefit(X, y, target_recall=0.9)
    recall = RecallThresholdClassifier(FrozenEstimator(Score().fit(X, y)), target_recall=0.9)
    (promise,) = recall.fit(X, y).promises_
    assert clf.lower_threshold_ <= promise.highest_threshold
    assert clf.recall_lower_bound_ == recall.recall_lower_bound_ >= 0.9
    assert clf.n_calibration_positives_ == y.sum()
    assert clf.promise_.threshold == clf.lower_threshold_
    # As many negatives are cleared as at the highest threshold, and no more positives are lost.
    score = X[:, 0]
    cleared = score < clf.lower_threshold_
    highest = score < promise.highest_threshold
    assert np.sum(cleared & (y == 0)) == np.sum(highest & (y == 0))
    assert np.sum(cleared & (y == 1)) == np.sum(score[y == 1] < score[highest & (y == 0)].max())


def test_upper_threshold_flags_the_most_that_the_precision_allows():
    X, y = draw()
    clf = prefit(X, y, target_recall=0.9, target_precision=0.95)
    reaching = [
        np.sum(X[:, 0] >= t)
        for t in X[:, 0]
        if t >= clf.lower_threshold_ and precision_score(y, X[:, 0] >= t) >= 0.95
    ]
    assert np.sum(clf.predict_region(X) == "positive") == max(reaching)


def test_nothing_is_referred_where_the_aims_leave_no_gap():
    X, y = draw()
    clf = prefit(X, y, target_recall=0.6, target_precision=0.4)
    assert clf.lower_threshold_ == clf.upper_threshold_
    assert clf.referred_share_ == 0
    assert set(clf.predict(X)) == {0, 1}
    assert recall_score(y, clf.predict(X)) >= 0.6
    assert precision_score(y, clf.predict(X)) >= 0.4
    # Precision that only a threshold below the promised one reaches takes the lower one along.
    score = np.concatenate([np.linspace(2, 3, 50), np.linspace(1, 1.9, 200), np.zeros(5)])
    label = np.repeat([0, 1, 0], [50, 200, 5])
    clf = prefit(score[:, None], label, target_recall=0.01, target_precision=0.7)
    assert clf.lower_threshold_ == clf.upper_threshold_ < 2
    assert clf.precision_ >= 0.7


def violations(n_draws, **params):
    """Count true recalls and true precisions that fall short, in closed form, and refusals."""
    recall, precision, refused = 0, 0, 0
    for seed in range(n_draws):
        X, y = draw(1000, seed)
        try:
            clf = prefit(X, y, target_recall=0.9, confidence=0.9, random_state=seed, **params)
        except ValueError:
            refused += 1
            continue
        recall += POPULATION.recall(clf.lower_threshold_) < 0.9
        precision += POPULATION.precision(clf.upper_threshold_) < params["target_precision"]
    return recall, precision, refused


def test_recall_promise_and_certified_precision_hold_in_the_population():
    # At most 1 draw in 10, plus 3 binomial standard errors; the empirical precision breaks it.
    n_draws = 200
    allowed = 0.1 * n_draws + 3 * np.sqrt(0.1 * 0.9 * n_draws)
    recall, precision, refused = violations(n_draws, target_precision=0.8, certify_precision=True)
    assert recall <= allowed
    assert precision <= allowed
    assert refused <= 0.15 * n_draws
    recall, precision, refused = violations(n_draws, target_precision=0.8)
    assert recall <= allowed < precision
    assert refused == 0


def test_certified_precision_is_tested_on_rows_of_its_own():
    X, y = draw(2000)
    clf = prefit(X, y, target_precision=0.85, certify_precision=True)
    assert clf.precision_lower_bound_ >= 0.85
    assert clf.precision_ > clf.precision_lower_bound_
    assert np.isnan(prefit(X, y, target_precision=0.85).precision_lower_bound_)
    again = prefit(X, y, target_precision=0.85, certify_precision=True)
    assert again.upper_threshold_ == clf.upper_threshold_
    low = prefit(X, y, target_recall=0.5, target_precision=0.5, certify_precision=True)
    assert low.lower_threshold_ <= low.upper_threshold_
    assert low.precision_lower_bound_ >= 0.5


@pytest.mark.parametrize(
    ("labels", "reject_label", "expected", "kind"),
    [
        ([0, 1], None, -1, "i"),
        ([-1, 1], None, -2, "i"),
        ([1.0, 2.0], None, 0.0, "f"),
        ([0, 1], 9, 9, "i"),
        (["no", "yes"], None, "refer", "U"),
        (["no", "yes"], "ask a colleague", "ask a colleague", "U"),
        ([False, True], None, -1, "i"),
        (np.array(["no", "yes"], dtype=object), None, "refer", "O"),
    ],
)
def test_labels_of_any_kind_come_back_with_the_reject_label(labels, reject_label, expected, kind):
    X, y = draw()
    labels = np.asarray(labels)
    clf = prefit(X, labels[y], target_recall=0.9, target_precision=0.95, reject_label=reject_label)
    y_pred = clf.predict(X)
    region = clf.predict_region(X)
    assert y_pred.dtype.kind == kind
    assert clf.reject_label_ == expected
    assert all(y_pred[region == "refer"] == expected)
    assert all(y_pred[region == "positive"] == labels[1])
    assert all(y_pred[region == "negative"] == labels[0])


def test_pos_label_turns_the_regions_round():
    X, y = draw()
    names = np.array(["faulty", "sound"])
    clf = prefit(-X, names[1 - y], pos_label="faulty", target_recall=0.9, target_precision=0.95)
    plain = prefit(X, y, target_recall=0.9, target_precision=0.95)
    assert_array_equal(clf.predict_region(-X), plain.predict_region(X))
    assert_array_equal(clf.predict(-X) == "faulty", plain.predict(X) == 1)


def test_holdout_splits_off_the_calibration_rows_and_never_refits():
    X, y = make_classification(3000, weights=[0.8], class_sep=1.5, random_state=0)
    clf = RejectOptionClassifier(LogisticRegression(), random_state=0).fit(X, y)
    rows = clf.recall_classifier_.calibration_rows_
    fit_rows = np.setdiff1d(np.arange(3000), rows)
    assert_array_equal(
        clf.estimator_.coef_, LogisticRegression().fit(X[fit_rows], y[fit_rows]).coef_
    )
    assert clf.operating_curve_.n_positives == y[rows].sum() == clf.n_calibration_positives_
    assert_array_equal(clf.predict_proba(X), clf.estimator_.predict_proba(X))


def test_redecision_equals_a_new_fit():
    X, y = draw(2000)
    params = {"target_recall": 0.8, "confidence": 0.95, "target_precision": 0.8}
    for certify in (False, True):
        clf = prefit(X, y, target_precision=0.85, certify_precision=certify)
        clf.set_params(**params)
        with pytest.raises(ValueError, match=r"refit_decision\(\)"):
            clf.predict(X)
        clf.refit_decision()
        fresh = prefit(X, y, certify_precision=certify, **params)
        assert clf.lower_threshold_ == fresh.lower_threshold_
        assert clf.upper_threshold_ == fresh.upper_threshold_


def test_groups_count_as_one_positive_and_are_routed():
    X, y = draw(1200)
    order = np.argsort(y, kind="stable")
    X, y, groups = X[order], y[order], np.arange(1200) // 4
    clf = prefit(X, y, target_recall=0.8)
    model = FrozenEstimator(Score().fit(X, y))
    grouped = RejectOptionClassifier(model, target_recall=0.8).fit(X, y, groups=groups)
    positives = np.unique(groups[y == 1])
    assert grouped.n_calibration_positives_ == len(positives) < clf.n_calibration_positives_
    kept = np.unique(groups[(y == 1) & (X[:, 0] >= grouped.lower_threshold_)])
    assert len(kept) / len(positives) >= 0.8
    with config_context(enable_metadata_routing=True):
        asking = Score().set_fit_request(sample_weight=True)
        routed = RejectOptionClassifier(asking, target_recall=0.8, random_state=0)
        routed.fit(X, y, groups=groups, sample_weight=np.ones(len(y)))
    assert len(np.intersect1d(groups[routed.recall_classifier_.calibration_rows_], groups)) < 300
    with pytest.raises(ValueError, match="rows of one group are not"):
        RejectOptionClassifier(model, certify_precision=True).fit(X, y, groups=groups)


def test_too_few_positives_raise_or_promise_the_best():
    X, y = draw(60)
    with pytest.raises(ValueError, match=r"Cannot promise recall >= 0.99 .* are missing"):
        prefit(X, y, target_recall=0.99)
    with pytest.warns(UserWarning, match="Promising recall") as said:
        clf = prefit(X, y, target_recall=0.99, on_insufficient="best")
    assert len(said) == 1
    assert clf.promise_.target_recall < 0.99


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"reject_label": 1}, r"reject_label=1 must differ from the classes \[0, 1\]"),
        ({"reject_label": "ask"}, "be text or a number as they are"),
        (
            {"target_precision": 0.9999, "certify_precision": True},
            r"Cannot certify precision >= 0.9999 .* alerts are positive, which carries 0\.\d+",
        ),
        ({"target_recall": 1.0}, "'target_recall' parameter"),
        ({"target_precision": 1.5}, "'target_precision' parameter"),
        ({"pos_label": 7}, "pos_label=7 must name"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(params, message):
    X, y = draw()
    with pytest.raises(ValueError, match=message):
        prefit(X, y, **params)


def test_bad_data_are_refused_with_a_sentence():
    X, y = draw()
    with pytest.raises(ValueError, match="one class only"):
        prefit(X, np.zeros(600, dtype=int))
    with pytest.raises(ValueError, match=r"holds 3 classes, \[0, 1, 2\]: to clear, flag or refer"):
        prefit(X, np.arange(600) % 3)
    message = r"No threshold reaches precision 0.9 .* the best is 0"
    with pytest.warns(UserWarning, match="flags all"), pytest.raises(ValueError, match=message):
        prefit(-X, y)

    class ThreeScores(Score):
        def decision_function(self, X):
            return np.column_stack([X, X, X])

    model = FrozenEstimator(ThreeScores().fit(X, np.arange(600) % 3))
    with pytest.raises(ValueError, match="to clear, flag or refer takes two"):
        RejectOptionClassifier(model, pos_label=2, target_recall=0.5).fit(X, np.arange(600) % 2 + 1)


@pytest.mark.parametrize(
    ("params", "y_of"),
    [
        ({"reject_label": "ask"}, lambda y: 1 - y),
        ({"pos_label": 2}, lambda y: np.arange(len(y)) % 3),
        ({"estimator": FrozenEstimator(Score().fit(None, [0, 1, 2]))}, lambda y: 1 - y),
    ],
)
def test_a_fit_that_fails_leaves_the_one_before(params, y_of):
    X, y = draw()
    clf = prefit(X, y)
    expected = clf.predict(X)
    with pytest.raises(ValueError, match=r"must differ|refer takes two|not one per class"):
        clf.set_params(**params).fit(X, y_of(y))
    assert_array_equal(clf.predict(X), expected)


def test_nothing_is_fitted_for_settings_that_fail():
    X, y = draw()

    class Untouched(Score):
        def fit(self, X, y):
            raise AssertionError("fitted")

    with pytest.raises(ValueError, match="must differ"):
        RejectOptionClassifier(Untouched(), reject_label=1).fit(X, y)
    with pytest.raises(ValueError, match="refer takes two"):
        RejectOptionClassifier(Untouched(), pos_label=2).fit(X, np.arange(600) % 3)


def test_precision_of_grouped_rows_is_not_certified_after_fit_either():
    X, y = draw()
    clf = RejectOptionClassifier(FrozenEstimator(Score().fit(X, y)), target_recall=0.8)
    clf.fit(X, y, groups=np.arange(600)).set_params(certify_precision=True)
    with pytest.raises(ValueError, match="certify_precision was set to True"):
        clf.predict(X)
    with pytest.raises(ValueError, match="rows of one group are not"):
        clf.refit_decision()
