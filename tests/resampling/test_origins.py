import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SMOTEN,
    SMOTENC,
    SVMSMOTE,
    BorderlineSMOTE,
    KMeansSMOTE,
    RandomOverSampler,
)
from imblearn.under_sampling import ClusterCentroids, NearMiss, RandomUnderSampler, TomekLinks
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification

from skrecall.resampling import ArraySampler
from skrecall.resampling._origins import fit_resample_with_origins

BETWEEN_TWO = [
    SMOTE(random_state=0),
    SMOTE(random_state=0, sampling_strategy={1: 40, 2: 23}),
    BorderlineSMOTE(random_state=0),
    BorderlineSMOTE(random_state=0, kind="borderline-2"),
    SVMSMOTE(random_state=0),
    KMeansSMOTE(random_state=0, kmeans_estimator=4, cluster_balance_threshold=0.05),
    ADASYN(random_state=0),
    SMOTEENN(random_state=0),
    SMOTETomek(random_state=0, smote=SMOTE(k_neighbors=3, random_state=1)),
    ArraySampler(SMOTE(random_state=0)),
    ArraySampler(SMOTETomek(random_state=0)),
]


@pytest.fixture(scope="module")
def data():
    return make_classification(
        100,
        n_features=4,
        n_informative=3,
        n_redundant=0,
        n_clusters_per_class=1,
        weights=[0.7, 0.2],
        n_classes=3,
        class_sep=0.7,
        random_state=0,
    )


def resampled(sampler, X, y):
    return fit_resample_with_origins(sampler, X, y, {})


def parents_by_brute_force(X, x_new, tolerance=1e-9):
    """Return the rows i < j of which a new row is X[i] + step * (X[j] - X[i])."""
    i, j = np.triu_indices(len(X), 1)
    edge, offset = X[j] - X[i], x_new - X[i]
    step = np.sum(offset * edge, axis=1) / np.sum(edge**2, axis=1)
    off_line = np.linalg.norm(offset - step[:, None] * edge, axis=1)
    (found,) = np.flatnonzero((off_line < tolerance) & (np.abs(step) < 2))
    return i[found], j[found]


@pytest.mark.parametrize("sampler", BETWEEN_TWO, ids=repr)
def test_parents_are_those_that_the_row_lies_between(data, sampler):
    X, y = data
    X_new, y_new, parents = resampled(clone(sampler), X, y)
    X_plain, y_plain = clone(sampler).fit_resample(X, y)
    assert_array_equal(X_new, X_plain)  # listening changes nothing
    assert_array_equal(y_new, y_plain)
    assert parents.shape == (len(y_new), 2)
    copied = parents[:, 0] == parents[:, 1]
    assert_array_equal(X_new[copied], X[parents[copied, 0]])
    assert np.sum(~copied) > 30
    for row, pair in zip(X_new[~copied], parents[~copied], strict=True):
        assert tuple(sorted(pair)) == parents_by_brute_force(X, row)


def test_the_parents_of_categories_are_those_of_the_numbers(data):
    X, y = data
    X = np.column_stack([X, np.random.default_rng(0).integers(3, size=len(X))])
    X_new, _, parents = resampled(SMOTENC([4], random_state=0), X, y)
    for row, pair in zip(X_new[100:], parents[100:], strict=True):
        assert tuple(sorted(pair)) == parents_by_brute_force(X[:, :4], row[:4])


def test_duplicates_are_told_apart():
    """Geometry cannot tell equal rows apart; what SMOTE drew can."""
    X = np.random.default_rng(0).integers(3, size=(60, 2)).astype(float)
    y = np.arange(60) % 4 == 0
    smote = SMOTE(random_state=5)
    _, _, parents = resampled(smote, X, y)
    members = np.flatnonzero(y)
    neighbors = smote.nn_k_.kneighbors(X[members], return_distance=False)[:, 1:]
    drawn = np.random.RandomState(5).randint(0, neighbors.size, size=30)
    for pair, draw in zip(parents[60:], drawn, strict=True):
        row, col = divmod(draw, 5)
        assert_array_equal(pair, members[[row, neighbors[row, col]]])


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, pd.DataFrame])
@pytest.mark.parametrize("sampler", [SMOTE(), BorderlineSMOTE(), SVMSMOTE(), ADASYN()], ids=repr)
def test_any_container_of_samples(data, sampler, container):
    X, y = data
    sampler = clone(sampler).set_params(random_state=0)
    X_new, _, parents = resampled(sampler, container(X), y)
    assert type(X_new) is type(container(X))
    assert_array_equal(parents, resampled(sampler, X, y)[2])


def test_labels_may_be_strings_or_one_column_each(data):
    X, y = data
    expected = resampled(SMOTE(random_state=0), X, y)[2]
    for labels in (np.array(["a", "b", "c"])[y], np.eye(3, dtype=int)[y], pd.Series(y)):
        assert_array_equal(resampled(SMOTE(random_state=0), X, labels)[2], expected)


