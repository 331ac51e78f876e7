import numpy as np
import pytest
from matplotlib import colormaps, pyplot
from matplotlib.colors import to_rgb

from skrecall.plotting._axes import COLOURS, emptiest_corner, get_figure_and_axes, readable_on


def test_new_axes_and_given_ones():
    figure, ax = get_figure_and_axes(None, purpose="It", size=(3, 2))
    assert tuple(figure.get_size_inches()) == (3, 2)
    assert get_figure_and_axes(ax, purpose="It") == (figure, ax)
    _, axes = get_figure_and_axes(None, purpose="It", n_axes=2)
    assert axes.shape == (2,)
    with pytest.raises(ValueError, match="It draws on 2 axes and got 1: pass as many"):
        get_figure_and_axes(ax, purpose="It", n_axes=2)


def test_given_axes_open_no_figure():
    _, ax = pyplot.subplots()
    before = pyplot.get_fignums()
    get_figure_and_axes(ax, purpose="It")
    assert pyplot.get_fignums() == before


def test_a_legend_goes_where_the_curve_is_not():
    corners = ["lower left", "upper right"]
    x = np.linspace(0, 1, 50)
    assert emptiest_corner(x, np.ones(50), corners) == "lower left"
    assert emptiest_corner(x, np.full(50, 0.1), corners) == "upper right"
    assert emptiest_corner(x, np.full(50, np.nan), corners) == "lower left"


def test_ink_is_dark_on_light_and_light_on_dark():
    assert [readable_on(colormaps["PuOr"](x)) for x in (0.0, 0.5, 1.0)] == [
        "white",
        "black",
        "white",
    ]


@pytest.mark.parametrize(
    "missing",
    # what protanopia, deuteranopia and tritanopia leave, after Vienot, Brettel and Mollon (1999)
    [
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    ],
    ids=["protanopia", "deuteranopia"],
)
def test_the_first_three_colours_stay_apart_for_colour_blind_readers(missing):
    seen = np.array([to_rgb(colour) for colour in COLOURS[:3]]) ** 2.2 @ np.transpose(missing)
    distance = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(3, 1)]
    assert distance.min() > 0.15
