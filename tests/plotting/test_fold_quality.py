import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.model_selection import KFold

from skrecall.model_selection import fold_quality
from skrecall.plotting import FoldQualityDisplay


@pytest.fixture
def Y():
    rng = np.random.default_rng(0)
    Y = (rng.random((100, 6)) < [0.5, 0.3, 0.2, 0.1, 0.03, 0.0]).astype(int)
    Y[0, 4] = 1
    return Y


@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
@pytest.mark.parametrize("as_splits", [False, True])
def test_positives_of_each_label_in_each_fold(Y, container, as_splits):
    splits = list(KFold(3).split(Y))
    folds = [test for _, test in splits]
    display = FoldQualityDisplay.from_folds(container(Y), splits if as_splits else folds)
    frame = display.frame()
    assert len(frame) == 3 * 5
    for row in frame.itertuples():
        y, fold = Y[:, int(row.label)], folds[row.fold - 1]
        assert row.n_positives == y[fold].sum()
        assert_allclose(row.ideal, y.sum() * len(fold) / 100)
        assert_allclose(row.ratio, row.n_positives / row.ideal)
    rarest_first = sorted(range(5), key=lambda label: Y[:, label].sum())
    assert frame["label"].tolist() == [str(label) for label in rarest_first] * 3
    pd.testing.assert_series_equal(display.quality, fold_quality(Y, folds))


def test_a_cross_marks_what_is_missing(Y):
    display = FoldQualityDisplay.from_folds(Y, KFold(10).split(Y), max_labels=2)
    crosses = {tuple(point) for point in display.ax_.lines[0].get_xydata() - 0.5}
    missing = {(j, i) for i, j in np.argwhere(display.counts == 0)}
    assert crosses == missing
    assert missing
    title = display.ax_.get_title(loc="left")
    assert title.startswith("The 2 rarest of 5 labels\nLD ")
    assert f"{display.quality['FLZ']:g} times" in title


def test_bad_input_is_named(Y):
    with pytest.raises(ValueError, match="None of the 6 labels occurs in the folds"):
        FoldQualityDisplay.from_folds(0 * Y, KFold(3).split(Y))
    with pytest.raises(ValueError, match="pass at least one fold, and none empty"):
        FoldQualityDisplay.from_folds(Y, [np.arange(5), []])
