from keras_fewlabels.plots.results.prediction_changes import (
    prediction_changes,
)


def classes(num_classes):
    return {
        "class": [f"c{number}" for number in range(num_classes)],
        "won": list(range(num_classes)),
        "lost": [2] * num_classes,
    }


def test_won_to_the_right_and_lost_to_the_left():
    (axes,) = prediction_changes(classes(3)).axes
    won, lost = axes.containers
    assert [bar.get_width() for bar in won] == [0, 1, 2]
    assert [bar.get_width() for bar in lost] == [-2, -2, -2]
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "c0", "c1", "c2"
    ]  # fmt: skip
    # The first class is on top, and numbers to the left are no debts.
    assert axes.get_ylim() == (2.5, -0.5)
    assert axes.xaxis.get_major_formatter()(-2, 0) == "2"


def test_of_many_classes_those_that_changed_most_are_drawn():
    figure = prediction_changes(classes(100))
    (axes,) = figure.axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [f"c{number}" for number in range(60, 100)]
    assert [bar.get_width() for bar in axes.containers[0]][:2] == [60, 61]
    assert "40 of 100 classes" in axes.get_title()
    # The legend counts all classes.
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["won: 4,950", "lost: 200"]
