"""Every display: draws on what it is given, says what its axes mean, hands out its numbers."""

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from sklearn.datasets import make_multilabel_classification

import skrecall.plotting
from skrecall.datasets import make_imbalanced_scores
from skrecall.plotting import (
    FoldQualityDisplay,
    ImbalanceProfileDisplay,
    LabelCooccurrenceDisplay,
    LabelGraphDisplay,
    LabelRecallDisplay,
    OperatingPointDisplay,
    RecallBudgetDisplay,
    ThresholdSearchDisplay,
)

SCORES = make_imbalanced_scores(400, prevalence=0.2, random_state=0)
LABELS = make_multilabel_classification(200, n_classes=4, random_state=0)[1]
CV_RESULTS = {
    "params": [{"C": c, "threshold": t} for c in (0.1, 1) for t in (0.2, 0.4, 0.6)],
    "mean_test_score": np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.5]),
}

# (how it is drawn, number of axes, columns of its frame)
DISPLAYS = {
    "FoldQualityDisplay": (
        lambda ax: FoldQualityDisplay.from_folds(LABELS, np.split(np.arange(200), 5), ax=ax),
        1,
        ["fold", "label", "n_positives", "ideal", "ratio"],
    ),
    "ImbalanceProfileDisplay": (
        lambda ax: ImbalanceProfileDisplay.from_labels(LABELS, ax=ax),
        1,
        ["label", "count", "share", "imbalance_ratio", "minority"],
    ),
    "LabelCooccurrenceDisplay": (
        lambda ax: LabelCooccurrenceDisplay.from_labels(LABELS, label_names=list("abcd"), ax=ax),
        1,
        list(np.array(list("abcd"))[np.argsort(-LABELS.sum(axis=0), kind="stable")]),
    ),
    "LabelGraphDisplay": (
        lambda ax: LabelGraphDisplay.from_labels(LABELS, random_state=0, ax=ax),
        1,
        ["label", "other", "jaccard", "community", "other_community"],
    ),
    "LabelRecallDisplay": (
        lambda ax: LabelRecallDisplay.from_predictions(
            LABELS, np.roll(LABELS, 1, axis=1), target_recall=0.8, ax=ax
        ),
        1,
        ["label", "recall", "low", "high", "n_found", "n_positives"],
    ),
    "OperatingPointDisplay": (
        lambda ax: OperatingPointDisplay.from_predictions(
            SCORES.y,
            SCORES.y_score,
            threshold=1.0,
            target_recall=0.8,
            target_confidence=0.9,
            name="m",
            ax=ax,
        ),
        2,
        [
            "threshold",
            "tp",
            "fp",
            "fn",
            "tn",
            "recall",
            "precision",
            "specificity",
            "alerts_per_1000",
            "chosen",
        ],
    ),
    "RecallBudgetDisplay": (
        lambda ax: RecallBudgetDisplay.from_predictions(
            SCORES.y, SCORES.y_score, name="m", budget=50, ax=ax
        ),
        1,
        ["name", "threshold", "alerts_per_1000", "recall", "precision"],
    ),
    "ThresholdSearchDisplay": (
        lambda ax: ThresholdSearchDisplay.from_cv_results(CV_RESULTS, ax=ax),
        1,
        [0.2, 0.4, 0.6],
    ),
}
each_display = pytest.mark.parametrize(
    ("draw", "n_axes", "columns"), DISPLAYS.values(), ids=list(DISPLAYS)
)


def test_every_display_is_in_the_list():
    assert sorted(DISPLAYS) == skrecall.plotting.__all__


@each_display
def test_draws_a_figure_of_its_own(draw, n_axes, columns):
    display = draw(None)
    axes = np.atleast_1d(display.ax_)
    assert len(axes) == n_axes
    assert all(ax.figure is display.figure_ for ax in axes)
    display.figure_.canvas.draw()


@each_display
def test_draws_on_given_axes_and_opens_no_other_figure(draw, n_axes, columns):
    figure, axes = pyplot.subplots(1, n_axes)
    display = draw(axes)
    assert display.figure_ is figure
    assert list(np.atleast_1d(display.ax_)) == list(np.atleast_1d(axes))
    assert pyplot.get_fignums() == [figure.number]
    with pytest.raises(ValueError, match=rf"draws on {n_axes} axes and got 3"):
        draw(pyplot.subplots(1, 3)[1])


@each_display
def test_axes_are_labelled_and_texts_stay_inside(draw, n_axes, columns):
    display = draw(None)
    display.figure_.canvas.draw()
    width, height = display.figure_.get_size_inches()
    drawn = display.figure_.get_tightbbox()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01
    for ax in np.atleast_1d(display.ax_):
        assert ax.get_xlabel()
        assert ax.get_ylabel()


@each_display
def test_frame_holds_the_numbers(draw, n_axes, columns):
    frame = draw(None).frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == columns
    assert len(frame) > 1


@each_display
def test_plot_again_returns_the_display(draw, n_axes, columns):
    display = draw(None)
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first


@each_display
def test_without_matplotlib_one_sentence_names_the_extra(draw, n_axes, columns, monkeypatch):
    hidden = [name for name in sys.modules if name.split(".")[0] == "matplotlib"]
    for name in hidden:
        monkeypatch.delitem(sys.modules, name)

    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "matplotlib":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    with pytest.raises(ImportError, match=r"Display needs matplotlib.*skrecall\[plot\]"):
        draw(None)
