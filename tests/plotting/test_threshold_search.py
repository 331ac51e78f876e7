from itertools import pairwise

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV

from skrecall.model_selection import DecisionGridSearchCV
from skrecall.plotting import ThresholdSearchDisplay

THRESHOLDS = [0.5, 0.2, 0.8, 0.35]


@pytest.fixture(scope="module")
def search():
    X, y = make_classification(200, weights=[0.8], random_state=0)
    pipeline = Pipeline(
        [
            ("sampler", "passthrough"),
            ("clf", FixedThresholdClassifier(LogisticRegression())),
        ]
    )
    samplers = ["passthrough", SMOTE(random_state=0), RandomUnderSampler(random_state=0)]
    grid = {"sampler": samplers, "clf__threshold": THRESHOLDS}
    return DecisionGridSearchCV(pipeline, grid, scoring="f1", cv=3).fit(X, y)


def test_cells_are_the_mean_test_scores(search):
    display = ThresholdSearchDisplay.from_search(search)
    frame = display.frame()
    assert frame.columns.tolist() == sorted(THRESHOLDS)
    assert frame.index.tolist() == ["passthrough", "SMOTE", "RandomUnderSampler"]
    results = search.cv_results_
    for candidate, mean in zip(results["params"], results["mean_test_score"], strict=True):
        sampler = candidate["sampler"]
        row = sampler if isinstance(sampler, str) else type(sampler).__name__
        assert frame.loc[row, candidate["clf__threshold"]] == mean
    assert_array_equal(display.image_.get_array().reshape(frame.shape), frame)
    assert display.colorbar_.ax.get_ylabel() == "Mean test f1"
    assert (display.column_name, display.row_name) == ("threshold", "sampler")


def test_the_best_is_marked_on_its_cell(search):
    display = ThresholdSearchDisplay.from_search(search)
    frame = display.frame()
    row, column = display.best
    assert frame.iloc[row, column] == search.best_score_
    assert frame.columns[column] == search.best_params_["clf__threshold"]
    star = display.ax_.lines[0].get_xydata()[0]
    assert_array_equal(np.floor(star), [column, row])
    assert f"{search.best_score_:.3g}" in display.ax_.get_title(loc="left")


def test_results_of_any_search_without_declared_decisions():
    X, y = make_classification(120, random_state=0)
    grid = {"C": [0.01, 0.1, 1], "fit_intercept": [True, False], "tol": [0.1, 0.01]}
    search = GridSearchCV(LogisticRegression(), grid, cv=2, scoring=["f1", "recall"], refit=False)
    search.fit(X, y)
    display = ThresholdSearchDisplay.from_cv_results(search.cv_results_, metric="recall")
    frame = display.frame()
    assert frame.shape == (4, 3)
    assert frame.columns.name == "C"
    assert set(frame.index) == {
        f"fit_intercept={flag}, tol={tol}" for flag in (True, False) for tol in (0.1, 0.01)
    }
    assert frame.to_numpy().max() == search.cv_results_["mean_test_recall"].max()
    by_column = ThresholdSearchDisplay.from_search(search, column="tol", metric="f1")
    assert by_column.frame().shape == (6, 2)
    with pytest.raises(ValueError, match="no metric None: metric must be 'f1' or 'recall'"):
        ThresholdSearchDisplay.from_search(search)


def test_combinations_not_tried_are_left_empty():
    cv_results = {
        "params": [{"C": 1, "t": 0.1}, {"C": 1, "t": 0.2}, {"C": 2, "t": 0.1}],
        "mean_test_score": [0.1, 0.2, 0.3],
    }
    display = ThresholdSearchDisplay.from_cv_results(cv_results, column="t")
    assert np.isnan(display.frame().loc["2", 0.2])
    assert display.image_.get_array().mask.sum() == 1


def test_one_bad_cell_leaves_the_others_their_colours():
    scores = np.array([[0.90, 0.91, 0.92], [0.93, 0.94, -20.0]])
    display = ThresholdSearchDisplay(
        scores=scores,
        row_labels=["a", "b"],
        columns=[1, 2, 3],
        row_name="row",
        column_name="column",
        best=(1, 1),
        score_name="score",
    ).plot()
    assert 0.8 < display.image_.norm.vmin <= 0.9
    assert display.image_.norm.vmax == 0.94
    assert display.colorbar_.extend == "min"
    display.scores = np.array([[0.1, 0.9, 0.9], [0.9, 0.9, 0.9]])
    assert display.plot().image_.norm.vmin == 0.1


def test_estimators_of_one_class_are_told_apart():
    rows = [SMOTE(k_neighbors=3), SMOTE(k_neighbors=7)]
    cv_results = {
        "params": [{"sampler": s, "t": t} for s in rows for t in (0.1, 0.2)],
        "mean_test_score": [0.1, 0.2, 0.3, 0.4],
    }
    labels = ThresholdSearchDisplay.from_cv_results(cv_results).row_labels
    assert labels == ["SMOTE(k_neighbors=3)", "SMOTE(k_neighbors=7)"]


@pytest.mark.parametrize("n_columns", [3, 19, 200])
def test_tick_labels_do_not_overlap(n_columns):
    thresholds = np.linspace(0.0123, 0.99, n_columns)
    cv_results = {
        "params": [{"C": c, "threshold": t} for c in (0.1, 1) for t in thresholds],
        "mean_test_score": np.arange(2 * n_columns) / n_columns,
    }
    display = ThresholdSearchDisplay.from_cv_results(cv_results)
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_bad_results_are_refused():
    params = [{"C": 1, "t": 0.1}, {"C": 2, "t": 0.1}]
    with pytest.raises(ValueError, match=r"needs two parameters, .* the search has \['C'\]"):
        ThresholdSearchDisplay.from_cv_results(
            {"params": [{"C": 1}, {"C": 2}], "mean_test_score": [0.1, 0.2]}
        )
    with pytest.raises(ValueError, match="column='threshold' to be one of them"):
        ThresholdSearchDisplay.from_cv_results(
            {"params": params, "mean_test_score": [0.1, 0.2]}, column="threshold"
        )
    with pytest.raises(ValueError, match="All 2 scores of the search are NaN"):
        ThresholdSearchDisplay.from_cv_results(
            {"params": params, "mean_test_score": [np.nan, np.nan]}
        )
