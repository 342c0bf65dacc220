from keras_fewlabels.plots.results.flip_rates import flip_rates


def test_bars_in_percent_from_the_top(tmp_path):
    figure = flip_rates({"rotate": 0.25, "tilt": 0.125})
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [25, 12.5]
    assert axes.yaxis_inverted()
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["rotate", "tilt"]
    figure.savefig(tmp_path / "flips.png")
    assert (tmp_path / "flips.png").read_bytes()[1:4] == b"PNG"
