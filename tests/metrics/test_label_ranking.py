import numpy as np
import pytest
import sklearn.metrics
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skrecall.metrics import is_error, one_error
from skrecall.metrics._cells import mean_of_rows
from skrecall.metrics._label_ranking import rank_rows
from skrecall.utils._blocks import row_blocks
from tests.metrics.multilabel import CONTAINERS, draw


def by_loop(y, s):
    """Return the measures of one sample, from their definitions."""
    known = [j for j in range(len(y)) if y[j] != -1]
    true, false = [j for j in known if y[j] == 1], [j for j in known if y[j] == 0]
    if not known:
        return dict.fromkeys(
            [
                "one_error",
                "is_error",
                "coverage",
                "ranking_loss",
                "label_ranking_average_precision",
            ],
            np.nan,
        )
    above = {j: [i for i in known if s[i] >= s[j]] for j in known}
    pairs = [s[j] <= s[i] for j in true for i in false]
    top = max(known, key=lambda j: (s[j], -j))
    return {
        "one_error": float(top not in true) if true else np.nan,
        "is_error": float(any(pairs)),
        "coverage": max((len(above[j]) for j in true), default=1) - 1,
        "ranking_loss": np.mean(pairs) if pairs else 0.0,
        "label_ranking_average_precision": (
            np.mean([sum(y[i] == 1 for i in above[j]) / len(above[j]) for j in true])
            if pairs
            else 1.0
        ),
    }


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("decimals", [1, 8])
@pytest.mark.parametrize("n_labels", [1, 2, 6])
def test_rows_are_those_of_a_plain_loop(unknown, decimals, n_labels, monkeypatch):
    monkeypatch.setattr(row_blocks, "__kwdefaults__", {"n_cells": 50})
    data = draw(unknown=unknown, decimals=decimals, n_labels=6)
    Y, S = data.Y[:, -n_labels:], data.S[:, -n_labels:]
    found = rank_rows(Y, S)
    expected = [by_loop(y, s) for y, s in zip(Y, S, strict=True)]
    for name, values in found.items():
        assert_allclose(values, [row[name] for row in expected], err_msg=name)
        assert_allclose(rank_rows(csr_array(Y), S)[name], values)


@pytest.mark.parametrize("decimals", [1, 8])
def test_means_are_scikit_learn_s(decimals):
    data = draw(decimals=decimals)
    keep = data.weight > 0
    Y, S, weight = data.Y[keep], data.S[keep], data.weight[keep]
    rows = rank_rows(Y, S)
    keywords = {"sample_weight": weight}
    for name, theirs in [
        ("ranking_loss", sklearn.metrics.label_ranking_loss),
        (
            "label_ranking_average_precision",
            sklearn.metrics.label_ranking_average_precision_score,
        ),
    ]:
        assert_allclose(mean_of_rows(rows[name], weight), theirs(Y, S, **keywords))
    has_label = Y.any(axis=1)
    assert_allclose(
        mean_of_rows(rows["coverage"][has_label], weight[has_label]),
        sklearn.metrics.coverage_error(Y[has_label], S[has_label], sample_weight=weight[has_label])
        - 1,
    )


@pytest.mark.parametrize("function", [one_error, is_error])
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
def test_public_functions_are_the_mean_of_their_rows(function, unknown, container):
    data = draw(unknown=unknown)
    expected = np.array(
        [by_loop(y, s)[function.__name__] for y, s in zip(data.Y, data.S, strict=True)]
    )
    there = ~np.isnan(expected)
    assert_allclose(function(container(data.Y), data.S), expected[there].mean())
    assert_allclose(
        function(container(data.Y), data.S, sample_weight=data.weight),
        np.average(expected[there], weights=data.weight[there]),
    )


def test_one_error_takes_the_first_of_equal_scores():
    assert one_error([[1, 0, 0]], [[0.5, 0.5, 0.2]]) == 0
    assert one_error([[0, 1, 0]], [[0.5, 0.5, 0.2]]) == 1
    assert is_error([[1, 0, 0]], [[0.5, 0.5, 0.2]]) == 1


def test_decisions_instead_of_scores_are_warned_of():
    Y = np.array([[1, 0], [0, 1]])
    for function in (one_error, is_error):
        with pytest.warns(UserWarning, match="y_score holds 0 and 1 alone") as record:
            function(Y, Y)
        assert record[0].filename == __file__


def test_what_has_no_value_is_said():
    S = np.array([[0.2, 0.3], [0.2, 0.3]])
    with pytest.raises(ValueError, match="None of the 2 samples has a label"):
        one_error(np.zeros((2, 2)), S)
    with pytest.raises(ValueError, match="No label of y_true is known"):
        is_error(np.full((2, 2), np.nan), S)
