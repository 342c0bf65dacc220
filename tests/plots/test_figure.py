import sys

import pytest

from keras_fewlabels.plots.figure import new_figure


def test_pyplot_does_not_manage_the_figure():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    assert new_figure(3, 2).get_size_inches().tolist() == [3, 2]
    assert pyplot.get_fignums() == before


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-fewlabels\[plots\]"):
        new_figure(3, 2)
