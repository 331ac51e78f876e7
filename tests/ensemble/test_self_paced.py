import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skrecall.ensemble import ResampledBaggingClassifier, SelfPacedEnsembleClassifier
from skrecall.ensemble._self_paced import (
    HARDNESS,
    bin_quotas,
    draw_by_hardness,
    hardness_bins,
)


@pytest.fixture(scope="module")
def data():
    return make_classification(600, 6, weights=[0.9], flip_y=0.02, random_state=0)


def test_hardness_is_that_of_the_paper():
    p, y = np.array([0.0, 0.2, 0.9, 1.0]), np.array([1, 0, 1, 0])
    p_true = np.where(y == 1, p, 1 - p)
    assert_allclose(HARDNESS["absolute_error"](p_true), np.abs(p - y))
    assert_allclose(HARDNESS["squared_error"](p_true), (p - y) ** 2)
    of_true = np.array([np.finfo(float).eps, 0.8, 0.9, np.finfo(float).eps])
    assert_allclose(HARDNESS["cross_entropy"](p_true), -np.log(of_true))


def test_bins_are_of_equal_width():
    hardness = np.array([0.2, 0.29, 0.3, 0.31, 0.99, 1.2])
    assert_array_equal(hardness_bins(hardness, 10), [0, 0, 0, 1, 7, 9])
    assert_array_equal(hardness_bins(np.full(4, 0.7), 10), 0)
    assert_array_equal(hardness_bins(hardness, 1), 0)


def plain_quotas(weights, sizes, n_drawn):
    """Give out rows by weight; bins that are full hand the rest to the others, again and again."""
    quotas = [0.0] * len(sizes)
    rest = n_drawn
    while rest > 1e-9:
        open_bins = [k for k in range(len(sizes)) if quotas[k] < sizes[k] - 1e-12]
        total = sum(weights[k] for k in open_bins)
        given = 0.0
        for k in open_bins:
            more = min(rest * weights[k] / total, sizes[k] - quotas[k])
            quotas[k] += more
            given += more
        rest -= given
    return quotas


def test_quotas_equal_a_plain_loop():
    rng = np.random.default_rng(0)
    for _ in range(50):
        sizes = rng.integers(0, 30, 8)
        sizes[0] = 3
        n_drawn = int(rng.integers(1, sizes.sum() + 1))
        weights = rng.uniform(0.01, 1, 8)
        quotas = bin_quotas(weights, sizes, n_drawn)
        assert (quotas <= sizes + 1e-9).all()
        assert_allclose(quotas.sum(), n_drawn)
        assert_allclose(quotas, plain_quotas(weights, sizes, n_drawn), atol=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.5, math.tan(math.pi / 2)])
def test_rows_are_drawn_in_the_proportions_of_the_paper(alpha):
    rng = np.random.RandomState(0)
    hardness = np.concatenate([rng.uniform(0, 0.2, 800), rng.uniform(0.5, 1, 200)])
    edges = np.linspace(hardness.min(), hardness.max(), 6)
    weights, members = [], []
    for low, high in pairwise(edges):
        inside = [i for i in range(1000) if low <= hardness[i] < high or high == hardness[i]]
        members.append(inside)
        weights.append(1 / (hardness[inside].mean() + alpha) if inside else 0)
    expected = 40 * np.array(weights) / sum(weights)
    drawn = [draw_by_hardness(hardness, 40, n_bins=5, alpha=alpha, rng=rng) for _ in range(200)]
    for rows in drawn:
        assert len(np.unique(rows)) == len(rows) == 40
        counts = np.array([np.isin(rows, inside).sum() for inside in members])
        assert (np.abs(counts - expected) < 1).all()
    counts = np.mean([[np.isin(rows, inside).sum() for inside in members] for rows in drawn], 0)
    assert_allclose(counts, expected, atol=0.15)
    within = np.bincount(np.concatenate(drawn), minlength=1000)[members[0]]
    assert within.max() < 12 * max(1, within.mean())  # every row of a bin may be drawn


def test_few_rows_are_drawn_from_all_bins_in_the_mean():
    """One row of a rarest class is not always met by the easiest row."""
    hardness = np.repeat([0.1, 0.9], 50)
    rng = np.random.RandomState(0)
    hard = [
        draw_by_hardness(hardness, 1, n_bins=2, alpha=0.1, rng=rng)[0] >= 50 for _ in range(2000)
    ]
    expected = (1 / 1.0) / (1 / 1.0 + 1 / 0.2)
    assert abs(np.mean(hard) - expected) < 4 * np.sqrt(expected * (1 - expected) / 2000)


def test_equal_hardness_is_random_under_sampling():
    rng = np.random.RandomState(0)
    drawn = [draw_by_hardness(np.ones(20), 5, n_bins=4, alpha=1, rng=rng) for _ in range(800)]
    counts = np.bincount(np.concatenate(drawn), minlength=20)
    assert np.abs(counts - 200).max() < 5 * np.sqrt(200)
    all_rows = draw_by_hardness(np.ones(5), 5, n_bins=4, alpha=1, rng=rng)
    assert_array_equal(np.sort(all_rows), range(5))


