import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import (
    AllKNN,
    EditedNearestNeighbours,
    NearMiss,
    RepeatedEditedNearestNeighbours,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors

from skrecall.neural_network import TorchNeighbors
from skrecall.neural_network._neighbors import _Search, first_smallest, smallest
from skrecall.resampling import FastEditedNearestNeighbours

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    ),
]
METRICS = {"euclidean": "euclidean", "cosine": "cosine", "manhattan": "cityblock"}
KINDS = ["normal", "integers", "duplicates", "far", "clusters", "constant", "scales", "zeros"]


def make_rows(kind, n_samples=400, n_features=9):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    return {
        "normal": X,
        "integers": rng.integers(0, 2, X.shape).astype(float),
        "duplicates": X[rng.integers(0, min(40, n_samples), n_samples)],
        "far": X + 1e6,
        "clusters": 1e-6 * X + 100 * rng.integers(0, 3, (n_samples, 1)),
        "constant": np.full_like(X, 0.3),
        "scales": X * 10.0 ** rng.integers(-30, 30, (n_samples, 1)),
        "zeros": X * (rng.random((n_samples, 1)) < 0.5),
    }[kind]


def all_distances(X, Z, metric):
    """Return distances by differences, one pair at a time but for cosines."""
    if metric != "cosine":
        return cdist(X, Z, METRICS[metric])
    X, Z = (rows / np.fmax(np.linalg.norm(rows, axis=1), 1e-300)[:, None] for rows in (X, Z))
    distance = cdist(X, Z, "sqeuclidean") / 2
    distance[~X.any(axis=1)] = 1
    distance[:, ~Z.any(axis=1)] = 1
    return distance


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", KINDS)
def test_neighbors_are_the_nearest_by_differences(kind, metric, device, dtype):
    X = make_rows(kind)
    distance = all_distances(X, X, metric)
    nn = TorchNeighbors(7, metric=metric, device=device, dtype=dtype, batch_size=90).fit(X)
    for queries, table in [(X, distance), (None, np.where(np.eye(len(X)), np.inf, distance))]:
        found, indices = nn.kneighbors(queries)
        assert_allclose(found, np.sort(table, axis=1)[:, :7], rtol=1e-9, atol=1e-13)
        of_indices = np.take_along_axis(table, indices, axis=1)
        assert_allclose(found, of_indices, rtol=1e-9, atol=1e-13)
        steps, rows = np.diff(found, axis=1), np.diff(indices, axis=1)
        assert ((steps > 0) | ((steps == 0) & (rows > 0))).all()  # ties: by row number


@pytest.mark.parametrize("device", DEVICES)
def test_of_equal_distances_the_lowest_rows_are_taken(device):
    X = np.tile(np.arange(3.0)[:, None], (50, 4))  # rows 0, 3, 6, ... are equal
    indices = TorchNeighbors(5, device=device).fit(X).kneighbors(return_distance=False)
    assert_array_equal(indices[0], [3, 6, 9, 12, 15])
    assert_array_equal(indices[10], [1, 4, 7, 13, 16])
    assert_array_equal(indices[149], [2, 5, 8, 11, 14])


@pytest.mark.parametrize("metric", METRICS)
def test_equals_scikit_learn(metric):
    X = make_rows("normal", 500).astype(np.float32)
    Z = make_rows("normal", 60) + 0.1
    expected = NearestNeighbors(n_neighbors=4, metric=metric).fit(X)
    nn = TorchNeighbors(4, metric=metric, n_jobs=1).fit(X)
    assert nn.effective_metric_ == metric
    for queries in (Z, None, X[:1]):
        distance, indices = nn.kneighbors(queries)
        assert_array_equal(indices, expected.kneighbors(queries, return_distance=False))
        assert_allclose(distance, expected.kneighbors(queries)[0], rtol=1e-5, atol=1e-6)
        assert_array_equal(nn.kneighbors(queries, 2, return_distance=False), indices[:, :2])
    for mode in ("connectivity", "distance"):
        graph, graph_expected = (f.kneighbors_graph(Z, mode=mode) for f in (nn, expected))
        assert type(graph) is type(graph_expected)
        assert_allclose(graph.toarray(), graph_expected.toarray(), rtol=1e-5, atol=1e-6)


def test_a_doubtful_row_is_searched_again(monkeypatch):
    """Products that are less precise than they say, as of TF32, change no neighbour."""
    X = make_rows("normal", 300)
    expected = TorchNeighbors(7, device="cpu").fit(X).kneighbors(X)
    n_rows = []
    by_products = _Search.by_products

    def imprecise(self, queries, *args, dtype, **kwargs):
        n_rows.append((dtype, len(queries)))
        if dtype == torch.float32:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(torch.Tensor, "__matmul__", lambda a, b: _rounded(a).mm(_rounded(b)))
                yield from by_products(self, queries, *args, dtype=dtype, **kwargs)
        else:
            yield from by_products(self, queries, *args, dtype=dtype, **kwargs)

    def _rounded(tensor):
        return tensor.bfloat16().float()

    monkeypatch.setattr(_Search, "by_products", imprecise)
    distance, indices = TorchNeighbors(7, device="cpu").fit(X).kneighbors(X)
    assert n_rows[0] == (torch.float32, 300)
    assert n_rows[1][0] == torch.float64
    assert n_rows[1][1] > 290
    assert_array_equal(indices, expected[1])
    assert_array_equal(distance, expected[0])


