from keras_fewlabels.plots.results.batch_sizes import batch_sizes

THROUGHPUTS = {8: 250.0, 16: 470.0, 48: 500.0}


def test_line_and_suggestion(tmp_path):
    figure = batch_sizes(THROUGHPUTS, 16)
    (axes,) = figure.axes
    line, mark = axes.lines
    assert list(line.get_xdata()) == [8, 16, 48]
    assert list(line.get_ydata()) == [250.0, 470.0, 500.0]
    assert set(mark.get_xdata()) == {16}
    assert axes.get_title() == "470 images per second at 16"
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "8",
        "16",
        "48",
    ]
    assert axes.get_ylim()[0] == 0
    figure.savefig(tmp_path / "sizes.png")
