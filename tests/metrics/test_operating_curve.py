import itertools
import math

import numpy as np
import pytest
import sklearn.metrics
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import precision_recall_curve, roc_curve

from skrecall.metrics import operating_curve


def draw(seed, n=60, n_levels=None):
    rng = np.random.default_rng(seed)
    y_true = rng.permutation(np.arange(n) % 4 == 0).astype(int)
    y_score = rng.normal(size=n) + y_true
    if n_levels is not None:
        y_score = np.round(y_score * n_levels) / n_levels
    return y_true, y_score, rng.integers(1, 6, n) / 2


def loop_counts(y_true, y_score, weight):
    """Count by definition, one threshold at a time."""
    for threshold in [np.inf, *sorted(set(y_score), reverse=True)]:
        flagged = y_score >= threshold
        yield (
            threshold,
            weight[flagged & (y_true == 1)].sum(),
            weight[flagged & (y_true == 0)].sum(),
            weight[~flagged & (y_true == 1)].sum(),
            weight[~flagged & (y_true == 0)].sum(),
        )


@pytest.mark.parametrize("n_levels", [None, 1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_a_plain_loop(seed, weighted, n_levels):
    y_true, y_score, weight = draw(seed, n_levels=n_levels)
    curve = operating_curve(y_true, y_score, sample_weight=weight if weighted else None)
    expected = loop_counts(y_true, y_score, weight if weighted else np.ones(len(y_true)))
    actual = np.column_stack([curve.thresholds, curve.tp, curve.fp, curve.fn, curve.tn])
    assert_allclose(actual, list(expected), atol=1e-12)
    assert_array_equal(curve.alerts, curve.tp + curve.fp)


@pytest.mark.parametrize("n_levels", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_rates_are_scikit_learn_s(weighted, n_levels):
    y_true, y_score, weight = draw(3, n_levels=n_levels)
    weight = weight if weighted else None
    curve = operating_curve(y_true, y_score, sample_weight=weight)
    fpr, tpr, thresholds = roc_curve(y_true, y_score, sample_weight=weight, drop_intermediate=False)
    assert_allclose(curve.thresholds, thresholds)
    assert_allclose(curve.false_positive_rate, fpr)
    assert_allclose(curve.recall, tpr)
    assert_allclose(curve.specificity, 1 - fpr)
    precision, recall, _ = precision_recall_curve(y_true, y_score, sample_weight=weight)
    assert_allclose(curve.recall, recall[::-1])
    assert_allclose(curve.precision[1:], precision[::-1][1:])
    assert math.isnan(curve.precision[0])


@pytest.mark.skipif(
    not hasattr(sklearn.metrics, "confusion_matrix_at_thresholds"), reason="new in scikit-learn 1.8"
)
def test_counts_are_scikit_learn_s():
    y_true, y_score, weight = draw(4, n_levels=4)
    curve = operating_curve(y_true, y_score, sample_weight=weight)
    tn, fp, fn, tp, thresholds = sklearn.metrics.confusion_matrix_at_thresholds(
        y_true, y_score, sample_weight=weight
    )
    with_infinity = len(curve) - len(thresholds)  # scikit-learn leaves out "flag nothing"
    assert_allclose(curve.thresholds[with_infinity:], thresholds)
    for name, expected in {"tn": tn, "fp": fp, "fn": fn, "tp": tp}.items():
        assert_allclose(getattr(curve, name)[with_infinity:], expected)


def test_integer_weights_repeat_samples():
    y_true, y_score, _ = draw(5, n_levels=2)
    times = np.random.default_rng(0).integers(0, 4, len(y_true))
    weighted = operating_curve(y_true, y_score, sample_weight=times)
    repeated = operating_curve(np.repeat(y_true, times), np.repeat(y_score, times))
    shared = np.isin(weighted.thresholds, repeated.thresholds)
    assert_array_equal(weighted.tp[shared], repeated.tp)
    assert_array_equal(weighted.fp[shared], repeated.fp)
    assert weighted.n_positives == repeated.n_positives


def test_order_of_rows_decides_nothing():
    y_true, y_score, weight = draw(6, n_levels=1)
    curve = operating_curve(y_true, y_score, sample_weight=weight)
    order = np.random.default_rng(1).permutation(len(y_true))
    shuffled = operating_curve(y_true[order], y_score[order], sample_weight=weight[order])
    assert_allclose(shuffled.tp, curve.tp)
    assert_allclose(shuffled.fp, curve.fp)


def test_swapped_classes_mirror_the_curve():
    y_true, y_score, _ = draw(7)
    curve = operating_curve(y_true, y_score)
    mirror = operating_curve(y_true, -y_score, pos_label=0)
    assert_array_equal(mirror.recall, curve.specificity[::-1])
    assert mirror.pos_label == 0


def test_pos_label_names_one_of_several_classes():
    labels = np.array(["cyst", "healthy", "tumour"])[np.arange(30) % 3]
    y_score = np.random.default_rng(0).random(30)
    curve = operating_curve(labels, y_score, pos_label="cyst")
    assert_array_equal(curve.tp, operating_curve(labels == "cyst", y_score).tp)
    assert curve.n_negatives == 20


def test_alerts_per_1000_is_rounded_once():
    y_true, y_score = np.arange(1001) % 2, np.arange(1001.0)
    curve = operating_curve(y_true[:1000], y_score[:1000])
    assert_array_equal(curve.alerts_per_1000, np.arange(1001))


@pytest.mark.parametrize("n_levels", [None, 2])
def test_index_at_takes_the_same_decisions(n_levels):
    y_true, y_score, _ = draw(8, n_levels=n_levels)
    curve = operating_curve(y_true, y_score)
    between = (curve.thresholds[1:-1] + curve.thresholds[2:]) / 2
    for threshold in [*curve.thresholds, *between, -1e9, -np.inf, 1e9]:
        index = curve.index_at(threshold)
        assert curve.alerts[index] == np.sum(y_score >= threshold)


@pytest.mark.parametrize("n_levels", [None, 2])
def test_threshold_below_is_inside_the_gap_and_decides_alike(n_levels):
    y_true, y_score, _ = draw(9, n_levels=n_levels)
    curve = operating_curve(y_true, y_score)
    assert curve.threshold_below(0) == np.inf
    for index in range(1, len(curve)):
        threshold = curve.threshold_below(index)
        assert threshold < curve.thresholds[index]
        assert curve.index_at(threshold) == index
        if index + 1 < len(curve):
            assert threshold > curve.thresholds[index + 1]
            assert threshold == np.mean(curve.thresholds[index : index + 2])
    last_gap = curve.thresholds[-2] - curve.thresholds[-1]
    assert_allclose(curve.thresholds[-1] - curve.threshold_below(len(curve) - 1), last_gap / 2)


@pytest.mark.parametrize("low", [0.3, 1.0, -1.0, 1e300, 5e-324, 0.0, -5e-324, -1e-310])
def test_threshold_below_between_adjacent_floats_is_the_upper_one(low):
    high = np.nextafter(low, np.inf)
    curve = operating_curve([0, 1], [low, high])
    assert curve.threshold_below(1) == high
    assert curve.index_at(curve.threshold_below(1)) == 1


def test_threshold_below_does_not_overflow():
    curve = operating_curve([0, 1], [-1.7e308, 1.7e308])
    assert curve.threshold_below(1) == 0
    assert curve.index_at(curve.threshold_below(2)) == 2


@pytest.mark.parametrize("score", [0.0, 1e-9, -4.0, 1e12])
def test_threshold_below_a_single_score(score):
    curve = operating_curve([0, 1, 1], [score] * 3)
    threshold = curve.threshold_below(1)
    assert threshold < score
    assert curve.index_at(threshold) == 1


def test_frame_holds_the_curve():
    curve = operating_curve([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])
    frame = curve.frame()
    assert len(frame) == len(curve) == 5
    for name in frame.columns.drop("threshold"):
        assert_array_equal(frame[name], getattr(curve, name))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1, 1], [0.1, 0.2, 0.3]), "one class only, 1, in 3 samples"),
        (([0.2, 0.7, 0.4], [0, 1, 1]), "look like scores where labels belong"),
        (([0, 1, 2], [0.1, 0.2, 0.3]), "holds 3 classes"),
        (([0, 1], [0.1, np.nan]), "y_score contains NaN"),
        (([0, 1], [0.1, np.inf]), "y_score contains infinity"),
        (([0, np.nan], [0.1, 0.2]), "y_true contains NaN"),
        (([0, 1], [[0.1, 0.9], [0.2, 0.8]]), "one score per sample"),
        (([0, 1, 1], [0.1, 0.9]), "inconsistent numbers of samples"),
        (([], []), "0 sample"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        operating_curve(*arguments)


def test_bad_weights_and_labels_are_named():
    y_true, y_score = [0, 1, 1], [0.1, 0.2, 0.3]
    with pytest.raises(ValueError, match="positives a total weight of 0 and the negatives 1"):
        operating_curve(y_true, y_score, sample_weight=[1, 0, 0])
    with pytest.raises(ValueError, match=r"[Nn]egative values"):
        operating_curve(y_true, y_score, sample_weight=[1, -1, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        operating_curve(y_true, y_score, sample_weight=[1, 1])
    with pytest.raises(ValueError, match="pos_label='fraud' is not a label of y_true"):
        operating_curve(y_true, y_score, pos_label="fraud")


def test_every_permutation_of_a_small_tie_is_the_same_curve():
    for order in itertools.permutations(range(4)):
        order = list(order)
        curve = operating_curve(
            np.array([0, 1, 1, 0])[order], np.array([1.0, 1.0, 1.0, 2.0])[order]
        )
        assert_array_equal(curve.tp, [0, 0, 2])
        assert_array_equal(curve.fp, [0, 1, 2])
