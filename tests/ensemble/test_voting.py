import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skrecall.ensemble import EnsembleSelectionClassifier, SoftVotingClassifier
from skrecall.ensemble._voting import BaseVotingClassifier

MEMBERS = [("logistic", LogisticRegression()), ("bayes", GaussianNB())]
ENSEMBLES = [
    SoftVotingClassifier(MEMBERS, weights="optimize", cv=3),
    EnsembleSelectionClassifier(MEMBERS, n_rounds=5, cv=3),
]
over_ensembles = pytest.mark.parametrize("ensemble", ENSEMBLES, ids=lambda e: type(e).__name__)


@over_ensembles
def test_the_mean_is_that_of_the_fitted_members(ensemble):
    X, y = make_classification(200, weights=[0.8], flip_y=0.1, random_state=0)
    assert isinstance(ensemble, BaseVotingClassifier)
    fitted = clone(ensemble).fit(X, y)
    votes = [clone(member).fit(X, y).predict_proba(X) for _, member in MEMBERS]
    expected = np.average(votes, axis=0, weights=fitted.weights_)
    assert_allclose(fitted.predict_proba(X), expected)
    assert_array_equal(fitted.predict(X), expected.argmax(axis=1))
    assert fitted.n_features_in_ == X.shape[1]


@over_ensembles
def test_frozen_members_choose_on_all_rows(ensemble):
    X, y = make_classification(300, weights=[0.8], flip_y=0.1, random_state=0)
    fitted = [(name, clone(member).fit(X[:150], y[:150])) for name, member in MEMBERS]
    prefit = clone(ensemble).set_params(estimators=fitted, cv="prefit").fit(X[150:], y[150:])
    frozen = [(name, FrozenEstimator(member)) for name, member in fitted]
    same = clone(ensemble).set_params(estimators=frozen).fit(X[150:], y[150:])
    assert_array_equal(prefit.weights_, same.weights_)
    assert_array_equal(prefit._held_out.y, y[150:])


@over_ensembles
def test_a_constant_label_and_unknown_ones(ensemble):
    X, Y = make_multilabel_classification(100, n_classes=3, random_state=0)
    ensemble = clone(ensemble).set_params(estimators=[("knn", KNeighborsClassifier())])
    constant = pd.DataFrame(Y, columns=["cat", "dog", "emu"]).assign(dog=1)
    with pytest.warns(UserWarning, match=r"Labels \['dog'\] have one value"):
        fitted = clone(ensemble).fit(X, constant)
    assert_array_equal(fitted.predict(X)["dog"], 1)
    unknown = Y.astype(float)
    unknown[3, 1] = np.nan
    with pytest.raises(ValueError, match=f"which {type(ensemble).__name__} does not support"):
        clone(ensemble).fit(X, unknown)
