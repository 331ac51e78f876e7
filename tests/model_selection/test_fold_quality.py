import itertools
import statistics

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.model_selection import KFold

from skrecall.model_selection import fold_quality


def plain_quality(Y, folds):
    """The definitions, by loops; every label varies and no fold is all positive."""
    singles = Y.T.tolist()
    pairs = [(a & b).tolist() for a, b in itertools.combinations(Y.T, 2)]
    expected = {}
    for of, columns in [("L", singles), ("LP", [p for p in pairs if any(p)])]:
        distances, missing = [], 0
        for column in columns:
            overall = sum(column) / (len(column) - sum(column))
            for fold in folds:
                inside = [column[row] for row in fold]
                distances.append(abs(sum(inside) / (len(fold) - sum(inside)) - overall))
                missing += not any(inside)
        expected[f"{of}D"] = statistics.mean(distances)
        expected[f"F{of}Z"] = missing
    expected["FZ"] = sum(
        any(not any(column[row] for row in fold) for column in singles) for fold in folds
    )
    expected["ED"] = statistics.mean(abs(len(fold) - len(Y) / len(folds)) for fold in folds)
    return expected


def random_labels():
    return (np.random.default_rng(0).random((43, 5)) < [0.5, 0.3, 0.2, 0.1, 0.1]).astype(int)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_measures_are_those_of_plain_loops(container):
    Y = random_labels()
    splits = list(KFold(4, shuffle=True, random_state=0).split(Y))
    folds = [test for _, test in splits]
    expected = plain_quality(Y, folds)
    assert min(expected["FZ"], expected["FLZ"], expected["FLPZ"]) > 0
    for given in (splits, folds, iter(splits), [fold.tolist() for fold in folds]):
        quality = fold_quality(container(Y), given)
        assert quality.index.tolist() == ["LD", "LPD", "ED", "FZ", "FLZ", "FLPZ"]
        assert quality.to_dict() == pytest.approx(expected, rel=1e-12)


def test_perfect_folds():
    Y = np.tile([[1, 1], [1, 0], [0, 0]], (4, 1))
    quality = fold_quality(Y, np.arange(12).reshape(4, 3))
    assert quality.to_dict() == dict.fromkeys(quality.index, 0.0)


def test_labels_that_say_nothing():
    """A label of all rows, or of none, is no part of the distributions, nor missing anywhere."""
    Y = random_labels()
    folds = np.array_split(np.arange(len(Y)), 3)
    expected = fold_quality(Y, folds)
    more = np.column_stack([Y, np.zeros(len(Y), dtype=int)])
    pd.testing.assert_series_equal(fold_quality(more, folds), expected)
    constant = np.ones((6, 2), dtype=int)
    assert fold_quality(constant, [[0, 1], [2, 3, 4, 5]])[["LD", "LPD"]].tolist() == [0, 0]


def test_a_fold_of_positives_alone_and_a_target_of_one_dimension():
    """Two rows, both positive: two against one, where all rows have two against two."""
    quality = fold_quality(["no", "no", "yes", "yes"], [[2, 3], [0, 1]])
    assert quality["LD"] == pytest.approx((abs(2 / 1 - 2 / 2) + abs(0 / 2 - 2 / 2)) / 2)
    assert quality[["FZ", "FLZ", "FLPZ", "LPD"]].tolist() == [1, 1, 0, 0]


def test_desired_sizes():
    Y = random_labels()
    folds = [np.arange(30), np.arange(30, 43)]
    assert fold_quality(Y, folds)["ED"] == 8.5
    assert fold_quality(Y, folds, desired_sizes=[31, 12])["ED"] == 1


def test_masks_are_refused():
    halves = np.arange(43) < 20
    with pytest.raises(ValueError, match="A fold holds values of type bool: pass the indices"):
        fold_quality(random_labels(), [halves, ~halves])


def test_no_rows_in_a_fold():
    with pytest.raises(ValueError, match=r"The folds have \[2, 0\] rows: pass at least one fold"):
        fold_quality(random_labels(), [[0, 1], []])
    with pytest.raises(ValueError, match=r"The folds have \[\] rows"):
        fold_quality(random_labels(), [])
