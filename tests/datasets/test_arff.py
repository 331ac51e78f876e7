import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.datasets import load_arff

FEATURES = "@attribute size numeric\n@attribute colour {red,green,blue}\n@attribute ok {0,1}\n"
LABELS = "@attribute 'a, b' {0,1}\n@attribute c {FALSE,TRUE}\n"
ROWS = ["1.5,green,1", "?,red,0", "-2,?,1"]
LABEL_ROWS = ["0,TRUE", "1,FALSE", "1,TRUE"]
TARGET = np.array([[0, 1], [1, 0], [1, 1]])
XML = """<?xml version="1.0" encoding="utf-8"?>
<labels xmlns="http://mulan.sourceforge.net/labels">
<label name="c"></label><label name="a, b"></label>
</labels>"""


def write(tmp_path, *, first=False, relation="toys", name="toys.arff"):
    blocks = [LABELS, FEATURES] if first else [FEATURES, LABELS]
    rows = zip(LABEL_ROWS, ROWS, strict=True) if first else zip(ROWS, LABEL_ROWS, strict=True)
    text = f"@relation '{relation}'\n{''.join(blocks)}@data\n"
    path = tmp_path / name
    path.write_text(text + "\n".join(map(",".join, rows)) + "\n")
    return path


def check(dataset):
    assert_array_equal(dataset.target, TARGET)
    assert dataset.target.dtype == np.int64
    assert dataset.label_names == ["a, b", "c"]
    assert dataset.feature_names == ["size", "colour", "ok"]
    assert_array_equal(dataset.data, [[1.5, 1, 1], [np.nan, 0, 0], [-2, np.nan, 1]])


@pytest.mark.parametrize(
    ("first", "relation"), [(True, "toys: -C 2"), (False, "toys: -C -2 -split-percentage 67")]
)
def test_meka_tells_the_labels_in_the_relation(tmp_path, first, relation):
    check(load_arff(write(tmp_path, first=first, relation=relation)))


@pytest.mark.parametrize("name", ["toys.arff", "toys-train.arff", "toys-test.arff"])
def test_mulan_tells_the_labels_in_a_file_beside(tmp_path, name):
    path = write(tmp_path, name=name)
    (tmp_path / "toys.xml").write_text(XML)
    check(load_arff(str(path)))
    (tmp_path / "toys.xml").rename(tmp_path / "other.xml")
    check(load_arff(path, labels=tmp_path / "other.xml"))
    with pytest.raises(ValueError, match=r"Which attributes of .* are labels\? .* no toys.xml"):
        load_arff(path)


def test_labels_by_name_and_number(tmp_path):
    check(load_arff(write(tmp_path), labels=-2))
    check(load_arff(write(tmp_path, first=True), labels=2))
    dataset = load_arff(write(tmp_path), labels=["c", "a, b"])
    assert dataset.label_names == ["c", "a, b"]
    assert_array_equal(dataset.target, TARGET[:, ::-1])


def test_frames_keep_categories_and_names(tmp_path):
    dataset = load_arff(write(tmp_path), labels=-2, as_frame=True)
    assert dataset.data["colour"].tolist()[:2] == ["green", "red"]
    assert dataset.data["colour"].cat.categories.tolist() == ["red", "green", "blue"]
    assert dataset.data["colour"].isna().tolist() == [False, False, True]
    assert dataset.data["ok"].dtype == np.float64
    assert dataset.target.columns.tolist() == ["a, b", "c"]
    pd.testing.assert_frame_equal(dataset.frame[["a, b", "c"]], dataset.target)
    X, Y = load_arff(write(tmp_path), labels=-2, as_frame=True, return_X_y=True)
    pd.testing.assert_frame_equal(X, dataset.data)
    assert_array_equal(Y, TARGET)


