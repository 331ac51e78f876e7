"""imbalanced-learn's own tests of a sampler, and data on which its answer hangs on ties."""

import importlib.util
import inspect
import sys
import warnings

import imblearn.under_sampling
import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from sklearn.datasets import make_classification


def imbalanced_learn_tests(module_name, ours):
    """Return imbalanced-learn's tests of one module, with our subclass in the place of its own."""
    (theirs,) = ours.__bases__
    name = f"imblearn.under_sampling._prototype_selection.tests.{module_name}"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setattr(imblearn.under_sampling, theirs.__name__, ours)
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    assert getattr(module, theirs.__name__) is ours
    tests = inspect.getmembers(module, inspect.isfunction)
    return {f"{name}_of_imbalanced_learn": f for name, f in tests if name.startswith("test_")}


def make_data(kind, n_samples=700, n_features=20, n_classes=2):
    """Return rows of which a tenth, about, are of the smallest class 0."""
    X, y = make_classification(
        n_samples,
        n_features,
        n_informative=6,
        n_classes=n_classes,
        weights=[0.1, *[0.9 / (n_classes - 1)] * (n_classes - 1)],
        random_state=0,
    )
    if kind == "float32":
        return X.astype(np.float32), y
    if kind == "integers":
        return np.rint(X).astype(int), y
    if kind == "tenths":
        return np.rint(X) / 10, y
    if kind == "duplicates":  # within and across classes
        return X[np.random.default_rng(0).integers(0, n_samples // 2, n_samples)], y
    if kind == "constant":
        return np.full_like(X, 0.3), y
    if kind == "far":
        return X + 1e7, y
    if kind == "over-sampled":
        return RandomOverSampler(
            sampling_strategy={0: n_samples // 3}, random_state=0
        ).fit_resample(X, y)
    return X, y


KINDS = [
    "continuous",
    "float32",
    "integers",
    "tenths",
    "duplicates",
    "constant",
    "far",
    "over-sampled",
]
