"""The ARFF format: a header of attributes, and rows that list all values or those that are not 0.

References
----------
.. [1] "Attribute-Relation File Format", Weka wiki, University of Waikato.
"""

import codecs
import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array

MISSING = "?"
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(.*)", re.IGNORECASE)
_VALUE = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(?:,|$)")
_PAIR = re.compile(rf"(\d+)\s+({_QUOTED}|[^\s,]+)\s*(?:,|$)")
_NUMERIC, _TEXT = {"numeric", "real", "integer"}, {"string", "date"}


@dataclass(frozen=True)
class Attribute:
    """A column of an ARFF file.

    Attributes
    ----------
    name : str
        Its name, unquoted.
    kind : {"numeric", "nominal", "text"}
        What its values are.
    categories : tuple of str
        The values a nominal attribute may have, in the order of the file.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ArffTable:
    """What an ARFF file holds.

    Attributes
    ----------
    relation : str
        Name of the relation.
    attributes : list of Attribute
        One per column.
    values : DataFrame or csc_array of shape (n_samples, n_attributes)
        Numbers, and text as it is; of nominal values the index among the categories. NaN where a
        value is missing.
    """

    relation: str
    attributes: list[Attribute]
    values: pd.DataFrame | csc_array


def read_arff(path: Path, encoding: str) -> ArffTable:
    """Read a file in the ARFF format [1]_.

    Parameters
    ----------
    path : Path
        Decompressed on the fly where it ends in ``.gz``.
    encoding : str
        Of the text.

    Returns
    -------
    table : ArffTable
        Its content.

    Raises
    ------
    ValueError
        If it is not in the format; the sentence has the number of the line.
    """
    with open_text(path, encoding) as file:
        try:
            relation, attributes, n_header_lines = _read_header(file, path)
            text = file.read()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path.name} is not in {encoding} (byte {error.object[error.start]:#x}): pass its "
                "encoding, such as encoding='latin-1'."
            ) from error
    numbers, rows = [], []
    for number, line in enumerate(text.split("\n"), start=n_header_lines + 1):
        row = line.strip()
        if row and not row.startswith("%"):
            numbers.append(number)
            rows.append(row)
    reader = _sparse_values if rows and rows[0].startswith("{") else _dense_values
    return ArffTable(relation, attributes, reader(rows, numbers, attributes, path))


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file, compressed or not, without the byte order mark that some editors write.

    Parameters
    ----------
    path : Path
        Decompressed on the fly where it ends in ``.gz``.
    encoding : str
        Of the text.

    Returns
    -------
    file : text file
        Open for reading.
    """
    if codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-8-sig"
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding=encoding)
    return open(path, encoding=encoding)


def _unquote(value: str) -> str:
    """Return a value without its quotes and escapes."""
    if value[:1] in {"'", '"'} and value[-1:] == value[:1]:
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _read_header(file: TextIO, path: Path) -> tuple[str, list[Attribute], int]:
    """Return the name of the relation, the attributes and the number of lines up to the data."""
    relation, attributes = "", list[Attribute]()
    for number, line in enumerate(iter(file.readline, ""), start=1):
        line = line.strip()
        keyword = line.lower()
        if keyword.startswith("@data"):
            counts = Counter(attribute.name for attribute in attributes)
            twice = [name for name, count in counts.items() if count > 1]
            if twice or not attributes:
                found = f"attributes {twice[:5]} twice" if twice else "no attribute"
                raise ValueError(f"{path.name}: the header declares {found}.")
            return relation, attributes, number
        if keyword.startswith("@relation"):
            relation = _unquote(line[len("@relation") :].strip())
        elif keyword.startswith("@attribute"):
            attributes.append(_parse_attribute(line, number, path))
        elif line and not line.startswith("%"):
            raise ValueError(
                f"{path.name}, line {number}: {line[:60]!r} is neither @relation, @attribute, "
                "@data nor a comment."
            )
    raise ValueError(f"{path.name} has no line @data: it is not an ARFF file, or it is cut off.")


