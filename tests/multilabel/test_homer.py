import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skrecall.multilabel import HOMER, BinaryRelevance
from skrecall.multilabel._homer import carries_any


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(250, n_classes=7, n_labels=3, random_state=0)


def test_as_many_parts_as_labels_is_binary_relevance(data):
    X, Y = data
    fitted = HOMER(GaussianNB(), n_parts=7).fit(X, Y)
    expected = BinaryRelevance(GaussianNB()).fit(X, Y)
    assert len(fitted.nodes_) == 1
    assert_array_equal(fitted.predict(X), expected.predict(X))
    assert_allclose(fitted.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("clustering", ["k_means", "random", "hierarchical"])
@pytest.mark.parametrize("n_parts", [2, 3])
def test_the_hierarchy_ends_in_every_label_once(data, clustering, n_parts):
    X, Y = data
    fitted = HOMER(GaussianNB(), n_parts=n_parts, clustering=clustering, random_state=0).fit(X, Y)
    leaves, seen = [], [0]
    for node in fitted.nodes_:
        assert_array_equal(np.sort(np.concatenate(node.parts)), np.sort(node.labels))
        assert 2 <= len(node.parts) <= n_parts
        for part, child in zip(node.parts, node.children, strict=True):
            if child is None:
                leaves += part.tolist()
            else:
                seen.append(child)
                assert_array_equal(fitted.nodes_[child].labels, part)
    assert sorted(leaves) == list(range(7))
    assert sorted(seen) == list(range(len(fitted.nodes_)))
    if clustering == "k_means":
        for node in fitted.nodes_:
            sizes = [len(part) for part in node.parts]
            assert max(sizes) - min(sizes) <= 1


def answer_by_loop(nodes, X, Y, X_test):
    """Walk the hierarchy sample by sample; classifiers are fitted anew, from the definition."""
    models = []
    for number, node in enumerate(nodes):
        rows = Y[:, node.labels].any(axis=1) | (number == 0)
        meta = [Y[rows][:, part].any(axis=1) for part in node.parts]
        models.append([GaussianNB().fit(X[rows], m) if not m.all() else None for m in meta])
    proba, predicted = np.zeros((len(X_test), Y.shape[1])), np.zeros((len(X_test), Y.shape[1]))
    for i, x in enumerate(X_test):
        waiting = [(0, 1.0, True)]
        while waiting:
            number, above, reached = waiting.pop()
            node = nodes[number]
            for part, child, model in zip(node.parts, node.children, models[number], strict=True):
                p = 1.0 if model is None else model.predict_proba(x[None])[0, 1]
                yes = True if model is None else bool(model.predict(x[None])[0])
                if child is None:
                    proba[i, part[0]], predicted[i, part[0]] = above * p, reached and yes
                else:
                    waiting.append((child, above * p, reached and yes))
    return proba, predicted


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_answers_equal_a_plain_walk(data, container):
    X, Y = data
    fitted = HOMER(GaussianNB(), n_parts=2, random_state=0).fit(X[:200], container(Y[:200]))
    proba, predicted = answer_by_loop(fitted.nodes_, X[:200], Y[:200], X[200:])
    actual = fitted.predict(X[200:])
    assert issparse(actual) == (container is csr_array)
    assert_array_equal(actual.toarray() if issparse(actual) else actual, predicted)
    assert_allclose(fitted.predict_proba(X[200:]), proba, atol=1e-12)
    assert ((proba < 0.5) & (predicted == 1)).any()  # a product of halves is below one half


def test_a_part_that_every_row_of_a_node_has(data):
    X, Y = data
    Y = np.c_[Y[:, 0], Y[:, 0], Y[:, 0], Y[:, 1]]  # three labels that always go together
    fitted = HOMER(GaussianNB(), n_parts=2, random_state=0).fit(X, Y)
    assert None in fitted.estimators_
    _, predicted = answer_by_loop(fitted.nodes_, X, Y, X)
    assert_array_equal(fitted.predict(X), predicted)
    assert fitted.predict_proba(X).max() <= 1


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(7),
        MultiOutputClassifier(LogisticRegression(max_iter=1000)),
        RidgeClassifier(),
    ],
)
def test_any_classifier_inside(data, estimator):
    X, Y = data
    fitted = HOMER(estimator, random_state=0).fit(X, csr_array(Y))
    always = np.maximum(Y.mean(axis=0), 1 - Y.mean(axis=0)).mean()  # the more frequent value
    assert (fitted.predict(X).toarray() == Y).mean() > always + 0.05
    assert hasattr(fitted, "predict_proba") == hasattr(estimator, "predict_proba")


def test_nothing_is_asked_below_a_part_that_is_not_predicted(data):
    X, Y = data
    fitted = HOMER(GaussianNB(), n_parts=2, random_state=0).fit(X, Y)
    none = np.flatnonzero((fitted.predict(X) == 0).all(axis=1))[:1]
    asked = []
    for number, member in enumerate(fitted._members):
        estimator = member.estimator
        estimator.predict = lambda X, n=number, e=estimator: (
            asked.append(n) or type(e).predict(e, X)
        )
    roots = fitted._members[0].predicted(X[none])
    asked.clear()
    fitted.predict(X[none])
    expected = [0] + [c for c, y in zip(fitted.nodes_[0].children, roots[0], strict=True) if y]
    assert set(expected) <= set(asked)
    assert len(asked) < len(fitted.nodes_)


def test_meta_labels_and_weights(data):
    X, Y = data
    for container in (np.asarray, csc_array):
        expected = Y[:, [1, 4]].any(axis=1)
        assert_array_equal(carries_any(container(Y), np.array([1, 4])), expected)
    weight = np.random.default_rng(0).uniform(0.2, 3, len(X))
    fitted = HOMER(GaussianNB(), random_state=0).fit(X, Y, sample_weight=weight)
    node = fitted.nodes_[1]
    rows = Y[:, node.labels].any(axis=1)
    alone = GaussianNB().fit(X[rows], Y[rows][:, node.parts[0]].any(axis=1), weight[rows])
    assert_allclose(fitted.estimators_[1].estimators_[0].theta_, alone.theta_)
    with pytest.raises(ValueError, match=r"sample_weight has shape \(250, 7\)"):
        HOMER(GaussianNB()).fit(X, Y, sample_weight=np.ones(Y.shape))
