import numpy as np
import pytest
from imblearn.metrics import specificity_score
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from skrecall.metrics import expected_cost, true_negative_rate


def draw(n_classes=3, n=60):
    rng = np.random.default_rng(0)
    y_true = rng.permutation(np.arange(n) % n_classes)
    y_pred = np.where(rng.random(n) < 0.6, y_true, rng.integers(0, n_classes, n))
    return y_true, y_pred, rng.integers(1, 4, n)


def test_true_negative_rate_is_imbalanced_learn_s_and_the_recall_of_the_rest():
    y_true, y_pred, weight = draw(2)
    assert true_negative_rate(y_true, y_pred) == specificity_score(y_true, y_pred, average="binary")
    assert_allclose(
        true_negative_rate(y_true, y_pred, sample_weight=weight),
        recall_score(y_true, y_pred, pos_label=0, sample_weight=weight),
    )
    names = np.array(["cyst", "healthy", "tumour"])
    y_true, y_pred, _ = draw(3)
    rest = y_true != 0
    assert true_negative_rate(names[y_true], names[y_pred], pos_label="cyst") == np.mean(
        y_pred[rest] != 0
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_expected_cost_is_that_of_a_plain_loop(weighted):
    y_true, y_pred, weight = draw()
    weight = weight if weighted else np.ones(len(y_true))
    cost = np.array([[0.0, 1.0, 7.0], [2.0, -1.0, 4.0], [50.0, 9.0, 0.0]])
    total = sum(w * cost[t, p] for t, p, w in zip(y_true, y_pred, weight, strict=True))
    assert_allclose(
        expected_cost(y_true, y_pred, cost_matrix=cost, sample_weight=weight), total / weight.sum()
    )


def test_expected_cost_of_errors_is_the_error_rate_at_any_prevalence():
    y_true, y_pred, weight = draw()
    errors = 1 - np.eye(3)
    assert_allclose(
        expected_cost(y_true, y_pred, cost_matrix=errors, sample_weight=weight),
        1 - accuracy_score(y_true, y_pred, sample_weight=weight),
    )
    assert_allclose(
        expected_cost(y_true, y_pred, cost_matrix=errors, prevalence=np.full(3, 1 / 3)),
        1 - balanced_accuracy_score(y_true, y_pred),
    )


def test_labels_give_the_order_of_the_cost_matrix():
    y_true, y_pred = ["ham", "spam", "ham"], ["ham", "ham", "spam"]
    cost = [[0, 10], [1, 0]]  # a missed spam costs ten
    assert expected_cost(y_true, y_pred, cost_matrix=cost, labels=["spam", "ham"]) == 11 / 3
    assert expected_cost(["ham"], ["ham"], cost_matrix=cost, labels=["spam", "ham"]) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: true_negative_rate([1, 1], [0, 1]), "y_true holds no negative"),
        (lambda: true_negative_rate([0, 1, 2], [0, 1, 2]), "hold 3 classes"),
        (lambda: true_negative_rate([0, 1], [0.2, 0.7]), "y_pred holds continuous values"),
        (lambda: expected_cost([0, 1], [0.2, 0.7], cost_matrix=np.eye(2)), "y_pred holds contin"),
        (lambda: expected_cost([0, np.nan], [0, 1], cost_matrix=np.eye(2)), "y_true contains NaN"),
        (
            lambda: expected_cost([0, 1], [0, 1], cost_matrix=np.eye(3)),
            r"shape \(3, 3\), but there are 2 classes, \[0, 1\]",
        ),
        (
            lambda: expected_cost([0, 1], [0, 1], cost_matrix=[[0, np.inf], [1, 0]]),
            "cost_matrix contains infinity",
        ),
        (
            lambda: expected_cost([0, 1], [0, 1], cost_matrix=np.eye(2), prevalence=[0.5, 0.6]),
            "must be 2 shares that sum to 1",
        ),
        (
            lambda: expected_cost(
                [0, 0], [0, 1], cost_matrix=np.eye(2), labels=[0, 1], prevalence=[0.9, 0.1]
            ),
            r"gives \[1\] a share, but y_true holds no such sample",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