def _parse_attribute(line: str, number: int, path: Path) -> Attribute:
    match = _ATTRIBUTE.match(line)
    name, kind = (_unquote(match[1]), match[2]) if match else ("", "")
    if kind.startswith("{") and "}" in kind:
        inside = kind[1 : kind.rindex("}")]
        return Attribute(name, "nominal", tuple(map(_unquote, _split_values(inside))))
    word = kind.split(maxsplit=1)[0].lower() if kind else ""
    if word in _NUMERIC:
        return Attribute(name, "numeric")
    if word in _TEXT:
        return Attribute(name, "text")
    raise ValueError(
        f"{path.name}, line {number}: {line[:60]!r} declares no type that can be read: numeric, "
        "real, integer, string, date, or the values in braces."
    )


def _split_values(row: str) -> list[str]:
    """Split at the commas that stand outside quotes."""
    values = [match[1] for match in _VALUE.finditer(row)]
    return values if row.rstrip().endswith(",") else values[:-1]  # the last match is empty


def _dense_values(
    rows: Sequence[str], numbers: Sequence[int], attributes: list[Attribute], path: Path
) -> pd.DataFrame:
    """Return the values of rows that list all of them."""
    text = "\n".join(rows)
    if "'" in text or '"' in text:
        split = [_split_values(row) for row in rows]
        counts = np.array([len(values) for values in split])
    else:
        split = None
        counts = np.array([row.count(",") + 1 for row in rows])
    wrong = np.flatnonzero(counts != len(attributes))
    if len(wrong):
        raise ValueError(
            f"{path.name}, line {numbers[wrong[0]]}: {counts[wrong[0]]} values for "
            f"{len(attributes)} attributes."
        )
    if split is not None:
        table = pd.DataFrame(split, columns=range(len(attributes)), dtype=object)
    elif rows:
        table = _read_csv(text, attributes)
    else:
        table = pd.DataFrame(columns=range(len(attributes)), dtype=object)
    columns = [
        _decode(table[j], attribute, numbers, path) for j, attribute in enumerate(attributes)
    ]
    names = [attribute.name for attribute in attributes]
    return pd.concat(columns, axis=1).set_axis(names, axis=1)


def _read_csv(text: str, attributes: list[Attribute]) -> pd.DataFrame:
    """Read rows without quotes: numbers as such, unless one is none."""
    options: Any = {
        "header": None,
        "skipinitialspace": True,
        "keep_default_na": False,
        "quoting": csv.QUOTE_NONE,
        "index_col": False,
    }
    numeric = [j for j, attribute in enumerate(attributes) if attribute.kind == "numeric"]
    kinds: Any = dict.fromkeys(range(len(attributes)), object) | dict.fromkeys(numeric, np.float64)
    missing: Any = {j: [MISSING] for j in numeric}
    try:
        return pd.read_csv(io.StringIO(text), dtype=kinds, na_values=missing, **options)
    except ValueError:
        return pd.read_csv(io.StringIO(text), dtype=object, **options)


def _decode(
    column: pd.Series, attribute: Attribute, numbers: Sequence[int], path: Path
) -> pd.Series:
    """Return a column as numbers, as indices of its categories, or as text."""
    if column.dtype == np.float64:
        return column
    column = column.str.strip()
    missing = (column == MISSING).to_numpy()
    if attribute.kind == "text":
        return column.map(_unquote).mask(missing)
    values = _numbers_of(column.to_numpy(dtype=object), attribute)
    bad = np.flatnonzero(np.isnan(values) & ~missing)
    if len(bad):
        raise _bad_value(column.iloc[bad[0]], attribute, numbers[bad[0]], path)
    return pd.Series(values, name=column.name)


def _as_numbers(words: Sequence[str] | NDArray[np.object_]) -> NDArray[np.float64]:
    """Return words as numbers, NaN where one is none."""
    series: Any = pd.Series(words, dtype="object")
    return pd.to_numeric(series, errors="coerce").to_numpy(np.float64)


