import gzip

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skrecall.datasets import _extreme, load_extreme_classification


def rows(X, Y):
    for x, y in zip(X.toarray(), Y.toarray(), strict=True):
        labels = ",".join(map(str, np.flatnonzero(y)))
        yield " ".join([labels, *(f"{j}:{x[j].item()!r}" for j in np.flatnonzero(x))])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = csr_array(np.where(rng.random((40, 12)) < 0.1, rng.standard_normal((40, 12)), 0))
    Y = csr_array((rng.random((40, 6)) < 0.2).astype(np.int8))
    return X, Y


def has_all_kinds_of_rows(X, Y):
    both = {(bool(x), bool(y)) for x, y in zip(np.diff(X.indptr), np.diff(Y.indptr), strict=True)}
    return len(both) == 4


@pytest.mark.parametrize("block", [1, 200, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_round_trip_in_blocks(tmp_path, monkeypatch, data, block, end):
    X, Y = data
    assert has_all_kinds_of_rows(X, Y)
    monkeypatch.setattr(_extreme, "_BLOCK", block)
    newline = end or "\n"
    text = newline.join(["40 12 6", *rows(X, Y)]) + end
    (tmp_path / "x.txt").write_bytes(text.encode())
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("x.txt", "x.txt.gz"):
        dataset = load_extreme_classification(tmp_path / name)
        assert isinstance(dataset.data, csr_array)
        assert_array_equal(dataset.data.toarray(), X.toarray())
        assert dataset.target.dtype == np.int8
        assert_array_equal(dataset.target.toarray(), Y.toarray())
        assert dataset.data.indices.dtype == np.int32
    A, B = load_extreme_classification(tmp_path / "x.txt", return_X_y=True)
    assert A.shape == X.shape
    assert B.shape == Y.shape


@pytest.mark.parametrize("block", [1, 1 << 20])
def test_empty_lines_are_samples_of_nothing_as_far_as_samples_are_announced(
    tmp_path, monkeypatch, block
):
    monkeypatch.setattr(_extreme, "_BLOCK", block)
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeff3 2 2\n0 1:1\n\n1 0:1\n\n \r\n\n".encode())
    X, Y = load_extreme_classification(path, return_X_y=True)
    assert_array_equal(X.toarray(), [[0, 1], [0, 0], [1, 0]])
    assert_array_equal(Y.toarray(), [[1, 0], [0, 0], [0, 1]])
    path.write_text("1 2 2\n0 1:1\n\n0 1:1\n")
    with pytest.raises(ValueError, match="announces 1 samples in its first line, and has"):
        load_extreme_classification(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1 2:1\n", "line 1: '0,1 2:1' is not the numbers of samples"),
        ("3 4 2\n0 1:1\n", "announces 3 samples in its first line, and has 1"),
        ("2 4 2\n0 1:1\n0 1:1 x\n", "line 3: '0 1:1 x' is not 'label,label"),
        ("2 4 2\n0 1:1\n0,a 1:1\n", "line 3: '0,a 1:1' is not"),
        ("1 4 2\n0 1:1 2\n", "line 2: '0 1:1 2' is not"),
        ("2 4 2\n0 1:1\n2 1:1\n", "line 3: label 2 is not one of 0 to 1"),
        ("3 4 2\n0 1:1\n\n0 1:1 4:1\n", "line 4: feature 4 is not one of 0 to 3"),
        ("1 4 2\n0 1.5:1\n", "line 2: feature 1.5 is not one of"),
        ("0 4 2\n", "has no sample"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_extreme_classification(path)
