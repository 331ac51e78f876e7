import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skrecall.utils._fitting import clone_with_seed, fit_in_one_thread, fit_on_rows


def test_clone_with_seed_seeds_what_is_unseeded():
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier())
    step = "decisiontreeclassifier__random_state"
    assert clone_with_seed(model, None).get_params()[step] is None
    seeded = [clone_with_seed(model, 0).get_params()[step] for _ in range(2)]
    assert isinstance(seeded[0], int)
    assert seeded[0] == seeded[1]
    model.set_params(**{step: 7})
    assert clone_with_seed(model, 0).get_params()[step] == 7


def test_clone_with_seed_leaves_what_is_frozen():
    tree = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
    assert clone_with_seed(FrozenEstimator(tree), 0).estimator is tree


def test_fit_on_rows_takes_their_share_of_what_is_per_row():
    X, y = pd.DataFrame({"a": np.arange(6.0)}), np.array([0, 0, 0, 1, 1, 1])
    weight = np.array([1.0, 1, 1, 2, 5, 9])
    model = fit_on_rows(DummyClassifier(), X, y, np.array([0, 1, 3]), {"sample_weight": weight})
    np.testing.assert_allclose(model.class_prior_, [0.5, 0.5])
    np.testing.assert_allclose(
        fit_on_rows(DummyClassifier(), X, y, None, {"sample_weight": weight}).class_prior_,
        [3 / 19, 16 / 19],
    )


def test_a_fit_in_one_thread_is_the_fit():
    X, y = np.arange(6.0)[:, np.newaxis], np.array([0, 0, 0, 1, 1, 1])
    weight = {"sample_weight": np.array([1.0, 1, 1, 2, 2, 2])}
    model = DecisionTreeClassifier(random_state=0)
    assert fit_in_one_thread(model, X, y, weight) is model
    np.testing.assert_array_equal(model.predict(X), y)
    np.testing.assert_allclose(model.tree_.weighted_n_node_samples[0], 9)
