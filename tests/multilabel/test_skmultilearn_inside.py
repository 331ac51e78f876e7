"""Classifiers of scikit-multilearn that still run, inside what takes a multi-label classifier.

They return sparse matrices and bear no tag of a classifier. The expected answers are their own.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from skrecall.ensemble import SoftVotingClassifier
from skrecall.multilabel import (
    HOMER,
    BinaryRelevance,
    LabelSpacePartitionClassifier,
    MultilabelBaggingClassifier,
)
from skrecall.threshold import MultilabelThresholdClassifier
from tests.public import ROOT

theirs = pytest.importorskip("skmultilearn.problem_transform")

INNER = [
    theirs.BinaryRelevance(GaussianNB()),
    theirs.ClassifierChain(GaussianNB()),
    theirs.LabelPowerset(GaussianNB()),
]
LABELS_ONLY = theirs.BinaryRelevance(SVC())


@pytest.fixture(scope="module")
def data():
    return make_multilabel_classification(150, 8, n_classes=4, random_state=0)


def name(value):
    return type(value).__name__


@pytest.mark.parametrize("inner", INNER, ids=name)
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_one_clone_on_all_rows_answers_as_alone(data, inner, container):
    X, Y = data
    alone = clone(inner).fit(X, Y)
    proba = alone.predict_proba(X).toarray()
    bag = MultilabelBaggingClassifier(inner, n_estimators=1, bootstrap=False)
    parts = LabelSpacePartitionClassifier(inner, [range(4)])
    for model, expected in [(bag, proba >= 0.5), (parts, alone.predict(X).toarray())]:
        fitted = model.fit(X, container(Y))
        assert_allclose(fitted.predict_proba(X), proba, atol=1e-12)
        predicted = fitted.predict(X)
        assert type(predicted) is type(container(Y))
        assert_array_equal(csr_array(predicted).toarray(), expected)


@pytest.mark.parametrize("inner", INNER, ids=name)
def test_a_vote_is_the_mean_of_probabilities(data, inner):
    X, Y = data
    vote = SoftVotingClassifier([("theirs", inner), ("ours", BinaryRelevance(GaussianNB()))])
    fitted = vote.fit(X, Y)
    expected = clone(inner).fit(X, Y).predict_proba(X).toarray()
    expected = (expected + BinaryRelevance(GaussianNB()).fit(X, Y).predict_proba(X)) / 2
    assert_allclose(fitted.predict_proba(X), expected)
    assert_array_equal(fitted.predict(X), expected >= 0.5)


@pytest.mark.parametrize("inner", INNER, ids=name)
def test_thresholds_are_put_on_their_probabilities(data, inner):
    X, Y = data
    fitted = MultilabelThresholdClassifier(inner, cv=3).fit(X, Y)
    proba = clone(inner).fit(X, Y).predict_proba(X).toarray()
    assert_allclose(fitted.predict_proba(X), proba)
    assert_array_equal(fitted.predict(X), proba >= fitted.thresholds_)


@pytest.mark.parametrize("inner", [*INNER, LABELS_ONLY], ids=name)
def test_in_a_hierarchy_of_labels(data, inner):
    X, Y = data
    predicted = HOMER(inner, n_parts=2, random_state=0).fit(X, Y).predict(X)
    assert (predicted == Y).mean() > 0.7


def test_labels_without_probabilities(data):
    X, Y = data
    expected = clone(LABELS_ONLY).fit(X, Y).predict(X).toarray()
    bag = MultilabelBaggingClassifier(LABELS_ONLY, n_estimators=1, bootstrap=False, voting="labels")
    assert_array_equal(bag.fit(X, Y).predict(X), expected)
    parts = LabelSpacePartitionClassifier(LABELS_ONLY, [range(4)])
    assert_array_equal(parts.fit(X, Y).predict(X), expected)


def test_a_constant_label_and_a_search(data):
    X, Y = data
    Y = np.c_[Y, np.zeros(len(Y), dtype=int)]
    bag = MultilabelBaggingClassifier(INNER[2], n_estimators=2, random_state=0)
    with pytest.warns(UserWarning, match=r"Labels \[4\] have one value"):
        assert_array_equal(bag.fit(X, Y).predict(X)[:, 4], 0)
    search = GridSearchCV(
        bag, {"estimator__classifier__var_smoothing": [1e-9, 1e-2]}, cv=3, scoring="f1_micro"
    )
    assert search.fit(X, Y[:, :4]).best_score_ > 0.5


def public_names():
    """Yield the public classes and functions of the package, from its source: half of it cannot be
    imported any more."""
    package = Path(theirs.__file__).parents[1]
    for path in package.rglob("*.py"):
        if "unit_tests" in path.parts:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                yield node.name


def test_the_migration_page_has_every_public_name():
    page = (ROOT / "docs" / "guide" / "from_scikit_multilearn.rst").read_text(encoding="utf-8")
    names = set(public_names()) - {"MockClassifier", "Neuron"}  # a stub, and a part of MLARAM
    assert len(names) > 50
    assert [name for name in sorted(names) if f"``{name}``" not in page] == []
