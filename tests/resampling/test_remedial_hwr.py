import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone

from skrecall.resampling import LPROS, MLROS, MLRUS, MLSMOTE, REMEDIAL, MLeNN, REMEDIALHwR
from tests.resampling.checks import make_rare_labels


@pytest.mark.parametrize("sampler", [MLROS(), MLRUS(), LPROS(), MLeNN(threshold=0.4)], ids=repr)
@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_both_steps_by_hand(sampler, container):
    X, Y = make_rare_labels()
    if "random_state" in sampler.get_params():
        sampler = sampler.set_params(random_state=3)
    hybrid = REMEDIALHwR(sampler)
    X_new, Y_new = hybrid.fit_resample(X, container(Y))
    first = REMEDIAL()
    second = type(sampler)(**sampler.get_params())
    X_expected, Y_expected = second.fit_resample(*first.fit_resample(X, container(Y)))
    assert_array_equal(X_new, X_expected)
    assert type(Y_new) is type(container(Y))
    difference = Y_new != Y_expected
    assert (difference.nnz if container is csr_array else difference.sum()) == 0
    assert_array_equal(hybrid.sample_indices_, first.sample_indices_[second.sample_indices_])
    assert_array_equal(X_new, X[hybrid.sample_indices_])
    assert hybrid.sampling_strategy_ == first.sampling_strategy_
    assert hybrid.sampler_.sampling_strategy_ == second.sampling_strategy_


def test_parents_of_made_rows_are_rows_of_the_input():
    X, Y = make_rare_labels()
    hybrid = REMEDIALHwR(MLSMOTE(), random_state=0)
    X_new, _ = hybrid.fit_resample(X, Y)
    assert not hasattr(hybrid, "sample_indices_")
    parents = hybrid.parent_indices_
    assert parents.max() < len(X)
    low, high = np.sort(X[parents], axis=1).swapaxes(0, 1)
    assert np.all((X_new >= low - 1e-9) & (X_new <= high + 1e-9))


@pytest.mark.parametrize("sampler", [MLeNN(threshold=0.4), MLSMOTE(random_state=0)], ids=repr)
def test_a_hybrid_in_a_hybrid_looks_at_the_samples_if_the_innermost_sampler_does(sampler):
    X, Y = make_rare_labels()
    X_new, Y_new = REMEDIALHwR(REMEDIALHwR(sampler)).fit_resample(X, Y)
    once = REMEDIAL().fit_resample(X, Y)
    X_expected, Y_expected = clone(sampler).fit_resample(*REMEDIAL().fit_resample(*once))
    assert_array_equal(X_new, X_expected)
    assert_array_equal(Y_new, Y_expected)


def test_the_sampler_knows_labels_by_their_names():
    X, Y = make_rare_labels()
    frame = pd.DataFrame(Y, columns=list("abcde"), index=np.arange(len(Y)) + 50)
    hybrid = REMEDIALHwR(MLROS(sampling_strategy={"e": 20}), random_state=0)
    _, Y_new = hybrid.fit_resample(pd.DataFrame(X, columns=list("uvwx")), frame)
    assert Y_new["e"].sum() >= 20
    assert_array_equal(Y_new.index, np.arange(len(Y_new)))


def test_a_sampler_of_one_label_refuses_several():
    X, Y = make_rare_labels()
    with pytest.raises(ValueError, match="Multilabel"):
        REMEDIALHwR(RandomUnderSampler()).fit_resample(X, Y)


def test_a_sampler_that_does_not_say_where_rows_come_from_is_refused():
    X, Y = make_rare_labels()
    for sampler in (FunctionSampler(validate=False), make_pipeline(MLROS(random_state=0))):
        with pytest.raises(ValueError, match="says neither in sample_indices_ nor in parent_ind"):
            REMEDIALHwR(sampler).fit_resample(X, Y)
