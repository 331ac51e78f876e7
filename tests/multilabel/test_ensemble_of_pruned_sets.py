import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skrecall.multilabel import EnsembleOfPrunedSets, LabelPowerset


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(200, n_classes=4, random_state=0)


def test_one_member_of_all_rows_is_a_pruned_set(data):
    X, Y = data
    for pruning in ({"min_count": 0, "n_subsets": 0}, {"min_count": 6, "n_subsets": 2}):
        alone = LabelPowerset(GaussianNB(), **pruning).fit(X, Y)
        ensemble = EnsembleOfPrunedSets(GaussianNB(), n_estimators=1, max_samples=1.0, **pruning)
        fitted = ensemble.fit(X, Y)
        assert_allclose(fitted.predict_proba(X), alone.predict_proba(X), atol=1e-12)
        assert_array_equal(fitted.predict(X), alone.predict_proba(X) >= 0.5)


def test_the_mean_is_over_members_that_know_the_label(data):
    X, Y = data
    Y = np.c_[Y, np.arange(len(Y)) < 2]  # a label with two positives: some subsamples lack it
    fitted = EnsembleOfPrunedSets(
        GaussianNB(), n_estimators=6, min_count=0, n_subsets=0, random_state=1
    ).fit(X, Y)
    knows = np.array([(member.sets[:, 4] == 1).any() for member in fitted.members_])
    assert 0 < knows.sum() < 6
    marginals = [member.marginals(X) for member in fitted.members_]
    expected = np.mean(marginals, axis=0)
    expected[:, 4] = np.mean([m[:, 4] for m, k in zip(marginals, knows, strict=True) if k], axis=0)
    assert_array_equal(fitted.n_voters_, [6, 6, 6, 6, knows.sum()])
    assert_allclose(fitted.predict_proba(X), expected)


def test_subsamples_have_their_size_and_differ(data):
    X, Y = data
    fitted = EnsembleOfPrunedSets(
        GaussianNB(), n_estimators=3, max_samples=0.4, min_count=0, random_state=0
    ).fit(X, Y)
    assert [member.count.sum() for member in fitted.members_] == [80] * 3
    assert not np.array_equal(
        fitted.members_[0].estimator.theta_, fitted.members_[1].estimator.theta_
    )


def test_labels_pruned_everywhere_are_named(data):
    X, Y = data
    Y = np.c_[Y, np.arange(len(Y)) < 2]
    model = EnsembleOfPrunedSets(GaussianNB(), min_count=4, random_state=0)
    with pytest.warns(UserWarning, match=r"Labels \[4\] vary in no member's label sets"):
        fitted = model.fit(X, csr_array(Y))
    assert_allclose(fitted.predict_proba(X)[:, 4], 2 / 200)


def test_cardinality_threshold_is_found_on_rows_out_of_sample(data):
    X, Y = data
    model = EnsembleOfPrunedSets(GaussianNB(), threshold="cardinality", random_state=0)
    fitted = model.fit(X, Y)
    proba, cardinality = fitted._held_out
    assert_allclose(cardinality, Y.sum() / len(Y))
    n_labels = [abs((proba >= t).sum(axis=1).mean() - cardinality) for t in np.unique(proba)]
    found = abs((proba >= fitted.threshold_).sum(axis=1).mean() - cardinality)
    assert_allclose(found, min(n_labels))
    assert not np.isclose(proba, fitted.predict_proba(X)[: len(proba)]).all()
    assert_array_equal(fitted.predict(X), fitted.predict_proba(X) >= fitted.threshold_)


def test_threshold_is_decided_again_without_a_fit(data):
    X, Y = data
    fitted = EnsembleOfPrunedSets(GaussianNB(), threshold="cardinality", random_state=0).fit(X, Y)
    chosen = fitted.threshold_
    fitted.set_params(threshold=0.2)
    with pytest.raises(ValueError, match="call refit_decision"):
        fitted.predict(X)
    assert_array_equal(fitted.refit_decision().predict(X), fitted.predict_proba(X) >= 0.2)
    assert fitted.set_params(threshold="cardinality").refit_decision().threshold_ == chosen
    plain = EnsembleOfPrunedSets(GaussianNB(), random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="fit kept none, as the threshold was a number then"):
        plain.set_params(threshold="cardinality").refit_decision()
    with pytest.raises(ValueError, match=r"max_samples=1.0 leaves none"):
        plain.set_params(max_samples=1.0).fit(X, Y)


def test_pruning_all_rows_and_no_probabilities_are_refused(data):
    X, Y = data
    with pytest.raises(ValueError, match=r"label sets of 126 rows occurs min_count=100 times"):
        EnsembleOfPrunedSets(GaussianNB(), min_count=100).fit(X, Y)
    with pytest.raises(ValueError, match="predict_proba"):
        EnsembleOfPrunedSets(LinearSVC()).fit(X, Y)
