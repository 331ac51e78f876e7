import os

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def _close_figures(request):
    yield
    pyplot = __import__("sys").modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
