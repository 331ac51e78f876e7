import gzip

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.io import arff
from scipy.sparse import issparse

from skrecall.datasets._arff_rows import read_arff

HEADER = """% a comment, with @data in it
@RELATION 'a \\'quoted\\' name'

@attribute plain REAL
@attribute 'with space, and comma' integer
@attribute "double" {red,'dark blue',"it's"}
@attribute flag{0,1}
@attribute note string
@DATA
"""


def write(tmp_path, text, name="x.arff"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_header_and_quoted_rows(tmp_path):
    rows = """% comment
1.5 , 2,'dark blue', 1, 'a, \\'b\\''

?,-3e-2,"it's",0,?
1,1,red,?,"say \\"x\\""
"""
    table = read_arff(write(tmp_path, HEADER + rows), "utf-8")
    assert table.relation == "a 'quoted' name"
    names = ["plain", "with space, and comma", "double", "flag", "note"]
    assert [a.name for a in table.attributes] == names
    assert [a.kind for a in table.attributes] == 2 * ["numeric"] + 2 * ["nominal"] + ["text"]
    assert table.attributes[2].categories == ("red", "dark blue", "it's")
    assert_array_equal(table.values["plain"], [1.5, np.nan, 1])
    assert_array_equal(table.values["with space, and comma"], [2, -0.03, 1])
    assert_array_equal(table.values["double"], [1, 2, 0])
    assert_array_equal(table.values["flag"], [1, 0, np.nan])
    assert table.values["note"].tolist()[::2] == ["a, 'b'", 'say "x"']
    assert table.values["note"].isna().tolist() == [False, True, False]


def test_dense_rows_equal_scipy_s(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    colour = rng.choice(["r", "g", "b"], 50)
    rows = "\n".join(f"{a!r},{b!r},{w},{c!r}" for (a, b, c), w in zip(X.tolist(), colour, strict=1))
    header = "@relation x\n@attribute a real\n@attribute b real\n@attribute w {r,g,b}\n"
    path = write(tmp_path, f"{header}@attribute c real\n@data\n{rows}\n")
    data, _ = arff.loadarff(path)
    values = read_arff(path, "utf-8").values
    for name in "abc":
        np.testing.assert_allclose(values[name], data[name], rtol=1e-14)
    assert_array_equal(np.array(["r", "g", "b"])[values["w"].astype(int)], data["w"].astype(str))


def test_sparse_rows(tmp_path):
    header = "@relation s\n@attribute a real\n@attribute w {'x y',z}\n@attribute c real\n@data\n"
    table = read_arff(write(tmp_path, header + "{0 1.5, 2 -2}\n{}\n{1 z,2 ?}\n{1 'x y'}"), "utf-8")
    assert issparse(table.values)
    assert_array_equal(table.values.toarray(), [[1.5, 0, -2], [0, 0, 0], [0, 1, np.nan], [0, 0, 0]])


def test_compressed_and_encoded(tmp_path):
    text = "@relation x\n@attribute caf\u00e9 real\n@data\n1\n"
    path = tmp_path / "x.arff.gz"
    path.write_bytes(gzip.compress(text.encode("latin-1")))
    with pytest.raises(ValueError, match=r"x.arff.gz is not in utf-8 \(byte 0xe9\): pass its enc"):
        read_arff(path, "utf-8")
    assert read_arff(path, "latin-1").attributes[0].name == "caf\u00e9"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8"])
def test_a_byte_order_mark_is_no_text(tmp_path, encoding):
    text = "\ufeff@relation x\r\n@attribute caf\u00e9 real\r\n@data\r\n1\r\n"
    (tmp_path / "x.arff").write_bytes(text.encode())
    (tmp_path / "x.arff.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("x.arff", "x.arff.gz"):
        table = read_arff(tmp_path / name, encoding)
        assert table.relation == "x"
        assert table.values["caf\u00e9"].tolist() == [1]


def test_no_row(tmp_path):
    values = read_arff(write(tmp_path, "@relation x\n@attribute a real\n@data\n"), "utf-8").values
    assert values.shape == (0, 1)


AB = "@relation x\n@attribute a real\n@attribute b {u,v}\n@data\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "line 1: 'a,b' is neither @relation, @attribute"),
        ("@relation x\n@attribute a real\n1,2\n", "line 3: '1,2' is neither"),
        ("@relation x\n@attribute a real\n", "has no line @data"),
        ("@relation x\n@attribute a relational\n@data\n", "line 2: .* declares no type"),
        ("@relation x\n@attribute a\n@data\n", "line 2: .* declares no type"),
        ("@relation x\n@data\n1\n", "declares no attribute"),
        (f"@attribute a real\n{AB}1,u\n", r"declares attributes \['a'\] twice"),
        (AB + "1,u\n%\n\n1,u,3\n", "line 8: 3 values for 2 attributes"),
        (AB + "1,u\n2\n", "line 6: 1 values for 2 attributes"),
        (AB + "1,'u'\n'2'\n", "line 6: 1 values for 2 attributes"),
        (AB + "1,u\nx,u\n", "line 6: 'x' is not a number, which attribute 'a'"),
        (AB + "1,u\n2,w\n", r"line 6: 'w' is not one of \['u', 'v'\], which attribute 'b'"),
        (AB + "{0 1}\n{1 w}\n", r"line 6: 'w' is not one of \['u', 'v'\]"),
        (AB + "{0 1}\n{0 x}\n", "line 6: 'x' is not a number"),
        (AB + "{0 1}\n{2 1}\n", "line 6: '2' is no index of one of 2 attributes"),
        (AB + "{0 1}\n1,u\n", "line 6: '1,u' is not a sparse row"),
        (AB + "{0 1}\n{1 u, 0 1, 0 1}\n", "line 6: the row lists attribute 0 twice"),
        (AB + "{0 1}\n{0}\n", r"line 6: '\{0\}' is not a sparse row"),
        (AB + "{0 1}\n{1 'u' 0 2}\n", "line 6: .* is not a sparse row"),
        (AB.replace("{u,v}", "string") + "{0 1}\n", r"is sparse and has attributes of text"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_arff(write(tmp_path, text), "utf-8")
