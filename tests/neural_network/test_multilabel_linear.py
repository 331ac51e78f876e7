"""The solve on a device ends where the one in NumPy does."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression

from skrecall.multilabel import MultilabelLogisticRegression
from skrecall.neural_network import MultilabelLinearClassifier, _multilabel_linear

X, Y = make_multilabel_classification(200, 8, n_classes=5, n_labels=2, random_state=0)
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, size=Y.shape)
UNKNOWN = np.random.default_rng(1).uniform(size=Y.shape) < 0.2


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize(
    ("params", "weight", "labels"),
    [
        ({}, None, Y),
        ({"C": 20.0, "fit_intercept": False}, None, Y),
        ({"class_weight": "balanced"}, WEIGHT[:, 0], csr_array(Y)),
        ({}, WEIGHT, np.where(UNKNOWN, -1, Y)),
    ],
)
def test_equals_the_solve_in_numpy(params, weight, labels, container):
    expected = MultilabelLogisticRegression(tol=1e-8, **params).fit(container(X), labels, weight)
    model = MultilabelLinearClassifier(device="cpu", n_threads=1, **params)
    model.fit(container(X), labels, weight)
    assert_allclose(model.coef_, expected.coef_, atol=1e-3)
    assert_allclose(model.intercept_, expected.intercept_, atol=5e-3)
    assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-3)
    assert model.n_iter_.max() < 100


def test_equals_scikit_learn_on_one_label():
    model = MultilabelLinearClassifier(device="cpu", tol=1e-4).fit(X, Y[:, 0])
    expected = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, Y[:, 0])
    assert_allclose(model.coef_, expected.coef_, atol=1e-4)
    assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-4)


def test_more_features_than_samples():
    wide = np.random.default_rng(0).normal(size=(40, 90))
    labels = (wide[:, :3] > 0).astype(int)
    model = MultilabelLinearClassifier(device="cpu").fit(wide, labels)
    expected = MultilabelLogisticRegression(tol=1e-8).fit(wide, labels)
    assert_allclose(model.coef_, expected.coef_, atol=1e-3)


def test_blocks_of_labels_change_nothing(monkeypatch):
    whole = MultilabelLinearClassifier(device="cpu").fit(X, Y)
    monkeypatch.setattr(MultilabelLinearClassifier, "_labels_at_once", 2)
    parts = MultilabelLinearClassifier(device="cpu").fit(X, Y)
    assert_allclose(parts.coef_, whole.coef_, atol=1e-4)
    assert_array_equal(parts.predict(X), whole.predict(X))


def test_device_and_threads_are_taken(monkeypatch):
    seen = {}

    def solve(samples, y, weight, **params):
        seen["device"], seen["threads"] = y.device, torch.get_num_threads()
        assert samples.Zs[0].dtype == y.dtype == torch.float32
        return original(samples, y, weight, **params)

    original = _multilabel_linear.solve
    monkeypatch.setattr(_multilabel_linear, "solve", solve)
    before = torch.get_num_threads()
    MultilabelLinearClassifier(device="cpu", n_threads=before + 1).fit(X, Y)
    assert seen == {"device": torch.device("cpu"), "threads": before + 1}
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="device='gpu' is unknown to torch"):
        MultilabelLinearClassifier(device="gpu").fit(X, Y)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_cuda_ends_where_the_cpu_does(container):
    cpu, cuda = (
        MultilabelLinearClassifier(device=device).fit(container(X), Y, WEIGHT)
        for device in ("cpu", "cuda")
    )
    assert_allclose(cuda.coef_, cpu.coef_, atol=1e-3)
    assert_allclose(cuda.predict_proba(X), cpu.predict_proba(X), atol=1e-3)
