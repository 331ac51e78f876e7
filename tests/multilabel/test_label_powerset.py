import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skrecall.multilabel import LabelPowerset


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(200, n_classes=4, random_state=0)


def codes(Y):
    return Y @ 2 ** np.arange(Y.shape[1])


def test_predicts_the_most_probable_label_set(data):
    X, Y = data
    fitted = LabelPowerset(KNeighborsClassifier(1)).fit(X, Y)
    assert_array_equal(fitted.predict(X), Y)
    fitted = LabelPowerset(GaussianNB()).fit(X, Y)
    assert_array_equal(codes(fitted.predict(X)), GaussianNB().fit(X, codes(Y)).predict(X))
    sets, counts = np.unique(Y, axis=0, return_counts=True)
    order = np.argsort(codes(fitted.label_sets_))
    assert_array_equal(fitted.label_sets_[order], sets[np.argsort(codes(sets))])
    assert_array_equal(fitted.label_set_counts_[order], counts[np.argsort(codes(sets))])


@pytest.mark.parametrize("min_count", [0, 1])
def test_pruned_sets_that_prune_nothing_are_a_label_powerset(data, min_count):
    X, Y = data
    plain = LabelPowerset(GaussianNB()).fit(X, Y)
    pruned = LabelPowerset(GaussianNB(), min_count=min_count, n_subsets=3).fit(X, Y)
    assert_array_equal(pruned.predict(X), plain.predict(X))
    assert_array_equal(pruned.predict_proba(X), plain.predict_proba(X))


def test_no_probabilities_where_the_classifier_has_none(data):
    X, Y = data
    fitted = LabelPowerset(RidgeClassifier(), min_count=3, n_subsets=1).fit(X, Y)
    assert not hasattr(fitted, "predict_proba")
    assert not hasattr(fitted, "decision_function")
    known = {tuple(row) for row in fitted.label_sets_.tolist()}
    assert {tuple(row) for row in fitted.predict(X).tolist()} <= known


def test_a_sampler_inside_evens_out_label_sets(data):
    X, Y = data
    model = make_pipeline(RandomOverSampler(random_state=0), GaussianNB())
    fitted = LabelPowerset(model, min_count=2).fit(X, Y)
    prior = fitted.estimator_[-1].class_prior_
    assert_allclose(prior, 1 / len(fitted.label_sets_))


def test_constant_labels_are_in_no_set(data):
    X, Y = data
    with pytest.warns(UserWarning, match=r"Labels \[2\] have one value"):
        fitted = LabelPowerset(GaussianNB()).fit(X, np.insert(Y, 2, 1, axis=1))
    assert fitted.label_sets_.shape[1] == 4
    assert_array_equal(fitted.predict(X)[:, 2], 1)
    assert_array_equal(fitted.predict_proba(X)[:, 2], 1)
    with pytest.warns(UserWarning, match="have one value"):
        fitted = LabelPowerset(GaussianNB()).fit(X, np.ones_like(Y))
    assert fitted.estimator_ is None
    assert fitted.label_sets_.shape == (0, 0)


def test_one_set_left_is_said_and_none_left_refused(data):
    X, Y = data
    counts = np.sort(np.unique(Y, axis=0, return_counts=True)[1])
    assert counts[-2] < counts[-1]
    model = LabelPowerset(GaussianNB(), min_count=int(counts[-1]))
    with pytest.warns(UserWarning, match=f"leaves one label set, that of {counts[-1]} of 200 rows"):
        fitted = model.fit(X, Y)
    assert len(np.unique(fitted.predict(X), axis=0)) == 1
    with pytest.raises(ValueError, match=f"Set min_count to {counts[-1]} or less"):
        model.set_params(min_count=int(counts[-1]) + 1).fit(X, Y)


def test_seed_reaches_the_classifier(data):
    X, Y = data
    model = LabelPowerset(DecisionTreeClassifier(), random_state=0)
    assert isinstance(model.fit(X, Y).estimator_.random_state, int)
    assert LabelPowerset(DecisionTreeClassifier()).fit(X, Y).estimator_.random_state is None


def test_thousands_of_sparse_labels():
    rng = np.random.default_rng(0)
    sets = csr_array((rng.random((20, 4000)) < 0.001).astype(np.int8))
    code = rng.integers(20, size=500)
    X = np.eye(20)[code] + 0.01 * rng.standard_normal((500, 20))
    with pytest.warns(UserWarning, match="one value each"):
        fitted = LabelPowerset(KNeighborsClassifier(3)).fit(X, sets[code])
    predicted = fitted.predict(X)
    assert issparse(predicted)
    assert issparse(fitted.label_sets_)
    assert abs(predicted - sets[code]).nnz == 0


def test_a_set_per_row_is_no_regression():
    Y = (np.arange(40)[:, np.newaxis] >> np.arange(6)) & 1
    X = np.arange(40.0)[:, np.newaxis]
    assert_array_equal(LabelPowerset(KNeighborsClassifier(1)).fit(X, Y).predict(X), Y)
