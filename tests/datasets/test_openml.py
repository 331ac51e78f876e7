"""The cache is written here as scikit-learn's fetch_openml keeps it: nothing is downloaded."""

import gzip
import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.datasets import fetch_multilabel

FEATURES = [("size", "numeric", []), ("weight", "numeric", [])]
DENSE_ROWS = ["1.5,2,TRUE,FALSE", "0,-3,FALSE,FALSE", "2,0,TRUE,TRUE"]
SPARSE_ROWS = ["{0 1.5,1 2,2 TRUE}", "{1 -3}", "{0 2,2 TRUE,3 TRUE}"]
X = np.array([[1.5, 2], [0, -3], [2, 0]])
Y = np.array([[1, 0], [0, 0], [1, 1]])


def words(*values):
    return [(name, "nominal", list(values)) for name in ("a", "b")]


@pytest.fixture
def cache(tmp_path):
    """Return a function that puts a data set into the cache under an identifier."""

    def put(data_id, name, rows, columns, targets=("a", "b"), form="ARFF"):
        declared = [
            f"@attribute {n} {'{' + ','.join(v) + '}' if v else kind}" for n, kind, v in columns
        ]
        arff = "\n".join([f"@relation {name}", *declared, "@data", *rows, ""]).encode()
        url = f"data/v1/download/{data_id}/{name}.arff"
        write(url, arff)
        features = [
            {
                "index": str(index),
                "name": column,
                "data_type": kind,
                "is_target": str(column in targets).lower(),
                "is_ignore": "false",
                "is_row_identifier": "false",
                "number_of_missing_values": "0",
                **({"nominal_value": values} if values else {}),
            }
            for index, (column, kind, values) in enumerate(columns)
        ]
        description = {
            "id": str(data_id),
            "name": name,
            "version": "4",
            "description": "Toys.",
            "format": form,
            "status": "active",
            "url": f"https://www.openml.org/{url}",
            "default_target_attribute": ",".join(targets),
            "md5_checksum": hashlib.md5(arff).hexdigest(),
        }
        qualities = [{"name": "NumberOfInstances", "value": str(len(rows))}]
        answers = {
            f"{data_id}": {"data_set_description": description},
            f"features/{data_id}": {"data_features": {"feature": features}},
            f"qualities/{data_id}": {"data_qualities": {"quality": qualities}},
        }
        for path, answer in answers.items():
            write(f"api/v1/json/data/{path}", json.dumps(answer).encode())

    def write(path, content):
        file = tmp_path / "openml" / "openml.org" / f"{path}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content))

    return put


@pytest.mark.parametrize("values", [("FALSE", "TRUE"), ("0", "1"), ("no", "yes")])
def test_words_become_an_indicator(cache, tmp_path, values):
    rows = [row.replace("FALSE", values[0]).replace("TRUE", values[1]) for row in DENSE_ROWS]
    cache(40597, "yeast", rows, [*FEATURES, *words(*values)])
    yeast = fetch_multilabel("Yeast", data_home=tmp_path)
    assert_array_equal(yeast.data, X)
    assert yeast.data.dtype == np.float64
    assert_array_equal(yeast.target, Y)
    assert yeast.target.dtype == np.int64
    assert yeast.label_names == ["a", "b"]
    assert yeast.feature_names == ["size", "weight"]
    assert yeast.DESCR.startswith("Toys.")
    assert yeast.details["version"] == "4"
    assert yeast.frame is None
    A, B = fetch_multilabel("yeast", data_home=tmp_path, return_X_y=True)
    assert_array_equal(A, X)
    assert_array_equal(B, Y)


def test_numbers_become_an_indicator(cache, tmp_path):
    rows = [row.replace("FALSE", "0").replace("TRUE", "1") for row in DENSE_ROWS]
    cache(1, "toys", rows, [*FEATURES, ("a", "numeric", []), ("b", "numeric", [])])
    assert_array_equal(fetch_multilabel(data_id=1, data_home=tmp_path).target, Y)


