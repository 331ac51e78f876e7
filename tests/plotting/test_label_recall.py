import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.naive_bayes import GaussianNB

from skrecall.metrics import recall_interval
from skrecall.multilabel import BinaryRelevance
from skrecall.plotting import LabelRecallDisplay
from skrecall.plotting._axes import COLOURS


@pytest.fixture
def decisions():
    rng = np.random.default_rng(0)
    Y = (rng.random((300, 6)) < [0.5, 0.3, 0.2, 0.1, 0.02, 0.0]).astype(int)
    P = np.where(rng.random(Y.shape) < [0.99, 0.9, 0.5, 0.7, 0.9, 0.9], Y, 1 - Y)
    return Y, P


@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
@pytest.mark.parametrize("method", ["clopper-pearson", "wilson", "jeffreys"])
def test_each_bar_is_a_recall_interval_of_the_known_samples(decisions, container, method):
    Y, P = decisions
    Y[np.random.default_rng(1).random(Y.shape) < 0.1] = -1
    display = LabelRecallDisplay.from_predictions(
        container(Y), container(P), method=method, confidence=0.9
    )
    frame = display.frame().set_index("label")
    assert sorted(frame.index) == list("01234")
    assert frame["recall"].is_monotonic_increasing
    for label, row in frame.iterrows():
        y, p = Y[:, int(label)], P[:, int(label)]
        expected = recall_interval(y[y != -1], p[y != -1], method=method, confidence=0.9)
        assert_allclose(
            row[["recall", "low", "high", "n_found", "n_positives"]].to_numpy(float),
            [
                expected.recall,
                expected.low,
                expected.high,
                expected.n_found,
                expected.n_positives,
            ],
        )
    assert_allclose([bar.get_width() for bar in display.bars_], frame["recall"])
    assert display.ax_.get_title(loc="left") == "1 without positives left out"


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("recall", lambda y, p: np.mean(p[y == 1])),
        ("frequent", lambda y, p: -y.sum()),
        ("rare", lambda y, p: y.sum()),
    ],
)
def test_order_and_number_of_labels(decisions, order, key):
    Y, P = decisions
    display = LabelRecallDisplay.from_predictions(Y, P, order=order, max_labels=3)
    expected = sorted(range(5), key=lambda label: key(Y[:, label], P[:, label]))[:3]
    assert display.frame()["label"].tolist() == [str(label) for label in expected]
    assert " of 5 labels; 1 without positives" in display.ax_.get_title(loc="left")
    on_top = max(display.ax_.get_yticklabels(), key=lambda text: -text.get_position()[1])
    assert on_top.get_text() == str(expected[0])


def test_colours_tell_which_intervals_miss_the_target(decisions):
    display = LabelRecallDisplay.from_predictions(*decisions, target_recall=0.8)
    for bar, low, high in zip(display.bars_, display.low, display.high, strict=True):
        expected = COLOURS[1] if high < 0.8 else COLOURS[2] if low >= 0.8 else COLOURS[5]
        assert to_hex(bar.get_facecolor()).upper() == expected
    meanings = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert meanings == [
        "target 0.8",
        "interval below it",
        "interval covers it",
        "interval above it",
    ]


def test_from_estimator_asks_for_decisions(decisions):
    Y, _ = decisions
    X = Y + np.random.default_rng(0).normal(size=Y.shape)
    model = BinaryRelevance(GaussianNB()).fit(X, Y[:, :5])
    display = LabelRecallDisplay.from_estimator(model, X, Y[:, :5], order="rare", max_labels=4)
    expected = LabelRecallDisplay.from_predictions(
        Y[:, :5], model.predict(X), order="rare", max_labels=4
    )
    pd.testing.assert_frame_equal(display.frame(), expected.frame())


def test_bad_input_is_named(decisions):
    Y, P = decisions
    with pytest.raises(ValueError, match="None of the 6 labels has a known positive in the 300"):
        LabelRecallDisplay.from_predictions(0 * Y, P)
    with pytest.raises(ValueError, match="order='best' must be one of 'recall', 'frequent'"):
        LabelRecallDisplay.from_predictions(Y, P, order="best")
    with pytest.raises(ValueError, match="confidence=1 is not a share"):
        LabelRecallDisplay.from_predictions(Y, P, confidence=1)
    with pytest.raises(ValueError, match=r"target_recall=1.2 is not a share"):
        LabelRecallDisplay.from_predictions(Y, P, target_recall=1.2)
