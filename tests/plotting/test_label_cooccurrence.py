import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skrecall.plotting import LabelCooccurrenceDisplay


@pytest.fixture
def Y():
    rng = np.random.default_rng(0)
    Y = (rng.random((300, 15)) < np.linspace(0.5, 0.05, 15)).astype(int)
    Y[:, 3] = 0
    return Y[:, rng.permutation(15)]


def by_loop(Y, measure):
    n, n_labels = Y.shape
    matrix = np.zeros((n_labels, n_labels))
    for i, j in np.ndindex(n_labels, n_labels):
        both, either = np.sum(Y[:, i] & Y[:, j]), np.sum(Y[:, i] | Y[:, j])
        n_i, n_j = Y[:, i].sum(), Y[:, j].sum()
        if n_i and n_j:
            matrix[i, j] = {
                "count": both,
                "conditional": both / n_i,
                "jaccard": both / either,
                "lift": both * n / (n_i * n_j),
            }[measure]
    return matrix


@pytest.mark.parametrize("measure", ["count", "conditional", "jaccard", "lift"])
@pytest.mark.parametrize("container", [np.asarray, csr_array, pd.DataFrame])
def test_numbers_of_the_labels_shown(Y, measure, container):
    display = LabelCooccurrenceDisplay.from_labels(container(Y), measure=measure, max_labels=9)
    shown = np.argsort(-Y.sum(axis=0), kind="stable")[:9]
    assert_allclose(display.frame(), by_loop(Y, measure)[np.ix_(shown, shown)])
    assert display.frame().index.tolist() == [str(label) for label in shown]
    assert display.ax_.get_title(loc="left") == "The 9 most frequent of 15 labels"


def test_the_diagonal_and_pairs_that_never_meet_do_not_colour(Y):
    display = LabelCooccurrenceDisplay.from_labels(Y, measure="lift", order="rare")
    drawn = display.image_.get_array()
    assert np.ma.getmaskarray(drawn).diagonal().all()
    assert_array_equal(np.ma.getmaskarray(drawn), (display.matrix == 0) | np.eye(15, dtype=bool))
    assert_allclose(display.image_.norm.vmin * display.image_.norm.vmax, 1)
    counts = LabelCooccurrenceDisplay.from_labels(Y, measure="count")
    off_diagonal = counts.matrix[~np.eye(15, dtype=bool)]
    assert (counts.image_.norm.vmin, counts.image_.norm.vmax) == (0, off_diagonal.max())


def test_few_labels_have_their_numbers_written(Y):
    few = LabelCooccurrenceDisplay.from_labels(Y, measure="count", max_labels=3)
    written = {text.get_text() for text in few.ax_.texts}
    expected = few.matrix[~np.eye(3, dtype=bool)]
    assert written == {str(value) for value in expected}
    assert not LabelCooccurrenceDisplay.from_labels(Y).ax_.texts


def test_a_matrix_of_one_s_own():
    matrix = np.array([[0.0, 2.0], [0.5, 0.0]])
    display = LabelCooccurrenceDisplay(
        matrix=matrix, label_names=["a", "b"], value_name="Odds", ratio=True
    ).plot(cmap="viridis")
    assert_array_equal(display.frame(), matrix)
    assert display.colorbar_.ax.get_ylabel() == "Odds"


def test_labels_that_never_meet_can_be_drawn():
    for measure in ("count", "lift"):
        display = LabelCooccurrenceDisplay.from_labels(np.eye(3, dtype=int), measure=measure)
        display.figure_.canvas.draw()
    with pytest.raises(ValueError, match="measure='cosine' must be one of 'conditional'"):
        LabelCooccurrenceDisplay.from_labels(np.eye(3), measure="cosine")
