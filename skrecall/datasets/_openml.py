"""Multi-label data from OpenML, through scikit-learn's fetcher and its cache."""

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack, issparse
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch

from skrecall.utils._sklearn import Interval, validate_params

from ._label_columns import positive_values

# Identifiers on OpenML. What is loaded must bear the name, so that a wrong one cannot pass.
OPENML_IDS = {
    "birds": 40588,
    "emotions": 40589,
    "enron": 40590,
    "genbase": 40591,
    "image": 40592,
    "langlog": 40593,
    "reuters": 40594,
    "scene": 40595,
    "slashdot": 40596,
    "yeast": 40597,
}


@validate_params(
    {
        "name": [str, None],
        "data_id": [Interval(Integral, 1, None, closed="left"), None],
        "labels": [list, tuple, None],
        "data_home": [str, Path, None],
        "as_frame": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_multilabel(
    name: str | None = None,
    *,
    data_id: int | None = None,
    labels: Sequence[str] | None = None,
    data_home: str | Path | None = None,
    as_frame: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch multi-label data from OpenML, once; it is kept in scikit-learn's cache.

    `sklearn.datasets.fetch_openml` downloads and reads it; its columns of words such as TRUE and
    FALSE become an indicator.

    Parameters
    ----------
    name : str, default=None
        One of "birds", "emotions", "enron", "genbase", "image", "langlog", "reuters", "scene",
        "slashdot" and "yeast".
    data_id : int, default=None
        Identifier on OpenML of any other data set.
    labels : list of str, default=None
        Names of the columns that are labels; None takes the targets that OpenML tells.
    data_home : str or Path, default=None
        Folder of the cache; None for scikit-learn's.
    as_frame : bool, default=False
        Whether `data` and `target` are DataFrames; not for data that are sparse on OpenML.
    return_X_y : bool, default=False
        Whether to return `data` and `target` alone.

    Returns
    -------
    dataset : Bunch
        With attributes

        data : ndarray, DataFrame or csr_array of shape (n_samples, n_features)
            Features; sparse where they are sparse on OpenML.
        target : ndarray, DataFrame or csr_array of shape (n_samples, n_labels)
            Indicator; sparse where the features are.
        feature_names, label_names : list of str
            Names of the columns of both.
        DESCR : str
            What OpenML tells of the data.
        details : dict
            More of it: licence, version, citation.
        frame : DataFrame or None
            Both side by side, where `as_frame` is True.

    Raises
    ------
    ValueError
        If the name is not listed, OpenML has something else under its identifier, there is no
        column of labels, or one holds something else than no and yes.

    Notes
    -----
    The first call needs the network, later ones do not. What OpenML holds may differ from the files
    of Mulan in the order of the rows, and has no split in training and test rows.

    Examples
    --------
    >>> from skrecall.datasets import fetch_multilabel
    >>> yeast = fetch_multilabel("yeast")  # doctest: +SKIP
    >>> yeast.target.shape  # doctest: +SKIP
    (2417, 14)
    """
    if (name is None) == (data_id is None):
        raise ValueError("Pass a name or a data_id: one of the two.")
    if name is not None and name.lower() not in OPENML_IDS:
        raise ValueError(
            f"{name!r} is none of {', '.join(OPENML_IDS)}: pass the data_id that OpenML gives it."
        )
    # Labels are fetched as if they were features: scikit-learn leaves those that a sparse row does
    # not list uninitialised in a target. Its parser of pandas fails where TRUE is read as a bool.
    fetched = fetch_openml(
        data_id=OPENML_IDS[name.lower()] if name is not None else data_id,
        target_column=None,
        data_home=None if data_home is None else str(data_home),
        as_frame="auto",
        parser="liac-arff",
    )
    found = fetched.details["name"]
    if name is not None and found.lower() != name.lower():
        raise ValueError(
            f"OpenML has {found!r} under data_id={OPENML_IDS[name.lower()]}, where {name!r} was "
            "expected: look its identifier up there, and pass it as data_id."
        )
    columns = list(fetched.feature_names)
    label_names = _label_names(labels, fetched.details, columns, found)
    feature_names = [column for column in columns if column not in set(label_names)]
    if issparse(fetched.data):
        if as_frame:
            raise ValueError(f"{found!r} is sparse: fetch it with as_frame=False.")
        table = csc_array(fetched.data)
        Y = [
            _sparse_label(table[:, [columns.index(name)]], fetched.categories.get(name), name)
            for name in label_names
        ]
        X: Any = csr_array(table[:, [columns.index(name) for name in feature_names]])
        Y = csr_array(hstack(Y, dtype=np.int8))
    else:
        X = fetched.data[feature_names]
        Y = np.column_stack([_dense_label(fetched.data[name], name) for name in label_names])
        if as_frame:
            Y = pd.DataFrame(Y, columns=label_names, index=X.index)
        else:
            X = _numbers(X, found)
    if return_X_y:
        return X, Y
    return Bunch(
        data=X,
        target=Y,
        feature_names=feature_names,
        label_names=label_names,
        DESCR=fetched.DESCR,
        details=fetched.details,
        frame=pd.concat([X, Y], axis=1) if as_frame else None,
    )


def _label_names(
    labels: Sequence[str] | None, details: dict[str, Any], columns: list[str], name: str
) -> list[str]:
    """Return the names of the labels: those given, or the targets that OpenML tells."""
    told = details.get("default_target_attribute") or ""
    chosen = [word.strip() for word in told.split(",")] if labels is None else list(labels)
    if labels is None and len(chosen) < 2:
        raise ValueError(
            f"OpenML tells no more than one target of {name!r}, {told!r}, so that it is not known "
            "which columns are labels: pass their names as labels."
        )
    missing = [label for label in chosen if label not in set(columns)]
    if missing:
        raise ValueError(
            f"{name!r} has no column {missing[:5]}, named as label: it has {len(columns)}, "
            f"{columns[:3]} the first of them."
        )
    return chosen


def _dense_label(column: pd.Series, name: str) -> NDArray:
    """Return a column of words or numbers as 0 and 1."""
    words = column.astype(str).str.removesuffix(".0")
    return words.isin(_words_for_yes(words.unique().tolist(), name)).to_numpy(np.int64)


def _sparse_label(column: csc_array, categories: list[str] | None, name: str) -> csc_array:
    """Return a sparse column of numbers, or of indices of its categories, as 0 and 1."""
    words = np.array(["0", "1"] if categories is None else categories, dtype=object)
    code = column.toarray()[:, 0]
    if not np.isin(code, range(len(words))).all():
        raise ValueError(f"Column {name!r} is no label: it holds {np.unique(code)[:5].tolist()}.")
    is_positive = np.isin(words, _words_for_yes(words.tolist(), name))
    return csc_array(is_positive[code.astype(np.intp), np.newaxis].astype(np.int8))


def _words_for_yes(words: list[str], name: str) -> list[str]:
    positive = positive_values(words)
    if positive is None:
        raise ValueError(
            f"Column {name!r} is no label: it holds {words[:5]}, and a label is 0 or 1, or FALSE "
            "or TRUE."
        )
    return positive


def _numbers(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return the features as an array; categories that are numbers are read as such."""
    try:
        return frame.astype(object).to_numpy(dtype=np.float64, na_value=np.nan)
    except ValueError:
        text = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
        raise ValueError(
            f"{name!r} has columns that are no numbers, {text[:5]}: fetch it with as_frame=True "
            "and encode them."
        ) from None
