import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from skrecall.datasets import make_imbalanced_classification


def test_proba_is_bayes_rule_of_the_two_densities():
    data = make_imbalanced_classification(200, n_features=4, n_informative=3, random_state=0)
    mean = data.distribution.mean
    of_positive = 0.05 * multivariate_normal.pdf(data.X, mean)
    of_negative = 0.95 * multivariate_normal.pdf(data.X, np.zeros(4))
    assert_allclose(data.true_proba(data.X), of_positive / (of_positive + of_negative))
    assert_allclose(data.proba, data.true_proba(data.X))


def test_rates_on_a_large_draw_are_the_stated_truth():
    data = make_imbalanced_classification(200_000, prevalence=0.1, separation=1.5, random_state=0)
    positive = data.y == 1
    for threshold in (0.03, 0.1, 0.4):
        flagged = data.proba >= threshold
        recall, precision = data.true_recall(threshold), data.true_precision(threshold)
        for true, seen, n in [
            (recall, flagged[positive].mean(), positive.sum()),
            (precision, positive[flagged].mean(), flagged.sum()),
        ]:
            assert abs(seen - true) <= 4.5 * np.sqrt(true * (1 - true) / n)
    coef = np.random.RandomState(1).normal(size=10) + 0.5
    true = data.distribution.linear_recall(coef, 1.0)
    seen = (data.X @ coef >= 1.0)[positive].mean()
    assert abs(seen - true) <= 4.5 * np.sqrt(true * (1 - true) / positive.sum())


def test_true_probabilities_are_calibrated():
    data = make_imbalanced_classification(200_000, prevalence=0.1, random_state=1)
    for low in np.arange(0, 1, 0.2):
        rows = (data.proba >= low) & (data.proba < low + 0.2)
        expected = data.proba[rows].mean()
        error = np.sqrt(expected * (1 - expected) / rows.sum())
        assert abs(data.y[rows].mean() - expected) <= 4.5 * error


def test_fixed_prevalence():
    data = make_imbalanced_classification(
        999, prevalence=0.02, fixed_prevalence=True, random_state=0
    )
    assert data.y.sum() == 20


def test_more_informative_features_than_features_is_refused():
    with pytest.raises(ValueError, match="n_informative=5 exceeds n_features=3"):
        make_imbalanced_classification(n_features=3)
