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