def test_most_rows_are_settled_by_one_product(monkeypatch):
    n_rows = []
    by_products = _Search.by_products

    def counted(self, queries, *args, dtype, **kwargs):
        n_rows.append(len(queries))
        return by_products(self, queries, *args, dtype=dtype, **kwargs)

    monkeypatch.setattr(_Search, "by_products", counted)
    X = make_rows("normal", 2000, 50)
    for metric in METRICS:
        TorchNeighbors(metric=metric, device="cpu").fit(X).kneighbors(X)
    assert n_rows == [2000] * 3


@pytest.mark.parametrize(("n_columns", "n_groups"), [(120, 10), (120, 40), (120, 120), (6, 2)])
def test_smallest_of_each_row(n_columns, n_groups):
    scores = np.random.default_rng(0).integers(0, 50, (30, n_columns)).astype(float)
    order = np.argsort(scores, axis=1, kind="stable")[:, :4]
    expected = np.take_along_axis(scores, order, axis=1)
    values, columns = (found.numpy() for found in smallest(torch.from_numpy(scores), 4, n_groups))
    assert_array_equal(values, expected)
    assert_array_equal(np.take_along_axis(scores, columns, axis=1), expected)
    assert all(len(set(row)) == 4 for row in columns.tolist())
    values, columns = (found.numpy() for found in first_smallest(torch.from_numpy(scores), 4))
    assert_array_equal(columns, order)
    assert_array_equal(values, expected)


SAMPLERS = [
    lambda k, nn: SMOTE(k_neighbors=nn(k + 1), random_state=0),
    lambda k, nn: BorderlineSMOTE(k_neighbors=nn(k + 1), m_neighbors=nn(11), random_state=0),
    lambda k, nn: SVMSMOTE(k_neighbors=nn(k + 1), m_neighbors=nn(11), random_state=0),
    lambda k, nn: ADASYN(n_neighbors=nn(k + 1), random_state=0),
    lambda k, nn: NearMiss(version=2, n_neighbors=nn(k)),
    lambda k, nn: NearMiss(version=3, n_neighbors=nn(k), n_neighbors_ver3=nn(4)),
    lambda k, nn: EditedNearestNeighbours(n_neighbors=nn(k + 1), n_jobs=1),
    lambda k, nn: FastEditedNearestNeighbours(n_neighbors=nn(k + 1), n_jobs=1),
    lambda k, nn: RepeatedEditedNearestNeighbours(n_neighbors=nn(k + 1)),
    lambda k, nn: AllKNN(n_neighbors=nn(k + 1)),
    lambda k, nn: SMOTEENN(smote=SMOTE(k_neighbors=nn(k + 1), random_state=0), random_state=0),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", SAMPLERS)
def test_goes_into_the_samplers_of_imbalanced_learn(make, device):
    X, y = make_classification(300, 8, weights=[0.8], flip_y=0.05, random_state=0)
    ours = make(5, lambda k: TorchNeighbors(k, device=device))
    theirs = make(5, lambda k: NearestNeighbors(n_neighbors=k))
    X_ours, y_ours = ours.fit_resample(X, y)
    X_theirs, y_theirs = theirs.fit_resample(X, y)
    assert len(y_ours) != len(y)
    assert_allclose(X_ours, X_theirs, atol=1e-12)
    assert_array_equal(y_ours, y_theirs)


def test_smote_in_a_pipeline_in_a_search():
    X, y = make_classification(200, 8, weights=[0.8], random_state=0)
    model = make_pipeline(SMOTE(k_neighbors=TorchNeighbors(device="cpu")), LogisticRegression())
    search = GridSearchCV(model, {"smote__k_neighbors__n_neighbors": [3, 6]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.7


def test_containers_names_and_pickles():
    X = make_rows("normal", 50, 3)
    frame = pd.DataFrame(X, columns=list("abc"))
    nn = TorchNeighbors(device="cpu").fit(frame)
    assert_array_equal(nn.feature_names_in_, list("abc"))
    again = pickle.loads(pickle.dumps(nn))
    assert_array_equal(again.kneighbors(frame)[1], nn.kneighbors(frame)[1])
    assert_array_equal(clone(nn).fit(X).kneighbors(X)[1], nn.kneighbors(frame)[1])
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        TorchNeighbors().fit(csr_array(X))
    X.setflags(write=False)  # as a memory map that joblib shares
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TorchNeighbors(device="cpu").fit(X).kneighbors(X)


def test_bad_input():
    X = make_rows("normal", 6, 3)
    nn = TorchNeighbors(device="cpu").fit(X)
    with pytest.raises(ValueError, match="Expected 1 <= n_neighbors <= 6, but n_neighbors = 7"):
        nn.kneighbors(X, 7)
    with pytest.raises(ValueError, match="<= 5, but n_neighbors = 6, n_samples_fit = 6"):
        nn.kneighbors(n_neighbors=6)
    with pytest.raises(ValueError, match="n_neighbors = 0"):
        nn.kneighbors(X, 0)
    with pytest.raises(TypeError, match=r"n_neighbors=2\.5 must be an integer"):
        nn.kneighbors(X, 2.5)
    with pytest.raises(ValueError, match="device='gpu' is unknown to torch"):
        TorchNeighbors(device="gpu").fit(X)
    with pytest.raises(ValueError, match="'metric' parameter"):
        TorchNeighbors(metric="haversine").fit(X)
    assert nn.kneighbors(X, 6)[1].shape == (6, 6)
    assert nn.kneighbors(n_neighbors=5)[1].shape == (6, 5)


def test_threads_are_put_back():
    before = torch.get_num_threads()
    X = make_rows("normal", 60)
    for n_jobs in (None, 1, 2, -1):
        TorchNeighbors(device="cpu", n_jobs=n_jobs).fit(X).kneighbors(X)
        assert torch.get_num_threads() == before
