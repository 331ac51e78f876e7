import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.neighbors import KNeighborsClassifier

from skrecall.multilabel import BRkNN
from skrecall.multilabel._brknn import as_many_as_neighbors, at_least_one, majority
from tests.checks import make_labels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_probabilities_are_those_of_a_classifier_per_label(rng):
    X, Y = rng.normal(size=(80, 4)), rng.integers(0, 2, (80, 6))
    X_new = rng.normal(size=(30, 4))
    expected = KNeighborsClassifier(7).fit(X, Y).predict_proba(X_new)
    fitted = BRkNN(7).fit(X, Y)
    assert_allclose(fitted.predict_proba(X_new), np.column_stack([p[:, 1] for p in expected]))
    assert_array_equal(fitted.predict(X_new), KNeighborsClassifier(7).fit(X, Y).predict(X_new))


def plain_rule(extension, counts, k):
    """The three rules for one row, in loops."""
    n_labels = len(counts)
    best_first = sorted(range(n_labels), key=lambda label: (-counts[label], label))
    if extension == "b":
        chosen = best_first[: int(sum(counts) / k + 0.5)]
    else:
        chosen = [label for label in range(n_labels) if 2 * counts[label] >= k]
        if extension == "a" and not chosen:
            chosen = best_first[:1]
    return [int(label in chosen) for label in range(n_labels)]


@pytest.mark.parametrize(
    ("extension", "rule"), [(None, majority), ("a", at_least_one), ("b", as_many_as_neighbors)]
)
@pytest.mark.parametrize("k", [4, 5])
def test_rules_equal_plain_loops(rng, extension, rule, k):
    counts = rng.binomial(k, 0.3, (200, 5))
    expected = [plain_rule(extension, row, k) for row in counts.tolist()]
    assert_array_equal(rule(counts.astype(np.int8), k), expected)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_extensions_predict_by_their_rule(container):
    X, Y = make_labels()
    fitted = BRkNN(6).fit(X, container(Y))
    for extension in (None, "a", "b"):
        fitted.set_params(extension=extension).refit_decision()
        counts = np.rint(fitted.predict_proba(X) * 6).astype(int)
        predicted = fitted.predict(X)
        predicted = predicted if container is np.asarray else predicted.toarray()
        expected = [plain_rule(extension, row, 6) for row in counts.tolist()]
        assert_array_equal(predicted, expected)


def test_equal_shares_go_to_the_first_labels():
    counts = np.array([[1, 2, 2, 0, 1]])
    assert_array_equal(at_least_one(counts, 5), [[0, 1, 0, 0, 0]])
    assert_array_equal(as_many_as_neighbors(counts, 2), [[1, 1, 1, 0, 0]])


def test_a_label_of_all_rows_leaves_nothing_to_mend():
    X, Y = np.arange(8.0)[:, None], np.eye(8, 3, dtype=int)
    assert_array_equal(BRkNN(4, extension="a").fit(X, Y).predict(X[-1:]), [[1, 0, 0]])
    with pytest.warns(UserWarning, match="one value each"):
        fitted = BRkNN(4, extension="a").fit(X, np.c_[Y, np.ones(8, dtype=int)])
    assert_array_equal(fitted.predict(X[-1:]), [[0, 0, 0, 1]])


def test_a_single_label_is_predicted_by_majority():
    X, Y = np.arange(8.0)[:, None], np.array([[0]] * 4 + [[1]] * 4)
    assert_array_equal(BRkNN(3, extension="a").fit(X, Y).predict(X), Y)


def test_all_rows_where_there_are_fewer_than_asked_for():
    X, Y = np.arange(4.0)[:, None], np.eye(4, 2, dtype=int)
    assert_array_equal(BRkNN(10).fit(X, Y).predict_proba(X), np.full((4, 2), 0.25))


def test_extension_is_named():
    with pytest.raises(ValueError, match="'extension' parameter"):
        BRkNN(extension="c").fit(np.eye(3), np.eye(3))
