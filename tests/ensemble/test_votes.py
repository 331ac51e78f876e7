import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.multioutput import MultiOutputClassifier

from skrecall.ensemble import SoftVotingClassifier
from skrecall.ensemble._votes import fit_member, member_votes, named_members, stratified_cv
from skrecall.model_selection import MultilabelStratifiedKFold


@pytest.mark.parametrize("varying", [[0, 2], [1]])
def test_members_are_fitted_on_labels_that_vary(varying):
    X, Y = make_multilabel_classification(80, n_classes=3, random_state=0)
    value = np.array([0, 1, 0])
    Y = np.where(np.isin(np.arange(3), varying), Y, value)
    logistic = LogisticRegression(max_iter=1000)
    member, constant = fit_member(MultiOutputClassifier(logistic), X, Y, None, {})
    votes = member_votes("linear", member, X, None, 3, constant)
    for j in range(3):
        expected = logistic.fit(X, Y[:, j]).predict_proba(X)[:, 1] if j in varying else value[j]
        assert_allclose(votes[:, j], expected)


def test_nothing_to_learn_is_refused():
    X, Y = np.zeros((4, 2)), np.ones((4, 3), dtype=int)
    with pytest.raises(ValueError, match="None of the 3 labels has both values in the 4 training"):
        fit_member(RandomForestClassifier(), X, Y, None, {})


def test_members_are_those_kept_and_frozen_where_they_are_fitted():
    logistic = LogisticRegression()
    members = [("a", logistic), ("b", "drop"), ("c", LogisticRegression(C=2))]
    names, kept = named_members(SoftVotingClassifier(members))
    assert names == ["a", "c"]
    assert kept[0] is logistic
    _, kept = named_members(SoftVotingClassifier(members, cv="prefit"))
    assert all(isinstance(member, FrozenEstimator) for member in kept)
    with pytest.raises(ValueError, match=r"'r' \(RidgeClassifier\) has no predict_proba, and prob"):
        named_members(SoftVotingClassifier([("r", RidgeClassifier())]))


def test_a_number_of_folds_is_stratified():
    Y = np.tile([[0, 1], [1, 0]], (10, 1))
    for cv, n_splits in [(None, 5), (3, 3)]:
        for y, kind in [(Y, MultilabelStratifiedKFold), (Y[:, 0], StratifiedKFold)]:
            splitter = stratified_cv(cv, y)
            assert isinstance(splitter, kind)
            assert splitter.get_n_splits() == n_splits
    folds = KFold(4)
    assert stratified_cv(folds, Y) is folds