@pytest.mark.parametrize("as_frame", [False, True])
def test_one_hot(tmp_path, as_frame):
    dataset = load_arff(write(tmp_path), labels=-2, one_hot=True, as_frame=as_frame)
    names = ["size", "colour=red", "colour=green", "colour=blue", "ok"]
    assert dataset.feature_names == names
    nan = np.nan
    expected = [[1.5, 0, 1, 0, 1], [nan, 1, 0, 0, 0], [-2, nan, nan, nan, 1]]
    assert_array_equal(dataset.data, expected)
    if as_frame:
        assert dataset.data.columns.tolist() == names


def test_sparse_rows_give_sparse_arrays(tmp_path):
    path = tmp_path / "s.arff"
    header = f"@relation 's: -C -2'\n{FEATURES}{LABELS}@data\n"
    path.write_text(header + "{0 1.5, 1 green, 4 TRUE}\n{3 1}\n{2 1, 3 ?, 4 TRUE}\n")
    dataset = load_arff(path)
    assert isinstance(dataset.data, csr_array)
    assert_array_equal(dataset.data.toarray(), [[1.5, 1, 0], [0, 0, 0], [0, 0, 1]])
    assert isinstance(dataset.target, csr_array)
    assert_array_equal(dataset.target.toarray(), [[0, 1], [1, 0], [-1, 1]])
    hot = load_arff(path, one_hot=True)
    assert_array_equal(hot.data.toarray(), [[1.5, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 1, 0, 0, 1]])
    with pytest.raises(ValueError, match="has sparse rows: load it with as_frame=False"):
        load_arff(path, as_frame=True)
    path.write_text(path.read_text().replace("{FALSE,TRUE}", "{TRUE,FALSE}"))
    with pytest.raises(ValueError, match="label 'c' declares yes first"):
        load_arff(path)


def test_unknown_labels_are_nan(tmp_path):
    path = write(tmp_path)
    path.write_text(path.read_text().replace("0,TRUE", "?,TRUE"))
    assert_array_equal(load_arff(path, labels=-2).target, [[np.nan, 1], [1, 0], [1, 1]])


def test_text_needs_a_frame(tmp_path):
    path = tmp_path / "t.arff"
    path.write_text(
        "@relation 't: -C 1'\n@attribute y {0,1}\n@attribute t string\n@data\n1,'a b'\n"
    )
    with pytest.raises(ValueError, match=r"attributes of text, \['t'\].*as_frame=True"):
        load_arff(path)
    assert load_arff(path, as_frame=True).data["t"].tolist() == ["a b"]
    with pytest.raises(
        ValueError, match=r"Attribute 't' of t.arff is no label: its values are text"
    ):
        load_arff(path, labels=["t"])


def test_wrong_labels_are_refused(tmp_path):
    path = write(tmp_path)
    with pytest.raises(ValueError, match=r"9 labels are asked for, and toys.arff has 5 attributes"):
        load_arff(path, labels=9)
    with pytest.raises(ValueError, match="0 labels are asked for"):
        load_arff(path, labels=0)
    with pytest.raises(ValueError, match=r"has no attribute \['x'\], named as label: it has 5"):
        load_arff(path, labels=["c", "x"])
    with pytest.raises(ValueError, match=r"labels of toys.arff hold \['c'\] twice"):
        load_arff(path, labels=["c", "a, b", "c"])
    with pytest.raises(ValueError, match="are an empty list"):
        load_arff(path, labels=[])
    with pytest.raises(ValueError, match=r"'colour' of toys.arff is no label"):
        load_arff(path, labels=["colour"])
    with pytest.raises(ValueError, match=r"\['size'\] the first of them, hold 1.5"):
        load_arff(path, labels=["size"])
    with pytest.raises(ValueError, match=r"All 5 attributes of toys.arff are labels"):
        load_arff(path, labels=["size", "colour", "ok", "a, b", "c"])
    for text, message in [("<labels/>", "names no label"), ("name", "is no XML file")]:
        (tmp_path / "toys.xml").write_text(text)
        with pytest.raises(ValueError, match=message):
            load_arff(path)
