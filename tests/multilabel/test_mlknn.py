import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import hamming_loss

from skrecall.multilabel import MLkNN
from skrecall.multilabel._mlknn import count_histogram, posterior_of_counts


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def nearest(X, x, k, without=None):
    """Return the k nearest rows; the grid below has no two different distances within rounding."""
    order = sorted(range(len(X)), key=lambda i: (round(float(((X[i] - x) ** 2).sum()), 9), i))
    return [i for i in order if i != without][:k]


def plain_mlknn(X, Y, X_new, k, s):
    """The definition, in loops; no distance ties are allowed but between rows of equal labels."""
    n, n_labels = Y.shape
    prior = [(s + Y[:, label].sum()) / (2 * s + n) for label in range(n_labels)]
    with_label = np.zeros((n_labels, k + 1))
    without = np.zeros((n_labels, k + 1))
    for i in range(n):
        rows = nearest(X, X[i], k, without=i)
        for label in range(n_labels):
            table = with_label if Y[i, label] else without
            table[label, sum(Y[row, label] for row in rows)] += 1
    proba = np.zeros((len(X_new), n_labels))
    for i, x in enumerate(X_new):
        rows = nearest(X, x, k)
        for label in range(n_labels):
            j = sum(Y[row, label] for row in rows)
            yes = (
                prior[label] * (s + with_label[label, j]) / (s * (k + 1) + with_label[label].sum())
            )
            no = (1 - prior[label]) * (s + without[label, j])
            no /= s * (k + 1) + without[label].sum()
            proba[i, label] = yes / (yes + no)
    return proba


@pytest.fixture
def data(rng):
    """Rows in pairs of equal features and labels, so that a tie never decides a count."""
    X = np.repeat(rng.normal(size=(40, 3)), 2, axis=0)
    Y = np.repeat(rng.random((40, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9], 2, axis=0).astype(int)
    return X, Y, rng.normal(size=(25, 3))


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize(("k", "s"), [(1, 1.0), (5, 1.0), (7, 0.25), (79, 2.0)])
@pytest.mark.parametrize("algorithm", ["kd_tree", "brute"])
def test_equals_the_definition_in_loops(data, container, k, s, algorithm):
    X, Y, X_new = data
    expected = plain_mlknn(X, Y, X_new, k, s)
    fitted = MLkNN(k, smoothing=s, algorithm=algorithm).fit(X, container(Y))
    assert_allclose(fitted.predict_proba(X_new), expected, rtol=1e-12)
    predicted = fitted.predict(X_new)
    predicted = predicted if container is np.asarray else predicted.toarray()
    clear = np.abs(expected - 0.5) > 1e-12
    assert_array_equal(predicted[clear], (expected >= 0.5)[clear])


def test_duplicates_are_left_out_by_index():
    """Four equal rows, of which the nearest other row is one of the three others."""
    X = np.zeros((4, 2))
    Y = np.array([[1], [1], [1], [0]])
    fitted = MLkNN(3).fit(X, Y)
    # rows with the label see 2 others with it, the row without sees 3: (1 + n) / (4 + total)
    odds = (4 / 6) * np.array([1, 1, 4, 1]) / 7 / ((2 / 6) * np.array([1, 1, 1, 2]) / 5)
    assert_allclose(fitted.posterior_[0], odds / (1 + odds))


def test_the_row_itself_counts_where_asked():
    X, Y = np.array([[0.0], [1.0], [5.0], [7.0]]), np.array([[1], [0], [0], [1]])
    fitted = MLkNN(1, include_self=True).fit(X, Y)
    odds = np.array([1, 3]) / np.array([3, 1])
    assert_allclose(fitted.posterior_[0], odds / (1 + odds))
    alone = MLkNN(1).fit(X, Y)  # neighbours 1, 0, 3 (of distance 2), 2: labels 0, 1, 1, 0
    odds = np.array([3, 1]) / np.array([1, 3])
    assert_allclose(alone.posterior_[0], odds / (1 + odds))


def test_all_other_rows_where_there_are_fewer_than_asked_for():
    X, Y = np.arange(6.0)[:, None], np.array([[0, 1]] * 3 + [[1, 0]] * 3)
    fitted = MLkNN(10).fit(X, Y)
    assert fitted.n_neighbors_ == 5
    assert_array_equal(fitted.predict_proba(X), MLkNN(5).fit(X, Y).predict_proba(X))
    assert MLkNN(10, include_self=True).fit(X, Y).n_neighbors_ == 6


def test_a_tie_is_a_yes():
    X, Y = np.array([[0.0], [1.0], [5.0], [7.0]]), np.array([[1], [0], [0], [1]])
    fitted = MLkNN(3).fit(X, Y)  # counts 1, 2, 2, 1 of the labels 1, 0, 0, 1; 0 and 3 are not seen
    assert fitted.posterior_[0, 3] == 0.5
    same = np.array([[0.0], [0.0], [0.0], [9.0], [9.0], [9.0]])
    balanced = MLkNN(3).fit(same, np.array([[1], [1], [0], [0], [0], [1]]))
    yes = balanced.predict_proba(same) == 0.5
    assert yes.any() or (balanced.posterior_ == 0.5).any()
    assert_array_equal(balanced.predict(same)[yes], 1)


def test_labels_that_do_not_vary_have_no_table():
    X = np.array([0.0, 1.0, 2.1, 9.0, 10.0, 11.1])[:, None]
    Y = np.array([[0, 1, 1]] * 3 + [[1, 0, 1]] * 3)
    with pytest.warns(UserWarning, match=r"Labels \[2\] have one value"):
        fitted = MLkNN(2).fit(X, Y)
    assert_array_equal(np.isnan(fitted.prior_), [False, False, True])
    assert_array_equal(np.isnan(fitted.posterior_[:, 0]), [False, False, True])
    assert_array_equal(fitted.predict(X), Y)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_count_histogram_of_values(rng, container):
    counts = rng.integers(0, 4, (60, 3))
    histogram = count_histogram(container(counts), 4)
    expected = np.array([[np.sum(counts[:, label] == v) for v in range(4)] for label in range(3)])
    if container is csr_array:
        expected[:, 0] = 0
    assert_array_equal(histogram, expected)


def test_posterior_without_smoothing_is_the_share_of_the_rows():
    positives, negatives = np.array([[1, 3, 4]]), np.array([[9, 2, 1]])
    posterior = posterior_of_counts(np.array([8 / 20]), positives, negatives, 0.0)
    assert_allclose(posterior, positives / (positives + negatives))


def test_self_neighbors_cost_hamming_loss():
    """The direction in which the literature's table and scikit-multilearn's result differ."""
    X, Y = make_multilabel_classification(1200, 15, n_classes=8, n_labels=3, random_state=0)
    X = X + np.random.default_rng(0).normal(scale=4, size=X.shape)
    loss = {
        with_self: hamming_loss(
            Y[400:], MLkNN(include_self=with_self).fit(X[:400], Y[:400]).predict(X[400:])
        )
        for with_self in (False, True)
    }
    assert loss[False] < loss[True]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_neighbors": 0}, "'n_neighbors' parameter"),
        ({"smoothing": 0}, "'smoothing' parameter"),
        ({"neighbors": 3}, "'neighbors' parameter"),
    ],
)
def test_settings_out_of_range_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        MLkNN(**params).fit(np.eye(3), np.eye(3))