def _numbers_of(values: NDArray[np.object_], attribute: Attribute) -> NDArray[np.float64]:
    """Return numbers, or indices of categories; NaN where a value is neither."""
    if attribute.kind == "numeric":
        return _as_numbers(values)
    distinct, code = np.unique(values.astype(str), return_inverse=True)
    index_of = {category: float(k) for k, category in enumerate(attribute.categories)}
    return np.array([index_of.get(_unquote(v), np.nan) for v in distinct.tolist()])[code]


def _bad_value(value: str, attribute: Attribute, number: int, path: Path) -> ValueError:
    allowed = (
        "a number" if attribute.kind == "numeric" else f"one of {list(attribute.categories[:10])}"
    )
    return ValueError(
        f"{path.name}, line {number}: {value!r} is not {allowed}, which attribute "
        f"{attribute.name!r} asks for."
    )


def _sparse_values(
    rows: Sequence[str], numbers: Sequence[int], attributes: list[Attribute], path: Path
) -> csc_array:
    """Return the values of rows such as ``{3 0.5, 7 1}``; those left out are 0 or the first."""
    text = [attribute.name for attribute in attributes if attribute.kind == "text"]
    if text:
        raise ValueError(f"{path.name} is sparse and has attributes of text, {text[:3]}.")
    indices: list[str] = []
    values: list[str] = []
    counts: list[int] = []
    for number, row in zip(numbers, rows, strict=True):
        inside = row[1:-1].strip()
        if "'" in inside or '"' in inside:
            tokens = [token for pair in _PAIR.findall(inside) for token in pair]
            whole = not _PAIR.sub("", inside).strip()
        else:
            tokens = inside.replace(",", " ").split()
            whole = len(tokens) == 2 * (inside.count(",") + bool(inside))
        if row[0] != "{" or row[-1] != "}" or not whole:
            raise ValueError(
                f"{path.name}, line {number}: {row[:60]!r} is not a sparse row, such as "
                "{3 0.5, 7 1}."
            )
        indices += tokens[::2]
        values += tokens[1::2]
        counts.append(len(tokens) // 2)
    row_of = np.repeat(np.arange(len(rows)), counts)
    column = _as_numbers(indices)
    outside = np.flatnonzero(~((column >= 0) & (column < len(attributes)) & (column % 1 == 0)))
    if len(outside):
        raise ValueError(
            f"{path.name}, line {numbers[row_of[outside[0]]]}: {indices[outside[0]]!r} is no index "
            f"of one of {len(attributes)} attributes, which count from 0."
        )
    place = row_of * len(attributes) + column.astype(np.intp)
    first = np.unique(place, return_index=True)[1]
    if len(first) < len(place):
        again = int(np.setdiff1d(np.arange(len(place)), first)[0])
        raise ValueError(
            f"{path.name}, line {numbers[row_of[again]]}: the row lists attribute "
            f"{indices[again]} twice."
        )
    words: NDArray[np.object_] = np.array(values, dtype=np.object_)
    data = _sparse_data(words, column.astype(np.intp), attributes)
    bad = np.flatnonzero(np.isnan(data) & (words != MISSING))
    if len(bad):
        attribute = attributes[int(column[bad[0]])]
        raise _bad_value(values[bad[0]], attribute, numbers[row_of[bad[0]]], path)
    shape = (len(rows), len(attributes))
    table = csc_array((data, (row_of, column.astype(np.intp))), shape=shape)
    table.eliminate_zeros()
    return table


def _sparse_data(
    values: NDArray[np.object_], column: NDArray[np.intp], attributes: list[Attribute]
) -> NDArray[np.float64]:
    """Decode the listed values, all attributes of the same categories at once."""
    kinds = list(dict.fromkeys((a.kind, a.categories) for a in attributes))
    kind_of = {kind: k for k, kind in enumerate(kinds)}
    kind_of_value = np.array([kind_of[a.kind, a.categories] for a in attributes])[column]
    data = np.full(len(values), np.nan)
    for k, (kind, categories) in enumerate(kinds):
        at = np.flatnonzero(kind_of_value == k)
        data[at] = _numbers_of(values[at], Attribute("", kind, categories))
    return data
