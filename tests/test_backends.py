"""Same seed and thread count, same scores: in one process, under loky, and on a Dask cluster."""

import numpy as np
import pytest
from distributed import Client, LocalCluster
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skrecall.neural_network import CNNClassifier


@pytest.fixture(scope="module")
def images():
    """Digits enlarged past 1 MB, from where joblib hands workers read-only memory."""
    X, y = load_digits(return_X_y=True)
    X = X[::3].reshape(-1, 1, 8, 8).repeat(3, axis=2).repeat(3, axis=3) / 16
    X = X.astype(np.float32)
    assert X.nbytes > 1 << 20
    return X, y[::3]


def search(images, n_jobs):
    net = CNNClassifier(max_epochs=2, early_stopping=True, n_threads=1, random_state=0)
    grid = {"loss": ["cross_entropy", "focal"], "lr": [0.001, 0.01]}
    return GridSearchCV(net, grid, cv=2, scoring="neg_log_loss", n_jobs=n_jobs).fit(*images)


def scores(search):
    return [search.cv_results_[f"split{k}_test_score"] for k in range(2)]


@pytest.fixture(scope="module")
def in_process(images):
    return search(images, n_jobs=1)


def test_loky_gives_the_scores_of_one_process(images, in_process):
    with parallel_config("loky"):
        found = search(images, n_jobs=2)
    assert_array_equal(scores(found), scores(in_process))
    assert_array_equal(found.predict_proba(images[0]), in_process.predict_proba(images[0]))
    assert len({tuple(row) for row in np.transpose(scores(found))}) == 4


def test_threads_give_the_scores_of_one_process(images, in_process):
    with parallel_config("threading"):
        found = search(images, n_jobs=2)
    assert_array_equal(scores(found), scores(in_process))


def test_dask_gives_the_scores_of_one_process(images, in_process):
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, Client(cluster), parallel_config("dask"):
        found = search(images, n_jobs=2)
    assert_array_equal(scores(found), scores(in_process))
    assert_array_equal(found.predict_proba(images[0]), in_process.predict_proba(images[0]))
