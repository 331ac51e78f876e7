from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, LogisticRegression

from skrecall.datasets import make_imbalanced_classification, make_imbalanced_scores
from skrecall.metrics import recall_at_alert_budget
from skrecall.plotting import RecallBudgetDisplay


@pytest.fixture
def scores():
    return make_imbalanced_scores(1000, prevalence=0.1, decimals=1, random_state=0)


@pytest.mark.parametrize("log", [True, False])
def test_the_curve_is_the_recall_a_budget_buys(scores, log):
    display = RecallBudgetDisplay.from_predictions(scores.y, scores.y_score, log=log, budget=80)
    frame = display.frame()
    for alerts, recall in frame[["alerts_per_1000", "recall"]].to_numpy()[1:]:
        assert recall == np.mean(
            scores.y_score[scores.y == 1] >= np.sort(scores.y_score)[-round(alerts)]
        )
    assert_array_equal(
        display.line_.get_xydata(), frame[["alerts_per_1000", "recall"]].to_numpy()[1:]
    )
    marked = display.ax_.lines[-1].get_xydata()[0]
    bought = recall_at_alert_budget(scores.y, scores.y_score, alerts_per_1000=80)
    assert_allclose(marked, [80, bought])
    assert display.ax_.get_xscale() == ("log" if log else "linear")
    left, right = display.ax_.get_xlim()
    assert left <= frame["alerts_per_1000"][1]
    assert right >= 1000


def test_perfect_ranking_and_chance_bound_what_a_model_can_do(scores):
    display = RecallBudgetDisplay.from_predictions(scores.y, scores.y)
    lines = {line.get_label(): line for line in display.ax_.lines}
    perfect = lines["perfect ranking"].get_xydata()
    share = 1000 * scores.y.mean()
    assert_allclose(perfect[:, 1], np.minimum(1, perfect[:, 0] / share))
    assert_allclose(display.line_.get_xydata(), [[share, 1], [1000, 1]])
    chance = lines["chance"].get_xydata()
    assert_allclose(chance[:, 1], chance[:, 0] / 1000)


def test_several_models_share_the_axes_and_the_references(scores):
    ax, colours = None, set()
    for k, name in enumerate(["a", "b", "c"]):
        noise = np.random.RandomState(k).normal(size=1000)
        display = RecallBudgetDisplay.from_predictions(
            scores.y, scores.y_score + noise, name=name, ax=ax
        )
        ax = display.ax_
        colours.add((display.line_.get_color(), str(display.line_.get_linestyle())))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["perfect ranking", "chance", "a", "b", "c"]
    assert len(colours) == 3


def test_the_axis_reaches_the_smallest_budget_of_all_models(scores):
    ax = RecallBudgetDisplay.from_predictions(scores.y, scores.y_score).ax_
    fine = scores.y_score + 0.01 * np.random.RandomState(0).normal(size=1000)
    RecallBudgetDisplay.from_predictions(scores.y, fine, ax=ax)
    assert ax.get_xlim()[0] == pytest.approx(1)
    RecallBudgetDisplay.from_predictions(scores.y, scores.y_score, ax=ax)
    assert ax.get_xlim()[0] == pytest.approx(1)


@pytest.mark.parametrize("n_first", [1, 30, 150, 400])
def test_tick_labels_of_alerts_do_not_overlap(n_first):
    y_score = np.append(np.ones(n_first), np.linspace(0.5, 0, 1000 - n_first))
    display = RecallBudgetDisplay.from_predictions(np.arange(1000) % 10 == 0, y_score)
    display.figure_.canvas.draw()
    left, right = display.ax_.get_xlim()
    labels = [
        label
        for minor in (False, True)
        for label in display.ax_.get_xticklabels(minor=minor)
        if label.get_text() and left <= label.get_position()[0] <= right
    ]
    ends = sorted((box.x0, box.x1) for box in (label.get_window_extent() for label in labels))
    assert len(ends) >= 2
    assert all(end < start for (_, end), (start, _) in pairwise(ends))


def test_estimators_weights_and_positive_labels():
    data = make_imbalanced_classification(500, prevalence=0.2, random_state=0)
    y = np.array(["ok", "bad"])[data.y]
    model = LogisticRegression().fit(data.X, y)
    weight = np.linspace(0.5, 2, 500)
    display = RecallBudgetDisplay.from_estimator(
        model, data.X, y, pos_label="bad", sample_weight=weight
    )
    expected = RecallBudgetDisplay.from_predictions(
        y == "bad", model.predict_proba(data.X)[:, 0], sample_weight=weight
    )
    assert display.name == "LogisticRegression"
    assert_allclose(display.frame()["recall"], expected.frame()["recall"])


def test_what_finds_no_positives_is_refused():
    data = make_imbalanced_classification(100, prevalence=0.3, random_state=0)
    model = LinearRegression().fit(data.X, data.y)
    with pytest.raises(ValueError, match="LinearRegression is no classifier"):
        RecallBudgetDisplay.from_estimator(model, data.X, data.y)