def test_frames(cache, tmp_path):
    cache(40597, "yeast", DENSE_ROWS, [*FEATURES, *words("FALSE", "TRUE")])
    yeast = fetch_multilabel("yeast", data_home=tmp_path, as_frame=True)
    assert isinstance(yeast.data, pd.DataFrame)
    assert_array_equal(yeast.data.to_numpy(float), X)
    assert_array_equal(yeast.target, Y)
    assert yeast.frame.columns.tolist() == ["size", "weight", "a", "b"]


def test_sparse(cache, tmp_path):
    cache(2, "toys", SPARSE_ROWS, [*FEATURES, *words("FALSE", "TRUE")], form="Sparse_ARFF")
    toys = fetch_multilabel(data_id=2, data_home=tmp_path)
    assert isinstance(toys.data, csr_array)
    assert isinstance(toys.target, csr_array)
    assert_array_equal(toys.data.toarray(), X)
    assert_array_equal(toys.target.toarray(), Y)
    numeric = [*FEATURES, ("a", "numeric", []), ("b", "numeric", [])]
    rows = [row.replace("TRUE", "1") for row in SPARSE_ROWS]
    cache(6, "numbers", rows, numeric, form="Sparse_ARFF")
    numbers = fetch_multilabel(data_id=6, data_home=tmp_path)
    assert_array_equal(numbers.target.toarray(), Y)
    with pytest.raises(ValueError, match=r"Column 'size' is no label: it holds \[0.0, 1.5, 2.0\]"):
        fetch_multilabel(data_id=6, data_home=tmp_path, labels=["size"])
    with pytest.raises(ValueError, match="'toys' is sparse: fetch it with as_frame=False"):
        fetch_multilabel(data_id=2, data_home=tmp_path, as_frame=True)


def test_labels_that_openml_does_not_tell(cache, tmp_path):
    cache(3, "toys", DENSE_ROWS, [*FEATURES, *words("FALSE", "TRUE")], targets=("b",))
    with pytest.raises(ValueError, match=r"no more than one target of 'toys', 'b', .* as labels"):
        fetch_multilabel(data_id=3, data_home=tmp_path)
    toys = fetch_multilabel(data_id=3, data_home=tmp_path, labels=["b", "a"])
    assert_array_equal(toys.target, Y[:, ::-1])
    assert toys.feature_names == ["size", "weight"]
    with pytest.raises(ValueError, match=r"'toys' has no column \['c'\], named as label: it has 4"):
        fetch_multilabel(data_id=3, data_home=tmp_path, labels=["a", "c"])


def test_what_is_refused(cache, tmp_path):
    colours = [row.replace("TRUE", "red") for row in DENSE_ROWS]
    cache(4, "colours", colours, [*FEATURES, *words("FALSE", "red")])
    with pytest.raises(ValueError, match=r"Column 'a' is no label: it holds \['red', 'FALSE'\]"):
        fetch_multilabel(data_id=4, data_home=tmp_path)
    cache(5, "text", ["x,TRUE,FALSE"], [("t", "nominal", ["x", "y"]), *words("FALSE", "TRUE")])
    with pytest.raises(ValueError, match=r"'text' has columns that are no numbers, \['t'\]"):
        fetch_multilabel(data_id=5, data_home=tmp_path)
    cache(40595, "something", DENSE_ROWS, [*FEATURES, *words("FALSE", "TRUE")])
    with pytest.raises(ValueError, match="OpenML has 'something' under data_id=40595, where 'sce"):
        fetch_multilabel("scene", data_home=tmp_path)
    with pytest.raises(ValueError, match="'mnist' is none of birds, emotions"):
        fetch_multilabel("mnist")
    for arguments in ({}, {"name": "yeast", "data_id": 1}):
        with pytest.raises(ValueError, match="Pass a name or a data_id"):
            fetch_multilabel(**arguments)
