import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from numpy.testing import assert_array_equal
from scipy.sparse import csc_array, csr_array
from sklearn.linear_model import LogisticRegression

from skrecall.multilabel import BinaryRelevance, MultilabelBaggingClassifier
from skrecall.resampling import MLROS
from skrecall.resampling._multilabel import BaseMultilabelSampler, rows_with_any
from tests.resampling.checks import make_rare_labels


class FromPairs(BaseMultilabelSampler):
    """Returns the pairs of rows that it is given, as the mean of both with the labels of one."""

    _selects_rows = False
    _sampling_type = "over-sampling"

    def __init__(self, pairs=(), *, sampling_strategy="auto"):
        super().__init__(sampling_strategy=sampling_strategy)
        self.pairs = pairs

    _parameter_constraints = {
        "sampling_strategy": BaseMultilabelSampler._parameter_constraints["sampling_strategy"],
        "pairs": ["array-like"],
    }

    def _resolve_strategy(self, Y):
        return {}

    def _fit_resample(self, X, Y, rng):
        parents = np.asarray(self.pairs)
        return X[parents].mean(axis=1), Y[parents[:, 0]], parents


@pytest.mark.filterwarnings("ignore:FromPairs removed all positives:UserWarning")
def test_made_rows_have_two_parents_and_no_sample_indices():
    X, Y = make_rare_labels()
    sampler = FromPairs([[0, 0], [3, 5], [150, 2]])
    X_new, Y_new = sampler.fit_resample(X, Y)
    assert_array_equal(X_new, [X[0], (X[3] + X[5]) / 2, (X[150] + X[2]) / 2])
    assert_array_equal(Y_new, Y[[0, 3, 150]])
    assert_array_equal(sampler.parent_indices_, sampler.pairs)
    assert not hasattr(sampler, "sample_indices_")


def test_labels_of_which_no_positive_is_left_are_named():
    X, Y = make_rare_labels()
    rows = np.flatnonzero((Y[:, 4] == 0) & (Y[:, 1] == 0))
    sampler = FromPairs(np.column_stack([rows, rows]))
    with pytest.warns(UserWarning, match=r"removed all positives of 2 labels, \['b', 'e'\]"):
        sampler.fit_resample(X, pd.DataFrame(Y, columns=list("abcde")))


def test_a_set_that_was_left_alone_is_said_to_be():
    X, Y = make_rare_labels()
    rows = np.arange(len(Y))
    with pytest.warns(UserWarning, match="left the 160 rows as they are: sampling_strategy='auto'"):
        FromPairs(np.column_stack([rows, rows])).fit_resample(X, Y)
    with pytest.warns(UserWarning, match=r"occur have 5 positives each, so none is rarer"):
        MLROS().fit_resample(np.zeros((10, 1)), np.repeat([[1, 0, 0], [0, 1, 0]], 5, axis=0))


@pytest.mark.parametrize("kind", [list, tuple, "object array"])
def test_label_sets_are_no_indicator_and_the_message_says_what_converts_them(kind):
    X, Y = make_rare_labels()
    sets = [tuple(np.flatnonzero(row)) for row in Y]
    if kind == "object array":
        given = np.empty(len(sets), dtype=object)
        given[:] = sets
    else:
        given = kind(sets)
    for method in (MLROS().fit, MLROS().fit_resample):
        with pytest.raises(ValueError, match=r"y holds a list or set .*MultiLabelBinarizer"):
            method(X, given)


def test_names_that_die_in_a_wrapper_are_told_to_be_indices():
    X, Y = make_rare_labels()
    Y = pd.DataFrame(Y, columns=list("abcde"))
    model = Pipeline(
        [
            ("sampler", MLROS(sampling_strategy={"e": 20}, random_state=0)),
            ("labels", BinaryRelevance(LogisticRegression())),
        ]
    )
    model.fit(X, Y)
    wrapped = MultilabelBaggingClassifier(model, n_estimators=2, random_state=0)
    with pytest.raises(ValueError, match=r"labels \['e'\], .*inside an estimator .* its index"):
        wrapped.fit(X, Y)


def test_rows_with_any_of_some_labels():
    _, Y = make_rare_labels()
    for chosen in ([], [1], [3, 4], range(5)):
        is_chosen = np.isin(np.arange(5), list(chosen))
        expected = [any(row[j] for j in chosen) for row in Y]
        for container in (np.asarray, csc_array):
            assert_array_equal(rows_with_any(container(Y), is_chosen), expected)


def test_strings_in_lists_and_frames_without_names():
    _, Y = make_rare_labels()
    X = [["red", str(i)] for i in range(len(Y))]
    X_new, Y_new = MLROS(random_state=0).fit_resample(X, csr_array(Y))
    assert X_new[: len(X)] == X
    assert Y_new.shape[0] == len(X_new)
    sampler = MLROS(random_state=0)
    sampler.fit_resample(X, pd.DataFrame(Y))
    assert list(sampler.label_names_) == [0, 1, 2, 3, 4]
    assert set(sampler.sampling_strategy_) == {3, 4}
