"""Multi-label data in the ARFF files of Mulan and MEKA."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack, issparse
from sklearn.utils import Bunch

from skrecall.utils._sklearn import validate_params

from ._arff_rows import ArffTable, Attribute, read_arff
from ._label_columns import as_indicator, positive_values

_COUNT_IN_RELATION = re.compile(r"-C\s+(-?\d+)")
_NEVER = -1  # the code of a yes that a label does not declare


@validate_params(
    {
        "path": [str, Path],
        "labels": [int, str, Path, list, tuple, None],
        "as_frame": ["boolean"],
        "one_hot": ["boolean"],
        "return_X_y": ["boolean"],
        "encoding": [str],
    },
    prefer_skip_nested_validation=True,
)
def load_arff(
    path: str | Path,
    *,
    labels: int | str | Path | Sequence[str] | None = None,
    as_frame: bool = False,
    one_hot: bool = False,
    return_X_y: bool = False,
    encoding: str = "utf-8",
) -> Bunch | tuple[Any, Any]:
    """Load multi-label data in the ARFF format, as Mulan and MEKA write it.

    Parameters
    ----------
    path : str or Path
        The file; decompressed on the fly where it ends in ``.gz``.
    labels : int, str, Path, or list of str, default=None
        Which attributes are labels: their names; or the XML file of Mulan that lists them; or
        their number, as MEKA counts: the first ones where it is positive, the last ones where it
        is negative. None takes MEKA's ``-C`` from the name of the relation, or the XML file beside
        the ARFF: of the same name, less ``-train`` or ``-test``.
    as_frame : bool, default=False
        Whether `data` and `target` are DataFrames; not for files of sparse rows.
    one_hot : bool, default=False
        Whether a nominal attribute becomes one column of 0 and 1 per category, named
        ``attribute=category``. Otherwise it is a categorical column of a DataFrame, or the index
        of the category in an array. An attribute declared ``{0,1}`` is a number in any case.
    return_X_y : bool, default=False
        Whether to return `data` and `target` alone.
    encoding : str, default="utf-8"
        Of the text.

    Returns
    -------
    dataset : Bunch
        With attributes

        data : ndarray, DataFrame or csr_array of shape (n_samples, n_features)
            Features, float64 in arrays; sparse where the rows of the file are. NaN where a value is
            missing; text is kept in a DataFrame.
        target : ndarray, DataFrame or csr_array of shape (n_samples, n_labels)
            Indicator. An unknown label is NaN, or -1 in a sparse one.
        feature_names, label_names : list of str
            Names of the columns of both.
        relation : str
            Name of the relation.
        frame : DataFrame or None
            Both side by side, where `as_frame` is True.

    Raises
    ------
    ValueError
        If the file is not in the format (the sentence has the line), labels cannot be found, are
        named twice, or hold something else than two values that mean no and yes.

    Notes
    -----
    A value left out of a sparse row is 0, or the first category of a nominal attribute.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skrecall.datasets import load_arff
    >>> text = '''@relation 'scenes: -C 2'
    ... @attribute beach {0,1}
    ... @attribute sunset {0,1}
    ... @attribute red numeric
    ... @data
    ... 1,0,0.2
    ... 1,1,?
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scenes.arff"
    ...     _ = path.write_text(text)
    ...     scenes = load_arff(path, as_frame=True)
    >>> scenes.frame
       red  beach  sunset
    0  0.2      1       0
    1  NaN      1       1
    """
    path = Path(path)
    table = read_arff(path, encoding)
    names = [attribute.name for attribute in table.attributes]
    label_names = _label_names(labels, table, names, path)
    is_label = np.isin(names, label_names)
    if is_label.all():
        raise ValueError(f"All {len(names)} attributes of {path.name} are labels: none is left.")
    if issparse(table.values) and as_frame:
        raise ValueError(f"{path.name} has sparse rows: load it with as_frame=False.")
    target = _target(table, label_names, path)
    data, feature_names = _data(table, is_label, as_frame=as_frame, one_hot=one_hot, path=path)
    if as_frame:
        target = pd.DataFrame(target, columns=label_names)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        feature_names=feature_names,
        label_names=label_names,
        relation=table.relation,
        frame=pd.concat([data, target], axis=1) if as_frame else None,
    )


def _label_names(labels: Any, table: ArffTable, names: list[str], path: Path) -> list[str]:
    """Return the names of the labels, in the order of the file, or as given."""
    if labels is None:
        count = _COUNT_IN_RELATION.search(table.relation)
        labels = int(count[1]) if count else _xml_beside(path)
    if isinstance(labels, int):
        if not 0 < abs(labels) < len(names):
            raise ValueError(
                f"{labels} labels are asked for, and {path.name} has {len(names)} attributes."
            )
        return names[:labels] if labels > 0 else names[labels:]
    if isinstance(labels, str | Path):
        wanted = _names_in_xml(Path(labels))
        found = set(wanted)
        chosen = [name for name in names if name in found]
    else:
        wanted = chosen = list(labels)
    twice = [name for name, count in Counter(wanted).items() if count > 1]
    if twice:
        raise ValueError(f"The labels of {path.name} hold {twice[:5]} twice: name each once.")
    missing = [name for name in wanted if name not in set(names)]
    if missing or not wanted:
        raise ValueError(
            f"{path.name} has no attribute {missing[:5]}, named as label: it has {len(names)}, "
            f"{names[:3]} the first of them."
            if missing
            else f"The labels of {path.name} are an empty list: name one at least."
        )
    return chosen


def _xml_beside(path: Path) -> Path:
    stem = path.name.removesuffix(".gz").removesuffix(".arff")
    bare = re.sub(r"-(train|test)$", "", stem)
    for name in dict.fromkeys([stem, bare]):
        candidate = path.with_name(f"{name}.xml")
        if candidate.exists():
            return candidate
    raise ValueError(
        f"Which attributes of {path.name} are labels? The relation has no '-C n', and there is no "
        f"{bare}.xml beside it: pass labels, a list of names, a number or an XML file."
    )


def _names_in_xml(path: Path) -> list[str]:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path.name} is no XML file: {error}.") from error
    names = [node.get("name", "") for node in root.iter() if node.tag.endswith("label")]
    if not names:
        raise ValueError(f"{path.name} names no label: Mulan writes <label name='...'/>.")
    return names


def _target(table: ArffTable, label_names: list[str], path: Path) -> Any:
    """Return the labels as an indicator, in the order of their names."""
    names = [attribute.name for attribute in table.attributes]
    columns = [names.index(name) for name in label_names]
    positive = [_positive_code(table.attributes[j], path) for j in columns]
    if not issparse(table.values):
        values = table.values.iloc[:, columns].to_numpy(np.float64)
        _check_numbers(values, table, columns, path)
        is_positive = np.where(np.isnan(values), np.nan, values == positive)
        return as_indicator(is_positive)
    if 0 in positive:
        reversed_label = label_names[positive.index(0)]
        raise ValueError(
            f"{path.name} has sparse rows, in which a value left out is the first category, and "
            f"label {reversed_label!r} declares yes first: declare it {{0,1}}."
        )
    target = csc_array(table.values[:, columns])
    _check_numbers(target.data, table, columns, path)
    target.data = np.where(np.isnan(target.data), -1, target.data)
    return csr_array(target.astype(np.int8))


def _positive_code(attribute: Attribute, path: Path) -> int:
    """Return the value that means yes, as the table holds it."""
    if attribute.kind == "numeric":
        return 1
    positive = None if attribute.kind == "text" else positive_values(attribute.categories)
    if positive is None:
        found = list(attribute.categories[:5]) or "text"
        raise ValueError(
            f"Attribute {attribute.name!r} of {path.name} is no label: its values are {found}, and "
            "a label's are 0 and 1, or FALSE and TRUE."
        )
    return attribute.categories.index(positive[0]) if positive else _NEVER


def _check_numbers(values: NDArray, table: ArffTable, columns: list[int], path: Path) -> None:
    strange = values[~np.isin(values, [0, 1]) & ~np.isnan(values)]
    if len(strange):
        names = [table.attributes[j].name for j in columns[:3]]
        raise ValueError(
            f"The labels of {path.name}, {names} the first of them, hold {strange[0]:g}: a label "
            "is 0 or 1. Are these the right attributes?"
        )


def _data(
    table: ArffTable, is_label: NDArray[np.bool_], *, as_frame: bool, one_hot: bool, path: Path
) -> tuple[Any, list[str]]:
    """Return the features, and their names."""
    columns = np.flatnonzero(~is_label)
    attributes = [table.attributes[j] for j in columns]
    text = [attribute.name for attribute in attributes if attribute.kind == "text"]
    if text and not as_frame:
        raise ValueError(
            f"{path.name} has attributes of text, {text[:3]}, which no array of numbers holds: "
            "load it with as_frame=True."
        )
    values: Any = table.values
    values = values[:, columns] if issparse(values) else values.iloc[:, columns]
    nominal = [a.kind == "nominal" and a.categories != ("0", "1") for a in attributes]
    if one_hot and any(nominal):
        blocks = [
            _one_hot(values, j, attribute) if nominal[j] else (_column(values, j), [attribute.name])
            for j, attribute in enumerate(attributes)
        ]
        names = [name for _, block_names in blocks for name in block_names]
        if issparse(values):
            return csr_array(hstack([block for block, _ in blocks])), names
        values = pd.concat([block for block, _ in blocks], axis=1).set_axis(names, axis=1)
    else:
        names = [attribute.name for attribute in attributes]
        if as_frame:
            values = pd.concat(
                [
                    _categorical(values.iloc[:, j], attribute) if nominal[j] else values.iloc[:, j]
                    for j, attribute in enumerate(attributes)
                ],
                axis=1,
            )
    if issparse(values):
        return csr_array(values), names
    return (values if as_frame else values.to_numpy(np.float64)), names


def _column(values: Any, j: int) -> Any:
    return values[:, [j]] if issparse(values) else values.iloc[:, [j]]


def _one_hot(values: Any, j: int, attribute: Attribute) -> tuple[Any, list[str]]:
    """Return a column of 0 and 1 per category, NaN in all of them where the value is missing."""
    names = [f"{attribute.name}={category}" for category in attribute.categories]
    code = values[:, [j]].toarray()[:, 0] if issparse(values) else values.iloc[:, j].to_numpy()
    block = (code[:, np.newaxis] == np.arange(len(names))).astype(np.float64)
    block[np.isnan(code)] = np.nan
    return (csc_array(block) if issparse(values) else pd.DataFrame(block)), names


def _categorical(code: pd.Series, attribute: Attribute) -> pd.Series:
    known = code.fillna(-1).to_numpy(np.intp)
    category = pd.Categorical.from_codes(known, categories=pd.Index(attribute.categories))
    return pd.Series(category, index=code.index, name=attribute.name)
