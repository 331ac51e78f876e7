"""Every usual measure of multi-label decisions and scores in one table."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skrecall.utils._indicator import Indicator

from ._cells import CellCounts, check_cells, check_label_scores, count_cells, mean_of_rows
from ._example_metrics import ExampleMeasure, example_values
from ._label_areas import label_areas, pooled_areas
from ._label_ranking import rank_rows, warn_of_hard_scores
from ._masked_metrics import Measure, average_measure, label_measure

_LOSSES = ("hamming_loss", "one_error", "is_error", "coverage", "ranking_loss")
_OF_SAMPLES: dict[str, ExampleMeasure] = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f_beta",
    "jaccard": "jaccard",
}
_OF_LABELS: dict[str, Measure] = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f_beta",
    "g_mean": "g_mean",
}

Table = dict[str, tuple[float, int, str]]  # value, n, of


def multilabel_report(
    y_true: Any,
    y_pred: Any,
    y_score: Any = None,
    *,
    per_label: bool = False,
    empty: float = 1.0,
    sample_weight: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return every usual multi-label measure as one table, unknown labels left out.

    Parameters
    ----------
    y_true : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Indicator; NaN or -1 where a label is unknown. That cell is not counted, and not ranked.
    y_pred : array-like, DataFrame or sparse of shape (n_samples, n_labels)
        Predicted indicator.
    y_score : array-like or DataFrame of shape (n_samples, n_labels), default=None
        Scores, greater meaning more likely, for the measures that rank; None leaves them out.
    per_label : bool, default=False
        Whether to return one row per label instead.
    empty : float, default=1.0
        Value of the example-based measures of a sample that has no label and is given none, as in
        Mulan and MEKA; scikit-learn's is 0.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None counts every sample once.

    Returns
    -------
    report : DataFrame
        One row per measure, its name in the index, and the columns "value", "greater_is_better",
        "n" and "of" (how many "samples", "labels" or "cells" it is about). With `per_label`, one
        row per label, named by the columns of a DataFrame, and the columns "n_known",
        "n_positives", "tp", "fp", "fn", "tn", "precision", "recall", "specificity", "f1", "g_mean"
        and, with scores, "roc_auc" and "average_precision".

    Raises
    ------
    ValueError
        If an argument is no indicator, shapes or column names differ, or a score is NaN or
        infinite.

    Warns
    -----
    UserWarning
        If the scores are 0 and 1 alone.

    Notes
    -----
    - "macro_recall" and its like are means over all labels, a ratio of 0 by 0 being 0;
      "macro_recall_positive" and its like, over the labels that have a known positive;
      "macro_roc_auc" and "macro_average_precision", over the labels that have such an area.
    - "coverage" is 0-based as in Mulan: how many steps below the first of a sample's ranked labels
      its last true one lies; scikit-learn's ``coverage_error`` counts one more.
    - "one_error" is about the samples that have a label; the other measures about those of which
      any label is known. Ties of scores count against the ranking, but for one-error, where the
      first label counts.
    - A value that the data do not have, such as an area without positives, is NaN.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrecall.metrics import multilabel_report
    >>> from skrecall.multilabel import BinaryRelevance
    >>> X, Y = make_multilabel_classification(300, n_classes=4, random_state=0)
    >>> model = BinaryRelevance(LogisticRegression()).fit(X[:200], Y[:200])
    >>> report = multilabel_report(
    ...     Y[200:], model.predict(X[200:]), model.predict_proba(X[200:])
    ... )
    >>> report.loc[["hamming_loss", "macro_recall"], "of"].tolist()
    ['cells', 'labels']
    >>> multilabel_report(Y[200:], model.predict(X[200:]), per_label=True).shape
    (4, 11)
    """
    Y, P, weight = check_cells(y_true, y_pred, sample_weight)
    counts = count_cells(Y, P, axis=0, weight=weight)
    scored = None
    if y_score is not None:
        Y_ranked, S, _ = check_label_scores(y_true, y_score, sample_weight)
        warn_of_hard_scores(S)
        scored = Y_ranked, S
    if per_label:
        names = y_true.columns if isinstance(y_true, pd.DataFrame) else range(Y.shape[1])
        return _label_table(counts, scored, weight, pd.Index(names, name="label"))
    rows = count_cells(Y, P, axis=1)
    n_cells = int(rows.n_known.sum())
    table = _decision_measures(counts, rows, weight, empty, n_cells)
    if scored is not None:
        table |= _score_measures(*scored, weight, n_cells)
    frame = pd.DataFrame.from_dict(table, orient="index", columns=["value", "n", "of"])
    frame.insert(1, "greater_is_better", [name not in _LOSSES for name in frame.index])
    return frame


