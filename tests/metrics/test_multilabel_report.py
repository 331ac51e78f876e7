import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skrecall import metrics
from skrecall.metrics import multilabel_report
from tests.metrics.multilabel import CONTAINERS, draw

# every measure as scikit-learn has it, for labels that are all known
BY_SCIKIT_LEARN = {
    "hamming_loss": lambda Y, P, S, w: skm.hamming_loss(Y, P, sample_weight=w),
    "subset_accuracy": lambda Y, P, S, w: skm.accuracy_score(Y, P, sample_weight=w),
    "example_f1": lambda Y, P, S, w: skm.f1_score(
        Y, P, average="samples", zero_division=1, sample_weight=w
    ),
    "example_jaccard": lambda Y, P, S, w: skm.jaccard_score(
        Y, P, average="samples", zero_division=1, sample_weight=w
    ),
    **{
        f"{average}_{name}": lambda Y, P, S, w, average=average, function=function: function(
            Y, P, average=average, zero_division=0, sample_weight=w
        )
        for average in ("micro", "macro")
        for name, function in [
            ("precision", skm.precision_score),
            ("recall", skm.recall_score),
            ("f1", skm.f1_score),
        ]
    },
    "ranking_loss": lambda Y, P, S, w: skm.label_ranking_loss(Y, S, sample_weight=w),
    "label_ranking_average_precision": (
        lambda Y, P, S, w: skm.label_ranking_average_precision_score(Y, S, sample_weight=w)
    ),
    "micro_roc_auc": lambda Y, P, S, w: skm.roc_auc_score(Y, S, average="micro", sample_weight=w),
    "micro_average_precision": lambda Y, P, S, w: skm.average_precision_score(
        Y, S, average="micro", sample_weight=w
    ),
}
# every measure as the function of ours that stands for it, unknown labels included
BY_FUNCTION = {
    "hamming_loss": metrics.masked_hamming_loss,
    "example_precision": metrics.example_precision,
    "example_recall": metrics.example_recall,
    "example_f1": metrics.example_fbeta,
    "example_jaccard": metrics.example_jaccard,
    "macro_g_mean": metrics.multilabel_g_mean,
    "macro_precision_positive": lambda *a, **k: metrics.masked_precision_score(
        *a, average="macro_positive", **k
    ),
    "macro_recall_positive": lambda *a, **k: metrics.masked_recall_score(
        *a, average="macro_positive", **k
    ),
    "macro_f1_positive": lambda *a, **k: metrics.masked_fbeta_score(
        *a, average="macro_positive", **k
    ),
    "macro_g_mean_positive": lambda *a, **k: metrics.multilabel_g_mean(
        *a, average="macro_positive", **k
    ),
    "micro_g_mean": lambda *a, **k: metrics.multilabel_g_mean(*a, average="micro", **k),
}
OF_SCORES = {
    "one_error": metrics.one_error,
    "is_error": metrics.is_error,
    "macro_roc_auc": metrics.masked_roc_auc_score,
    "micro_roc_auc": lambda *a, **k: metrics.masked_roc_auc_score(*a, average="micro", **k),
    "macro_average_precision": metrics.masked_average_precision_score,
    "micro_average_precision": lambda *a, **k: metrics.masked_average_precision_score(
        *a, average="micro", **k
    ),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_scikit_learn_s_where_it_has_them(container, weighted):
    data = draw()
    weight = data.weight if weighted else None
    report = multilabel_report(container(data.Y), container(data.P), data.S, sample_weight=weight)
    for name, function in BY_SCIKIT_LEARN.items():
        expected = function(data.Y, data.P, data.S, weight)
        assert_allclose(report.loc[name, "value"], expected, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_the_functions(unknown, weighted):
    data = draw(unknown=unknown)
    keywords = {"sample_weight": data.weight} if weighted else {}
    report = multilabel_report(data.Y, data.P, data.S, **keywords)
    for name, function in BY_FUNCTION.items():
        assert_allclose(report.loc[name, "value"], function(data.Y, data.P, **keywords))
    for name, function in OF_SCORES.items():
        assert_allclose(report.loc[name, "value"], function(data.Y, data.S, **keywords))


def test_every_row_is_tested_and_tells_what_it_counts():
    data = draw(unknown=True)
    report = multilabel_report(data.Y, data.P, data.S)
    others = {"subset_accuracy", "coverage"}
    assert set(report.index) == others | set(BY_SCIKIT_LEARN) | set(BY_FUNCTION) | set(OF_SCORES)
    assert report.columns.tolist() == ["value", "greater_is_better", "n", "of"]
    known = data.Y != -1
    for name, n, of in [
        ("hamming_loss", known.sum(), "cells"),
        ("subset_accuracy", known.any(axis=1).sum(), "samples"),
        ("one_error", (data.Y == 1).any(axis=1).sum(), "samples"),
        ("macro_recall", data.Y.shape[1], "labels"),
        ("macro_recall_positive", (data.Y == 1).any(axis=0).sum(), "labels"),
        (
            "macro_roc_auc",
            ((data.Y == 1).any(axis=0) & (data.Y == 0).any(axis=0)).sum(),
            "labels",
        ),
    ]:
        assert report.loc[name, ["n", "of"]].tolist() == [n, of]
    exact = [
        np.all(y[y != -1] == p[y != -1])
        for y, p in zip(data.Y, data.P, strict=True)
        if any(y != -1)
    ]
    assert_allclose(report.loc["subset_accuracy", "value"], np.mean(exact))


def test_coverage_is_zero_based():
    report = multilabel_report([[1, 0, 1]], [[1, 0, 0]], [[0.9, 0.5, 0.3]])
    assert report.loc["coverage", "value"] == 2
    assert not report.loc["coverage", "greater_is_better"]


def test_perfect_predictions_are_perfect():
    data = draw()
    report = multilabel_report(data.Y, data.Y, data.Y + data.S / 10)
    best = report["greater_is_better"].astype(float)
    all_labels = report.index.str.startswith("macro_") & (report["of"] == "labels")
    rest = report[~all_labels].drop("coverage")
    assert_allclose(rest["value"], best[rest.index])
    assert (report.filter(like="_positive", axis=0)["value"] == 1).all()


@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
def test_one_row_per_label(container):
    data = draw(unknown=True)
    table = multilabel_report(container(data.Y), container(data.P), data.S, per_label=True)
    assert table.index.name == "label"
    assert_array_equal(table["n_positives"], (data.Y == 1).sum(axis=0))
    assert_array_equal(table["n_known"], (data.Y != -1).sum(axis=0))
    assert_array_equal(table[["tp", "fp", "fn", "tn"]].sum(axis=1), table["n_known"])
    known = data.Y != -1
    specificity = [
        np.mean(p[y == 0] == 0) if np.any(y == 0) else 0
        for y, p in zip(data.Y.T, data.P.T, strict=True)
    ]
    assert known.any()
    assert_allclose(table["specificity"], specificity)
    keywords = {"average": None}
    for name, values in {
        "precision": metrics.masked_precision_score(data.Y, data.P, **keywords),
        "recall": metrics.masked_recall_score(data.Y, data.P, **keywords),
        "f1": metrics.masked_fbeta_score(data.Y, data.P, **keywords),
        "g_mean": metrics.multilabel_g_mean(data.Y, data.P, **keywords),
        "roc_auc": metrics.masked_roc_auc_score(data.Y, data.S, **keywords),
        "average_precision": metrics.masked_average_precision_score(data.Y, data.S, **keywords),
    }.items():
        assert_allclose(table[name], values)


def test_labels_are_called_by_the_columns_of_a_frame():
    Y = pd.DataFrame([[1, 0], [0, 1]], columns=["cat", "dog"])
    assert multilabel_report(Y, Y, per_label=True).index.tolist() == ["cat", "dog"]
    with pytest.raises(ValueError, match="column 0 is 'cat' in y_true and 'dog' in y_score"):
        multilabel_report(Y, Y, Y[["dog", "cat"]] / 3)


def test_decisions_instead_of_scores_are_warned_of():
    Y = np.array([[1, 0], [0, 1]])
    with pytest.warns(UserWarning, match="y_score holds 0 and 1 alone") as record:
        multilabel_report(Y, Y, Y)
    assert record[0].filename == __file__


def test_what_the_data_do_not_have_is_nan():
    Y = np.full((2, 2), np.nan)
    report = multilabel_report(Y, np.zeros((2, 2)), np.full((2, 2), 0.5))
    assert np.isnan(report.loc["hamming_loss", "value"])
    assert np.isnan(report.loc["micro_roc_auc", "value"])
    assert report.loc["macro_recall", "value"] == 0
    assert report.loc["macro_recall_positive", "n"] == 0


def test_labels_coded_by_sign_are_refused():
    Y, P = np.array([[1, 0], [0, 1], [1, 1]]), np.ones((3, 2), dtype=int)
    for measure in (multilabel_report, metrics.masked_recall_score, metrics.example_recall):
        with pytest.raises(ValueError, match=r"y_true holds 1 and -1 and no 0: -1 means unknown"):
            measure(2 * Y - 1, P)
