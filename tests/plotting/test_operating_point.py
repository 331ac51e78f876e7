import numpy as np
import pytest
from matplotlib import pyplot
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score, roc_curve

from skrecall.metrics import recall_interval
from skrecall.plotting import OperatingPointDisplay
from skrecall.threshold import OptimalThresholdClassifier, RecallThresholdClassifier


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(1500, weights=[0.85], flip_y=0.1, random_state=0)
    return X[:700], np.array(["no", "yes"])[y[:700]], X[700:], np.array(["no", "yes"])[y[700:]]


@pytest.fixture(scope="module")
def promised(data):
    X, y, _, _ = data
    model = RecallThresholdClassifier(LogisticRegression(), target_recall=0.8, random_state=0)
    return model.fit(X, y)


@pytest.fixture(scope="module")
def patients():
    """Three rows of each of 400 patients: the features, labels and patients of two halves."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(400), 3)
    ill = rng.random(400) < 0.3
    y = (ill[patient] & (rng.random(1200) < 0.8)).astype(int)
    X = rng.normal(2.0 * ill)[patient, None] + rng.normal(size=(1200, 2))
    return X[:600], y[:600], patient[:600], X[600:], y[600:], patient[600:]


@pytest.fixture(scope="module")
def promised_to_patients(patients):
    X, y, patient, *_ = patients
    model = RecallThresholdClassifier(LogisticRegression(), target_recall=0.8, random_state=0)
    return model.fit(X, y, groups=patient)


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_point_promise_and_interval_on_new_data(data, promised):
    _, _, X, y = data
    display = OperatingPointDisplay.from_estimator(promised, X, y, confidence=0.9)
    y_pred = promised.predict(X)
    recall = recall_score(y, y_pred, pos_label="yes")
    precision = precision_score(y, y_pred, pos_label="yes")
    interval = recall_interval(y, y_pred, pos_label="yes", confidence=0.9)
    pr, roc = display.ax_
    (point, _, (bar,)) = display.points_[0]
    assert_allclose(point.get_xydata()[0], [recall, precision])
    assert_allclose(bar.get_segments()[0][:, 0], [interval.low, interval.high])
    (point, _, (bar,)) = display.points_[1]
    assert_allclose(point.get_xydata()[0], [np.mean(y_pred[y == "no"] == "yes"), recall])
    assert_allclose(bar.get_segments()[0][:, 1], [interval.low, interval.high])
    chosen = display.frame().query("chosen")
    assert_allclose(chosen[["recall", "precision"]].to_numpy()[0], [recall, precision])
    assert any("0.8" in text and "confidence 0.9" in text for text in legend_texts(pr))
    assert any(
        line.get_linestyle() == "--" and set(line.get_ydata()) == {0.8} for line in roc.lines
    )
    assert "90 % interval" in "".join(legend_texts(pr))


def test_roc_curve_is_that_of_scikit_learn(data, promised):
    _, _, X, y = data
    y_score = promised.predict_proba(X)[:, 1]
    display = OperatingPointDisplay.from_predictions(y, y_score, curves=["roc"])
    fpr, tpr, _ = roc_curve(y, y_score, pos_label="yes", drop_intermediate=False)
    assert_array_equal(display.lines_[0].get_xydata(), np.column_stack([fpr, tpr]))
    assert display.points_ == []
    assert not display.frame()["chosen"].any()


def test_the_held_out_rows_without_new_data(promised):
    display = OperatingPointDisplay.from_estimator(promised, name="model")
    assert display.curve is promised.operating_curve_
    assert (display.interval.low, display.interval.high) == (promised.recall_lower_bound_, 1.0)
    (_, _, (bar,)) = display.points_[0]
    assert_allclose(bar.get_segments()[0][:, 0], [promised.recall_lower_bound_, 1])
    chosen = display.frame().query("chosen").iloc[0]
    assert chosen["recall"] >= promised.recall_lower_bound_
    assert legend_texts(display.ax_[0])[0] == "model"


def test_an_optimal_threshold_has_no_promise(data):
    X, y, X_test, y_test = data
    model = OptimalThresholdClassifier(LogisticRegression(), objective="f1").fit(X, y)
    _, ax = pyplot.subplots()
    display = OperatingPointDisplay.from_estimator(
        model, X_test, y_test, curves=["precision_recall"], ax=ax
    )
    assert display.ax_ is ax
    assert display.target_recall is None
    assert not any("promised" in text for text in legend_texts(ax))
    recall = recall_score(y_test, model.predict(X_test), pos_label="yes")
    assert display.points_[0][0].get_xdata()[0] == pytest.approx(recall)


def test_an_empirical_threshold_is_not_drawn_as_a_promise(data):
    X, y, _, _ = data
    model = RecallThresholdClassifier(
        LogisticRegression(), target_recall=0.8, calibration="out_of_fold"
    ).fit(X, y)
    display = OperatingPointDisplay.from_estimator(model)
    assert display.target_recall is None
    assert display.interval is None


def test_a_promise_about_the_next_batch_has_no_interval_of_the_population(data):
    X, y, _, _ = data
    model = RecallThresholdClassifier(
        LogisticRegression(), target_recall=0.8, next_batch=50, random_state=0
    ).fit(X, y)
    display = OperatingPointDisplay.from_estimator(model)
    assert display.target_recall == 0.8
    assert display.interval is None


def test_the_other_class_can_be_the_positive_one(data):
    X, y, X_test, y_test = data
    model = RecallThresholdClassifier(
        LogisticRegression(), target_recall=0.8, pos_label="no", random_state=0
    ).fit(X, y)
    display = OperatingPointDisplay.from_estimator(model, X_test, y_test)
    recall = recall_score(y_test, model.predict(X_test), pos_label="no")
    assert display.points_[0][0].get_xdata()[0] == pytest.approx(recall)


def test_groups_widen_the_interval(data, promised):
    _, _, X, y = data
    groups = np.arange(len(y)) // 8
    display = OperatingPointDisplay.from_estimator(promised, X, y, groups=groups)
    assert display.interval.n_groups == len(np.unique(groups[y == "yes"]))


def test_a_promise_to_groups_is_compared_with_their_recall(patients, promised_to_patients):
    _, _, _, X, y, patient = patients
    display = OperatingPointDisplay.from_estimator(promised_to_patients, X, y, groups=patient)
    y_pred = promised_to_patients.predict(X)
    flagged, ill = (
        np.array([values[patient == one].any() for one in np.unique(patient)])
        for values in (y_pred == 1, y == 1)
    )
    recall, precision = recall_score(ill, flagged), precision_score(ill, flagged)
    assert recall > recall_score(y, y_pred)
    interval = recall_interval(y, y_pred, groups=patient)
    assert display.interval == interval
    assert (interval.recall, interval.n_positives) == (recall, ill.sum())
    pr, roc = display.ax_
    (point, _, (bar,)) = display.points_[0]
    assert_allclose(point.get_xydata()[0], [recall, precision])
    assert_allclose(bar.get_segments()[0][:, 0], [interval.low, interval.high])
    assert_allclose(display.points_[1][0].get_xydata()[0], [np.mean(flagged[~ill]), recall])
    assert display.curve.pos_label == 1
    assert pr.get_xlabel() == roc.get_ylabel()
    assert pr.get_xlabel() == "Recall (share of positive groups with a flagged row)"
    assert roc.get_xlabel() == "False positive rate (share of negative groups with a flagged row)"
    texts = "".join(legend_texts(pr))
    assert "0.8 per group, confidence 0.9" in texts
    assert f"recall {recall:.3f} per group" in texts
    assert f"prevalence {ill.mean():.2g} of groups" in texts
    assert f"{1000 * flagged.mean():.3g} of 1000 groups flagged" in texts


def test_held_out_groups_are_called_groups(promised_to_patients):
    display = OperatingPointDisplay.from_estimator(promised_to_patients, curves=["roc"])
    assert display.curve is promised_to_patients.operating_curve_
    assert display.ax_.get_ylabel() == "Recall (share of positive groups with a flagged row)"
    assert any("0.8 per group" in text for text in legend_texts(display.ax_))


def test_rows_of_groups_are_counted_as_rows(patients, promised_to_patients):
    X, y, patient, X_test, y_test, patient_test = patients
    by_row = RecallThresholdClassifier(
        LogisticRegression(), target_recall=0.8, group_promise="row", random_state=0
    ).fit(X, y, groups=patient)
    display = OperatingPointDisplay.from_estimator(by_row, X_test, y_test, groups=patient_test)
    assert display.target_recall == 0.8
    recall = recall_score(y_test, by_row.predict(X_test))
    assert display.points_[0][0].get_xdata()[0] == display.interval.recall == recall
    assert display.ax_[0].get_xlabel() == "Recall (share of positives found)"
    assert "group" not in "".join(legend_texts(display.ax_[0]))
    for model, other in [(promised_to_patients, "row"), (by_row, "any")]:
        display = OperatingPointDisplay.from_estimator(
            model, X_test, y_test, groups=patient_test, group_promise=other
        )
        assert display.target_recall is None  # the promise is about another recall


def test_a_promise_without_groups_is_about_rows(data, promised):
    _, _, X, y = data
    groups = np.arange(len(y)) // 8
    display = OperatingPointDisplay.from_estimator(promised, X, y, groups=groups)
    assert display.interval.recall == recall_score(y, promised.predict(X), pos_label="yes")
    assert display.target_recall == 0.8
    display = OperatingPointDisplay.from_estimator(
        promised, X, y, groups=groups, group_promise="any"
    )
    assert display.interval.n_positives == len(np.unique(groups[y == "yes"]))
    assert display.curve.pos_label == "yes"
    assert display.target_recall is None


@pytest.mark.parametrize("group_promise", ["any", "row"])
def test_groups_of_one_row_change_no_curve(data, promised, group_promise):
    _, _, X, y = data
    y_score = promised.predict_proba(X)[:, 1]
    alone = OperatingPointDisplay.from_predictions(y, y_score, threshold=0.3)
    grouped = OperatingPointDisplay.from_predictions(
        y, y_score, threshold=0.3, groups=np.arange(len(y)), group_promise=group_promise
    )
    assert grouped.frame().equals(alone.frame())
    assert_allclose(
        [grouped.interval.low, grouped.interval.high], [alone.interval.low, alone.interval.high]
    )


def test_the_legend_does_not_cover_the_point(data, promised):
    _, _, X, y = data
    display = OperatingPointDisplay.from_estimator(promised, X, y)
    display.figure_.canvas.draw()
    for ax, point in zip(display.ax_, display.points_, strict=True):
        x, y = ax.transData.transform(point[0].get_xydata()[0])
        assert not ax.get_legend().get_window_extent().contains(x, y)


def test_bad_input_is_refused(data, promised):
    X, y, _, _ = data
    with pytest.raises(ValueError, match="LogisticRegression has no threshold_"):
        OperatingPointDisplay.from_estimator(LogisticRegression().fit(X, y), X, y)
    with pytest.raises(ValueError, match="X and y belong together"):
        OperatingPointDisplay.from_estimator(promised, X)
    with pytest.raises(ValueError, match=r"curves=\('det',\) must name"):
        OperatingPointDisplay.from_predictions([0, 1], [0.1, 0.2], curves=["det"])
    several = RecallThresholdClassifier(
        LogisticRegression(), target_recall=0.5, pos_label=["no", "yes"], random_state=0
    ).fit(X, y)
    with pytest.raises(ValueError, match="has 2 thresholds, and one point is drawn"):
        OperatingPointDisplay.from_estimator(several, X, y)


def test_bad_groups_and_axes_are_refused(patients, promised_to_patients):
    _, _, _, X, y, patient = patients
    draw = OperatingPointDisplay.from_estimator
    with pytest.raises(ValueError, match=r"fitted with groups \(group_promise='any'\).*groups="):
        draw(promised_to_patients, X, y)
    with pytest.raises(ValueError, match="are about X, which is missing"):
        draw(promised_to_patients, groups=patient)
    with pytest.raises(ValueError, match="are about X, which is missing"):
        draw(promised_to_patients, group_promise="row")
    with pytest.raises(ValueError, match="group_promise='all' must be one of 'any', 'row'"):
        draw(promised_to_patients, X, y, groups=patient, group_promise="all")
    with pytest.raises(ValueError, match="All 2 groups have a positive row"):
        OperatingPointDisplay.from_predictions([0, 1, 0, 1], [1, 2, 3, 4], groups=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        OperatingPointDisplay.from_predictions([0, 1, 0, 1], [1, 2, 3, 4], groups=[0, 1])
    with pytest.raises(ValueError, match=r"on 2 axes and got 1: .* curves=\(\"roc\",\)"):
        draw(promised_to_patients, X, y, groups=patient, ax=pyplot.subplots()[1])
    with pytest.raises(ValueError, match=r"on 1 axes and got 2: pass as many, or None\.$"):
        draw(promised_to_patients, curves=["roc"], ax=pyplot.subplots(1, 2)[1])