@pytest.mark.parametrize("sampler", [SMOTE(), ADASYN(), SVMSMOTE()], ids=repr)
@pytest.mark.parametrize("shared", [True, False])
def test_random_states_are_used_up_as_without_listening(data, sampler, shared):
    X, y = data
    seen = []
    before = np.random.get_state()  # noqa: NPY002
    for listen in (True, False):
        np.random.set_state(before)  # noqa: NPY002
        rng = None if shared else np.random.RandomState(3)
        one = clone(sampler).set_params(random_state=rng)
        X_new = resampled(one, X, y)[0] if listen else one.fit_resample(X, y)[0]
        assert one.random_state is rng
        assert not {"fit_resample", "_fit_resample", "_generate_samples"} & set(vars(one))
        seen.append([X_new, (rng or np.random).uniform()])
    assert_array_equal(seen[0][0], seen[1][0])
    assert seen[0][1] == seen[1][1]


def test_nothing_is_left_behind_by_a_failed_fit(data):
    X, y = data
    for sampler in (SMOTE(k_neighbors=50), ADASYN(n_neighbors=50, random_state=0)):
        before = dict(vars(sampler))
        with pytest.raises(ValueError, match="n_neighbors"):
            resampled(sampler, X, y)
        assert {key: vars(sampler)[key] for key in before} == before
        assert not {"_fit_resample", "_generate_samples", "_validate_estimator"} & set(
            vars(sampler)
        )


@pytest.mark.parametrize(
    "sampler",
    [
        RandomOverSampler(random_state=0),
        RandomOverSampler(random_state=0, shrinkage=0.5),
        RandomUnderSampler(random_state=0),
        NearMiss(),
        TomekLinks(sampling_strategy="all"),
        ArraySampler(RandomUnderSampler(random_state=0)),
    ],
    ids=repr,
)
def test_selected_rows_are_those_that_the_sampler_names(data, sampler):
    X, y = data
    _, y_new, rows = resampled(sampler, X, y)
    assert_array_equal(rows, sampler.sample_indices_)
    assert_array_equal(y_new, y[rows])


@pytest.mark.parametrize(
    "sampler",
    [
        SMOTEN(),
        SMOTETomek(smote=SMOTEN()),
        ClusterCentroids(random_state=0),
        ArraySampler(SMOTEN()),
    ],
    ids=repr,
)
def test_rows_made_of_many_have_no_two_parents(data, sampler):
    X, y = data
    assert resampled(sampler, np.rint(X), y)[2] is None


class Reversed(SMOTE):
    """Resamples as SMOTE does, and returns the rows in another order."""

    def _fit_resample(self, X, y):
        X_new, y_new = super()._fit_resample(X, y)
        return X_new[::-1], y_new[::-1]


class Trimmed(ADASYN):
    def fit_resample(self, X, y):
        X_new, y_new = super().fit_resample(X, y)
        return X_new[1:], y_new[1:]


class Named(Reversed):
    """Says which its parents are."""

    def fit_resample(self, X, y):
        X_new, y_new = super().fit_resample(X, y)
        self.parent_indices_ = np.zeros((len(y_new), 2), dtype=int)
        return X_new, y_new


class Preset(SMOTE):
    def __init__(self):
        super().__init__(k_neighbors=3, random_state=0)


@pytest.mark.parametrize("sampler", [Reversed(), Trimmed(), SMOTEENN(smote=Reversed())], ids=repr)
def test_a_subclass_with_methods_of_its_own_is_not_taken_for_its_parent(data, sampler):
    X, y = data
    assert resampled(sampler, X, y)[2] is None


def test_a_subclass_may_name_the_parents_or_have_other_defaults(data):
    X, y = data
    X_new, _, parents = resampled(Named(), X, y)
    assert_array_equal(parents, np.zeros((len(X_new), 2)))
    plain = SMOTE(k_neighbors=3, random_state=0)
    assert_array_equal(resampled(Preset(), X, y)[2], resampled(plain, X, y)[2])


def test_an_array_sampler_names_the_parents_of_images(data):
    X, y = data
    sampler = ArraySampler(SMOTE(random_state=0))
    images, _ = sampler.fit_resample(X.reshape(-1, 2, 2), y)
    parents = sampler.parent_indices_
    assert parents.shape == (len(images), 2)
    low, high = X[parents].min(axis=1), X[parents].max(axis=1)
    flat = images.reshape(-1, 4)
    assert np.all((low - 1e-12 <= flat) & (flat <= high + 1e-12))
    sampler.set_params(sampler=RandomUnderSampler(random_state=0)).fit_resample(X, y)
    with pytest.raises(AttributeError, match="RandomUnderSampler made no rows of two others"):
        _ = sampler.parent_indices_
