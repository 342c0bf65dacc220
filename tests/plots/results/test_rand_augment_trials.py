from keras_fewlabels.plots.results.rand_augment_trials import (
    rand_augment_trials,
)

ACCURACIES = {(0, 0): 0.5, (2, 9): 0.75, (1, 3): 0.625, (1, 9): 0.25}


def test_a_line_per_number_of_ops(tmp_path):
    figure = rand_augment_trials(ACCURACIES, (2, 9))
    (axes,) = figure.axes
    one, two, without, mark = axes.lines
    assert (list(one.get_xdata()), list(one.get_ydata())) == (
        [3, 9],
        [62.5, 25],
    )
    assert (list(two.get_xdata()), list(two.get_ydata())) == ([9], [75])
    assert set(without.get_ydata()) == {50}
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([9], [75])
    assert axes.get_title() == "75.0 % with num_ops=2, magnitude=9"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["1 op", "2 ops", "no augmentation"]
    figure.savefig(tmp_path / "trials.png")


def test_no_augmentation_is_not_marked_as_a_point():
    (axes,) = rand_augment_trials({(0, 0): 0.5, (1, 3): 0.25}, (0, 0)).axes
    assert len(axes.lines) == 2
    assert axes.get_title() == ("50.0 % with num_ops=0, magnitude=0")
