import pickle
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from keras import layers

from keras_fewlabels import plots
from keras_fewlabels.plots.figure import (
    count_epochs,
    new_figure,
    shown_lines,
    shown_name,
)
from keras_fewlabels.plots.results.corruptions import corruptions
from keras_fewlabels.plots.results.prediction_changes import prediction_changes
from keras_fewlabels.plots.results.waterfall import waterfall

IMAGES = np.zeros((2, 8, 8, 1), "uint8")
# Each stands alone and in a pair, for one dollar sign is no mathematics yet.
HOSTILE = {
    "dollars": "$_$",
    "a formula": r"$\frac$",
    "powers": "x_^2",
    "backslashes": r"C:\new\$x$",
    "line break": "two\nlines",
    "other line breaks": "a\r\nb\u2028c",
    "direction": "\u202eevil\u200f",
    "control characters": "\x00\x1b[31m",
    "bytes": "caf\udce9",
    "percent": "100 %",
}
# Each draws the names that it gets.
DRAWN = {
    "augmentations": lambda names: plots.augmentations(
        IMAGES, layers.Identity(), 1, titles=names
    ),
    "comparison": lambda names: plots.comparison(
        dict.fromkeys(names, 0.5), title=names[0]
    ),
    "confusion_matrix": lambda names: plots.confusion_matrix(
        [[3, 1], [0, 2]], names
    ),
    "contact_sheet": lambda names: plots.contact_sheet(
        IMAGES, names, title=names[0]
    ),
    "learning_curves": lambda names: plots.learning_curves(
        {name: {name: [1.0, 2.0]} for name in names}, stages={0: names[0]}
    ),
    "predictions": lambda names: plots.predictions(
        IMAGES, [0, 1], np.eye(2), names
    ),
    "pseudo_labels": lambda names: plots.pseudo_labels(
        {"label": [0, 1], "confidence": [0.5, 1.0]},
        [{"epoch": 0, "share": 1.0, "class_counts": [1, 1]}],
        names,
    ),
    "corruptions": lambda names: corruptions(
        {
            name: {"errors": {"fog": [0.5]}, "severities": [1],
                   "clean_error": 0.1}
            for name in names
        }
    ),
    "prediction_changes": lambda names: prediction_changes(
        {"class": names, "won": [1, 0], "lost": [0, 1]}
    ),
    "waterfall": lambda names: waterfall(dict.fromkeys(names, 0.5)),
}  # fmt: skip


def texts_of(figure):
    return [
        text.get_text() for text in figure.findobj(matplotlib.text.Text)
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(DRAWN))
def test_every_plot_draws_names_as_they_are(name):
    for text in HOSTILE.values():
        figure = DRAWN[name]([text, f"{text}{text}"])
        with warnings.catch_warnings():
            # Such as "Glyph missing from font".
            warnings.simplefilter("error")
            figure.draw_without_rendering()
        shown = shown_name(text).replace("_", " ")
        assert any(
            shown in each.replace("_", " ") for each in texts_of(figure)
        ), text


@pytest.mark.parametrize("name", list(DRAWN))
def test_long_names_do_not_make_huge_figures(name):
    names = ["n" * 300 + end for end in ("first", "second")]
    figure = DRAWN[name](names)
    assert max(figure.get_size_inches()) < 12
    shown = "".join(texts_of(figure)).replace("\n", "")
    assert "first" in shown and "second" in shown


@pytest.mark.parametrize("name", list(DRAWN))
def test_names_are_not_given_to_tex(name):
    with matplotlib.rc_context({"text.usetex": True}):
        figure = DRAWN[name](["one_a", "one_b"])
    for text in figure.findobj(matplotlib.text.Text):
        if "one_" in text.get_text() or "one " in text.get_text():
            assert not text.get_usetex()


def test_invisible_characters_become_visible():
    assert shown_name("a\nb\x00\u202e\udce9é $x$") == (
        r"a\nb\x00\u202e\xe9é $x$"
    )
    assert shown_name(7) == "7"
    assert shown_lines("a\nb\tc") == "a\n" + r"b\tc"


def test_long_names_keep_both_ends():
    assert shown_name("abcdefghij", 10) == "abcdefghij"
    assert shown_name("abcdefghijk", 10) == "abcde…hijk"
    assert len(shown_name("n" * 300, 11)) == 11


@pytest.mark.parametrize("epochs", [[1], [4], [1, 2, 3]])
def test_epochs_are_whole_numbers(epochs):
    axes = new_figure(3, 2).subplots()
    axes.plot(epochs, epochs)
    count_epochs(axes)
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks == epochs


def test_pyplot_does_not_manage_the_figure():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    assert new_figure(3, 2).get_size_inches().tolist() == [3, 2]
    assert pyplot.get_fignums() == before


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-fewlabels\[plots\]"):
        new_figure(3, 2)


def test_a_notebook_shows_the_figure_that_a_cell_ends_with():
    # Copies show themselves, too, and not what they are copies of.
    for figure in (
        new_figure(1, 2),
        pickle.loads(pickle.dumps(new_figure(1, 2))),
    ):
        png = figure._repr_png_()
        assert png[1:4] == b"PNG"
        assert int.from_bytes(png[20:24]) == 2 * figure.dpi
