"""Multi-label data in the svmlight format, through scikit-learn's reader."""

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.datasets import load_svmlight_file
from sklearn.utils import Bunch

from skrecall.utils._sklearn import Interval, StrOptions, validate_params


@validate_params(
    {
        "path": [str, Path],
        "n_features": [Interval(Integral, 1, None, closed="left"), None],
        "n_labels": [Interval(Integral, 1, None, closed="left"), None],
        "label_names": [list, tuple, None],
        "zero_based": ["boolean", StrOptions({"auto"})],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_svmlight_multilabel(
    path: str | Path,
    *,
    n_features: int | None = None,
    n_labels: int | None = None,
    label_names: Sequence[str] | None = None,
    zero_based: bool | str = "auto",
    return_X_y: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Load multi-label data in the svmlight format, ``1,5 3:0.2 7:1`` for labels 1 and 5.

    The rows are read by `sklearn.datasets.load_svmlight_file`; its lists of labels become an
    indicator.

    Parameters
    ----------
    path : str or Path
        The file; decompressed on the fly where it ends in ``.gz`` or ``.bz2``.
    n_features : int, default=None
        Number of features, for a test file that lacks the last ones; None for as many as occur.
    n_labels : int, default=None
        Number of labels, which are then 0 to `n_labels` - 1: give it for the training and the test
        file, so that their columns agree. None gives each label that occurs a column.
    label_names : list of str, default=None
        Names of the columns; None takes the labels as they are written.
    zero_based : bool or "auto", default="auto"
        Whether features count from 0; as in scikit-learn.
    return_X_y : bool, default=False
        Whether to return `data` and `target` alone.

    Returns
    -------
    dataset : Bunch
        With attributes

        data : csr_array of shape (n_samples, n_features)
            Features, float64.
        target : csr_array of shape (n_samples, n_labels)
            Indicator, int8.
        label_names : list of str
            Names of the columns of `target`.

    Raises
    ------
    ValueError
        If a label is outside what `n_labels` allows, or the names are not as many as the labels.

    Notes
    -----
    An empty line is no sample: scikit-learn reads over it, and writes one for a row that has
    neither labels nor features. Where the rows must match another file, compare their number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skrecall.datasets import load_svmlight_multilabel
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tags.svm"
    ...     _ = path.write_text("1,5 1:0.5 2:1\\n5 2:3\\n 1:2\\n")
    ...     tags = load_svmlight_multilabel(path)
    >>> tags.label_names
    ['1', '5']
    >>> tags.target.toarray()
    array([[1, 1],
           [0, 1],
           [0, 0]], dtype=int8)
    """
    path = Path(path)
    X, labels = load_svmlight_file(
        str(path), n_features=n_features, multilabel=True, zero_based=zero_based
    )
    counts = [len(of_row) for of_row in labels]
    row = np.repeat(np.arange(len(labels)), counts)
    value = np.fromiter((v for of_row in labels for v in of_row), np.float64, sum(counts))
    if n_labels is None:
        written, column = np.unique(value, return_inverse=True)
    else:
        written, column = np.arange(n_labels, dtype=np.float64), value.astype(np.intp)
        outside = np.flatnonzero((value < 0) | (value >= n_labels) | (value % 1 != 0))
        if len(outside):
            raise ValueError(
                f"Sample {row[outside[0]]} of {path.name} has label {value[outside[0]]:g}, and "
                f"n_labels={n_labels} allows 0 to {n_labels - 1}. If labels count from 1, or are "
                "no numbers of columns, leave n_labels=None."
            )
    names = [f"{v:g}" for v in written] if label_names is None else list(label_names)
    if len(names) != len(written):
        raise ValueError(f"{len(names)} label_names are given for {len(written)} labels.")
    Y = csr_array((np.ones(len(value), np.int8), (row, column)), shape=(len(labels), len(written)))
    Y.sum_duplicates()
    Y.data[:] = 1  # a label that is listed twice
    X = csr_array(X)
    return (X, Y) if return_X_y else Bunch(data=X, target=Y, label_names=names)
