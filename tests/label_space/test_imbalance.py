import math
import statistics

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skrecall.label_space import (
    imbalance_ratio_cv,
    imbalance_ratio_per_label,
    label_cardinality,
    label_density,
    label_report,
    label_sets,
    label_space_summary,
    mean_imbalance_ratio,
    scumble,
    theoretical_complexity_score,
)

CONTAINERS = [np.asarray, pd.DataFrame, csr_array]


def skewed_labels():
    """Labels of very different frequency, the last without positives, and rows without labels."""
    rng = np.random.default_rng(0)
    Y = (rng.random((150, 6)) < [0.5, 0.3, 0.1, 0.05, 0.02, 0]).astype(int)
    Y[:3, 4] = 1
    Y[-5:] = 0
    return Y


def plain_ratios(Y):
    counts = [sum(column) for column in zip(*Y.tolist(), strict=True)]
    return [max(counts) / count if count else math.nan for count in counts]


def plain_scumble(Y):
    ratios = plain_ratios(Y)
    of_rows = []
    for row in Y.tolist():
        mine = [ratio for ratio, has in zip(ratios, row, strict=True) if has]
        if mine:
            of_rows.append(1 - math.prod(mine) ** (1 / len(mine)) / statistics.mean(mine))
        else:
            of_rows.append(0.0)
    return of_rows


@pytest.mark.parametrize("container", CONTAINERS)
def test_measures_are_those_of_plain_loops(container):
    Y = skewed_labels()
    ratios, of_rows = plain_ratios(Y), plain_scumble(Y)
    seen = ratios[:-1]
    Y_in = container(Y)
    assert_allclose(imbalance_ratio_per_label(Y_in), ratios, rtol=1e-9)
    assert mean_imbalance_ratio(Y_in) == pytest.approx(statistics.mean(seen), rel=1e-9)
    variation = statistics.stdev(seen) / statistics.mean(seen)
    assert imbalance_ratio_cv(Y_in) == pytest.approx(variation, rel=1e-9)
    assert_allclose(scumble(Y_in, per="sample"), of_rows, atol=1e-12)
    assert scumble(Y_in) == pytest.approx(statistics.mean(of_rows), rel=1e-9)
    of_labels = [
        statistics.mean(s for s, has in zip(of_rows, Y[:, k], strict=True) if has) for k in range(5)
    ]
    assert_allclose(scumble(Y_in, per="label"), [*of_labels, math.nan], rtol=1e-9)
    n_sets = len(set(map(tuple, Y.tolist())))
    score = theoretical_complexity_score(Y_in, 7)
    assert score == pytest.approx(math.log(7 * 6 * n_sets), rel=1e-12)


def test_scumble_does_not_overflow():
    """1,100 labels of ratio 2 in one row: their product is no float."""
    Y = np.zeros((3, 1101), dtype=int)
    Y[0], Y[1, 0] = 1, 1
    assert scumble(Y, per="sample")[0] == pytest.approx(1 - 2 ** (1100 / 1101) / (2201 / 1101))


def test_labels_that_are_equally_frequent():
    Y = np.eye(4, dtype=int)
    assert_array_equal(imbalance_ratio_per_label(Y), 1)
    assert (mean_imbalance_ratio(Y), imbalance_ratio_cv(Y), scumble(Y)) == (1, 0, 0)


def test_no_positives_and_one_label():
    Y = np.zeros((5, 2), dtype=int)
    assert np.isnan(imbalance_ratio_per_label(Y)).all()
    assert math.isnan(mean_imbalance_ratio(Y))
    assert math.isnan(imbalance_ratio_cv(Y))
    assert math.isnan(imbalance_ratio_cv([[1], [0]]))
    assert scumble(Y) == 0
    assert np.isnan(scumble(Y, per="label")).all()


def test_report_and_summary_hold_the_measures():
    Y = skewed_labels()
    names = list("abcdef")
    report = label_report(pd.DataFrame(Y, columns=names))
    assert report.index.tolist() == names
    assert_array_equal(report["count"], Y.sum(axis=0))
    assert_allclose(report["share"], Y.mean(axis=0))
    assert_array_equal(report["imbalance_ratio"], imbalance_ratio_per_label(Y))
    assert_array_equal(report["scumble"], scumble(Y, per="label"))
    summary = label_space_summary(csr_array(Y), n_features=7)
    counts = label_sets(Y)[2]
    expected = {
        "n_samples": 150,
        "n_labels": 6,
        "n_labels_without_positives": 1,
        "cardinality": label_cardinality(Y),
        "density": label_density(Y),
        "n_label_sets": len(counts),
        "n_single_label_sets": np.sum(counts == 1),
        "mean_imbalance_ratio": mean_imbalance_ratio(Y),
        "imbalance_ratio_cv": imbalance_ratio_cv(Y),
        "scumble": scumble(Y),
        "theoretical_complexity_score": theoretical_complexity_score(Y, 7),
    }
    assert_allclose(summary[list(expected)], list(expected.values()))
    assert len(summary) == len(expected)
    assert "theoretical_complexity_score" not in label_space_summary(Y)


def test_bad_input():
    Y = skewed_labels()
    with pytest.raises(ValueError, match="per='row' must be one of 'data', 'sample', 'label'"):
        scumble(Y, per="row")
    with pytest.raises(ValueError, match="n_features=0 must be a whole number, 1 or more"):
        theoretical_complexity_score(Y, 0)
    for measure in (scumble, label_report, label_space_summary):
        with pytest.raises(ValueError, match="there is no row"):
            measure(Y[:0])