def _decision_measures(
    counts: CellCounts,
    rows: CellCounts,
    weight: NDArray[np.float64] | None,
    empty: float,
    n_cells: int,
) -> Table:
    """Return the measures of decisions: of cells, samples and labels."""
    known = rows.n_known > 0
    exact = np.where(known, rows.fp + rows.fn == 0, np.nan)
    pooled = counts.pooled()
    wrong = (pooled.fp + pooled.fn)[0]
    table: Table = {
        "hamming_loss": (float(wrong / pooled.n_known[0]) if n_cells else np.nan, n_cells, "cells"),
        "subset_accuracy": (mean_of_rows(exact, weight), int(known.sum()), "samples"),
    }
    for name, of_sample in _OF_SAMPLES.items():
        values = example_values(rows, of_sample, empty=empty)
        counted = int(np.count_nonzero(~np.isnan(values)))
        table[f"example_{name}"] = (mean_of_rows(values, weight), counted, "samples")
    for name, measure in _OF_LABELS.items():
        table[f"micro_{name}"] = (average_measure(counts, measure, "micro"), n_cells, "cells")
    for name, measure in _OF_LABELS.items():
        value = average_measure(counts, measure, "macro")
        table[f"macro_{name}"] = (value, len(counts.tp), "labels")
    n_positive = int(np.count_nonzero(counts.n_positives))
    for name, measure in _OF_LABELS.items():
        value = average_measure(counts, measure, "macro_positive")
        table[f"macro_{name}_positive"] = (value, n_positive, "labels")
    return table


def _score_measures(
    Y: Indicator, S: NDArray, weight: NDArray[np.float64] | None, n_cells: int
) -> Table:
    """Return the measures of scores: of samples, labels and cells."""
    table: Table = {
        name: (mean_of_rows(values, weight), int(np.count_nonzero(~np.isnan(values))), "samples")
        for name, values in rank_rows(Y, S).items()
    }
    of_labels, of_cells = label_areas(Y, S, weight), pooled_areas(Y, S, weight)
    for name, values, pooled in zip(
        ("roc_auc", "average_precision"), of_labels, of_cells, strict=True
    ):
        table[f"macro_{name}"] = (
            mean_of_rows(values, None),
            int(np.count_nonzero(~np.isnan(values))),
            "labels",
        )
        table[f"micro_{name}"] = (pooled, n_cells, "cells")
    return table


def _label_table(
    counts: CellCounts,
    scored: tuple[Indicator, NDArray] | None,
    weight: NDArray[np.float64] | None,
    names: pd.Index,
) -> pd.DataFrame:
    """Return one row per label."""
    frame = pd.DataFrame(
        {
            "n_known": counts.n_known,
            "n_positives": counts.n_positives,
            "tp": counts.tp,
            "fp": counts.fp,
            "fn": counts.fn,
            "tn": counts.tn,
            "precision": label_measure(counts, "precision"),
            "recall": label_measure(counts, "recall"),
            "specificity": label_measure(counts, "specificity"),
            "f1": label_measure(counts, "f_beta"),
            "g_mean": label_measure(counts, "g_mean"),
        },
        index=names,
    )
    if scored is not None:
        frame["roc_auc"], frame["average_precision"] = label_areas(*scored, weight)
    return frame
