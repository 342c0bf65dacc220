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


def test_many_classes_have_numbers():
    (axes,) = prediction_changes(classes(100)).axes
    assert axes.get_ylabel() == "class"