class Recorder(GaussianNB):
    """Keeps what it is fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weight_ = X, y, sample_weight
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("hardness", ["absolute_error", "squared_error", "cross_entropy"])
def test_members_are_fitted_as_in_the_algorithm(data, hardness):
    """Each member has all rare rows, and bin counts that its predecessors' hardness demands."""
    X, y = data
    X = np.c_[X, np.arange(len(y))]  # the last column tells the row, and no model
    first = []

    class First(Recorder):
        def fit(self, X, y, sample_weight=None):
            first.append(self)
            return super().fit(X, y, sample_weight)

    n, n_bins = 4, 6
    fitted = SelfPacedEnsembleClassifier(
        First(), n_estimators=n, n_bins=n_bins, hardness=hardness, random_state=0
    ).fit(X, y)
    assert len(first) == n + 1
    assert fitted.estimators_ == first[1:]
    n_rare = (y == 1).sum()
    for i, member in enumerate(first):
        rows = member.X_[:, -1].astype(int)
        assert_array_equal(np.sort(rows[member.y_ == 1]), np.flatnonzero(y == 1))
        assert len(np.unique(rows)) == len(rows) == 2 * n_rare
        if i == 0:
            continue
        majority = np.flatnonzero(y == 0)
        p = np.mean([f.predict_proba(X[majority])[:, 1] for f in first[:i]], axis=0)
        h = {"absolute_error": p, "squared_error": p**2, "cross_entropy": -np.log1p(-p)}[hardness]
        alpha = math.tan(i * math.pi / (2 * n))
        width = (h.max() - h.min()) / n_bins
        bins = np.array([min(int((value - h.min()) / width), n_bins - 1) for value in h])
        weights = [1 / (h[bins == b].mean() + alpha) if (bins == b).any() else 0 for b in range(6)]
        sizes = np.bincount(bins, minlength=n_bins)
        expected = plain_quotas(weights, sizes, n_rare)
        counts = np.bincount(bins[np.isin(majority, rows)], minlength=n_bins)
        assert (np.abs(counts - expected) < 1).all()
    expected = np.mean([member.predict_proba(X) for member in first[1:]], axis=0)
    assert_allclose(fitted.predict_proba(X), expected)


def test_one_member_draws_evenly_from_all_bins(data):
    X, y = data
    fitted = SelfPacedEnsembleClassifier(Recorder(), n_estimators=1, random_state=0).fit(X, y)
    assert len(fitted.estimators_) == 1
    assert_array_equal(np.bincount(fitted.estimators_[0].y_), [(y == 1).sum()] * 2)


def test_balanced_classes_are_taken_whole():
    X, y = make_classification(100, 5, random_state=0)
    y[:] = np.arange(100) % 2
    fitted = SelfPacedEnsembleClassifier(GaussianNB(), n_estimators=2, random_state=0).fit(X, y)
    assert_allclose(fitted.predict_proba(X), GaussianNB().fit(X, y).predict_proba(X))


def test_each_frequent_class_has_its_own_bins():
    X, y = make_classification(
        900, 6, n_informative=4, n_classes=3, weights=[0.7, 0.25], random_state=0
    )
    fitted = SelfPacedEnsembleClassifier(Recorder(), n_estimators=3, random_state=0).fit(X, y)
    for member in fitted.estimators_:
        assert_array_equal(np.bincount(member.y_), [(y == 2).sum()] * 3)


def test_a_callable_takes_probabilities_and_must_return_numbers(data):
    X, y = data
    model = SelfPacedEnsembleClassifier(DecisionTreeClassifier(), n_estimators=3, random_state=0)
    expected = clone(model).fit(X, y).predict_proba(X)
    model.set_params(hardness=lambda p_true: 1 - p_true)
    assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    for wrong in (lambda p: -p - 1, lambda p: p * np.nan, lambda p: p[:3]):
        with pytest.raises(ValueError, match="return one finite number per row, 0 or more"):
            model.set_params(hardness=wrong).fit(X, y)


def test_it_ranks_better_than_random_under_sampling():
    """The claim of the paper, where the rare class is few clusters among common rows."""
    gains = []
    for seed in range(5):
        X, y = make_classification(
            4000, weights=[0.97], flip_y=0.005, class_sep=1.5, random_state=seed
        )
        X, X_new, y, y_new = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
        paced, random = (
            average_precision_score(y_new, model.fit(X, y).predict_proba(X_new)[:, 1])
            for model in (
                SelfPacedEnsembleClassifier(random_state=0),
                ResampledBaggingClassifier(DecisionTreeClassifier(), random_state=0),
            )
        )
        gains.append(paced - random)
    assert np.mean(gains) > 0.04


def test_the_same_seed_gives_the_same_members(data):
    X, y = data
    model = SelfPacedEnsembleClassifier(RandomForestClassifier(3), n_estimators=3, random_state=0)
    expected = clone(model).fit(X, y).predict_proba(X)
    assert_array_equal(clone(model).fit(X, y).predict_proba(X), expected)
    assert not np.array_equal(model.set_params(random_state=1).fit(X, y).predict_proba(X), expected)
