import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal, norm

from skrecall.datasets import ScoreDistribution, make_imbalanced_scores

SETTINGS = {
    "normal": {},
    "compressed": {"max_score": 0.1},
    "ties": {"decimals": 1},
    "compressed and tied": {"max_score": 0.1, "decimals": 2},
    "groups": {"group_size": 5, "group_correlation": 0.8},
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_rates_on_a_large_draw_are_the_stated_truth(setting):
    n = 400_000
    drawn = make_imbalanced_scores(n, prevalence=0.1, random_state=0, **setting)
    y, y_score = drawn.y, drawn.y_score
    # Correlated rows carry the information of n / (1 + (size - 1) * correlation) independent ones.
    size, correlation = setting.get("group_size", 1), setting.get("group_correlation", 0)
    effective = n / (1 + (size - 1) * correlation)
    for threshold in np.quantile(y_score, [0.02, 0.3, 0.7, 0.9, 0.99]):
        flagged = y_score >= threshold
        for true, rows, target in [
            (drawn.true_recall(threshold), y == 1, flagged),
            (drawn.true_precision(threshold), flagged, y == 1),
            (drawn.distribution.false_positive_rate(threshold), y == 0, flagged),
            (drawn.distribution.alerts_per_1000(threshold) / 1000, y >= 0, flagged),
        ]:
            error = np.sqrt(true * (1 - true) / (effective * rows.mean()))
            # The label of a group is one draw, so precision varies with whole groups.
            error *= np.sqrt(size)
            assert abs(target[rows].mean() - true) <= 4.5 * error + 1e-12
    flagged_groups = np.maximum.reduceat(y_score >= threshold, np.arange(0, n, size))
    positive_groups = y[::size] == 1
    true = drawn.true_group_recall(threshold)
    error = np.sqrt(true * (1 - true) / positive_groups.sum())
    assert abs(flagged_groups[positive_groups].mean() - true) <= 4.5 * error


def test_closed_forms():
    population = ScoreDistribution(prevalence=0.2, separation=1.5)
    thresholds = np.array([-np.inf, -1, 0.3, 2, np.inf])
    assert_allclose(population.recall(thresholds), norm.sf(thresholds, loc=1.5))
    assert_allclose(population.false_positive_rate(thresholds), norm.sf(thresholds))
    assert population.precision(-np.inf) == pytest.approx(0.2)
    assert np.isnan(population.precision(np.inf))
    assert population.alerts_per_1000(-np.inf) == pytest.approx(1000)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, 0.999])
def test_group_recall_of_two_rows_is_a_bivariate_normal_probability(correlation):
    population = ScoreDistribution(0.1, 1.0, group_size=2, group_correlation=correlation)
    covariance = [[1, correlation], [correlation, 1]]
    for threshold in (-1.0, 1.0, 2.5):
        both_below = multivariate_normal.cdf([threshold - 1] * 2, cov=covariance)
        assert population.group_recall(threshold) == pytest.approx(1 - both_below, abs=1e-7)


@pytest.mark.parametrize("decimals", [0, 1, 3])
@pytest.mark.parametrize("max_score", [None, 0.1, 7.0])
def test_latent_cut_takes_the_decisions_of_the_score(decimals, max_score):
    population = ScoreDistribution(0.1, 2.0, max_score=max_score, decimals=decimals)
    latent = np.random.RandomState(0).normal(1, 2, size=3000)
    y_score = population.score(latent)
    grid = np.unique(y_score)
    for threshold in np.concatenate(
        [grid, np.nextafter(grid, np.inf), np.nextafter(grid, -np.inf), [-np.inf, np.inf]]
    ):
        assert_array_equal(y_score >= threshold, latent >= population.latent_cut(threshold))


def test_compressed_scores_stay_in_range_and_keep_the_order():
    plain = make_imbalanced_scores(500, random_state=3)
    small = make_imbalanced_scores(500, random_state=3, max_score=0.1)
    assert_array_equal(np.argsort(plain.y_score), np.argsort(small.y_score))
    assert small.y_score.min() > 0
    assert small.y_score.max() < 0.1


def test_fixed_prevalence_counts_groups():
    drawn = make_imbalanced_scores(
        1000, prevalence=0.07, group_size=5, fixed_prevalence=True, random_state=0
    )
    assert drawn.y.sum() == 14 * 5
    assert_array_equal(np.unique(drawn.groups, return_counts=True)[1], 5)
    by_group = drawn.y.reshape(-1, 5)
    assert_array_equal(by_group, by_group[:, :1].repeat(5, axis=1))


def test_seed_and_pickle():
    first, second = (make_imbalanced_scores(50, random_state=1) for _ in range(2))
    assert_array_equal(first.y_score, second.y_score)
    loaded = pickle.loads(pickle.dumps(first))
    assert loaded.true_recall(1.0) == first.true_recall(1.0)


def test_rows_that_do_not_fill_groups_are_refused():
    with pytest.raises(ValueError, match=r"n_samples=101 rows .* group_size=5: take 100 rows"):
        make_imbalanced_scores(101, group_size=5)
