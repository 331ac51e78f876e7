import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skrecall.plotting import ImbalanceProfileDisplay


@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
@pytest.mark.parametrize("n_labels", [5, 60])
def test_counts_in_order_and_their_ratios(container, n_labels):
    rng = np.random.default_rng(0)
    Y = (rng.random((400, n_labels)) < np.geomspace(0.02, 0.5, n_labels)).astype(int)
    Y[:, 2] = 0
    display = ImbalanceProfileDisplay.from_labels(container(Y))
    frame = display.frame()
    counts = Y.sum(axis=0)
    assert sorted(frame["label"], key=int) == [str(k) for k in range(n_labels)]
    assert frame["count"].is_monotonic_decreasing
    for row in frame.itertuples():
        count = counts[int(row.label)]
        assert row.count == count
        assert_allclose(row.share, count / 400)
        assert_allclose(row.imbalance_ratio, counts.max() / count if count else np.nan)
    mean = np.mean([counts.max() / count for count in counts if count])
    assert_allclose(display.mean_imbalance_ratio, mean)
    rarer = [count == 0 or counts.max() / count > mean for count in frame["count"]]
    assert frame["minority"].tolist() == rarer
    tops = [bar.get_y() + bar.get_height() for bar in display.bars_]
    assert_allclose(tops[:-1], frame["count"][:-1])
    title = display.ax_.get_title(loc="left")
    assert title.startswith(f"{n_labels} labels in 400 samples, 1 without positives\n{sum(rarer)} ")
    named = len(display.ax_.get_xticklabels()) == n_labels
    assert named == (n_labels == 5)


def test_the_right_axis_reads_the_ratio_of_the_left():
    Y = np.tril(np.ones((64, 8), dtype=int))
    display = ImbalanceProfileDisplay.from_labels(Y)
    assert_allclose(
        np.multiply(display.ax_.get_ylim(), display.ratio_ax_.get_ylim()), display.counts.max()
    )


def test_labels_that_never_occur_cannot_be_drawn():
    with pytest.raises(ValueError, match="None of the 3 labels occurs in the 5 samples"):
        ImbalanceProfileDisplay.from_labels(np.zeros((5, 3)))
